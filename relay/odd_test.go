package relay_test

import (
	"context"
	"crypto/tls"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"hawker/relay"
	"hawker/relay/rtmp"
	"hawker/relay/rtmpsim"
)

// odd is a platform made of bare bytes, for what no library does.
type odd struct {
	stream  float64 // createStream's answer
	publish func(nc net.Conn)
	mute    bool // after the handshake
	drip    bool // one byte a second from the start

	mu   sync.Mutex
	all  []rtmp.Message
	said []string // commands
}

func (o *odd) listen(t *testing.T, id string) relay.Destination {
	t.Helper()
	ln := listen(t)
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			nc, err := ln.Accept()
			if err != nil {
				return
			}
			wg.Go(func() {
				stop := context.AfterFunc(t.Context(), func() { _ = nc.Close() })
				defer stop()
				o.serve(nc)
				_ = nc.Close()
			})
		}
	})
	t.Cleanup(func() { _ = ln.Close(); wg.Wait() })
	return relay.Destination{ID: id, Name: id, Server: "rtmp://" + ln.Addr().String() + "/app", Key: "key-" + id}
}

func say(nc net.Conn, typ byte, payload []byte) {
	_, _ = nc.Write(rtmp.AppendMessage(nil, 3, rtmp.Message{Type: typ, Payload: payload}, 128))
}

func (o *odd) serve(nc net.Conn) {
	if o.drip {
		for {
			if _, err := nc.Write([]byte{3}); err != nil {
				return
			}
			time.Sleep(50 * time.Millisecond)
		}
	}
	hello := make([]byte, 1+1536)
	if _, err := io.ReadFull(nc, hello); err != nil {
		return
	}
	_, _ = nc.Write(append(hello, hello[1:]...))
	if _, err := io.ReadFull(nc, hello[1:]); err != nil {
		return
	}
	if o.mute {
		_, _ = io.Copy(io.Discard, nc)
		return
	}
	r := rtmp.NewReader(nc)
	r.Limit = rtmp.MaxMessage
	for {
		m, err := r.Read()
		if err != nil {
			return
		}
		if m.Type != rtmp.TypeCommand {
			o.mu.Lock()
			o.all = append(o.all, m)
			o.mu.Unlock()
			continue
		}
		v, _ := rtmp.ParseAMF0(m.Payload)
		if len(v) < 2 {
			continue
		}
		name, _ := v[0].(string)
		o.mu.Lock()
		o.said = append(o.said, name)
		o.mu.Unlock()
		switch name {
		case "connect":
			say(nc, rtmp.TypeCommand, rtmp.AppendAMF0(nil, "_result", v[1], nil, rtmp.Object{{Name: "code", Value: "NetConnection.Connect.Success"}}))
		case "createStream":
			say(nc, rtmp.TypeCommand, rtmp.AppendAMF0(nil, "_result", v[1], nil, o.stream))
		case "publish":
			say(nc, rtmp.TypeCommand, rtmp.AppendAMF0(nil, "onStatus", 0, nil, rtmp.Object{{Name: "level", Value: "status"}, {Name: "code", Value: "NetStream.Publish.Start"}}))
			if o.publish != nil {
				o.publish(nc)
			}
		}
	}
}

// media are the pictures and sounds it got on the message stream that it gave out.
func (o *odd) media() (out []uint64) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, m := range o.all {
		if (m.Type == rtmp.TypeAudio || m.Type == rtmp.TypeVideo) && float64(m.Stream) == o.stream {
			out = append(out, rtmpsim.Hash(m.Payload))
		}
	}
	return out
}

