package book

import (
	"encoding/json"
	"testing"

	"hawker/commerce"
	"hawker/internal/chat"
	"hawker/rules/facts"
	"hawker/rules/rule"
)

// Whatever rules and lines say, Decide keeps its budget, gives the same twice, and does not panic.
func FuzzDecide(f *testing.F) {
	f.Add("{name: a, when: {line contains: [free]}, then: [{say: '{text}'}]}", "free!", 0)
	f.Add("{name: a, when: {line matches: '(a|b)+c'}, only if: {expression: 'text matches \"x\"'}, then: [{set: x, to: counters.x + len(text)}, {say: '{counters.x}'}]}", "abc x", 3)
	f.Add("{name: a, when: raid, only if: {amount: '3..', days: [mon], from: '18:00', to: '02:00', chance: 50}, at most: {per person: 1, cooldown: 1m}, then: [{discount code: 10%, text: '{code}'}, {stop: yes}]}", "", 11)
	f.Add("{name: a, when: first line, then: [{claim: on air}, {pass: on air}, {air: 3}, {time out: 3s}]}", "é ü", 1)
	f.Fuzz(func(t *testing.T, text, said string, event int) {
		all, err := rule.Parse([]byte(text))
		if err != nil {
			return
		}
		b, errs := Load(all, Options{})
		for _, e := range errs {
			if e.Msg == "" || e.Error() == "" {
				t.Fatalf("a fault without words: %+v", e)
			}
		}
		events := rule.Events()
		if event < 0 {
			event = -(event + 1)
		}
		once := func(out *Result, trace bool) string {
			in := line(said)
			if e := events[event%len(events)]; !e.OfLines() {
				in.Event = e
			}
			in.Trace, in.Try = trace, trace
			in.Facts.Message.First, in.Facts.Message.Bits = true, 100
			in.Facts.Person.Known = true
			in.Facts.Support = facts.Support{Tier: "1000", Months: 3, Count: 5, Title: said}
			in.Facts.Order = facts.Order{Name: "#1", Total: commerce.Money{Minor: 500, Currency: "EUR"}}
			in.Counter = func(Key) Count { return Count{} }
			in.Facts.Viewer.Roles = chat.Subscriber
			b.Decide(in, out)
			j, err := json.Marshal([]any{out.Effects, out.Settings, out.Counts, out.Looks, out.Fired})
			if err != nil {
				t.Fatal(err)
			}
			if len(out.Effects) > MaxEffects || len(out.Settings) > MaxEffects {
				t.Fatalf("%d effects", len(out.Effects))
			}
			return string(j)
		}
		out := &Result{}
		first := once(out, true)
		once(out, false)
		if again := once(out, true); again != first {
			t.Fatalf("first %s\nthen  %s", first, again)
		}
		if fresh := once(&Result{}, true); fresh != first {
			t.Fatalf("first %s\nfresh %s", first, fresh)
		}
	})
}
