package relay_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/url"
	"reflect"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/bluenviron/gortmplib"
	"github.com/bluenviron/gortmplib/pkg/bytecounter"
	"github.com/bluenviron/gortmplib/pkg/codecs"
	"github.com/bluenviron/gortmplib/pkg/message"
	"github.com/bluenviron/mediacommon/v2/pkg/codecs/mpeg4audio"
	"github.com/bluenviron/mediacommon/v2/pkg/codecs/opus"

	"hawker/relay"
	"hawker/relay/rtmp"
)

// seen is what another library reads, track by track: the codecs, and each picture's or sound's time and bytes.
type seen struct {
	mu     sync.Mutex
	codecs []string
	got    map[string][]string
}

func (s *seen) of(track string) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.got[track])
}

// take reads tracks until the end of c. Tracks are named by their place and codec.
func (s *seen) take(c gortmplib.Conn) error {
	r := &gortmplib.Reader{Conn: c}
	if err := r.Initialize(); err != nil {
		return err
	}
	s.mu.Lock()
	s.codecs, s.got = nil, map[string][]string{}
	s.mu.Unlock()
	for i, track := range r.Tracks() {
		name := string(rune('0'+i)) + reflect.TypeOf(track.Codec).Elem().Name()
		note := func(at time.Duration, parts ...[]byte) {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.got[name] = append(s.got[name], entry(at, parts...))
		}
		h26x := func(pts, _ time.Duration, au [][]byte) {
			if !bytes.Equal(au[0], avcC[8:33]) { // the header, which the library gives as a picture of H.264
				note(pts, au...)
			}
		}
		switch track.Codec.(type) {
		case *codecs.AV1:
			r.OnDataAV1(track, func(pts time.Duration, tu [][]byte) { note(pts, tu[1:]...) }) // behind the delimiter that the writer puts first
		case *codecs.H265:
			r.OnDataH265(track, h26x)
		case *codecs.H264:
			r.OnDataH264(track, h26x)
		case *codecs.Opus:
			r.OnDataOpus(track, func(pts time.Duration, p []byte) { note(pts, p) })
		case *codecs.MPEG4Audio:
			r.OnDataMPEG4Audio(track, func(pts time.Duration, p []byte) { note(pts, p) })
		}
		s.mu.Lock()
		s.codecs = append(s.codecs, name)
		s.mu.Unlock()
	}
	for {
		if err := r.Read(); err != nil {
			return err
		}
	}
}

func entry(at time.Duration, parts ...[]byte) string {
	return at.String() + " " + string(bytes.Join(parts, []byte("/")))
}

// reading is a platform built on another library. It knows one track of each kind.
func reading(t *testing.T, id string) (*seen, relay.Destination) {
	t.Helper()
	s, ln := &seen{}, listen(t)
	var all sync.WaitGroup
	all.Go(func() {
		nc, err := ln.Accept()
		if err != nil {
			return
		}
		defer context.AfterFunc(t.Context(), func() { _ = nc.Close() })()
		sc := &gortmplib.ServerConn{RW: nc}
		if err := errors.Join(sc.Initialize(), sc.AcceptConn()); err != nil {
			t.Errorf("%s: %v", id, err)
			return
		}
		if err := s.take(sc); t.Context().Err() == nil && !errors.Is(err, io.EOF) {
			t.Errorf("%s: %v", id, err)
		}
		_ = nc.Close()
	})
	t.Cleanup(func() { _ = ln.Close(); all.Wait() })
	return s, relay.Destination{ID: id, Name: id, Server: "rtmp://" + ln.Addr().String() + "/app", Key: "key-" + id}
}

// kept is a connection that gives what was kept of another one.
type kept struct{ r *message.Reader }

func (k kept) Read() (message.Message, error) { return k.r.Read() }
func (kept) Write(message.Message) error      { return nil }
func (kept) BytesReceived() uint64            { return 0 }
func (kept) BytesSent() uint64                { return 0 }

// again has the other library read messages that a platform of ours kept.
func again(t *testing.T, all []rtmp.Message) *seen {
	t.Helper()
	const chunk = 0xFFFF
	wire := rtmp.AppendMessage(nil, 2, rtmp.Message{Type: rtmp.TypeSetChunkSize, Payload: []byte{0, 0, 0xFF, 0xFF}}, 128)
	for _, m := range all {
		m.Stream = 1
		wire = rtmp.AppendMessage(wire, 4, m, chunk)
	}
	bc, s := bytecounter.NewReader(bytes.NewReader(wire)), &seen{}
	if err := s.take(kept{message.NewReader(bc, bc, func(uint32) error { return nil })}); !errors.Is(err, io.EOF) {
		t.Error(err)
	}
	return s
}

