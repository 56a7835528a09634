// Package hook posts a merchant's outgoing webhooks: signed (Standard Webhooks, https://www.standardwebhooks.com), tried again
// for hours, each address by itself, so that a receiver that is dead slows nobody. It follows no redirects.
//
// Goroutines: Run owns one for each address that has something waiting. All end before Run returns.
package hook

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"hawker/internal/dial"
	"hawker/internal/seal"
)

// Bounds of what is kept for receivers. What comes past them is given up at once, with ErrFull.
const (
	waitingMost = 1000     // posts that wait for one address
	urlsMost    = 100      // addresses
	BodyMost    = 64 << 10 // bytes of a body
	answerMost  = 64 << 10 // bytes read of an answer, so that its connection can be used again
)

// Times of a post.
const (
	requestFor = 10 * time.Second // one try, the answer included
	// KeptFor is for how long a post is tried; after that it is given up.
	KeptFor     = 6 * time.Hour
	afterMost   = time.Hour       // how far a receiver may put the next try off (Retry-After)
	restMost    = 2 * time.Minute // the longest rest of an address that fails
	forgetURL   = 24 * time.Hour  // how long an address is shown after its last post
	showTrouble = 200             // code points of what went wrong
)

// again is how long after the first, second ... try the next comes; each is shortened or lengthened by up to a fifth, so that
// receivers which come back are not met by all at once. With the first that is 9 tries within about 5 hours.
var again = [...]time.Duration{
	5 * time.Second, 30 * time.Second, 2 * time.Minute, 5 * time.Minute, 15 * time.Minute, 30 * time.Minute, time.Hour, 3 * time.Hour,
}

// Errors that a post can end with.
var (
	ErrFull    = errors.New("too much waits for this address")
	ErrTooLate = errors.New("it was tried for hours and not taken")
	ErrGone    = errors.New("the receiver says that nothing is wanted there any more (410)")
)

// Post is one webhook.
type Post struct {
	ID       string // webhook-id: the same for every try, by which the receiver knows repeats
	URL      string
	Body     []byte
	NotAfter time.Time // then it is given up
	// Done is told once, when the receiver took it (nil) or it was given up. It is not told when Run ends first.
	Done func(err error)
}

// State is an address as measured.
type State struct {
	URL     string    // without what may be secret in it: the query and the last parts of a long path
	Waiting int       // posts that wait
	Taken   int       // posts that were taken since the start
	Lost    int       // posts that were given up
	Last    time.Time // when one was taken last
	Trouble string    // what went wrong with the last try, empty when it was taken
}

// Sender posts one merchant's webhooks. Set the fields, then call Run.
type Sender struct {
	Dialer dial.Dialer
	// Secret signs what is posted; see rulebook.SigningSecret.
	Secret func(ctx context.Context) (seal.Secret, error)
	Log    *slog.Logger

	mu     sync.Mutex
	urls   map[string]*receiver
	ctx    context.Context // of Run; nil while it does not run
	group  sync.WaitGroup
	client *http.Client
	once   sync.Once
}

// receiver is one address.
type receiver struct {
	state   State
	waiting []*waiting // in the order of next
	fails   int        // tries in a row that failed
	rest    time.Time  // nothing is tried until then
	wake    chan struct{}
	runs    bool // a goroutine serves it
	used    time.Time
}

// waiting is a post that was not taken yet.
type waiting struct {
	Post
	tries int
	next  time.Time
}

func (s *Sender) init() {
	s.once.Do(func() {
		s.urls = map[string]*receiver{}
		s.Dialer.Request = requestFor
		s.client = s.Dialer.Client()
		s.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	})
}

// Run posts what is handed to Send until ctx ends. What waits then stays where its sender stored it.
func (s *Sender) Run(ctx context.Context) {
	s.init()
	s.mu.Lock()
	s.ctx = ctx
	for u, r := range s.urls {
		s.serve(u, r)
	}
	s.mu.Unlock()
	<-ctx.Done()
	s.mu.Lock()
	s.ctx = nil
	s.mu.Unlock()
	s.group.Wait()
	s.client.CloseIdleConnections()
}

// Send queues a post. It never blocks.
func (s *Sender) Send(p Post) {
	s.init()
	if err := s.queue(p, time.Now()); err != nil {
		p.Done(err)
	}
}

func (s *Sender) queue(p Post, now time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.urls[p.URL]
	if r == nil {
		for u, x := range s.urls {
			if !x.runs && now.Sub(x.used) > forgetURL {
				delete(s.urls, u)
			}
		}
		if len(s.urls) >= urlsMost {
			return ErrFull
		}
		r = &receiver{state: State{URL: Shown(p.URL)}, wake: make(chan struct{}, 1)}
		s.urls[p.URL] = r
	}
	r.used = now
	if len(r.waiting) >= waitingMost || len(p.Body) > BodyMost {
		r.state.Lost++
		return ErrFull
	}
	r.waiting = append(r.waiting, &waiting{Post: p, next: now})
	s.serve(p.URL, r)
	return nil
}

// serve has a goroutine look after an address. mu is held.
func (s *Sender) serve(u string, r *receiver) {
	if s.ctx == nil || len(r.waiting) == 0 {
		return
	}
	if r.runs {
		select {
		case r.wake <- struct{}{}:
		default:
		}
		return
	}
	r.runs = true
	ctx := s.ctx
	s.group.Go(func() { s.work(ctx, r) })
}

// work posts what waits for one address, one after the other, and ends when nothing does.
func (s *Sender) work(ctx context.Context, r *receiver) {
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		w, wait := s.pick(ctx, r, time.Now())
		if w == nil && wait < 0 {
			return
		}
		if w == nil {
			timer.Reset(wait)
			select {
			case <-ctx.Done():
			case <-r.wake:
			case <-timer.C:
			}
			continue
		}
		rest, err := s.try(ctx, &w.Post)
		if err != nil && ctx.Err() != nil {
			continue // it was cut off by us: the next start tries it
		}
		s.became(r, w, rest, err, time.Now())
	}
}

