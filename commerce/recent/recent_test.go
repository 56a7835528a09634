package recent

import (
	"hash/maphash"
	"strconv"
	"testing"
	"time"

	"pgregory.net/rapid"

	"hawker/commerce/ledger"
	"hawker/internal/chat"
)

func key(n int) ledger.Key { return ledger.Key{Platform: chat.Twitch, Message: strconv.Itoa(n)} }

func TestMemory(t *testing.T) {
	m := New[int](time.Minute)
	now := time.Unix(1_000_000, 0)
	for n := range 1000 {
		m.Put(key(n), n, now)
	}
	m.Put(key(7), 70, now.Add(time.Second))
	for n := range 1000 {
		want := n
		if n == 7 {
			want = 70
		}
		if got, ok := m.Get(key(n)); !ok || got != want {
			t.Fatalf("%d is %d, %v", n, got, ok)
		}
	}
	if _, ok := m.Get(ledger.Key{Platform: chat.Twitch, Message: "7", Part: 1}); ok {
		t.Error("another part is known")
	}
	for n := range 1000 { // each lets a few old ones go
		m.Put(key(1000+n), n, now.Add(2*time.Minute))
	}
	if m.next-m.first != 1000 || len(m.newest) != 1000 || len(m.blocks) > 1000/blockLen+2 {
		t.Errorf("%d are remembered, %d indexed, in %d blocks", m.next-m.first, len(m.newest), len(m.blocks))
	}
	if _, ok := m.Get(key(999)); ok {
		t.Error("an old one is known still")
	}
}

// TestCollision has every key of one hash.
func TestCollision(t *testing.T) {
	m := New[int](time.Minute)
	now := time.Unix(1_000_000, 0)
	for n := range 20 {
		m.add(entry[int]{key: key(n), hash: 5, at: now.UnixNano(), value: n})
	}
	for range 10 {
		m.drop()
	}
	for n := range 20 {
		if e := m.find(key(n), 5); (e != nil) != (n >= 10) || e != nil && e.value != n {
			t.Errorf("%d: %v", n, e)
		}
	}
	for range 10 {
		m.drop()
	}
	if m.find(key(19), 5) != nil || len(m.newest) != 0 {
		t.Error("something is left")
	}
}

// TestAgainstMap has the memory know what a map knows that keeps everything, of what is not too old.
func TestAgainstMap(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		m, model, came := New[int](time.Minute), map[ledger.Key]int{}, map[ledger.Key]time.Time{}
		now := time.Unix(1_000_000, 0)
		for n := range rapid.IntRange(1, 300).Draw(rt, "steps") {
			now = now.Add(time.Duration(rapid.IntRange(0, 2000).Draw(rt, "ms")) * time.Millisecond)
			k := key(rapid.IntRange(0, 40).Draw(rt, "key"))
			if _, ok := m.Get(k); !ok {
				came[k] = now
			}
			m.Put(k, n, now)
			model[k] = n
			for k, v := range model {
				got, ok := m.Get(k)
				if ok && got != v || !ok && now.Sub(came[k]) <= time.Minute {
					rt.Fatalf("%v is %d, %v; want %d", k, got, ok, v)
				}
			}
		}
	})
}

func BenchmarkPut(b *testing.B) {
	m := New[*int](10 * time.Minute)
	now, v := time.Unix(1_000_000, 0), new(int)
	for n := 0; b.Loop(); n++ {
		m.Put(ledger.Key{Platform: chat.Twitch, Message: "0b5eb6f0-27f0-4d4c-8c0a-" + strconv.Itoa(n)}, v, now)
	}
}

func BenchmarkHash(b *testing.B) {
	seed, k := maphash.MakeSeed(), ledger.Key{Platform: chat.Twitch, Message: "0b5eb6f0-27f0-4d4c-8c0a-000000000000"}
	for b.Loop() {
		maphash.Comparable(seed, k)
	}
}
