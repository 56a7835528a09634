package audit_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"hawker/commerce"
	"hawker/commerce/audit"
	"hawker/internal/chat"
)

const (
	spring = commerce.ID(7)
	mug    = commerce.ID(11) // the merchant's own
	vase   = commerce.ID(12) // a store's
)

// till is a desk whose commits always arrive, and the ledger it wrote.
type till struct {
	d     *commerce.Desk
	now   time.Time
	n     int
	holds []commerce.ID
	all   []commerce.Entry
}

func newTill() *till {
	w := &till{now: time.Date(2026, 5, 1, 18, 0, 0, 0, time.UTC)}
	w.d = commerce.NewDesk(1, commerce.State{})
	eur := func(n int64) commerce.Money { return commerce.Money{Minor: n, Currency: "EUR"} }
	item := func(n int, v commerce.ID) commerce.Item {
		return commerce.Item{Number: n, FirstPaid: n == 3, Product: commerce.Product{ID: v, Title: fmt.Sprint("item ", n), Variants: []commerce.Variant{{ID: v, Price: eur(100)}}}}
	}
	five := int64(5)
	w.do(
		commerce.SetShow{Show: commerce.Show{ID: spring, Name: "spring", State: commerce.ShowLive, Lineup: commerce.Lineup{Items: []commerce.Item{item(1, mug), item(2, vase), item(3, vase)}}}},
		commerce.SetStock{Variant: mug, Available: &five},
		commerce.Read{Readings: []commerce.Reading{{Variant: vase, Available: 5, At: w.now.Add(-time.Minute)}}},
	)
	return w
}

func (w *till) do(reqs ...commerce.Request) {
	b, _ := w.d.Plan(w.now, reqs)
	for _, h := range b.Holds {
		if b.NewHolds[h.ID] {
			w.holds = append(w.holds, h.ID)
		}
	}
	w.all = append(w.all, b.Entries...)
	w.d.Commit()
}

func (w *till) ask(name string) commerce.Ask {
	w.n++
	v := chat.Viewer{Platform: chat.Twitch, ID: name, Name: name}
	return commerce.Ask{Key: commerce.Key{Platform: chat.Twitch, Message: fmt.Sprint("m", w.n)}, Show: spring, Viewer: v}
}

func (w *till) buy(name string, item, n int) {
	w.do(commerce.Claim{Ask: w.ask(name), Number: item, Quantity: n})
}

// sale is a ledger with something of everything.
func sale(t *testing.T) []commerce.Entry {
	t.Helper()
	w := newTill()
	w.buy("ana", 1, 2)
	w.buy("bob", 1, 3)
	w.buy("cy", 1, 1) // waits
	w.buy("dee", 2, 1)
	w.do(commerce.Opened{Holds: w.holds[2:]})
	w.do(commerce.Drafted{Holds: w.holds[2:], Draft: "D1", URL: "https://shop.example", Created: w.now})
	w.do(commerce.Pass{Ask: w.ask("bob"), Number: 1})
	w.do(commerce.Paid{Order: commerce.Order{
		Store: "O1", Name: "#1", State: commerce.OrderPaid, Draft: "D1", Lines: []commerce.OrderLine{{Variant: "v", Quantity: 1}}, Created: w.now, Updated: w.now,
	}, Variants: map[string]commerce.ID{"v": vase}})
	w.now = w.now.Add(time.Hour)
	w.do(commerce.Expire{})
	return w.all
}

func replay(all []commerce.Entry) (*audit.Replay, error) {
	r := audit.New()
	for _, e := range all {
		if err := r.Add(e); err != nil {
			return r, err
		}
	}
	return r, nil
}

func TestReplay(t *testing.T) {
	all := sale(t)
	r, err := replay(all)
	if err != nil {
		t.Fatal(err)
	}
	p := r.Report()
	if p.Entries != int64(len(all)) || p.Holds != 4 || p.Paid != 1 || p.Passed != 1 || p.Expired != 2 || p.Open != 0 || p.Orders != 1 || p.Promoted != 1 || p.Late != 0 {
		t.Errorf("%+v", p)
	}
	if p.Hash != all[len(all)-1].Hash || p.Last != all[len(all)-1].Seq || !p.From.Equal(all[0].At) {
		t.Errorf("%+v", p)
	}
	if got := r.Stock()[mug]; got.Held != 0 || got.Available != 5 {
		t.Errorf("%+v", got)
	}
	text := strings.Join(p.Sentences(time.UTC), "\n")
	for _, want := range []string{"none was changed", "Never oversold", "4 holds", "1 paid", "2 expired", "1 May 2026 18:00:00"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not said in\n%s", want, text)
		}
	}
	if s := (&audit.Report{}).Sentences(time.UTC); len(s) != 1 || !strings.Contains(s[0], "empty") {
		t.Errorf("%q", s)
	}
}

