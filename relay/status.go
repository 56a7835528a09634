package relay

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
)

// StreamStatus is a snapshot of a live stream. It holds no secrets.
type StreamStatus struct {
	ID       string
	Started  time.Time
	Uptime   time.Duration
	Ingest   IngestStatus  // the encoder on the air, or the one that was last
	Backup   *IngestStatus // the other encoder, nil when it is not there
	OnBackup bool          // the backup encoder is the one on the air
	Knocking *IngestStatus // a publisher from elsewhere that waits for Admit, nil when there is none
	Slate    bool          // no encoder is on the air, the slate is
	Cut      bool          // the encoder was taken off the air by Cut
	Covered  bool          // the slate is shown because Server.Slate was asked to
	// Line says in numbers that the line does not carry all destinations, "" while it does.
	Line                string
	LineCarries, LineOf int // kbit/s, 0 when never measured
	Buffered            int // bytes in the ring
	Destinations        []DestinationStatus
}

// IngestStatus is a snapshot of a stream's publisher.
type IngestStatus struct {
	Connected     bool
	Since         time.Time // when it came, or when it was lost
	Reconnects    int
	Encoder       string // what it says it is, such as "OBS Studio 30.2.3"
	Kbps          int    // of the last seconds
	Video, Audio  string // codecs such as "H.264" and "AAC", "" when not known
	Width, Height int    // pixels, as the metadata says; 0 when not known
	FPS           float64
	// KeyframeEvery is the time between the last two keyframes, 0 before the second. Platforms want 2 s and warn
	// above 4 s.
	KeyframeEvery time.Duration
	// Waiting is true while no keyframe has come: nothing can be shown yet.
	Waiting bool

	TrueFPS    float64       // pictures a second by the encoder's clock, 0 before the first seconds
	Late, Lost int           // messages that came late, and pictures that are missing, since it came
	Drift      time.Duration // its clock behind ours since it came; negative when ahead
	BFrames    bool          // pictures are sent in another order than shown
	AudioRate  int           // Hz, 0 when not known
	HasAudio   bool          // sound came in the last seconds
	Warnings   []Warning
}

// Warning is something to change before a platform punishes it.
type Warning struct {
	Code string // stays the same: no_keyframe, keyframes, no_sound, silence, uneven, rate_change, drift, bitrate
	Text string // a sentence for people
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
	Queue      time.Duration // stream that waits to be sent: how far it is behind
	Groups     uint64        // times that it skipped to a later keyframe
	Kbps       int           // sent in the last seconds
	// Acked is how many bytes the other side has acknowledged, where the system tells; else Bytes. Sending is true while that
	// grows: it is the first of two lamps. That viewers see something only the platform can tell.
	Acked    uint64
	Sending  bool
	Warnings []Warning // what this platform does not like about the stream
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
	now := time.Now()
	out := StreamStatus{
		ID: st.id, Started: st.started, Uptime: time.Since(st.started), Buffered: st.ring.Size(), OnBackup: st.live == backupRole,
		Slate: st.slate != nil, Cut: st.cut, Covered: st.covered, Line: st.uplink.words(), LineCarries: st.uplink.carries, LineOf: st.uplink.wanted,
		Destinations: make([]DestinationStatus, 0, len(st.dests)),
	}
	if in := st.ins[st.live]; in != nil {
		out.Ingest = in.status(now)
	} else {
		if last := st.before[st.live]; last != nil {
			out.Ingest = last.status(now)
		}
		out.Ingest.Connected, out.Ingest.Since, out.Ingest.Kbps, out.Ingest.Warnings = false, st.away, 0, nil
	}
	out.Ingest.Reconnects = max(st.visits-1, 0)
	if in := st.ins[1-st.live]; in != nil {
		s := in.status(now)
		out.Backup = &s
	}
	if st.knocking != nil {
		s := st.knocking.status(now)
		out.Knocking = &s
	}
	kbps := out.Ingest.Kbps
	for _, d := range st.dests {
		ds := d.status()
		ds.Warnings = d.warnings(kbps)
		out.Destinations = append(out.Destinations, ds)
	}
	return out
}

// status is a snapshot; the stream's mutex is held.
func (in *ingest) status(now time.Time) IngestStatus {
	f := &in.facts
	return IngestStatus{
		Connected: true, Since: in.since, Encoder: cmp.Or(f.named, in.Encoder), Kbps: f.kbps(), Video: f.video, Audio: f.audio, Width: f.width, Height: f.height,
		FPS: f.fps, KeyframeEvery: f.every, Waiting: !f.keyed, TrueFPS: f.seen.fps, Late: f.late, Lost: f.lost, Drift: f.drift(),
		BFrames: f.reorders, AudioRate: f.rate, HasAudio: f.audio != "" && !f.seen.noSound, Warnings: f.warnings(now),
	}
}

// warnings are what the platform does not like about a stream of so many kbit/s.
func (d *destination) warnings(kbps int) []Warning {
	p := d.platform
	if limit := p.Video + p.Audio; p.Video > 0 && kbps > limit*105/100 { // what is measured is never quite even
		return []Warning{{"bitrate", fmt.Sprintf("%s takes up to %d kbit/s, the encoder sends %d.", p.Name, limit, kbps/10*10)}}
	}
	return nil
}

func (d *destination) status() DestinationStatus {
	d.mu.Lock()
	defer d.mu.Unlock()
	s := DestinationStatus{
		ID: d.id, Name: d.conf.Name, State: d.state, Since: d.since, Reason: d.reason, Error: d.text, NextTry: d.next,
		Bytes: d.sent, Drops: d.drops, Reconnects: d.reconnects, Groups: d.groups, Kbps: d.rate.kbps(), Acked: d.acked,
		Sending: d.state == Live && time.Since(d.grew) < sendingFor,
	}
	if d.pub != nil {
		s.Bytes += d.pub.Sent()
		if d.state != Connecting {
			s.Queue, _, _ = d.st.ring.Lag(d.position.Load())
		}
	}
	return s
}

// sendBuffer is about a second of the stream, in bytes.
func (st *stream) sendBuffer() int {
	st.mu.Lock()
	defer st.mu.Unlock()
	kbps := 0
	if in := st.ins[st.live]; in != nil {
		kbps = in.facts.kbps()
	}
	return min(max(kbps*1000/8, minSendBuffer), maxSendBuffer)
}
