package ledgertest

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"hawker/commerce"
)

// shop is who holds what, worked out in the plainest way: lists that are searched from end to end, no index, no undo, no
// rows. It knows one show, no store behind it and no joined viewers; the guard is off. What it and a database disagree on, one
// of them has wrong.
type shop struct {
	free   map[commerce.ID]int // on the shelf
	sold   map[commerce.ID]int
	holds  []promise
	line   []promise // in order
	orders map[string][]bought
	closed map[int]bool
	paused bool
	since  time.Time
	last   []commerce.Claim // of the step under way
	known  map[commerce.Key]bool

	// promised are the promotions that the request under way should have caused, with ids of their own.
	promised []promise
}

// promise is an open or paid hold, or a place in line.
type promise struct {
	id      commerce.ID
	who     string
	number  int
	variant commerce.ID
	n       int
	state   commerce.HoldState
	expires time.Time
	opened  bool
}

type bought struct {
	hold    commerce.ID
	variant commerce.ID
	n       int // pieces that were there
}

func newShop() *shop {
	return &shop{free: map[commerce.ID]int{}, sold: map[commerce.ID]int{}, orders: map[string][]bought{}, closed: map[int]bool{}, known: map[commerce.Key]bool{}}
}

func (s *shop) clone() *shop {
	c := newShop()
	for k, v := range s.free {
		c.free[k] = v
	}
	for k, v := range s.sold {
		c.sold[k] = v
	}
	for k, v := range s.orders {
		c.orders[k] = slices.Clone(v)
	}
	for k, v := range s.closed {
		c.closed[k] = v
	}
	for k, v := range s.known {
		c.known[k] = v
	}
	c.holds, c.line, c.paused, c.since = slices.Clone(s.holds), slices.Clone(s.line), s.paused, s.since
	return c
}

// cap of the items of the model's show, by number. Of the shirt nobody asks for but one size, so that a place in line and a cap
// never quarrel: which of them is first when holds end together is nobody's promise.
func (s *shop) cap(number int) int { return map[int]int{2: 2}[number] }

// count adds up pieces of a person.
func count(list []promise, who string, variant commerce.ID, state commerce.HoldState) int {
	n := 0
	for _, p := range list {
		if p.who == who && p.variant == variant && p.state == state {
			n += p.n
		}
	}
	return n
}

// used is what counts for the cap.
func (s *shop) used(who string, number int) int {
	n := 0
	for _, p := range s.holds {
		if p.who == who && p.number == number && (p.state == commerce.StateHeld || p.state == commerce.StatePaid) {
			n += p.n
		}
	}
	return n
}

// step plays requests in their order, as the database was told them, with the answers that were given.
func (s *shop) step(now time.Time, reqs []commerce.Request, outs []commerce.Outcome) error {
	s.last, s.promised = nil, nil
	answers := map[commerce.Key][]commerce.Outcome{}
	var promoted []commerce.Outcome
	for _, o := range outs {
		switch o.What {
		case commerce.Claimed:
			answers[o.Key] = append(answers[o.Key], o)
		case commerce.Promoted:
			promoted = append(promoted, o)
		}
	}
	for _, r := range reqs {
		s.promised = nil
		if k := keyOf(r); k.Message != "" {
			if len(answers[k]) == 0 {
				return fmt.Errorf("%+v has no answer", r)
			}
			o := answers[k][0]
			answers[k] = answers[k][1:]
			if err := s.asked(now, r, o); err != nil {
				return fmt.Errorf("%+v, answered %s (%d held, %d waiting): %w", r, o.Reason, o.Holding, o.Waiting, err)
			}
		} else {
			s.happens(now, r)
		}
		var err error
		if promoted, err = s.serve(now, promoted); err != nil {
			return fmt.Errorf("%+v: %w", r, err)
		}
	}
	if len(promoted) > 0 {
		return fmt.Errorf("%v: nobody should have been promoted: %+v", reqs, promoted)
	}
	return nil
}

