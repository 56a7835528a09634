package rulepage

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"hawker/web/desk/ruleform"

	"hawker/commerce"
	"hawker/internal/plain"
	"hawker/internal/sqldb/rulebook"
	"hawker/rules/book"
	"hawker/rules/rule"
	"hawker/rules/sentence"
	"hawker/web/desk/section"
)

// textPage is rules as text: those in force to copy, and a box to paste others.
type textPage struct {
	Edit    bool
	All     string
	Typed   string
	Replace bool
	Faults  []textFault
	Found   []foundRow // what the pasted text holds, once it is right
}

type textFault struct {
	Line, Column int
	Source       *ruleform.Marked // the line, with the place
	Msg          string
}

type foundRow struct {
	Name, Sentence string
	Replaces       bool
}

// textMost bounds what is pasted, in bytes.
const textMost = 1 << 20

func (p *Pages) text(w http.ResponseWriter, r *http.Request, v *section.Visitor) error {
	all, err := p.inForce(r.Context(), v)
	if err != nil {
		return err
	}
	return p.show(w, r, v, "text", "Rules as text", nil, &textPage{Edit: v.Rules, All: textOf(v, all.Rules)})
}

func textOf(v *section.Visitor, all []rule.Rule) string {
	shown := make([]rule.Rule, len(all))
	for i := range all {
		shown[i] = hide(v, all[i])
	}
	var b strings.Builder
	rule.Lines(&b, 0, shown)
	return b.String()
}

// export sends all rules as a file, in the form of the key rules of a set-up.
func (p *Pages) export(w http.ResponseWriter, r *http.Request, v *section.Visitor) error {
	all, err := p.inForce(r.Context(), v)
	if err != nil {
		return err
	}
	h := w.Header()
	h.Set("Content-Type", "application/yaml; charset=utf-8")
	h.Set("Content-Disposition", `attachment; filename="rules-`+v.Merchant.Slug+"-"+time.Now().In(v.Place).Format("2006-01-02")+`.yaml"`)
	h.Set("Cache-Control", "no-store")
	_, _ = w.Write([]byte("rules:\n")) // who went away needs no file
	var b strings.Builder
	rule.Lines(&b, 2, all.Rules)
	_, _ = w.Write([]byte(b.String()))
	return nil
}

// takeText looks at pasted rules, and adds them once they were looked at.
func (p *Pages) takeText(w http.ResponseWriter, r *http.Request, v *section.Visitor) error {
	r.Body = http.MaxBytesReader(w, r.Body, 3*textMost) // a form writes some signs as three
	if err := r.ParseForm(); err != nil {
		return err
	}
	all, err := p.inForce(r.Context(), v)
	if err != nil {
		return err
	}
	page := &textPage{Edit: true, All: textOf(v, all.Rules), Typed: strings.ReplaceAll(r.PostForm.Get("text"), "\r\n", "\n"), Replace: r.PostForm.Get("replace") != ""}
	page.read(v, all.Rules)
	if len(page.Faults) > 0 {
		return p.show(w, r, v, "text", "Rules as text", trouble(http.StatusUnprocessableEntity, "Nothing was added: the text needs another look."), page)
	}
	if r.PostForm.Get("do") != "add" {
		return p.show(w, r, v, "text", "Rules as text", nil, page)
	}
	err = p.change(r.Context(), v, func(now rulebook.Version) ([]rule.Rule, string, error) {
		page.Faults, page.Found = nil, nil
		added := page.read(v, now.Rules)
		if len(page.Faults) > 0 {
			return nil, "", errWrong
		}
		var names []string
		for i := range added {
			names = append(names, added[i].Name)
			if k := named1(now.Rules, added[i].Name); k >= 0 {
				added[i].ID = now.Rules[k].ID
				now.Rules[k] = added[i]
				continue
			}
			added[i].ID = commerce.NewID(time.Now())
			now.Rules = append(now.Rules, added[i])
		}
		note := "added as text: " + strings.Join(names, ", ")
		if n := []rune(note); len(n) > 200 {
			note = string(n[:199]) + "…"
		}
		return now.Rules, note, nil
	})
	if errors.Is(err, errWrong) {
		return p.show(w, r, v, "text", "Rules as text", trouble(http.StatusUnprocessableEntity, "Nothing was added: somebody changed the rules meanwhile."), page)
	}
	if err != nil {
		return err
	}
	return onward(w, r, "/rules?said=added")
}

