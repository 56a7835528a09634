package setup

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"hawker/commerce"
	"hawker/internal/chat"
	"hawker/internal/plain"
	"hawker/internal/sqldb"
	"hawker/rules/rule"
)

// oddTexts are what people type into fields and YAML reads as something else.
func oddTexts() []string {
	return []string{
		"plain", "with blank", "it's", `say "hi"`, `back\slash`, "a: b", "a #b", "#a", "- a", "-", "? a", "! a", "&a", "*a", "%a", "@a", "`a`", "|", ">", "{user}", "[a]", "a,b", "a, b",
		"yes", "No", "null", "~", "true", "1", "1.5", "0x1f", "1e3", ".inf", "12:30", "2026-01-01", "a:", ":a", "=", "<<", "é", "陶器", "👨‍👩‍👧", "a  b", "a]b", "a}b", "'", `"`, "''",
	}
}

// TestExportQuotes: what was typed comes back, whatever it looks like.
func TestExportQuotes(t *testing.T) {
	for _, s := range oddTexts() {
		testExport(t, s, s)
	}
}

// FuzzExport: the same for all texts that a file may hold.
func FuzzExport(f *testing.F) {
	for _, s := range oddTexts() {
		f.Add(s, "x"+s)
	}
	f.Fuzz(func(t *testing.T, a, b string) { testExport(t, a, b) })
}

// testExport writes a merchant whose names and texts are a and b, reads that, and compares.
func testExport(t *testing.T, a, b string) {
	t.Helper()
	for _, s := range []*string{&a, &b} {
		if *s = strings.TrimSpace(*s); *s == "" || !utf8.ValidString(*s) || strings.ContainsFunc(*s, plain.Unprintable) || utf8.RuneCountInString(*s) > 60 {
			return
		}
	}
	if a == b {
		b += " 2"
	}
	braces := strings.NewReplacer("{", "{{", "}", "}}")
	mug := commerce.Product{ID: 1, Title: a, Image: "https://example.com/", Variants: []commerce.Variant{{ID: 2, SKU: a, Price: commerce.Money{Minor: 1999, Currency: "EUR"}}}}
	tee := commerce.Product{ID: 3, Title: b, Options: []string{a, b}, Variants: []commerce.Variant{{ID: 4, SKU: b, Options: []string{b, a}, Price: commerce.Money{Minor: 5, Currency: "EUR"}}}}
	w := &world{
		merchant: sqldb.Merchant{ID: 9, Slug: "ana", Name: a, Currency: "EUR", Timezone: "UTC", Language: "en"},
		store:    sqldb.Store{Kind: "own", Holds: commerce.HoldsDraft},
		channels: []sqldb.Channel{{Channel: chat.Channel{Platform: chat.Twitch, ID: "1"}, Name: b, Owner: "1"}},
		products: []commerce.Product{mug, tee},
		shows: []commerce.Show{{ID: 7, Name: "spring", Title: b, State: commerce.ShowLive, Hold: 90 * time.Second, Lineup: commerce.Lineup{Items: []commerce.Item{
			{Number: 1, Product: mug, Cap: 2}, {Number: 2, Product: tee, Closed: true},
		}}}},
		rules: []rule.Rule{{Name: a, When: rule.When{Event: rule.OrderPaid}, Then: []rule.Action{{Do: rule.ShoutOut, Text: braces.Replace(a)}, {Do: rule.Say, Text: braces.Replace(b)}}}},
		marks: marks{},
	}
	out, err := (&export{w: w}).file()
	if err != nil {
		t.Fatal(err)
	}
	f, err := Parse(out)
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	p := f.store.products
	got := []string{
		f.merchant.name.v, p[0].title.v, p[0].sku.v, p[1].title.v, p[1].options[0].v, p[1].options[1].v, p[1].variants[0].sku.v, p[1].variants[0].options[0],
		p[1].variants[0].options[1], f.channels[0].name.v, f.shows[0].title.v, f.shows[0].lineup[0].sku.v, f.shows[0].lineup[1].sku.v,
		f.rules[0].rule.Name, f.rules[0].rule.Then[0].Text, f.rules[0].rule.Then[1].Text,
	}
	want := []string{a, a, a, b, a, b, b, b, a, b, b, a, b, a, braces.Replace(a), braces.Replace(b)}
	for i := range want {
		if got[i] != want[i] {
			t.Fatalf("text %d came back as %q, was %q\n%s", i, got[i], want[i], out)
		}
	}
	if s := f.shows[0]; !s.live.v || s.hold.v != 90*time.Second || p[0].variants[0].price.v != "19.99" || p[1].variants[0].price.v != "0.05" || !s.lineup[1].closed.v {
		t.Fatalf("%+v came back from\n%s", s, out)
	}
}

func TestLasting(t *testing.T) {
	for d, want := range map[time.Duration]string{0: "", time.Minute: "1m", 90 * time.Second: "1m30s", 10 * time.Minute: "10m", time.Hour: "1h", 100 * time.Minute: "1h40m", 168 * time.Hour: "168h"} {
		if got := lasting(d); got != want {
			t.Errorf("lasting(%v) = %q, want %q", d, got, want)
		}
	}
}

// TestExportOfNobody: there is nothing to write.
func TestExportOfNobody(t *testing.T) {
	h := newHouse(t)
	if _, err := h.Export(t.Context(), 12345); !sqldb.IsNotFound(err) {
		t.Errorf("got %v", err)
	}
}
