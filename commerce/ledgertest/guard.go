package ledgertest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"hawker/commerce"
	"hawker/internal/chat"
)

// fences: whoever took the merchant over last writes; who had it before learns so, and nothing of theirs is written.
func fences(t *testing.T, set Setup) {
	s, other := set.Open(t), set.Open(t)
	st := openStall(t, set, s, "spring")
	old := st.d
	second := &stall{t: t, s: other, merchant: st.merchant, now: st.now, n: 1000}
	second.load()
	b, _ := old.Plan(st.now, []commerce.Request{st.claim("ana", 1, 0, 1), commerce.Air{Show: spring, Number: 1}})
	b.Effects = []commerce.Effect{{ID: 1, Kind: "say", Body: []byte("{}"), NotAfter: st.now}}
	b.Watermarks = map[chat.Channel]time.Time{twitch("1"): st.now}
	if err := s.Commit(t.Context(), b); !errors.Is(err, commerce.ErrFenced) {
		t.Errorf("the former owner's Commit = %v, want ErrFenced", err)
	}
	old.Rollback()
	second.must(second.claim("bob", 1, 0, 2))
	if _, err := st.commit(st.claim("ana", 1, 0, 1)); !errors.Is(err, commerce.ErrFenced) {
		t.Errorf("the former owner's second Commit = %v, want ErrFenced", err)
	}
	state, _ := rows(t, s, st.merchant)
	if len(state.Holds) != 1 || state.Holds[0].Viewer.ID != "bob" || len(state.Recent) != 1 || len(state.Effects) != 0 || len(state.Watermarks) != 0 || state.Shows[0].Lineup.OnAir != 0 {
		t.Errorf("something of the former owner's batch was written: %+v", state)
	}
	sums(t, s, st.merchant)
	// Reading took it over once more.
	if _, err := second.commit(second.claim("cy", 1, 0, 1)); !errors.Is(err, commerce.ErrFenced) {
		t.Errorf("Commit after a third takeover = %v, want ErrFenced", err)
	}
	// The takeover itself: the latest epoch is the greatest, and seq moves with it.
	a, b2 := load(t, s, st.merchant), load(t, other, st.merchant)
	if b2.Epoch != a.Epoch+1 || b2.Seq != a.Seq+1 {
		t.Errorf("two takeovers: epoch %d then %d, seq %d then %d", a.Epoch, b2.Epoch, a.Seq, b2.Seq)
	}
}

// writesOnce: a batch sent again, by whoever does not know what became of it, is not written again.
func writesOnce(t *testing.T, set Setup) {
	s := set.Open(t)
	st := openStall(t, set, s, "spring")
	b, _ := st.d.Plan(st.now, []commerce.Request{st.claim("ana", 1, 0, 1)})
	if err := s.Commit(t.Context(), b); err != nil {
		t.Fatal(err)
	}
	st.d.Commit()
	if err := s.Commit(t.Context(), b); !errors.Is(err, commerce.ErrFenced) {
		t.Errorf("the same batch again: %v, want ErrFenced", err)
	}
	st.must(st.claim("bob", 1, 0, 1)) // the owner's fence did not move
	state, _ := rows(t, s, st.merchant)
	if len(state.Holds) != 2 {
		t.Errorf("%d holds, want 2", len(state.Holds))
	}
	sums(t, s, st.merchant)
}

// refusesRepeats: a key that was decided in a former life voids the whole batch; told so, the desk plans again and gives
// the old answer.
func refusesRepeats(t *testing.T, set Setup) {
	s := set.Open(t)
	st := openStall(t, set, s, "spring")
	ana := st.claim("ana", 1, 0, 2)
	first := st.must(ana)[0]
	state := st.state()
	state.Recent = nil // memory forgot
	st.d = commerce.NewDesk(st.merchant, state)
	bob := st.claim("bob", 2, small, 1)
	reqs := []commerce.Request{ana, bob, commerce.Air{Show: spring, Number: 2}}
	if _, err := st.commit(reqs...); !errors.Is(err, commerce.ErrRepeated) {
		t.Fatalf("Commit = %v, want ErrRepeated", err)
	}
	known, err := s.Decided(t.Context(), st.merchant, []commerce.Key{ana.Key, bob.Key})
	if err != nil || len(known) != 1 || known[0].Key != ana.Key || known[0].Hold != first.Hold || known[0].Reason != commerce.Held {
		t.Fatalf("Decided = %+v, %v; nothing but the first decision should be there", known, err)
	}
	for _, d := range known {
		st.d.Known(d, st.now)
	}
	outs := st.must(reqs...)
	if len(outs) != 3 || !outs[0].Repeat || outs[0].Hold != first.Hold || outs[1].Reason != commerce.Held || outs[2].What != commerce.Aired {
		t.Errorf("outcomes %+v", outs)
	}
	now, _ := rows(t, s, st.merchant)
	if len(now.Holds) != 2 || now.Shows[0].Lineup.OnAir != 2 {
		t.Errorf("%d holds, item %d on air", len(now.Holds), now.Shows[0].Lineup.OnAir)
	}
	sums(t, s, st.merchant)
	// The same message of another part, platform or merchant is another key.
	st.load()
	for i, k := range []commerce.Key{{Platform: ana.Key.Platform, Message: ana.Key.Message, Part: 1}, {Platform: chat.Room, Message: ana.Key.Message}} {
		ana.Key = k
		ana.Quantity = 3 - i
		if outs := st.must(ana); outs[0].Repeat {
			t.Errorf("%v counts as %v", k, outs[0].Key)
		}
	}
}

