package shop

import (
	"slices"
	"time"

	"hawker/connectors/shopify/shopifysim/graph"
)

func problem(message string, field ...string) graph.Obj {
	return graph.Obj{"field": field, "message": message}
}

// Mutations is what can be changed over the API by an app with the granted scopes. Make and use it within Do.
func (s *Shop) Mutations(granted func(scope string) bool) graph.Obj {
	s.lapse(time.Now())
	return graph.Obj{
		"draftOrderCreate": func(a graph.Args) any {
			if !granted("write_draft_orders") {
				return graph.Denied{Scope: "write_draft_orders"}
			}
			d, bad := s.draftFrom(a.Sub("input"))
			if len(bad) > 0 {
				return graph.Obj{"draftOrder": nil, "userErrors": bad}
			}
			s.newDraft(d)
			return graph.Obj{"draftOrder": s.draftObj(d), "userErrors": []graph.Obj{}}
		},
		"draftOrderDelete": func(a graph.Args) any {
			if !granted("write_draft_orders") {
				return graph.Denied{Scope: "write_draft_orders"}
			}
			id := a.Sub("input").Str("id")
			d := s.draft(id)
			switch {
			case d == nil:
				return graph.Obj{"deletedId": nil, "userErrors": []graph.Obj{problem("Draft order not found", "id")}}
			case d.status != "OPEN":
				return graph.Obj{"deletedId": nil, "userErrors": []graph.Obj{problem("This draft order has been completed and can't be deleted", "id")}}
			}
			s.giveBack(d)
			s.drafts = slices.DeleteFunc(s.drafts, func(o *draft) bool { return o == d })
			return graph.Obj{"deletedId": id, "userErrors": []graph.Obj{}}
		},
		"discountCodeBasicCreate": func(a graph.Args) any {
			if !granted("write_discounts") {
				return graph.Denied{Scope: "write_discounts"}
			}
			return s.makeDiscount(a.Sub("basicCodeDiscount"))
		},
		"discountCodeDeactivate": func(a graph.Args) any {
			if !granted("write_discounts") {
				return graph.Denied{Scope: "write_discounts"}
			}
			return s.endDiscount(a.Str("id"))
		},
		"inventoryAdjustQuantities": func(a graph.Args) any {
			if !granted("write_inventory") {
				return graph.Denied{Scope: "write_inventory"}
			}
			return s.adjust(a)
		},
	}
}

func (s *Shop) draftFrom(in graph.Args) (*draft, []graph.Obj) {
	d := &draft{tags: []string{}, codes: in.Is("allowDiscountCodesInCheckout")}
	var bad []graph.Obj
	for _, t := range in.List("tags") {
		tag, _ := t.(string)
		if len(tag) > 40 {
			bad = append(bad, problem("Tag exceeds the maximum length of 40 characters", "tags"))
		}
		d.tags = append(d.tags, tag)
	}
	for _, c := range in.List("customAttributes") {
		m, _ := c.(map[string]any)
		d.attrs = append(d.attrs, Attribute{graph.Args(m).Str("key"), graph.Args(m).Str("value")})
	}
	if t := in.Str("reserveInventoryUntil"); t != "" {
		var err error
		if d.until, err = time.Parse(time.RFC3339, t); err != nil || !d.until.After(time.Now()) {
			bad = append(bad, problem("Reserve inventory until must be in the future", "reserveInventoryUntil"))
		}
	}
	for _, l := range in.List("lineItems") {
		m, _ := l.(map[string]any)
		a := graph.Args(m)
		v := s.variants[idOf(a.Str("variantId"), "ProductVariant")]
		if v == nil {
			bad = append(bad, problem("Product with ID "+a.Str("variantId")+" is no longer available.", "lineItems"))
			continue
		}
		n := int64(a.Num("quantity"))
		if n < 1 {
			bad = append(bad, problem("Quantity must be greater than or equal to 1", "lineItems", "quantity"))
			continue
		}
		cost := v.price
		if p := a.Sub("priceOverride"); p != nil {
			if p.Str("currencyCode") != s.o.Currency {
				bad = append(bad, problem("Price override currency must match the draft order's currency", "lineItems", "priceOverride"))
			}
			cost = minor(p.Str("amount"))
		}
		d.lines = append(d.lines, &line{v: v, quantity: n, current: n, price: cost})
	}
	if len(d.lines) == 0 && len(bad) == 0 {
		bad = append(bad, problem("Add at least 1 product", "lineItems"))
	}
	return d, bad
}
