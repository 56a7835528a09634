// Package ledgertest is the suite that every ledger passes: that a batch is written whole or not at all, behind its
// fence, once for each key, and that what a desk loads is what a desk committed. It imports testing and is for tests.
package ledgertest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"testing"
	"time"

	"hawker/commerce"
	"hawker/internal/chat"
)

// Store is a ledger together with the questions that the suite asks of it.
type Store interface {
	commerce.Ledger
	// Decided are the stored decisions among keys.
	Decided(ctx context.Context, merchant commerce.ID, keys []commerce.Key) ([]commerce.Decision, error)
	// Entries are ledger rows from seq on, in order, at most limit.
	Entries(ctx context.Context, merchant commerce.ID, from int64, limit int) ([]commerce.Entry, error)
}

// Setup is an empty database and how the suite uses it.
type Setup struct {
	// Open opens the database, each time as another process would, and closes it when t ends.
	Open func(t *testing.T) Store
	// Merchant makes a merchant that has products, with the ids that they have here, and channels.
	Merchant func(t *testing.T, s Store, products []commerce.Product, channels []chat.Channel) commerce.ID
	// Webhook stores a webhook as it comes in and reports whether it was new; Waiting are those that were not settled.
	Webhook func(t *testing.T, s Store, merchant commerce.ID, id string) bool
	Waiting func(t *testing.T, s Store, merchant commerce.ID) []string
	// Look is what Load would give, without taking the merchant over.
	Look func(t *testing.T, s Store, merchant commerce.ID) commerce.State
}

// Test tries every promise of a ledger, each in a subtest with an empty database.
func Test(t *testing.T, open func(t *testing.T) Setup) {
	for _, tt := range []struct {
		name string
		try  func(t *testing.T, s Setup)
	}{
		{"every field of every row comes back", everyField},
		{"a desk loaded anew knows what the desk knew", sameDesk},
		{"a line that one batch made keeps its order", keepsOrder},
		{"a takeover makes the former owner's batch void", fences},
		{"a batch is written once", writesOnce},
		{"a key is decided once", refusesRepeats},
		{"what would break a promise is refused whole", refusesOverselling},
		{"a show's name and channels are its own", refusesClashes},
		{"a channel goes from one show to another in one batch", handsChannelOver},
		{"merchants do not see each other", keepsMerchantsApart},
		{"many merchants commit at once", commitsAtOnce},
		{"a webhook is settled once", settlesInbox},
		{"effects are kept until they are done", keepsEffects},
		{"watermarks never go back", keepsWatermarks},
		{"the ledger's chain goes on over restarts", chains},
		{"a call that is cancelled says what became of it", obeysCancel},
	} {
		t.Run(tt.name, func(t *testing.T) { tt.try(t, open(t)) })
	}
}

// The merchant of the suite sells a mug in the show spring, of which there are three, and a shirt in S and M, one each.
const (
	mug, small, medium = commerce.ID(11), commerce.ID(21), commerce.ID(22)
	spring             = commerce.ID(100)
)

func products() []commerce.Product {
	return []commerce.Product{
		{ID: 1, Title: "Mug", Store: "gid/1", Variants: []commerce.Variant{{ID: mug, SKU: "MUG", Price: eur(1999), Store: "gid/11", Inventory: "gid/i11"}}},
		{ID: 2, Title: "Shirt", Image: "https://shop.example/shirt.png", Store: "gid/2", Options: []string{"Size"}, Variants: []commerce.Variant{
			{ID: small, Options: []string{"S"}, Price: eur(2500)}, {ID: medium, Options: []string{"M"}, Price: eur(2600)},
		}},
	}
}

func twitch(id string) chat.Channel { return chat.Channel{Platform: chat.Twitch, ID: id} }

func eur(minor int64) commerce.Money { return commerce.Money{Minor: minor, Currency: "EUR"} }

// clock is a time that any ledger can keep: whole milliseconds, UTC, near now because what is old is not loaded.
func clock() time.Time { return time.UnixMilli(time.Now().UnixMilli()).UTC() }

// stall is a merchant with a desk and its ledger.
type stall struct {
	t        *testing.T
	s        Store
	merchant commerce.ID
	d        *commerce.Desk
	now      time.Time
	n        int
	name     string // of its show: names are the installation's
}

// openStall makes a merchant, takes it over and stocks it.
func openStall(t *testing.T, set Setup, s Store, name string) *stall {
	t.Helper()
	merchant := set.Merchant(t, s, products(), []chat.Channel{twitch("1"), twitch("2")})
	st := &stall{t: t, s: s, merchant: merchant, now: clock(), name: name}
	st.load()
	show := commerce.Show{ID: spring, Name: name, Title: "Spring", State: commerce.ShowLive, Holds: commerce.HoldsDraft, Channels: []chat.Channel{twitch("1")}}
	for i, p := range products() {
		show.Lineup.Items = append(show.Lineup.Items, commerce.Item{Number: i + 1, Product: p})
	}
	st.must(commerce.SetShow{Show: show}, commerce.SetStock{Variant: mug, Add: 3}, commerce.SetStock{Variant: small, Add: 1}, commerce.SetStock{Variant: medium, Add: 1})
	return st
}

