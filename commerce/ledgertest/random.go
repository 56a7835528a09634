package ledgertest

import (
	"errors"
	"flag"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"testing"
	"time"

	"pgregory.net/rapid"

	"hawker/commerce"
	"hawker/commerce/audit"
	"hawker/internal/chat"
)

// randomChecks sets how many merchants Random plays with, instead of the few that every run can afford.
const randomChecks = "HAWKER_TEST_RANDOM"

// Random drives merchants of one database with random requests, deliveries twice and in any order, restarts, takeovers, and
// commits that fail or whose fate nobody knows, and asks the database's rows after each step what must always be true: one
// half of the merchants against a model of who holds what, the other with everything that a desk can be asked.
func Random(t *testing.T, open func(t *testing.T) Setup) {
	setRapid(t, "rapid.checks", Often(t, randomChecks, 20))
	setRapid(t, "rapid.steps", 60)
	for _, tt := range []struct {
		name string
		draw func(w *world, t *rapid.T) commerce.Request
		shop bool
	}{
		{"against a model", (*world).simple, true},
		{"everything", (*world).anything, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			set := open(t)
			s, other := set.Open(t), set.Open(t)
			merchants, steps, batches := 0, 0, 0
			rapid.Check(t, func(rt *rapid.T) {
				merchants++
				w := newWorld(t, set, s, other, merchants, tt.shop)
				w.draw = tt.draw
				rt.Repeat(map[string]func(*rapid.T){
					"":          w.check,
					"step":      w.some,
					"step more": w.some, // twice as often as the others
					"wait": func(t *rapid.T) {
						w.pass(time.Duration(rapid.SampledFrom([]int{4, 30, 180, 700}).Draw(t, "seconds")) * time.Second)
					},
					"crowd": func(t *rapid.T) { // who is there is what the guard goes by
						for i := range rapid.IntRange(1, 20).Draw(t, "guests") {
							w.d.Seen(spring, chat.Viewer{Platform: chat.Twitch, ID: fmt.Sprint("x", i)}, i%3 == 0, w.now)
						}
					},
					"restart": func(t *rapid.T) { w.load(rapid.Bool().Draw(t, "forgets")) },
				})
				steps += w.steps
				batches += w.batches
			})
			t.Logf("%d merchants, %d steps, %d batches written", merchants, steps, batches)
		})
	}
}

// setRapid sets a flag of rapid for the time of a test, unless the command line sets it.
func setRapid(t *testing.T, name string, n int) {
	t.Helper()
	given := false
	flag.Visit(func(f *flag.Flag) { given = given || f.Name == name })
	f := flag.Lookup(name)
	if f == nil {
		t.Fatal("rapid has no flag " + name)
	}
	if given {
		return
	}
	old := f.Value.String()
	if err := f.Value.Set(strconv.Itoa(n)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Value.Set(old) })
}

// world is a merchant under random requests.
type world struct {
	t        *testing.T
	set      Setup
	s, other Store
	merchant commerce.ID
	shop     *shop // nil where only the rows are asked
	draw     func(w *world, t *rapid.T) commerce.Request

	d       *commerce.Desk
	now     time.Time
	n       int // messages and orders so far
	asked   []commerce.Request
	orders  []commerce.Order
	name    string
	decided map[commerce.Key]commerce.Decision
	ledger  *audit.Replay
	rows    commerce.State // as check read them
	dirty   bool
	steps   int
	batches int
}

const autumn = commerce.ID(200)

func newWorld(t *testing.T, set Setup, s, other Store, n int, model bool) *world {
	w := &world{
		t: t, set: set, s: s, other: other, now: clock(), name: fmt.Sprintf("%s-%d", t.Name(), n), decided: map[commerce.Key]commerce.Decision{},
		ledger: audit.New(), dirty: true,
	}
	w.merchant = set.Merchant(t, s, products(), []chat.Channel{twitch("1"), twitch("2")})
	w.load(false)
	reqs := []commerce.Request{commerce.SetShow{Show: w.show(spring, model)}}
	for v, n := range map[commerce.ID]int64{mug: 4, small: 3, medium: 1} {
		reqs = append(reqs, commerce.SetStock{Variant: v, Available: &n})
	}
	b, _ := w.d.Plan(w.now, reqs)
	if err := s.Commit(t.Context(), b); err != nil {
		t.Fatal(err)
	}
	w.d.Commit()
	if model {
		w.shop = newShop()
		w.shop.free = map[commerce.ID]int{mug: 4, small: 3}
	}
	return w
}

