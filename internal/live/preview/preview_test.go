package preview

import (
	"slices"
	"testing"

	"hawker/commerce"
	"hawker/rules"
)

func TestOf(t *testing.T) {
	l := commerce.Lineup{Items: []commerce.Item{{Number: 12, Product: commerce.Product{Title: "Mug", Variants: []commerce.Variant{{ID: 1}}}}}}
	var lines []Line
	for _, text := range []string{"!buy 12", "sold 12", "hello", "+1", "mine", "is 12 sold?", "12"} {
		lines = append(lines, Line{Text: text, Context: rules.Context{OnAir: 12}})
	}
	lines = append(lines, Line{Text: "sold 12", Context: rules.Context{Mute: true}})
	p := Of(lines, l, rules.Options{}, commerce.Styles{Boutique: true})
	if p.Lines != 8 || p.Claims != 2 || !slices.Equal(p.Examples, []string{"mine", "sold 12"}) {
		t.Errorf("boutique: %+v", p)
	}
	if p := Of(lines, l, rules.Options{}, commerce.Styles{Boutique: true, Plus: true, NumberOnly: true}); p.Claims != 4 {
		t.Errorf("all: %+v", p)
	}
	if l.Styles = (commerce.Styles{Boutique: true}); Of(lines, l, rules.Options{}, l.Styles).Claims != 0 {
		t.Error("what is a claim already counts as one more")
	}
	for range 20 {
		lines = append(lines, Line{Text: "12", Context: rules.Context{}})
	}
	if p := Of(lines, l, rules.Options{}, commerce.Styles{NumberOnly: true}); p.Claims != 21 || len(p.Examples) != 5 {
		t.Errorf("%+v", p)
	}
}
