package ledger

import (
	"encoding/json"
	"strconv"
	"unicode/utf8"

	"hawker/commerce/id"
)

// Append appends the fact's JSON to buf: byte for byte what json.Marshal writes, at a fifth of its cost. Each decision
// writes a fact while the shop waits.
func (f *Fact) Append(buf []byte) []byte {
	o := object{append(buf, '{')}
	if f.Key != nil {
		o.name("key")
		k := object{append(o.buf, '{')}
		k.text("platform", string(f.Key.Platform))
		k.text("message", f.Key.Message)
		if f.Key.Part != 0 {
			k.number("part", int64(f.Key.Part))
		}
		o.buf = append(k.buf, '}')
	}
	o.some("viewer", f.Viewer)
	o.some("reason", string(f.Reason))
	if f.Number != 0 {
		o.number("item", int64(f.Number))
	}
	if f.Quantity != 0 {
		o.number("quantity", int64(f.Quantity))
	}
	if f.Hold != 0 {
		o.id("hold", f.Hold)
	}
	if len(f.Holds) > 0 {
		o.name("holds")
		o.buf = append(o.buf, '[')
		for i, h := range f.Holds {
			if i > 0 {
				o.buf = append(o.buf, ',')
			}
			x := object{append(o.buf, '{')}
			x.id("hold", h.Hold)
			if h.Quantity != 0 {
				x.number("quantity", int64(h.Quantity))
			}
			o.buf = append(x.buf, '}')
		}
		o.buf = append(o.buf, ']')
	}
	if f.Place != 0 {
		o.id("place", f.Place)
	}
	o.some("state", f.State)
	o.some("order", f.Order)
	if f.Total != nil {
		o.name("total")
		t := object{append(o.buf, '{')}
		t.number("minor", f.Total.Minor)
		t.text("currency", f.Total.Currency)
		o.buf = append(t.buf, '}')
	}
	o.some("by", f.By)
	if len(f.Stock) > 0 {
		o.name("stock")
		o.buf = append(o.buf, '[')
		for i := range f.Stock {
			if i > 0 {
				o.buf = append(o.buf, ',')
			}
			o.buf = f.Stock[i].append(o.buf)
		}
		o.buf = append(o.buf, ']')
	}
	return append(o.buf, '}')
}

func (s *StockFact) append(buf []byte) []byte {
	o := object{append(buf, '{')}
	o.id("variant", s.Variant)
	o.number("available", s.Available)
	o.number("held", s.Held)
	o.number("sold", s.Sold)
	if s.Short != 0 {
		o.number("short", s.Short)
	}
	if s.Endless {
		o.name("endless")
		o.buf = append(o.buf, "true"...)
	}
	return append(o.buf, '}')
}

// object is a JSON object that is being written; names are plain words.
type object struct{ buf []byte }

func (o *object) name(n string) {
	if o.buf[len(o.buf)-1] != '{' {
		o.buf = append(o.buf, ',')
	}
	o.buf = append(append(append(o.buf, '"'), n...), '"', ':')
}

func (o *object) number(n string, v int64) {
	o.name(n)
	o.buf = strconv.AppendInt(o.buf, v, 10)
}

func (o *object) id(n string, v id.ID) {
	o.name(n)
	o.buf = append(strconv.AppendInt(append(o.buf, '"'), int64(v), 10), '"')
}

// some writes a text that is left out when empty.
func (o *object) some(n, v string) {
	if v != "" {
		o.text(n, v)
	}
}

func (o *object) text(n, v string) {
	o.name(n)
	for i := range len(v) {
		if c := v[i]; c < ' ' || c == '"' || c == '\\' || c == '<' || c == '>' || c == '&' || c >= utf8.RuneSelf {
			b, err := json.Marshal(v)
			if err != nil { // a string always has a form
				panic(err)
			}
			o.buf = append(o.buf, b...)
			return
		}
	}
	o.buf = append(append(append(o.buf, '"'), v...), '"')
}
