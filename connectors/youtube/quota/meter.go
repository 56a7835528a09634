// Package quota spends a Google project's daily units: it counts them and spreads reads of live chats over a show. It
// calls nobody.
package quota

import (
	"sync"
	"time"
	_ "time/tzdata" // the quota's day is Pacific, also on hosts and in images without zone files
)

// DefaultDaily is a Google project's quota a day before any audit (page "Quota and Compliance Audits").
const DefaultDaily = 10_000

// DefaultReserve is what reading leaves untouched for a show's other calls: 300 to set up a broadcast, 480 to wait for
// it or to watch its stream, 60 lines at 20, 10 deletes at 20 and 4 bans at 50. What such calls have cost already counts against it.
const DefaultReserve = 2_380

// Costs is the units of each method by its name in the API, such as "liveChatMessages.list". One that is missing costs
// 1, the least that any call costs (page "Quota Calculator").
type Costs map[string]int

// The methods we call.
const (
	BroadcastsList       = "liveBroadcasts.list"
	BroadcastsInsert     = "liveBroadcasts.insert"
	BroadcastsUpdate     = "liveBroadcasts.update"
	BroadcastsBind       = "liveBroadcasts.bind"
	BroadcastsTransition = "liveBroadcasts.transition"
	BroadcastsDelete     = "liveBroadcasts.delete"
	StreamsList          = "liveStreams.list"
	StreamsInsert        = "liveStreams.insert"
	ChannelsList         = "channels.list"
	MessagesList         = "liveChatMessages.list"
	MessagesStream       = "liveChatMessages.stream"
	MessagesInsert       = "liveChatMessages.insert"
	MessagesDelete       = "liveChatMessages.delete"
	BansInsert           = "liveChatBans.insert"
)

// DefaultCosts is what the API's discovery document states (revision 20261019); it states none for bans and for what makes and
// runs broadcasts, which are counted as other reads (1) and writes (50) are (page "Quota Calculator").
func DefaultCosts() Costs {
	return Costs{
		BroadcastsList: 1, StreamsList: 1, ChannelsList: 1, MessagesList: 5, MessagesStream: 5, MessagesInsert: 20, MessagesDelete: 20,
		BansInsert: 50, BroadcastsInsert: 50, BroadcastsUpdate: 50, BroadcastsBind: 50, BroadcastsTransition: 50, BroadcastsDelete: 50,
		StreamsInsert: 50,
	}
}

// Usage is what a project spent on one day. It can be stored and restored, so that a restart does not forget it.
type Usage struct {
	Day   string `json:"day"` // Pacific, such as 2026-11-24
	Units int    `json:"units"`
	// Other is the part of Units that was not spent on reading chats.
	Other int `json:"other"`
	Daily int `json:"daily"`
	// Until is when the day ends.
	Until time.Time `json:"until"`
}

// Meter counts the units of one Google project. Every call counts, also refused and failed ones.
type Meter struct {
	daily int
	costs Costs

	mu      sync.Mutex
	used    Usage
	readers int
}

// NewMeter counts up to daily units (0: DefaultDaily) at the given costs (nil: DefaultCosts).
func NewMeter(daily int, costs Costs) *Meter {
	if daily <= 0 {
		daily = DefaultDaily
	}
	if costs == nil {
		costs = DefaultCosts()
	}
	return &Meter{daily: daily, costs: costs}
}

// Restore continues a day's count after a restart; a count of another day is ignored.
func (m *Meter) Restore(now time.Time, u Usage) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.roll(now)
	if u.Day == m.used.Day && u.Units > m.used.Units {
		m.used.Units, m.used.Other = u.Units, u.Other
	}
}

// Usage is today's count.
func (m *Meter) Usage(now time.Time) Usage {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.roll(now)
	return m.used
}

// Cost is the units of one call of a method.
func (m *Meter) Cost(method string) int { return max(1, m.costs[method]) }

// Spend takes a call's units; false means that the day has too few left and the call must not be made.
func (m *Meter) Spend(now time.Time, method string) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.roll(now)
	n := m.Cost(method)
	if m.used.Units+n > m.daily {
		return false
	}
	m.used.Units += n
	if method != MessagesList && method != MessagesStream {
		m.used.Other += n
	}
	return true
}

// Exhaust believes the platform when it says that the day's units are gone: another program may share the project.
func (m *Meter) Exhaust(now time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.roll(now)
	m.used.Units = m.daily
}

// Read counts the chats that are being read, which share what is left; the returned func ends one.
func (m *Meter) Read() func() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.readers++
	return func() {
		m.mu.Lock()
		defer m.mu.Unlock()
		m.readers--
	}
}

// Plan fills in what is known here: Daily, Left, Reserve, Cost, Readers, and the end of the quota's day.
func (m *Meter) Plan(now time.Time, p Plan) Plan {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.roll(now)
	p.Daily, p.Left = m.daily, m.daily-m.used.Units
	// The reserve is the share of the default quota, so that a small test quota still reads.
	p.Reserve = max(0, m.daily*DefaultReserve/DefaultDaily-m.used.Other)
	p.Cost, p.Readers = max(m.Cost(MessagesStream), m.Cost(MessagesList)), max(1, m.readers)
	if day := m.used.Until.Sub(now); p.Remaining <= 0 || p.Remaining > day {
		p.Remaining = day
	}
	return p
}

// roll starts a new day. Call with mu held.
func (m *Meter) roll(now time.Time) {
	if !m.used.Until.IsZero() && now.Before(m.used.Until) {
		return
	}
	m.used = Usage{Day: Pacific(now).Format(time.DateOnly), Daily: m.daily, Until: NextReset(now).UTC()}
}

// NextReset is when the daily quota is whole again: the first midnight Pacific time after now, with its daylight saving.
func NextReset(now time.Time) time.Time {
	p := Pacific(now)
	return time.Date(p.Year(), p.Month(), p.Day()+1, 0, 0, 0, 0, p.Location())
}

// Pacific is t by the quota's clock, America/Los_Angeles.
func Pacific(t time.Time) time.Time {
	zone, err := time.LoadLocation("America/Los_Angeles")
	if err != nil {
		zone = time.FixedZone("PST", -8*60*60) // the zone data is embedded: never
	}
	return t.In(zone)
}
