package relay

import (
	"testing"
	"time"

	"hawker/relay/rtmp"
)

// An encoder that was silent comes back: with what it could not send before it is not on the air yet, with what is new it is, and
// one whose clock has stood still is after a while.
func TestCatchUp(t *testing.T) {
	for _, tt := range []struct {
		name string
		held time.Duration // how long the line held it up
		want bool
	}{{"held up", 10 * time.Second, false}, {"new", 0, true}} {
		st := newStream(&Server{}, "show")
		in := &ingest{Publication: &rtmp.Publication{}}
		st.ins[mainRole] = in
		now := time.Now()
		m := func(at time.Duration, body string) rtmp.Message {
			return rtmp.Message{Type: rtmp.TypeVideo, Time: uint32(at.Milliseconds()), Payload: []byte(body)}
		}
		in.facts = facts{came: now.Add(-30 * time.Second), started: true, clock: 20_000, newest: 20_000, seen: window{full: true}, begun: now}
		st.line = timeline{begun: true, head: 20_000, at: now.Add(-10 * time.Second)}
		if _, began, _ := st.slateLocked(now); !began || !in.silent {
			t.Fatal("no slate")
		}
		st.feed(in, m(30*time.Second-tt.held, keyframe))
		if on := st.slate == nil; on != tt.want {
			t.Errorf("%s: on the air: %v", tt.name, on)
		}
		in.resumed = in.resumed.Add(-catchUp)
		st.feed(in, m(30*time.Second-tt.held+40*time.Millisecond, keyframe))
		if st.slate != nil {
			t.Errorf("%s: never on the air again", tt.name)
		}
	}
}
