package live

import (
	"slices"
	"time"

	"hawker/internal/chat"
	"hawker/internal/live/lines"
)

// LogLine is a line of a chat in the chat log, with what became of it.
type LogLine = lines.Line

// logMost is how many turns may wait for the chat log; what comes then is not logged, and counted.
const logMost = 256

// logged are the lines of a turn on their way to the chat log.
type logged struct {
	at    time.Time
	rules int64 // the version that was asked
	heard []*heard
}

// logLines hands the lines of a turn to the chat log, after their decision. It waits for nothing.
func (m *Merchant) logLines(t *turn) {
	if len(t.heard) == 0 {
		return
	}
	select {
	case m.toLog <- logged{t.now, m.rules.Version, t.heard}:
	default:
		m.unlogged.Add(int64(len(t.heard)))
	}
}

// recordMost bounds how many lines are one record of the chat log.
const recordMost = 64

// writeLog appends to the chat log what logLines hands over, until that is closed. The lines of a channel that were decided
// together are one record, a JSON array: in a rush a record costs the log as much as a line does.
func (m *Merchant) writeLog() {
	w := lines.NewWriter(m.hub.Bus)
	for l := range m.toLog {
		var order []chat.Channel
		of := map[chat.Channel][]LogLine{}
		for _, h := range l.heard {
			x := LogLine{V: lines.Version, Message: h.msg, Show: h.show, OnAir: h.onAir, Command: h.cmd, Reason: h.why, Hold: h.hold, Decided: l.at, Rules: l.rules, Seed: h.seed, Facts: h.told}
			x.Message.Answer.Token = ""
			c := h.msg.Channel
			if of[c] == nil {
				order = append(order, c)
				of[c] = make([]LogLine, 0, len(l.heard))
			}
			of[c] = append(of[c], x)
		}
		for _, c := range order {
			for record := range slices.Chunk(of[c], recordMost) {
				if err := w.Append(m.ID, c, record); err != nil {
					m.unlogged.Add(int64(len(record)))
				}
			}
		}
	}
}
