package studio_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"hawker/internal/chat"
	"hawker/internal/sqldb/videobook"
	"hawker/internal/studio"
	"hawker/relay"
	"hawker/relay/clip"
)

// A stream key opens its show, with the settings and the destinations that are on, the most important first.
func TestConfig(t *testing.T) {
	h := newHouse(t)
	ctx := t.Context()
	if _, _, err := h.Config(ctx, "nobody's"); !errors.Is(err, relay.ErrUnknownKey) {
		t.Errorf("a key that is nobody's: %v", err)
	}
	main, backup := h.key(false), h.key(true)
	h.must(h.book.PutSettings(ctx, h.merchant, show, videobook.Settings{UplinkKbps: 9000, AskHost: true, Grace: time.Minute, NoRecord: true}))
	a := h.to(videobook.Destination{Name: "a", Server: "rtmp://a/app", Key: "ka"})
	off := h.to(videobook.Destination{Name: "off", Server: "rtmp://off/app", Key: "ko"})
	b := h.to(videobook.Destination{Name: "b", Server: "rtmp://b/app", Key: "kb"})
	h.must(h.book.Enable(ctx, h.merchant, off, false))
	h.must(h.book.Move(ctx, h.merchant, show, b, true))
	h.must(h.book.Move(ctx, h.merchant, show, b, true))
	c, m, err := h.Config(ctx, main)
	h.must(err)
	if m != h.merchant || c.ID != show.String() || c.Backup || !c.AskHost || c.UplinkKbps != 9000 || c.Grace != time.Minute || c.Record != "" || c.Slate != nil {
		t.Errorf("config of the first encoder: %+v of %d", c, m)
	}
	want := []relay.Destination{{ID: b.String(), Name: "b", Server: "rtmp://b/app", Key: "kb", Priority: 3}, {ID: a.String(), Name: "a", Server: "rtmp://a/app", Key: "ka", Priority: 2}}
	if !slices.Equal(c.Destinations, want) {
		t.Errorf("destinations are %v", c.Destinations)
	}
	if c, _, err = h.Config(ctx, backup); err != nil || !c.Backup || len(c.Destinations) != 2 {
		t.Errorf("config of the second encoder: %+v, %v", c, err)
	}
	h.must(h.DropKey(ctx, h.merchant, show))
	if _, _, err := h.Config(ctx, backup); !errors.Is(err, relay.ErrUnknownKey) {
		t.Errorf("a key that was taken away: %v", err)
	}
}

// Cut takes the encoder off the air and voids all keys of the show; the encoder does not get in again, a new key does.
func TestCut(t *testing.T) {
	h := newHouse(t)
	main, backup := h.key(false), h.key(true)
	h.to(videobook.Destination{Name: "a", Server: h.server, Key: "k"})
	forgotten := 0
	h.Studio.Forget = func(string) { forgotten++ }
	e := h.encode(main)
	h.eventually("live", func() bool {
		v := h.view()
		return v.Stream != nil && len(v.To) == 1 && v.To[0].Status != nil && v.To[0].Status.State == relay.Live
	})
	keys, err := h.Cut(t.Context(), h.merchant, show)
	h.must(err)
	h.eventually("the slate", func() bool { v := h.view(); return v.Stream != nil && v.Stream.Cut && v.Stream.Slate })
	if keys.Main == "" || keys.Backup == "" || keys.Main == main || keys.Backup == backup || keys.Main == keys.Backup {
		t.Error("the keys are not new")
	}
	if text := fmt.Sprintf("%v %+v %#v", keys, keys, keys); strings.Contains(text, keys.Main) {
		t.Errorf("keys in words are %s", text)
	}
	<-e.done
	for _, old := range []string{main, backup} {
		if h.encode(old) != nil {
			t.Error("an old key lets an encoder in")
		}
	}
	if forgotten != 2 {
		t.Errorf("told %d times that keys are void", forgotten)
	}
	if h.encode(keys.Main) == nil {
		t.Fatal("the new key lets nobody in")
	}
	h.eventually("on the air again", func() bool { v := h.view(); return v.Stream != nil && !v.Stream.Cut && !v.Stream.Slate })
	if c := h.sim.Counts(); c.Published != 1 || c.Ended != 0 {
		t.Errorf("at the platform: %+v", c)
	}
	if _, err := h.Cut(t.Context(), h.merchant, show+1); err != nil {
		t.Errorf("cutting what is not there: %v", err)
	}
}

