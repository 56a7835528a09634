// Package id names rows: numbers that sort by the time of their making. It keeps no state; what must be unique is told by
// whoever stores it.
package id

import (
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"strconv"
	"time"
)

// ID names a row of ours: 41 bits of milliseconds since 2026-01-01 UTC above 22 random bits. IDs sort by time of
// making. They are strings in JSON and addresses, because JavaScript cannot hold 63 bits.
type ID int64

var epoch = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC).UnixMilli()

// New makes an ID at time now. Two made in one millisecond differ by chance only (1 in 4 million); the database's
// primary key tells, and the caller makes another.
func New(now time.Time) ID {
	var b [4]byte
	_, _ = rand.Read(b[:]) // never fails (crypto/rand)
	return ID((now.UnixMilli()-epoch)<<22 | int64(binary.BigEndian.Uint32(b[:])>>10))
}

// Parse reads what String writes.
func Parse(s string) (ID, error) {
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || n <= 0 {
		return 0, fmt.Errorf("id %q: not a positive number", s)
	}
	return ID(n), nil
}

func (id ID) String() string { return strconv.FormatInt(int64(id), 10) }

// MarshalText makes an ID a string in JSON.
func (id ID) MarshalText() ([]byte, error) { return []byte(id.String()), nil }

// UnmarshalText reads what MarshalText writes; "0" and empty are no ID.
func (id *ID) UnmarshalText(b []byte) error {
	if len(b) == 0 || string(b) == "0" {
		*id = 0
		return nil
	}
	v, err := Parse(string(b))
	*id = v
	return err
}
