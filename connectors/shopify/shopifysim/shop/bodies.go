package shop

import (
	"fmt"
	"strings"
	"time"
)

func noteAttributes(attrs []Attribute) []map[string]any {
	out := []map[string]any{}
	for _, a := range attrs {
		out = append(out, map[string]any{"name": a.Key, "value": a.Value})
	}
	return out
}

func stamp(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t.Format(time.RFC3339)
}

// orderBody is an order as webhooks tell it (REST Admin API, "Order").
func (s *Shop) orderBody(o *order) map[string]any {
	lines := []map[string]any{}
	for _, l := range o.lines {
		lines = append(lines, map[string]any{
			"id": l.id, "admin_graphql_api_id": gid("LineItem", l.id), "variant_id": l.v.id, "product_id": l.v.of.id, "title": l.v.of.Title,
			"variant_title": l.v.label(), "name": strings.TrimSuffix(l.v.of.Title+" - "+l.v.label(), " - "), "sku": l.v.SKU,
			"quantity": l.quantity, "current_quantity": l.current, "price": price(l.price), "total_discount": "0.00", "properties": []any{},
			"discount_allocations": allocations(l),
			"gift_card":            false, "requires_shipping": true, "taxable": true,
		})
	}
	var landing any
	return map[string]any{
		"id": o.id, "admin_graphql_api_id": gid("Order", o.id), "name": o.name, "order_number": o.number, "number": o.number - 1000,
		"created_at": stamp(o.created), "updated_at": stamp(o.updated), "processed_at": stamp(o.created), "cancelled_at": stamp(o.cancelled),
		"currency": s.o.Currency, "presentment_currency": s.o.Currency, "total_price": price(o.total()), "subtotal_price": price(o.total()),
		"current_total_price": price(o.currentTotal()), "total_discounts": price(o.off()), "discount_codes": s.codesOf(o),
		"total_line_items_price": price(o.total() + o.off()), "total_tax": "0.00", "financial_status": o.status,
		"fulfillment_status": nil, "source_name": o.source, "landing_site_ref": landing, "note_attributes": noteAttributes(o.attrs),
		"line_items": lines, "test": o.test, "confirmed": true, "tags": "", "email": o.buyer.Email,
		"customer": map[string]any{"first_name": o.buyer.First, "last_name": o.buyer.Last, "email": o.buyer.Email},
	}
}

func (o *order) currentTotal() int64 {
	var t int64
	for _, l := range o.lines {
		t += l.left()
	}
	return t
}

func (s *Shop) draftBody(d *draft) map[string]any {
	var orderID, completed any
	if d.order != nil {
		orderID, completed = d.order.id, stamp(d.updated)
	}
	lines := []map[string]any{}
	var total int64
	for _, l := range d.lines {
		total += l.price * l.quantity
		lines = append(lines, map[string]any{
			"variant_id": l.v.id, "product_id": l.v.of.id, "title": l.v.of.Title, "sku": l.v.SKU, "quantity": l.quantity, "price": price(l.price),
		})
	}
	return map[string]any{
		"id": d.id, "admin_graphql_api_id": gid("DraftOrder", d.id), "name": d.name, "status": strings.ToLower(d.status),
		"created_at": stamp(d.created), "updated_at": stamp(d.updated), "completed_at": completed, "order_id": orderID,
		"invoice_url": s.url + "/invoices/" + d.token, "currency": s.o.Currency, "total_price": price(total),
		"tags": strings.Join(d.tags, ", "), "note_attributes": noteAttributes(d.attrs), "line_items": lines,
	}
}

func (s *Shop) tellStock(v *variant) {
	if v.Endless {
		return
	}
	s.o.Tell("INVENTORY_LEVELS_UPDATE", map[string]any{
		"inventory_item_id": v.item, "location_id": int64(locationID), "available": v.available, "updated_at": stamp(time.Now().UTC()),
		"admin_graphql_api_id": fmt.Sprintf("gid://shopify/InventoryLevel/%d?inventory_item_id=%d", int64(locationID), v.item),
	})
}
