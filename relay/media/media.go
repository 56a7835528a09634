// Package media reads what the messages of a stream hold, for those who keep or show it otherwise than as RTMP: the
// configurations of its codecs, and pictures and sound as MP4 has them. It decodes nothing.
package media

import (
	"bytes"
	"encoding/binary"
	"slices"

	hlscodecs "github.com/bluenviron/gohlslib/v2/pkg/codecs"

	"github.com/bluenviron/gohlslib/v2/pkg/codecparams"
	"github.com/bluenviron/mediacommon/v2/pkg/codecs/av1"
	"github.com/bluenviron/mediacommon/v2/pkg/codecs/h264"
	"github.com/bluenviron/mediacommon/v2/pkg/codecs/h265"
	"github.com/bluenviron/mediacommon/v2/pkg/codecs/mpeg4audio"
	"github.com/bluenviron/mediacommon/v2/pkg/codecs/opus"
	"github.com/bluenviron/mediacommon/v2/pkg/formats/mp4/codecs"

	"hawker/relay/ring"
	"hawker/relay/rtmp"
)

const (
	// VideoScale is the number of ticks in a second of pictures.
	VideoScale = 90_000
	opusScale  = 48_000
	// apart is how far the sound's own clock, which counts its frames, may be from the stream's, in ms. RTMP rounds to 1 ms.
	apart = 50
)

// Track is the pictures or the sound of a stream while its configuration stays the same.
type Track struct {
	Codec         codecs.Codec
	Scale         int     // ticks in a second
	Name          string  // of the codec with its profile, such as avc1.64001F (RFC 6381)
	Width, Height int     // pixels
	FPS           float64 // 0 when not known

	config     []byte // as it came
	lengthSize int    // of what stands before each NAL unit
	frame      int64  // ticks of a frame of AAC
	sets       []byte // the parameter sets as NAL units with lengths of four bytes
}

// Sets are the parameter sets of H.264 or HEVC as a sample may begin with them; nil for other codecs.
func (t *Track) Sets() []byte { return t.sets }

// Fits says whether a file that began with t can go on with o, once o's parameter sets stand in it: codec and size are the same.
func (t *Track) Fits(o *Track) bool {
	if t == nil || o == nil || t == o {
		return t == o
	}
	return t.sets != nil && o.sets != nil && t.Width == o.Width && t.Height == o.Height && t.isHEVC() == o.isHEVC()
}

func (t *Track) isHEVC() bool { _, is := t.Codec.(*codecs.H265); return is }

// Sample is a picture or a piece of sound.
type Sample struct {
	Video   bool
	Key     bool   // one may start here
	Time    int64  // of its decoding, ticks of its track on the stream's timeline; it never steps back
	Offset  int32  // ticks from decoding to showing
	Payload []byte // must not be changed
}

// Reader reads units in the order of the stream. Its zero value is ready.
type Reader struct {
	// Video and Audio are the tracks in force, nil when there is none or its codec cannot be kept. Another configuration makes
	// another Track.
	Video, Audio *Track

	next       int64 // when the next frame of the sound is due, ticks
	sounding   bool  // next is valid
	lastVideo  int64
	hasPicture bool
}

// Read takes the next unit. ok is false for what is no picture and no sound.
func (r *Reader) Read(u *ring.Unit) (s Sample, ok bool) {
	m := rtmp.Message{Type: u.Type, Payload: u.Payload()}
	if u.Multi {
		if u.First == nil {
			return s, false
		}
		m.Payload = u.First.Payload()
	}
	b, ok := rtmp.ReadBody(m)
	switch {
	case !ok:
		return s, false
	case b.Header && u.Type == rtmp.TypeVideo:
		if r.Video == nil || !bytes.Equal(r.Video.config, b.Bytes) {
			r.Video = videoTrack(b)
		}
		return s, false
	case b.Header:
		if r.Audio == nil || !bytes.Equal(r.Audio.config, b.Bytes) {
			r.Audio, r.sounding = audioTrack(b), false
		}
		return s, false
	case u.Type == rtmp.TypeVideo:
		return r.picture(u, b)
	}
	return r.sound(u, b)
}

