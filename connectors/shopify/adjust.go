package shopify

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"hawker/connectors/shopify/admin"
)

// maxAdjust bounds a change of stock, and what is there after it (page "InventoryAdjustQuantitiesUserErrorCode").
const maxAdjust = 2_000_000_000

// maxAdjustTries is how often one change is asked for in all.
const maxAdjustTries = 5

// AdjustStock adds delta to what the store has available of an inventory item (gid), at the item's first active location
// that ships online orders; a negative delta takes pieces away. The store lets that go below zero. The key (page
// "Implementing idempotency") names this one change: asking again with the same key, item and delta changes nothing more, so
// a lost answer is asked for again, and an error that is ErrUnsure says that the same call should be made again. An item
// that the store does not know is ErrNotFound; one that it does not count, or has at no such location, is *Refused.
func (c *Client) AdjustStock(ctx context.Context, item string, delta int64, key string) error {
	if _, err := numberOf(item, "InventoryItem"); err != nil {
		return fmt.Errorf("shopify stock: %w", err)
	}
	if strings.TrimSpace(key) == "" {
		return errors.New("shopify stock: no key")
	}
	switch {
	case delta == 0:
		return nil
	case delta > maxAdjust || delta < -maxAdjust:
		return refusedAdjust("a change of " + strconv.FormatInt(delta, 10) + " pieces is more than the store can count")
	}
	location, err := c.shippingFrom(ctx, item)
	if err != nil {
		return err
	}
	return c.adjust(ctx, adjustInput(item, location, delta), key)
}

// adjustInput is the change without what is there now (changeFromQuantity), which may differ when the same change is asked
// for again: the store would take that for another change under the same key.
func adjustInput(item, location string, delta int64) map[string]any {
	return map[string]any{
		"name": "available", "reason": "correction", "changes": []map[string]any{{
			"inventoryItemId": item, "locationId": location, "delta": delta, "changeFromQuantity": nil,
		}},
	}
}

// shippingFrom is the first active location that ships an item to online buyers, among those whose stock Stock counts.
func (c *Client) shippingFrom(ctx context.Context, item string) (string, error) {
	var out struct{ Nodes []*stockNode }
	if _, err := c.do(ctx, opStock, map[string]any{"ids": []string{item}}, &out); err != nil {
		return "", err
	}
	if len(out.Nodes) == 0 || out.Nodes[0] == nil || out.Nodes[0].ID == "" {
		return "", fmt.Errorf("shopify stock of %s: %w", item, ErrNotFound)
	}
	n := out.Nodes[0]
	if !n.Tracked {
		return "", refusedAdjust("the store does not count this item")
	}
	for _, l := range n.Levels.Nodes {
		if l.Location.IsActive && l.Location.FulfillsOnlineOrders {
			return l.Location.ID, nil
		}
	}
	return "", refusedAdjust("the item is at no active location of the store that ships online orders")
}

// adjust asks for one change until the store has said what became of it.
func (c *Client) adjust(ctx context.Context, input map[string]any, key string) error {
	unsure, spent := false, 0
	for tries := 1; ; tries++ {
		var out struct {
			InventoryAdjustQuantities struct {
				InventoryAdjustmentGroup *struct{ ID string }
				UserErrors               []admin.UserError
			}
		}
		_, err := c.do(ctx, opStockAdjust, map[string]any{"in": input, "key": keyAfter(key, spent)}, &out)
		again := errors.Is(err, ErrUnsure)
		unsure = unsure || again
		if p := out.InventoryAdjustQuantities; err == nil {
			if len(p.UserErrors) == 0 && p.InventoryAdjustmentGroup != nil {
				return nil
			}
			err = admin.Refusal(opStockAdjust, p.UserErrors)
			switch codeOf(p.UserErrors) {
			case "IDEMPOTENCY_CONCURRENT_REQUEST": // the one whose answer was lost is still at work
				err = fmt.Errorf("shopify %s: %w: still in progress", opStockAdjust.Name, ErrUnsure)
				again, unsure = true, true
			case "IDEMPOTENCY_PREVIOUS_ATTEMPT_FAILED": // it came to nothing, and its key is of no more use
				spent++
				again, unsure = true, false
			case "SERVICE_UNAVAILABLE", "ADJUST_QUANTITIES_FAILED":
				again = true
			case "INVALID_INVENTORY_ITEM":
				return fmt.Errorf("shopify %s: %w", opStockAdjust.Name, ErrNotFound)
			default:
				if err == nil {
					err = fmt.Errorf("shopify %s: %w", opStockAdjust.Name, ErrUnsure)
				}
				return err
			}
		}
		if again && tries < maxAdjustTries && ctx.Err() == nil {
			late := admin.Sleep(ctx, admin.Backoff(tries))
			if late == nil {
				continue
			}
			err = errors.Join(err, late)
		}
		if unsure && !errors.Is(err, ErrUnsure) {
			err = errors.Join(err, ErrUnsure)
		}
		return err
	}
}

// keyAfter is the key to use when so many of a change's keys failed: each caller finds the same ones in the same order.
func keyAfter(key string, failed int) string {
	if failed == 0 {
		return key
	}
	return key + "-" + strconv.Itoa(failed+1)
}

// codeOf is the code of the first error, empty when there is none.
func codeOf(errs []admin.UserError) string {
	if len(errs) == 0 {
		return ""
	}
	return errs[0].Code
}

func refusedAdjust(why string) error {
	return &Refused{Op: opStockAdjust.Name, Problems: []string{why}}
}
