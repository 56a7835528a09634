package rules

import (
	"bytes"
	"unicode"
	"unicode/utf8"

	"hawker/rules/words"
)

// kind says what a token of a line is.
type kind uint8

const (
	kOther   kind = iota // a word that is no part of any claim: an address, a mention, a price, a quotation
	kWord                // letters
	kNumber              // digits
	kDecimal             // 8.5
	kBroken              // digits joined by other signs: 3/4, 10:30
	kCode                // an item's code; n is the item
	kAmount              // x2, 2x, 2pcs
	kPlus
	kMinus // before a digit
	kSep   // a comma, point or the like
	kMention
	kCommand
)

// token is a part of a folded line.
type token struct {
	s, e  int16 // in line.b
	n     int32 // number, amount or item; -1 for a number too big
	kind  kind
	glued bool // no blank before it
	used  bool // told what it means
	word  word
}

// line is one line on its way through the grammar.
type line struct {
	g      *Grammar
	in     Context
	folder        // of the text
	names  folder // of names that are compared with mentions
	b      []byte
	t      []token
	cmd    entry // of the first kCommand
	sign   bool  // a lone command sign stands at the front
	// question: a question mark or word was seen; cut: a word was cut at the limit; split: "A 1" or "A-1" where A1 is a code;
	// emotes and faces count what was left out.
	question, cut, split bool
	emotes               int
	quoted               bool
	lookS, lookE         int // what was looked up last
	looked               lexeme
}

func isWordByte(c byte) bool { return c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '_' }

func alphanumeric(c byte) bool { return c >= 'a' && c <= 'z' || isDigit(c) }

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

// wordRune reports whether a word goes on with the rune at b[i], and its length.
func wordRune(b []byte, i int) (int, bool) {
	if c := b[i]; c < utf8.RuneSelf {
		return 1, isWordByte(c) || c == '\'' && i+1 < len(b) && (isWordByte(b[i+1]) && !isDigit(b[i+1]) || b[i+1] >= utf8.RuneSelf)
	}
	r, n := utf8.DecodeRune(b[i:])
	return n, unicode.IsLetter(r) || unicode.IsMark(r) || unicode.IsNumber(r)
}

// scan cuts the folded row into tokens.
func (l *line) scan() {
	n, runes := 0, 0
	for n < len(l.b) && runes < maxRunes {
		_, size := utf8.DecodeRune(l.b[n:])
		n, runes = n+size, runes+1
	}
	if n < len(l.b) && l.b[n] != ' ' && l.b[n-1] != ' ' {
		l.cut = true
		for n > 0 && l.b[n-1] != ' ' {
			n--
		}
	}
	l.b = l.b[:n]
	hideQuotes(l.b, &l.g.marks)
	for i := 0; i < n; {
		if l.b[i] == ' ' {
			i++
			continue
		}
		e, seen := i, mark(0)
		for e < n && l.b[e] != ' ' {
			seen |= l.g.marks[l.b[e]]
			e++
		}
		l.chunk(i, e, seen)
		i = e
	}
}

func (l *line) add(k kind, s, e int, n int32, w word) {
	glued := len(l.t) > 0 && int(l.t[len(l.t)-1].e) == s
	l.t = append(l.t, token{s: int16(s), e: int16(e), n: n, kind: k, glued: glued, word: w})
}

// look is all that a part of the line may mean alone. Most parts are asked about more than once.
func (l *line) look(s, e int) lexeme {
	if s != l.lookS || e != l.lookE {
		l.lookS, l.lookE, l.looked = s, e, l.g.lexemes[string(l.b[s:e])]
	}
	return l.looked
}

// chunk reads what stands between two blanks; seen are the marks of its bytes.
func (l *line) chunk(s, e int, seen mark) {
	b := l.b
	if x := l.look(s, e); x.known && x.word.emote() && !x.value {
		if isWordByte(b[s]) && isWordByte(b[e-1]) {
			l.emotes++
		}
		return
	}
	if seen&mHidden != 0 {
		l.quoted = true
		l.add(kOther, s, e, 0, word{})
		return
	}
	if l.mentionOrEmoji(s, e) {
		return
	}
	if i := l.heart(s, e, seen); i >= 0 && len(bytes.Trim(b[s+i+1:e], "3")) == 0 {
		if e = s + i; e == s {
			return
		}
	}
	if l.address(s, e, seen) {
		l.add(kOther, s, e, 0, word{})
		return
	}
	if seen&mQuestion != 0 {
		l.question = true
	}
	f := s
	for f < e && !alphanumeric(b[f]) && bytes.IndexByte([]byte("([{*_~"), b[f]) >= 0 {
		f++
	}
	if f < e && l.isSign(b[f]) {
		for f < e && l.isSign(b[f]) {
			f++
		}
		if f == e {
			l.sign = len(l.t) == 0
			return
		}
		if n, ok := wordRune(b, f); ok && !isDigit(b[f]) && n > 0 {
			l.command(f, e)
			return
		}
	} else if l.sign && len(l.t) == 0 {
		l.sign = false
		l.command(f, e)
		return
	}
	if seen&mPrice != 0 && l.priced(s, e) {
		l.add(kOther, s, e, 0, word{})
		return
	}
	l.parts(s, e)
}

