package twitchsim

import (
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"time"
	"unicode/utf8"
)

// Deed is something done through the API beside saying a line.
type Deed struct {
	Kind       string // "delete line", "time out", "announce", "shoutout creator", "direct message", "stream marker", "fulfil reward", "refund reward", "pin card"
	Channel    string // empty for whispers
	By         string // whose token
	User       string // whom it is for
	Message    string // the line's id
	Text       string
	For        time.Duration
	Redemption string
	At         time.Time
}

// Deeds is everything done, oldest first.
func (s *Sim) Deeds() []Deed {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.deeds)
}

func (s *Sim) did(d Deed) {
	d.At = time.Now()
	s.deeds = append(s.deeds, d)
	if n := len(s.deeds) - keepLines; n > 0 {
		s.deeds = slices.Clone(s.deeds[n:])
	}
}

// NoPhone takes a user's verified phone number away, or gives it back: without one nobody may whisper.
func (s *Sim) NoPhone(userID string, on bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.noPhone[userID] = on
}

// moderates checks what every call of a moderator needs; the caller answers nothing more when it is false.
func (s *Sim) moderates(w http.ResponseWriter, r *http.Request, g *grant, channel string) bool {
	ch := r.URL.Query().Get(channel)
	switch {
	case ch == "" || s.users[ch].ID == "":
		fail(w, http.StatusBadRequest, "The "+channel+" query parameter is required")
	case r.URL.Query().Get("moderator_id") != g.user:
		fail(w, http.StatusUnauthorized, "The ID in moderator_id must match the user ID in the access token")
	case g.user != ch && !s.room(ch).mods[g.user]:
		fail(w, http.StatusForbidden, "The user in moderator_id is not one of the broadcaster's moderators")
	default:
		return true
	}
	return false
}

// over counts a call beyond a rate and answers it with 429.
func (s *Sim) over(w http.ResponseWriter, what string, most int, per time.Duration) bool {
	now := time.Now()
	s.deedsAt[what] = within(s.deedsAt[what], now, per*19/20)
	if len(s.deedsAt[what]) >= most {
		s.overLimit++
		fail(w, http.StatusTooManyRequests, "The app exceeded the number of requests that it may make")
		return true
	}
	s.deedsAt[what] = append(s.deedsAt[what], now)
	return false
}

func decode(w http.ResponseWriter, r *http.Request, v any) bool {
	if json.NewDecoder(http.MaxBytesReader(w, r.Body, 64<<10)).Decode(v) != nil {
		fail(w, http.StatusBadRequest, "The request body is not valid")
		return false
	}
	return true
}

func (s *Sim) deleteMessage(w http.ResponseWriter, r *http.Request, g *grant) {
	if !s.moderates(w, r, g, "broadcaster_id") {
		return
	}
	ch, id := r.URL.Query().Get("broadcaster_id"), r.URL.Query().Get("message_id")
	rm := s.room(ch)
	i := slices.IndexFunc(rm.lines, func(l Line) bool { return l.ID == id })
	switch {
	case i < 0:
		fail(w, http.StatusNotFound, "The ID in message_id was not found, or the message was created more than 6 hours ago")
		return
	case g.user != ch && (rm.lines[i].User.ID == ch || rm.mods[rm.lines[i].User.ID] && rm.lines[i].User.ID != g.user):
		fail(w, http.StatusBadRequest, "You may not delete another moderator's messages")
		return
	}
	s.did(Deed{Kind: "delete line", Channel: ch, By: g.user, User: rm.lines[i].User.ID, Message: id, Text: rm.lines[i].Text})
	s.remove(ch, i)
	w.WriteHeader(http.StatusNoContent)
}

