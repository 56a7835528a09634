package quota

import (
	"testing"
	"time"
)

func TestGap(t *testing.T) {
	base := Plan{Daily: 10_000, Left: 10_000, Reserve: 2_380, Cost: 5, Readers: 1, Remaining: 8 * time.Hour}
	with := func(f func(*Plan)) Plan { p := base; f(&p); return p }
	for _, tt := range []struct {
		name     string
		p        Plan
		min, max time.Duration
		ok       bool
	}{
		{"8 h on a fresh day", base, 18890 * time.Millisecond, 18900 * time.Millisecond, true},
		{"holds run", with(func(p *Plan) { p.Interest = Holding }), 18890 * time.Millisecond, 18900 * time.Millisecond, true},
		{"two channels share", with(func(p *Plan) { p.Readers = 2 }), 37790 * time.Millisecond, 37800 * time.Millisecond, true},
		{"hot", with(func(p *Plan) { p.Interest = Hot }), 0, 0, true},
		{"hot by list", with(func(p *Plan) { p.Interest, p.Polling = Hot, 5*time.Second }), 5 * time.Second, 5 * time.Second, true},
		{"the platform asks for more", with(func(p *Plan) { p.Polling = 40 * time.Second }), 40 * time.Second, 40 * time.Second, true},
		{"silent for a while", with(func(p *Plan) { p.Silent = 3 * time.Minute }), 36 * time.Second, 36 * time.Second, true},
		{"silent for long", with(func(p *Plan) { p.Silent = time.Hour }), time.Minute, time.Minute, true},
		{"silent, but holds run", with(func(p *Plan) { p.Silent, p.Interest = time.Hour, Holding }), 18 * time.Second, 19 * time.Second, true},
		{"nine tenths spent", with(func(p *Plan) { p.Left, p.Remaining = 900, time.Hour }), time.Minute, time.Minute, true},
		{"nine tenths spent, holds run", with(func(p *Plan) { p.Left, p.Remaining, p.Interest = 900, time.Hour, Holding }), 26 * time.Second, 27 * time.Second, true},
		{"nine tenths spent, hot", with(func(p *Plan) { p.Left, p.Remaining, p.Interest = 900, time.Hour, Hot }), 26 * time.Second, 27 * time.Second, true},
		{"hot into the reserve", with(func(p *Plan) { p.Left, p.Remaining, p.Interest = 2_000, time.Hour, Hot }), 12 * time.Second, 12 * time.Second, true},
		{"one read left", with(func(p *Plan) { p.Left, p.Remaining = 5, time.Hour }), time.Hour, time.Hour, true},
		{"none left", with(func(p *Plan) { p.Left = 4 }), 0, 0, false},
		{"over time", with(func(p *Plan) { p.Remaining = -time.Hour }), 0, 0, true},
	} {
		if got, ok := tt.p.Gap(); ok != tt.ok || got < tt.min || got > tt.max {
			t.Errorf("%s: %v, %v; want %v to %v, %v", tt.name, got, ok, tt.min, tt.max, tt.ok)
		}
	}
}

func TestEightHours(t *testing.T) {
	for _, tt := range []struct {
		name        string
		hot         time.Duration
		sends, most int
	}{
		{"quiet", 0, 0, 7_700},
		{"sixty lines", 0, 60, 9_000},
		{"half an hour hot", 30 * time.Minute, 60, 9_200},
		{"hot all day", 8 * time.Hour, 60, 10_000},
		{"hot and talking all day", 8 * time.Hour, 200, 10_000},
	} {
		m := NewMeter(0, nil)
		leave := m.Read()
		// 17:00 Pacific on a summer day, so that no midnight comes to help.
		start := time.Date(2026, 7, 1, 16, 0, 0, 0, time.FixedZone("PDT", -7*3600))
		now, end := start, start.Add(8*time.Hour-time.Second)
		said, refused := 0, 0
		var longest time.Duration
		for now.Before(end) {
			p := m.Plan(now, Plan{Remaining: end.Sub(now)})
			if now.Sub(start) < tt.hot {
				p.Interest = Hot
			} else {
				p.Interest = Holding
			}
			gap, ok := p.Gap()
			if !ok {
				t.Errorf("%s: nothing left after %v", tt.name, now.Sub(start))
				break
			}
			if !m.Spend(now, MessagesStream) {
				t.Errorf("%s: a read was planned that the day does not cover", tt.name)
			}
			for due := int(int64(tt.sends) * int64(now.Sub(start)) / int64(end.Sub(start))); said < due; said++ {
				if !m.Spend(now, MessagesInsert) {
					refused++
				}
			}
			gap = max(gap, 10*time.Second) // a stream lasts that long
			longest = max(longest, gap)
			now = now.Add(gap)
		}
		leave()
		u := m.Usage(now)
		if u.Units > tt.most {
			t.Errorf("%s: %d units, want at most %d", tt.name, u.Units, tt.most)
		}
		if tt.sends <= 60 && (refused > 0 || longest > 3*time.Minute) {
			t.Errorf("%s: %d lines refused, longest gap %v, %d units", tt.name, refused, longest, u.Units)
		}
	}
}

