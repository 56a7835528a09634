package relay_test

import (
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"hawker/relay"
	"hawker/relay/rtmp"
	"hawker/relay/rtmpsim"
)

// A destination that stops reading is resynchronised at a keyframe with headers; the other loses nothing.
func TestStalledDestination(t *testing.T) {
	good, dg := platform(t, "good")
	bad, db := platform(t, "bad")
	h := start(t, func(s *relay.Server) { s.StallTimeout = 60 * time.Second }, dg, db)
	e := encode(t, h.addr, 0)
	e.size = 40_000
	e.picture()
	live(t, h, "good", "bad")
	bad.Pause(true)
	stop := e.keepOn()
	eventually(t, "shown as stalled", func() bool { return h.destination("bad").State == relay.StateStall })
	eventually(t, "queue over the backlog", func() bool { return h.destination("bad").Queue > relay.DefaultBacklog })
	bad.Pause(false)
	eventually(t, "drops", func() bool { return h.destination("bad").Drops > 0 && h.destination("bad").State == relay.Live })
	eventually(t, "headers and keyframe again", func() bool {
		return strings.LastIndex(bad.Session().Figures().Order, "MVAK") > 0
	})
	stop()
	eventually(t, "all at the good one", func() bool { return good.Session().Figures().Messages == len(e.sent) })
	if !slices.Equal(media(good.Session()), e.sent) || h.destination("good").Drops != 0 {
		t.Error("the good destination suffered")
	}
	if f := bad.Session().Figures(); f.Backwards != 0 {
		t.Errorf("time went back %d times", f.Backwards)
	}
	if n := bad.Counts().Published; n != 1 {
		t.Errorf("%d publications: the connection should have been kept", n)
	}
}

// A write that makes no end breaks the connection off; the next one starts with headers and a keyframe.
func TestStallEndsConnection(t *testing.T) {
	bad, db := platform(t, "bad")
	h := start(t, func(s *relay.Server) { s.StallTimeout = 300 * time.Millisecond }, db)
	e := encode(t, h.addr, 0)
	e.size = 100_000
	e.picture()
	live(t, h, "bad")
	bad.Pause(true)
	defer e.keepOn()()
	eventually(t, "stall noticed", func() bool {
		return slices.ContainsFunc(h.seen(), func(e relay.Event) bool { return e.Kind == relay.DestinationDown && e.Reason == relay.Stalled })
	})
	bad.Pause(false)
	eventually(t, "back", func() bool { return bad.Counts().Published > 1 && h.destination("bad").State == relay.Live })
	eventually(t, "order", func() bool { return strings.HasPrefix(bad.Session().Figures().Order, "MVAK") })
}

// Mute, refusing, unknown, not TLS, bad address: each has its reason, and the good one is live all the time.
func TestReasons(t *testing.T) {
	good, dg := platform(t, "good")
	mute, dm := platform(t, "mute")
	mute.Mute(true)
	rejecting, dr := platform(t, "rejecting")
	rejecting.Accept("another")
	early, de := platform(t, "early")
	early.HangUp(true)
	closed := listen(t)
	refused := relay.Destination{ID: "refused", Server: "rtmp://" + closed.Addr().String() + "/app", Key: "key-refused"}
	_ = closed.Close()
	_, plain := platform(t, "plain")
	plain.Server = strings.Replace(plain.Server, "rtmp:", "rtmps:", 1)
	bad := relay.Destination{ID: "bad", Server: "https://user:key-bad@example.com/app/key-bad", Key: "key-bad"}
	nowhere := relay.Destination{ID: "nowhere", Server: "rtmp://nowhere.invalid/app", Key: "key-nowhere"}
	h := start(t, nil, dg, dm, dr, de, refused, plain, bad, nowhere)
	e := encode(t, h.addr, 0)
	stop := e.keepOn()
	want := map[string]relay.Reason{
		"rejecting": relay.KeyRejected, "refused": relay.Refused, "bad": relay.BadAddress,
		"nowhere": relay.NotFound, "early": relay.ClosesEarly,
	}
	for id, reason := range want {
		eventually(t, id+" "+string(reason), func() bool { d := h.destination(id); return d.Reason == reason && d.Error != "" })
	}
	if n := rejecting.Counts().Refused; n != 1 {
		t.Errorf("a rejected key was tried %d times", n)
	}
	if next := h.destination("rejecting").NextTry; time.Until(next) < 20*time.Second {
		t.Errorf("a rejected key is tried again at %v", next)
	}
	stop()
	eventually(t, "good got all", func() bool {
		return good.Session().Figures().Backwards == 0 && h.destination("good").State == relay.Live
	})
	if n := h.destination("good").Reconnects; n != 0 {
		t.Errorf("good was reconnected %d times", n)
	}
	h.noSecrets(t, "key-good", "key-mute", "key-rejecting", "key-early", "key-refused", "key-plain", "key-bad", "key-nowhere", ingestKey)
}

