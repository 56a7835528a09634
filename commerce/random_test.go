package commerce

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"testing"
	"time"

	"pgregory.net/rapid"

	"hawker/internal/chat"
)

// TestRandom drives a desk with random requests and random fates of its commits, and checks after each step what must
// always be true.
func TestRandom(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		w := newWorld(t)
		rt.Repeat(map[string]func(*rapid.T){
			"": w.check,
			"step": func(t *rapid.T) {
				var reqs []Request
				for range rapid.IntRange(1, 5).Draw(t, "requests") {
					reqs = append(reqs, w.draw(t))
				}
				w.step(t, reqs)
			},
			"two steps at once": func(t *rapid.T) {
				var first, second []Request
				for range rapid.IntRange(1, 4).Draw(t, "requests") {
					first, second = append(first, w.draw(t)), append(second, w.draw(t))
				}
				w.overlap(t, first, second)
			},
			"wait": func(t *rapid.T) {
				w.now = w.now.Add(time.Duration(rapid.SampledFrom([]int{1, 4, 30, 180, 700}).Draw(t, "seconds")) * time.Second)
			},
			"restart": func(t *rapid.T) {
				if rapid.IntRange(0, 9).Draw(t, "backup") == 0 {
					w.m.restored = w.now
				}
				w.load()
			},
			"crowd": func(t *rapid.T) {
				for i := range rapid.IntRange(0, 30).Draw(t, "strangers") {
					w.d.Seen(spring, who(fmt.Sprint("x", i)), false, w.now)
				}
				for _, name := range persons() {
					if rapid.Bool().Draw(t, name) {
						w.d.Seen(spring, who(name), rapid.IntRange(0, 9).Draw(t, "trusted") == 0, w.now)
					}
				}
			},
			"tell": func(t *rapid.T) {
				id := w.someHold(t)
				if w.d.Telling(id); rapid.Bool().Draw(t, "told") {
					w.d.Told(id)
				}
			},
		})
	})
}

func persons() []string { return []string{"ana", "bob", "cy", "dee", "ana@room"} }

// world is a merchant under random requests.
type world struct {
	m      *memory
	d      *Desk
	now    time.Time
	n      int // messages and orders so far
	asked  []Request
	orders []Order
	over   map[wish]int // counted pieces of a person and item above the cap, which only some requests may raise
	last   map[ID]StockFact
	named  map[Key]bool // decisions that the ledger names
	ahead  []string     // drafts whose orders came before them
	read   int          // entries whose facts are in last
}

func newWorld(t testing.TB) *world {
	w := &world{m: stocked(t), now: epoch, over: map[wish]int{}, last: map[ID]StockFact{}, named: map[Key]bool{}}
	w.load()
	return w
}

func (w *world) load() {
	st, _ := w.m.Load(context.Background(), 7)
	w.d = NewDesk(7, st)
}

// step plans, commits with a random fate, and confirms as the merchant's goroutine does.
func (w *world) step(t *rapid.T, reqs []Request) {
	if due, ok := w.d.NextDue(); ok && !due.After(w.now) {
		reqs = append(reqs, Expire{})
	}
	for range 3 {
		fate := rapid.SampledFrom([]string{"ok", "ok", "ok", "ok", "ok", "fails", "unknown", "unknown and done"}).Draw(t, "fate")
		before := ""
		if fate == "fails" {
			before = trace(w.d)
		}
		b, outs := w.d.Plan(w.now, reqs)
		if b.Empty() {
			w.d.CommitNothing()
			w.answers(t, reqs, outs)
			return
		}
		var err error
		if fate == "ok" || fate == "unknown and done" {
			err = w.m.Commit(context.Background(), b)
		}
		switch {
		case errors.Is(err, ErrRepeated):
			w.d.Rollback()
			for _, d := range b.Decisions {
				if old, ok := w.m.decisions[d.Key]; ok {
					w.d.Known(old, w.now)
				}
			}
			continue
		case err != nil:
			t.Fatalf("%v: %v", reqs, err)
		case fate == "ok":
			w.d.Commit()
			w.answers(t, reqs, outs)
			w.caps(t, reqs)
		case fate == "fails":
			w.d.Rollback()
			if d := differ(before, trace(w.d)); d != "" {
				t.Fatalf("%v: taking the plan back left a trace: %s", reqs, d)
			}
		default: // nobody knows: what is stored is the truth
			w.load()
			w.caps(t, reqs)
		}
		return
	}
	t.Fatal("keys are repeated again and again")
}

