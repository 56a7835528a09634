package studio

import (
	"context"
	"errors"
	"slices"
	"time"

	"hawker/commerce"
	"hawker/relay"
	"hawker/relay/preflight"
)

// Test is a test of a show's destinations, before it.
type Test struct {
	Running bool
	Began   time.Time
	Kbps    int // to each
	Results []preflight.Result
}

// Sum is what arrived at all together, in kbit/s, and what was sent.
func (t *Test) Sum() (got, of int) {
	for _, r := range t.Results {
		if r.Pushed {
			got, of = got+r.Kbps, of+t.Kbps
		}
	}
	return got, of
}

// Errors of StartTest.
var (
	ErrOnAir   = errors.New("studio: the show is being sent")
	ErrNobody  = errors.New("studio: there is nothing to test")
	ErrTesting = errors.New("studio: a test is running")
)

// StartTest tries all destinations of a show that are on, each with so many kbit/s. View tells how it goes. The error is ErrOnAir while
// the show's video runs: a key takes one stream at a time.
func (s *Studio) StartTest(ctx context.Context, merchant, show commerce.ID, kbps int) error {
	if statusOf(s.Relay.Status(), show) != nil {
		return ErrOnAir
	}
	all, err := s.Book.Destinations(ctx, merchant, show)
	if err != nil {
		return err
	}
	var to []relay.Destination
	var done []preflight.Result
	for i := range all {
		d := &all[i]
		if !d.Enabled {
			continue
		}
		x := relay.Destination{ID: d.ID.String(), Name: d.Name, Server: d.Server, Key: d.Key}
		if d.Account != "" {
			platform, account := Account(d.Account)
			p := s.Platforms[platform]
			if p.Probe == nil {
				done = append(done, preflight.Result{ID: x.ID, Name: d.Name, Done: true, OK: true, Text: "Its key comes from " + platform.Title() + " when the show begins; there is nothing to try before."})
				continue
			}
			if x.Server, x.Key, err = p.Probe(ctx, merchant, account); err != nil {
				done = append(done, preflight.Result{ID: x.ID, Name: d.Name, Done: true, Text: sentence(err)})
				continue
			}
		}
		to = append(to, x)
	}
	if len(to)+len(done) == 0 {
		return ErrNobody
	}
	s.mu.Lock()
	if s.tests == nil {
		s.tests = map[commerce.ID]*Test{}
	}
	if t := s.tests[show]; t != nil && t.Running {
		s.mu.Unlock()
		return ErrTesting
	}
	t := &Test{Running: true, Began: time.Now(), Kbps: kbps, Results: done}
	s.tests[show] = t
	s.mu.Unlock()
	s.task(func(ctx context.Context) {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		preflight.Run(ctx, preflight.Options{DialContext: s.DialContext, TLS: s.TLS, Kbps: kbps}, to, func(r preflight.Result) {
			s.mu.Lock()
			if i := slices.IndexFunc(t.Results, func(x preflight.Result) bool { return x.ID == r.ID }); i >= 0 {
				t.Results[i] = r
			} else {
				t.Results = append(t.Results, r)
			}
			s.mu.Unlock()
			if statusOf(s.Relay.Status(), show) != nil { // the encoder began: its keys are wanted
				cancel()
			}
			s.changed(merchant, show)
		})
		s.mu.Lock()
		t.Running = false
		s.mu.Unlock()
		s.changed(merchant, show)
	})
	return nil
}
