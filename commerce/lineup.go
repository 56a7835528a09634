package commerce

import "hawker/commerce/lineup"

// What a show sells is package lineup's.
type (
	// Product is something the merchant sells, with at least one variant.
	Product = lineup.Product
	// Variant is one thing that can be put into a parcel: a product in one size and colour.
	Variant = lineup.Variant
	// Item is a product in a show under a number.
	Item = lineup.Item
	// Lineup is what a show sells, in the order of showing.
	Lineup = lineup.Lineup
	// Styles are the claim forms that a show turns on.
	Styles = lineup.Styles
)
