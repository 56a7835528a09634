// Package recent remembers what became of the messages of the last minutes, so that one that comes again is answered as before without
// asking the database. In a rush every line is new and is looked up once, so the index holds hashes only: a map of keys would read
// every key again whenever it grows.
package recent

import (
	"hash/maphash"
	"time"

	"hawker/commerce/ledger"
)

// Memory is what became of messages, by key. New makes one. It is not safe for two goroutines.
type Memory[T any] struct {
	keep   time.Duration
	seed   maphash.Seed
	newest map[uint64]int // number of the newest entry of a hash
	blocks [][]entry[T]   // entries in the order in which they came, from number first on
	first  int
	next   int // number of the next entry
}

type entry[T any] struct {
	key    ledger.Key
	hash   uint64
	at     int64 // unix ns
	before int   // number of the next older entry of the hash, -1 for none
	value  T
}

// blockLen is how many entries are let go of together.
const blockLen = 256

// dropMost bounds how many old entries go with each new one.
const dropMost = 8

// New makes a Memory that keeps what is not older than keep.
func New[T any](keep time.Duration) *Memory[T] {
	return &Memory[T]{keep: keep, seed: maphash.MakeSeed(), newest: map[uint64]int{}}
}

// Get is what became of a message; false when nothing is known of it.
func (m *Memory[T]) Get(k ledger.Key) (T, bool) {
	if e := m.find(k, maphash.Comparable(m.seed, k)); e != nil {
		return e.value, true
	}
	var none T
	return none, false
}

// Put remembers what became of a message at a time, or something else of one that is known. It lets a few go that are too old.
func (m *Memory[T]) Put(k ledger.Key, value T, at time.Time) {
	h := maphash.Comparable(m.seed, k)
	if e := m.find(k, h); e != nil {
		e.value = value
	} else {
		m.add(entry[T]{key: k, hash: h, at: at.UnixNano(), value: value})
	}
	old := at.Add(-m.keep).UnixNano()
	for n := 0; n < dropMost && m.first < m.next && m.entry(m.first).at < old; n++ {
		m.drop()
	}
}

func (m *Memory[T]) find(k ledger.Key, hash uint64) *entry[T] {
	i, ok := m.newest[hash]
	for ok && i >= m.first {
		e := m.entry(i)
		if e.key == k {
			return e
		}
		i = e.before
	}
	return nil
}

func (m *Memory[T]) add(e entry[T]) {
	e.before = -1
	if i, ok := m.newest[e.hash]; ok {
		e.before = i
	}
	if last := len(m.blocks) - 1; last < 0 || len(m.blocks[last]) == blockLen {
		m.blocks = append(m.blocks, make([]entry[T], 0, blockLen))
	}
	last := len(m.blocks) - 1
	m.blocks[last] = append(m.blocks[last], e)
	m.newest[e.hash] = m.next
	m.next++
}

// entry is the entry of a number from first to before next.
func (m *Memory[T]) entry(i int) *entry[T] {
	return &m.blocks[i/blockLen-m.first/blockLen][i%blockLen]
}

// drop lets the oldest entry go.
func (m *Memory[T]) drop() {
	e := m.entry(m.first)
	if m.newest[e.hash] == m.first {
		delete(m.newest, e.hash)
	}
	*e = entry[T]{}
	if m.first++; m.first%blockLen == 0 {
		m.blocks[0] = nil
		m.blocks = m.blocks[1:]
	}
}
