package crowd

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"hawker/internal/chat"
	"hawker/internal/lang"
)

// plan is what a viewer means to do with what they get.
type plan int

const (
	forget plan = iota // let it run out
	pay
	giveBack
)

// claim is what a viewer asked for and waits to hear about.
type claim struct {
	p    chat.Platform
	v    Viewer
	item int
	at   time.Time
	plan plan
	cart bool // they asked where to pay
}

// patience is how long an answer is waited for.
const patience = 2 * time.Minute

// claim has a viewer ask for an item, mostly the one on air.
func (c *Crowd) claim(ctx context.Context, i int) {
	p, v := Member(i)
	c.lately[i] = time.Now()
	n := c.onAir
	shown := c.chance(60)
	if !shown {
		n = pick(c, c.Items).Number
	}
	q := &claim{p: p, v: v, item: n}
	switch x := c.rnd.IntN(100); {
	case p == chat.YouTube: // its answers carry no receipt
		if x < 15 {
			q.plan = giveBack
		}
	case x < 50:
		q.plan = pay
	case x < 62:
		q.plan = giveBack
	}
	if p == chat.Discord && c.chance(40) {
		text := fmt.Sprintf("/buy item:%d", n)
		if it := c.item(n); len(it.Variants) > 0 {
			text += " variant:" + pick(c, it.Variants)
		}
		if c.Slash(v, text) {
			c.expect("", q)
			return
		}
	}
	c.expect(c.Say(p, v, c.form(c.item(n), shown)), q)
}

// form is a claim as people write it.
func (c *Crowd) form(it *Item, shown bool) string {
	n := strconv.Itoa(it.Number)
	if len(it.Variants) > 0 {
		kind := strings.ToLower(pick(c, it.Variants))
		if c.chance(12) {
			return "!buy " + n // and be asked which one
		}
		return pick(c, []string{"!buy " + n + " " + kind, "sold " + n + " " + kind, "!buy " + n + " " + kind + " pls", "mine " + n + " " + kind, "!BUY " + n + " " + kind})
	}
	if shown && c.chance(30) {
		return pick(c, []string{"!buy", "+1", "mine", "sold", "!buy x2", "+1 🙌", "mine!!"})
	}
	return pick(c, []string{
		"!buy " + n, "!buy " + n, "!buy " + n + " x2", "sold " + n, "mine " + n, n + " sold", "!buy " + n + " please", "!buy " + n + " bitte", "!buy " + n + " por favor",
		"!buy " + n + " svp", "!buy " + n + " 🧡", "!buy" + n, n + "+1",
	})
}

// expect remembers who waits for an answer, to the line id when they have one.
func (c *Crowd) expect(id string, q *claim) {
	q.at = time.Now()
	if id != "" {
		c.asked[id] = q
	}
	c.waiting[q.p] = append(c.waiting[q.p], q)
	if len(c.asked) < 4*MaxSize {
		return
	}
	for id, q := range c.asked {
		if time.Since(q.at) > patience {
			delete(c.asked, id)
		}
	}
}

// phrases recognize the bot's answers by the sentences that it makes them from.
type phrases struct {
	which, mine []*regexp.Regexp // asked for a variant; something is held
	full        []*regexp.Regexp // nothing is free
}

func loadPhrases() phrases {
	w := lang.For("en")
	all := func(sentences ...string) (out []*regexp.Regexp) {
		for _, s := range sentences {
			out = append(out, Sentence(s))
		}
		return out
	}
	return phrases{
		which: all(w.NeedsVariant), mine: all(w.Held, w.Partly, w.PartlyCapped, w.Changed, w.Promoted, w.JoinHeld),
		full: all(w.Partly, w.Waitlisted, w.SoldOut, w.JoinWaiting, w.JoinSoldOut),
	}
}

var placeholder = regexp.MustCompile(`\{\w+\}`)

// Sentence finds what was made from a sentence with names in braces. Its groups are what stood for the names.
func Sentence(s string) *regexp.Regexp {
	var b strings.Builder
	at := 0
	for _, m := range placeholder.FindAllStringIndex(s, -1) {
		b.WriteString(regexp.QuoteMeta(s[at:m[0]]) + "(.+?)")
		at = m[1]
	}
	return regexp.MustCompile(b.String() + regexp.QuoteMeta(s[at:]))
}

func says(text string, of []*regexp.Regexp) (string, bool) {
	for _, r := range of {
		if m := r.FindString(text); m != "" {
			return m, true
		}
	}
	return "", false
}

var itemNumber = regexp.MustCompile(`#(\d+)`)

// about is the number of the item that a text names first, 0 for none.
func about(text string) int {
	if m := itemNumber.FindStringSubmatch(text); m != nil {
		n, _ := strconv.Atoi(m[1])
		return n
	}
	return 0
}

