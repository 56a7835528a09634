package rule

import (
	"fmt"
	"net/url"
	"regexp"
	"regexp/syntax"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"hawker/internal/chat"
	"hawker/internal/plain"
)

// maxProgram is how many instructions a pattern may come to: what is larger costs milliseconds a line.
const maxProgram = 2000

var (
	nameForm     = regexp.MustCompile(`^[a-z][a-z0-9_]{0,29}$`)
	stockForm    = regexp.MustCompile(`^[+-]?[0-9]{1,6}$`)
	priceForm    = regexp.MustCompile(`^[0-9]{1,9}(?:\.[0-9]{1,3})?$`)
	percentForm  = regexp.MustCompile(`^(?:100|[1-9][0-9]?)%$`)
	codeNameForm = regexp.MustCompile(`^[A-Za-z0-9-]{1,20}$`)
)

// checker collects the first fault of a rule.
type checker struct {
	r   *Rule
	err *Error
}

func (c *checker) fault(field string, action int, format string, args ...any) {
	if c.err == nil {
		c.err = &Error{Rule: -1, Name: c.r.Name, Field: field, Action: action, Msg: fmt.Sprintf(format, args...)}
	}
}

// Check says what is wrong with a rule's form; nil when nothing is. What its texts and expressions name is checked by
// book.New.
func Check(r *Rule) *Error {
	c := &checker{r: r}
	c.line("name", -1, r.Name, MaxName)
	c.when()
	c.only()
	switch {
	case len(r.Then) == 0:
		c.fault("then", -1, "it does nothing; say what it is to do")
	case len(r.Then) > MaxActions:
		c.fault("then", -1, "it does more than %d things; make two rules of it", MaxActions)
	}
	for i := range r.Then {
		c.action(i, &r.Then[i])
	}
	c.atMost()
	return c.err
}

// line checks a text of one line for people.
func (c *checker) line(field string, action int, s string, limit int) bool {
	switch {
	case strings.TrimSpace(s) == "":
		c.fault(field, action, "it is empty")
	case s != strings.TrimSpace(s):
		c.fault(field, action, "it begins or ends with a blank")
	case len(s) > 8*limit || utf8.RuneCountInString(s) > limit:
		c.fault(field, action, "it is longer than %d characters", limit)
	case !utf8.ValidString(s) || strings.ContainsFunc(s, plain.Unprintable):
		c.fault(field, action, "a line break or control mark stands in it")
	default:
		return true
	}
	return false
}

func (c *checker) when() {
	w := &c.r.When
	e := w.Event
	if !slices.Contains(Events(), e) {
		c.fault("when", -1, "%s", nothing(string(e), Events()))
		return
	}
	unused := func(set bool, what string) {
		if set {
			c.fault("when", -1, "%q is told no %s", e, what)
		}
	}
	if e == Command || e == Contains {
		c.words(w.Words, e)
	} else {
		unused(len(w.Words) > 0, "words")
	}
	if e == Matches {
		if err := CheckPattern(w.Pattern); err != nil {
			c.fault("when", -1, "%s", err.Msg)
			if c.err.Column == 0 && c.err.Msg == err.Msg {
				c.err.Column = err.Column
			}
		}
	} else {
		unused(w.Pattern != "", "pattern")
	}
	switch {
	case e != Every:
		unused(w.Every != 0, "length of time")
	case w.Every < MinEvery || w.Every > MaxEvery || w.Every%time.Minute != 0:
		c.fault("when", -1, "every is whole minutes, from 1m to 24h")
	}
	if e == At {
		if _, ok := Clock(w.At); !ok {
			c.fault("when", -1, `at is a time of day such as "20:00", from 00:00 to 23:59`)
		}
	} else {
		unused(w.At != "", "time of day")
	}
	switch {
	case e != AfterLines:
		unused(w.Lines != 0, "number of lines")
	case w.Lines < 1 || w.Lines > MaxLines:
		c.fault("when", -1, "after lines is a number from 1 to %d", MaxLines)
	}
	switch {
	case e != StockAt:
		unused(w.Left != 0, "number of pieces")
	case w.Left < 1 || w.Left > 100_000:
		c.fault("when", -1, "stock at is a number from 1 to 100000; for none left there is: sold out")
	}
	switch e {
	case Webhook:
		if !nameForm.MatchString(w.Title) {
			c.fault("when", -1, "a webhook has a name of small letters, digits and _, such as restocked")
		}
	case Redeemed, PollEnded, DestinationDown, DestinationUp:
		if w.Title != "" {
			c.line("when", -1, w.Title, 100)
		}
	default:
		unused(w.Title != "", "title")
	}
}

