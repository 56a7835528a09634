package record

import (
	"bytes"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/bluenviron/mediacommon/v2/pkg/formats/fmp4"
	"github.com/bluenviron/mediacommon/v2/pkg/formats/fmp4/seekablebuffer"

	"hawker/relay/media"
)

// file is a recording that is being written. Times in it begin at 0 with its first picture.
type file struct {
	base   string
	out    *os.File
	info   info
	tracks [2]*media.Track // of its beginning: picture, sound
	now    *media.Track    // the picture's configuration in force
	origin int64           // of the timeline, ticks of media.VideoScale
	lanes  [2]lane
	number uint32
	begun  int64 // of the fragment, ticks
	last   int64 // the newest sample, ticks
	bytes  int   // in the fragment
	synced time.Time
}

// lane is picture or sound of the fragment that is being made.
type lane struct {
	waits   *media.Sample // how long it plays is known when the next one comes
	usual   int64
	base    int64
	samples []*fmp4.Sample
}

// create makes the files of a recording whose first picture is of this moment.
func create(base, stream string, at time.Time, r *media.Reader) (_ *file, err error) {
	f := &file{base: base, tracks: [2]*media.Track{r.Video, r.Audio}, now: r.Video, origin: -1, synced: time.Now()}
	f.info = info{Stream: stream, StartedMS: at.UnixMilli()}
	var init fmp4.Init
	var codecs []string
	for i, t := range f.tracks {
		if t != nil {
			init.Tracks = append(init.Tracks, &fmp4.InitTrack{ID: i + 1, TimeScale: uint32(t.Scale), Codec: t.Codec})
			codecs = append(codecs, t.Name)
		}
	}
	if v := r.Video; v != nil {
		f.info.Width, f.info.Height = v.Width, v.Height
	}
	f.info.Codecs = strings.Join(codecs, ",")
	var b seekablebuffer.Buffer
	if err := init.Marshal(&b); err != nil {
		return nil, err
	}
	if f.out, err = os.OpenFile(base+videoEnd, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600); err != nil {
		return nil, err
	}
	if err = f.info.write(base); err == nil {
		_, err = f.out.Write(withPlace(b.Bytes()))
	}
	if err != nil {
		_ = f.out.Close()
		_ = os.Remove(base + videoEnd)
		return nil, err
	}
	return f, nil
}

// fits says whether what comes now can stand in the file.
func (f *file) fits(r *media.Reader) bool {
	return (f.now == r.Video || f.tracks[0].Fits(r.Video)) && f.tracks[1] == r.Audio
}

func (f *file) length() time.Duration {
	return time.Duration(f.last) * time.Second / media.VideoScale
}

// take adds a sample.
func (f *file) take(r *media.Reader, s media.Sample) error {
	i, t := 0, f.tracks[0]
	if !s.Video {
		i, t = 1, f.tracks[1]
	}
	if t == nil || s.Video && r.Video != f.now && !s.Key || !s.Video && r.Audio != t {
		return nil // with the next keyframe it comes into force, or another file does
	}
	if s.Video && s.Key && r.Video != f.tracks[0] {
		s.Payload = slices.Concat(r.Video.Sets(), s.Payload)
	}
	if s.Video {
		f.now = r.Video
	}
	leads := s.Video || f.tracks[0] == nil
	if f.origin < 0 {
		if !leads {
			return nil
		}
		f.origin = s.Time * media.VideoScale / int64(t.Scale)
	}
	s.Time -= f.origin * int64(t.Scale) / media.VideoScale
	if s.Time < 0 {
		return nil // sound from before the first picture
	}
	l := &f.lanes[i]
	l.next(s.Time)
	now := s.Time * media.VideoScale / int64(t.Scale)
	f.last = max(f.last, now)
	second := int64(fragmentFor.Seconds() * media.VideoScale)
	if due := now - f.begun; leads && due >= second || due >= 2*second || f.bytes > fragmentBytes { // pictures may stand still
		if err := f.flush(); err != nil {
			return err
		}
	}
	f.bytes += len(s.Payload)
	l.waits = &s
	return nil
}

// next says that the sample which waits plays until at.
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

// flush writes the fragment.
func (f *file) flush() error {
	part := fmp4.Part{SequenceNumber: f.number}
	for i := range f.lanes {
		if l := &f.lanes[i]; len(l.samples) > 0 {
			part.Tracks = append(part.Tracks, &fmp4.PartTrack{ID: i + 1, BaseTime: uint64(l.base), Samples: l.samples})
			l.samples = nil
		}
	}
	f.begun, f.bytes = f.last, 0
	if len(part.Tracks) == 0 {
		return nil
	}
	f.number++
	var b seekablebuffer.Buffer
	if err := part.Marshal(&b); err != nil {
		return err
	}
	if _, err := f.out.Write(b.Bytes()); err != nil {
		return err
	}
	if time.Since(f.synced) < syncEvery {
		return nil
	}
	f.synced = time.Now()
	return f.out.Sync()
}

// close writes the rest. why says in a sentence what ended it early.
func (f *file) close(why string) error {
	for i := range f.lanes {
		if l := &f.lanes[i]; l.waits != nil {
			if l.usual == 0 {
				l.usual = int64(f.tracks[i].Scale) / 25
			}
			l.next(l.waits.Time + l.usual)
		}
	}
	err := f.flush()
	if e := f.out.Sync(); err == nil {
		err = e
	}
	if e := f.out.Close(); err == nil {
		err = e
	}
	f.info.Trouble, f.info.LengthMS, f.info.EndedMS = why, f.length().Milliseconds(), time.Now().UnixMilli()
	if e := f.info.write(f.base); err == nil {
		err = e
	}
	return err
}

// withPlace puts a free box behind the first box of an MP4 file, where the header of the index's data will be: see Index.
func withPlace(b []byte) []byte {
	n := int(uint32(b[0])<<24 | uint32(b[1])<<16 | uint32(b[2])<<8 | uint32(b[3]))
	free := []byte{0, 0, 0, placeLen, 'f', 'r', 'e', 'e', 0, 0, 0, 0, 0, 0, 0, 0}
	return bytes.Join([][]byte{b[:n], free, b[n:]}, nil)
}
