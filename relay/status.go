package relay

import (
	"slices"
	"strings"
	"time"

	"hawker/relay/rtmp"
)

// StreamStatus is a snapshot of a live stream. It holds no secrets.
type StreamStatus struct {
	ID           string
	Started      time.Time
	Uptime       time.Duration
	Ingest       IngestStatus
	Buffered     int // bytes in the ring
	Destinations []DestinationStatus
}

// IngestStatus is a snapshot of a stream's publisher.
type IngestStatus struct {
	Connected     bool
	Since         time.Time // when it came, or when it was lost
	Reconnects    int
	Encoder       string // what it says it is
	Kbps          int    // of the last seconds
	Video, Audio  string // codecs such as "H.264" and "AAC", "" when not known
	Width, Height int    // pixels, as the metadata says; 0 when not known
	FPS           float64
	// KeyframeEvery is the time between the last two keyframes, 0 before the second. Platforms want 2 s and warn
	// above 4 s.
	KeyframeEvery time.Duration
	// Waiting is true while no keyframe has come: nothing can be shown yet.
	Waiting bool
}

// DestinationStatus is a snapshot of a destination.
type DestinationStatus struct {
	ID, Name   string
	State      State
	Since      time.Time     // of the state
	Reason     Reason        // why it is not live
	Error      string        // the same as a sentence; "" when live
	NextTry    time.Time     // when Retrying
	Bytes      uint64        // sent since the stream began
	Drops      uint64        // messages skipped to stay live
	Reconnects int           // tries after the first
	Queue      time.Duration // stream that waits to be sent
}

// Status returns all live streams by ID.
func (s *Server) Status() []StreamStatus {
	s.mu.Lock()
	streams := make([]*stream, 0, len(s.streams))
	for _, st := range s.streams {
		streams = append(streams, st)
	}
	s.mu.Unlock()
	out := make([]StreamStatus, 0, len(streams))
	for _, st := range streams {
		out = append(out, st.status())
	}
	slices.SortFunc(out, func(a, b StreamStatus) int { return strings.Compare(a.ID, b.ID) })
	return out
}

func (st *stream) status() StreamStatus {
	st.mu.Lock()
	defer st.mu.Unlock()
	f := st.facts
	in := IngestStatus{
		Since: st.away, Reconnects: max(st.visits-1, 0), Video: f.video, Audio: f.audio, Width: f.width, Height: f.height,
		FPS: f.fps, KeyframeEvery: f.every, Waiting: !f.keyed,
	}
	if st.ingest != nil {
		in.Connected, in.Since, in.Encoder, in.Kbps = true, st.ingest.since, st.ingest.Encoder, f.kbps()
	}
	out := StreamStatus{
		ID: st.id, Started: st.started, Uptime: time.Since(st.started), Ingest: in, Buffered: st.ring.Size(),
		Destinations: make([]DestinationStatus, 0, len(st.dests)),
	}
	for _, d := range st.dests {
		out.Destinations = append(out.Destinations, d.status())
	}
	return out
}

func (d *destination) status() DestinationStatus {
	d.mu.Lock()
	defer d.mu.Unlock()
	s := DestinationStatus{
		ID: d.id, Name: d.conf.Name, State: d.state, Since: d.since, Reason: d.reason, Error: d.text, NextTry: d.next,
		Bytes: d.sent, Drops: d.drops, Reconnects: d.reconnects,
	}
	if d.pub != nil {
		s.Bytes += d.pub.Sent()
		if d.state != Connecting {
			s.Queue, _, _ = d.st.ring.Lag(d.position)
		}
	}
	return s
}

// facts are what a stream's messages say about it.
type facts struct {
	video, audio  string
	width, height int
	fps           float64

	keyed bool          // the present source sent a keyframe
	key   uint32        // when, ms
	every time.Duration // between the last two

	samples []sample // of the last seconds, oldest first
}

type sample struct {
	at    time.Time
	bytes uint64
}

// rateWindow is how many samples, one a second, a rate is taken over: two groups of pictures of 2 s.
const rateWindow = 5

// source begins a new publisher.
func (f *facts) source() { *f = facts{} }

func (f *facts) sample(now time.Time, bytes uint64) {
	f.samples = append(f.samples, sample{now, bytes})
	if n := len(f.samples); n > rateWindow {
		f.samples = slices.Clone(f.samples[n-rateWindow:])
	}
}

func (f *facts) kbps() int {
	if len(f.samples) < 2 {
		return 0
	}
	a, b := f.samples[0], f.samples[len(f.samples)-1]
	ms := b.at.Sub(a.at).Milliseconds()
	if ms <= 0 {
		return 0
	}
	return int((b.bytes - a.bytes) * 8 / uint64(ms))
}

func (f *facts) note(m rtmp.Message, info rtmp.Info) {
	switch {
	case info.Kind == rtmp.Metadata:
		o, _ := rtmp.ParseMetadata(m.Payload)
		f.width, f.height, f.fps = pixels(o, "width"), pixels(o, "height"), o.Number("framerate")
	case info.Codec != "" && m.Type == rtmp.TypeVideo:
		f.video = info.Codec
	case info.Codec != "" && m.Type == rtmp.TypeAudio:
		f.audio = info.Codec
	}
	if info.Kind == rtmp.Keyframe {
		if f.keyed {
			f.every = time.Duration(m.Time-f.key) * time.Millisecond
		}
		f.keyed, f.key = true, m.Time
	}
}

// pixels reads a size that a publisher claims; nonsense becomes 0.
func pixels(o rtmp.Object, name string) int {
	if n := o.Number(name); n >= 1 && n <= 1<<16 {
		return int(n)
	}
	return 0
}

// sendBuffer is about a second of the stream, in bytes.
func (st *stream) sendBuffer() int {
	st.mu.Lock()
	defer st.mu.Unlock()
	return min(max(st.facts.kbps()*1000/8, minSendBuffer), maxSendBuffer)
}
