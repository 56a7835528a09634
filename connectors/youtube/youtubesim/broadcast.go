package youtubesim

import (
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// Broadcast is a broadcast as the channel's owner sees it. State is its lifeCycleStatus; Stream is the id of the stream bound to it.
type Broadcast struct {
	ID, Title, Description, State, Privacy, Latency, Stream string
	AutoStart, AutoStop, Monitored, ForKids                 bool
}

// broadcast is a video that is, was or will be live. Guarded by Sim.mu.
type broadcast struct {
	id, channel, title, description string
	state, privacy, latency, stream string
	scheduled                       string
	autoStart, autoStop, monitored  bool
	forKids, persistent             bool
	due                             time.Time // when a state that passes by itself is over
	chat                            *liveChat // also before it is live
}

// newBroadcast adds a broadcast. Call with mu held.
func (s *Sim) newBroadcast(channelID string) *broadcast {
	b := &broadcast{id: s.next("vid"), channel: channelID, state: "created", privacy: "public", latency: "normal"}
	b.chat = s.newChat(channelID, b.id)
	s.shows = append(s.shows, b)
	return b
}

// live makes a broadcast the one that the channel's viewers see. Call with mu held.
func (s *Sim) live(b *broadcast) {
	b.state, b.chat.started = "live", s.now()
	if ch := s.channels[b.channel]; ch != nil {
		ch.chat = b.chat
	}
}

// complete ends a broadcast and closes its chat. Call with mu held.
func (s *Sim) complete(b *broadcast) {
	b.state, b.chat.ended = "complete", s.now()
	who := Viewer{ID: b.channel, Name: s.title(b.channel), Owner: true}
	s.add(b.chat, Shown{ID: s.next("LCC."), Kind: "chatEndedEvent", At: b.chat.ended, Viewer: who}, nil)
	if ch := s.channels[b.channel]; ch != nil && ch.chat == b.chat {
		ch.chat = nil
	}
}

// settle ends the states that pass by themselves. Call with mu held, before looking at broadcasts.
func (s *Sim) settle() {
	now := time.Now()
	for _, b := range s.shows {
		switch {
		case now.Before(b.due):
		case b.state == "testStarting":
			b.state = "testing"
		case b.state == "liveStarting":
			s.live(b)
		}
	}
}

// autoStart starts a broadcast that waits for nothing but video. Call with mu held.
func (s *Sim) autoStart(b *broadcast) {
	if st := s.streamOf(b.stream); st != nil && st.Status == "active" && b.autoStart && !s.weather.noAutoStart && (b.state == "ready" || b.state == "testing") {
		b.state, b.due = "liveStarting", time.Now().Add(s.cfg.TransitionFor)
	}
}

// Broadcasts are all broadcasts of a channel, oldest first, completed ones too.
func (s *Sim) Broadcasts(channelID string) []Broadcast {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.settle()
	var out []Broadcast
	for _, b := range s.shows {
		if b.channel == channelID {
			out = append(out, Broadcast{
				ID: b.id, Title: b.title, Description: b.description, State: b.state, Privacy: b.privacy, Latency: b.latency, Stream: b.stream,
				AutoStart: b.autoStart, AutoStop: b.autoStop, Monitored: b.monitored, ForKids: b.forKids,
			})
		}
	}
	return out
}

// Schedule has the channel's owner plan a broadcast in YouTube's own pages, where it passes through testing and starts by hand.
func (s *Sim) Schedule(channelID, title string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	b := s.newBroadcast(channelID)
	b.title, b.monitored, b.scheduled = title, true, time.Now().Add(time.Hour).UTC().Format(time.RFC3339)
	return b.id
}

// Finish has the channel's owner end a broadcast in YouTube's own pages; NoBroadcast deletes it.
func (s *Sim) Finish(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if b := s.broadcastOf(id); b != nil && b.state != "complete" {
		s.complete(b)
	}
}

// NoBroadcast deletes a broadcast as its owner would.
func (s *Sim) NoBroadcast(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.forget(id)
}

func (s *Sim) forget(id string) {
	s.shows = slices.DeleteFunc(s.shows, func(b *broadcast) bool {
		if b.id == id {
			delete(s.chats, b.chat.id)
		}
		return b.id == id
	})
}

// broadcastOf finds a broadcast. Call with mu held.
func (s *Sim) broadcastOf(id string) *broadcast {
	s.settle()
	for _, b := range s.shows {
		if b.id == id {
			return b
		}
	}
	return nil
}

// mine finds a broadcast that the caller owns, or says as the platform does why not. Call with mu held.
func (s *Sim) mine(r *http.Request, g *grant) (*broadcast, *fault) {
	id := r.URL.Query().Get("id")
	if !g.writes() {
		return nil, tooNarrow()
	}
	if id == "" {
		return nil, refuse(http.StatusBadRequest, "idRequired", "The id is required.")
	}
	b := s.broadcastOf(id)
	if b == nil || b.channel != g.channel {
		return nil, refuse(http.StatusNotFound, "liveBroadcastNotFound", "Broadcast not found")
	}
	return b, nil
}

func (g *grant) writes() bool {
	return g.may("https://www.googleapis.com/auth/youtube.force-ssl", "https://www.googleapis.com/auth/youtube")
}

func tooNarrow() *fault {
	return refuse(http.StatusForbidden, "insufficientPermissions", "Request had insufficient authentication scopes.")
}

// lose cuts the connection instead of answering, when LoseAnswers wants it. Call with mu held by a deferred unlock.
func (s *Sim) lose() {
	if s.weather.losses > 0 {
		s.weather.losses--
		panic(http.ErrAbortHandler)
	}
}

// broadcasts is liveBroadcasts.list.
func (s *Sim) broadcasts(w http.ResponseWriter, r *http.Request, g *grant) *fault {
	q, want := r.URL.Query(), parts(r)
	if len(want) == 0 {
		return noPart()
	}
	filters := 0
	for _, f := range []string{"broadcastStatus", "id", "mine"} {
		if q.Has(f) {
			filters++
		}
	}
	if filters != 1 {
		return refuse(http.StatusBadRequest, "incompatibleParameters", "Exactly one of broadcastStatus, id and mine is required.")
	}
	switch q.Get("broadcastStatus") {
	case "", "active", "all", "completed", "upcoming":
	default:
		return refuse(http.StatusBadRequest, "invalidValue", "broadcastStatus is active, all, completed or upcoming.")
	}
	typ := q.Get("broadcastType")
	switch typ {
	case "":
		typ = "event"
	case "all", "event", "persistent":
	default:
		return refuse(http.StatusBadRequest, "invalidValue", "broadcastType is all, event or persistent.")
	}
	limit, bad := maxResults(r)
	if bad != nil {
		return bad
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.settle()
	items := []obj{}
	for _, b := range s.shows {
		var is string
		switch b.state {
		case "created", "ready":
			is = "upcoming"
		case "complete":
			is = "completed"
		default:
			is = "active"
		}
		status := q.Get("broadcastStatus")
		switch {
		case b.channel != g.channel, len(items) >= limit,
			!q.Has("id") && (typ == "event" && b.persistent || typ == "persistent" && !b.persistent),
			q.Has("id") && q.Get("id") != b.id,
			status != "" && status != "all" && status != is:
			continue
		}
		items = append(items, b.resource(want))
	}
	return answer(w, obj{
		"kind": "youtube#liveBroadcastListResponse", "items": items,
		"pageInfo": obj{"totalResults": len(items), "resultsPerPage": limit},
	})
}

func maxResults(r *http.Request) (int, *fault) {
	v := r.URL.Query().Get("maxResults")
	if v == "" {
		return 5, nil
	}
	n, err := strconv.Atoi(v)
	if err != nil || n < 0 || n > 50 {
		return 0, refuse(http.StatusBadRequest, "invalidValue", "maxResults is 0 to 50.")
	}
	return n, nil
}

func (b *broadcast) resource(want map[string]bool) obj {
	item := obj{"kind": "youtube#liveBroadcast", "id": b.id}
	if want["snippet"] {
		sn := obj{"channelId": b.channel, "title": b.title, "description": b.description}
		if b.scheduled != "" {
			sn["scheduledStartTime"] = b.scheduled
		}
		if !b.forKids {
			sn["liveChatId"] = b.chat.id
		}
		if !b.chat.started.IsZero() {
			sn["actualStartTime"] = b.chat.started.UTC().Format(time.RFC3339)
		}
		if !b.chat.ended.IsZero() {
			sn["actualEndTime"] = b.chat.ended.UTC().Format(time.RFC3339)
		}
		item["snippet"] = sn
	}
	if want["status"] {
		item["status"] = obj{"lifeCycleStatus": b.state, "privacyStatus": b.privacy, "selfDeclaredMadeForKids": b.forKids}
	}
	if want["contentDetails"] {
		d := obj{
			"enableAutoStart": b.autoStart, "enableAutoStop": b.autoStop, "latencyPreference": b.latency,
			"monitorStream": obj{"enableMonitorStream": b.monitored},
		}
		if b.stream != "" {
			d["boundStreamId"] = b.stream
		}
		item["contentDetails"] = d
	}
	return item
}

// written is a broadcast as a caller writes it.
type written struct {
	ID      string `json:"id"`
	Snippet *struct {
		Title       string `json:"title"`
		Description string `json:"description"`
		Start       string `json:"scheduledStartTime"`
	} `json:"snippet"`
	Status struct {
		Privacy string `json:"privacyStatus"`
		ForKids bool   `json:"selfDeclaredMadeForKids"`
	} `json:"status"`
	Details struct {
		AutoStart bool   `json:"enableAutoStart"`
		AutoStop  bool   `json:"enableAutoStop"`
		Latency   string `json:"latencyPreference"`
		Monitor   struct {
			On *bool `json:"enableMonitorStream"`
		} `json:"monitorStream"`
	} `json:"contentDetails"`
}

// text checks a broadcast's title, description and start.
func (in *written) text(update bool) *fault {
	sn := in.Snippet
	start, err := time.Parse(time.RFC3339, sn.Start)
	switch {
	case sn.Title == "":
		return refuse(http.StatusBadRequest, "titleRequired", "Title is required")
	case utf8.RuneCountInString(sn.Title) > 100 || strings.ContainsAny(sn.Title, "<>"):
		return refuse(http.StatusBadRequest, "invalidTitle", "Title is invalid")
	case len(sn.Description) > 5000 || strings.ContainsAny(sn.Description, "<>"):
		return refuse(http.StatusBadRequest, "invalidDescription", "Invalid description")
	case sn.Start == "" && !update:
		return refuse(http.StatusBadRequest, "scheduledStartTimeRequired", "Scheduled start time is required")
	case !update && (err != nil || start.Before(time.Now())):
		return refuse(http.StatusBadRequest, "invalidScheduledStartTime", "Scheduled start time must be in the future and close enough to the current date")
	}
	return nil
}

func (s *Sim) readWritten(w http.ResponseWriter, r *http.Request, g *grant) (in written, bad *fault) {
	switch {
	case len(parts(r)) == 0:
		return in, noPart()
	case !g.writes():
		return in, tooNarrow()
	case json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<16)).Decode(&in) != nil || in.Snippet == nil:
		return in, refuse(http.StatusBadRequest, "parseError", "The body is not a broadcast.")
	}
	return in, nil
}

