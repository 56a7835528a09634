package rulepage

import (
	"context"
	"errors"
	"net/http"
	"strconv"

	"hawker/commerce"
	"hawker/internal/live"
	"hawker/internal/sqldb"
	"hawker/internal/sqldb/rulebook"
	"hawker/rules/rule"
	"hawker/rules/sentence"
	"hawker/web/desk/section"
	"hawker/web/ui"
)

// versionsPage is all versions that are kept, the newest first.
type versionsPage struct {
	Edit bool
	Rows []versionRow
}

type versionRow struct {
	Number       int64
	At           when
	Author, Note string
	Now          bool
}

func (p *Pages) versions(w http.ResponseWriter, r *http.Request, v *section.Visitor) error {
	all, err := p.DB.Rulebook().Versions(r.Context(), v.Merchant.ID)
	if err != nil {
		return err
	}
	page := &versionsPage{Edit: v.Rules}
	for i := range all {
		page.Rows = append(page.Rows, versionRow{all[i].Number, dated(v, all[i].At), all[i].Author, all[i].Note, i == 0})
	}
	if n := len(all); n == 0 || all[n-1].Number == 1 { // what the merchant began with is still known
		page.Rows = append(page.Rows, versionRow{Number: 0, Note: "the rules that every shop begins with", Now: n == 0})
	}
	return p.show(w, r, v, "versions", "Versions of the rules", nil, page)
}

// comparePage is how one version became another.
type comparePage struct {
	Edit       bool
	From, To   versionRow
	Changes    []changeRow
	Reordered  bool
	Restorable bool // From is not in force
	Base       int64
}

type changeRow struct {
	ID        commerce.ID
	What      string // added, removed, changed, turned on, turned off
	Name, Was string // Was is a former name
	Words     []run
}

// compare shows what differs between a version and the one in force, or the one that ?with= names.
func (p *Pages) compare(w http.ResponseWriter, r *http.Request, v *section.Visitor) error {
	from, err := p.numbered(r.Context(), v, r.PathValue("number"))
	if err != nil {
		return err
	}
	now, err := p.inForce(r.Context(), v)
	if err != nil {
		return err
	}
	to := now
	if with := r.URL.Query().Get("with"); with != "" {
		if to, err = p.numbered(r.Context(), v, with); err != nil {
			return err
		}
	}
	row := func(x *rulebook.Version) versionRow {
		return versionRow{x.Number, dated(v, x.At), x.Author, x.Note, x.Number == now.Number}
	}
	page := &comparePage{Edit: v.Rules, From: row(&from), To: row(&to), Restorable: from.Number != now.Number, Base: now.Number}
	page.Changes, page.Reordered = differences(v, from.Rules, to.Rules)
	return p.show(w, r, v, "compare", "Version "+strconv.FormatInt(from.Number, 10), nil, page)
}

// numbered is the version that an address names.
func (p *Pages) numbered(ctx context.Context, v *section.Visitor, text string) (rulebook.Version, error) {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 0 {
		return rulebook.Version{}, live.ErrNotFound
	}
	x, err := p.version(ctx, v, n)
	if sqldb.IsNotFound(err) {
		err = live.ErrNotFound
	}
	return x, err
}

// differences are what became of rules, and whether those that stayed stand in another order.
func differences(v *section.Visitor, from, to []rule.Rule) (out []changeRow, reordered bool) {
	last := -1
	for i := range to {
		x := hide(v, to[i])
		k := find(from, x.ID)
		if k < 0 {
			out = append(out, changeRow{ID: x.ID, What: "added", Name: x.Name, Words: []run{{Text: sentence.Of(&x), New: true}}})
			continue
		}
		reordered = reordered || k < last
		last = k
		was := hide(v, from[k])
		if same(&was, &x) && !same(&from[k], &to[i]) { // in what is not shown
			out = append(out, changeRow{ID: x.ID, What: "changed", Name: x.Name, Words: []run{{Text: "The address of its webhook is another one."}}})
		}
		if same(&was, &x) {
			continue
		}
		row := changeRow{ID: x.ID, What: "changed", Name: x.Name}
		if was.Name != x.Name {
			row.Was = was.Name
		}
		if was.Off != x.Off {
			on := was
			if on.Off = x.Off; same(&on, &x) {
				row.What = map[bool]string{true: "turned off", false: "turned on"}[x.Off]
			}
		}
		row.Words = wordDiff(sentence.Of(&was), sentence.Of(&x))
		out = append(out, row)
	}
	for i := range from {
		if find(to, from[i].ID) < 0 {
			x := hide(v, from[i])
			out = append(out, changeRow{What: "removed", Name: x.Name, Words: []run{{Text: sentence.Of(&x), Old: true}}})
		}
	}
	return out, reordered
}

// restore makes an old version the newest one. base is the version that the page was made beside: what somebody saved since is
// not overwritten unseen.
func (p *Pages) restore(w http.ResponseWriter, r *http.Request, v *section.Visitor) error {
	old, err := p.numbered(r.Context(), v, r.PathValue("number"))
	if err != nil {
		return err
	}
	base, err := strconv.ParseInt(r.PostFormValue("base"), 10, 64)
	if err != nil {
		return ui.Problem(http.StatusBadRequest, "This form is not complete. Load the page again.")
	}
	put := rulebook.Version{Author: v.Member.Email, Note: "version " + strconv.FormatInt(old.Number, 10) + " restored", Rules: old.Rules}
	_, err = p.DB.Rulebook().Put(r.Context(), v.Merchant.ID, put, base)
	if errors.Is(err, rulebook.ErrConflict) {
		return ui.Problem(http.StatusConflict, "Somebody saved rules meanwhile. Go back, load the page again and look at what changed before you restore.")
	}
	if err != nil {
		return err
	}
	if err := p.reload(r.Context(), v); err != nil {
		return err
	}
	return onward(w, r, "/rules?said=restored")
}
