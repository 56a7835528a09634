package bus

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
)

// both runs a test with the server in this process, and with two nodes that share a server by its address.
func both(t *testing.T, test func(t *testing.T, a, b *Bus)) {
	t.Run("in process", func(t *testing.T) {
		a := open(t, Options{Dir: t.TempDir(), Name: "one"})
		test(t, a, a)
	})
	t.Run("by address", func(t *testing.T) {
		s := serverByAddress(t)
		test(t, open(t, Options{URL: s.ClientURL(), Name: "one"}), open(t, Options{URL: s.ClientURL(), Name: "two"}))
	})
}

func open(t *testing.T, o Options) *Bus {
	t.Helper()
	o.Log = slog.New(slog.NewTextHandler(t.Output(), nil))
	b, err := Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return b
}

func serverByAddress(t *testing.T) *server.Server {
	t.Helper()
	s, err := server.NewServer(&server.Options{Host: "127.0.0.1", Port: -1, JetStream: true, StoreDir: t.TempDir(), NoSigs: true, NoLog: true})
	if err != nil {
		t.Fatal(err)
	}
	s.Start()
	t.Cleanup(func() {
		s.Shutdown()
		s.WaitForShutdown()
	})
	if !s.ReadyForConnections(10 * time.Second) {
		t.Fatal("NATS server is not ready")
	}
	return s
}

func TestPublish(t *testing.T) {
	both(t, func(t *testing.T, a, b *Bus) {
		var subs []*Subscription
		got := make(chan Message, 100)
		for _, bus := range []*Bus{a, b} {
			s, err := bus.Subscribe(Subject("show", "1")+".*", func(m Message) { got <- m })
			if err != nil {
				t.Fatal(err)
			}
			subs = append(subs, s)
		}
		for i := range 10 {
			if err := a.Publish(Subject("show", "1", "hold"), fmt.Append(nil, i)); err != nil {
				t.Fatal(err)
			}
		}
		seen := map[string]int{}
		for range 20 {
			m := <-got
			if m.Subject != "show.1.hold" || m.Missed != 0 {
				t.Errorf("got %+v", m)
			}
			seen[string(m.Data)]++
		}
		for i := range 10 {
			if n := seen[fmt.Sprint(i)]; n != 2 {
				t.Errorf("message %d came %d times, want to both", i, n)
			}
		}
		subs[0].Close()
		subs[0].Close()
		if err := a.Publish("show.1.hold", nil); err != nil {
			t.Fatal(err)
		}
		<-got // the other one
		if err := a.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		if len(got) != 0 {
			t.Error("a closed subscription got a message")
		}
		if err := a.Ready(); err != nil {
			t.Error(err)
		}
	})
}

// A slow subscriber loses messages, is told how many, and holds up nobody.
func TestSlowSubscriber(t *testing.T) {
	b := open(t, Options{Dir: t.TempDir(), Name: "one", Pending: 10})
	const sent = 500
	blocked, release := make(chan struct{}), make(chan struct{})
	var once sync.Once
	var got, missed atomic.Uint64
	last := make(chan struct{})
	if _, err := b.Subscribe("slow", func(m Message) {
		once.Do(func() { close(blocked); <-release })
		got.Add(1)
		missed.Add(m.Missed)
		if string(m.Data) == "last" {
			close(last)
		}
	}); err != nil {
		t.Fatal(err)
	}
	fast := make(chan struct{}, 2*sent)
	if _, err := b.Subscribe("fast", func(Message) { fast <- struct{}{} }); err != nil {
		t.Fatal(err)
	}
	for i := range sent {
		if err := b.Publish("slow", fmt.Append(nil, i)); err != nil {
			t.Fatal(err)
		}
		if i == 0 {
			<-blocked
		}
	}
	if err := b.Publish("fast", nil); err != nil {
		t.Fatal(err)
	}
	<-fast
	close(release)
	// The queue empties; then the last one fits and tells what was missed before it.
	for got.Load() < 11 {
		time.Sleep(time.Millisecond)
	}
	if err := b.Publish("slow", []byte("last")); err != nil {
		t.Fatal(err)
	}
	<-last
	if got.Load()+missed.Load() != sent+1 || missed.Load() == 0 {
		t.Errorf("got %d, told of %d missed; want %d together", got.Load(), missed.Load(), sent+1)
	}
	for b.Stats().Dropped != missed.Load() {
		time.Sleep(time.Millisecond)
	}
}