// Enhanced RTMP between peers of another library: HEVC, AV1 and Opus arrive as they were sent. Their pictures say of none that it is a
// keyframe, which the relay sees for itself. Of several tracks a platform that knows one gets the first, another all.
func TestEnhancedPeers(t *testing.T) {
	h264 := &codecs.H264{SPS: avcC[8:33], PPS: avcC[36:]}
	aac := &codecs.MPEG4Audio{Config: &mpeg4audio.AudioSpecificConfig{Type: mpeg4audio.ObjectTypeAACLC, SampleRate: 48000, ChannelConfig: 2}}
	sound := &codecs.Opus{IDHeader: &opus.IDHeader{Version: 1, ChannelCount: 2, PreSkip: 312, InputSampleRate: 48000}}
	for name, tt := range map[string]struct {
		tracks []codecs.Codec
		first  []string // what one who knows a single track sees
		all    []string
		in     string
	}{
		"HEVC and Opus": {[]codecs.Codec{&codecs.H265{}, sound}, []string{"0H265", "1Opus"}, []string{"0H265", "1Opus"}, "HEVC"},
		"AV1 and AAC":   {[]codecs.Codec{&codecs.AV1{}, aac}, []string{"0AV1", "1MPEG4Audio"}, []string{"0AV1", "1MPEG4Audio"}, "AV1"},
		"two of each": {
			[]codecs.Codec{h264, &codecs.H265{}, aac, sound},
			[]string{"0H264", "1MPEG4Audio"},
			[]string{"0H264", "1H265", "2MPEG4Audio", "3Opus"},
			"H.264",
		},
	} {
		t.Run(name, func(t *testing.T) {
			one, d1 := reading(t, "one")
			every, d2 := knower(t, "every")
			h := start(t, nil, d1, d2)
			c := &gortmplib.Client{URL: &url.URL{Scheme: "rtmp", Host: h.addr, Path: "/live", Fragment: ingestKey}, Publish: true}
			if err := c.Initialize(t.Context()); err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			w := &gortmplib.Writer{Conn: c}
			for _, x := range tt.tracks {
				w.Tracks = append(w.Tracks, &gortmplib.Track{Codec: x})
			}
			if err := w.Initialize(); err != nil {
				t.Fatal(err)
			}
			sent := map[string][]string{}
			picture := func(i int) {
				at := time.Duration(i) * 40 * time.Millisecond
				for n, track := range w.Tracks {
					body := bytes.Repeat([]byte{byte(i), byte(n), 'x'}, 900)
					var err error
					parts := [][]byte{body}
					switch track.Codec.(type) {
					case *codecs.H264:
						parts = [][]byte{append([]byte{pick(i, 0x65, 0x41)}, body...)}
						err = w.WriteH264(track, at, at, parts)
					case *codecs.H265:
						parts = [][]byte{append([]byte{pick(i, 19<<1, 1<<1), 1}, body...)}
						err = w.WriteH265(track, at+40*time.Millisecond, at, parts)
						at += 40 * time.Millisecond
					case *codecs.AV1:
						parts = [][]byte{append([]byte{6 << 3}, body...)} // a frame
						if i%25 == 0 {
							parts = append([][]byte{{1 << 3, 0, 0, 0, 0x42, 0xAB, 0xBF, 0xC3, 0x70, 0x0B, 0xE0, 0x01}}, parts...) // behind its sequence header
						}
						err = w.WriteAV1(track, at, parts)
					case *codecs.MPEG4Audio:
						err = w.WriteMPEG4Audio(track, at, body)
					case *codecs.Opus:
						err = w.WriteOpus(track, at, body)
					}
					if err != nil {
						t.Fatal(err)
					}
					k := reflect.TypeOf(track.Codec).Elem().Name()
					sent[k] = append(sent[k], entry(at, parts...))
					at = time.Duration(i) * 40 * time.Millisecond
				}
			}
			picture(0)
			live(t, h, "one", "every")
			for i := 1; i < 100; i++ {
				picture(i)
			}
			// What comes after the last of what was sent is the slate, when the machine is slow.
			whole := func(s *seen, names []string) bool {
				s.mu.Lock()
				same := slices.Equal(s.codecs, names)
				s.mu.Unlock()
				for _, name := range names {
					got, want := s.of(name), sent[name[1:]]
					same = same && len(got) >= len(want) && slices.Equal(got[:len(want)], want)
				}
				return same
			}
			eventually(t, "all at one that knows a single track", func() bool { return whole(one, tt.first) })
			messages := 0
			for _, s := range sent {
				messages += len(s)
			}
			eventually(t, "all at one that knows several", func() bool { return len(every.messages()) >= messages+len(w.Tracks) })
			if s := again(t, every.messages()); !whole(s, tt.all) {
				t.Errorf("read again: %v", s.codecs)
			}
			if in := h.Status()[0].Ingest.Video; in != tt.in {
				t.Errorf("the encoder sends %s", in)
			}
		})
	}
}

// pick is key at each 25th.
func pick(i int, key, other byte) byte {
	if i%25 == 0 {
		return key
	}
	return other
}
