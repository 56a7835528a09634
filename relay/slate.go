package relay

import (
	"context"
	"slices"
	"time"

	"hawker/relay/ring"
	"hawker/relay/rtmp"
	"hawker/relay/still"
)

const (
	// silentBy is how much longer, in tenths, an encoder may be silent whose connection stands: what a line held up comes
	// whole when it goes on, but after a slate the show can go on at a keyframe only.
	silentBy = 18
	// catchUp is how long an encoder that was silent may send what it could not send before. After that its clock is taken to
	// have stood still.
	catchUp = 3 * time.Second
	// slateBeat is how often a slate sends what is due.
	slateBeat = 100 * time.Millisecond
	// A picture that stands still is sent again after stillEvery, or more seldom up to maxStill, so that it takes no more than
	// the encoder did.
	stillEvery = 500 * time.Millisecond
	maxStill   = 2 * time.Second
)

// picture is what a slate needs to know of what was on the air.
type picture struct {
	key           *ring.Unit // the last keyframe
	codec         string     // of the picture
	header, sound []byte     // the sequence headers
	width, height int
	kbps          int
}

func (p *picture) note(u *ring.Unit, info rtmp.Info, in *ingest) {
	if u.Type == rtmp.TypeVideo {
		p.key, p.codec = u, info.Codec
	}
	p.header, p.sound = nil, nil
	for _, l := range in.latched {
		switch l.info.Slot {
		case "v":
			p.header = l.m.Payload
		case "a":
			p.sound = l.m.Payload
		}
	}
	p.width, p.height, p.kbps = in.facts.width, in.facts.height, in.facts.kbps()
}

// slate is what is sent while no encoder sends. Times are relative to its begin.
type slate struct {
	began time.Time
	base  int64 // ms on the relay's timeline

	headers  []rtmp.Message
	pictures [][]byte      // in turn
	every    time.Duration // between pictures
	shown    int
	sound    still.Sound // one message of silence; none when Every is 0
	played   int
	keyed    bool // silence is a place to start: there is no picture

	clip   []rtmp.Message // in place of pictures, and of silence when it has sound
	length time.Duration
	at     int // next in clip, over all turns
}

// newSlate makes the slate for what was on the air. hide leaves out the last picture.
func newSlate(p *picture, file []byte, hide bool) *slate {
	s := &slate{every: stillEvery}
	s.sound, _ = still.Silence(p.sound)
	if s.fit(p, file) {
		return s
	}
	switch {
	case p.key == nil:
		s.keyed = true
	case !hide:
		again := still.Again(p.key.Payload(), p.header, p.codec)
		s.pictures = [][]byte{again}
		if p.kbps > 0 {
			s.every = min(max(s.every, time.Duration(len(again)*8/p.kbps)*time.Millisecond), maxStill)
		}
	case p.codec == "H.264" && p.width > 0 && p.height > 0 && p.width%2 == 0 && p.height%2 == 0:
		header, keys := still.Black(p.width, p.height)
		s.headers = []rtmp.Message{{Type: rtmp.TypeVideo, Payload: header}}
		s.pictures = keys[:]
	default:
		s.keyed = true // silence alone
	}
	return s
}

// fit takes a merchant's clip when viewers' players can go on with it: the same codec and size.
func (s *slate) fit(p *picture, file []byte) bool {
	all, err := rtmp.ParseFLV(file)
	if err != nil {
		return false
	}
	var f facts
	var sound []byte
	video := false
	for _, m := range all {
		info := rtmp.Inspect(m)
		f.note(m, info, time.Time{})
		switch {
		case info.Kind == rtmp.Header && m.Type == rtmp.TypeAudio:
			sound = m.Payload
		case info.Kind == rtmp.Header:
			s.headers = append(s.headers, m)
		case info.Kind == rtmp.Metadata, m.Type == rtmp.TypeData, len(m.Payload) < 2, m.Type == rtmp.TypeVideo && m.Payload[0] < 0x80 && m.Payload[1] == 2:
		case m.Type == rtmp.TypeVideo && !video && info.Kind != rtmp.Keyframe: // it must begin with a picture
		default:
			video = video || m.Type == rtmp.TypeVideo
			s.clip = append(s.clip, m)
		}
	}
	if !video || f.video != p.codec || f.width != p.width || f.height != p.height {
		s.headers, s.clip = nil, nil
		return false
	}
	if slices.Equal(sound, p.sound) && sound != nil {
		s.sound = still.Sound{}
	} else {
		s.clip = slices.DeleteFunc(s.clip, func(m rtmp.Message) bool { return m.Type == rtmp.TypeAudio })
	}
	first := s.clip[0].Time
	for i := range s.clip {
		s.clip[i].Time -= min(first, s.clip[i].Time)
	}
	s.length = time.Duration(s.clip[len(s.clip)-1].Time+40) * time.Millisecond
	return true
}

