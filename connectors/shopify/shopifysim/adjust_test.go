package shopifysim_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"hawker/connectors/shopify/shopifysim"
)

const adjustText = `mutation($in: InventoryAdjustQuantitiesInput!, $key: String!) {
  inventoryAdjustQuantities(input: $in) @idempotent(key: $key) {
    inventoryAdjustmentGroup { id reason changes { name delta quantityAfterChange } } userErrors { field message code }
  }
}`

func change(item string, delta int) map[string]any {
	return map[string]any{
		"inventoryItemId": item, "locationId": "gid://shopify/Location/7000000001", "delta": delta, "changeFromQuantity": nil,
	}
}

func adjust(t *testing.T, s *shopifysim.Sim, key string, edit func(in map[string]any), changes ...map[string]any) reply {
	t.Helper()
	in := map[string]any{"name": "available", "reason": "correction", "changes": changes}
	if edit != nil {
		edit(in)
	}
	return ask(t, s, adjustText, map[string]any{"in": in, "key": key})
}

// One key is one change, with one webhook and always the same answer.
func TestAdjust(t *testing.T) {
	r := &receiver{}
	s := start(t, shopifysim.Options{HTTP: &http.Client{Transport: r}})
	s.Subscribe("INVENTORY_LEVELS_UPDATE", "https://hub.test/hooks")
	item := itemOf(t, s, "MUG-1")
	first := adjust(t, s, "k", nil, change(item, -45))
	if !strings.Contains(first.text, `"changes":[{"name":"available","delta":-45,"quantityAfterChange":-5}]`) {
		t.Errorf("answer = %s; want 5 below zero", first.text)
	}
	again := adjust(t, s, "k", nil, change(item, -45))
	if fmt.Sprint(first.Data) != fmt.Sprint(again.Data) {
		t.Errorf("the same key again: %s; want %s", again.text, first.text)
	}
	if got, _ := s.Stock("MUG-1"); got.Available != -5 {
		t.Errorf("%d are available; want -5", got.Available)
	}
	adjust(t, s, "l", nil, change(item, 6))
	for end := time.Now().Add(20 * time.Second); len(r.all()) < 2; time.Sleep(2 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%d webhooks; want 2", len(r.all()))
		}
	}
	var told []bool
	for _, a := range r.all() {
		right := strings.Contains(a.body, `"available":-5,`) || strings.Contains(a.body, `"available":1,`)
		told = append(told, right && a.topic == "inventory_levels/update")
	}
	if fmt.Sprint(told) != "[true true]" {
		t.Errorf("webhooks: %v", r.all())
	}
}

// What is wrong is told by its documented code, and then nothing of the change is made.
func TestAdjustRefused(t *testing.T) {
	s := start(t, shopifysim.Options{})
	item := itemOf(t, s, "MUG-1")
	with := func(field string, v any) map[string]any {
		c := change(item, 1)
		c[field] = v
		return c
	}
	adjust(t, s, "known", nil, change(item, 1))
	for _, tt := range []struct {
		key, code string
		edit      func(map[string]any)
		change    map[string]any
	}{
		{"a", "INVALID_INVENTORY_ITEM", nil, with("inventoryItemId", "gid://shopify/InventoryItem/1")},
		{"b", "INVALID_LOCATION", nil, with("locationId", "gid://shopify/Location/1")},
		{"c", "INVALID_AVAILABLE_DOCUMENT", nil, with("ledgerDocumentUri", "gid://hawker/Change/1")},
		{"d", "CHANGE_FROM_QUANTITY_STALE", nil, with("changeFromQuantity", 40)},
		{"e", "INVALID_QUANTITY_TOO_HIGH", nil, with("delta", 2_000_000_000)},
		{"f", "INVALID_QUANTITY_TOO_LOW", nil, with("delta", -2_000_000_100)},
		{"g", "INVALID_QUANTITY_NAME", func(in map[string]any) { in["name"] = "sold" }, change(item, 1)},
		{"h", "INVALID_REASON", func(in map[string]any) { in["reason"] = "whim" }, change(item, 1)},
		{"known", "IDEMPOTENCY_KEY_PARAMETER_MISMATCH", nil, change(item, 2)},
	} {
		r := adjust(t, s, tt.key, tt.edit, change(itemOf(t, s, "PLATE-1"), 1), tt.change)
		if !strings.Contains(r.text, `"code":"`+tt.code+`"`) || !strings.Contains(r.text, `"inventoryAdjustmentGroup":null`) {
			t.Errorf("%s: %s", tt.code, r.text)
		}
	}
	r := adjust(t, s, "b", nil, change(itemOf(t, s, "PLATE-1"), 1), with("locationId", "gid://shopify/Location/1"))
	if !strings.Contains(r.text, "IDEMPOTENCY_PREVIOUS_ATTEMPT_FAILED") {
		t.Errorf("a key that failed: %s", r.text)
	}
	omitted := change(item, 1)
	delete(omitted, "changeFromQuantity")
	if r := adjust(t, s, "i", nil, omitted); r.code() != "INVALID_FIELD_ARGUMENTS" {
		t.Errorf("without changeFromQuantity: %s", r.text)
	}
	if r := adjust(t, s, " ", nil, change(item, 1)); r.code() != "BAD_REQUEST" {
		t.Errorf("with a blank key: %s", r.text)
	}
	keyless := strings.NewReplacer(", $key: String!", "", "@idempotent(key: $key)", "").Replace(adjustText)
	r = ask(t, s, keyless, map[string]any{
		"in": map[string]any{"name": "available", "reason": "correction", "changes": []any{change(item, 1)}},
	})
	if r.code() != "BAD_REQUEST" || !strings.Contains(r.text, "@idempotent directive is required") {
		t.Errorf("without a key: %s", r.text)
	}
	for sku, want := range map[string]int64{"MUG-1": 41, "PLATE-1": 16} {
		if got, _ := s.Stock(sku); got.Available != want {
			t.Errorf("%d of %s are available; want %d", got.Available, sku, want)
		}
	}
	reader := start(t, shopifysim.Options{Scopes: []string{"read_inventory"}})
	if r := adjust(t, reader, "a", nil, change(item, 1)); r.code() != "ACCESS_DENIED" {
		t.Errorf("without write_inventory: %s", r.text)
	}
}

// itemOf is the inventory item of a variant.
func itemOf(t *testing.T, s *shopifysim.Sim, sku string) string {
	t.Helper()
	const query = `query($ids: [ID!]!) { nodes(ids: $ids) { ... on ProductVariant { inventoryItem { id } } } }`
	r := ask(t, s, query, map[string]any{"ids": []string{s.VariantID(sku)}})
	_, rest, _ := strings.Cut(r.text, `"inventoryItem":{"id":"`)
	id, _, ok := strings.Cut(rest, `"`)
	if !ok {
		t.Fatalf("no item of %s: %s", sku, r.text)
	}
	return id
}