// noSecrets looks for keys in all that the relay said.
func (h *house) noSecrets(t testing.TB, keys ...string) {
	t.Helper()
	said := h.logs.String() + fmt.Sprintf("%+v %#v", h.Status(), h.seen())
	for _, k := range keys {
		if strings.Contains(said, k) {
			t.Errorf("%q was given away", k)
		}
	}
	if strings.Contains(said, "127.0.0.1") {
		t.Error("an address was given away")
	}
}

// The ingest drops and returns with times from 0 and another decoder configuration: one growing timeline, headers
// before the keyframe, connections kept.
func TestIngestReturns(t *testing.T) {
	a, da := platform(t, "a")
	h := start(t, nil, da)
	e := encode(t, h.addr, 500_000)
	e.picture()
	live(t, h, "a")
	e.pictures(30)
	_ = e.p.Close()
	eventually(t, "away", func() bool { return slices.Contains(h.kinds(), relay.IngestAway) })
	e2 := encode(t, h.addr, 0)
	e2.n = 5 // not at a keyframe: what comes before one is dropped
	e2.pictures(60)
	eventually(t, "the second encoder's pictures", func() bool { return len(media(a.Session())) >= len(e.sent)+2+2*40 })
	f := a.Session().Figures()
	if f.Backwards != 0 || a.Counts().Published != 1 {
		t.Errorf("figures = %+v, %d publications", f, a.Counts().Published)
	}
	second := f.Order[len(e.sent)+1:]
	if !strings.HasPrefix(second, "MVAKSIS") {
		t.Errorf("after the return: %.20s", second)
	}
	records := a.Session().Records()
	last, next := records[len(e.sent)-1].Time, records[len(e.sent)+2].Time
	if next <= last {
		t.Errorf("time %v after %v", next, last)
	}
	if !slices.Contains(h.kinds(), relay.IngestBack) || h.Status()[0].Ingest.Reconnects != 1 {
		t.Errorf("events = %v", h.kinds())
	}
}

// A second publisher is refused while the first is live and takes over when it is silent.
func TestSecondPublisher(t *testing.T) {
	a, da := platform(t, "a")
	h := start(t, func(s *relay.Server) { s.Takeover = 200 * time.Millisecond }, da)
	e := encode(t, h.addr, 0)
	stop := e.keepOn()
	live(t, h, "a")
	_, err := publish(t, h.addr, ingestKey)
	if rejected, ok := err.(*rtmp.RejectedError); !ok || rejected.Code != "NetStream.Publish.BadName" {
		t.Errorf("second publisher: %v", err)
	}
	stop() // silent, but its connection stands
	e2 := encode(t, h.addr, 0)
	e2.pictures(30)
	eventually(t, "the second encoder's pictures", func() bool {
		return slices.Contains(media(a.Session()), e2.sent[len(e2.sent)-1])
	})
	eventually(t, "the first was closed", func() bool { return e.p.Err() != nil })
	if f := a.Session().Figures(); f.Backwards != 0 || a.Counts().Published != 1 {
		t.Errorf("figures = %+v", f)
	}
}

func TestUnknownKey(t *testing.T) {
	h := start(t, nil)
	_, err := publish(t, h.addr, "who-knows-4711")
	if rejected, ok := err.(*rtmp.RejectedError); !ok || rejected.Code != "NetStream.Publish.BadName" {
		t.Errorf("unknown key: %v", err)
	}
	eventually(t, "it is logged", func() bool { return strings.Contains(h.logs.String(), "unknown key") })
	h.noSecrets(t, "who-knows-4711")
	if len(h.Status()) != 0 {
		t.Error("a stream was opened")
	}
}

