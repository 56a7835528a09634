package shop

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"hawker/connectors/shopify/shopifysim/graph"
)

func all(string) bool { return true }

// things is a small catalogue with every kind of stock.
func things() []Product {
	return []Product{
		{Title: "One", Variants: []Variant{{SKU: "ONE", Price: "10.00", Stock: 4}}},
		{Title: "Two", Options: []string{"Size"}, Variants: []Variant{
			{SKU: "TWO-S", Options: []string{"S"}, Price: "5.50", Stock: 9}, {SKU: "TWO-L", Options: []string{"L"}, Price: "7.00"},
		}},
		{Title: "Endless", Variants: []Variant{{SKU: "ENDLESS", Price: "1.00", Endless: true}}},
		{Title: "Oversold", Variants: []Variant{{SKU: "OVER", Price: "2.00", Stock: 1, Oversell: true}}},
	}
}

// books is what the laws are checked against.
type books struct {
	*Shop
	onHand map[*variant]int64
	told   map[int64]int64 // available as told last, by item
	events map[string]int
}

func open(t interface{ Fatal(...any) }) *books {
	b := &books{onHand: map[*variant]int64{}, told: map[int64]int64{}, events: map[string]int{}}
	b.Shop = New(Options{Host: "demo.myshopify.com", Name: "Test", Currency: "EUR", Products: things(), Tell: func(topic string, body map[string]any) {
		if _, err := json.Marshal(body); err != nil {
			t.Fatal(topic, err)
		}
		b.events[topic]++
		if topic == "INVENTORY_LEVELS_UPDATE" {
			b.told[body["inventory_item_id"].(int64)] = body["available"].(int64)
		}
	}})
	for _, v := range b.variants {
		b.onHand[v] = v.available
	}
	return b
}

// draw makes a draft as the API does.
func (b *books) draw(until time.Time, lines ...map[string]any) graph.Obj {
	in := map[string]any{"tags": []any{"hawker"}, "lineItems": []any{}}
	for _, l := range lines {
		in["lineItems"] = append(in["lineItems"].([]any), l)
	}
	if !until.IsZero() {
		in["reserveInventoryUntil"] = until.UTC().Format(time.RFC3339)
	}
	var out graph.Obj
	b.Do(func() {
		f := b.Mutations(all)["draftOrderCreate"].(func(graph.Args) any)
		out = f(graph.Args{"input": in}).(graph.Obj)
	})
	return out
}

func lineOf(v *variant, n int) map[string]any {
	return map[string]any{"variantId": gid("ProductVariant", v.id), "quantity": n}
}

// check holds the books against the laws.
func (b *books) check(t *rapid.T) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.lapse(time.Now())
	reserved, committed := map[*variant]int64{}, map[*variant]int64{}
	for _, d := range b.drafts {
		if (d.status == "COMPLETED") != (d.order != nil) {
			t.Fatalf("draft %s is %s with order %v", d.name, d.status, d.order)
		}
		for _, l := range d.lines {
			if !l.reserved {
				continue
			}
			if d.status != "OPEN" || !d.until.After(time.Now()) {
				t.Fatalf("draft %s is %s, reserves until %v, and still holds stock at %v", d.name, d.status, d.until, time.Now())
			}
			reserved[l.v] += l.quantity
		}
	}
	from := map[*draft]int{}
	for _, o := range b.orders {
		if o.draft != nil {
			from[o.draft]++
		}
		for _, l := range o.lines {
			if l.current < 0 || l.current > l.quantity {
				t.Fatalf("order %s has %d of %d pieces", o.name, l.current, l.quantity)
			}
			committed[l.v] += l.current
		}
	}
	for d, n := range from {
		if n != 1 {
			t.Fatalf("draft %s became %d orders", d.name, n)
		}
	}
	for _, v := range b.variants {
		if v.Endless {
			if v.available != 0 || v.committed != 0 || v.reserved != 0 {
				t.Fatalf("%s is not counted and has %d, %d, %d", v.SKU, v.available, v.committed, v.reserved)
			}
			continue
		}
		if v.counted() && v.available < 0 {
			t.Fatalf("%d of %s are available", v.available, v.SKU)
		}
		if v.reserved != reserved[v] || v.committed != committed[v] {
			t.Fatalf("%s: reserved %d, drafts say %d; committed %d, orders say %d", v.SKU, v.reserved, reserved[v], v.committed, committed[v])
		}
		if sum := v.available + v.reserved + v.committed; sum != b.onHand[v] {
			t.Fatalf("%s: %d available, %d reserved, %d committed: together not %d", v.SKU, v.available, v.reserved, v.committed, b.onHand[v])
		}
		if told, ok := b.told[v.item]; ok && told != v.available {
			t.Fatalf("%s: %d are available, told were %d", v.SKU, v.available, told)
		}
	}
	if n := len(b.orders); b.events["ORDERS_CREATE"] != n || b.events["ORDERS_PAID"] != n {
		t.Fatalf("%d orders, told %d and %d times", n, b.events["ORDERS_CREATE"], b.events["ORDERS_PAID"])
	}
}

