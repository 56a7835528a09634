package sqldb

import (
	"slices"
	"strings"
	"testing"
	"time"

	"hawker/internal/chat"
	"hawker/internal/sqldb/manners"
)

// What is turned on stands until it is turned off, who did either is remembered, and a viewer's name can be erased.
func TestManners(t *testing.T) {
	onBoth(t, func(t *testing.T, db *DB) {
		ctx, b, ana, ben := t.Context(), db.Manners(), merchant(t, db, "ana"), merchant(t, db, "ben")
		eve := chat.Viewer{Platform: chat.Twitch, ID: "7_", Name: "eve ✿"}
		at := time.Now().Truncate(time.Millisecond).UTC()
		put := func(all ...manners.Manner) {
			t.Helper()
			for i := range all {
				at = at.Add(time.Second)
				all[i].At = at
			}
			if err := b.Put(ctx, ana, all...); err != nil {
				t.Fatal(err)
			}
		}
		mute := manners.Manner{Kind: manners.Mute, Name: "twitch/1001", By: "ana@example.test"}
		put(mute, manners.Manner{Kind: manners.Block, Name: manners.OfViewer(eve), Value: eve.Name, By: "ana@example.test"},
			manners.Manner{Kind: manners.Hide, Name: manners.OfViewer(eve), Value: eve.Name, By: manners.ByViewer(eve)},
			manners.Manner{Kind: manners.Word, Name: "scam", By: manners.ByViewer(eve)}, manners.Manner{Kind: manners.Word, Name: "spam", By: "twitch/7x eve"})
		first := must[[]manners.Manner](t)(b.All(ctx, ana))
		put(mute) // it is so already: nothing changes, not even who did it
		if all := must[[]manners.Manner](t)(b.All(ctx, ana)); len(all) != 5 || !slices.Equal(all, first) || all[2].Name != "twitch/1001" || all[2].By != "ana@example.test" {
			t.Fatalf("stored: %+v", all)
		}
		if all := must[[]manners.Manner](t)(b.All(ctx, ben)); len(all) != 0 {
			t.Errorf("somebody else's: %+v", all)
		}
		mute.Off = true
		put(mute)
		put(mute)
		changes := must[[]manners.Manner](t)(b.Changes(ctx, ana, 3))
		if len(changes) != 3 || !changes[0].Off || changes[0].Kind != manners.Mute || changes[1].Name != "spam" || changes[1].Off {
			t.Errorf("changes: %+v", changes)
		}
		if err := b.Forget(ctx, ana, eve); err != nil {
			t.Fatal(err)
		}
		for _, m := range append(must[[]manners.Manner](t)(b.All(ctx, ana)), must[[]manners.Manner](t)(b.Changes(ctx, ana, 99))...) {
			if strings.Contains(m.By+m.Value, "eve") && m.By != "twitch/7x eve" || m.Kind == manners.Hide && m.Value != "" {
				t.Errorf("not forgotten: %+v", m)
			}
		}
		if all := must[[]manners.Manner](t)(b.All(ctx, ana)); len(all) != 3 || all[0].Kind != manners.Block || all[0].Name != "twitch/7_" {
			t.Errorf("after it was forgotten: %+v", all)
		}
	})
}
