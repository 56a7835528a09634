package ui

import (
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strings"
	"time"

	"hawker/internal/seal"
)

// Bounds of what is sent to us. Forms are small; webhooks of big orders are not.
const (
	formMax = 256 << 10
	bodyMax = 4 << 20
	// A slate is a film. It is read as it comes, after who sends it is known.
	slateMax  = 65 << 20
	slatePath = "/video/clip"
)

// policy is the Content-Security-Policy: nothing from elsewhere, no inline script. Pages that play video may build it
// from pieces (blob:) in a worker. A framed page may stand in a frame of our own pages. Sounds come from where a merchant
// has them, by https.
func policy(f *Frame) string {
	frames := "'none'"
	if f.Framed {
		frames = "'self'"
	}
	p := "default-src 'none'; script-src 'self'; style-src 'self'; style-src-attr 'unsafe-inline'; img-src 'self' data:; " +
		"font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors " + frames
	switch {
	case f.Media:
		p += "; media-src 'self' blob:; worker-src 'self'"
	case f.Sounds:
		p += "; media-src https:"
	}
	return p
}

// Wrap puts the safety around all handlers: headers, refusal of requests that another site's page sends, bounds, and an
// answer for a handler that panics.
func (k *Kit) Wrap(next http.Handler) http.Handler {
	cross := http.NewCrossOriginProtection()
	cross.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		k.Fail(w, r, Problem(http.StatusForbidden, "This was sent by a page of another site, so nothing was done."))
	}))
	inner := cross.Handler(next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		begun := time.Now()
		h := w.Header()
		h.Set("Content-Security-Policy", policy(&Frame{}))
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "same-origin")
		h.Set("Permissions-Policy", "camera=(), microphone=()")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		limit := int64(bodyMax)
		switch kind := r.Header.Get("Content-Type"); {
		case strings.HasPrefix(kind, "application/x-www-form-urlencoded"):
			limit = formMax
		case strings.HasPrefix(kind, "multipart/form-data") && strings.HasSuffix(r.URL.Path, slatePath):
			limit = slateMax
		}
		r.Body = http.MaxBytesReader(w, r.Body, limit)
		s := &statusWriter{ResponseWriter: w}
		defer func() {
			if v := recover(); v != nil {
				k.panicked(s, r, v)
			}
			k.log.Debug("request", "method", r.Method, "path", Masked(r.URL.Path), "status", s.status, "took", time.Since(begun).Round(time.Microsecond))
		}()
		inner.ServeHTTP(s, r)
	})
}

// panicked answers for a handler that panicked, unless it had begun to answer.
func (k *Kit) panicked(s *statusWriter, r *http.Request, v any) {
	if v == http.ErrAbortHandler { //nolint:errorlint,err113 // net/http compares it so
		panic(v)
	}
	k.log.Error("page panicked", "path", Masked(r.URL.Path), "panic", fmt.Sprint(v), "stack", slog.StringValue(string(debug.Stack())))
	if s.status == 0 {
		k.Fail(s, r, fmt.Errorf("panic: %v", v))
	}
}

// Masked is a path without the secrets in it: the tokens of receipts, overlays and one-time links.
func Masked(path string) string {
	parts := strings.Split(path, "/")
	for i, p := range parts {
		if seal.ValidToken(p) {
			parts[i] = "[token]"
		}
	}
	return strings.Join(parts, "/")
}

// statusWriter remembers the status. Unwrap lets streams flush and set deadlines through it.
type statusWriter struct {
	http.ResponseWriter
	status int
}

func (s *statusWriter) WriteHeader(code int) {
	if s.status == 0 {
		s.status = code
	}
	s.ResponseWriter.WriteHeader(code)
}

func (s *statusWriter) Write(b []byte) (int, error) {
	if s.status == 0 {
		s.status = http.StatusOK
	}
	return s.ResponseWriter.Write(b)
}

func (s *statusWriter) Unwrap() http.ResponseWriter { return s.ResponseWriter }
