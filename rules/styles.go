package rules

import (
	"bytes"

	"hawker/commerce"
	"hawker/rules/words"
)

const keywords = words.Take | words.Mine | words.Me | words.GiveBack

// keyword reads boutique style: "sold 12 m", "mine 12", "12 sold", "sold next 12", "pass 12".
func (l *line) keyword() (Command, bool) {
	if !l.g.styles.Boutique || l.cut {
		return Command{}, false
	}
	at, named := -1, l.namesItem()
	courtesy := l.emotes > 0
	repeated := false
	for i := range l.t {
		t := &l.t[i]
		switch {
		case t.kind == kOther || t.kind == kCommand || t.kind == kMention && i > 0:
			return Command{}, false
		case t.kind != kWord:
		case t.word.class.Has(keywords) && at < 0:
			at = i
		case t.word.class.Has(keywords):
			if t.word.class != l.t[at].word.class {
				return Command{}, false
			}
			repeated, t.used = true, true
		case t.word.class.Has(words.Line):
			if i == 0 || !l.t[i-1].word.class.Has(words.Take) || !named {
				return Command{}, false
			}
		case t.word.class.Has(words.Courtesy|words.Option) && !l.value(i):
			if !l.labels(i) {
				return Command{}, false
			}
			courtesy = true
		case !l.part(i):
			return Command{}, false
		}
	}
	if at < 0 {
		return Command{}, false
	}
	word := l.t[at].word.class
	c := Command{Name: Buy, Style: ByKeyword}
	switch {
	case word.Has(words.GiveBack):
		if c.Name = Pass; at > 0 && l.t[at-1].kind != kMention {
			return Command{}, false
		}
		fallthrough
	case word.Has(words.Me):
		if !named {
			return Command{}, false
		}
	}
	if at+1 < len(l.t) && l.t[at+1].kind == kWord && l.t[at+1].word.class.Has(words.Line) {
		c.Name = Wait
		l.t[at+1].used = true
	}
	l.t[at].used = true
	before, after, other := false, false, 0
	for i := range l.t {
		t := &l.t[i]
		switch t.kind {
		case kNumber, kCode, kDecimal, kBroken:
			if t.kind == kNumber && l.counts(i) {
				continue
			}
			before = before || i < at
			after = after || i > at && t.kind == kNumber
			other++
		case kWord:
			if t.word.class.Has(words.Of) && at > 0 {
				return Command{}, false
			}
			if t.word.class.Has(words.Times | words.Qty) {
				after = false
			}
		}
	}
	if !named {
		if other == 1 && word.Has(words.Take|words.Mine) && !courtesy && l.eitherItem() {
			c.Reason = commerce.NeedsItem
			return c, true
		}
		if l.in.Reply || repeated || courtesy || other > 0 || l.g.items[l.in.OnAir] == nil && !l.in.Unsure {
			return Command{}, false
		}
	}
	ask := before && after && l.at(len(l.t)-1) == kNumber
	small := word.Has(words.Me) && len(l.t) == 2 && l.t[1-at].kind == kNumber && l.t[1-at].n <= 5
	c = l.claim(c)
	switch {
	case named && c.Item == 0 && c.Reason != commerce.NeedsItem, c.Name == Chat:
		return Command{}, false
	case c.Reason == commerce.UnknownItem && (word.Has(words.Me) || other > 1):
		return Command{}, false
	case !named && c.Reason == commerce.NeedsItem && !l.in.Unsure:
		return Command{}, false
	case small || ask: // "me 2" is what people write for "me too"
		if c.Reason == "" {
			c.Reason, c.Variant = commerce.NeedsItem, 0
		}
	}
	return c, true
}

// labels reports whether the word at token i, if it is one that needs a number or code behind it, has it.
func (l *line) labels(i int) bool {
	if !l.t[i].word.class.Has(words.Label) {
		return true
	}
	j := i + 1
	for l.at(j) == kSep {
		j++
	}
	return l.at(j) == kNumber || l.at(j) == kCode
}

// value reports whether the word at token i is a value of an item that the line names, or of the one on air when it
// names none.
func (l *line) value(i int) bool {
	named := false
	for j := range l.t {
		if k := l.t[j].kind; k != kNumber && k != kCode || k == kNumber && l.counts(j) {
			continue
		}
		if w := l.g.items[int(l.t[j].n)]; w != nil {
			named = true
			if l.within(w, i) {
				return true
			}
		}
	}
	w := l.g.items[l.in.OnAir]
	return !named && w != nil && l.within(w, i)
}

// shownBefore reports whether the word at token i is a value of the item on air, with one number behind it and none
// before: "sold m 2", which may be two of the item on air or item 2.
func (l *line) shownBefore(i int) bool {
	for j := range l.t {
		if k := l.t[j].kind; j < i && (k == kNumber || k == kCode) {
			return false
		}
	}
	w := l.g.items[l.in.OnAir]
	return w != nil && l.within(w, i)
}

// within reports whether a value of w begins at token i or reaches over it.
func (l *line) within(w *itemWords, i int) bool {
	for j := max(0, i-w.longest+1); j <= i; j++ {
		if _, n := l.find(w, j); j+n > i {
			return true
		}
	}
	return false
}