// show is the spring show, or the autumn show, which sells the mug under another number.
func (w *world) show(id commerce.ID, unguarded bool) commerce.Show {
	s := commerce.Show{ID: id, Name: fmt.Sprint(w.name, "-", id), Title: "Show", State: commerce.ShowLive, Holds: commerce.HoldsDraft, Channels: []chat.Channel{twitch("1")}}
	if unguarded {
		s.Guard = commerce.Guard{Share: 100, Unpaid: -1}
	}
	if id == autumn {
		s.Channels = []chat.Channel{twitch("2")}
		s.Lineup.Items = []commerce.Item{{Number: 9, Product: products()[0], Hold: 20 * time.Minute}}
		return s
	}
	for i, p := range products() {
		s.Lineup.Items = append(s.Lineup.Items, commerce.Item{Number: i + 1, Product: p, Cap: []int{0, 2}[i]})
	}
	return s
}

func (w *world) pass(d time.Duration) { w.now = w.now.Add(d) }

// load takes the merchant over, as after a crash; forgets empties the desk's memory of what was decided lately.
func (w *world) load(forgets bool) {
	st := load(w.t, w.s, w.merchant)
	if forgets {
		st.Recent = nil
	}
	w.d = commerce.NewDesk(w.merchant, st)
}

// again is a random request, often one that was made before.
func (w *world) again(t *rapid.T) commerce.Request {
	if len(w.asked) > 0 && rapid.IntRange(0, 6).Draw(t, "again") == 0 {
		return rapid.SampledFrom(w.asked).Draw(t, "which")
	}
	r := w.draw(w, t)
	if keyOf(r).Message != "" {
		w.asked = append(w.asked, r)
	}
	return r
}

// some is a step of some requests.
func (w *world) some(t *rapid.T) {
	var reqs []commerce.Request
	for range rapid.IntRange(1, 5).Draw(t, "requests") {
		reqs = append(reqs, w.again(t))
	}
	w.step(t, reqs)
}

// step plans, commits with a random fate, and confirms as the merchant's goroutine does.
func (w *world) step(t *rapid.T, reqs []commerce.Request) {
	w.pass(4 * time.Second)
	w.steps++
	if due, ok := w.d.NextDue(); ok && !due.After(w.now) {
		reqs = append([]commerce.Request{commerce.Expire{}}, reqs...)
	}
	fate := rapid.SampledFrom([]string{"ok", "ok", "ok", "ok", "ok", "ok", "fails", "unknown", "unknown and done", "fenced"}).Draw(t, "fate")
	for range 4 {
		b, outs := w.d.Plan(w.now, reqs)
		if b.Empty() {
			w.d.CommitNothing()
			w.played(t, reqs, outs)
			return
		}
		var err error
		switch fate {
		case "ok", "unknown and done":
			err = w.s.Commit(w.t.Context(), b)
		case "fenced":
			load(w.t, w.other, w.merchant) // another node
			if err := w.s.Commit(w.t.Context(), b); !errors.Is(err, commerce.ErrFenced) {
				t.Fatalf("Commit after a takeover = %v", err)
			}
		}
		switch {
		case errors.Is(err, commerce.ErrRepeated):
			w.d.Rollback()
			w.learn(t, b)
			continue
		case err != nil:
			t.Fatalf("%+v: %v", reqs, err)
		}
		switch fate {
		case "ok":
			w.d.Commit()
			w.batches++
			w.played(t, reqs, outs)
		case "fails":
			w.d.Rollback()
		case "unknown and done":
			w.batches++
			w.played(t, reqs, outs)
			w.load(false)
		default: // nobody knows: what is stored is the truth
			w.load(false)
		}
		w.dirty = true
		return
	}
	t.Fatal("keys are repeated again and again")
}

// learn tells the desk what a former life decided.
func (w *world) learn(t *rapid.T, b *commerce.Batch) {
	var keys []commerce.Key
	for _, d := range b.Decisions {
		keys = append(keys, d.Key)
	}
	known, err := w.s.Decided(w.t.Context(), w.merchant, keys)
	if err != nil || len(known) == 0 {
		t.Fatalf("a key of %v was decided before; the database has %v, %v", keys, known, err)
	}
	for _, d := range known {
		w.d.Known(d, w.now)
	}
}

// played tells the model what was decided and compares.
func (w *world) played(t *rapid.T, reqs []commerce.Request, outs []commerce.Outcome) {
	for i := range outs {
		if outs[i].What == commerce.Claimed && outs[i].Reason == "" {
			t.Fatalf("an answer without a reason: %+v", outs[i])
		}
	}
	if w.shop == nil {
		return
	}
	next := w.shop.clone()
	if err := next.step(w.now, reqs, outs); err != nil {
		t.Fatal(err)
	}
	w.shop = next
}