// pick is the post to try now, or how long to wait for the next; negative when the goroutine is to end.
func (s *Sender) pick(ctx context.Context, r *receiver, now time.Time) (*waiting, time.Duration) {
	s.mu.Lock()
	late := []*waiting{}
	r.waiting = slices.DeleteFunc(r.waiting, func(w *waiting) bool {
		if w.NotAfter.IsZero() || now.Before(w.NotAfter) {
			return false
		}
		late = append(late, w)
		return true
	})
	r.state.Lost += len(late)
	var first *waiting
	for _, w := range r.waiting {
		if first == nil || w.next.Before(first.next) {
			first = w
		}
	}
	ended := first == nil || ctx.Err() != nil
	if ended {
		r.runs = false
	}
	rest := r.rest
	s.mu.Unlock()
	for _, w := range late {
		w.Done(ErrTooLate)
	}
	if ended {
		return nil, -1
	}
	at := first.next
	if rest.After(at) {
		at = rest
	}
	if at.After(now) {
		return nil, at.Sub(now)
	}
	return first, 0
}

// became notes what became of a try.
func (s *Sender) became(r *receiver, w *waiting, rest time.Duration, err error, now time.Time) {
	s.mu.Lock()
	end := err == nil || errors.Is(err, ErrGone)
	switch {
	case err == nil:
		r.fails, r.rest = 0, time.Time{}
		r.state.Taken, r.state.Last, r.state.Trouble = r.state.Taken+1, now, ""
	default:
		r.state.Trouble = shorten(err.Error())
		r.fails++
		r.rest = now.Add(max(rest, min(restMost, time.Second<<min(r.fails-1, 10))))
		if w.tries++; w.tries > len(again) {
			end, err = true, fmt.Errorf("%w: %w", ErrTooLate, err)
		} else if !end {
			w.next = now.Add(max(rest, jittered(again[w.tries-1])))
		}
		if end {
			r.state.Lost++
		}
	}
	if end {
		r.waiting = slices.DeleteFunc(r.waiting, func(x *waiting) bool { return x == w })
	}
	s.mu.Unlock()
	if !end {
		return
	}
	if err != nil {
		s.Log.Warn("a webhook was given up", "to", r.state.URL, "err", err)
	}
	w.Done(err)
}

// try posts once. rest is how long the receiver asks to be left alone.
func (s *Sender) try(ctx context.Context, p *Post) (rest time.Duration, err error) {
	secret, err := s.Secret(ctx)
	if err != nil {
		return 0, fmt.Errorf("secret of webhooks: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, requestFor)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, p.URL, bytes.NewReader(p.Body))
	if err != nil {
		return 0, errors.New("the address is no address")
	}
	now := time.Now()
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "hawker-webhook/1")
	req.Header.Set("Webhook-Id", p.ID)
	req.Header.Set("Webhook-Timestamp", strconv.FormatInt(now.Unix(), 10))
	req.Header.Set("Webhook-Signature", Sign(secret, p.ID, now, p.Body))
	resp, err := s.client.Do(req)
	if err != nil {
		return 0, bare(err)
	}
	defer resp.Body.Close()
	_, _ = io.CopyN(io.Discard, resp.Body, answerMost)
	switch {
	case resp.StatusCode >= 200 && resp.StatusCode < 300:
		return 0, nil
	case resp.StatusCode == http.StatusGone:
		return 0, ErrGone
	case resp.StatusCode >= 300 && resp.StatusCode < 400:
		return 0, fmt.Errorf("it answers %d and sends elsewhere; redirects are not followed", resp.StatusCode)
	}
	if n, err := strconv.Atoi(resp.Header.Get("Retry-After")); err == nil && n > 0 {
		rest = min(time.Duration(n)*time.Second, afterMost)
	}
	return rest, fmt.Errorf("it answers %d", resp.StatusCode)
}

// bare is an error of a request without its address, which may hold a secret.
func bare(err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		return u.Err
	}
	return err
}

// Sign is the value of webhook-signature (Standard Webhooks, "Signature scheme"): HMAC-SHA256 over id, time and body.
func Sign(secret seal.Secret, id string, at time.Time, body []byte) string {
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret.Reveal(), "whsec_"))
	if err != nil { // ours always is
		key = []byte(secret.Reveal())
	}
	mac := hmac.New(sha256.New, key)
	fmt.Fprintf(mac, "%s.%d.", id, at.Unix())
	mac.Write(body)
	return "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// States are all addresses that had something posted lately, by address.
func (s *Sender) States() []State {
	s.init()
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make([]State, 0, len(s.urls))
	for _, r := range s.urls {
		st := r.state
		st.Waiting = len(r.waiting)
		out = append(out, st)
	}
	slices.SortFunc(out, func(a, b State) int { return strings.Compare(a.URL, b.URL) })
	return out
}

// Shown is an address as pages show it: many services hide a secret in the path or the query.
func Shown(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return "?"
	}
	path := u.EscapedPath()
	if r := []rune(path); len(r) > 16 {
		path = string(r[:12]) + "..."
	}
	if u.RawQuery != "" {
		path += "?..."
	}
	return u.Scheme + "://" + u.Host + path
}

func shorten(s string) string {
	if r := []rune(s); len(r) > showTrouble {
		return string(r[:showTrouble]) + "..."
	}
	return s
}

// jittered is a time, more or less by up to a fifth.
func jittered(d time.Duration) time.Duration {
	return d - d/5 + rand.N(2*d/5+1)
}