// overlap plans a second batch while the first is on its way, as the merchant's goroutine does in a rush.
func (w *world) overlap(t *rapid.T, first, second []Request) {
	before := trace(w.d)
	a, outsA := w.d.Plan(w.now, first)
	if a.Empty() {
		w.d.CommitNothing()
		w.answers(t, first, outsA)
		return
	}
	b, outsB := w.d.Plan(w.now, second)
	fate := rapid.SampledFrom([]string{"ok", "ok", "ok", "first fails", "second fails"}).Draw(t, "fate")
	if fate == "first fails" {
		w.d.Rollback()
		if d := differ(before, trace(w.d)); d != "" {
			t.Fatalf("%v, %v: taking two plans back left a trace: %s", first, second, d)
		}
		return
	}
	repeated := func(err error) bool {
		if err != nil && !errors.Is(err, ErrRepeated) {
			t.Fatalf("%v, %v: %v", first, second, err)
		}
		return err != nil
	}
	if repeated(w.m.Commit(context.Background(), a)) { // it would be learnt and planned again
		w.d.Rollback()
		return
	}
	w.d.Commit()
	w.answers(t, first, outsA)
	switch {
	case b.Empty():
		w.d.CommitNothing()
	case fate == "second fails" || repeated(w.m.Commit(context.Background(), b)):
		w.d.Rollback()
		w.same(t)
		w.caps(t, first)
		return
	default:
		w.d.Commit()
	}
	w.answers(t, second, outsB)
	w.caps(t, slices.Concat(first, second))
}

// same checks that the desk is as what is stored says.
func (w *world) same(t *rapid.T) {
	if d := differ(durable(w.d), durable(NewDesk(7, w.m.state()))); d != "" {
		t.Fatalf("after the second plan was taken back: %s", d)
	}
}

// answers checks that each request with a key has one answer, and that a stored decision is answered as it was.
func (w *world) answers(t *rapid.T, reqs []Request, outs []Outcome) {
	told := map[Key][]Outcome{}
	for _, o := range outs {
		if o.Key.Message != "" {
			told[o.Key] = append(told[o.Key], o)
		}
	}
	for _, r := range reqs {
		k := keyOf(r)
		if k.Message == "" {
			continue
		}
		if len(told[k]) == 0 {
			t.Fatalf("%+v has no answer", r)
		}
		o := told[k][0]
		told[k] = told[k][1:]
		// What memory forgot may be refused now, which changes nothing; it is never given anything a second time.
		kept := slices.Contains([]Reason{Held, PartlyHeld, Waitlisted, Changed, Passed, Duplicate}, o.Reason)
		if old := w.m.decisions[k]; kept && (o.Reason != old.Reason || o.Hold != old.Hold) {
			t.Fatalf("%+v was answered by %s, hold %d, and is now by %s, hold %d", r, old.Reason, old.Hold, o.Reason, o.Hold)
		}
		if o.Reason == "" {
			t.Fatalf("%+v has an answer without a reason", r)
		}
	}
	for k, left := range told {
		if len(left) > 0 {
			t.Fatalf("%v has too many answers: %+v", k, left)
		}
	}
}

func keyOf(r Request) Key {
	switch r := r.(type) {
	case Claim:
		return r.Key
	case Pass:
		return r.Key
	case Change:
		return r.Key
	case Release:
		return r.Key
	case SetStock:
		return r.Key
	case Air:
		return r.Key
	case Gate:
		return r.Key
	}
	return Key{}
}

