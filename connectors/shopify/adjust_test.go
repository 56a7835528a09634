package shopify_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	"hawker/connectors/shopify"
	"hawker/connectors/shopify/shopifysim"
)

func TestAdjustStock(t *testing.T) {
	s := open(t, rich())
	c := connect(t, s)
	item := gidOf(t, c, "MUG-1")
	for i, step := range []struct {
		key         string
		delta, want int64
	}{
		{"a", 5, 45},
		{"b", -7, 38},
		{"a", 5, 38},
		{"b", -7, 38},
		{"c", 5, 43},
		{"d", 0, 43},
		{"e", -50, -7},
		{"f", 7, 0}, // below zero, as the store lets it
	} {
		if err := c.AdjustStock(t.Context(), item, step.delta, step.key); err != nil {
			t.Fatalf("step %d: %v", i, err)
		}
		stock(t, s, "MUG-1", shopifysim.Stock{Available: step.want})
	}
}

// Only what is available changes: what is set aside or sold stays.
func TestAdjustStockOfHeldPieces(t *testing.T) {
	s := open(t, rich())
	c := connect(t, s)
	item := gidOf(t, c, "VASE-1")
	if _, err := c.Draft(t.Context(), draftOf(s, 71, "VASE-1", 1, 0)); err != nil {
		t.Fatal(err)
	}
	if _, err := s.BuyOnline("VASE-1", 1); err != nil {
		t.Fatal(err)
	}
	if err := c.AdjustStock(t.Context(), item, 4, "k"); err != nil {
		t.Fatal(err)
	}
	stock(t, s, "VASE-1", shopifysim.Stock{Available: 5, Reserved: 1, Committed: 1})
}

// A lost answer is asked for again and changes nothing twice, within one call and by the next.
func TestAdjustStockLostAnswer(t *testing.T) {
	for losses, want := range map[int]error{1: nil, 3: nil, 5: shopify.ErrUnsure} {
		t.Run(fmt.Sprint(losses), func(t *testing.T) {
			t.Parallel()
			s := open(t, rich())
			var mu sync.Mutex
			left := losses
			f := front(t, s, func(_ http.ResponseWriter, r *http.Request) bool {
				mu.Lock()
				defer mu.Unlock()
				if strings.Contains(bodyOf(r), "mutation") && left > 0 {
					left--
					s.LoseAnswers(1)
				}
				return false
			})
			c := connect(t, s, func(o *shopify.Options) { o.URL = f.URL })
			item := gidOf(t, c, "MUG-1")
			err := c.AdjustStock(t.Context(), item, -3, "one")
			if !errors.Is(err, want) || want == nil && err != nil {
				t.Errorf("after %d lost answers: %v; want %v", losses, err, want)
			}
			stock(t, s, "MUG-1", shopifysim.Stock{Available: 37})
			if err := c.AdjustStock(t.Context(), item, -3, "one"); err != nil {
				t.Errorf("the same call again: %v", err)
			}
			stock(t, s, "MUG-1", shopifysim.Stock{Available: 37})
		})
	}
}

