package wording

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"hawker/commerce"
	"hawker/internal/lang"
)

// The link behind a list says what it is for: who only waits in line, or pays after the show, has nothing to pay there now.
func TestMineLeads(t *testing.T) {
	v := Teller{Lang: lang.For("en"), Zone: time.UTC}
	held := commerce.HoldView{Hold: commerce.Hold{Number: 3, Quantity: 1, State: commerce.StateHeld, Due: time.Now().Add(time.Hour)}, Title: "Mug"}
	offered := held
	offered.State = commerce.StateOffered
	waits := []commerce.PlaceView{{Place: commerce.Place{Number: 6, Quantity: 1}, Title: "Vase", Position: 2}}
	for _, tt := range []struct {
		once bool
		mine commerce.ReceiptView
		want string
	}{
		{false, commerce.ReceiptView{Holds: []commerce.HoldView{held}, Places: waits}, " Pay: {link}"},
		{false, commerce.ReceiptView{Places: waits}, " Details: {link}"},
		{true, commerce.ReceiptView{Holds: []commerce.HoldView{held}}, " Details: {link}"},
		{true, commerce.ReceiptView{Holds: []commerce.HoldView{held, offered}}, " Pay: {link}"},
	} {
		v.PayOnce = tt.once
		if got := v.Mine(&tt.mine, time.Now(), 0); !strings.HasSuffix(got, "."+tt.want) {
			t.Errorf("%+v is told as %q", tt, got)
		}
	}
}

// What asks which variant is meant has room for its link where lines are short, whatever the item is called.
func TestChoicesFit(t *testing.T) {
	for _, code := range lang.Languages() {
		v := Teller{Lang: lang.For(code), Zone: time.UTC}
		o := commerce.Outcome{What: commerce.Claimed, Reason: commerce.NeedsVariant, Number: 7, Title: "A mug with a name that is far too long"}
		for _, size := range []string{"Small", "Medium", "Large"} {
			for _, colour := range []string{"Oat", "Sea", "Ink"} {
				o.Choices = append(o.Choices, size+" / "+colour)
			}
		}
		link := "https://shop.example/live/spring?item=7"
		got := v.Sentence(&o, link, Short)
		if n := utf8.RuneCountInString(got); n > 180 || !strings.HasSuffix(got, link) || !strings.Contains(got, "!buy 7 Small Oat") {
			t.Errorf("%s: %q has %d", code, got, n)
		}
	}
}

// A list for a platform with short lines leaves its last ones out, never its link.
func TestListsFit(t *testing.T) {
	for _, code := range lang.Languages() {
		v := Teller{Lang: lang.For(code), Zone: time.UTC}
		var show commerce.ShowView
		var mine commerce.ReceiptView
		for n := range 6 {
			title := "A bowl with a name that is far too long"
			show.Items = append(show.Items, commerce.ItemView{Item: commerce.Item{Number: n + 1, Product: commerce.Product{Title: title}}, Free: 50})
			mine.Holds = append(mine.Holds, commerce.HoldView{Hold: commerce.Hold{Number: n + 1, Quantity: 2, State: commerce.StateHeld, Due: time.Now().Add(time.Hour)}, Title: title, Label: "Ink"})
		}
		for _, limit := range []int{0, 60, 160, 500} {
			for name, text := range map[string]string{"shop": v.Shop(&show, limit), "me": v.Mine(&mine, time.Now(), limit)} {
				if !strings.HasSuffix(text, "{link}") {
					t.Errorf("%s %s at %d: %q has lost its link", code, name, limit, text)
				}
				if n := utf8.RuneCountInString(text) - len("{link}"); limit > 60 && n > limit {
					t.Errorf("%s %s at %d: %q has %d", code, name, limit, text, n)
				}
				if limit == 60 && strings.Count(text, "#") != 1 {
					t.Errorf("%s %s at %d: %q; want one", code, name, limit, text)
				}
			}
		}
	}
}
