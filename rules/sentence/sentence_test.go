package sentence

import (
	"reflect"
	"testing"
	"time"

	"hawker/internal/chat"
	"hawker/rules/rule"
)

func TestOf(t *testing.T) {
	for _, tt := range []struct{ rule, want string }{
		{
			`{name: x, when: sub, only if: {platforms: [twitch]}, then: [{say: "Thanks {user}!"}], at most: {per person: 1}}`,
			"When somebody subscribes, only if it is on Twitch, then say “Thanks {user}!” in every chat, at most once per person a show.",
		},
		{
			`{name: x, off: true, when: {command: [raffle, r]}, only if: {roles: [owner, vip], chance: 5}, then: [{reply: a, after: 90s, if: "left > 3"}, {stop: yes}], at most: {cooldown: 1h, person cooldown: 30s}}`,
			"(Off.) When somebody types !raffle or !r, only if the viewer is an owner or a VIP and a chance of 5 in 100 comes, then after 1 minute and 30 seconds reply “a” if “left > 3” holds; " +
				"then look at no further rules, not again within 30 seconds for the same person and not again within 1 hour.",
		},
		{
			`{name: x, when: {every: 1h}, then: [{say: "{link}", in: [twitch, room, discord/12]}]}`,
			"When a show has gone on for another 1 hour, then say “{link}” in Twitch, the live room and the channel discord/12.",
		},
	} {
		all, err := rule.Parse([]byte(tt.rule))
		if err != nil {
			t.Fatal(err)
		}
		if got := Of(&all[0]); got != tt.want {
			t.Errorf("got  %s\nwant %s", got, tt.want)
		}
	}
}

// Every field that an event, a condition, an action or a bound has is heard: changing it changes the sentence.
func TestEveryFieldIsHeard(t *testing.T) {
	base := rule.Rule{Name: "x", When: rule.When{Event: rule.OrderPaid}, Then: []rule.Action{{Do: rule.Say, Text: "hi"}}}
	heard := func(what string, r rule.Rule, change func(*rule.Rule)) {
		t.Helper()
		was := Of(&r)
		then := append([]rule.Action{}, r.Then...)
		r.Then = then
		if change(&r); Of(&r) == was {
			t.Errorf("%s is not heard: %s", what, was)
		}
	}
	heard("off", base, func(r *rule.Rule) { r.Off = true })
	for i := range reflect.TypeFor[rule.Only]().NumField() {
		heard("only if: "+reflect.TypeFor[rule.Only]().Field(i).Name, base, func(r *rule.Rule) { mutate(t, reflect.ValueOf(&r.Only).Elem().Field(i)) })
	}
	for i := range reflect.TypeFor[rule.AtMost]().NumField() {
		heard("at most: "+reflect.TypeFor[rule.AtMost]().Field(i).Name, base, func(r *rule.Rule) { mutate(t, reflect.ValueOf(&r.AtMost).Elem().Field(i)) })
	}
	fields := map[rule.Event]string{
		rule.Command: "Words", rule.Contains: "Words", rule.Matches: "Pattern", rule.Every: "Every", rule.At: "At", rule.AfterLines: "Lines", rule.StockAt: "Left",
		rule.Redeemed: "Title", rule.PollEnded: "Title", rule.DestinationDown: "Title", rule.DestinationUp: "Title", rule.Webhook: "Title",
	}
	seen := map[string]rule.Event{}
	for _, e := range rule.Events() {
		r := base
		r.When = rule.When{Event: e}
		if other, ok := seen[When(&r.When)]; ok || When(&r.When) == When(&rule.When{}) {
			t.Errorf("%q sounds like %q", e, other)
		}
		seen[When(&r.When)] = e
		if f := fields[e]; f != "" {
			heard(string(e)+": "+f, r, func(r *rule.Rule) { mutate(t, reflect.ValueOf(&r.When).Elem().FieldByName(f)) })
		}
	}
	params := map[rule.Param]string{
		rule.PText: "Text", rule.PChannels: "Channels", rule.PItem: "Item", rule.PQuantity: "Quantity", rule.PAmount: "Amount", rule.PFor: "For", rule.PName: "Name",
		rule.PValue: "Value", rule.PURL: "URL", rule.POn: "On", rule.PPicture: "Picture", rule.PSound: "Sound",
	}
	does := map[string]rule.ActionKind{}
	for _, k := range rule.ActionKinds() {
		r := base
		r.Then = []rule.Action{{Do: k}}
		if other, ok := does[Action(&r.Then[0])]; ok || Action(&r.Then[0]) == Action(&rule.Action{}) {
			t.Errorf("%q sounds like %q", k, other)
		}
		does[Action(&r.Then[0])] = k
		f, ok := rule.FormOf(k)
		if !ok {
			t.Fatalf("no form of %q", k)
		}
		names := []string{"After", "If"}
		for _, p := range append(append([]rule.Param{f.Main}, f.Must...), f.Extra...) {
			if p != 0 {
				names = append(names, params[p])
			}
		}
		for _, n := range names {
			heard(string(k)+": "+n, r, func(r *rule.Rule) { mutate(t, reflect.ValueOf(&r.Then[0]).Elem().FieldByName(n)) })
		}
	}
}

// mutate gives a field another value than its zero.
func mutate(t *testing.T, v reflect.Value) {
	t.Helper()
	switch v.Interface().(type) {
	case rule.Answer:
		v.SetString("yes")
	case rule.ShowState:
		v.SetString("hot")
	case rule.Bound:
		v.SetString("3..")
	case string:
		v.SetString("20:00")
	case int, int64:
		v.SetInt(7)
	case time.Duration:
		v.SetInt(int64(90 * time.Second))
	case bool:
		v.SetBool(true)
	case []chat.Platform:
		v.Set(reflect.ValueOf([]chat.Platform{chat.Discord}))
	case []rule.Role:
		v.Set(reflect.ValueOf([]rule.Role{rule.VIP}))
	case []rule.Day:
		v.Set(reflect.ValueOf([]rule.Day{"tue"}))
	case []string:
		v.Set(reflect.ValueOf([]string{"blue"}))
	case []int:
		v.Set(reflect.ValueOf([]int{4}))
	default:
		t.Fatalf("a field of type %v", v.Type())
	}
}
