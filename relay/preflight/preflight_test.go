package preflight_test

import (
	"context"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"hawker/relay"
	"hawker/relay/preflight"
	"hawker/relay/rtmpsim"
)

// names lets the simulators stand behind the platforms' names.
type names map[string]string

func (n names) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	host, _, _ := net.SplitHostPort(addr)
	to, ok := n[host]
	if !ok {
		return nil, &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
	}
	return (&net.Dialer{}).DialContext(ctx, network, to)
}

func platform(t *testing.T, keys ...string) (*rtmpsim.Sim, string) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &rtmpsim.Sim{}
	if len(keys) > 0 {
		s.Accept(keys...)
	}
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(ln) }()
	t.Cleanup(func() {
		s.Close()
		<-ended
	})
	return s, ln.Addr().String()
}

// Twitch is pushed to in its test mode, at the rate of the show; of others it is seen whether they answer; what is wrong is told as
// in the show. No result names a key.
func TestRun(t *testing.T) {
	good, goodAt := platform(t, "live_good?bandwidthtest=true")
	_, strictAt := platform(t, "live_other")
	quiet, quietAt := platform(t)
	n := names{"live.twitch.tv": goodAt, "strict.twitch.tv": strictAt, "a.rtmp.youtube.com": quietAt}
	all := []relay.Destination{
		{ID: "1", Name: "Twitch", Server: "rtmp://live.twitch.tv/app", Key: "live_good"},
		{ID: "2", Name: "Other", Server: "rtmp://strict.twitch.tv/app", Key: "live_bad"},
		{ID: "3", Name: "YouTube", Server: "rtmp://a.rtmp.youtube.com/live2", Key: "yt_secret"},
		{ID: "4", Name: "Gone", Server: "rtmp://gone.example/app", Key: "gone_secret"},
		{ID: "5", Name: "Typo", Server: "https://twitch.tv", Key: "typo_secret"},
	}
	var mu sync.Mutex
	done := map[string]preflight.Result{}
	told := 0
	preflight.Run(t.Context(), preflight.Options{DialContext: n.dial, Kbps: 2000, For: 2500 * time.Millisecond}, all, func(r preflight.Result) {
		mu.Lock()
		defer mu.Unlock()
		told++
		if strings.Contains(r.Text, "live_") || strings.Contains(r.Text, "secret") {
			t.Errorf("%s: the key is in %q", r.Name, r.Text)
		}
		if r.Done {
			done[r.Name] = r
		}
	})
	if r := done["Twitch"]; !r.Pushed || r.Kbps == 0 || r.Text == "" {
		t.Errorf("Twitch: %+v", r)
	}
	if c := good.Counts(); c.Published != 1 || c.Refused != 0 {
		t.Errorf("at Twitch: %+v", c)
	}
	for name, want := range map[string]string{"Other": "rejected the stream key", "Gone": "name was not found", "Typo": "must look like rtmp://", "YouTube": "It answers."} {
		if r := done[name]; r.OK != (name == "YouTube") || !strings.Contains(r.Text, want) {
			t.Errorf("%s: %+v, want %q", name, r, want)
		}
	}
	if c := quiet.Counts(); c.Published != 0 {
		t.Errorf("YouTube was published to: %+v", c)
	}
	if told < len(all)*2 {
		t.Errorf("told %d times", told)
	}
}

// A test that is given up ends at once.
func TestGivenUp(t *testing.T) {
	s, at := platform(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	preflight.Run(ctx, preflight.Options{DialContext: names{"live.twitch.tv": at}.dial, Kbps: 500, For: time.Hour}, []relay.Destination{
		{ID: "1", Name: "Twitch", Server: "rtmp://live.twitch.tv/app", Key: "k"},
	}, func(r preflight.Result) {
		if r.Kbps > 0 {
			cancel()
		}
		if r.Done && r.OK {
			t.Errorf("given up is %+v", r)
		}
	})
	if s.Counts().Published != 1 {
		t.Error("nothing was pushed")
	}
}
