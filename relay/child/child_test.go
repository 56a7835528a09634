//go:build unix

package child_test

import (
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"hawker/relay"
	"hawker/relay/child"
	"hawker/relay/rtmpsim"
)

// show gives a hub's orders with one stream to these destinations.
func show(dir string, to ...relay.Destination) orders {
	return orders{Dir: dir, Keys: map[string]relay.Config{ingestKey: {ID: "show", Destinations: to}}}
}

// continuous wants that a platform got, after the headers, what was sent from some keyframe on, all of it and nothing else.
func continuous(t *testing.T, s *rtmpsim.Session, sent []uint64) {
	t.Helper()
	last := sent[len(sent)-1]
	eventually(t, "the last that was sent arrives", func() bool { got := media(s); return len(got) > 0 && got[len(got)-1] == last })
	got := media(s)[2:]
	from := slices.Index(sent, got[0])
	if from < 0 || !slices.Equal(got, sent[from:]) {
		t.Errorf("of %d messages from number %d on it got %d that are not the same", len(sent), from, len(got))
	}
	if f := s.Figures(); f.Backwards != 0 {
		t.Errorf("%d steps back in time", f.Backwards)
	}
}

// A hub that is killed leaves the stream as it is: connections and bytes go on. The next hub finds it, knows of it what the first
// one knew, and steers it.
func TestHubKilled(t *testing.T) {
	dir := folder(t)
	simA, a := platform(t, "a")
	simB, b := platform(t, "b")
	one := start(t, show(dir, a, b))
	e := encode(t, one.addr, ingestKey)
	stop := e.keepOn()
	eventually(t, "a and b live", func() bool { return one.state("a") == relay.Live && one.state("b") == relay.Live })
	before, process := one.status()[0], one.process()
	one.kill()

	at := simA.Session().Figures().Messages
	eventually(t, "more without a hub", func() bool { return simA.Session().Figures().Messages > at+200 })

	two := start(t, show(dir, a, b))
	after := two.status()
	if len(after) != 1 || !after[0].Started.Equal(before.Started) || after[0].Uptime <= before.Uptime || after[0].Ingest.Reconnects != 0 {
		t.Errorf("the next hub sees %+v; the first saw %+v", after, before)
	}
	if p := two.process(); p.PID != process.PID || !p.Started.Equal(process.Started) || p.State != child.Up {
		t.Errorf("the next hub has %v; the first had %v", p, process)
	}
	two.must(command{What: "set", Stream: "show", Destinations: []relay.Destination{a}})
	eventually(t, "b is told that it is over", func() bool { return simB.Session().Figures().Goodbye })
	eventually(t, "b removed", two.heard(relay.DestinationRemoved))
	sent := stop()
	continuous(t, simA.Session(), sent)
	if c := simA.Counts(); c.Accepted != 1 {
		t.Errorf("a was connected to %d times", c.Accepted)
	}
	if f := simA.Session().Figures(); f.Goodbye {
		t.Error("a was told that it is over")
	}
}

// While the hub is away an encoder that it has let in comes back, with what was last in force; another one is asked to try again. The
// next hub hears what happened, in order and with whose it is.
func TestEncoderReturnsWithoutHub(t *testing.T) {
	t.Parallel()
	dir := folder(t)
	sim, a := platform(t, "a")
	_, b := platform(t, "b")
	o := show(dir, a, b)
	one := start(t, o)
	e := encode(t, one.addr, ingestKey)
	stop := e.keepOn()
	eventually(t, "a live", func() bool { return one.state("a") == relay.Live })
	one.must(command{What: "set", Stream: "show", Destinations: []relay.Destination{a}})
	eventually(t, "b gone", func() bool { return one.state("b") == "" })
	eventually(t, "the hub has heard that", one.heard(relay.DestinationRemoved))
	one.kill()
	other := make(chan error, 1)
	go func() {
		_, err := publish(t, one.addr, otherKey) // the hub would let it in, but was never asked
		other <- err
	}()
	stop()
	_ = e.p.Close()
	again := encode(t, one.addr, ingestKey)
	stop = again.keepOn()
	at := sim.Session().Figures().Messages
	eventually(t, "pictures of the encoder that is back", func() bool { return sim.Session().Figures().Messages > at+100 })
	if c := sim.Counts(); c.Accepted != 1 {
		t.Errorf("a was connected to %d times", c.Accepted)
	}
	if err := <-other; err == nil {
		t.Error("a key that was never admitted is let in")
	}

	o.Keys[otherKey] = relay.Config{ID: "other"}
	o.Keys[ingestKey] = relay.Config{ID: "show", Destinations: []relay.Destination{a}} // as it is stored
	two := start(t, o)
	eventually(t, "the hub hears of the encoder", two.heard(relay.IngestBack))
	kinds := two.kinds()
	if away, back := slices.Index(kinds, relay.IngestAway), slices.Index(kinds, relay.IngestBack); away < 0 || away > back {
		t.Errorf("heard %v", kinds)
	}
	if slices.Contains(kinds, relay.StreamStarted) {
		t.Error("what the first hub had dealt with is told again")
	}
	two.mu.Lock()
	for _, x := range two.events {
		if x.Tag != "tag of show" || x.Event.Stream != "show" {
			t.Errorf("an event of %q has tag %q", x.Event.Stream, x.Tag)
		}
	}
	two.mu.Unlock()
	if s := two.state("b"); s != "" {
		t.Errorf("a destination that was taken away is %s", s)
	}
	encode(t, two.addr, otherKey)
	stop()
}

