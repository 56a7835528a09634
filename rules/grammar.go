package rules

import (
	"fmt"
	"slices"
	"strings"

	"hawker/commerce"
	"hawker/rules/words"
)

// Options are what a merchant can change in the grammar. The zero value is the grammar as documented, in English.
type Options struct {
	// Language of the show: en, de, es or fr. Number words are read in it, question words in it and in English.
	Language string
	// Names gives a command other words, without sign: {"buy": {"kaufen", "buy"}}. A command that is not in it keeps its own.
	Names map[Name][]string
	// Custom are the words of the merchant's own commands (book.Book.Commands), without sign.
	Custom []string
	// Signs are the command signs; empty means "!".
	Signs string
	// Aliases are the shop's other words for variant values: {"anthracite": {"charcoal", "dark grey"}}.
	Aliases map[string][]string
	// Emotes are names of the channel's own emotes; like all emotes they are not read.
	Emotes []string
}

// Grammar reads lines over one lineup. It never changes after NewGrammar and may be used by many goroutines at once;
// a change of the lineup other than the item on air needs a new one.
type Grammar struct {
	styles   commerce.Styles
	lineup   bool
	signs    string
	commands map[string]entry
	words    map[string]word
	items    map[int]*itemWords
	codes    map[string]int
	// values are all option values and their aliases in the lineup, as one chunk of text.
	values map[string]bool
	// lexemes are words, codes and values together, for one look.
	lexemes map[string]lexeme
	marks   [256]mark
	glance  glance
	lines   chan *line // at rest, for their buffers; when it is empty another is made, when it is full one is dropped
}

// linesKept is how many lines at rest a grammar keeps: more are read at once only on a machine with more processors.
const linesKept = 16

type entry struct {
	name Name
	word string
}

// word is what a word may be, apart from a variant.
type word struct {
	class words.Class
	n     int8 // a number word's number
}

// lexeme is all that a part of a line may mean alone.
type lexeme struct {
	word  word
	known bool  // it is one of Grammar.words
	value bool  // it is one of Grammar.values
	code  int32 // the item whose code it is, 0 for none
}

// emote reports whether a word is nothing but an emote.
func (w word) emote() bool {
	return w.class.Has(words.Emote) && w.class&^(words.Emote|words.Cheer) == 0
}

func defaultNames() []struct {
	name  Name
	words []string
} {
	return []struct {
		name  Name
		words []string
	}{
		{Buy, []string{"buy", "sold", "mine"}},
		{Wait, []string{"wait"}},
		{Pass, []string{"pass", "cancel"}},
		{Less, []string{"less"}},
		{More, []string{"more"}},
		{Cart, []string{"cart", "link"}},
		{Me, []string{"me", "hold"}},
		{Shop, []string{"shop", "items"}},
		{Item, []string{"item", "price"}},
		{Why, []string{"why"}},
		{Order, []string{"order"}},
		{Connect, []string{"connect"}},
		{Forget, []string{"forget"}},
		{Help, []string{"help"}},
		{Next, []string{"next"}},
		{Air, []string{"air"}},
		{Off, []string{"off"}},
		{Stock, []string{"stock"}},
		{Close, []string{"close"}},
		{Open, []string{"open"}},
		{Pause, []string{"pause"}},
		{Resume, []string{"resume"}},
		{Release, []string{"release"}},
		{Block, []string{"block"}},
	}
}

// Check reports the first word that cannot be a command or stands for two.
func (o Options) Check() error {
	taken := map[string]Name{}
	known := map[Name]bool{}
	add := func(n Name, list []string) error {
		for _, w := range list {
			f := Fold(w)
			if f == "" || len(f) > 40 || strings.ContainsAny(f, " !/@#<>:?+,.\"'`") || f[0] >= '0' && f[0] <= '9' {
				return fmt.Errorf("command %q: want one word that begins with a letter", w)
			}
			if other, ok := taken[f]; ok && (other != n || n == Custom) {
				return fmt.Errorf("command %q: stands for %s already", w, other)
			}
			taken[f] = n
		}
		return nil
	}
	for _, d := range defaultNames() {
		known[d.name] = true
		list := d.words
		if own, ok := o.Names[d.name]; ok {
			list = own
		}
		if err := add(d.name, list); err != nil {
			return err
		}
	}
	for n := range o.Names {
		if !known[n] {
			return fmt.Errorf("command %q: no such command", string(n))
		}
	}
	return add(Custom, o.Custom)
}

// NewGrammar compiles a grammar over l, which it copies from; l may be nil where no show is live: commands are read
// then, and claims get the reason NotOnSale. Where Options.Check would complain, the first meaning of a word holds.
func NewGrammar(l *commerce.Lineup, o Options) *Grammar {
	g := &Grammar{
		lineup: l != nil, signs: o.Signs, commands: map[string]entry{}, words: map[string]word{}, items: map[int]*itemWords{},
		codes: map[string]int{}, values: map[string]bool{}, marks: newMarks(), lines: make(chan *line, linesKept),
	}
	if g.signs == "" {
		g.signs = "!"
	}
	g.addWords(o)
	name := func(n Name, list []string) {
		for _, w := range list {
			if f := Fold(w); f != "" {
				if _, ok := g.commands[f]; !ok {
					g.commands[f] = entry{n, f}
				}
			}
		}
	}
	for _, d := range defaultNames() {
		if own, ok := o.Names[d.name]; ok {
			d.words = own
		}
		name(d.name, d.words)
	}
	name(Custom, o.Custom)
	if l == nil {
		g.join()
		return g
	}
	g.styles = l.Styles
	aliases := words.Aliases(o.Aliases, Fold)
	for i := range l.Items {
		it := &l.Items[i]
		if _, ok := g.items[it.Number]; ok || it.Number < 1 {
			continue
		}
		w := newItemWords(it, aliases)
		g.items[it.Number] = w
		for k := range w.exact {
			g.values[k] = true
		}
		if c := Fold(strings.TrimSpace(it.Code)); c != "" && strings.Trim(c, "0123456789") != "" {
			if _, ok := g.codes[c]; !ok {
				g.codes[c] = it.Number
			}
		}
		for _, opt := range it.Product.Options {
			g.class(opt, words.Option, 0)
		}
	}
	g.join()
	return g
}