func (s *Sim) insertBroadcast(w http.ResponseWriter, r *http.Request, g *grant) *fault {
	in, bad := s.readWritten(w, r, g)
	if bad == nil {
		bad = in.text(false)
	}
	if bad != nil {
		return bad
	}
	switch {
	case in.Status.Privacy == "":
		return refuse(http.StatusBadRequest, "privacyStatusRequired", "Privacy status is required")
	case !slices.Contains([]string{"public", "unlisted", "private"}, in.Status.Privacy):
		return refuse(http.StatusBadRequest, "invalidPrivacyStatus", "Privacy status is invalid")
	case !slices.Contains([]string{"", "normal", "low", "ultraLow"}, in.Details.Latency):
		return refuse(http.StatusBadRequest, "invalidLatencyPreferenceOptions", "Latency preference is invalid")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	b := s.newBroadcast(g.channel)
	b.title, b.description, b.scheduled = in.Snippet.Title, in.Snippet.Description, in.Snippet.Start
	b.privacy, b.forKids = in.Status.Privacy, in.Status.ForKids
	b.autoStart, b.autoStop = in.Details.AutoStart, in.Details.AutoStop
	b.monitored = in.Details.Monitor.On == nil || *in.Details.Monitor.On
	if in.Details.Latency != "" {
		b.latency = in.Details.Latency
	}
	s.lose()
	return answer(w, b.resource(parts(r)))
}

func (s *Sim) updateBroadcast(w http.ResponseWriter, r *http.Request, g *grant) *fault {
	in, bad := s.readWritten(w, r, g)
	if bad == nil {
		bad = in.text(true)
	}
	if bad != nil {
		return bad
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	b := s.broadcastOf(in.ID)
	if b == nil || b.channel != g.channel {
		return refuse(http.StatusNotFound, "liveBroadcastNotFound", "Broadcast not found")
	}
	b.title, b.description, b.scheduled = in.Snippet.Title, in.Snippet.Description, in.Snippet.Start
	s.lose()
	return answer(w, b.resource(parts(r)))
}

func (s *Sim) deleteBroadcast(w http.ResponseWriter, r *http.Request, g *grant) *fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	b, bad := s.mine(r, g)
	switch {
	case bad != nil:
		return bad
	case b.state != "created" && b.state != "ready" && b.state != "complete":
		return refuse(http.StatusForbidden, "liveBroadcastDeletionNotAllowed", "Broadcast deletion not allowed")
	}
	s.forget(b.id)
	s.lose()
	w.WriteHeader(http.StatusNoContent)
	return nil
}

func (s *Sim) bind(w http.ResponseWriter, r *http.Request, g *grant) *fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	b, bad := s.mine(r, g)
	if bad != nil {
		return bad
	}
	id := r.URL.Query().Get("streamId")
	switch st := s.streamOf(id); {
	case len(parts(r)) == 0:
		return noPart()
	case b.state != "created" && b.state != "ready":
		return refuse(http.StatusForbidden, "liveBroadcastBindingNotAllowed", "Broadcast binding not allowed")
	case id == "":
		b.stream, b.state = "", "created"
	case st == nil || st.channel != g.channel:
		return refuse(http.StatusNotFound, "liveStreamNotFound", "Stream not found")
	default:
		b.stream, b.state = id, "ready"
		s.autoStart(b)
	}
	s.lose()
	return answer(w, b.resource(parts(r)))
}

