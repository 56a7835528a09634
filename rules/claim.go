package rules

import (
	"strconv"

	"hawker/commerce"
	"hawker/rules/words"
)

// claim reads item, variant and amount of a line with a command sign, or of a boutique line whose words were checked.
func (l *line) claim(c Command) Command {
	c.Quantity = quantities(c.Name)
	if l.cut && !l.namesItem() {
		return talk(Chat)
	}
	ask := l.split
	amount, bad := 0, false
	if c.Name != Stock { // its amounts have signs
		amount, bad = l.amounts(false)
	}
	at, unknown, askItem := l.item(&c)
	ask = ask || bad || askItem
	if at < 0 && !unknown && !ask {
		return l.shown(c, amount)
	}
	w := l.g.items[c.Item]
	// A size before the only number may belong to the item on air, and the number be an amount.
	ask = ask || at >= 0 && l.t[at].kind == kNumber && !l.in.Tap && l.valueBefore(w, at)
	if unknown && !ask {
		c.Reason = commerce.UnknownItem
		if !l.g.lineup && c.Name.Claims() && c.Name != Pass {
			c.Reason = commerce.NotOnSale
		}
		if !l.g.lineup && !c.Name.Claims() || c.Name == Pass && !l.g.lineup {
			c.Reason = ""
		}
		return l.amountOf(c, amount)
	}
	if w == nil {
		c.Item, c.Reason = 0, commerce.NeedsItem
		return c
	}
	p := l.variant(w)
	if c.Name == Stock && !ask {
		return l.stock(c, w, p)
	}
	n, unclear := l.beside(w, at, c.Name)
	switch {
	case n > 0 && amount > 0:
		ask = true
	case n > 0:
		amount = n
	}
	if unclear || ask {
		c.Reason = commerce.NeedsItem
		return c
	}
	c = l.amountOf(c, amount)
	if c.Reason != "" || c.Name == Air || c.Name == Close || c.Name == Open || c.Name == Item {
		return c
	}
	return pick(c, w, p)
}

// stock reads the one amount that is neither item nor size, with its sign: "!stock 5 +5", "!stock 12 m 20".
func (l *line) stock(c Command, w *itemWords, p picked) Command {
	at := -1
	for i := range l.t {
		t := &l.t[i]
		number := t.kind == kNumber || t.kind == kAmount
		odd := t.kind == kDecimal || t.kind == kBroken || t.kind == kWord && t.word.class.Has(words.Of)
		if t.used || !number && !odd {
			continue
		}
		if odd || at >= 0 || t.n < 0 {
			c.Reason = commerce.NeedsItem
			return c
		}
		at = i
	}
	if at < 0 {
		c.Reason = commerce.NeedsItem
		return c
	}
	c.Quantity = int(l.t[at].n)
	c.Arg = strconv.Itoa(c.Quantity)
	switch l.at(at - 1) {
	case kPlus:
		c.Arg = "+" + c.Arg
	case kMinus:
		c.Arg = "-" + c.Arg
	}
	return pick(c, w, p)
}

// amountOf puts an amount into c, or asks where it is not one.
func (l *line) amountOf(c Command, amount int) Command {
	if amount != 0 && quantities(c.Name) == 1 {
		c.Quantity = amount
	}
	return c
}

// pick finds the variant that has all the values picked.
func pick(c Command, w *itemWords, p picked) Command {
	need := func() Command {
		if c.Name == Buy || c.Name == Wait || c.Name == Stock || p.conflict || p.unmatched || p.any {
			c.Reason = commerce.NeedsVariant
		}
		return c // Pass, Less and More of whatever is held
	}
	if w.plain {
		c.Variant = w.variants[0].id
		return c
	}
	if p.conflict {
		return need()
	}
	found, many := commerce.ID(0), false
	for i := range w.variants {
		v := &w.variants[i]
		ok := true
		for o := range maxOptions {
			ok = ok && (p.value[o] < 0 || p.value[o] == v.values[o])
		}
		if ok {
			many = many || found != 0
			found = v.id
		}
	}
	if found == 0 || many || p.unmatched && !p.any {
		return need()
	}
	c.Variant = found
	return c
}

// shown reads a claim that names no item: it means the item on air, if the line holds nothing but variant and amount.
func (l *line) shown(c Command, amount int) Command {
	if c.Name == Stock || c.Name == Air || c.Name == Less || c.Name == More {
		if c.Name == Less || c.Name == More {
			c.Quantity = 1
		}
		c.Reason = commerce.NeedsItem
		return c
	}
	if c.Name == Pass && !l.others(nil) {
		return c
	}
	if !l.g.lineup {
		if c.Name == Buy || c.Name == Wait {
			c.Reason = commerce.NotOnSale
		}
		return l.amountOf(c, amount)
	}
	w := l.g.items[l.in.OnAir]
	if w == nil || l.in.Unsure && c.Name.Claims() {
		c.Reason = commerce.NeedsItem
		return l.amountOf(c, amount)
	}
	if c.Name == Item || c.Name == Close || c.Name == Open {
		c.Item, c.Shown = w.number, true
		return c
	}
	amount, twice := l.counted(w, amount)
	p := l.variant(w)
	if twice || p.unmatched && p.words > 0 || l.others(&p) || l.stray() {
		c.Reason = commerce.NeedsItem
		return l.amountOf(c, amount)
	}
	c.Item, c.Shown = w.number, true
	return pick(l.amountOf(c, amount), w, p)
}

