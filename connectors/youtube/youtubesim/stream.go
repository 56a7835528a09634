package youtubesim

import (
	"crypto/rand"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
)

// Stream is what a channel's encoder sends to. Key is its secret.
type Stream struct{ ID, Title, Key, Status, Health string }

// stream is one that an encoder feeds. Guarded by Sim.mu.
type stream struct {
	Stream
	channel, resolution, frameRate, kind string
	reusable                             bool
	issues                               []string // types, such as "gopSizeLong", or with a severity: "error gopSizeLong"
}

// streamOf finds a stream by its id. Call with mu held.
func (s *Sim) streamOf(id string) *stream {
	for _, st := range s.streams {
		if st.ID == id {
			return st
		}
	}
	return nil
}

// Streams are the channel's streams, oldest first.
func (s *Sim) Streams(channelID string) []Stream {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []Stream
	for _, st := range s.streams {
		if st.channel == channelID {
			out = append(out, st.Stream)
		}
	}
	return out
}

// Ingest tells that video comes under a stream's key, or does not any more, and reports whether the key is known. Broadcasts that
// start and stop by themselves do.
func (s *Sim) Ingest(key string, on bool) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.settle()
	known := false
	for _, st := range s.streams {
		if st.Key != key {
			continue
		}
		known = true
		st.Status, st.Health = "inactive", "noData"
		if on {
			st.Status, st.Health = "active", "good"
		}
		for _, b := range s.shows {
			if b.stream != st.ID {
				continue
			}
			s.autoStart(b)
			if !on && b.autoStop && b.state == "live" {
				s.complete(b) // YouTube waits for a minute
			}
		}
	}
	return known
}

// DeleteStream deletes a stream as the channel's owner would.
func (s *Sim) DeleteStream(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.streams = slices.DeleteFunc(s.streams, func(st *stream) bool { return st.ID == id })
}

// NoAutoStart keeps broadcasts from starting by themselves, as it happens.
func (s *Sim) NoAutoStart(on bool) { s.order(func(w *weather) { w.noAutoStart = on }) }

// Health has the platform judge the video that comes under a key: good, ok, bad or noData, and the types of its issues, each a
// warning unless a severity stands before it: "error videoIngestionStarved".
func (s *Sim) Health(key, status string, issues ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, st := range s.streams {
		if st.Key == key {
			st.Stream.Health, st.issues = status, issues
		}
	}
}

// listStreams is liveStreams.list.
func (s *Sim) listStreams(w http.ResponseWriter, r *http.Request, g *grant) *fault {
	q, want := r.URL.Query(), parts(r)
	limit, bad := maxResults(r)
	switch {
	case len(want) == 0:
		return noPart()
	case bad != nil:
		return bad
	case q.Has("id") == q.Has("mine"):
		return refuse(http.StatusBadRequest, "incompatibleParameters", "Exactly one of id and mine is required.")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	items := []obj{}
	for _, st := range s.streams {
		if st.channel == g.channel && len(items) < limit && (!q.Has("id") || q.Get("id") == st.ID) {
			items = append(items, s.resource(st, want))
		}
	}
	return answer(w, obj{
		"kind": "youtube#liveStreamListResponse", "items": items,
		"pageInfo": obj{"totalResults": len(items), "resultsPerPage": limit},
	})
}

func (s *Sim) resource(st *stream, want map[string]bool) obj {
	item := obj{"kind": "youtube#liveStream", "id": st.ID}
	if want["snippet"] {
		item["snippet"] = obj{"channelId": st.channel, "title": st.Title, "isDefaultStream": false}
	}
	if want["cdn"] {
		info := obj{
			"streamName": st.Key, "ingestionAddress": "rtmp://a.rtmp.youtube.com/live2", "backupIngestionAddress": "rtmp://b.rtmp.youtube.com/live2?backup=1",
			"rtmpsIngestionAddress": "rtmps://a.rtmps.youtube.com/live2", "rtmpsBackupIngestionAddress": "rtmps://b.rtmps.youtube.com/live2?backup=1",
		}
		if s.cfg.IngestServer != "" {
			info = obj{"streamName": st.Key, "ingestionAddress": s.cfg.IngestServer}
		}
		item["cdn"] = obj{"ingestionType": st.kind, "resolution": st.resolution, "frameRate": st.frameRate, "ingestionInfo": info}
	}
	if want["status"] {
		issues := []obj{}
		for _, is := range st.issues {
			severity, kind, ok := strings.Cut(is, " ")
			if !ok {
				severity, kind = "warning", is
			}
			issues = append(issues, obj{"type": kind, "severity": severity, "reason": "Check the settings", "description": "A longer text, in the account's language."})
		}
		item["status"] = obj{"streamStatus": st.Status, "healthStatus": obj{"status": st.Stream.Health, "configurationIssues": issues}}
	}
	if want["contentDetails"] {
		item["contentDetails"] = obj{"isReusable": st.reusable}
	}
	return item
}

// insertStream is liveStreams.insert.
func (s *Sim) insertStream(w http.ResponseWriter, r *http.Request, g *grant) *fault {
	var in struct {
		Snippet struct {
			Title string `json:"title"`
		} `json:"snippet"`
		CDN struct {
			Kind       string `json:"ingestionType"`
			Resolution string `json:"resolution"`
			FrameRate  string `json:"frameRate"`
		} `json:"cdn"`
		Details struct {
			Reusable *bool `json:"isReusable"`
		} `json:"contentDetails"`
	}
	switch {
	case len(parts(r)) == 0:
		return noPart()
	case !g.writes():
		return tooNarrow()
	case json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<16)).Decode(&in) != nil:
		return refuse(http.StatusBadRequest, "parseError", "The body is not JSON.")
	case in.Snippet.Title == "" || len(in.Snippet.Title) > 128:
		return refuse(http.StatusBadRequest, "titleRequired", "Title is required")
	case in.CDN.Kind != "rtmp" && in.CDN.Kind != "dash" && in.CDN.Kind != "hls":
		return refuse(http.StatusBadRequest, "ingestionTypeRequired", "Ingestion type is required")
	case (in.CDN.Resolution == "variable") != (in.CDN.FrameRate == "variable") || in.CDN.Resolution == "" || in.CDN.FrameRate == "":
		return refuse(http.StatusBadRequest, "invalidResolution", "Resolution and frame rate do not fit")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	st := &stream{channel: g.channel, resolution: in.CDN.Resolution, frameRate: in.CDN.FrameRate, kind: in.CDN.Kind}
	st.Stream = Stream{ID: s.next("stream"), Title: in.Snippet.Title, Key: strings.ToLower(rand.Text()[:20]), Status: "ready", Health: "noData"}
	st.reusable = in.Details.Reusable == nil || *in.Details.Reusable
	s.streams = append(s.streams, st)
	s.lose()
	return answer(w, s.resource(st, parts(r)))
}