func TestAdjustStockRefused(t *testing.T) {
	o := rich()
	o.Products = []shopifysim.Product{{Title: "Odd", Options: []string{"Kind"}, Variants: []shopifysim.Variant{
		{SKU: "PLAIN", Options: []string{"a"}, Price: "1.00", Stock: 3}, {SKU: "ENDLESS", Options: []string{"b"}, Price: "1.00", Endless: true},
	}}}
	s := open(t, o)
	c := connect(t, s)
	plain, endless := gidOf(t, c, "PLAIN"), gidOf(t, c, "ENDLESS")
	if err := c.AdjustStock(t.Context(), plain, 2_000_000_000-10, "much"); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name, item, key string
		delta           int64
		says            string
	}{
		{"not counted", endless, "a", 1, "does not count this item"},
		{"more than can be sent", plain, "b", 2_000_000_001, "more than the store can count"},
		{"less than can be sent", plain, "c", -1 << 62, "more than the store can count"},
		{"more than can be there", plain, "d", 100, "can't be higher than 2,000,000,000"},
		{"and again", plain, "d", 100, "can't be higher than 2,000,000,000"},
		{"another change under a known key", plain, "much", 1, "cannot be used with different operation parameters"},
	} {
		err := c.AdjustStock(t.Context(), tt.item, tt.delta, tt.key)
		var no *shopify.Refused
		if !errors.As(err, &no) || errors.Is(err, shopify.ErrUnsure) || !strings.Contains(err.Error(), tt.says) {
			t.Errorf("%s: %v; want it refused: %s", tt.name, err, tt.says)
		}
	}
	stock(t, s, "PLAIN", shopifysim.Stock{Available: 1_999_999_993})

	for _, item := range []string{"gid://shopify/InventoryItem/1", "gid://shopify/InventoryItem/9999999999999"} {
		if err := c.AdjustStock(t.Context(), item, 1, "x"); !errors.Is(err, shopify.ErrNotFound) {
			t.Errorf("item %s: %v; want ErrNotFound", item, err)
		}
	}
	for _, item := range []string{"", "1", s.VariantID("PLAIN")} {
		if err := c.AdjustStock(t.Context(), item, 1, "x"); err == nil {
			t.Errorf("item %q was taken", item)
		}
	}
	for _, key := range []string{"", " \t"} {
		if err := c.AdjustStock(t.Context(), plain, 1, key); err == nil {
			t.Errorf("key %q was taken", key)
		}
	}
}

// A grant that can only read is too small, and nothing changes; the check tells which scope is missing.
func TestAdjustStockScope(t *testing.T) {
	o := rich()
	o.Scopes = []string{"read_products", "read_inventory", "read_locations", "read_orders", "write_draft_orders"}
	s := open(t, o)
	c := connect(t, s)
	if err := c.AdjustStock(t.Context(), gidOf(t, c, "MUG-1"), 1, "k"); !errors.Is(err, shopify.ErrScope) || errors.Is(err, shopify.ErrUnsure) {
		t.Errorf("a change with read_inventory: %v; want ErrScope", err)
	}
	stock(t, s, "MUG-1", shopifysim.Stock{Available: 40})
	if got, err := c.Check(t.Context()); err != nil || fmt.Sprint(got.Missing) != "[write_inventory]" {
		t.Errorf("missing = %v, %v; want write_inventory", got.Missing, err)
	}
}

// done is the store's answer to a change that was made.
const done = `{"inventoryAdjustmentGroup":{"id":"gid://shopify/InventoryAdjustmentGroup/1"},"userErrors":[]}`

// The change is made where online orders are shipped from.
func TestAdjustStockLocation(t *testing.T) {
	level := func(id int, active, online bool) string {
		return fmt.Sprintf(`{"location":{"id":"gid://shopify/Location/%d","isActive":%v,"fulfillsOnlineOrders":%v},"quantities":[]}`, id, active, online)
	}
	for _, tt := range []struct{ name, levels, want string }{
		{"the third of four", level(1, false, true) + "," + level(2, true, false) + "," + level(3, true, true) + "," + level(4, true, true), "3"},
		{"none of two", level(1, false, true) + "," + level(2, true, false), ""},
		{"nowhere", "", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := open(t, rich())
			var at string
			f := front(t, s, func(w http.ResponseWriter, r *http.Request) bool {
				body := bodyOf(r)
				if !strings.Contains(body, "mutation") {
					_, _ = fmt.Fprintf(w, `{"data":{"nodes":[{"id":"gid://shopify/InventoryItem/5","tracked":true,"inventoryLevels":{"nodes":[%s]}}]}}`, tt.levels)
					return true
				}
				var sent struct {
					Variables struct {
						In struct{ Changes []map[string]any }
					}
				}
				if err := json.Unmarshal([]byte(body), &sent); err != nil || len(sent.Variables.In.Changes) != 1 {
					t.Errorf("sent %s, %v", body, err)
					return false
				}
				change := sent.Variables.In.Changes[0]
				if from, ok := change["changeFromQuantity"]; !ok || from != nil {
					t.Errorf("changeFromQuantity = %v, %v; want null", from, ok)
				}
				at = fmt.Sprint(change["locationId"])
				_, _ = io.WriteString(w, `{"data":{"inventoryAdjustQuantities":`+done+`}}`)
				return true
			})
			c := connect(t, s, func(o *shopify.Options) { o.URL = f.URL })
			err := c.AdjustStock(t.Context(), "gid://shopify/InventoryItem/5", 1, "k")
			var no *shopify.Refused
			switch {
			case tt.want == "" && (!errors.As(err, &no) || at != "" || !strings.Contains(err.Error(), "no active location")):
				t.Errorf("%v, changed at %q; want it refused", err, at)
			case tt.want != "" && (err != nil || at != "gid://shopify/Location/"+tt.want):
				t.Errorf("changed at %q, %v; want location %s", at, err, tt.want)
			}
		})
	}
}

