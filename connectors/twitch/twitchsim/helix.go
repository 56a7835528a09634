package twitchsim

import (
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

func (s *Sim) handler() http.Handler {
	m := http.NewServeMux()
	m.HandleFunc("GET /helix/users", s.helix("", s.getUsers))
	m.HandleFunc("POST /helix/chat/messages", s.helix("user:write:chat", s.postMessage))
	m.HandleFunc("POST /helix/eventsub/subscriptions", s.helix("", s.postSubscription))
	m.HandleFunc("GET /helix/eventsub/subscriptions", s.helix("", s.getSubscriptions))
	m.HandleFunc("DELETE /helix/eventsub/subscriptions", s.helix("", s.deleteSubscription))
	m.HandleFunc("DELETE /helix/moderation/chat", s.helix("moderator:manage:chat_messages", s.deleteMessage))
	m.HandleFunc("POST /helix/moderation/bans", s.helix("moderator:manage:banned_users", s.postBan))
	m.HandleFunc("POST /helix/chat/announcements", s.helix("moderator:manage:announcements", s.postAnnouncement))
	m.HandleFunc("POST /helix/chat/shoutouts", s.helix("moderator:manage:shoutouts", s.postShoutout))
	m.HandleFunc("POST /helix/whispers", s.helix("user:manage:whispers", s.postWhisper))
	m.HandleFunc("POST /helix/streams/markers", s.helix("channel:manage:broadcast", s.postMarker))
	m.HandleFunc("PATCH /helix/channel_points/custom_rewards/redemptions", s.helix("channel:manage:redemptions", s.patchRedemption))
	m.HandleFunc("GET /helix/streams", s.helix("", s.getStreams))
	m.HandleFunc("GET /helix/streams/key", s.helix("channel:read:stream_key", s.getStreamKey))
	m.HandleFunc("GET /helix/channels", s.helix("", s.getChannels))
	m.HandleFunc("PATCH /helix/channels", s.helix("channel:manage:broadcast", s.patchChannel))
	m.HandleFunc("GET /helix/search/categories", s.helix("", s.getCategories))
	m.HandleFunc("GET /ingests", s.getIngests)
	m.HandleFunc("GET /ws", s.getSocket)
	m.HandleFunc("GET /oauth2/authorize", s.getAuthorize)
	m.HandleFunc("POST /oauth2/authorize", s.postAuthorize)
	m.HandleFunc("POST /oauth2/token", s.postToken)
	m.HandleFunc("GET /oauth2/validate", s.getValidate)
	m.HandleFunc("POST /oauth2/device", s.postDevice)
	m.HandleFunc("GET /activate", s.getActivate)
	m.HandleFunc("POST /activate", s.postActivate)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		broken, slow := s.broken > 0, s.slow
		if broken {
			s.broken--
		}
		s.mu.Unlock()
		if slow > 0 {
			select {
			case <-time.After(slow):
			case <-r.Context().Done():
				return
			}
		}
		if broken {
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			w.WriteHeader(http.StatusServiceUnavailable)
			_, _ = w.Write([]byte("<html><head><title>503</title></head><body><h1>Service Unavailable</h1></body></html>"))
			return
		}
		m.ServeHTTP(w, r)
	})
}

func answer(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v)
}

// fail is Helix's form of an error.
func fail(w http.ResponseWriter, status int, message string) {
	answer(w, status, map[string]any{"error": http.StatusText(status), "status": status, "message": message})
}

// helix checks what every call needs: the application, a living token, its scope, and the quota of 800 points a
// minute (Twitch API Reference, "Twitch Rate Limits").
func (s *Sim) helix(scope string, call func(http.ResponseWriter, *http.Request, *grant)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		defer s.mu.Unlock()
		access, bearer := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		g := s.byAccess(access)
		switch {
		case !bearer:
			fail(w, http.StatusUnauthorized, "OAuth token is missing")
			return
		case g == nil:
			fail(w, http.StatusUnauthorized, "Invalid OAuth token")
			return
		case r.Header.Get("Client-Id") == "" || s.o.ClientID != "" && r.Header.Get("Client-Id") != s.o.ClientID:
			fail(w, http.StatusUnauthorized, "Client ID and OAuth token do not match")
			return
		case g.user == "" && !forApps(r):
			fail(w, http.StatusUnauthorized, "Missing User OAUTH Token")
			return
		case scope != "" && g.user != "" && !hasScope(g, scope):
			fail(w, http.StatusUnauthorized, "Missing scope: "+scope)
			return
		}
		now := time.Now()
		w.Header().Set("Date", s.now().UTC().Format(http.TimeFormat))
		spent := append(within(s.points[g.user], now, time.Minute), now)
		s.points[g.user] = spent
		w.Header().Set("Ratelimit-Limit", "800")
		w.Header().Set("Ratelimit-Remaining", strconv.Itoa(max(0, 800-len(spent))))
		w.Header().Set("Ratelimit-Reset", strconv.FormatInt(spent[0].Add(time.Minute+s.skew).Unix(), 10))
		if len(spent) > 800 {
			s.overLimit++
			fail(w, http.StatusTooManyRequests, "Too many requests")
			return
		}
		call(w, r, g)
	}
}