// serve finds the promotions that a request should have caused among those that were told, and puts the holds as told in
// the place of its own: what two holds left may have been given in one or in two. It returns what is left.
func (s *shop) serve(now time.Time, told []commerce.Outcome) ([]commerce.Outcome, error) {
	want := map[promise]int{}
	for _, p := range s.promised {
		want[promise{who: p.who, number: p.number, variant: p.variant}] += p.n
		s.holds = slices.DeleteFunc(s.holds, func(h promise) bool { return h.id == p.id })
	}
	told = slices.DeleteFunc(slices.Clone(told), func(o commerce.Outcome) bool {
		k := promise{who: o.Viewer.ID, number: o.Number, variant: o.Variant}
		if want[k] < o.Holding || o.Holding < 1 {
			return false
		}
		want[k] -= o.Holding
		k.id, k.n = o.Hold, o.Holding
		s.hold(now, k)
		return true
	})
	for k, n := range want {
		if n > 0 {
			return nil, fmt.Errorf("%s should have been given %d more of variant %d from the line; told %+v", k.who, n, k.variant, told)
		}
	}
	return told, nil
}

// asked plays a viewer's request and compares the answer.
func (s *shop) asked(now time.Time, r commerce.Request, o commerce.Outcome) error {
	k := keyOf(r)
	if o.Repeat {
		return nil
	}
	if s.known[k] { // what memory forgot may be refused now, which changes nothing; nothing is given a second time
		switch o.Reason {
		case commerce.Held, commerce.PartlyHeld, commerce.Waitlisted, commerce.Changed, commerce.Passed, commerce.Duplicate, commerce.Offered:
			return fmt.Errorf("it was decided before")
		}
		return nil
	}
	var want commerce.Reason
	var who string
	var variant commerce.ID
	switch r := r.(type) {
	case commerce.Claim:
		who, variant = r.Viewer.ID, r.Variant
		if o.Reason == commerce.Duplicate { // at this very moment they asked for just that
			if !slices.ContainsFunc(s.last, func(c commerce.Claim) bool {
				return c.Viewer == r.Viewer && c.Variant == r.Variant && c.Quantity == r.Quantity && c.Add == r.Add
			}) {
				return fmt.Errorf("it is nobody's duplicate")
			}
			s.known[k] = true
			return nil
		}
		want = s.claim(now, r, o.Hold)
		s.last = append(s.last, r)
	case commerce.Change:
		who, variant = r.Viewer.ID, r.Variant
		want = s.change(now, r, o.Hold)
	case commerce.Pass:
		want = s.pass(now, r)
	}
	if o.Reason != want {
		return fmt.Errorf("want %s", want)
	}
	switch want {
	case commerce.Held, commerce.PartlyHeld, commerce.Waitlisted, commerce.Changed:
		s.known[k] = true
		if h := count(s.holds, who, variant, commerce.StateHeld); want != commerce.Changed && o.Holding != h {
			return fmt.Errorf("%d are held", h)
		}
		if w := count(s.line, who, variant, ""); o.Waiting != w {
			return fmt.Errorf("%d are waited for", w)
		}
	case commerce.Passed:
		s.known[k] = true
	}
	return nil
}

func (s *shop) shut(number int) commerce.Reason {
	switch {
	case s.paused:
		return commerce.Paused
	case s.closed[number]:
		return commerce.NotOnSale
	}
	return ""
}

func (s *shop) claim(now time.Time, c commerce.Claim, id commerce.ID) commerce.Reason {
	if why := s.shut(c.Number); why != "" {
		return why
	}
	target := c.Quantity
	if c.Add {
		target += count(s.holds, c.Viewer.ID, c.Variant, commerce.StateHeld) + count(s.line, c.Viewer.ID, c.Variant, "")
	}
	return s.reach(now, c.Viewer.ID, c.Number, c.Variant, target, c.Wait, id)
}