// chained gives entries their places and hashes anew, so that only what they say is wrong.
func chained(all []commerce.Entry) []commerce.Entry {
	var prev [sha256.Size]byte
	for i := range all {
		all[i].Seq, all[i].Prev = int64(i+1), prev
		all[i].Hash = all[i].Chain()
		prev = all[i].Hash
	}
	return all
}

// edit changes what an entry says.
func edit(e *commerce.Entry, f func(*commerce.Fact)) {
	var x commerce.Fact
	if err := json.Unmarshal(e.Body, &x); err != nil {
		panic(err)
	}
	f(&x)
	e.Body, _ = json.Marshal(x)
}

// first finds the first entry of a kind, after one.
func first(all []commerce.Entry, kind string, after int) int {
	for i := after; i < len(all); i++ {
		if all[i].Kind == kind {
			return i
		}
	}
	panic("no entry is " + kind)
}

// Whatever is wrong with a ledger, the first entry that breaks it is named.
func TestBroken(t *testing.T) {
	for _, tt := range []struct {
		name   string
		change func([]commerce.Entry) ([]commerce.Entry, int) // and the index of the entry that must be named, -1 for the last
		want   string
	}{
		{"a byte changed", func(a []commerce.Entry) ([]commerce.Entry, int) {
			a[4].Body = bytes.Replace(a[4].Body, []byte("1"), []byte("2"), 1)
			return a, 4
		}, "changed after it was written"},
		{"a time changed", func(a []commerce.Entry) ([]commerce.Entry, int) { a[3].At = a[3].At.Add(time.Millisecond); return a, 3 }, "changed after"},
		{"a kind changed", func(a []commerce.Entry) ([]commerce.Entry, int) { a[3].Kind = "passed"; return a, 3 }, "changed after"},
		{"one left out", func(a []commerce.Entry) ([]commerce.Entry, int) { return slices.Delete(a, 2, 3), 2 }, "1 in between are missing"},
		{"the first left out", func(a []commerce.Entry) ([]commerce.Entry, int) { return a[1:], 0 }, "follows entry 0"},
		{"two exchanged", func(a []commerce.Entry) ([]commerce.Entry, int) { a[2], a[3] = a[3], a[2]; return a, 2 }, "missing"},
		{"one twice", func(a []commerce.Entry) ([]commerce.Entry, int) { return slices.Insert(a, 3, a[2]), 3 }, "out of order"},
		{"an entry written anew", func(a []commerce.Entry) ([]commerce.Entry, int) {
			a[0].Kind = "aired"
			a[0].Hash = a[0].Chain()
			return a, 1
		}, "does not name the hash"},
		{"oversold", func(a []commerce.Entry) ([]commerce.Entry, int) {
			i := first(a, "held", 0)
			edit(&a[i], func(f *commerce.Fact) { f.Stock[0].Sold = 5 })
			return chained(a), i
		}, "oversold"},
		{"fewer than none", func(a []commerce.Entry) ([]commerce.Entry, int) {
			i := first(a, "held", 0)
			edit(&a[i], func(f *commerce.Fact) { f.Stock[0].Sold = -1 })
			return chained(a), i
		}, "cannot be"},
		{"a message decided twice", func(a []commerce.Entry) ([]commerce.Entry, int) {
			k := commerce.Key{Platform: chat.Twitch, Message: "twice"}
			for i := range a[:6] {
				if i == 1 || i == 5 {
					edit(&a[i], func(f *commerce.Fact) { f.Key, f.Reason = &k, "held" })
				}
			}
			return chained(a), 5
		}, "a second time"},
		{"a hold that ends twice", func(a []commerce.Entry) ([]commerce.Entry, int) {
			i := first(a, "passed", 0)
			x := a[i]
			edit(&x, func(f *commerce.Fact) { f.Key, f.Reason = nil, "" })
			return chained(slices.Insert(a, i+1, x)), i + 1
		}, "ended before (passed)"},
		{"a hold that lives again", func(a []commerce.Entry) ([]commerce.Entry, int) {
			i, j := first(a, "passed", 0), first(a, "held", first(a, "held", 0)+1)
			x := a[j]
			edit(&x, func(f *commerce.Fact) { f.Key, f.Reason = nil, "" })
			return chained(slices.Insert(a, i+1, x)), i + 1
		}, "opened again"},
		{"a hold that nobody opened", func(a []commerce.Entry) ([]commerce.Entry, int) {
			i := first(a, "expired", 0)
			edit(&a[i], func(f *commerce.Fact) { f.Hold = 99 })
			return chained(a), i
		}, "never opened"},
		{"paid twice", func(a []commerce.Entry) ([]commerce.Entry, int) {
			i := first(a, "paid", 0)
			x := a[i]
			edit(&x, func(f *commerce.Fact) { f.Order, f.Stock = "O2", nil })
			return chained(slices.Insert(a, i+1, x)), i + 1
		}, "paid already"},
		{"more held than the holds have", func(a []commerce.Entry) ([]commerce.Entry, int) {
			i := first(a, "held", 0)
			edit(&a[i], func(f *commerce.Fact) { f.Quantity = 1 })
			return chained(a), i
		}, "the holds that are open have 1"},
		{"fewer held than the holds have", func(a []commerce.Entry) ([]commerce.Entry, int) {
			i := first(a, "held", 0)
			edit(&a[i], func(f *commerce.Fact) { f.Stock[0].Held = 1 })
			return chained(a), i
		}, "have 2"},
		{"a body that is none", func(a []commerce.Entry) ([]commerce.Entry, int) {
			a[2].Body = []byte("{")
			return chained(a), 2
		}, "cannot be read"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			all, at := tt.change(sale(t))
			_, err := replay(all)
			var b *audit.Broken
			if !errors.As(err, &b) || b.Seq != all[at].Seq || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%v; want entry %d and %q", err, all[at].Seq, tt.want)
			}
		})
	}
}

