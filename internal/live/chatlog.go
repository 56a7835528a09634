package live

import (
	"encoding/json"
	"slices"
	"time"

	"hawker/commerce"
	"hawker/internal/chat"
	"hawker/rules"
)

// LogVersion is the version of a LogLine's form.
const LogVersion = 2

// LogLine is a line of a chat in the chat log, with what became of it. The log is for reading back and for trying rules on
// what really happened; claims themselves are in SQL.
type LogLine struct {
	V       int             `json:"v"`
	Message chat.Message    `json:"message"` // without the token of a private answer
	Show    commerce.ID     `json:"show,omitzero"`
	OnAir   int             `json:"on_air,omitempty"` // the item that the viewer saw
	Command rules.Command   `json:"command,omitzero"`
	Reason  commerce.Reason `json:"reason"`
	Hold    commerce.ID     `json:"hold,omitzero"`
	Decided time.Time       `json:"decided"`
}

// logMost is how many turns may wait for the chat log; what comes then is not logged, and counted.
const logMost = 256

// logLines hands the lines of a turn to the chat log, after their decision. It waits for nothing.
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
	lines := make([]LogLine, 0, len(t.heard))
	for _, h := range t.heard {
		l := LogLine{V: LogVersion, Message: h.msg, Show: h.show, OnAir: h.onAir, Command: h.cmd, Reason: h.why, Decided: t.now}
		l.Message.Answer.Token = ""
		if o := became[h.key()]; o != nil {
			l.Reason, l.Hold = o.Reason, o.Hold
		}
		lines = append(lines, l)
	}
	select {
	case m.toLog <- lines:
	default:
		m.unlogged.Add(int64(len(lines)))
	}
}

// recordMost bounds how many lines are one record of the chat log.
const recordMost = 64

// writeLog appends to the chat log what logLines hands over, until that is closed. The lines of a channel that were decided
// together are one record, a JSON array: in a rush a record costs the log as much as a line does.
func (m *Merchant) writeLog() {
	for lines := range m.toLog {
		var order []chat.Channel
		of := map[chat.Channel][]LogLine{}
		for i := range lines {
			c := lines[i].Message.Channel
			if of[c] == nil {
				order = append(order, c)
			}
			of[c] = append(of[c], lines[i])
		}
		for _, c := range order {
			for record := range slices.Chunk(of[c], recordMost) {
				if err := m.hub.logRecord(m.ID, c, record); err != nil {
					m.unlogged.Add(int64(len(record)))
				}
			}
		}
	}
}

// logRecord appends lines of a channel to the chat log as one record.
func (h *Hub) logRecord(merchant commerce.ID, c chat.Channel, lines []LogLine) error {
	data, err := json.Marshal(lines)
	if err != nil { // our own plain types
		panic(err)
	}
	return h.Bus.Log(int64(merchant), c.String(), data)
}

// readRecord reads what logRecord wrote, and records of one line from before version 2.
func readRecord(data []byte) ([]LogLine, error) {
	var lines []LogLine
	if len(data) > 0 && data[0] == '{' {
		lines = make([]LogLine, 1)
		return lines, json.Unmarshal(data, &lines[0])
	}
	return lines, json.Unmarshal(data, &lines)
}
