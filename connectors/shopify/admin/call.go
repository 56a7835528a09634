package admin

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	goshopify "github.com/bold-commerce/go-shopify/v4"
)

// maxAnswer bounds an answer's body. A page of ten products with all we ask for is below 200 kB.
const maxAnswer = 16 << 20

// How often one call is tried again, and how often the store may say "too fast" before we give up.
const (
	maxTries     = 5
	maxThrottled = 20
)

// Operation is one GraphQL document with what the calling side must know of it.
type Operation struct {
	Name, Text string
	Cost       float64 // points, a first guess until the store has said what it charges
	Rank       Rank
	// Once marks a change that must not be asked for again when its answer was lost.
	Once bool
}

// Answer is what came with the data.
type Answer struct {
	Date time.Time // the store's clock (HTTP Date); zero when it sent none
	cost *costStatus
	gql  *fault // the first top-level error
}

// Do runs op with vars and decodes the data into out. It waits for points, renews a token that died, and asks again
// where that can help and cannot double anything; a lost answer of an operation marked Once is ErrUnsure.
func (c *Caller) Do(ctx context.Context, op Operation, vars map[string]any, out any) (Answer, error) {
	a, err := c.try(ctx, op, vars, out)
	if err != nil {
		return a, fmt.Errorf("shopify %s: %w", op.Name, err)
	}
	return a, nil
}

func (c *Caller) try(ctx context.Context, op Operation, vars map[string]any, out any) (Answer, error) {
	renewed, throttled := false, 0
	for tries := 1; ; tries++ {
		token, err := c.keys.access(ctx)
		if err != nil {
			if tries >= maxTries || !mayPass(err) {
				return Answer{}, err
			}
			if err := Sleep(ctx, Backoff(tries)); err != nil {
				return Answer{}, err
			}
			continue
		}
		t, err := c.pace.take(ctx, op)
		if err != nil {
			return Answer{}, err
		}
		a, err := c.call(ctx, token, op, vars, out)
		c.pace.settle(t, a.cost)
		if err == nil && a.gql != nil {
			err = a.gql
		}
		var f *fault
		switch known := errors.As(err, &f); {
		case err == nil:
			return a, nil
		case ctx.Err() != nil:
			return a, lost(op, ctx.Err())
		case known && f.status == http.StatusUnauthorized && !renewed && c.keys.renewable():
			_, err := c.keys.renew(ctx, token)
			if renewed = err == nil; !renewed && (tries >= maxTries || !mayPass(err)) {
				return a, err
			}
			if !renewed {
				if err := Sleep(ctx, Backoff(tries)); err != nil {
					return a, err
				}
			}
			continue
		case known && f.code == codeThrottled && throttled < maxThrottled:
			throttled++
			tries--
			if err := Sleep(ctx, a.cost.throttled()); err != nil {
				return a, err
			}
			continue
		case known && !f.passing():
			return a, err
		case op.Once && !(known && f.unharmed()):
			return a, lost(op, err)
		case tries >= maxTries:
			return a, err
		}
		wait := Backoff(tries)
		if f != nil && f.wait > 0 {
			wait = f.wait
		}
		c.log.DebugContext(ctx, "store call again", "op", op.Name, "try", tries, "wait", wait, "err", err)
		if err := Sleep(ctx, wait); err != nil {
			return a, err
		}
	}
}

// mayPass reports whether a token that was not got may be got in a moment: the endpoint was out of order or its answer
// was lost. Asking twice is harmless, because a refresh token works until its successor's access token is used.
func mayPass(err error) bool {
	var f *fault
	return errors.Is(err, errNoAnswer) || errors.As(err, &f) && f.passing()
}

func lost(op Operation, err error) error {
	if !op.Once {
		return err
	}
	return fmt.Errorf("%w: %w", ErrUnsure, err)
}

// Backoff is the wait after so many tries: it grows from a quarter of a second to eight, with chance mixed in so that many
// callers do not come back at once.
func Backoff(tries int) time.Duration {
	d := min(250*time.Millisecond<<(tries-1), 8*time.Second)
	return d/2 + rand.N(d/2)
}

