package youtubesim

import (
	"encoding/json"
	"net/http"
	"strings"
	"time"
	"unicode/utf8"
)

type obj = map[string]any

func answer(w http.ResponseWriter, v any) *fault {
	b, err := json.Marshal(v)
	if err != nil {
		return refuse(http.StatusInternalServerError, "backendError", err.Error())
	}
	w.Header().Set("Content-Type", "application/json; charset=UTF-8")
	_, _ = w.Write(b)
	return nil
}

// parts are the parts asked for, written repeated or with commas.
func parts(r *http.Request) map[string]bool {
	got := map[string]bool{}
	for _, p := range r.URL.Query()["part"] {
		for one := range strings.SplitSeq(p, ",") {
			if one != "" {
				got[one] = true
			}
		}
	}
	return got
}

func noPart() *fault {
	return refuse(http.StatusBadRequest, "missingRequiredParameter", "No filter selected: the part parameter is required.")
}

func (s *Sim) videos(w http.ResponseWriter, r *http.Request, _ *grant) *fault {
	want := parts(r)
	if len(want) == 0 {
		return noPart()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	items := []obj{}
	for _, id := range strings.Split(strings.Join(r.URL.Query()["id"], ","), ",") {
		for _, c := range s.chats {
			if c.video != id {
				continue
			}
			item := obj{"kind": "youtube#video", "id": c.video}
			if want["liveStreamingDetails"] {
				d := obj{}
				if !c.started.IsZero() {
					d["actualStartTime"] = c.started.UTC().Format(time.RFC3339)
				}
				if c.ended.IsZero() {
					d["activeLiveChatId"], d["concurrentViewers"] = c.id, "100"
				} else {
					d["actualEndTime"] = c.ended.UTC().Format(time.RFC3339)
				}
				item["liveStreamingDetails"] = d
			}
			items = append(items, item)
		}
	}
	return answer(w, obj{"kind": "youtube#videoListResponse", "items": items})
}

func (s *Sim) listChannels(w http.ResponseWriter, r *http.Request, g *grant) *fault {
	if len(parts(r)) == 0 {
		return noPart()
	}
	q := r.URL.Query()
	id := q.Get("id")
	if q.Get("mine") == "true" {
		id = g.channel
	} else if id == "" {
		return refuse(http.StatusBadRequest, "missingRequiredParameter", "No filter selected.")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	items := []obj{}
	if ch := s.channels[id]; ch != nil {
		items = append(items, obj{"kind": "youtube#channel", "id": ch.ID, "snippet": obj{"title": ch.Title}})
	}
	return answer(w, obj{"kind": "youtube#channelListResponse", "items": items})
}

// chat finds a live chat, or says as the platform does why not.
func (s *Sim) chat(id string) (*liveChat, *fault) {
	if id == "" {
		return nil, refuse(http.StatusBadRequest, "liveChatIdRequired", "The live chat id is required.")
	}
	c := s.chats[id]
	if c == nil {
		return nil, refuse(http.StatusNotFound, "liveChatNotFound", "The live chat that you are trying to retrieve cannot be found.")
	}
	return c, nil
}

// readSnippet reads the body of a line, or of another resource that is a snippet alone.
func (g *grant) readSnippet(w http.ResponseWriter, r *http.Request, in any) *fault {
	switch {
	case !parts(r)["snippet"]:
		return noPart()
	case json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<16)).Decode(in) != nil:
		return refuse(http.StatusBadRequest, "parseError", "The body is not JSON.")
	case !g.writes():
		return tooNarrow()
	}
	return nil
}

func (s *Sim) insert(w http.ResponseWriter, r *http.Request, g *grant) *fault {
	var in struct {
		Snippet struct {
			LiveChatID string `json:"liveChatId"`
			Type       string `json:"type"`
			Text       struct {
				MessageText string `json:"messageText"`
			} `json:"textMessageDetails"`
		} `json:"snippet"`
	}
	if bad := g.readSnippet(w, r, &in); bad != nil {
		return bad
	}
	text := in.Snippet.Text.MessageText
	switch {
	case in.Snippet.Type != "textMessageEvent":
		return refuse(http.StatusBadRequest, "typeRequired", "The type is textMessageEvent.")
	case strings.TrimSpace(text) == "":
		return refuse(http.StatusBadRequest, "messageTextRequired", "The message text is required.")
	case utf8.RuneCountInString(text) > 200:
		return refuse(http.StatusBadRequest, "messageTextInvalid", "The message text is longer than 200 characters.")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	c, bad := s.chat(in.Snippet.LiveChatID)
	if bad != nil {
		return bad
	}
	if !c.ended.IsZero() {
		return refuse(http.StatusForbidden, "liveChatEnded", "The specified live chat is no longer live.")
	}
	if s.weather.bare > 0 {
		s.weather.bare--
		w.WriteHeader(http.StatusTooManyRequests)
		return nil
	}
	if s.weather.refusals > 0 {
		s.weather.refusals--
		return refuse(http.StatusForbidden, "rateLimitExceeded", "The request was sent too quickly after the previous request.")
	}
	ch, now := s.channels[c.channel], s.now()
	v := Viewer{ID: g.channel, Name: s.title(g.channel), Owner: g.channel == c.channel, Moderator: ch.mods[g.channel]}
	if !v.Owner && !v.Moderator && !c.rate(v.ID, now) {
		s.over++
		return refuse(http.StatusForbidden, "rateLimitExceeded", "The request was sent too quickly after the previous request.")
	}
	sh := Shown{ID: s.next("LCC."), Kind: "textMessageEvent", Viewer: v, Text: text, At: now, ByAPI: true}
	s.add(c, sh, nil)
	s.lose()
	return answer(w, wire(c, sh))
}

// rate allows 3 lines in 30 s.
func (c *liveChat) rate(account string, now time.Time) bool {
	recent := c.sends[account]
	for len(recent) > 0 && now.Sub(recent[0]) >= 30*time.Second {
		recent = recent[1:]
	}
	if len(recent) >= 3 {
		c.sends[account] = recent
		return false
	}
	c.sends[account] = append(recent, now)
	return true
}

// title is a channel's name. Call with mu held.
func (s *Sim) title(id string) string {
	if ch := s.channels[id]; ch != nil {
		return ch.Title
	}
	return id
}

func (s *Sim) remove(w http.ResponseWriter, r *http.Request, g *grant) *fault {
	id := r.URL.Query().Get("id")
	if !g.writes() {
		return tooNarrow()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, ch := range s.channels {
		if ch.chat == nil {
			continue
		}
		for _, l := range ch.chat.lines {
			if l.shown.ID != id || l.shown.broken {
				continue
			}
			if g.channel != ch.ID && !ch.mods[g.channel] {
				return refuse(http.StatusForbidden, "modificationNotAllowed", "Only the owner and moderators delete messages.")
			}
			if l.shown.Kind == "tombstone" {
				continue
			}
			s.take(ch, id)
			s.lose()
			w.WriteHeader(http.StatusNoContent)
			return nil
		}
	}
	return refuse(http.StatusNotFound, "liveChatMessageNotFound", "The message cannot be found.")
}
