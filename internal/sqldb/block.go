package sqldb

import (
	"bytes"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strconv"

	"hawker/commerce"
	"hawker/internal/sqldb/stored"
)

// A batch's ledger entries are one row, because a row costs more than what is in it. The row has kind "block", version 2, the
// seq of its last entry, the prev of its first and the hash of its last. Its body is a line for each entry:
//
//	seq TAB at_ms TAB show_id TAB kind TAB hash in hexadecimal TAB body LF
//
// Rows of version 1, from before blocks, are one entry each.
const (
	blockKind    = "block"
	blockVersion = 2
)

// packEntries makes a block's body.
func packEntries(entries []commerce.Entry) []byte {
	size := 0
	for i := range entries {
		size += 140 + len(entries[i].Body)
	}
	out := make([]byte, 0, size)
	for i := range entries {
		e := &entries[i]
		out = strconv.AppendInt(out, e.Seq, 10)
		out = append(out, '\t')
		out = strconv.AppendInt(out, stored.MS(e.At), 10)
		out = append(out, '\t')
		out = strconv.AppendInt(out, int64(e.Show), 10)
		out = append(out, '\t')
		out = append(out, e.Kind...)
		out = append(out, '\t')
		out = hex.AppendEncode(out, e.Hash[:])
		out = append(out, '\t')
		out = append(out, e.Body...)
		out = append(out, '\n')
	}
	return out
}

// unpackEntries reads a block's body; prev is the hash before its first entry.
func unpackEntries(body, prev []byte) ([]commerce.Entry, error) {
	var out []commerce.Entry
	var from [32]byte
	copy(from[:], prev)
	for line := range bytes.Lines(body) {
		f := bytes.SplitN(bytes.TrimSuffix(line, []byte("\n")), []byte("\t"), 6)
		if len(f) != 6 {
			return out, fmt.Errorf("ledger block: a line of %d fields", len(f))
		}
		e := commerce.Entry{Kind: string(f[3]), Body: json.RawMessage(f[5]), Prev: from}
		var at, show int64
		for i, to := range []*int64{&e.Seq, &at, &show} {
			var err error
			if *to, err = strconv.ParseInt(string(f[i]), 10, 64); err != nil {
				return out, fmt.Errorf("ledger block: %w", err)
			}
		}
		if n, err := hex.Decode(e.Hash[:], f[4][:min(len(f[4]), 64)]); err != nil || n != len(e.Hash) {
			return out, fmt.Errorf("ledger block: entry %d has no hash", e.Seq)
		}
		e.At, e.Show, from = stored.Time(at), commerce.ID(show), e.Hash
		out = append(out, e)
	}
	return out, nil
}

// ledgerColumns are the columns that scanBlock reads.
const ledgerColumns = `seq, at_ms, show_id, kind, v, body, prev, hash`

// scanBlock reads the entries of one row of the ledger.
func scanBlock(r *sql.Rows) ([]commerce.Entry, error) {
	var e commerce.Entry
	var at int64
	var version int
	var body, prev, hash []byte
	if err := r.Scan(&e.Seq, &at, &e.Show, &e.Kind, &version, &body, &prev, &hash); err != nil {
		return nil, err
	}
	if version == blockVersion {
		return unpackEntries(body, prev)
	}
	e.At, e.Body = stored.Time(at), body
	copy(e.Prev[:], prev)
	copy(e.Hash[:], hash)
	return []commerce.Entry{e}, nil
}
