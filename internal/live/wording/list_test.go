package wording

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"hawker/commerce"
	"hawker/internal/lang"
)

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
