package ruling

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"hawker/commerce"
	"hawker/internal/chat"
	"hawker/internal/live/hosting"
	"hawker/rules"
	"hawker/rules/rule"
)

// Platform is that of the keys under which what rules ask for is decided once.
const Platform chat.Platform = "rule"

// Asks reports whether the till decides it; see Request.
func (w *Want) Asks() bool {
	switch w.Do {
	case rule.Claim, rule.Pass, rule.Promote, rule.Air, rule.NextItem, rule.Price, rule.Stock:
		return true
	}
	return false
}

// Request is what a rule asks of the till, for its effect under id. Its error says what keeps it from being asked.
func (w *Want) Request(d *commerce.Desk, id commerce.ID, now time.Time) (r commerce.Request, key commerce.Key, err error) {
	key = commerce.Key{Platform: Platform, Message: id.String()}
	ask := commerce.Ask{Key: key, Show: w.Show, Viewer: w.Viewer, Answer: w.Answer, Sent: now, Trusted: w.Trusted}
	switch w.Do {
	case rule.Claim:
		return commerce.Claim{Ask: ask, Number: w.Item, Quantity: max(w.Quantity, 1), Early: true}, key, nil
	case rule.Pass:
		return commerce.Pass{Ask: ask, Number: w.Item}, key, nil
	case rule.Promote:
		return commerce.Promote{Ask: ask, Number: w.Item}, key, nil
	}
	s := d.Show(w.Show)
	if s == nil || s.State != commerce.ShowLive {
		return nil, key, errors.New("no show is live")
	}
	switch w.Do {
	case rule.Air:
		return commerce.Air{Key: key, Show: s.ID, Number: w.Item}, key, nil
	case rule.NextItem:
		return commerce.Air{Key: key, Show: s.ID, Number: hosting.Next(&s.Lineup)}, key, nil
	case rule.Price:
		r, err = repriced(s, w.Item, w.Amount)
		return r, key, err
	}
	n, err := strconv.Atoi(w.Amount)
	if err != nil {
		return nil, key, fmt.Errorf("%q is no amount of pieces", w.Amount)
	}
	set, own := hosting.Stock(&s.Lineup, rules.Command{Name: rules.Stock, Item: w.Item, Arg: w.Amount, Quantity: max(n, -n)})
	if !own {
		return nil, key, fmt.Errorf("item %d has no stock of its own that a rule can change: it is the store's, or has several variants", w.Item)
	}
	set.Key = key
	return set, key, nil
}

// repriced is a show in which an item has another price. Holds keep what they were promised.
func repriced(s *commerce.Show, number int, amount string) (commerce.Request, error) {
	c := *s
	c.Channels, c.Lineup.Items = slices.Clone(s.Channels), slices.Clone(s.Lineup.Items)
	it := c.Lineup.Item(number)
	if it == nil || len(it.Product.Variants) == 0 {
		return nil, fmt.Errorf("there is no item %d", number)
	}
	m, err := commerce.ParseMoney(strings.TrimSpace(amount), it.Product.Variants[0].Price.Currency)
	if err != nil || m.Minor <= 0 {
		return nil, fmt.Errorf("%q is no price", amount)
	}
	if s.Holds == commerce.HoldsLink && it.Product.Store != "" {
		return nil, errors.New("this show is paid by cart links, which cannot carry a price of their own")
	}
	it.Price = m
	return commerce.SetShow{Show: c}, nil
}
