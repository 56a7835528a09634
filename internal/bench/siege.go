package bench

import (
	"cmp"
	"container/heap"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"text/tabwriter"
	"time"

	"hawker/commerce"
	"hawker/internal/chat"
)

// SiegeAim is what honest viewers should get under a siege, as a share of what they get without one (product rule).
const SiegeAim = 0.9

// SiegeOptions say who is at the show and what it sells. A zero field takes the value of NewSiege.
type SiegeOptions struct {
	// Proven are honest viewers who paid here before or whom somebody vouches for (half of each), Newcomers honest ones of
	// whom nothing is known.
	Proven, Newcomers int
	// Accounts are trolls with an account on a platform, Cookies anonymous browsers of trolls, which come from Blocks address
	// blocks.
	Accounts, Cookies, Blocks int
	// Items are sold one after the other, each with Stock pieces; Air is how long each is on air.
	Items, Stock int
	Air          time.Duration
	Guard        commerce.Guard
	Seed         uint64
	JSON         bool // one object a line instead of a table
}

// NewSiege is the siege that the product is measured by: 500 accounts and 2,000 browsers against 300 viewers, each item with
// pieces for less than a third of them.
func NewSiege() SiegeOptions {
	return SiegeOptions{Proven: 200, Newcomers: 100, Accounts: 500, Cookies: 2000, Blocks: 12, Items: 5, Stock: 80, Air: 12 * time.Minute, Seed: 1}
}

// SiegeReport is what honest viewers got.
type SiegeReport struct {
	Options                      SiegeOptions
	Undisturbed, Besieged        SiegeRun
	Proven, Newcomers, AllHonest float64 // bought besieged / bought undisturbed
}

// SiegeRun is one show.
type SiegeRun struct {
	Wanted, Held, Bought [2]int // pieces, of proven viewers and of newcomers
	Left                 int    // pieces that nobody bought
	Claims               int    // lines decided
	TrollHolds           int    // holds that trolls ever had
	TrollPeak            int    // pieces that they had at once at most
	Refused              int    // checkouts of honest viewers that were refused, because of what they were offered nothing was left
	Unfilled             int    // payments of honest viewers for which nothing was left: the merchant gives the money back
}

// Siege plays a show twice in simulated time, undisturbed and with trolls, who claim first and again and again and never pay,
// and prints what honest viewers got. Errors: a broken promise of the till, or of out.
func Siege(ctx context.Context, o SiegeOptions, out io.Writer) error {
	r, err := RunSiege(ctx, o)
	if err != nil {
		return err
	}
	if r.Options.JSON {
		return r.writeJSON(out)
	}
	return r.writeTable(out)
}

// RunSiege is Siege without the printing.
func RunSiege(ctx context.Context, o SiegeOptions) (SiegeReport, error) {
	def := NewSiege()
	for _, f := range []struct{ at, to *int }{
		{&o.Proven, &def.Proven},
		{&o.Newcomers, &def.Newcomers},
		{&o.Accounts, &def.Accounts},
		{&o.Cookies, &def.Cookies},
		{&o.Blocks, &def.Blocks},
		{&o.Items, &def.Items},
		{&o.Stock, &def.Stock},
	} {
		if *f.at == 0 {
			*f.at = *f.to
		}
	}
	o.Air, o.Seed = cmp.Or(o.Air, def.Air), cmp.Or(o.Seed, def.Seed)
	r := SiegeReport{Options: o}
	for besieged, run := range map[bool]*SiegeRun{false: &r.Undisturbed, true: &r.Besieged} {
		s := newSiege(o, besieged)
		if err := s.play(ctx); err != nil {
			return r, err
		}
		*run = s.SiegeRun
	}
	share := func(b, u int) float64 {
		if u == 0 {
			return 1
		}
		return float64(b) / float64(u)
	}
	u, b := r.Undisturbed.Bought, r.Besieged.Bought
	r.Proven, r.Newcomers, r.AllHonest = share(b[0], u[0]), share(b[1], u[1]), share(b[0]+b[1], u[0]+u[1])
	return r, nil
}

