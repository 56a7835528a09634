package least

import (
	"cmp"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

func TestOf(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		in := rapid.SliceOf(rapid.Int()).Draw(t, "in")
		o := Of[int]{Most: rapid.IntRange(1, 5).Draw(t, "most"), Compare: cmp.Compare[int]}
		for _, x := range in {
			o.Add(x)
		}
		got, more := o.All()
		want := slices.Sorted(slices.Values(in))
		if n := min(len(want), o.Most); !slices.Equal(got, want[:n]) || more != len(want)-n {
			t.Fatalf("%v and %d more of %v", got, more, want)
		}
	})
}
