package sqldb

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"hawker/commerce"
	"hawker/internal/sqldb/videobook"
)

// A show has a stream key for its encoder and one for a second; each opens that show alone, and a new one voids the former.
func TestStreamKeys(t *testing.T) {
	onBoth(t, func(t *testing.T, db *DB) {
		ctx, b, id, other := t.Context(), db.Videobook(), merchant(t, db, "a"), merchant(t, db, "b")
		ok(t, b.PutKey(ctx, id, 100, "first-encoder-key", false))
		if _, err := b.IngestOf(ctx, id, 100, true); !IsNotFound(err) {
			t.Errorf("the key of a second encoder that was never made: %v", err)
		}
		ok(t, b.PutKey(ctx, id, 100, "second-encoder-old", true))
		ok(t, b.PutKey(ctx, id, 100, "second-encoder-key", true))
		for key, want := range map[string]videobook.Owner{"first-encoder-key": {Merchant: id, Show: 100}, "second-encoder-key": {Merchant: id, Show: 100, Backup: true}} {
			equal(t, key, must[videobook.Owner](t)(b.OwnerOf(ctx, key)), want)
		}
		if _, err := b.OwnerOf(ctx, "second-encoder-old"); !IsNotFound(err) {
			t.Errorf("the former key opens: %v", err)
		}
		if err := b.PutKey(ctx, other, 7, "second-encoder-key", true); !errors.Is(err, ErrTaken) {
			t.Errorf("a key of two shops: %v", err)
		}
		equal(t, "what is shown of it", must[Ingest](t)(b.IngestOf(ctx, id, 100, true)), Ingest{Show: 100, KeyTail: "-key"})
		ok(t, b.DropKey(ctx, id, 100, true))
		if _, err := b.OwnerOf(ctx, "second-encoder-key"); !IsNotFound(err) {
			t.Errorf("a key that was taken away opens: %v", err)
		}
	})
}

// Settings are the defaults until somebody chooses others; what the encoder sends stands beside them.
func TestVideoSettings(t *testing.T) {
	onBoth(t, func(t *testing.T, db *DB) {
		ctx, b, id := t.Context(), db.Videobook(), merchant(t, db, "a")
		equal(t, "defaults", must[videobook.Settings](t)(b.Settings(ctx, id, 100)), videobook.Settings{})
		ok(t, b.PutSeen(ctx, id, 100, videobook.Settings{Video: "H.264", Width: 1920, Height: 1080, Kbps: 5900}))
		want := videobook.Settings{UplinkKbps: 18000, AskHost: true, Grace: 5 * time.Minute, Clip: "back soon.mp4", NoRecord: true}
		ok(t, b.PutSettings(ctx, id, 100, want))
		want.Video, want.Width, want.Height, want.Kbps = "H.264", 1920, 1080, 5900
		equal(t, "settings", must[videobook.Settings](t)(b.Settings(ctx, id, 100)), want)
		ok(t, b.PutSeen(ctx, id, 100, videobook.Settings{Video: "HEVC", Width: 1280, Height: 720, Kbps: 4000}))
		want.Video, want.Width, want.Height, want.Kbps = "HEVC", 1280, 720, 4000
		equal(t, "settings", must[videobook.Settings](t)(b.Settings(ctx, id, 100)), want)
		equal(t, "of another show", must[videobook.Settings](t)(b.Settings(ctx, id, 101)), videobook.Settings{})
	})
}

