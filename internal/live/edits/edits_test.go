package edits

import (
	"fmt"
	"testing"
	"time"

	"hawker/internal/chat"
	"hawker/rules"
)

func TestNote(t *testing.T) {
	var e Edits
	note := func(p chat.Platform, id string, c rules.Command) bool {
		before, known := e.Note(p, id, c)
		return known && Alike(before, c)
	}
	buy := rules.Command{Name: rules.Buy, Item: 3, Quantity: 1, Signature: 7}
	if note(chat.Discord, "1", buy) {
		t.Error("a new line meant the same before")
	}
	if !note(chat.Discord, "1", buy) {
		t.Error("an edit that means the same is not seen as such")
	}
	two := buy
	two.Quantity = 2
	if note(chat.Discord, "1", two) || !note(chat.Discord, "1", two) {
		t.Error("an edit to another amount, then one to the same")
	}
	if note(chat.Discord, "1", buy) {
		t.Error("an edit back to the first text means something else than before it")
	}
	first, second := note(chat.Twitch, "2", buy), note(chat.Twitch, "2", buy)
	if first || second || len(e.meant) != 1 {
		t.Error("lines that cannot be edited are remembered")
	}
	for i := range 2 * most {
		note(chat.Discord, fmt.Sprint("x", i), buy)
	}
	if len(e.meant) != most || len(e.ring) != most {
		t.Errorf("%d lines are remembered", len(e.meant))
	}
}

func TestPart(t *testing.T) {
	sent := time.UnixMilli(1_000_000)
	if n := Part(sent, sent.Add(1500*time.Millisecond), "x"); n != 1500 {
		t.Errorf("part %d", n)
	}
	for _, at := range []time.Time{{}, sent, sent.Add(-time.Second), sent.Add(1000 * time.Hour)} {
		a, b := Part(sent, at, "!buy 3"), Part(sent, at, "!buy 4")
		if a <= 0 || b <= 0 || a == b || a != Part(sent, at, "!buy 3") || a > 1<<31-1 {
			t.Errorf("edited at %v: parts %d and %d", at, a, b)
		}
	}
}
