package bulk

import (
	"encoding/binary"

	"github.com/jackc/pgx/v5/pgtype"
)

// Array is one column of all rows as a PostgreSQL array in binary form: one dimension, no nulls (array_recv).
func (r *Rows) Array(c int) []byte {
	w, count := len(r.Form.Kinds), r.Len()
	kind := r.Form.Kinds[c]
	size := 20 + 12*count
	if kind != Number {
		for i := range count {
			size += len(r.Vals[i*w+c].S)
		}
	}
	out := make([]byte, 0, size)
	oid := [...]uint32{pgtype.Int8OID, pgtype.TextOID, pgtype.ByteaOID}[kind]
	for _, n := range [...]uint32{1, 0, oid, uint32(count), 1} {
		out = binary.BigEndian.AppendUint32(out, n)
	}
	for i := range count {
		v := &r.Vals[i*w+c]
		if kind == Number {
			out = binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint32(out, 8), uint64(v.N))
		} else {
			out = append(binary.BigEndian.AppendUint32(out, uint32(len(v.S))), v.S...)
		}
	}
	return out
}

// Arrays are the columns of all rows.
func (r *Rows) Arrays() [][]byte {
	out := make([][]byte, len(r.Form.Kinds), len(r.Form.Kinds)+1)
	for c := range out {
		out[c] = r.Array(c)
	}
	return out
}
