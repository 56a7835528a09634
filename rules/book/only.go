package book

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"hawker/commerce"
	"hawker/internal/chat"
	"hawker/rules/facts"
	"hawker/rules/rule"
)

// unless says which condition of a rule does not hold, in words; empty when all hold. Chance, expression and At most are asked
// elsewhere.
func (r *compiled) unless(f *facts.Facts, zone *time.Location) string {
	o := &r.Only
	if len(r.platforms) > 0 && !slices.Contains(r.platforms, where(f)) {
		this := string(where(f))
		if this == "" {
			this = "no platform"
		}
		return "only if: platform is " + words(r.platforms) + ", but this is " + this
	}
	if len(o.Roles) > 0 && !r.roles.has(&f.Viewer) {
		return "only if: role is " + words(o.Roles) + ", but " + facts.Clean(f.Viewer.Shown) + " is a " + string(f.Viewer.Role())
	}
	if len(o.NotRoles) > 0 && r.not.has(&f.Viewer) {
		return "only if: role is not " + words(o.NotRoles) + ", but " + facts.Clean(f.Viewer.Shown) + " is a " + string(f.Viewer.Role())
	}
	if why := r.unlessPerson(f); why != "" {
		return why
	}
	if why := r.unlessShow(f); why != "" {
		return why
	}
	if r.amount.set && !r.amount.has(f.Amount()) {
		return "only if: amount is " + boundWords(o.Amount) + ", but it is " + number(f.Amount())
	}
	if r.months.set && !r.months.has(float64(f.Support.Months)) {
		return "only if: months are " + boundWords(o.Months) + ", but they are " + strconv.Itoa(f.Support.Months)
	}
	return r.unlessTime(f, zone)
}

func (r *compiled) unlessPerson(f *facts.Facts) string {
	o, p := &r.Only, &f.Person
	if o.FirstBuyer == "" && !r.bought.set && !r.spent.set {
		return ""
	}
	switch {
	case !p.Known:
		return "only if: what the person bought before is not known yet"
	case o.FirstBuyer == rule.Yes && p.Orders > 0:
		return "only if: it is the first order here, but there were " + strconv.Itoa(p.Orders) + " before"
	case o.FirstBuyer == rule.No && p.Orders == 0:
		return "only if: the person bought here before, but did not"
	case r.bought.set && !r.bought.has(float64(p.Orders)):
		return "only if: orders before are " + boundWords(o.Bought) + ", but they are " + strconv.Itoa(p.Orders)
	case r.spent.set && !r.spent.has(facts.Units(p.Spent)):
		return "only if: spent before is " + boundWords(o.Spent) + ", but it is " + p.Spent.String()
	}
	return ""
}

func (r *compiled) unlessShow(f *facts.Facts) string {
	o := &r.Only
	ok := true
	switch o.Show {
	case rule.ShowLive:
		ok = f.Show.Live
	case rule.ShowPaused:
		ok = f.Show.Live && f.Show.Paused
	case rule.ShowHot:
		ok = f.Show.Live && f.Show.Hot
	case rule.ShowNone:
		ok = !f.Show.Live
	}
	switch {
	case !ok && o.Show == rule.ShowNone:
		return "only if: no show is live, but one is"
	case !ok:
		return "only if: the show is " + string(o.Show) + ", but it is not"
	case len(o.Items) > 0 && !slices.Contains(o.Items, f.Item.Number):
		return "only if: item is " + numbers(o.Items) + ", but " + itemIs(f)
	case len(o.Tags) > 0 && !tagged(o.Tags, f.Item.Tags):
		return "only if: the item is tagged " + words(o.Tags) + ", but " + itemIs(f) + ", which is not"
	case r.stock.set && !f.Stock.Known:
		return "only if: stock is " + boundWords(o.Stock) + ", but it is not known"
	case r.stock.set && !r.stock.has(float64(f.Stock.Free())):
		return "only if: stock is " + boundWords(o.Stock) + ", but " + strconv.FormatInt(f.Stock.Free(), 10) + " are left"
	}
	return ""
}

func tagged(want, have []string) bool {
	for _, t := range want {
		if slices.ContainsFunc(have, func(h string) bool { return strings.EqualFold(t, h) }) {
			return true
		}
	}
	return false
}

func (r *compiled) unlessTime(f *facts.Facts, zone *time.Location) string {
	if r.anyDay && r.from < 0 && r.to < 0 {
		return ""
	}
	at := f.At.In(zone)
	minute := at.Hour()*60 + at.Minute()
	from, to := max(r.from, 0), r.to
	if to < 0 {
		to = 24 * 60
	}
	in, day := minute >= from && minute < to, at.Weekday()
	if to < from { // over midnight: the hours after it are of the day before
		in = minute >= from || minute < to
		if minute < to {
			day = (day + 6) % 7
		}
	}
	switch {
	case !in:
		return "only if: the time is " + window(&r.Only) + ", but it is " + at.Format("15:04")
	case !r.anyDay && !r.days[day]:
		return "only if: the day is " + words(r.Only.Days) + ", but it is " + strings.ToLower(at.Format("Mon"))
	}
	return ""
}