// part reports whether the word at token i belongs to a claim without a command sign.
func (l *line) part(i int) bool {
	c := l.t[i].word.class
	switch {
	case c.Has(words.Unit):
		return l.at(i-1) == kNumber
	case c.Has(words.Times):
		return l.at(i-1) == kNumber || l.at(i+1) == kNumber
	case c.Has(words.Qty):
		return l.at(i+1) == kNumber || l.at(i+2) == kNumber
	case c.Has(words.Of):
		return l.at(i+1) == kNumber || l.at(i+1) == kCode
	case c.Has(words.And|words.Or) && !l.value(i):
		return i > 0 && i+1 < len(l.t) && l.claimed(i-1) && l.claimed(i+1)
	case l.t[i].word.n > 0:
		return l.namesItem()
	}
	return l.value(i) || l.shownBefore(i) || i+1 < len(l.t) && (l.at(i+1) == kNumber || l.at(i+1) == kMinus) && l.splitCode(i)
}

// eitherItem reports whether the line has "3/5" or "3-5" where both are items of the lineup.
func (l *line) eitherItem() bool {
	for i := range l.t {
		if t := &l.t[i]; t.kind == kBroken {
			a, b, ok := bytes.Cut(l.text(t), []byte("/"))
			if !ok {
				a, b, ok = bytes.Cut(l.text(t), []byte("-"))
			}
			return ok && digits(a) && digits(b) && l.g.items[int(value(a))] != nil && l.g.items[int(value(b))] != nil
		}
	}
	return false
}

func (l *line) claimed(i int) bool {
	switch l.t[i].kind {
	case kNumber, kCode, kAmount:
		return true
	case kWord:
		return l.value(i)
	}
	return false
}

// plus reads plus style: "A1+1", "12 + 3", "a1 m+2", "+1".
func (l *line) plus() (Command, bool) {
	if !l.g.styles.Plus || l.cut {
		return Command{}, false
	}
	c := Command{Name: Buy, Style: ByPlus, Add: true}
	extra, ask, forms, item := l.emotes > 0, false, 0, -1
	for i := range l.t {
		t := &l.t[i]
		switch t.kind {
		case kMention:
			if i > 0 {
				return Command{}, false
			}
		case kSep, kNumber, kCode, kDecimal:
		case kWord:
			switch {
			case l.value(i):
			case t.word.class.Has(words.Courtesy|words.Option) && l.labels(i):
				extra = true
			default:
				return Command{}, false
			}
		case kPlus:
			if l.at(i+1) != kNumber || i > 0 && t.glued && l.t[i-1].used && l.t[i-1].kind == kNumber {
				return Command{}, false
			}
			t.used, l.t[i+1].used = true, true
			j := i - 1
			for j >= 0 && l.t[j].kind == kWord && !l.t[j].used {
				j--
			}
			named := -1
			if j >= 0 && !l.t[j].used && (l.t[j].kind == kNumber || l.t[j].kind == kCode) {
				named = int(l.t[j].n)
				l.t[j].used = true
			}
			n := int(l.t[i+1].n)
			if forms > 0 && (named != item || n != c.Quantity) {
				ask = true
			}
			item, c.Quantity = named, n
			forms++
		default:
			return Command{}, false
		}
	}
	w := l.g.items[item]
	if forms == 0 || item >= 0 && w == nil {
		return Command{}, false
	}
	if item < 0 {
		w = l.g.items[l.in.OnAir]
		if extra || l.in.Reply || w == nil && !l.in.Unsure || c.Quantity < 1 || c.Quantity > 5 {
			return Command{}, false
		}
		c.Shown = !l.in.Unsure
		ask = ask || l.in.Unsure
	}
	if w == nil {
		c.Reason = commerce.NeedsItem
		return c, true
	}
	p := l.variant(w)
	for i := range l.t {
		if t := &l.t[i]; !t.used && (t.kind == kNumber || t.kind == kDecimal) {
			return Command{}, false
		} else if !t.used && t.kind == kCode {
			ask = true
		}
	}
	if p.words > 0 {
		return Command{}, false
	}
	c.Item = w.number
	switch {
	case c.Quantity < 1 || c.Quantity > MaxQuantity:
		c.Quantity, ask = 1, true
	case c.Quantity > 5 && l.g.items[c.Quantity] != nil:
		ask = true
	}
	if ask {
		c.Reason, c.Shown = commerce.NeedsItem, false
		if item < 0 || forms > 1 {
			c.Item = 0
		}
		return c, true
	}
	return pick(c, w, p), true
}

// numberOnly reads a line that is an item's number or code, with variant and amount word if any, and nothing else.
func (l *line) numberOnly() (Command, bool) {
	if !l.g.styles.NumberOnly || l.cut || l.in.Reply || l.emotes > 0 {
		return Command{}, false
	}
	for _, b := range l.b {
		if b < 0x80 && b != ' ' && b != '.' && b != '!' && b != '#' && !isWordByte(b) {
			return Command{}, false
		}
	}
	c := Command{Name: Buy, Style: ByNumber, Quantity: 1}
	amount, bad := l.amounts(true)
	at, unknown, ask := l.item(&c)
	if bad || ask || unknown || at < 0 {
		return Command{}, false
	}
	if t := &l.t[at]; t.kind == kCode && !hasDigit(l.text(t)) {
		return Command{}, false
	}
	w := l.g.items[c.Item]
	p := l.variant(w)
	for i := range l.t {
		t := &l.t[i]
		if !t.used && t.kind != kSep || t.kind == kWord && t.word.class.Has(words.Option) {
			return Command{}, false
		}
	}
	return pick(l.amountOf(c, amount), w, p), true
}

func hasDigit(b []byte) bool {
	for _, c := range b {
		if isDigit(c) {
			return true
		}
	}
	return false
}