func (s *shop) change(now time.Time, c commerce.Change, id commerce.ID) commerce.Reason {
	if why := s.shut(c.Number); why != "" {
		return why
	}
	who := c.Viewer.ID
	total := count(s.holds, who, c.Variant, commerce.StateHeld) + count(s.line, who, c.Variant, "")
	switch {
	case total == 0:
		return commerce.NothingHeld
	case total+c.Delta < 1:
		s.leave(who, c.Variant)
		s.giveBack(who, c.Variant, 1<<30, commerce.StatePassed)
		s.promote(now, c.Variant)
		return commerce.Passed
	}
	return s.reach(now, who, c.Number, c.Variant, total+c.Delta, true, id)
}

// reach brings a person to target pieces of a variant.
func (s *shop) reach(now time.Time, who string, number int, variant commerce.ID, target int, wait bool, id commerce.ID) commerce.Reason {
	have, waiting, capped := count(s.holds, who, variant, commerce.StateHeld), count(s.line, who, variant, ""), false
	if target == have {
		s.leave(who, variant)
		return commerce.Held
	}
	if most := s.cap(number); most > 0 {
		if room := max(0, most-s.used(who, number)+have); target > room {
			target, capped = room, true
		}
	}
	switch {
	case capped && target <= have:
		return commerce.Capped
	case target < have:
		s.giveBack(who, variant, have-target, commerce.StatePassed)
		s.leave(who, variant)
		s.promote(now, variant)
		return commerce.Changed
	}
	got := min(target-have, s.free[variant])
	rest := target - have - got
	open := slices.ContainsFunc(s.holds, func(p promise) bool { return p.variant == variant && p.state == commerce.StateHeld })
	if got == 0 && have+waiting == 0 && !wait && !open {
		return commerce.SoldOut
	}
	if got > 0 {
		s.free[variant] -= got
		at := -1
		for i, p := range s.holds {
			if p.who == who && p.variant == variant && p.state == commerce.StateHeld && (at < 0 || p.id > s.holds[at].id) {
				at = i
			}
		}
		if at >= 0 {
			s.holds[at].n += got
		} else {
			s.hold(now, promise{id: id, who: who, number: number, variant: variant, n: got})
		}
	}
	if rest > 0 {
		at := slices.IndexFunc(s.line, func(p promise) bool { return p.who == who && p.variant == variant })
		if at >= 0 {
			s.line[at].n = rest
		} else {
			s.line = append(s.line, promise{who: who, number: number, variant: variant, n: rest})
		}
	} else {
		s.leave(who, variant)
	}
	switch {
	case got == 0:
		return commerce.Waitlisted
	case rest > 0 || capped:
		return commerce.PartlyHeld
	}
	return commerce.Held
}

func (s *shop) hold(now time.Time, p promise) {
	p.state, p.expires = commerce.StateHeld, now.Add(commerce.SeeAnswer+commerce.DefaultHold+commerce.Grace)
	s.holds = append(s.holds, p)
}

// leave takes a person out of the line of a variant.
func (s *shop) leave(who string, variant commerce.ID) {
	s.line = slices.DeleteFunc(s.line, func(p promise) bool { return p.who == who && p.variant == variant })
}

// giveBack takes n pieces from a person's open holds, the newest first.
func (s *shop) giveBack(who string, variant commerce.ID, n int, as commerce.HoldState) {
	for n > 0 {
		at := -1
		for i, p := range s.holds {
			if p.who == who && p.variant == variant && p.state == commerce.StateHeld && (at < 0 || p.id > s.holds[at].id) {
				at = i
			}
		}
		if at < 0 {
			return
		}
		h := &s.holds[at]
		k := min(n, h.n)
		s.free[variant] += k
		if n -= k; k == h.n {
			h.state = as
		} else {
			h.n -= k
		}
	}
}

