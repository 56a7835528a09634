package twitch

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/nicklaw5/helix/v2"

	"hawker/internal/chat"
)

// callIn bounds one call.
const callIn = 10 * time.Second

// calls makes one call of helix with the login, once more with a renewed token after a 401, and gives the exact answer. Its
// error is a *chat.Refused.
func (t *tokens) calls(ctx context.Context, call func(*helix.Client) error) ([]byte, error) {
	return t.authorized(ctx, func(ctx context.Context, access string) (*recorder, error) {
		h, rec, err := t.api.helix(ctx, access)
		if err != nil {
			return &recorder{}, err
		}
		return rec, call(h)
	})
}

// call makes a call that helix lacks, or makes otherwise than Twitch asks, in the same way; in is the JSON body, nil for none.
func (t *tokens) call(ctx context.Context, method, path string, query url.Values, in any) ([]byte, error) {
	var b []byte
	if in != nil {
		var err error
		if b, err = json.Marshal(in); err != nil {
			return nil, &chat.Refused{Code: "bad_deed", Reason: "This cannot be written for Twitch."}
		}
	}
	if len(query) > 0 {
		path += "?" + query.Encode()
	}
	return t.authorized(ctx, func(ctx context.Context, access string) (*recorder, error) {
		rec := &recorder{http: t.api.http}
		req, err := http.NewRequestWithContext(ctx, method, t.api.helixURL+path, bytes.NewReader(b))
		if err != nil {
			return rec, err
		}
		if in != nil {
			req.Header.Set("Content-Type", "application/json")
		}
		req.Header.Set("Authorization", "Bearer "+access)
		req.Header.Set("Client-Id", t.api.auth.ID)
		res, err := rec.Do(req)
		if err == nil {
			_ = res.Body.Close()
		}
		return rec, err
	})
}

func (t *tokens) authorized(ctx context.Context, call func(context.Context, string) (*recorder, error)) ([]byte, error) {
	access, err := t.access(ctx)
	if err != nil {
		return nil, notSent(err)
	}
	body, re := once(ctx, access, call)
	if re != nil && re.Code == "401" {
		if access, err = t.refresh(ctx, access); err != nil {
			return nil, notSent(err)
		}
		// A second 401 ends nothing: validation will find out whether it is the login or this call.
		body, re = once(ctx, access, call)
	}
	if re != nil {
		return nil, re
	}
	return body, nil
}

// once makes a call and reads what became of it.
func once(ctx context.Context, access string, call func(context.Context, string) (*recorder, error)) ([]byte, *chat.Refused) {
	ctx, cancel := context.WithTimeout(ctx, callIn)
	defer cancel()
	var wrote atomic.Bool
	rec, err := call(httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{WroteHeaders: func() { wrote.Store(true) }}), access)
	switch {
	case rec.status == 0:
		// The error's text is not given on: it may name addresses inside the operator's network.
		return nil, &chat.Refused{Code: "network", Reason: "The connection to Twitch broke.", Unknown: wrote.Load()}
	case rec.status >= 200 && rec.status < 300 && err != nil:
		return nil, &chat.Refused{Code: "odd_answer", Reason: "Twitch answered something unreadable.", Unknown: true}
	case rec.status >= 200 && rec.status < 300:
		return rec.body, nil
	}
	re := refused(rec, time.Now())
	if rec.status == http.StatusUnauthorized {
		switch said := strings.ToLower(re.Reason); {
		case strings.HasPrefix(said, "missing scope"):
			re.Code = "scope"
		case strings.Contains(said, "phone"):
			re.Code = "phone"
		}
	}
	return nil, re
}

// refused is an answer that is none of 200 in our words.
func refused(rec *recorder, now time.Time) *chat.Refused {
	re := &chat.Refused{Code: strconv.Itoa(rec.status), Reason: rec.message(), RetryAfter: retryAfter(rec, now)}
	if rec.status >= 500 || rec.status < 300 {
		// A gateway's error may hide that what stands behind it did its work.
		re.Unknown = true
		if re.Reason == "" {
			re.Reason = "Twitch is out of order."
		}
	}
	if re.Reason == "" {
		re.Reason = "Twitch answered " + strconv.Itoa(rec.status) + "."
	}
	return re
}

// unsure reports whether what was tried may have been done after all.
func unsure(err error) bool {
	var re *chat.Refused
	return errors.As(err, &re) && (re.Unknown || re.Code == "429")
}
