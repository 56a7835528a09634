package broadcast_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"hawker/connectors/youtube"
	"hawker/connectors/youtube/broadcast"
	"hawker/connectors/youtube/quota"
	"hawker/connectors/youtube/youtubesim"
	"hawker/internal/chat"
	"hawker/internal/pipetest"
)

const owner = "UCana"

// stage is a platform with Ana's channel and a client for it, on a clock of their own.
type stage struct {
	*youtubesim.Sim
	t     *testing.T
	c     *broadcast.Client
	meter *quota.Meter
	log   *strings.Builder
}

func bubble(t *testing.T, f func(t *testing.T, s *stage)) {
	scoped(t, nil, f)
}

func scoped(t *testing.T, scopes []string, f func(t *testing.T, s *stage)) {
	synctest.Test(t, func(t *testing.T) {
		p := pipetest.Listen()
		s := &stage{
			Sim:   youtubesim.New(youtubesim.Config{TokenLife: 100 * time.Hour, Channels: []youtubesim.Channel{{ID: owner, Title: "Ana"}}}),
			t:     t,
			meter: quota.NewMeter(0, nil),
			log:   &strings.Builder{},
		}
		s.Start(p)
		t.Cleanup(s.Close)
		access, refresh, _ := s.Grant(owner, scopes...)
		var err error
		s.c, err = broadcast.New(t.Context(), youtube.Options{
			APIURL: s.URL(), AuthURL: s.AuthURL(), TokenURL: s.TokenURL(), RevokeURL: s.RevokeURL(), DialContext: p.Dial, Units: s.meter,
			Log:   slog.New(slog.NewTextHandler(s.log, nil)),
			Owner: chat.Account{Platform: chat.YouTube, ID: owner, Token: chat.Token{Access: access, Refresh: refresh, Scopes: scopes}},
		})
		if err != nil {
			t.Fatal(err)
		}
		f(t, s)
		s.c.Close()
		// Calls that break on the way count for us, though not always for the platform.
		if used, calls := s.Units(); used > s.meter.Usage(time.Now()).Units {
			t.Errorf("we counted %d units, the platform %d: %v", s.meter.Usage(time.Now()).Units, used, calls)
		}
	})
}

func plan() broadcast.Plan {
	return broadcast.Plan{Title: "Spring sale <3", Description: "Buy by chat: !buy 3\nhttps://hawker.example/live/spring"}
}

func (s *stage) prepare(known broadcast.IDs) (broadcast.IDs, broadcast.Ingest) {
	s.t.Helper()
	ids, in, err := s.c.Prepare(s.t.Context(), plan(), known)
	if err != nil {
		s.t.Fatalf("Prepare: %v", err)
	}
	return ids, in
}

func (s *stage) calls(method string) int {
	_, calls := s.Units()
	return calls[method]
}

// follow runs Follow and keeps what it tells.
func (s *stage) follow(ids broadcast.IDs) *following {
	ctx, stop := context.WithCancel(s.t.Context())
	f := &following{stop: stop, done: make(chan error, 1), poke: make(chan struct{}, 1)}
	go func() {
		f.done <- s.c.Follow(ctx, ids, f.poke, func(st broadcast.Status) {
			f.mu.Lock()
			defer f.mu.Unlock()
			f.all = append(f.all, st)
		})
	}()
	return f
}

type following struct {
	stop context.CancelFunc
	done chan error
	poke chan struct{}
	mu   sync.Mutex
	all  []broadcast.Status
}

func (f *following) last() broadcast.Status {
	synctest.Wait()
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.all) == 0 {
		return broadcast.Status{}
	}
	return f.all[len(f.all)-1]
}

func (f *following) end(t *testing.T) {
	t.Helper()
	f.stop()
	if err := <-f.done; err != nil {
		t.Errorf("Follow: %v", err)
	}
}

func codeOf(err error) string {
	var r *chat.Refused
	if errors.As(err, &r) {
		return r.Code
	}
	return fmt.Sprint(err)
}

