package bulk

import (
	"encoding/binary"
	"slices"
)

// Merge makes one statement of all rows of a form. order has the forms as they are to run: what adds rows before what changes
// or takes them away. Of several changes of one row one is left; a row that is added and taken away again is never written.
func Merge(order []*Form, batches [][]*Rows) []*Rows {
	sizes := make(map[*Form]int, len(order))
	for _, batch := range batches {
		for _, r := range batch {
			sizes[r.Form] += len(r.Vals)
		}
	}
	all := make(map[*Form]*Rows, len(sizes))
	for _, batch := range batches {
		for _, r := range batch {
			m := all[r.Form]
			if m == nil {
				m = &Rows{Form: r.Form, Vals: make([]Value, 0, sizes[r.Form])}
				all[r.Form] = m
			}
			m.Vals = append(m.Vals, r.Vals...)
		}
	}
	for f, r := range all {
		if f.verb == deletes {
			r.undo(all)
		}
	}
	var out []*Rows
	for _, f := range order {
		r := all[f]
		if r == nil {
			continue
		}
		if f.verb == updates {
			r.last()
		}
		if r.Len() > 0 {
			out = append(out, r)
		}
	}
	return out
}

// undo leaves out of all what the rows of r take away.
func (r *Rows) undo(all map[*Form]*Rows) {
	gone := make(map[string]bool, r.Len())
	for i := range r.Len() {
		gone[r.keyOf(i, r.Form.key)] = true
	}
	for f, x := range all {
		if f.table != r.Form.table || f.verb == deletes {
			continue
		}
		key := make([]int, len(r.Form.key))
		for i, c := range r.Form.key {
			key[i] = slices.Index(f.names, r.Form.names[c])
		}
		if slices.Contains(key, -1) {
			continue
		}
		x.keep(func(i int) bool { return !gone[x.keyOf(i, key)] })
	}
}

// last leaves of several changes of one row the last, or the greatest.
func (r *Rows) last() {
	last := make(map[string]int, r.Len())
	for i := range r.Len() {
		k := r.keyOf(i, r.Form.key)
		if was, ok := last[k]; !ok || !r.Form.raises || r.Vals[i*len(r.Form.Kinds)].N > r.Vals[was*len(r.Form.Kinds)].N {
			last[k] = i
		}
	}
	if len(last) < r.Len() {
		r.keep(func(i int) bool { return last[r.keyOf(i, r.Form.key)] == i })
	}
}

// keep leaves the rows that want wants.
func (r *Rows) keep(want func(i int) bool) {
	w, left := len(r.Form.Kinds), r.Vals[:0:0]
	for i := range r.Len() {
		if want(i) {
			left = append(left, r.Vals[i*w:(i+1)*w]...)
		}
	}
	r.Vals = left
}

// keyOf is the columns key of row i as one string.
func (r *Rows) keyOf(i int, key []int) string {
	w := len(r.Form.Kinds)
	var b []byte
	for _, c := range key {
		v := &r.Vals[i*w+c]
		b = binary.AppendVarint(b, v.N)
		b = append(binary.AppendUvarint(b, uint64(len(v.S))), v.S...)
	}
	return string(b)
}
