package main

import (
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"hawker/internal/live"
	"hawker/relay"
	"hawker/relay/child"
)

// errNoRelayProcess means that there is no process to measure.
var errNoRelayProcess = errors.New("the relay has no process of its own now")

// mountOps adds what operators and their machines ask: /healthz (the process runs), /readyz (it can sell) and /metrics.
func (h *house) mountOps(mux *http.ServeMux) {
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		plain(w, http.StatusOK, "ok")
	})
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), 2*time.Second)
		defer cancel()
		if err := h.ready(ctx); err != nil {
			why := "not ready"
			if h.mayRead(r) { // the world need not know where the database is
				why = err.Error()
			}
			plain(w, http.StatusServiceUnavailable, why)
			return
		}
		word := "ready"
		if h.mayRead(r) {
			word += "\nrelay: " + h.video.relay.Process().String()
		}
		plain(w, http.StatusOK, word)
	})
	metrics := promhttp.HandlerFor(h.metrics(), promhttp.HandlerOpts{})
	mux.HandleFunc("GET /metrics", func(w http.ResponseWriter, r *http.Request) {
		if !h.mayRead(r) {
			plain(w, http.StatusForbidden, "from this machine only, or with the bearer token HAWKER_METRICS_TOKEN")
			return
		}
		metrics.ServeHTTP(w, r)
	})
}

func plain(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = fmt.Fprintln(w, text)
}

// mayRead reports whether a request for the metrics comes from this machine, not through a proxy, or carries the token.
func (h *house) mayRead(r *http.Request) bool {
	if t := h.set.MetricsToken; t != "" {
		got, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		if ok && subtle.ConstantTimeCompare([]byte(got), []byte(t)) == 1 {
			return true
		}
	}
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	ip := net.ParseIP(host)
	forwarded := r.Header.Get("X-Forwarded-For") + r.Header.Get("Forwarded") + r.Header.Get("X-Real-Ip")
	return err == nil && ip != nil && ip.IsLoopback() && forwarded == ""
}

// ready reports why nothing can be sold now, nil when all stands.
func (h *house) ready(ctx context.Context) error {
	if err := h.db.Ping(ctx); err != nil {
		return fmt.Errorf("the %s database does not answer: %w", h.db.Kind(), err)
	}
	if err := h.bus.Ready(); err != nil {
		return fmt.Errorf("the bus is not connected: %w", err)
	}
	return h.hub.Ready()
}

// metrics are the figures of the house, read when they are asked for.
func (h *house) metrics() *prometheus.Registry {
	r := prometheus.NewRegistry()
	r.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	count := func(name, help string, f func(live.Totals) int64) {
		r.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{Name: "hawker_" + name, Help: help}, func() float64 { return float64(f(h.hub.Totals())) }))
	}
	gauge := func(name, help string, f func() float64) {
		r.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "hawker_" + name, Help: help}, f))
	}
	count("chat_lines_total", "Chat lines heard.", func(t live.Totals) int64 { return t.Lines })
	count("chat_commands_total", "Chat lines that were commands.", func(t live.Totals) int64 { return t.Commands })
	count("chat_lines_unseen_total", "Lines of talk left out of the view under load.", func(t live.Totals) int64 { return t.Unseen })
	count("claims_limited_total", "Claims refused because the queue was full, or because nothing could be stored.", func(t live.Totals) int64 { return t.Limited })
	count("commits_total", "Batches made durable.", func(t live.Totals) int64 { return t.Commits })
	count("commits_failed_total", "Batches that could not be stored.", func(t live.Totals) int64 { return t.Failed })
	count("answers_said_total", "Answers that a platform accepted.", func(t live.Totals) int64 { return t.Said })
	count("answers_unsaid_total", "Answers given up or refused.", func(t live.Totals) int64 { return t.Unsaid })
	count("chat_log_lost_total", "Lines that the chat log did not take.", func(t live.Totals) int64 { return t.Unlogged })
	gauge("queue_waiting", "Lines and commands that wait for a decision.", func() float64 { return float64(h.hub.Totals().Waiting) })
	gauge("merchants", "Merchants served by this node.", func() float64 { return float64(h.hub.Totals().Merchants) })
	gauge("bus_dropped", "Messages that slow subscribers missed.", func() float64 { return float64(h.bus.Stats().Dropped) })
	process := h.video.relay.Process
	gauge("relay_process_up", "Whether there is a relay that answers: 1, or 0 while its process is started, is silent or not there.", func() float64 {
		if s := process().State; s == child.Up || s == child.Older || s == child.Within {
			return 1
		}
		return 0
	})
	gauge("relay_process_id", "Its number, 0 when there is none.", func() float64 { return float64(process().PID) })
	r.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{
		Name: "hawker_relay_process_restarts_total", Help: "How often it died and was started again since the hub began.",
	}, func() float64 { return float64(process().Restarts) }), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{
		Namespace: "hawker_relay", // hawker_relay_process_cpu_seconds_total and so on, read where the system tells
		PidFn: func() (int, error) {
			if p := process(); p.PID != 0 && p.State != child.Within {
				return p.PID, nil
			}
			return 0, errNoRelayProcess
		},
	}))
	gauge("relay_streams", "Streams that are live.", func() float64 { return float64(len(h.video.status())) })
	gauge("relay_destinations_live", "Destinations that take the video now.", func() float64 {
		n := 0
		for _, s := range h.video.status() {
			for _, d := range s.Destinations {
				if d.State == relay.Live {
					n++
				}
			}
		}
		return float64(n)
	})
	return r
}
