package live

import (
	"time"

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
		for heard := l.heard; len(heard) > 0; {
			heard = m.logChannel(w, l, heard)
		}
	}
}

// logChannel writes the lines of the channel of the first, and gives those of others.
func (m *Merchant) logChannel(w *lines.Writer, l logged, heard []*heard) (others []*heard) {
	c, n := heard[0].msg.Channel, 0
	flush := func() {
		if err := w.Flush(m.ID, c); err != nil {
			m.unlogged.Add(int64(n))
		}
	}
	for _, h := range heard {
		if h.msg.Channel != c {
			others = append(others, h)
			continue
		}
		x := LogLine{V: lines.Version, Message: h.msg, Show: h.show, OnAir: h.onAir, Command: h.cmd, Reason: h.why, Hold: h.hold, Decided: l.at, Rules: l.rules, Seed: h.seed, Facts: h.told}
		x.Message.Answer.Token = ""
		if n = w.Add(&x); n == recordMost {
			flush()
		}
	}
	flush()
	return others
}
