package shop

import (
	"errors"
	"fmt"
	"slices"
	"time"
)

// ErrSoldOut means that fewer are available than were to be bought.
var ErrSoldOut = errors.New("shop: sold out")

// Attribute is one of an order's own notes.
type Attribute struct{ Key, Value string }

type line struct {
	id, quantity, current, price int64
	off                          int64 // what a discount takes off the quantity
	v                            *variant
	reserved                     bool // set aside by the draft this line is in
}

// all is what a line costs, left what is paid for the pieces that are still in it.
func (l *line) all() int64 { return l.price*l.quantity - l.off }

func (l *line) left() int64 {
	if l.quantity == 0 {
		return 0
	}
	return l.price*l.current - l.off*l.current/l.quantity
}

type draft struct {
	id               int64
	name, status     string
	token            string
	lines            []*line
	attrs            []Attribute
	tags             []string
	until            time.Time
	short            bool // not all could be set aside
	codes            bool // discount codes may be typed at the checkout
	created, updated time.Time
	order            *order
}

type order struct {
	id, number                  int64
	name, status, source        string
	created, updated, cancelled time.Time
	lines                       []*line
	attrs                       []Attribute
	code                        string // of the discount that was used
	test                        bool
	draft                       *draft
	buyer                       Buyer
}

// Buyer is who pays.
type Buyer struct{ First, Last, Email, Street, Zip, City, Country string }

func (o *order) total() int64 {
	var t int64
	for _, l := range o.lines {
		t += l.all()
	}
	return t
}

func (s *Shop) draft(id string) *draft {
	i := slices.IndexFunc(s.drafts, func(d *draft) bool { return gid("DraftOrder", d.id) == id })
	if i < 0 {
		return nil
	}
	return s.drafts[i]
}

func (s *Shop) order(id string) *order {
	i := slices.IndexFunc(s.orders, func(o *order) bool { return gid("Order", o.id) == id || o.name == id })
	if i < 0 {
		return nil
	}
	return s.orders[i]
}

// second is the store's clock: it tells whole seconds.
func second() time.Time { return time.Now().UTC().Truncate(time.Second) }

// newDraft makes a draft and sets its lines aside when it has a time. A line of which too little is there is not set
// aside, and the draft says so. Call with mu held.
func (s *Shop) newDraft(d *draft) {
	s.drawn++
	d.id, d.name, d.status, d.token = 11_000_000_000+s.next(), fmt.Sprintf("#D%d", s.drawn), "OPEN", secret("")
	d.created, d.updated = second(), second()
	for _, l := range d.lines {
		if d.until.IsZero() {
			continue
		}
		if !l.v.left(l.quantity) {
			d.short = true
			continue
		}
		l.v.move(l.quantity, &l.v.reserved)
		l.reserved = true
		s.tellStock(l.v)
	}
	s.drafts = append(s.drafts, d)
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// giveBack ends what a draft has set aside. Call with mu held.
func (s *Shop) giveBack(d *draft) {
	for _, l := range d.lines {
		if l.reserved {
			l.reserved = false
			l.v.move(-l.quantity, &l.v.reserved)
			s.tellStock(l.v)
		}
	}
}

// lapse gives back what was set aside until now or before. Call with mu held.
func (s *Shop) lapse(now time.Time) {
	for _, d := range s.drafts {
		if d.status == "OPEN" && !d.until.IsZero() && !d.until.After(now) {
			s.giveBack(d)
		}
	}
}

// sell makes a paid order and moves its stock, or nothing and ErrSoldOut. Call with mu held.
func (s *Shop) sell(o *order) error {
	s.lapse(time.Now())
	need := map[*variant]int64{}
	for _, l := range o.lines {
		if !l.reserved {
			need[l.v] += l.quantity
		}
	}
	for v, n := range need {
		if !v.left(n) {
			return fmt.Errorf("%w: %s", ErrSoldOut, v.SKU)
		}
	}
	taken, err := s.redeem(o)
	if err != nil {
		return err
	}
	n := s.next()
	o.id, o.number, o.status = 55_000_000_000+n, int64(1001+len(s.orders)), "paid"
	o.name = fmt.Sprintf("#%d", o.number)
	o.created, o.updated = second(), second()
	for i, l := range o.lines {
		if l.reserved {
			l.v.move(-l.quantity, &l.v.reserved)
			l.reserved = false
		}
		l.v.move(l.quantity, &l.v.committed)
		sold := *l
		sold.id, sold.current = 99_000_000_000+s.next(), l.quantity
		if len(taken) > 0 {
			sold.off = taken[i]
		}
		o.lines[i] = &sold
		s.tellStock(l.v)
	}
	s.orders = append(s.orders, o)
	if d := o.draft; d != nil {
		d.status, d.order, d.updated = "COMPLETED", o, second()
		s.o.Tell("DRAFT_ORDERS_UPDATE", s.draftBody(d))
	}
	s.o.Tell("ORDERS_CREATE", s.orderBody(o))
	s.o.Tell("ORDERS_PAID", s.orderBody(o))
	return nil
}

// edit brings a variant's pieces in an order to n, as the owner does (page "Order editing") or, with refund, by paying pieces
// back and putting them on the shelf. Call with mu held.
func (s *Shop) edit(o *order, v *variant, n int64, refund bool) error {
	var have int64
	var last *line
	for _, l := range o.lines {
		if l.v == v {
			have, last = have+l.current, l
		}
	}
	switch more := n - have; {
	case n < 0 || !o.cancelled.IsZero() || o.status == "refunded" || refund && (more >= 0 || n == 0 && o.currentTotal() == last.left()):
		return fmt.Errorf("shop: order %s cannot be changed so", o.name)
	case more > 0:
		if !v.left(more) {
			return fmt.Errorf("%w: %s", ErrSoldOut, v.SKU)
		}
		o.lines = append(o.lines, &line{id: 99_000_000_000 + s.next(), v: v, quantity: more, current: more, price: v.price})
		o.status = "partially_paid"
		v.move(more, &v.committed)
	default:
		for _, l := range slices.Backward(o.lines) {
			if cut := min(l.current, have-n); l.v == v && cut > 0 {
				l.current -= cut
				have -= cut
				v.move(-cut, &v.committed)
			}
		}
		if refund {
			o.status = "partially_refunded"
		}
	}
	s.tellStock(v)
	o.touch()
	s.o.Tell("ORDERS_UPDATED", s.orderBody(o))
	return nil
}

// pay pays the rest of an order. Call with mu held.
func (s *Shop) pay(o *order) {
	o.status = "paid"
	o.touch()
	s.o.Tell("ORDERS_PAID", s.orderBody(o))
	s.o.Tell("ORDERS_UPDATED", s.orderBody(o))
}

// touch sets the time of the last change. A change in the second of the one before would look as if nothing had changed.
func (o *order) touch() {
	last := o.updated
	if o.updated = second(); !o.updated.After(last) {
		o.updated = last.Add(time.Second)
	}
}

// undo ends an order with the given financial status and puts its stock back. Call with mu held.
func (s *Shop) undo(o *order, cancel bool) {
	for _, l := range o.lines {
		if l.current > 0 {
			l.v.move(-l.current, &l.v.committed)
			l.current = 0
			s.tellStock(l.v)
		}
	}
	o.status = "refunded"
	o.touch()
	if cancel {
		o.cancelled = o.updated
		s.o.Tell("ORDERS_CANCELLED", s.orderBody(o))
	}
	s.o.Tell("ORDERS_UPDATED", s.orderBody(o))
}
