package wording

import (
	"strings"
	"testing"
	"time"

	"hawker/commerce"
	"hawker/internal/chat"
	"hawker/internal/lang"
)

func TestSentences(t *testing.T) {
	v := Teller{Lang: lang.For("en"), Zone: time.UTC}
	due := time.Now().Add(commerce.SeeAnswer + 10*time.Minute)
	until := v.Clock(due)
	base := commerce.Outcome{What: commerce.Claimed, Show: 7, Number: 3, Title: "Mug", Label: "Blue", Wanted: 2, Holding: 2, Due: due, Cap: 2, Place: 4, Waiting: 1}
	for _, tt := range []struct {
		what commerce.What
		why  commerce.Reason
		want string
	}{
		{commerce.Claimed, commerce.Held, "#3 Mug Blue x2 held 10 min, until " + until + ". Pay: L"},
		{commerce.Claimed, commerce.PartlyHeld, "#3 Mug Blue: 2 held 10 min, until " + until + "; 1 more in line, place 4. Pay: L"},
		{commerce.Claimed, commerce.Waitlisted, "#3 Mug Blue: all held just now. You are number 4 in line."},
		{commerce.Claimed, commerce.Capped, "#3 Mug: the limit is 2 each, and that is what you have."},
		{commerce.Claimed, commerce.SoldOut, "#3 Mug is sold out. In case one comes back: !wait 3"},
		{commerce.Claimed, commerce.Changed, "#3 Mug Blue: 2 held now, until " + until + ". Pay: L"},
		{commerce.Promoted, commerce.Held, "Your turn! #3 Mug Blue x2 held 10 min, until " + until + ". Pay: L"},
		{commerce.Claimed, commerce.Offered, "#3 Mug Blue x2: nothing is set aside. First paid, first served. Pay: L"},
		{commerce.Reminded, "", "#3 Mug Blue x2 is held until " + until + ", 11 min more. Pay: L"},
		{commerce.Extended, "", "#3 Mug Blue x2 is held for you, 10 min from now, until " + until + ". Pay: L"},
		{commerce.Claimed, commerce.NeedsVariant, "#3 Mug: which one? S / Red, S / Blue, M / Red. For example: !buy 3 S Red. Choose: L"},
	} {
		o := base
		o.What, o.Reason, o.Choices = tt.what, tt.why, []string{"S / Red", "S / Blue", "M / Red"}
		if got := v.Sentence(&o, "L", Long); got != tt.want {
			t.Errorf("%s %s: %q, want %q", tt.what, tt.why, got, tt.want)
		}
	}
	for _, tt := range []struct { // what is only offered is not told as held
		why             commerce.Reason
		holding, offers int
		want            string
	}{
		{commerce.Offered, 4, 3, "#3 Mug Blue x3: nothing is set aside. First paid, first served. Pay: L"},
		{commerce.Changed, 3, 2, "#3 Mug Blue: 1 held now, until " + until + ". Pay: L"},
		{commerce.Changed, 2, 2, "#3 Mug Blue x2: nothing is set aside. First paid, first served. Pay: L"},
		{commerce.Held, 3, 1, "#3 Mug Blue x2 held 10 min, until " + until + ". Pay: L"},
	} {
		o := base
		o.Reason, o.Holding, o.Offers = tt.why, tt.holding, tt.offers
		if got := v.Sentence(&o, "L", Long); got != tt.want {
			t.Errorf("%s, %d of %d offered: %q, want %q", tt.why, tt.offers, tt.holding, got, tt.want)
		}
	}
	v.PayOnce = true
	for _, tt := range []struct {
		what commerce.What
		why  commerce.Reason
		want string
	}{
		{commerce.Claimed, commerce.Held, "#3 Mug Blue x2 held. You pay once, after the show. Details: L"},
		{commerce.Claimed, commerce.PartlyHeld, "#3 Mug Blue: 2 held, 1 more in line, place 4. You pay once, after the show. Details: L"},
		{commerce.Claimed, commerce.Changed, "#3 Mug Blue x2 held. You pay once, after the show. Details: L"},
		{commerce.Promoted, commerce.Held, "Your turn! #3 Mug Blue x2 held. You pay once, after the show. Details: L"},
		{commerce.Claimed, commerce.SoldOut, "#3 Mug is sold out. In case one comes back: !wait 3"},
	} {
		o := base
		o.What, o.Reason = tt.what, tt.why
		if got := v.Sentence(&o, "L", Long); got != tt.want {
			t.Errorf("paid once, %s %s: %q, want %q", tt.what, tt.why, got, tt.want)
		}
	}
	v.PayOnce = false
	for _, r := range []commerce.Reason{commerce.NeedsVariant, commerce.NeedsItem, commerce.UnknownItem, commerce.NotOnSale, commerce.Paused, commerce.Ended, commerce.Passed, commerce.NothingHeld} {
		o := base
		o.Reason, o.Choices = r, []string{"S", "M"}
		if got := v.Sentence(&o, "L", Long); got == v.Lang.Unclear || strings.Contains(got, "{") {
			t.Errorf("%s: %q", r, got)
		}
	}
}

// Reminders, offers and holds that are paid after the show stand in a line with others.
func TestJoinedOfAllKinds(t *testing.T) {
	v := Teller{Lang: lang.For("en"), Zone: time.UTC}
	due := time.Now().Add(2 * time.Minute)
	var outs []*commerce.Outcome
	for i, w := range []commerce.What{commerce.Reminded, commerce.Reminded, commerce.Claimed, commerce.Extended} {
		o := &commerce.Outcome{What: w, Number: 3, Title: "Mug", Due: due, Viewer: chat.Viewer{Name: string(rune('a' + i))}}
		if w == commerce.Claimed {
			o.Reason = commerce.Offered
		}
		outs = append(outs, o)
	}
	want := "#3 Mug held 2 min more: a, b. #3 Mug, first paid, first served: c. #3 Mug held 2 min: d. Pay and details: L"
	if got := v.Joined(outs, "L"); got != want {
		t.Errorf("%q, want %q", got, want)
	}
	v.PayOnce = true
	if got, want := v.Joined(outs[3:], "L"), "#3 Mug held, paid once after the show: d. Pay and details: L"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestLabel(t *testing.T) {
	l := lang.For("en")
	for link, want := range map[string]string{
		"https://x.example/c/abc": "Your receipt", "https://x.example/c/abc?own=def": "Your receipt", "https://x.example/live/item=3": "To the show",
		"https://x.example/c/abc?own=def&item=3": "Choose", "https://x.example/live/spring?item=": "Choose",
	} {
		if got := Label(l, link, "https://x.example"); got != want {
			t.Errorf("%s: %q, want %q", link, got, want)
		}
	}
}