// Whatever a desk does, its ledger passes, and the replay knows what the desk knows.
func TestRandomSales(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		w := newTill()
		r := audit.New()
		read := 0
		rt.Repeat(map[string]func(*rapid.T){
			"": func(t *rapid.T) {
				for ; read < len(w.all); read++ {
					if err := r.Add(w.all[read]); err != nil {
						t.Fatalf("%v\n%s", err, tail(w.all[:read+1]))
					}
				}
				for _, id := range w.holds {
					x, _ := w.d.Hold(id)
					if h, ok := r.Hold(id); !ok || h.State != x.State || h.Quantity != x.Quantity || h.Variant != x.Variant || h.Unsure {
						t.Fatalf("the ledger's last word on hold %d is %+v, %v; it is %+v\n%s", id, h, ok, x.Hold, tail(w.all))
					}
				}
			},
			"ask": func(t *rapid.T) { w.do(w.draw(t), w.draw(t)) },
			"wait": func(t *rapid.T) {
				w.now = w.now.Add(time.Duration(rapid.SampledFrom([]int{1, 4, 60, 400}).Draw(t, "s")) * time.Second)
				w.do(commerce.Expire{})
			},
		})
		if _, _, err := audit.Verify(bytes.NewReader(export(rt, w.all))); err != nil {
			rt.Fatal(err)
		}
		if _, err := replay(older(w.all)); err != nil {
			rt.Fatalf("as an older version wrote it: %v", err)
		}
	})
}

// older are entries as versions wrote them that named only the first hold of an order, and did not say that a promotion was an
// offer.
func older(all []commerce.Entry) []commerce.Entry {
	all = slices.Clone(all)
	for i := range all {
		switch all[i].Kind {
		case "paid", "edited", "undone":
			edit(&all[i], func(f *commerce.Fact) { f.Holds = nil })
		case "promoted":
			edit(&all[i], func(f *commerce.Fact) { f.State = "" })
		}
	}
	return chained(all)
}