// Destinations stay in the order that people gave them; each is changed under its own name; keys are kept as pasted.
func TestDestinations(t *testing.T) {
	onBoth(t, func(t *testing.T, db *DB) {
		ctx, b, id := t.Context(), db.Videobook(), merchant(t, db, "a")
		names := func() string {
			var out []string
			for _, d := range must[[]Destination](t)(b.Destinations(ctx, id, 100)) {
				out = append(out, d.Name)
			}
			return strings.Join(out, " ")
		}
		ids := map[string]commerce.ID{}
		for _, n := range []string{"Twitch", "Kick", "Mine"} {
			ids[n] = must[commerce.ID](t)(b.PutDestination(ctx, id, Destination{Show: 100, Name: n, Server: " rtmp://x/app/ ", Key: " a key?x=1 ", Enabled: true, Preset: strings.ToLower(n)}))
		}
		equal(t, "as pasted", must[[]Destination](t)(b.Destinations(ctx, id, 100))[1], Destination{
			ID: ids["Kick"], Show: 100, Name: "Kick", Server: " rtmp://x/app/ ", Key: " a key?x=1 ", Enabled: true, Preset: "kick", Position: 1,
		})
		ok(t, b.Move(ctx, id, 100, ids["Mine"], true))
		equal(t, "one up", names(), "Twitch Mine Kick")
		ok(t, b.Move(ctx, id, 100, ids["Twitch"], true)) // the first stays
		ok(t, b.Move(ctx, id, 100, ids["Twitch"], false))
		equal(t, "one down", names(), "Mine Twitch Kick")
		for name, err := range map[string]error{"of another show": b.Move(ctx, id, 101, ids["Twitch"], true), "that is not there": b.Move(ctx, id, 100, 5, true), "turned on": b.Enable(ctx, id, 5, true)} {
			if !IsNotFound(err) {
				t.Errorf("a destination %s: %v", name, err)
			}
		}
		d := Destination{ID: ids["Kick"], Show: 100, Name: "Kick 2", Server: "rtmps://y/app", Enabled: true}
		equal(t, "id", must[commerce.ID](t)(b.PutDestination(ctx, id, d)), ids["Kick"])
		d.Key, d.Position = " a key?x=1 ", 2
		equal(t, "under another name, with its key", must[[]Destination](t)(b.Destinations(ctx, id, 100))[2], d)
		d.Name = "Mine"
		if _, err := b.PutDestination(ctx, id, d); !errors.Is(err, ErrTaken) {
			t.Errorf("a name twice: %v", err)
		}
		ok(t, b.Enable(ctx, id, ids["Kick"], false))
		if got := must[[]Destination](t)(b.Destinations(ctx, id, 100))[2]; got.Enabled || got.Server != "rtmps://y/app" {
			t.Errorf("turned off: %v %v", got, got.Enabled)
		}
		d.Name, d.Account, d.Key, d.Server = "Kick 2", "twitch/1001", "", ""
		_ = must[commerce.ID](t)(b.PutDestination(ctx, id, d))
		if got := must[[]Destination](t)(b.Destinations(ctx, id, 100))[2]; got.Key != "" || got.Account != "twitch/1001" {
			t.Errorf("from a connected account: %v with a key of %d letters", got, len(got.Key))
		}
		for _, text := range []string{fmt.Sprintf("%v %+v %#v", d, d, Destination{Name: "n", Server: "rtmp://x/secret", Key: "secret"})} {
			if strings.Contains(text, "secret") {
				t.Errorf("a destination in words is %s", text)
			}
		}
		ok(t, b.DropDestination(ctx, id, ids["Twitch"]))
		equal(t, "one fewer", names(), "Mine Kick 2")
	})
}

// What an account gave for a stream is kept, sealed to its destination, until the stream is over.
func TestVideoSession(t *testing.T) {
	onBoth(t, func(t *testing.T, db *DB) {
		ctx, b, id := t.Context(), db.Videobook(), merchant(t, db, "a")
		one := must[commerce.ID](t)(b.PutDestination(ctx, id, Destination{Show: 100, Name: "a", Account: "twitch/1"}))
		two := must[commerce.ID](t)(b.PutDestination(ctx, id, Destination{Show: 100, Name: "b", Account: "youtube/2"}))
		if _, err := b.Session(ctx, id, one); !IsNotFound(err) {
			t.Errorf("before any stream: %v", err)
		}
		s := videobook.Session{Server: "rtmps://x/app", Key: "live_secret", Broadcast: "b1", Stream: "s1", Made: true, Opened: time.Now().UTC().Truncate(time.Millisecond)}
		ok(t, b.PutSession(ctx, id, one, &s))
		equal(t, "session", must[videobook.Session](t)(b.Session(ctx, id, one)), s)
		if text := fmt.Sprintf("%v %+v %#v", s, s, s); strings.Contains(text, "secret") {
			t.Errorf("a session in words is %s", text)
		}
		_, err := db.write.ExecContext(ctx, `UPDATE destinations SET session = (SELECT session FROM destinations WHERE destination_id = $1) WHERE destination_id = $2`, int64(one), int64(two))
		ok(t, err)
		if _, err := b.Session(ctx, id, two); err == nil {
			t.Error("a session opens at another destination")
		}
		ok(t, b.PutSession(ctx, id, one, nil))
		if _, err := b.Session(ctx, id, one); !IsNotFound(err) {
			t.Errorf("after the stream: %v", err)
		}
		if err := b.PutSession(ctx, id, 5, &s); !IsNotFound(err) {
			t.Errorf("of a destination that is gone: %v", err)
		}
		ok(t, b.PutSession(ctx, id, 5, nil))
	})
}
