package live

import (
	"time"

	"hawker/internal/live/lines"
)

// LogLine is a line of a chat in the chat log, with what became of it.
type LogLine = lines.Line

// logMost is how many turns may wait for the chat log; what comes then is not logged, and counted.
const logMost = 1024

// logged are the lines of a turn on their way to the chat log.
type logged struct {
	at      time.Time
	rules   int64 // the version that was asked
	heard   []*heard
	written chan struct{} // closed, if there is one, when all that came before is there
}

// logLines hands the lines of a turn to the chat log, after their decision. It waits for nothing.
func (m *Merchant) logLines(t *turn) {
	if len(t.heard) == 0 {
		return
	}
	select {
	case m.toLog <- logged{at: t.now, rules: m.rules.Version, heard: t.heard}:
	default:
		m.unlogged.Add(int64(len(t.heard)))
	}
}

// logEvery is how long lines are gathered for the chat log: in a rush a record costs the log as much as a line does. recordMost bounds
// how many lines are one record.
const (
	logEvery   = 20 * time.Millisecond
	recordMost = 256
)

// writeLog appends to the chat log what logLines hands over, until that is closed.
func (m *Merchant) writeLog() {
	w, n := lines.NewWriter(m.hub.Bus), 0
	flush := func() {
		if err := w.Flush(m.ID); err != nil {
			m.unlogged.Add(int64(n))
		}
		n = 0
	}
	for l := range m.toLog {
		for more := true; more; {
			for _, h := range l.heard {
				x := LogLine{V: lines.Version, Message: h.msg, Show: h.show, OnAir: h.onAir, Command: h.cmd, Reason: h.why, Hold: h.hold, Decided: l.at, Rules: l.rules, Seed: h.seed, Facts: h.told}
				x.Message.Answer.Token = ""
				if n = w.Add(&x); n == recordMost {
					flush()
				}
			}
			if l.written != nil {
				flush()
				close(l.written)
			}
			select {
			case l, more = <-m.toLog:
			default:
				more = false
			}
		}
		flush()
		time.Sleep(logEvery)
	}
}
