package live

import (
	"hawker/commerce"
	"hawker/internal/chat"
	"hawker/internal/live/speaker"
)

// join makes one line of outcomes that wait in a channel, and says how many of them, from the first, it covers. It carries the
// show's page, never a personal link. In a crowd those who are not named find themselves on that page.
func (m *Merchant) join(c chat.Channel, outcomes []*commerce.Outcome, maxRunes int, crowd bool) (speaker.Words, int) {
	link := m.room(outcomes[0].Show, c)
	voice := m.voiceOf(outcomes[0].Show)
	if crowd && link != "" {
		if text, covered := voice.Crowd(outcomes, link, maxRunes); covered > 0 {
			return speaker.Words{Text: text, Link: link}, covered
		}
	}
	text, covered := voice.JoinedIn(outcomes, link, maxRunes)
	return speaker.Words{Text: text, Link: link}, covered
}
