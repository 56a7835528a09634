package live

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"hawker/commerce"
	"hawker/internal/sqldb"
)

// cashier is a store that the test looks into.
type cashier struct {
	draft func() // called while a draft is being made

	mu     sync.Mutex
	made   []Draft
	gone   []string
	refuse map[string]error // of Release, by draft
	orders func() []commerce.Order
}

func (s *cashier) Stock(context.Context, []string) (map[string]commerce.Reading, error) {
	return nil, nil //nolint:nilnil // it counts nothing
}

func (s *cashier) Draft(_ context.Context, d Draft) (Drafted, error) {
	if s.draft != nil {
		s.draft()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.made = append(s.made, d)
	id := fmt.Sprint("D", len(s.made))
	return Drafted{ID: id, URL: "https://store.example/" + id, Created: time.Now()}, nil
}

func (s *cashier) Release(_ context.Context, draft string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.refuse[draft]; err != nil {
		return err
	}
	s.gone = append(s.gone, draft)
	return nil
}

func (s *cashier) Adjust(context.Context, string, int64, string) error { return nil }

func (s *cashier) CartLink(Draft) (string, error) { return "https://store.example/cart", nil }

func (s *cashier) OrdersSince(_ context.Context, _ time.Time, tell func(commerce.Order) error) error {
	s.mu.Lock()
	orders := s.orders
	s.mu.Unlock()
	if orders == nil {
		return nil
	}
	for _, o := range orders() {
		if err := tell(o); err != nil {
			return err
		}
	}
	return nil
}

func (s *cashier) Ready(context.Context, string) error { return nil }

func (s *cashier) Read(topic string, body []byte) (Notice, error) {
	if topic == "draft_orders/update" {
		return Notice{Draft: string(body)}, nil
	}
	return Notice{Order: &commerce.Order{Store: string(body), Name: string(body), State: commerce.OrderPaid, Updated: time.Now()}}, nil
}

func (s *cashier) released() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.gone)
}

// sell puts a store behind the stall.
func (s *stall) sell(x Store) {
	s.t.Helper()
	connect := s.hub.Connect
	s.hub.Connect = func(ctx context.Context, m sqldb.Merchant) (Connections, error) {
		c, err := connect(ctx, m)
		c.Store = x
		return c, err
	}
	s.chat.mu.Lock()
	s.chat.hear = nil
	s.chat.mu.Unlock()
	if err := s.hub.Serve(s.t.Context(), s.merchant); err != nil {
		s.t.Fatal(err)
	}
	s.until("the chat is heard anew", func() bool {
		s.chat.mu.Lock()
		defer s.chat.mu.Unlock()
		return s.chat.hear != nil
	})
}

// receipt is the receipt of a viewer who claimed.
func (s *stall) receipt(name string) commerce.ReceiptView {
	s.t.Helper()
	for _, h := range s.page().Open {
		if h.Viewer.Name == name {
			v, err := s.hub.Receipt(s.t.Context(), s.merchant, h.Receipt)
			if err != nil {
				s.t.Fatal(err)
			}
			return v
		}
	}
	s.t.Fatalf("%s holds nothing", name)
	return commerce.ReceiptView{}
}

// Two taps on "Continue to checkout" lead to one checkout: of two, both could be paid.
func TestCheckoutIsMadeOnce(t *testing.T) {
	s := openStall(t, t.TempDir())
	x := &cashier{draft: func() { time.Sleep(100 * time.Millisecond) }}
	s.sell(x)
	s.types("ana", "!buy 3")
	s.says("#3 Mug held")
	id := s.receipt("ana").Receipt.ID
	var urls [4]string
	var taps sync.WaitGroup
	for i := range urls {
		taps.Go(func() {
			var err error
			if urls[i], err = s.hub.Checkout(context.Background(), s.merchant, id); err != nil {
				t.Error(err)
			}
		})
	}
	taps.Wait()
	if len(x.made) != 1 || strings.Join(urls[:], " ") != strings.TrimSpace(strings.Repeat("https://store.example/D1 ", len(urls))) {
		t.Errorf("%d drafts were made, the taps led to %q", len(x.made), urls)
	}
}

// A browser that goes away leaves no draft behind that nobody knows of.
func TestCheckoutIsFinishedWithoutItsBrowser(t *testing.T) {
	s := openStall(t, t.TempDir())
	ctx, leave := context.WithCancel(context.Background())
	s.sell(&cashier{draft: leave})
	s.types("ana", "!buy 3")
	s.says("#3 Mug held")
	if _, err := s.hub.Checkout(ctx, s.merchant, s.receipt("ana").Receipt.ID); err != nil {
		t.Fatal(err)
	}
	if h := s.receipt("ana").Holds[0]; h.Draft != "D1" {
		t.Errorf("the hold's draft is %q", h.Draft)
	}
}

