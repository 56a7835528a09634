package shopify_test

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"hawker/commerce"
	"hawker/connectors/shopify"
	"hawker/connectors/shopify/shopifysim"
)

// inbox keeps webhooks as a hub does: each id once.
type inbox struct {
	mu    sync.Mutex
	all   []shopify.Webhook // as they came, repeats too
	new   []shopify.Webhook
	fails int // so many are not stored
}

func (b *inbox) take(_ context.Context, w shopify.Webhook) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.fails > 0 {
		b.fails--
		return errors.New("disk full")
	}
	if !slices.ContainsFunc(b.all, func(o shopify.Webhook) bool { return o.ID == w.ID }) {
		b.new = append(b.new, w)
	}
	b.all = append(b.all, w)
	return nil
}

// of gives what came first of a topic.
func (b *inbox) of(topic string) []shopify.Webhook {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(b.new), func(w shopify.Webhook) bool { return w.Topic != topic })
}

func (b *inbox) count() (all, new int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.all), len(b.new)
}

// ours says that one store is ours, with one secret.
func ours(_ context.Context, shop string) ([][]byte, error) {
	if shop != "demo.myshopify.com" {
		return nil, nil
	}
	return [][]byte{[]byte("sim-secret")}, nil
}

// receive opens an inbox on a socket.
func receive(t *testing.T) (*inbox, string) {
	t.Helper()
	b := &inbox{}
	srv := httptest.NewServer(&shopify.Handler{Secrets: ours, Inbox: b.take})
	t.Cleanup(srv.Close)
	return b, srv.URL
}

func TestEnsureWebhooks(t *testing.T) {
	s := open(t, shopifysim.Options{})
	c := connect(t, s)
	const here = "https://hub.test/hooks/shopify"
	var want []string
	for _, topic := range shopify.Topics() {
		want = append(want, topic+" "+here)
	}
	slices.Sort(want)
	check := func(what string, changes int, also ...string) {
		t.Helper()
		n, err := c.EnsureWebhooks(t.Context(), here)
		if err != nil || n != changes {
			t.Errorf("%s: %d changes, %v; want %d", what, n, err, changes)
		}
		got := s.Subscriptions()
		slices.Sort(got)
		if all := slices.Sorted(slices.Values(append(slices.Clone(want), also...))); !slices.Equal(got, all) {
			t.Errorf("%s: subscriptions are %q; want %q", what, got, all)
		}
	}
	check("at first", len(want))
	check("again", 0)
	s.Subscribe("ORDERS_PAID", "https://old.test/hooks")
	check("one that points elsewhere", 1)
	s.Subscribe("ORDERS_PAID", here)
	check("one that is there twice", 1)
	s.Subscribe("PRODUCTS_UPDATE", "https://old.test/hooks")
	check("one that is not ours to judge", 0, "PRODUCTS_UPDATE https://old.test/hooks")
}

// The store may answer no, lose answers and be out of order: in the end each topic is there once.
func TestEnsureWebhooksLostAnswer(t *testing.T) {
	s := open(t, shopifysim.Options{})
	s.Subscribe("ORDERS_PAID", "https://old.test/hooks")
	lost := map[string]bool{}
	var mu sync.Mutex
	f := front(t, s, func(_ http.ResponseWriter, r *http.Request) bool {
		body := bodyOf(r)
		mu.Lock()
		defer mu.Unlock()
		for _, op := range []string{"mutation HookCreate", "mutation HookDelete"} {
			if strings.Contains(body, op) && !lost[op] {
				lost[op] = true
				s.LoseAnswers(1)
			}
		}
		return false
	})
	c := connect(t, s, func(o *shopify.Options) { o.URL = f.URL })
	if _, err := c.EnsureWebhooks(t.Context(), "https://hub.test/hooks"); err != nil {
		t.Fatal(err)
	}
	if got := s.Subscriptions(); len(lost) != 2 || len(got) != len(shopify.Topics()) || strings.Contains(fmt.Sprint(got), "old.test") {
		t.Errorf("after %d lost answers the subscriptions are %q", len(lost), got)
	}
	var no *shopify.Refused
	if _, err := c.EnsureWebhooks(t.Context(), "not an address"); !errors.As(err, &no) {
		t.Errorf("a wrong address: %v; want *Refused", err)
	}
}

