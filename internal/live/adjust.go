package live

import (
	"context"
	"time"

	"hawker/commerce"
)

// AdjustStock changes by delta how many pieces the store has of one of its variants. The key makes repeating it harmless. The
// store decides and may refuse; its next reading, asked for at once, brings the new figure. Errors: ErrNotFound for a variant
// that no store counts, ErrNoStore, ErrNotHere, the store's own.
func (h *Hub) AdjustStock(ctx context.Context, merchant, variant commerce.ID, delta int64, key string) error {
	m := h.Merchant(merchant)
	if m == nil {
		return ErrNotHere
	}
	if m.store == nil {
		return ErrNoStore
	}
	inventory := ""
	err := m.look(ctx, func() {
		for _, s := range m.desk.Shows() {
			for i := range s.Lineup.Items {
				if v := s.Lineup.Items[i].Variant(variant); v != nil && v.Inventory != "" {
					inventory = v.Inventory
				}
			}
		}
	})
	if err != nil {
		return err
	}
	if inventory == "" {
		return ErrNotFound
	}
	if err := m.store.Call(ctx, func(ctx context.Context) error { return m.store.Store.Adjust(ctx, inventory, delta, key) }); err != nil {
		return err
	}
	m.store.HintStock(time.Now())
	m.store.Nudge()
	return nil
}
