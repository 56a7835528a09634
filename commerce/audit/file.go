package audit

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"time"

	"hawker/commerce"
)

// Rule is the rule of the chain in words, as the first line of every exported file has it.
const Rule = "One line an entry, from the first. hash is the SHA-256 of: the 32 bytes of prev; then seq, at_ms, show, kind and v, each in decimal or as written " +
	"and each followed by one newline; then body, byte for byte as it stands here. prev is the hash of the line before, 32 zero bytes in the first. " +
	"seq counts from 1 without a gap. The last line's hash is head. In every stock figure held + sold is at most available + short, unless endless."

// maxLine is the longest line that is read: an entry has a few hundred bytes.
const maxLine = 1 << 20

// Header is the first line of an exported file.
type Header struct {
	Form     int         `json:"hawker_ledger"` // 1
	Merchant string      `json:"merchant"`      // its name in addresses
	ID       commerce.ID `json:"merchant_id"`
	Made     time.Time   `json:"made"`
	Entries  int64       `json:"entries"`
	Head     string      `json:"head"` // hash of the last entry, in hex
	Rule     string      `json:"rule"`
}

// WriteHeader writes the first line of a file.
func WriteHeader(w io.Writer, merchant string, id commerce.ID, made time.Time, entries int64, head [sha256.Size]byte) error {
	line, err := json.Marshal(Header{1, merchant, id, made.UTC().Truncate(time.Second), entries, hexHash(head), Rule})
	if err != nil {
		return err
	}
	_, err = w.Write(append(line, '\n'))
	return err
}

// row is an entry's line. The body stands last, so that a shell can cut it out.
type row struct {
	Seq  int64           `json:"seq"`
	At   int64           `json:"at_ms"`
	Show commerce.ID     `json:"show"`
	Kind string          `json:"kind"`
	V    int             `json:"v"`
	Prev string          `json:"prev"`
	Hash string          `json:"hash"`
	Body json.RawMessage `json:"body"`
}

// AppendLine appends an entry's line, with its newline, to b. An entry that has no body on one line is an error: its line
// could not be verified by everybody.
func AppendLine(b []byte, e *commerce.Entry) ([]byte, error) {
	if !compact(e.Body) {
		return b, &Broken{e.Seq, "form", "its body is not JSON on one line"}
	}
	kind, err := json.Marshal(e.Kind)
	if err != nil {
		return b, err
	}
	b = append(b, `{"seq":`...)
	b = strconv.AppendInt(b, e.Seq, 10)
	b = append(b, `,"at_ms":`...)
	b = strconv.AppendInt(b, e.At.UnixMilli(), 10)
	b = append(b, `,"show":"`...)
	b = strconv.AppendInt(b, int64(e.Show), 10)
	b = append(b, `","kind":`...)
	b = append(b, kind...)
	b = append(b, `,"v":`...)
	b = strconv.AppendInt(b, commerce.EntryVersion, 10)
	b = append(b, `,"prev":"`...)
	b = hex.AppendEncode(b, e.Prev[:])
	b = append(b, `","hash":"`...)
	b = hex.AppendEncode(b, e.Hash[:])
	b = append(b, `","body":`...)
	b = append(b, e.Body...)
	return append(b, "}\n"...), nil
}

// ParseLine reads an entry's line, with or without its newline. It takes only what AppendLine writes, to the byte.
func ParseLine(line []byte) (commerce.Entry, error) {
	line = bytes.TrimSuffix(line, []byte("\n"))
	var x row
	if err := json.Unmarshal(line, &x); err != nil {
		return commerce.Entry{}, fmt.Errorf("not an entry: %w", err)
	}
	if x.V != commerce.EntryVersion {
		return commerce.Entry{}, fmt.Errorf("an entry of version %d; this program reads version %d", x.V, commerce.EntryVersion)
	}
	e := commerce.Entry{Seq: x.Seq, At: time.UnixMilli(x.At).UTC(), Show: x.Show, Kind: x.Kind, Body: x.Body}
	if !unhex(&e.Prev, x.Prev) || !unhex(&e.Hash, x.Hash) {
		return commerce.Entry{}, errors.New("a hash has 64 characters of 0-9 and a-f")
	}
	again, err := AppendLine(nil, &e)
	if err != nil {
		return commerce.Entry{}, err
	}
	if !bytes.Equal(again[:len(again)-1], line) {
		return commerce.Entry{}, errors.New("the line is not written as an export writes it")
	}
	return e, nil
}

func unhex(to *[sha256.Size]byte, s string) bool {
	n, err := hex.Decode(to[:], []byte(s[:min(len(s), 2*sha256.Size)]))
	return err == nil && n == sha256.Size && len(s) == 2*sha256.Size
}

// Verify replays an exported file. Its error is a *Broken where an entry is wrong, or says which line cannot be read or what
// the file lacks.
func Verify(file io.Reader) (Header, Report, error) {
	r := New()
	in := bufio.NewReaderSize(file, maxLine)
	var h Header
	first, err := in.ReadSlice('\n')
	if err == nil {
		err = json.Unmarshal(first, &h)
	}
	if err != nil || h.Form == 0 {
		return h, r.Report(), errors.New("this is no exported ledger: its first line does not say so")
	}
	if h.Form != 1 {
		return h, r.Report(), fmt.Errorf("an exported ledger of form %d; this program reads form 1", h.Form)
	}
	for n := 2; ; n++ {
		line, err := in.ReadSlice('\n')
		if errors.Is(err, io.EOF) && len(line) == 0 {
			break
		}
		if errors.Is(err, io.EOF) {
			return h, r.Report(), fmt.Errorf("line %d is cut off: the file is not whole", n)
		}
		if err != nil {
			return h, r.Report(), fmt.Errorf("line %d: %w", n, err)
		}
		e, err := ParseLine(line)
		if err != nil {
			return h, r.Report(), fmt.Errorf("line %d: %w", n, err)
		}
		if err := r.Add(e); err != nil {
			return h, r.Report(), err
		}
	}
	p := r.Report()
	switch {
	case p.Entries != h.Entries:
		return h, p, fmt.Errorf("the file has %d entries and its first line says %d", p.Entries, h.Entries)
	case hexHash(p.Hash) != h.Head:
		return h, p, errors.New("the last entry's hash is not the head that the first line names")
	}
	return h, p, nil
}
