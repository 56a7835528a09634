package ledger

import "hawker/internal/object"

// Append appends the fact's JSON to buf: byte for byte what json.Marshal writes, at a fifth of its cost. Each decision
// writes a fact while the shop waits.
func (f *Fact) Append(buf []byte) []byte {
	o := object.Open(buf)
	if f.Key != nil {
		o.Name("key")
		k := object.Open(o.Buf)
		k.Text("platform", string(f.Key.Platform))
		k.Text("message", f.Key.Message)
		if f.Key.Part != 0 {
			k.Number("part", int64(f.Key.Part))
		}
		o.Buf = k.Close()
	}
	o.Some("viewer", f.Viewer)
	o.Some("reason", string(f.Reason))
	if f.Number != 0 {
		o.Number("item", int64(f.Number))
	}
	if f.Quantity != 0 {
		o.Number("quantity", int64(f.Quantity))
	}
	if f.Hold != 0 {
		o.ID("hold", int64(f.Hold))
	}
	if len(f.Holds) > 0 {
		o.Name("holds")
		o.Buf = append(o.Buf, '[')
		for i, h := range f.Holds {
			if i > 0 {
				o.Buf = append(o.Buf, ',')
			}
			x := object.Open(o.Buf)
			x.ID("hold", int64(h.Hold))
			if h.Quantity != 0 {
				x.Number("quantity", int64(h.Quantity))
			}
			o.Buf = x.Close()
		}
		o.Buf = append(o.Buf, ']')
	}
	if f.Place != 0 {
		o.ID("place", int64(f.Place))
	}
	o.Some("state", f.State)
	o.Some("order", f.Order)
	if f.Total != nil {
		o.Name("total")
		t := object.Open(o.Buf)
		t.Number("minor", f.Total.Minor)
		t.Text("currency", f.Total.Currency)
		o.Buf = t.Close()
	}
	o.Some("by", f.By)
	if len(f.Stock) > 0 {
		o.Name("stock")
		o.Buf = append(o.Buf, '[')
		for i := range f.Stock {
			if i > 0 {
				o.Buf = append(o.Buf, ',')
			}
			o.Buf = f.Stock[i].append(o.Buf)
		}
		o.Buf = append(o.Buf, ']')
	}
	return o.Close()
}

func (s *StockFact) append(buf []byte) []byte {
	o := object.Open(buf)
	o.ID("variant", int64(s.Variant))
	o.Number("available", s.Available)
	o.Number("held", s.Held)
	o.Number("sold", s.Sold)
	if s.Short != 0 {
		o.Number("short", s.Short)
	}
	if s.Endless {
		o.Name("endless")
		o.Buf = append(o.Buf, "true"...)
	}
	return o.Close()
}
