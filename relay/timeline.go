package relay

import (
	"math"
	"time"

	"hawker/relay/ring"
	"hawker/relay/rtmp"
)

const (
	// A step back beyond jumpBack, or forward beyond jumpAhead, is an encoder that started its clock anew.
	jumpBack  = -3 * time.Second
	jumpAhead = 30 * time.Second
	// audioOnlyAfter is how much audio without a picture makes a stream an audio stream, in which one may start
	// anywhere; every audioKey one message is marked for that.
	audioOnlyAfter = 2 * time.Second
	audioKey       = time.Second
	// minGap keeps times apart where one source follows another.
	minGap = 20 * time.Millisecond
)

// timeline puts the messages of one source after another on one growing clock. The offset of a source is fixed at
// its first keyframe; what comes before is dropped, but for headers, which are sent with the keyframe. The first
// source keeps its own times.
type timeline struct {
	begun bool      // some source was taken
	head  int64     // newest time given out, ms
	at    time.Time // when that was

	fixed   bool // the present source has its offset
	offset  int64
	raw     int64  // the source's clock without wrap, ms
	last    uint32 // the source's clock as last seen
	floor   int64  // nothing of this source goes below
	pending []pending

	picture    bool   // the source has shown video
	sound      bool   // the source has sent audio, first at soundSince
	soundSince uint32 // ms
	lastMark   int64  // when audio was last marked as a place to start, ms
}

type pending struct {
	m    rtmp.Message
	info rtmp.Info
}

// source begins a new source.
func (t *timeline) source() {
	*t = timeline{begun: t.begun, head: t.head, at: t.at}
}

// take returns the units that a message becomes: none, one, or headers and a keyframe.
func (t *timeline) take(m rtmp.Message, info rtmp.Info, now time.Time) []*ring.Unit {
	if t.fixed {
		step := time.Duration(int32(m.Time-t.last)) * time.Millisecond // modulo 2^32: the clock wraps after 49.7 days
		if info.Kind != rtmp.Other && info.Kind != rtmp.Keyframe && (step < 0 || step > jumpAhead) {
			// Some encoders give headers and metadata the time 0 whatever their clock says.
			return []*ring.Unit{ring.NewUnit(m, info, t.head)}
		}
		if step < jumpBack || step > jumpAhead {
			t.source()
		}
	}
	info = t.startable(m, info)
	if !t.fixed {
		switch info.Kind {
		case rtmp.Header, rtmp.Metadata:
			t.pending = hold(t.pending, m, info)
			return nil
		case rtmp.Keyframe:
			return t.fix(m, info, now)
		}
		return nil
	}
	t.raw += int64(int32(m.Time - t.last))
	t.last = m.Time
	return []*ring.Unit{t.stamp(m, info, now)}
}

func (t *timeline) stamp(m rtmp.Message, info rtmp.Info, now time.Time) *ring.Unit {
	at := max(t.raw+t.offset, t.floor)
	if at > t.head {
		t.head = at
	}
	t.at = now
	return ring.NewUnit(m, info, at)
}

// startable marks audio of a stream without pictures as a place to start, now and then.
func (t *timeline) startable(m rtmp.Message, info rtmp.Info) rtmp.Info {
	switch {
	case m.Type == rtmp.TypeVideo:
		t.picture = true
	case m.Type == rtmp.TypeAudio && info.Kind == rtmp.Other && !t.picture:
		if !t.sound {
			t.sound, t.soundSince = true, m.Time
		}
		if time.Duration(int32(m.Time-t.soundSince))*time.Millisecond < audioOnlyAfter {
			return info
		}
		if !t.fixed || t.raw-t.lastMark >= audioKey.Milliseconds() {
			info.Kind = rtmp.Keyframe
			t.lastMark = t.raw
		}
	}
	return info
}

// hold adds a header or metadata to those in force.
func hold(all []pending, m rtmp.Message, info rtmp.Info) []pending {
	for i := range all {
		if all[i].info.Slot == info.Slot {
			all[i] = pending{m, info}
			return all
		}
	}
	return append(all, pending{m, info})
}

// resume is where the timeline goes on after the present moment's pause.
func (t *timeline) resume(now time.Time) int64 {
	return t.head + max(now.Sub(t.at), minGap).Milliseconds()
}

// went notes that something else than a source was sent at this time, in ms.
func (t *timeline) went(at int64, now time.Time) { t.head, t.at = max(t.head, at), now }

// fix gives the source its place: where the wall clock says, so that a pause does not make the stream late for ever.
func (t *timeline) fix(m rtmp.Message, info rtmp.Info, now time.Time) []*ring.Unit {
	t.raw, t.last, t.floor = int64(m.Time), m.Time, math.MinInt64
	if t.begun {
		t.offset = t.resume(now) - t.raw
		t.floor = t.head + 1
	} else {
		t.head = t.raw
	}
	t.begun, t.fixed, t.lastMark = true, true, t.raw
	out := make([]*ring.Unit, 0, len(t.pending)+1)
	for _, p := range t.pending {
		out = append(out, t.stamp(p.m, p.info, now))
	}
	t.pending = nil
	return append(out, t.stamp(m, info, now))
}