// Platforms that are odd, and get every byte: another stream id, another chunk size in mid-stream, pings, no acknowledgement ever.
func TestOddPlatforms(t *testing.T) {
	chunks := func(nc net.Conn) {
		big := strings.Repeat("x", 9000)
		_, _ = nc.Write(rtmp.AppendMessage(nil, 2, rtmp.Message{Type: rtmp.TypeSetChunkSize, Payload: []byte{0, 0, 0x10, 0}}, 128))
		_, _ = nc.Write(rtmp.AppendMessage(nil, 3, rtmp.Message{Type: rtmp.TypeCommand, Payload: rtmp.AppendAMF0(nil, "onStatus", 0, nil, big)}, 4096))
		_, _ = nc.Write(rtmp.AppendMessage(nil, 2, rtmp.Message{Type: rtmp.TypeSetChunkSize, Payload: []byte{0, 0, 0, 1}}, 4096))
		_, _ = nc.Write(rtmp.AppendMessage(nil, 2, rtmp.Message{Type: rtmp.TypeUserControl, Payload: []byte{0, 6, 1, 2, 3, 4}}, 1))
	}
	window := func(nc net.Conn) {
		_, _ = nc.Write(rtmp.AppendMessage(nil, 2, rtmp.Message{Type: rtmp.TypeWindowAckSize, Payload: binary.BigEndian.AppendUint32(nil, 1000)}, 128))
	}
	all := map[string]*odd{
		"stream 5": {stream: 5}, "stream 0": {stream: 0}, "chunks": {stream: 1, publish: chunks}, "window": {stream: 1, publish: window},
	}
	var dests []relay.Destination
	var ids []string
	for id, o := range all {
		dests, ids = append(dests, o.listen(t, id)), append(ids, id)
	}
	h := start(t, nil, dests...)
	e := encode(t, h.addr, 0xFFFFFF-500) // headers change their length on the way
	e.size = 70_000                      // and pictures are longer than a chunk
	e.picture()
	live(t, h, ids...)
	e.pictures(40)
	for id, o := range all {
		eventually(t, id+" got every byte", func() bool { return slices.Equal(o.media(), e.sent) })
		if n := h.destination(id).Reconnects; n != 0 {
			t.Errorf("%s was connected anew %d times", id, n)
		}
	}
	eventually(t, "the ping is answered", func() bool {
		o := all["chunks"]
		o.mu.Lock()
		defer o.mu.Unlock()
		return slices.ContainsFunc(o.all, func(m rtmp.Message) bool {
			return m.Type == rtmp.TypeUserControl && string(m.Payload) == "\x00\x07\x01\x02\x03\x04"
		})
	})
}

// Platforms that never get to the point: each is given up and has its reason; the good one loses nothing.
func TestUnwilling(t *testing.T) {
	good, dg := knower(t, "good")
	mute, drip := &odd{mute: true}, &odd{drip: true}
	dm, dd := mute.listen(t, "mute"), drip.listen(t, "drip")
	pair, _ := certificateFor(t, time.Now().Add(-time.Minute))
	expired := listen(t)
	t.Cleanup(func() { _ = expired.Close() })
	go func() {
		ln := tls.NewListener(expired, &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12})
		for {
			nc, err := ln.Accept()
			if err != nil {
				return
			}
			go func() { _, _ = io.Copy(io.Discard, nc); _ = nc.Close() }()
		}
	}()
	_, port, _ := net.SplitHostPort(expired.Addr().String())
	de := relay.Destination{ID: "expired", Name: "expired", Server: "rtmps://localhost:" + port + "/app", Key: "key-expired"}
	h := start(t, nil, dg, dm, dd, de)
	e := encode(t, h.addr, 0)
	e.picture()
	live(t, h, "good")
	stop := e.keepOn()
	eventually(t, "the certificate", func() bool { return h.destination("expired").Reason == relay.NoTLS })
	eventually(t, "the mute one is given up", func() bool { return h.destination("mute").Reason == relay.NoAnswer })
	eventually(t, "the dripping one is given up", func() bool {
		r := h.destination("drip").Reason
		return r == relay.NoAnswer || r == relay.Confused
	})
	stop()
	eventually(t, "every byte", func() bool { return slices.Equal(good.hashes(), e.sent) })
	h.noSecrets(t, "key-good", "key-mute", "key-drip", "key-expired", ingestKey)
}

// bare is an encoder made of bare bytes.
type bare struct {
	nc net.Conn
	t  *testing.T
}

func bareEncoder(t *testing.T, addr, key string) *bare {
	t.Helper()
	nc, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = nc.Close() })
	hello := make([]byte, 1+1536)
	hello[0] = 3
	b := &bare{nc, t}
	b.write(hello)
	if _, err := io.ReadFull(nc, make([]byte, 1+2*1536)); err != nil {
		t.Fatal(err)
	}
	b.write(hello[1:])
	go func() { _, _ = io.Copy(io.Discard, nc) }()
	for _, c := range [][]any{
		{"connect", 1, rtmp.Object{{Name: "app", Value: "live"}}},
		{"createStream", 2, nil},
		{"publish", 3, nil, key, "live"},
	} {
		b.write(rtmp.AppendMessage(nil, 3, rtmp.Message{Type: rtmp.TypeCommand, Stream: 1, Payload: rtmp.AppendAMF0(nil, c...)}, 128))
	}
	return b
}