// caps checks that nobody came past a cap but by what may bring them there: joining persons, a lower cap, paying late.
func (w *world) caps(t *rapid.T, reqs []Request) {
	may := slices.ContainsFunc(reqs, func(r Request) bool {
		switch r.(type) {
		case Bind, SetShow, Paid:
			return true
		}
		return false
	})
	over := map[wish]int{}
	for k := range w.d.claimed {
		for _, s := range w.d.shows {
			items := append([]Item{{Number: 0, Cap: s.Cap}}, s.Lineup.Items...) // of all items together
			for i := range items {
				it := &items[i]
				x := wish{person: k.person, show: s.ID, number: it.Number}
				if n := w.d.counted(k.person, s.ID, it.Number) - it.Cap; it.Cap > 0 && n > 0 {
					over[x] = n
					if n > w.over[x] && !may {
						t.Fatalf("%v: %s has %d more than the cap of item %d", reqs, k.person, n, it.Number)
					}
				}
			}
		}
	}
	w.over = over
}

// check is what must be true between any two steps.
func (w *world) check(t *rapid.T) {
	held, sold := map[ID]int64{}, map[ID]int64{}
	first := time.Time{}
	for _, h := range w.d.holds {
		if !h.Open() {
			continue
		}
		if h.State == StateHeld && !h.Contained {
			held[h.Variant] += int64(h.Quantity)
		}
		next := h.Expires
		if s := w.d.shows[h.Show]; !h.Reminded && (s.PayOnce == 0 || s.State == ShowEnded) {
			next = h.Due.Add(-min(2*time.Minute, (h.Due.Sub(h.Decided)-SeeAnswer)/5))
		}
		if !w.d.frozen(h) && (first.IsZero() || next.Before(first)) {
			first = next
		}
	}
	if _, look, ok := w.d.looks.First(); ok && (first.IsZero() || look.Before(first)) {
		first = look
	}
	if due, ok := w.d.NextDue(); ok == first.IsZero() || ok && !due.Equal(first) {
		t.Fatalf("NextDue = %v, %v; it has something to do at %v", due, ok, first)
	}
	for _, o := range w.d.orders {
		for v, n := range o.Took {
			sold[v] += n
		}
	}
	guarded, owners := map[ID][2]int64{}, map[ID]map[string]bool{}
	for _, h := range w.d.holds {
		if h.State == StateHeld || h.State == StatePaid {
			if owners[h.Variant] == nil {
				owners[h.Variant] = map[string]bool{}
			}
			owners[h.Variant][h.Person] = true
		}
		if h.State == StateHeld {
			n := guarded[h.Variant]
			if n[0] += int64(h.Quantity); !w.d.watch.Proven(h.Person) {
				n[1] += int64(h.Quantity)
			}
			guarded[h.Variant] = n
		}
	}
	for v, s := range w.d.stock {
		if all, unproven := w.d.watch.Held(v); [2]int64{all, unproven} != guarded[v] {
			t.Fatalf("variant %d: the guard counts %d held, %d by who is not proven; it is %d", v, all, unproven, guarded[v])
		}
		if n := w.d.watch.Owners(v); n != len(owners[v]) {
			t.Fatalf("variant %d: the guard counts %d owners; there are %d", v, n, len(owners[v]))
		}
		if s.Held != held[v] || s.Sold != sold[v] {
			t.Fatalf("variant %d: held %d, sold %d; holds say %d, orders %d", v, s.Held, s.Sold, held[v], sold[v])
		}
		if s.Held < 0 || s.Sold < 0 || s.Short < 0 || !s.Endless && s.Held+s.Sold > s.Available+s.Short {
			t.Fatalf("variant %d: %+v", v, *s)
		}
	}
	for v, ids := range w.d.lines {
		for _, id := range ids {
			w.waits(t, v, w.d.places[id])
		}
	}
	w.facts(t)
	if d := differ(durable(w.d), durable(NewDesk(7, w.m.state()))); d != "" {
		t.Fatalf("the batches do not give the desk's state: %s", d)
	}
}

