package relay_test

import (
	"slices"
	"strings"
	"testing"

	"hawker/relay"
)

func TestFanOut(t *testing.T) {
	a, da := platform(t, "a")
	b, db := platform(t, "b")
	h := start(t, nil, da, db)
	e := encode(t, h.addr, 0)
	e.picture()
	live(t, h, "a", "b")
	e.pictures(60)
	eventually(t, "all messages at a", func() bool { return a.Session() != nil && a.Session().Figures().Messages == len(e.sent) })
	eventually(t, "all messages at b", func() bool { return b.Session() != nil && b.Session().Figures().Messages == len(e.sent) })
	if got := media(a.Session()); !slices.Equal(got, e.sent) {
		t.Errorf("a did not get the same bytes in the same order")
	}
	if got := a.Session().Figures(); !strings.HasPrefix(got.Order, "MVAKSIS") || got.Backwards != 0 {
		t.Errorf("figures = %+v", got)
	}
	st := h.Status()[0]
	if in := st.Ingest; !in.Connected || in.Video != "H.264" || in.Audio != "AAC" || in.Width != 640 || in.KeyframeEvery.Seconds() != 1 {
		t.Errorf("ingest = %+v", in)
	}
	if err := e.p.End(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "goodbye", func() bool { return a.Counts().Ended == 1 && b.Counts().Ended == 1 })
	eventually(t, "stream gone", func() bool { return len(h.Status()) == 0 })
	if k := h.kinds(); k[0] != relay.StreamStarted || k[len(k)-1] != relay.StreamStopped {
		t.Errorf("events = %v", k)
	}
}
