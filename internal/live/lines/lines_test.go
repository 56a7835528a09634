package lines

import (
	"encoding/json"
	"testing"
	"time"

	"hawker/commerce"
	"hawker/internal/chat"
	"hawker/internal/live/ruling"
	"hawker/rules"
)

func TestAppendIsJSON(t *testing.T) {
	at := time.UnixMilli(1_790_000_000_123).UTC()
	for _, l := range []Line{
		{},
		{V: Version, Message: chat.Message{ID: "m", Text: "!buy <3>", Sent: at}, Reason: commerce.Chat, Decided: at},
		{
			V: Version, Message: chat.Message{ID: "m", Viewer: chat.Viewer{Platform: chat.Twitch, ID: "7", Name: "ana"}}, Show: 5, OnAir: 3, Command: rules.Command{Name: rules.Buy, Item: 3},
			Reason: commerce.Held, Hold: 9, Decided: at, Rules: 4, Seed: 1 << 63, Facts: &ruling.Told{},
		},
	} {
		want, err := json.Marshal(l)
		if err != nil {
			t.Fatal(err)
		}
		if got := l.append(nil); string(got) != string(want) {
			t.Errorf("wrote %s\nwant  %s", got, want)
		}
	}
}
