package discordsim

import (
	"context"
	"encoding/json"
	"net"
	"time"
)

// Drop cuts every open connection without a word.
func (s *Sim) Drop() {
	s.mu.Lock()
	var links []*link
	for l := range s.links {
		links = append(links, l)
		if l.session != nil && l.session.link == l {
			l.session.link = nil
		}
	}
	var conns []net.Conn
	for c := range s.conns {
		conns = append(conns, c)
	}
	s.mu.Unlock()
	for _, l := range links {
		l.stop()
	}
	for _, c := range conns {
		_ = c.Close()
	}
}

// Reconnect asks every client to reconnect and resume (Op 7).
func (s *Sim) Reconnect() { s.each(func(l *link) { l.op(7, nil) }) }

// Invalidate tells every client that its session is invalid (Op 9). When resumable is false the sessions are gone.
func (s *Sim) Invalidate(resumable bool) {
	s.each(func(l *link) {
		if !resumable && l.session != nil {
			delete(s.sessions, l.session.id)
			l.session.link = nil
		}
		l.op(9, resumable)
	})
}

// Beat asks every client for a heartbeat at once (Op 1).
func (s *Sim) Beat() { s.each(func(l *link) { l.op(1, nil) }) }

// Shut closes every gateway connection with a code.
func (s *Sim) Shut(code int) { s.each(func(l *link) { l.shut(code) }) }

// Forget drops all sessions, so that the next resume meets Op 9.
func (s *Sim) Forget() { s.note(func(*tally) { clear(s.sessions) }) }

// Mute stops acknowledging heartbeats, as a connection that died without a word.
func (s *Sim) Mute(on bool) { s.change(func(w *weather) { w.mute = on }) }

// Malformed delivers payloads that no correct platform would send, also in a channel.
func (s *Sim) Malformed(channelID string) {
	s.each(func(l *link) {
		n := int64(0)
		if l.session != nil {
			n = l.session.seq()
		}
		for _, raw := range []string{
			`{`, `[]`, `null`, `"text"`, `{"op":"zero"}`, `{"op":99,"d":{}}`, `{"op":10,"d":"soon"}`, `{"op":11,"d":[1]}`,
			`{"op":0,"t":"MESSAGE_CREATE","s":-5,"d":{}}`, `{"op":0,"t":"MESSAGE_CREATE","s":9007199254740993,"d":{}}`,
		} {
			l.orders = append(l.orders, order{frame: []byte(raw)})
		}
		l.wake()
		if l.session == nil || n == 0 {
			return
		}
		for _, e := range []struct{ t, d string }{
			{"MESSAGE_CREATE", `null`},
			{"MESSAGE_CREATE", `{"channel_id":"` + channelID + `"}`},
			{"MESSAGE_CREATE", `{"id":"x","channel_id":"` + channelID + `","author":{"id":"1","username":"x"},"content":"no id"}`},
			{"MESSAGE_CREATE", `{"id":"123","channel_id":"` + channelID + `","content":"no author"}`},
			{"MESSAGE_CREATE", `{"id":"124","channel_id":"` + channelID + `","author":{"id":""},"content":"empty author"}`},
			{"MESSAGE_CREATE", `{"id":125,"channel_id":["` + channelID + `"],"author":"ana","content":{}}`},
			{"MESSAGE_UPDATE", `{"id":"126","channel_id":"` + channelID + `","edited_timestamp":"yesterday"}`},
			{"MESSAGE_DELETE", `{"channel_id":"` + channelID + `"}`},
			{"MESSAGE_DELETE_BULK", `{"ids":"all","channel_id":"` + channelID + `"}`},
			{"GUILD_CREATE", `{"id":"","roles":{}}`},
			{"INTERACTION_CREATE", `{"type":2,"data":{"name":7}}`},
			{"INTERACTION_CREATE", `{}`},
			{"NO_SUCH_EVENT", `{"a":1}`},
		} {
			l.session.add(e.t, json.RawMessage(e.d), s.cfg.Keep)
		}
	})
}

func (s *Sim) each(f func(*link)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for l := range s.links {
		f(l)
	}
}

// RefuseSends answers the next n posts with the route's 429.
func (s *Sim) RefuseSends(n int) { s.change(func(w *weather) { w.refusals = n }) }

