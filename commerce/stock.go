package commerce

import "hawker/commerce/stock"

// What may be sold is package stock's.
type (
	// Stock is what may be sold of a variant.
	Stock = stock.Stock
	// Reading is what the store says of the stock of one variant.
	Reading = stock.Reading
)

// StaleAfter is how old a reading of the store may get before its items pause (product rule: no blind sales).
const StaleAfter = stock.StaleAfter