func TestNextReset(t *testing.T) {
	for _, tt := range []struct{ now, want string }{
		{"2026-01-15T12:00:00Z", "2026-01-16T08:00:00Z"}, // PST
		{"2026-07-15T12:00:00Z", "2026-07-16T07:00:00Z"}, // PDT
		{"2026-07-15T06:59:59Z", "2026-07-15T07:00:00Z"}, // a second before
		{"2026-07-15T07:00:00Z", "2026-07-16T07:00:00Z"}, // midnight itself begins a day
		{"2026-03-08T08:00:00Z", "2026-03-09T07:00:00Z"}, // a day of 23 h: clocks go forward on 8 March
		{"2026-03-07T20:00:00Z", "2026-03-08T08:00:00Z"}, // and the day before
		{"2026-11-01T07:00:00Z", "2026-11-02T08:00:00Z"}, // a day of 25 h: clocks go back on 1 November
		{"2026-10-31T20:00:00Z", "2026-11-01T07:00:00Z"},
		{"2026-12-31T20:00:00Z", "2027-01-01T08:00:00Z"},
	} {
		now, err := time.Parse(time.RFC3339, tt.now)
		if err != nil {
			t.Fatal(err)
		}
		if got := NextReset(now).UTC().Format(time.RFC3339); got != tt.want {
			t.Errorf("NextReset(%s) = %s, want %s", tt.now, got, tt.want)
		}
	}
}

func TestMeter(t *testing.T) {
	now := time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
	m := NewMeter(100, nil)
	for _, tt := range []struct {
		method string
		ok     bool
		units  int
	}{
		{MessagesStream, true, 5},
		{MessagesInsert, true, 25},
		{"something.new", true, 26},
		{MessagesInsert, true, 46},
		{MessagesInsert, true, 66},
		{MessagesInsert, true, 86},
		{MessagesInsert, false, 86},
		{MessagesList, true, 91},
	} {
		if ok := m.Spend(now, tt.method); ok != tt.ok || m.Usage(now).Units != tt.units {
			t.Errorf("Spend(%s) = %v, %d units; want %v, %d", tt.method, ok, m.Usage(now).Units, tt.ok, tt.units)
		}
	}
	if u := m.Usage(now); u.Other != 81 || u.Day != "2026-11-01" {
		t.Errorf("usage %+v", u)
	}
	restarted := NewMeter(100, nil)
	restarted.Restore(now, m.Usage(now))
	if restarted.Usage(now) != m.Usage(now) {
		t.Error("a restart forgot the day")
	}
	restarted.Restore(now, Usage{Day: "2026-10-31", Units: 99})
	if restarted.Usage(now).Units != 91 {
		t.Error("yesterday's count was taken for today's")
	}
	m.Exhaust(now)
	if m.Spend(now, BroadcastsList) {
		t.Error("spent after the platform said that nothing is left")
	}
	if u := m.Usage(NextReset(now)); u.Units != 0 || u.Day != "2026-11-02" || !m.Spend(NextReset(now), BroadcastsList) {
		t.Errorf("after midnight %+v", u)
	}
}