func TestRequest(t *testing.T) {
	both(t, func(t *testing.T, a, b *Bus) {
		if _, err := a.Request(t.Context(), "do.1", nil); !errors.Is(err, ErrNobody) {
			t.Errorf("Request = %v, want ErrNobody", err)
		}
		s, err := b.Answer("do.1", func(ctx context.Context, data []byte) ([]byte, error) {
			if _, ok := ctx.Deadline(); !ok {
				t.Error("no deadline")
			}
			if string(data) == "bad" {
				return nil, errors.New("sold out\nreally")
			}
			return append([]byte("echo "), data...), nil
		})
		if err != nil {
			t.Fatal(err)
		}
		var wg sync.WaitGroup
		for i := range 50 {
			wg.Go(func() {
				got, err := a.Request(t.Context(), "do.1", fmt.Append(nil, i))
				if want := fmt.Sprintf("echo %d", i); err != nil || string(got) != want {
					t.Errorf("Request = %q, %v; want %q", got, err, want)
				}
			})
		}
		wg.Wait()
		var remote *RemoteError
		if _, err := a.Request(t.Context(), "do.1", []byte("bad")); !errors.As(err, &remote) || remote.Error() != "sold out\nreally" {
			t.Errorf("Request = %v, want the remote error", err)
		}
		s.Close()
		if _, err := a.Request(t.Context(), "do.1", nil); !errors.Is(err, ErrNobody) {
			t.Errorf("after Close: %v, want ErrNobody", err)
		}
	})
}

// The answering side learns when the asker has given up, and its slots come back.
func TestRequestDeadline(t *testing.T) {
	both(t, func(t *testing.T, a, b *Bus) {
		ended := make(chan error, 1)
		if _, err := b.Answer("slow", func(ctx context.Context, _ []byte) ([]byte, error) {
			<-ctx.Done()
			ended <- ctx.Err()
			return nil, ctx.Err()
		}); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Millisecond)
		defer cancel()
		if _, err := a.Request(ctx, "slow", nil); err == nil {
			t.Error("Request succeeds")
		}
		if err := <-ended; !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("the answer's ctx ended by %v", err)
		}
	})
}

