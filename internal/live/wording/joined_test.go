package wording

import (
	"fmt"
	"testing"
	"time"
	"unicode/utf8"

	"pgregory.net/rapid"

	"hawker/commerce"
	"hawker/internal/chat"
	"hawker/internal/lang"
)

// TestJoinedInFills has lines name as many people as there is room for, and no more.
func TestJoinedInFills(t *testing.T) {
	reasons := []commerce.Reason{commerce.Held, commerce.PartlyHeld, commerce.Waitlisted, commerce.SoldOut, commerce.Capped, commerce.Passed, commerce.Offered}
	rapid.Check(t, func(rt *rapid.T) {
		teller := &Teller{Lang: lang.For(rapid.SampledFrom([]string{"en", "de", "fr", "es"}).Draw(rt, "language"))}
		items := rapid.IntRange(1, 30).Draw(rt, "items")
		all := make([]*commerce.Outcome, rapid.IntRange(1, 60).Draw(rt, "outcomes"))
		for i := range all {
			number := rapid.IntRange(1, items).Draw(rt, "number")
			all[i] = &commerce.Outcome{
				What: commerce.Claimed, Reason: rapid.SampledFrom(reasons).Draw(rt, "reason"), Number: number, Title: fmt.Sprint("Thing ", number), Due: time.Now().Add(9*time.Minute + 30*time.Second),
				Viewer:  chat.Viewer{Platform: chat.Twitch, ID: fmt.Sprint(i), Name: rapid.SampledFrom([]string{"ana", "Zoë", "名前です", "a_very_long_name_indeed"}).Draw(rt, "name")},
				Holding: rapid.IntRange(1, 3).Draw(rt, "holding"), Waiting: rapid.IntRange(0, 2).Draw(rt, "waiting"), Place: i + 1,
			}
		}
		link, most := rapid.SampledFrom([]string{"", "https://shop.example/live/spring"}).Draw(rt, "link"), rapid.IntRange(20, 600).Draw(rt, "room")
		text, covered := teller.JoinedIn(all, link, most)
		if whole := teller.Joined(all[:covered], link); text != whole {
			rt.Fatalf("%d are covered by %q, which should be %q", covered, text, whole)
		}
		if n := utf8.RuneCountInString(text); n > most && covered > 1 {
			rt.Fatalf("%d code points, most %d: %q", n, most, text)
		}
		if covered < len(all) {
			if more := teller.Joined(all[:covered+1], link); utf8.RuneCountInString(more) <= most {
				rt.Fatalf("%d of %d are covered, and one more has room in %d: %q", covered, len(all), most, more)
			}
		}
	})
}