// What is given back while the store makes its checkout is in no checkout.
func TestCheckoutOfWhatWasGivenBack(t *testing.T) {
	s := openStall(t, t.TempDir())
	x := &cashier{}
	s.sell(x)
	s.types("ana", "!buy 3")
	s.says("#3 Mug held")
	s.types("ana", "!buy 4")
	s.says("#4 Vase held")
	x.draft = func() {
		x.draft = nil
		s.types("ana", "!pass 4")
		s.until("the vase is given back", func() bool { return s.page().HeldPieces == 1 })
	}
	url, err := s.hub.Checkout(context.Background(), s.merchant, s.receipt("ana").Receipt.ID)
	if err != nil || url != "https://store.example/D2" || len(x.made[1].Lines) != 1 {
		t.Fatalf("%q of %+v, %v", url, x.made, err)
	}
	s.until("the first draft is let go", func() bool { return slices.Equal(x.released(), []string{"D1"}) })
	// The same after the checkout was made.
	s.types("ana", "!buy 5 M")
	s.says("#5 Shirt M held")
	x.draft = func() {
		x.draft = nil
		s.types("ana", "!pass 5")
		s.until("the shirt is given back", func() bool { return s.page().HeldPieces == 1 })
	}
	if url, err = s.hub.Checkout(context.Background(), s.merchant, s.receipt("ana").Receipt.ID); err != nil || url != "https://store.example/D2" {
		t.Errorf("%q, %v", url, err)
	}
}

