package web_test

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"hawker/commerce"
	"hawker/internal/chat"
	"hawker/internal/seal"
	"hawker/internal/sqldb"
	"hawker/internal/sqldb/videobook"
	"hawker/internal/studio"
	"hawker/relay"
)

// carrier stands in for the relay: it says what a test gave it and notes what it is asked to do.
type carrier struct{ h *house }

func (c carrier) Status() []relay.StreamStatus {
	c.h.mu.Lock()
	defer c.h.mu.Unlock()
	return slices.Clone(c.h.relay)
}

func (c carrier) note(id string, what ...any) error {
	c.h.mu.Lock()
	defer c.h.mu.Unlock()
	if !slices.ContainsFunc(c.h.relay, func(s relay.StreamStatus) bool { return s.ID == id }) {
		return relay.ErrNoStream
	}
	c.h.did = append(c.h.did, strings.TrimSuffix(fmt.Sprintln(what...), "\n"))
	return nil
}

func (c carrier) Set(id string, all []relay.Destination) error {
	var names []string
	for _, d := range all {
		names = append(names, d.Name)
	}
	return c.note(id, "set", strings.Join(names, ","))
}

func (c carrier) Tune(id string, x relay.Config) error {
	return c.note(id, "tune", x.UplinkKbps, x.Grace, x.AskHost)
}

func (c carrier) Cut(id string) error {
	err := c.note(id, "cut")
	if err == nil {
		c.h.streams(func(s *relay.StreamStatus) {
			s.Cut, s.Slate, s.Ingest.Connected, s.Ingest.Since = true, true, false, time.Now()
		})
	}
	return err
}

func (c carrier) Slate(id string, on bool) error {
	err := c.note(id, "slate", on)
	if err == nil {
		c.h.streams(func(s *relay.StreamStatus) { s.Covered, s.Slate = on, on })
	}
	return err
}

func (c carrier) Use(id string, backup bool) error { return c.note(id, "use", backup) }
func (c carrier) Admit(id string) error            { return c.note(id, "admit") }

// streams changes what the relay says of all streams.
func (h *house) streams(f func(*relay.StreamStatus)) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.relay = slices.Clone(h.relay)
	for i := range h.relay {
		h.relay[i].Destinations = slices.Clone(h.relay[i].Destinations)
		f(&h.relay[i])
	}
}

// asked says whether the relay was asked to do something, and forgets it.
func (h *house) asked(what string) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	ok := slices.Contains(h.did, what)
	h.did = nil
	return ok
}

// platforms are Twitch, whose owner has not allowed everything, and YouTube, which has.
func platforms() map[chat.Platform]studio.Platform {
	given := func(context.Context, commerce.ID, string, studio.Show, videobook.Session) (videobook.Session, error) {
		return videobook.Session{Server: "rtmps://given.example/app", Key: "given-secret", Broadcast: "b1"}, nil
	}
	watch := func(ctx context.Context, _ commerce.ID, _ string, _ videobook.Session, tell func(studio.Reception)) error {
		tell(studio.Reception{Known: true, Good: true, Text: "YouTube shows it."})
		<-ctx.Done()
		return nil
	}
	return map[chat.Platform]studio.Platform{
		chat.Twitch: {Open: given, Watch: watch, Needs: func(context.Context, commerce.ID, string) (string, error) {
			return "Twitch has to be asked once more whether hawker may read the channel's stream key.", nil
		}},
		chat.YouTube: {Open: given, Watch: watch},
	}
}