func (s *shop) pass(now time.Time, p commerce.Pass) commerce.Reason {
	mine := func(x promise) bool {
		return x.who == p.Viewer.ID && (p.Number == 0 || x.number == p.Number)
	}
	before := len(s.line)
	s.line = slices.DeleteFunc(s.line, mine)
	any := len(s.line) < before
	var ids []commerce.ID
	for _, h := range s.holds {
		if mine(h) && h.state == commerce.StateHeld {
			ids = append(ids, h.id)
		}
	}
	slices.Sort(ids)
	for _, id := range ids {
		s.end(now, id, commerce.StatePassed)
	}
	if !any && len(ids) == 0 {
		return commerce.NothingHeld
	}
	return commerce.Passed
}

// end ends an open hold and serves the line.
func (s *shop) end(now time.Time, id commerce.ID, as commerce.HoldState) {
	for i := range s.holds {
		if h := &s.holds[i]; h.id == id && h.state == commerce.StateHeld {
			h.state = as
			s.free[h.variant] += h.n
			s.promote(now, h.variant)
			return
		}
	}
}

// promote serves the line of a variant.
func (s *shop) promote(now time.Time, variant commerce.ID) {
	for i := 0; i < len(s.line) && s.free[variant] > 0; {
		p := s.line[i]
		if p.variant != variant || s.shut(p.number) != "" {
			i++
			continue
		}
		want := p.n
		if most := s.cap(p.number); most > 0 {
			want = min(want, most-s.used(p.who, p.number))
		}
		n := min(want, s.free[variant])
		if n > 0 {
			s.free[variant] -= n
			h := promise{id: commerce.ID(1<<62 + len(s.promised)), who: p.who, number: p.number, variant: variant, n: n}
			s.hold(now, h)
			s.promised = append(s.promised, h)
		}
		if n == want || want < 1 {
			s.line = slices.Delete(s.line, i, i+1)
		} else {
			s.line[i].n = want - n
			i++
		}
	}
}

// happens plays what nobody is answered for.
func (s *shop) happens(now time.Time, r commerce.Request) {
	switch r := r.(type) {
	case commerce.Expire:
		for {
			at := -1
			for i, h := range s.holds {
				due := h.state == commerce.StateHeld && !h.expires.After(now) && (!s.paused || h.opened)
				if due && (at < 0 || cmp.Or(h.expires.Compare(s.holds[at].expires), cmp.Compare(h.id, s.holds[at].id)) < 0) {
					at = i
				}
			}
			if at < 0 {
				return
			}
			s.end(now, s.holds[at].id, commerce.StateExpired)
		}
	case commerce.Release:
		s.end(now, r.Hold, commerce.StateReleased)
	case commerce.Opened:
		for i := range s.holds {
			if h := &s.holds[i]; h.id == r.Holds[0] && h.state == commerce.StateHeld && !h.opened {
				h.opened, h.expires = true, h.expires.Add(commerce.CheckoutExtra)
				if s.paused {
					h.expires = h.expires.Add(now.Sub(s.since))
				}
			}
		}
	case commerce.Gate:
		s.gate(now, r)
	case commerce.SetStock:
		if r.Available != nil {
			s.free[r.Variant] = max(0, int(*r.Available)-s.held(r.Variant))
		}
		s.free[r.Variant] = max(0, s.free[r.Variant]+int(r.Add))
		s.promote(now, r.Variant)
	case commerce.Paid:
		s.paid(now, r.Order)
	}
}

func (s *shop) held(variant commerce.ID) int {
	n := 0
	for _, h := range s.holds {
		if h.variant == variant && h.state == commerce.StateHeld {
			n += h.n
		}
	}
	return n
}

func (s *shop) gate(now time.Time, r commerce.Gate) {
	switch {
	case r.Number != 0:
		if s.closed[r.Number] != r.Closed {
			s.closed[r.Number] = r.Closed
			s.promoteAll(now)
		}
	case r.Closed && !s.paused:
		s.paused, s.since = true, now
	case !r.Closed && s.paused:
		for i := range s.holds {
			if h := &s.holds[i]; h.state == commerce.StateHeld && !h.opened {
				h.expires = h.expires.Add(now.Sub(s.since))
			}
		}
		s.paused = false
		s.promoteAll(now)
	}
}

