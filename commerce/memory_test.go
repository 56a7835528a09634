package commerce

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"hawker/commerce/clock"
	"hawker/commerce/guard"
	"hawker/internal/chat"
)

// memory is a ledger in memory: it applies batches to rows and refuses what a database's constraints would refuse. What a
// desk loaded from it lacks, the batches lacked.
type memory struct {
	epoch, seq int64
	entries    []Entry
	decisions  map[Key]Decision
	holds      map[ID]Hold
	receipts   map[ID]Receipt
	places     map[ID]Place
	stock      map[ID]Stock
	shows      map[ID]Show
	orders     map[string]OrderRow
	joined     map[chat.Viewer]Bind
	effects    map[ID]Effect
	marks      map[chat.Channel]time.Time
	payers     map[string]bool
	restored   time.Time
}

func newMemory() *memory {
	return &memory{
		decisions: map[Key]Decision{}, holds: map[ID]Hold{}, receipts: map[ID]Receipt{}, places: map[ID]Place{}, stock: map[ID]Stock{}, shows: map[ID]Show{},
		orders: map[string]OrderRow{}, joined: map[chat.Viewer]Bind{}, effects: map[ID]Effect{}, marks: map[chat.Channel]time.Time{}, payers: map[string]bool{},
	}
}

func byKey[K cmp.Ordered, V any](m map[K]V) []V {
	var out []V
	for _, k := range slices.Sorted(maps.Keys(m)) {
		out = append(out, m[k])
	}
	return out
}

// Load takes the merchant over.
func (m *memory) Load(context.Context, ID) (State, error) {
	m.epoch++
	m.seq++
	return m.state(), nil
}

// state is what Load gives, without taking over.
func (m *memory) state() State {
	st := State{Epoch: m.epoch, Seq: m.seq, Shows: byKey(m.shows), Stock: byKey(m.stock), Holds: byKey(m.holds), Receipts: byKey(m.receipts)}
	st.Watermarks = maps.Clone(m.marks)
	if n := len(m.entries); n > 0 {
		st.LastEntry, st.LastHash = m.entries[n-1].Seq, m.entries[n-1].Hash
	}
	for i := range st.Shows {
		st.Shows[i].Lineup.Items = slices.Clone(st.Shows[i].Lineup.Items)
	}
	for i := range st.Stock {
		st.Stock[i].Seen = time.Time{} // in memory only
	}
	for _, p := range byKey(m.places) {
		st.LastPlace = p.ID
		if p.State == PlaceWaiting {
			st.Places = append(st.Places, p)
		}
	}
	for _, o := range byKey(m.orders) {
		o.Took = maps.Clone(o.Took)
		st.Orders = append(st.Orders, o)
	}
	for _, b := range m.joined {
		st.Joined = append(st.Joined, b)
	}
	st.Payers, st.Restored = slices.Sorted(maps.Keys(m.payers)), m.restored
	for _, d := range m.decisions {
		st.Recent = append(st.Recent, d)
	}
	slices.SortFunc(st.Recent, func(a, b Decision) int {
		return cmp.Or(a.At.Compare(b.At), strings.Compare(a.Key.String(), b.Key.String()))
	})
	st.Effects = byKey(m.effects)
	return st
}

