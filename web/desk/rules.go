package desk

import (
	"context"
	"net/http"
	"strings"

	"hawker/internal/lang"
	"hawker/internal/live"
	"hawker/rules"
	"hawker/web/ui"
)

// rulesPage is what a merchant's rules do, in words.
type rulesPage struct{ Rules []ruleRow }

type ruleRow struct {
	Name, When string
	Then       []actionRow
	On         bool
}

type actionRow struct{ Does, Text string }

// merchantRules are the rules in force: the merchant's own, else the defaults.
func (d *Desk) merchantRules(ctx context.Context, v *Visitor) ([]rules.Rule, error) {
	all, err := d.DB.Rules(ctx, v.Merchant.ID)
	if len(all) == 0 && err == nil {
		all = rules.DefaultRules(lang.For(v.Merchant.Language).Bought)
	}
	return all, err
}

func (d *Desk) rules(w http.ResponseWriter, r *http.Request, v *Visitor) error {
	all, err := d.merchantRules(r.Context(), v)
	if err != nil {
		return err
	}
	var p rulesPage
	for _, x := range all {
		row := ruleRow{Name: x.Name, When: whenOf(x.When), On: !x.Off}
		for _, a := range x.Then {
			switch {
			case a.ShoutOut != "":
				row.Then = append(row.Then, actionRow{"shout out in every chat and on the overlay", a.ShoutOut})
			case a.Say != "":
				row.Then = append(row.Then, actionRow{"say in every chat", a.Say})
			}
		}
		p.Rules = append(p.Rules, row)
	}
	return d.render(w, r, v, "rules", "Rules", ui.Frame{}, p)
}

// whenOf says when a rule acts.
func whenOf(e rules.Event) string {
	if s := map[rules.Event]string{
		rules.OrderPaid: "an order is paid", rules.HoldMade: "something is held", rules.HoldExpired: "a hold's time is up", rules.Promoted: "a place in line becomes a hold",
		rules.SoldOut: "an item is sold out", rules.ItemOnAir: "an item goes on air", rules.ShowStarted: "a show starts", rules.ShowEnded: "a show ends",
	}[e]; s != "" {
		return s
	}
	return strings.TrimSpace(string(e))
}

// switchRule turns a rule on or off.
func (d *Desk) switchRule(w http.ResponseWriter, r *http.Request, v *Visitor) error {
	all, err := d.merchantRules(r.Context(), v)
	if err != nil {
		return err
	}
	for i := range all {
		if all[i].Name == r.PostFormValue("name") {
			all[i].Off = r.PostFormValue("on") != "1"
			if err := d.DB.PutRules(r.Context(), v.Merchant.ID, all); err != nil {
				return err
			}
			if err := d.Hub.ReloadRules(r.Context(), v.Merchant.ID); err != nil {
				return err
			}
			http.Redirect(w, r, "/rules?said=saved", http.StatusSeeOther)
			return nil
		}
	}
	return live.ErrNotFound
}