func TestOneShow(t *testing.T) {
	bubble(t, func(t *testing.T, s *stage) {
		ids, in := s.prepare(broadcast.IDs{})
		if in.Server != "rtmps://a.rtmps.youtube.com/live2" || in.Backup != "rtmps://b.rtmps.youtube.com/live2?backup=1" ||
			in.Plain != "rtmp://a.rtmp.youtube.com/live2" || in.Key.Reveal() != s.Streams(owner)[0].Key {
			t.Errorf("ingest %+v", in)
		}
		b := s.Broadcasts(owner)
		if len(b) != 1 || b[0].ID != ids.Broadcast || b[0].Stream != ids.Stream || b[0].State != "ready" || b[0].Title != "Spring sale ‹3" ||
			!b[0].AutoStart || b[0].AutoStop || b[0].Monitored || b[0].Privacy != "public" || b[0].Latency != "low" || !ids.Made {
			t.Fatalf("made %+v, ids %+v", b, ids)
		}
		if used, _ := s.Units(); used != 153 {
			t.Errorf("preparing cost %d units, want 150 and 3 questions", used)
		}
		f := s.follow(ids)
		if st := f.last(); st.State != broadcast.Ready || st.Received || !st.Known || st.Trouble != "" || st.Chat == "" {
			t.Errorf("before the video: %+v", st)
		}
		s.Ingest(in.Key.Reveal(), true)
		f.poke <- struct{}{}
		if st := f.last(); !st.Received || st.State != broadcast.LiveStarting {
			t.Errorf("with video: %+v", st)
		}
		time.Sleep(10 * time.Second)
		if st := f.last(); st.State != broadcast.Live || st.Began.IsZero() || st.Health != "good" || st.Trouble != "" {
			t.Errorf("live: %+v", st)
		}
		if n := s.calls("liveBroadcasts.transition"); n != 0 {
			t.Errorf("%d transitions; YouTube starts by itself", n)
		}
		s.Health(in.Key.Reveal(), "bad", "audioBitrateLow", "error videoIngestionStarved", "info notInventedYet")
		time.Sleep(61 * time.Second)
		st := f.last()
		if len(st.Issues) != 3 || st.Issues[0].Type != "videoIngestionStarved" || st.Trouble != st.Issues[0].Text || !strings.Contains(st.Trouble, "too slowly") ||
			!st.Received {
			t.Errorf("bad video: %+v", st)
		}
		s.Health(in.Key.Reveal(), "good")
		s.Ingest(in.Key.Reveal(), false)
		f.poke <- struct{}{}
		if st := f.last(); st.Received || st.State != broadcast.Live || !strings.Contains(st.Trouble, "gets no video") {
			t.Errorf("without video: %+v", st)
		}
		time.Sleep(10 * time.Minute)
		s.Ingest(in.Key.Reveal(), true)
		time.Sleep(time.Minute)
		if st := f.last(); !st.Received || st.State != broadcast.Live || st.Trouble != "" {
			t.Errorf("after ten minutes away: %+v; the broadcast must go on", st)
		}
		f.end(t)
		for range 2 {
			if err := s.c.End(t.Context(), ids); err != nil {
				t.Errorf("End: %v", err)
			}
		}
		if b := s.Broadcasts(owner); b[0].State != "complete" || s.calls("liveBroadcasts.transition") != 1 {
			t.Errorf("after End: %+v", b)
		}
		// The next show is another broadcast with the same key.
		again, in2 := s.prepare(ids)
		if again.Broadcast == ids.Broadcast || again.Stream != ids.Stream || in2.Key != in.Key || !again.Made {
			t.Errorf("the next show: %+v after %+v", again, ids)
		}
		for _, text := range []string{s.log.String(), fmt.Sprintf("%v %+v %#v", in, in, in)} {
			if strings.Contains(text, in.Key.Reveal()) {
				t.Error("the key can be read in a log")
			}
		}
	})
}

func TestEightHoursCostLittle(t *testing.T) {
	bubble(t, func(t *testing.T, s *stage) {
		ids, in := s.prepare(broadcast.IDs{})
		before, _ := s.Units()
		s.Ingest(in.Key.Reveal(), true)
		f := s.follow(ids)
		time.Sleep(7*time.Hour + 55*time.Minute) // the bubble's clock begins 8 h before the quota's midnight
		used, _ := s.Units()
		if used -= before; used > 620 {
			t.Errorf("7 h 55 min of good video cost %d units", used)
		}
		f.end(t)
	})
}

