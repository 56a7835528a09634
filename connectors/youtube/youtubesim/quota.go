package youtubesim

import (
	"time"
	_ "time/tzdata" // the quota's day is Pacific, also on hosts without zone files
)

// quota counts a project's units. Guarded by Sim.mu.
type quota struct {
	day   string
	used  int
	calls map[string]int
}

// roll starts a new day at midnight Pacific time.
func (q *quota) roll(now time.Time) {
	zone, err := time.LoadLocation("America/Los_Angeles")
	if err != nil {
		zone = time.FixedZone("PST", -8*3600) // embedded, so never
	}
	if day := now.In(zone).Format(time.DateOnly); day != q.day {
		q.day, q.used = day, 0
	}
}

// charge takes a call's units and reports whether the day had them left. A refused call counts too.
func (s *Sim) charge(method string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.quota.roll(time.Now())
	if s.quota.calls == nil {
		s.quota.calls = map[string]int{}
	}
	s.quota.calls[method]++
	cost := max(1, s.cfg.Costs[method])
	if s.quota.used+cost > s.cfg.DailyUnits {
		s.quota.used = s.cfg.DailyUnits
		return false
	}
	s.quota.used += cost
	return true
}
