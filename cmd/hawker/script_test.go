package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"hawker/internal/pgtest"
)

// withDatabase runs the tests beside a PostgreSQL that stops with them.
type withDatabase struct{ *testing.M }

// Run is what testscript runs the tests by.
func (w withDatabase) Run() int { return pgtest.Run(w.M) }

func TestMain(m *testing.M) {
	testscript.Main(withDatabase{m}, map[string]func(){"hawker": main})
}

// TestScripts runs the commands as people type them.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata",
		Setup: func(e *testscript.Env) error {
			for _, kv := range os.Environ() { // the tests' own settings are not the scripts'
				if strings.HasPrefix(kv, "HAWKER_") {
					name, _, _ := strings.Cut(kv, "=")
					e.Setenv(name, "")
				}
			}
			e.Setenv("HAWKER_LISTEN", "127.0.0.1:0")
			e.Setenv("HAWKER_RTMP_LISTEN", "127.0.0.1:0")
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"waitfor": waitFor, "flip": flip, "cut": cut},
	})
}

// waitFor waits until a file has a text: `waitfor FILE REGEXP`.
func waitFor(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: waitfor FILE REGEXP")
	}
	re, err := regexp.Compile(args[1])
	ts.Check(err)
	file := ts.MkAbs(args[0])
	var data []byte
	for range 600 {
		if data, _ = os.ReadFile(filepath.Clean(file)); re.Match(data) {
			return
		}
		pause()
	}
	ts.Fatalf("%s never had %s; it has:\n%s", args[0], args[1], data)
}

// An end by Ctrl-C is told once, whatever was under way; what else went wrong is told as well.
func TestCanceled(t *testing.T) {
	other := errors.New("disk full")
	for _, tt := range []struct {
		err  error
		want bool
	}{
		{nil, false},
		{context.Canceled, true},
		{fmt.Errorf("till: %w", errors.Join(context.Canceled, fmt.Errorf("naive: %w", context.Canceled))), true},
		{errors.Join(context.Canceled, other), false},
		{other, false},
	} {
		if got := canceled(tt.err); got != tt.want {
			t.Errorf("canceled(%v) = %v", tt.err, got)
		}
	}
}
