package hook

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"hawker/internal/dial"
	"hawker/internal/seal"
)

const secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

// The example that services and libraries of Standard Webhooks check themselves by.
func TestSign(t *testing.T) {
	got := Sign(secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", time.Unix(1614265330, 0), []byte(`{"test": 2432232314}`))
	if want := "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="; got != want {
		t.Errorf("signed %s, want %s", got, want)
	}
}

// sender is a Sender that runs until the test ends.
func sender(t *testing.T, d dial.Dialer) *Sender {
	t.Helper()
	s := &Sender{Dialer: d, Secret: func(context.Context) (seal.Secret, error) { return secret, nil }, Log: slog.New(slog.DiscardHandler)}
	ctx, cancel := context.WithCancel(t.Context())
	var run sync.WaitGroup
	run.Go(func() { s.Run(ctx) })
	t.Cleanup(func() { cancel(); run.Wait() })
	return s
}

func post(url, id string, became chan error) Post {
	return Post{ID: id, URL: url, Body: []byte(`{"id":"` + id + `"}`), NotAfter: time.Now().Add(KeptFor), Done: func(err error) { became <- err }}
}

func TestSend(t *testing.T) {
	type got struct {
		header http.Header
		body   string
	}
	came := make(chan got, 1)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		came <- got{r.Header, string(b)}
		w.WriteHeader(http.StatusNoContent)
	}))
	defer srv.Close()
	s := sender(t, dial.Dialer{AllowPrivate: true})
	became := make(chan error, 1)
	s.Send(post(srv.URL+"/in?key=s3cret", "msg_1", became))
	g := <-came
	if err := <-became; err != nil {
		t.Fatal(err)
	}
	if g.body != `{"id":"msg_1"}` || g.header.Get("Content-Type") != "application/json" || g.header.Get("Webhook-Id") != "msg_1" {
		t.Errorf("came %q with %v", g.body, g.header)
	}
	var at int64
	if _, err := fmt.Sscan(g.header.Get("Webhook-Timestamp"), &at); err != nil || g.header.Get("Webhook-Signature") != Sign(secret, "msg_1", time.Unix(at, 0), []byte(g.body)) {
		t.Errorf("the signature does not prove: %v, %v", g.header, err)
	}
	if st := s.States(); len(st) != 1 || st[0].Taken != 1 || st[0].Waiting != 0 || st[0].Trouble != "" || strings.Contains(st[0].URL, "s3cret") {
		t.Errorf("states %+v", st)
	}
}

// What a user gives as an address may not make us speak to what only our machine can reach, nor send elsewhere what was meant
// for one receiver.
func TestGuarded(t *testing.T) {
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("it was asked") }))
	defer other.Close()
	s := sender(t, dial.Dialer{})
	s.Send(post(other.URL, "1", make(chan error, 1)))
	waits(t, s, "not public")

	away := httptest.NewServer(http.RedirectHandler(other.URL, http.StatusTemporaryRedirect))
	defer away.Close()
	s = sender(t, dial.Dialer{AllowPrivate: true})
	s.Send(post(away.URL, "1", make(chan error, 1)))
	waits(t, s, "redirects are not followed")
}

// waits waits until the only address of a sender is in trouble.
func waits(t *testing.T, s *Sender, trouble string) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		st := s.States()
		if len(st) == 1 && strings.Contains(st[0].Trouble, trouble) && st[0].Waiting == 1 {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("never in trouble with %q: %+v", trouble, st)
		}
	}
}

// A receiver that is gone is not asked again; one that is dead slows no other.
func TestDeadReceiver(t *testing.T) {
	stuck := make(chan struct{})
	dead := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-stuck }))
	defer dead.Close()
	defer close(stuck)
	gone := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusGone) }))
	defer gone.Close()
	well := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer well.Close()
	s := sender(t, dial.Dialer{AllowPrivate: true})
	never := make(chan error, waitingMost+1)
	for range waitingMost + 1 {
		s.Send(post(dead.URL, "1", never))
	}
	if err := <-never; !errors.Is(err, ErrFull) {
		t.Errorf("one too many: %v", err)
	}
	became := make(chan error, 1)
	s.Send(post(gone.URL, "2", became))
	if err := <-became; !errors.Is(err, ErrGone) {
		t.Errorf("a receiver that is gone: %v", err)
	}
	for range 10 {
		s.Send(post(well.URL, "3", became))
		if err := <-became; err != nil {
			t.Fatal(err)
		}
	}
	if len(never) != 0 {
		t.Errorf("%d posts of the dead receiver ended", len(never))
	}
}

// trip answers requests without a network.
type trip func(*http.Request) (*http.Response, error)

func (f trip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func answer(status int, header ...string) *http.Response {
	h := http.Header{}
	for i := 0; i+1 < len(header); i += 2 {
		h.Set(header[i], header[i+1])
	}
	return &http.Response{StatusCode: status, Header: h, Body: io.NopCloser(strings.NewReader(strings.Repeat("x", 2*answerMost)))}
}

// A post is tried about nine times over hours; then it is given up.
func TestTriesForHours(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := sender(t, dial.Dialer{})
		s.init()
		var mu sync.Mutex
		var at []time.Time
		well := false
		s.client.Transport = trip(func(*http.Request) (*http.Response, error) {
			mu.Lock()
			defer mu.Unlock()
			at = append(at, time.Now())
			if well {
				return answer(200), nil
			}
			return answer(503, "Retry-After", "7"), nil
		})
		begun := time.Now()
		became := make(chan error, 1)
		s.Send(post("https://x.example/", "1", became))
		err := <-became
		if !errors.Is(err, ErrTooLate) || !strings.Contains(err.Error(), "503") || len(at) != len(again)+1 {
			t.Errorf("after %d tries: %v", len(at), err)
		}
		if d := time.Since(begun); d < 3*time.Hour || d > KeptFor {
			t.Errorf("it was tried for %v", d)
		}
		for i := 1; i < len(at); i++ {
			if d := at[i].Sub(at[i-1]); d < 7*time.Second {
				t.Errorf("try %d came after %v; the receiver asked for 7 s", i+1, d)
			}
		}
		// Past its time nothing is tried.
		late := post("https://y.example/", "2", became)
		late.NotAfter = time.Now()
		s.Send(late)
		if err := <-became; !errors.Is(err, ErrTooLate) {
			t.Errorf("too late: %v", err)
		}
		// When it is well again what waits goes out, soon and in order.
		s.Send(post("https://x.example/", "3", became))
		synctest.Wait()
		mu.Lock()
		well = true
		mu.Unlock()
		if err := <-became; err != nil {
			t.Error(err)
		}
		if st := s.States()[0]; st.Trouble != "" || st.Taken != 1 || st.Lost != 1 {
			t.Errorf("state %+v", st)
		}
	})
}

func TestShown(t *testing.T) {
	if got := Shown("https://hooks.example/services/T000/B000/SECRET?token=SECRET"); strings.Contains(got, "SECRET") {
		t.Errorf("shown: %s", got)
	}
}