func TestRequestBusy(t *testing.T) {
	b := open(t, Options{Dir: t.TempDir(), Name: "one"})
	release := make(chan struct{})
	if _, err := b.Answer("busy", func(context.Context, []byte) ([]byte, error) {
		<-release
		return nil, nil
	}); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var busy, done atomic.Int64
	var wg sync.WaitGroup
	for range answering + 10 {
		wg.Go(func() {
			switch _, err := b.Request(ctx, "busy", nil); {
			case errors.Is(err, ErrBusy):
				if busy.Add(1) == 10 {
					close(release)
				}
			case err == nil:
				done.Add(1)
			default:
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if busy.Load() != 10 || done.Load() != answering {
		t.Errorf("%d busy, %d done", busy.Load(), done.Load())
	}
}

// Close lets a request that is being answered end, and its reply leave.
func TestCloseWaitsForAnswers(t *testing.T) {
	s := serverByAddress(t)
	a, b := open(t, Options{URL: s.ClientURL()}), open(t, Options{URL: s.ClientURL()})
	began, release := make(chan struct{}), make(chan struct{})
	once := sync.OnceFunc(func() { close(began) }) // one of those below may be served still
	if _, err := b.Answer("do.1", func(context.Context, []byte) ([]byte, error) {
		once()
		<-release
		return []byte("done"), nil
	}); err != nil {
		t.Fatal(err)
	}
	reply := make(chan string, 1)
	go func() {
		got, err := a.Request(t.Context(), "do.1", nil)
		reply <- fmt.Sprintf("%s %v", got, err)
	}()
	<-began
	closed := make(chan error, 1)
	go func() { closed <- b.Close() }()
	// From now on nobody new is served.
	for nobody := false; !nobody; {
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		_, err := a.Request(ctx, "do.1", nil)
		cancel()
		nobody = errors.Is(err, ErrNobody)
	}
	close(release)
	if got := <-reply; got != "done <nil>" {
		t.Errorf("reply %q", got)
	}
	if err := <-closed; err != nil {
		t.Errorf("Close: %v", err)
	}
	if _, err := b.Subscribe("x", func(Message) {}); !errors.Is(err, ErrClosed) {
		t.Errorf("Subscribe = %v, want ErrClosed", err)
	}
	if err := b.Publish("x", nil); !errors.Is(err, ErrClosed) {
		t.Errorf("Publish = %v, want ErrClosed", err)
	}
	if _, err := b.Request(t.Context(), "x", nil); !errors.Is(err, ErrClosed) {
		t.Errorf("Request = %v, want ErrClosed", err)
	}
	if err := b.Log(1, nil); !errors.Is(err, ErrClosed) {
		t.Errorf("Log = %v, want ErrClosed", err)
	}
}

// Close delivers what subscribers have waiting.
func TestCloseDrains(t *testing.T) {
	b := open(t, Options{Dir: t.TempDir()})
	var got atomic.Int64
	if _, err := b.Subscribe("x", func(Message) { got.Add(1) }); err != nil {
		t.Fatal(err)
	}
	for range 1000 {
		if err := b.Publish("x", nil); err != nil {
			t.Fatal(err)
		}
	}
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	if got.Load() != 1000 {
		t.Errorf("%d delivered, want 1000", got.Load())
	}
}

// The server in the process has no port.
func TestNoPort(t *testing.T) {
	b := open(t, Options{Dir: t.TempDir(), Name: "one"})
	if a := b.server.Addr(); a != nil {
		t.Errorf("listens on %v", a)
	}
}

func TestOpenRefuses(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	nobody := l.Addr().String()
	l.Close()
	for name, o := range map[string]Options{
		"nothing":     {},
		"unreachable": {URL: "nats://user:hunter2@" + nobody},
		"no address":  {URL: "hunter2"},
		"bad address": {URL: "nats://user:hunter2@host:port:4222"},
		"scheme":      {URL: "http://user:hunter2@" + nobody},
		"bad folder":  {Dir: "/dev/null/hunter2"},
	} {
		b, err := Open(t.Context(), o)
		if err == nil {
			b.Close()
			t.Errorf("%s: opened", name)
		} else if name != "bad folder" && strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: the error shows the password: %v", name, err)
		}
	}
}

func TestSubject(t *testing.T) {
	for _, tt := range []struct {
		in   []string
		want string
	}{
		{[]string{"chat", "42", "twitch/1001"}, "chat.42.twitch/1001"},
		{[]string{"a.b", "*", ">", " ", ""}, "a=2Eb.=2A.=3E.=20.="},
		{[]string{"é"}, "=C3=A9"},
		{[]string{"=2E"}, "=3D2E"},
	} {
		if got := Subject(tt.in...); got != tt.want {
			t.Errorf("Subject(%q) = %q, want %q", tt.in, got, tt.want)
		}
	}
}

// Whatever a platform calls a channel, it stays one token.
func FuzzSubject(f *testing.F) {
	f.Add("a.b", "*")
	f.Add("", ">")
	f.Fuzz(func(t *testing.T, a, b string) {
		s := Subject(a, b)
		if strings.Count(s, ".") != 1 || strings.ContainsAny(s, "*> \t\r\n") || strings.HasPrefix(s, ".") || strings.HasSuffix(s, ".") {
			t.Fatalf("Subject(%q, %q) = %q", a, b, s)
		}
		if a != b && Subject(a) == Subject(b) {
			t.Fatalf("%q and %q are one", a, b)
		}
	})
}

func TestLog(t *testing.T) {
	both(t, func(t *testing.T, a, b *Bus) {
		ctx := t.Context()
		for i := range 20 {
			for _, channel := range []string{"twitch/1001", "discord/4.4"} {
				if err := a.Log(7, fmt.Appendf(nil, "%s %d", channel, i)); err != nil {
					t.Fatal(err)
				}
			}
			if err := a.Log(77, []byte("another merchant")); err != nil {
				t.Fatal(err)
			}
		}
		if err := a.Logged(ctx); err != nil {
			t.Fatal(err)
		}
		all := read(t, b, Range{Merchant: 7})
		if len(all) != 40 || string(all[0].Data) != "twitch/1001 0" || all[0].At.IsZero() {
			t.Fatalf("%d lines, first %+v", len(all), all[0])
		}
		for i := range all[1:] {
			if all[i].Seq >= all[i+1].Seq {
				t.Fatal("not in order")
			}
		}
		if rest := read(t, b, Range{Merchant: 7, From: all[10].Seq + 1, Limit: 5}); len(rest) != 5 || rest[0].Seq != all[11].Seq {
			t.Errorf("reading on gives %v", rest)
		}
		if since := read(t, b, Range{Merchant: 7, Since: all[30].At}); len(since) < 10 {
			t.Errorf("since gives %d lines, want the last 10", len(since))
		}
		if until := read(t, b, Range{Merchant: 7, Until: all[1].At}); len(until) > 1 {
			t.Errorf("until gives %d lines, want at most 1", len(until))
		}
		if none := read(t, b, Range{Merchant: 8}); len(none) != 0 {
			t.Errorf("a merchant without lines has %d", len(none))
		}
		if err := b.EraseLog(ctx, all[0].Seq, all[3].Seq); err != nil {
			t.Fatal(err)
		}
		if err := b.EraseLog(ctx, all[0].Seq, 1<<40); err != nil {
			t.Errorf("erasing again: %v", err)
		}
		left := read(t, a, Range{Merchant: 7})
		if len(left) != 38 || left[0].Seq != all[1].Seq {
			t.Errorf("%d lines after erasing two", len(left))
		}
		if s := a.Stats(); s.LogLost != 0 {
			t.Errorf("%+v", s)
		}
		if n := b.readers(t); n != 0 {
			t.Errorf("%d readers left on the server", n)
		}
	})
}

func (b *Bus) readers(t *testing.T) int {
	t.Helper()
	info, err := b.chats.Info(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return info.State.Consumers
}

func read(t *testing.T, b *Bus, r Range) []Record {
	t.Helper()
	records, err := b.ReadLog(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	return records
}

// The log outlives the process, and more than one page of it is read.
func TestLogStays(t *testing.T) {
	dir := t.TempDir()
	b := open(t, Options{Dir: dir, Name: "one"})
	for i := range 1500 {
		if err := b.Log(7, fmt.Append(nil, i)); err != nil {
			t.Fatal(err)
		}
	}
	if err := b.Close(); err != nil { // waits for the confirmations
		t.Fatal(err)
	}
	b = open(t, Options{Dir: dir, Name: "one"})
	records := read(t, b, Range{Merchant: 7, Limit: 2000})
	if len(records) != 1500 || !bytes.Equal(records[1499].Data, []byte("1499")) {
		t.Errorf("%d lines after a restart", len(records))
	}
}

// What the log does not take is counted.
func TestLogLost(t *testing.T) {
	s := serverByAddress(t)
	b := open(t, Options{URL: s.ClientURL()})
	if err := b.js.DeleteStream(t.Context(), logStream); err != nil {
		t.Fatal(err)
	}
	if err := b.Log(7, nil); err != nil {
		t.Fatal(err)
	}
	for b.Stats().LogLost == 0 {
		time.Sleep(time.Millisecond)
	}
}

// The connection comes back by itself, and subscriptions with it.
func TestReconnect(t *testing.T) {
	s := serverByAddress(t)
	b := open(t, Options{URL: s.ClientURL()})
	got := make(chan struct{}, 1000)
	if _, err := b.Subscribe("x", func(Message) { got <- struct{}{} }); err != nil {
		t.Fatal(err)
	}
	if err := s.DisconnectClientByID(1); err != nil {
		for id := uint64(2); id < 50; id++ {
			if s.DisconnectClientByID(id) == nil {
				break
			}
		}
	}
	for b.Stats().Outages == 0 {
		time.Sleep(time.Millisecond)
	}
	if err := b.Publish("x", nil); err != nil {
		t.Fatal(err)
	}
	<-got
	if err := b.Ready(); err != nil {
		t.Error(err)
	}
}
