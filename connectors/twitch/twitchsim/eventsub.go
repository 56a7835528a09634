package twitchsim

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/coder/websocket"
)

// Subscription is one of EventSub's, as it was made.
type Subscription struct {
	ID, Type, Version string
	Channel           string // broadcaster_user_id
	User              string // whose token made it
	Session           string
	Cost              int
}

// session is what subscriptions belong to. It outlives its connection only when it moves.
type session struct {
	id   string
	user string // of the first subscription; others may not subscribe on it
	subs []Subscription
	on   *socket
	move string // the word by which a new connection takes the session over
}

// socket is one connection of EventSub. Its reader runs in the handler's goroutine, its writer in one of its own.
type socket struct {
	ws      *websocket.Conn
	session *session
	out     chan parcel // at most queue frames wait; who reads slower is cut
	quiet   time.Duration
	stop    context.CancelFunc
	address string      // by which it was reached
	timer   *time.Timer // closes it when it is not used, or not left, in time
}

// parcel is a frame, or the end by a close code.
type parcel struct {
	frame []byte
	code  int
}

func (k *socket) send(p parcel) {
	select {
	case k.out <- p:
	default:
		k.stop()
	}
}

// envelope is a frame as Twitch sends it.
func envelope(id, typ string, meta map[string]string, payload any) []byte {
	m := map[string]string{"message_id": id, "message_type": typ, "message_timestamp": time.Now().UTC().Format(time.RFC3339Nano)}
	for k, v := range meta {
		m[k] = v
	}
	b, _ := json.Marshal(map[string]any{"metadata": m, "payload": payload})
	return b
}

func (x *session) frame(status, address string, quiet time.Duration) map[string]any {
	v := map[string]any{
		"id": x.id, "status": status, "connected_at": time.Now().UTC().Format(time.RFC3339Nano),
		"keepalive_timeout_seconds": int(quiet.Seconds()), "reconnect_url": nil,
	}
	if address != "" {
		v["reconnect_url"], v["keepalive_timeout_seconds"] = address, nil
	}
	return map[string]any{"session": v}
}

// getSocket serves one connection of EventSub (Twitch docs, "Getting Events Using WebSockets").
func (s *Sim) getSocket(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return
	}
	s.wg.Add(1)
	s.sockets++
	s.mu.Unlock()
	defer s.wg.Done()
	ws, err := websocket.Accept(w, r, &websocket.AcceptOptions{InsecureSkipVerify: true})
	if err != nil {
		return
	}
	defer func() { _ = ws.CloseNow() }()
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	seconds, err := strconv.Atoi(r.URL.Query().Get("keepalive_timeout_seconds"))
	if err != nil {
		seconds = 10
	}
	k := &socket{ws: ws, address: "ws://" + r.Host + r.URL.Path, out: make(chan parcel, queue), quiet: time.Duration(min(max(seconds, 10), 600)) * time.Second, stop: stop}
	s.greet(k, r)
	defer s.leave(k)
	s.wg.Go(func() { s.writeSocket(ctx, k) })
	for {
		if _, _, err := ws.Read(ctx); err != nil {
			return
		}
		k.send(parcel{code: 4001}) // nothing may be sent to Twitch
	}
}

// greet gives a connection its session.
func (s *Sim) greet(k *socket, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sitting[k] = true
	if s.closed {
		k.stop()
	}
	if word := r.URL.Query().Get("move"); word != "" {
		for _, x := range s.sessions {
			if x.move == word {
				x.move, x.on, k.session = "", k, x
				k.send(parcel{frame: envelope(uuid(), "session_welcome", nil, x.frame("connected", "", k.quiet))})
				return
			}
		}
		k.session = &session{}
		k.send(parcel{code: 4007})
		return
	}
	if s.shut {
		k.session = &session{}
		k.send(parcel{code: 4000})
		return
	}
	x := &session{id: random(), on: k}
	k.session = x
	s.sessions = append(s.sessions, x)
	k.send(parcel{frame: envelope(uuid(), "session_welcome", nil, x.frame("connected", "", k.quiet))})
	k.timer = time.AfterFunc(k.quiet, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if len(x.subs) == 0 {
			k.send(parcel{code: 4003})
		}
	})
}

// leave forgets a connection, and its session when no other took it over.
func (s *Sim) leave(k *socket) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.sitting, k)
	if k.timer != nil {
		k.timer.Stop()
	}
	if k.session.on == k {
		s.sessions = slices.DeleteFunc(s.sessions, func(x *session) bool { return x == k.session })
	}
}

