package rulepage

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"hawker/commerce"
	"hawker/internal/live"
	"hawker/internal/sqldb"
	"hawker/internal/sqldb/rulebook"
	"hawker/rules/facts"
	"hawker/rules/rule"
	"hawker/rules/sentence"
	"hawker/rules/starter"
	"hawker/web/desk/ruleform"
	"hawker/web/desk/section"
	"hawker/web/ui"
)

// newPage offers what a rule can begin with: templates first, the empty form last.
type newPage struct {
	Templates []templateRow
}

type templateRow struct{ Key, Title, About, Sentence string }

func templateRows(v *section.Visitor) []templateRow {
	var out []templateRow
	for _, t := range starter.Templates(v.Merchant.Language) {
		out = append(out, templateRow{t.Key, t.Title, t.About, sentence.Of(&t.Rule)})
	}
	return out
}

// editPage is the form of a rule.
type editPage struct {
	ID       commerce.ID // 0 for a new one
	Base     int64       // the version that the form was filled from
	Heading  string
	Name     ruleform.Field
	When     []ruleform.Field
	Only     []ruleform.Section
	Actions  []ruleform.Action
	MayAdd   bool
	None     string // what is wrong with having no action
	Most     ruleform.Section
	Off      bool
	Hidden   []ruleform.Field
	Said     saidPart
	Facts    []ruleform.Fact
	Calls    [][2]string // functions of expressions, with what each does
	Try      *tryPanel
	Text     string // as it is stored
	Conflict *conflict
}

// saidPart is the sentence that reads the rule back, and what is missing yet.
type saidPart struct {
	Sentence string
	Problem  string
	Off      bool
}

// conflict is what somebody else saved meanwhile.
type conflict struct {
	Gone   bool
	Author string
	At     when
	Words  []run // from theirs to what was typed
	Theirs string
}

// newRule shows what a rule can begin with, or the form filled with it.
func (p *Pages) newRule(w http.ResponseWriter, r *http.Request, v *section.Visitor) error {
	q := r.URL.Query()
	all, err := p.inForce(r.Context(), v)
	if err != nil {
		return err
	}
	var begin rule.Rule
	switch from, copied := q.Get("from"), q.Get("copy"); {
	case from == "empty":
		begin.When.Event = rule.Command
		begin.Then = []rule.Action{{Do: rule.Reply}}
	case from != "":
		i := slices.IndexFunc(starter.Templates(v.Merchant.Language), func(t starter.Template) bool { return t.Key == from })
		if i < 0 {
			return live.ErrNotFound
		}
		begin = starter.Templates(v.Merchant.Language)[i].Rule
	case copied != "":
		id, err := commerce.ParseID(copied)
		i := find(all.Rules, id)
		if err != nil || i < 0 {
			return live.ErrNotFound
		}
		begin = all.Rules[i]
	default:
		return p.show(w, r, v, "new", "New rule", nil, newPage{templateRows(v)})
	}
	begin.ID, begin.Name = 0, free(begin.Name, all.Rules)
	return p.showForm(w, r, v, "New rule", nil, &asked{Form: ruleform.Of(&begin), base: all.Number})
}

// free is a name that no rule has.
func free(name string, all []rule.Rule) string {
	taken := func(s string) bool {
		return slices.ContainsFunc(all, func(r rule.Rule) bool { return strings.EqualFold(r.Name, s) })
	}
	for n, s := 2, name; ; n++ {
		if s == "" || !taken(s) {
			return s
		}
		s = name + " " + strconv.Itoa(n)
	}
}

// rule shows the form of a rule; who may not change rules sees what it says.
func (p *Pages) rule(w http.ResponseWriter, r *http.Request, v *section.Visitor) error {
	id, err := commerce.ParseID(r.PathValue("id"))
	if err != nil {
		return live.ErrNotFound
	}
	all, err := p.inForce(r.Context(), v)
	if err != nil {
		return err
	}
	i := find(all.Rules, id)
	if i < 0 {
		return live.ErrNotFound
	}
	x := all.Rules[i]
	if !v.Rules {
		x = hide(v, x)
		return p.show(w, r, v, "view", x.Name, nil, map[string]any{"Name": x.Name, "Off": x.Off, "Sentence": sentence.Of(&x), "Text": rule.Text(x)})
	}
	return p.showForm(w, r, v, x.Name, nil, &asked{Form: ruleform.Of(&x), id: id, base: all.Number})
}

// asked is a form that a page asks about.
type asked struct {
	*ruleform.Form
	id       commerce.ID
	base     int64
	conflict *conflict
	tried    *tried
}

