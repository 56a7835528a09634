package relay

import (
	"slices"
	"testing"
	"time"
)

func lineOf(priorities ...int) (all []*destination) {
	for i, p := range priorities {
		d := &destination{id: string(rune('a' + i))}
		d.priority.Store(int64(p))
		d.order.Store(int64(i))
		all = append(all, d)
	}
	return all
}

func ids(all []*destination) (out string) {
	for _, d := range all {
		out += d.id
	}
	return out
}

// Several that fall behind together share a line that is too small: as many as it carries stay, by priority, and the rest is tried
// again later. One alone is the platform's own trouble.
func TestUplink(t *testing.T) {
	all := lineOf(0, 5, 5)
	now := time.Now()
	at := func(d time.Duration) time.Time { return now.Add(d) }
	run := func(lag time.Duration, kbps int, who ...*destination) (m []measured) {
		for _, d := range who {
			m = append(m, measured{d, lag, kbps})
		}
		return m
	}
	var u uplink
	alone := append(run(0, 6000, all[1:]...), measured{all[0], 5 * time.Second, 100})
	for i := range 10 {
		if shed, _ := u.share(at(time.Duration(i)*time.Second), 0, 6000, alone, nil); len(shed) > 0 {
			t.Fatal("left out for a platform's own trouble")
		}
	}
	u = uplink{}
	var shed []*destination
	n := 0
	for i := 0; len(shed) == 0 && i < 10; i, n = i+1, i {
		shed, _ = u.share(at(time.Duration(i)*time.Second), 0, 6000, run(3*time.Second, 3000, all...), nil)
	}
	if ids(shed) != "ca" || n < 2 {
		t.Errorf("left out %q after %d s", ids(shed), n)
	}
	if w := u.words(); w != "Your line carries 9 of 18 Mbit/s." {
		t.Error(w)
	}
	// The line is free now; after a while one comes back, the most important one.
	_, back := u.share(at(time.Minute), 0, 6000, run(0, 6000, all[1]), slices.Clone(shed))
	if len(back) > 0 {
		t.Error("back too early")
	}
	if _, back = u.share(at(lineRetry+10*time.Second), 0, 6000, run(0, 6000, all[1]), slices.Clone(shed)); ids(back) != "c" {
		t.Errorf("back: %q", ids(back))
	}
	// A line that is known: nobody has to suffer first, and when the encoder sends less, all are in again.
	u = uplink{}
	if shed, _ = u.share(now, 13_000, 6000, run(0, 6000, all...), nil); ids(shed) != "a" {
		t.Errorf("left out: %q", ids(shed))
	}
	if _, back = u.share(now, 13_000, 4000, run(0, 4000, all[1:]...), []*destination{all[0]}); len(back) > 0 {
		t.Error("in and out within a second")
	}
	if _, back = u.share(at(lineCalm), 13_000, 4000, run(0, 4000, all[1:]...), []*destination{all[0]}); ids(back) != "a" || u.words() != "" {
		t.Errorf("back: %q, %s", ids(back), u.words())
	}
	// Another figure holds at once, also without an encoder; without one nobody is left out any more.
	if shed, _ = u.share(at(lineCalm+time.Second), 6000, 4000, run(0, 4000, all...), nil); ids(shed) != "ca" {
		t.Errorf("left out for another figure: %q", ids(shed))
	}
	if _, back = u.share(at(lineCalm+2*time.Second), 0, 0, run(0, 4000, all[1]), slices.Clone(shed)); ids(back) != "ca" || u.words() != "" {
		t.Errorf("back without a figure: %q, %s", ids(back), u.words())
	}
}
