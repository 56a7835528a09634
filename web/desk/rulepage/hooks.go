package rulepage

import (
	"errors"
	"net/http"
	"regexp"
	"strings"

	"hawker/commerce"
	"hawker/internal/live"
	"hawker/internal/sqldb/rulebook"
	"hawker/rules/rule"
	"hawker/web/desk/ruleform"
	"hawker/web/desk/section"
	"hawker/web/ui"
)

// hooksPage are the addresses for webhooks that come in, and the secret of those that go out.
type hooksPage struct {
	Rows        []hookRow
	Secret      string
	Typed       string
	Wrong       string
	Unaddressed []string // rules wait for these, and they have no address
}

type hookRow struct {
	ID            commerce.ID
	Name, Address string
	Rules         []string // that wait for it
}

// hookName is what a webhook may be called, as rules have it.
var hookName = regexp.MustCompile(`^[a-z][a-z0-9_]{0,29}$`)

func (p *Pages) hooks(w http.ResponseWriter, r *http.Request, v *section.Visitor) error {
	return p.showHooks(w, r, v, &hooksPage{}, nil)
}

func (p *Pages) showHooks(w http.ResponseWriter, r *http.Request, v *section.Visitor, page *hooksPage, change func(*ui.Frame)) error {
	all, err := p.DB.Rulebook().Hooks(r.Context(), v.Merchant.ID)
	if err != nil {
		return err
	}
	secret, err := p.DB.Rulebook().SigningSecret(r.Context(), v.Merchant.ID)
	if err != nil {
		return err
	}
	now, err := p.inForce(r.Context(), v)
	if err != nil {
		return err
	}
	page.Secret = secret.Reveal()
	waiting := map[string][]string{}
	for i := range now.Rules {
		if x := &now.Rules[i]; x.When.Event == rule.Webhook {
			waiting[x.When.Title] = append(waiting[x.When.Title], x.Name)
		}
	}
	for _, h := range all {
		page.Rows = append(page.Rows, hookRow{h.ID, h.Name, p.Kit.Public() + "/hooks/" + h.Token.Reveal(), waiting[h.Name]})
		delete(waiting, h.Name)
	}
	page.Unaddressed = sorted(waiting)
	return p.show(w, r, v, "hooks", "Webhooks", change, page)
}

// changeHooks makes, renews or removes an address, or renews the secret.
func (p *Pages) changeHooks(w http.ResponseWriter, r *http.Request, v *section.Visitor) error {
	b := p.DB.Rulebook()
	ctx, m := r.Context(), v.Merchant.ID
	if do := r.PostFormValue("do"); do == "renew" || do == "drop" {
		id, err := commerce.ParseID(r.PostFormValue("hook"))
		if err != nil {
			return live.ErrNotFound
		}
		if do == "drop" {
			if err := b.DropHook(ctx, m, id); err != nil {
				return err
			}
			return onward(w, r, "/rules/hooks?said=hook-dropped")
		}
		if _, err := b.RenewHook(ctx, m, id); err != nil {
			return err
		}
		return onward(w, r, "/rules/hooks?said=hook-renewed")
	} else if do == "secret" {
		if _, err := b.RenewSigningSecret(ctx, m); err != nil {
			return err
		}
		return onward(w, r, "/rules/hooks?said=secret-renewed")
	}
	page := &hooksPage{Typed: strings.TrimSpace(r.PostFormValue("name"))}
	if !hookName.MatchString(page.Typed) {
		page.Wrong = "Small letters, digits and _, beginning with a letter, at most 30: for example restocked."
	} else if _, err := b.PutHook(ctx, m, page.Typed); errors.Is(err, rulebook.ErrHooksFull) {
		page.Wrong = ruleform.Sentence(err.Error())
	} else if err != nil {
		return err
	}
	if page.Wrong != "" {
		return p.showHooks(w, r, v, page, trouble(http.StatusUnprocessableEntity, "Not made yet: the name needs another look."))
	}
	return onward(w, r, "/rules/hooks?said=hook")
}