func (c *checker) words(words []string, e Event) {
	switch {
	case len(words) == 0:
		c.fault("when", -1, "say which words")
	case len(words) > MaxWords:
		c.fault("when", -1, "more than %d words; make two rules of it", MaxWords)
	}
	for i, w := range words {
		if !c.line("when", -1, w, MaxWord) {
			return
		}
		if slices.Contains(words[:i], w) {
			c.fault("when", -1, "%q stands there twice", plain.Cut(w))
		}
	}
}

func (c *checker) only() {
	o, e := &c.r.Only, c.r.When.Event
	nobody := func(set bool, field string) {
		if set && !e.ByViewer() {
			c.fault(field, -1, "no viewer stands behind %q", e)
		}
	}
	for i, p := range o.Platforms {
		switch p {
		case chat.Twitch, chat.YouTube, chat.Discord, chat.Room:
		default:
			c.fault("platforms", -1, "a platform is twitch, youtube, discord or room, not %q", plain.Cut(string(p)))
		}
		if slices.Contains(o.Platforms[:i], p) {
			c.fault("platforms", -1, "%s stands there twice", p)
		}
	}
	for _, list := range []struct {
		field string
		roles []Role
	}{{"roles", o.Roles}, {"not roles", o.NotRoles}} {
		nobody(len(list.roles) > 0, list.field)
		for i, r := range list.roles {
			if !slices.Contains(Roles(), r) {
				c.fault(list.field, -1, "a role is %s, not %q", quoteList(Roles()), plain.Cut(string(r)))
			}
			if slices.Contains(list.roles[:i], r) {
				c.fault(list.field, -1, "%s stands there twice", r)
			}
		}
	}
	if slices.Contains(o.NotRoles, Viewer) {
		c.fault("not roles", -1, "everybody is a viewer, so it would never fire")
	}
	if o.FirstBuyer != "" && o.FirstBuyer != Yes && o.FirstBuyer != No {
		c.fault("first buyer", -1, "want yes or no")
	}
	nobody(o.FirstBuyer != "", "first buyer")
	nobody(o.Months != "", "months")
	nobody(o.Bought != "", "bought")
	nobody(o.Spent != "", "spent")
	for _, b := range []struct {
		field string
		bound Bound
	}{{"bought", o.Bought}, {"spent", o.Spent}, {"stock", o.Stock}, {"amount", o.Amount}, {"months", o.Months}} {
		if b.bound != "" {
			if _, _, err := b.bound.Ends(); err != nil {
				c.fault(b.field, -1, "%v", err)
			}
		}
	}
	if o.Amount != "" && !e.hasAmount() {
		c.fault("amount", -1, "%q has no amount", e)
	}
	switch o.Show {
	case "", ShowLive, ShowPaused, ShowHot, ShowNone:
	default:
		c.fault("show", -1, "want live, paused, hot or none, not %q", plain.Cut(string(o.Show)))
	}
	c.lists(o)
	c.times(o)
	if o.Chance < 0 || o.Chance > 100 {
		c.fault("chance", -1, "want a number from 1 to 100")
	}
	if o.Expr != "" {
		c.line("expression", -1, o.Expr, MaxExpr)
	}
}

// hasAmount reports whether e comes with an amount.
func (e Event) hasAmount() bool {
	switch e {
	case Gifted, Cheered, SuperChat, Raided, OrderPaid, OrderCancelled, OrderRefunded:
		return true
	}
	return false
}

func (c *checker) lists(o *Only) {
	if len(o.Items) > MaxList || len(o.Tags) > MaxList {
		c.fault("items", -1, "more than %d items or tags", MaxList)
		return
	}
	for i, n := range o.Items {
		if n < 1 || n > 9999 {
			c.fault("items", -1, "an item's number is from 1 to 9999")
		}
		if slices.Contains(o.Items[:i], n) {
			c.fault("items", -1, "%d stands there twice", n)
		}
	}
	for i, t := range o.Tags {
		if c.line("tags", -1, t, 80) && slices.Contains(o.Tags[:i], t) {
			c.fault("tags", -1, "%q stands there twice", t)
		}
	}
}