// counted adds the amount that a lone number word says ("!buy two"); twice is set when there is another amount.
func (l *line) counted(w *itemWords, amount int) (n int, twice bool) {
	for i := range l.t {
		t := &l.t[i]
		if t.used || t.kind != kWord || t.word.n == 0 || t.word.class.Has(words.Option) || l.within(w, i) {
			continue
		}
		if amount > 0 {
			return amount, true
		}
		amount, t.used = int(t.word.n), true
	}
	return amount, false
}

// valueBefore reports whether a value of w, of the item on air or of any other item stands before token at.
func (l *line) valueBefore(w *itemWords, at int) bool {
	for i := range at {
		t := &l.t[i]
		if t.used || t.kind != kWord {
			continue
		}
		if l.g.values[string(l.text(t))] {
			return true
		}
		for _, w := range [...]*itemWords{w, l.g.items[l.in.OnAir]} {
			if w == nil {
				continue
			}
			if _, n := l.find(w, i); n > 0 {
				return true
			}
		}
	}
	return false
}

// others reports whether the line has a word that is no part of a claim.
func (l *line) others(p *picked) bool {
	if l.cut {
		return true
	}
	for i := range l.t {
		t := &l.t[i]
		if t.used || t.kind == kMention || t.kind == kSep {
			continue
		}
		if t.kind == kWord && p != nil && t.word.class.Has(words.Option) {
			continue
		}
		return true
	}
	return false
}

// stray reports numbers that nothing explains.
func (l *line) stray() bool {
	for i := range l.t {
		switch l.t[i].kind {
		case kNumber, kDecimal, kBroken, kMinus:
			if !l.t[i].used {
				return true
			}
		}
	}
	return false
}

// namesItem reports whether an item is named at all.
func (l *line) namesItem() bool {
	for i := range l.t {
		if k := l.t[i].kind; k == kNumber && !l.counts(i) || k == kCode {
			return true
		}
	}
	return false
}

// counts reports whether the word or sign beside the number at i makes it an amount.
func (l *line) counts(i int) bool {
	has := func(j int, c words.Class) bool { return l.at(j) == kWord && l.t[j].word.class.Has(c) }
	return l.at(i-1) == kPlus || has(i-1, words.Times|words.Qty) || has(i+1, words.Unit) ||
		(l.at(i-1) == kSep || l.at(i-1) == kOther) && has(i-2, words.Qty)
}

// amounts reads the amount words: x2, 2x, x 2, 2 pcs, qty 2, +2, "2 of 12". It returns 0 when there is none; bad when
// there are two or one is no amount.
func (l *line) amounts(signed bool) (amount int, bad bool) {
	set := func(n int32) {
		if n < 1 || n > MaxQuantity || amount > 0 && amount != int(n) {
			bad = true
			n = 0
		}
		if n > 0 {
			amount = int(n)
		}
	}
	use := func(idx ...int) {
		for _, i := range idx {
			l.t[i].used = true
		}
	}
	numbers := 0
	for i := range l.t {
		if l.t[i].kind == kNumber {
			numbers++
		}
	}
	for i := range l.t {
		t := &l.t[i]
		if t.used {
			continue
		}
		next, prev := l.at(i+1), l.at(i-1)
		switch {
		case t.kind == kAmount:
			set(t.n)
			use(i)
		case t.kind == kPlus && next == kNumber && !signed:
			set(l.t[i+1].n)
			use(i, i+1)
		case t.kind != kWord:
		case t.word.class.Has(words.Times):
			switch {
			case next == kNumber:
				// "2 x 12" may be two of item 12.
				if n := l.t[i+1].n; n > 5 && prev == kNumber && l.g.items[int(n)] != nil {
					bad = true
				}
				set(l.t[i+1].n)
				use(i, i+1)
			case next == kDecimal || next == kBroken:
				bad = true
			case prev == kNumber && !l.t[i-1].used && (numbers > 1 || l.coded()):
				set(l.t[i-1].n)
				use(i, i-1)
			}
		case t.word.class.Has(words.Qty):
			j := i + 1
			for j < len(l.t) && (l.t[j].kind == kSep || l.t[j].kind == kOther && l.t[j].e-l.t[j].s == 1 && l.b[l.t[j].s] == '=') {
				j++
			}
			if l.at(j) == kNumber {
				set(l.t[j].n)
				for k := i; k <= j; k++ {
					use(k)
				}
			}
		case t.word.class.Has(words.Unit) && (prev == kNumber || prev == kDecimal) && !l.t[i-1].used:
			if prev == kDecimal {
				bad = true
				break
			}
			set(l.t[i-1].n)
			use(i, i-1)
		case t.word.class.Has(words.Of) && (next == kNumber || next == kCode) && i > 0 && !l.t[i-1].used &&
			(prev == kNumber || prev == kWord && l.t[i-1].word.n > 0):
			n := l.t[i-1].n
			if prev == kWord {
				n = int32(l.t[i-1].word.n)
			}
			set(n)
			use(i, i-1)
		}
	}
	return amount, bad
}

