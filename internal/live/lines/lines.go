// Package lines is the chat log's form: each line of a chat with what became of it. The log is for reading back and for trying
// rules on what really happened; claims themselves are in SQL.
package lines

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"time"

	"hawker/commerce"
	"hawker/internal/bus"
	"hawker/internal/chat"
	"hawker/internal/live/ruling"
	"hawker/internal/live/saved"
	"hawker/internal/object"
	"hawker/internal/press"
	"hawker/rules"
)

// Version is the version of a Line's form.
const Version = 3

// Line is a line of a chat in the chat log, with what became of it.
type Line struct {
	V       int             `json:"v"`
	Message chat.Message    `json:"message"` // without the token of a private answer
	Show    commerce.ID     `json:"show,omitzero"`
	OnAir   int             `json:"on_air,omitempty"` // the item that the viewer saw
	Command rules.Command   `json:"command,omitzero"`
	Reason  commerce.Reason `json:"reason"`
	Hold    commerce.ID     `json:"hold,omitzero"`
	Decided time.Time       `json:"decided"`
	// Rules is the version of the rules that were asked (0: the defaults), Seed what they drew by lot, Facts what they were told
	// beside the line. Since version 3.
	Rules int64        `json:"rules,omitzero"`
	Seed  uint64       `json:"seed,omitzero"`
	Facts *ruling.Told `json:"facts,omitempty"`
}

// A record is lines as a JSON array. Of many lines it is pressed, by a byte that begins no JSON: they are alike, and what the log
// copies and writes of each byte costs more than that.
const (
	pressed     = 1
	pressFrom   = 2 << 10
	mostPressed = 64 << 20
)

// Writer appends to the chat log. Its memory is used again and again: one goroutine at a time may write.
type Writer struct {
	bus   *bus.Bus
	press press.Press
	plain []byte
	n     int
}

// NewWriter is a Writer to a log.
func NewWriter(b *bus.Bus) *Writer {
	return &Writer{bus: b, press: press.Press{Mark: pressed, From: pressFrom, Most: mostPressed}}
}

// Append appends lines of a merchant to the chat log as one record.
func (w *Writer) Append(merchant commerce.ID, lines []Line) error {
	for i := range lines {
		w.Add(&lines[i])
	}
	return w.Flush(merchant)
}

// Add adds a line to the next record and tells how many are in it now.
func (w *Writer) Add(l *Line) int {
	open := byte(',')
	if w.n == 0 {
		open, w.plain = '[', w.plain[:0]
	}
	w.plain = l.append(append(w.plain, open))
	w.n++
	return w.n
}

// Flush appends the lines that were added to the chat log as one record.
func (w *Writer) Flush(merchant commerce.ID) error {
	if w.n == 0 {
		return nil
	}
	return w.bus.Log(int64(merchant), w.record())
}

// record is what was added, and begins the next.
func (w *Writer) record() []byte {
	w.n = 0
	w.plain = append(w.plain, ']')
	return w.press.Record(w.plain)
}

// append appends the line as encoding/json writes it.
func (l *Line) append(buf []byte) []byte {
	o := object.Open(buf)
	o.Number("v", int64(l.V))
	o.Name("message")
	o.Buf = saved.Message(o.Buf, &l.Message)
	o.SomeID("show", int64(l.Show))
	o.SomeNumber("on_air", int64(l.OnAir))
	if l.Command != (rules.Command{}) {
		o.Name("command")
		o.Buf = saved.Command(o.Buf, &l.Command)
	}
	o.Text("reason", string(l.Reason))
	o.SomeID("hold", int64(l.Hold))
	o.Time("decided", l.Decided)
	o.SomeNumber("rules", l.Rules)
	if l.Seed != 0 {
		o.Name("seed")
		o.Buf = strconv.AppendUint(o.Buf, l.Seed, 10)
	}
	if l.Facts != nil {
		o.Name("facts")
		data, err := json.Marshal(l.Facts)
		if err != nil { // our own plain types
			panic(err)
		}
		o.Buf = append(o.Buf, data...)
	}
	return o.Close()
}

// Read reads what Append wrote, and records of one line from before version 2.
func Read(record []byte) ([]Line, error) { return read[Line](record) }

// Shows are the shows of a record's lines, 0 for a line of none.
func Shows(record []byte) ([]commerce.ID, error) {
	lines, err := read[struct {
		Show commerce.ID `json:"show"`
	}](record)
	shows := make([]commerce.ID, len(lines))
	for i, l := range lines {
		shows[i] = l.Show
	}
	return shows, err
}

func read[T any](record []byte) ([]T, error) {
	record, err := press.Undo(record, pressed, mostPressed)
	if err != nil {
		return nil, err
	}
	var lines []T
	if len(record) > 0 && record[0] == '{' {
		lines = make([]T, 1)
		return lines, json.Unmarshal(record, &lines[0])
	}
	return lines, json.Unmarshal(record, &lines)
}

// Forget erases a viewer's lines from the chat log.
func Forget(ctx context.Context, b *bus.Bus, merchant commerce.ID, v chat.Viewer) error {
	if err := b.Logged(ctx); err != nil {
		return fmt.Errorf("erase a viewer's lines: %w", err)
	}
	w := NewWriter(b)
	for from := uint64(0); ; {
		records, err := b.ReadLog(ctx, bus.Range{Merchant: int64(merchant), From: from})
		if err != nil {
			return fmt.Errorf("erase a viewer's lines: %w", err)
		}
		if len(records) == 0 {
			return nil
		}
		var theirs []uint64
		for _, r := range records {
			lines, err := Read(r.Data)
			if err != nil {
				continue
			}
			left := slices.DeleteFunc(slices.Clone(lines), func(l Line) bool { return l.Message.Viewer.Platform == v.Platform && l.Message.Viewer.ID == v.ID })
			if len(left) == len(lines) {
				continue
			}
			if theirs = append(theirs, r.Seq); len(left) == 0 {
				continue
			}
			if err := w.Append(merchant, left); err != nil { // what others said in the record stays
				return fmt.Errorf("erase a viewer's lines: %w", err)
			}
		}
		if err := b.Logged(ctx); err != nil {
			return fmt.Errorf("erase a viewer's lines: %w", err)
		}
		if err := b.EraseLog(ctx, theirs...); err != nil {
			return err
		}
		from = records[len(records)-1].Seq + 1
	}
}
