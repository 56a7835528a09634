package live

import (
	"encoding/json"
	"time"

	"hawker/commerce"
	"hawker/internal/chat"
	"hawker/rules"
)

// LogVersion is the version of a LogLine's form.
const LogVersion = 1

// LogLine is a line of a chat in the chat log, with what became of it. The log is for reading back and for trying rules on
// what really happened; claims themselves are in SQL.
type LogLine struct {
	V       int             `json:"v"`
	Message chat.Message    `json:"message"` // without the token of a private answer
	Show    commerce.ID     `json:"show,omitzero"`
	OnAir   int             `json:"on_air,omitempty"` // the item that the viewer saw
	Command rules.Command   `json:"command"`
	Reason  commerce.Reason `json:"reason"`
	Hold    commerce.ID     `json:"hold,omitzero"`
	Decided time.Time       `json:"decided"`
}

// logLines appends the lines of a turn to the chat log, after their decision. It waits for nothing.
func (m *Merchant) logLines(t *turn) {
	if len(t.heard) == 0 {
		return
	}
	became := make(map[commerce.Key]*commerce.Outcome, len(t.outcomes))
	for i := range t.outcomes {
		if o := &t.outcomes[i]; o.What == commerce.Claimed {
			became[o.Key] = o
		}
	}
	for _, h := range t.heard {
		l := LogLine{V: LogVersion, Message: h.msg, Show: h.show, OnAir: h.onAir, Command: h.cmd, Reason: h.why, Decided: t.now}
		l.Message.Answer.Token = ""
		if o := became[commerce.Key{Platform: h.msg.Channel.Platform, Message: h.msg.ID}]; o != nil {
			l.Reason, l.Hold = o.Reason, o.Hold
		}
		data, err := json.Marshal(l)
		if err != nil { // our own plain types
			panic(err)
		}
		if err := m.hub.Bus.Log(int64(m.ID), h.msg.Channel.String(), data); err != nil {
			m.unlogged.Add(1)
		}
	}
}
