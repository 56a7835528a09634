package twitchsim

import (
	"cmp"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// shown is what a channel is beside its chat.
type shown struct {
	key, title, game, language string
	tags                       []string
	started                    time.Time
	viewers                    int
}

// show is a channel's; the caller holds s.mu.
func (s *Sim) show(channelID string) *shown {
	c := s.shown[channelID]
	if c == nil {
		c = &shown{key: "live_" + channelID + "_" + random()[:24], title: "Hello", game: "509658", language: "en", tags: []string{"English"}}
		s.shown[channelID] = c
	}
	return c
}

// games are the categories there are, by id.
func games() map[string]string {
	return map[string]string{"509658": "Just Chatting", "509673": "Makers & Crafting", "509660": "Art", "417752": "Talk Shows & Podcasts", "116747788": "Pools, Hot Tubs, and Beaches"}
}

// StreamKey is the channel's, by which its video would be sent; RotateKey makes another, as the owner may at any time.
func (s *Sim) StreamKey(channelID string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.show(channelID).key
}

// RotateKey makes another stream key and gives it.
func (s *Sim) RotateKey(channelID string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.show(channelID)
	c.key = "live_" + channelID + "_" + random()[:24]
	return c.key
}

// Viewers says how many watch the channel's stream.
func (s *Sim) Viewers(channelID string, n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.show(channelID).viewers = n
}

// Title is what the channel is called now, with its category's id and its tags.
func (s *Sim) Title(channelID string) (title, categoryID string, tags []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.show(channelID)
	return c.title, c.game, slices.Clone(c.tags)
}

// Ingest is a server that takes video.
type Ingest struct {
	Name           string
	Server, Secure string // rtmp://host/app, rtmps://host/app
	Default        bool
}

// SetIngests says which servers are listed under /ingests, in their order; without it there are two that do not exist.
func (s *Sim) SetIngests(all ...Ingest) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ingests = all
}

// getIngests needs no login (Twitch docs, "Video Broadcast Reference").
func (s *Sim) getIngests(w http.ResponseWriter, _ *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := s.ingests
	if all == nil {
		all = []Ingest{
			{"EU Central: Frankfurt, Germany (1)", "rtmp://fra05.contribute.invalid/app", "rtmps://fra05.contribute.invalid:443/app", true},
			{"EU West: Paris, France", "rtmp://cdg02.contribute.invalid/app", "rtmps://cdg02.contribute.invalid:443/app", false},
		}
	}
	out := []any{}
	for i, x := range all {
		e := map[string]any{
			"_id": i, "availability": 1.0, "default": x.Default, "name": x.Name, "priority": i, "url_template": x.Server + "/{stream_key}", "url_template_secure": "",
		}
		if x.Secure != "" {
			e["url_template_secure"] = x.Secure + "/{stream_key}"
		}
		out = append(out, e)
	}
	answer(w, http.StatusOK, map[string]any{"ingests": out})
}

// own answers 401 unless the channel is the token's user's; the caller answers nothing more when it is false.
func own(w http.ResponseWriter, r *http.Request, g *grant) bool {
	switch r.URL.Query().Get("broadcaster_id") {
	case "":
		fail(w, http.StatusBadRequest, "The broadcaster_id query parameter is required")
	case g.user:
		return true
	default:
		fail(w, http.StatusUnauthorized, "The ID in broadcaster_id must match the user ID found in the request's OAuth token")
	}
	return false
}

func (s *Sim) getStreamKey(w http.ResponseWriter, r *http.Request, g *grant) {
	if own(w, r, g) {
		answer(w, http.StatusOK, map[string]any{"data": []any{map[string]any{"stream_key": s.show(g.user).key}}})
	}
}

func (s *Sim) getStreams(w http.ResponseWriter, r *http.Request, _ *grant) {
	data := []any{}
	ids := r.URL.Query()["user_id"]
	if len(ids) > 100 {
		fail(w, http.StatusBadRequest, "The number of user_id query parameters must not exceed 100")
		return
	}
	for _, id := range ids {
		c, u := s.show(id), s.users[id]
		if s.live[id] == "" {
			continue
		}
		data = append(data, map[string]any{
			"id": s.live[id], "user_id": id, "user_login": u.Login, "user_name": u.Name, "game_id": c.game, "game_name": games()[c.game], "type": "live", "title": c.title,
			"viewer_count": c.viewers, "started_at": c.started.UTC().Format(time.RFC3339), "language": c.language, "tags": c.tags, "tag_ids": []any{}, "is_mature": false,
			"thumbnail_url": "https://static-cdn.invalid/{width}x{height}.jpg",
		})
	}
	answer(w, http.StatusOK, map[string]any{"data": data, "pagination": map[string]any{}})
}

