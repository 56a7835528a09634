// Package byhash has a map for a crowd: many keys that are strings, most of them new and asked for a few times. Go's own map reads
// every key again each time it grows, and each key is somewhere else in memory; here the part that grows holds numbers only.
package byhash

import (
	"hash/maphash"
	"iter"
)

// Map is a map from K to V. Values stay where they are until they are deleted, so that pointers to them can be kept. The zero value is
// not ready, New is. It is not safe for two goroutines.
type Map[K comparable, V any] struct {
	seed   maphash.Seed
	newest map[uint64]uint32 // the number of a hash's newest node, from 1 on
	blocks [][]node[K, V]
	last   uint32 // number of the last node that was ever used
	free   uint32 // the first of those that are free again; each knows the next
	n      int
}

type node[K comparable, V any] struct {
	key   K
	next  uint32 // of the same hash, or free; 0 for none
	used  bool
	value V
}

// blockLen is how many nodes are made at once.
const blockLen = 256

// New is an empty Map.
func New[K comparable, V any]() *Map[K, V] {
	return &Map[K, V]{seed: maphash.MakeSeed(), newest: map[uint64]uint32{}}
}

// Len is how many keys there are.
func (m *Map[K, V]) Len() int { return m.n }

// Get is the value of a key, nil when there is none.
func (m *Map[K, V]) Get(k K) *V { return m.find(k, maphash.Comparable(m.seed, k)) }

func (m *Map[K, V]) find(k K, hash uint64) *V {
	for i := m.newest[hash]; i != 0; {
		x := m.node(i)
		if x.key == k {
			return &x.value
		}
		i = x.next
	}
	return nil
}

// Put is the value of a key, which is made when there is none.
func (m *Map[K, V]) Put(k K) (v *V, made bool) {
	hash := maphash.Comparable(m.seed, k)
	if v := m.find(k, hash); v != nil {
		return v, false
	}
	return m.put(k, hash), true
}

func (m *Map[K, V]) put(k K, hash uint64) *V {
	i := m.free
	if i != 0 {
		m.free = m.node(i).next
	} else {
		if m.last%blockLen == 0 {
			m.blocks = append(m.blocks, make([]node[K, V], blockLen))
		}
		m.last++
		i = m.last
	}
	x := m.node(i)
	*x = node[K, V]{key: k, next: m.newest[hash], used: true}
	m.newest[hash] = i
	m.n++
	return &x.value
}

// node is the node of a number from 1 to last.
func (m *Map[K, V]) node(i uint32) *node[K, V] { return &m.blocks[(i-1)/blockLen][(i-1)%blockLen] }

// Delete takes a key out, if it is there. Its value is another's from the next Put on.
func (m *Map[K, V]) Delete(k K) { m.delete(k, maphash.Comparable(m.seed, k)) }

func (m *Map[K, V]) delete(k K, hash uint64) {
	var before *node[K, V]
	for i := m.newest[hash]; i != 0; {
		x := m.node(i)
		if x.key != k {
			before, i = x, x.next
			continue
		}
		switch {
		case before != nil:
			before.next = x.next
		case x.next != 0:
			m.newest[hash] = x.next
		default:
			delete(m.newest, hash)
		}
		*x = node[K, V]{next: m.free}
		m.free = i
		m.n--
		return
	}
}

// All are all keys with their values, in no order. The key at hand may be deleted meanwhile.
func (m *Map[K, V]) All() iter.Seq2[K, *V] {
	return func(yield func(K, *V) bool) {
		for i := uint32(1); i <= m.last; i++ {
			if x := m.node(i); x.used && !yield(x.key, &x.value) {
				return
			}
		}
	}
}
