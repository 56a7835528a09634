package ring

import (
	"errors"
	"io"
	"testing"
	"time"

	"hawker/relay/rtmp"
)

func unit(kind rtmp.Kind, slot string, at int64, size int) *Unit {
	return NewUnit(rtmp.Message{Type: rtmp.TypeVideo, Payload: make([]byte, size)}, rtmp.Info{Kind: kind, Slot: slot}, at)
}

func TestStartHasTheHeadersOfTheKeyframe(t *testing.T) {
	var r Ring
	if _, _, ok := r.Start(); ok {
		t.Fatal("started in an empty ring")
	}
	r.Append(unit(rtmp.Header, "a", 0, 3))
	r.Append(unit(rtmp.Header, "v", 0, 10))
	r.Append(unit(rtmp.Metadata, "meta", 0, 20))
	r.Append(unit(rtmp.Keyframe, "", 5000, 100))
	r.Append(unit(rtmp.Other, "", 5040, 50))
	r.Append(unit(rtmp.Header, "v", 5080, 11)) // in force from the next keyframe on
	headers, at, ok := r.Start()
	if !ok || at != 3 || len(headers) != 3 {
		t.Fatalf("at %d, %d headers", at, len(headers))
	}
	for i, want := range []int{20, 10, 3} { // metadata, video, audio
		if h := headers[i]; len(h.payload) != want || h.Time != 5000 {
			t.Errorf("header %d: %d bytes at %d", i, len(h.payload), h.Time)
		}
	}
	r.Append(unit(rtmp.Keyframe, "", 5120, 100))
	if headers, at, _ := r.Start(); at != 6 || len(headers[1].payload) != 11 {
		t.Errorf("at %d", at)
	}
}

func TestBounds(t *testing.T) {
	r := Ring{Keep: 2 * time.Second, Bytes: 100_000}
	for i := range 1000 { // 40 s of pictures, a keyframe each second
		kind := rtmp.Other
		if i%25 == 0 {
			kind = rtmp.Keyframe
		}
		r.Append(unit(kind, "", int64(i)*40, 500))
	}
	if lag, key, newer := r.Lag(0); lag > 2*time.Second || key != 975 || !newer {
		t.Errorf("lag %v, key %d", lag, key)
	}
	if _, err := r.Read(0, make([]*Unit, 1), 1); !errors.Is(err, ErrLagged) {
		t.Errorf("read from the past: %v", err)
	}
	for i := range 1000 { // no keyframe any more: the last one stays as long as the bytes allow
		r.Append(unit(rtmp.Other, "", 40_000+int64(i)*40, 500))
		if r.Size() > 100_000+600 {
			t.Fatalf("%d bytes kept", r.Size())
		}
		if _, at, ok := r.Start(); i < 100 && (!ok || at != 975) {
			t.Fatalf("after %d pictures: start at %d, %v", i, at, ok)
		}
	}
	if _, _, ok := r.Start(); ok {
		t.Error("started without a keyframe")
	}
}

func TestReadAndClose(t *testing.T) {
	var r Ring
	for i := range 10 {
		r.Append(unit(rtmp.Other, "", int64(i), 88)) // 100 bytes on the wire
	}
	got := make([]*Unit, 64)
	if n, err := r.Read(2, got, 350); n != 3 || err != nil || got[0].Time != 2 {
		t.Errorf("%d, %v", n, err)
	}
	if n, err := r.Read(2, got, 1); n != 1 || err != nil {
		t.Errorf("%d, %v", n, err)
	}
	if n, err := r.Read(10, got, 1); n != 0 || err != nil {
		t.Errorf("%d, %v", n, err)
	}
	wake := make(chan struct{}, 1)
	leave := r.Subscribe(wake)
	r.Wake()
	r.Wake()
	<-wake
	r.Close()
	<-wake
	if _, err := r.Read(10, got, 1); !errors.Is(err, io.EOF) {
		t.Errorf("closed: %v", err)
	}
	if n, _ := r.Read(9, got, 1); n != 1 {
		t.Error("what was kept is gone")
	}
	leave()
	if r.Readers() != 0 {
		t.Error("still subscribed")
	}
}
