package discordsim

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"github.com/coder/websocket"
)

// Gateway intents that change what is sent (page "Gateway").
const (
	intentGuilds   = 1 << 0
	intentMembers  = 1 << 1
	intentMessages = 1 << 9
	intentContent  = 1 << 15
)

// identifyEvery is the time in which one session may begin (page "Gateway", max_concurrency 1).
const identifyEvery = 5 * time.Second

type frame struct {
	Op int             `json:"op"`
	D  json.RawMessage `json:"d"`
	S  *int64          `json:"s"`
	T  *string         `json:"t"`
}

// session is what a client may resume. events[0] has sequence number first.
type session struct {
	id      string
	intents int
	events  [][]byte
	first   int64
	link    *link // nil while away
}

func (se *session) seq() int64 { return se.first + int64(len(se.events)) - 1 }

// add appends a dispatch and wakes the connection.
func (se *session) add(t string, d any, keep int) {
	raw, err := json.Marshal(d)
	if err != nil {
		return
	}
	n := se.seq() + 1
	b, err := json.Marshal(frame{Op: 0, D: raw, S: &n, T: &t})
	if err != nil {
		return
	}
	se.events = append(se.events, b)
	if drop := len(se.events) - keep; drop > 0 {
		se.events = append([][]byte(nil), se.events[drop:]...)
		se.first += int64(drop)
	}
	if se.link != nil {
		se.link.wake()
	}
}

// order is a frame outside the session's sequence, or a close code.
type order struct {
	frame []byte
	code  int
}

// link is one gateway connection. Its fields are guarded by the Sim's mutex.
type link struct {
	ws      *websocket.Conn
	session *session
	next    int64 // sequence number to write next
	orders  []order
	bell    chan struct{}
	stop    context.CancelFunc
	ended   bool // by us; the close code that comes back is an echo
}

func (l *link) wake() {
	select {
	case l.bell <- struct{}{}:
	default:
	}
}

func (l *link) op(op int, d any) {
	raw, _ := json.Marshal(d)
	b, _ := json.Marshal(frame{Op: op, D: raw})
	l.orders = append(l.orders, order{frame: b})
	l.wake()
}

func (l *link) shut(code int) {
	l.orders = append(l.orders, order{code: code})
	l.wake()
}

func (s *Sim) gateway(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	down, shut := time.Now().Before(s.weather.down), s.weather.shut
	if shut {
		s.tally.logins++
	}
	s.mu.Unlock()
	if down {
		http.Error(w, "<html><body><h1>503 Service Unavailable</h1></body></html>", http.StatusServiceUnavailable)
		return
	}
	ws, err := websocket.Accept(w, r, &websocket.AcceptOptions{InsecureSkipVerify: true})
	if err != nil {
		return
	}
	defer ws.CloseNow()
	ws.SetReadLimit(4096) // page "Gateway", payload size
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	l := &link{ws: ws, bell: make(chan struct{}, 1), stop: stop}
	s.mu.Lock()
	if s.closed() {
		s.mu.Unlock()
		return
	}
	s.links[l] = true
	s.tally.paths = append(s.tally.paths, r.URL.RequestURI())
	l.op(10, map[string]any{"heartbeat_interval": s.cfg.Heartbeat.Milliseconds()})
	if shut {
		l.shut(4000)
	}
	s.mu.Unlock()
	written := make(chan struct{})
	go func() { defer close(written); s.write(ctx, l) }()
	// A client that misses its heartbeat by half an interval is gone.
	late := time.AfterFunc(s.cfg.Heartbeat*3/2+time.Second, func() { s.order(l, 4009) })
	sent, since := 0, time.Now()
	var code int
	for {
		_, b, err := ws.Read(ctx)
		if err != nil {
			code = int(websocket.CloseStatus(err))
			break
		}
		if time.Since(since) > time.Minute {
			sent, since = 0, time.Now()
		}
		if sent++; sent > 120 {
			s.order(l, 4008)
			continue
		}
		if s.receive(l, b) {
			late.Reset(s.cfg.Heartbeat*3/2 + time.Second)
		}
	}
	s.mu.Lock()
	byUs := l.ended
	s.mu.Unlock()
	late.Stop()
	stop()
	<-written
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.links, l)
	if !byUs {
		s.tally.closes = append(s.tally.closes, code)
	}
	if l.session != nil && l.session.link == l {
		l.session.link = nil
		// Page "Gateway": a client's 1000 or 1001 ends the session, and so do our 4007 and 4009.
		if byClient := code == 1000 || code == 1001; byClient && !byUs || byUs && (code == 4007 || code == 4009) {
			delete(s.sessions, l.session.id)
		}
	}
}

func (s *Sim) order(l *link, code int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	l.shut(code)
}

func (s *Sim) note(f func(*tally)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f(&s.tally)
}

