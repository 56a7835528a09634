package main

import (
	"context"
	"os"
	"os/exec"
	"testing"
	"time"

	"hawker/connectors/twitch"
	"hawker/internal/bench"
)

// TestBenchChat: the measurement itself works over each road, a tenth as fast, and loses nothing.
func TestBenchChat(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	child := func(ctx context.Context) *exec.Cmd {
		cmd := exec.CommandContext(ctx, self)
		cmd.Args = []string{"hawker", "bench", "chat", "--child"}
		return cmd
	}
	for _, road := range []twitch.Road{twitch.IRC, twitch.EventSub, twitch.Both} {
		cases, err := bench.RunChat(t.Context(), bench.ChatOptions{Child: child, Road: road, Small: true, Each: 500 * time.Millisecond})
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range cases {
			if c.Typed == 0 || c.Lost != 0 || c.Doubled != 0 || c.Limited != 0 || c.Decided != c.Typed || c.OverLimit != 0 {
				t.Errorf("%s: %+v", road, c)
			}
		}
	}
}
