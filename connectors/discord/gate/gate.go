// Package gate is the one way out to Discord's REST API. It points requests at the configured address, keeps the limits
// that Discord's headers teach, holds everything during a global limit or a ban, and stops for good when the token is
// refused. It repeats nothing.
package gate

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

const (
	// globalRate and globalBurst stay under 50 requests in any second (page "Rate Limits", Global Rate Limit).
	globalRate, globalBurst = 35, 15
	// patience is how long a request waits for its route; a longer wait is a refusal that says how long.
	patience = 10 * time.Second
	// Discord bans an address at 10,000 answers with 401, 403 or 429 in 10 min (page "Rate Limits"); we stop at a fifth.
	invalidMost, invalidPer = 2000, 10 * time.Minute
	// banFor is how long to stay away when the gatekeeper before Discord refuses and names no time.
	banFor   = time.Minute
	maxReply = 8 << 20 // bytes of an answer
)

// Error is an answer with a status of 300 or more, or a refusal of our own in its place. It never holds an address:
// those of interactions contain tokens.
type Error struct {
	Status  int
	Code    int // Discord's own, 0 where it gave none
	Message string
	After   time.Duration // leave the route (or, when Global, everything) alone for this long
	Global  bool
	Private bool // of a request without the bot's token
	Ours    bool // nothing was sent
}

func (e *Error) Error() string {
	if e.Code != 0 {
		return fmt.Sprintf("discord answered %d (code %d): %s", e.Status, e.Code, e.Message)
	}
	return fmt.Sprintf("discord answered %d: %s", e.Status, e.Message)
}

// Gate is an http.RoundTripper. An answer with an error status comes back as *Error. The X-RateLimit headers are taken
// off, because discordgo would sleep on them a second time without listening to a context, and would lose the answer
// when one is malformed. A request without an Authorization header is private: the answer to an interaction, whose token
// is its limit; it stands outside of the global limit and waits for nothing but the end of a ban.
type Gate struct {
	next   http.RoundTripper
	base   *url.URL
	global *rate.Limiter

	mu      sync.Mutex
	stopped *Error
	hold    time.Time // nothing with the token goes out before
	ban     time.Time // nothing at all goes out before
	routes  map[string]*route
	bad     []time.Time   // recent answers with 401, 403 or 429
	skew    time.Duration // Discord's clock less ours
}

// route is one rate-limited path with its channel or guild.
type route struct {
	turn  chan struct{} // one request at a time, so that what the last answer said is known
	limit int
	left  int
	reset time.Time
	per   time.Duration // the longest Reset-After seen
}

// New makes a gate to base over next. The address that a request names is replaced, but for its path.
func New(next http.RoundTripper, base *url.URL) *Gate {
	return &Gate{next: next, base: base, global: rate.NewLimiter(globalRate, globalBurst), routes: map[string]*route{}}
}

// RoundTrip sends one request when its turn has come.
func (g *Gate) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.Body != nil {
		defer req.Body.Close() // also when nothing is sent; closing twice is harmless for the buffers we send
	}
	ctx := req.Context()
	private := req.Header.Get("Authorization") == ""
	path := strings.TrimPrefix(req.URL.Path, "/")
	out := req.Clone(ctx)
	out.URL = g.base.JoinPath(path)
	out.URL.RawQuery = req.URL.RawQuery
	out.Host = ""
	if private {
		if d := g.banned(); d > 0 {
			return nil, &Error{Status: 429, Message: "banned for a while", After: d, Global: true, Private: true, Ours: true}
		}
		resp, err := g.next.RoundTrip(out)
		if err != nil {
			return nil, err
		}
		return g.judge(resp, nil, true)
	}
	r := g.route(req.Method + " " + sharedPath(path))
	select {
	case r.turn <- struct{}{}:
		defer func() { <-r.turn }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if err := g.wait(ctx, r); err != nil {
		return nil, err
	}
	if err := g.global.Wait(ctx); ctx.Err() != nil {
		return nil, ctx.Err()
	} else if err != nil {
		return nil, &Error{Status: 429, Message: "too many requests at once", After: time.Second, Ours: true}
	}
	resp, err := g.next.RoundTrip(out)
	if err != nil {
		return nil, err
	}
	return g.judge(resp, r, false)
}

