package replay

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"hawker/commerce"
	"hawker/internal/chat"
	"hawker/internal/live/ruling"
)

// happening is something that the ledger tells of the show and that is no line of a chat: a form, a payment, the host's page, the
// clock.
type happening struct {
	at   time.Time
	seq  int64 // of the entry
	kind happens
	// number is the item's.
	number int
	closed bool
	draft  string
	order  *order
	was    pastHold // who holds or waits for what, and how many pieces of it are wanted
	supply []supplied
}

type happens uint8

const (
	clockTold happens = iota + 1
	unheard
	goesOnAir
	gate
	opened
	drafted
	wants // a form
	released
	paid
	undone
	supply
	begins
	ends
)

// supplied is by how much the pieces of a variant became more or fewer by nobody's claim.
type supplied struct {
	variant commerce.ID
	more    int64
}

// pastHold is a hold of the show as the ledger tells of it, or a wish.
type pastHold struct {
	viewer   chat.Viewer
	number   int
	variant  commerce.ID
	quantity int
	nth      int // of the viewer's holds of the variant, from 0
	counted  int // of quantity: pieces that are nobody else's
	waits    int
	offered  bool
	over     bool
	paid     bool
}

// order is a payment.
type order struct {
	store  string
	viewer chat.Viewer
	total  commerce.Money
	state  commerce.OrderState
	pays   []pays
}

// pays is a hold with how many pieces of it an order pays.
type pays struct {
	hold     commerce.ID
	was      pastHold
	quantity int
}

// bought is what a viewer paid.
type bought struct {
	orders int
	spent  commerce.Money
}

// past is what was read of a ledger.
type past struct {
	begun   bool
	started time.Time
	ended   time.Time
	onAir   int
	shut    map[int]bool // items that were closed when the show began
	begin   map[commerce.ID]commerce.StockFact
	happens []happening
	place   map[commerce.Key]int64 // of entries that lines caused
	buyers  map[chat.Viewer]bought // who paid before the show began

	holds  map[commerce.ID]*pastHold
	spots  map[commerce.ID]*pastHold // places in line
	turns  map[wish]int              // how many holds there were so far
	orders map[string]*order
	paid   map[string]paidBefore
	raw    map[commerce.ID]commerce.StockFact
	own    map[commerce.ID]int64 // pieces that holds of the show have, held or paid
	seen   map[commerce.ID]int64 // own, when the variant stood in an entry last
	net    map[commerce.ID]int64 // how supply moved at the time of last
	last   time.Time
	seq    int64
	lines  map[chat.Viewer]bool // who was decided about at that time because of a line
	forms  map[piecesOf]bool    // and because of a form, and about which pieces
	loose  []happening          // what ended at that time under no key
}

// wish is what a viewer wants pieces of.
type wish struct {
	viewer  chat.Viewer
	number  int
	variant commerce.ID
}

// piecesOf are a viewer's pieces of a variant.
type piecesOf struct {
	viewer  chat.Viewer
	variant commerce.ID
}

type paidBefore struct {
	viewer chat.Viewer
	total  commerce.Money
}

// Enter reads an entry of the merchant's ledger. All are to be read, from the first one on and in order, before Run.
func (r *Recording) Enter(e *commerce.Entry) error {
	p := &r.past
	if p.holds == nil {
		*p = past{
			shut: map[int]bool{}, begin: map[commerce.ID]commerce.StockFact{}, place: map[commerce.Key]int64{}, buyers: map[chat.Viewer]bought{}, holds: map[commerce.ID]*pastHold{},
			spots: map[commerce.ID]*pastHold{}, turns: map[wish]int{}, orders: map[string]*order{}, paid: map[string]paidBefore{}, raw: map[commerce.ID]commerce.StockFact{}, own: map[commerce.ID]int64{},
			seen: map[commerce.ID]int64{}, net: map[commerce.ID]int64{}, lines: map[chat.Viewer]bool{}, forms: map[piecesOf]bool{},
		}
	}
	var f commerce.Fact
	if err := json.Unmarshal(e.Body, &f); err != nil {
		return fmt.Errorf("ledger entry %d: %w", e.Seq, err)
	}
	if !e.At.Equal(p.last) {
		p.settle()
	}
	p.last, p.seq = e.At, e.Seq
	if !p.begun {
		p.pays(e, &f)
	}
	if e.Show == r.Show.ID {
		p.ours(e, &f)
	}
	p.stock(e, &f)
	return nil
}

