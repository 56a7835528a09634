package rules

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"hawker/commerce"
	"hawker/rules/words"
)

// MaxQuantity is the largest amount a line can ask for (product rule).
const MaxQuantity = 9999

// Parse reads one line of a chat. The same text and Context give the same Command for ever. A line of ordinary talk
// costs no memory, unless it is written in letters that NFKC changes.
func (g *Grammar) Parse(text string, in Context) Command {
	if in.Mute {
		return talk(Chat)
	}
	if len(text) > maxBytes {
		text = text[:maxBytes]
	}
	if n := g.told(text); n != "" {
		return talk(n)
	}
	return g.parse(text, in)
}

// parse is Parse without a glance before it.
func (g *Grammar) parse(text string, in Context) Command {
	row := firstRow(text)
	if row == "" {
		return talk(Chat)
	}
	var l *line
	select {
	case l = <-g.lines:
	default:
		l = &line{}
	}
	c := l.read(g, in, row)
	l.in = Context{} // keeps nobody's names
	select {
	case g.lines <- l:
	default:
	}
	return c
}

// read reads a row of text. It uses the line's buffers again and keeps nothing else of what was read before.
func (l *line) read(g *Grammar, in Context, row string) Command {
	*l = line{g: g, in: in, t: l.t[:0], folder: l.folder, names: l.names}
	l.b = l.fold(row)
	l.scan()
	for i := range l.t {
		if l.t[i].kind == kCommand {
			if !l.placed(i) {
				return l.talk()
			}
			return sign(l.signed(i, row))
		}
	}
	if l.quotedOnly() || !g.lineup || len(l.t) == 0 {
		return l.talk()
	}
	if l.question {
		return talk(Question)
	}
	c, ok := l.keyword()
	if !ok {
		c, ok = l.plus()
	}
	if !ok {
		c, ok = l.numberOnly()
	}
	if !ok {
		return talk(Chat)
	}
	return sign(c)
}

func talk(n Name) Command {
	if n == Question {
		return Command{Name: Question, Reason: commerce.Question}
	}
	return Command{Name: Chat, Reason: commerce.Chat}
}

func (l *line) talk() Command {
	if l.question {
		return talk(Question)
	}
	return talk(Chat)
}

func (l *line) quotedOnly() bool { return l.quoted && len(l.t) == 1 }

// sign sets the signature: FNV-1a over what the command asks for and in which form.
func sign(c Command) Command {
	if c.Name == Chat || c.Name == Question {
		return c
	}
	h := uint64(14695981039346656037)
	mix := func(s string) {
		for i := range len(s) {
			h = (h ^ uint64(s[i])) * 1099511628211
		}
		h = (h ^ 0xff) * 1099511628211
	}
	num := func(n uint64) {
		for range 8 {
			h, n = (h^n&0xff)*1099511628211, n>>8
		}
	}
	mix(string(c.Name))
	mix(c.Arg)
	mix(c.Word)
	mix(string(c.Reason))
	num(uint64(c.Item))
	num(uint64(c.Variant))
	num(uint64(c.Quantity))
	if c.Add {
		num(1)
	}
	c.Signature = max(h, 1)
	return c
}

// placed reports whether the command at l.t[i] stands where commands stand: first or last, and before it nothing but
// parts of the claim and a mention of our bot or of the one replied to.
func (l *line) placed(i int) bool {
	parts := false
	for j := range i {
		t := &l.t[j]
		switch t.kind {
		case kMention, kSep:
		case kNumber, kDecimal, kCode, kAmount, kPlus:
			parts = true
		case kWord:
			if !l.g.values[string(l.text(t))] && !t.word.class.Has(words.Unit|words.Times|words.Qty|words.Of) {
				return false
			}
			parts = true
		default:
			return false
		}
	}
	for j := i + 1; parts && j < len(l.t); j++ {
		if t := &l.t[j]; t.kind != kSep && !(t.kind == kWord && t.word.class.Has(words.Courtesy)) {
			return false
		}
	}
	return true
}

func (l *line) text(t *token) []byte { return l.b[t.s:t.e] }

// signed reads a line with a command sign; its first command is l.t[i].
func (l *line) signed(i int, row string) Command {
	c := Command{Name: l.cmd.name, Style: ByCommand}
	if l.in.Tap {
		c.Style = ByTap
	}
	l.t[i].used = true
	second := false
	for j := i + 1; j < len(l.t); j++ {
		second = second || l.t[j].kind == kCommand
	}
	switch c.Name {
	case Connect, Release, Block, Custom:
		c.Arg = argument(row, l.g.signs)
		if c.Arg == "" && i+1 < len(l.t) {
			c.Arg = string(l.b[l.t[i+1].s:l.t[len(l.t)-1].e])
		}
		if c.Name == Custom {
			c.Word = l.cmd.word
		}
		return c
	case Buy, Wait, Pass, Less, More, Item, Air, Close, Open, Stock:
		if second {
			c.Quantity = min(1, quantities(c.Name))
			c.Reason = commerce.NeedsItem
			return c
		}
		return l.claim(c)
	}
	return c
}

// quantities is 1 for commands that carry an amount.
func quantities(n Name) int {
	switch n {
	case Buy, Wait, Less, More:
		return 1
	}
	return 0
}

// argument is what follows the first command word of a row, as typed, without invisible characters.
func argument(row, signs string) string {
	i := strings.IndexAny(row, signs)
	if i < 0 {
		if i = strings.IndexRune(row, '！'); i < 0 {
			return ""
		}
	}
	rest := row[i:]
	j := strings.IndexFunc(rest, unicode.IsSpace)
	if n := strings.TrimLeft(rest, signs); j >= 0 && j <= len(rest)-len(n) { // "! connect 482193"
		n = strings.TrimLeftFunc(n, unicode.IsSpace)
		rest = n
		j = strings.IndexFunc(rest, unicode.IsSpace)
	}
	if j < 0 {
		return ""
	}
	out := strings.TrimSpace(strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) {
			return ' '
		}
		if r == utf8.RuneError || unicode.IsControl(r) || unicode.Is(unicode.Cf, r) {
			return -1
		}
		return r
	}, rest[j:]))
	n := 0
	for k := range out {
		if n++; n > maxRunes {
			return strings.TrimSpace(out[:k])
		}
	}
	return out
}
