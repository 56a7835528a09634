package plain

import (
	"fmt"
	"slices"
	"strings"
)

// Pos is a place in a file; both count from 1, columns in characters. The zero Pos is nowhere.
type Pos struct{ Line, Column int }

// Fault is one thing that is wrong with a file.
type Fault struct {
	Pos         // zero when it is about no place in the file
	Msg  string // what is wrong
	Hint string // what to do about it, or empty
}

// Error says place, fault and hint.
func (f Fault) Error() string {
	s := f.Msg
	if f.Line > 0 {
		s = fmt.Sprintf("line %d, column %d: %s", f.Line, f.Column, f.Msg)
	}
	if f.Hint != "" {
		s += " (" + f.Hint + ")"
	}
	return s
}

// Faults are all that is wrong with a file, in its order. It is an error.
type Faults []Fault

// Error has a line for each fault.
func (f Faults) Error() string {
	lines := make([]string, len(f))
	for i := range f {
		lines[i] = f[i].Error()
	}
	return strings.Join(lines, "\n")
}

// Err is f as an error, sorted by place; nil when there is none.
func (f Faults) Err() error {
	if len(f) == 0 {
		return nil
	}
	slices.SortStableFunc(f, func(a, b Fault) int {
		if a.Line != b.Line {
			return a.Line - b.Line
		}
		return a.Column - b.Column
	})
	f = slices.CompactFunc(f, func(a, b Fault) bool { return a == b })
	if n := len(f) - MaxFaults; n > 0 {
		f = append(f[:MaxFaults], Fault{Msg: fmt.Sprintf("and %d more", n)})
	}
	return f
}

// MaxFaults is how many faults are told at once; nobody reads more.
const MaxFaults = 100