// Began is when the show began, as the ledger has it; false when it never did.
func (r *Recording) Began() (time.Time, bool) { return r.started, r.begun }

// fromLine reports whether a line of a chat, or a rule, decided it: the replay does that itself.
func fromLine(k *commerce.Key) bool {
	return k != nil && (k.Platform == chat.Twitch || k.Platform == chat.YouTube || k.Platform == chat.Discord || k.Platform == ruling.Platform)
}

func viewerOf(s string) chat.Viewer {
	p, id, _ := strings.Cut(s, "/")
	return chat.Viewer{Platform: chat.Platform(p), ID: id}
}

// pays notes who paid before the show.
func (p *past) pays(e *commerce.Entry, f *commerce.Fact) {
	switch commerce.What(e.Kind) {
	case commerce.Settled:
		if f.Viewer == "" || f.Total == nil {
			return
		}
		p.bought(f.Order, paidBefore{viewerOf(f.Viewer), *f.Total}, 1)
	case commerce.Undone:
		if b, ok := p.paid[f.Order]; ok {
			p.bought(f.Order, b, -1)
		}
	}
}

func (p *past) bought(name string, b paidBefore, by int) {
	x := p.buyers[b.viewer]
	x.add(b.total, by)
	p.buyers[b.viewer] = x
	if by > 0 {
		p.paid[name] = b
	} else {
		delete(p.paid, name)
	}
}

func (b *bought) add(m commerce.Money, by int) {
	b.orders += by
	switch m.Minor *= int64(by); {
	case b.spent.Currency == "":
		b.spent = m
	case b.spent.Currency == m.Currency:
		b.spent.Minor += m.Minor
	}
}

// ours reads an entry of the show.
func (p *past) ours(e *commerce.Entry, f *commerce.Fact) {
	if f.Key != nil {
		if fromLine(f.Key) {
			k := *f.Key
			k.Part = 0
			if _, ok := p.place[k]; !ok && k.Platform != ruling.Platform {
				p.place[k] = e.Seq
			}
		}
		if v := viewerOf(f.Viewer); fromLine(f.Key) {
			p.lines[v] = true
		} else {
			p.forms[piecesOf{v, variantOf(f)}] = true
		}
	}
	switch k := commerce.What(e.Kind); k {
	case commerce.Begun:
		if p.begun {
			p.note(happening{kind: begins})
			return
		}
		p.begun, p.started = true, e.At
		for v, s := range p.raw {
			s.Available += p.own[v] - s.Held - s.Sold
			s.Held, s.Sold = 0, 0
			p.begin[v] = s
		}
		clear(p.net)
	case commerce.Over:
		p.ended = e.At
		p.note(happening{kind: ends})
	case commerce.Aired:
		if !p.begun {
			p.onAir = f.Number
		} else if !fromLine(f.Key) {
			p.note(happening{kind: goesOnAir, number: f.Number})
		}
	case commerce.Gated:
		if closed := f.State == "closed"; !p.begun {
			p.shut[f.Number] = closed
		} else if !fromLine(f.Key) {
			p.note(happening{kind: gate, number: f.Number, closed: closed})
		}
	case commerce.Reminded:
		p.note(happening{kind: clockTold})
	case commerce.Extended:
		p.note(happening{kind: unheard, was: p.hold(f.Hold)})
	case "opened":
		p.note(happening{kind: opened, was: p.hold(f.Hold)})
	case "drafted", "undrafted":
		h := happening{kind: drafted, was: p.hold(f.Hold)}
		if k == "drafted" {
			h.draft = f.Order
		}
		p.note(h)
	case commerce.Settled, commerce.Edited, commerce.Undone:
		p.payment(e, f)
	default:
		p.pieces(e, f)
	}
}

