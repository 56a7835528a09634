package live

import (
	"context"
	"fmt"
	"slices"
	"time"

	"hawker/commerce"
	"hawker/internal/chat"
	"hawker/internal/live/lines"
)

// forgetFor bounds how long erasing may take: the chat log of 30 days is read for it.
const forgetFor = 5 * time.Minute

// Forget erases what is kept of a viewer: the name, wherever it stands, and the texts of their lines. What they hold is given
// back first; what rules wanted done about them later is given up. The ledger stays; it knows people by the platform's id alone.
// What was begun is finished although ctx ends. Errors: ErrNotHere, the database's own; after an error it may be asked for again.
func (h *Hub) Forget(ctx context.Context, merchant commerce.ID, v chat.Viewer) error {
	m := h.Merchant(merchant)
	if m == nil {
		return ErrNotHere
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), forgetFor)
	defer cancel()
	var shows []commerce.ID
	if err := m.look(ctx, func() {
		for _, s := range m.desk.EachShow() {
			if m.desk.ReceiptOf(s.ID, v) != 0 {
				shows = append(shows, s.ID)
			}
		}
	}); err != nil {
		return err
	}
	if _, err := m.ask(ctx, &call{req: commerce.Bind{Viewer: who(v)}}); err != nil { // what others of the person hold stays theirs
		return err
	}
	for _, s := range shows {
		if _, err := m.ask(ctx, &call{req: commerce.Pass{Ask: commerce.Ask{Show: s, Viewer: who(v)}}}); err != nil {
			return err
		}
	}
	if err := h.DB.Forget(ctx, merchant, v); err != nil {
		return fmt.Errorf("erase a viewer: %w", err)
	}
	if err := m.manners.Forget(ctx, v); err != nil {
		return fmt.Errorf("erase a viewer's name: %w", err)
	}
	written := make(chan struct{})
	if err := m.look(ctx, func() {
		m.toLog <- logged{written: written} // what they said a moment ago is to be found there
		for id, mem := range m.memory {
			mem.Forget(v)
			m.changed[id] = true
		}
		m.rules.Traces.Forget(v)
		m.later = slices.DeleteFunc(m.later, func(p planned) bool {
			theirs := who(p.want.Viewer) == who(v)
			if theirs {
				m.done(p)
			}
			return theirs
		})
		m.desk = nil // its names too: it is loaded anew
	}); err != nil {
		return err
	}
	<-written
	h.erasing.Lock()
	defer h.erasing.Unlock()
	return lines.Forget(ctx, h.Bus, merchant, v)
}
