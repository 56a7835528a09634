package relay_test

import (
	"context"
	"encoding/binary"
	"log/slog"
	"net"
	"slices"
	"sync"
	"testing"
	"time"

	"hawker/relay"
	"hawker/relay/relaytest"
	"hawker/relay/rtmp"
	"hawker/relay/rtmpsim"
)

const ingestKey = "ingest-secret-9f31"

// house is a relay that runs, with what it said.
type house struct {
	*relay.Server
	addr string
	logs *relaytest.Logs

	mu     sync.Mutex
	dests  []relay.Destination
	clip   []byte
	ask    bool
	kbps   int // of the line
	events []relay.Event
	stop   func()
}

// start runs a relay with one key, one stream "show" and these destinations.
func start(t testing.TB, change func(*relay.Server), dests ...relay.Destination) *house {
	t.Helper()
	h := &house{Server: &relay.Server{}, logs: &relaytest.Logs{}, dests: dests}
	h.Log = slog.New(slog.NewTextHandler(h.logs, &slog.HandlerOptions{Level: slog.LevelDebug}))
	h.Stream = func(_ context.Context, key string) (relay.Config, error) {
		if key != ingestKey && key != backupKey {
			return relay.Config{}, relay.ErrUnknownKey
		}
		h.mu.Lock()
		defer h.mu.Unlock()
		return relay.Config{ID: "show", Destinations: slices.Clone(h.dests), Backup: key == backupKey, Slate: h.clip, AskHost: h.ask, UplinkKbps: h.kbps}, nil
	}
	h.OnEvent = func(e relay.Event) {
		h.mu.Lock()
		defer h.mu.Unlock()
		h.events = append(h.events, e)
	}
	if change != nil {
		change(h.Server)
	}
	ln := listen(t)
	h.addr = ln.Addr().String()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := h.Run(ctx, ln); err != nil {
			t.Errorf("Run: %v", err)
		}
	}()
	h.stop = sync.OnceFunc(func() { cancel(); <-done })
	t.Cleanup(func() {
		h.stop()
		keys := []string{ingestKey, backupKey} // whatever a test did, no key is ever said
		for _, d := range h.dests {
			keys = append(keys, d.Key)
		}
		h.noSecrets(t, keys...)
	})
	return h
}

// slate makes a clip the slate.
func (h *house) slate(clip []byte) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.clip = clip
}

// line makes the line carry so much, in kbit/s.
func (h *house) line(kbps int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.kbps = kbps
}

func (h *house) askHost() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.ask = true
}

func (h *house) kinds() []relay.EventKind {
	h.mu.Lock()
	defer h.mu.Unlock()
	var out []relay.EventKind
	for _, e := range h.events {
		out = append(out, e.Kind)
	}
	return out
}

// destination returns the status of one, empty when it is not there.
func (h *house) destination(id string) relay.DestinationStatus {
	for _, st := range h.Status() {
		for _, d := range st.Destinations {
			if d.ID == id {
				return d
			}
		}
	}
	return relay.DestinationStatus{}
}

func listen(t testing.TB) net.Listener {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return ln
}

// platform runs a pretend platform and returns it as a destination.
func platform(t testing.TB, id string) (*rtmpsim.Sim, relay.Destination) {
	t.Helper()
	sim, ln := &rtmpsim.Sim{}, listen(t)
	go func() { _ = sim.Serve(ln) }()
	t.Cleanup(sim.Close)
	return sim, relay.Destination{ID: id, Name: "Platform " + id, Server: "rtmp://" + ln.Addr().String() + "/app", Key: "key-" + id}
}

func eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); !ok(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("never: %s", what)
		}
	}
}

// encoder publishes made-up pictures and sound, and keeps what it sent.
type encoder struct {
	t    testing.TB
	p    *rtmp.Publisher
	ms   uint32 // its clock
	n    int    // pictures since the start
	size int    // of a picture, bytes
	sent []uint64
}

// avcC is a real decoder configuration (Main, 640x360), so that other libraries can read it. The sequence parameter set
// is avcC[8:33], the picture parameter set avcC[36:].
var avcC = []byte{
	0x01, 0x4D, 0x40, 0x1F, 0xFF, 0xE1, 0x00, 0x19, 0x67, 0x4D, 0x40, 0x1F, 0xA6, 0x11, 0x02, 0x80, 0xBF, 0xE5, 0x84, 0x00, 0x00,
	0x03, 0x00, 0x04, 0x00, 0x00, 0x03, 0x00, 0xC8, 0x3C, 0x60, 0xC8, 0x46, 0x01, 0x00, 0x05, 0x68, 0xE8, 0x43, 0x32, 0xC8,
}