// waits checks that a place waits for a reason.
func (w *world) waits(t *rapid.T, v ID, p *Place) {
	s := w.d.shows[p.Show]
	if p.State != PlaceWaiting || s.State != ShowLive || s.Paused {
		if p.State != PlaceWaiting {
			t.Fatalf("place %d is in line and %s", p.ID, p.State)
		}
		return
	}
	free := w.d.stock[v].Free()
	it := s.Lineup.Item(p.Number)
	if it == nil || it.Closed || it.Variant(v) == nil || free == 0 || !w.d.restored.IsZero() {
		return
	}
	if !w.d.looks.At(v).IsZero() { // kept for others by the guard, and looked at again soon
		return
	}
	offered := int64(0)
	holds, _ := w.d.mine(wish{p.Person, p.Show, p.Number, v})
	for _, h := range holds {
		if h.State == StateOffered {
			offered += int64(h.Quantity)
		}
	}
	if free < 0 || offered < free { // who is offered all there is waits for more
		t.Fatalf("%s waits for %d while %d are free", p.Viewer.ID, v, free)
	}
}

// facts verifies the ledger and replays it: its last word on each variant is how the variant stands.
func (w *world) facts(t *rapid.T) {
	var from [32]byte
	if w.read > 0 {
		from = w.m.entries[w.read-1].Hash
	}
	if err := Verify(w.m.entries[w.read:], from); err != nil {
		t.Fatal(err)
	}
	for _, e := range w.m.entries[w.read:] {
		var f Fact
		if err := json.Unmarshal(e.Body, &f); err != nil {
			t.Fatal(err)
		}
		for _, s := range f.Stock {
			w.last[s.Variant] = s
			if !s.Endless && s.Held+s.Sold > s.Available+s.Short || min(s.Available, s.Held, s.Sold, s.Short) < 0 {
				t.Fatalf("ledger entry %d (%s): %+v", e.Seq, e.Kind, s)
			}
		}
		if f.Key == nil {
			continue
		}
		if d, ok := w.m.decisions[*f.Key]; !ok || w.named[*f.Key] || f.Reason != d.Reason {
			t.Fatalf("ledger entry %d (%s) names %v %s; named before %v, decided %+v", e.Seq, e.Kind, f.Key, f.Reason, w.named[*f.Key], d)
		}
		w.named[*f.Key] = true
	}
	if len(w.named) != len(w.m.decisions) {
		t.Fatalf("the ledger names %d decisions of %d", len(w.named), len(w.m.decisions))
	}
	w.read = len(w.m.entries)
	for v, s := range w.d.stock {
		if want := (StockFact{Variant: v, Available: s.Available, Held: s.Held, Sold: s.Sold, Short: s.Short, Endless: s.Endless}); w.last[v] != want && want != (StockFact{Variant: v}) {
			t.Fatalf("the ledger's last word on variant %d is %+v; it is %+v", v, w.last[v], want)
		}
	}
}

// draw makes a random request, often one that was made before.
func (w *world) draw(t *rapid.T) Request {
	if len(w.asked) > 0 && rapid.IntRange(0, 7).Draw(t, "again") == 0 {
		return rapid.SampledFrom(w.asked).Draw(t, "which")
	}
	r := w.fresh(t)
	if keyOf(r).Message != "" {
		w.asked = append(w.asked, r)
	}
	return r
}