func (b *bare) write(p []byte) {
	b.t.Helper()
	if _, err := b.nc.Write(p); err != nil {
		b.t.Fatal(err)
	}
}

// head is a type 0 chunk header on a long chunk stream id.
func head(csid, at uint32, length int, typ byte) []byte {
	b := []byte{1, byte(csid - 64), byte((csid - 64) >> 8)}
	if csid < 320 {
		b = []byte{0, byte(csid - 64)}
	}
	return append(b, byte(at>>16), byte(at>>8), byte(at), byte(length>>16), byte(length>>8), byte(length), typ, 1, 0, 0, 0)
}

func next(csid uint32) []byte {
	if csid < 320 {
		return []byte{0xC0, byte(csid - 64)}
	}
	return []byte{0xC1, byte(csid - 64), byte((csid - 64) >> 8)}
}

// An encoder that makes use of all that the protocol allows: its pictures and sounds arrive, whole and in order.
func TestOddEncoder(t *testing.T) {
	for _, csid := range []uint32{64, 65599} {
		for _, chunk := range []int{128, rtmp.MaxMessage} {
			t.Run(fmt.Sprint(csid, chunk), func(t *testing.T) {
				a, da := knower(t, "a")
				h := start(t, nil, da)
				b := bareEncoder(t, h.addr, ingestKey)
				b.write(rtmp.AppendMessage(nil, 2, rtmp.Message{Type: rtmp.TypeSetChunkSize, Payload: binary.BigEndian.AppendUint32(nil, uint32(chunk))}, 128))
				var sent []uint64
				picture := func(at uint32, first byte, n int, inside func()) {
					p := append([]byte{first, 1, 0, 0, 0}, make([]byte, n)...)
					binary.BigEndian.PutUint32(p[5:], uint32(n-4))
					p[9] = byte(at)
					b.write(head(csid, at, len(p), rtmp.TypeVideo))
					rest := p
					for len(rest) > chunk {
						b.write(rest[:chunk])
						if inside != nil {
							inside()
							inside = nil
						}
						b.write(next(csid))
						rest = rest[chunk:]
					}
					b.write(rest)
					sent = append(sent, rtmpsim.Hash(p))
				}
				plain := func(m rtmp.Message) {
					b.write(rtmp.AppendMessage(nil, 4, m, chunk))
				}
				header := append([]byte{0x17, 0, 0, 0, 0}, avcC...)
				plain(rtmp.Message{Type: rtmp.TypeVideo, Stream: 1, Payload: header})
				sent = append(sent, rtmpsim.Hash(header))
				picture(0, 0x17, 5000, nil)
				live(t, h, "a")
				sound := func(at uint32, s string) {
					plain(rtmp.Message{Type: rtmp.TypeAudio, Stream: 1, Time: at, Payload: []byte(s)})
					sent = append(sent, rtmpsim.Hash([]byte(s)))
				}
				picture(40, 0x27, 3000, func() { sound(45, "\xAF\x01inside") }) // where chunks are small enough
				// What is of no use, and no reason to cut a show.
				plain(rtmp.Message{Type: 99, Stream: 1, Payload: []byte("unknown")})
				plain(rtmp.Message{Type: 16, Stream: 1, Payload: []byte("shared object")})
				plain(rtmp.Message{Type: rtmp.TypeCommandAMF3, Stream: 1, Payload: append([]byte{0}, rtmp.AppendAMF0(nil, "what", 9, nil)...)})
				plain(rtmp.Message{Type: rtmp.TypeCommand, Stream: 1, Payload: []byte{0x0A, 0xFF, 0xFF, 0xFF, 0xFF}}) // an AMF bomb
				plain(rtmp.Message{Type: rtmp.TypeDataAMF3, Stream: 1, Payload: append([]byte{0}, rtmp.AppendAMF0(nil, "onCuePoint", rtmp.Object{})...)})
				plain(rtmp.Message{Type: rtmp.TypeVideo, Stream: 1, Time: 80})
				sent = append(sent, rtmpsim.Hash(nil))
				// A message that is begun and given up.
				if chunk == 128 {
					b.write(head(csid, 90, 1000, rtmp.TypeVideo))
					b.write(make([]byte, chunk))
					b.write(rtmp.AppendMessage(nil, 2, rtmp.Message{Type: rtmp.TypeAbort, Payload: binary.BigEndian.AppendUint32(nil, csid)}, chunk))
				}
				// Two sounds in one message.
				var tags []byte
				for i, s := range []string{"\xAF\x01one", "\xAF\x01two"} {
					tags = append(tags, rtmp.TypeAudio, 0, 0, byte(len(s)), 0, 0, byte(20*i), 0, 0, 0, 0)
					tags = binary.BigEndian.AppendUint32(append(tags, s...), uint32(11+len(s)))
					sent = append(sent, rtmpsim.Hash([]byte(s)))
				}
				plain(rtmp.Message{Type: rtmp.TypeAggregate, Stream: 1, Time: 100, Payload: tags})
				picture(160, 0x27, 70_000, nil)
				sound(165, "\xAF\x01the last")
				eventually(t, "the last sound", func() bool { return slices.Contains(a.hashes(), sent[len(sent)-1]) })
				got := a.hashes()
				for _, x := range sent {
					if !slices.Contains(got, x) {
						t.Fatalf("%d messages of %d arrived", len(got), len(sent))
					}
				}
				grows(t, a.messages(), 500)
			})
		}
	}
}

