package shopifysim_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"hawker/connectors/shopify/shopifysim"
)

// attempt is one arrival of a webhook at a receiver.
type attempt struct {
	to, topic, id, event, signature, body string
	at                                    time.Time
}

// receiver takes webhooks without a socket, so that hours can pass.
type receiver struct {
	mu     sync.Mutex
	came   []attempt
	answer func(n int, a attempt) (int, error) // n counts from 1
}

// RoundTrip implements http.RoundTripper.
func (r *receiver) RoundTrip(req *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(req.Body)
	if err != nil {
		return nil, err
	}
	h := req.Header
	a := attempt{
		req.URL.String(), h.Get("X-Shopify-Topic"), h.Get("X-Shopify-Webhook-Id"), h.Get("X-Shopify-Event-Id"), h.Get("X-Shopify-Hmac-Sha256"),
		string(body), time.Now(),
	}
	r.mu.Lock()
	r.came = append(r.came, a)
	n := len(r.came)
	r.mu.Unlock()
	status := http.StatusOK
	if r.answer != nil {
		if status, err = r.answer(n, a); err != nil {
			return nil, err
		}
	}
	if status == 0 { // hangs
		<-req.Context().Done()
		return nil, req.Context().Err()
	}
	return &http.Response{StatusCode: status, Header: http.Header{"Location": {"http://elsewhere.test/"}}, Body: http.NoBody, Request: req}, nil
}

func (r *receiver) all() []attempt {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.came)
}

// inHours runs f with a store whose webhooks go to r, where time stands still while anything is at work.
func inHours(t *testing.T, r *receiver, f func(*testing.T, *shopifysim.Sim)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s := shopifysim.New(shopifysim.Options{HTTP: &http.Client{Transport: r}})
		defer s.Close()
		f(t, s)
	})
}

func buy(t *testing.T, s *shopifysim.Sim) string {
	t.Helper()
	name, err := s.BuyOnline("MUG-1", 1)
	if err != nil {
		t.Fatal(err)
	}
	synctest.Wait()
	return name
}

// What is refused, hangs, breaks or is sent elsewhere comes again, as it was, until it is taken.
func TestWebhookComesAgain(t *testing.T) {
	r := &receiver{answer: func(n int, _ attempt) (int, error) {
		switch n {
		case 1:
			return http.StatusInternalServerError, nil
		case 2:
			return http.StatusFound, nil
		case 3:
			return 0, nil
		case 4:
			return 0, errors.New("connection refused")
		case 5:
			return http.StatusNotFound, nil
		}
		return http.StatusAccepted, nil
	}}
	inHours(t, r, func(t *testing.T, s *shopifysim.Sim) {
		s.Subscribe("ORDERS_PAID", "https://hub.test/hooks")
		buy(t, s)
		time.Sleep(24 * time.Hour)
		came := r.all()
		if len(came) != 6 {
			t.Fatalf("came %d times; want 6: five failures and one that was taken", len(came))
		}
		first := came[0]
		mac := hmac.New(sha256.New, []byte("sim-secret"))
		_, _ = mac.Write([]byte(first.body))
		if first.topic != "orders/paid" || first.id == "" || first.event == "" || first.signature != base64.StdEncoding.EncodeToString(mac.Sum(nil)) {
			t.Errorf("first attempt = %+v", first)
		}
		for i, a := range came {
			at := a.at
			if a.at = first.at; a != first {
				t.Errorf("attempt %d = %+v; want it as the first, %+v", i+1, a, first)
			}
			if i > 0 && !at.After(came[i-1].at) {
				t.Errorf("attempt %d came at %v, the one before at %v", i+1, at, came[i-1].at)
			}
		}
		if n := s.Counts(); n.Delivered != 1 || n.Failed != 5 {
			t.Errorf("counts = %+v", n)
		}
		if status, err := s.RepeatWebhook(t.Context(), ""); err != nil || status != http.StatusAccepted {
			t.Errorf("repeat: %d, %v", status, err)
		}
		if again := r.all()[6]; again.id != first.id || again.event != first.event || again.body != first.body {
			t.Errorf("repeated = %+v; want the ids of %+v", again, first)
		}
	})
}

// After nine refusals the store gives up and forgets the subscription; others stay.
func TestWebhookGivenUp(t *testing.T) {
	r := &receiver{answer: func(_ int, a attempt) (int, error) {
		if strings.Contains(a.to, "broken") {
			return http.StatusServiceUnavailable, nil
		}
		return http.StatusOK, nil
	}}
	inHours(t, r, func(t *testing.T, s *shopifysim.Sim) {
		s.Subscribe("ORDERS_PAID", "https://broken.test/hooks")
		s.Subscribe("ORDERS_PAID", "https://hub.test/hooks")
		buy(t, s)
		time.Sleep(5 * time.Hour)
		broken := slices.DeleteFunc(r.all(), func(a attempt) bool { return !strings.Contains(a.to, "broken") })
		if len(broken) != 9 {
			t.Errorf("came %d times; want 9", len(broken))
		}
		if got := fmt.Sprint(s.Subscriptions()); got != "[ORDERS_PAID https://hub.test/hooks]" {
			t.Errorf("subscriptions = %s; want the one that works", got)
		}
		before := len(r.all())
		buy(t, s)
		if n := len(r.all()) - before; n != 1 {
			t.Errorf("the next sale was told %d times; want once", n)
		}
	})
}