// RefuseAll answers the next n requests of the bot with the global 429 for d.
func (s *Sim) RefuseAll(n int, d time.Duration) {
	s.change(func(w *weather) { w.globals, w.globalFor = n, d })
}

// Ban answers the next n requests as the gatekeeper before Discord does: 429 with an HTML body.
func (s *Sim) Ban(n int, d time.Duration) {
	s.change(func(w *weather) { w.bans, w.globalFor = n, d })
}

// Break answers the next n requests with status 503 and an HTML body.
func (s *Sim) Break(n int) { s.change(func(w *weather) { w.breaks = n }) }

// RefuseHistory answers the next n lists of messages with status 500.
func (s *Sim) RefuseHistory(n int) { s.change(func(w *weather) { w.histories = n }) }

// RefuseBare answers the next n posts with status 429, without a header or a word on how long.
func (s *Sim) RefuseBare(n int) { s.change(func(w *weather) { w.bare = n }) }

// RefuseSlowly answers the next n posts as the channel's slow mode does.
func (s *Sim) RefuseSlowly(n int) { s.change(func(w *weather) { w.slow = n }) }

// Down answers every request for d with status 503 and an HTML body, and so the gateway.
func (s *Sim) Down(d time.Duration) { s.change(func(w *weather) { w.down = time.Now().Add(d) }) }

// CloseAtOnce closes every gateway connection after its Hello, from now on, and those that are open.
func (s *Sim) CloseAtOnce(on bool) {
	s.change(func(w *weather) { w.shut = on })
	if on {
		s.Drop()
	}
}

// Hang lets connections stand and answers nothing on them, new ones included, until it is taken back.
func (s *Sim) Hang(on bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.weather.hang != nil {
		close(s.weather.hang)
		s.weather.hang = nil
	}
	if on {
		s.weather.hang = make(chan struct{})
	}
}

// silence blocks while the platform hangs.
func (s *Sim) silence(ctx context.Context) {
	s.mu.Lock()
	hang := s.weather.hang
	s.mu.Unlock()
	if hang == nil {
		return
	}
	select {
	case <-hang:
	case <-ctx.Done():
	case <-s.done:
	}
}

// Skew sets the platform's clock ahead of ours, or behind it. Do it before anything was said: ids only rise.
func (s *Sim) Skew(ahead time.Duration) { s.change(func(w *weather) { w.skew = ahead }) }

// now is the time by the platform's clock. Call with mu held.
func (s *Sim) now() time.Time { return time.Now().Add(s.weather.skew) }

// LoseAnswers posts the next n lines and then cuts the connection instead of answering.
func (s *Sim) LoseAnswers(n int) { s.change(func(w *weather) { w.losses = n }) }

// Revoke resets the bot's token for good.
func (s *Sim) Revoke() { s.change(func(w *weather) { w.revoked = true }) }

func (s *Sim) change(f func(*weather)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f(&s.weather)
}

// Figures are counts since the start.
type Figures struct {
	// Logins is Identifies and Resumes together.
	Logins, Identifies, Resumes int
	// OverLimit is posts and requests that exceeded a rate. Invalid is answers with 401, 403 or 429.
	OverLimit, Invalid int
	// Pings is the number of mentions that would have notified somebody.
	Pings int
	// Overwrites is bulk overwrites of commands; Repeats is posts answered from a nonce.
	Overwrites, Repeats int
	// Histories is how often messages of a channel were listed.
	Histories int
	// Sessions is how many sessions can be resumed or are connected.
	Sessions int
	// Closes are the codes clients closed gateway connections with (-1 without one), Paths the addresses they dialed.
	Closes []int
	Paths  []string
}

// Figures tells what happened so far.
func (s *Sim) Figures() Figures {
	s.mu.Lock()
	defer s.mu.Unlock()
	t := s.tally
	return Figures{
		Logins: t.logins, Identifies: t.identifies, Resumes: t.resumes, OverLimit: t.over, Invalid: t.invalid, Pings: t.pings,
		Overwrites: t.overwrites, Repeats: t.repeats, Histories: t.histories, Sessions: len(s.sessions),
		Closes: append([]int(nil), t.closes...), Paths: append([]string(nil), t.paths...),
	}
}

// OverLimit counts posts and requests that exceeded a documented rate.
func (s *Sim) OverLimit() int { return s.Figures().OverLimit }
