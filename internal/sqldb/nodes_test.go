package sqldb

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"hawker/commerce"
	"hawker/commerce/ledgertest"
)

// nodesLong makes the tests of two nodes run as often as it says.
const nodesLong = "HAWKER_TEST_NODES"

// node believes that a merchant is its own, and takes it over again whenever it learns otherwise.
type node struct {
	db     *DB
	d      *commerce.Desk
	id     commerce.ID
	now    time.Time
	fenced int
	held   map[commerce.Key]commerce.ID // what it answered
}

func (n *node) load(t *testing.T) {
	st, err := n.db.Load(t.Context(), n.id)
	if err != nil {
		t.Error(err)
	}
	n.d = commerce.NewDesk(n.id, st)
}

// serve decides requests; false means that their askers are told "one moment".
func (n *node) serve(t *testing.T, reqs []commerce.Request) bool {
	for range 4 {
		b, outs := n.d.Plan(n.now, reqs)
		if b.Empty() {
			n.d.CommitNothing()
			n.answer(t, outs)
			return true
		}
		err := n.db.Commit(t.Context(), b)
		switch {
		case err == nil:
			n.d.Commit()
			n.answer(t, outs)
			return true
		case errors.Is(err, commerce.ErrFenced):
			n.fenced++
			n.load(t)
			return false
		case errors.Is(err, commerce.ErrRepeated):
			n.d.Rollback()
			var keys []commerce.Key
			for _, x := range b.Decisions {
				keys = append(keys, x.Key)
			}
			known, err := n.db.Decided(t.Context(), n.id, keys)
			if err != nil {
				t.Error(err)
				return false
			}
			for _, x := range known {
				n.d.Known(x, n.now)
			}
		default:
			t.Error(err)
			return false
		}
	}
	t.Error("keys are repeated again and again")
	return false
}

func (n *node) answer(t *testing.T, outs []commerce.Outcome) {
	for _, o := range outs {
		if o.What != commerce.Claimed || o.Hold == 0 {
			continue
		}
		if old, ok := n.held[o.Key]; ok && old != o.Hold {
			t.Errorf("%v was answered by hold %d and by hold %d", o.Key, old, o.Hold)
		}
		n.held[o.Key] = o.Hold
	}
}

// TestTwoNodes has two nodes believe that they own a merchant and serve the same messages at the same time, each in its own
// order; then one goes on alone.
func TestTwoNodes(t *testing.T) {
	runs := ledgertest.Often(t, nodesLong, 10)
	for _, f := range both() {
		t.Run(f.name, func(t *testing.T) {
			o := f.make(t)
			one, two := open(t, o), open(t, o)
			fenced, both, oneMoment := 0, 0, 0
			for run := range runs {
				id := merchant(t, one, fmt.Sprint("m", run))
				const stock, messages = 40, 90
				stockPieces(t, one, id, stock)
				var all []commerce.Request
				for i := range messages {
					all = append(all, buy(i))
				}
				now := time.UnixMilli(time.Now().UnixMilli()).UTC()
				nodes := []*node{
					{db: one, id: id, now: now, held: map[commerce.Key]commerce.ID{}}, {db: two, id: id, now: now, held: map[commerce.Key]commerce.ID{}},
				}
				var wg sync.WaitGroup
				start := make(chan struct{})
				lost := make([]int, 2)
				for i, n := range nodes {
					n.load(t)
					mine := slices.Clone(all)
					rand.Shuffle(len(mine), func(a, b int) { mine[a], mine[b] = mine[b], mine[a] })
					wg.Go(func() {
						<-start
						for len(mine) > 0 {
							k := min(len(mine), 1+rand.IntN(9))
							if !n.serve(t, mine[:k]) {
								lost[i] += k
							}
							mine = mine[k:]
						}
					})
				}
				close(start)
				wg.Wait()
				// One goes on: every message is delivered once more.
				last := nodes[rand.IntN(2)]
				last.load(t)
				if !last.serve(t, all) {
					t.Errorf("run %d: who goes on alone was told that it does not rule", run)
				}
				st := look(t, one, id)
				checkSale(t, st, messages, stock)
				for k, hold := range nodes[0].held {
					if other, ok := nodes[1].held[k]; ok {
						both++
						if other != hold {
							t.Errorf("run %d: the nodes answered %v by hold %d and by hold %d", run, k, hold, other)
						}
					}
				}
				for _, n := range nodes {
					fenced += n.fenced
					for k, hold := range n.held {
						if !slices.ContainsFunc(st.Holds, func(h commerce.Hold) bool { return h.ID == hold && h.Viewer.ID == k.Message }) {
							t.Errorf("run %d: hold %d of %v was acknowledged and is not there", run, hold, k)
						}
					}
				}
				oneMoment += lost[0] + lost[1]
				ledgertest.Audit(t, one, id, st)
			}
			t.Logf("%d runs: %d batches fenced, %d messages answered with \"one moment\", %d answered alike by both", runs, fenced, oneMoment, both)
			if fenced == 0 {
				t.Error("the nodes never met")
			}
		})
	}
}