// A connected account gives its key when the stream begins, not before; what it receives is told; the broadcast ends with the show, and
// not with the encoder.
func TestConnectedAccount(t *testing.T) {
	h := newHouse(t)
	ctx := t.Context()
	key := h.key(false)
	id := h.to(videobook.Destination{Name: "Pretend", Account: "pretend/7"})
	if to, err := h.Targets(ctx, h.merchant, show); err != nil || len(to) != 0 {
		t.Errorf("before the stream it is sent to %v, %v", to, err)
	}
	e := h.encode(key)
	way := func() studio.Way { return h.view().To[0] }
	h.eventually("live", func() bool { w := way(); return w.Status != nil && w.Status.State == relay.Live && w.Opened })
	if c := h.sim.Counts(); c.Published != 1 {
		t.Errorf("at the platform: %+v", c)
	}
	h.eventually("somebody asks what it receives", func() bool { h.mu.Lock(); defer h.mu.Unlock(); return h.says != nil })
	if w := way(); !w.Asked || w.Received.Known {
		t.Errorf("before it said anything: %+v", w.Received)
	}
	h.mu.Lock()
	says := h.says
	h.mu.Unlock()
	says(studio.Reception{Known: true, Good: true, Text: "It is seen."})
	if r := way().Received; !r.Good || r.Text != "It is seen." {
		t.Errorf("received: %+v", r)
	}
	h.eventually("rates", func() bool { v := h.view(); return len(v.Rates) > 0 && len(v.To[0].Rates) > 0 })
	e.ends()
	h.eventually("the end of the stream", func() bool { return h.view().Stream == nil })
	e = h.encode(key) // the encoder was set up anew
	h.eventually("live again", func() bool { w := way(); return w.Status != nil && w.Status.State == relay.Live })
	h.mu.Lock()
	if h.closed != nil {
		t.Errorf("closed while the show goes on: %v", h.closed)
	}
	h.about.Ended = true
	h.mu.Unlock()
	e.ends()
	h.eventually("the end of the broadcast", func() bool { h.mu.Lock(); defer h.mu.Unlock(); return slices.Equal(h.closed, []string{"b-Spring"}) })
	h.eventually("forgotten", func() bool { _, err := h.book.Session(ctx, h.merchant, id); return errors.Is(err, h.book.NotFound) })
}

// An account that gives no key says why, the others are sent to all the same, and it is asked again.
func TestNoKeyFromAccount(t *testing.T) {
	h := newHouse(t)
	h.fail = &chat.Refused{Code: "liveStreamingNotEnabled", Reason: "Live streaming is not enabled for this channel."}
	key := h.key(false)
	h.to(videobook.Destination{Name: "Pretend", Account: "pretend/7"})
	h.to(videobook.Destination{Name: "Plain", Server: h.server, Key: "k"})
	h.to(videobook.Destination{Name: "Unknown", Account: "mars/1"})
	h.encode(key)
	h.eventually("why", func() bool { return h.view().To[0].Trouble == "Live streaming is not enabled for this channel." })
	h.eventually("why", func() bool { return strings.Contains(h.view().To[2].Trouble, "does not know") })
	h.eventually("the other is live", func() bool { w := h.view().To[1]; return w.Status != nil && w.Status.State == relay.Live })
	if w := h.view().To[0]; w.Next.IsZero() || w.Status != nil {
		t.Errorf("what gave no key: %+v", w)
	}
}

