package shopify

import (
	"context"
	"fmt"
	"time"

	"hawker/connectors/shopify/admin"
)

// stockChunk is how many inventory items one reading asks for at first; a store that finds it too dear gets less.
const stockChunk = 25

// Reading is what the store says of one inventory item.
type Reading struct {
	// Available is what the store would sell now, over all places that ship online orders; negative when oversold there.
	Available int64
	// Endless is set when the store does not count the item, or sells below zero.
	Endless bool
	// At is the store's own clock when it answered (HTTP Date, whole seconds).
	At time.Time
}

type stockNode struct {
	ID       string
	Tracked  bool
	Variants struct {
		Nodes []struct{ InventoryPolicy string }
	}
	Levels struct {
		PageInfo pageInfo
		Nodes    []struct {
			Location struct {
				ID                             string
				IsActive, FulfillsOnlineOrders bool
			}
			Quantities []struct {
				Name     string
				Quantity int64
			}
		}
	} `json:"inventoryLevels"`
}

// Stock reads inventory items by their gid (commerce.Variant.Inventory). An item that the store does not know any more is
// not in the answer. Stores with more than ten places have the first ten counted.
func (c *Client) Stock(ctx context.Context, items []string) (map[string]Reading, error) {
	out := make(map[string]Reading, len(items))
	for len(items) > 0 {
		c.mu.Lock()
		n := min(c.chunk, len(items))
		c.mu.Unlock()
		err := c.stock(ctx, items[:n], out)
		if admin.TooDear(err) && n > 1 {
			c.mu.Lock()
			c.chunk = max(1, n/2)
			c.mu.Unlock()
			continue
		}
		if err != nil {
			return nil, err
		}
		items = items[n:]
	}
	return out, nil
}

func (c *Client) stock(ctx context.Context, items []string, into map[string]Reading) error {
	var out struct{ Nodes []*stockNode }
	a, err := c.do(ctx, opStock, map[string]any{"ids": items}, &out)
	if err != nil {
		return err
	}
	if a.Date.IsZero() {
		return fmt.Errorf("shopify %s: the answer has no date", opStock.Name)
	}
	for _, n := range out.Nodes {
		if n == nil || n.ID == "" {
			continue
		}
		r := Reading{At: a.Date, Endless: !n.Tracked}
		for _, v := range n.Variants.Nodes {
			r.Endless = r.Endless || v.InventoryPolicy == "CONTINUE"
		}
		if n.Levels.PageInfo.HasNextPage {
			c.log.DebugContext(ctx, "more than ten places hold this item", "item", n.ID)
		}
		for _, l := range n.Levels.Nodes {
			if !l.Location.IsActive || !l.Location.FulfillsOnlineOrders {
				continue
			}
			for _, q := range l.Quantities {
				if q.Name == "available" {
					r.Available += q.Quantity
				}
			}
		}
		into[n.ID] = r
	}
	return nil
}
