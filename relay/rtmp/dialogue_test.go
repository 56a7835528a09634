package rtmp

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestTarget(t *testing.T) {
	for _, tt := range []struct{ server, key, addr, app, wantKey, tc string }{
		{"rtmp://live.example.com/app", "live_1?bandwidthtest=true", "live.example.com:1935", "app", "live_1?bandwidthtest=true", "rtmp://live.example.com/app"},
		{"rtmps://a.example.com:443/live2?backup=1", "k", "a.example.com:443", "live2?backup=1", "k", "rtmps://a.example.com/live2?backup=1"},
		{" rtmps://api.example.com:443/rtmp/ ", " k ", "api.example.com:443", "rtmp", "k", "rtmps://api.example.com/rtmp"},
		{"rtmp://h:19350/app/inst/key?x=1", "", "h:19350", "app/inst", "key?x=1", "rtmp://h:19350/app/inst"},
		{"rtmp://[::1]/app", "k", "[::1]:1935", "app", "k", "rtmp://[::1]/app"},
	} {
		got, err := ParseTarget(tt.server, tt.key)
		if err != nil || got.Addr != tt.addr || got.App != tt.app || got.Key != tt.wantKey || got.tcURL() != tt.tc {
			t.Errorf("%s: %+v %s, %v", tt.server, got, got.tcURL(), err)
		}
		if said := fmt.Sprintf("%v %+v %#v %s", got, got, got, got); strings.Contains(said, got.Key) && len(got.Key) > 1 {
			t.Errorf("key given away: %s", said)
		}
	}
	for _, bad := range []string{"", "http://h/app", "rtmp:///app", "rtmp://h", "rtmp://h/app", "rtmp://h:x:y/s3cret", "rtmp://h/%zz"} {
		if _, err := ParseTarget(bad, ""); !errors.Is(err, ErrAddress) || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

func TestCleanWords(t *testing.T) {
	target := Target{Key: "live_12345?x=1"}
	got := target.clean("stream live_12345 of live_12345?x=1\x00 " + strings.Repeat("ä", 300))
	if strings.Contains(got, "live_12345") || len(got) > maxWords || strings.ContainsRune(got, 0) {
		t.Errorf("%q", got)
	}
}

// platform answers a client with a script: what it says after each command it hears.
func platform(t *testing.T, nc net.Conn, script map[string]func(c *Conn, id float64) error) {
	t.Helper()
	if err := serverHandshake(nc); err != nil {
		t.Errorf("handshake: %v", err)
		return
	}
	c := newConn(nc)
	for {
		m, err := c.Read()
		if err != nil {
			return
		}
		if !isCommand(m) {
			continue
		}
		name, id, _, err := parseCommand(m)
		if err != nil {
			t.Errorf("command: %v", err)
		}
		if say := script[name]; say != nil {
			if say(c, id) != nil {
				return
			}
		}
	}
}

func script(stream float64, publish Object) map[string]func(*Conn, float64) error {
	return map[string]func(*Conn, float64) error{
		"connect": func(c *Conn, id float64) error {
			if err := c.announce(Message{Type: TypeWindowAckSize, Payload: []byte{0, 0, 0, 100}}); err != nil {
				return err
			}
			if err := c.reply(TypeUserControl, []byte{0, userPing, 1, 2, 3, 4}); err != nil {
				return err
			}
			return c.command(csidCommand, 0, "_result", id, Object{}, statusObject("status", "NetConnection.Connect.Success", ""))
		},
		"releaseStream": func(c *Conn, id float64) error { return c.command(csidCommand, 0, "_error", id, nil, nil) },
		"createStream":  func(c *Conn, id float64) error { return c.command(csidCommand, 0, "_result", id, nil, stream) },
		"publish": func(c *Conn, _ float64) error {
			return c.command(csidStatus, uint32(stream), "onStatus", 0, nil, publish)
		},
	}
}

func dialTo(t *testing.T, s map[string]func(*Conn, float64) error) func(context.Context, string, string) (net.Conn, error) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		if nc, err := ln.Accept(); err == nil {
			platform(t, nc, s)
			_ = nc.Close()
		}
	}()
	t.Cleanup(func() { _ = ln.Close(); <-done })
	return func(ctx context.Context, network, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, network, ln.Addr().String())
	}
}

// createStream may answer any number; pings are answered and acknowledgements sent.
func TestPublishOnStream5(t *testing.T) {
	d := Dialer{DialContext: dialTo(t, script(5, statusObject("status", "NetStream.Publish.Start", "")))}
	p, err := d.Publish(t.Context(), Target{Host: "h", Addr: "h:1935", App: "app", Key: "secret"})
	if err != nil {
		t.Fatal(err)
	}
	if p.Stream() != 5 {
		t.Errorf("stream %d", p.Stream())
	}
	if err := p.End(); err != nil {
		t.Error(err)
	}
}

func TestRejected(t *testing.T) {
	d := Dialer{DialContext: dialTo(t, script(1, statusObject("error", "NetStream.Publish.BadName", "no stream named secret-77 here")))}
	_, err := d.Publish(t.Context(), Target{Host: "h", Addr: "h:1935", App: "app", Key: "secret-77"})
	var rejected *RejectedError
	if !errors.As(err, &rejected) || rejected.Code != "NetStream.Publish.BadName" || strings.Contains(err.Error(), "secret-77") {
		t.Errorf("got %v", err)
	}
}