// write sends orders first, then the session's events in sequence.
func (s *Sim) write(ctx context.Context, l *link) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-l.bell:
		}
		s.silence(ctx)
		for {
			s.mu.Lock()
			orders := l.orders
			l.orders = nil
			var events [][]byte
			if se := l.session; se != nil && se.link == l {
				if l.next < se.first {
					l.next = se.first
				}
				events = se.events[l.next-se.first:]
				l.next += int64(len(events))
			}
			s.mu.Unlock()
			if len(orders)+len(events) == 0 {
				break
			}
			for _, o := range orders {
				if o.code != 0 {
					s.note(func(*tally) { l.ended = true })
					_ = l.ws.Close(websocket.StatusCode(o.code), closeReason(o.code))
					l.stop()
					return
				}
				if l.ws.Write(ctx, websocket.MessageText, o.frame) != nil {
					return
				}
			}
			for _, b := range events {
				if l.ws.Write(ctx, websocket.MessageText, b) != nil {
					return
				}
			}
		}
	}
}

// receive acts on one payload of a client and reports whether it was a heartbeat.
func (s *Sim) receive(l *link, b []byte) (beat bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var f frame
	if json.Unmarshal(b, &f) != nil {
		l.shut(4002)
		return false
	}
	switch f.Op {
	case 1:
		if !s.weather.mute {
			l.op(11, nil)
		}
		return true
	case 2:
		s.identify(l, f.D)
	case 6:
		s.resume(l, f.D)
	case 3, 4, 8, 31:
		if l.session == nil {
			l.shut(4003)
		}
	default:
		l.shut(4001)
	}
	return false
}

func (s *Sim) identify(l *link, d json.RawMessage) {
	s.tally.identifies++
	s.tally.logins++
	var id struct {
		Token      string
		Intents    *int
		Properties map[string]string
	}
	switch {
	case json.Unmarshal(d, &id) != nil || id.Intents == nil || id.Properties == nil:
		l.shut(4002)
		return
	case l.session != nil:
		l.shut(4005)
		return
	case s.weather.revoked || strings.TrimPrefix(id.Token, "Bot ") != s.cfg.Token:
		l.shut(4004)
		return
	case *id.Intents >= 1<<26 || *id.Intents < 0:
		l.shut(4013)
		return
	case s.cfg.NoContent && *id.Intents&intentContent != 0, s.cfg.NoMembers && *id.Intents&intentMembers != 0:
		l.shut(4014)
		return
	}
	if _, ok := s.logins.take(time.Now(), 1, identifyEvery); !ok {
		l.op(9, false)
		return
	}
	se := &session{id: "session-" + s.snowflake(), intents: *id.Intents, first: 1, link: l}
	s.sessions[se.id] = se
	l.session, l.next = se, 1
	var guilds []map[string]any
	for _, g := range s.guilds {
		guilds = append(guilds, map[string]any{"id": g.ID, "unavailable": true})
	}
	se.add("READY", map[string]any{
		"v": 9, "user": s.bot(), "guilds": guilds, "session_id": se.id,
		"resume_gateway_url": s.resumeURL(se.id), "application": map[string]any{"id": s.cfg.AppID, "flags": 0},
	}, s.cfg.Keep)
	if se.intents&intentGuilds != 0 {
		for _, g := range s.guilds {
			se.add("GUILD_CREATE", s.guildObject(g), s.cfg.Keep)
		}
	}
}

func (s *Sim) resume(l *link, d json.RawMessage) {
	s.tally.resumes++
	s.tally.logins++
	var re struct {
		Token   string
		Session string `json:"session_id"`
		Seq     *int64
	}
	if json.Unmarshal(d, &re) != nil || re.Seq == nil {
		l.shut(4002)
		return
	}
	if s.weather.revoked || strings.TrimPrefix(re.Token, "Bot ") != s.cfg.Token {
		l.shut(4004)
		return
	}
	se := s.sessions[re.Session]
	switch {
	case se == nil || *re.Seq+1 < se.first:
		l.op(9, false)
		return
	case *re.Seq > se.seq():
		l.shut(4007)
		return
	}
	if se.link != nil {
		se.link.shut(4000)
	}
	se.link, l.session, l.next = l, se, *re.Seq+1
	se.add("RESUMED", map[string]any{}, s.cfg.Keep)
	l.wake()
}

// resumeURL differs from the first address so that a client's use of it can be seen.
func (s *Sim) resumeURL(id string) string {
	return "ws" + strings.TrimPrefix(s.url, "http") + "/resume/" + id
}

// dispatch gives an event to every session with the intent. content is the payload without message content, for
// sessions that may not read it; nil means the payload has none.
func (s *Sim) dispatch(intent int, t string, d, bare any) {
	for _, se := range s.sessions {
		switch {
		case se.intents&intent != intent:
		case bare != nil && se.intents&intentContent == 0:
			se.add(t, bare, s.cfg.Keep)
		default:
			se.add(t, d, s.cfg.Keep)
		}
	}
}

func closeReason(code int) string {
	switch code {
	case 4004:
		return "Authentication failed."
	case 4007:
		return "Invalid seq."
	case 4009:
		return "Session timed out."
	case 4013:
		return "Invalid intent(s)."
	case 4014:
		return "Disallowed intent(s)."
	}
	return ""
}