// heart is where "<3" stands in a chunk, -1 for nowhere.
func (l *line) heart(s, e int, seen mark) int {
	if seen&mLess == 0 {
		return -1
	}
	return bytes.Index(l.b[s:e], []byte("<3"))
}

func (l *line) isSign(c byte) bool {
	for i := range len(l.g.signs) {
		if l.g.signs[i] == c {
			return true
		}
	}
	return false
}

// mentionOrEmoji reads "@name", "<@1>", ":name:", "<:name:1>", all in the form that platforms put them in texts.
func (l *line) mentionOrEmoji(s, e int) bool {
	c := l.b[s:e]
	switch {
	case c[0] == '@' && len(c) > 1:
		l.mention(bytes.TrimRight(c[1:], ",:;.!"), s, e)
	case c[0] == '<' && len(c) > 3 && c[1] == '@' && bytes.IndexByte(c, '>') > 0:
		l.mention(bytes.TrimLeft(c[2:bytes.IndexByte(c, '>')], "!&"), s, e)
	case c[0] == '<' && len(c) > 3 && c[1] == '#' && bytes.IndexByte(c, '>') > 0:
		l.add(kOther, s, e, 0, word{})
	case c[0] == '<' && len(c) > 4 && (c[1] == ':' || c[1] == 'a' && c[2] == ':') && c[len(c)-1] == '>':
		l.emotes++
	case c[0] == ':' && c[len(c)-1] == ':' && len(c) > 2:
		for _, x := range c {
			if !isWordByte(x) && x != ':' && x != '+' && x != '-' {
				return false
			}
		}
		l.emotes++
	default:
		return false
	}
	return true
}

func (l *line) mention(name []byte, s, e int) {
	ours := l.in.Reply && l.in.ReplyTo != "" && bytes.Equal(name, l.names.fold(l.in.ReplyTo))
	for _, bot := range l.in.Bots {
		ours = ours || bytes.Equal(name, l.names.fold(bot))
	}
	if ours {
		l.add(kMention, s, e, 0, word{})
		return
	}
	l.add(kOther, s, e, 0, word{})
}

// address reports whether a chunk is an address of the web or of mail: one word, whatever is in it.
func (l *line) address(s, e int, seen mark) bool {
	if seen&(mColon|mAt|mPoint) == 0 {
		return false
	}
	c := l.b[s:e]
	if bytes.Contains(c, []byte("://")) || bytes.HasPrefix(c, []byte("www.")) || bytes.IndexByte(c, '@') > 0 {
		return true
	}
	for i := 1; i+2 < len(c); i++ {
		if c[i] == '.' && isWordByte(c[i-1]) && !isDigit(c[i+1]) && isWordByte(c[i+1]) && isWordByte(c[i+2]) && !isDigit(c[i+2]) {
			return true
		}
	}
	return false
}

// priced reports whether a chunk holds a currency or per cent sign.
func (l *line) priced(s, e int) bool {
	for i := s; i < e; i++ {
		c := l.b[i]
		if c == '$' || c == '%' {
			return true
		}
		if c >= utf8.RuneSelf {
			if r, n := utf8.DecodeRune(l.b[i:e]); unicode.Is(unicode.Sc, r) || r == '‰' {
				return true
			} else if n > 1 {
				i += n - 1
			}
		}
	}
	return false
}

