package sqldb

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"hawker/commerce"
	"hawker/internal/chat"
	"hawker/internal/sqldb/rulebook"
	"hawker/rules/rule"
)

func sentence(name string) rule.Rule {
	return rule.Rule{Name: name, When: rule.When{Event: rule.OrderPaid}, Then: []rule.Action{{Do: rule.ShoutOut, Text: "{user} bought {item}!"}}}
}

// Each save is a version with its author; who saves over what somebody else saved meanwhile is told; an old version comes back
// as a new one; the oldest go.
func TestRuleVersions(t *testing.T) {
	onBoth(t, func(t *testing.T, db *DB) {
		ctx, b, id := t.Context(), db.Rulebook(), merchant(t, db, "ana")
		if v, err := b.Rules(ctx, id); err != nil || v.Number != 0 || v.Rules != nil {
			t.Fatalf("before the first save: %+v, %v", v, err)
		}
		put := func(base int64, author string, names ...string) int64 {
			t.Helper()
			var all []rule.Rule
			for _, n := range names {
				all = append(all, sentence(n))
			}
			n, err := b.Put(ctx, id, rulebook.Version{Author: author, Note: "why", Rules: all}, base)
			if err != nil {
				t.Fatal(err)
			}
			return n
		}
		one := put(0, "Ana", "a", "b")
		for _, base := range []int64{0, one - 1, one + 1} {
			if _, err := b.Put(ctx, id, rulebook.Version{}, base); !errors.Is(err, rulebook.ErrConflict) {
				t.Errorf("a save based on %d: %v, want ErrConflict", base, err)
			}
		}
		v := must[rulebook.Version](t)(b.Rules(ctx, id))
		if v.Number != one || v.Author != "Ana" || v.Note != "why" || time.Since(v.At) > time.Minute || len(v.Rules) != 2 || v.Rules[0].Name != "a" || v.Rules[0].ID == 0 || v.Rules[0].ID == v.Rules[1].ID {
			t.Fatalf("stored: %+v", v)
		}
		first := v.Rules
		two := put(rulebook.Any, "apply", "c")
		put(two, "Ben")
		if v := must[rulebook.Version](t)(b.Rules(ctx, id)); v.Number != two+1 || len(v.Rules) != 0 {
			t.Errorf("no rules at all: %+v", v)
		}
		back, err := b.Restore(ctx, id, one, "Cy", two+1)
		if err != nil {
			t.Fatal(err)
		}
		if v := must[rulebook.Version](t)(b.Rules(ctx, id)); v.Number != back || v.Author != "Cy" || v.Note != "version 1 restored" || !reflect.DeepEqual(v.Rules, first) {
			t.Errorf("restored: %+v", v)
		}
		if _, err := b.Restore(ctx, id, 99, "Cy", back); !IsNotFound(err) {
			t.Errorf("a version that never was: %v", err)
		}
		for range rulebook.Most {
			back = put(back, "Ana", "x")
		}
		all := must[[]rulebook.Version](t)(b.Versions(ctx, id))
		if len(all) != rulebook.Most || all[0].Number != back || all[len(all)-1].Number != back-rulebook.Most+1 {
			t.Errorf("%d versions from %d to %d", len(all), all[0].Number, all[len(all)-1].Number)
		}
		if _, err := b.Version(ctx, id, one); !IsNotFound(err) {
			t.Errorf("the oldest version: %v", err)
		}
	})
}

// What was stored before there were versions is version 1, with the ids that its rules had.
func TestRulesMigrate(t *testing.T) {
	onBoth(t, func(t *testing.T, db *DB) {
		ctx, id := t.Context(), merchant(t, db, "ana")
		p, err := db.migrator()
		if err == nil {
			_, err = p.DownTo(ctx, 3)
		}
		ok(t, err)
		for i, body := range []string{`{"name":"second \"one\"","when":"order paid","then":[{"shout-out":"b"}]}`, `{"name":"first","when":"sold out","then":[{"say":"a"}],"off":true}`} {
			_, err := db.write.ExecContext(ctx, `INSERT INTO rules (merchant_id, rule_id, position, name, body) VALUES ($1, $2, $3, $4, $5)`, int64(id), 70+i, 1-i, fmt.Sprint(i), body)
			ok(t, err)
		}
		_, err = p.Up(ctx)
		ok(t, err)
		var text string
		ok(t, db.read.QueryRowContext(ctx, `SELECT rules FROM rule_versions WHERE merchant_id = $1 AND version = 1`, int64(id)).Scan(&text))
		want := `[{"id":"71","name":"first","when":"sold out","then":[{"say":"a"}],"off":true},{"id":"70","name":"second \"one\"","when":"order paid","then":[{"shout-out":"b"}]}]`
		if text != want {
			t.Errorf("version 1 is %s\nwant %s", text, want)
		}
	})
}

