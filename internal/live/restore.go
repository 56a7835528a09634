package live

import (
	"context"
	"fmt"
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

// wellAfter is how long an account that listens without trouble must do so before it counts as well, where the platform tells
// nothing of it.
const wellAfter = 10 * time.Second

// unwell says what is wrong with the accounts of the merchant's chats, empty when each is known to be well: their credentials
// came from the backup too.
func (m *Merchant) unwell() string {
	for _, a := range m.accounts {
		a.mu.Lock()
		trouble, since := a.trouble, a.listens
		a.mu.Unlock()
		if trouble != "" {
			return fmt.Sprintf("The account %s must be connected again: %s", a.Name, trouble)
		}
		known := !since.IsZero() && time.Since(since) > wellAfter
		for _, st := range a.Chat.States() {
			if len(st.Missing) > 0 {
				return fmt.Sprintf("The account %s lacks permissions.", a.Name)
			}
			known = known || st.Hears
		}
		if !known {
			return fmt.Sprintf("The account %s is being connected.", a.Name)
		}
	}
	return ""
}

// Preview is what other claim styles would have made of what was said; see package preview.
type Preview = preview.Preview

// StylesPreview says how many of the last 1,000 lines of a show's chats would have been claims more, had other styles been on.
// Errors: ErrNotHere, ErrNotFound.
func (h *Hub) StylesPreview(ctx context.Context, merchant, show commerce.ID, st commerce.Styles) (Preview, error) {
	m := h.Merchant(merchant)
	if m == nil {
		return Preview{}, ErrNotHere
	}
	ctx, cancel := context.WithTimeout(ctx, lookFor)
	defer cancel()
	var lines []preview.Line
	var l commerce.Lineup
	found := false
	err := m.look(ctx, func() {
		v, ok := m.desk.View(show, time.Now())
		if found = ok; ok {
			l, lines = v.Show.Lineup, m.memoryOf(show).Said()
		}
	})
	switch {
	case err != nil:
		return Preview{}, err
	case !found:
		return Preview{}, ErrNotFound
	}
	return preview.Of(lines, l, rules.Options{Language: m.about.Language}, st), nil
}