func (r *SiegeReport) writeTable(out io.Writer) error {
	o := r.Options
	fmt.Fprintf(out, "%d accounts and %d browsers of %d address blocks against %d viewers; %d items, %d pieces each, %s on air each (simulated)\n\n",
		o.Accounts, o.Cookies, o.Blocks, o.Proven+o.Newcomers, o.Items, o.Stock, o.Air)
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "honest viewers\tpeople\tpieces wanted\tbought undisturbed\tbought besieged\tshare\t")
	u, b := &r.Undisturbed, &r.Besieged
	row := func(name string, people, wanted, u, b int, share float64) {
		fmt.Fprintf(w, "%s\t%d\t%d\t%d\t%d\t%.1f %%\t\n", name, people, wanted, u, b, 100*share)
	}
	row("paid before or vouched for", o.Proven, u.Wanted[0], u.Bought[0], b.Bought[0], r.Proven)
	row("newcomers", o.Newcomers, u.Wanted[1], u.Bought[1], b.Bought[1], r.Newcomers)
	row("all", o.Proven+o.Newcomers, u.Wanted[0]+u.Wanted[1], u.Bought[0]+u.Bought[1], b.Bought[0]+b.Bought[1], r.AllHonest)
	if err := w.Flush(); err != nil {
		return err
	}
	verdict := "reached"
	if r.AllHonest < SiegeAim {
		verdict = "missed"
	}
	_, err := fmt.Fprintf(out, "\nTrolls had %d holds, %d pieces at once at most; %d of %d pieces were left unsold (undisturbed %d).\n%d checkouts of honest viewers were refused because others had paid first (undisturbed %d), %d payments came when nothing was left (undisturbed %d). %d lines were decided.\nAim: honest viewers get %.0f %% of their undisturbed share: %s.\n",
		b.TrollHolds, b.TrollPeak, b.Left, o.Items*o.Stock, u.Left, b.Refused, u.Refused, b.Unfilled, u.Unfilled, b.Claims, 100*SiegeAim, verdict)
	return err
}

func (r *SiegeReport) writeJSON(out io.Writer) error {
	type line struct {
		Viewers     string  `json:"viewers"`
		People      int     `json:"people"`
		Wanted      int     `json:"wanted"`
		Undisturbed int     `json:"undisturbed"`
		Besieged    int     `json:"besieged"`
		Share       float64 `json:"share"`
		TrollHolds  int     `json:"troll_holds"`
		TrollPeak   int     `json:"troll_peak"`
	}
	o, u, b := r.Options, &r.Undisturbed, &r.Besieged
	enc := json.NewEncoder(out)
	for _, l := range []line{
		{"proven", o.Proven, u.Wanted[0], u.Bought[0], b.Bought[0], r.Proven, b.TrollHolds, b.TrollPeak},
		{"newcomers", o.Newcomers, u.Wanted[1], u.Bought[1], b.Bought[1], r.Newcomers, b.TrollHolds, b.TrollPeak},
		{"honest", o.Proven + o.Newcomers, u.Wanted[0] + u.Wanted[1], u.Bought[0] + u.Bought[1], b.Bought[0] + b.Bought[1], r.AllHonest, b.TrollHolds, b.TrollPeak},
	} {
		if err := enc.Encode(l); err != nil {
			return err
		}
	}
	return nil
}

// Who somebody at the show is.
const (
	proven = iota
	newcomer
	troll
)

// guest is somebody at the show.
type guest struct {
	viewer  chat.Viewer
	kind    int
	trusted bool
	block   string
	bought  map[int]bool
	paying  map[commerce.ID]bool
}

// moment is something that happens at a time of the show.
type moment struct {
	at    time.Time
	n     int // of two at one time the earlier made is the first
	guest *guest
	item  int         // claims it
	hold  commerce.ID // or goes to its checkout
	pays  bool        // and then pays it
	again bool        // and then does so again and again
	air   bool        // or the item goes on air
	over  bool        // or the show ends
	chats bool        // or the guest says something that is no claim
}

type moments []moment

func (m moments) Len() int { return len(m) }
func (m moments) Less(i, j int) bool {
	return cmp.Or(m[i].at.Compare(m[j].at), cmp.Compare(m[i].n, m[j].n)) < 0
}
func (m moments) Swap(i, j int) { m[i], m[j] = m[j], m[i] }

// Push is part of heap.Interface.
func (m *moments) Push(x any) { *m = append(*m, x.(moment)) }