func TestNothingIsMadeTwice(t *testing.T) {
	for lost := 1; lost <= 3; lost++ { // the answer to: broadcast, stream, bind
		for _, crash := range []bool{false, true} {
			t.Run(fmt.Sprintf("answer %d lost, ids lost %v", lost, crash), func(t *testing.T) {
				bubble(t, func(t *testing.T, s *stage) {
					reads := 0
					ids := broadcast.IDs{}
					// Answers are lost from the lost-th write on, as many as the first call would make.
					ctx, cancel := context.WithCancel(t.Context())
					switch lost {
					case 1:
						s.LoseAnswers(1)
					case 2:
						s.Refuse("liveStreams.insert", 1, 400, "invalidResolution")
						if _, _, err := s.c.Prepare(ctx, plan(), ids); codeOf(err) != "invalidResolution" {
							t.Fatalf("Prepare: %v", err)
						}
						s.LoseAnswers(1)
					case 3:
						s.Refuse("liveBroadcasts.bind", 1, 403, "liveBroadcastBindingNotAllowed")
						if _, _, err := s.c.Prepare(ctx, plan(), ids); codeOf(err) != "liveBroadcastBindingNotAllowed" {
							t.Fatalf("Prepare: %v", err)
						}
						s.LoseAnswers(1)
					}
					if crash { // between the call and its answer
						go func() { time.Sleep(time.Millisecond); cancel() }()
					}
					ids, _, err := s.c.Prepare(ctx, plan(), ids)
					cancel()
					if !crash && err != nil {
						t.Errorf("Prepare with a lost answer: %v", err)
					}
					if crash {
						ids = broadcast.IDs{}
					}
					for range 2 {
						if ids, _, err = s.c.Prepare(t.Context(), plan(), ids); err != nil {
							t.Fatalf("Prepare again: %v", err)
						}
						reads++
					}
					b, st := s.Broadcasts(owner), s.Streams(owner)
					if len(b) != 1 || len(st) != 1 || b[0].Stream != st[0].ID || b[0].State != "ready" || !ids.Made || ids.Broadcast != b[0].ID || ids.Stream != st[0].ID {
						t.Errorf("%d broadcasts %+v, %d streams, ids %+v", len(b), b, len(st), ids)
					}
				})
			})
		}
	}
}

func TestStoredIDsAreCheap(t *testing.T) {
	bubble(t, func(t *testing.T, s *stage) {
		ids, in := s.prepare(broadcast.IDs{})
		before, _ := s.Units()
		again, in2 := s.prepare(ids)
		if used, _ := s.Units(); used-before != 2 || again != ids || in2 != in {
			t.Errorf("preparing again cost %d units and gave %+v for %+v", used-before, again, ids)
		}
		s.DeleteStream(ids.Stream)
		fresh, in3 := s.prepare(ids)
		if fresh.Broadcast != ids.Broadcast || fresh.Stream == ids.Stream || in3.Key == in.Key || s.Broadcasts(owner)[0].Stream != fresh.Stream {
			t.Errorf("after the creator deleted the stream: %+v for %+v", fresh, ids)
		}
		ids = fresh
		s.NoBroadcast(ids.Broadcast)
		if again, _ = s.prepare(ids); again.Broadcast == ids.Broadcast || again.Stream != ids.Stream {
			t.Errorf("after the creator deleted it: %+v for %+v", again, ids)
		}
	})
}