func (s *shop) promoteAll(now time.Time) {
	for _, v := range []commerce.ID{mug, small} {
		s.promote(now, v)
	}
}

// paid plays an order of one hold whole, or of one mug that nobody held; or that order taken back.
func (s *shop) paid(now time.Time, o commerce.Order) {
	took, known := s.orders[o.Store]
	if o.State != commerce.OrderPaid {
		for _, b := range took {
			s.sold[b.variant] -= b.n
			s.free[b.variant] += b.n
			for i := range s.holds {
				if h := &s.holds[i]; h.id == b.hold && h.state == commerce.StatePaid {
					h.state = commerce.StateReleased
				}
			}
		}
		s.orders[o.Store] = nil
		for _, b := range took {
			s.promote(now, b.variant)
		}
		return
	}
	if known {
		return
	}
	need, hold, variant := o.Lines[0].Quantity, commerce.ID(0), variants()[o.Lines[0].Variant]
	for i := range s.holds {
		h := &s.holds[i]
		if len(o.Holds) == 0 || h.id != o.Holds[0] || h.state == commerce.StatePaid {
			continue
		}
		if hold = h.id; h.state == commerce.StateHeld { // it leaves the hold, not the shelf
			s.free[h.variant] += h.n
		} else { // late
			s.leave(h.who, h.variant)
		}
		h.state, h.n = commerce.StatePaid, min(need, h.n)
	}
	n := min(need, s.free[variant])
	s.free[variant] -= n
	s.sold[variant] += n
	s.orders[o.Store] = []bought{{hold, variant, n}}
	if len(o.Holds) > 0 {
		s.promote(now, variant)
	}
}

// same compares the shop with rows: what each viewer holds, waits for and paid, the order of the lines, the shelf.
func (s *shop) same(st commerce.State) error {
	type who struct {
		viewer  string
		variant commerce.ID
		state   string
	}
	mine, rows := map[who]int{}, map[who]int{}
	for _, h := range s.holds {
		if h.state == commerce.StateHeld {
			mine[who{h.who, h.variant, "holds"}] += h.n
		}
	}
	for _, h := range st.Holds {
		if h.State == commerce.StateHeld {
			rows[who{h.Viewer.ID, h.Variant, "holds"}] += h.Quantity
		}
	}
	var line, lineRows []who
	for _, v := range []commerce.ID{mug, small} {
		for _, p := range s.line {
			if p.variant == v {
				mine[who{p.who, v, "waits for"}] += p.n
				line = append(line, who{p.who, v, ""})
			}
		}
		for _, p := range st.Places {
			if p.Variant == v {
				rows[who{p.Viewer.ID, v, "waits for"}] += p.Quantity
				lineRows = append(lineRows, who{p.Viewer.ID, v, ""})
			}
		}
	}
	for k := range mine {
		if rows[k] != mine[k] {
			return fmt.Errorf("%s %s %d of variant %d in the database; it is %d", k.viewer, k.state, rows[k], k.variant, mine[k])
		}
	}
	for k := range rows {
		if rows[k] != mine[k] {
			return fmt.Errorf("%s %s %d of variant %d in the database; it is %d", k.viewer, k.state, rows[k], k.variant, mine[k])
		}
	}
	if !slices.Equal(line, lineRows) {
		return fmt.Errorf("the lines in the database are %v; they are %v", lineRows, line)
	}
	for _, x := range st.Stock {
		if x.Variant == medium {
			continue
		}
		if int(x.Free()) != s.free[x.Variant] || int(x.Sold) != s.sold[x.Variant] {
			return fmt.Errorf("variant %d: %+v in the database; %d are free, %d sold", x.Variant, x, s.free[x.Variant], s.sold[x.Variant])
		}
	}
	return nil
}