func TestRulesRemember(t *testing.T) {
	onBoth(t, func(t *testing.T, db *DB) {
		ctx, b, id, other := t.Context(), db.Rulebook(), merchant(t, db, "ana"), merchant(t, db, "bob")
		at := time.Now().UTC().Truncate(time.Millisecond)
		c := rulebook.Counter{Rule: 7, Show: 100, Scope: 1, Of: "twitch/1", Fired: 2, Last: at}
		d := rulebook.Counter{Rule: 7, Show: 100, Scope: 3, Fired: 9, Last: at}
		goal, host, none := rulebook.Setting{Name: "goal", Number: true, N: 20}, rulebook.Setting{Name: "goal", Text: "Ana"}, rulebook.Setting{Name: "zero", Number: true}
		ok(t, b.Save(ctx, id, rulebook.Memory{Counters: []rulebook.Counter{c, d}, Settings: []rulebook.Setting{goal, host, none}}))
		c.Fired, goal.N = 3, -4
		ok(t, b.Save(ctx, id, rulebook.Memory{Counters: []rulebook.Counter{c}, Settings: []rulebook.Setting{goal, {Name: "goal"}}}))
		ok(t, b.Save(ctx, id, rulebook.Memory{}))
		m := must[rulebook.Memory](t)(b.Load(ctx, id))
		equal(t, "counters", m.Counters, []rulebook.Counter{c, d})
		equal(t, "variables", m.Settings, []rulebook.Setting{goal, none})
		if m := must[rulebook.Memory](t)(b.Load(ctx, other)); len(m.Counters)+len(m.Settings) != 0 {
			t.Errorf("another merchant's rules remember %+v", m)
		}
		// What old shows and rules that are gone counted is forgotten after a while.
		long := at.Add(-61 * 24 * time.Hour)
		r := sentence("a")
		r.ID = 9
		forEver := rulebook.Counter{Rule: 9, Scope: 1, Of: "twitch/1", Fired: 1, Last: long}
		ok(t, b.Save(ctx, id, rulebook.Memory{Counters: []rulebook.Counter{
			{Rule: 8, Scope: 3, Fired: 1, Last: long}, {Rule: 9, Show: 99, Scope: 3, Fired: 1, Last: long}, forEver,
		}}))
		must[int64](t)(b.Put(ctx, id, rulebook.Version{Rules: []rule.Rule{r}}, 0))
		equal(t, "counters", must[rulebook.Memory](t)(b.Load(ctx, id)).Counters, []rulebook.Counter{c, d, forEver})
	})
}

func TestQuestions(t *testing.T) {
	onBoth(t, func(t *testing.T, db *DB) {
		ctx, b, id := t.Context(), db.Rulebook(), merchant(t, db, "ana")
		q := rulebook.Question{ID: 5, Show: 100, Channel: chat.Channel{Platform: chat.Twitch, ID: "1"}, Viewer: chat.Viewer{Platform: chat.Twitch, ID: "9", Name: "Eve"}, Text: "How tall?", At: time.UnixMilli(1000).UTC()}
		ok(t, b.PutQuestion(ctx, id, q))
		ok(t, b.PutQuestion(ctx, id, q)) // told twice
		next := q
		next.ID, next.Viewer = 6, chat.Viewer{Platform: chat.Twitch, ID: "10", Name: "Fay"}
		ok(t, b.PutQuestion(ctx, id, next))
		equal(t, "questions", must[[]rulebook.Question](t)(b.Questions(ctx, id, 100)), []rulebook.Question{q, next})
		ok(t, db.Forget(ctx, id, q.Viewer))
		equal(t, "questions", must[[]rulebook.Question](t)(b.Questions(ctx, id, 100)), []rulebook.Question{next})
		ok(t, b.EndQuestion(ctx, id, 6))
		if err := b.EndQuestion(ctx, id, 6); !IsNotFound(err) {
			t.Errorf("ended twice: %v", err)
		}
		if all := must[[]rulebook.Question](t)(b.Questions(ctx, id, 100)); len(all) != 0 {
			t.Errorf("left: %+v", all)
		}
	})
}