// refusesOverselling: batches that no honest desk makes are refused whole, and the owner goes on.
func refusesOverselling(t *testing.T, set Setup) {
	s := set.Open(t)
	st := openStall(t, set, s, "spring")
	st.must(st.claim("ana", 1, 0, 2))
	for _, tt := range []struct {
		name  string
		forge func(b *commerce.Batch)
	}{
		{"more held than there is", func(b *commerce.Batch) { b.Stock[0].Held = 2 }},
		{"more sold than there is", func(b *commerce.Batch) { b.Stock[0].Sold = 2 }},
		{"less than nothing held", func(b *commerce.Batch) { b.Stock[0].Held = -3 }},
		{"less than nothing sold", func(b *commerce.Batch) { b.Stock[0].Sold = -1 }},
		{"a stock row that is not there", func(b *commerce.Batch) { b.Stock[0].Variant = 999 }},
		{"less available than is held", func(b *commerce.Batch) {
			b.Stock[0] = commerce.StockChange{Variant: mug, Held: 1, Set: true, To: commerce.Stock{Variant: mug, Available: 2, Held: 3}}
		}},
		{"a shortage below nothing", func(b *commerce.Batch) {
			b.Stock[0] = commerce.StockChange{Variant: mug, Set: true, To: commerce.Stock{Variant: mug, Available: 9, Short: -1}}
		}},
		{"a hold of nothing", func(b *commerce.Batch) { b.Holds[0].Quantity = 0 }},
		{"a change of a hold that is not there", func(b *commerce.Batch) { b.NewHolds = nil }},
		{"a change of a place that is not there", func(b *commerce.Batch) {
			b.Places = []commerce.Place{{ID: 9, State: commerce.PlaceWaiting, Quantity: 1}}
		}},
		{"a ledger row of a number that is taken", func(b *commerce.Batch) { b.Entries[len(b.Entries)-1].Seq = 1 }},
	} {
		b, _ := st.d.Plan(st.now, []commerce.Request{st.claim("bob", 1, 0, 1)})
		if len(b.Stock) != 1 || len(b.Holds) != 1 || len(b.Receipts) != 1 {
			t.Fatalf("batch %+v", b)
		}
		tt.forge(b)
		if err := s.Commit(t.Context(), b); !plain(err) {
			t.Errorf("%s: Commit = %v, want the database's own error", tt.name, err)
		}
		st.d.Rollback()
		st.must(commerce.SetStock{Variant: small, Add: 1}) // the fence stands, the owner goes on
		state, entries := rows(t, s, st.merchant)
		if len(state.Holds)+len(state.Places) != 1 || len(state.Receipts) != 1 || len(state.Recent) != 1 || state.Stock[0].Held != 2 {
			t.Errorf("%s: something was written: %+v", tt.name, state)
		}
		if last := entries[len(entries)-1]; last.Kind != "stock" || last.Hash != state.LastHash {
			t.Errorf("%s: the ledger's last row is %+v", tt.name, last)
		}
		st.load()
	}
	sums(t, s, st.merchant)
}

