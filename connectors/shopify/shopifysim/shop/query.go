package shop

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"hawker/connectors/shopify/shopifysim/graph"
)

// Queries is what can be asked over the API by an app with the granted scopes. Make and use it within Do.
func (s *Shop) Queries(granted func(scope string) bool) graph.Obj {
	s.lapse(time.Now())
	need := func(scope string, get func(a graph.Args) any) func(graph.Args) any {
		return func(a graph.Args) any {
			if !granted(scope) {
				return graph.Denied{Scope: scope}
			}
			return get(a)
		}
	}
	return graph.Obj{
		"shop": func(graph.Args) any {
			return graph.Obj{
				"id": gid("Shop", 1), "name": s.o.Name, "myshopifyDomain": s.o.Host, "currencyCode": s.o.Currency,
				"plan": graph.Obj{"publicDisplayName": "Basic"},
			}
		},
		"nodes": need("read_inventory", func(a graph.Args) any {
			var out []graph.Obj
			for _, id := range a.List("ids") {
				out = append(out, s.node(fmt.Sprint(id)))
			}
			return out
		}),
		"product": need("read_products", func(a graph.Args) any {
			for _, p := range s.products {
				if gid("Product", p.id) == a.Str("id") {
					return s.productObj(p)
				}
			}
			return nil
		}),
		"products": need("read_products", func(a graph.Args) any {
			var all []graph.Obj
			for _, p := range s.products {
				all = append(all, s.productObj(p))
			}
			return graph.Connection(all, a)
		}),
		"codeDiscountNodeByCode": need("read_discounts", func(a graph.Args) any { return s.discountObj(s.discount(a.Str("code"))) }),
		"locations":              need("read_locations", func(a graph.Args) any { return graph.Connection([]graph.Obj{s.locationObj()}, a) }),
		"draftOrder":             need("read_draft_orders", func(a graph.Args) any { return s.draftObj(s.draft(a.Str("id"))) }),
		"draftOrders": need("read_draft_orders", func(a graph.Args) any {
			status, tag := term(a.Str("query"), "status"), term(a.Str("query"), "tag")
			drafts := slices.Clone(s.drafts)
			if a.Str("sortKey") == "UPDATED_AT" {
				slices.SortStableFunc(drafts, func(a, b *draft) int { return a.updated.Compare(b.updated) })
			}
			var all []graph.Obj
			for _, d := range drafts {
				if (status == "" || strings.EqualFold(status, d.status)) && (tag == "" || slices.Contains(d.tags, tag)) {
					all = append(all, s.draftObj(d))
				}
			}
			return graph.Connection(all, a)
		}),
		"order": need("read_orders", func(a graph.Args) any { return s.orderObj(s.order(a.Str("id"))) }),
		"orders": need("read_orders", func(a graph.Args) any {
			since, _ := time.Parse(time.RFC3339, strings.Trim(strings.TrimPrefix(a.Str("query"), "updated_at:>="), "'"))
			found := slices.DeleteFunc(slices.Clone(s.orders), func(o *order) bool { return o.updated.Before(since) })
			slices.SortStableFunc(found, func(a, b *order) int { return a.updated.Compare(b.updated) })
			var all []graph.Obj
			for _, o := range found {
				all = append(all, s.orderObj(o))
			}
			return graph.Connection(all, a)
		}),
	}
}

// term is the value of name:value in a search, which has no other syntax here.
func term(query, name string) string {
	for part := range strings.FieldsSeq(query) {
		if v, ok := strings.CutPrefix(part, name+":"); ok {
			return strings.Trim(v, "'\"")
		}
	}
	return ""
}

func (s *Shop) node(id string) graph.Obj {
	for _, v := range s.variants {
		switch id {
		case gid("InventoryItem", v.item):
			return s.itemObj(v)
		case gid("ProductVariant", v.id):
			return s.variantObj(v)
		}
	}
	return nil
}

func (s *Shop) locationObj() graph.Obj {
	return graph.Obj{
		"__typename": "Location", "id": gid("Location", locationID), "name": "Studio", "isActive": true, "fulfillsOnlineOrders": true,
		"shipsInventory": true,
	}
}

func (s *Shop) productObj(p *product) graph.Obj {
	options := func(graph.Args) any {
		names := p.Options
		if len(names) == 0 {
			names = []string{"Title"}
		}
		var out []graph.Obj
		for i, n := range names {
			var values []graph.Obj
			var seen []string
			for _, v := range p.variants {
				name := "Default Title"
				if len(p.Options) > 0 {
					name = v.Options[i]
				}
				if !slices.Contains(seen, name) {
					seen = append(seen, name)
					values = append(values, graph.Obj{"id": gid("ProductOptionValue", v.id*10+int64(i)), "name": name})
				}
			}
			out = append(out, graph.Obj{"id": gid("ProductOption", p.id*10+int64(i)), "name": n, "optionValues": values})
		}
		return out
	}
	var total int64
	for _, v := range p.variants {
		total += v.available
	}
	return graph.Obj{
		"__typename": "Product", "id": gid("Product", p.id), "title": p.Title, "handle": p.handle, "status": "ACTIVE",
		"updatedAt": p.updated.Format(time.RFC3339), "tags": append([]string{}, p.Tags...), "totalInventory": total,
		"onlineStoreUrl": s.url + "/products/" + p.handle, "options": options,
		"featuredMedia": graph.Obj{"__typename": "MediaImage", "id": gid("MediaImage", p.id), "preview": graph.Obj{"image": graph.Obj{
			"url": func(graph.Args) any { return s.url + "/pictures/" + p.handle + ".svg" }, "altText": p.Title,
		}}},
		"variants": func(a graph.Args) any {
			var all []graph.Obj
			for _, v := range p.variants {
				all = append(all, s.variantObj(v))
			}
			return graph.Connection(all, a)
		},
	}
}