// carries makes a show's video look live, with something of everything.
func (h *house) carries(merchant, show commerce.ID) (ids []string) {
	h.t.Helper()
	ctx, book := h.t.Context(), h.db.Videobook()
	h.must(h.db.PutChannel(ctx, merchant, sqldb.Channel{Channel: twitchChannel(), Name: "ana", Bot: "2002", Owner: "1001"}))
	h.must(book.PutKey(ctx, merchant, show, "abcdefghijklmnopqrstuvwxyz", false))
	h.must(book.PutKey(ctx, merchant, show, "zyxwvutsrqponmlkjihgfedcba", true))
	h.must(book.PutSettings(ctx, merchant, show, videobook.Settings{UplinkKbps: 9000}))
	for _, d := range []videobook.Destination{
		{Name: "Twitch", Server: "rtmps://ingest.global-contribute.live-video.net:443/app", Key: "live_secret_1", Preset: "twitch"},
		{Name: "YouTube", Account: "youtube/UCana", Preset: "youtube"},
		{Name: "Kick", Server: "rtmps://abc.global-contribute.live-video.net/app", Key: "sk_secret_2", Preset: "kick"},
		{Name: "Facebook", Server: "rtmps://live-api-s.facebook.com:443/rtmp/", Key: "FB-secret-3", Preset: "facebook"},
		{Name: "My server", Server: "rtmp://video.example.com/live/secret-4"},
	} {
		d.Show, d.Enabled = show, d.Name != "My server"
		id, err := book.PutDestination(ctx, merchant, d)
		h.must(err)
		ids = append(ids, id.String())
	}
	_, _, err := h.studio.Config(ctx, "abcdefghijklmnopqrstuvwxyz") // as the relay asks when the encoder comes
	h.must(err)
	all := []relay.StreamStatus{{
		ID: show.String(), Uptime: time.Minute, Line: "Your line carries 9 of 18 Mbit/s.", LineCarries: 9000, LineOf: 18000,
		Ingest: relay.IngestStatus{
			Connected: true, Encoder: "obs-studio 30.2", Kbps: 6080, Video: "H.264", Audio: "AAC", Width: 1920, Height: 1080, FPS: 30, TrueFPS: 29.97, KeyframeEvery: 5 * time.Second,
			AudioRate: 48000, HasAudio: true, Warnings: []relay.Warning{{Code: "keyframes", Text: "A keyframe comes every 5 s: set the keyframe interval to 2 s in the encoder."}},
		},
		Backup:   &relay.IngestStatus{Connected: true, Encoder: "ffmpeg", Video: "H.264"},
		Knocking: &relay.IngestStatus{Connected: true, Encoder: "<b>Larix</b>"},
		Destinations: []relay.DestinationStatus{
			{ID: ids[0], Name: "Twitch", State: relay.Live, Sending: true, Kbps: 6080, Queue: 240 * time.Millisecond, Groups: 2, Reconnects: 1, Warnings: []relay.Warning{{Text: "Twitch takes up to 6320 kbit/s, the encoder sends 6800."}}},
			{ID: ids[1], Name: "YouTube", State: relay.Live, Sending: true, Kbps: 6070},
			{ID: ids[2], Name: "Kick", State: relay.Retrying, Reason: relay.KeyRejected, Error: "The platform rejected the stream key."},
			{ID: ids[3], Name: "Facebook", State: relay.LeftOut, Reason: relay.Line, Error: "Your line carries 9 of 18 Mbit/s. This destination is left out so that the others run smoothly."},
		},
	}}
	h.mu.Lock()
	h.relay = all
	h.mu.Unlock()
	h.studio.Event(merchant, show, relay.Event{Kind: relay.StreamStarted, Stream: show.String(), At: time.Now()})
	for range 2000 {
		if to, err := h.studio.Targets(ctx, merchant, show); err == nil && len(to) == 4 {
			return ids
		}
		time.Sleep(5 * time.Millisecond)
	}
	h.t.Fatal("the connected channel gives no key")
	return nil
}

// noSecrets fails the test where a page names a key.
func noSecrets(t *testing.T, what, body string) {
	t.Helper()
	for _, s := range []string{"live_secret_1", "sk_secret_2", "FB-secret-3", "secret-4", "given-secret", "abcdefghijklmnopqrstuvwxyz", "zyxwvutsrqponmlkjihgfedcba"} {
		if strings.Contains(body, s) {
			t.Errorf("%s names a key", what)
		}
	}
}

// videoPages keeps the pages of a show's video: with nothing, and with something of everything.
func (h *house) videoPages(merchant, planned, show commerce.ID, c *client, keep func(string, answer, int)) {
	h.t.Helper()
	keep("video-empty", c.get("/shows/"+planned.String()+"/video"), http.StatusOK)
	ids := h.carries(merchant, show)
	at := "/shows/" + show.String() + "/video"
	for range 2000 { // the platform is asked in a goroutine of its own
		if strings.Contains(c.get(at).body, "YouTube shows it.") {
			break
		}
		time.Sleep(5 * time.Millisecond)
	}
	keep("video-video", c.get(at), http.StatusOK)
	keep("video-choose", c.get(at+"/to"), http.StatusOK)
	keep("video-form", c.get(at+"/to/new?preset=youtube"), http.StatusOK)
	keep("video-form-edit", c.get(at+"/to/"+ids[2]), http.StatusOK)
	keep("video-form-account", c.get(at+"/to/new?account=twitch/1001"), http.StatusOK)
	keep("video-form-wrong", c.post(at+"/to/new", "preset", "custom", "name", "<script>alert(1)</script>", "server", "https://x", "key", ""), http.StatusUnprocessableEntity)
	other, err := h.db.PutMerchant(h.t.Context(), sqldb.Merchant{Slug: "new", Name: "New", Currency: "EUR", Timezone: "UTC", Language: "en"})
	h.must(err)
	member, err := h.db.PutMember(h.t.Context(), sqldb.Member{Merchant: other, Email: "new@example.test", Role: "owner"})
	h.must(err)
	h.must(h.hub.Serve(h.t.Context(), other))
	t := seal.NewToken()
	h.must(h.db.PutSession(h.t.Context(), t, sqldb.Member{Merchant: other, ID: member}, farAway()))
	first := h.client()
	cookies(first, t.Reveal())
	keep("video-none", first.get("/video"), http.StatusOK)
}