func (s *Sim) transition(w http.ResponseWriter, r *http.Request, g *grant) *fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	b, bad := s.mine(r, g)
	if bad != nil {
		return bad
	}
	if len(parts(r)) == 0 {
		return noPart()
	}
	to := r.URL.Query().Get("broadcastStatus")
	st := s.streamOf(b.stream)
	from, starting := b.state, ""
	switch to {
	case "":
		return refuse(http.StatusBadRequest, "statusRequired", "The broadcast status is required.")
	case "testing":
		starting = "testStarting"
	case "live":
		starting = "liveStarting"
	case "complete":
	default:
		return refuse(http.StatusBadRequest, "invalidValue", "broadcastStatus is testing, live or complete.")
	}
	switch {
	case from == to || from == starting:
		return refuse(http.StatusForbidden, "redundantTransition", "Redundant transition")
	case to == "testing" && (from != "ready" || !b.monitored), to == "live" && from != "testing" && (from != "ready" || b.monitored),
		to == "complete" && from != "testing" && from != "live":
		return refuse(http.StatusForbidden, "invalidTransition", "Invalid transition")
	case to != "complete" && (st == nil || st.Status != "active"):
		return refuse(http.StatusForbidden, "errorStreamInactive", "Stream is inactive")
	case to == "complete":
		s.complete(b)
	default:
		b.state, b.due = starting, time.Now().Add(s.cfg.TransitionFor)
	}
	s.lose()
	return answer(w, b.resource(parts(r)))
}