func (s *Sim) writeSocket(ctx context.Context, k *socket) {
	defer k.stop()
	t := time.NewTimer(k.quiet)
	defer t.Stop()
	for {
		var frame []byte
		select {
		case <-ctx.Done():
			return
		case p := <-k.out:
			if p.code != 0 {
				_ = k.ws.Close(websocket.StatusCode(p.code), "")
				return
			}
			frame = p.frame
		case <-t.C:
			frame = envelope(uuid(), "session_keepalive", nil, map[string]any{})
		}
		t.Reset(k.quiet)
		s.mu.Lock()
		mute := s.mute
		s.mu.Unlock()
		if !mute && k.ws.Write(ctx, websocket.MessageText, frame) != nil {
			return
		}
	}
}

// ofChat are the subscriptions of a chat: by the reading account's own login, which the condition names.
func ofChat(typ string) bool { return strings.HasPrefix(typ, "channel.chat.") }

// authorization is what a type of subscription asks of the token's user: one of the scopes, and to be broadcaster (or, for
// follows, the named moderator).
type authorization struct {
	version string
	scopes  []string
}

func types() map[string]authorization {
	return map[string]authorization{
		"channel.follow": {"2", []string{"moderator:read:followers"}},
		"channel.channel_points_custom_reward_redemption.add": {"1", []string{"channel:read:redemptions", "channel:manage:redemptions"}},
		"channel.custom_power_up_redemption.add":              {"1", []string{"bits:read"}},
		"channel.ad_break.begin":                              {"1", []string{"channel:read:ads"}},
		"channel.poll.end":                                    {"1", []string{"channel:read:polls", "channel:manage:polls"}},
		"channel.chat.message":                                {"1", []string{"user:read:chat"}},
		"channel.chat.message_delete":                         {"1", []string{"user:read:chat"}},
		"channel.chat.clear":                                  {"1", []string{"user:read:chat"}},
		"channel.chat.clear_user_messages":                    {"1", []string{"user:read:chat"}},
		"channel.chat.notification":                           {"1", []string{"user:read:chat"}},
		"stream.online":                                       {"1", nil},
		"stream.offline":                                      {"1", nil},
	}
}

// postSubscription makes a subscription, within Twitch's limits (Twitch docs, "Managing Event Subscriptions"): per user three
// sockets and a cost of ten, 300 subscriptions a socket, the same three times at most and once a socket.
func (s *Sim) postSubscription(w http.ResponseWriter, r *http.Request, g *grant) {
	var in struct {
		Type      string `json:"type"`
		Version   string `json:"version"`
		Condition struct {
			Channel string `json:"broadcaster_user_id"`
			Mod     string `json:"moderator_user_id"`
			User    string `json:"user_id"`
		} `json:"condition"`
		Transport struct {
			Method  string `json:"method"`
			Session string `json:"session_id"`
		} `json:"transport"`
	}
	if json.NewDecoder(http.MaxBytesReader(w, r.Body, 64<<10)).Decode(&in) != nil {
		fail(w, http.StatusBadRequest, "The request body is not valid")
		return
	}
	if len(s.refuseSubs) > 0 {
		no := s.refuseSubs[0]
		s.refuseSubs = s.refuseSubs[1:]
		fail(w, no.status, no.message)
		return
	}
	i := slices.IndexFunc(s.sessions, func(x *session) bool { return x.id == in.Transport.Session })
	auth, known := types()[in.Type]
	ch := in.Condition.Channel
	switch {
	case !known || auth.version != in.Version:
		fail(w, http.StatusBadRequest, "invalid subscription type and version")
		return
	case in.Transport.Method != "websocket":
		fail(w, http.StatusBadRequest, "invalid transport and auth combination")
		return
	case i < 0:
		fail(w, http.StatusBadRequest, "websocket transport session does not exist or has already disconnected")
		return
	case s.users[ch].ID == "":
		fail(w, http.StatusBadRequest, "invalid condition: unknown broadcaster_user_id")
		return
	case auth.scopes != nil && !slices.ContainsFunc(auth.scopes, func(sc string) bool { return hasScope(g, sc) }),
		in.Type == "channel.follow" && (in.Condition.Mod != g.user || g.user != ch && !s.room(ch).mods[g.user]),
		ofChat(in.Type) && (in.Condition.User != g.user || s.room(ch).banned[g.user]),
		auth.scopes != nil && in.Type != "channel.follow" && !ofChat(in.Type) && g.user != ch:
		fail(w, http.StatusForbidden, "subscription missing proper authorization")
		return
	}
	x := s.sessions[i]
	if x.user != "" && x.user != g.user {
		fail(w, http.StatusBadRequest, "websocket transport session cannot have subscriptions created by different users")
		return
	}
	same, cost, sessions := 0, 0, map[string]bool{x.id: true}
	for _, y := range s.sessions {
		for _, sub := range y.subs {
			if sub.User != g.user {
				continue
			}
			sessions[y.id] = true
			cost += sub.Cost
			if sub.Type == in.Type && sub.Channel == ch {
				same++
				if y == x {
					answer(w, http.StatusConflict, map[string]any{
						"error": "Conflict", "status": 409, "message": "subscription already exists", "data": []any{subscriptionJSON(sub)},
					})
					return
				}
			}
		}
	}
	sub := Subscription{ID: uuid(), Type: in.Type, Version: in.Version, Channel: ch, User: g.user, Session: x.id, Cost: 1}
	if slices.ContainsFunc(s.grants, func(g *grant) bool { return g.user == ch }) {
		sub.Cost = 0 // its owner has let the application in
	}
	limit := ""
	switch {
	case same >= 3:
		limit = "number of subscriptions with the same type and condition exceeded"
	case len(sessions) > 3:
		limit = "number of websocket transports limit exceeded"
	case len(x.subs) >= 300:
		limit = "number of subscriptions on the websocket transport limit exceeded"
	case cost+sub.Cost > 10:
		limit = "maximum total cost exceeded"
	}
	if limit != "" {
		fail(w, http.StatusTooManyRequests, limit)
		return
	}
	x.user = g.user
	x.subs = append(x.subs, sub)
	answer(w, http.StatusAccepted, map[string]any{"data": []any{subscriptionJSON(sub)}, "total": len(x.subs), "total_cost": cost + sub.Cost, "max_total_cost": 10})
}

