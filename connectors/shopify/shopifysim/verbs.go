package shopifysim

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"time"
)

// Subscriptions are the webhooks the store sends, as TOPIC and address with a space between.
func (s *Sim) Subscriptions() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []string
	for _, h := range s.hooks {
		out = append(out, h.topic+" "+h.uri)
	}
	return out
}

// Subscribe adds a subscription without asking anything, also a wrong one. The topic is as in the API, ORDERS_PAID.
func (s *Sim) Subscribe(topic, uri string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.hookIDs++
	s.hooks = append(s.hooks, &subscription{id: 12_000_000_000 + s.hookIDs, topic: topic, uri: uri, format: "JSON"})
}

// RepeatWebhook sends the newest webhook of a topic ("orders/paid"; empty for any) again with the same ids, as Shopify
// does after a lost answer, and returns the receiver's status.
func (s *Sim) RepeatWebhook(ctx context.Context, topic string) (int, error) {
	s.mu.Lock()
	var last *delivery
	for _, d := range s.sent {
		if topic == "" || topicHeader(d.hook.topic) == topic {
			last = d
		}
	}
	s.mu.Unlock()
	if last == nil {
		return 0, fmt.Errorf("shopifysim: no webhook %q was sent", topic)
	}
	return s.send(ctx, last)
}

// ForgeWebhook sends body to the first subscription of a topic ("orders/paid"), signed with a wrong secret, and returns the
// receiver's status.
func (s *Sim) ForgeWebhook(ctx context.Context, topic string, body []byte) (int, error) {
	s.mu.Lock()
	var hook *subscription
	for _, h := range s.hooks {
		if topicHeader(h.topic) == topic {
			hook = h
			break
		}
	}
	s.mu.Unlock()
	if hook == nil {
		return 0, fmt.Errorf("shopifysim: nobody subscribed to %q", topic)
	}
	return s.send(ctx, &delivery{hook: hook, id: secret(""), event: secret(""), triggered: time.Now().UTC(), body: body, forged: true})
}

// DelayWebhooks makes every further webhook leave that much later; 0 ends it.
func (s *Sim) DelayWebhooks(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.weather.delay = d
}

// DropWebhooks makes the next n webhooks never be sent.
func (s *Sim) DropWebhooks(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.weather.drops = n
}

// ExpireToken ends every access token that has an end. Refresh tokens stay good.
func (s *Sim) ExpireToken() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, g := range s.tokens {
		if !g.ends.IsZero() {
			g.ends = time.Now().Add(-time.Second)
		}
	}
}

// Throttle leaves the app that many points, so that calls are refused until enough came back.
func (s *Sim) Throttle(points float64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.points, s.pointsAt = points, time.Now()
}

// Break makes the next n calls of the API or for a token fail with 503 before anything is done.
func (s *Sim) Break(n int) { s.BreakWith(n, http.StatusServiceUnavailable, "Service Unavailable") }

// BreakWith makes the next n calls of the API or for a token fail with that status and body before anything is done: 429
// too many, 402 frozen, 423 locked, 200 with a page in place of JSON. An n below 0 is for ever, 0 ends it.
func (s *Sim) BreakWith(n, status int, body string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.weather.breaks, s.weather.status, s.weather.answer = n, status, body
}

// Uninstall is the owner who removes the app: every token and subscription ends, and app/uninstalled is sent to those who
// had asked for it. The authorization page installs it again.
func (s *Sim) Uninstall() {
	s.tell("APP_UNINSTALLED", map[string]any{"id": 1, "name": s.o.Name, "domain": s.o.Shop, "myshopify_domain": s.o.Shop})
	s.mu.Lock()
	defer s.mu.Unlock()
	s.gone, s.hooks = true, nil
	clear(s.tokens)
	clear(s.refresh)
}

// LoseAnswers makes the next n GraphQL calls do their work and then break the connection.
func (s *Sim) LoseAnswers(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.weather.losses = n
}

// takeBreak answers a call that was ordered to fail, and reports whether it did.
func (s *Sim) takeBreak(w http.ResponseWriter) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.weather.breaks == 0 {
		return false
	}
	if s.weather.breaks > 0 {
		s.weather.breaks--
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(s.weather.status)
	_, _ = io.WriteString(w, s.weather.answer)
	return true
}

func (s *Sim) takeLoss() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.weather.losses == 0 {
		return false
	}
	s.weather.losses--
	return true
}
