package live

import (
	"context"
	"time"

	"hawker/commerce"
	"hawker/internal/live/preview"
	"hawker/rules"
)

// Reopen lets a merchant sell again whose data came from a backup. by is who says that it may, for the ledger. Where a store is
// connected it is reopened by itself once the store was read; where none is, only the host can know.
func (h *Hub) Reopen(ctx context.Context, merchant commerce.ID, by string) error {
	_, err := h.Ask(ctx, merchant, commerce.Key{}, commerce.Reopen{By: by})
	return err
}

// Preview is what other claim styles would have made of what was said; see package preview.
type Preview = preview.Preview

// StylesPreview says how many of the last 1,000 lines of a show's chats would have been claims more, had other styles been on.
// Errors: ErrNotHere, ErrNotFound.
func (h *Hub) StylesPreview(ctx context.Context, merchant, show commerce.ID, st commerce.Styles) (Preview, error) {
	var v commerce.ShowView
	found, reads := false, rules.Options{}
	lines, err := seen(ctx, h, merchant, func(m *Merchant) (lines []preview.Line) {
		if v, found = m.desk.View(show, time.Now()); found {
			lines, reads = m.memoryOf(show).Said(), m.grammar()
		}
		return lines
	})
	if err == nil && !found {
		err = ErrNotFound
	}
	if err != nil {
		return Preview{}, err
	}
	return preview.Of(lines, v.Show.Lineup, reads, st), nil
}