// Strangers without a key, with nonsense and with messages declared huge, do not touch a live stream.
func TestStrangers(t *testing.T) {
	a, da := platform(t, "a")
	h := start(t, nil, da)
	e := encode(t, h.addr, 0)
	e.picture()
	live(t, h, "a")
	for i := range 100 {
		nc, err := net.Dial("tcp", h.addr)
		if err != nil {
			t.Fatal(err)
		}
		defer nc.Close()
		c := make([]byte, 1+2*1536)
		c[0] = 3
		if i%2 == 0 {
			c = append(c, 3, 0, 0, 0, 0xFF, 0xFF, 0xFF, 20, 0, 0, 0, 0)
		}
		if _, err := nc.Write(c); err != nil {
			t.Fatal(err)
		}
		if i%2 == 0 {
			if _, err := io.Copy(io.Discard, nc); err != nil && !strings.Contains(err.Error(), "reset") {
				t.Fatalf("stranger %d: %v", i, err)
			}
		}
	}
	e.pictures(50)
	eventually(t, "all messages", func() bool { return a.Session().Figures().Messages == len(e.sent) })
}

// Destinations come, go and are renamed while others are live.
func TestEditWhileLive(t *testing.T) {
	a, da := platform(t, "a")
	b, db := platform(t, "b")
	c, dc := platform(t, "c")
	h := start(t, nil, da, db)
	e := encode(t, h.addr, 0)
	e.picture()
	live(t, h, "a", "b")
	stop := e.keepOn()
	if err := h.Add("show", dc); err != nil {
		t.Fatal(err)
	}
	live(t, h, "c")
	eventually(t, "c starts at a keyframe", func() bool { return strings.HasPrefix(c.Session().Figures().Order, "MVAK") })
	if err := h.Remove("show", "b"); err != nil {
		t.Fatal(err)
	}
	eventually(t, "b was told", func() bool { return b.Counts().Ended == 1 })
	da.Name = "Renamed"
	dc2 := dc
	dc2.Key = "another-key-c"
	if err := h.Set("show", []relay.Destination{da, dc2}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "c moved to its new key", func() bool { return c.Counts().Published == 2 && h.destination("c").State == relay.Live })
	eventually(t, "renamed", func() bool { return h.destination("a").Name == "Renamed" })
	stop()
	eventually(t, "all at a", func() bool { return a.Session().Figures().Messages == len(e.sent) })
	if a.Counts().Published != 1 || !slices.Equal(media(a.Session()), e.sent) {
		t.Error("a was touched")
	}
	if err := h.Set("nothing", nil); err != relay.ErrNoStream {
		t.Errorf("Set of no stream: %v", err)
	}
	h.stop()
	eventually(t, "all closed", func() bool { return a.Counts().Open == 0 && c.Counts().Open == 0 })
	if a.Counts().Ended != 0 {
		t.Error("a shutdown must not end the broadcast")
	}
}

// A dropped destination is back at once.
func TestDroppedDestination(t *testing.T) {
	a, da := platform(t, "a")
	h := start(t, nil, da)
	e := encode(t, h.addr, 0)
	defer e.keepOn()()
	live(t, h, "a")
	a.Drop()
	eventually(t, "back", func() bool { return a.Counts().Published == 2 && h.destination("a").Reconnects == 1 })
	eventually(t, "at a keyframe", func() bool { return strings.HasPrefix(a.Session().Figures().Order, "MVAKS") })
}

// Times past 0xFFFFFF with frames above the chunk size arrive unchanged.
func TestLongStream(t *testing.T) {
	a, da := platform(t, "a")
	h := start(t, nil, da)
	e := encode(t, h.addr, 0xFFFFFF-400)
	e.size = 150_000
	e.picture()
	live(t, h, "a")
	e.pictures(40)
	eventually(t, "all messages", func() bool { return a.Session().Figures().Messages == len(e.sent) })
	records := a.Session().Records()
	if !slices.Equal(media(a.Session()), e.sent) {
		t.Error("bytes differ")
	}
	if last := records[len(records)-1].Time.Milliseconds(); last != int64(e.ms-40) || last <= 0xFFFFFF {
		t.Errorf("last time %d, sent %d", last, e.ms-40)
	}
}