func (c *checker) times(o *Only) {
	for _, t := range []struct{ field, clock string }{{"from", o.From}, {"to", o.To}} {
		if _, ok := Clock(t.clock); t.clock != "" && !ok {
			c.fault(t.field, -1, `want a time of day such as "18:00"`)
		}
	}
	if o.From != "" && o.From == o.To {
		c.fault("to", -1, "it is the same as from; leave both out for the whole day")
	}
	for i, d := range o.Days {
		if !slices.Contains(Days(), d) {
			c.fault("days", -1, "a day is %s, not %q", quoteList(Days()), plain.Cut(string(d)))
		}
		if slices.Contains(o.Days[:i], d) {
			c.fault("days", -1, "%s stands there twice", d)
		}
	}
}

func (c *checker) atMost() {
	a, e := &c.r.AtMost, c.r.When.Event
	for _, n := range []struct {
		field string
		n     int
	}{{"per person", a.PerPerson}, {"per channel", a.PerChannel}, {"per show", a.PerShow}} {
		if n.n < 0 || n.n > 1_000_000 {
			c.fault(n.field, -1, "want a number from 1 to 1000000")
		}
	}
	for _, d := range []struct {
		field string
		d     time.Duration
	}{{"person cooldown", a.PersonCooldown}, {"channel cooldown", a.ChannelCooldown}, {"cooldown", a.ShowCooldown}} {
		if d.d < 0 || d.d > MaxSpan || d.d%time.Second != 0 {
			c.fault(d.field, -1, "want whole seconds, from 1s to 720h")
		}
	}
	if !e.ByViewer() && (a.PerPerson > 0 || a.PersonCooldown > 0) {
		c.fault("per person", -1, "no viewer stands behind %q", e)
	}
}

// PatternError is what is wrong with a pattern; Column counts code points from 1, 0 when it is about the whole.
type PatternError struct {
	Column int
	Msg    string
}

func (e *PatternError) Error() string { return e.Msg }

// CheckPattern says what is wrong with a pattern of RE2; nil when nothing is.
func CheckPattern(p string) *PatternError {
	switch {
	case strings.TrimSpace(p) == "":
		return &PatternError{0, "the pattern is empty"}
	case len(p) > MaxPattern:
		return &PatternError{0, fmt.Sprintf("the pattern has %d bytes; at most %d are read", len(p), MaxPattern)}
	case !utf8.ValidString(p) || strings.ContainsFunc(p, plain.Unprintable):
		return &PatternError{0, "a line break or control mark stands in the pattern"}
	}
	re, err := syntax.Parse(p, syntax.Perl)
	if err != nil {
		out := &PatternError{0, "the pattern cannot be read: " + err.Error()}
		if e, ok := err.(*syntax.Error); ok {
			out.Msg = "the pattern cannot be read: " + e.Code.String()
			if i := strings.Index(p, e.Expr); i >= 0 && e.Expr != "" {
				out.Column = utf8.RuneCountInString(p[:i]) + 1
				out.Msg += fmt.Sprintf(" at %q", plain.Cut(e.Expr))
			}
		}
		return out
	}
	if n := PatternSize(p); n > maxProgram {
		return &PatternError{0, fmt.Sprintf("the pattern comes to %d steps; at most %d are taken: write shorter repetitions", n, maxProgram)}
	}
	if re.Simplify().Op == syntax.OpEmptyMatch {
		return &PatternError{0, "the pattern matches every line"}
	}
	return nil
}

// PatternSize is how many instructions a pattern comes to, without regard to case; 0 when it is none.
func PatternSize(p string) int {
	re, err := syntax.Parse("(?i:"+p+")", syntax.Perl)
	if err != nil {
		return 0
	}
	prog, err := syntax.Compile(re.Simplify())
	if err != nil {
		return 0
	}
	return len(prog.Inst)
}

// httpsAddress reports whether s is an address that we may call or show.
func httpsAddress(s string) bool {
	u, err := url.Parse(s)
	return err == nil && u.Scheme == "https" && u.Host != "" && u.User == nil && len(s) <= 500 && !strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || plain.Unprintable(r) })
}