func (s *Shop) variantObj(v *variant) graph.Obj {
	policy := "DENY"
	if v.Oversell {
		policy = "CONTINUE"
	}
	selected := []graph.Obj{{"name": "Title", "value": "Default Title"}}
	title := "Default Title"
	if len(v.Options) > 0 {
		selected, title = nil, v.label()
		for i, o := range v.Options {
			selected = append(selected, graph.Obj{"name": v.of.Product.Options[i], "value": o})
		}
	}
	return graph.Obj{
		"__typename": "ProductVariant", "id": gid("ProductVariant", v.id), "title": title, "sku": v.SKU, "price": price(v.price),
		"inventoryPolicy": policy, "inventoryQuantity": v.available, "availableForSale": v.left(1), "selectedOptions": selected,
		"inventoryItem": func(graph.Args) any { return s.itemObj(v) },
	}
}

func (s *Shop) itemObj(v *variant) graph.Obj {
	return graph.Obj{
		"__typename": "InventoryItem", "id": gid("InventoryItem", v.item), "tracked": !v.Endless,
		"variants": func(a graph.Args) any { return graph.Connection([]graph.Obj{s.variantObj(v)}, a) },
		"inventoryLevels": func(a graph.Args) any {
			return graph.Connection([]graph.Obj{{
				"id": levelID(v), "location": s.locationObj(),
				"quantities": func(a graph.Args) any {
					var out []graph.Obj
					for _, n := range a.List("names") {
						name := fmt.Sprint(n)
						q := map[string]int64{
							"available": v.available, "committed": v.committed, "reserved": v.reserved,
							"on_hand": v.available + v.committed + v.reserved,
						}[name]
						out = append(out, graph.Obj{"id": levelID(v) + "&name=" + name, "name": name, "quantity": q})
					}
					return out
				},
			}}, a)
		},
	}
}

func levelID(v *variant) string {
	return gid("InventoryLevel", locationID) + "?inventory_item_id=" + strconv.FormatInt(v.item, 10)
}

func attrObjs(attrs []Attribute) []graph.Obj {
	out := []graph.Obj{}
	for _, a := range attrs {
		out = append(out, graph.Obj{"key": a.Key, "value": a.Value})
	}
	return out
}

func (s *Shop) draftObj(d *draft) graph.Obj {
	if d == nil {
		return nil
	}
	var until any
	if !d.until.IsZero() {
		until = d.until.UTC().Format(time.RFC3339)
	}
	warnings := []graph.Obj{}
	if d.short {
		// What Shopify says of a reservation beyond the stock is not documented: the shape is a warning's, the words are ours.
		warnings = append(warnings, graph.Obj{
			"errorCode": "RESERVATION_FAILED", "field": "reserveInventoryUntil",
			"message": "Not enough inventory to reserve all items.",
		})
	}
	var total int64
	for _, l := range d.lines {
		total += l.price * l.quantity
	}
	return graph.Obj{
		"__typename": "DraftOrder", "id": gid("DraftOrder", d.id), "name": d.name, "status": d.status, "ready": true,
		"invoiceUrl": s.url + "/invoices/" + d.token, "reserveInventoryUntil": until, "createdAt": d.created.Format(time.RFC3339),
		"updatedAt": d.updated.Format(time.RFC3339), "tags": d.tags, "customAttributes": attrObjs(d.attrs), "totalPriceSet": s.money(total),
		"warnings": warnings, "order": func(graph.Args) any { return s.orderObj(d.order) },
	}
}

func (s *Shop) orderObj(o *order) graph.Obj {
	if o == nil {
		return nil
	}
	var cancelled any
	if !o.cancelled.IsZero() {
		cancelled = o.cancelled.Format(time.RFC3339)
	}
	return graph.Obj{
		"__typename": "Order", "id": gid("Order", o.id), "name": o.name, "createdAt": o.created.Format(time.RFC3339),
		"updatedAt": o.updated.Format(time.RFC3339), "cancelledAt": cancelled, "displayFinancialStatus": strings.ToUpper(o.status),
		"sourceName": o.source, "test": o.test, "customAttributes": attrObjs(o.attrs), "totalPriceSet": s.money(o.total()),
		"discountCodes": o.codes(), "totalDiscountsSet": s.money(o.off()),
		"currentTotalPriceSet": s.money(o.currentTotal()),
		"lineItems": func(a graph.Args) any {
			var all []graph.Obj
			for _, l := range o.lines {
				all = append(all, graph.Obj{
					"__typename": "LineItem", "id": gid("LineItem", l.id), "quantity": l.quantity, "currentQuantity": l.current,
					"variant": s.variantObj(l.v), "originalUnitPriceSet": s.money(l.price),
				})
			}
			return graph.Connection(all, a)
		},
	}
}