// What the store says of a key decides what is asked next.
func TestAdjustStockKeys(t *testing.T) {
	no := func(code string) string {
		return `{"inventoryAdjustmentGroup":null,"userErrors":[{"field":null,"message":"said ` + code + `","code":"` + code + `"}]}`
	}
	busy, spent, down := no("IDEMPOTENCY_CONCURRENT_REQUEST"), no("IDEMPOTENCY_PREVIOUS_ATTEMPT_FAILED"), no("SERVICE_UNAVAILABLE")
	for _, tt := range []struct {
		name    string
		answers []string // the last for ever
		keys    string
		want    func(error) bool
	}{
		{"still at work", []string{busy, busy, done}, "[k k k]", func(err error) bool { return err == nil }},
		{"at work for long", []string{busy}, "[k k k k k]", func(err error) bool {
			var no *shopify.Refused
			return errors.Is(err, shopify.ErrUnsure) && !errors.As(err, &no)
		}},
		{"a key that came to nothing", []string{spent, spent, done}, "[k k-2 k-3]", func(err error) bool { return err == nil }},
		{"out of order", []string{down, spent, done}, "[k k k-2]", func(err error) bool { return err == nil }},
		{"out of order for long", []string{down}, "[k k k k k]", func(err error) bool {
			return err != nil && strings.Contains(err.Error(), "said SERVICE_UNAVAILABLE") && !errors.Is(err, shopify.ErrUnsure)
		}},
		{"a place that is gone", []string{no("INVALID_LOCATION")}, "[k]", func(err error) bool {
			var no *shopify.Refused
			return errors.As(err, &no)
		}},
		{"an item that is gone", []string{no("INVALID_INVENTORY_ITEM")}, "[k]", func(err error) bool { return errors.Is(err, shopify.ErrNotFound) }},
		{"an answer that says nothing", []string{`{"inventoryAdjustmentGroup":null,"userErrors":[]}`}, "[k]", func(err error) bool {
			return errors.Is(err, shopify.ErrUnsure)
		}},
		{"no answer at all", []string{`null`}, "[k]", func(err error) bool { return errors.Is(err, shopify.ErrUnsure) }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := open(t, rich())
			var mu sync.Mutex
			var keys []string
			f := front(t, s, func(w http.ResponseWriter, r *http.Request) bool {
				body := bodyOf(r)
				if !strings.Contains(body, "mutation") {
					return false
				}
				var sent struct{ Variables struct{ Key string } }
				_ = json.Unmarshal([]byte(body), &sent)
				mu.Lock()
				defer mu.Unlock()
				answer := tt.answers[min(len(keys), len(tt.answers)-1)]
				keys = append(keys, sent.Variables.Key)
				_, _ = fmt.Fprintf(w, `{"data":{"inventoryAdjustQuantities":%s}}`, answer)
				return true
			})
			c := connect(t, s, func(o *shopify.Options) { o.URL = f.URL })
			err := c.AdjustStock(t.Context(), gidOf(t, c, "MUG-1"), 1, "k")
			mu.Lock()
			defer mu.Unlock()
			if !tt.want(err) || fmt.Sprint(keys) != tt.keys {
				t.Errorf("%v with the keys %v; want %s", err, keys, tt.keys)
			}
		})
	}
}

// gidOf is the inventory item of a variant.
func gidOf(t *testing.T, c *shopify.Client, sku string) string {
	t.Helper()
	return "gid://shopify/InventoryItem/" + itemOf(t, c, sku)
}
