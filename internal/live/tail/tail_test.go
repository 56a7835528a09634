package tail

import (
	"slices"
	"testing"
)

func TestTail(t *testing.T) {
	x := Tail[int]{N: 3}
	for i, want := range [][]int{{0}, {0, 1}, {0, 1, 2}, {1, 2, 3}, {2, 3, 4}} {
		if x.Add(i); !slices.Equal(x.List(), want) {
			t.Errorf("after %d: %v, want %v", i, x.List(), want)
		}
	}
}