// checkSale checks rows of a sale to viewers who each claim once.
func checkSale(t *testing.T, st commerce.State, messages int, stock int64) {
	t.Helper()
	var held int64
	pieces := map[string]int{}
	for _, h := range st.Holds {
		held += int64(h.Quantity)
		pieces[h.Viewer.ID] += h.Quantity
	}
	if s := st.Stock[0]; s.Held != held || held > stock || s.Available != stock || held < stock {
		t.Errorf("%+v; holds hold %d of %d", s, held, stock)
	}
	decided := map[commerce.Key]int{}
	for _, d := range st.Recent {
		decided[d.Key]++
	}
	for i := range messages {
		c := buy(i)
		if pieces[c.Viewer.ID] > c.Quantity {
			t.Errorf("viewer %d asked for %d and holds %d", i, c.Quantity, pieces[c.Viewer.ID])
		}
		if decided[c.Key] > 1 {
			t.Errorf("message %d was decided %d times", i, decided[c.Key])
		}
	}
}

// TestTwoProcesses has two programs sell for one merchant; one is killed, then the other.
func TestTwoProcesses(t *testing.T) {
	runs := ledgertest.Often(t, nodesLong, 4)
	for _, f := range both() {
		t.Run(f.name, func(t *testing.T) {
			k := newKilling(t, f.make(t))
			db := open(t, k.o)
			k.id = merchant(t, db, "ana")
			stockPieces(t, db, k.id, 200)
			for i := 0; i < runs || k.fenced == 0 && i < 20*runs; i++ { // where one is slow to start they miss each other
				var wg sync.WaitGroup
				for range 2 {
					wg.Go(func() { k.life(t) })
				}
				wg.Wait()
				k.afterLife(t, db, i)
			}
			if k.fenced == 0 {
				t.Error("the programs never met")
			}
			t.Logf("%d runs of two: %s", runs, k)
		})
	}
}

// TestExpiryRacesPayment has the end of a hold and its payment come at the same moment, a thousand times over both databases,
// while somebody waits for the piece: exactly one wins, each time. The long form does it as often on each.
func TestExpiryRacesPayment(t *testing.T) {
	for _, f := range both() {
		t.Run(f.name+"/one node", func(t *testing.T) { raceExpiry(t, f, ledgertest.Often(t, nodesLong, 50)*10, false) })
		t.Run(f.name+"/two nodes", func(t *testing.T) { raceExpiry(t, f, ledgertest.Often(t, nodesLong, 20)*10, true) })
	}
}

func raceExpiry(t *testing.T, f fresh, races int, twoNodes bool) {
	const each = 100 // races with one merchant
	o := f.make(t)
	one := open(t, o)
	two := one
	if twoNodes {
		two = open(t, o)
	}
	ended, paid, late, unfilled := 0, 0, 0, 0
	for m := 0; races > 0; m++ {
		n := min(races, each)
		races -= n
		id := merchant(t, one, fmt.Sprint("m", m))
		stockPieces(t, one, id, int64(n))
		r := &race{t: t, id: id, dbs: []*DB{one, two}, now: time.UnixMilli(time.Now().UnixMilli()).UTC()}
		var claims []commerce.Request
		for i := range n {
			c := buy(i)
			c.Quantity = 1
			claims = append(claims, c)
		}
		r.load()
		for _, c := range claims { // a second apart, so that each ends alone
			r.plan(r.d[0], c)
			r.now = r.now.Add(time.Second)
		}
		for i := range n / 5 { // some wait, so that a piece that was let go is somebody else's
			c := buy(1000 + i)
			c.Quantity = 1
			r.plan(r.d[0], c)
		}
		holds := r.holds()
		for _, h := range holds[:n] {
			r.now = h.Expires
			r.told = map[commerce.What]int{}
			if twoNodes {
				r.apart(h)
			} else {
				r.together(h)
			}
			switch w, l := r.told[commerce.Settled], r.told[commerce.Expired]; {
			case w+l != 1:
				t.Fatalf("hold %d: %v", h.ID, r.told)
			case w == 1 && (r.told[commerce.Late]+r.told[commerce.Unfilled] > 0):
				t.Fatalf("hold %d was paid twice: %v", h.ID, r.told)
			case l == 1 && r.told[commerce.Late]+r.told[commerce.Unfilled] != 1:
				t.Fatalf("hold %d ended and its payment was lost: %v", h.ID, r.told)
			}
			ended += r.told[commerce.Expired]
			paid += r.told[commerce.Settled]
			late += r.told[commerce.Late]
			unfilled += r.told[commerce.Unfilled]
		}
		st := look(t, one, id)
		s := st.Stock[0]
		if s.Held+s.Sold > s.Available || s.Available != int64(n) {
			t.Errorf("oversold: %+v", s)
		}
		ledgertest.Audit(t, one, id, st)
	}
	t.Logf("the end won %d times (then %d were paid late, %d came too late for the piece), the payment %d times", ended, late, unfilled, paid)
	if ended == 0 || paid == 0 || late+unfilled == 0 {
		t.Error("it was no race")
	}
}