// Older versions had a place leave the line in the midst of a settlement, before its entry. Anywhere else it is a fault.
func TestOlderSettlement(t *testing.T) {
	w := newTill()
	w.buy("ana", 1, 2)
	w.buy("ana", 2, 1)
	w.buy("bob", 1, 4) // three held, one waits
	place := first(w.all, "waitlisted", 0)
	w.do(commerce.Paid{Order: commerce.Order{
		Store: "O1", Name: "#1", State: commerce.OrderPaid, Holds: w.holds[:2], Lines: []commerce.OrderLine{{Variant: "1", Quantity: 2}, {Variant: "2", Quantity: 1}}, Created: w.now, Updated: w.now,
	}, Variants: map[string]commerce.ID{"1": mug, "2": vase}})
	all := older(w.all)
	paid := first(all, "paid", 0)
	left := all[place]
	left.Kind = "left"
	edit(&left, func(f *commerce.Fact) {
		f.Key, f.Reason, f.State, f.Stock[0].Held, f.Stock[0].Sold = nil, "", "left", 3, 2
	})
	old := chained(slices.Insert(slices.Clone(all), paid, left))
	r, err := replay(old)
	if err != nil {
		t.Fatal(err)
	}
	if h, ok := r.Hold(w.holds[1]); !ok || !h.Unsure {
		t.Errorf("the second hold of an older order is known for sure: %+v", h)
	}
	undone := commerce.Entry{Kind: "undone", Body: fmt.Appendf(nil, `{"order":"O1","holds":[{"hold":"%s"},{"hold":"%s"}]}`, w.holds[0], w.holds[1])}
	if r, err = replay(chained(append(slices.Clone(old), undone))); err != nil {
		t.Fatal(err)
	}
	if h, _ := r.Hold(w.holds[1]); h.State != commerce.StateReleased || r.Report().Open != 1 {
		t.Errorf("%+v, %d open", h, r.Report().Open)
	}
	alone := slices.Insert(slices.Clone(all[:paid]), paid, left)
	alone = chained(append(alone, all[paid-1]))
	edit(&alone[len(alone)-1], func(f *commerce.Fact) { *f = commerce.Fact{} })
	alone[len(alone)-1].Kind = "aired"
	var b *audit.Broken
	if _, err := replay(chained(alone)); !errors.As(err, &b) || b.Seq != int64(paid+1) {
		t.Errorf("%v; want entry %d", err, paid+1)
	}
}

// An order of several holds names them all, and a promotion says when it is an offer.
func TestNamesHolds(t *testing.T) {
	w := newTill()
	w.buy("ana", 1, 2)
	w.buy("ana", 2, 1)
	o := commerce.Order{
		Store: "O1", Name: "#1", State: commerce.OrderPaid, Holds: w.holds, Lines: []commerce.OrderLine{{Variant: "1", Quantity: 2}, {Variant: "2", Quantity: 1}}, Created: w.now, Updated: w.now,
	}
	pay := func(state commerce.OrderState, lines ...int) {
		w.now = w.now.Add(time.Minute)
		o.State, o.Updated, o.Lines = state, w.now, slices.Clone(o.Lines)
		for i, n := range lines {
			o.Lines[i].Quantity = n
		}
		w.do(commerce.Paid{Order: o, Variants: map[string]commerce.ID{"1": mug, "2": vase}})
	}
	pay(commerce.OrderPaid)
	pay(commerce.OrderPaid, 1)
	pay(commerce.OrderPaid, 1, 0)
	pay(commerce.OrderRefunded)
	for i, want := range map[string][]commerce.HoldFact{
		"paid":   {{Hold: w.holds[0], Quantity: 2}, {Hold: w.holds[1], Quantity: 1}},
		"edited": {{Hold: w.holds[0], Quantity: 1}},
		"undone": {{Hold: w.holds[0]}},
	} {
		var f commerce.Fact
		if err := json.Unmarshal(w.all[first(w.all, i, 0)].Body, &f); err != nil || !slices.Equal(f.Holds, want) {
			t.Errorf("%s names %+v, want %+v (%v)", i, f.Holds, want, err)
		}
	}
	r, err := replay(w.all)
	if err != nil {
		t.Fatal(err)
	}
	if h, _ := r.Hold(w.holds[1]); h.State != commerce.StateReleased || h.Unsure {
		t.Errorf("%+v", h)
	}
}