func TestTwoShowsHaveTwoStreams(t *testing.T) {
	bubble(t, func(t *testing.T, s *stage) {
		one, in := s.prepare(broadcast.IDs{})
		p := plan()
		p.Title = "Summer sale"
		two, in2, err := s.c.Prepare(t.Context(), p, broadcast.IDs{})
		if err != nil || two.Stream == one.Stream || two.Broadcast == one.Broadcast || in2.Key == in.Key {
			t.Fatalf("%+v and %+v, %v", one, two, err)
		}
		s.Ingest(in.Key.Reveal(), true)
		time.Sleep(5 * time.Second)
		if b := s.Broadcasts(owner); b[0].State != "live" || b[1].State != "ready" {
			t.Errorf("one show's video started %+v", b)
		}
		all, err := s.c.Broadcasts(t.Context())
		if err != nil || len(all) != 2 || all[0].ID != one.Broadcast || all[0].State != broadcast.Live || all[0].Began.IsZero() || all[1].Title != "Summer sale" ||
			all[1].Address() != "https://www.youtube.com/watch?v="+two.Broadcast {
			t.Errorf("Broadcasts = %+v, %v", all, err)
		}
	})
}

func TestTheCreatorsOwnPlan(t *testing.T) {
	bubble(t, func(t *testing.T, s *stage) {
		mine := s.Schedule(owner, "Planned in Studio")
		ids, in := s.prepare(broadcast.IDs{Broadcast: mine})
		if ids.Broadcast != mine || ids.Made || s.Broadcasts(owner)[0].Title != "Planned in Studio" || len(s.Broadcasts(owner)) != 1 {
			t.Fatalf("ids %+v, %+v", ids, s.Broadcasts(owner))
		}
		if err := s.c.Live(t.Context(), ids); codeOf(err) != "errorStreamInactive" {
			t.Errorf("Live without video: %v", err)
		}
		if err := s.c.End(t.Context(), ids); err != nil || s.Broadcasts(owner)[0].State != "ready" {
			t.Errorf("End of a plan that never went live: %v, %+v", err, s.Broadcasts(owner))
		}
		s.Ingest(in.Key.Reveal(), true)
		f := s.follow(ids)
		time.Sleep(20 * time.Second)
		if st := f.last(); st.State != broadcast.Live || st.Trouble != "" {
			t.Errorf("with video: %+v", st)
		}
		if n := s.calls("liveBroadcasts.transition"); n != 3 { // one in vain, testing, live
			t.Errorf("%d transitions", n)
		}
		// It runs with a stream of its own: that is the one to use.
		if again, in2 := s.prepare(broadcast.IDs{Broadcast: mine}); again != ids || in2.Key != in.Key {
			t.Errorf("prepared again: %+v", again)
		}
		s.Finish(mine)
		f.poke <- struct{}{}
		if st := f.last(); st.State != broadcast.Complete || !strings.Contains(st.Trouble, "ended") {
			t.Errorf("ended in Studio: %+v", st)
		}
		if err := <-f.done; err != nil {
			t.Errorf("Follow: %v", err)
		}
	})
}

func TestWhatDoesNotStartByItself(t *testing.T) {
	bubble(t, func(t *testing.T, s *stage) {
		s.Refuse("liveBroadcasts.insert", 1, 400, "invalidAutoStart")
		ids, in := s.prepare(broadcast.IDs{})
		if b := s.Broadcasts(owner); len(b) != 1 || b[0].AutoStart {
			t.Fatalf("made %+v", b)
		}
		s.Refuse("liveBroadcasts.transition", 1, 500, "errorExecutingTransition")
		s.Ingest(in.Key.Reveal(), true)
		f := s.follow(ids)
		time.Sleep(2 * time.Second)
		if st := f.last(); !strings.Contains(st.Trouble, "does not start") || !st.Received {
			t.Errorf("after a failed start: %+v", st)
		}
		time.Sleep(30 * time.Second)
		if st := f.last(); st.State != broadcast.Live || st.Trouble != "" {
			t.Errorf("after the second: %+v", st)
		}
		f.end(t)
	})
	bubble(t, func(t *testing.T, s *stage) {
		ids, in := s.prepare(broadcast.IDs{})
		s.Refuse("liveBroadcasts.transition", 100, 403, "concurrentBroadcastsExceedLimit")
		s.NoAutoStart(true)
		s.Ingest(in.Key.Reveal(), true)
		f := s.follow(ids)
		time.Sleep(2 * time.Hour)
		if st := f.last(); !strings.Contains(st.Trouble, "another broadcast of this channel is live") || !strings.Contains(st.Trouble, "YouTube Studio") {
			t.Errorf("never started: %+v", st)
		}
		if n := s.calls("liveBroadcasts.transition"); n != 5 {
			t.Errorf("%d tries at 50 units", n)
		}
		f.end(t)
	})
}