// What was changed while there was no hub is put into force by the next one.
func TestReview(t *testing.T) {
	dir := folder(t)
	_, a := platform(t, "a")
	_, b := platform(t, "b")
	one := start(t, show(dir, a))
	encode(t, one.addr, ingestKey).keepOn()
	eventually(t, "a live", func() bool { return one.state("a") == relay.Live })
	one.kill()
	two := start(t, show(dir, b))
	eventually(t, "b live, a gone", func() bool { return two.state("b") == relay.Live && two.state("a") == "" })
}

// A key that was taken away is not let in from memory.
func TestKeyTakenAway(t *testing.T) {
	t.Parallel()
	for _, what := range []string{"forget", "cut", "end"} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			dir := folder(t)
			one := start(t, show(dir))
			e := encode(t, one.addr, ingestKey)
			e.keepOn()
			eventually(t, "live", func() bool { return len(one.status()) == 1 })
			one.must(command{What: what, Stream: "show"})
			one.kill()
			_ = e.p.Close()
			if p, err := publish(t, one.addr, ingestKey); err == nil {
				_ = p.Close()
				t.Error("it is let in")
			}
		})
	}
}

// A hub that has stopped dead, or cannot read its database, keeps no known encoder out.
func TestHubCannotSay(t *testing.T) {
	t.Parallel()
	dir := folder(t)
	one := start(t, show(dir))
	e := encode(t, one.addr, ingestKey)
	eventually(t, "live", func() bool { return len(one.status()) == 1 })
	if err := one.cmd.Process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	_ = e.p.Close()
	e = encode(t, one.addr, ingestKey)
	one.kill() // it may not have stood still in time, and have said so; then nothing was tried, and nothing is wrong

	o := show(dir)
	o.Fail = true
	two := start(t, o)
	_ = e.p.Close()
	encode(t, two.addr, ingestKey)
}