// An order that is paid back when the till has long forgotten its holds names none of them: they stay as they are.
func TestUndoneLater(t *testing.T) {
	w := newTill()
	w.buy("ana", 1, 2)
	o := commerce.Order{Store: "O1", Name: "#1", State: commerce.OrderPaid, Holds: w.holds, Lines: []commerce.OrderLine{{Variant: "1", Quantity: 2}}, Created: w.now, Updated: w.now}
	w.do(commerce.Paid{Order: o, Variants: map[string]commerce.ID{"1": mug}})
	w.now = w.now.Add(31 * 24 * time.Hour)
	w.do(commerce.SetStock{Variant: mug, Add: 1})
	if _, known := w.d.Hold(w.holds[0]); known {
		t.Fatal("the till has not forgotten the hold")
	}
	o.State, o.Updated = commerce.OrderRefunded, w.now
	w.do(commerce.Paid{Order: o, Variants: map[string]commerce.ID{"1": mug}})
	r, err := replay(w.all)
	if err != nil {
		t.Fatal(err)
	}
	if h, _ := r.Hold(w.holds[0]); h.State != commerce.StatePaid {
		t.Errorf("%+v", h)
	}
}

func tail(all []commerce.Entry) string {
	var b strings.Builder
	for _, e := range all[max(0, len(all)-12):] {
		fmt.Fprintf(&b, "%d %s %s\n", e.Seq, e.Kind, e.Body)
	}
	return b.String()
}

func (w *till) draw(t *rapid.T) commerce.Request {
	one := func(label string, from, to int) int { return rapid.IntRange(from, to).Draw(t, label) }
	a := w.ask(rapid.SampledFrom([]string{"ana", "bob", "cy", "dee"}).Draw(t, "who"))
	item := one("item", 1, 3)
	var some []commerce.ID
	for range one("holds", 1, 3) {
		if len(w.holds) > 0 {
			some = append(some, w.holds[len(w.holds)-1-one("hold", 0, min(len(w.holds)-1, 6))])
		}
	}
	ago := func() time.Time { return w.now.Add(-time.Duration(one("ago", 0, 9)) * time.Second) }
	switch one("kind", 0, 15) {
	case 0, 1:
		return commerce.Pass{Ask: a, Number: item * one("all", 0, 1)}
	case 2, 3:
		return commerce.Change{Ask: a, Number: item, Delta: one("delta", -2, 2)}
	case 4:
		if one("unheard", 0, 1) == 0 {
			return commerce.Unheard{Holds: some}
		}
		return commerce.Opened{Holds: some}
	case 5, 6:
		return commerce.Drafted{Holds: some, Draft: fmt.Sprint("D", w.n-one("known", 0, 1)*one("before", 0, 9)), Created: ago()}
	case 7, 8:
		return commerce.Read{Readings: []commerce.Reading{{Variant: vase, Available: int64(one("n", -1, 9)), At: ago(), Endless: one("endless", 0, 9) == 0}}}
	case 9:
		return commerce.SetStock{Variant: mug, Add: int64(one("n", -2, 3))}
	case 10:
		return commerce.Retract{Message: chat.Twitch, ID: fmt.Sprint("m", one("id", 1, w.n)), ByMod: one("mod", 0, 1) == 0}
	case 11, 12:
		state := rapid.SampledFrom([]commerce.OrderState{commerce.OrderPaid, commerce.OrderPaid, commerce.OrderPaid, commerce.OrderRefunded}).Draw(t, "state")
		draft := ""
		if one("by draft", 0, 2) == 0 {
			some, draft = nil, fmt.Sprint("D", w.n-one("drafted", 0, 9))
		}
		return commerce.Paid{Order: commerce.Order{
			Store: fmt.Sprint("O", one("order", 1, 9)), State: state, Holds: some, Draft: draft, Lines: []commerce.OrderLine{{Variant: "1", Quantity: one("q", 0, 3)}, {Variant: "2", Quantity: one("q2", 0, 2)}},
			Created: ago(), Updated: w.now,
		}, Variants: map[string]commerce.ID{"1": mug, "2": vase}}
	}
	return commerce.Claim{Ask: a, Number: item, Quantity: one("quantity", 1, 4), Add: one("add", 0, 1) == 0, Wait: one("wait", 0, 1) == 0}
}