// What is first paid, first served is paid at a checkout that sets nothing aside, apart from what is held.
func TestCheckoutOfOffers(t *testing.T) {
	s := openStall(t, t.TempDir())
	s.change(func(show *commerce.Show) { show.Lineup.Items[1].FirstPaid = true })
	x := &cashier{}
	s.sell(x)
	s.types("ana", "!buy 3")
	s.says("#3 Mug held")
	s.types("ana", "!buy 4")
	s.says("First paid, first served")
	id := s.receipt("ana").Receipt.ID
	for range 2 {
		if _, err := s.hub.Checkout(context.Background(), s.merchant, id); err != nil {
			t.Fatal(err)
		}
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	if len(x.made) != 2 || x.made[0].Until.IsZero() || !x.made[1].Until.IsZero() || len(x.made[0].Holds) != 1 || len(x.made[1].Holds) != 1 {
		t.Errorf("drafts %+v", x.made)
	}
}

// What is only offered is paid as far as it is there still, and refused before money moves when it is not.
func TestCheckoutOfWhatIsGone(t *testing.T) {
	s := openStall(t, t.TempDir())
	s.change(func(show *commerce.Show) { show.Lineup.Items[0].FirstPaid = true })
	x := &cashier{}
	s.sell(x)
	s.types("ana", "!buy 3 x3")
	s.says("First paid, first served")
	id := s.page().Offers[0].Receipt
	ctx := context.Background()
	stock := func(n int64) {
		t.Helper()
		if _, err := s.hub.Ask(ctx, s.merchant, commerce.Key{}, commerce.SetStock{Variant: s.page().Items[0].Stock[0].Variant.ID, Available: &n}); err != nil {
			t.Fatal(err)
		}
	}
	tap := func(want string) {
		t.Helper()
		if url, err := s.hub.Checkout(ctx, s.merchant, id); err != nil || url != "https://store.example/"+want {
			t.Fatalf("%q, %v; want %s", url, err, want)
		}
	}
	gone := func() {
		t.Helper()
		if url, err := s.hub.Checkout(ctx, s.merchant, id); !errors.Is(err, ErrGone) || !errors.Is(err, ErrNothingToPay) {
			t.Fatalf("%q, %v", url, err)
		}
	}
	stock(0)
	gone()
	stock(2)
	tap("D1") // of two
	tap("D1")
	stock(1) // one was paid
	tap("D2")
	s.until("the checkout of two is let go", func() bool { return slices.Equal(x.released(), []string{"D1"}) })
	stock(0)
	gone()
	s.until("the checkout of one is let go", func() bool { return slices.Equal(x.released(), []string{"D1", "D2"}) })
	x.mu.Lock()
	defer x.mu.Unlock()
	if len(x.made) != 2 || x.made[0].Lines[0].Quantity != 2 || x.made[1].Lines[0].Quantity != 1 || x.made[1].Again {
		t.Errorf("drafts %+v", x.made)
	}
}

// A draft that the store keeps does not keep the others.
func TestReleasesGoOn(t *testing.T) {
	s := openStall(t, t.TempDir())
	x := &cashier{refuse: map[string]error{"D1": errors.New("it is paid")}}
	s.sell(x)
	w := s.hub.Merchant(s.merchant).store
	for _, d := range []string{"D1", "D2", "D3"} {
		w.Release(d)
	}
	s.until("the others are let go", func() bool { return len(x.released()) == 2 })
	x.mu.Lock()
	x.refuse = nil
	x.mu.Unlock()
	s.until("it is tried again", func() bool { return len(x.released()) == 3 })
}

// books is a store whose orders are many: the first question for them ends before all were told.
type books struct {
	*cashier
	since chan time.Time
	first bool
}

func (b *books) OrdersSince(_ context.Context, t time.Time, tell func(commerce.Order) error) error {
	b.since <- t
	if b.first = !b.first; !b.first {
		return nil
	}
	at := t.Add(time.Hour)
	return errors.Join(tell(commerce.Order{Store: "O1", Name: "#1", State: commerce.OrderPaid, Created: at, Updated: at}), context.DeadlineExceeded)
}

// A question for more orders than can be told in its time goes on where the last one ended: else it would never end, and a shop
// that was restored would never sell.
func TestManyOrders(t *testing.T) {
	s := openStall(t, t.TempDir())
	if err := s.db.PutStore(context.Background(), s.merchant, sqldb.Store{Kind: "shopify", Shop: "demo.myshopify.com", Holds: commerce.HoldsDraft, StoreSecret: sqldb.StoreSecret{Token: "t"}}); err != nil {
		t.Fatal(err)
	}
	b := &books{cashier: &cashier{}, since: make(chan time.Time, 100)}
	s.sell(b)
	if first, second := <-b.since, <-b.since; !second.Equal(first.Add(time.Hour)) {
		t.Errorf("asked since %v, then since %v", first, second)
	}
}

// Orders are asked for as soon as a draft is told as paid whose holds are not: its order may not say what it pays.
func TestDraftPaid(t *testing.T) {
	s := openStall(t, t.TempDir())
	ctx := context.Background()
	if err := s.db.PutStore(ctx, s.merchant, sqldb.Store{Kind: "shopify", Shop: "demo.myshopify.com", Holds: commerce.HoldsDraft, StoreSecret: sqldb.StoreSecret{Token: "t"}}); err != nil {
		t.Fatal(err)
	}
	asked := make(chan struct{}, 100)
	x := &cashier{orders: func() []commerce.Order { asked <- struct{}{}; return nil }}
	s.sell(x)
	s.types("ana", "!buy 3")
	s.says("#3 Mug held")
	if _, err := s.hub.Checkout(ctx, s.merchant, s.receipt("ana").Receipt.ID); err != nil {
		t.Fatal(err)
	}
	w := s.hub.Merchant(s.merchant).store
	s.until("orders were asked for at the start", func() bool { return len(asked) > 0 })
	<-asked
	for i, draft := range []string{"D7", "D1"} { // one that is not ours, and hers
		if len(asked) > 0 {
			t.Error("orders were asked for because of a draft that is not ours")
		}
		if _, err := s.db.PutWebhook(ctx, s.merchant, sqldb.Webhook{ID: fmt.Sprint("w", i), Topic: "draft_orders/update", Body: []byte(draft), Came: time.Now()}); err != nil {
			t.Fatal(err)
		}
		w.Webhook()
		s.until("the webhook is taken in", func() bool {
			open, err := s.db.OpenWebhooks(ctx, s.merchant, 10)
			return err == nil && len(open) == 0
		})
	}
	s.until("orders are asked for", func() bool { return len(asked) > 0 })
}

// A webhook is settled though nobody told that it came, once, and settled ones keep nothing of their buyers.
func TestWebhooksAreFound(t *testing.T) {
	s := openStall(t, t.TempDir())
	ctx := context.Background()
	if _, err := s.db.PutWebhook(ctx, s.merchant, sqldb.Webhook{ID: "w1", Topic: "orders/paid", Body: []byte("O1"), Came: time.Now()}); err != nil {
		t.Fatal(err)
	}
	s.sell(&cashier{})
	s.until("the inbox is empty", func() bool {
		open, err := s.db.OpenWebhooks(ctx, s.merchant, 10)
		return err == nil && len(open) == 0
	})
	if fresh, err := s.db.PutWebhook(ctx, s.merchant, sqldb.Webhook{ID: "w1", Topic: "orders/paid", Body: []byte("O1"), Came: time.Now()}); err != nil || fresh {
		t.Errorf("the same webhook again is new: %v, %v", fresh, err)
	}
}