// Pop is part of heap.Interface.
func (m *moments) Pop() any {
	old := *m
	x := old[len(old)-1]
	*m = old[:len(old)-1]
	return x
}

// What a viewer does, in the trade's round figures.
const (
	wants     = 45 // per cent of the honest viewers want an item that is shown
	pays      = 80 // per cent of them pay when they have it
	hurries   = 60 // per cent pay sooner than they would have, when their clock says so
	stays     = 40 * time.Minute
	talks     = 4 * time.Minute  // between two lines of an honest viewer who talks or looks
	trollRest = 50 * time.Second // until a troll claims again
	atStore   = 20 * time.Second // from the checkout to the payment, at least; three times that at most
	siegeShow = commerce.ID(100)
)

// siegeAt is when the show begins. Simulated time begins there and not now, so that runs are alike.
func siegeAt() time.Time { return time.Date(2026, 6, 1, 18, 0, 0, 0, time.UTC) }

// siege is a show under way.
type siege struct {
	SiegeRun
	o       SiegeOptions
	r       *rand.Rand
	d       *commerce.Desk
	guests  map[chat.Viewer]*guest
	honest  []*guest
	trolls  []*guest
	next    moments
	n       int
	end     time.Time // of the show
	onAir   int
	waiting map[*guest]map[int]time.Time // since when somebody waits for an item
	held    map[commerce.ID]int          // pieces of trolls
	now     int                          // sum of held
}

func newSiege(o SiegeOptions, besieged bool) *siege {
	s := &siege{
		o: o, r: rand.New(rand.NewPCG(o.Seed, 7)), guests: map[chat.Viewer]*guest{}, waiting: map[*guest]map[int]time.Time{}, held: map[commerce.ID]int{},
		end: siegeAt().Add(time.Duration(o.Items)*o.Air + 18*time.Minute),
	}
	var payers []string
	add := func(list *[]*guest, g guest) {
		g.viewer.Name, g.bought, g.paying = g.viewer.ID, map[int]bool{}, map[commerce.ID]bool{}
		*list = append(*list, &g)
		s.guests[chat.Viewer{Platform: g.viewer.Platform, ID: g.viewer.ID}] = &g
	}
	for i := range o.Proven {
		g := guest{viewer: chat.Viewer{Platform: chat.Twitch, ID: fmt.Sprintf("p%d", i)}, kind: proven, trusted: i%2 == 0}
		if !g.trusted {
			payers = append(payers, string(g.viewer.Platform)+":"+g.viewer.ID)
		}
		add(&s.honest, g)
	}
	for i := range o.Newcomers {
		add(&s.honest, guest{viewer: chat.Viewer{Platform: []chat.Platform{chat.Twitch, chat.YouTube}[i%2], ID: fmt.Sprintf("n%d", i)}, kind: newcomer})
	}
	if besieged {
		for i := range o.Accounts {
			add(&s.trolls, guest{viewer: chat.Viewer{Platform: []chat.Platform{chat.Twitch, chat.YouTube}[i%2], ID: fmt.Sprintf("t%d", i)}, kind: troll})
		}
		for i := range o.Cookies {
			add(&s.trolls, guest{viewer: chat.Viewer{Platform: chat.Room, ID: fmt.Sprintf("c%d", i)}, kind: troll, block: fmt.Sprintf("198.51.%d.0/24", i%o.Blocks)})
		}
	}
	s.d = commerce.NewDesk(1, commerce.State{Payers: payers})
	show := commerce.Show{ID: siegeShow, Name: "siege", Title: "Siege", State: commerce.ShowLive, Guard: o.Guard}
	reqs := make([]commerce.Request, 0, 1+o.Items)
	stock := int64(o.Stock)
	for _, g := range s.honest { // most are there before it begins, the others drop in
		s.add(moment{at: siegeAt().Add(s.between(0, 3*time.Minute)), guest: g, chats: true})
	}
	for i := range o.Items {
		n := i + 1
		v := commerce.Variant{ID: commerce.ID(10 + n), Price: commerce.Money{Minor: 2500, Currency: "EUR"}, Store: fmt.Sprint("gid/", n)}
		show.Lineup.Items = append(show.Lineup.Items, commerce.Item{Number: n, Product: commerce.Product{ID: commerce.ID(n), Title: fmt.Sprint("Print ", n), Variants: []commerce.Variant{v}}, Cap: 2})
		reqs = append(reqs, commerce.SetStock{Variant: v.ID, Available: &stock})
		s.add(moment{at: siegeAt().Add(3*time.Minute + time.Duration(i)*o.Air), air: true, item: n})
	}
	s.add(moment{at: s.end, over: true})
	s.decide(siegeAt(), append(reqs, commerce.SetShow{Show: show}))
	return s
}

