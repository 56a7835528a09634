package rulepage

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"hawker/commerce"
	"hawker/internal/live"
	"hawker/internal/live/ruling"
	"hawker/internal/sqldb/rulebook"
	"hawker/rules"
	"hawker/rules/book"
	"hawker/rules/rule"
	"hawker/rules/sentence"
	"hawker/web/desk/ruleform"
	"hawker/web/desk/section"
	"hawker/web/ui"
)

// listPage is all rules, by what they wait for.
type listPage struct {
	Edit      bool
	Query     string
	Groups    []listGroup
	Found     int
	Of        int
	Base      int64
	Starter   bool // nothing was ever saved
	By        string
	At        when
	Templates []templateRow // where there is no rule at all
	Show      string        // in which firings are counted
	Live      bool          // it goes on
	Troubles  []troubleRow  // what rules wanted done and could not be
}

// troubleRow is something that rules wanted done last and that did not work.
type troubleRow struct {
	What, Why string
	At        when // zero where it is not known
}

// troubles are what does not work now. Addresses of webhooks are for who may change rules.
func (p *Pages) troubles(v *section.Visitor) []troubleRow {
	work := p.Hub.RuleWork(v.Merchant.ID)
	var out []troubleRow
	for _, t := range work.Trouble {
		out = append(out, troubleRow{t.What, t.Why, recent(v, t.At)})
	}
	for _, h := range work.Hooks {
		if h.Trouble != "" && v.Rules {
			out = append(out, troubleRow{What: "webhook to " + h.URL, Why: h.Trouble})
		}
	}
	return out
}

type listGroup struct {
	ID, Title string
	Rows      []listRow
}

type listRow struct {
	ID          commerce.ID
	Name        string
	Sentence    string
	On          bool
	First, Last bool // of its group
	Fault       string
	Fired       int // times in that show, as far as this server saw
	LastFired   when
	Movable     bool
}

func (p *Pages) list(w http.ResponseWriter, r *http.Request, v *section.Visitor) error {
	page, err := p.listPage(r.Context(), v, strings.TrimSpace(r.URL.Query().Get("q")))
	if err != nil {
		return err
	}
	return p.show(w, r, v, "list", "Rules", nil, page)
}

func (p *Pages) listPage(ctx context.Context, v *section.Visitor, query string) (*listPage, error) {
	all, err := p.inForce(ctx, v)
	if err != nil {
		return nil, err
	}
	page := &listPage{
		Edit: v.Rules, Query: query, Of: len(all.Rules), Base: all.Number, Starter: all.Number == 0, By: all.Author, At: dated(v, all.At),
	}
	if len(all.Rules) == 0 {
		page.Templates = templateRows(v)
	}
	faults := map[commerce.ID]string{}
	_, errs := book.Load(all.Rules, options(v))
	for _, e := range errs {
		if e.Rule < len(all.Rules) {
			faults[all.Rules[e.Rule].ID] = e.Error()
		}
	}
	fired, show, isLive, err := p.fired(ctx, v)
	if err != nil {
		return nil, err
	}
	page.Show, page.Live, page.Troubles = show, isLive, p.troubles(v)
	rows := make([][]listRow, len(ruleform.Groups()))
	for i := range all.Rules {
		x := hide(v, all.Rules[i])
		on := !x.Off
		x.Off = false
		row := listRow{ID: x.ID, Name: x.Name, Sentence: sentence.Of(&x), On: on, Fault: faults[x.ID], Fired: fired[x.ID].Times, LastFired: recent(v, fired[x.ID].Last), Movable: v.Rules && query == ""}
		if !matches(&row, query) {
			continue
		}
		page.Found++
		g := ruleform.GroupOf(x.When.Event)
		rows[g] = append(rows[g], row)
	}
	for i, g := range ruleform.Groups() {
		if n := len(rows[i]); n > 0 {
			rows[i][0].First, rows[i][n-1].Last = true, true
			page.Groups = append(page.Groups, listGroup{g.ID, g.Title, rows[i]})
		}
	}
	return page, nil
}

// matches reports whether a row has all words of a query, in whatever form of letters.
func matches(row *listRow, query string) bool {
	text := rules.Fold(row.Name + " " + row.Sentence)
	for word := range strings.FieldsSeq(rules.Fold(query)) {
		if !strings.Contains(text, word) {
			return false
		}
	}
	return true
}

// fired are the firings in the show that is live, else in the one that began last. Where the merchant is not served here nothing
// is known.
func (p *Pages) fired(ctx context.Context, v *section.Visitor) (fired map[commerce.ID]ruling.Fired, show string, isLive bool, err error) {
	all, err := p.DB.Shows(ctx, v.Merchant.ID)
	if err != nil {
		return nil, "", false, err
	}
	pick := -1
	for i := range all {
		s := &all[i]
		if s.Started.IsZero() {
			continue
		}
		switch {
		case pick < 0, s.State == commerce.ShowLive && all[pick].State != commerce.ShowLive, (s.State == commerce.ShowLive) == (all[pick].State == commerce.ShowLive) && s.Started.After(all[pick].Started):
			pick = i
		}
	}
	if pick < 0 {
		return nil, "", false, nil
	}
	fired, err = p.Hub.Fired(ctx, v.Merchant.ID, all[pick].ID)
	if errors.Is(err, live.ErrNotHere) {
		err = nil
	}
	return fired, all[pick].Title, all[pick].State == commerce.ShowLive, err
}

// ruleID reads the rule of an address.
func ruleID(r *http.Request) (commerce.ID, error) {
	id, err := commerce.ParseID(r.PathValue("id"))
	if err != nil {
		return 0, live.ErrNotFound
	}
	return id, nil
}

