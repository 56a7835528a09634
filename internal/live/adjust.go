package live

import (
	"context"

	"hawker/commerce"
)

// AdjustStock changes by delta how many pieces the store has of one of its variants; see shop.Worker.Adjust. Errors: ErrNotFound
// for a variant that no store counts, ErrNoStore, ErrNotHere, the store's own.
func (h *Hub) AdjustStock(ctx context.Context, merchant, variant commerce.ID, delta int64, key string) error {
	m := h.Merchant(merchant)
	if m == nil {
		return ErrNotHere
	}
	if m.store == nil {
		return ErrNoStore
	}
	known, err := m.store.Adjust(ctx, variant, delta, key)
	if err == nil && !known {
		return ErrNotFound
	}
	return err
}
