package person

import (
	"slices"
	"testing"

	"pgregory.net/rapid"

	"hawker/commerce/undo"
	"hawker/internal/chat"
)

// Whatever was joined, parted and taken back: each viewer is among the accounts of one person, the one that Of says.
func TestAccounts(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var b Book
		var log undo.Log
		viewers := []chat.Viewer{{Platform: chat.Twitch, ID: "1"}, {Platform: chat.YouTube, ID: "a:b"}, {Platform: chat.Discord, ID: "1"}, {Platform: chat.Room, ID: ""}}
		kept := map[chat.Viewer]string{}
		for range rapid.IntRange(0, 12).Draw(t, "steps") {
			v := rapid.SampledFrom(viewers).Draw(t, "viewer")
			switch rapid.IntRange(0, 4).Draw(t, "step") {
			case 0:
				b.Join(&log, v, "")
			case 1:
				log.Back()
				for _, v := range viewers {
					if got := b.Of(v); got != kept[v] && kept[v] != "" {
						t.Fatalf("%v is %q, was %q", v, got, kept[v])
					}
				}
			case 2:
				log.Clear()
				for _, v := range viewers {
					kept[v] = b.Of(v)
				}
			default:
				b.Join(&log, v, b.Of(rapid.SampledFrom(viewers).Draw(t, "to")))
			}
			for _, v := range viewers {
				for _, w := range viewers {
					if got, want := slices.Contains(b.Accounts(b.Of(w)), v), b.Of(v) == b.Of(w); got != want {
						t.Fatalf("%v is an account of %v: %v, want %v", v, w, got, want)
					}
				}
			}
		}
	})
}

func TestNames(t *testing.T) {
	t.Parallel()
	var b Book
	var log undo.Log
	ana, yt := chat.Viewer{Platform: chat.Twitch, ID: "1", Name: "ana"}, chat.Viewer{Platform: chat.YouTube, ID: "2", Name: "Ana"}
	b.Join(&log, yt, b.Of(ana))
	yt.Name = "Ana R"
	if !b.Joined(yt) || b.Joined(ana) || b.Of(yt) != "twitch:1" || len(b.Accounts("twitch:1")) != 2 {
		t.Errorf("%v, %v, %q, %v", b.Joined(yt), b.Joined(ana), b.Of(yt), b.Accounts("twitch:1"))
	}
}
