package shop

import (
	"testing"
	"testing/synctest"
	"time"
)

// A reading that is asked for in a while is made, although another comes before it.
func TestHints(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var w Worker
		now := time.Now()
		want := func(at time.Time) {
			t.Helper()
			if !w.hint.Equal(at) {
				t.Errorf("the next reading is at %s, want %s", w.hint, at)
			}
		}
		w.HintStock(now.Add(6 * time.Second)) // a payment came
		w.HintStock(now)                      // the host adds pieces
		w.HintStock(now.Add(7 * time.Second)) // the store tells of them
		want(now)
		w.hinted()
		want(now.Add(7 * time.Second))
		w.hinted() // the usual reading; it is too early for the hint
		want(now.Add(7 * time.Second))
		time.Sleep(7 * time.Second)
		w.hinted()
		want(time.Time{})
	})
}
