package live

import (
	"encoding/json"

	"hawker/commerce"
	"hawker/internal/bus"
	"hawker/internal/live/signal"
)

// What wakes pages; see package signal.
type (
	Signal = signal.Signal
	Card   = signal.Card
	Shout  = signal.Shout
)

// Kinds of Signal.
const (
	SignalChanged = signal.Changed
	SignalChat    = signal.Chat
)

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
	h.signal(merchant, Signal{Kind: signal.Relay, Show: show})
}

// QuestionsChanged tells the pages of a show that the questions on its desk changed.
func (h *Hub) QuestionsChanged(merchant, show commerce.ID) {
	h.signal(merchant, Signal{Kind: signal.Asked, Show: show})
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
