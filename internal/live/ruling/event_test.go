package ruling

import (
	"testing"
	"time"

	"hawker/commerce"
	"hawker/internal/chat"
	"hawker/rules/rule"
)

func TestOfChat(t *testing.T) {
	tube := chat.Channel{Platform: chat.YouTube, ID: "UC"}
	for _, tt := range []struct {
		kind chat.Kind
		in   chat.Channel
		want rule.Event
	}{
		{chat.Followed, here, rule.Followed},
		{chat.Subscribed, here, rule.Subscribed},
		{chat.Resubscribed, here, rule.Resubscribed},
		{chat.Gifted, here, rule.Gifted},
		{chat.Raided, here, rule.Raided},
		{chat.Redeemed, here, rule.Redeemed},
		{chat.Entered, here, rule.Entered},
		{chat.StreamUp, here, rule.StreamUp},
		{chat.StreamDown, here, rule.StreamDown},
		{chat.AdBreak, here, rule.AdBreak},
		{chat.AdBreakOver, here, rule.AdBreakOver},
		{chat.Polled, here, rule.PollEnded},
		{chat.Subscribed, tube, rule.Membership},
		{chat.Resubscribed, tube, rule.Membership},
		{chat.Gifted, tube, rule.Gifted},
		{chat.Said, here, ""},
		{chat.Left, here, ""},
	} {
		e := chat.Event{Kind: tt.kind, Channel: tt.in, ID: "7", Viewer: chat.Viewer{Platform: tt.in.Platform, ID: "9", Name: "a\x00na"}, Support: chat.Support{Title: "T", Text: "x\x00y", Months: 3}}
		h, ok := OfChat(&e, 100)
		if ok != (tt.want != "") || h.Event != tt.want {
			t.Errorf("%v on %s is %q, %v; want %q", tt.kind, tt.in.Platform, h.Event, ok, tt.want)
		}
		if ok && (h.ID != string(tt.in.Platform)+"/event/7" || h.Viewer.Name != "ana" || h.Show != 100 || h.Support.Title != "T" || h.Support.Months != 3) {
			t.Errorf("%v: %+v", tt.kind, h)
		}
		if text := h.Text + h.Support.Text; ok && text != "xy" {
			t.Errorf("%v: text %q", tt.kind, text)
		}
	}
}

func TestEventOf(t *testing.T) {
	for _, tt := range []struct {
		o     commerce.Outcome
		state commerce.OrderState
		want  rule.Event
	}{
		{o: commerce.Outcome{What: commerce.Claimed, Reason: commerce.PartlyHeld}, want: rule.HoldMade},
		{o: commerce.Outcome{What: commerce.Claimed, Reason: commerce.SoldOut}, want: rule.SoldOut},
		{o: commerce.Outcome{What: commerce.Claimed, Reason: commerce.Capped}},
		{o: commerce.Outcome{What: commerce.Settled}, want: rule.OrderPaid},
		{o: commerce.Outcome{What: commerce.Late}, want: rule.OrderPaid},
		{o: commerce.Outcome{What: commerce.Undone}, state: commerce.OrderCancelled, want: rule.OrderCancelled},
		{o: commerce.Outcome{What: commerce.Undone}, state: commerce.OrderRefunded, want: rule.OrderRefunded},
		{o: commerce.Outcome{What: commerce.Promoted}, want: rule.Promoted},
		{o: commerce.Outcome{What: commerce.Reminded}, want: rule.ReminderDue},
		{o: commerce.Outcome{What: commerce.Expired}, want: rule.HoldExpired},
		{o: commerce.Outcome{What: commerce.Expired, Reason: commerce.Offered}},
		{o: commerce.Outcome{What: commerce.Aired, Number: 3}, want: rule.ItemOnAir},
		{o: commerce.Outcome{What: commerce.Aired}},
		{o: commerce.Outcome{What: commerce.Begun}, want: rule.ShowStarted},
		{o: commerce.Outcome{What: commerce.Over}, want: rule.ShowEnded},
		{o: commerce.Outcome{What: commerce.Gated}},
	} {
		if got, ok := EventOf(&tt.o, tt.state); ok != (tt.want != "") || ok && got != tt.want {
			t.Errorf("%s %s is %q, %v; want %q", tt.o.What, tt.o.Reason, got, ok, tt.want)
		}
	}
	now := time.Unix(1000, 0)
	h, _ := OfOutcome(&commerce.Outcome{What: commerce.Settled, Order: "#1", Wanted: 2, Total: commerce.Money{Minor: 5, Currency: "EUR"}, Due: now.Add(61 * time.Second)}, commerce.OrderPaid, now)
	if h.Bought.Name != "#1" || h.Bought.Quantity != 2 || h.Hold.Minutes != 2 || h.Order != "#1" {
		t.Errorf("an order: %+v", h)
	}
}