func TestWebhooksOfASale(t *testing.T) {
	s := open(t, shopifysim.Options{})
	c := connect(t, s)
	b, at := receive(t)
	if _, err := c.EnsureWebhooks(t.Context(), at); err != nil {
		t.Fatal(err)
	}
	d, err := c.Draft(t.Context(), draftOf(s, 71, "MUG-1", 2, 1500))
	if err != nil {
		t.Fatal(err)
	}
	until(t, "the stock is told", func() bool { return len(b.of("inventory_levels/update")) == 1 })
	l, err := shopify.ParseInventoryLevel(b.of("inventory_levels/update")[0].Body)
	if err != nil || !l.Counted || l.Available != 38 {
		t.Errorf("stock = %+v, %v; want 38", l, err)
	}
	id, err := s.PayDraft(d.ID)
	if err != nil {
		t.Fatal(err)
	}
	until(t, "the payment is told", func() bool {
		return len(b.of("orders/paid")) == 1 && len(b.of("orders/create")) == 1 && len(b.of("draft_orders/update")) == 1
	})
	w := b.of("orders/paid")[0]
	if w.Shop != "demo.myshopify.com" || w.ID == "" || w.EventID == "" || time.Since(w.Triggered) > time.Minute {
		t.Errorf("webhook = %+v", w)
	}
	o, err := shopify.ParseOrder(w.Body)
	if err != nil {
		t.Fatal(err)
	}
	asked, err := c.Order(t.Context(), id)
	if err != nil || fmt.Sprint(o) != fmt.Sprint(asked) {
		t.Errorf("order by webhook = %+v; asked for it is %+v, %v", o, asked, err)
	}
	e, err := shopify.ParseDraft(b.of("draft_orders/update")[0].Body)
	if err != nil || e.ID != d.ID || e.Open || e.Order != id || fmt.Sprint(e.Holds) != "[71]" {
		t.Errorf("draft by webhook = %+v, %v; want it paid as %s", e, err, id)
	}
	s.Uninstall()
	until(t, "the end is told", func() bool { return len(b.of("app/uninstalled")) == 1 })
}

func TestWebhookRepeatedForgedAndLate(t *testing.T) {
	s := open(t, shopifysim.Options{Retry: 10 * time.Millisecond})
	b, at := receive(t)
	s.Subscribe("ORDERS_PAID", at)
	b.fails = 2 // not stored at first: the store tries again
	if _, err := s.BuyOnline("MUG-1", 1); err != nil {
		t.Fatal(err)
	}
	until(t, "it is stored in the end", func() bool { return len(b.of("orders/paid")) == 1 })
	for range 3 {
		if status, err := s.RepeatWebhook(t.Context(), "orders/paid"); err != nil || status != http.StatusOK {
			t.Errorf("repeated: %d, %v; want 200", status, err)
		}
	}
	if all, new := b.count(); all != 4 || new != 1 {
		t.Errorf("%d came and %d were new; want 4 and 1", all, new)
	}
	if status, err := s.ForgeWebhook(t.Context(), "orders/paid", b.of("orders/paid")[0].Body); err != nil || status != http.StatusUnauthorized {
		t.Errorf("forged: %d, %v; want 401", status, err)
	}
	if all, _ := b.count(); all != 4 {
		t.Error("a forged webhook was stored")
	}

	// Late and out of order: the cancellation comes before the sale, and the order's own time tells.
	s.Subscribe("ORDERS_CANCELLED", at)
	s.DelayWebhooks(300 * time.Millisecond)
	name, err := s.BuyOnline("MUG-1", 1)
	if err != nil {
		t.Fatal(err)
	}
	s.DelayWebhooks(0)
	if err := s.Cancel(name); err != nil {
		t.Fatal(err)
	}
	until(t, "both are there", func() bool { return len(b.of("orders/paid")) == 2 && len(b.of("orders/cancelled")) == 1 })
	paid, err := shopify.ParseOrder(b.of("orders/paid")[1].Body)
	if err != nil {
		t.Fatal(err)
	}
	gone, err := shopify.ParseOrder(b.of("orders/cancelled")[0].Body)
	if err != nil {
		t.Fatal(err)
	}
	if paid.Store != gone.Store || paid.State != commerce.OrderPaid || gone.State != commerce.OrderCancelled || !gone.Updated.After(paid.Updated) {
		t.Errorf("paid %+v, cancelled %+v; want one order, cancelled later", paid, gone)
	}
	last := b.all[len(b.all)-1]
	if last.Topic != "orders/paid" || !last.Triggered.Before(b.all[len(b.all)-2].Triggered) {
		t.Errorf("last came %s of %v; want the older orders/paid", last.Topic, last.Triggered)
	}

	// Never sent: the orders are asked for.
	s.DropWebhooks(1)
	if name, err = s.BuyOnline("MUG-1", 1); err != nil {
		t.Fatal(err)
	}
	found := false
	err = connect(t, s).OrdersSince(t.Context(), time.Now().Add(-time.Minute), func(o commerce.Order) error {
		found = found || o.Name == name
		return nil
	})
	if err != nil || !found || len(b.of("orders/paid")) != 2 {
		t.Errorf("the order whose webhook was lost: found %v, %v, %d webhooks", found, err, len(b.of("orders/paid")))
	}
}

