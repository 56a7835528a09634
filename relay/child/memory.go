package child

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"sync"
	"time"

	"hawker/relay"
)

const (
	// maxAdmitted is how many keys are remembered; the one that came longest ago goes first.
	maxAdmitted = 4096
	// admittedFor is how long a key is remembered whose stream is not live.
	admittedFor = time.Hour
	// slateWaits is how long a slate is kept that nobody uses: it comes before what names it.
	slateWaits = time.Minute
)

// memory is what the process knows of keys that the hub has admitted, for the time that the hub is away.
type memory struct {
	mu     sync.Mutex
	keys   map[string]*admitted
	slates map[string]*clip
	tags   map[string]string // by stream
	done   uint64            // deeds
}

// admitted is a key that the hub has admitted, with what it said.
type admitted struct {
	cfg   relay.Config
	slate string
	tag   string
	used  time.Time
}

type clip struct {
	data []byte
	came time.Time
}

func newMemory() *memory {
	return &memory{keys: map[string]*admitted{}, slates: map[string]*clip{}, tags: map[string]string{}}
}

// digest names a slate, "" when there is none.
func digest(slate []byte) string {
	if len(slate) == 0 {
		return ""
	}
	sum := sha256.Sum256(slate)
	return hex.EncodeToString(sum[:])
}

// clip keeps a slate under its digest.
func (m *memory) clip(name string, data []byte) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.slates[name] = &clip{data, time.Now()}
}

// has reports whether a slate is there; "" always is.
func (m *memory) has(name string) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	c := m.slates[name]
	if c != nil {
		c.came = time.Now() // it is about to be used
	}
	return name == "" || c != nil
}

// of is the slate with this digest, nil when it is not there.
func (m *memory) of(name string) []byte {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.slate(name)
}

func (m *memory) slate(name string) []byte {
	if c := m.slates[name]; c != nil {
		return c.data
	}
	return nil
}

// admit remembers what the hub said of a key.
func (m *memory) admit(key string, a answer) relay.Config {
	m.mu.Lock()
	defer m.mu.Unlock()
	a.Config.Slate = m.slate(a.Slate)
	m.keys[key] = &admitted{cfg: a.Config, slate: a.Slate, tag: a.Tag, used: time.Now()}
	m.tags[a.Config.ID] = a.Tag
	if len(m.keys) > maxAdmitted {
		oldest := key
		for k, x := range m.keys {
			if x.used.Before(m.keys[oldest].used) {
				oldest = k
			}
		}
		delete(m.keys, oldest)
	}
	return m.keys[key].config()
}

func (a *admitted) config() relay.Config {
	cfg := a.cfg
	cfg.Destinations = slices.Clone(cfg.Destinations)
	return cfg
}

// known gives what the hub said of a key.
func (m *memory) known(key string) (relay.Config, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	a := m.keys[key]
	if a == nil {
		return relay.Config{}, false
	}
	a.used = time.Now()
	m.tags[a.cfg.ID] = a.tag
	return a.config(), true
}

// all are the keys that are known.
func (m *memory) all() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	out := make([]string, 0, len(m.keys))
	for k := range m.keys {
		out = append(out, k)
	}
	return out
}

func (m *memory) forget(key string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.keys, key)
}

// note keeps to what is remembered of a stream's keys what was done with the stream.
func (m *memory) note(d deed) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.done++
	for k, a := range m.keys {
		if a.cfg.ID != d.Stream {
			continue
		}
		at := func(id string) int {
			return slices.IndexFunc(a.cfg.Destinations, func(x relay.Destination) bool { return x.ID == id })
		}
		switch d.What {
		case doSet:
			a.cfg.Destinations = slices.Clone(d.Destinations)
		case doAdd:
			for _, x := range d.Destinations {
				if i := at(x.ID); i >= 0 {
					a.cfg.Destinations[i] = x
				} else {
					a.cfg.Destinations = append(a.cfg.Destinations, x)
				}
			}
		case doRemove:
			if i := at(d.ID); i >= 0 {
				a.cfg.Destinations = slices.Delete(a.cfg.Destinations, i, i+1)
			}
		case doTune:
			if d.Config != nil {
				cfg := *d.Config
				cfg.ID, cfg.Backup, cfg.Destinations, cfg.Slate = a.cfg.ID, a.cfg.Backup, a.cfg.Destinations, m.slate(d.Slate)
				a.cfg, a.slate = cfg, d.Slate
			}
		case doCut, doEnd, doForget: // only the hub knows whether the key is still good
			delete(m.keys, k)
		}
	}
}

// deeds is how many were noted.
func (m *memory) deeds() uint64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.done
}

func (m *memory) tag(stream string) string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.tags[stream]
}

// sweep forgets what is of no use any more. live are the streams that are.
func (m *memory) sweep(now time.Time, live []relay.StreamStatus) {
	m.mu.Lock()
	defer m.mu.Unlock()
	is := map[string]bool{}
	for i := range live {
		is[live[i].ID] = true
	}
	used := map[string]bool{}
	streams := map[string]bool{}
	for k, a := range m.keys {
		if is[a.cfg.ID] {
			a.used = now
		} else if now.Sub(a.used) > admittedFor {
			delete(m.keys, k)
			continue
		}
		used[a.slate], streams[a.cfg.ID] = true, true
	}
	for name, c := range m.slates {
		if !used[name] && now.Sub(c.came) > slateWaits {
			delete(m.slates, name)
		}
	}
	for id := range m.tags {
		if !is[id] && !streams[id] {
			delete(m.tags, id)
		}
	}
}