// undated hides a test's deadline, which cannot be asked for where the clock jumps.
type undated struct{ rapid.TB }

// Whatever is drafted, paid, released, bought, counted, adjusted, cancelled or left to lapse: no piece is lost, sold twice or below zero.
func TestLaws(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rapid.Check(undated{t}, func(t *rapid.T) {
			b := open(t)
			var list []*variant
			for _, p := range b.products {
				list = append(list, p.variants...)
			}
			pick := func() *variant { return rapid.SampledFrom(list).Draw(t, "variant") }
			some := func() int { return rapid.IntRange(1, 4).Draw(t, "pieces") }
			may := func(err error) {
				if err != nil && !errors.Is(err, ErrSoldOut) {
					t.Fatal(err)
				}
			}
			t.Repeat(map[string]func(*rapid.T){
				"": b.check,
				"draft": func(t *rapid.T) {
					var lines []map[string]any
					for range rapid.IntRange(1, 3).Draw(t, "lines") {
						lines = append(lines, lineOf(pick(), some()))
					}
					var until time.Time
					if rapid.IntRange(0, 3).Draw(t, "reserve") > 0 {
						until = time.Now().Add(time.Duration(rapid.IntRange(1, 600).Draw(t, "seconds")) * time.Second)
					}
					if out := b.draw(until, lines...); out["draftOrder"] == nil {
						t.Fatal(out["userErrors"])
					}
				},
				"release": func(t *rapid.T) {
					if len(b.drafts) == 0 {
						t.Skip("no draft")
					}
					d := rapid.SampledFrom(b.drafts).Draw(t, "draft")
					status := d.status
					var out graph.Obj
					b.Do(func() {
						f := b.Mutations(all)["draftOrderDelete"].(func(graph.Args) any)
						out = f(graph.Args{"input": map[string]any{"id": gid("DraftOrder", d.id)}}).(graph.Obj)
					})
					if (out["deletedId"] != nil) != (status == "OPEN") {
						t.Fatalf("release of a draft that is %s: %v", status, out)
					}
				},
				"pay": func(t *rapid.T) {
					if len(b.drafts) == 0 {
						t.Skip("no draft")
					}
					d := rapid.SampledFrom(b.drafts).Draw(t, "draft")
					open := d.status == "OPEN"
					_, err := b.PayDraft(gid("DraftOrder", d.id))
					if open {
						may(err)
					} else if err == nil {
						t.Fatal("paid twice")
					}
				},
				"buy": func(t *rapid.T) { _, err := b.BuyOnline(pick().SKU, some()); may(err) },
				"cart": func(t *rapid.T) {
					var parts []string
					for range rapid.IntRange(1, 3).Draw(t, "lines") {
						parts = append(parts, fmt.Sprintf("%d:%d", pick().id, some()))
					}
					_, err := b.PayCart("https://x/cart/" + strings.Join(parts, ","))
					may(err)
				},
				"end": func(t *rapid.T) {
					if len(b.orders) == 0 {
						t.Skip("no order")
					}
					o := rapid.SampledFrom(b.orders).Draw(t, "order")
					before := o.updated
					if rapid.Bool().Draw(t, "cancel") {
						may(b.Cancel(o.name))
					} else {
						may(b.Refund(gid("Order", o.id)))
					}
					if !o.updated.After(before) {
						t.Fatalf("order %s changed at %v, as before", o.name, o.updated)
					}
				},
				"adjust": func(t *rapid.T) {
					v := pick()
					delta := rapid.Int64Range(-max(0, v.available), 6).Draw(t, "delta")
					args := graph.Args{"@idempotent": graph.Args{"key": fmt.Sprint("key ", b.next())}, "input": map[string]any{
						"name": "available", "reason": "correction", "changes": []any{map[string]any{
							"inventoryItemId": gid("InventoryItem", v.item), "locationId": gid("Location", locationID), "delta": delta, "changeFromQuantity": nil,
						}},
					}}
					for range 2 { // the second changes nothing
						b.Do(func() {
							out := b.Mutations(all)["inventoryAdjustQuantities"].(func(graph.Args) any)(args).(graph.Obj)
							if out["inventoryAdjustmentGroup"] == nil {
								t.Fatal(out["userErrors"])
							}
						})
					}
					if !v.Endless {
						b.onHand[v] += delta
					}
				},
				"count": func(t *rapid.T) {
					v, n := pick(), int64(rapid.IntRange(0, 9).Draw(t, "available"))
					if v.Endless {
						t.Skip("not counted")
					}
					b.onHand[v] += n - v.available
					may(b.SetStock(v.SKU, n))
				},
				"wait": func(t *rapid.T) {
					time.Sleep(time.Duration(rapid.IntRange(1, 400).Draw(t, "seconds")) * time.Second)
				},
			})
		})
	})
}

