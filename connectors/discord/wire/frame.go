// Package wire speaks Discord's gateway: its frames, the events in them that a chat needs, and one connection. It keeps
// nothing between connections; sessions and their resumption are the caller's.
package wire

import (
	"encoding/json"
	"errors"
	"time"
)

// Gateway opcodes (page "Opcodes and Status Codes").
const (
	OpDispatch   = 0
	OpHeartbeat  = 1
	OpIdentify   = 2
	OpResume     = 6
	OpReconnect  = 7
	OpInvalid    = 9
	OpHello      = 10
	OpAck        = 11
	opUnknown    = -1
	maxFrame     = 16 << 20 // bytes; a guild with thousands of channels and roles comes as one frame
	defaultPulse = 41250 * time.Millisecond
)

// Frame is one payload of the gateway, decoded as far as its opcode needs.
type Frame struct {
	Op    int
	Seq   int64         // dispatch: at least 1
	Event string        // dispatch
	Data  []byte        // dispatch
	Pulse time.Duration // hello
	Again bool          // invalid session: may be resumed
}

// ErrFrame is the error of what is no frame at all. Unknown opcodes and events are none.
var ErrFrame = errors.New("not a gateway frame")

// Decode reads one frame.
func Decode(b []byte) (Frame, error) {
	var f struct {
		Op *int            `json:"op"`
		D  json.RawMessage `json:"d"`
		S  *int64          `json:"s"`
		T  string          `json:"t"`
	}
	if err := json.Unmarshal(b, &f); err != nil || f.Op == nil {
		return Frame{Op: opUnknown}, ErrFrame
	}
	p := Frame{Op: *f.Op}
	switch p.Op {
	case OpDispatch:
		if f.S == nil || *f.S < 1 || f.T == "" {
			return Frame{Op: opUnknown}, ErrFrame
		}
		p.Seq, p.Event, p.Data = *f.S, f.T, f.D
	case OpHello:
		var d struct {
			Interval float64 `json:"heartbeat_interval"`
		}
		if err := json.Unmarshal(f.D, &d); err != nil {
			return Frame{Op: opUnknown}, ErrFrame
		}
		p.Pulse = time.Duration(d.Interval * float64(time.Millisecond))
		if !(d.Interval >= 1 && d.Interval < 10*60*1000) {
			p.Pulse = defaultPulse
		}
	case OpInvalid:
		p.Again = string(f.D) == "true"
	}
	return p, nil
}