func window(o *rule.Only) string {
	switch {
	case o.To == "":
		return "from " + o.From
	case o.From == "":
		return "before " + o.To
	}
	return o.From + " to " + o.To
}

// where is the platform that it is about: the viewer's, else the channel's.
func where(f *facts.Facts) chat.Platform {
	if f.Viewer.Platform != "" {
		return f.Viewer.Platform
	}
	return f.Channel.Platform
}

func itemIs(f *facts.Facts) string {
	if f.Item.Number == 0 {
		return "no item is on air"
	}
	return "it is " + strconv.Itoa(f.Item.Number)
}

// words writes a list for people: a, b or c.
func words[S ~string](list []S) string {
	var b strings.Builder
	for i, w := range list {
		switch {
		case i > 0 && i == len(list)-1:
			b.WriteString(" or ")
		case i > 0:
			b.WriteString(", ")
		}
		b.WriteString(string(w))
	}
	return b.String()
}

func numbers(list []int) string {
	out := make([]string, len(list))
	for i, n := range list {
		out[i] = strconv.Itoa(n)
	}
	return words(out)
}

func number(v float64) string { return strconv.FormatFloat(v, 'f', -1, 64) }

// boundWords is a bound in words.
func boundWords(b rule.Bound) string {
	from, to, two := strings.Cut(string(b), "..")
	switch {
	case !two:
		return from
	case to == "":
		return "at least " + from
	case from == "":
		return "at most " + to
	}
	return from + " to " + to
}

// unmatched says in words what a rule waits for and what did not come.
func unmatched(w *rule.When) string {
	switch w.Event {
	case rule.Command:
		return "the line is not the command " + words(w.Words)
	case rule.Contains:
		return "the line does not contain " + words(w.Words)
	case rule.Matches:
		return "the line does not match the pattern"
	case rule.FirstLine:
		return "it is not the viewer's first line in this show"
	case rule.Cheered:
		return "no bits were cheered with it"
	case rule.SuperChat:
		return "it is no Super Chat"
	}
	return "it waits for something else"
}

// mostWords are what a trace says when At most holds a rule back: counts, and cool-downs.
func mostWords(a *rule.AtMost) (counts, rests string) {
	if !a.Bounded() {
		return "", ""
	}
	return "at most: it fired as often as it may ", "at most: it waits "
}

// often says which bound of At most is reached; empty when none is.
func (r *compiled) often(in *Input, s *scratch) string {
	if !r.AtMost.Bounded() || in.Counter == nil {
		return ""
	}
	a := &r.AtMost
	for _, x := range [...]struct {
		scope Scope
		most  int
		rest  time.Duration
		whose string
	}{
		{PerPerson, a.PerPerson, a.PersonCooldown, "for one person"},
		{PerChannel, a.PerChannel, a.ChannelCooldown, "in one channel"},
		{PerShow, a.PerShow, a.ShowCooldown, "in this show"},
	} {
		if x.most > 0 && in.Counter(r.countKey(in, s, x.scope, in.Facts.Show.ID)).N >= int64(x.most) {
			return r.mostPer + x.whose + " (" + strconv.Itoa(x.most) + ")"
		}
		if x.rest > 0 {
			if c := in.Counter(r.countKey(in, s, x.scope, 0)); c.N > 0 && in.Now.Sub(c.Last) < x.rest {
				return r.mostAll + rule.Span(x.rest) + " " + x.whose
			}
		}
	}
	return ""
}

// countKey names a count of a rule. Cool-downs are counted over shows, under show 0.
func (r *compiled) countKey(in *Input, s *scratch, scope Scope, show commerce.ID) Key {
	k := Key{Rule: r.ID, Scope: scope, Show: show}
	switch scope {
	case PerPerson:
		if s.person == "" {
			s.person = string(in.Facts.Viewer.Platform) + "/" + in.Facts.Viewer.ID
		}
		k.Of = s.person
	case PerChannel:
		k.Of = in.Facts.Channel.String()
	}
	return k
}

// count notes that a rule fired.
func (r *compiled) count(in *Input, out *Result) {
	a, s, show := &r.AtMost, &out.scratch, in.Facts.Show.ID
	for _, x := range [...]struct {
		scope Scope
		most  int
		rest  time.Duration
	}{{PerPerson, a.PerPerson, a.PersonCooldown}, {PerChannel, a.PerChannel, a.ChannelCooldown}, {PerShow, a.PerShow, a.ShowCooldown}} {
		if x.most > 0 {
			r.countOne(in, out, r.countKey(in, s, x.scope, show))
		}
		if x.rest > 0 && (x.most == 0 || show != 0) {
			r.countOne(in, out, r.countKey(in, s, x.scope, 0))
		}
	}
}

func (r *compiled) countOne(in *Input, out *Result, k Key) {
	var c Count
	if in.Counter != nil {
		c = in.Counter(k)
	}
	out.Counts = append(out.Counts, Change{k, Count{c.N + 1, in.Now}})
}