// call is one attempt. The library's client is made anew for each: one client is not safe for two goroutines.
func (c *Caller) call(ctx context.Context, token string, op Operation, vars map[string]any, out any) (Answer, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	f := &flight{tr: c.tr, base: c.base}
	lib, err := goshopify.NewClient(goshopify.App{}, c.shop, token, goshopify.WithVersion(Version),
		goshopify.WithHTTPClient(&http.Client{Transport: f, CheckRedirect: stayHere}))
	if err != nil {
		return Answer{}, err
	}
	if vars == nil {
		vars = map[string]any{}
	}
	if err := lib.GraphQL.Query(ctx, op.Text, vars, out); err != nil {
		return f.got, plain(err)
	}
	c.checkVersion(ctx, f.version)
	return f.got, nil
}

// stayHere refuses redirects: the token must not travel to another host.
func stayHere(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// plain takes the address off a client's error: it says nothing that the operation's name does not.
func plain(err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		return u.Err
	}
	return err
}

func (c *Caller) checkVersion(ctx context.Context, got string) {
	if got == "" || got == Version {
		return
	}
	if !c.oddVer.Swap(true) {
		c.log.WarnContext(ctx, "the store answers in another API version", "want", Version, "got", got)
	}
}

// flight carries one request of the library: it sends it to the right host and reads from the answer what the library
// drops, namely the codes of errors, the points and the store's clock.
type flight struct {
	tr      http.RoundTripper
	base    *url.URL
	got     Answer
	version string
}

// RoundTrip implements http.RoundTripper.
func (f *flight) RoundTrip(req *http.Request) (*http.Response, error) {
	req = req.Clone(req.Context())
	if f.base != nil {
		req.URL.Scheme, req.URL.Host = f.base.Scheme, f.base.Host
		req.URL.Path = strings.TrimRight(f.base.Path, "/") + "/" + strings.TrimLeft(req.URL.Path, "/")
		req.Host = ""
	}
	resp, err := f.tr.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	if err != nil {
		return nil, err
	}
	if len(body) > maxAnswer {
		return nil, fmt.Errorf("answer above %d bytes", maxAnswer)
	}
	f.version = resp.Header.Get("X-Shopify-API-Version")
	if t, err := http.ParseTime(resp.Header.Get("Date")); err == nil {
		f.got.Date = t
	}
	if resp.StatusCode != http.StatusOK {
		return nil, &fault{status: resp.StatusCode, message: errorText(body), wait: retryAfter(resp.Header)}
	}
	data, err := f.envelope(body)
	if err != nil {
		return nil, err
	}
	resp.Body = io.NopCloser(bytes.NewReader(data))
	resp.ContentLength = int64(len(data))
	return resp, nil
}

// envelope takes errors and extensions off an answer and returns the rest for the library to decode.
func (f *flight) envelope(body []byte) ([]byte, error) {
	var env struct {
		Data       json.RawMessage
		Errors     json.RawMessage
		Extensions struct{ Cost *costStatus }
	}
	if err := json.Unmarshal(body, &env); err != nil {
		return nil, &fault{status: http.StatusBadGateway, message: "answer is not JSON"}
	}
	f.got.cost = env.Extensions.Cost
	f.got.gql = firstError(env.Errors)
	if len(env.Data) == 0 {
		env.Data = []byte("null")
		if f.got.gql == nil {
			return nil, &fault{status: http.StatusBadGateway, message: "answer without data"}
		}
	}
	return append(append([]byte(`{"data":`), env.Data...), '}'), nil
}

func firstError(raw json.RawMessage) *fault {
	if len(raw) == 0 || string(raw) == "null" || string(raw) == "[]" {
		return nil
	}
	var list []struct {
		Message    string
		Extensions struct{ Code string }
	}
	if json.Unmarshal(raw, &list) != nil || len(list) == 0 {
		return &fault{status: http.StatusOK, code: "UNKNOWN", message: errorText([]byte(`{"errors":` + string(raw) + `}`))}
	}
	f := &fault{status: http.StatusOK, code: list[0].Extensions.Code, message: list[0].Message}
	if f.code == "" {
		f.code = "UNKNOWN"
	}
	return f
}

// errorText is the text of an error body {"errors": "..."}; other bodies may hold anything and are not quoted.
func errorText(body []byte) string {
	var e struct{ Errors any }
	if json.Unmarshal(body, &e) != nil {
		return ""
	}
	if s, ok := e.Errors.(string); ok {
		return s[:min(len(s), 200)]
	}
	return ""
}

func retryAfter(h http.Header) time.Duration {
	s, err := strconv.ParseFloat(h.Get("Retry-After"), 64)
	if err != nil || s <= 0 {
		return 0
	}
	return seconds(min(s, 60))
}
