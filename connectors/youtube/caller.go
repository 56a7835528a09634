package youtube

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptrace"
	"slices"
	"sync/atomic"
	"time"

	"google.golang.org/api/option"
	yt "google.golang.org/api/youtube/v3"

	"hawker/connectors/youtube/quota"
	"hawker/internal/chat"
)

// Caller makes calls of the Data API with the authority of Options.Owner, each counted in Options.Units. The chat's Client has
// one; package broadcast makes its own.
type Caller struct {
	API *yt.Service

	own    *http.Transport
	http   *http.Client // with authority, counted
	way    *transport
	keeper *keeper
	meter  *quota.Meter
}

// NewCaller makes a Caller; it calls nobody yet.
func NewCaller(ctx context.Context, o Options) (*Caller, error) {
	o = o.withDefaults()
	base, own := baseClient(o)
	c := &Caller{own: own, meter: o.Units, keeper: newKeeper(o, base, o.Log)}
	c.way = &transport{base: base, keeper: c.keeper, meter: c.meter}
	c.http = &http.Client{Transport: c.way}
	var err error
	if c.API, err = yt.NewService(ctx, option.WithEndpoint(o.APIURL), option.WithHTTPClient(c.http)); err != nil {
		return nil, fmt.Errorf("youtube: %w", err)
	}
	return c, nil
}

// Close lets go of idle connections. The Caller may still be used.
func (c *Caller) Close() {
	if c.own != nil {
		c.own.CloseIdleConnections()
	}
}

// Usage is what the project spent today.
func (c *Caller) Usage() quota.Usage { return c.meter.Usage(time.Now()) }

// Missing names the scope that speaking and making broadcasts need when the login is known to lack it.
func (c *Caller) Missing() []string {
	scopes := c.keeper.scopes()
	if len(scopes) == 0 || slices.Contains(scopes, ScopeWrite) || slices.Contains(scopes, scopeAll) {
		return nil // not known: the first call will tell
	}
	return []string{ScopeWrite}
}

// Do makes a call, up to tries times while YouTube has trouble: more than once is for calls that do no harm twice. Its error is
// nil or a *chat.Refused; Unknown says that the call may have had its effect.
func (c *Caller) Do(ctx context.Context, tries int, do func(context.Context) error) error {
	f, unknown, err := c.attempt(ctx, tries, do)
	if err == nil {
		return nil
	}
	r := c.refused(f)
	r.Unknown = unknown
	return r
}

func (c *Caller) attempt(ctx context.Context, tries int, do func(context.Context) error) (f fault, unknown bool, err error) {
	for try := 1; ; try++ {
		var wrote bool
		if f, wrote, err = once(ctx, do); err == nil {
			return f, false, nil
		}
		unknown = unknown || wrote && !f.answered
		if f.act != again || try >= tries || ctx.Err() != nil {
			return f, unknown, err
		}
		sleep(ctx, max(f.after, jitter(time.Second<<min(try-1, 4))))
		if ctx.Err() != nil {
			return f, unknown, err
		}
	}
}

// once makes a call with its time limit, judges its error, and says whether the request left the house.
func once(ctx context.Context, do func(context.Context) error) (f fault, sent bool, err error) {
	var wrote atomic.Bool
	ctx, cancel := context.WithTimeout(httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		WroteHeaders: func() { wrote.Store(true) },
	}), callTimeout)
	defer cancel()
	if err = do(ctx); err != nil {
		f = classify(err)
	}
	return f, wrote.Load(), err
}

// slowly is how long to wait where YouTube asks us to go slower and names no time, which is what it always does.
const slowly = 5 * time.Second

// refused words a fault for the dashboard, and believes the platform about the quota.
func (c *Caller) refused(f fault) *chat.Refused {
	r := &chat.Refused{Code: f.code, Reason: f.reason, RetryAfter: f.after, Reconnect: f.act == reconnect}
	if f.act == slower && r.RetryAfter == 0 {
		r.RetryAfter = slowly
	}
	if f.act == spent {
		now := time.Now()
		if !f.ours { // a write costs more than a read: what is left may still cover reading
			c.meter.Exhaust(now)
		}
		r.RetryAfter = quota.NextReset(now).Sub(now)
		r.Reason = spentSentence(c.meter.Usage(now)) + "."
	}
	return r
}

func sleep(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	}
}

// baseClient is the caller's client, or one of our own whose idle connections we may close.
func baseClient(o Options) (*http.Client, *http.Transport) {
	if o.HTTP != nil {
		return o.HTTP, nil
	}
	t := &http.Transport{
		Proxy: http.ProxyFromEnvironment, DialContext: o.DialContext, ForceAttemptHTTP2: true,
		TLSHandshakeTimeout: 10 * time.Second, IdleConnTimeout: 30 * time.Second, MaxIdleConnsPerHost: 4,
	}
	if t.DialContext == nil {
		t.DialContext = (&net.Dialer{Timeout: 10 * time.Second, KeepAlive: 15 * time.Second}).DialContext
	}
	return &http.Client{Transport: t}, t
}