func (r *Reader) picture(u *ring.Unit, b rtmp.Body) (s Sample, ok bool) {
	if r.Video == nil || len(b.Bytes) == 0 {
		return s, false
	}
	s = Sample{Video: true, Key: u.Kind == rtmp.Keyframe, Time: u.Time * (VideoScale / 1000), Offset: b.Composition * (VideoScale / 1000), Payload: b.Bytes}
	if n := r.Video.lengthSize; n != 0 && n != 4 {
		if s.Payload = widen(b.Bytes, n); s.Payload == nil {
			return s, false
		}
	}
	if r.hasPicture {
		s.Time = max(s.Time, r.lastVideo)
	}
	r.lastVideo, r.hasPicture = s.Time, true
	return s, true
}

func (r *Reader) sound(u *ring.Unit, b rtmp.Body) (s Sample, ok bool) {
	t := r.Audio
	if t == nil || len(b.Bytes) == 0 {
		return s, false
	}
	length := t.frame
	if length == 0 {
		if length = opus.PacketDuration2(b.Bytes); length <= 0 {
			return s, false
		}
	}
	scale := int64(t.Scale)
	at, slack := u.Time*scale/1000, apart*scale/1000
	switch {
	case !r.sounding || at-r.next > slack:
		r.next, r.sounding = at, true
	case r.next-at > slack: // more sound came than time has passed
		return s, false
	}
	s = Sample{Key: u.Kind == rtmp.Keyframe, Time: r.next, Payload: b.Bytes}
	r.next += length
	return s, true
}

// widen makes lengths of NAL units four bytes long; nil for what is cut off.
func widen(p []byte, size int) []byte {
	out := make([]byte, 0, len(p)+64)
	for len(p) > 0 {
		if len(p) < size {
			return nil
		}
		n := 0
		for _, c := range p[:size] {
			n = n<<8 | int(c)
		}
		if p = p[size:]; len(p) < n {
			return nil
		}
		out = append(binary.BigEndian.AppendUint32(out, uint32(n)), p[:n]...)
		p = p[n:]
	}
	return out
}

// videoTrack reads the configuration of pictures; nil when they cannot be kept.
func videoTrack(b rtmp.Body) *Track {
	t := &Track{Scale: VideoScale, config: b.Bytes}
	switch b.Codec {
	case "H.264":
		size, sets := avcSets(b.Bytes)
		var sps h264.SPS
		if sets[0] == nil || sets[1] == nil || sps.Unmarshal(sets[0]) != nil {
			return nil
		}
		t.lengthSize, t.Width, t.Height, t.FPS = size, sps.Width(), sps.Height(), sps.FPS()
		t.Codec = &codecs.H264{SPS: sets[0], PPS: sets[1]}
		t.Name = codecparams.Marshal(&hlscodecs.H264{SPS: sets[0], PPS: sets[1]})
		t.sets = joined(sets[:2])
	case "HEVC":
		size, sets := hevcSets(b.Bytes)
		var sps h265.SPS
		if slices.ContainsFunc(sets[:], func(s []byte) bool { return s == nil }) || sps.Unmarshal(sets[1]) != nil {
			return nil
		}
		t.lengthSize, t.Width, t.Height, t.FPS = size, sps.Width(), sps.Height(), sps.FPS()
		t.Codec = &codecs.H265{VPS: sets[0], SPS: sets[1], PPS: sets[2]}
		t.Name = codecparams.Marshal(&hlscodecs.H265{VPS: sets[0], SPS: sets[1], PPS: sets[2]})
		t.sets = joined(sets[:])
	case "AV1":
		const head = 4 // of an AV1CodecConfigurationRecord
		var units av1.Bitstream
		var sh av1.SequenceHeader
		if len(b.Bytes) <= head || units.Unmarshal(b.Bytes[head:]) != nil || len(units) == 0 || sh.Unmarshal(units[0]) != nil {
			return nil
		}
		t.Width, t.Height = sh.Width(), sh.Height()
		t.Codec = &codecs.AV1{SequenceHeader: units[0]}
		t.Name = codecparams.Marshal(&hlscodecs.AV1{SequenceHeader: units[0]})
	default:
		return nil
	}
	return t
}