// forApps reports whether a call may be made by an application's own token.
func forApps(r *http.Request) bool {
	switch path := strings.TrimPrefix(r.URL.Path, "/helix"); r.Method + " " + path {
	case "POST /chat/messages", "GET /users", "GET /streams", "GET /channels", "GET /search/categories":
		return true
	}
	return false
}

// appSays checks what a line by an application's own token needs (Twitch API Reference, "Send Chat Message").
func (s *Sim) appSays(w http.ResponseWriter, sender, channel string) bool {
	has := func(user, scope string) bool {
		return slices.ContainsFunc(s.grants, func(g *grant) bool { return g.user == user && user != "" && hasScope(g, scope) })
	}
	switch {
	case !has(sender, "user:bot") || !has(sender, "user:write:chat"):
		fail(w, http.StatusUnauthorized, "The sender must have authorized the app with the user:write:chat and user:bot scopes")
	case sender != channel && !has(channel, "channel:bot") && !s.room(channel).mods[sender]:
		fail(w, http.StatusUnauthorized, "The broadcaster must have authorized the app with the channel:bot scope, or the sender be a moderator")
	case s.room(channel).noApps:
		fail(w, http.StatusForbidden, "The app is not permitted to send messages in the broadcaster's chat room")
	default:
		return true
	}
	return false
}

func hasScope(g *grant, scope string) bool { return slices.Contains(g.Scopes, scope) }

func (s *Sim) getUsers(w http.ResponseWriter, r *http.Request, g *grant) {
	q := r.URL.Query()
	ids, logins := q["id"], q["login"]
	if len(ids)+len(logins) > 100 {
		fail(w, http.StatusBadRequest, "The number of id and login query parameters must not exceed 100")
		return
	}
	if len(ids)+len(logins) == 0 {
		ids = []string{g.user}
	}
	data := []map[string]string{}
	add := func(u User, ok bool) {
		if ok {
			data = append(data, map[string]string{"id": u.ID, "login": u.Login, "display_name": u.Name, "created_at": "2016-12-14T20:32:28Z"})
		}
	}
	for _, id := range ids {
		u, ok := s.users[id]
		add(u, ok)
	}
	for _, l := range logins {
		add(s.byLogin(l))
	}
	answer(w, http.StatusOK, map[string]any{"data": data})
}

