package child

import (
	"fmt"
	"time"
)

// State says how the relay's process is doing.
type State string

// The states of a process.
const (
	Starting State = "starting" // it is looked for, or started
	Up       State = "up"
	Older    State = "older"  // up, but of another version or with other settings: it is replaced when no stream is live
	Silent   State = "silent" // it is there and does not answer
	Down     State = "down"   // it cannot be started; Trouble says why
	Within   State = "inside" // the relay runs in the hub's own process
)

// Process tells of the relay's process.
type Process struct {
	PID      int // 0 when there is none
	Started  time.Time
	Version  string
	State    State
	Restarts int    // processes that died since the hub began
	Trouble  string // a sentence, "" when all is well
}

// String is for people: "process 1234, up 3 h".
func (p Process) String() string {
	s := fmt.Sprintf("process %d, up %s", p.PID, span(time.Since(p.Started)))
	switch p.State {
	case Within:
		return "in the hub's own process"
	case Older:
		s += fmt.Sprintf(", of version %s: it is replaced when no stream is live", p.Version)
	case Silent:
		s = fmt.Sprintf("process %d does not answer", p.PID)
	case Starting, Down:
		s = string(p.State)
	}
	if p.Trouble != "" {
		s += ": " + p.Trouble
	}
	if p.Restarts > 0 {
		s += fmt.Sprintf(" (started again %d times)", p.Restarts)
	}
	return s
}

func span(d time.Duration) string {
	switch {
	case d < 2*time.Minute:
		return fmt.Sprintf("%d s", int(d.Seconds()))
	case d < 2*time.Hour:
		return fmt.Sprintf("%d min", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h", int(d.Hours()))
	}
	return fmt.Sprintf("%d days", int(d.Hours()/24))
}