// load takes the merchant over.
func (st *stall) load() {
	st.t.Helper()
	st.d = commerce.NewDesk(st.merchant, st.state())
}

func (st *stall) state() commerce.State {
	st.t.Helper()
	return load(st.t, st.s, st.merchant)
}

func load(t *testing.T, s Store, merchant commerce.ID) commerce.State {
	t.Helper()
	state, err := s.Load(t.Context(), merchant)
	if err != nil {
		t.Fatal(err)
	}
	return state
}

// commit plans requests and writes them; an error takes the plan back.
func (st *stall) commit(reqs ...commerce.Request) ([]commerce.Outcome, error) {
	b, outs := st.d.Plan(st.now, reqs)
	if b.Empty() {
		st.d.CommitNothing()
		return outs, nil
	}
	if err := st.s.Commit(st.t.Context(), b); err != nil {
		st.d.Rollback()
		return outs, err
	}
	st.d.Commit()
	return outs, nil
}

func (st *stall) must(reqs ...commerce.Request) []commerce.Outcome {
	st.t.Helper()
	outs, err := st.commit(reqs...)
	if err != nil {
		st.t.Fatal(err)
	}
	return outs
}

// ask is who asks, under a key of its own.
func (st *stall) ask(name string) commerce.Ask {
	st.n++
	return commerce.Ask{
		Key: commerce.Key{Platform: chat.Twitch, Message: fmt.Sprintf("%s-%d", name, st.n)}, Show: spring,
		Viewer: chat.Viewer{Platform: chat.Twitch, ID: name, Name: "Viewer " + name}, Sent: st.now,
		Answer: chat.Answer{Kind: chat.ToReply, Channel: twitch("1"), Message: fmt.Sprintf("%s-%d", name, st.n)},
	}
}

func (st *stall) claim(name string, number int, variant commerce.ID, quantity int) commerce.Claim {
	return commerce.Claim{Ask: st.ask(name), Number: number, Variant: variant, Quantity: quantity}
}

// rows are what a merchant has in the database, without the fence, in an order that two readings share.
func rows(t *testing.T, s Store, merchant commerce.ID) (commerce.State, []commerce.Entry) {
	t.Helper()
	state := load(t, s, merchant)
	state.Epoch, state.Seq = 0, 0
	slices.SortFunc(state.Orders, func(a, b commerce.OrderRow) int { return cmp.Compare(a.Store, b.Store) })
	slices.SortFunc(state.Receipts, func(a, b commerce.Receipt) int { return cmp.Compare(a.ID, b.ID) })
	slices.SortFunc(state.Shows, func(a, b commerce.Show) int { return cmp.Compare(a.ID, b.ID) })
	slices.SortFunc(state.Joined, func(a, b commerce.Bind) int { return cmp.Compare(a.Viewer.ID, b.Viewer.ID) })
	slices.SortFunc(state.Recent, func(a, b commerce.Decision) int { return cmp.Compare(a.Key.String(), b.Key.String()) })
	entries, err := s.Entries(t.Context(), merchant, 0, 1_000_000)
	if err != nil {
		t.Fatal(err)
	}
	if err := commerce.Verify(entries, [32]byte{}); err != nil {
		t.Error(err)
	}
	return state, entries
}

// untouched returns a check that nothing of a merchant was written since.
func untouched(t *testing.T, s Store, merchant commerce.ID) (check func(after string)) {
	t.Helper()
	state, entries := rows(t, s, merchant)
	return func(after string) {
		t.Helper()
		now, nowEntries := rows(t, s, merchant)
		if d := differ(reflect.ValueOf(state), reflect.ValueOf(now), "state"); d != "" {
			t.Errorf("after %s something was written: %s", after, d)
		}
		if len(entries) != len(nowEntries) {
			t.Errorf("after %s the ledger has %d rows; it had %d", after, len(nowEntries), len(entries))
		}
	}
}

// sums checks that stock rows, holds and orders agree, as the database has them.
func sums(t *testing.T, s Store, merchant commerce.ID) {
	t.Helper()
	state := load(t, s, merchant)
	held, sold := map[commerce.ID]int64{}, map[commerce.ID]int64{}
	for _, h := range state.Holds {
		if h.State == commerce.StateHeld && !h.Contained {
			held[h.Variant] += int64(h.Quantity)
		}
	}
	for _, o := range state.Orders {
		for v, n := range o.Took {
			sold[v] += n
		}
	}
	for _, x := range state.Stock {
		if x.Held != held[x.Variant] || x.Sold != sold[x.Variant] || x.Held+x.Sold > x.Available+x.Short {
			t.Errorf("variant %d is %+v; holds hold %d and orders took %d", x.Variant, x, held[x.Variant], sold[x.Variant])
		}
	}
}

func plain(err error) bool {
	return err != nil && !errors.Is(err, commerce.ErrFenced) && !errors.Is(err, commerce.ErrRepeated) && !errors.Is(err, commerce.ErrUnknown)
}
