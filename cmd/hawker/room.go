package main

import (
	"context"

	"hawker/relay/record"
	"hawker/web/desk/recordings"
)

// shelf is where the recordings are; nil when nothing is recorded.
func (h *house) shelf() *record.Shelf {
	o := h.set.room(h.set.Data)
	return o.Shelf()
}

// keepCues keeps the cue points of shows beside their recordings until ctx ends.
func (h *house) keepCues(ctx context.Context) error {
	s := h.shelf()
	if s == nil {
		return nil
	}
	return (&recordings.Keeper{DB: h.db, Shelf: s, Log: h.log}).Run(ctx)
}
