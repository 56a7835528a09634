package twitch_test

import (
	"testing"

	"hawker/connectors/twitch/twitchsim"
	"hawker/internal/chat"
)

// TestNotices: what viewers do is heard over the chat server, each once, and gifts are counted once.
func TestNotices(t *testing.T) {
	s := newStand(t)
	e := listening(t, s.client(t), 1)
	gil := twitchsim.User{ID: "9", Login: "gil", Name: "Gil"}
	s.sim.Subscribe(anaID, bob, "Prime", 1, "")
	resub := s.sim.Subscribe(anaID, bob, "1000", 14, "!buy 3 please")
	s.sim.Gift(anaID, gil, "2000", 1)
	s.sim.Gift(anaID, gil, "1000", 1)
	s.sim.Gift(anaID, gil, "1000", 20)
	s.sim.Raid(anaID, gil, 430)
	s.sim.Notice(anaID, twitchsim.Notice{Kind: "announcement", User: bob, Text: "hear, hear"})
	s.sim.Notice(anaID, twitchsim.Notice{Kind: "giftpaidupgrade", User: bob})
	s.sim.Notice(anaID, twitchsim.Notice{Kind: "bitsbadgetier", User: bob, Params: map[string]string{"msg-param-threshold": "1000"}})
	// The first notice of this community gift was lost; its single gifts count, and not again when it comes late.
	part := map[string]string{"msg-param-community-gift-id": "77", "msg-param-sub-plan": "1000"}
	s.sim.Notice(anaID, twitchsim.Notice{Kind: "subgift", User: gil, Params: part})
	s.sim.Notice(anaID, twitchsim.Notice{Kind: "subgift", User: gil, Params: part})
	part["msg-param-mass-gift-count"] = "5"
	s.sim.Notice(anaID, twitchsim.Notice{Kind: "submysterygift", User: gil, Params: part})
	s.sim.Notice(anaID, twitchsim.Notice{Kind: "subgift", User: gil, Params: part})
	// In a shared chat, what happened in another channel.
	s.sim.Notice(anaID, twitchsim.Notice{Kind: "sharedchatnotice", User: bob, Params: map[string]string{"source-room-id": "1002", "source-msg-id": "sub"}})
	s.sim.Notice(anaID, twitchsim.Notice{Kind: "sub", User: bob, Params: map[string]string{"source-room-id": "1002"}})
	s.sim.Notice(anaID, twitchsim.Notice{Kind: "raid", User: gil, ID: "again", Params: map[string]string{"msg-param-viewerCount": "7"}})
	s.sim.Notice(anaID, twitchsim.Notice{Kind: "raid", User: gil, ID: "again", Params: map[string]string{"msg-param-viewerCount": "7"}})
	s.sim.Type(anaID, bob, "the end")
	e.until("the last line", func() bool { return e.count(chat.Said) == 3 })
	if sub := e.events(chat.Subscribed); len(sub) != 1 || sub[0].Support != (chat.Support{Months: 1, Tier: "Prime"}) || sub[0].Viewer != viewer || sub[0].Channel != shop {
		t.Errorf("subs %+v", sub)
	}
	re := e.events(chat.Resubscribed)
	if len(re) != 2 || re[0].ID != "resub:"+resub || re[0].Support != (chat.Support{Months: 14, Tier: "1000", Text: "!buy 3 please"}) || re[1].Support.Months != 0 {
		t.Errorf("resubs %+v", re)
	}
	if said := e.events(chat.Said); said[0].Message.ID != resub || said[0].Message.Text != "!buy 3 please" || said[1].Message.Text != "hear, hear" {
		t.Errorf("lines %+v", said)
	}
	var counts []int
	for _, g := range e.events(chat.Gifted) {
		counts = append(counts, g.Support.Count)
	}
	if len(counts) != 6 || counts[0] != 1 || counts[1] != 1 || counts[2] != 20 || counts[3] != 1 || counts[4] != 1 || counts[5] != 3 {
		t.Errorf("gifts %v, want 1 1 20 1 1 3", counts)
	}
	if r := e.events(chat.Raided); len(r) != 2 || r[0].Support.Count != 430 || r[0].Viewer.ID != "9" || r[1].Support.Count != 7 {
		t.Errorf("raids %+v", r)
	}
}
