// Package lineup is what a show sells: products in their variants, as items under a number.
package lineup

import (
	"strings"
	"time"

	"hawker/commerce/id"
	"hawker/commerce/money"
)

// Product is something the merchant sells, with at least one variant.
type Product struct {
	ID       id.ID
	Title    string
	Image    string // address of a picture, or empty
	Store    string // the store's id of the product (Shopify gid), or empty for the merchant's own
	Options  []string
	Tags     []string // as the merchant gave them, for rules
	Variants []Variant
}

// Variant is one thing that can be put into a parcel: a product in one size and colour.
type Variant struct {
	ID  id.ID
	SKU string
	// Options are the variant's values in the order of Product.Options, for example {"M", "Blue"}; empty for a product
	// with one variant.
	Options []string
	Price   money.Money
	// Store is the store's id of the variant (Shopify gid), Inventory that of its stock; empty for the merchant's own.
	Store, Inventory string
}

// Label is the variant's options as people say them, for example "M / Blue"; empty when there are none.
func (v Variant) Label() string { return strings.Join(v.Options, " / ") }

// Item is a product in a show under a number.
type Item struct {
	Number int
	// Code is a second name with letters, for example "A1", or empty.
	Code    string
	Product Product
	// Cap is how many pieces one person may claim in the show; 0 means no cap.
	Cap int
	// Hold is this item's own hold time, 0 for the show's.
	Hold time.Duration
	// Price, when Minor > 0, replaces the variants' prices in this show.
	Price money.Money
	// Closed means the host took the item off sale.
	Closed bool
	// FirstPaid means no stock is held: first paid, first served.
	FirstPaid bool
}

// PriceOf is what one piece of v costs in this show.
func (it *Item) PriceOf(v *Variant) money.Money {
	if it.Price.Minor > 0 {
		return it.Price
	}
	return v.Price
}

// Variant finds a variant of the item, nil when it has none with that id.
func (it *Item) Variant(variant id.ID) *Variant {
	for i := range it.Product.Variants {
		if it.Product.Variants[i].ID == variant {
			return &it.Product.Variants[i]
		}
	}
	return nil
}

// Lineup is what a show sells, in the order of showing.
type Lineup struct {
	Items []Item
	// OnAir is the number of the item the host shows now, 0 for none.
	OnAir int
	// Styles say which forms without a command sign are claims in this show.
	Styles Styles
}

// Styles are the claim forms that a show turns on; all are off until it does (product rule: wrong claims cost more
// than missed ones).
type Styles struct {
	Boutique   bool `json:"boutique"`    // sold 12 M, mine 12
	Plus       bool `json:"plus"`        // A1+1, +1
	NumberOnly bool `json:"number_only"` // 12
}

// Item finds an item by number, nil when the lineup has none.
func (l *Lineup) Item(number int) *Item {
	if i := number - 1; i >= 0 && i < len(l.Items) && l.Items[i].Number == number { // as many lineups are numbered
		return &l.Items[i]
	}
	for i := range l.Items {
		if l.Items[i].Number == number {
			return &l.Items[i]
		}
	}
	return nil
}
