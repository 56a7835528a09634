package shopifysim

import (
	_ "embed"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"time"

	"hawker/connectors/shopify/shopifysim/graph"
)

//go:embed schema.graphql
var schemaText string

// Schema is the part of the Admin API that the pretend store knows, in the schema language.
func Schema() string { return schemaText }

type wireAnswer struct {
	Data       any            `json:"data,omitempty"`
	Errors     []graph.Error  `json:"errors,omitempty"`
	Extensions map[string]any `json:"extensions,omitempty"`
}

// versions are the supported ones, oldest first. A call with another is answered in the oldest.
func versions() []string { return []string{"2026-01", "2026-04", "2026-07", "2026-10"} }

func (s *Sim) serveGraphQL(w http.ResponseWriter, r *http.Request) {
	version := r.PathValue("version")
	if !slices.Contains(versions(), version) {
		version = versions()[0]
	}
	w.Header().Set("X-Shopify-API-Version", version)
	if s.takeBreak(w) {
		return
	}
	if !s.mayCall(r.Header.Get("X-Shopify-Access-Token")) {
		writeJSON(w, http.StatusUnauthorized, map[string]string{"errors": "[API] Invalid API key or access token (unrecognized login or wrong password)"})
		return
	}
	var in struct {
		Query     string         `json:"query"`
		Variables map[string]any `json:"variables"`
	}
	d := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<20))
	d.UseNumber()
	if err := d.Decode(&in); err != nil {
		writeJSON(w, http.StatusBadRequest, map[string]string{"errors": "Bad Request"})
		return
	}
	out, executed := s.execute(in.Query, in.Variables)
	if executed && s.takeLoss() {
		panic(http.ErrAbortHandler) // the work is done and the answer never arrives
	}
	writeJSON(w, http.StatusOK, out)
}

// execute answers one query. It says whether anything ran.
func (s *Sim) execute(query string, vars map[string]any) (wireAnswer, bool) {
	c, errs := s.engine.Prepare(query, vars)
	if len(errs) > 0 {
		return wireAnswer{Errors: errs}, false
	}
	if note, ok := s.pay(c.Cost); !ok {
		return wireAnswer{
			Errors: []graph.Error{{Message: "Throttled", Extensions: map[string]any{
				"code": "THROTTLED", "documentation": "https://shopify.dev/api/usage/rate-limits",
			}}},
			Extensions: note,
		}, false
	}
	var out wireAnswer
	var actual float64
	s.shop.Do(func() {
		root := s.queries()
		if c.Mutation {
			root = s.mutations()
		}
		out.Data, out.Errors, actual = c.Run(root)
	})
	out.Extensions = s.giveBack(c.Cost, actual)
	return out, true
}

// pay takes what a query may cost, or says why not.
func (s *Sim) pay(requested float64) (note map[string]any, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	s.points = min(s.o.Bucket, s.points+now.Sub(s.pointsAt).Seconds()*s.o.Restore)
	s.pointsAt = now
	if s.points < requested {
		s.counts.Throttled++
		return s.costNote(requested, nil), false
	}
	s.points -= requested
	s.counts.Calls++
	return nil, true
}

// giveBack returns what a query did not cost.
func (s *Sim) giveBack(requested, actual float64) map[string]any {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.points = min(s.o.Bucket, s.points+requested-actual)
	return s.costNote(requested, &actual)
}

func (s *Sim) costNote(requested float64, actual *float64) map[string]any {
	var did any
	if actual != nil {
		did = int(*actual)
	}
	return map[string]any{"cost": map[string]any{
		"requestedQueryCost": int(requested), "actualQueryCost": did,
		"throttleStatus": map[string]any{"maximumAvailable": s.o.Bucket, "currentlyAvailable": int(s.points), "restoreRate": s.o.Restore},
	}}
}

func (s *Sim) granted(scope string) bool {
	kind, thing, _ := strings.Cut(scope, "_")
	return slices.Contains(s.o.Scopes, scope) || kind == "read" && slices.Contains(s.o.Scopes, "write_"+thing)
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // the caller went away; nobody is left to tell
}
