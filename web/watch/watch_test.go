package watch_test

import (
	"testing"

	"hawker/web/watch"
)

func TestWatchers(t *testing.T) {
	var w watch.Watchers
	w.Tell(1) // nobody watches
	told := map[string]int{}
	note := func(who string) func() { return func() { told[who]++ } }
	stopA, stopB := w.Add(1, note("a")), w.Add(1, note("b"))
	defer w.Add(2, note("other"))()
	w.Tell(1)
	stopA()
	stopA() // twice does nothing
	w.Tell(1)
	stopB()
	w.Tell(1)
	w.Add(1, note("c"))
	w.Tell(1)
	if told["a"] != 1 || told["b"] != 2 || told["c"] != 1 || told["other"] != 0 {
		t.Errorf("told %v", told)
	}
}
