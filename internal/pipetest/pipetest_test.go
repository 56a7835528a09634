package pipetest_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"hawker/internal/pipetest"
)

// A server and a client in one bubble: an hour's wait between them takes no time.
func TestHour(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := pipetest.Listen()
		s := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			time.Sleep(time.Hour)
			_, _ = io.WriteString(w, "late")
		})}
		served := make(chan error, 1)
		go func() { served <- s.Serve(l) }()
		tr := &http.Transport{DialContext: l.Dial}
		r, err := (&http.Client{Transport: tr}).Get("http://anywhere/")
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(r.Body)
		if err != nil || string(b) != "late" {
			t.Errorf("%q, %v", b, err)
		}
		_ = r.Body.Close()
		tr.CloseIdleConnections()
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		if err := <-served; !errors.Is(err, http.ErrServerClosed) {
			t.Error(err)
		}
	})
}

func TestClosed(t *testing.T) {
	l := pipetest.Listen()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := l.Dial(ctx, "tcp", "anywhere:80"); !errors.Is(err, context.Canceled) {
		t.Errorf("nobody accepts: %v", err)
	}
	for range 2 {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	}
	if _, err := l.Dial(t.Context(), "tcp", "anywhere:80"); !errors.Is(err, net.ErrClosed) {
		t.Errorf("Dial: %v", err)
	}
	if _, err := l.Accept(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("Accept: %v", err)
	}
}
