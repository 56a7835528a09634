package wording

import (
	"strings"
	"testing"
	"time"

	"hawker/commerce"
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
	} {
		o := base
		o.What, o.Reason = tt.what, tt.why
		if got := v.Sentence(&o, "L", Long); got != tt.want {
			t.Errorf("%s %s: %q, want %q", tt.what, tt.why, got, tt.want)
		}
	}
	for _, r := range []commerce.Reason{commerce.NeedsVariant, commerce.NeedsItem, commerce.UnknownItem, commerce.NotOnSale, commerce.Paused, commerce.Ended, commerce.Passed, commerce.NothingHeld} {
		o := base
		o.Reason, o.Choices = r, []string{"S", "M"}
		if got := v.Sentence(&o, "L", Long); got == v.Lang.Unclear || strings.Contains(got, "{") {
			t.Errorf("%s: %q", r, got)
		}
	}
}
