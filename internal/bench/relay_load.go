package bench

import (
	"context"
	"encoding/binary"
	"fmt"
	"hash/maphash"
	"math/rand/v2"
	"os"
	"sync"
	"time"

	"hawker/relay/rtmp"
)

// source is the stream that is published: headers, and media that begin anew after length.
type source struct {
	headers []rtmp.Message
	media   []rtmp.Message
	length  time.Duration
	stamp   bool // each message is made unlike all others
}

// The made-up stream is that of an encoder at 6 Mbit/s: 720p at 60 pictures a second, a keyframe every 2 s of eight times the size of
// others, and AAC at 48 kHz, which makes 46.9 messages a second.
const (
	madeVideoRate = 6_000_000 / 8 // bytes a second
	madeAudioRate = 160_000 / 8
	madeFPS       = 60
	madeGroup     = 120 // pictures
	madeKey       = 8   // a keyframe's size by another's
	madeAudio     = 1024.0 / 48_000
)

func newSource(file string) (*source, error) {
	if file == "" {
		return madeSource(), nil
	}
	b, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	all, err := rtmp.ParseFLV(b)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	s := &source{}
	for _, m := range all {
		switch info := rtmp.Inspect(m); {
		case info.Kind == rtmp.Metadata:
			m.Payload = append(rtmp.AppendAMF0(nil, "@setDataFrame"), m.Payload...)
			s.headers = append(s.headers, m)
		case info.Kind == rtmp.Header:
			s.headers = append(s.headers, m)
		case m.Type != rtmp.TypeData && len(m.Payload) > 1:
			s.media = append(s.media, m)
		}
	}
	if len(s.media) == 0 {
		return nil, fmt.Errorf("%s: no pictures and no sound in it", file)
	}
	s.length = time.Duration(s.media[len(s.media)-1].Time+40) * time.Millisecond
	return s, nil
}

func madeSource() *source {
	r := rand.New(rand.NewPCG(6, 6)) // the same stream in each run
	noise := make([]byte, 1<<20)
	for i := 0; i < len(noise); i += 8 {
		binary.LittleEndian.PutUint64(noise[i:], r.Uint64())
	}
	avc := []byte{
		0x17, 0, 0, 0, 0, 0x01, 0x4D, 0x40, 0x1F, 0xFF, 0xE1, 0x00, 0x19, 0x67, 0x4D, 0x40, 0x1F, 0xA6, 0x11, 0x02, 0x80, 0xBF, 0xE5,
		0x84, 0x00, 0x00, 0x03, 0x00, 0x04, 0x00, 0x00, 0x03, 0x00, 0xC8, 0x3C, 0x60, 0xC8, 0x46, 0x01, 0x00, 0x05, 0x68, 0xE8, 0x43, 0x32, 0xC8,
	}
	s := &source{stamp: true, length: madeGroup * time.Second / madeFPS, headers: []rtmp.Message{
		{Type: rtmp.TypeData, Payload: rtmp.AppendAMF0(nil, "@setDataFrame", "onMetaData", rtmp.Object{
			{Name: "width", Value: 1280}, {Name: "height", Value: 720}, {Name: "framerate", Value: madeFPS},
		})},
		{Type: rtmp.TypeVideo, Payload: avc},
		{Type: rtmp.TypeAudio, Payload: []byte{0xAF, 0, 0x11, 0x90}},
	}}
	size := madeVideoRate * madeGroup / madeFPS / (madeGroup - 1 + madeKey)
	sound := 0.0
	for i := range madeGroup {
		n, first := size*(3+r.IntN(3))/4, byte(0x27)
		if i == 0 {
			n, first = size*madeKey, 0x17
		}
		at := float64(i) / madeFPS
		p := append([]byte{first, 1, 0, 0, 0}, noise[r.IntN(len(noise)-n):][:n]...)
		binary.BigEndian.PutUint32(p[5:], uint32(n-4))
		s.media = append(s.media, rtmp.Message{Type: rtmp.TypeVideo, Time: uint32(1000 * at), Payload: p})
		for ; sound < at+1.0/madeFPS && sound < s.length.Seconds(); sound += madeAudio {
			n := madeAudioRate * 1024 / 48_000
			s.media = append(s.media, rtmp.Message{
				Type: rtmp.TypeAudio, Time: uint32(1000 * sound), Payload: append([]byte{0xAF, 1}, noise[r.IntN(len(noise)-n):][:n]...),
			})
		}
	}
	return s
}

// stampAt is where a made-up message carries its number: after the headers of picture and sound.
const stampAt = 12

// sent is what was published, by track.
type sent struct {
	mu    sync.RWMutex
	track [2][]sentMessage // audio, video
}

type sentMessage struct {
	hash uint64
	time uint32 // ms
	at   time.Time
	key  bool
}

var seed = maphash.MakeSeed() // one for the process, so that hashes can be compared

func trackOf(typ byte) int {
	if typ == rtmp.TypeVideo {
		return 1
	}
	return 0
}

// publish sends src to addr as an encoder would, in real time, until ctx ends; it then drops the connection without a word. Times
// start at from, in ms.
func (src *source) publish(ctx context.Context, addr string, from uint32, log *sent) error {
	target, err := rtmp.ParseTarget("rtmp://"+addr+"/live", relayKey)
	if err != nil {
		return err
	}
	var p *rtmp.Publisher
	for { // nginx may not listen yet
		if p, err = (&rtmp.Dialer{}).Publish(ctx, target); err == nil {
			break
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("publish: %w", err)
		case <-time.After(50 * time.Millisecond):
		}
	}
	defer func() { _ = p.Close() }()
	for _, m := range src.headers {
		m.Time = from
		if err := p.Send(m); err != nil {
			return err
		}
	}
	began, scratch := time.Now(), []byte(nil)
	for turn, n := 0, uint64(0); ; turn++ {
		for _, m := range src.media {
			due := began.Add(time.Duration(turn)*src.length + time.Duration(m.Time)*time.Millisecond)
			if wait := time.Until(due); wait > 0 {
				t := time.NewTimer(wait)
				select {
				case <-t.C:
				case <-ctx.Done():
					t.Stop()
					return nil
				}
			}
			if src.stamp {
				n++
				scratch = append(scratch[:0], m.Payload...)
				binary.BigEndian.PutUint64(scratch[stampAt:], n<<20|uint64(from))
				m.Payload = scratch
			}
			m.Time += from + uint32(turn)*uint32(src.length.Milliseconds())
			log.add(m)
			if err := p.Send(m); err != nil {
				if ctx.Err() != nil {
					return nil
				}
				return fmt.Errorf("the encoder was cut off: %w", err)
			}
		}
	}
}

func (s *sent) add(m rtmp.Message) {
	e := sentMessage{hash: maphash.Bytes(seed, m.Payload), time: m.Time, at: time.Now(), key: rtmp.Inspect(m).Kind == rtmp.Keyframe}
	s.mu.Lock()
	t := trackOf(m.Type)
	s.track[t] = append(s.track[t], e)
	s.mu.Unlock()
}

// find looks for a message from index next on, and in the whole log when next is negative, newest first. It returns -1 when it was
// never sent.
func (s *sent) find(track, next int, hash uint64) (int, sentMessage) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	all := s.track[track]
	if next < 0 {
		for i := len(all) - 1; i >= 0; i-- {
			if all[i].hash == hash {
				return i, all[i]
			}
		}
		return -1, sentMessage{}
	}
	for i := next; i < len(all); i++ {
		if all[i].hash == hash {
			return i, all[i]
		}
	}
	return -1, sentMessage{}
}
