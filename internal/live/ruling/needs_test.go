package ruling

import (
	"slices"
	"testing"

	"hawker/internal/chat"
	"hawker/rules/rule"
)

func TestNeeds(t *testing.T) {
	kinds, deeds := Needs([]rule.Rule{
		{When: rule.When{Event: rule.Followed}, Then: []rule.Action{{Do: rule.Say}, {Do: rule.Announce}}},
		{When: rule.When{Event: rule.Redeemed}, Then: []rule.Action{{Do: rule.FulfilReward}, {Do: rule.Announce}}},
		{When: rule.When{Event: rule.OrderPaid}, Then: []rule.Action{{Do: rule.ShoutOut}}},
		{When: rule.When{Event: rule.Entered}, Then: []rule.Action{{Do: rule.GiveRole}}, Off: true},
	})
	if want := []chat.Kind{chat.Followed, chat.Redeemed}; !slices.Equal(kinds, want) {
		t.Errorf("kinds %v, want %v", kinds, want)
	}
	if want := []chat.DeedKind{chat.Announce, chat.FulfilReward}; !slices.Equal(deeds, want) {
		t.Errorf("deeds %v, want %v", deeds, want)
	}
}

// Every event that a chat tells, and every action that is one's deed, is known here.
func TestNeedsKnowAll(t *testing.T) {
	for k := chat.Followed; k <= chat.Polled; k++ {
		h, ok := OfChat(&chat.Event{Kind: k, Channel: chat.Channel{Platform: chat.Twitch, ID: "1"}, Viewer: chat.Viewer{Platform: chat.Twitch, ID: "2"}}, 1)
		if !ok || kindOf(h.Event) != k {
			t.Errorf("%v is told as %q, which asks for %v", k, h.Event, kindOf(h.Event))
		}
	}
}
