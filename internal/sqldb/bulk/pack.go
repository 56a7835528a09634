package bulk

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"sync"

	"hawker/internal/press"
)

// Packed rows are, for each form: its name, how many rows follow, and their values one after the other. Texts, bytes and the
// name are a length and as many bytes; lengths and counts are uvarints, numbers varints (package encoding/binary). The names
// of forms are for ever: a program must be able to read what an older one left. A form whose columns change gets another name.

// Pack appends rows to b.
func (r *Rows) Pack(b []byte) []byte {
	b = binary.AppendUvarint(b, uint64(len(r.Form.Name)))
	b = append(b, r.Form.Name...)
	b = binary.AppendUvarint(b, uint64(r.Len()))
	w := len(r.Form.Kinds)
	for at := 0; at < len(r.Vals); at += w {
		for i, k := range r.Form.Kinds {
			v := &r.Vals[at+i]
			if k == Number {
				b = binary.AppendVarint(b, v.N)
			} else {
				b = append(binary.AppendUvarint(b, uint64(len(v.S))), v.S...)
			}
		}
	}
	return b
}

// pressed begins packed rows that are pressed: no form's name is empty.
const pressed = 0

// pressFrom is from how many bytes on rows are worth pressing, mostPressed how many they may be.
const (
	pressFrom   = 1 << 10
	mostPressed = 1 << 28
)

// Packer packs rows and makes them smaller, mostly to a fifth: what the database copies, logs and syncs of a byte costs more than
// that. Its memory is used again and again. It may be used by many goroutines.
type Packer struct{ scratch sync.Pool }

// packing is the memory of one that packs.
type packing struct {
	press press.Press
	plain []byte
}

// Pack packs rows of any number of forms, one after the other.
func (p *Packer) Pack(all []*Rows) []byte {
	mem, _ := p.scratch.Get().(*packing)
	if mem == nil {
		mem = &packing{press: press.Press{Mark: pressed, From: pressFrom, Most: mostPressed}}
	}
	defer p.scratch.Put(mem)
	mem.plain = mem.plain[:0]
	for _, r := range all {
		mem.plain = r.Pack(mem.plain)
	}
	return mem.press.Record(mem.plain)
}

var errCut = errors.New("packed rows end too early")

// Unpack reads rows that Pack wrote, of any number of forms, pressed or not. find knows a form by its name, or returns nil.
func Unpack(b []byte, find func(name string) *Form) ([]*Rows, error) {
	b, err := press.Undo(b, pressed, mostPressed)
	if err != nil {
		return nil, err
	}
	var out []*Rows
	text := func() (string, bool) {
		n, k := binary.Uvarint(b)
		if k <= 0 || n > uint64(len(b)-k) {
			return "", false
		}
		s := string(b[k : k+int(n)])
		b = b[k+int(n):]
		return s, true
	}
	for len(b) > 0 {
		name, ok := text()
		if !ok {
			return nil, errCut
		}
		f := find(name)
		if f == nil {
			return nil, fmt.Errorf("packed rows are for %q, which this program does not know", name)
		}
		count, k := binary.Uvarint(b)
		if k <= 0 || count > math.MaxInt32 || count*uint64(len(f.Kinds)) > uint64(len(b)-k) { // a value is a byte at least
			return nil, errCut
		}
		b = b[k:]
		r := &Rows{Form: f, Vals: make([]Value, 0, int(count)*len(f.Kinds))}
		for range count {
			for _, kind := range f.Kinds {
				if kind == Number {
					n, k := binary.Varint(b)
					if k <= 0 {
						return nil, errCut
					}
					b = b[k:]
					r.Add(Value{N: n})
				} else if s, ok := text(); ok {
					r.Add(Value{S: s})
				} else {
					return nil, errCut
				}
			}
		}
		out = append(out, r)
	}
	return out, nil
}
