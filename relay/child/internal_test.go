package child

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/slogtest"
	"time"

	"hawker/relay"
)

// fill gives every field of a value something of its own.
func fill(v reflect.Value, n *int64) {
	*n++
	switch v.Kind() {
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[time.Time]() {
			v.Set(reflect.ValueOf(time.UnixMilli(1e12 + *n).UTC()))
			return
		}
		for i := range v.NumField() {
			fill(v.Field(i), n)
		}
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem(), n)
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		for i := range 2 {
			fill(v.Index(i), n)
		}
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		key, value := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
		fill(key, n)
		fill(value, n)
		v.SetMapIndex(key, value)
	case reflect.String:
		v.SetString(fmt.Sprint("text ", *n))
	case reflect.Interface:
		v.Set(reflect.ValueOf(fmt.Sprint("any ", *n)))
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Float64, reflect.Float32:
		v.SetFloat(float64(*n) + 0.5)
	default:
		if v.CanInt() {
			v.SetInt(*n)
		} else {
			v.SetUint(uint64(*n))
		}
	}
}

// All that a hub tells its relay, and the other way, arrives: also in fields that somebody adds.
func TestEverythingArrives(t *testing.T) {
	for _, v := range []any{&relay.Config{}, &relay.Event{}, &relay.StreamStatus{}, &answer{}, &deed{}, &line{}, &hello{}, &live{}, &first{}} {
		x := reflect.ValueOf(v).Elem()
		if f, ok := v.(*first); ok {
			f.Log = nil
			f.Settings, f.Before, f.Tied, f.Away, f.Level, f.Settle = []byte("x"), []string{"a"}, true, 7, slog.LevelWarn, true
		} else {
			fill(x, new(int64))
		}
		b, err := json.Marshal(v)
		if err != nil {
			t.Errorf("%T: %v", v, err)
			continue
		}
		back := reflect.New(x.Type())
		if err := json.Unmarshal(b, back.Interface()); err != nil || !reflect.DeepEqual(back.Interface(), v) {
			t.Errorf("%T: %v\n%s\nbecame\n%+v", v, err, b, back.Interface())
		}
	}
}

// What nobody takes is bounded, oldest first, and records of the log never take the place of events.
func TestFeedIsBounded(t *testing.T) {
	f := newFeed()
	for i := range maxEvents + 10 {
		f.put(line{Event: &relay.Event{Name: fmt.Sprint(i)}})
	}
	for range maxRecords + 5 {
		f.put(line{Log: &record{}})
	}
	got := f.take(f.join())
	if len(got) != maxEvents+maxRecords || got[0].Event.Name != "10" || got[0].Lost != 15 {
		t.Errorf("%d entries, the first %+v", len(got), got[0])
	}
	if !slices.IsSortedFunc(got, func(a, b line) int { return int(int64(a.Seq) - int64(b.Seq)) }) {
		t.Error("out of order")
	}
}

// A hub is told each entry once; the next one those that were not acknowledged, and all questions that still wait.
func TestFeedTellsAgain(t *testing.T) {
	f := newFeed()
	one := f.join()
	for i := range 3 {
		f.put(line{Event: &relay.Event{Name: fmt.Sprint(i)}})
	}
	answers := make(chan answer, 1)
	go func() {
		a, _ := f.ask(t.Context(), "key", true)
		answers <- a
	}()
	var asked uint64
	var names []string
	take := func(l *listener) {
		for _, x := range f.take(l) {
			if x.Ask != nil {
				asked = x.Ask.ID
			} else {
				names = append(names, x.Event.Name)
			}
		}
	}
	for asked == 0 {
		<-one.wake
		take(one)
	}
	take(one)
	f.acknowledge(2)
	two := f.join()
	select {
	case <-one.gone:
	default:
		t.Error("the first hub was not sent away")
	}
	f.part(one) // comes late and takes nothing from the second
	asked = 0
	take(two)
	if got := strings.Join(names, ""); got != "0122" || asked == 0 {
		t.Errorf("told %s, question %d", got, asked)
	}
	if f.reply("not a number", answer{}) || f.reply("99999", answer{}) || !f.reply(fmt.Sprint(asked), answer{Tag: "t"}) {
		t.Error("an answer to the wrong question is taken, or one to the right is not")
	}
	if a := <-answers; a.Tag != "t" {
		t.Errorf("%+v", a)
	}
}

