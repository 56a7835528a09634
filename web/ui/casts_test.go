package ui_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"hawker/internal/live"
	"hawker/web/ui"
)

// thing is what the casts of these tests show.
type thing struct {
	mu    sync.Mutex
	text  string
	tell  func(live.Signal)
	times int
	stops int
}

func (x *thing) set(text string) {
	x.mu.Lock()
	x.text = text
	tell := x.tell
	x.mu.Unlock()
	tell(live.Signal{Kind: live.SignalChanged})
}

func (x *thing) source() ui.Source {
	return ui.Source{
		Watch: func(tell func(live.Signal)) (func(), error) {
			x.mu.Lock()
			defer x.mu.Unlock()
			x.tell = tell
			return func() { x.mu.Lock(); x.stops++; x.mu.Unlock() }, nil
		},
		Render: func(context.Context) ([]ui.Part, error) {
			x.mu.Lock()
			defer x.mu.Unlock()
			x.times++
			return []ui.Part{{Target: "#same", HTML: []byte("same")}, {Target: "#text", HTML: []byte("<b>\n" + x.text + "</b>")}}, nil
		},
		Tell: func(s live.Signal) []ui.Part {
			if s.Line == nil {
				return nil
			}
			return []ui.Part{{Target: "#chat", Swap: "beforeend", HTML: []byte("<li>" + s.Line.Text + "</li>")}}
		},
		Fresh: func(context.Context) ([]ui.Part, error) {
			return []ui.Part{{Target: "#chat", HTML: []byte("all")}}, nil
		},
	}
}

// reader reads a stream, one event at a time.
type reader struct {
	t    *testing.T
	sc   *bufio.Scanner
	body io.Closer
}

func (r *reader) event() (id, data string) {
	r.t.Helper()
	for r.sc.Scan() {
		line := r.sc.Text()
		switch {
		case line == "" && data != "":
			return id, data
		case strings.HasPrefix(line, "id: "):
			id = line[4:]
		case strings.HasPrefix(line, "data: "):
			data += line[6:] + "\n"
		}
	}
	r.t.Fatalf("stream ended: %v", r.sc.Err())
	return "", ""
}

// until reads events until one holds a text.
func (r *reader) until(text string) {
	r.t.Helper()
	for {
		if _, data := r.event(); strings.Contains(data, text) {
			return
		}
	}
}

func open(t *testing.T, url, last string) *reader {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	if last != "" {
		req.Header.Set("Last-Event-ID", last)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { res.Body.Close() })
	if res.Header.Get("Content-Type") != "text/event-stream" || res.Header.Get("X-Accel-Buffering") != "no" {
		t.Errorf("head of the stream: %v", res.Header)
	}
	r := &reader{t, bufio.NewScanner(res.Body), res.Body}
	r.sc.Buffer(nil, 32<<20)
	return r
}

func castServer(t *testing.T, x *thing, own func(context.Context) ([]ui.Part, error)) (*ui.Kit, string) {
	t.Helper()
	k := newKit(t, ui.Options{})
	s := httptest.NewServer(k.Wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := k.Casts.Serve(w, r, "thing", x.source(), own); err != nil {
			k.Fail(w, r, err)
		}
	})))
	t.Cleanup(s.Close)
	t.Cleanup(k.Close)
	return k, s.URL
}

