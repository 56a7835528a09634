package relay_test

import (
	"errors"
	"testing"
	"time"

	"hawker/relay"
)

// What is set while a stream is live holds at once; destinations, name and encoder stay what they are.
func TestTune(t *testing.T) {
	a, da := platform(t, "a")
	h := start(t, nil, da)
	e := encode(t, h.addr, 0)
	e.pictures(30)
	live(t, h, "a")
	id := h.Status()[0].ID
	if err := h.Tune(id+"x", relay.Config{}); !errors.Is(err, relay.ErrNoStream) {
		t.Errorf("tuning what is not live: %v", err)
	}
	if err := h.Tune(id, relay.Config{Grace: time.Millisecond, UplinkKbps: 100}); err != nil {
		t.Fatal(err)
	}
	stop := e.keepOn()
	eventually(t, "the line's words", func() bool { return h.Status()[0].LineCarries == 100 })
	if n := len(h.Status()[0].Destinations); n != 1 || a.Counts().Published != 1 {
		t.Errorf("%d destinations, published to %d times", n, a.Counts().Published)
	}
	stop()
	_ = e.p.Close()
	eventually(t, "the end of the grace time", func() bool { return len(h.Status()) == 0 })
}
