package demo

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"hawker/internal/chat"
	"hawker/internal/demo/crowd"
	"hawker/internal/lang"
	"hawker/rules"
)

// stopwatch measures at the stand-ins, where viewers would see it: from a line shown to its answer shown, and from a
// payment in the shop to its shout-out shown.
type stopwatch struct {
	grammar *rules.Grammar

	mu       sync.Mutex
	asked    map[chat.Platform][]asked // oldest first
	payments []payment                 // oldest first
	answers  map[chat.Platform]*times
	shouts   map[chat.Platform]*times
}

// asked is a line that wants an answer.
type asked struct {
	id, viewer, name string
	at               time.Time
}

// payment is an order that will be thanked for; who is empty where the shop does not know.
type payment struct {
	webhook string
	who     string
	at      time.Time
	thanked map[chat.Platform]bool
}

// times are the newest measurements of one kind.
type times struct {
	n    int
	last []time.Duration // newest last
}

const (
	keepTimes  = 200
	forgetAsk  = time.Minute     // a line that got no answer until then will get none
	forgetPaid = 5 * time.Minute // likewise a shout-out
	askedMost  = 2000
)

func (t *times) add(d time.Duration) {
	t.n++
	if t.last = append(t.last, max(d, 0)); len(t.last) > keepTimes {
		t.last = slices.Delete(t.last, 0, len(t.last)-keepTimes)
	}
}

// figures are measurements for the page, in milliseconds.
type figures struct {
	Count  int   `json:"count"`
	Last   int64 `json:"last"`
	Median int64 `json:"median"`
	Worst  int64 `json:"worst"`
}

func (t *times) figures() *figures {
	if len(t.last) == 0 {
		return nil
	}
	s := slices.Clone(t.last)
	slices.Sort(s)
	return &figures{t.n, t.last[len(t.last)-1].Milliseconds(), s[len(s)/2].Milliseconds(), s[len(s)-1].Milliseconds()}
}

func newStopwatch() *stopwatch {
	s := &stopwatch{
		grammar: rules.NewGrammar(lineup(), rules.Options{Language: "en"}), asked: map[chat.Platform][]asked{},
		answers: map[chat.Platform]*times{}, shouts: map[chat.Platform]*times{},
	}
	for _, p := range platforms() {
		s.answers[p], s.shouts[p] = &times{}, &times{}
	}
	return s
}

// line notes a line that a viewer typed, if the bot should answer it.
func (s *stopwatch) line(l line) {
	switch c := s.grammar.Parse(l.Text, rules.Context{OnAir: goods()[0].Number}); {
	case c.Name == rules.Chat, c.Name == rules.Question, c.Name.Host():
		return
	}
	s.ask(l.Platform, asked{l.ID, l.viewer, lang.Name(l.Who), time.UnixMilli(l.At)})
}

func (s *stopwatch) ask(p chat.Platform, a asked) {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := slices.DeleteFunc(s.asked[p], func(o asked) bool { return a.at.Sub(o.at) > forgetAsk })
	if len(all) < askedMost {
		all = append(all, a)
	}
	s.asked[p] = all
}

// said notes a line of the bot: the answer to one line or to several, or a shout-out.
func (s *stopwatch) said(l line) {
	if l.Thinking || crowd.Announced(l.Text) > 0 {
		return
	}
	at := time.UnixMilli(l.At)
	s.mu.Lock()
	defer s.mu.Unlock()
	if who := crowd.Bought(l.Text); who != "" && l.only == "" {
		s.thanked(l.Platform, who, at)
		return
	}
	done := map[string]bool{} // one answer may cover several lines of a viewer; the first of them waited longest
	s.asked[l.Platform] = slices.DeleteFunc(s.asked[l.Platform], func(a asked) bool {
		switch {
		case l.replyTo != "" && l.replyTo != a.id, l.only != "" && l.only != a.viewer:
			return false
		case l.replyTo == "" && l.only == "" && !crowd.Names(l.Text, a.name):
			return false
		case !done[a.viewer]:
			done[a.viewer] = true
			s.answers[l.Platform].add(at.Sub(a.at))
		}
		return true
	})
}