func signature(body []byte, secret string) string {
	mac := hmac.New(sha256.New, []byte(secret))
	_, _ = mac.Write(body)
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

func TestHandler(t *testing.T) {
	body := []byte(`{"id":1}`)
	two := func(_ context.Context, shop string) ([][]byte, error) {
		return [][]byte{[]byte("new"), []byte("old")}, nil
	}
	big := bytes.Repeat([]byte("x"), 2<<20+1)
	for _, tt := range []struct {
		name    string
		method  string
		body    []byte
		header  map[string]string // changes; empty takes away
		secrets func(context.Context, string) ([][]byte, error)
		inbox   error
		want    int
	}{
		{name: "right", want: 200},
		{name: "the old secret", header: map[string]string{"X-Shopify-Hmac-Sha256": signature(body, "old")}, secrets: two, want: 200},
		{name: "the new secret", header: map[string]string{"X-Shopify-Hmac-Sha256": signature(body, "new")}, secrets: two, want: 200},
		{name: "no event id and no time", header: map[string]string{"X-Shopify-Event-Id": "", "X-Shopify-Triggered-At": ""}, want: 200},
		{name: "another body", body: []byte(`{"id":2}`), header: map[string]string{"X-Shopify-Hmac-Sha256": signature(body, "sim-secret")}, want: 401},
		{name: "another secret", header: map[string]string{"X-Shopify-Hmac-Sha256": signature(body, "x")}, want: 401},
		{name: "no signature", header: map[string]string{"X-Shopify-Hmac-Sha256": ""}, want: 401},
		{name: "no base64", header: map[string]string{"X-Shopify-Hmac-Sha256": "%%%"}, want: 401},
		{name: "half a signature", header: map[string]string{"X-Shopify-Hmac-Sha256": signature(body, "sim-secret")[:20] + "===="}, want: 401},
		{
			name: "an empty secret", header: map[string]string{"X-Shopify-Hmac-Sha256": signature(body, "")},
			secrets: func(context.Context, string) ([][]byte, error) { return [][]byte{{}}, nil }, want: 401,
		},
		{name: "another store", header: map[string]string{"X-Shopify-Shop-Domain": "other.myshopify.com"}, want: 401},
		{name: "no store", header: map[string]string{"X-Shopify-Shop-Domain": ""}, want: 401},
		{name: "a store that cannot be", header: map[string]string{"X-Shopify-Shop-Domain": "demo.myshopify.com/../x"}, want: 401},
		{name: "a body above the bound", body: big, want: 413},
		{name: "no topic", header: map[string]string{"X-Shopify-Topic": ""}, want: 400},
		{name: "no id", header: map[string]string{"X-Shopify-Webhook-Id": ""}, want: 400},
		{name: "a visit", method: http.MethodGet, want: 405},
		{name: "secrets not read", secrets: func(context.Context, string) ([][]byte, error) { return nil, errors.New("db") }, want: 500},
		{name: "not stored", inbox: errors.New("db"), want: 500},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if tt.body == nil {
				tt.body = body
			}
			if tt.secrets == nil {
				tt.secrets = ours
			}
			if tt.method == "" {
				tt.method = http.MethodPost
			}
			calls := 0
			h := &shopify.Handler{Secrets: tt.secrets, Inbox: func(ctx context.Context, w shopify.Webhook) error {
				calls++
				if end, ok := ctx.Deadline(); !ok || time.Until(end) > 5*time.Second {
					t.Errorf("the inbox may take until %v; the store waits five seconds", end)
				}
				if w.Shop != "demo.myshopify.com" || w.Topic != "orders/paid" || w.ID != "w-1" || !bytes.Equal(w.Body, tt.body) {
					t.Errorf("webhook = %+v", w)
				}
				return tt.inbox
			}}
			srv := httptest.NewServer(h)
			defer srv.Close()
			req, err := http.NewRequestWithContext(t.Context(), tt.method, srv.URL, bytes.NewReader(tt.body))
			if err != nil {
				t.Fatal(err)
			}
			for k, v := range map[string]string{
				"X-Shopify-Topic": "orders/paid", "X-Shopify-Shop-Domain": "demo.myshopify.com", "X-Shopify-Webhook-Id": "w-1",
				"X-Shopify-Event-Id": "e-1", "X-Shopify-Triggered-At": "2026-11-23T07:00:00.123456789Z",
				"X-Shopify-Hmac-Sha256": signature(tt.body, "sim-secret"),
			} {
				req.Header.Set(k, v)
			}
			for k, v := range tt.header {
				req.Header.Set(k, v)
			}
			resp, err := srv.Client().Do(req)
			if err != nil {
				t.Fatal(err)
			}
			_ = resp.Body.Close()
			reached := tt.want == 200 || tt.inbox != nil
			if resp.StatusCode != tt.want || (calls == 1) != reached || calls > 1 {
				t.Errorf("status %d, %d calls of the inbox; want %d, reached %v", resp.StatusCode, calls, tt.want, reached)
			}
		})
	}
}