// The last piece has one buyer, however many pay at once.
func TestLastPiece(t *testing.T) {
	s := New(Options{Currency: "EUR", Products: things()})
	var g sync.WaitGroup
	var mu sync.Mutex
	sold := 0
	for range 40 {
		g.Go(func() {
			if _, err := s.BuyOnline("ONE", 1); err == nil {
				mu.Lock()
				sold++
				mu.Unlock()
			} else if !errors.Is(err, ErrSoldOut) {
				t.Error(err)
			}
		})
	}
	g.Wait()
	if got, _ := s.Stock("ONE"); sold != 4 || got != (Stock{Committed: 4}) {
		t.Errorf("%d were sold, stock is %+v; want 4 and none left", sold, got)
	}
}

// A reservation ends though nobody asks, and the shop says so.
func TestLapseIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := open(t)
		var g sync.WaitGroup
		g.Go(func() { b.Run(t.Context()) })
		end := time.Now().Add(time.Hour)
		v := b.bySKU("ONE")
		b.draw(end, lineOf(v, 3))
		b.draw(end.Add(time.Minute), lineOf(v, 1))
		for _, tt := range []struct {
			at   time.Time
			want int64
		}{{end.Add(-time.Second), 0}, {end, 3}, {end.Add(time.Minute), 4}} {
			time.Sleep(time.Until(tt.at))
			synctest.Wait()
			b.Do(func() {
				if b.told[v.item] != tt.want {
					t.Errorf("at %v: told %d; want %d", tt.at, b.told[v.item], tt.want)
				}
			})
		}
	})
}

func FuzzCart(f *testing.F) {
	s := New(Options{Currency: "EUR", Products: things()})
	id := s.bySKU("ONE").id
	f.Add(fmt.Sprintf("%d:1", id), "attributes[hawker_hold]=71")
	f.Add(fmt.Sprintf("%d:2,%d:999", id, id), "attributes%5Bhawker_hold%5D=71%2C72&ref=a&discount=B")
	f.Add("1:1,:,", "attributes[=&attributes[]=1;")
	f.Fuzz(func(t *testing.T, lines, query string) {
		s.mu.Lock()
		defer s.mu.Unlock()
		c, err := s.cart(lines, query)
		if err != nil {
			if c != nil {
				t.Fatal("a cart and an error")
			}
			return
		}
		if len(c.lines) == 0 || len(c.lines) > 500 || len(c.lines) != strings.Count(lines, ",")+1 {
			t.Fatalf("%q has %d lines", lines, len(c.lines))
		}
		for i, l := range c.lines {
			if l.v == nil || l.quantity < 1 || l.quantity > 999 || l.price != l.v.price || l.reserved {
				t.Fatalf("line %d of %q = %+v", i, lines, l)
			}
		}
		for i, a := range c.attrs {
			if i > 0 && c.attrs[i-1].Key > a.Key {
				t.Fatalf("attributes out of order: %q", c.attrs)
			}
		}
		if o := c.order(somebody()); o.total() <= 0 || len(o.lines) != len(c.lines) {
			t.Fatalf("%q comes to %d", lines, o.total())
		}
	})
}