// race is a merchant of one node, or of two that both believe in it.
type race struct {
	t    *testing.T
	id   commerce.ID
	dbs  []*DB
	d    []*commerce.Desk
	now  time.Time
	mu   sync.Mutex
	told map[commerce.What]int
}

func (r *race) load() {
	r.t.Helper()
	st, err := r.dbs[0].Load(r.t.Context(), r.id)
	if err != nil {
		r.t.Fatal(err)
	}
	r.d = nil
	for range r.dbs { // both know the same fence
		c := st
		c.Shows, c.Stock, c.Holds, c.Places, c.Receipts = slices.Clone(st.Shows), slices.Clone(st.Stock), slices.Clone(st.Holds), slices.Clone(st.Places), slices.Clone(st.Receipts)
		c.Orders = slices.Clone(st.Orders)
		r.d = append(r.d, commerce.NewDesk(r.id, c))
	}
}

func (r *race) holds() []commerce.Hold {
	st := look(r.t, r.dbs[0], r.id)
	slices.SortFunc(st.Holds, func(a, b commerce.Hold) int { return a.Expires.Compare(b.Expires) })
	return st.Holds
}

func (r *race) plan(d *commerce.Desk, reqs ...commerce.Request) {
	r.t.Helper()
	if err := r.try(r.dbs[0], d, reqs...); err != nil {
		r.t.Fatal(err)
	}
}

func (r *race) try(db *DB, d *commerce.Desk, reqs ...commerce.Request) error {
	b, outs := d.Plan(r.now, reqs)
	if b.Empty() {
		d.CommitNothing()
		return nil
	}
	if err := db.Commit(context.Background(), b); err != nil {
		d.Rollback()
		return err
	}
	d.Commit()
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, o := range outs {
		if r.told != nil && o.What != commerce.Promoted {
			r.told[o.What]++
		}
	}
	return nil
}

func (r *race) payment(h commerce.Hold) commerce.Request {
	return commerce.Paid{Order: commerce.Order{
		Store: "order-" + h.ID.String(), Name: "#1", State: commerce.OrderPaid, Holds: []commerce.ID{h.ID}, Total: h.Total(),
		Lines: []commerce.OrderLine{{Variant: "gid/11", Quantity: 1, Price: h.Price}}, Created: r.now, Updated: r.now,
	}, Variants: map[string]commerce.ID{"gid/11": killPiece}}
}

// together lets one node decide both, in one batch or in two, in either order.
func (r *race) together(h commerce.Hold) {
	reqs := []commerce.Request{commerce.Expire{}, r.payment(h)}
	if rand.IntN(2) == 0 {
		slices.Reverse(reqs)
	}
	if rand.IntN(2) == 0 {
		r.plan(r.d[0], reqs...)
		return
	}
	for _, q := range reqs {
		r.plan(r.d[0], q)
	}
}

// apart lets each node decide one of the two at the same moment; who learns that it does not rule takes over and decides
// again.
func (r *race) apart(h commerce.Hold) {
	reqs := []commerce.Request{commerce.Expire{}, r.payment(h)}
	errs := make([]error, 2)
	var wg sync.WaitGroup
	for i := range 2 {
		wg.Go(func() { errs[i] = r.try(r.dbs[i], r.d[i], reqs[i]) })
	}
	wg.Wait()
	if (errs[0] == nil) == (errs[1] == nil) {
		r.t.Fatalf("of two nodes one rules: %v", errs)
	}
	r.load()
	for i, err := range errs {
		if err == nil {
			continue
		}
		if !errors.Is(err, commerce.ErrFenced) {
			r.t.Fatal(err)
		}
		r.plan(r.d[0], reqs[i])
	}
	r.load()
}