// Enhanced RTMP messages, also forms that the relay does not know, pass untouched. A platform that did not say that it knows
// several tracks gets the first one alone.
func TestEnhancedPassesUntouched(t *testing.T) {
	a, da := platform(t, "a")
	all, dall := knower(t, "all")
	h := start(t, nil, da, dall)
	e := encode(t, h.addr, 0)
	hevc := func(first byte, rest string) []byte { return append([]byte{first}, rest...) }
	e.send(rtmp.TypeVideo, hevc(0x90, "hvc1config"))
	e.send(rtmp.TypeVideo, hevc(0x91, "hvc1\x00\x00\x00key"))
	live(t, h, "a", "all")
	var second, both []uint64
	for i := range 20 {
		e.ms += 40
		e.send(rtmp.TypeVideo, hevc(0xA3, fmt.Sprint("hvc1inter", i)))
		e.send(rtmp.TypeVideo, hevc(0xA6, fmt.Sprint("\x03hvc1\x01track one ", i)))
		second = append(second, e.sent[len(e.sent)-1])
		e.send(rtmp.TypeVideo, hevc(0xA6, fmt.Sprint("\x03hvc1\x00track nought ", i)))
		both = append(both, rtmpsim.Hash(hevc(0xA3, fmt.Sprint("hvc1track nought ", i))))
		e.send(rtmp.TypeVideo, hevc(0xA7, "\x02nnn\x03hvc1after ModEx"))
		e.send(rtmp.TypeAudio, hevc(0x91, fmt.Sprint("Opuspacket", i)))
		e.send(rtmp.TypeVideo, nil)
	}
	// The legacy header and the enhanced one share a slot: the newer one counts, so one message less arrives.
	eventually(t, "all messages", func() bool { return len(all.hashes()) >= len(e.sent)-1 })
	got := all.hashes()
	for _, hash := range e.sent[3:] {
		if !slices.Contains(got, hash) {
			t.Fatalf("a message is missing or changed")
		}
	}
	eventually(t, "all but the second track", func() bool { return len(media(a.Session())) >= len(e.sent)-1-len(second) })
	got = media(a.Session())
	for i, hash := range second {
		if slices.Contains(got, hash) || !slices.Contains(got, both[i]) {
			t.Fatalf("%d: the second track was sent, or the first one was not", i)
		}
	}
	if in := h.Status()[0].Ingest.Video; in != "HEVC" {
		t.Errorf("ingest = %+v", in)
	}
}

// 30 destinations of 50 that fail together leave the good ones alone and do not knock all at once.
func TestManyFailing(t *testing.T) {
	var dests []relay.Destination
	var good []*rtmpsim.Sim
	var ids []string
	for i := range 20 {
		sim, d := platform(t, fmt.Sprint("good", i))
		dests, good, ids = append(dests, d), append(good, sim), append(ids, d.ID)
	}
	closed := listen(t)
	_ = closed.Close()
	for i := range 30 {
		dests = append(dests, relay.Destination{ID: fmt.Sprint("bad", i), Server: "rtmp://" + closed.Addr().String() + "/app", Key: "k-e-y"})
	}
	h := start(t, nil, dests...)
	e := encode(t, h.addr, 0)
	e.picture()
	live(t, h, ids...)
	e.pictures(100)
	for i, sim := range good {
		eventually(t, "all at "+ids[i], func() bool { return sim.Session().Figures().Messages == len(e.sent) })
		if n := h.destination(ids[i]).Reconnects; n != 0 {
			t.Errorf("%s was connected anew %d times", ids[i], n)
		}
	}
	eventually(t, "all retry", func() bool {
		n := 0
		for _, d := range h.Status()[0].Destinations {
			if d.Reason == relay.Refused && d.Reconnects > 1 {
				n++
			}
		}
		return n == 30
	})
	h.noSecrets(t, "k-e-y")
}