func (s *stopwatch) thanked(p chat.Platform, who string, at time.Time) {
	find := func(name string) int {
		return slices.IndexFunc(s.payments, func(x payment) bool { return x.who == name && !x.thanked[p] })
	}
	i := find(who)
	if i < 0 {
		i = find("")
	}
	if i >= 0 {
		s.payments[i].thanked[p] = true
		s.shouts[p].add(at.Sub(s.payments[i].at))
	}
}

// paid notes a payment, once for each webhook.
func (s *stopwatch) paid(webhook, who string, at time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.payments = slices.DeleteFunc(s.payments, func(x payment) bool { return at.Sub(x.at) > forgetPaid })
	if !slices.ContainsFunc(s.payments, func(x payment) bool { return x.webhook == webhook }) {
		s.payments = append(s.payments, payment{webhook, who, at, map[chat.Platform]bool{}})
	}
}

// timing is what the page's panel shows.
type timing struct {
	Answers map[chat.Platform]*figures `json:"answers"`
	Shouts  map[chat.Platform]*figures `json:"shouts"`
	Hub     map[string]*figures        `json:"hub,omitempty"`
}

func (s *stopwatch) timing() timing {
	s.mu.Lock()
	defer s.mu.Unlock()
	t := timing{map[chat.Platform]*figures{}, map[chat.Platform]*figures{}, nil}
	for _, p := range platforms() {
		t.Answers[p], t.Shouts[p] = s.answers[p].figures(), s.shouts[p].figures()
	}
	return t
}

// measureEvery is how often the panel's figures are told.
const measureEvery = time.Second

// measure tells the figures to the pages.
func (d *Demo) measure(ctx context.Context, h House) {
	for ctx.Err() == nil {
		t := d.stopwatch.timing()
		if h.Timing != nil {
			asking, cancel := context.WithTimeout(ctx, measureEvery)
			if x, err := h.Timing(asking); err == nil {
				t.Hub = map[string]*figures{
					"decide": hubFigures(x.Decide.Count, x.Decide.P50, x.Decide.P99, x.Decide.Max), "answer": hubFigures(x.Answer.Count, x.Answer.P50, x.Answer.P99, x.Answer.Max),
					"shout": hubFigures(x.Shout.Count, x.Shout.P50, x.Shout.P99, x.Shout.Max),
				}
			}
			cancel()
		}
		d.board.state("timing", t)
		d.board.state("crowd", d.crowd.State())
		d.board.state("video", d.pictures())
		rest(ctx, measureEvery)
	}
}

// pictures tells of each pretend platform whether it has a picture to show: two segments, which end where a keyframe comes.
func (d *Demo) pictures() [2]bool {
	var out [2]bool
	for i, s := range d.ingests {
		if se := s.Session(); se != nil && s.Counts().Open > 0 {
			f := se.Figures()
			out[i] = !f.Goodbye && strings.Count(f.Order, "K") > 2
		}
	}
	return out
}

// hubFigures are the hub's, which keeps no last one; Last is its 99th percentile.
func hubFigures(count int, p50, p99, worst time.Duration) *figures {
	if count == 0 {
		return nil
	}
	return &figures{count, p99.Milliseconds(), p50.Milliseconds(), worst.Milliseconds()}
}

// tap sees the webhooks that the shop sends, on their way.
type tap struct {
	to   http.RoundTripper
	paid func(webhook, who string, at time.Time)
}

// RoundTrip passes a webhook on, and notes the payment that it tells of.
func (t *tap) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Header.Get("X-Shopify-Topic") != "orders/paid" || r.Body == nil {
		return t.to.RoundTrip(r)
	}
	body, err := io.ReadAll(r.Body)
	_ = r.Body.Close()
	if err != nil {
		return nil, err
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	var order struct {
		Customer struct {
			First string `json:"first_name"`
			Last  string `json:"last_name"`
		}
	}
	at, err := time.Parse(time.RFC3339Nano, r.Header.Get("X-Shopify-Triggered-At"))
	if json.Unmarshal(body, &order) == nil && err == nil {
		who := ""
		if order.Customer.Last == crowd.LastName {
			who = lang.Name(order.Customer.First)
		}
		t.paid(r.Header.Get("X-Shopify-Webhook-Id"), who, at)
	}
	return t.to.RoundTrip(r)
}

// CloseIdleConnections lets the shop end what is open when it closes.
func (t *tap) CloseIdleConnections() {
	if c, ok := t.to.(interface{ CloseIdleConnections() }); ok {
		c.CloseIdleConnections()
	}
}