// banned is how long the gatekeeper before Discord wants to be left alone.
func (g *Gate) banned() time.Duration {
	g.mu.Lock()
	defer g.mu.Unlock()
	return time.Until(g.ban)
}

// sharedPath is a path without the ids that share one limit: those of messages, and of members of a guild (page "Rate Limits",
// top-level resources). Each message with a route of its own would also fill the memory.
func sharedPath(path string) string {
	part := strings.Split(path, "/")
	for i := 2; i+3 < len(part); i++ { // api/v9/channels/ID/messages/ID
		switch top, sub := part[i], part[i+2]; {
		case top == "channels" && sub == "messages", top == "guilds" && sub == "members":
			part[i+3] = "*"
			if i+5 < len(part) && part[i+4] == "roles" {
				part[i+5] = "*"
			}
			return strings.Join(part, "/")
		}
	}
	return path
}

func (g *Gate) route(key string) *route {
	g.mu.Lock()
	defer g.mu.Unlock()
	r := g.routes[key]
	if r == nil {
		r = &route{turn: make(chan struct{}, 1), left: 1}
		g.routes[key] = r
	}
	return r
}

// wait blocks until the route and everything may go on, or says for how long they may not.
func (g *Gate) wait(ctx context.Context, r *route) error {
	for {
		g.mu.Lock()
		stopped, until, global := g.stopped, g.hold, true
		if r.left <= 0 && r.reset.After(until) {
			until, global = r.reset, false
		}
		g.mu.Unlock()
		if stopped != nil {
			return stopped
		}
		d := time.Until(until)
		if d <= 0 {
			return nil
		}
		if end, ok := ctx.Deadline(); d > patience || ok && end.Before(until) {
			return &Error{Status: 429, Message: "waiting for a rate limit", After: d, Global: global, Ours: true}
		}
		if err := Pause(ctx, d); err != nil {
			return err
		}
	}
}

// Now is the time by Discord's clock, as far as its answers told it; they name whole seconds.
func (g *Gate) Now() time.Time { return time.Now().Add(g.Skew()) }

// Skew is how far Discord's clock is ahead of ours: exact to a second or two, and 0 when they differ by less.
func (g *Gate) Skew() time.Duration {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.skew
}