func (w *world) fresh(t *rapid.T) Request {
	one := func(label string, from, to int) int { return rapid.IntRange(from, to).Draw(t, label) }
	yes := func(label string) bool { return one(label, 0, 2) == 0 }
	who := who(rapid.SampledFrom(persons()).Draw(t, "who"))
	w.n++
	ask := Ask{Key: Key{Platform: who.Platform, Message: strconv.Itoa(w.n)}, Show: rapid.SampledFrom([]ID{spring, spring, spring, autumn}).Draw(t, "show"), Viewer: who}
	variant := rapid.SampledFrom([]ID{mug, mug, small, medium, plate}).Draw(t, "variant")
	item := map[ID]int{mug: 1, small: 2, medium: 2, plate: 3}[variant]
	if ask.Show == autumn {
		variant, item = mug, 9
	}
	ask.Trusted = one("trusted", 0, 9) == 0
	if who.Platform == chat.Room {
		ask.Block = "198.51.100.0/24"
	}
	switch kind := one("kind", 0, 29); kind {
	case 26:
		return Unheard{[]ID{w.someHold(t)}}
	case 27:
		return Reopen{By: "member 5"}
	case 28:
		return Bind{Viewer: who}
	case 29:
		ask.Key = Key{Platform: who.Platform, Message: strconv.Itoa(one("edited", 1, w.n)), Part: w.n}
		return Claim{Ask: ask, Number: item, Variant: variant, Quantity: one("quantity", 1, 4), Edited: true}
	case 10:
		return Pass{Ask: ask, Number: item * one("all", 0, 1)}
	case 11, 12:
		return Change{Ask: ask, Number: item, Variant: variant, Delta: one("delta", -3, 3)}
	case 13:
		return Retract{Message: who.Platform, ID: strconv.Itoa(one("id", 1, w.n)), ByMod: yes("mod")}
	case 14:
		return Release{Key: w.hostKey(t), Hold: w.someHold(t)}
	case 15:
		return Opened{[]ID{w.someHold(t)}}
	case 16, 17:
		name := fmt.Sprint("D", w.n)
		if n := len(w.ahead); n > 0 && yes("paid already") {
			name, w.ahead = w.ahead[n-1], w.ahead[:n-1]
		}
		return Drafted{Holds: []ID{w.someHold(t)}, Draft: name, Created: w.now.Add(-time.Duration(one("ago", 0, 9)) * time.Second)}
	case 18, 19:
		return w.order(t)
	case 20, 21:
		return Read{[]Reading{{Variant: variant, Available: int64(one("available", -1, 6)), At: w.now.Add(-time.Duration(one("ago", 0, 9)) * time.Second), Endless: one("endless", 0, 9) == 0}}}
	case 22:
		n := int64(one("n", -2, 4))
		if yes("set") {
			return SetStock{Key: w.hostKey(t), Variant: variant, Available: &n}
		}
		return SetStock{Key: w.hostKey(t), Variant: variant, Add: n}
	case 23:
		if yes("air") {
			return Air{Key: w.hostKey(t), Show: ask.Show, Number: item * one("item", 0, 1)}
		}
		return Gate{Key: w.hostKey(t), Show: ask.Show, Number: item * one("item", 0, 1), Closed: yes("closed")}
	case 24:
		return w.show(t, ask.Show)
	case 25:
		return Bind{Viewer: who, Person: rapid.SampledFrom([]string{"anna", "bo"}).Draw(t, "person")}
	}
	return Claim{Ask: ask, Number: item, Variant: variant, Quantity: one("quantity", 1, 4), Add: yes("add"), Wait: yes("wait")}
}

// hostKey is the key of a command of the host, which need not have one.
func (w *world) hostKey(t *rapid.T) Key {
	if rapid.Bool().Draw(t, "once") {
		return Key{Platform: "host", Message: strconv.Itoa(w.n)}
	}
	return Key{}
}

