package byhash

import (
	"fmt"
	"maps"
	"strconv"
	"testing"

	"pgregory.net/rapid"
)

type who struct{ platform, id string }

func TestMap(t *testing.T) {
	m := New[who, int]()
	for i := range 1000 {
		v, made := m.Put(who{"twitch", strconv.Itoa(i)})
		if !made || *v != 0 {
			t.Fatalf("%d: %d, %v", i, *v, made)
		}
		*v = i
	}
	kept := m.Get(who{"twitch", "7"})
	for i := range 1000 {
		if v, made := m.Put(who{"twitch", strconv.Itoa(i)}); made || *v != i {
			t.Fatalf("%d: %d, %v", i, *v, made)
		}
	}
	if m.Get(who{"youtube", "7"}) != nil {
		t.Error("somebody is there who never came")
	}
	for k := range m.All() {
		if k.id != "7" {
			m.Delete(k)
		}
	}
	if m.Len() != 1 || len(m.newest) != 1 || m.Get(who{"twitch", "7"}) != kept || *kept != 7 {
		t.Errorf("%d are left", m.Len())
	}
	for i := range 999 { // the room of those that left is used again
		m.Put(who{"discord", strconv.Itoa(i)})
	}
	if m.last != 1000 || m.Len() != 1000 {
		t.Errorf("%d nodes for %d", m.last, m.Len())
	}
}

// TestAgainstMap compares with Go's map, with so few hashes that keys share them.
func TestAgainstMap(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		m, model := New[int, int](), map[int]int{}
		hashes := rapid.SampledFrom([]int{1, 3, 50}).Draw(rt, "hashes")
		hash := func(k int) uint64 { return uint64(k % hashes) }
		for n := range rapid.IntRange(1, 200).Draw(rt, "steps") {
			k := rapid.IntRange(0, 30).Draw(rt, "key")
			if rapid.IntRange(0, 2).Draw(rt, "what") == 0 {
				m.delete(k, hash(k))
				delete(model, k)
			} else {
				v := m.find(k, hash(k))
				if v == nil {
					v = m.put(k, hash(k))
				}
				*v, model[k] = n, n
			}
			got := map[int]int{}
			for k, v := range m.All() {
				got[k] = *v
			}
			if !maps.Equal(got, model) || m.Len() != len(model) {
				rt.Fatalf("%v, want %v", got, model)
			}
			for k, v := range model {
				if x := m.find(k, hash(k)); x == nil || *x != v {
					rt.Fatalf("%d is not found", k)
				}
			}
		}
	})
}

func keys(n int) []who {
	all := make([]who, n)
	for i := range all {
		all[i] = who{"twitch", fmt.Sprintf("%08x%08x", i*2654435761, i*40503)}
	}
	return all
}

// BenchmarkCrowd is half a million viewers who come one after the other and are asked for twice.
func BenchmarkCrowd(b *testing.B) {
	all := keys(500_000)
	b.Run("byhash", func(b *testing.B) {
		for b.Loop() {
			m := New[who, [4]int]()
			for _, k := range all {
				m.Put(k)
				m.Get(k)
			}
		}
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(len(all)), "ns/key")
	})
	b.Run("map", func(b *testing.B) {
		for b.Loop() {
			m := map[who]*[4]int{}
			for _, k := range all {
				if m[k] == nil {
					m[k] = &[4]int{}
				}
				_ = m[k]
			}
		}
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(len(all)), "ns/key")
	})
}
