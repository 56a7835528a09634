package youtube

import (
	"errors"
	"io"
	"net/http"
	"strings"
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
	return rt.RoundTrip(req)
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
		return quota.BroadcastsList
	case strings.HasSuffix(p, "/channels"):
		return quota.ChannelsList
	default:
		return r.Method + " " + p
	}
}