// Commit applies a batch, all or nothing.
func (m *memory) Commit(_ context.Context, b *Batch) error {
	if b.Epoch != m.epoch || b.Seq != m.seq {
		return ErrFenced
	}
	for _, d := range b.Decisions {
		if _, ok := m.decisions[d.Key]; ok {
			return ErrRepeated
		}
	}
	if err := m.refuses(b); err != nil {
		return err
	}
	m.seq++
	m.entries = append(m.entries, b.Entries...)
	for _, d := range b.Decisions {
		m.decisions[d.Key] = d
	}
	for _, h := range b.Holds {
		m.holds[h.ID] = h
		if h.State == StatePaid {
			m.payers[h.Person] = true
		}
	}
	if b.Reopened {
		m.restored = time.Time{}
	}
	for _, r := range b.Receipts {
		m.receipts[r.ID] = r
	}
	for _, p := range b.Places {
		m.places[p.ID] = p
	}
	for _, c := range b.Stock {
		m.stock[c.Variant] = c.after(m.stock[c.Variant])
	}
	for _, s := range b.Shows {
		s.Lineup.Items = slices.Clone(s.Lineup.Items)
		m.shows[s.ID] = s
	}
	for _, o := range b.Orders {
		o.Took = maps.Clone(o.Took)
		m.orders[o.Store] = o
	}
	for _, j := range b.Bindings {
		if m.joined[identity(j.Viewer)] = j; j.Person == "" {
			delete(m.joined, identity(j.Viewer))
		}
	}
	for _, e := range b.Effects {
		m.effects[e.ID] = e
	}
	for _, id := range b.Done {
		delete(m.effects, id)
	}
	maps.Copy(m.marks, b.Watermarks)
	return nil
}

// after is a stock row after a change: differences are added, the rest is set.
func (c StockChange) after(s Stock) Stock {
	held, sold := s.Held+c.Held, s.Sold+c.Sold
	if c.Set {
		s = c.To
	}
	s.Variant, s.Held, s.Sold = c.Variant, held, sold
	return s
}

// refuses is what a database's constraints say of a batch.
func (m *memory) refuses(b *Batch) error {
	keys := map[Key]bool{}
	for _, d := range b.Decisions {
		if keys[d.Key] {
			return fmt.Errorf("key %s twice in a batch", d.Key)
		}
		keys[d.Key] = true
	}
	for _, c := range b.Stock {
		s, ok := m.stock[c.Variant]
		if !ok && !c.Set {
			return fmt.Errorf("stock row %d is changed and was never made", c.Variant)
		}
		if s = c.after(s); s.Held != c.To.Held || s.Sold != c.To.Sold {
			return fmt.Errorf("stock row %d becomes %+v, the desk has %+v", c.Variant, s, c.To)
		}
		if s.Held < 0 || s.Sold < 0 || s.Short < 0 || !s.Endless && s.Held+s.Sold > s.Available+s.Short {
			return fmt.Errorf("stock row %d becomes %+v", c.Variant, s)
		}
	}
	for _, h := range b.Holds {
		if _, ok := m.holds[h.ID]; ok == b.NewHolds[h.ID] {
			return fmt.Errorf("hold %d: there %v, new %v", h.ID, ok, b.NewHolds[h.ID])
		}
		if h.Quantity < 1 {
			return fmt.Errorf("hold %d of %d pieces", h.ID, h.Quantity)
		}
	}
	for _, p := range b.Places {
		if _, ok := m.places[p.ID]; ok == b.NewPlaces[p.ID] {
			return fmt.Errorf("place %d: there %v, new %v", p.ID, ok, b.NewPlaces[p.ID])
		}
		if p.Quantity < 1 {
			return fmt.Errorf("place %d of %d pieces", p.ID, p.Quantity)
		}
	}
	for _, r := range b.Receipts {
		for _, x := range m.receipts {
			if x.Show == r.Show && identity(x.Viewer) == identity(r.Viewer) {
				return fmt.Errorf("%v has two receipts in show %d", r.Viewer, r.Show)
			}
		}
	}
	shows := maps.Clone(m.shows)
	for _, s := range b.Shows {
		shows[s.ID] = s
	}
	live := map[chat.Channel]ID{}
	for _, s := range shows {
		for _, c := range s.Channels {
			if s.State == ShowLive && live[c] != 0 {
				return fmt.Errorf("%v is in two live shows", c)
			}
			if s.State == ShowLive {
				live[c] = s.ID
			}
		}
	}
	return nil
}

