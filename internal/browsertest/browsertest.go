// Package browsertest opens pages in a real Chromium for tests. A page that logs an error, throws, or breaks its
// Content-Security-Policy fails its test. It needs Debian's chromium.
package browsertest

import (
	"context"
	_ "embed"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// axe finds what keeps people from using a page (axe-core, for tests only).
//
//go:embed testdata/axe.min.js
var axe string

// ShotsDir is the environment variable that names a folder for pictures of the pages; empty means that none are taken.
const ShotsDir = "HAWKER_SHOTS"

// waitMost bounds each wait for a state of a page.
const waitMost = 20 * time.Second

// Browser is a running Chromium.
type Browser struct {
	ctx context.Context
}

// Open starts Chromium and ends it with the test.
func Open(t testing.TB) *Browser {
	t.Helper()
	path := ""
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if p, err := exec.LookPath(name); err == nil {
			path = p
			break
		}
	}
	if path == "" {
		t.Fatal("Chromium is missing: install the package chromium")
	}
	// Nothing runs beside the pages: no extensions, no updates, nothing that asks the network by itself.
	alloc, stop := chromedp.NewExecAllocator(context.Background(), chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.NoFirstRun, chromedp.Headless,
		chromedp.DisableGPU, chromedp.Flag("disable-dev-shm-usage", true), chromedp.Flag("autoplay-policy", "no-user-gesture-required"),
		chromedp.Flag("disable-background-networking", true), chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-default-apps", true),
		chromedp.Flag("disable-extensions", true), chromedp.Flag("disable-sync", true))
	ctx, cancel := chromedp.NewContext(alloc, chromedp.WithErrorf(func(string, ...any) {}))
	t.Cleanup(func() { cancel(); stop() })
	if err := chromedp.Do(ctx); err != nil {
		t.Fatalf("start Chromium: %v", err)
	}
	return &Browser{ctx}
}

// View is how a page is looked at.
type View struct {
	Width, Height int
	Mobile, Dark  bool
}

// Views that every page is looked at in.
func Views() map[string]View {
	return map[string]View{
		"phone":      {Width: 390, Height: 844, Mobile: true},
		"phone-dark": {Width: 390, Height: 844, Mobile: true, Dark: true},
		"wide":       {Width: 1280, Height: 900},
		"wide-dark":  {Width: 1280, Height: 900, Dark: true},
	}
}

// Page is a tab with cookies of its own.
type Page struct {
	t   testing.TB
	ctx context.Context

	mu     sync.Mutex
	faults []string
	// Allow names parts of messages that are no fault of the page, such as the status 404 of a page that is asked for.
	allow []string
}

// Page opens a tab. Faults of the page are reported when the test ends.
func (b *Browser) Page(t testing.TB, v View, allow ...string) *Page {
	t.Helper()
	ctx, cancel := chromedp.NewContext(b.ctx, chromedp.WithNewBrowserContext())
	p := &Page{t: t, ctx: ctx, allow: allow}
	opts := []chromedp.EmulateViewportOption{}
	if v.Mobile {
		opts = append(opts, chromedp.EmulateMobile, chromedp.EmulateTouch)
	}
	if err := chromedp.Do(ctx, chromedp.EmulateViewport(int64(v.Width), int64(v.Height), opts...)); err != nil {
		t.Fatalf("open tab: %v", err)
	}
	scheme := "light"
	if v.Dark {
		scheme = "dark"
	}
	_, err := chromedp.Call(ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}, {Name: "prefers-reduced-motion", Value: "reduce"}},
	})
	if err != nil {
		t.Fatalf("choose colours: %v", err)
	}
	var reading sync.WaitGroup
	entries, thrown, said := chromedp.Events(ctx, log.EntryAdded), chromedp.Events(ctx, runtime.ExceptionThrown), chromedp.Events(ctx, runtime.ConsoleAPICalled)
	reading.Go(func() {
		for e, err := range entries {
			if err != nil {
				return
			}
			if e.Entry.Level == log.EntryLevelError || e.Entry.Source == log.EntrySourceSecurity {
				p.fault(e.Entry.Text + " " + e.Entry.URL)
			}
		}
	})
	reading.Go(func() {
		for e, err := range thrown {
			if err != nil {
				return
			}
			text := e.ExceptionDetails.Text
			if x := e.ExceptionDetails.Exception; x != nil {
				text += " " + x.Description
			}
			p.fault(text)
		}
	})
	reading.Go(func() {
		for e, err := range said {
			if err != nil {
				return
			}
			if e.Type == runtime.ConsoleAPICalledTypeError || e.Type == runtime.ConsoleAPICalledTypeWarning {
				p.fault(fmt.Sprintf("console.%s %s", e.Type, args(e.Args)))
			}
		}
	})
	t.Cleanup(func() {
		cancel()
		reading.Wait()
		for _, f := range p.faults {
			t.Errorf("the page said: %s", f)
		}
	})
	return p
}

func args(all []*runtime.RemoteObject) string {
	var b strings.Builder
	for _, a := range all {
		fmt.Fprintf(&b, "%s%s ", a.Value, a.Description)
	}
	return b.String()
}