// Client and server agree with each other over an unbuffered connection too, and both hear the end.
func TestOurselves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := net.Pipe()
		ended := make(chan error, 1)
		go func() {
			pub, err := Accept(t.Context(), b)
			if err == nil {
				if pub.Key != "secret?a=1" || pub.App != "live" {
					t.Errorf("app %q key %q", pub.App, pub.Key)
				}
				err = pub.Start()
			}
			for err == nil {
				_, err = pub.Read()
			}
			ended <- err
			_ = b.Close()
		}()
		d := Dialer{DialContext: func(context.Context, string, string) (net.Conn, error) { return a, nil }}
		p, err := d.Publish(t.Context(), Target{Host: "h", Addr: "h:1935", App: "live", Key: "secret?a=1"})
		if err != nil {
			t.Fatal(err)
		}
		if err := p.Send(Message{Type: TypeAudio, Payload: []byte{0xAF, 0}}); err != nil {
			t.Error(err)
		}
		_ = p.End()
		if err := <-ended; !errors.Is(err, ErrEnded) {
			t.Errorf("ended with %v", err)
		}
	})
}

// A server that never answers is given up after the timeout.
func TestMute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := net.Pipe()
		go func() { _, _ = io.Copy(io.Discard, b) }()
		d := Dialer{DialContext: func(context.Context, string, string) (net.Conn, error) { return a, nil }}
		_, err := d.Publish(t.Context(), Target{Host: "h", Addr: "h:1935", App: "app", Key: "k"})
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
		synctest.Wait()
	})
}

// A peer that drips through the handshake is closed.
func TestSlowloris(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := net.Pipe()
		go func() {
			for {
				if _, err := b.Write([]byte{3}); err != nil {
					return
				}
				time.Sleep(time.Second)
			}
		}()
		began := time.Now()
		if _, err := Accept(t.Context(), a); err == nil {
			t.Error("accepted")
		}
		if took := time.Since(began); took != handshakeTimeout {
			t.Errorf("closed after %v", took)
		}
		time.Sleep(2 * time.Second) // the peer notices
	})
}

// The acknowledgement counter wraps at 4 GiB.
func TestAcknowledgementWraps(t *testing.T) {
	a, b := net.Pipe()
	defer a.Close()
	defer b.Close()
	c := newConn(a)
	c.window, c.acked = 1000, 0xFFFFFF00
	c.in.n.Store(1<<32 + 800)
	got := make(chan Message, 1)
	go func() {
		m, err := NewReader(b).Read()
		if err == nil {
			got <- m
		}
		close(got)
	}()
	if err := c.acknowledge(); err != nil {
		t.Fatal(err)
	}
	if m := <-got; m.Type != TypeAcknowledgement || binary.BigEndian.Uint32(m.Payload) != 800 {
		t.Errorf("got %+v", m)
	}
}

func TestAggregate(t *testing.T) {
	tag := func(typ byte, at uint32, body string) []byte {
		b := []byte{typ, 0, 0, byte(len(body)), byte(at >> 16), byte(at >> 8), byte(at), byte(at >> 24), 0, 0, 0}
		return binary.BigEndian.AppendUint32(append(b, body...), uint32(11+len(body)))
	}
	all := aggregate(Message{Time: 1000, Payload: append(tag(TypeVideo, 50, "one"), tag(TypeAudio, 71, "two")...)})
	if len(all) != 2 || all[0].Time != 1000 || all[1].Time != 1021 || string(all[1].Payload) != "two" {
		t.Errorf("got %+v", all)
	}
}

// script of a client, as bytes, for the fuzzers.
func clientBytes(values ...[]any) []byte {
	b := make([]byte, 1+2*handshakeSize)
	b[0] = version
	for _, v := range values {
		b = AppendMessage(b, csidCommand, Message{Type: TypeCommand, Stream: 1, Payload: AppendAMF0(nil, v...)}, 128)
	}
	return b
}

// fed is a connection that says what it was given and hears nothing.
type fed struct {
	io.Reader
	net.Conn
}

func (f fed) Read(p []byte) (int, error)     { return f.Reader.Read(p) }
func (fed) Write(p []byte) (int, error)      { return len(p), nil }
func (fed) Close() error                     { return nil }
func (fed) SetDeadline(time.Time) error      { return nil }
func (fed) SetReadDeadline(time.Time) error  { return nil }
func (fed) SetWriteDeadline(time.Time) error { return nil }

// Whatever a peer says, the dialogue ends, and what it accepts has a publish command.
func FuzzAccept(f *testing.F) {
	f.Add(clientBytes([]any{"connect", 1, Object{{"app", "live"}}}, []any{"createStream", 2, nil}, []any{"publish", 3, nil, "key", "live"}))
	f.Add(clientBytes([]any{"play", 1, nil, "x"}))
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := Accept(context.Background(), fed{Reader: bytes.NewReader(b)})
		if err != nil {
			return
		}
		if !bytes.Contains(b, []byte("publish")) {
			t.Fatal("accepted without publish")
		}
		_ = p.Start()
		for err == nil {
			_, err = p.Read()
		}
	})
}

// Whatever a server says, Publish ends, and its error never holds the key.
func FuzzPublish(f *testing.F) {
	f.Add(clientBytes([]any{"_result", 1, nil, nil}, []any{"_result", 4, nil, 1}, []any{"onStatus", 0, nil, statusObject("status", "NetStream.Publish.Start", "")}))
	f.Add(clientBytes([]any{"_error", 1, nil, statusObject("error", "x", "bad secret-key-1")}))
	f.Fuzz(func(t *testing.T, b []byte) {
		d := Dialer{DialContext: func(context.Context, string, string) (net.Conn, error) { return fed{Reader: bytes.NewReader(b)}, nil }}
		p, err := d.Publish(context.Background(), Target{Host: "h", Addr: "h:1", App: "a", Key: "secret-key-1"})
		if err != nil {
			if strings.Contains(err.Error(), "secret-key-1") {
				t.Fatalf("key given away: %v", err)
			}
			return
		}
		_ = p.End()
	})
}
