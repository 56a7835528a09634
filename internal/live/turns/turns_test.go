package turns

import (
	"context"
	"testing"
	"testing/synctest"
	"time"
)

func TestOneAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var x Turns
		at, most, began := 0, 0, time.Now()
		for range 5 {
			go func() {
				leave, err := x.Enter(t.Context(), 1)
				if err != nil {
					t.Error(err)
					return
				}
				at++
				most = max(most, at)
				time.Sleep(time.Second)
				at--
				leave()
			}()
		}
		synctest.Wait()
		leave, err := x.Enter(t.Context(), 2)
		if err != nil || time.Since(began) != 0 {
			t.Errorf("another thing waited %v, %v", time.Since(began), err)
		}
		ctx, stop := context.WithTimeout(t.Context(), time.Second)
		defer stop()
		if _, err := x.Enter(ctx, 2); err == nil {
			t.Error("two are at one thing")
		}
		leave()
		time.Sleep(time.Minute)
		synctest.Wait()
		if most != 1 || len(x.busy) != 0 {
			t.Errorf("%d were at one thing, %d are remembered", most, len(x.busy))
		}
	})
}