func (s *Sim) postBan(w http.ResponseWriter, r *http.Request, g *grant) {
	if !s.moderates(w, r, g, "broadcaster_id") {
		return
	}
	var in struct {
		Data struct {
			User   string `json:"user_id"`
			For    *int   `json:"duration"`
			Reason string `json:"reason"`
		} `json:"data"`
	}
	if !decode(w, r, &in) {
		return
	}
	ch, d := r.URL.Query().Get("broadcaster_id"), in.Data
	switch {
	case d.User == "" || s.users[d.User].ID == "":
		fail(w, http.StatusBadRequest, "The user ID in user_id is not valid")
		return
	case d.For != nil && (*d.For < 1 || *d.For > 1_209_600):
		fail(w, http.StatusBadRequest, "The value in duration must be between 1 and 1209600")
		return
	case utf8.RuneCountInString(d.Reason) > 500:
		fail(w, http.StatusBadRequest, "The text in reason is too long")
		return
	case d.User == ch || d.User == g.user || s.room(ch).mods[d.User] && g.user != ch:
		fail(w, http.StatusBadRequest, "The user specified in the user_id field may not be banned")
		return
	}
	deed := Deed{Kind: "time out", Channel: ch, By: g.user, User: d.User, Text: d.Reason}
	if d.For != nil {
		deed.For = time.Duration(*d.For) * time.Second
	} else {
		deed.Kind = "ban"
	}
	s.did(deed)
	s.clear(ch, d.User)
	answer(w, http.StatusOK, map[string]any{"data": []any{map[string]any{
		"broadcaster_id": ch, "moderator_id": g.user, "user_id": d.User, "created_at": time.Now().UTC().Format(time.RFC3339),
		"end_time": time.Now().Add(deed.For).UTC().Format(time.RFC3339),
	}}})
}

func (s *Sim) postAnnouncement(w http.ResponseWriter, r *http.Request, g *grant) {
	if !s.moderates(w, r, g, "broadcaster_id") {
		return
	}
	var in struct {
		Message string `json:"message"`
	}
	if !decode(w, r, &in) {
		return
	}
	ch := r.URL.Query().Get("broadcaster_id")
	if in.Message == "" {
		fail(w, http.StatusBadRequest, "The message field in the request's body is required")
		return
	}
	if s.over(w, "announce "+ch, 1, 2*time.Second) {
		return
	}
	if text := []rune(in.Message); len(text) > 500 {
		in.Message = string(text[:500])
	}
	s.did(Deed{Kind: "announce", Channel: ch, By: g.user, Text: in.Message})
	s.notice(ch, Notice{Kind: "announcement", User: s.users[g.user], Text: in.Message, Params: map[string]string{"msg-param-color": "PRIMARY"}})
	w.WriteHeader(http.StatusNoContent)
}

func (s *Sim) postShoutout(w http.ResponseWriter, r *http.Request, g *grant) {
	if !s.moderates(w, r, g, "from_broadcaster_id") {
		return
	}
	from, to := r.URL.Query().Get("from_broadcaster_id"), r.URL.Query().Get("to_broadcaster_id")
	switch {
	case to == "" || s.users[to].ID == "":
		fail(w, http.StatusBadRequest, "The to_broadcaster_id query parameter is required")
		return
	case to == from:
		fail(w, http.StatusBadRequest, "The broadcaster may not give themselves a Shoutout.")
		return
	case s.live[from] == "":
		fail(w, http.StatusBadRequest, "The broadcaster is not streaming live or does not have one or more viewers.")
		return
	}
	if s.over(w, "shoutout "+from, 1, 2*time.Minute) || s.over(w, "shoutout "+from+" "+to, 1, time.Hour) {
		return
	}
	s.did(Deed{Kind: "shoutout creator", Channel: from, By: g.user, User: to})
	w.WriteHeader(http.StatusNoContent)
}