// note adds what happened, once the show has begun.
func (p *past) note(h happening) {
	if p.begun {
		h.at, h.seq = p.last, p.seq
		p.happens = append(p.happens, h)
	}
}

// hold is a hold as far as it is known.
func (p *past) hold(id commerce.ID) pastHold {
	if h := p.holds[id]; h != nil {
		return *h
	}
	return pastHold{}
}

// variantOf is the one variant that an entry is about.
func variantOf(f *commerce.Fact) commerce.ID {
	if len(f.Stock) == 0 {
		return 0
	}
	return f.Stock[0].Variant
}

// pieces reads an entry that tells of a viewer's hold or place.
func (p *past) pieces(e *commerce.Entry, f *commerce.Fact) {
	one := pastHold{viewer: viewerOf(f.Viewer), number: f.Number, variant: variantOf(f)}
	switch commerce.What(e.Kind) {
	case "held", "offered", "changed", commerce.Promoted:
		h := p.holds[f.Hold]
		if h == nil {
			x := one
			h = &x
			h.offered = e.Kind == "offered" || f.State == string(commerce.StateOffered)
			k := wish{one.viewer, one.number, one.variant}
			h.nth = p.turns[k]
			p.turns[k]++
			p.holds[f.Hold] = h
		}
		p.has(h, f.Quantity)
		if s := p.spots[f.Place]; s != nil {
			if s.quantity -= f.Quantity; s.quantity <= 0 || h.offered {
				delete(p.spots, f.Place)
			}
		}
	case "waitlisted":
		x := one
		x.quantity = f.Quantity
		p.spots[f.Place] = &x
	case "left":
		delete(p.spots, f.Place)
	case commerce.Expired:
		p.drop(f.Hold)
		p.note(happening{kind: clockTold})
		return
	case "passed", commerce.Released:
		p.drop(f.Hold)
		h := happening{at: p.last, seq: p.seq, kind: released, was: one}
		switch {
		case f.Key == nil:
			p.loose = append(p.loose, h)
			return
		case e.Kind == string(commerce.Released) && !fromLine(f.Key):
			p.note(h)
			return
		}
	default:
		return
	}
	if f.Key != nil && !fromLine(f.Key) {
		p.note(happening{kind: wants, was: p.wish(one)})
	}
}

// wish is what a viewer has and waits for of a variant, all in all.
func (p *past) wish(w pastHold) pastHold {
	for _, h := range p.holds {
		if h.viewer == w.viewer && h.number == w.number && h.variant == w.variant && !h.paid && !h.over {
			w.quantity += h.quantity
		}
	}
	for _, s := range p.spots {
		if s.viewer == w.viewer && s.number == w.number && s.variant == w.variant {
			w.waits += s.quantity
		}
	}
	return w
}

// has sets how many pieces a hold has.
func (p *past) has(h *pastHold, n int) {
	h.quantity = n
	if !h.offered {
		p.count(h, n)
	}
}

// count sets how many pieces are a hold's and nobody else's.
func (p *past) count(h *pastHold, n int) {
	p.own[h.variant] += int64(n - h.counted)
	h.counted = n
}

// drop ends a hold. It is remembered: it may be paid late.
func (p *past) drop(id commerce.ID) {
	if h := p.holds[id]; h != nil {
		p.count(h, 0)
		h.over = true
	}
}