func (l *line) at(i int) kind {
	if i < 0 || i >= len(l.t) {
		return kOther
	}
	return l.t[i].kind
}

// coded reports whether an item is named by its code.
func (l *line) coded() bool {
	for i := range l.t {
		if l.t[i].kind == kCode {
			return true
		}
	}
	return false
}

// item finds the item a line names: a code, else the first number that is no amount. at is its token, -1 for none;
// unknown is set when the lineup lacks it; ask when two are named or a number stands where none can be read.
func (l *line) item(c *Command) (at int, unknown, ask bool) {
	at = -1
	for i := range l.t {
		if t := &l.t[i]; t.kind == kCode {
			if at >= 0 && l.t[at].n != t.n {
				ask = true
			}
			if at < 0 {
				at = i
			}
			t.used = true
		}
	}
	for i := 0; at < 0 && i < len(l.t); i++ {
		t := &l.t[i]
		switch {
		case t.used:
		case t.kind == kBroken || t.kind == kMinus || t.kind == kDecimal:
			return -1, false, true
		case t.kind == kWord && t.word.n > 0 && !l.g.values[string(l.text(t))] && !t.word.class.Has(words.Option):
			for j := i + 1; j < len(l.t); j++ { // "two 12": the amount may be in front
				ask = ask || l.t[j].kind == kNumber && !l.t[j].used
			}
		case t.kind == kWord && i+1 < len(l.t) && (l.t[i+1].kind == kNumber || l.t[i+1].kind == kMinus):
			ask = ask || l.splitCode(i)
		case t.kind == kNumber && l.at(i-1) != kPlus: // "!stock +5 12"
			at = i
			t.used = true
		}
	}
	if at < 0 {
		return at, false, ask
	}
	c.Item = int(l.t[at].n)
	if l.g.items[c.Item] == nil {
		if c.Item < 1 {
			c.Item = 0
			return at, false, true
		}
		if l.t[at].n < 0 {
			c.Item = 0
		}
		return at, true, ask
	}
	return at, false, ask
}

// splitCode reports whether "A 1" or "A-1" at token i would be a code if it were written as one word.
func (l *line) splitCode(i int) bool {
	j := i + 1
	if l.t[j].kind == kMinus {
		j++
	}
	if j >= len(l.t) || l.t[j].kind != kNumber {
		return false
	}
	var store [64]byte
	k := append(append(store[:0], l.text(&l.t[i])...), l.text(&l.t[j])...)
	_, ok := l.g.codes[string(k)]
	return ok
}

// beside reads what bare numbers beside the item mean, in this order: a size of the item, an amount from 1 to 5, any
// other amount. unclear means the viewer must be asked.
func (l *line) beside(w *itemWords, at int, name Name) (amount int, unclear bool) {
	for i := range l.t {
		t := &l.t[i]
		if t.kind == kWord && !t.used && i > at && t.word.n > 0 && !t.word.class.Has(words.Option) {
			if amount > 0 {
				return 0, true
			}
			amount, t.used = int(t.word.n), true
			continue
		}
		if t.used {
			continue
		}
		switch t.kind {
		case kBroken, kMinus, kDecimal:
			return 0, true
		case kNumber:
			if i > 0 && l.joined(i) {
				return 0, true
			}
			switch {
			case amount > 0 || t.n < 1 || t.n > MaxQuantity:
				return 0, true
			case t.n > 5 && name != Less && name != More && (l.g.items[int(t.n)] != nil || w.sizes):
				return 0, true
			}
			amount, t.used = int(t.n), true
		}
	}
	return amount, false
}

// joined reports whether a comma, "and" or the like stands between the number at i and a number before it.
func (l *line) joined(i int) bool {
	j := i - 1
	for j >= 0 && (l.t[j].kind == kSep || l.t[j].kind == kMinus || l.t[j].kind == kWord && l.t[j].word.class.Has(words.And|words.Or)) {
		j--
	}
	return j >= 0 && j < i-1 && (l.t[j].kind == kNumber || l.t[j].kind == kCode)
}
