package relay

import (
	"cmp"
	"fmt"
	"slices"
	"time"
)

const (
	// Several destinations that are behind by lineBehind at once for lineFor share a line that is too small.
	lineBehind = 1500 * time.Millisecond
	lineFor    = 3 * time.Second
	// After lineRetry one of those that were left out is tried again, and twice as late each time that fails.
	lineRetry    = 2 * time.Minute
	maxDoublings = 5
	// lineCalm is how long after a change the next one may come, where what the line carries is known: an encoder's rate is
	// never quite even.
	lineCalm = 10 * time.Second
)

// uplink is what is known of the line that all destinations share.
type uplink struct {
	short   time.Time // since when several are behind; zero while none are
	carries int       // kbit/s, as measured when it was too small; 0 before
	wanted  int       // kbit/s, what all would have taken
	since   time.Time
	again   time.Time // when to try with one more
	tries   int
	known   int // kbit/s, as somebody has said; 0 when nobody has
}

// measured is one destination in the eyes of its line.
type measured struct {
	d    *destination
	lag  time.Duration
	kbps int
}

// share looks at the line once a second and decides who is left out. It returns who is to go and who may come back.
func (u *uplink) share(now time.Time, known, ingest int, running []measured, out []*destination) (shed, back []*destination) {
	if known != u.known {
		was := u.known
		*u = uplink{known: known} // what another figure led to holds no longer, and the new one holds at once
		if known == 0 && was > 0 {
			return nil, out
		}
	}
	if ingest == 0 {
		return nil, nil
	}
	wanted := ingest * (len(running) + len(out))
	if known > 0 {
		u.carries, u.wanted = known, wanted
		if now.Sub(u.since) < lineCalm {
			return nil, nil
		}
		if shed, back = u.fit(known, ingest, running, out); len(shed)+len(back) > 0 {
			u.since = now
		}
		return shed, back
	}
	behind, sum := 0, 0
	for _, m := range running {
		sum += m.kbps
		if m.lag > lineBehind {
			behind++
		}
	}
	switch {
	case behind < 2 || sum >= ingest*len(running)*9/10: // one alone is the platform's own trouble
		u.short = time.Time{}
	case u.short.IsZero():
		u.short = now
	case now.Sub(u.short) >= lineFor:
		u.short, u.carries, u.wanted, u.since = time.Time{}, sum, wanted, now
		u.again = now.Add(lineRetry << min(u.tries, maxDoublings))
		u.tries++
		return u.fit(sum, ingest, running, nil)
	}
	if len(out) > 0 && now.After(u.again) && !u.again.IsZero() {
		u.again = now.Add(lineRetry << min(u.tries, maxDoublings))
		return nil, best(out)[:1]
	}
	if len(out) == 0 && u.tries > 0 && now.Sub(u.since) > lineRetry<<min(u.tries, maxDoublings) {
		*u = uplink{} // all have gone well for long
	}
	return nil, nil
}

// fit keeps as many as the line carries, the most important ones.
func (u *uplink) fit(line, ingest int, running []measured, out []*destination) (shed, back []*destination) {
	var all []*destination
	for _, m := range running {
		all = append(all, m.d)
	}
	all = best(append(all, out...))
	keep := min(max(line/ingest, 1), len(all))
	for i, d := range all {
		switch was := slices.Contains(out, d); {
		case i < keep && was:
			back = append(back, d)
		case i >= keep && !was:
			shed = append(shed, d)
		}
	}
	return shed, back
}

// best orders destinations by their priority; those of the same stay in the order in which they were named.
func best(all []*destination) []*destination {
	slices.SortStableFunc(all, func(a, b *destination) int {
		return cmp.Or(cmp.Compare(b.priority.Load(), a.priority.Load()), cmp.Compare(a.order.Load(), b.order.Load()))
	})
	return all
}

// words say what the line does; "" while it carries all.
func (u *uplink) words() string {
	if u.carries == 0 || u.carries >= u.wanted {
		return ""
	}
	mbit := func(kbps int) string { return fmt.Sprintf("%.3g", float64(kbps)/1000) }
	return "Your line carries " + mbit(u.carries) + " of " + mbit(u.wanted) + " Mbit/s."
}

// balance lets the line decide who is sent to. The stream calls it every second.
func (st *stream) balance(now time.Time) {
	st.mu.Lock()
	ingest := 0
	if in := st.ins[st.live]; in != nil {
		ingest = in.facts.kbps()
	}
	var running []measured
	var out []*destination
	for _, d := range st.dests {
		switch s := d.status(); {
		case d.shed.Load():
			out = append(out, d)
		case s.State == Live || s.State == StateStall:
			running = append(running, measured{d, s.Queue, s.Kbps})
		}
	}
	shed, back := st.uplink.share(now, st.cfg.UplinkKbps, ingest, running, out)
	words := st.uplink.words()
	st.mu.Unlock()
	for _, d := range shed {
		d.leaveOut(words + " This destination is left out so that the others run smoothly.")
	}
	for _, d := range back {
		d.takeIn()
	}
}
