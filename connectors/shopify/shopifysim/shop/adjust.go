package shop

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"time"

	"hawker/connectors/shopify/shopifysim/graph"
)

// maxStock bounds what is there of an item, on both sides of zero.
const maxStock = 2_000_000_000

// adjusted is a change of stock that was asked for under a key.
type adjusted struct {
	input string // as JSON
	group graph.Obj
}

// adjustReasons are the reasons that a change of stock may have (page "Manage inventory quantities and states").
func adjustReasons() []string {
	return []string{
		"correction", "cycle_count_available", "damaged", "movement_canceled", "movement_created", "movement_received", "movement_updated",
		"other", "promotion", "quality_control", "received", "reservation_created", "reservation_deleted", "reservation_updated", "restock",
		"safety_stock", "shrinkage",
	}
}

// adjust is inventoryAdjustQuantities: all changes or none, once for each key, and below zero if that is asked for. It knows
// one place and changes what is available alone. Call with mu held.
func (s *Shop) adjust(a graph.Args) any {
	key := a.Sub("@idempotent").Str("key")
	in := a.Sub("input")
	switch {
	case a["@idempotent"] == nil:
		return graph.Error{
			Message:    "The @idempotent directive is required for this mutation but was not provided.",
			Extensions: map[string]any{"code": "BAD_REQUEST"},
		}
	case strings.TrimSpace(key) == "":
		return graph.Error{Message: "The idempotency key cannot be blank.", Extensions: map[string]any{"code": "BAD_REQUEST"}}
	}
	for _, c := range in.List("changes") {
		if m, _ := c.(map[string]any); !has(m, "changeFromQuantity") {
			return graph.Error{
				Message:    "InventoryChangeInput must include the following argument: changeFromQuantity.",
				Extensions: map[string]any{"code": "INVALID_FIELD_ARGUMENTS"},
			}
		}
	}
	no := func(errs ...graph.Obj) graph.Obj {
		return graph.Obj{"inventoryAdjustmentGroup": nil, "userErrors": errs}
	}
	input, err := json.Marshal(in)
	if err != nil {
		return no(adjustProblem("ADJUST_QUANTITIES_FAILED", "The quantities couldn't be adjusted. Try again."))
	}
	switch old, again := s.adjusted[key]; {
	case again && old.input != string(input):
		return no(adjustProblem("IDEMPOTENCY_KEY_PARAMETER_MISMATCH", "The same idempotency key cannot be used with different operation parameters."))
	case again && old.group == nil:
		return no(adjustProblem("IDEMPOTENCY_PREVIOUS_ATTEMPT_FAILED",
			"A previous request with this idempotency key failed. Retry with a new idempotency key."))
	case again:
		return graph.Obj{"inventoryAdjustmentGroup": old.group, "userErrors": []graph.Obj{}}
	}
	after, bad := s.adjustedStock(in)
	if len(bad) > 0 {
		s.adjusted[key] = adjusted{input: string(input)}
		return no(bad...)
	}
	var changes []graph.Obj
	for _, c := range in.List("changes") {
		m, _ := c.(map[string]any)
		v := s.byItem(graph.Args(m).Str("inventoryItemId"))
		changes = append(changes, graph.Obj{"delta": graph.Args(m).Num("delta"), "name": "available", "quantityAfterChange": after[v]})
	}
	for v, n := range after {
		if !v.Endless {
			v.available = n
			s.tellStock(v)
		}
	}
	group := graph.Obj{
		"__typename": "InventoryAdjustmentGroup", "id": gid("InventoryAdjustmentGroup", 77_000_000_000+s.next()),
		"createdAt": second().Format(time.RFC3339), "reason": in.Str("reason"), "changes": changes,
	}
	s.adjusted[key] = adjusted{string(input), group}
	return graph.Obj{"inventoryAdjustmentGroup": group, "userErrors": []graph.Obj{}}
}

// adjustedStock is what will be available after the changes, or what is wrong with them.
func (s *Shop) adjustedStock(in graph.Args) (after map[*variant]int64, bad []graph.Obj) {
	after = map[*variant]int64{}
	if in.Str("name") != "available" {
		bad = append(bad, adjustProblem("INVALID_QUANTITY_NAME", "The specified quantity name is invalid.", "input", "name"))
	}
	if !slices.Contains(adjustReasons(), in.Str("reason")) {
		bad = append(bad, adjustProblem("INVALID_REASON", "The specified reason is invalid.", "input", "reason"))
	}
	for i, c := range in.List("changes") {
		m, _ := c.(map[string]any)
		a := graph.Args(m)
		wrong := func(code, message, field string) {
			bad = append(bad, adjustProblem(code, message, "input", "changes", strconv.Itoa(i), field))
		}
		v := s.byItem(a.Str("inventoryItemId"))
		if v == nil {
			wrong("INVALID_INVENTORY_ITEM", "The specified inventory item could not be found.", "inventoryItemId")
			continue
		}
		if a.Str("locationId") != gid("Location", locationID) {
			wrong("INVALID_LOCATION", "The specified location could not be found.", "locationId")
		}
		if a.Str("ledgerDocumentUri") != "" {
			wrong("INVALID_AVAILABLE_DOCUMENT", "A ledger document URI is not allowed when adjusting available.", "ledgerDocumentUri")
		}
		now, seen := after[v]
		if !seen {
			now = v.available
		}
		if a["changeFromQuantity"] != nil && int64(a.Num("changeFromQuantity")) != now {
			wrong("CHANGE_FROM_QUANTITY_STALE", "The changeFromQuantity argument no longer matches the persisted quantity.", "changeFromQuantity")
		}
		after[v] = now + int64(a.Num("delta"))
		switch {
		case after[v] > maxStock:
			wrong("INVALID_QUANTITY_TOO_HIGH", "The quantity can't be higher than 2,000,000,000.", "delta")
		case after[v] < -maxStock:
			wrong("INVALID_QUANTITY_TOO_LOW", "The quantity can't be lower than -2,000,000,000.", "delta")
		}
	}
	return after, bad
}

func (s *Shop) byItem(id string) *variant {
	for _, v := range s.variants {
		if gid("InventoryItem", v.item) == id {
			return v
		}
	}
	return nil
}

func adjustProblem(code, message string, field ...string) graph.Obj {
	p := problem(message, field...)
	p["code"] = code
	return p
}

func has(m map[string]any, key string) bool {
	_, ok := m[key]
	return ok
}