// read is the form that was sent.
func read(r *http.Request) (*asked, error) {
	if err := r.ParseForm(); err != nil {
		return nil, err
	}
	a := &asked{Form: ruleform.New(maps.Clone(r.PostForm))}
	if s := cmpOr(r.PathValue("id"), a.Get("id")); s != "" && s != "0" {
		id, err := commerce.ParseID(s)
		if err != nil {
			return nil, live.ErrNotFound
		}
		a.id = id
	}
	base, err := strconv.ParseInt(a.Get("base"), 10, 64)
	if err != nil {
		return nil, ui.Problem(http.StatusBadRequest, "This form is not complete. Load the page again.")
	}
	a.base = base
	return a, nil
}

func cmpOr(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

// reshape does what a button of the form does to the form itself; false for the others.
func (a *asked) reshape(do string) bool {
	n := a.Actions()
	order := make([]int, n)
	for i := range order {
		order[i] = i
	}
	what, number, _ := strings.Cut(do, "-")
	i, err := strconv.Atoi(number)
	if err != nil || i < 0 || i >= n {
		i = -1
	}
	switch {
	case what == "continue":
	case what == "add" && n < rule.MaxActions:
		a.Set("actions", strconv.Itoa(n+1))
	case what == "up" && i > 0:
		order[i-1], order[i] = i, i-1
		a.Move(order)
	case what == "down" && i >= 0 && i < n-1:
		order[i+1], order[i] = i, i+1
		a.Move(order)
	case what == "drop" && i >= 0:
		a.Move(slices.Delete(order, i, i+1))
	default:
		return false
	}
	return true
}

// edit saves a rule, or shows its form again in another shape.
func (p *Pages) edit(w http.ResponseWriter, r *http.Request, v *section.Visitor) error {
	a, err := read(r)
	if err != nil {
		return err
	}
	do := a.Get("do")
	switch {
	case do == "try":
		if err := p.tryForm(r.Context(), v, a); err != nil {
			return err
		}
		return p.showForm(w, r, v, a.heading(), nil, a)
	case a.reshape(do):
		return p.showForm(w, r, v, a.heading(), nil, a)
	}
	id, err := p.save(r.Context(), v, a)
	switch {
	case errors.Is(err, errWrong):
		return p.showForm(w, r, v, a.heading(), trouble(http.StatusUnprocessableEntity, "Not saved yet: something in the form needs another look."), a)
	case errors.Is(err, rulebook.ErrConflict):
		if a.conflict == nil {
			return ui.Problem(http.StatusConflict, "Somebody else is saving rules at the same time. Go back and save again; what you typed is still in the form.")
		}
		return p.showForm(w, r, v, a.heading(), trouble(http.StatusConflict, "Not saved yet: somebody else changed this rule meanwhile."), a)
	case err != nil:
		return err
	}
	return onward(w, r, "/rules?said=saved#rule-"+id.String())
}

func (a *asked) heading() string {
	if a.id == 0 {
		return "New rule"
	}
	return cmpOr(a.Trimmed("name"), "Rule")
}

// errWrong means that the form has faults; they stand in it.
var errWrong = errors.New("the form has faults")

// save stores the form's rule. The error is errWrong, or rulebook.ErrConflict with a.conflict set.
func (p *Pages) save(ctx context.Context, v *section.Visitor, a *asked) (commerce.ID, error) {
	id := a.id
	if id == 0 {
		id = commerce.NewID(time.Now())
	}
	err := p.change(ctx, v, func(now rulebook.Version) ([]rule.Rule, string, error) {
		a.Faults = map[string]ruleform.Fault{}
		x, ok := a.Check(options(v), without(now.Rules, a.id))
		x.ID = id
		if !ok {
			return nil, "", errWrong
		}
		i := find(now.Rules, id)
		if a.id != 0 && a.base != now.Number {
			if err := p.meanwhile(ctx, v, a, &x, &now, i); err != nil {
				return nil, "", err
			}
		}
		switch {
		case i < 0:
			return append(now.Rules, x), "added " + x.Name, nil
		case same(&now.Rules[i], &x):
			return nil, "", nil
		}
		note := "changed " + x.Name
		if now.Rules[i].Name != x.Name {
			note = "changed " + now.Rules[i].Name + ", now " + x.Name
		}
		now.Rules[i] = x
		return now.Rules, note, nil
	})
	return id, err
}

// meanwhile notes a conflict where somebody else changed the rule since the form was filled. The form has then seen what is
// stored, so that saving it again is meant.
func (p *Pages) meanwhile(ctx context.Context, v *section.Visitor, a *asked, mine *rule.Rule, now *rulebook.Version, i int) error {
	was, err := p.version(ctx, v, a.base)
	if err != nil && !sqldb.IsNotFound(err) {
		return err
	}
	k := find(was.Rules, a.id)
	switch {
	case i >= 0 && same(mine, &now.Rules[i]):
		return nil
	case i >= 0 && k >= 0 && same(&was.Rules[k], &now.Rules[i]):
		return nil // they changed another rule
	case i < 0 && k < 0 && err == nil:
		return nil // it was gone already, which the form has seen
	}
	a.base = now.Number
	a.conflict = &conflict{Gone: i < 0, Author: now.Author, At: dated(v, now.At)}
	if i >= 0 {
		a.conflict.Theirs = sentence.Of(&now.Rules[i])
		a.conflict.Words = wordDiff(a.conflict.Theirs, sentence.Of(mine))
	}
	return rulebook.ErrConflict
}

// draft answers a change of the form with the form in its new shape.
func (p *Pages) draft(w http.ResponseWriter, r *http.Request, v *section.Visitor) error {
	a, err := read(r)
	if err != nil {
		return err
	}
	part := ui.Part{Target: "#rule-form"}
	block := "rule-form"
	if a.Get("do") == "try" {
		if err := p.tryForm(r.Context(), v, a); err != nil {
			return err
		}
		part.Target, block = "#tried", "tried"
	} else {
		a.reshape(a.Get("do"))
	}
	page, err := p.fill(r.Context(), v, a)
	if err != nil {
		return err
	}
	if block == "tried" {
		part.HTML, err = p.pages.Part("edit", block, page.Try.Tried)
	} else {
		part.HTML, err = p.pages.Part("edit", block, page)
	}
	return partial(w, part, err)
}

// sentence answers typing with the sentence that reads the rule back.
func (p *Pages) sentence(w http.ResponseWriter, r *http.Request, v *section.Visitor) error {
	a, err := read(r)
	if err != nil {
		return err
	}
	all, err := p.inForce(r.Context(), v)
	if err != nil {
		return err
	}
	html, err := p.pages.Part("edit", "said", a.said(v, all.Rules))
	return partial(w, ui.Part{Target: "#said", HTML: html}, err)
}

// partial answers htmx with a part of a page.
func partial(w http.ResponseWriter, part ui.Part, err error) error {
	if err != nil {
		return err
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	_, _ = w.Write(ui.Partials(part)) // who went away needs no page
	return nil
}

// said is the sentence of the form as it is, and the first thing that is missing. Nothing is noted at the fields: somebody is
// still typing.
func (a *asked) said(v *section.Visitor, all []rule.Rule) saidPart {
	f := ruleform.New(a.Values)
	x, ok := f.Check(options(v), without(all, a.id))
	s := saidPart{Off: x.Off}
	x.Off = false
	s.Sentence = sentence.Of(&x)
	if !ok {
		name, w := f.First()
		s.Problem = w.Msg
		if label := ruleform.Label(f, name); label != "" {
			s.Problem = label + ": " + s.Problem
		}
	}
	return s
}

// showForm shows the page with a form.
func (p *Pages) showForm(w http.ResponseWriter, r *http.Request, v *section.Visitor, title string, change func(*ui.Frame), a *asked) error {
	page, err := p.fill(r.Context(), v, a)
	if err != nil {
		return err
	}
	return p.show(w, r, v, "edit", title, change, page)
}

// fill is the page of a form.
func (p *Pages) fill(ctx context.Context, v *section.Visitor, a *asked) (*editPage, error) {
	all, err := p.inForce(ctx, v)
	if err != nil {
		return nil, err
	}
	g, err := p.granted(ctx, v)
	if err != nil {
		return nil, err
	}
	channels, err := p.DB.Channels(ctx, v.Merchant.ID)
	if err != nil {
		return nil, err
	}
	e := rule.Event(a.Get("event"))
	page := &editPage{
		ID: a.id, Base: a.base, Heading: a.heading(), When: a.When(), Only: a.Only(), Actions: a.ActionForms(&g, channels), Most: a.Most(), Off: a.Get("off") != "",
		MayAdd: a.Actions() < rule.MaxActions, None: a.Faults["actions"].Msg, Said: a.said(v, all.Rules), Facts: ruleform.Facts(e), Calls: facts.Functions(), Conflict: a.conflict,
	}
	page.Name = a.Field(ruleform.Field{Kind: "text", Name: "name", Label: "Name", Hint: "For you; viewers do not see it."})
	if i := find(all.Rules, a.id); i >= 0 && a.id != 0 {
		page.Text = rule.Text(all.Rules[i])
	}
	shown := map[string]bool{"name": true}
	each := func(fields []ruleform.Field) {
		for i := range fields {
			shown[fields[i].Name] = true
		}
	}
	each(page.When)
	for i := range page.Only {
		each(page.Only[i].Fields)
	}
	each(page.Most.Fields)
	for i := range page.Actions {
		shown[page.Actions[i].Kind.Name] = true
		each(page.Actions[i].Fields)
		each(page.Actions[i].More.Fields)
	}
	page.Hidden = a.Hidden(shown)
	page.Try, err = p.tryPanel(ctx, v, a.Values, e, a.tried)
	return page, err
}