// command reads a command word, and what is glued to it.
func (l *line) command(s, e int) {
	j, letters := s, -1
	for j < e {
		n, ok := wordRune(l.b[:e], j)
		if !ok && l.b[j] != '-' {
			break
		}
		if letters < 0 && isDigit(l.b[j]) {
			letters = j
		}
		j += n
	}
	cut := j
	c, ok := l.g.commands[string(l.b[s:j])]
	if !ok && letters > s {
		cut = letters
		c, ok = l.g.commands[string(l.b[s:letters])]
	}
	for k := s + 2; !ok && k < j; k++ {
		if _, code := l.g.codes[string(l.b[k:j])]; code {
			cut = k
			c, ok = l.g.commands[string(l.b[s:k])]
		}
	}
	if !ok {
		l.add(kOther, s, e, 0, word{})
		return
	}
	if l.cmd.name == "" {
		l.cmd = c
	}
	l.add(kCommand, s, cut, 0, word{})
	if cut < e {
		l.parts(cut, e)
	}
}

// parts cuts a chunk at its signs.
func (l *line) parts(s, e int) {
	b := l.b
	if ts, te := trimEdges(b, s, e); ts < te {
		// A code or value may hold signs itself: "A-1", "S/M", "8.5".
		x := l.look(ts, te)
		if x.code != 0 {
			l.add(kCode, ts, te, x.code, word{})
			return
		}
		if x.value && !digits(b[ts:te]) {
			l.add(kWord, ts, te, 0, x.word)
			l.trailing(te, e)
			return
		}
	}
	if b[s] == '#' && s+1 < e && !isDigit(b[s+1]) { // a tag
		l.add(kOther, s, e, 0, word{})
		return
	}
	for i := s; i < e; {
		n, ok := wordRune(b[:e], i)
		if ok {
			i = l.run(i, e)
			continue
		}
		l.punct(i, n, s, e)
		i += n
	}
}

func (l *line) trailing(s, e int) {
	if s < e && (l.b[s] == ',' || l.b[s] == '.') {
		l.add(kSep, s, s+1, 0, word{})
	}
}

func trimEdges(b []byte, s, e int) (int, int) {
	const signs = ".,;:!?()[]{}*_~\"'#<>"
	for s < e && !alphanumeric(b[s]) && bytes.IndexByte([]byte(signs), b[s]) >= 0 {
		s++
	}
	for s < e && !alphanumeric(b[e-1]) && bytes.IndexByte([]byte(signs), b[e-1]) >= 0 {
		e--
	}
	return s, e
}

func (l *line) punct(i, n, s, e int) {
	c := l.b[i]
	before := i > s && isWordByte(l.b[i-1])
	after := i+1 < e && isWordByte(l.b[i+1])
	switch c {
	case '+':
		l.add(kPlus, i, i+1, 0, word{})
	case '-':
		switch {
		case after && isDigit(l.b[i+1]):
			l.add(kMinus, i, i+1, 0, word{})
		case !before || !after:
			l.add(kSep, i, i+1, 0, word{})
		}
	case ',', '.', ';', '&', '/':
		l.add(kSep, i, i+1, 0, word{})
	case '=':
		l.add(kOther, i, i+1, 0, word{})
	case '*', '^', '<', '>', '|', '~', '\\', '@', '"':
		if before && after {
			l.add(kOther, i, i+1, 0, word{})
		}
	default:
		if n > 1 && bytes.Equal(l.b[i:i+n], []byte("×")) {
			l.add(kWord, i, i+n, 0, word{class: words.Times})
		}
	}
}

// run reads one run of letters and digits and returns its end.
func (l *line) run(s, e int) int {
	b := l.b
	j, digit, letter := s, false, false
	for j < e {
		n, ok := wordRune(b[:e], j)
		if !ok {
			break
		}
		if isDigit(b[j]) {
			digit = true
		} else {
			letter = true
		}
		j += n
	}
	if !letter {
		return l.number(s, j, e)
	}
	t := b[s:j]
	x := l.look(s, j)
	if x.code != 0 {
		l.add(kCode, s, j, x.code, word{})
		return j
	}
	if t[0] == 'x' && digit && len(bytes.TrimLeft(t[1:], "0123456789")) == 0 && j+1 < e && b[j] == '.' && isDigit(b[j+1]) { // x1.5 is no amount, its 5 no item
		for j++; j < e && isDigit(b[j]); {
			j++
		}
		l.add(kDecimal, s, j, 0, word{})
		return j
	}
	w := x.word
	switch {
	case x.value:
		l.add(kWord, s, j, 0, w)
	case x.known:
		if w.emote() {
			l.emotes++
			break
		}
		if w.class.Has(words.Question) || w.class.Has(words.First) && len(l.t) == 0 {
			l.question = true
		}
		l.add(kWord, s, j, 0, w)
	case digit:
		l.mixed(s, j)
	default:
		l.add(kWord, s, j, 0, w)
	}
	return j
}