// Without a hub a patient question waits for one, another does not; and both give up with their context.
func TestAskWithoutHub(t *testing.T) {
	f := newFeed()
	if _, err := f.ask(t.Context(), "k", false); !errors.Is(err, errNoHub) {
		t.Errorf("%v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := f.ask(ctx, "k", true); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	hub := f.join()
	ended := make(chan error, 1)
	go func() {
		_, err := f.ask(t.Context(), "k", false)
		ended <- err
	}()
	<-hub.wake
	f.part(hub)
	if err := <-ended; !errors.Is(err, errNoHub) {
		t.Errorf("when the hub goes: %v", err)
	}
	if len(f.asks) != 0 {
		t.Errorf("%d questions are kept", len(f.asks))
	}
}

// What was done with a stream is also in force for an encoder that comes back while there is no hub.
func TestMemory(t *testing.T) {
	a, b, c := relay.Destination{ID: "a"}, relay.Destination{ID: "b"}, relay.Destination{ID: "c"}
	m := newMemory()
	admit := func(key string, backup bool) {
		m.admit(key, answer{Config: relay.Config{ID: "show", Backup: backup, Destinations: []relay.Destination{a, b}}, Tag: "7"})
	}
	admit("one", false)
	admit("two", true)
	m.admit("elsewhere", answer{Config: relay.Config{ID: "other", Destinations: []relay.Destination{a}}})
	ids := func(key string) (out string) {
		cfg, ok := m.known(key)
		if !ok {
			return "unknown"
		}
		for _, d := range cfg.Destinations {
			out += d.ID + d.Name
		}
		return out
	}
	for _, x := range []struct {
		deed
		want string
	}{
		{deed{What: doAdd, Destinations: []relay.Destination{c, {ID: "a", Name: "1"}}}, "a1bc"},
		{deed{What: doRemove, ID: "b"}, "a1c"},
		{deed{What: doRemove, ID: "b"}, "a1c"},
		{deed{What: doSet, Destinations: []relay.Destination{b}}, "b"},
		{deed{What: doTune, Config: &relay.Config{UplinkKbps: 5, Destinations: []relay.Destination{a}}}, "b"},
		{deed{What: doSlate, On: true}, "b"},
		{deed{What: doForget}, "unknown"},
	} {
		x.Stream = "show"
		m.note(x.deed)
		if got, two := ids("one"), ids("two"); got != x.want || two != x.want {
			t.Errorf("after %s: %s, %s; want %s", x.What, got, two, x.want)
		}
		if x.What == doTune {
			if cfg, _ := m.known("two"); cfg.UplinkKbps != 5 || !cfg.Backup || cfg.ID != "show" {
				t.Errorf("tuned: %+v", cfg)
			}
		}
		if got := ids("elsewhere"); got != "a" {
			t.Errorf("after %s another stream has %s", x.What, got)
		}
	}
	// What one caller does with his copy is not in the memory.
	cfg, _ := m.known("elsewhere")
	cfg.Destinations[0].ID = "changed"
	if got := ids("elsewhere"); got != "a" {
		t.Errorf("changed from outside: %s", got)
	}
}

// Memory does not grow: slates go with what uses them, keys when their stream is long over, and there is a bound.
func TestMemoryIsSwept(t *testing.T) {
	m := newMemory()
	clip := []byte("a slate")
	m.clip(digest(clip), clip)
	m.clip(digest([]byte("unused")), []byte("unused"))
	cfg := m.admit("k", answer{Config: relay.Config{ID: "show"}, Slate: digest(clip), Tag: "7"})
	if !bytes.Equal(cfg.Slate, clip) || !m.has(digest(clip)) || !m.has("") || m.has("other") {
		t.Errorf("slate %q", cfg.Slate)
	}
	now := time.Now()
	m.sweep(now.Add(2*slateWaits), nil)
	if len(m.slates) != 1 || len(m.keys) != 1 {
		t.Errorf("%d slates, %d keys", len(m.slates), len(m.keys))
	}
	m.sweep(now.Add(admittedFor*2), []relay.StreamStatus{{ID: "show"}}) // it is live
	m.sweep(now.Add(admittedFor*5/2), nil)
	if len(m.keys) != 1 {
		t.Error("a key that was live until now is forgotten")
	}
	m.sweep(now.Add(admittedFor*4), nil)
	if len(m.slates) != 0 || len(m.keys) != 0 || len(m.tags) != 0 {
		t.Errorf("left: %d slates, %d keys, %d tags", len(m.slates), len(m.keys), len(m.tags))
	}
	for i := range maxAdmitted + 3 {
		m.admit(fmt.Sprint(i), answer{})
	}
	if len(m.keys) != maxAdmitted {
		t.Errorf("%d keys", len(m.keys))
	}
}

// The log handler keeps to slog's rules, and what it carries says no secret.
func TestRecords(t *testing.T) {
	var all []*record
	h := &handler{keep: func(r *record) { all = append(all, r) }}
	err := slogtest.TestHandler(h, func() (out []map[string]any) {
		for _, r := range all {
			m := map[string]any{slog.MessageKey: r.Text, slog.LevelKey: r.Level.String()}
			if !r.At.IsZero() {
				m[slog.TimeKey] = r.At
			}
			for _, a := range r.Attrs {
				at, name := m, a.Name
				for before, rest, ok := strings.Cut(name, "."); ok; before, rest, ok = strings.Cut(rest, ".") {
					if at[before] == nil {
						at[before] = map[string]any{}
					}
					at, name = at[before].(map[string]any), rest
				}
				at[name] = a.Value
			}
			out = append(out, m)
		}
		return out
	})
	if err != nil {
		t.Error(err)
	}
	all = nil
	d := relay.Destination{ID: "a", Name: "A", Server: "rtmp://host/secret-path", Key: "secret-key"}
	log := slog.New(h)
	log.Warn("m", "one", d, "two", []relay.Destination{d}, "three", &d, "err", errors.New("why"), "n", 3, "f", 1.5, "d", time.Second, "nan", slog.Float64Value(0/zero()))
	b, err := json.Marshal(all[0])
	if err != nil || bytes.Contains(b, []byte("secret")) {
		t.Errorf("%s, %v", b, err)
	}
	var back record
	if err := json.Unmarshal(b, &back); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	back.say(slog.New(slog.NewTextHandler(&out, nil)))
	if got := out.String(); !strings.Contains(got, `msg=m one="A (a)" two="[A (a)]"`) || !strings.Contains(got, "err=why n=3 f=1.5 d=1s nan=NaN") {
		t.Errorf("%s", got)
	}
}

func zero() float64 { return 0 }

// Who is another user is sent away before he is read.
func TestGuarded(t *testing.T) {
	if !Supported {
		return
	}
	dir, err := os.MkdirTemp("", "guard-")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	ln, err := net.Listen("unix", filepath.Join(dir, "s"))
	if err != nil {
		t.Fatal(err)
	}
	var uid atomic.Int64
	g := &guarded{Listener: ln, log: slog.New(slog.DiscardHandler), allowed: func(u int) bool { uid.Store(int64(u)); return false }}
	ended := make(chan error, 1)
	go func() {
		_, err := g.Accept()
		ended <- err
	}()
	c, err := net.Dial("unix", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
		t.Errorf("he is not sent away: %v", err)
	}
	_, _ = c.Close(), ln.Close()
	if err := <-ended; err == nil || uid.Load() != int64(os.Getuid()) {
		t.Errorf("%v, user %d", err, uid.Load())
	}
	if !ours(os.Geteuid()) || !ours(0) || ours(os.Geteuid()+54321) {
		t.Error("who may speak")
	}
}

// However many look, the process is asked for its status once a second; after something happened once more.
func TestStatusIsCheap(t *testing.T) {
	dir, err := os.MkdirTemp("", "status-")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	ln, err := net.Listen("unix", filepath.Join(dir, SocketName))
	if err != nil {
		t.Fatal(err)
	}
	var asked atomic.Int64
	srv := &httptest.Server{Listener: ln, Config: &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { //nolint:gosec // a test
		asked.Add(1)
		tell(w, []relay.StreamStatus{{ID: "show"}})
	})}}
	srv.Start()
	defer srv.Close()
	c := &Client{Dir: dir}
	if c.Status() != nil || asked.Load() != 0 {
		t.Error("a process is asked that was not found")
	}
	c.found(hello{PID: 1, Started: time.Now()}, Up)
	began := time.Now()
	for range 10_000 {
		if all := c.Status(); len(all) != 1 || all[0].ID != "show" {
			t.Fatalf("%+v", all)
		}
	}
	if n, most := asked.Load(), 1+int64(time.Since(began)/statusFor); n > most {
		t.Errorf("asked %d times, want at most %d", n, most)
	}
	for range 50 {
		c.happened()
		c.Status()
	}
	if n, most := asked.Load(), 2+int64(time.Since(began)/statusAtMost); n > most {
		t.Errorf("asked %d times after much has happened, want at most %d", n, most)
	}
	srv.Close()
	c.happened()
	time.Sleep(statusAtMost)
	if all := c.Status(); len(all) != 1 {
		t.Errorf("when the process does not answer: %+v", all)
	}
}

