package gate

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

type answers func(*http.Request) (*http.Response, error)

func (f answers) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func answer(status int, body string, header ...string) *http.Response {
	h := http.Header{}
	for i := 0; i+1 < len(header); i += 2 {
		h.Set(header[i], header[i+1])
	}
	return &http.Response{StatusCode: status, Header: h, Body: io.NopCloser(strings.NewReader(body))}
}

// ask sends a request through g; private ones have no Authorization header.
func ask(t *testing.T, g *Gate, path string, private bool) (*http.Response, error) {
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "https://discord.com/api/v9/"+path, strings.NewReader("{}"))
	if err != nil {
		t.Fatal(err)
	}
	if !private {
		req.Header.Set("Authorization", "Bot secret")
	}
	return g.RoundTrip(req)
}

func open(t *testing.T, next answers) *Gate {
	base, err := url.Parse("http://127.0.0.1:1/proxy/")
	if err != nil {
		t.Fatal(err)
	}
	return New(next, base)
}

func TestAddress(t *testing.T) {
	var got string
	g := open(t, func(r *http.Request) (*http.Response, error) { got = r.URL.String(); return answer(200, "{}"), nil })
	if _, err := ask(t, g, "channels/4/messages?x=1", false); err != nil || got != "http://127.0.0.1:1/proxy/api/v9/channels/4/messages?x=1" {
		t.Errorf("asked %s, %v", got, err)
	}
}

// The messages of a channel, and the members of a server, share one limit.
func TestSharedPath(t *testing.T) {
	for in, want := range map[string]string{
		"api/v9/channels/4/messages":              "api/v9/channels/4/messages",
		"api/v9/channels/4/messages/5":            "api/v9/channels/4/messages/*",
		"api/v9/channels/4/messages/5/crosspost":  "api/v9/channels/4/messages/*/crosspost",
		"api/v9/guilds/3/members/5":               "api/v9/guilds/3/members/*",
		"api/v9/guilds/3/members/5/roles/6":       "api/v9/guilds/3/members/*/roles/*",
		"api/v9/guilds/3/roles":                   "api/v9/guilds/3/roles",
		"api/v9/users/@me/channels":               "api/v9/users/@me/channels",
		"api/v9/applications/7/guilds/3/commands": "api/v9/applications/7/guilds/3/commands",
		"api/v9/channels/4":                       "api/v9/channels/4",
		"":                                        "",
	} {
		if got := sharedPath(in); got != want {
			t.Errorf("sharedPath(%q) = %q, want %q", in, got, want)
		}
	}
	n := 0
	g := open(t, func(*http.Request) (*http.Response, error) { n++; return answer(204, ""), nil })
	for i := range 3 {
		if _, err := ask(t, g, fmt.Sprintf("channels/4/messages/%d/crosspost", i), false); err != nil {
			t.Fatal(err)
		}
	}
	if len(g.routes) != 1 || n != 3 {
		t.Errorf("%d routes for %d messages of one channel", len(g.routes), n)
	}
}

// TestRoute: a spent route waits for its reset, alone; too long a wait is a refusal that says how long.
func TestRoute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		reset := "4.5"
		g := open(t, func(r *http.Request) (*http.Response, error) {
			return answer(200, "{}", "X-RateLimit-Limit", "1", "X-RateLimit-Remaining", "0", "X-RateLimit-Reset-After", reset), nil
		})
		began := time.Now()
		resp, err := ask(t, g, "a", false)
		if err != nil || len(resp.Header) != 0 {
			t.Errorf("%v, headers %v left for the library to sleep on", err, resp.Header)
		}
		if _, err := ask(t, g, "b", false); err != nil || time.Since(began) > 0 {
			t.Errorf("another route waited %v, %v", time.Since(began), err)
		}
		reset = "60"
		if _, err := ask(t, g, "a", false); err != nil || time.Since(began) != 4500*time.Millisecond {
			t.Errorf("waited %v, %v; want 4.5 s", time.Since(began), err)
		}
		var e *Error
		if _, err := ask(t, g, "a", false); !errors.As(err, &e) || e.Status != 429 || e.After != time.Minute || !e.Ours || e.Global {
			t.Errorf("a long wait: %+v", err)
		}
		if limit, per := g.Learned("POST api/v9/a"); limit != 1 || per != time.Minute {
			t.Errorf("learned %d in %v", limit, per)
		}
		g.Forget("POST api/v9/a")
		if limit, _ := g.Learned("POST api/v9/a"); limit != 0 {
			t.Errorf("forgot nothing")
		}
	})
}

// TestPace: many routes together stay under 50 requests in any second.
func TestPace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var at []time.Time
		g := open(t, func(*http.Request) (*http.Response, error) {
			at = append(at, time.Now())
			return answer(200, "{}"), nil
		})
		for i := range 200 {
			if _, err := ask(t, g, fmt.Sprint("channels/", i), false); err != nil {
				t.Fatal(err)
			}
		}
		for i := 50; i < len(at); i++ {
			if at[i].Sub(at[i-50]) <= time.Second {
				t.Fatalf("51 requests in %v", at[i].Sub(at[i-50]))
			}
		}
	})
}

