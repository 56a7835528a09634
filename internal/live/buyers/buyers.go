// Package buyers knows what each person paid for, as far as orders are kept, so that a rule may ask whether somebody buys for the
// first time without asking the database.
package buyers

import (
	"slices"
	"strings"

	"hawker/commerce"
	"hawker/internal/chat"
)

// Book is what a merchant's viewers paid. Make it with New; it is not safe for two goroutines.
type Book struct {
	orders map[string]order                // by the name of the order
	paid   map[chat.Viewer]sum             // by viewer, without a name
	joined map[string]map[chat.Viewer]bool // viewers of a person who were joined
}

type order struct {
	viewer chat.Viewer
	total  commerce.Money
}

type sum struct {
	orders int
	spent  commerce.Money
}

// New is made of the orders and joined viewers that were stored.
func New(orders []commerce.OrderRow, joined []commerce.Bind) *Book {
	b := &Book{orders: map[string]order{}, paid: map[chat.Viewer]sum{}, joined: map[string]map[chat.Viewer]bool{}}
	for i := range orders {
		if o := &orders[i]; o.Paid && o.State == commerce.OrderPaid && o.Viewer.ID != "" {
			b.Paid(o.Name, o.Viewer, o.Total)
		}
	}
	for _, j := range joined {
		b.Joined(j.Viewer, j.Person)
	}
	return b
}

func who(v chat.Viewer) chat.Viewer { return chat.Viewer{Platform: v.Platform, ID: v.ID} }

// Note notes what an outcome says of orders.
func (b *Book) Note(o *commerce.Outcome) {
	switch o.What {
	case commerce.Settled, commerce.Late, commerce.Unfilled:
		b.Paid(o.Order, o.Viewer, o.Total)
	case commerce.Undone:
		b.Undone(o.Order)
	}
}

// Paid notes that a viewer paid an order; told again, the newer total counts.
func (b *Book) Paid(name string, v chat.Viewer, total commerce.Money) {
	if v.ID == "" {
		return
	}
	b.Undone(name)
	b.orders[name] = order{who(v), total}
	b.add(who(v), 1, total)
}

// Undone notes that an order was cancelled or refunded.
func (b *Book) Undone(name string) {
	if o, ok := b.orders[name]; ok {
		delete(b.orders, name)
		b.add(o.viewer, -1, commerce.Money{Minor: -o.total.Minor, Currency: o.total.Currency})
	}
}

func (b *Book) add(v chat.Viewer, n int, m commerce.Money) {
	s := b.paid[v]
	s.orders += n
	s.spent = plus(s.spent, m)
	b.paid[v] = s
}

// Joined notes that a viewer belongs to a person; an empty person parts them.
func (b *Book) Joined(v chat.Viewer, person string) {
	for p, all := range b.joined {
		if delete(all, who(v)); len(all) == 0 {
			delete(b.joined, p)
		}
	}
	if person == "" {
		return
	}
	if b.joined[person] == nil {
		b.joined[person] = map[chat.Viewer]bool{}
	}
	b.joined[person][who(v)] = true
}

// Of is how many orders a viewer paid, with all viewers that were joined to the same person, and what they came to. person is
// what commerce.Desk.Person says. The order named except does not count.
func (b *Book) Of(v chat.Viewer, person, except string) (orders int, spent commerce.Money) {
	mine := []chat.Viewer{who(v)}
	for x := range b.joined[person] {
		if !slices.Contains(mine, x) {
			mine = append(mine, x)
		}
	}
	if p, id, ok := strings.Cut(person, ":"); ok { // a person may be named after a viewer who was never joined to it
		if x := (chat.Viewer{Platform: chat.Platform(p), ID: id}); !slices.Contains(mine, x) {
			mine = append(mine, x)
		}
	}
	for _, x := range mine {
		s := b.paid[x]
		orders, spent = orders+s.orders, plus(spent, s.spent)
	}
	if o, ok := b.orders[except]; ok && slices.Contains(mine, o.viewer) {
		orders, spent = orders-1, plus(spent, commerce.Money{Minor: -o.total.Minor, Currency: o.total.Currency})
	}
	return orders, spent
}

// plus adds money of one currency; an amount in another is left out.
func plus(a, b commerce.Money) commerce.Money {
	if a.Currency == "" {
		return b
	}
	if a.Currency == b.Currency {
		a.Minor += b.Minor
	}
	return a
}