// begin sets the slate's time.
func (s *slate) begin(base int64, now time.Time) { s.base, s.began = base, now }

// due returns what is to be sent up to now, in order.
func (s *slate) due(now time.Time) []*ring.Unit {
	elapsed := now.Sub(s.began)
	var out []*ring.Unit
	add := func(m rtmp.Message, at time.Duration, key bool) {
		info := rtmp.Inspect(m)
		if key {
			info.Kind = rtmp.Keyframe
		}
		out = append(out, ring.NewUnit(rtmp.Message{Type: m.Type, Payload: m.Payload}, info, s.base+at.Milliseconds()))
	}
	for _, h := range s.headers {
		add(h, 0, false)
	}
	s.headers = nil
	for len(s.clip) > 0 {
		turn, m := s.at/len(s.clip), s.clip[s.at%len(s.clip)]
		at := time.Duration(turn)*s.length + time.Duration(m.Time)*time.Millisecond
		if at > elapsed {
			break
		}
		add(m, at, false)
		s.at++
	}
	for len(s.pictures) > 0 && time.Duration(s.shown)*s.every <= elapsed {
		add(rtmp.Message{Type: rtmp.TypeVideo, Payload: s.pictures[s.shown%len(s.pictures)]}, time.Duration(s.shown)*s.every, false)
		s.shown++
	}
	for s.sound.Every > 0 && time.Duration(s.played)*s.sound.Every <= elapsed {
		at := time.Duration(s.played) * s.sound.Every
		add(rtmp.Message{Type: rtmp.TypeAudio, Payload: s.sound.Payload}, at, s.keyed && at%time.Second < s.sound.Every)
		s.played++
	}
	slices.SortStableFunc(out, func(a, b *ring.Unit) int { return int(a.Time - b.Time) })
	return out
}

// tend keeps the slate until ctx ends: it notices that nothing comes any more, and sends in its place.
func (st *stream) tend(ctx context.Context) {
	t := time.NewTimer(st.slateAfter())
	defer t.Stop()
	for {
		select {
		case <-t.C:
		case <-st.poke:
		case <-ctx.Done():
			return
		case <-st.over:
			return
		}
		now := time.Now()
		wait, began, sent := st.slateLocked(now)
		if began {
			st.emit(SlateOn)
		}
		if sent {
			st.fan.Flush()
			st.ring.Wake()
		}
		t.Reset(wait)
	}
}

func (st *stream) slateAfter() time.Duration { return or(st.srv.SlateAfter, DefaultSlateAfter) }

// slateLocked begins the slate when it is time and sends what is due. It says when to look again.
func (st *stream) slateLocked(now time.Time) (wait time.Duration, began, sent bool) {
	st.mu.Lock()
	defer st.mu.Unlock()
	if st.ended || !st.line.begun {
		return st.slateAfter(), false, false
	}
	if st.slate == nil {
		in, after := st.ins[st.live], st.slateAfter()
		if in != nil {
			after = after * silentBy / 10
		}
		if silence := now.Sub(st.line.at); !st.cut && !st.covered && silence < after {
			return min(after-silence, st.slateAfter()), false, false
		}
		if in != nil {
			in.silent, in.resumed = true, time.Time{}
			st.takeLocked(in)
		} else {
			st.line.source()
		}
		st.slate = newSlate(&st.picture, st.cfg.Slate, st.cut)
		st.slate.begin(st.line.resume(now), now)
		began = true
	}
	for _, u := range st.slate.due(now) {
		st.ring.Append(u)
		st.line.went(u.Time, now)
		sent = true
	}
	return slateBeat, began, sent
}