func named1(all []rule.Rule, name string) int {
	return slices.IndexFunc(all, func(r rule.Rule) bool { return strings.EqualFold(r.Name, name) })
}

// read reads the pasted rules, and notes what is wrong with them at its line and column.
func (t *textPage) read(v *section.Visitor, others []rule.Rule) []rule.Rule {
	if strings.TrimSpace(t.Typed) == "" {
		t.fault(plain.Fault{Msg: "There is nothing in the box yet."})
		return nil
	}
	if len(t.Typed) > textMost {
		t.fault(plain.Fault{Msg: "That is more than a megabyte of rules."})
		return nil
	}
	added, err := rule.Parse([]byte(t.Typed))
	var faults plain.Faults
	if errors.As(err, &faults) {
		for _, f := range faults {
			t.fault(f)
		}
		return nil
	}
	if err != nil {
		t.fault(plain.Fault{Msg: err.Error()})
		return nil
	}
	if len(added) == 0 {
		t.fault(plain.Fault{Msg: "There is no rule in it."})
	}
	kept := slices.Clone(others)
	for i := range added {
		k := named1(kept, added[i].Name)
		if k >= 0 && !t.Replace {
			t.fault(plain.Fault{Pos: t.place(i, "name", -1, 0), Msg: "there is a rule called “" + added[i].Name + "” already; choose another name, or “replace rules of the same name”"})
		}
		if k >= 0 {
			kept = slices.Delete(kept, k, k+1)
		}
		x := added[i]
		t.Found = append(t.Found, foundRow{x.Name, sentence.Of(&x), k >= 0})
	}
	if len(t.Faults) > 0 {
		return nil
	}
	// What texts and expressions name is checked with all rules together; each fault is told.
	_, errs := book.Load(append(slices.Clone(kept), added...), options(v))
	for _, e := range errs {
		if e.Rule >= len(kept) {
			t.fault(plain.Fault{Pos: t.place(e.Rule-len(kept), e.Field, e.Action, e.Column), Msg: e.Msg})
		}
	}
	if len(t.Faults) > 0 {
		return nil
	}
	return added
}

// place is where in the text a field of the i-th rule stands.
func (t *textPage) place(i int, field string, action, column int) plain.Pos {
	doc := plain.Parse([]byte(t.Typed))
	if doc.Root == nil {
		return plain.Pos{}
	}
	nodes := []*plain.Node{doc.Root}
	switch n := doc.Root; {
	case n.Kind == plain.List:
		nodes = n.Items
	case len(n.Fields) == 1 && n.Fields[0].Key == "rules":
		nodes = n.Fields[0].Value.Items
	}
	if i >= len(nodes) {
		return plain.Pos{}
	}
	_, src, _ := rule.Read(nodes[i])
	return src.Place(doc, &rule.Error{Rule: i, Field: field, Action: action, Column: column})
}

// fault notes what is wrong, with the line that it stands in.
func (t *textPage) fault(f plain.Fault) {
	x := textFault{Line: f.Line, Column: f.Column, Msg: ruleform.Sentence(f.Msg)}
	if f.Hint != "" {
		x.Msg += " " + ruleform.Sentence(f.Hint)
	}
	if all := strings.Split(t.Typed, "\n"); f.Line > 0 && f.Line <= len(all) {
		x.Source = ruleform.Mark(all[f.Line-1], f.Column)
	}
	t.Faults = append(t.Faults, x)
	t.Found = nil
}
