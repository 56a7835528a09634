package relay

import (
	"context"
	"errors"
	"time"

	"hawker/relay/rtmp"
)

// role says which of a stream's two encoders a publisher is.
type role int

const (
	mainRole role = iota
	backupRole
	roles
)

func roleOf(backup bool) role {
	if backup {
		return backupRole
	}
	return mainRole
}

// ingest is a publisher of a stream.
type ingest struct {
	*rtmp.Publication
	role  role
	since time.Time

	// Guarded by the stream's mutex.
	facts   facts
	latched []pending // its headers and metadata in force
	silent  bool      // it was there but sent nothing, so the slate took its place
	resumed time.Time // since when it sends again, zero while it does not
	media   time.Time // when it last sent picture or sound

	pending int       // bytes that were fed and the destinations were not told of; its own goroutine's
	bound   time.Time // of the next read; its own goroutine's
}

// latch remembers a header or metadata.
func (in *ingest) latch(m rtmp.Message, info rtmp.Info) {
	in.latched = hold(in.latched, rtmp.Message{Type: m.Type, Time: m.Time, Payload: m.Payload}, info)
}

// same says whether a publisher seems to be the same encoder as another that was lost.
func same(a, b *ingest) bool {
	return a != nil && b != nil && a.PeerHost() == b.PeerHost() && a.Encoder == b.Encoder
}

// attach makes p one of the stream's publishers. One that is there is replaced only when it stays silent; the error is
// errBusy when it does not, ErrNoStream when the stream is over.
func (st *stream) attach(ctx context.Context, p *rtmp.Publication, cfg Config) (*ingest, error) {
	in := &ingest{Publication: p, role: roleOf(cfg.Backup), since: time.Now()}
	came := in.since
	for {
		done, old, err := st.tryAttach(in, came, cfg)
		if old != nil {
			_ = old.Close()
		}
		if err != nil || done {
			return in, err
		}
		if !sleep(ctx, 50*time.Millisecond) {
			return nil, ctx.Err()
		}
	}
}

// tryAttach says whether in was attached, which is not clear while the old publisher may be dead.
func (st *stream) tryAttach(in *ingest, came time.Time, cfg Config) (done bool, replaced *ingest, err error) {
	st.mu.Lock()
	if st.ended {
		st.mu.Unlock()
		return false, nil, ErrNoStream
	}
	old := st.ins[in.role]
	if old != nil {
		heard := old.LastRead()
		if heard.After(came) {
			st.mu.Unlock()
			return false, nil, errBusy
		}
		wait := or(st.srv.Takeover, DefaultTakeover)
		if same(old, in) {
			wait = min(wait, sameTakeover)
		}
		if time.Since(heard) < wait {
			st.mu.Unlock()
			return false, nil, nil
		}
	}
	st.cfg = cfg
	if before := st.before[in.role]; cfg.AskHost && before != nil && !same(before, in) && !st.cut {
		replaced, st.knocking = st.knocking, in
		st.mu.Unlock()
		st.emit(IngestKnocks)
		return true, replaced, nil
	}
	kind := st.putLocked(in)
	st.mu.Unlock()
	st.emit(kind)
	return true, old, nil
}

// putLocked gives in its place and says what that means.
func (st *stream) putLocked(in *ingest) EventKind {
	st.ins[in.role], st.before[in.role] = in, in
	st.cut = false
	if in.role == st.live || st.ins[st.live] == nil && !st.line.begun {
		st.takeLocked(in)
	}
	if st.visits++; st.visits == 1 {
		return StreamStarted
	}
	return IngestBack
}

// takeLocked makes in the one whose pictures are sent, from its next keyframe on.
func (st *stream) takeLocked(in *ingest) {
	st.live = in.role
	st.line.source()
	st.line.pending = append([]pending(nil), in.latched...)
}

// detach notes that in is gone: for good when it said so, else for the grace time.
func (st *stream) detach(in *ingest, err error) {
	st.mu.Lock()
	if st.knocking == in {
		st.knocking = nil
	}
	mine := st.ins[in.role] == in
	if mine {
		st.ins[in.role] = nil
	}
	alone := st.ins == [roles]*ingest{}
	if mine && alone {
		st.away = time.Now()
	}
	st.mu.Unlock()
	switch {
	case !mine:
	case alone && errors.Is(err, rtmp.ErrEnded):
		st.end()
	case alone:
		st.emit(IngestAway)
	default:
		st.emit(IngestPart)
	}
}

