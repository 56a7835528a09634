package replay

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"hawker/commerce"
	"hawker/rules/rule"
)

// compare notes how a line was decided in the two worlds.
func (x *replaying) compare(l *Line, before, after *Answer) {
	if before.own != l.Reason {
		x.result.Strayed++
	}
	if before.same(after) {
		return
	}
	if x.result.Changed++; len(x.result.Changes) < MostChanges {
		m := &l.Message
		x.result.Changes = append(x.result.Changes, Change{At: l.Decided, Channel: m.Channel, Viewer: m.Viewer, Text: m.Text, Before: before.copied(), After: after.copied()})
	}
}

// beside notes what rules made, in a step, of what is no line.
func (x *replaying) beside() {
	b, a := x.before.besides, x.after.besides
	if len(b) == 0 && len(a) == 0 {
		return
	}
	is := func(p, q *Happened) bool {
		return p.Event == q.Event && p.Rule == q.Rule && who(p.Viewer) == who(q.Viewer) && p.Number == q.Number
	}
	met := make([]bool, len(a))
	for i := range b {
		one := b[i]
		one.Before = one.answer
		for k := range a {
			if !met[k] && is(&b[i], &a[k]) {
				met[k], one.After = true, a[k].answer
				break
			}
		}
		x.differs(one)
	}
	for k := range a {
		if one := a[k]; !met[k] {
			one.After = one.answer
			x.differs(one)
		}
	}
}

func (x *replaying) differs(h Happened) {
	if h.Before.same(&h.After) {
		return
	}
	if x.result.More++; len(x.result.Besides) < MostBesides {
		h.Before, h.After, h.answer = h.Before.copied(), h.After.copied(), Answer{}
		x.result.Besides = append(x.result.Besides, h)
	}
}

// finish makes the result.
func (x *replaying) finish() {
	r := &x.result
	r.Show, r.Title = x.Show.ID, x.Show.Title
	is := map[commerce.ID]bool{}
	for i := range x.edited {
		e := &x.edited[i]
		_, was := x.then[e.ID]
		is[e.ID] = true
		r.Rules = append(r.Rules, RuleCount{Rule: e.ID, Name: e.Name, Before: x.before.ask.fired[e.ID], After: x.after.ask.fired[e.ID], Was: was, Is: true})
	}
	var gone []RuleCount
	for id, name := range x.then {
		if !is[id] {
			gone = append(gone, RuleCount{Rule: id, Name: name, Before: x.before.ask.fired[id], Was: true})
		}
	}
	slices.SortFunc(gone, func(a, b RuleCount) int { return cmp.Or(strings.Compare(a.Name, b.Name), cmp.Compare(a.Rule, b.Rule)) })
	r.Rules = append(r.Rules, gone...)
	wb, wa := x.before.waiting(r.To), x.after.waiting(r.To)
	for i := range x.Show.Lineup.Items {
		it := &x.Show.Lineup.Items[i]
		for k := range it.Product.Variants {
			v := &it.Product.Variants[k]
			r.Stock = append(r.Stock, Piece{Number: it.Number, Title: it.Product.Title, Label: v.Label(), Variant: v.ID, Before: x.before.pieces(v.ID, wb), After: x.after.pieces(v.ID, wa)})
		}
	}
	r.Lacks = x.lacks()
}

// lacks says what is not recorded and may matter here.
func (x *replaying) lacks() []string {
	all := slices.Clone(x.edited)
	for _, b := range x.books {
		all = append(all, b.Rules()...)
	}
	var unheard, drawn, counted []string
	add := func(list *[]string, name string) {
		if name = fmt.Sprintf("%q", name); !slices.Contains(*list, name) {
			*list = append(*list, name)
		}
	}
	for i := range all {
		r := &all[i]
		if r.Off {
			continue
		}
		if !recorded(r.When.Event) {
			add(&unheard, r.Name)
		}
		text := r.Only.Expr
		for k := range r.Then {
			a := &r.Then[k]
			text += " " + a.If + " " + a.Value + " " + a.Text
		}
		if !r.When.Event.OfLines() && (r.Only.Chance > 0 || strings.Contains(text, "dice(") || strings.Contains(text, "chance")) {
			add(&drawn, r.Name)
		}
		if strings.Contains(text, "counters.") || strings.Contains(text, "vars.") {
			add(&counted, r.Name)
		}
	}
	out := []string{"The items, prices and limits are those that the show has now; what was changed in them during the show is not in the log."}
	tell := func(list []string, format string) {
		if slices.Sort(list); len(list) > 0 {
			out = append(out, fmt.Sprintf(format, strings.Join(list, ", ")))
		}
	}
	tell(unheard, "Subs, raids, follows, redemptions and other things that are no lines and no sales are not in the log. Rules that wait for them did not fire: %s.")
	tell(drawn, "What was drawn by lot is in the log for lines only; elsewhere it was drawn anew: %s.")
	tell(counted, "Counters and variables began empty, whatever they were when the show began: %s.")
	if n := len(x.place) - x.found; n > 0 {
		out = append(out, fmt.Sprintf("%d lines that were decided in the show are not in the log: they were erased on a viewer's wish, are older than the log, or were lost in a crash. What they claimed is missing here.", n))
	}
	for _, v := range x.replaced {
		out = append(out, fmt.Sprintf("Version %d of the rules, in force then, is kept no more: the oldest version that is kept stands in for it.", v))
	}
	if x.older {
		out = append(out, "A part of the log is of an older version: whether a line was its viewer's first is counted from the beginning of the log, and the rules in force are taken to be the default ones.")
	}
	if x.result.Strayed > 0 {
		out = append(out, fmt.Sprintf("%d lines are decided otherwise than in the show under the same rules: accounts that viewers had joined count as different people here, and a store that could not be read does not pause its items.", x.result.Strayed))
	}
	return out
}

// recorded reports whether what a rule waits for can be told from a recording.
func recorded(e rule.Event) bool {
	if e.OfLines() {
		return true
	}
	switch e {
	case rule.ItemOnAir, rule.HoldMade, rule.ReminderDue, rule.HoldExpired, rule.Promoted, rule.OrderPaid, rule.OrderCancelled, rule.OrderRefunded, rule.StockAt, rule.SoldOut,
		rule.ShowStarted, rule.ShowEnded, rule.Every, rule.At, rule.AfterLines:
		return true
	}
	return false
}