// Removing a destination ends its broadcast; what was open when the node ended is found at its next start.
func TestDropAndAdopt(t *testing.T) {
	h := newHouse(t)
	ctx := t.Context()
	id := h.to(videobook.Destination{Name: "Pretend", Account: "pretend/7"})
	h.encode(h.key(false))
	h.eventually("opened", func() bool { return h.view().To[0].Opened })
	other := &studio.Studio{Book: h.book, Relay: &relay.Server{}, Node: "two"}
	all, err := h.book.Sessions(ctx, "one")
	h.must(err)
	if len(all) != 1 || all[0].ID != id || all[0].Broadcast != "b-Spring" || all[0].Account != "pretend/7" {
		t.Errorf("what a start finds: %v", all)
	}
	if all, err := h.book.Sessions(ctx, other.Node); err != nil || len(all) != 0 {
		t.Errorf("what another node finds: %v, %v", all, err)
	}
	h.must(h.Drop(ctx, h.merchant, show, id))
	h.eventually("the end of the broadcast", func() bool { h.mu.Lock(); defer h.mu.Unlock(); return slices.Equal(h.closed, []string{"b-Spring"}) })
	if n := len(h.view().To); n != 0 {
		t.Errorf("%d destinations are left", n)
	}
}

// A slate is prepared for the size that the encoder sends, also when that is known only later, and is what viewers see then.
func TestSlate(t *testing.T) {
	h := newHouse(t)
	ctx := t.Context()
	for name, tt := range map[string]struct {
		body []byte
		want string
	}{"text": {[]byte("hello"), "cannot be read"}, "too much": {make([]byte, clip.Most+1), "larger than 64 MB"}} {
		if err := h.PutClip(ctx, h.merchant, show, name, bytes.NewReader(tt.body)); err == nil || !strings.Contains(studio.ClipSentence(err), tt.want) {
			t.Errorf("%s: %q", name, studio.ClipSentence(err))
		}
	}
	h.must(h.PutClip(ctx, h.merchant, show, `C:\pictures\back soon.png`, bytes.NewReader(picture(t))))
	h.eventually("prepared", func() bool { return h.view().Clip.Ready })
	if c := h.view().Clip; c.Name != "back soon.png" || c.Width != 1920 || c.Trouble != "" {
		t.Errorf("slate: %+v", c)
	}
	e := h.encode(h.key(false))
	h.eventually("prepared for the encoder", func() bool { c := h.view().Clip; return c.Ready && c.Width == 320 && !c.Preparing })
	v := h.view()
	if v.Settings.Width != 320 || v.Settings.Video != "H.264" || v.Settings.Clip != "back soon.png" {
		t.Errorf("settings: %+v", v.Settings)
	}
	_, id := h.merchant, show.String()
	h.must(h.srv.Slate(id, true))
	h.eventually("the slate", func() bool { v := h.view(); return v.Stream != nil && v.Stream.Slate && v.Stream.Covered })
	e.ends()
	h.must(h.DropClip(ctx, h.merchant, show))
	if c := h.view().Clip; c != (studio.Clip{}) {
		t.Errorf("taken away: %+v", c)
	}
	left := 0
	h.must(filepath.WalkDir(h.Dir, func(_ string, d os.DirEntry, err error) error {
		if !d.IsDir() {
			left++
		}
		return err
	}))
	if left != 0 {
		t.Errorf("%d files are left", left)
	}
}

// A test is for before the show; it says of each destination how it fares.
func TestBeforeTheShow(t *testing.T) {
	h := newHouse(t)
	ctx := t.Context()
	if err := h.StartTest(ctx, h.merchant, show, 2000); !errors.Is(err, studio.ErrNobody) {
		t.Errorf("with nothing to test: %v", err)
	}
	h.to(videobook.Destination{Name: "Plain", Server: h.server, Key: "k"})
	h.to(videobook.Destination{Name: "Pretend", Account: "pretend/7"})
	h.must(h.StartTest(ctx, h.merchant, show, 2000))
	h.eventually("its end", func() bool { return !h.view().Test.Running })
	for _, r := range h.view().Test.Results {
		if !r.Done || !r.OK || r.Text == "" {
			t.Errorf("%+v", r)
		}
	}
	if c := h.sim.Counts(); c.Published != 0 {
		t.Errorf("published to: %+v", c)
	}
	h.encode(h.key(false))
	h.eventually("live", func() bool { return h.view().Stream != nil })
	if err := h.StartTest(ctx, h.merchant, show, 2000); !errors.Is(err, studio.ErrOnAir) {
		t.Errorf("while the show runs: %v", err)
	}
}
