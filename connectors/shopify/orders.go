package shopify

import (
	"context"
	"fmt"
	"strings"
	"time"

	"hawker/commerce"
)

type orderLineNode struct {
	CurrentQuantity      int
	Variant              *struct{ ID string }
	OriginalUnitPriceSet struct{ ShopMoney moneyNode }
}

type orderLinePage struct {
	PageInfo pageInfo
	Nodes    []orderLineNode
}

type orderNode struct {
	ID, Name               string
	CreatedAt, UpdatedAt   time.Time
	CancelledAt            *time.Time
	DisplayFinancialStatus string
	SourceName             string
	Test                   bool
	CustomAttributes       []attribute
	TotalPriceSet          struct{ ShopMoney moneyNode }
	CurrentTotalPriceSet   struct{ ShopMoney moneyNode }
	LineItems              orderLinePage
}

// OrdersSince reads all orders that changed at or after t (the store's clock), oldest change first. It stands in for
// webhooks that never came; call it with some minutes of overlap. An order may come twice when it changes meanwhile.
//
// An order does not say which draft it was (there is no such field, and source_identifier is the selling channel's own
// number), but a draft says which order it became. So where an order from a draft carries no hold ids, because somebody took
// the attributes out, the drafts that were paid last are asked for and Order.Draft is filled in. A webhook cannot do that.
func (c *Client) OrdersSince(ctx context.Context, t time.Time, order func(commerce.Order) error) error {
	q := "updated_at:>='" + t.UTC().Format(time.RFC3339) + "'"
	var next pageInfo
	var drafts map[string]string
	for {
		var out struct {
			Orders struct {
				PageInfo pageInfo
				Nodes    []orderNode
			}
		}
		if _, err := c.do(ctx, opOrders, map[string]any{"q": q, "after": next.after()}, &out); err != nil {
			return err
		}
		for _, n := range out.Orders.Nodes {
			o, err := c.whole(ctx, n)
			if err != nil {
				return err
			}
			if n.SourceName == sourceDraft && len(o.Holds) == 0 {
				if drafts == nil {
					if drafts, err = c.draftsPaid(ctx); err != nil { // the order matters more than what it was made from
						c.log.WarnContext(ctx, "drafts of orders not read", "err", err)
						drafts = map[string]string{}
					}
				}
				o.Draft = drafts[o.Store]
			}
			if err := order(o); err != nil {
				return err
			}
		}
		if next = out.Orders.PageInfo; !next.HasNextPage {
			return nil
		}
	}
}

// sourceDraft is the source_name of an order that was a draft (page "Order", REST Admin API).
const sourceDraft = "shopify_draft_order"

// draftsPaid are our drafts that were paid last, by the order they became.
func (c *Client) draftsPaid(ctx context.Context) (map[string]string, error) {
	var out struct {
		DraftOrders struct {
			Nodes []struct {
				ID    string
				Order *struct{ ID string }
			}
		}
	}
	if _, err := c.do(ctx, opDraftsPaid, nil, &out); err != nil {
		return nil, err
	}
	drafts := map[string]string{}
	for _, d := range out.DraftOrders.Nodes {
		if d.Order != nil {
			drafts[d.Order.ID] = d.ID
		}
	}
	return drafts, nil
}

// Order reads one order by its gid; ErrNotFound when the store has none.
func (c *Client) Order(ctx context.Context, id string) (commerce.Order, error) {
	var out struct{ Order *orderNode }
	if _, err := c.do(ctx, opOrder, map[string]any{"id": id}, &out); err != nil {
		return commerce.Order{}, err
	}
	if out.Order == nil {
		return commerce.Order{}, fmt.Errorf("shopify order %s: %w", id, ErrNotFound)
	}
	return c.whole(ctx, *out.Order)
}

// whole reads the lines that did not fit into a page of orders.
func (c *Client) whole(ctx context.Context, n orderNode) (commerce.Order, error) {
	for n.LineItems.PageInfo.HasNextPage {
		var out struct {
			Order *struct{ LineItems orderLinePage }
		}
		if _, err := c.do(ctx, opOrderLines, map[string]any{"id": n.ID, "after": n.LineItems.PageInfo.after()}, &out); err != nil {
			return commerce.Order{}, err
		}
		if out.Order == nil {
			return commerce.Order{}, fmt.Errorf("shopify order %s: %w", n.ID, ErrNotFound)
		}
		n.LineItems.Nodes = append(n.LineItems.Nodes, out.Order.LineItems.Nodes...)
		n.LineItems.PageInfo = out.Order.LineItems.PageInfo
	}
	return n.order()
}

func (n orderNode) order() (commerce.Order, error) {
	o := commerce.Order{
		Store: n.ID, Name: n.Name, State: stateOf(n.DisplayFinancialStatus, n.CancelledAt != nil),
		Holds: holdsIn(n.CustomAttributes), Created: n.CreatedAt, Updated: n.UpdatedAt, Test: n.Test,
	}
	var err error
	total := n.CurrentTotalPriceSet
	if o.State == commerce.OrderRefunded || o.State == commerce.OrderCancelled { // what it was worth, not the nothing that is left
		total = n.TotalPriceSet
	}
	if o.Total, err = total.ShopMoney.money(); err != nil {
		return o, fmt.Errorf("total of order %s: %w", n.ID, err)
	}
	for _, l := range n.LineItems.Nodes {
		price, err := l.OriginalUnitPriceSet.ShopMoney.money()
		if err != nil {
			return o, fmt.Errorf("price in order %s: %w", n.ID, err)
		}
		line := commerce.OrderLine{Quantity: max(0, l.CurrentQuantity), Price: price}
		if l.Variant != nil {
			line.Variant = l.Variant.ID
		}
		o.Lines = append(o.Lines, line)
	}
	return o, nil
}

// stateOf reads the financial status, in the spelling of GraphQL or of webhooks. An order that was paid back in part is
// still paid: its lines say what is left. An authorised payment is money that may yet fail, hence pending, and so is one in
// part.
func stateOf(financial string, cancelled bool) commerce.OrderState {
	switch s := strings.ToLower(financial); {
	case cancelled || s == "voided":
		return commerce.OrderCancelled
	case s == "paid" || s == "partially_refunded":
		return commerce.OrderPaid
	case s == "refunded":
		return commerce.OrderRefunded
	}
	return commerce.OrderPending
}
