package live

import (
	"encoding/json"
	"time"

	"hawker/commerce"
	"hawker/internal/bus"
)

// Kinds of Signal.
const (
	SignalChanged = "changed" // the show's figures, shelf or feed changed: render again
	SignalChat    = "chat"    // a line to show
	SignalShout   = "shout"   // a shout-out for the overlay
	SignalRelay   = "relay"   // something about the video changed
	SignalCard    = "card"    // a card for the overlay
	SignalAsked   = "asked"   // the questions on the desk changed
)

// Signal wakes pages on every node. It carries only what a page cannot read from the show's state.
type Signal struct {
	Kind  string      `json:"kind"`
	Show  commerce.ID `json:"show"`
	Shout *Shout      `json:"shout,omitempty"`
	Line  *ChatLine   `json:"line,omitempty"`
	Card  *Card       `json:"card,omitempty"`
}

// Card is what a rule shows on the overlay for a while.
type Card struct {
	ID      commerce.ID   `json:"id"`
	Text    string        `json:"text"`
	Picture string        `json:"picture,omitempty"`
	Sound   string        `json:"sound,omitempty"`
	For     time.Duration `json:"for_ns,omitempty"` // 0: as long as the overlay shows a shout-out
}

// Shout is a shout-out as the overlay draws it.
type Shout struct {
	ID    commerce.ID `json:"id"`
	Text  string      `json:"text"`
	Who   string      `json:"who"`
	Title string      `json:"title"`
	Image string      `json:"image,omitempty"`
	Show  commerce.ID `json:"show"`
}

// Watch calls tell for every signal of a merchant's show, from one goroutine, until stop is called. Who is too slow loses
// signals and gets one SignalChanged in their place; the state is read anew anyway.
func (h *Hub) Watch(merchant, show commerce.ID, tell func(Signal)) (stop func(), err error) {
	sub, err := h.Bus.Subscribe(signalSubject(merchant, show), func(m bus.Message) {
		if m.Missed > 0 {
			tell(Signal{Kind: SignalChanged, Show: show})
		}
		var s Signal
		if json.Unmarshal(m.Data, &s) == nil {
			tell(s)
		}
	})
	if err != nil {
		return nil, err
	}
	return func() { sub.Close() }, nil
}

// RelayChanged tells the pages of a show that something about its video changed.
func (h *Hub) RelayChanged(merchant, show commerce.ID) {
	h.signal(merchant, Signal{Kind: SignalRelay, Show: show})
}

// QuestionsChanged tells the pages of a show that the questions on its desk changed.
func (h *Hub) QuestionsChanged(merchant, show commerce.ID) {
	h.signal(merchant, Signal{Kind: SignalAsked, Show: show})
}

func signalSubject(merchant, show commerce.ID) string {
	return bus.Subject("signal", merchant.String(), show.String())
}

func (h *Hub) signal(merchant commerce.ID, s Signal) {
	data, err := json.Marshal(s)
	if err != nil { // our own plain type
		panic(err)
	}
	if err := h.Bus.Publish(signalSubject(merchant, s.Show), data); err != nil {
		h.Log.Warn("signal not published", "kind", s.Kind, "err", err)
	}
}