func TestCast(t *testing.T) {
	x := &thing{text: "one"}
	k, url := castServer(t, x, nil)
	a := open(t, url, "")
	both := ""
	for !strings.Contains(both, "#same") || !strings.Contains(both, "#chat") {
		_, data := a.event()
		both += data
	}
	if !strings.Contains(both, "<hx-partial hx-target=\"#text\" hx-swap=\"innerMorph\"><b>\none</b>\n</hx-partial>") {
		t.Errorf("state = %q", both)
	}
	b := open(t, url, "")
	if _, data := b.event(); !strings.Contains(data, "one") || !strings.Contains(data, "#chat") || !strings.Contains(data, "#same") {
		t.Errorf("state of the second = %q", data)
	}
	x.set("two")
	ida, da := a.event()
	idb, db := b.event()
	if ida != idb || da != db || !strings.Contains(da, "two") || strings.Contains(da, "#same") {
		t.Errorf("change = %q %q, %q %q", ida, da, idb, db)
	}
	a.body.Close()
	x.tell(live.Signal{Kind: live.SignalChat, Line: &live.ChatLine{Text: "hello"}})
	if _, data := b.event(); !strings.Contains(data, "hello") {
		t.Errorf("told = %q", data)
	}
	x.set("three")
	b.event()
	// Who comes back gets what it missed, and only that.
	if _, data := open(t, url, ida).event(); !strings.Contains(data, "three") || !strings.Contains(data, "hello") || strings.Contains(data, "#same") || strings.Contains(data, "all") {
		t.Errorf("missed = %q", data)
	}
	// Who comes with something else gets everything.
	d := open(t, url, "12-7")
	if _, data := d.event(); !strings.Contains(data, "three") || !strings.Contains(data, "all") || !strings.Contains(data, "#same") {
		t.Errorf("anew = %q", data)
	}
	k.Close()
	for d.sc.Scan() { // shutdown ends the streams
	}
	if x.stops != 1 {
		t.Errorf("watch was stopped %d times", x.stops)
	}
	w := get(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := k.Casts.Serve(w, r, "thing", x.source(), nil); err != nil {
			k.Fail(w, r, err)
		}
	}), "/")
	if w.Code != http.StatusServiceUnavailable {
		t.Errorf("stream after shutdown: %d", w.Code)
	}
}

// A burst of changes is a handful of renderings.
func TestCastCoalesces(t *testing.T) {
	x := &thing{text: "0"}
	_, url := castServer(t, x, nil)
	a := open(t, url, "")
	a.until("#same")
	for i := range 500 {
		x.set(fmt.Sprint("n", i))
	}
	a.until("n499<")
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.times > 20 {
		t.Errorf("rendered %d times", x.times)
	}
}

// A browser that reads nothing loses its stream; the others do not notice.
func TestSlowBrowserIsLetGo(t *testing.T) {
	x := &thing{text: "0"}
	k, url := castServer(t, x, nil)
	open(t, url, "") // never read
	quick := open(t, url, "")
	quick.until("#chat")
	big := strings.Repeat("x", 4<<20)
	for i := range 400 {
		x.set(fmt.Sprint(i, big))
		quick.event()
		if n, _ := k.Casts.Looking(); n == 1 {
			return
		}
	}
	t.Fatal("the slow browser still has its stream")
}

// What one browser alone sees is rendered for it when something changed, also when nothing changed for all.
func TestOwnParts(t *testing.T) {
	x := &thing{text: "one"}
	var mu sync.Mutex
	mine := "mine0"
	_, url := castServer(t, x, func(context.Context) ([]ui.Part, error) {
		mu.Lock()
		defer mu.Unlock()
		return []ui.Part{{Target: "#mine", HTML: []byte(mine)}}, nil
	})
	a := open(t, url, "")
	a.until("mine0")
	x.set("two")
	a.until("two")
	mu.Lock()
	mine = "mine1"
	mu.Unlock()
	x.set("two")
	a.until("mine1")
}

// Text of a viewer cannot begin a field of a stream, nor end an event, by a line's end of any kind.
func TestMessageKeepsItsEvent(t *testing.T) {
	m := string(ui.Message("7", ui.Part{Target: "#chat", HTML: []byte("<p>a\rretry: 99999999\r\revent: x\r\nb\nc</p>")}))
	head, data, _ := strings.Cut(m, "\n")
	if head != "id: 7" || !strings.HasSuffix(data, "\n\n") || strings.Contains(m, "\r") {
		t.Errorf("%q", m)
	}
	for line := range strings.SplitSeq(strings.TrimSuffix(data, "\n\n"), "\n") {
		if !strings.HasPrefix(line, "data: ") {
			t.Errorf("%q is a field of its own in %q", line, m)
		}
	}
}