// TestInvalid: long before Discord would ban the address we stop asking.
func TestInvalid(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		asked, scope := 0, "shared"
		g := open(t, func(*http.Request) (*http.Response, error) {
			asked++
			if scope != "" {
				return answer(429, `{"message":"slow","retry_after":0}`, "X-RateLimit-Scope", scope), nil
			}
			return answer(403, `{"code":50013,"message":"no"}`), nil
		})
		for i := range 500 {
			_, _ = ask(t, g, fmt.Sprint("shared/", i), false)
		}
		scope = ""
		asked = 0
		for i := range 3 * invalidMost {
			if _, err := ask(t, g, fmt.Sprint("channels/", i), false); err == nil {
				t.Fatal("no error")
			}
		}
		if asked != invalidMost {
			t.Errorf("asked %d times in a row, want %d", asked, invalidMost)
		}
		time.Sleep(invalidPer)
		if _, _ = ask(t, g, "channels/1", false); asked != invalidMost+1 {
			t.Error("not asked again after 10 min")
		}
	})
}

// TestUnauthorized: after one 401 nothing goes out with the token; a private 401 stops nobody.
func TestUnauthorized(t *testing.T) {
	asked := 0
	g := open(t, func(*http.Request) (*http.Response, error) {
		asked++
		return answer(401, `{"code":50027,"message":"x"}`), nil
	})
	_, _ = ask(t, g, "webhooks/1/tok", true)
	_, _ = ask(t, g, "a", false)
	_, err := ask(t, g, "b", false)
	if re := Refusal(err); asked != 2 || !re.Reconnect || re.Code != "401" {
		t.Errorf("asked %d times; %+v", asked, re)
	}
	if _, err := ask(t, g, "webhooks/1/tok", true); asked != 3 || Refusal(err).Reconnect {
		t.Errorf("asked %d times; %v", asked, err)
	}
}

func TestEndedContext(t *testing.T) {
	g := open(t, func(*http.Request) (*http.Response, error) { t.Error("asked"); return answer(200, "{}"), nil })
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "https://discord.com/api/v9/x", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bot x")
	g.global.SetBurst(0)
	if _, err := g.RoundTrip(req); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}

// FuzzAnswer: whatever answer comes, a success is passed on without limits for the library to trip over, and all else
// is an *Error without addresses, with a sane time.
func FuzzAnswer(f *testing.F) {
	f.Add(200, `{"id":"1"}`, "5", "0", "4.5", "", "", false)
	f.Add(429, `{"message":"You are being rate limited.","retry_after":0.3,"global":true}`, "", "", "", "1", "true", false)
	f.Add(429, `<html>error code: 1015</html>`, "", "", "", "600", "", true)
	f.Add(403, `{"code":50013,"message":"Missing Permissions"}`, "x", "-1", "NaN", "1e400", "", false)
	f.Add(302, ``, "9999999999999999999", "1", "1e300", "-Inf", "", true)
	f.Fuzz(func(t *testing.T, status int, body, limit, left, after, retry, global string, private bool) {
		if status < 200 || status > 599 {
			return
		}
		g := open(t, func(*http.Request) (*http.Response, error) {
			r := answer(status, body, "X-RateLimit-Limit", limit, "X-RateLimit-Remaining", left, "X-RateLimit-Reset-After", after, "Retry-After", retry)
			if global != "" {
				r.Header.Set("X-RateLimit-Global", global)
			}
			return r, nil
		})
		resp, err := ask(t, g, "interactions/1/very-secret-token/callback", private)
		if status < 300 {
			if err != nil {
				t.Fatal(err)
			}
			for k := range resp.Header {
				if strings.HasPrefix(k, "X-Ratelimit") {
					t.Fatalf("header %s is left", k)
				}
			}
			return
		}
		var e *Error
		if !errors.As(err, &e) || e.Status != status || e.Private != private || e.Ours {
			t.Fatalf("%+v", err)
		}
		if !strings.Contains(body, "very-secret-token") && strings.Contains(err.Error(), "very-secret-token") {
			t.Fatal("a token in an error")
		}
		if status == 429 && (e.After < 50*time.Millisecond || e.After > 24*time.Hour) || status != 429 && e.After != 0 {
			t.Fatalf("after %v", e.After)
		}
		re := Refusal(err)
		if re.Code == "" || re.Reason == "" || re.Reconnect != (status == 401 && !private) || re.Unknown != (status >= 500) {
			t.Fatalf("%+v", re)
		}
		if n, per := g.Learned("POST api/v9/interactions/1/very-secret-token/callback"); n < 0 || per < 0 || per > 24*time.Hour {
			t.Fatalf("learned %d in %v", n, per)
		}
	})
}