func (s *Sim) getChannels(w http.ResponseWriter, r *http.Request, _ *grant) {
	data := []any{}
	for _, id := range r.URL.Query()["broadcaster_id"] {
		u, ok := s.users[id]
		if !ok {
			continue
		}
		c := s.show(id)
		data = append(data, map[string]any{
			"broadcaster_id": id, "broadcaster_login": u.Login, "broadcaster_name": u.Name, "broadcaster_language": c.language, "game_id": c.game, "game_name": games()[c.game],
			"title": c.title, "delay": 0, "tags": c.tags, "content_classification_labels": []any{}, "is_branded_content": false,
		})
	}
	if len(data) == 0 {
		fail(w, http.StatusBadRequest, "The broadcaster_id query parameter is required")
		return
	}
	answer(w, http.StatusOK, map[string]any{"data": data})
}

// patchChannel changes a channel within the limits of "Modify Channel Information" (Twitch API Reference).
func (s *Sim) patchChannel(w http.ResponseWriter, r *http.Request, g *grant) {
	var in struct {
		Title    *string   `json:"title"`
		Game     *string   `json:"game_id"`
		Language *string   `json:"broadcaster_language"`
		Delay    *int      `json:"delay"`
		Tags     *[]string `json:"tags"`
	}
	if !own(w, r, g) || !decode(w, r, &in) {
		return
	}
	tag := func(t string) bool {
		return t == "" || utf8.RuneCountInString(t) > 25 || strings.ContainsFunc(t, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsPunct(r) || unicode.IsSymbol(r) })
	}
	switch {
	case in.Title == nil && in.Game == nil && in.Language == nil && in.Delay == nil && in.Tags == nil:
		fail(w, http.StatusBadRequest, "At least one parameter must be provided")
		return
	case in.Delay != nil:
		fail(w, http.StatusBadRequest, "Setting the stream delay requires the broadcaster to have Partner status")
		return
	case in.Title != nil && (*in.Title == "" || utf8.RuneCountInString(*in.Title) > 140):
		fail(w, http.StatusBadRequest, "The title field may not contain an empty string or more than 140 characters")
		return
	case in.Game != nil && *in.Game != "" && *in.Game != "0" && games()[*in.Game] == "":
		fail(w, http.StatusBadRequest, "The ID in game_id is not valid")
		return
	case in.Language != nil && *in.Language != "other" && len(*in.Language) != 2:
		fail(w, http.StatusBadRequest, "The value in broadcaster_language is not valid")
		return
	case in.Tags != nil && (len(*in.Tags) > 10 || slices.ContainsFunc(*in.Tags, tag)):
		fail(w, http.StatusBadRequest, "One of the specified tags is not valid")
		return
	}
	c := s.show(g.user)
	if in.Title != nil {
		c.title = *in.Title
	}
	if in.Game != nil {
		if c.game = *in.Game; c.game == "0" {
			c.game = ""
		}
	}
	if in.Language != nil {
		c.language = *in.Language
	}
	if in.Tags != nil {
		c.tags = slices.Clone(*in.Tags)
	}
	w.WriteHeader(http.StatusNoContent)
}

func (s *Sim) getCategories(w http.ResponseWriter, r *http.Request, _ *grant) {
	q := strings.ToLower(r.URL.Query().Get("query"))
	if q == "" {
		fail(w, http.StatusBadRequest, "The query query parameter is required")
		return
	}
	most, _ := strconv.Atoi(cmp.Or(r.URL.Query().Get("first"), "20"))
	data := []any{}
	for id, name := range games() {
		if strings.Contains(strings.ToLower(name), q) && len(data) < most {
			data = append(data, map[string]any{"id": id, "name": name, "box_art_url": ""})
		}
	}
	answer(w, http.StatusOK, map[string]any{"data": data, "pagination": map[string]any{}})
}
