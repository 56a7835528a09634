package youtubesim

import (
	"encoding/json"
	"fmt"
	"strconv"
	"time"
)

// Drop cuts every open connection without a word.
func (s *Sim) Drop() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.conns {
		_ = c.Close()
	}
}

// Malformed delivers items that no correct platform would send and then breaks off one answer in the middle.
func (s *Sim) Malformed(channelID string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	ch := s.channels[channelID]
	if ch == nil || ch.chat == nil {
		return
	}
	for _, raw := range []string{
		`null`, `5`, `"text"`, `[]`, `{}`, `{"id":7}`, `{"id":"LCC.odd","snippet":null}`,
		`{"id":"LCC.odd2","snippet":{"type":"textMessageEvent","publishedAt":"yesterday","textMessageDetails":null}}`,
		`{"id":"LCC.odd3","snippet":{"type":"superChatEvent","superChatDetails":{"amountMicros":"-1"}}}`,
		`{"id":"LCC.odd4","snippet":{"type":"notInventedYetEvent","publishedAt":"2026-01-01T00:00:00Z"}}`,
	} {
		s.add(ch.chat, Shown{broken: true}, json.RawMessage(raw))
	}
	ch.chat.garble++
	ch.chat.wake()
}

// RefuseSends answers the next n inserts with 403 rateLimitExceeded.
func (s *Sim) RefuseSends(n int) { s.order(func(w *weather) { w.refusals = n }) }

// Break answers the next n requests with status 503 and an HTML body.
func (s *Sim) Break(n int) { s.order(func(w *weather) { w.breaks = n }) }

// LoseAnswers does what the next n writes ask for and cuts the connection instead of answering.
func (s *Sim) LoseAnswers(n int) { s.order(func(w *weather) { w.losses = n }) }

// Refuse answers the next n calls of a method, by its name in the API such as "liveBroadcasts.transition", with an error.
func (s *Sim) Refuse(method string, n, status int, reason string) {
	s.order(func(w *weather) {
		if w.orders == nil {
			w.orders = map[string][]fault{}
		}
		for range n {
			w.orders[method] = append(w.orders[method], *refuse(status, reason, "The request cannot be completed."))
		}
	})
}

// ordered is how Refuse wants the next call of a method answered, or nil.
func (s *Sim) ordered(method string) *fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := s.weather.orders[method]
	if len(all) == 0 {
		return nil
	}
	s.weather.orders[method] = all[1:]
	return &all[0]
}

// RefuseBare answers the next n inserts with status 429 and nothing else.
func (s *Sim) RefuseBare(n int) { s.order(func(w *weather) { w.bare = n }) }

// Down answers every request for d with status 503 and an HTML body.
func (s *Sim) Down(d time.Duration) { s.order(func(w *weather) { w.down = time.Now().Add(d) }) }

// CloseAtOnce cuts every connection when the first request comes, from now on, and those that are open.
func (s *Sim) CloseAtOnce(on bool) {
	s.order(func(w *weather) { w.shut = on })
	if on {
		s.Drop()
	}
}

// Hang lets connections stand and answers nothing on them, new ones included, until it is taken back.
func (s *Sim) Hang(on bool) {
	s.order(func(w *weather) {
		if w.hang != nil {
			close(w.hang)
			w.hang = nil
		}
		if on {
			w.hang = make(chan struct{})
		}
	})
}

// Skew sets the platform's clock ahead of ours, or behind it.
func (s *Sim) Skew(ahead time.Duration) { s.order(func(w *weather) { w.skew = ahead }) }

// now is the time by the platform's clock. Call with mu held.
func (s *Sim) now() time.Time { return time.Now().Add(s.weather.skew) }

// NoStream answers stream calls with 404, as a proxy or an older service would, from now on.
func (s *Sim) NoStream(on bool) { s.order(func(w *weather) { w.noStream = on }) }

func (s *Sim) order(f func(*weather)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f(&s.weather)
}

// ExpireToken makes every access token invalid; refreshing works.
func (s *Sim) ExpireToken() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.access)
}

// Revoke has every owner withdraw every grant: access tokens are invalid, refreshing answers invalid_grant.
func (s *Sim) Revoke() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.access)
	clear(s.refresh)
}

// Narrow leaves every grant the permission to read alone.
func (s *Sim) Narrow() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, m := range []map[string]*grant{s.access, s.refresh} {
		for _, g := range m {
			g.scopes = []string{"https://www.googleapis.com/auth/youtube.readonly"}
		}
	}
}

// Suspend takes the right to write from a channel's account, or gives it back.
func (s *Sim) Suspend(channelID string, on bool) {
	s.order(func(w *weather) {
		if w.suspended == nil {
			w.suspended = map[string]bool{}
		}
		w.suspended[channelID] = on
	})
}

// Refreshes counts the access tokens that were asked for with a refresh token.
func (s *Sim) Refreshes() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.renewals
}

// ForgetPages makes every page token of the channel's chat invalid.
func (s *Sim) ForgetPages(channelID string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if ch := s.channels[channelID]; ch != nil && ch.chat != nil {
		ch.chat.epoch++
	}
}

// ExhaustQuota uses up the project's units of today.
func (s *Sim) ExhaustQuota() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.quota.roll(time.Now())
	s.quota.used = s.cfg.DailyUnits
}

// Units is how many units were used today, and Calls how often each method was called since the start.
func (s *Sim) Units() (used int, calls map[string]int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.quota.roll(time.Now())
	calls = map[string]int{}
	for k, v := range s.quota.calls {
		calls[k] = v
	}
	return s.quota.used, calls
}

// OverLimit counts inserts beyond the documented rate (3 in 30 s for accounts that are neither owner nor moderator;
// Help page "Live chat") or while the quota was used up.
func (s *Sim) OverLimit() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.over
}

// Logins counts connections on which an API call came.
func (s *Sim) Logins() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.logins
}

func decimal(n int64) string { return strconv.FormatInt(n, 10) }

func money(micros int64, currency string) string {
	return fmt.Sprintf("%s %d.%02d", currency, micros/1_000_000, micros/10_000%100)
}
