package desk

import (
	"testing"
	"time"

	"hawker/commerce"
	"hawker/internal/chat"
	"hawker/internal/live"
)

// Whatever becomes of a line or an order has its word and state.
func TestFeedWords(t *testing.T) {
	ana := chat.Viewer{Platform: chat.Twitch, ID: "1", Name: "ana"}
	for _, tt := range []struct {
		line                   live.FeedLine
		who, what, word, state string
		release                bool
	}{
		{live.FeedLine{What: commerce.Claimed, Reason: commerce.Offered, Viewer: ana, Title: "Mug", Hold: 7}, "ana", "Mug", "offered, not held", "waiting", true},
		{live.FeedLine{What: commerce.Claimed, Reason: commerce.Waitlisted, Viewer: ana, Title: "Mug", Label: "S", Place: 4}, "ana", "Mug, S", "in line, place 4", "waiting", false},
		{live.FeedLine{What: commerce.Promoted, Reason: commerce.Held, Viewer: ana, Title: "Mug", Hold: 7}, "ana", "Mug", "held, was in line", "held", true},
		{live.FeedLine{What: commerce.Promoted, Reason: commerce.Offered, Viewer: ana, Title: "Mug", Hold: 7}, "ana", "Mug", "offered, was in line", "waiting", true},
		{live.FeedLine{What: commerce.Extended, Viewer: ana, Title: "Mug", Hold: 7}, "ana", "Mug", "held once more: not told before", "held", true},
		{live.FeedLine{What: commerce.Expired, Viewer: ana, Title: "Mug", Hold: 8}, "ana", "Mug", "time is up", "gone", false},
		{live.FeedLine{What: commerce.Settled, Viewer: ana, Title: "Mug + Bowl", Order: "#1001"}, "ana", "order #1001, Mug + Bowl", "paid", "paid", false},
		{live.FeedLine{What: commerce.Edited, Viewer: ana, Order: "#1001"}, "ana", "order #1001", "order changed", "paid", false},
		{live.FeedLine{What: commerce.Undone, Order: "#1002"}, "Somebody", "order #1002", "order undone", "gone", false},
	} {
		got := feedOf(&tt.line, map[commerce.ID]bool{7: true}, time.UTC)
		if got.Who != tt.who || got.What != tt.what || got.Word != tt.word || got.State != tt.state || (got.Hold != 0) != tt.release {
			t.Errorf("%+v is told as %+v", tt.line, got)
		}
	}
}