// clock learns the time from an answer.
func (g *Gate) clock(h http.Header) {
	t, err := http.ParseTime(h.Get("Date"))
	if err != nil {
		return
	}
	d := time.Until(t.Add(time.Second / 2))
	if d.Abs() < 2*time.Second { // within what the answer's way and its whole seconds explain
		d = 0
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.skew = d
}

// judge learns from an answer and turns one with an error status into an error. r is nil for private requests.
func (g *Gate) judge(resp *http.Response, r *route, private bool) (*http.Response, error) {
	if r != nil {
		g.learn(r, resp.Header)
	}
	g.clock(resp.Header)
	shared := resp.Header.Get("X-RateLimit-Scope") == "shared"
	for k := range resp.Header {
		if strings.HasPrefix(k, "X-Ratelimit-") && k != "X-Ratelimit-Global" {
			resp.Header.Del(k)
		}
	}
	global := resp.Header.Get("X-RateLimit-Global") != ""
	resp.Header.Del("X-RateLimit-Global")
	if resp.StatusCode < 300 {
		resp.Body = &limited{io.LimitReader(resp.Body, maxReply), resp.Body}
		return resp, nil
	}
	defer resp.Body.Close()
	b, _ := io.ReadAll(io.LimitReader(resp.Body, 64<<10))
	e := &Error{Status: resp.StatusCode, Message: http.StatusText(resp.StatusCode), Global: global, Private: private}
	var d struct {
		Code    int     `json:"code"`
		Message string  `json:"message"`
		After   float64 `json:"retry_after"`
		Global  bool    `json:"global"`
	}
	plain := !json.Valid(b)
	_ = json.Unmarshal(b, &d) // of fields with odd types nothing is taken
	if !plain && d.Message != "" {
		e.Code, e.Message = d.Code, d.Message
	}
	if e.Status == http.StatusTooManyRequests {
		after, _ := strconv.ParseFloat(resp.Header.Get("Retry-After"), 64)
		e.After = duration(max(d.After, 0))
		if e.After == 0 {
			e.After = duration(after)
		}
		e.Global = e.Global || d.Global || plain // a body that is no JSON comes from the gatekeeper: a ban
		if e.After == 0 && plain {
			e.After = banFor
		}
		if e.After == 0 {
			e.After = time.Second // no time is named
		}
		e.After = max(e.After, 50*time.Millisecond)
	}
	g.mark(e, r, e.Status == http.StatusTooManyRequests && plain, shared)
	return nil, e
}

// learn reads the limits of a route from an answer. Nothing is known before the first.
func (g *Gate) learn(r *route, h http.Header) {
	limit, err1 := strconv.Atoi(h.Get("X-RateLimit-Limit"))
	left, err2 := strconv.Atoi(h.Get("X-RateLimit-Remaining"))
	after, err3 := strconv.ParseFloat(h.Get("X-RateLimit-Reset-After"), 64)
	if err1 != nil || err2 != nil || err3 != nil || limit < 1 {
		g.mu.Lock()
		defer g.mu.Unlock()
		r.left = max(r.left, 1) // a route without a limit of its own
		return
	}
	d := duration(after)
	g.mu.Lock()
	defer g.mu.Unlock()
	r.limit, r.left, r.reset = limit, left, time.Now().Add(d)
	r.per = max(r.per, d)
}

// mark keeps what an error answer means for the requests after it.
func (g *Gate) mark(e *Error, r *route, ban, shared bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	now := time.Now()
	if e.Status == 401 || e.Status == 403 || e.Status == 429 && !shared { // a shared limit is not our fault and not counted
		cut := 0
		for cut < len(g.bad) && now.Sub(g.bad[cut]) > invalidPer {
			cut++
		}
		if g.bad = append(g.bad[cut:], now); len(g.bad) >= invalidMost {
			g.hold = later(g.hold, g.bad[0].Add(invalidPer))
		}
	}
	if ban {
		g.ban = later(g.ban, now.Add(e.After))
	}
	switch {
	case e.Status == 401 && !e.Private:
		g.stopped = &Error{Status: 401, Code: e.Code, Message: e.Message, Ours: true}
	case e.Status == 429 && e.Global:
		g.hold = later(g.hold, now.Add(e.After))
	case e.Status == 429 && r != nil:
		r.left, r.reset = 0, later(r.reset, now.Add(e.After))
	}
}

// Stop ends all requests with the token, which Discord refused.
func (g *Gate) Stop(message string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.stopped = &Error{Status: 401, Message: message, Ours: true}
}

// Learned is the limit and window of a route, zero before its first answer.
func (g *Gate) Learned(key string) (limit int, per time.Duration) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if r := g.routes[key]; r != nil {
		return r.limit, r.per
	}
	return 0, 0
}

// Forget drops a route that is used no more.
func (g *Gate) Forget(key string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if r := g.routes[key]; r != nil && len(r.turn) == 0 {
		delete(g.routes, key)
	}
}

// duration reads seconds of a header or body: none below zero, none over a day.
func duration(seconds float64) time.Duration {
	if math.IsNaN(seconds) || seconds <= 0 {
		return 0
	}
	return time.Duration(min(seconds, 86400) * float64(time.Second))
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// Pause waits for d or for the end of ctx, whose error it returns.
func Pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}

type limited struct {
	io.Reader
	io.Closer
}
