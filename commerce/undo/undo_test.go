package undo_test

import (
	"maps"
	"reflect"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"hawker/commerce/undo"
)

// Whatever was put where, taking it back leaves the maps as they were.
func TestBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		key := rapid.IntRange(0, 4)
		values, lists := map[int]int{}, map[int][]int{}
		var log undo.Log
		change := func(n int) {
			for range n {
				k, v := key.Draw(t, "key"), rapid.IntRange(0, 9).Draw(t, "value")
				undo.Put(&log, values, k, v)
				list := undo.With(lists[k], v)
				if !rapid.Bool().Draw(t, "in") {
					list = undo.Without(lists[k], v)
				}
				undo.List(&log, lists, k, list)
				if got, ok := values[k]; ok != (v != 0) || got != v {
					t.Fatalf("Put(%d, %d) leaves %d, %v", k, v, got, ok)
				}
				if got, ok := lists[k]; ok != (len(list) > 0) || !slices.Equal(got, list) || !slices.IsSorted(got) {
					t.Fatalf("List(%d, %v) leaves %v, %v", k, list, got, ok)
				}
			}
		}
		change(rapid.IntRange(0, 20).Draw(t, "before"))
		log.Clear()
		wasValues, wasLists := maps.Clone(values), map[int][]int{}
		for k, l := range lists {
			wasLists[k] = slices.Clone(l)
		}
		n := rapid.IntRange(0, 20).Draw(t, "changes")
		if change(n); log.Len() != 2*n {
			t.Fatalf("%d changes are noted as %d", 2*n, log.Len())
		}
		log.Back()
		if !maps.Equal(values, wasValues) || !reflect.DeepEqual(lists, wasLists) || log.Len() != 0 {
			t.Fatalf("%v and %v; they were %v and %v", values, lists, wasValues, wasLists)
		}
	})
}

func TestLists(t *testing.T) {
	list := []int{1, 3, 5}
	for x, want := range map[int][2][]int{0: {{0, 1, 3, 5}, {1, 3, 5}}, 1: {{1, 3, 5}, {3, 5}}, 4: {{1, 3, 4, 5}, {1, 3, 5}}, 5: {{1, 3, 5}, {1, 3}}, 9: {{1, 3, 5, 9}, {1, 3, 5}}} {
		if in, out := undo.With(list, x), undo.Without(list, x); !slices.Equal(in, want[0]) || !slices.Equal(out, want[1]) || !slices.Equal(list, []int{1, 3, 5}) {
			t.Errorf("%d: with %v, without %v; list is %v", x, in, out, list)
		}
	}
}