// refusesClashes: a show cannot have the name of another show of the installation, nor a channel of another live show.
func refusesClashes(t *testing.T, set Setup) {
	s := set.Open(t)
	st, other := openStall(t, set, s, "spring"), openStall(t, set, s, "autumn")
	show := commerce.Show{ID: 200, Name: "autumn", Title: "Mine", State: commerce.ShowPlanned}
	check := untouched(t, s, st.merchant)
	st.load()
	if _, err := st.commit(commerce.SetShow{Show: show}); !plain(err) {
		t.Errorf("another merchant's name: %v", err)
	}
	check("taking another's name")
	st.load()
	// The desk refuses the second live show of a channel; the database does so for whoever would not.
	show.Name, show.State = "winter", commerce.ShowLive
	b, _ := st.d.Plan(st.now, []commerce.Request{commerce.SetShow{Show: show}})
	b.Shows[0].Channels = []chat.Channel{twitch("1")}
	if err := s.Commit(t.Context(), b); !plain(err) {
		t.Errorf("a channel in two live shows: %v", err)
	}
	st.d.Rollback()
	check("a channel in two live shows")
	st.load()
	show.State, show.Channels = commerce.ShowPlanned, []chat.Channel{twitch("1")}
	st.must(commerce.SetShow{Show: show}) // planned it may stand there
	other.must(other.claim("bob", 1, 0, 1))
}

func handsChannelOver(t *testing.T, set Setup) {
	s := set.Open(t)
	st := openStall(t, set, s, "spring")
	// Both orders of ids: the one that ends has the lower id, then the higher.
	a, _ := st.d.View(spring, st.now)
	first := a.Show
	second := commerce.Show{ID: 200, Name: "autumn", Title: "Autumn", State: commerce.ShowPlanned, Channels: first.Channels}
	st.must(commerce.SetShow{Show: second})
	for i := range 4 {
		first.State, second.State = commerce.ShowEnded, commerce.ShowLive
		reqs := []commerce.Request{commerce.SetShow{Show: first}, commerce.SetShow{Show: second}}
		if i%2 == 1 {
			first.State, second.State = commerce.ShowLive, commerce.ShowEnded
			reqs = []commerce.Request{commerce.SetShow{Show: second}, commerce.SetShow{Show: first}}
		}
		st.must(reqs...)
		st.load()
		want := []commerce.ID{200, spring}[i%2]
		if got := st.d.LiveShow(twitch("1")); got != want {
			t.Errorf("after %d changes show %d is live, want %d", i+1, got, want)
		}
	}
}

// keepsMerchantsApart: two merchants whose ids and keys are alike.
func keepsMerchantsApart(t *testing.T, set Setup) {
	s := set.Open(t)
	a, b := openStall(t, set, s, "one"), openStall(t, set, s, "two")
	check := untouched(t, s, b.merchant)
	b.load()
	a.must(a.claim("ana", 1, 0, 3), a.claim("bob", 1, 0, 1), commerce.Air{Show: spring, Number: 1}, commerce.Bind{Viewer: a.ask("ana").Viewer, Person: "p"})
	a.must(commerce.Pass{Ask: a.ask("ana")}, commerce.Gate{Show: spring, Closed: true})
	check("another merchant's sale")
	b.load()
	if outs := b.must(b.claim("ana", 1, 0, 3)); outs[0].Repeat || outs[0].Holding != 3 {
		t.Errorf("the same key at another merchant: %+v", outs[0])
	}
	sums(t, s, a.merchant)
	sums(t, s, b.merchant)
}

// commitsAtOnce: many merchants commit at the same time; now and then one of them sends what is refused, which must not
// take anything of the others along.
func commitsAtOnce(t *testing.T, set Setup) {
	const merchants, rounds = 24, 12
	s := set.Open(t)
	stalls := make([]*stall, merchants)
	for i := range stalls {
		stalls[i] = openStall(t, set, s, fmt.Sprintf("show-%d", i))
		stalls[i].must(commerce.SetStock{Variant: mug, Add: 100})
	}
	var all sync.WaitGroup
	for i, st := range stalls {
		all.Go(func() {
			for r := range rounds {
				if (i+r)%4 == 0 { // one that is refused
					b, _ := st.d.Plan(st.now, []commerce.Request{st.claim("mallory", 1, 0, 1)})
					b.Stock[0].Held += 1000
					if err := s.Commit(t.Context(), b); !plain(err) {
						t.Errorf("a forged batch: %v", err)
					}
					st.d.Rollback()
				}
				name := fmt.Sprintf("v%d", r)
				if _, err := st.commit(st.claim(name, 1, 0, 1), st.claim(name+"'", 1, 0, 2)); err != nil {
					t.Errorf("merchant %d, round %d: %v", i, r, err)
					return
				}
			}
		})
	}
	all.Wait()
	for _, st := range stalls {
		state, _ := rows(t, s, st.merchant)
		i := slices.IndexFunc(state.Stock, func(x commerce.Stock) bool { return x.Variant == mug })
		if len(state.Holds) != 2*rounds || state.Stock[i].Held != 3*rounds {
			t.Errorf("merchant %d: %d holds, %d held; want %d and %d", st.merchant, len(state.Holds), state.Stock[i].Held, 2*rounds, 3*rounds)
		}
		sums(t, s, st.merchant)
	}
}