func publish(t testing.TB, addr, key string) (*rtmp.Publisher, error) {
	t.Helper()
	target, err := rtmp.ParseTarget("rtmp://"+addr+"/live", key)
	if err != nil {
		t.Fatal(err)
	}
	return (&rtmp.Dialer{}).Publish(t.Context(), target)
}

func encode(t testing.TB, addr string, from uint32) *encoder {
	t.Helper()
	return encodeAs(t, addr, ingestKey, from)
}

func encodeAs(t testing.TB, addr, key string, from uint32) *encoder {
	t.Helper()
	p, err := publish(t, addr, key)
	return encoding(t, p, err, from)
}

// encodeFrom publishes from another address of this machine.
func encodeFrom(t testing.TB, addr, key, host string) *encoder {
	t.Helper()
	target, err := rtmp.ParseTarget("rtmp://"+addr+"/live", key)
	if err != nil {
		t.Fatal(err)
	}
	d := &net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(host)}}
	p, err := (&rtmp.Dialer{DialContext: d.DialContext}).Publish(t.Context(), target)
	return encoding(t, p, err, 0)
}

func encoding(t testing.TB, p *rtmp.Publisher, err error, from uint32) *encoder {
	t.Helper()
	if err != nil {
		t.Fatalf("publish: %v", err)
	}
	t.Cleanup(func() { _ = p.Close() })
	e := &encoder{t: t, p: p, ms: from, size: 2000}
	e.headers()
	return e
}

func (e *encoder) send(typ byte, payload []byte) {
	e.t.Helper()
	if typ != rtmp.TypeData {
		e.sent = append(e.sent, rtmpsim.Hash(payload))
	}
	if err := e.p.Send(rtmp.Message{Type: typ, Time: e.ms, Payload: payload}); err != nil {
		e.t.Errorf("send: %v", err)
	}
}

func (e *encoder) headers() {
	e.send(rtmp.TypeData, rtmp.AppendAMF0(nil, "@setDataFrame", "onMetaData", rtmp.Object{
		{Name: "width", Value: 640}, {Name: "height", Value: 360}, {Name: "framerate", Value: 25},
	}))
	e.send(rtmp.TypeVideo, append([]byte{0x17, 0, 0, 0, 0}, avcC...))
	e.send(rtmp.TypeAudio, []byte{0xAF, 0, 0x11, 0x90})
}

// picture sends one, a keyframe at each 25th, and some sound, and moves the clock by 40 ms.
func (e *encoder) picture() {
	e.t.Helper()
	nal := make([]byte, e.size)
	binary.BigEndian.PutUint64(nal, uint64(e.n)<<32|uint64(e.ms))
	p := []byte{0x27, 1, 0, 0, 0}
	if e.n%25 == 0 {
		p[0] = 0x17
	}
	p = binary.BigEndian.AppendUint32(p, uint32(len(nal)))
	e.send(rtmp.TypeVideo, append(p, nal...))
	e.send(rtmp.TypeAudio, append([]byte{0xAF, 1}, byte(e.n), byte(e.n>>8), byte(e.ms)))
	e.n++
	e.ms += 40
}

func (e *encoder) pictures(n int) {
	e.t.Helper()
	for range n {
		e.picture()
	}
}

// keepOn sends pictures until the test stops it, about ten times faster than life.
func (e *encoder) keepOn() (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		for ctx.Err() == nil {
			e.picture()
			time.Sleep(4 * time.Millisecond)
		}
	}()
	stop = sync.OnceFunc(func() { cancel(); <-done })
	e.t.Cleanup(stop)
	return stop
}

// media is what a platform got, without repeated headers.
func media(s *rtmpsim.Session) []uint64 {
	var out []uint64
	for _, r := range s.Records() {
		out = append(out, r.Hash)
	}
	return out
}

// live waits until these destinations are.
func live(t testing.TB, h *house, ids ...string) {
	t.Helper()
	for _, id := range ids {
		eventually(t, id+" live", func() bool { return h.destination(id).State == relay.Live })
	}
}

func (h *house) seen() []relay.Event {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.events)
}