// trace writes all that a desk knows, private fields included, so that two desks can be compared. Left out are the ids'
// counter, the bound of the last claims, and ends of holds that have changed since.
func trace(d *Desk) string {
	var b strings.Builder
	v := reflect.ValueOf(d).Elem()
	for i := range v.NumField() {
		name := v.Type().Field(i).Name
		switch name {
		case "lastID", "lastMost", "due", "looks", "spare":
			continue
		}
		fmt.Fprintf(&b, "%s: ", name)
		if f := v.Field(i); name == "people" {
			write(&b, f.FieldByName("of")) // the rest follows from it
		} else {
			write(&b, f)
		}
		b.WriteByte('\n')
	}
	ends := map[ID]time.Time{}
	for id, h := range d.holds {
		if at := d.due.At(id); !at.IsZero() && !d.frozen(h) {
			ends[id] = at
		}
	}
	fmt.Fprintf(&b, "due: %v\n", ends)
	return b.String()
}

// durable is trace without what only memory has: what a desk loaded from its ledger must know too.
func durable(d *Desk) string {
	c := *d
	c.plan, c.last, c.epoch, c.seq, c.clock, c.blocks, c.telling = nil, nil, 0, 0, clock.Clock{}, nil, nil
	c.watch, c.blocks, c.telling = guard.New(nil), nil, nil
	c.decided = nil // refusals are remembered and not stored; keys are compared by decisions
	c.stock = map[ID]*Stock{}
	for v, s := range d.stock {
		x := *s
		x.Seen = time.Time{}
		c.stock[v] = &x
	}
	c.places, c.byMessage = map[ID]*Place{}, map[message][]ID{}
	for id, p := range d.places {
		if p.State == PlaceWaiting {
			c.places[id] = p
		}
	}
	for m, ids := range d.byMessage {
		for _, id := range ids {
			if c.places[id] != nil || c.holds[id] != nil {
				c.byMessage[m] = append(c.byMessage[m], id)
			}
		}
	}
	return trace(&c)
}

// write writes a value and all that it leads to.
func write(b *strings.Builder, v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer:
		if v.IsNil() {
			b.WriteString("nil")
			return
		}
		b.WriteByte('&')
		write(b, v.Elem())
	case reflect.Map:
		rows := make([]string, 0, v.Len())
		for it := v.MapRange(); it.Next(); {
			var row strings.Builder
			write(&row, it.Key())
			row.WriteString(" = ")
			write(&row, it.Value())
			rows = append(rows, row.String())
		}
		slices.Sort(rows)
		b.WriteString("{\n  " + strings.Join(rows, "\n  ") + "}")
	case reflect.Slice, reflect.Array:
		b.WriteByte('[')
		for i := range v.Len() {
			write(b, v.Index(i))
			b.WriteByte(' ')
		}
		b.WriteByte(']')
	case reflect.Struct:
		n := v.NumField()
		if v.Type() == reflect.TypeFor[time.Time]() {
			n = 2 // not the location: all times here are UTC
		}
		b.WriteByte('(')
		for i := range n {
			switch v.Type().Field(i).Name {
			case "crowds", "present", "having", "crowd", "version": // of guard.Watch: who is there is no part of a plan
				continue
			}
			if f := v.Field(i); !f.IsZero() {
				b.WriteString(strconv.Itoa(i) + ":")
				write(b, f)
				b.WriteByte(' ')
			}
		}
		b.WriteByte(')')
	case reflect.String:
		b.WriteString(v.String())
	case reflect.Bool:
		b.WriteString(strconv.FormatBool(v.Bool()))
	default:
		if v.CanInt() {
			b.WriteString(strconv.FormatInt(v.Int(), 10))
		} else {
			b.WriteString(strconv.FormatUint(v.Uint(), 10))
		}
	}
}

// differ is the first line in which two traces differ, empty when they are equal.
func differ(a, b string) string {
	x, y := strings.Split(a, "\n"), strings.Split(b, "\n")
	for i := range max(len(x), len(y)) {
		var p, q string
		if i < len(x) {
			p = x[i]
		}
		if i < len(y) {
			q = y[i]
		}
		if p != q {
			return "\n- " + p + "\n+ " + q
		}
	}
	return ""
}