// turn turns a rule on or off, whatever else somebody changed meanwhile.
func (p *Pages) turn(w http.ResponseWriter, r *http.Request, v *section.Visitor) error {
	id, err := ruleID(r)
	if err != nil {
		return err
	}
	off := r.PostFormValue("on") != "1"
	word := map[bool]string{true: "off", false: "on"}[off]
	err = p.change(r.Context(), v, func(now rulebook.Version) ([]rule.Rule, string, error) {
		i := find(now.Rules, id)
		if i < 0 {
			return nil, "", live.ErrNotFound
		}
		if now.Rules[i].Off == off {
			return nil, "", nil
		}
		now.Rules[i].Off = off
		return now.Rules, "turned " + word + " " + now.Rules[i].Name, nil
	})
	return p.listed(w, r, v, err, word, id)
}

// move moves a rule one place up or down among those of its kind.
func (p *Pages) move(w http.ResponseWriter, r *http.Request, v *section.Visitor) error {
	id, err := ruleID(r)
	if err != nil {
		return err
	}
	step := 1
	if r.PostFormValue("to") == "up" {
		step = -1
	}
	err = p.change(r.Context(), v, func(now rulebook.Version) ([]rule.Rule, string, error) {
		i := find(now.Rules, id)
		if i < 0 {
			return nil, "", live.ErrNotFound
		}
		g := ruleform.GroupOf(now.Rules[i].When.Event)
		for k := i + step; k >= 0 && k < len(now.Rules); k += step {
			if ruleform.GroupOf(now.Rules[k].When.Event) == g {
				note := "moved " + now.Rules[i].Name
				now.Rules[i], now.Rules[k] = now.Rules[k], now.Rules[i]
				return now.Rules, note, nil
			}
		}
		return nil, "", nil
	})
	return p.listed(w, r, v, err, "moved", id)
}

// order puts the rules of a group into the order that was dragged. Rules that came or went meanwhile make it no order any more.
func (p *Pages) order(w http.ResponseWriter, r *http.Request, v *section.Visitor) error {
	if err := r.ParseForm(); err != nil {
		return err
	}
	var ids []commerce.ID
	for _, s := range r.PostForm["rule"] {
		id, err := commerce.ParseID(s)
		if err != nil {
			return ui.Problem(http.StatusBadRequest, "This is no order of rules. Load the page again.")
		}
		ids = append(ids, id)
	}
	err := p.change(r.Context(), v, func(now rulebook.Version) ([]rule.Rule, string, error) {
		changed, ok := ordered(now.Rules, ids)
		if !ok {
			return nil, "", ui.Problem(http.StatusConflict, "Somebody else changed the rules meanwhile. Load the page again, then move it.")
		}
		if slices.EqualFunc(changed, now.Rules, func(a, b rule.Rule) bool { return a.ID == b.ID }) {
			return nil, "", nil
		}
		return changed, "changed the order", nil
	})
	return p.listed(w, r, v, err, "moved", 0)
}

// ordered puts the rules of one group into another order; the places that the group has stay the group's. ok is false when ids
// are not all of one group's rules.
func ordered(all []rule.Rule, ids []commerce.ID) (out []rule.Rule, ok bool) {
	if len(ids) == 0 || find(all, ids[0]) < 0 {
		return nil, false
	}
	g := ruleform.GroupOf(all[find(all, ids[0])].When.Event)
	out = slices.Clone(all)
	used := map[commerce.ID]bool{}
	n := 0
	for i := range all {
		if ruleform.GroupOf(all[i].When.Event) != g {
			continue
		}
		if n == len(ids) || used[ids[n]] {
			return nil, false
		}
		k := find(all, ids[n])
		if k < 0 || ruleform.GroupOf(all[k].When.Event) != g {
			return nil, false
		}
		used[ids[n]] = true
		out[i] = all[k]
		n++
	}
	return out, n == len(ids)
}

// drop removes a rule.
func (p *Pages) drop(w http.ResponseWriter, r *http.Request, v *section.Visitor) error {
	id, err := ruleID(r)
	if err != nil {
		return err
	}
	err = p.change(r.Context(), v, func(now rulebook.Version) ([]rule.Rule, string, error) {
		i := find(now.Rules, id)
		if i < 0 {
			return nil, "", live.ErrNotFound
		}
		note := "removed " + now.Rules[i].Name
		return slices.Delete(now.Rules, i, i+1), note, nil
	})
	if err != nil {
		return err
	}
	return onward(w, r, "/rules?said=dropped")
}

// listed ends a change of the list: htmx gets the list anew, a plain form is sent on.
func (p *Pages) listed(w http.ResponseWriter, r *http.Request, v *section.Visitor, err error, said string, id commerce.ID) error {
	if errors.Is(err, rulebook.ErrConflict) {
		err = ui.Problem(http.StatusConflict, "Somebody else is changing the rules at the same time. Try again.")
	}
	if err != nil {
		return err
	}
	if !ui.Hx(r) {
		to := "/rules?said=" + said
		if id != 0 {
			to += "#rule-" + id.String()
		}
		return onward(w, r, to)
	}
	page, err := p.listPage(r.Context(), v, "")
	if err != nil {
		return err
	}
	html, err := p.pages.Part("list", "rule-list", page)
	return partial(w, ui.Part{Target: "#rule-list", HTML: html}, err)
}

// Times says how often a rule fired.
func (r *listRow) Times() string {
	switch r.Fired {
	case 0:
		return ""
	case 1:
		return "once"
	case 2:
		return "twice"
	}
	return strconv.Itoa(r.Fired) + " times"
}