// audioTrack reads the configuration of sound; nil when it cannot be kept.
func audioTrack(b rtmp.Body) *Track {
	t := &Track{config: b.Bytes}
	switch b.Codec {
	case "AAC":
		var c mpeg4audio.AudioSpecificConfig
		if c.Unmarshal(b.Bytes) != nil || c.SampleRate == 0 {
			return nil
		}
		t.Scale, t.frame = c.SampleRate, mpeg4audio.SamplesPerAccessUnit
		t.Codec, t.Name = &codecs.MPEG4Audio{Config: c}, codecparams.Marshal(&hlscodecs.MPEG4Audio{Config: c})
	case "Opus":
		channels := 2
		if at := len("OpusHead") + 1; len(b.Bytes) > at && bytes.HasPrefix(b.Bytes, []byte("OpusHead")) { // RFC 7845, 5.1
			channels = int(b.Bytes[at])
		}
		if channels < 1 || channels > 8 {
			return nil
		}
		t.Scale, t.Codec, t.Name = opusScale, &codecs.Opus{ChannelCount: channels}, "opus"
	default:
		return nil
	}
	return t
}

// avcSets reads the first sequence and picture parameter set of an AVCDecoderConfigurationRecord (ISO/IEC 14496-15, 5.3.3.1),
// and how long lengths are.
func avcSets(c []byte) (lengthSize int, sets [3][]byte) {
	const sizeAt, countAt, setsAt = 4, 5, 6
	if len(c) < setsAt {
		return 0, sets
	}
	lengthSize = int(c[sizeAt]&3) + 1
	count, c := int(c[countAt]&0x1F), c[setsAt:]
	for i := range sets[:2] {
		var all [][]byte
		if all, c = sized(c, count); len(all) > 0 {
			sets[i] = all[0]
		}
		if len(c) > 0 {
			count, c = int(c[0]), c[1:]
		} else {
			count = 0
		}
	}
	return lengthSize, sets
}

// hevcSets reads the first video, sequence and picture parameter sets of an HEVCDecoderConfigurationRecord (ISO/IEC 14496-15,
// 8.3.3.1), and how long lengths are.
func hevcSets(c []byte) (lengthSize int, sets [3][]byte) {
	const sizeAt, arraysAt, video = 21, 23, 32 // video: nal_unit_type of the first of three kinds
	if len(c) < arraysAt {
		return 0, sets
	}
	lengthSize = int(c[sizeAt]&3) + 1
	arrays, c := int(c[arraysAt-1]), c[arraysAt:]
	for ; arrays > 0 && len(c) >= 3; arrays-- {
		kind := int(c[0]&0x3F) - video
		var all [][]byte
		if all, c = sized(c[3:], int(binary.BigEndian.Uint16(c[1:]))); kind >= 0 && kind < len(sets) && len(all) > 0 && sets[kind] == nil {
			sets[kind] = all[0]
		}
	}
	return lengthSize, sets
}

// sized reads so many units with lengths of two bytes before them, or as many as there are. Empty ones are left out.
func sized(c []byte, count int) (all [][]byte, rest []byte) {
	for ; count > 0 && len(c) >= 2; count-- {
		n := int(binary.BigEndian.Uint16(c))
		if c = c[2:]; len(c) < n {
			return all, nil
		}
		if n > 0 {
			all = append(all, c[:n:n])
		}
		c = c[n:]
	}
	return all, c
}

func joined(sets [][]byte) (out []byte) {
	for _, s := range sets {
		out = append(binary.BigEndian.AppendUint32(out, uint32(len(s))), s...)
	}
	return out
}