// join makes the lexemes of the words, codes and values.
func (g *Grammar) join() {
	g.lexemes = make(map[string]lexeme, len(g.words)+len(g.codes)+len(g.values))
	for k, w := range g.words {
		g.lexemes[k] = lexeme{word: w, known: true}
	}
	for k := range g.values {
		x := g.lexemes[k]
		x.value = true
		g.lexemes[k] = x
	}
	for k, n := range g.codes {
		x := g.lexemes[k]
		x.code = int32(n)
		g.lexemes[k] = x
	}
	g.newGlance()
}

func (g *Grammar) class(w string, c words.Class, n int8) {
	w = Fold(strings.TrimSpace(w))
	if w == "" || strings.Contains(w, " ") {
		return
	}
	old := g.words[w]
	old.class |= c
	if n > 0 {
		old.n = n
	}
	g.words[w] = old
}

func (g *Grammar) addWords(o Options) {
	langs := []string{"en"}
	if l := strings.ToLower(o.Language); l != "en" && l != "" {
		langs = append(langs, l)
	}
	for _, l := range langs {
		for c, list := range words.In(l) {
			for w := range strings.FieldsSeq(list) {
				g.class(w, c, 0)
			}
		}
	}
	for i, list := range words.Numbers(langs[len(langs)-1]) {
		for w := range strings.FieldsSeq(list) {
			g.class(w, words.Number, int8(i+1))
		}
	}
	for c, list := range words.Any() {
		for w := range strings.FieldsSeq(list) {
			g.class(w, c, 0)
		}
	}
	for _, e := range o.Emotes {
		g.class(e, words.Emote, 0)
	}
}

// itemWords is what the words of a line can mean for one item.
type itemWords struct {
	number int
	// plain means one variant without a choice.
	plain    bool
	sizes    bool // some value is a number
	longest  int  // words in the longest value
	exact    map[string]hit
	keys     []string // of exact, sorted
	variants []variantValues
}

type variantValues struct {
	id     commerce.ID
	values [maxOptions]int16
}

// maxOptions is how many options a product can have (Shopify: 3).
const maxOptions = 4

// hit is a value of an option; both count from 0. tie marks a word that stands for two values.
type hit struct {
	option, value int16
	tie           bool
}

// valueKey is a value as it is looked up: folded, hyphens and runs of blanks as one blank.
func valueKey(s string) string {
	return strings.Join(strings.Fields(strings.ReplaceAll(Fold(s), "-", " ")), " ")
}

func newItemWords(it *commerce.Item, aliases map[string][]string) *itemWords {
	w := &itemWords{number: it.Number, exact: map[string]hit{}}
	seen := [maxOptions]map[string]int16{}
	own := map[string]bool{}
	put := func(k string, h hit, alias bool) {
		if k == "" {
			return
		}
		old, ok := w.exact[k]
		switch {
		case !ok:
			w.exact[k] = h
		case old.option != h.option || old.value != h.value:
			// A value is stronger than another value's alias; two of a kind are a tie.
			if own[k] && alias {
				return
			}
			old.tie = true
			w.exact[k] = old
		}
		own[k] = own[k] || !alias
	}
	type todo struct {
		key string
		hit hit
	}
	var later []todo
	for i := range it.Product.Variants {
		v := &it.Product.Variants[i]
		vv := variantValues{id: v.ID}
		for o := range maxOptions {
			vv.values[o] = -1
			if o >= len(v.Options) {
				continue
			}
			k := valueKey(v.Options[o])
			if k == "default title" && len(it.Product.Variants) == 1 { // Shopify's name for a product without options
				continue
			}
			if seen[o] == nil {
				seen[o] = map[string]int16{}
			}
			n, ok := seen[o][k]
			if !ok {
				n = int16(len(seen[o]))
				seen[o][k] = n
				h := hit{option: int16(o), value: n}
				put(k, h, false)
				for _, a := range aliases[k] {
					later = append(later, todo{a, h})
				}
			}
			vv.values[o] = n
		}
		w.variants = append(w.variants, vv)
	}
	for _, t := range later {
		put(t.key, t.hit, true)
	}
	for k := range w.exact {
		w.keys = append(w.keys, k)
		w.longest = max(w.longest, strings.Count(k, " ")+1)
		w.sizes = w.sizes || k[0] >= '0' && k[0] <= '9' && strings.Trim(k, "0123456789.,") == ""
	}
	slices.Sort(w.keys)
	w.plain = len(w.variants) == 1 && len(w.exact) == 0
	return w
}