// One event has one event id and, for each subscription, a webhook id of its own. Two events have two.
func TestWebhookIDs(t *testing.T) {
	r := &receiver{}
	inHours(t, r, func(t *testing.T, s *shopifysim.Sim) {
		s.Subscribe("ORDERS_PAID", "https://a.test/")
		s.Subscribe("ORDERS_PAID", "https://b.test/")
		s.Subscribe("ORDERS_CREATE", "https://a.test/")
		buy(t, s)
		buy(t, s)
		ids, events := map[string]int{}, map[string]int{}
		for _, a := range r.all() {
			ids[a.id]++
			events[a.topic+" "+a.event]++
		}
		if len(ids) != 6 || len(events) != 4 {
			t.Errorf("%d webhook ids and %d events; want 6 and 4", len(ids), len(events))
		}
		for k, n := range events {
			if want := map[string]int{"orders/paid": 2, "orders/create": 1}[strings.Fields(k)[0]]; n != want {
				t.Errorf("%s came %d times; want %d", k, n, want)
			}
		}
	})
}

func TestWebhookLateLostAndForged(t *testing.T) {
	r := &receiver{}
	inHours(t, r, func(t *testing.T, s *shopifysim.Sim) {
		s.Subscribe("ORDERS_PAID", "https://hub.test/")
		s.Subscribe("ORDERS_CANCELLED", "https://hub.test/")
		s.DelayWebhooks(time.Hour)
		name := buy(t, s)
		s.DelayWebhooks(0)
		if err := s.Cancel(name); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		time.Sleep(2 * time.Hour)
		got := r.all()
		if len(got) != 2 || got[0].topic != "orders/cancelled" || got[1].topic != "orders/paid" {
			t.Errorf("came %+v; want the cancellation before the sale", got)
		}
		s.DropWebhooks(1)
		buy(t, s)
		buy(t, s)
		if n := len(r.all()); n != 3 {
			t.Errorf("of two sales, one lost, %d were told; want 1", n-2)
		}
		status, err := s.ForgeWebhook(t.Context(), "orders/paid", []byte(got[1].body))
		forged := r.all()[3]
		if err != nil || status != 200 || forged.body != got[1].body || forged.signature == got[1].signature || forged.id == got[1].id {
			t.Errorf("forged: %d, %v, %+v", status, err, forged)
		}
		if _, err := s.ForgeWebhook(t.Context(), "orders/edited", nil); err == nil {
			t.Error("forged to nobody")
		}
		if _, err := s.RepeatWebhook(t.Context(), "orders/edited"); err == nil {
			t.Error("repeated what was never sent")
		}
		s.Uninstall()
		if len(s.Subscriptions()) != 0 {
			t.Errorf("after the app was removed: %v", s.Subscriptions())
		}
	})
}

// Close ends what waits and what hangs.
func TestCloseEndsDeliveries(t *testing.T) {
	r := &receiver{answer: func(n int, _ attempt) (int, error) { return []int{0, 500}[n%2], nil }}
	inHours(t, r, func(t *testing.T, s *shopifysim.Sim) {
		s.Subscribe("ORDERS_PAID", "https://hub.test/")
		s.Subscribe("ORDERS_CREATE", "https://hub.test/")
		buy(t, s)
		s.Close()
		before := len(r.all())
		_, _ = s.BuyOnline("MUG-1", 1) // tells nobody, and waits for nothing
		time.Sleep(24 * time.Hour)
		if n := len(r.all()); n != before {
			t.Errorf("%d attempts after Close", n-before)
		}
		s.Close()
	})
}

func TestDraftsAndPlainVerbs(t *testing.T) {
	s := shopifysim.New(shopifysim.Options{})
	defer s.Close()
	if s.VariantID("NONE") != "" || s.SetStock("NONE", 1) == nil || s.Cancel("#1") == nil || s.Refund("#1") == nil {
		t.Error("what is not there was found")
	}
	if _, ok := s.Stock("NONE"); ok {
		t.Error("what is not there has stock")
	}
	if _, err := s.PayDraft("gid://shopify/DraftOrder/1"); err == nil {
		t.Error("a draft that is none was paid")
	}
	s.SetURL("https://shop.test/")
	if s.URL() != "https://shop.test" {
		t.Errorf("URL = %s", s.URL())
	}
}