func (s *siege) add(m moment) {
	s.n++
	m.n = s.n
	heap.Push(&s.next, m)
}

func (s *siege) yes(percent int) bool { return s.r.IntN(100) < percent }

func (s *siege) between(a, b time.Duration) time.Duration {
	return a + time.Duration(s.r.Int64N(int64(b-a)))
}

// play runs until nothing is left to happen.
func (s *siege) play(ctx context.Context) error {
	for {
		due, open := s.d.NextDue()
		if len(s.next) == 0 && !open {
			break
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		now := due
		if len(s.next) > 0 && (!open || s.next[0].at.Before(due)) {
			now = s.next[0].at
		}
		now = now.Truncate(time.Second).Add(time.Second) // what comes within a second is one batch
		var reqs []commerce.Request
		for len(s.next) > 0 && !s.next[0].at.After(now) {
			reqs = append(reqs, s.happens(heap.Pop(&s.next).(moment))...)
		}
		s.decide(now, append(reqs, commerce.Expire{}))
	}
	for _, st := range s.d.StockRows() {
		if st.Held < 0 || st.Held+st.Sold > st.Available+st.Short {
			return fmt.Errorf("the till broke its promise: %+v", st)
		}
		s.Left += int(st.Available - st.Sold)
	}
	return nil
}

// happens turns a moment into requests, and makes those that follow from it.
func (s *siege) happens(m moment) []commerce.Request {
	switch {
	case m.air:
		s.onAir = m.item
		for _, g := range s.honest {
			if s.yes(wants) {
				s.Wanted[g.kind]++
				s.add(moment{at: m.at.Add(s.between(4*time.Second, 100*time.Second)), guest: g, item: m.item})
			}
		}
		for _, g := range s.trolls { // first of all, always
			s.add(moment{at: m.at.Add(s.between(0, 2*time.Second)), guest: g, item: m.item, again: m.item == 1})
		}
		return []commerce.Request{commerce.Air{Show: siegeShow, Number: m.item}}
	case m.over:
		show := *s.d.Show(siegeShow)
		show.State = commerce.ShowEnded
		return []commerce.Request{commerce.SetShow{Show: show}}
	case m.chats:
		s.d.Seen(siegeShow, m.guest.viewer, m.guest.trusted, m.at)
		if next := m.at.Add(s.between(talks/2, 3*talks/2)); next.Before(s.end) {
			s.add(moment{at: next, guest: m.guest, chats: true})
		}
		return nil
	case m.pays:
		return s.pay(m)
	case m.hold != 0:
		return s.checkout(m)
	case m.at.After(s.end):
		return nil
	}
	s.n++
	s.Claims++
	s.d.Seen(siegeShow, m.guest.viewer, m.guest.trusted, m.at)
	c := commerce.Claim{
		Ask: commerce.Ask{
			Key: commerce.Key{Platform: m.guest.viewer.Platform, Message: fmt.Sprint("m", s.n)}, Show: siegeShow, Viewer: m.guest.viewer, Sent: m.at,
			Trusted: m.guest.trusted, Block: m.guest.block,
		},
		Number: m.item, Quantity: 1, Wait: true,
	}
	if m.guest.kind == troll {
		c.Quantity = 2 // all that the cap lets one have
	}
	if m.again { // any item that was shown
		s.add(moment{at: m.at.Add(s.between(trollRest/2, 3*trollRest/2)), guest: m.guest, item: 1 + s.r.IntN(s.onAir), again: true})
	}
	return []commerce.Request{c}
}

// checkout is what the house does when a viewer goes to pay: where nothing is left of what was offered no checkout is made. Who
// is refused asks once more, and so gets in line.
func (s *siege) checkout(m moment) []commerce.Request {
	h, ok := s.d.Hold(m.hold)
	if !ok || m.guest.bought[h.Number] {
		return nil
	}
	if h.State == commerce.StateOffered && s.d.Payable(m.hold, m.at) == 0 {
		s.Refused++
		delete(m.guest.paying, m.hold)
		s.add(moment{at: m.at.Add(s.between(5*time.Second, 15*time.Second)), guest: m.guest, item: h.Number})
		return nil
	}
	s.add(moment{at: m.at.Add(s.between(atStore, 3*atStore)), guest: m.guest, hold: m.hold, pays: true})
	return []commerce.Request{commerce.Opened{Holds: []commerce.ID{m.hold}}}
}

func (s *siege) pay(m moment) []commerce.Request {
	h, ok := s.d.Hold(m.hold)
	if !ok || m.guest.bought[h.Number] {
		return nil
	}
	o := commerce.Order{
		Store: fmt.Sprint("gid/o", m.n), Name: fmt.Sprint("#", m.n), State: commerce.OrderPaid, Holds: []commerce.ID{m.hold}, Total: h.Price,
		Lines: []commerce.OrderLine{{Variant: fmt.Sprint("gid/", h.Number), Quantity: 1, Price: h.Price}}, Created: m.at, Updated: m.at,
	}
	variants := map[string]commerce.ID{}
	for n := range s.o.Items {
		variants[fmt.Sprint("gid/", n+1)] = commerce.ID(10 + n + 1)
	}
	m.guest.bought[h.Number] = true
	return []commerce.Request{commerce.Paid{Order: o, Variants: variants}}
}

// decide is one batch. Nothing is written: what is measured is who gets what.
func (s *siege) decide(now time.Time, reqs []commerce.Request) {
	_, outs := s.d.Plan(now, reqs)
	s.d.Commit()
	for i := range outs {
		s.follow(now, &outs[i])
	}
	if s.now > s.TrollPeak {
		s.TrollPeak = s.now
	}
}

// follow has people do what an answer makes them do.
func (s *siege) follow(now time.Time, o *commerce.Outcome) {
	g := s.guests[chat.Viewer{Platform: o.Viewer.Platform, ID: o.Viewer.ID}]
	if g == nil {
		return
	}
	if g.kind == troll {
		s.followTroll(o)
		return
	}
	switch {
	case o.What == commerce.Unfilled:
		s.Unfilled++
	case o.What == commerce.Settled || o.What == commerce.Late:
		s.Bought[g.kind] += o.Wanted
	case o.What != commerce.Claimed && o.What != commerce.Promoted:
	case o.Hold != 0 && !g.paying[o.Hold]:
		g.paying[o.Hold] = true
		s.Held[g.kind]++
		s.willPay(now, g, o)
	case o.Reason == commerce.Waitlisted:
		if s.waiting[g] == nil {
			s.waiting[g] = map[int]time.Time{}
		}
		s.waiting[g][o.Number] = now
	}
}

// willPay has an honest viewer pay what is theirs now, or not.
func (s *siege) willPay(now time.Time, g *guest, o *commerce.Outcome) {
	if since, ok := s.waiting[g][o.Number]; ok { // it took a while: are they still there?
		if patience := time.Duration(s.r.ExpFloat64() * float64(stays)); now.Sub(since) > patience {
			return
		}
	}
	if !s.yes(pays) {
		return
	}
	after := s.between(0, 3*time.Minute) + s.between(0, 3*time.Minute) // and then some time at the store
	at := now.Add(after)
	if !o.Due.IsZero() && at.After(o.Due) {
		if !s.yes(hurries) {
			return
		}
		at = o.Due.Add(-s.between(time.Second, 20*time.Second))
	}
	s.add(moment{at: at, guest: g, hold: o.Hold})
}

func (s *siege) followTroll(o *commerce.Outcome) {
	if o.Hold == 0 {
		return
	}
	n := 0
	if h, ok := s.d.Hold(o.Hold); ok && h.State == commerce.StateHeld {
		n = h.Quantity
	}
	if n > 0 && s.held[o.Hold] == 0 {
		s.TrollHolds++
	}
	s.now += n - s.held[o.Hold]
	if s.held[o.Hold] = n; n == 0 {
		delete(s.held, o.Hold)
	}
}