func (p *Page) fault(text string) {
	for _, a := range p.allow {
		if strings.Contains(text, a) {
			return
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.faults = append(p.faults, strings.TrimSpace(text))
}

// within bounds one step.
func (p *Page) within() (context.Context, context.CancelFunc) {
	return context.WithTimeout(p.ctx, waitMost)
}

// Do runs steps.
func (p *Page) Do(steps ...chromedp.Action[chromedp.Void]) {
	p.t.Helper()
	ctx, cancel := p.within()
	defer cancel()
	if err := chromedp.Do(ctx, steps...); err != nil {
		p.t.Fatalf("%v\n%s", err, p.text())
	}
}

// Go opens an address and waits for the page and its fonts.
func (p *Page) Go(url string) {
	p.t.Helper()
	p.Do(chromedp.Navigate(url))
	p.Await("document.fonts.status === 'loaded'")
}

// Click clicks the first element that a CSS selector finds, wherever it is on the page.
func (p *Page) Click(css string) {
	p.t.Helper()
	p.Await(fmt.Sprintf("document.querySelector(%q)", css))
	p.Do(chromedp.Evaluate[chromedp.Void](fmt.Sprintf("document.querySelector(%q).click()", css)))
}

// Type puts text into the field that a CSS selector finds.
func (p *Page) Type(css, text string) {
	p.t.Helper()
	p.Await(fmt.Sprintf("document.querySelector(%q)", css))
	p.Do(chromedp.Evaluate[chromedp.Void](fmt.Sprintf("{const e = document.querySelector(%q); e.focus(); e.value = %q; e.dispatchEvent(new Event('input', {bubbles: true}))}", css, text)))
}

// Await waits until an expression of JavaScript is true.
func (p *Page) Await(js string) {
	p.t.Helper()
	ctx, cancel := p.within()
	defer cancel()
	for {
		// A page that is just being left refuses; the next one answers.
		ok, err := chromedp.Run(ctx, chromedp.Evaluate[bool]("!!("+js+")"))
		if err == nil && ok {
			return
		}
		select {
		case <-ctx.Done():
			p.t.Fatalf("not within %s: %s (%v)\n%s", waitMost, js, err, p.text())
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// AwaitText waits until the element that a CSS selector finds holds a text.
func (p *Page) AwaitText(css, text string) {
	p.t.Helper()
	p.Await(fmt.Sprintf("[...document.querySelectorAll(%q)].some(e => e.textContent.includes(%q))", css, text))
}

// Text is what an expression of JavaScript gives, as text.
func (p *Page) Text(js string) string {
	p.t.Helper()
	ctx, cancel := p.within()
	defer cancel()
	s, err := chromedp.Run(ctx, chromedp.Evaluate[string]("String("+js+")"))
	if err != nil {
		p.t.Fatalf("%s: %v", js, err)
	}
	return s
}

// text is what the page reads, for messages.
func (p *Page) text() string {
	ctx, cancel := context.WithTimeout(p.ctx, 2*time.Second)
	defer cancel()
	s, err := chromedp.Run(ctx, chromedp.Evaluate[string]("location.href + '\\n' + document.body.innerText"))
	if err != nil {
		return ""
	}
	return s
}

// Check fails the test for what axe calls serious or critical, and for a page that is wider than its window.
func (p *Page) Check(name string) {
	p.t.Helper()
	ctx, cancel := p.within()
	defer cancel()
	if _, err := chromedp.Run(ctx, chromedp.Evaluate[*runtime.RemoteObject](axe+";0")); err != nil {
		p.t.Fatalf("%s: load axe: %v", name, err)
	}
	found, err := chromedp.Run(ctx, chromedp.Evaluate[string](`axe.run({resultTypes: ["violations"]}).then(r => r.violations.filter(v => v.impact === "serious" || v.impact === "critical")
.map(v => v.id + ": " + v.help + "\n" + v.nodes.map(n => "    " + n.html.slice(0, 200) + "\n      " + n.failureSummary.replaceAll("\n", " ")).join("\n")).join("\n"))`,
		chromedp.EvalAwaitPromise))
	if err != nil {
		p.t.Fatalf("%s: axe: %v", name, err)
	}
	if found != "" {
		p.t.Errorf("%s: %s", name, found)
	}
	if wide := p.Text("document.documentElement.scrollWidth > innerWidth ? document.documentElement.scrollWidth + ' > ' + innerWidth : ''"); wide != "" {
		p.t.Errorf("%s: the page is wider than its window: %s", name, wide)
	}
}

// Shot takes a picture of the whole page into the folder that HAWKER_SHOTS names.
func (p *Page) Shot(name string) {
	p.t.Helper()
	dir := os.Getenv(ShotsDir)
	if dir == "" {
		return
	}
	ctx, cancel := p.within()
	defer cancel()
	b, err := chromedp.Run(ctx, chromedp.FullScreenshot(100))
	if err == nil {
		err = os.MkdirAll(dir, 0o755)
	}
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, name+".png"), b, 0o644)
	}
	if err != nil {
		p.t.Errorf("picture of %s: %v", name, err)
	}
}