func settlesInbox(t *testing.T, set Setup) {
	s := set.Open(t)
	st, other := openStall(t, set, s, "spring"), openStall(t, set, s, "autumn")
	for _, id := range []string{"w1", "w2"} {
		if !set.Webhook(t, s, st.merchant, id) {
			t.Errorf("%s is new and was taken for known", id)
		}
	}
	set.Webhook(t, s, other.merchant, "w1")
	if set.Webhook(t, s, st.merchant, "w1") {
		t.Error("w1 is taken for new a second time")
	}
	settle := func(st *stall) (*commerce.Batch, error) {
		o := commerce.Order{Store: "gid/o1", Name: "#1", State: commerce.OrderPaid, Total: eur(1999), Lines: []commerce.OrderLine{{Variant: "gid/11", Quantity: 1}}, Created: st.now, Updated: st.now}
		b, _ := st.d.Plan(st.now, []commerce.Request{commerce.Paid{Order: o, Variants: map[string]commerce.ID{"gid/11": mug}}})
		b.Inbox = []string{"w1"}
		err := s.Commit(t.Context(), b)
		if err == nil {
			st.d.Commit()
		} else {
			st.d.Rollback()
		}
		return b, err
	}
	waiting := func(want ...string) {
		t.Helper()
		if got := set.Waiting(t, s, st.merchant); !slices.Equal(got, want) {
			t.Errorf("waiting %v, want %v", got, want)
		}
	}
	waiting("w1", "w2")
	if _, err := settle(st); err != nil {
		t.Fatal(err)
	}
	waiting("w2")
	if set.Webhook(t, s, st.merchant, "w1") {
		t.Error("w1 is taken for new after it was settled")
	}
	waiting("w2")
	// It comes a second time by another way: the order is known, nothing but the inbox changes.
	b, err := settle(st)
	if err != nil || len(b.Orders) != 0 {
		t.Errorf("the second time: %v, orders %v", err, b.Orders)
	}
	if got := set.Waiting(t, s, other.merchant); !slices.Equal(got, []string{"w1"}) {
		t.Errorf("the other merchant's webhooks: %v", got)
	}
	state, _ := rows(t, s, st.merchant)
	if len(state.Orders) != 1 || state.Stock[0].Sold != 1 {
		t.Errorf("orders %+v, stock %+v", state.Orders, state.Stock)
	}
	// A batch that is refused settles nothing.
	st.load()
	b, _ = st.d.Plan(st.now, nil)
	st.state() // another takes over
	b.Inbox = []string{"w2"}
	if err := s.Commit(t.Context(), b); !errors.Is(err, commerce.ErrFenced) {
		t.Errorf("Commit = %v, want ErrFenced", err)
	}
	waiting("w2")
}

func keepsEffects(t *testing.T, set Setup) {
	s := set.Open(t)
	st, other := openStall(t, set, s, "spring"), openStall(t, set, s, "autumn")
	effect := func(id commerce.ID) commerce.Effect {
		return commerce.Effect{ID: id, Kind: "say", Body: []byte(fmt.Sprintf(`{"n": %d,  "text": "ü"}`, id)), NotAfter: st.now.Add(time.Minute)}
	}
	write := func(st *stall, done []commerce.ID, es ...commerce.Effect) {
		t.Helper()
		b, _ := st.d.Plan(st.now, nil)
		b.Effects, b.Done = es, done
		if err := s.Commit(t.Context(), b); err != nil {
			t.Fatal(err)
		}
		st.d.Commit()
	}
	write(st, nil, effect(1), effect(2), commerce.Effect{ID: 3, Kind: "empty"})
	write(other, nil, effect(1))
	write(st, []commerce.ID{1, 77}, effect(4))
	state, _ := rows(t, s, st.merchant)
	same(t, []commerce.Effect{effect(2), {ID: 3, Kind: "empty", Body: []byte{}}, effect(4)}, state.Effects, "effects")
	st.load()
	write(st, []commerce.ID{2, 3, 4})
	state, _ = rows(t, s, st.merchant)
	if len(state.Effects) != 0 {
		t.Errorf("effects %+v are left", state.Effects)
	}
	if state, _ = rows(t, s, other.merchant); len(state.Effects) != 1 {
		t.Errorf("the other merchant's effects: %+v", state.Effects)
	}
}

