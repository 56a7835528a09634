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

// LoseAnswers accepts the next n inserts and cuts the connection instead of answering.
func (s *Sim) LoseAnswers(n int) { s.order(func(w *weather) { w.losses = n }) }

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
