package relaypage

import (
	"strings"
	"testing"
	"time"

	"hawker/internal/sqldb/videobook"
	"hawker/internal/studio"
	"hawker/relay"
)

// What viewers see, in each state of a stream: one word, and how long destinations are kept while there is no encoder.
func TestNow(t *testing.T) {
	lost := time.Now().Add(-time.Minute)
	here := relay.IngestStatus{Connected: true, Since: lost}
	away := relay.IngestStatus{Since: lost}
	for _, tt := range []struct {
		stream     *relay.StreamStatus
		word, text string
		until      time.Time
	}{
		{nil, "no video", "There is no stream key yet", time.Time{}},
		{&relay.StreamStatus{Ingest: here}, "on air", "see the encoder", time.Time{}},
		{&relay.StreamStatus{Ingest: here, OnBackup: true}, "on air", "second encoder", time.Time{}},
		{&relay.StreamStatus{Ingest: relay.IngestStatus{Connected: true, Waiting: true}}, "first picture", "on its way", time.Time{}},
		{&relay.StreamStatus{Ingest: here, Slate: true}, "silent encoder", "sends nothing", time.Time{}},
		{&relay.StreamStatus{Ingest: here, Slate: true, Covered: true}, "slate", "You are showing", time.Time{}},
		{&relay.StreamStatus{Ingest: away, Slate: true}, "encoder lost", "until the encoder is back", lost.Add(2 * time.Minute)},
		{&relay.StreamStatus{Ingest: away, Slate: true, Cut: true}, "cut", "a black picture", lost.Add(2 * time.Minute)},
	} {
		n := nowOf(&studio.View{Stream: tt.stream, Settings: videobook.Settings{Grace: 2 * time.Minute}})
		if n.Word != tt.word || !strings.Contains(n.Text, tt.text) || !n.Until.Equal(tt.until) || n.Coming != (tt.stream != nil) {
			t.Errorf("%+v, want %q with %q until %v", n, tt.word, tt.text, tt.until)
		}
	}
}

// The second lamp never pretends: what a platform says is to be read beside it, and where nobody says anything it is unknown.
func TestReceived(t *testing.T) {
	running := &relay.DestinationStatus{State: relay.Live, Sending: true}
	for _, tt := range []struct {
		status      *relay.DestinationStatus
		says        studio.Reception
		asked       bool
		state, text string // of the lamp
	}{
		{nil, studio.Reception{Known: true, Good: true, Text: "shown"}, true, "gone", ""},
		{running, studio.Reception{Known: true, Good: true, Text: "shown"}, true, "live", "shown"},
		{running, studio.Reception{Known: true, Text: "too slow"}, true, "trouble", "too slow"},
		{running, studio.Reception{Text: "no answer"}, true, "unknown", "no answer"},
		{running, studio.Reception{}, true, "waiting", ""},
		{running, studio.Reception{}, false, "unknown", ""},
		{&relay.DestinationStatus{State: relay.Retrying}, studio.Reception{Known: true, Good: true, Text: "shown"}, true, "gone", ""},
	} {
		w := wayOf(&studio.Way{Destination: videobook.Destination{Enabled: true}, Status: tt.status, Received: tt.says, Asked: tt.asked}, &relay.StreamStatus{}, 0, 1)
		if w.Received.State != tt.state || w.Received.Says != tt.text {
			t.Errorf("%+v: lamp %+v", tt, w.Received)
		}
	}
}

// What can be done about a pasted key is said; a connected channel's key is not in its owner's hands.
func TestHints(t *testing.T) {
	rejected := &relay.DestinationStatus{State: relay.Retrying, Reason: relay.KeyRejected, Error: "no"}
	for account, want := range map[string]bool{"": true, "twitch/1": false} {
		w := wayOf(&studio.Way{Destination: videobook.Destination{Enabled: true, Account: account}, Status: rejected}, nil, 0, 1)
		if w.Word != "key rejected" || (w.Hint != "") != want {
			t.Errorf("account %q: %+v", account, w)
		}
	}
	for server, want := range map[string]bool{
		"rtmp://127.0.0.1:1935/live": true, "rtmp://localhost:1935/live": true, "rtmp://[::1]:1935/live": true, "rtmp://192.0.2.1:1935/live": false, "rtmp://shop.example:1935/live": false, "": false,
	} {
		if near(server) != want {
			t.Errorf("near(%q) is %v", server, !want)
		}
	}
}