// payment reads what became of an order.
func (p *past) payment(e *commerce.Entry, f *commerce.Fact) {
	o := p.orders[f.Order]
	if o == nil {
		o = &order{store: f.Order}
		p.orders[f.Order] = o
	}
	if f.Viewer != "" {
		o.viewer = viewerOf(f.Viewer)
	}
	if f.Total != nil {
		o.total = *f.Total
	}
	holds := f.Holds
	if len(holds) == 0 && f.Hold != 0 { // as older versions wrote it
		holds = []commerce.HoldFact{{Hold: f.Hold, Quantity: f.Quantity}}
	}
	kind := paid
	o.state = commerce.OrderPaid
	if e.Kind == string(commerce.Undone) {
		kind, o.state = undone, commerce.OrderState(f.State)
	}
	sold := map[commerce.ID]int64{} // pieces that it took from the figure
	for _, s := range f.Stock {
		sold[s.Variant] = s.Sold - p.raw[s.Variant].Sold
	}
	var late []commerce.HoldFact
	for _, x := range holds {
		switch h := p.holds[x.Hold]; {
		case h == nil:
		case x.Quantity == 0: // not paid any more
			p.count(h, 0)
			h.over, h.paid = true, false
		case h.offered || h.over:
			late = append(late, x)
		default:
			p.has(h, x.Quantity)
			h.paid = true
			sold[h.variant] = max(0, sold[h.variant]-int64(x.Quantity))
		}
	}
	for _, x := range late { // of what was there still
		h := p.holds[x.Hold]
		h.offered, h.over, h.paid, h.quantity = false, false, true, x.Quantity
		n := min(int64(x.Quantity), max(0, sold[h.variant]))
		sold[h.variant] -= n
		p.count(h, int(n))
	}
	o.edit(p, holds)
	told := *o
	told.pays = slices.Clone(o.pays)
	p.note(happening{kind: kind, order: &told})
}

// edit brings what an order pays to what holds say.
func (o *order) edit(p *past, holds []commerce.HoldFact) {
	for _, x := range holds {
		i := slices.IndexFunc(o.pays, func(a pays) bool { return a.hold == x.Hold })
		switch h := p.holds[x.Hold]; {
		case h == nil:
		case i >= 0:
			o.pays[i].quantity = x.Quantity
		default:
			o.pays = append(o.pays, pays{x.Hold, *h, x.Quantity})
		}
	}
}

// stock follows the supply: what of a variant's pieces moved by no hold of the show. It is told to the replay as one change for
// all that was decided at one time, behind it.
func (p *past) stock(e *commerce.Entry, f *commerce.Fact) {
	for _, s := range f.Stock {
		was, known := p.raw[s.Variant]
		p.raw[s.Variant] = s
		if !known && !p.begun {
			p.seen[s.Variant] = p.own[s.Variant]
			continue
		}
		free := func(x commerce.StockFact) int64 { return x.Available - x.Held - x.Sold }
		// own has moved already where this entry is about a hold; what moved since the variant's last entry is in both.
		more := free(s) + p.own[s.Variant] - free(was) - p.seen[s.Variant]
		p.seen[s.Variant] = p.own[s.Variant]
		if e.Kind == "stock" && fromLine(f.Key) { // the line does it again
			continue
		}
		p.net[s.Variant] += more
	}
}

// settle tells what is known once all that was decided at one time was read.
func (p *past) settle() {
	for _, h := range p.loose { // but for what a line or a form did
		if p.begun && !p.lines[h.was.viewer] && !p.forms[piecesOf{h.was.viewer, h.was.variant}] {
			p.happens = append(p.happens, h)
		}
	}
	p.loose = p.loose[:0]
	clear(p.lines)
	clear(p.forms)
	var all []supplied
	for v, n := range p.net {
		if n != 0 {
			all = append(all, supplied{v, n})
		}
	}
	clear(p.net)
	if len(all) > 0 {
		slices.SortFunc(all, func(a, b supplied) int { return cmp.Compare(a.variant, b.variant) })
		p.note(happening{kind: supply, supply: all})
	}
}
