package browsertest_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"hawker/internal/browsertest"
)

// witness is a test that notes its failures instead of having them.
type witness struct {
	testing.TB
	said []string
	ends []func()
}

func (w *witness) Helper()                      {}
func (w *witness) Errorf(text string, a ...any) { w.said = append(w.said, fmt.Sprintf(text, a...)) }
func (w *witness) Cleanup(f func())             { w.ends = append(w.ends, f) }

// What a page does wrong fails its test: an exception, an error in the console, a break of its policy, a field without a
// label, a page wider than the window. A good page fails nothing.
func TestFaultsAreFound(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Header().Set("Content-Security-Policy", "script-src 'self'")
		body := `<main><h1>Hello</h1></main>`
		switch r.URL.Path {
		case "/bad":
			body = `<main><h1>Hello</h1><input style="width: 3000px"></main><script>inline()</script><script src="/bad.js"></script>`
		case "/bad.js":
			w.Header().Set("Content-Type", "text/javascript")
			fmt.Fprint(w, `console.error("said it"); nobody()`)
			return
		case "/favicon.ico":
			return
		}
		fmt.Fprintf(w, `<!doctype html><html lang="en"><title>Hello</title><link rel="icon" href="data:,">%s`, body)
	}))
	defer s.Close()
	b := browsertest.Open(t)
	look := func(path string) string {
		w := &witness{TB: t}
		p := b.Page(w, browsertest.View{Width: 390, Height: 844, Mobile: true})
		p.Go(s.URL + path)
		p.AwaitText("h1", "Hello")
		p.Check(path)
		for _, end := range w.ends {
			end()
		}
		return strings.Join(w.said, "\n")
	}
	if said := look("/good"); said != "" {
		t.Errorf("a good page fails: %s", said)
	}
	said := look("/bad")
	for _, want := range []string{"Content Security Policy", "said it", "nobody is not defined", "label", "wider than its window"} {
		if !strings.Contains(said, want) {
			t.Errorf("no %q in: %s", want, said)
		}
	}
}
