package rtmp

import (
	"context"
	"errors"
	"io"
	"net"
	"testing"
	"time"
)

// A paced reader gets all that was sent, also when it comes late to a beat, when nothing comes for long, and to the end.
func TestPace(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	got := make(chan Message, 1000)
	ended := make(chan error, 1)
	go func() {
		nc, err := ln.Accept()
		if err != nil {
			ended <- err
			return
		}
		p, err := Accept(context.Background(), nc)
		if err == nil {
			err = p.Start()
		}
		if err != nil {
			ended <- err
			return
		}
		p.Pace(2 * time.Millisecond)
		for i := 0; ; i++ {
			m, err := p.Read()
			if err != nil {
				ended <- err
				_ = p.Close()
				return
			}
			got <- m
			if i%10 == 0 {
				time.Sleep(7 * time.Millisecond) // busy for more than a beat
			}
		}
	}()
	target, err := ParseTarget("rtmp://"+ln.Addr().String()+"/live", "key")
	if err != nil {
		t.Fatal(err)
	}
	p, err := (&Dialer{}).Publish(t.Context(), target)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = p.Close() }()
	for i := range 120 {
		if err := p.Send(Message{Type: TypeVideo, Time: uint32(i), Payload: make([]byte, 1+i%7*20_000)}); err != nil {
			t.Fatal(err)
		}
		switch {
		case i%40 == 39:
			time.Sleep(60 * time.Millisecond) // so long that the reader asks to be told
		case i%3 == 0:
			time.Sleep(time.Millisecond)
		}
	}
	for i := range 120 {
		select {
		case m := <-got:
			if m.Time != uint32(i) || len(m.Payload) != 1+i%7*20_000 {
				t.Fatalf("message %d: time %d, %d bytes", i, m.Time, len(m.Payload))
			}
		case err := <-ended:
			t.Fatalf("after %d messages: %v", i, err)
		case <-time.After(20 * time.Second):
			t.Fatalf("message %d never came", i)
		}
	}
	_ = p.Conn.Close()
	select {
	case err := <-ended:
		if !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, net.ErrClosed) {
			t.Logf("ended with %v", err) // a reset, when something was unread
		}
	case <-time.After(20 * time.Second):
		t.Fatal("the end was never seen")
	}
}