// A relay process that is killed is started again where it was, encoders find it, and the hub hears what that means.
func TestProcessKilled(t *testing.T) {
	dir := folder(t)
	sim, a := platform(t, "a")
	h := start(t, show(dir, a))
	encode(t, h.addr, ingestKey).keepOn()
	eventually(t, "a live", func() bool { return h.state("a") == relay.Live })
	first := h.process()
	if err := syscall.Kill(first.PID, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	eventually(t, "another process", func() bool { p := h.process(); return p.State == child.Up && p.PID != first.PID && p.Restarts == 1 })
	eventually(t, "the stream's end is told", h.heard(relay.StreamStopped))
	if kinds := h.kinds(); !slices.Contains(kinds, relay.DestinationDown) {
		t.Errorf("heard %v", kinds)
	}
	encode(t, h.addr, ingestKey).keepOn()
	eventually(t, "a live again", func() bool { return h.state("a") == relay.Live })
	if c := sim.Counts(); c.Accepted != 2 {
		t.Errorf("a was connected to %d times", c.Accepted)
	}
}

// What a relay process writes when it crashes is in the hub's log.
func TestProcessPanics(t *testing.T) {
	h := start(t, show(folder(t)))
	first := h.process()
	h.do(command{What: "panic"})
	eventually(t, "another process", func() bool { p := h.process(); return p.State == child.Up && p.PID != first.PID })
	eventually(t, "the trace in the log", func() bool { return logged(h, "the relay's own fault") })
}

func logged(h *running, text string) bool { return strings.Contains(h.logs.String(), text) }

// A new version of the hub leaves streams to the process of the old one, and replaces it when they are over.
func TestUpgrade(t *testing.T) {
	t.Parallel()
	dir := folder(t)
	sim, a := platform(t, "a")
	o := show(dir, a)
	one := start(t, o)
	e := encode(t, one.addr, ingestKey)
	stop := e.keepOn()
	eventually(t, "a live", func() bool { return one.state("a") == relay.Live })
	old := one.process()
	one.stop()

	o.Version = "2"
	two := start(t, o)
	if p := two.process(); p.PID != old.PID || p.State != child.Older || p.Version != "1" || two.addr != one.addr {
		t.Errorf("the new hub has %v at %s; the old one had %v at %s", p, two.addr, old, one.addr)
	}
	two.must(command{What: "slate", Stream: "show", On: true})
	eventually(t, "the slate", func() bool { return two.status()[0].Slate })
	two.must(command{What: "slate", Stream: "show"})
	stop()
	if err := e.p.End(); err != nil {
		t.Error(err)
	}
	eventually(t, "a new process", func() bool { p := two.process(); return p.State == child.Up && p.Version == "2" && p.PID != old.PID })
	if p := two.process(); p.Restarts != 0 {
		t.Errorf("a replacement counts as a crash: %v", p)
	}
	if !sim.Session().Figures().Goodbye {
		t.Error("the platform was not told that the stream is over")
	}
	encode(t, two.addr, ingestKey)
	two.must(command{What: "end", Stream: "show"})
	eventually(t, "over", func() bool { return len(two.status()) == 0 })

	// With nothing live it is replaced at once, also for other settings.
	old = two.process()
	two.kill()
	o.Note = "changed"
	three := start(t, o)
	if p := three.process(); p.PID == old.PID || p.State != child.Up {
		t.Errorf("with nothing live the new hub has %v, as the old one had %v", p, old)
	}
}

// When its hub ends as it should, the process ends too, unless a stream is live; then when that is over.
func TestHubEnds(t *testing.T) {
	t.Parallel()
	dir := folder(t)
	one := start(t, show(dir))
	p := one.process()
	one.stop()
	gone(t, p.PID)

	two := start(t, show(dir))
	e := encode(t, two.addr, ingestKey)
	eventually(t, "live", func() bool { return len(two.status()) == 1 })
	p = two.process()
	two.stop()
	for range 20 {
		e.picture()
	}
	if err := e.p.End(); err != nil {
		t.Errorf("the stream ended with the hub: %v", err)
	}
	gone(t, p.PID)
	if _, err := os.Stat(dir + "/" + child.SocketName); !os.IsNotExist(err) {
		t.Errorf("the socket is left behind: %v", err)
	}
}

// A process that is tied to its hub ends with it, also when that is killed in mid-stream.
func TestTied(t *testing.T) {
	t.Parallel()
	o := show(folder(t))
	o.Tied = true
	for _, end := range []func(*running){(*running).kill, (*running).stop} {
		h := start(t, o)
		encode(t, h.addr, ingestKey).keepOn()
		eventually(t, "live", func() bool { return len(h.status()) == 1 })
		p := h.process()
		end(h)
		gone(t, p.PID)
	}
}

// Without a hub the process waits for its limit, and longer while a stream is live.
func TestAwayLimit(t *testing.T) {
	t.Parallel()
	o := show(folder(t))
	o.Away = 200 * time.Millisecond
	one := start(t, o)
	p := one.process()
	one.kill()
	gone(t, p.PID)

	two := start(t, o)
	e := encode(t, two.addr, ingestKey)
	eventually(t, "live", func() bool { return len(two.status()) == 1 })
	p = two.process()
	two.kill()
	for range 100 { // four times the limit
		if !e.picture() {
			t.Fatal("it ended while an encoder sent")
		}
		time.Sleep(8 * time.Millisecond)
	}
	if err := e.p.End(); err != nil {
		t.Error(err)
	}
	gone(t, p.PID)
}

// gone waits until a process has ended.
func gone(t *testing.T, pid int) {
	t.Helper()
	eventually(t, "end of the process", func() bool { return syscall.Kill(pid, 0) != nil })
}
