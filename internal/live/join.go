package live

import (
	"unicode/utf8"

	"hawker/commerce"
	"hawker/internal/chat"
	"hawker/internal/live/speaker"
)

// joinMost bounds how many people one line may name; no platform's line has room for more.
const joinMost = 200

// roomEach is about how many code points a name takes in a line.
const roomEach = 14

// join makes one line of outcomes that wait in a channel, and says how many of them, from the first, it covers. It names as
// many people as the platform's line has room for and is never cut inside a name. It carries the show's page, never a
// personal link.
func (m *Merchant) join(c chat.Channel, outcomes []*commerce.Outcome, maxRunes int) (speaker.Words, int) {
	link, voice := m.room(outcomes[0].Show, c), m.voiceOf(outcomes[0].Show)
	most := min(len(outcomes), joinMost)
	covered, text := 1, voice.Joined(outcomes[:1], link)
	one := utf8.RuneCountInString(text)
	if maxRunes <= 0 {
		return speaker.Words{Text: voice.Joined(outcomes[:most], link), Link: link}, most
	}
	// People take about the same room each, so the right number is guessed and then found in a few steps: to put every number into
	// words would cost more than to decide what they are about.
	n := min(most, 1+max(0, maxRunes-one)/roomEach)
	over := most + 1 // known to be too many
	for covered+1 < over && n > covered {
		next := voice.Joined(outcomes[:n], link)
		size := utf8.RuneCountInString(next)
		if size > maxRunes {
			over = n
			n = max(covered+1, min(n-1, 1+(n-1)*max(0, maxRunes-one)/max(1, size-one)))
			continue
		}
		covered, text = n, next
		n = min(over-1, covered+max(1, (maxRunes-size)*covered/max(1, size)))
	}
	return speaker.Words{Text: text, Link: link}, covered
}