// A slate crosses once, however often its stream is asked about.
func TestSlateCrossesOnce(t *testing.T) {
	p := &process{feed: newFeed(), memory: newMemory(), core: &Core{Server: &relay.Server{}}}
	put := 0
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPut {
			put++
		}
		p.handler().ServeHTTP(w, r)
	}))
	defer srv.Close()
	slate := bytes.Repeat([]byte("slate"), 2<<20)
	c := &Client{Asks: Asks{Stream: func(context.Context, string) (relay.Config, string, error) {
		return relay.Config{ID: "show", Slate: slate}, "7", nil
	}}}
	c.open()
	c.api = &http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "tcp", srv.Listener.Addr().String())
	}}}
	hub := p.feed.join()
	for range 3 {
		got := make(chan relay.Config, 1)
		go func() {
			cfg, err := p.stream(t.Context(), "key")
			if err != nil {
				t.Error(err)
			}
			got <- cfg
		}()
		for asked := false; !asked; {
			<-hub.wake
			for _, l := range p.feed.take(hub) {
				c.answer(t.Context(), l.Ask)
				asked = true
			}
		}
		if cfg := <-got; !bytes.Equal(cfg.Slate, slate) || cfg.ID != "show" {
			t.Errorf("%s with a slate of %d bytes", cfg.ID, len(cfg.Slate))
		}
	}
	if err := c.Tune("show", relay.Config{Slate: slate}); !errors.Is(err, relay.ErrNoStream) {
		t.Errorf("Tune: %v", err)
	}
	if put != 1 {
		t.Errorf("the slate crossed %d times", put)
	}
	resp, err := http.DefaultClient.Do(must(http.NewRequest(http.MethodPut, srv.URL+"/relay/slates/"+digest(slate), strings.NewReader("another"))))
	if err != nil || resp.StatusCode != http.StatusBadRequest {
		t.Errorf("a slate under another's name: %v, %v", resp, err)
	}
	_ = resp.Body.Close()
}