// read is a line of the bot, read by everybody whom it concerns.
func (c *Crowd) read(ctx context.Context, l Line) {
	if n := Announced(l.Text); n > 0 {
		if l.Platform == chat.Twitch {
			c.onAir, c.aired = n, true
		}
		return
	}
	if who := Bought(l.Text); who != "" {
		if c.chance(25) && l.For == "" {
			c.someone(l.Platform, 2, 6, strings.ReplaceAll(pick(c, congrats()), "{who}", who))
		}
		return
	}
	if part, ok := says(l.Text, c.words.full); ok {
		c.missed(l.Platform, about(part))
	}
	for _, q := range c.concerned(l) {
		c.react(ctx, q, l)
	}
}

// concerned are the claims that a line answers; they wait no more.
func (c *Crowd) concerned(l Line) []*claim {
	var out []*claim
	if q := c.asked[l.ReplyTo]; q != nil {
		out = append(out, q)
		delete(c.asked, l.ReplyTo)
	}
	c.waiting[l.Platform] = slices.DeleteFunc(c.waiting[l.Platform], func(q *claim) bool {
		switch {
		case time.Since(q.at) > patience, len(out) > 0 && out[0] == q:
			return true
		case l.ReplyTo != "" || l.For != "" && l.For != q.v.ID:
			return false
		case l.For == "" && !Names(l.Text, lang.Name(q.v.Name)):
			return false
		}
		out = append(out, q)
		return true
	})
	return out
}

// react is what a viewer does about an answer.
func (c *Crowd) react(ctx context.Context, q *claim, l Line) {
	link := receipt(l, c.Receipts)
	_, held := says(l.Text, c.words.mine)
	_, which := says(l.Text, c.words.which)
	again := func(text string) {
		c.after(c.between(3, 9), func() {
			c.expect(c.Say(q.p, q.v, text), q)
		})
	}
	switch {
	case which && len(c.item(q.item).Variants) > 0:
		again(fmt.Sprintf("!buy %d %s", q.item, strings.ToLower(pick(c, c.item(q.item).Variants))))
	case link != "" && (held || q.cart) && q.plan == pay:
		c.buy(ctx, q, link)
	case held && q.plan == pay && !q.cart: // a line for many carries nobody's receipt
		q.cart = true
		again("!cart")
	case held && q.plan == giveBack:
		c.after(c.between(15, 70), func() { c.Say(q.p, q.v, fmt.Sprintf("!pass %d", q.item)) })
	}
}

// receipt is the address of a receipt in an answer, or empty.
func receipt(l Line, begins string) string {
	if begins == "" {
		return ""
	}
	for _, s := range append(strings.Fields(l.Text), l.Links...) {
		if strings.HasPrefix(s, begins) {
			return s
		}
	}
	return ""
}

// Pace of paying: the fastest sales of a real show, so that shout-outs can still be read, and how far ahead it is planned.
const (
	payEvery = 4 * time.Second
	payAhead = 90 * time.Second
	payFor   = 30 * time.Second
)

// buy opens a receipt after a while and pays. When too many want to, some forget about it.
func (c *Crowd) buy(ctx context.Context, q *claim, link string) {
	now := time.Now()
	at := now.Add(c.between(6, 25))
	if at.Before(c.payNext) {
		at = c.payNext
	}
	if at.Sub(now) > payAhead {
		return
	}
	c.payNext = at.Add(payEvery)
	c.after(at.Sub(now), func() {
		c.paying.Go(func() {
			ctx, cancel := context.WithTimeout(ctx, payFor)
			defer cancel()
			if err := c.Pay(ctx, link, q.v.Name); err != nil && ctx.Err() == nil {
				c.Log.Debug("crowd: not paid", "err", err)
			}
		})
	})
}

// missed is what happens when an item is all held: people sigh, and the host finds some more of it.
func (c *Crowd) missed(p chat.Platform, number int) {
	if number == 0 || c.refill[number] || c.item(number).Number != number {
		return
	}
	c.refill[number] = true
	it := c.item(number)
	if c.chance(60) {
		c.someone(p, 1, 4, fill(pick(c, sighs()), it))
	}
	c.after(c.between(12, 25), func() {
		c.Host(fill(pick(c, hostFound()), it))
		c.Restock(number)
		c.refill[number] = false
	})
}

// someone of a platform's viewers says something in a moment.
func (c *Crowd) someone(p chat.Platform, lo, hi float64, text string) {
	for range 20 {
		if on, v := Member(c.rnd.IntN(c.State().Size)); on == p {
			c.after(c.between(lo, hi), func() { c.Say(p, v, text) })
			return
		}
	}
}

// Names reports whether a text names somebody: the name stands in it as a word of its own.
func Names(text, name string) bool {
	for at := 0; name != ""; {
		i := strings.Index(text[at:], name)
		if i < 0 {
			return false
		}
		from, to := at+i, at+i+len(name)
		if !wordy(text[:from], true) && !wordy(text[to:], false) {
			return true
		}
		at = to
	}
	return false
}

func wordy(s string, last bool) bool {
	r, _ := utf8.DecodeRuneInString(s)
	if last {
		r, _ = utf8.DecodeLastRuneInString(s)
	}
	return s != "" && (r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r))
}
