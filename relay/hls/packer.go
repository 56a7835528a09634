package hls

import (
	"time"

	"github.com/bluenviron/mediacommon/v2/pkg/formats/fmp4"
	"github.com/bluenviron/mediacommon/v2/pkg/formats/fmp4/seekablebuffer"

	"hawker/relay/media"
	"hawker/relay/ring"
)

// deafAfter is how long no sound comes before the stream goes on without: players wait for a track that was announced.
const deafAfter = 2 * media.VideoScale

// mostWaiting is how many pieces of sound wait for the next picture: ten seconds of them.
const mostWaiting = 500

// packer turns units into parts and segments. Times are in ticks of media.VideoScale, but for those in samples.
type packer struct {
	show   *show
	base   time.Time // of time 0 on the stream's timeline
	reader media.Reader

	video, audio *media.Track // of the configuration in force
	begun        bool
	open         bool  // a segment is
	segmentAt    int64 // when it began
	partAt       int64
	heard        int64 // when sound last came; only with begun or after the first
	hears        bool
	lanes        [2]lane
	sequence     uint32
	partKey      bool
}

// lane is the picture or the sound of the part that is being made.
type lane struct {
	waits   *media.Sample // how long it plays is known when the next one comes
	usual   int64         // how long the one before did, ticks of its track
	base    int64         // when the first sample is
	samples []*fmp4.Sample
}

// take takes the next unit.
func (p *packer) take(u *ring.Unit) error {
	s, ok := p.reader.Read(u)
	if !ok {
		return nil
	}
	now := p.ticks(&s)
	if !s.Video {
		p.heard, p.hears = now, true
	}
	leads := s.Video || p.reader.Video == nil
	if leads && s.Key {
		video, audio := p.reader.Video, p.reader.Audio
		if audio != nil && video != nil && p.begun && (!p.hears || now-p.heard > deafAfter) {
			audio = nil
		}
		if !p.begun || video != p.video || audio != p.audio {
			p.endSegment(now)
			if err := p.show.begin(video, audio); err != nil {
				return err
			}
			p.openSegment(now, p.begun)
			p.video, p.audio, p.begun = video, audio, true
		}
	}
	if !p.begun || s.Video && p.reader.Video != p.video || !s.Video && p.reader.Audio != p.audio {
		return nil // its configuration comes into force with the next keyframe
	}
	l := &p.lanes[1]
	if s.Video {
		l = &p.lanes[0]
	}
	l.next(s.Time)
	if leads {
		p.cut(now, &s)
	} else if len(l.samples) > mostWaiting {
		l.samples = nil // pictures have stopped, so nobody gets to hear this
	}
	l.waits = &s
	return nil
}

// cut ends the part, and the segment, that the sample does not belong to any more.
func (p *packer) cut(now int64, s *media.Sample) {
	if !p.open { // the first of a configuration
		p.openSegment(now, false)
	}
	l := &p.lanes[0]
	if !s.Video {
		l = &p.lanes[1]
	}
	usual := l.usual * media.VideoScale / int64(p.scale(s.Video))
	switch {
	case now == p.segmentAt:
	case s.Key && now-p.segmentAt >= int64(leastSegment.Seconds()*media.VideoScale), p.heavy():
		p.endPart(now, true)
		p.openSegment(now, false)
	case now+usual-p.partAt > partTarget:
		p.endPart(now, false)
	}
	p.partKey = p.partKey || now == p.partAt && s.Key
}

// heavy says whether the segment must end without a keyframe.
func (p *packer) heavy() bool {
	p.show.mu.Lock()
	defer p.show.mu.Unlock()
	seg := p.show.last()
	return seg != nil && seg.bytes > maxSegment
}

func (p *packer) scale(video bool) int {
	if video {
		return p.video.Scale
	}
	return p.audio.Scale
}

func (p *packer) ticks(s *media.Sample) int64 {
	if s.Video {
		return s.Time
	}
	return s.Time * media.VideoScale / int64(p.reader.Audio.Scale)
}

func (p *packer) openSegment(now int64, breaks bool) {
	p.show.open(p.base.Add(duration(now)), breaks)
	p.open, p.segmentAt, p.partAt = true, now, now
}

// endSegment ends the segment before a new configuration, whose first sample is at now.
func (p *packer) endSegment(now int64) {
	if !p.open {
		return
	}
	for i, t := range []*media.Track{p.video, p.audio} {
		if l := &p.lanes[i]; l.waits != nil {
			end := now * int64(t.Scale) / media.VideoScale
			if l.usual > 0 && t == p.audio && p.video != nil {
				end = min(end, l.waits.Time+l.usual)
			}
			l.next(max(end, l.waits.Time+1))
		}
		p.lanes[i].usual = 0
	}
	p.endPart(max(now, p.partAt+1), true)
	p.open = false
}

// end ends all.
func (p *packer) end() {
	if !p.open {
		return
	}
	now := p.partAt
	for i, t := range []*media.Track{p.video, p.audio} {
		if l := &p.lanes[i]; l.waits != nil {
			now = max(now, (l.waits.Time+l.usual)*media.VideoScale/int64(t.Scale))
		}
	}
	p.endSegment(now)
}

// next says that the sample which waits plays until at, and puts it into the part.
func (l *lane) next(at int64) {
	s := l.waits
	if s == nil {
		return
	}
	l.waits, l.usual = nil, max(at-s.Time, 0)
	if len(l.samples) == 0 {
		l.base = s.Time
	}
	l.samples = append(l.samples, &fmp4.Sample{Duration: uint32(l.usual), PTSOffset: s.Offset, IsNonSyncSample: s.Video && !s.Key, Payload: s.Payload})
}

// endPart makes a part of what there is until now. With whole the segment ends with it.
func (p *packer) endPart(now int64, whole bool) {
	out := fmp4.Part{SequenceNumber: p.sequence}
	for i := range p.lanes {
		if l := &p.lanes[i]; len(l.samples) > 0 {
			out.Tracks = append(out.Tracks, &fmp4.PartTrack{ID: i + 1, BaseTime: uint64(max(l.base, 0)), Samples: l.samples})
			l.samples = nil
		}
	}
	var b seekablebuffer.Buffer
	if len(out.Tracks) == 0 || out.Marshal(&b) != nil { // only a writer's error can come, and memory has none
		if whole {
			p.show.add(part{}, true)
		}
		return
	}
	p.sequence++
	p.show.add(part{data: b.Bytes(), ticks: now - p.partAt, key: p.partKey}, whole)
	p.partAt, p.partKey = now, false
}
