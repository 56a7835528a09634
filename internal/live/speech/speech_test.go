package speech

import (
	"bytes"
	"encoding/json"
	"testing"
	"time"

	"hawker/commerce"
	"hawker/internal/chat"
)

// What is written by hand is what encoding/json would write.
func TestAppend(t *testing.T) {
	for i, s := range []Speech{
		{},
		{To: chat.Answer{Kind: chat.ToPrivate, Channel: chat.Channel{Platform: chat.Discord, ID: "4"}, Until: time.Unix(7, 0).UTC()}, Rank: 3, Text: "a \"b\" <c>", Sealed: []byte{1, 2}, Generation: 4, Loud: true},
		{Outcome: &commerce.Outcome{What: commerce.Claimed, Reason: commerce.Held, Show: 5}},
	} {
		want, err := json.Marshal(&s)
		if err != nil {
			t.Fatal(err)
		}
		if got := s.Append(nil); !bytes.Equal(got, want) {
			t.Errorf("%d: %s, want %s", i, got, want)
		}
	}
}
