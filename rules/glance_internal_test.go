package rules

import (
	"math/rand/v2"
	"strings"
	"testing"

	"hawker/commerce"
)

// glancers are grammars of all kinds.
func glancers() []*Grammar {
	var out []*Grammar
	for _, s := range []commerce.Styles{{}, {Boutique: true}, {Plus: true}, {NumberOnly: true}, allStyles()} {
		for _, language := range []string{"en", "de", "es", "fr"} {
			out = append(out, NewGrammar(shelf(s), Options{Language: language, Custom: []string{"echo"}, Emotes: []string{"hello", "größe"}}))
		}
	}
	return append(out, NewGrammar(nil, Options{}), NewGrammar(shelf(commerce.Styles{}), Options{Signs: "!.?"}))
}

// wrong is what the whole way makes of a text that a glance tells, where it is another thing; empty when it is right.
func wrong(g *Grammar, text string) string {
	n := g.told(text)
	if n == "" {
		return ""
	}
	for _, in := range []Context{{}, {OnAir: 12}, {OnAir: 3, Unsure: true}, {OnAir: 5, Reply: true, ReplyTo: "hawker", Tap: true}} {
		if c := g.parse(text, in); c != talk(n) {
			return "told as " + string(n) + ", and is " + string(c.Name)
		}
	}
	return ""
}

// A glance tells nothing that is not so.
func TestGlance(t *testing.T) {
	all := glancers()
	r := rand.New(rand.NewPCG(1, 2))
	parts := strings.Split(`!|!buy|!echo|buy|sold|mine|me|pass|next|12|3|x2|+1|A1|what|What|what?|ok?|lol?|12?|???|is|IS|are|how's|how|qué|QUÉ|cuánto|où|wo|wann|größe|hello|lol|Kappa|:)|<3|:heart:|@ana|@|nice|wow|can't|'|"|“|”|`+"`"+`|||~|(|)|[|*|_|.|,|?|¿|!!|$5|5€|#tag|example.com|http://|-|–|…|😂|❤|`+"\ufe0f|\u200d|\u0301"+`|さ|漢|Привет|é|ß|ÿ|÷|×|>|>:|`+"```"+`|/|\|=|`+"\n|\t|\u2028|\u200b|\x00|\xff", "|")
	glanced := 0
	for range 200_000 {
		var b strings.Builder
		for range 1 + r.IntN(6) {
			b.WriteString(parts[r.IntN(len(parts))])
			if r.IntN(3) > 0 {
				b.WriteByte(' ')
			}
		}
		g := all[r.IntN(len(all))]
		if text := b.String(); g.told(text) != "" {
			if glanced++; wrong(g, text) != "" {
				t.Fatalf("%q is %s", text, wrong(g, text))
			}
		}
	}
	if glanced < 10_000 {
		t.Errorf("only %d texts are told at a glance", glanced)
	}
	for _, c := range readCorpus(t) {
		for _, g := range all {
			if w := wrong(g, c.text); w != "" {
				t.Errorf("%q is %s", c.text, w)
			}
		}
	}
	plain := 0
	for _, s := range talkLines() {
		if all[0].told(s) != "" {
			plain++
		}
	}
	t.Logf("%d of %d lines of talk are told at a glance", plain, len(talkLines()))
}

func FuzzGlance(f *testing.F) {
	for _, c := range readCorpus(f) {
		f.Add(c.text)
	}
	for _, s := range talkLines() {
		f.Add(s)
	}
	all := glancers()
	f.Fuzz(func(t *testing.T, text string) {
		for _, g := range all {
			if w := wrong(g, text); w != "" {
				t.Fatalf("%q is %s", text, w)
			}
		}
	})
}