func (s *Sim) postWhisper(w http.ResponseWriter, r *http.Request, g *grant) {
	q := r.URL.Query()
	from, to := q.Get("from_user_id"), q.Get("to_user_id")
	var in struct {
		Message string `json:"message"`
	}
	if !decode(w, r, &in) {
		return
	}
	switch {
	case from != g.user:
		fail(w, http.StatusUnauthorized, "The ID in from_user_id must match the user ID in the access token")
		return
	case s.noPhone[from]:
		fail(w, http.StatusUnauthorized, "The user in the from_user_id query parameter must have a verified phone number")
		return
	case to == from || in.Message == "":
		fail(w, http.StatusBadRequest, "The from_user_id and to_user_id query parameters must be different, and the message is required")
		return
	case s.users[to].ID == "":
		fail(w, http.StatusNotFound, "The ID in to_user_id was not found")
		return
	}
	if s.over(w, "whisper "+from, 3, time.Second) || s.over(w, "whispers "+from, 100, time.Minute) {
		return
	}
	known := slices.ContainsFunc(s.deeds, func(d Deed) bool { return d.Kind == "direct message" && d.By == from && d.User == to })
	if !known && s.over(w, "whispered "+from, 40, 24*time.Hour) {
		return
	}
	s.did(Deed{Kind: "direct message", By: from, User: to, Text: in.Message})
	w.WriteHeader(http.StatusNoContent)
}

func (s *Sim) postMarker(w http.ResponseWriter, r *http.Request, g *grant) {
	var in struct {
		User        string `json:"user_id"`
		Description string `json:"description"`
	}
	if !decode(w, r, &in) {
		return
	}
	switch {
	case in.User == "":
		fail(w, http.StatusBadRequest, "The user_id field is required")
		return
	case utf8.RuneCountInString(in.Description) > 140:
		fail(w, http.StatusBadRequest, "The string in the description field is too long")
		return
	case in.User != g.user:
		fail(w, http.StatusForbidden, "The user in the access token is not authorized to create video markers for the user in the user_id field")
		return
	case s.live[in.User] == "":
		fail(w, http.StatusNotFound, "The user in the user_id field is not streaming live")
		return
	}
	s.did(Deed{Kind: "stream marker", Channel: in.User, By: g.user, Text: in.Description})
	answer(w, http.StatusOK, map[string]any{"data": []any{map[string]any{
		"id": strconv.Itoa(len(s.deeds)), "created_at": time.Now().UTC().Format(time.RFC3339), "description": in.Description, "position_seconds": 1,
	}}})
}

func (s *Sim) patchRedemption(w http.ResponseWriter, r *http.Request, g *grant) {
	q := r.URL.Query()
	id, ch := q.Get("id"), q.Get("broadcaster_id")
	var in struct {
		Status string `json:"status"`
	}
	if !decode(w, r, &in) {
		return
	}
	red, ok := s.redemptions[id]
	kind := map[string]string{"FULFILLED": "fulfil reward", "CANCELED": "refund reward"}[in.Status]
	switch {
	case kind == "" || q.Get("reward_id") == "":
		fail(w, http.StatusBadRequest, "The value in the status field is not valid")
		return
	case ch != g.user:
		fail(w, http.StatusUnauthorized, "The ID in broadcaster_id must match the user ID in the access token")
		return
	case s.strange[q.Get("reward_id")]:
		fail(w, http.StatusForbidden, "The client ID does not match the app used to create the reward")
		return
	case !ok || red.channel != ch || red.reward != q.Get("reward_id") || red.status != "UNFULFILLED":
		fail(w, http.StatusNotFound, "The redemption was not found, or its status is not UNFULFILLED")
		return
	}
	red.status = in.Status
	s.redemptions[id] = red
	s.did(Deed{Kind: kind, Channel: ch, By: g.user, Redemption: id})
	answer(w, http.StatusOK, map[string]any{"data": []any{map[string]any{"id": id, "broadcaster_id": ch, "status": in.Status}}})
}

// Strange marks a reward as made by another application, which alone may fulfil and refund it.
func (s *Sim) Strange(rewardID string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.strange[rewardID] = true
}