func subscriptionJSON(s Subscription) map[string]any {
	return map[string]any{
		"id": s.ID, "status": "enabled", "type": s.Type, "version": s.Version, "cost": s.Cost, "created_at": time.Now().UTC().Format(time.RFC3339Nano),
		"condition": map[string]any{"broadcaster_user_id": s.Channel}, "transport": map[string]any{"method": "websocket", "session_id": s.Session},
	}
}

// getSubscriptions lists the user's. Its filters exclude each other.
func (s *Sim) getSubscriptions(w http.ResponseWriter, r *http.Request, g *grant) {
	q, filters := r.URL.Query(), 0
	for _, f := range []string{"status", "type", "user_id", "subscription_id"} {
		if q.Has(f) {
			filters++
		}
	}
	if filters > 1 {
		fail(w, http.StatusBadRequest, "The request may specify only one filter query parameter")
		return
	}
	data, cost := []any{}, 0
	for _, x := range s.sessions {
		for _, sub := range x.subs {
			if sub.User != g.user {
				continue
			}
			cost += sub.Cost
			other := q.Has("type") && q.Get("type") != sub.Type || q.Has("status") && q.Get("status") != "enabled" ||
				q.Has("subscription_id") && q.Get("subscription_id") != sub.ID || q.Has("user_id") && q.Get("user_id") != sub.Channel
			if !other {
				data = append(data, subscriptionJSON(sub))
			}
		}
	}
	answer(w, http.StatusOK, map[string]any{"data": data, "total": len(data), "total_cost": cost, "max_total_cost": 10, "pagination": map[string]any{}})
}

func (s *Sim) deleteSubscription(w http.ResponseWriter, r *http.Request, g *grant) {
	for _, x := range s.sessions {
		for i, sub := range x.subs {
			if sub.ID == r.URL.Query().Get("id") && sub.User == g.user {
				x.subs = slices.Delete(x.subs, i, i+1)
				w.WriteHeader(http.StatusNoContent)
				return
			}
		}
	}
	fail(w, http.StatusNotFound, "subscription not found")
}

// Notify tells an event to everybody who subscribed to it, and says to how many.
func (s *Sim) Notify(typ, channelID string, event map[string]any) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.notify(typ, channelID, func() map[string]any { return event })
}

// notify makes the event when anybody subscribed; the caller holds s.mu.
func (s *Sim) notify(typ, channelID string, make func() map[string]any) int {
	told := 0
	var event map[string]any
	for _, x := range s.sessions {
		for _, sub := range x.subs {
			if sub.Type != typ || sub.Channel != channelID {
				continue
			}
			if told++; event == nil {
				event = make()
			}
			f := envelope(uuid(), "notification", map[string]string{
				"subscription_type": sub.Type, "subscription_version": sub.Version, "message_timestamp": s.now().UTC().Format(time.RFC3339Nano),
			}, map[string]any{"subscription": subscriptionJSON(sub), "event": event})
			x.on.send(parcel{frame: f})
			if s.twice {
				x.on.send(parcel{frame: f})
			}
		}
	}
	return told
}