func (w *world) someHold(t *rapid.T) ID {
	ids := []ID{5}
	for id, h := range w.d.holds {
		if h.Open() {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids[rapid.IntRange(0, len(ids)-1).Draw(t, "hold")]
}

// order is a new order for some hold of any state, with lines that may differ from it, or news of an old one.
func (w *world) order(t *rapid.T) Request {
	variants := map[string]ID{"gid/mug": mug, "gid/S": small, "gid/M": medium, "gid/plate": plate}
	state := rapid.SampledFrom([]OrderState{OrderPending, OrderPaid, OrderPaid, OrderPaid, OrderRefunded, OrderCancelled}).Draw(t, "state")
	at := w.now.Add(-time.Duration(rapid.IntRange(0, 9).Draw(t, "ago")) * time.Second)
	if len(w.orders) > 0 && rapid.Bool().Draw(t, "old") {
		i := rapid.IntRange(0, len(w.orders)-1).Draw(t, "order")
		o := &w.orders[i]
		o.State, o.Updated, o.Lines = state, at, slices.Clone(o.Lines)
		for i := range o.Lines {
			if rapid.IntRange(0, 2).Draw(t, "edited") == 0 {
				o.Lines[i].Quantity = max(0, o.Lines[i].Quantity+rapid.IntRange(-2, 2).Draw(t, "by"))
			}
		}
		if h := w.d.holds[w.someHold(t)]; h != nil && h.Draft != "" && o.Draft == "" {
			o.Draft = h.Draft
		}
		return Paid{*o, variants}
	}
	o := Order{Store: fmt.Sprint("O", w.n), Name: "#", State: state, Created: at, Updated: at}
	var ids []ID
	for id := range w.d.holds {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	for _, id := range ids {
		h := w.d.holds[id]
		if rapid.IntRange(0, 2).Draw(t, "pays") > 0 {
			continue
		}
		if h.Draft != "" && rapid.Bool().Draw(t, "draft") {
			o.Draft = h.Draft
		} else {
			o.Holds = append(o.Holds, id)
		}
		for gid, v := range variants {
			if v == h.Variant {
				o.Lines = append(o.Lines, OrderLine{Variant: gid, Quantity: max(1, h.Quantity+rapid.IntRange(-1, 1).Draw(t, "edit")), Price: eur(100)})
			}
		}
	}
	if rapid.IntRange(0, 3).Draw(t, "other") == 0 {
		o.Lines = append(o.Lines, OrderLine{Variant: "gid/mug", Quantity: rapid.IntRange(1, 2).Draw(t, "more"), Price: eur(100)})
	}
	if len(o.Holds) == 0 && o.Draft == "" { // of a draft that is not known yet, or of none
		o.Draft = fmt.Sprint("A", w.n)
		w.ahead = append(w.ahead, o.Draft)
	}
	w.orders = append(w.orders, o)
	return Paid{o, variants}
}

// show is a show with a random change: its state, a cap, an item less.
func (w *world) show(t *rapid.T, id ID) Request {
	s := springShow()
	if id == autumn {
		s = autumnShow()
	}
	s.State = rapid.SampledFrom([]ShowState{ShowLive, ShowLive, ShowEnded, ShowPlanned}).Draw(t, "state")
	s.Lineup.Items[0].Cap = rapid.IntRange(0, 3).Draw(t, "cap")
	s.Cap = rapid.SampledFrom([]int{0, 0, 3}).Draw(t, "caps")
	s.Lineup.Items[0].FirstPaid = rapid.IntRange(0, 3).Draw(t, "first paid") == 0
	s.PayOnce = rapid.SampledFrom([]time.Duration{0, 0, 5 * time.Minute}).Draw(t, "pay once")
	s.Guard = Guard{Share: rapid.SampledFrom([]int{0, 0, 50, 100}).Draw(t, "share"), Unpaid: rapid.SampledFrom([]int{0, 1, -1}).Draw(t, "unpaid")}
	if rapid.IntRange(0, 4).Draw(t, "drop") == 0 {
		s.Lineup.Items = s.Lineup.Items[1:]
	}
	if rapid.IntRange(0, 4).Draw(t, "clash") == 0 {
		s.Channels = []chat.Channel{{Platform: chat.Twitch, ID: "1"}}
	}
	return SetShow{s}
}
