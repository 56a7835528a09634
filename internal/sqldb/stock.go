package sqldb

import (
	"context"

	"hawker/commerce"
)

// Stock is what a merchant has of each variant, as last committed.
func (db *DB) Stock(ctx context.Context, merchant commerce.ID) ([]commerce.Stock, error) {
	var st commerce.State
	err := db.loadStock(ctx, int64(merchant), &st)
	return st.Stock, err
}