func TestEnd(t *testing.T) {
	bubble(t, func(t *testing.T, s *stage) {
		ids, in := s.prepare(broadcast.IDs{})
		if err := s.c.End(t.Context(), ids); err != nil || len(s.Broadcasts(owner)) != 0 {
			t.Errorf("never live: %v, %+v", err, s.Broadcasts(owner))
		}
		if err := s.c.End(t.Context(), ids); err != nil {
			t.Errorf("gone: %v", err)
		}
		ids, _ = s.prepare(ids)
		s.Ingest(in.Key.Reveal(), true) // starting: that cannot be ended yet
		s.Refuse("liveBroadcasts.transition", 1, 503, "backendError")
		s.LoseAnswers(1)
		if err := s.c.End(t.Context(), ids); err != nil || s.Broadcasts(owner)[0].State != "complete" {
			t.Errorf("while it starts: %v, %+v", err, s.Broadcasts(owner))
		}
	})
}

func TestRetitle(t *testing.T) {
	bubble(t, func(t *testing.T, s *stage) {
		ids, in := s.prepare(broadcast.IDs{})
		s.Ingest(in.Key.Reveal(), true)
		for range 2 {
			if err := s.c.Retitle(t.Context(), ids, "Now with mugs", "All of it"); err != nil {
				t.Fatal(err)
			}
		}
		if b := s.Broadcasts(owner)[0]; b.Title != "Now with mugs" || b.Description != "All of it" || s.calls("liveBroadcasts.update") != 1 {
			t.Errorf("%+v", b)
		}
		if err := s.c.Retitle(t.Context(), broadcast.IDs{Broadcast: "gone"}, "x", ""); codeOf(err) != "liveBroadcastNotFound" {
			t.Errorf("Retitle of nothing: %v", err)
		}
	})
}

func TestRefusals(t *testing.T) {
	bubble(t, func(t *testing.T, s *stage) {
		s.Refuse("liveBroadcasts.insert", 1, 403, "liveStreamingNotEnabled")
		ids, _, err := s.c.Prepare(t.Context(), plan(), broadcast.IDs{})
		if codeOf(err) != "liveStreamingNotEnabled" || ids != (broadcast.IDs{}) || !strings.Contains(err.Error(), "youtube.com/features") {
			t.Errorf("Prepare = %+v, %v", ids, err)
		}
		ids, _ = s.prepare(ids)
		f := s.follow(ids)
		f.last()
		s.ExhaustQuota()
		s.meter.Exhaust(time.Now())
		f.poke <- struct{}{}
		st := f.last()
		if st.Known || st.Received || !strings.Contains(st.Trouble, "quota") || st.At.IsZero() || st.State != broadcast.Ready {
			t.Errorf("without units: %+v", st)
		}
		time.Sleep(9 * time.Hour) // past midnight Pacific
		if st := f.last(); !st.Known || st.Trouble != "" {
			t.Errorf("the next day: %+v", st)
		}
		s.Break(2)
		f.poke <- struct{}{}
		synctest.Wait()
		s.Revoke()
		f.poke <- struct{}{}
		time.Sleep(time.Minute)
		var r *chat.Refused
		if err := <-f.done; !errors.As(err, &r) || !r.Reconnect {
			t.Errorf("Follow after a revocation: %v", err)
		}
		if st := f.last(); st.Known || !strings.Contains(st.Trouble, "connect again") {
			t.Errorf("after a revocation: %+v", st)
		}
	})
	scoped(t, []string{youtube.ScopeRead}, func(t *testing.T, s *stage) {
		if m := s.c.Missing(); !slices.Equal(m, []string{broadcast.Scope}) {
			t.Errorf("Missing = %v", m)
		}
		_, _, err := s.c.Prepare(t.Context(), plan(), broadcast.IDs{})
		var r *chat.Refused
		if !errors.As(err, &r) || !r.Reconnect || r.Code != "insufficientPermissions" {
			t.Errorf("Prepare with a login that may only read: %v", err)
		}
	})
}
