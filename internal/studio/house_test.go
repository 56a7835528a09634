package studio_test

import (
	"bytes"
	"context"
	"net"
	"os/exec"
	"sync"
	"testing"
	"time"

	"hawker/commerce"
	"hawker/internal/chat"
	"hawker/internal/seal"
	"hawker/internal/sqldb"
	"hawker/internal/sqldb/videobook"
	"hawker/internal/studio"
	"hawker/relay"
	"hawker/relay/rtmp"
	"hawker/relay/rtmpsim"
	"hawker/relay/still"
)

// house is a studio over a database and a relay, each real, with a platform that is not.
type house struct {
	t    *testing.T
	book *videobook.Book
	srv  *relay.Server
	*studio.Studio
	addr     string
	merchant commerce.ID

	mu     sync.Mutex
	about  studio.Show
	sim    *rtmpsim.Sim
	server string // of the pretend platform
	opens  int
	closed []string
	fail   error
	says   func(studio.Reception) // tells what the platform receives
}

const show = commerce.ID(100)

func newHouse(t *testing.T) *house {
	t.Helper()
	key, err := seal.NewKey(bytes.Repeat([]byte{7}, 32))
	if err != nil {
		t.Fatal(err)
	}
	db, err := sqldb.Open(t.Context(), sqldb.Options{Dir: t.TempDir(), Key: key})
	if err != nil {
		t.Fatal(err)
	}
	h := &house{t: t, book: db.Videobook(), about: studio.Show{ID: show, Title: "Spring"}}
	if h.merchant, err = db.PutMerchant(t.Context(), sqldb.Merchant{Slug: "ana", Name: "Ana", Currency: "EUR", Timezone: "UTC", Language: "en"}); err != nil {
		t.Fatal(err)
	}
	h.sim, h.server = platform(t)
	h.srv = &relay.Server{OnEvent: func(e relay.Event) { h.Event(h.merchant, show, e) }}
	h.Studio = &studio.Studio{Book: h.book, Relay: h.srv, Dir: t.TempDir(), Node: "one", Show: func(context.Context, commerce.ID, commerce.ID) (studio.Show, error) {
		h.mu.Lock()
		defer h.mu.Unlock()
		return h.about, nil
	}, Platforms: map[chat.Platform]studio.Platform{"pretend": {Open: h.open, Watch: h.watch, Close: h.closes}}}
	h.srv.Stream = func(ctx context.Context, key string) (relay.Config, error) {
		c, _, err := h.Config(ctx, key)
		return c, err
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	h.addr = ln.Addr().String()
	ctx, stop := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() {
		if err := h.srv.Run(ctx, ln); err != nil {
			t.Error(err)
		}
	})
	running.Go(func() {
		if err := h.Studio.Run(ctx); err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(func() {
		stop()
		running.Wait()
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return h
}

// platform is where video may be sent to, and its address.
func platform(t *testing.T) (*rtmpsim.Sim, string) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &rtmpsim.Sim{}
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(ln) }()
	t.Cleanup(func() {
		s.Close()
		<-ended
	})
	return s, "rtmp://" + ln.Addr().String() + "/app"
}

func (h *house) open(_ context.Context, _ commerce.ID, account string, about studio.Show, known videobook.Session) (videobook.Session, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.opens++
	x := videobook.Session{Server: h.server, Key: "given-" + account, Broadcast: "b-" + about.Title, Stream: "s"}
	if known.Broadcast != "" {
		x.Broadcast = known.Broadcast
	}
	return x, h.fail
}

func (h *house) watch(ctx context.Context, _ commerce.ID, _ string, _ videobook.Session, tell func(studio.Reception)) error {
	h.mu.Lock()
	h.says = tell
	h.mu.Unlock()
	<-ctx.Done()
	return nil
}

func (h *house) closes(_ context.Context, _ commerce.ID, _ string, x videobook.Session) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.closed = append(h.closed, x.Broadcast)
	return nil
}

func (h *house) must(err error) {
	h.t.Helper()
	if err != nil {
		h.t.Fatal(err)
	}
}

func (h *house) view() *studio.View {
	h.t.Helper()
	v, err := h.View(h.t.Context(), h.merchant, show)
	h.must(err)
	return v
}

// key gives the show a stream key.
func (h *house) key(backup bool) string {
	h.t.Helper()
	k, err := h.NewKey(h.t.Context(), h.merchant, show, backup)
	h.must(err)
	return k.Main + k.Backup
}

func (h *house) to(d videobook.Destination) commerce.ID {
	h.t.Helper()
	d.Show, d.Enabled = show, true
	id, err := h.book.PutDestination(h.t.Context(), h.merchant, d)
	h.must(err)
	return id
}

// eventually waits for a state, for as long as a busy machine may need.
func (h *house) eventually(what string, ok func() bool) {
	h.t.Helper()
	for range 6000 {
		if ok() {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	h.t.Fatalf("it never came to this: %s", what)
}

// encoder sends a picture again and again.
type encoder struct {
	p    *rtmp.Publisher
	stop context.CancelFunc
	done chan struct{}
}

// encode publishes under a key; nil when it is refused.
func (h *house) encode(key string) *encoder {
	h.t.Helper()
	t, err := rtmp.ParseTarget("rtmp://"+h.addr+"/live", key)
	h.must(err)
	p, err := (&rtmp.Dialer{}).Publish(h.t.Context(), t)
	if err != nil {
		return nil
	}
	ctx, stop := context.WithCancel(context.Background())
	e := &encoder{p, stop, make(chan struct{})}
	go func() {
		defer close(e.done)
		header, keys := still.Black(320, 240)
		meta := rtmp.AppendAMF0(nil, "@setDataFrame", "onMetaData", rtmp.Object{{Name: "width", Value: 320}, {Name: "height", Value: 240}})
		for _, m := range []rtmp.Message{{Type: rtmp.TypeData, Payload: meta}, {Type: rtmp.TypeVideo, Payload: header}} {
			if p.Send(m) != nil {
				return
			}
		}
		for n := uint32(0); ctx.Err() == nil; n++ {
			if p.Send(rtmp.Message{Type: rtmp.TypeVideo, Time: n * 40, Payload: keys[n%2]}) != nil {
				return
			}
			time.Sleep(40 * time.Millisecond)
		}
	}()
	h.t.Cleanup(e.lost)
	return e
}

// lost ends an encoder without a word.
func (e *encoder) lost() {
	e.stop()
	<-e.done
	_ = e.p.Close()
}

// ends is an encoder's deliberate end.
func (e *encoder) ends() {
	e.stop()
	<-e.done
	_ = e.p.End()
}

func picture(t *testing.T) []byte {
	t.Helper()
	if _, err := exec.LookPath("ffmpeg"); err != nil {
		t.Fatal("ffmpeg is not installed (Debian: ffmpeg)")
	}
	b, err := exec.CommandContext(t.Context(), "ffmpeg", "-v", "error", "-nostdin", "-f", "lavfi", "-i", "testsrc=s=320x240", "-frames:v", "1", "-c:v", "png", "-f", "image2pipe", "-").Output()
	if err != nil {
		t.Fatal(err)
	}
	return b
}
