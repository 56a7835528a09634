package live

import (
	"unicode/utf8"

	"hawker/commerce"
	"hawker/internal/chat"
	"hawker/internal/live/speaker"
)

// joinMost bounds how many people one line may name; no platform's line has room for more.
const joinMost = 200

// join makes one line of outcomes that wait in a channel, and says how many of them, from the first, it covers. It names as
// many people as the platform's line has room for and is never cut inside a name. It carries the show's page, never a
// personal link.
func (m *Merchant) join(c chat.Channel, outcomes []*commerce.Outcome, maxRunes int) (speaker.Words, int) {
	link := m.room(outcomes[0].Show, c)
	covered, text := 1, m.voice.Joined(outcomes[:1], link)
	for n := 2; n <= min(len(outcomes), joinMost); n++ {
		next := m.voice.Joined(outcomes[:n], link)
		if maxRunes > 0 && utf8.RuneCountInString(next) > maxRunes {
			break
		}
		covered, text = n, next
	}
	return speaker.Words{Text: text, Link: link}, covered
}
