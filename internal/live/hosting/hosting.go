// Package hosting says what the host and moderators mean by what they type.
package hosting

import (
	"strconv"
	"strings"

	"hawker/commerce"
	"hawker/rules"
)

// Next is the number of the item after the one on air that is for sale; the first after the last.
func Next(l *commerce.Lineup) int {
	at := -1
	for i := range l.Items {
		if l.Items[i].Number == l.OnAir {
			at = i
		}
	}
	for i := range l.Items {
		if it := &l.Items[(at+1+i)%len(l.Items)]; !it.Closed {
			return it.Number
		}
	}
	return l.OnAir
}

// Request is what a host's command asks for, but for those about a person; false when it asks for nothing.
func Request(s *commerce.Show, c rules.Command, key commerce.Key) (r commerce.Request, ok bool) {
	switch c.Name {
	case rules.Next:
		return commerce.Air{Key: key, Show: s.ID, Number: Next(&s.Lineup)}, true
	case rules.Air:
		return commerce.Air{Key: key, Show: s.ID, Number: c.Item}, true
	case rules.Off:
		return commerce.Air{Key: key, Show: s.ID}, true
	case rules.Close, rules.Open:
		return commerce.Gate{Key: key, Show: s.ID, Number: c.Item, Closed: c.Name == rules.Close}, c.Item != 0
	case rules.Pause, rules.Resume:
		return commerce.Gate{Key: key, Show: s.ID, Closed: c.Name == rules.Pause}, true
	case rules.Stock:
		set, ok := Stock(&s.Lineup, c)
		set.Key = key
		return set, ok
	}
	return nil, false
}

// Stock is the change of stock that a line asks for; false when it names no variant of the merchant's own. A store's stock is
// changed in the store.
func Stock(l *commerce.Lineup, c rules.Command) (r commerce.SetStock, ok bool) {
	it := l.Item(c.Item)
	if it == nil {
		return r, false
	}
	r.Variant = c.Variant
	if r.Variant == 0 && len(it.Product.Variants) == 1 {
		r.Variant = it.Product.Variants[0].ID
	}
	v := it.Variant(r.Variant)
	if v == nil || v.Inventory != "" {
		return r, false
	}
	n, err := strconv.ParseInt(c.Arg, 10, 32)
	if err != nil {
		return r, false
	}
	if strings.HasPrefix(c.Arg, "+") || strings.HasPrefix(c.Arg, "-") {
		r.Add = n
	} else {
		r.Available = &n
	}
	return r, true
}
