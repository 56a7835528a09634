package rulepage

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"hawker/commerce"
	"hawker/internal/chat"
	"hawker/internal/live"
	"hawker/internal/sqldb"
	"hawker/internal/sqldb/rulebook"
	"hawker/rules"
	"hawker/rules/book"
	"hawker/rules/rule"
	"hawker/rules/starter"
	"hawker/web/desk/ruleform"
	"hawker/web/desk/section"
)

// inForce are the rules in force: the merchant's own, else those that a merchant begins with (version 0).
func (p *Pages) inForce(ctx context.Context, v *section.Visitor) (rulebook.Version, error) {
	all, err := p.DB.Rulebook().Rules(ctx, v.Merchant.ID)
	if err == nil && all.Number == 0 {
		all.Rules = starter.Rules(v.Merchant.Language)
	}
	return all, err
}

// version is a version by its number, 0 for what a merchant begins with.
func (p *Pages) version(ctx context.Context, v *section.Visitor, number int64) (rulebook.Version, error) {
	if number == 0 {
		return rulebook.Version{Rules: starter.Rules(v.Merchant.Language)}, nil
	}
	return p.DB.Rulebook().Version(ctx, v.Merchant.ID, number)
}

// options are what rules are compiled with.
func options(v *section.Visitor) book.Options {
	return book.Options{Zone: v.Place, Grammar: rules.Options{Language: v.Merchant.Language}}
}

// tries is how often a change is made anew because somebody else saved in between.
const tries = 5

// change makes a change of the rules in force, saves it as a new version and puts it into force. f gets the rules and returns
// them changed, with a note for the list of versions; an empty note is no change.
func (p *Pages) change(ctx context.Context, v *section.Visitor, f func(all rulebook.Version) ([]rule.Rule, string, error)) error {
	for range tries {
		now, err := p.inForce(ctx, v)
		if err != nil {
			return err
		}
		base := now.Number
		now.Rules = slices.Clone(now.Rules)
		changed, note, err := f(now)
		if err != nil || note == "" {
			return err
		}
		_, err = p.DB.Rulebook().Put(ctx, v.Merchant.ID, rulebook.Version{Author: v.Member.Email, Note: note, Rules: changed}, base)
		if errors.Is(err, rulebook.ErrConflict) {
			continue
		}
		if err != nil {
			return fmt.Errorf("save rules: %w", err)
		}
		return p.reload(ctx, v)
	}
	return rulebook.ErrConflict
}

// reload puts what was saved into force. A merchant that another node serves, or that is just being started, reads it there.
func (p *Pages) reload(ctx context.Context, v *section.Visitor) error {
	if err := p.Hub.ReloadRules(ctx, v.Merchant.ID); err != nil && !errors.Is(err, live.ErrNotHere) {
		return fmt.Errorf("put rules into force: %w", err)
	}
	return nil
}

// find is where a rule stands in a list; -1 when it is not there.
func find(all []rule.Rule, id commerce.ID) int {
	return slices.IndexFunc(all, func(r rule.Rule) bool { return r.ID == id })
}

// same reports whether two rules say the same.
func same(a, b *rule.Rule) bool { return a.Off == b.Off && rule.Text(*a) == rule.Text(*b) }

// hide takes out of a rule what only those may see who may change it: the address of a webhook is often a secret.
func hide(v *section.Visitor, r rule.Rule) rule.Rule {
	if v.Rules {
		return r
	}
	r.Then = slices.Clone(r.Then)
	for i := range r.Then {
		if r.Then[i].URL != "" {
			r.Then[i].URL = "https://…"
		}
	}
	return r
}

// without are the rules but for one.
func without(all []rule.Rule, id commerce.ID) []rule.Rule {
	var out []rule.Rule
	for i := range all {
		if all[i].ID != id || id == 0 {
			out = append(out, all[i])
		}
	}
	return out
}

func sorted[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

// granted tells which permissions the merchant's logins carry.
func (p *Pages) granted(ctx context.Context, v *section.Visitor) (ruleform.Granted, error) {
	g := ruleform.Granted{Scopes: map[chat.Platform][]string{}}
	all, err := p.DB.Accounts(ctx, v.Merchant.ID)
	if err != nil {
		return g, err
	}
	for _, a := range all {
		g.Scopes[a.Platform] = append(g.Scopes[a.Platform], a.Token.Scopes...)
	}
	s, err := p.DB.Store(ctx, v.Merchant.ID)
	if err != nil && !sqldb.IsNotFound(err) {
		return g, err
	}
	g.Store = err == nil && s.Shop != ""
	if s.Granted != "" {
		g.StoreScopes = strings.Split(s.Granted, ",")
	}
	return g, nil
}
