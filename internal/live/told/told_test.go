package told

import (
	"slices"
	"testing"

	"hawker/commerce"
)

func TestTold(t *testing.T) {
	var x Told
	if x.Add(0, false) || x.Waiting() {
		t.Error("no hold is noted")
	}
	if !x.Add(1, true) || x.Add(2, false) || x.Add(3, true) || !x.Waiting() {
		t.Error("the first that is noted, and only that, says so")
	}
	a, b := x.Take()
	if !slices.Equal(a, []commerce.ID{1, 3}) || !slices.Equal(b, []commerce.ID{2}) || x.Waiting() {
		t.Errorf("%v, %v", a, b)
	}
	if !x.Add(4, false) {
		t.Error("after it was taken the next is the first")
	}
}