// An encoder that never sends a keyframe again: memory stays within bounds, it is told, destinations stay, and one that comes later
// starts at the last keyframe or waits.
func TestNoKeyframes(t *testing.T) {
	a, da := knower(t, "a")
	_, dl := knower(t, "late")
	h := start(t, nil, da)
	e := encode(t, h.addr, 0)
	e.picture()
	live(t, h, "a")
	e.size = 200_000
	for range 120 { // 24 MB, 60 s by its clock
		e.n = 1 // never a keyframe
		e.picture()
		e.ms += 460
	}
	eventually(t, "all sent, or given up until a keyframe comes", func() bool {
		return len(a.messages()) == len(e.sent) || h.destination("a").Drops > 0
	})
	if n := h.Status()[0].Buffered; n > 17<<20 {
		t.Errorf("%d bytes are kept", n)
	}
	if err := h.Add("show", dl); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the late one waits", func() bool { return h.destination("late").State == relay.Connecting })
	e.n = 0
	e.picture()
	live(t, h, "late")
}

// A hundred publishers with a wrong key, and a hundred that send bombs, are nothing to a live show.
func TestWrongKeys(t *testing.T) {
	a, da := knower(t, "a")
	h := start(t, nil, da)
	e := encode(t, h.addr, 0)
	e.picture()
	live(t, h, "a")
	stop := e.keepOn()
	for i := range 100 {
		b := bareEncoder(t, h.addr, fmt.Sprintf("wrong-key-%d", i))
		b.write(head(64, 0, 0xFFFFFF, rtmp.TypeVideo)) // 16 MiB, before the answer
	}
	stop()
	eventually(t, "every byte", func() bool { return slices.Equal(a.hashes(), e.sent) })
	eventually(t, "all refused", func() bool { return strings.Count(h.logs.String(), "unknown key") == 100 })
	h.noSecrets(t, "wrong-key", ingestKey, "key-a")
}

// The clock of 32 bits wraps in mid-stream: every byte arrives, and no time steps back.
func TestClockWraps(t *testing.T) {
	a, da := knower(t, "a")
	h := start(t, nil, da)
	e := encode(t, h.addr, 0xFFFFFFFF-800)
	e.picture()
	live(t, h, "a")
	e.pictures(60)
	eventually(t, "every byte", func() bool { return slices.Equal(a.hashes(), e.sent) })
	all := a.messages()
	for i := 3; i < len(all); i++ {
		if d := int32(all[i].Time - all[i-1].Time); d < 0 || d > 40 {
			t.Fatalf("message %d: %d ms after the one before", i, d)
		}
	}
	if last := all[len(all)-1].Time; last > 60*40 {
		t.Errorf("the last time is %d", last)
	}
}