// check is what must be true of the rows between any two steps.
func (w *world) check(t *rapid.T) {
	if w.dirty {
		w.rows, w.dirty = w.set.Look(w.t, w.s, w.merchant), false
		w.checkRows(t)
		w.checkLedger(t)
		w.checkDesk(t)
	}
	if w.shop != nil {
		if err := w.shop.same(w.rows); err != nil {
			t.Fatal(err)
		}
	}
}

func (w *world) checkRows(t *rapid.T) {
	st := &w.rows
	held, sold := map[commerce.ID]int64{}, map[commerce.ID]int64{}
	for _, h := range st.Holds {
		if h.State == commerce.StateHeld && !h.Contained {
			held[h.Variant] += int64(h.Quantity)
		}
		if h.Quantity < 1 {
			t.Fatalf("a hold of nothing: %+v", h)
		}
	}
	for _, o := range st.Orders {
		for v, n := range o.Took {
			sold[v] += n
		}
	}
	for _, x := range st.Stock {
		if x.Held != held[x.Variant] || x.Sold != sold[x.Variant] {
			t.Fatalf("variant %d: %+v; holds hold %d, orders took %d", x.Variant, x, held[x.Variant], sold[x.Variant])
		}
		if x.Held < 0 || x.Sold < 0 || x.Short < 0 || !x.Endless && x.Held+x.Sold > x.Available+x.Short {
			t.Fatalf("oversold: %+v", x)
		}
	}
	seen := map[commerce.Key]bool{}
	for _, d := range st.Recent {
		if seen[d.Key] {
			t.Fatalf("%v was decided twice", d.Key)
		}
		seen[d.Key] = true
		old, ok := w.decided[d.Key]
		if ok && !reflect.DeepEqual(old, d) {
			t.Fatalf("%v was decided as %+v and is now %+v", d.Key, old, d)
		}
		w.decided[d.Key] = d
	}
	for k := range w.decided {
		if !seen[k] {
			t.Fatalf("the decision of %v is gone", k)
		}
	}
}

// checkLedger audits the entries that were added and compares the ledger's last word with the rows.
func (w *world) checkLedger(t *rapid.T) {
	more, err := w.s.Entries(w.t.Context(), w.merchant, w.ledger.Report().Last+1, 1_000_000)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range more {
		if err := w.ledger.Add(e); err != nil {
			t.Fatalf("audit: %v\n%s %s", err, e.Kind, e.Body)
		}
	}
	compare(t, w.ledger, w.rows)
}

// checkDesk compares what pages show of the desk with what they show of one that is loaded from the rows.
func (w *world) checkDesk(t *rapid.T) {
	fresh := commerce.NewDesk(w.merchant, copied(w.rows))
	look := func(d *commerce.Desk) (out []any) {
		for _, id := range []commerce.ID{spring, autumn} {
			v, ok := d.View(id, w.now)
			for i := range v.Items {
				for j := range v.Items[i].Stock {
					v.Items[i].Stock[j].Stale = false // after a start the store is read before it is sold from
				}
			}
			out = append(out, v, ok)
		}
		for _, s := range d.StockRows() {
			s.Seen = time.Time{}
			out = append(out, s)
		}
		return out
	}
	// Beside the ends of holds a desk looks at lines again, as often as it likes; but it oversleeps nothing.
	due, ok := w.d.NextDue()
	if must, some := fresh.NextDue(); len(w.rows.Places) == 0 && some && (!ok || due.After(must)) {
		t.Fatalf("the desk that runs wakes at %v, %v; one that is loaded anew at %v", due, ok, must)
	}
	a, b := look(w.d), look(fresh)
	for i := range a {
		if d := differ(reflect.ValueOf(a[i]), reflect.ValueOf(b[i]), reflect.TypeOf(a[i]).Name()); d != "" {
			t.Fatalf("a desk loaded anew differs from the one that runs: %s", d)
		}
	}
}

// copied is a state that shares nothing a desk changes in place.
func copied(st commerce.State) commerce.State {
	st.Shows, st.Stock, st.Holds, st.Places = slices.Clone(st.Shows), slices.Clone(st.Stock), slices.Clone(st.Holds), slices.Clone(st.Places)
	st.Receipts, st.Orders = slices.Clone(st.Receipts), slices.Clone(st.Orders)
	for i := range st.Shows {
		st.Shows[i].Lineup.Items = slices.Clone(st.Shows[i].Lineup.Items)
	}
	return st
}

func keyOf(r commerce.Request) commerce.Key {
	switch r := r.(type) {
	case commerce.Claim:
		return r.Key
	case commerce.Pass:
		return r.Key
	case commerce.Promote:
		return r.Key
	case commerce.Change:
		return r.Key
	}
	return commerce.Key{}
}

func one(t *rapid.T, label string, from, to int) int { return rapid.IntRange(from, to).Draw(t, label) }