// number reads digits and what joins them to further digits.
func (l *line) number(s, j, e int) int {
	b, k, joins := l.b, kNumber, 0
	for j+1 < e && isDigit(b[j+1]) {
		switch b[j] {
		case '.', ',':
			k = kDecimal
		case ':', '/', '-':
			k = kBroken
		default:
			l.add(k, s, j, value(b[s:j]), word{})
			return j
		}
		if joins++; joins > 1 {
			k = kBroken
		}
		for j++; j < e && isDigit(b[j]); {
			j++
		}
	}
	if k != kNumber && j < e {
		if _, ok := wordRune(b[:e], j); ok { // 8.5cm
			for j < e && b[j] != ' ' {
				j++
			}
			k = kOther
		}
	}
	n := int32(0)
	if k == kNumber {
		n = value(b[s:j])
	}
	l.add(k, s, j, n, word{})
	return j
}

func digits(b []byte) bool {
	for _, c := range b {
		if !isDigit(c) {
			return false
		}
	}
	return len(b) > 0
}

// value is the number that digits write, -1 when it is beyond any item or amount.
func value(b []byte) int32 {
	n := int32(0)
	for _, c := range b {
		if n = n*10 + int32(c-'0'); n > 99_999_999 {
			return -1
		}
	}
	return n
}

// mixed reads letters and digits in one run: 12m, x2, 2pcs, sold12, a1x2, cheer100.
func (l *line) mixed(s, j int) {
	b, g := l.b, l.g
	if x := lastX(b[s:j]); x > 0 { // 12mx2, a1x2, 3x2
		if l.known(s, s+x) {
			l.add(kAmount, s+x, j, value(b[s+x+1:j]), word{})
			return
		}
	}
	if !l.known(s, j) {
		i := s
		for i < j && !isDigit(b[i]) {
			i++
		}
		w := g.words[string(b[s:i])]
		switch {
		case i > s && w.class.Has(words.Take|words.Mine) && g.styles.Boutique && l.item12m(i, j):
			l.add(kWord, s, i, 0, w)
			l.run(i, j)
		case i == s || !digits(b[i:j]):
			l.add(kOther, s, j, 0, word{})
		case w.class.Has(words.Cheer):
			l.emotes++
		case w.class.Has(words.Times | words.Qty):
			l.add(kAmount, s, j, value(b[i:j]), word{})
		default:
			l.add(kOther, s, j, 0, word{})
		}
	}
}

// item12m reports whether a run is an item's number, alone or with a value and an amount: 12, 12m, 12mx2.
func (l *line) item12m(s, j int) bool {
	b := l.b
	if x := lastX(b[s:j]); x > 0 {
		j = s + x
	}
	i := s
	for i < j && isDigit(b[i]) {
		i++
	}
	return i > s && l.g.items[int(value(b[s:i]))] != nil && (i == j || l.g.values[string(b[i:j])])
}

// lastX finds the x of a trailing "x2", 0 when there is none behind other letters or digits.
func lastX(t []byte) int {
	i := len(t)
	for i > 0 && isDigit(t[i-1]) {
		i--
	}
	if i < 2 || i == len(t) || t[i-1] != 'x' {
		return 0
	}
	return i - 1
}

// known reads a run as an item, an item with a value, or a number with an amount word; false adds nothing.
func (l *line) known(s, j int) bool {
	b, g := l.b, l.g
	if n, ok := g.codes[string(b[s:j])]; ok {
		l.add(kCode, s, j, int32(n), word{})
		return true
	}
	i := s
	for i < j && isDigit(b[i]) {
		i++
	}
	switch rest := b[i:j]; {
	case i == j:
		l.add(kNumber, s, j, value(b[s:j]), word{})
		return true
	case i > s && g.values[string(rest)]:
		l.add(kNumber, s, i, value(b[s:i]), word{})
		l.add(kWord, i, j, 0, g.words[string(rest)])
		return true
	case i > s && g.words[string(rest)].class.Has(words.Times|words.Unit):
		l.add(kAmount, s, j, value(b[s:i]), word{})
		return true
	}
	for k := s + 1; k < j; k++ {
		if n, ok := g.codes[string(b[s:k])]; ok && g.values[string(b[k:j])] {
			l.add(kCode, s, k, int32(n), word{})
			l.add(kWord, k, j, 0, g.words[string(b[k:j])])
			return true
		}
	}
	return false
}