// A person gets one code by a rule, however often the rule asks and whatever crashed in between.
func TestDiscounts(t *testing.T) {
	onBoth(t, func(t *testing.T, db *DB) {
		ctx, b, id := t.Context(), db.Rulebook(), merchant(t, db, "ana")
		d := rulebook.Discount{Rule: 7, Person: "twitch/9", Code: "FIRST-AAAA", Show: 100, Made: time.UnixMilli(1000).UTC(), Ends: time.Now().Add(time.Hour).UTC().Truncate(time.Millisecond)}
		got, fresh, err := b.TakeDiscount(ctx, id, d)
		if err != nil || !fresh || got != d {
			t.Fatalf("first: %+v, %v, %v", got, fresh, err)
		}
		again := d
		again.Code = "FIRST-BBBB"
		if got, fresh, err = b.TakeDiscount(ctx, id, again); err != nil || fresh || got != d {
			t.Errorf("again: %+v, %v, %v", got, fresh, err)
		}
		if all := must[[]rulebook.Discount](t)(b.Discounts(ctx, id, d.Person)); len(all) != 0 {
			t.Errorf("before the store has it: %+v", all)
		}
		ok(t, b.EndDiscount(ctx, id, d, ""))
		d.Ready = true
		equal(t, "codes", must[[]rulebook.Discount](t)(b.Discounts(ctx, id, d.Person)), []rulebook.Discount{d})
		other := d
		other.Rule, other.Ends = 8, time.Now().Add(-time.Hour)
		if _, _, err := b.TakeDiscount(ctx, id, other); err != nil {
			t.Fatal(err)
		}
		ok(t, b.EndDiscount(ctx, id, other, ""))
		equal(t, "persons", must[[]string](t)(b.Discounted(ctx, id)), []string{d.Person})
		equal(t, "codes that have not ended", must[[]rulebook.Discount](t)(b.Discounts(ctx, id, d.Person)), []rulebook.Discount{d})
	})
}

func TestHooks(t *testing.T) {
	onBoth(t, func(t *testing.T, db *DB) {
		ctx, b, id, other := t.Context(), db.Rulebook(), merchant(t, db, "ana"), merchant(t, db, "bob")
		h := must[rulebook.Hook](t)(b.PutHook(ctx, id, "tips"))
		if again := must[rulebook.Hook](t)(b.PutHook(ctx, id, "tips")); again != h {
			t.Errorf("made twice: %+v and %+v", h, again)
		}
		equal(t, "hooks", must[[]rulebook.Hook](t)(b.Hooks(ctx, id)), []rulebook.Hook{h})
		m, got, err := b.HookOf(ctx, h.Token)
		if err != nil || m != id || got != h {
			t.Errorf("whose: %v, %+v, %v", m, got, err)
		}
		fresh := must[rulebook.Hook](t)(b.RenewHook(ctx, id, h.ID))
		if _, _, err := b.HookOf(ctx, h.Token); !IsNotFound(err) {
			t.Errorf("a former token: %v", err)
		}
		if m, got, err := b.HookOf(ctx, fresh.Token); err != nil || m != id || got.Name != "tips" {
			t.Errorf("the new token: %v, %+v, %v", m, got, err)
		}
		if _, err := b.RenewHook(ctx, other, h.ID); !IsNotFound(err) {
			t.Errorf("another merchant's: %v", err)
		}
		ok(t, b.DropHook(ctx, id, h.ID))
		if _, _, err := b.HookOf(ctx, fresh.Token); !IsNotFound(err) {
			t.Errorf("of a hook that is gone: %v", err)
		}
		for i := range rulebook.HooksMost {
			must[rulebook.Hook](t)(b.PutHook(ctx, id, fmt.Sprint(i)))
		}
		if _, err := b.PutHook(ctx, id, "more"); !errors.Is(err, rulebook.ErrHooksFull) {
			t.Errorf("one too many: %v", err)
		}
		secret, err := b.SigningSecret(ctx, id)
		ok(t, err)
		if next, err := b.RenewSigningSecret(ctx, id); err != nil || next == secret || !strings.HasPrefix(next.Reveal(), "whsec_") {
			t.Errorf("renewed: %v, %v", next == secret, err)
		}
		if _, err := b.SigningSecret(ctx, commerce.ID(99)); !IsNotFound(err) {
			t.Errorf("of nobody: %v", err)
		}
	})
}