// ask is who asks in a show, under a key of its own.
func (w *world) ask(t *rapid.T, show commerce.ID) commerce.Ask {
	w.n++
	who := chat.Viewer{Platform: chat.Twitch, ID: rapid.SampledFrom([]string{"ana", "bob", "cy", "dee", "eli"}).Draw(t, "who")}
	return commerce.Ask{
		Key: commerce.Key{Platform: chat.Twitch, Message: strconv.Itoa(w.n)}, Show: show, Viewer: who, Sent: w.now,
		Answer: chat.Answer{Kind: chat.ToReply, Channel: twitch("1"), Message: strconv.Itoa(w.n)},
	}
}

var items = map[commerce.ID]int{mug: 1, small: 2, medium: 2}

// simple is a request that the model knows.
func (w *world) simple(t *rapid.T) commerce.Request {
	variant := rapid.SampledFrom([]commerce.ID{mug, small}).Draw(t, "variant")
	item := items[variant]
	switch one(t, "kind", 0, 22) {
	case 10, 11:
		return commerce.Pass{Ask: w.ask(t, spring), Number: item * one(t, "all", 0, 1)}
	case 12, 13:
		return commerce.Change{Ask: w.ask(t, spring), Number: item, Variant: variant, Delta: one(t, "delta", -3, 3)}
	case 14:
		return commerce.Release{Hold: w.someHold(t, commerce.StateHeld)}
	case 15:
		return commerce.Opened{Holds: []commerce.ID{w.someHold(t, commerce.StateHeld)}}
	case 16, 17, 18:
		return w.wholeOrder(t)
	case 19:
		n := int64(one(t, "n", -2, 4))
		if rapid.Bool().Draw(t, "set") {
			n += 2 + int64(w.shop.held(variant)) // below what is held the shop has a shortage, which is another test's
			return commerce.SetStock{Variant: variant, Available: &n}
		}
		return commerce.SetStock{Variant: variant, Add: max(n, 0)}
	case 20:
		return commerce.Gate{Show: spring, Number: item * one(t, "item", 0, 1), Closed: one(t, "closed", 0, 2) == 0}
	}
	return commerce.Claim{
		Ask: w.ask(t, spring), Number: item, Variant: variant, Quantity: one(t, "quantity", 1, 4), Add: one(t, "add", 0, 2) == 0, Wait: one(t, "wait", 0, 2) == 0,
	}
}

// someHold is the id of a hold that the rows have, of a state or, empty, of any; an id that is nobody's when there is none.
func (w *world) someHold(t *rapid.T, state commerce.HoldState) commerce.ID {
	ids := []commerce.ID{5}
	for _, h := range w.rows.Holds {
		if state == "" || h.State == state {
			ids = append(ids, h.ID)
		}
	}
	slices.Sort(ids)
	return ids[one(t, "hold", min(1, len(ids)-1), len(ids)-1)]
}

func variants() map[string]commerce.ID {
	return map[string]commerce.ID{"gid/mug": mug, "gid/S": small, "gid/M": medium}
}

func storeID(v commerce.ID) string {
	for gid, id := range variants() {
		if id == v {
			return gid
		}
	}
	return ""
}

// wholeOrder pays one hold, open or over, as it stands; or buys mugs past the show; or takes an order back.
func (w *world) wholeOrder(t *rapid.T) commerce.Request {
	if len(w.orders) > 0 && one(t, "old", 0, 2) == 0 {
		o := rapid.SampledFrom(w.orders).Draw(t, "order")
		if rapid.Bool().Draw(t, "back") {
			o.State, o.Updated = rapid.SampledFrom([]commerce.OrderState{commerce.OrderCancelled, commerce.OrderRefunded}).Draw(t, "how"), w.now.Add(time.Second)
		}
		return commerce.Paid{Order: o, Variants: variants()} // the same webhook again, or the news that it was taken back
	}
	w.n++
	o := commerce.Order{Store: fmt.Sprint("O", w.n), Name: "#", State: commerce.OrderPaid, Created: w.now, Updated: w.now}
	id := w.someHold(t, "")
	i := slices.IndexFunc(w.rows.Holds, func(h commerce.Hold) bool { return h.ID == id })
	if i < 0 || w.rows.Holds[i].State == commerce.StatePaid || one(t, "other", 0, 4) == 0 {
		o.Lines = []commerce.OrderLine{{Variant: "gid/mug", Quantity: one(t, "more", 1, 2), Price: eur(100)}}
	} else {
		h := &w.rows.Holds[i]
		o.Holds, o.Lines = []commerce.ID{id}, []commerce.OrderLine{{Variant: storeID(h.Variant), Quantity: h.Quantity, Price: h.Price}}
	}
	w.orders = append(w.orders, o)
	return commerce.Paid{Order: o, Variants: variants()}
}
