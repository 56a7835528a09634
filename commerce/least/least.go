// Package least picks the least of many without sorting all of them.
package least

import "slices"

// Of is the Most least of what was added, by Compare. Set the fields, then Add.
type Of[T any] struct {
	Most    int
	Compare func(a, b T) int

	all []T
	n   int
}

// Add takes another one.
func (o *Of[T]) Add(x T) {
	o.n++
	if o.all = append(o.all, x); len(o.all) == 4*o.Most {
		o.sort()
	}
}

// All are the least, in order. more is how many others there were. The list is the Of's.
func (o *Of[T]) All() (all []T, more int) {
	o.sort()
	return o.all, o.n - len(o.all)
}

func (o *Of[T]) sort() {
	slices.SortFunc(o.all, o.Compare)
	o.all = o.all[:min(len(o.all), o.Most)]
}
