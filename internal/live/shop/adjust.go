package shop

import (
	"context"
	"time"

	"hawker/commerce"
)

// Adjust changes by delta how many pieces the store has of one of its variants; known is false for a variant that no store counts.
// The key makes repeating it harmless. The store decides and may refuse; its next reading, asked for at once, brings the new
// figure.
func (w *Worker) Adjust(ctx context.Context, variant commerce.ID, delta int64, key string) (known bool, err error) {
	inventory := ""
	err = w.Till.Look(ctx, func(d *commerce.Desk) {
		for _, s := range d.EachShow() {
			for i := range s.Lineup.Items {
				if v := s.Lineup.Items[i].Variant(variant); v != nil && v.Inventory != "" {
					inventory = v.Inventory
				}
			}
		}
	})
	if err != nil || inventory == "" {
		return false, err
	}
	if err := w.Call(ctx, func(ctx context.Context) error { return w.Store.Adjust(ctx, inventory, delta, key) }); err != nil {
		return true, err
	}
	w.HintStock(time.Now())
	w.Nudge()
	return true, nil
}
