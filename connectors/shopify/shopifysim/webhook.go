package shopifysim

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"
)

// tries is how often a webhook is sent at most: once, and eight times again (page "Troubleshoot webhooks").
const tries = 9

// keepSent is how many webhooks are remembered for RepeatWebhook.
const keepSent = 1000

// delivery is one webhook to one subscription.
type delivery struct {
	hook      *subscription
	id, event string
	triggered time.Time
	body      []byte
	forged    bool
}

// secret makes an unguessable name.
func secret(prefix string) string { return prefix + strings.ToLower(rand.Text()) }

// topicHeader spells a topic as X-Shopify-Topic does: ORDERS_CREATE is orders/create, DRAFT_ORDERS_UPDATE is
// draft_orders/update.
func topicHeader(topic string) string {
	t := strings.ToLower(topic)
	for _, thing := range []string{"inventory_levels", "draft_orders", "bulk_operations", "orders", "refunds", "products", "checkouts", "app"} {
		if rest, ok := strings.CutPrefix(t, thing+"_"); ok {
			return thing + "/" + rest
		}
	}
	return t
}

// tell sends body to every subscription of a topic. It does not wait.
func (s *Sim) tell(topic string, body map[string]any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return
	}
	raw, err := json.Marshal(body)
	if err != nil {
		return // bodies are made of plain values only
	}
	event := secret("")
	for _, h := range s.hooks {
		if h.topic != topic {
			continue
		}
		if s.weather.drops > 0 {
			s.weather.drops--
			continue
		}
		d := &delivery{hook: h, id: secret(""), event: event, triggered: time.Now().UTC(), body: raw}
		s.sent = append(s.sent, d)
		if len(s.sent) > keepSent {
			s.sent = slices.Delete(s.sent, 0, len(s.sent)-keepSent)
		}
		wait := s.weather.delay
		s.wg.Go(func() { s.deliver(d, wait) })
	}
}

// deliver sends until the receiver takes it, the attempts are over or the store closes. A subscription whose webhook was
// refused to the end is deleted, as Shopify does with those that were made over the API.
func (s *Sim) deliver(d *delivery, wait time.Duration) {
	pause := s.o.Retry
	for range tries {
		if !s.rest(wait) {
			return
		}
		select {
		case s.slots <- struct{}{}:
		case <-s.ctx.Done():
			return
		}
		status, err := s.send(s.ctx, d)
		<-s.slots
		s.mu.Lock()
		if err == nil && status/100 == 2 {
			s.counts.Delivered++
			s.mu.Unlock()
			return
		}
		s.counts.Failed++
		s.mu.Unlock()
		wait = pause
		pause = time.Duration(float64(pause) * 1.9)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.hooks = slices.DeleteFunc(s.hooks, func(h *subscription) bool { return h == d.hook })
}

func (s *Sim) rest(d time.Duration) bool {
	if d <= 0 {
		return s.ctx.Err() == nil
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-s.ctx.Done():
		return false
	}
}

// send makes one attempt and returns the receiver's status.
func (s *Sim) send(ctx context.Context, d *delivery) (int, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, d.hook.uri, bytes.NewReader(d.body))
	if err != nil {
		return 0, err
	}
	key := s.o.ClientSecret
	if d.forged {
		key = "not the secret of " + s.o.Shop
	}
	mac := hmac.New(sha256.New, []byte(key))
	_, _ = mac.Write(d.body)
	for k, v := range map[string]string{
		"Content-Type": "application/json", "User-Agent": "Shopify-Captain-Hook",
		"X-Shopify-Topic": topicHeader(d.hook.topic), "X-Shopify-Shop-Domain": s.o.Shop, "X-Shopify-API-Version": "2026-10",
		"X-Shopify-Hmac-Sha256": base64.StdEncoding.EncodeToString(mac.Sum(nil)), "X-Shopify-Webhook-Id": d.id, "X-Shopify-Event-Id": d.event,
		"X-Shopify-Triggered-At": d.triggered.Format(time.RFC3339Nano),
	} {
		req.Header.Set(k, v)
	}
	resp, err := s.hook.Do(req)
	if err != nil {
		return 0, err
	}
	_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, 1<<16))
	_ = resp.Body.Close()
	return resp.StatusCode, nil
}