// feed takes a message of in and says whether in is still one of the stream's publishers.
func (st *stream) feed(in *ingest, m rtmp.Message) bool {
	now := time.Now()
	info := rtmp.Inspect(m)
	st.mu.Lock()
	if st.ins[in.role] != in && st.knocking != in {
		st.mu.Unlock()
		return false
	}
	in.facts.note(m, info, now)
	if info.Kind == rtmp.Header || info.Kind == rtmp.Metadata {
		in.latch(m, info)
	}
	if m.Type != rtmp.TypeData {
		in.media = now
	}
	if st.ins[in.role] != in || in.role != st.live && (info.Kind != rtmp.Keyframe || !st.mayTakeLocked(in.role, now)) {
		st.mu.Unlock()
		return true
	}
	if in.role != st.live {
		st.takeLocked(in)
		if st.wish == in.role {
			st.wish = roles
		}
	}
	if st.covered {
		st.mu.Unlock()
		return true
	}
	if in.silent && in.resumed.IsZero() {
		in.resumed = now
	}
	if st.slate != nil && info.Kind == rtmp.Keyframe && in.silent && in.facts.behind(m.Time, now) && now.Sub(in.resumed) < catchUp {
		st.mu.Unlock()
		return true // it still sends what it could not send before; the show goes on with what is new
	}
	units := st.line.take(m, info, now)
	shown := false
	for _, u := range units {
		st.ring.Append(u)
		in.pending += len(u.Wire)
		if u.Kind == rtmp.Keyframe {
			shown = true
			st.picture.note(u, info, in)
		}
	}
	back := shown && st.slate != nil
	if back {
		st.slate, in.silent, in.resumed = nil, false, time.Time{}
		in.facts.seen = window{} // its clock may have stood still: that is no drift
	}
	st.mu.Unlock()
	if back {
		st.emit(SlateOff)
	}
	return true
}

// mayTakeLocked says whether the encoder of this role, which is not on the air, may be: it is wished for, or the other fails.
func (st *stream) mayTakeLocked(r role, now time.Time) bool {
	other := st.ins[st.live]
	return st.wish == r || other == nil || now.Sub(other.media) >= st.slateAfter()*silentBy/10
}

// passOn gives what was fed to the destinations. It is called before in's goroutine asks for more: what came together goes
// out together.
func (st *stream) passOn(in *ingest, drained bool) {
	if in.pending == 0 || !drained && in.pending < maxGather {
		return
	}
	in.pending = 0
	st.fan.Flush()
	st.ring.Wake()
	if st.ring.Readers() < coalesceFrom {
		in.Pace(0)
	} else {
		in.Pace(coalesce)
	}
}

// use makes the encoder of role r the one whose pictures are sent, from its next keyframe on.
func (st *stream) use(r role) {
	st.mu.Lock()
	defer st.mu.Unlock()
	st.wish = r
	if r == st.live {
		st.wish = roles
	}
}

// admit lets the publisher in that waits for the host, and says whether there was one.
func (st *stream) admit() bool {
	st.mu.Lock()
	in := st.knocking
	var old *ingest
	if in != nil {
		old, st.knocking = st.ins[in.role], nil
		st.putLocked(in)
	}
	st.mu.Unlock()
	if old != nil {
		_ = old.Close()
	}
	if in != nil {
		st.emit(IngestBack)
	}
	return in != nil
}

// cover shows the slate over the encoder's pictures, or ends that.
func (st *stream) cover(on bool) {
	st.mu.Lock()
	st.covered = on
	st.mu.Unlock()
	select {
	case st.poke <- struct{}{}:
	default:
	}
}

// cutOff takes all encoders off the air at once.
func (st *stream) cutOff() {
	st.mu.Lock()
	gone := append([]*ingest{st.knocking}, st.ins[:]...)
	st.ins, st.knocking = [roles]*ingest{}, nil
	st.before = [roles]*ingest{}
	st.cut, st.away, st.slate = true, time.Now(), nil
	st.line.source()
	st.mu.Unlock()
	for _, in := range gone {
		if in != nil {
			_ = in.Close()
		}
	}
	select {
	case st.poke <- struct{}{}:
	default:
	}
	st.emit(IngestAway)
}