func must(r *http.Request, err error) *http.Request {
	if err != nil {
		panic(err)
	}
	return r
}

func TestUsable(t *testing.T) {
	if err := Usable(strings.Repeat("/long", 30)); err == nil {
		t.Error("a path that is too long for a socket")
	}
	if err := Usable("/nonexistent"); err == nil {
		t.Error("a folder that is not there")
	}
}

func TestProcessWords(t *testing.T) {
	began := time.Now().Add(-3*time.Hour - time.Minute)
	for _, tt := range []struct {
		p    Process
		want string
	}{
		{Process{PID: 1234, Started: began, State: Up}, "process 1234, up 3 h"},
		{Process{PID: 1234, Started: time.Now(), State: Up, Restarts: 2}, "process 1234, up 0 s (started again 2 times)"},
		{Process{PID: 9, Started: began, State: Older, Version: "v1"}, "process 9, up 3 h, of version v1: it is replaced when no stream is live"},
		{Process{State: Down, Trouble: "the port is taken"}, "down: the port is taken"},
		{Process{PID: 9, State: Within}, "in the hub's own process"},
	} {
		if got := tt.p.String(); got != tt.want {
			t.Errorf("%q, want %q", got, tt.want)
		}
	}
}

// Only what Go itself reads is handed on of the environment.
func TestKept(t *testing.T) {
	got := kept([]string{"PATH=/bin", "HAWKER_KEY=secret", "PGPASSWORD=secret", "GOMAXPROCS=2", "AWS_SECRET=x", "PATHOLOGY=x"})
	if want := []string{"PATH=/bin", "GOMAXPROCS=2"}; !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
}