func keepsWatermarks(t *testing.T, set Setup) {
	s := set.Open(t)
	st := openStall(t, set, s, "spring")
	for i, at := range []time.Duration{0, time.Minute, 30 * time.Second, -time.Hour} {
		b, _ := st.d.Plan(st.now, []commerce.Request{st.claim("ana", 1, 0, 1+i%2)})
		b.Watermarks = map[chat.Channel]time.Time{twitch("1"): st.now.Add(at), twitch("unknown"): st.now}
		if err := s.Commit(t.Context(), b); err != nil {
			t.Fatal(err)
		}
		st.d.Commit()
	}
	st.load()
	if got, want := st.d.Watermark(twitch("1")), st.now.Add(time.Minute); !got.Equal(want) {
		t.Errorf("watermark %v, want %v", got, want)
	}
	if got := st.d.Watermark(twitch("2")); !got.IsZero() {
		t.Errorf("a channel where nothing was said has the watermark %v", got)
	}
}

func chains(t *testing.T, set Setup) {
	st := openStall(t, set, set.Open(t), "spring")
	for i := range 5 {
		st.s = set.Open(t)
		st.load()
		st.must(st.claim(fmt.Sprint("v", i), 1, 0, 1), commerce.Air{Show: spring, Number: 1 + i%2})
		st.must(commerce.Pass{Ask: st.ask(fmt.Sprint("v", i))})
	}
	state, entries := rows(t, st.s, st.merchant)
	last := entries[len(entries)-1]
	if last.Seq != int64(len(entries)) || state.LastEntry != last.Seq || state.LastHash != last.Hash {
		t.Errorf("%d entries, the last is %d; the fence says %d", len(entries), last.Seq, state.LastEntry)
	}
	// Parts of it verify too, and what was tampered with does not.
	if err := commerce.Verify(entries[3:], entries[2].Hash); err != nil {
		t.Error(err)
	}
	page, err := st.s.Entries(t.Context(), st.merchant, 4, 2)
	if err != nil || len(page) != 2 || page[0].Seq != 4 {
		t.Errorf("Entries from 4, 2 of them: %+v, %v", page, err)
	}
	entries[4].Body = []byte(`{"quantity":9}`)
	if err := commerce.Verify(entries, [32]byte{}); err == nil {
		t.Error("a body that was tampered with verifies")
	}
}

// obeysCancel: whoever no longer waits gets an error or nil, and the database agrees with it.
func obeysCancel(t *testing.T, set Setup) {
	s := set.Open(t)
	st := openStall(t, set, s, "spring")
	st.must(commerce.SetStock{Variant: mug, Add: 1000})
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	check := untouched(t, s, st.merchant)
	st.load()
	b, _ := st.d.Plan(st.now, []commerce.Request{st.claim("ana", 1, 0, 1)})
	if err := s.Commit(gone, b); !errors.Is(err, context.Canceled) {
		t.Errorf("Commit = %v, want context.Canceled", err)
	}
	st.d.Rollback()
	check("a call that was cancelled before it began")
	if _, err := s.Load(gone, st.merchant); !errors.Is(err, context.Canceled) {
		t.Errorf("Load = %v, want context.Canceled", err)
	}
	st.load()
	held := 0
	for i := range 60 { // cancelled at any moment
		ctx, cancel := context.WithCancel(t.Context())
		b, _ := st.d.Plan(st.now, []commerce.Request{st.claim(fmt.Sprint("v", i), 1, 0, 1)})
		done := make(chan struct{})
		go func() {
			defer close(done)
			for range i * 20 {
				if ctx.Err() != nil {
					return
				}
			}
			cancel()
		}()
		err := s.Commit(ctx, b)
		cancel()
		<-done
		switch {
		case err == nil:
			st.d.Commit()
			held++
		case errors.Is(err, commerce.ErrUnknown):
			st.load()
			v, _ := st.d.View(spring, st.now)
			if got := v.HeldPieces; got != held && got != held+1 {
				t.Fatalf("%d held after an unknown commit, %d before", got, held)
			}
			held = v.HeldPieces
		default:
			st.d.Rollback()
		}
	}
	st.load()
	if v, _ := st.d.View(spring, st.now); v.HeldPieces != held {
		t.Errorf("%d held, %d were acknowledged", v.HeldPieces, held)
	}
	sums(t, s, st.merchant)
}