func (s *Sim) postMessage(w http.ResponseWriter, r *http.Request, g *grant) {
	var in struct {
		Broadcaster string `json:"broadcaster_id"`
		Sender      string `json:"sender_id"`
		Message     string `json:"message"`
		ReplyTo     string `json:"reply_parent_message_id"`
		Pin         bool   `json:"pin"`
		SourceOnly  *bool  `json:"for_source_only"`
	}
	s.posts++
	if json.NewDecoder(http.MaxBytesReader(w, r.Body, 64<<10)).Decode(&in) != nil {
		fail(w, http.StatusBadRequest, "The request body is not valid")
		return
	}
	if s.bare429 > 0 {
		s.bare429--
		for _, h := range []string{"Ratelimit-Limit", "Ratelimit-Remaining", "Ratelimit-Reset"} {
			w.Header().Del(h)
		}
		fail(w, http.StatusTooManyRequests, "Too many requests")
		return
	}
	if s.refuse429 > 0 {
		s.refuse429--
		w.Header().Set("Ratelimit-Remaining", "0")
		w.Header().Set("Ratelimit-Reset", strconv.FormatInt(s.now().Add(time.Second).Unix(), 10))
		fail(w, http.StatusTooManyRequests, "Too many requests")
		return
	}
	rm, known := s.rooms[in.Broadcaster]
	switch {
	case g.user == "" && !s.appSays(w, in.Sender, in.Broadcaster):
		return
	case g.user != "" && in.SourceOnly != nil:
		fail(w, http.StatusBadRequest, "The for_source_only parameter can only be set with an app access token")
		return
	case g.user != "" && in.Sender != g.user:
		fail(w, http.StatusUnauthorized, "The ID in sender_id must match the user ID in the access token")
		return
	case in.Broadcaster == "" || in.Message == "" || !known:
		fail(w, http.StatusBadRequest, "The broadcaster_id or message query parameter is required")
		return
	case utf8.RuneCountInString(in.Message) > 500:
		fail(w, http.StatusUnprocessableEntity, "The message is too large")
		return
	case rm.banned[in.Sender]:
		fail(w, http.StatusForbidden, "The sender is not permitted to send chat messages to the broadcaster's chat room")
		return
	case in.Pin && (in.ReplyTo != "" || !hasScope(g, "moderator:manage:chat_messages")):
		fail(w, http.StatusBadRequest, "The message cannot be pinned")
		return
	case in.Pin && in.Sender != in.Broadcaster && !rm.mods[in.Sender]:
		fail(w, http.StatusForbidden, "The sender is not one of the broadcaster's moderators")
		return
	case in.ReplyTo != "" && rm.raw[in.ReplyTo] == "":
		fail(w, http.StatusBadRequest, "The reply_parent_message_id is not valid")
		return
	}
	s.byApp = g.user == ""
	id, d := s.say(s.users[in.Sender], in.Broadcaster, in.Message, in.ReplyTo, nil)
	s.byApp = false
	if in.Pin && d == nil {
		s.did(Deed{Kind: "pin card", Channel: in.Broadcaster, By: g.user, Message: id, Text: in.Message})
	}
	if s.lose > 0 {
		s.lose--
		panic(http.ErrAbortHandler) // net/http cuts the connection
	}
	out := map[string]any{"message_id": id, "is_sent": d == nil}
	if d != nil {
		out["drop_reason"] = map[string]string{"code": d.code, "message": d.message}
	}
	answer(w, http.StatusOK, map[string]any{"data": []any{out}})
}

// say is a line sent by an account, over either road, under the documented rates: 20 in 30 s, 100 where the sender is
// broadcaster or moderator, past it nothing for 30 minutes; one a second and channel unless broadcaster, moderator or
// VIP; the same text not twice within 30 s. Arrival may jitter by a twentieth. The caller holds s.mu.
func (s *Sim) say(u User, channelID, text, replyTo string, from *conn) (id string, refused *drop) {
	r, now := s.room(channelID), time.Now()
	if len(s.drops) > 0 {
		d := s.drops[0]
		s.drops = s.drops[1:]
		return "", &d
	}
	text = strings.TrimLeft(text, " ")
	if strings.HasPrefix(text, "/") || strings.HasPrefix(text, ".") {
		return "", &drop{"msg_rejected", "Chat commands cannot be sent."}
	}
	if r.banned[u.ID] {
		return "", &drop{"msg_banned", "You are permanently banned from talking in this channel."}
	}
	limited := &drop{"msg_ratelimit", "Your message was not sent because you are sending messages too quickly."}
	if now.Before(s.muted[u.ID]) {
		return "", limited
	}
	mod := channelID == u.ID || r.mods[u.ID]
	most := 20
	if mod {
		most = 100
	}
	s.sends[u.ID] = within(s.sends[u.ID], now, 30*time.Second*19/20)
	if len(s.sends[u.ID]) >= most {
		s.overLimit++
		s.muted[u.ID] = now.Add(30 * time.Minute)
		return "", limited
	}
	if last, ok := r.last[u.ID]; ok && !mod && !r.vips[u.ID] && now.Sub(last) < time.Second*19/20 {
		s.overLimit++
		return "", limited
	}
	key := u.ID + "\x00" + text
	if t, ok := r.texts[key]; ok && now.Sub(t) < 30*time.Second*19/20 {
		return "", &drop{"msg_duplicate", "Your message was not sent because it is identical to the previous one you sent, less than 30 seconds ago."}
	}
	for k, t := range r.texts {
		if now.Sub(t) >= 30*time.Second {
			delete(r.texts, k)
		}
	}
	s.sends[u.ID] = append(s.sends[u.ID], now)
	r.last[u.ID], r.texts[key] = now, now
	return s.post(Line{Channel: channelID, User: u, Text: text, ReplyTo: replyTo, At: now, Sent: true, App: s.byApp && channelID != u.ID, Over: from != nil}, from), nil
}
