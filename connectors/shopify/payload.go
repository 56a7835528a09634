package shopify

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"hawker/commerce"
)

// hookAttribute is one of note_attributes; a value may be of any kind.
type hookAttribute struct {
	Name  string `json:"name"`
	Value any    `json:"value"`
}

func attributesOf(list []hookAttribute) []attribute {
	var out []attribute
	for _, a := range list {
		if s, ok := a.Value.(string); ok {
			out = append(out, attribute{a.Name, s})
		}
	}
	return out
}

// ParseOrder reads the body of an orders/... webhook (page "Order", REST Admin API). Lines of products that are gone or
// were never in the catalogue have no Variant. Money is read digit by digit in the shop's currency, never rounded. The payload
// does not say which draft an order was: Draft stays empty (see Client.OrdersSince).
func ParseOrder(body []byte) (commerce.Order, error) {
	var in struct {
		ID         int64           `json:"id"`
		Name       string          `json:"name"`
		Financial  string          `json:"financial_status"`
		Cancelled  *time.Time      `json:"cancelled_at"`
		Created    time.Time       `json:"created_at"`
		Updated    time.Time       `json:"updated_at"`
		Test       bool            `json:"test"`
		Total      string          `json:"total_price"`
		Now        string          `json:"current_total_price"` // after edits and refunds
		Currency   string          `json:"currency"`
		Attributes []hookAttribute `json:"note_attributes"`
		Lines      []struct {
			Variant *int64 `json:"variant_id"`
			// Quantity is what was ordered, Current what of it is still to be delivered or was.
			Quantity int    `json:"quantity"`
			Current  *int   `json:"current_quantity"`
			Price    string `json:"price"`
		} `json:"line_items"`
	}
	if err := json.Unmarshal(body, &in); err != nil {
		return commerce.Order{}, fmt.Errorf("webhook order: %w", err)
	}
	if in.ID <= 0 || in.Updated.IsZero() || len(in.Currency) != 3 {
		return commerce.Order{}, errors.New("webhook order: no id, no updated_at or no currency")
	}
	total, err := commerce.ParseMoney(in.Total, in.Currency)
	state := stateOf(in.Financial, in.Cancelled != nil)
	if in.Now != "" && err == nil && state != commerce.OrderRefunded && state != commerce.OrderCancelled {
		total, err = commerce.ParseMoney(in.Now, in.Currency)
	}
	if err != nil {
		return commerce.Order{}, fmt.Errorf("webhook order %d: total: %w", in.ID, err)
	}
	o := commerce.Order{
		Store: gidOf("Order", in.ID), Name: in.Name, State: state, Total: total,
		Holds: holdsIn(attributesOf(in.Attributes)), Created: in.Created, Updated: in.Updated, Test: in.Test,
	}
	if o.Created.IsZero() {
		o.Created = o.Updated
	}
	for _, l := range in.Lines {
		price, err := commerce.ParseMoney(l.Price, in.Currency)
		if err != nil {
			return commerce.Order{}, fmt.Errorf("webhook order %d: price: %w", in.ID, err)
		}
		line := commerce.OrderLine{Quantity: max(0, l.Quantity), Price: price}
		if l.Current != nil {
			line.Quantity = max(0, *l.Current)
		}
		if l.Variant != nil {
			line.Variant = gidOf("ProductVariant", *l.Variant)
		}
		o.Lines = append(o.Lines, line)
	}
	return o, nil
}

// InventoryLevel is what an inventory_levels/update webhook says: the stock of one item at one place. It is a reason to
// read the stock (Client.Stock), which sums all places and has the store's clock.
type InventoryLevel struct {
	Item, Location string // gids
	Available      int64
	Counted        bool // false when the store does not count the item there
	Updated        time.Time
}

// ParseInventoryLevel reads the body of an inventory_levels/update webhook.
func ParseInventoryLevel(body []byte) (InventoryLevel, error) {
	var in struct {
		Item      int64     `json:"inventory_item_id"`
		Location  int64     `json:"location_id"`
		Available *int64    `json:"available"`
		Updated   time.Time `json:"updated_at"`
	}
	if err := json.Unmarshal(body, &in); err != nil {
		return InventoryLevel{}, fmt.Errorf("webhook inventory level: %w", err)
	}
	if in.Item <= 0 || in.Location <= 0 {
		return InventoryLevel{}, errors.New("webhook inventory level: no item or no location")
	}
	l := InventoryLevel{Item: gidOf("InventoryItem", in.Item), Location: gidOf("Location", in.Location), Updated: in.Updated}
	if in.Available != nil {
		l.Available, l.Counted = *in.Available, true
	}
	return l, nil
}

// DraftEvent is what a draft_orders/update webhook says.
type DraftEvent struct {
	ID      string // the draft's gid
	Open    bool   // nobody has paid it
	Order   string // gid of the order it became, or empty
	Holds   []commerce.ID
	Updated time.Time
}

// ParseDraft reads the body of a draft_orders/update webhook.
func ParseDraft(body []byte) (DraftEvent, error) {
	var in struct {
		ID         int64           `json:"id"`
		Status     string          `json:"status"`
		Order      *int64          `json:"order_id"`
		Attributes []hookAttribute `json:"note_attributes"`
		Updated    time.Time       `json:"updated_at"`
	}
	if err := json.Unmarshal(body, &in); err != nil {
		return DraftEvent{}, fmt.Errorf("webhook draft: %w", err)
	}
	if in.ID <= 0 {
		return DraftEvent{}, errors.New("webhook draft: no id")
	}
	d := DraftEvent{
		ID: gidOf("DraftOrder", in.ID), Open: in.Status != "completed", Holds: holdsIn(attributesOf(in.Attributes)),
		Updated: in.Updated,
	}
	if in.Order != nil {
		d.Order = gidOf("Order", *in.Order)
	}
	return d, nil
}