// Old tells an event as if it had happened long ago and had been stuck: to whoever subscribed to it.
func (s *Sim) Old(typ, channelID string, age time.Duration, event map[string]any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, x := range s.sessions {
		for _, sub := range x.subs {
			if sub.Type == typ && sub.Channel == channelID {
				x.on.send(parcel{frame: envelope(uuid(), "notification", map[string]string{
					"subscription_type": typ, "subscription_version": sub.Version, "message_timestamp": time.Now().Add(-age).UTC().Format(time.RFC3339Nano),
				}, map[string]any{"subscription": subscriptionJSON(sub), "event": event})})
			}
		}
	}
}

// reply is an answer that stands ready.
type reply struct {
	status  int
	message string
}

// RefuseSubscription answers the next wish for a subscription with a status and Twitch's sentence.
func (s *Sim) RefuseSubscription(status int, message string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refuseSubs = append(s.refuseSubs, reply{status, message})
}

// Subscriptions are those that stand now.
func (s *Sim) Subscriptions() []Subscription {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []Subscription
	for _, x := range s.sessions {
		all = append(all, x.subs...)
	}
	return all
}

// Sockets counts EventSub connections since the start, moves among them.
func (s *Sim) Sockets() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.sockets
}

// TellTwice has every notification delivered twice under one message id, as a resend is.
func (s *Sim) TellTwice(on bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.twice = on
}

// Mute swallows every frame of EventSub, keepalives too, while connections stay open.
func (s *Sim) Mute(on bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.mute = on
}

// MoveSockets asks every EventSub connection to move to another address. Old ones go on until the new one is greeted, and are
// closed (4004) after 30 s.
func (s *Sim) MoveSockets() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, x := range s.sessions {
		if x.move != "" {
			continue // asked already
		}
		x.move = random()
		k := x.on
		k.send(parcel{frame: envelope(uuid(), "session_reconnect", nil, x.frame("reconnecting", k.address+"?move="+x.move, k.quiet))})
		if k.timer != nil {
			k.timer.Stop()
		}
		k.timer = time.AfterFunc(30*time.Second, func() {
			s.mu.Lock()
			defer s.mu.Unlock()
			k.send(parcel{code: 4004})
		})
	}
}

// CloseSockets ends every EventSub connection with one of Twitch's close codes, 4000 to 4007.
func (s *Sim) CloseSockets(code int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for k := range s.sitting {
		k.send(parcel{code: code})
	}
}

// RevokeSubscriptions ends every subscription of a type, with a status such as "authorization_revoked".
func (s *Sim) RevokeSubscriptions(typ, status string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, x := range s.sessions {
		for _, sub := range x.subs {
			if sub.Type == typ {
				j := subscriptionJSON(sub)
				j["status"] = status
				x.on.send(parcel{frame: envelope(uuid(), "revocation", map[string]string{"subscription_type": typ, "subscription_version": sub.Version},
					map[string]any{"subscription": j})})
			}
		}
		x.subs = slices.DeleteFunc(x.subs, func(sub Subscription) bool { return sub.Type == typ })
	}
}

// MalformedEvents delivers frames that no correct server would send.
func (s *Sim) MalformedEvents() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for k := range s.sitting {
		for _, f := range []string{
			"", "null", "[]", "{", `{"metadata":[]}`, `{"metadata":{"message_type":"session_reconnect"},"payload":{"session":{"reconnect_url":"file:///etc/passwd"}}}`,
			`{"metadata":{"message_type":"notification","message_id":"x","subscription_type":"channel.follow"}}`,
			`{"metadata":{"message_type":"session_reconnect"},"payload":{"session":null}}`, `{"metadata":{"message_type":"revocation"},"payload":7}`,
		} {
			k.send(parcel{frame: []byte(f)})
		}
		for typ, a := range types() {
			for i, e := range []any{nil, 7, []int{}, map[string]any{}, map[string]any{"broadcaster_user_id": 7}, map[string]any{"duration_seconds": "x", "broadcaster_user_id": "424242"}} {
				k.send(parcel{frame: envelope("odd-"+typ+strconv.Itoa(i), "notification", map[string]string{"subscription_type": typ, "subscription_version": a.version}, map[string]any{"event": e})})
			}
		}
	}
}
