package child

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"

	"hawker/relay"
)

// handler answers the hub.
func (p *process) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /relay/hello", func(w http.ResponseWriter, _ *http.Request) { tell(w, p.hello()) })
	mux.HandleFunc("GET /relay/status", func(w http.ResponseWriter, _ *http.Request) { tell(w, p.core.Server.Status()) })
	mux.HandleFunc("GET /relay/live", func(w http.ResponseWriter, _ *http.Request) { tell(w, p.live()) })
	mux.HandleFunc("GET /relay/events", p.events)
	mux.HandleFunc("POST /relay/acks", func(w http.ResponseWriter, r *http.Request) {
		seq, err := strconv.ParseUint(r.URL.Query().Get("seq"), 10, 64)
		if err != nil {
			http.Error(w, "seq", http.StatusBadRequest)
			return
		}
		if r.URL.Query().Get("run") == p.run() { // else it is about the process before this one
			p.feed.acknowledge(seq)
		}
		w.WriteHeader(http.StatusNoContent)
	})
	mux.HandleFunc("POST /relay/answers/{id}", func(w http.ResponseWriter, r *http.Request) {
		var a answer
		if !read(w, r, &a) {
			return
		}
		switch {
		case !p.memory.has(a.Slate):
			http.Error(w, "slate", http.StatusConflict)
		case !p.feed.reply(r.PathValue("id"), a):
			http.Error(w, "nobody waits for that", http.StatusGone)
		default:
			w.WriteHeader(http.StatusNoContent)
		}
	})
	mux.HandleFunc("PUT /relay/slates/{digest}", func(w http.ResponseWriter, r *http.Request) {
		data, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxSlate))
		if err != nil || digest(data) != r.PathValue("digest") {
			http.Error(w, "slate", http.StatusBadRequest)
			return
		}
		p.memory.clip(r.PathValue("digest"), data)
		w.WriteHeader(http.StatusNoContent)
	})
	mux.HandleFunc("POST /relay/do", func(w http.ResponseWriter, r *http.Request) {
		var d deed
		if !read(w, r, &d) {
			return
		}
		if !p.memory.has(d.Slate) {
			http.Error(w, "slate", http.StatusConflict)
			return
		}
		p.doing.Lock()
		p.memory.note(d)
		err := p.do(d)
		p.doing.Unlock()
		switch {
		case errors.Is(err, relay.ErrNoStream):
			http.Error(w, err.Error(), http.StatusNotFound)
		case err != nil:
			http.Error(w, err.Error(), http.StatusBadRequest)
		default:
			w.WriteHeader(http.StatusNoContent)
		}
	})
	mux.HandleFunc("POST /relay/leave", func(w http.ResponseWriter, _ *http.Request) {
		p.mu.Lock()
		p.left = true
		p.mu.Unlock()
		h := p.hello()
		tell(w, h)
		if h.Streams == 0 && p.endIdle() {
			finish(w, p, "the hub has ended, and no stream is live")
		}
	})
	mux.HandleFunc("POST /relay/end", func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Get("idle") != "" && !p.endIdle() {
			http.Error(w, "a stream is live", http.StatusConflict)
			return
		}
		w.WriteHeader(http.StatusNoContent)
		finish(w, p, "the hub wants it so")
	})
	if p.core.Handler != nil {
		mux.Handle("/", p.core.Handler)
	}
	return mux
}

// endIdle lets no more encoders in, unless a stream is live.
func (p *process) endIdle() bool {
	p.ending.Store(true) // before the look: who comes now comes to the next process
	if len(p.core.Server.Status()) > 0 {
		p.ending.Store(false)
		return false
	}
	return true
}

// finish ends the process once the hub was answered.
func finish(w http.ResponseWriter, p *process, why string) {
	_ = http.NewResponseController(w).Flush()
	p.end(fmt.Errorf("%w: %s", errOver, why))
}

// live is what is live, for a hub that comes.
func (p *process) live() []live {
	out := []live{}
	for _, s := range p.core.Server.Status() {
		x := live{ID: s.ID, Tag: p.memory.tag(s.ID), Up: map[string]string{}}
		for i := range s.Destinations {
			if d := &s.Destinations[i]; d.State == relay.Live || d.State == relay.StateStall {
				x.Up[d.ID] = d.Name
			}
		}
		out = append(out, x)
	}
	return out
}

// do does a deed.
func (p *process) do(d deed) error {
	s := p.core.Server
	switch d.What {
	case doSet:
		return s.Set(d.Stream, d.Destinations)
	case doAdd:
		for _, x := range d.Destinations {
			if err := s.Add(d.Stream, x); err != nil {
				return err
			}
		}
		return nil
	case doRemove:
		return s.Remove(d.Stream, d.ID)
	case doCut:
		return s.Cut(d.Stream)
	case doSlate:
		return s.Slate(d.Stream, d.On)
	case doUse:
		return s.Use(d.Stream, d.On)
	case doAdmit:
		return s.Admit(d.Stream)
	case doEnd:
		return s.End(d.Stream)
	case doTune:
		if d.Config == nil {
			break
		}
		cfg := *d.Config
		cfg.Slate = p.memory.of(d.Slate)
		return s.Tune(d.Stream, cfg)
	case doForget:
		return nil
	}
	return errors.New("that cannot be done")
}

// events tells the hub what happens, as long as it listens.
func (p *process) events(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	p.seen, p.left = true, false
	p.mu.Unlock()
	hub := p.feed.join()
	defer p.feed.part(hub)
	out := http.NewResponseController(w)
	w.Header().Set("Content-Type", "application/x-ndjson")
	enc := json.NewEncoder(w)
	for {
		for _, l := range p.feed.take(hub) {
			if enc.Encode(l) != nil {
				return
			}
		}
		if out.Flush() != nil {
			return
		}
		select {
		case <-hub.wake:
		case <-hub.gone:
			return
		case <-r.Context().Done():
			return
		}
	}
}

func tell(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(v)
}

func read(w http.ResponseWriter, r *http.Request, v any) bool {
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxBody)).Decode(v); err != nil {
		http.Error(w, "cannot be read", http.StatusBadRequest)
		return false
	}
	return true
}
