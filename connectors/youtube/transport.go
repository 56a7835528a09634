package youtube

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"hawker/connectors/youtube/quota"
)

// ErrQuota means that the project's units of today are spent; no call was made.
var ErrQuota = errors.New("youtube: the daily quota is used up")

// transport gives every call its authority and counts it. Here and nowhere else, so that no call escapes the count.
type transport struct {
	base   *http.Client
	keeper *keeper
	meter  *quota.Meter
	ahead  atomic.Int64 // YouTube's clock less ours, in ns
}

// skew is how far YouTube's clock is ahead of ours, by its last answer: exact to a second or two, and 0 when they differ by less.
func (t *transport) skew() time.Duration { return time.Duration(t.ahead.Load()) }

// clock learns the time from an answer, which names whole seconds.
func (t *transport) clock(h http.Header) {
	then, err := http.ParseTime(h.Get("Date"))
	if err != nil {
		return
	}
	d := time.Until(then.Add(time.Second / 2))
	if d.Abs() < 2*time.Second { // within what the answer's way and its whole seconds explain
		d = 0
	}
	t.ahead.Store(int64(d))
}

// RoundTrip sends a call; when the platform calls the access token invalid, it is renewed and the call repeated once.
func (t *transport) RoundTrip(req *http.Request) (*http.Response, error) {
	ctx := req.Context()
	access, err := t.keeper.access(ctx)
	if err != nil {
		closeBody(req.Body)
		return nil, err
	}
	res, err := t.try(req, access)
	if err != nil || res.StatusCode != http.StatusUnauthorized || !repeatable(req) {
		return res, err
	}
	_, _ = io.Copy(io.Discard, io.LimitReader(res.Body, 1<<16)) // so that the connection can be used again
	closeBody(res.Body)
	if access, err = t.keeper.renew(ctx, access); err != nil {
		return nil, err
	}
	again := req.Clone(ctx)
	if req.GetBody != nil { // else there is none
		if again.Body, err = req.GetBody(); err != nil {
			return nil, err
		}
	}
	return t.try(again, access)
}

// repeatable reports whether a call's body can be sent again. NewRequest gives http.NoBody no GetBody.
func repeatable(req *http.Request) bool {
	return req.Body == nil || req.Body == http.NoBody || req.GetBody != nil
}

func (t *transport) try(req *http.Request, access string) (*http.Response, error) {
	if !t.meter.Spend(time.Now(), methodOf(req)) {
		closeBody(req.Body)
		return nil, ErrQuota
	}
	req = req.Clone(req.Context()) // a RoundTripper leaves its request as it is
	req.Header.Set("Authorization", "Bearer "+access)
	rt := t.base.Transport
	if rt == nil {
		rt = http.DefaultTransport
	}
	res, err := rt.RoundTrip(req)
	if err == nil {
		t.clock(res.Header)
	}
	return res, err
}

func closeBody(b io.Closer) {
	if b != nil {
		_ = b.Close() // nothing of it is needed any more
	}
}

// methodOf names the API method of a call, for its cost.
func methodOf(r *http.Request) string {
	switch p := r.URL.Path; {
	case strings.HasSuffix(p, "/liveChat/messages/stream"):
		return quota.MessagesStream
	case strings.HasSuffix(p, "/liveChat/messages") && r.Method == http.MethodGet:
		return quota.MessagesList
	case strings.HasSuffix(p, "/liveChat/messages") && r.Method == http.MethodPost:
		return quota.MessagesInsert
	case strings.HasSuffix(p, "/liveChat/messages") && r.Method == http.MethodDelete:
		return quota.MessagesDelete
	case strings.HasSuffix(p, "/liveChat/bans") && r.Method == http.MethodPost:
		return quota.BansInsert
	case strings.HasSuffix(p, "/liveBroadcasts"):
		return map[string]string{
			http.MethodPost: quota.BroadcastsInsert, http.MethodPut: quota.BroadcastsUpdate, http.MethodDelete: quota.BroadcastsDelete,
			http.MethodGet: quota.BroadcastsList,
		}[r.Method]
	case strings.HasSuffix(p, "/liveBroadcasts/bind"):
		return quota.BroadcastsBind
	case strings.HasSuffix(p, "/liveBroadcasts/transition"):
		return quota.BroadcastsTransition
	case strings.HasSuffix(p, "/liveStreams") && r.Method == http.MethodGet:
		return quota.StreamsList
	case strings.HasSuffix(p, "/liveStreams") && r.Method == http.MethodPost:
		return quota.StreamsInsert
	case strings.HasSuffix(p, "/channels"):
		return quota.ChannelsList
	default:
		return r.Method + " " + p
	}
}
