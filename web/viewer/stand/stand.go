// Package stand looks at a show once for all the browsers that show it: what is for sale, and for each viewer a mark that
// tells when what that viewer has changed.
package stand

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"hawker/commerce"
	"hawker/commerce/person"
	"hawker/internal/chat"
	"hawker/internal/live"
)

// standAge is how long a look at a show is good when nothing tells that it changed.
const standAge = 5 * time.Second

// Stand is a show as it stands, looked at once for all browsers: a thousand open rooms and receipts must not ask the
// merchant's goroutine a thousand times whenever somebody claims.
type Stand struct {
	live.ShowPage
	// marks say for each person what that person has; a mark differs when anything of it does.
	marks  map[string]string
	person map[chat.Viewer]string // of those, without names, who were joined and have anything
}

// who is the person of a viewer, as far as it matters here.
func who(joined map[chat.Viewer]string, v chat.Viewer) string {
	v.Name = ""
	if p := joined[v]; p != "" {
		return p
	}
	return person.Alone(v)
}

// Mark is what changes with what the viewers have, and with the state of the show.
func (s *Stand) Mark(viewers ...chat.Viewer) string {
	m := fmt.Sprint(s.Show.State, s.Show.Paused)
	for _, v := range viewers {
		m += "|" + s.marks[who(s.person, v)]
	}
	return m
}

func newStand(p live.ShowPage) *Stand {
	of, joined := map[string]*strings.Builder{}, map[chat.Viewer]string{}
	at := func(v chat.Viewer, is string) *strings.Builder {
		if v.Name = ""; is != person.Alone(v) {
			joined[v] = is
		}
		if of[is] == nil {
			of[is] = &strings.Builder{}
		}
		return of[is]
	}
	for _, h := range slices.Concat(p.Open, p.Offers) {
		fmt.Fprint(at(h.Viewer, h.Person), h.ID, " ", h.Quantity, " ", h.Due.UnixMilli(), h.Frozen, h.Opened, h.Reminded, h.Extended, h.State, ";")
	}
	for i := range p.Waiting {
		x := &p.Waiting[i]
		fmt.Fprint(at(x.Viewer, x.Person), x.ID, " ", x.Quantity, " ", x.Position, ";")
	}
	for i := range p.Orders {
		o := &p.Orders[i]
		fmt.Fprint(at(o.Viewer, who(joined, o.Viewer)), o.Store, o.State, ";")
	}
	s := &Stand{p, make(map[string]string, len(of)), joined}
	for is, b := range of {
		s.marks[is] = b.String()
	}
	return s
}

// Stands are the shows that anybody looks at. Set Hub; its methods may be called by many goroutines.
type Stands struct {
	Hub *live.Hub

	mu  sync.Mutex
	all map[commerce.ID]*watched
}

type watched struct {
	users int
	turn  int64 // grows with every signal that something changed
	stand *Stand
	seen  int64 // turn at which stand was looked at
	at    time.Time
}

// Watch is live.Hub.Watch that also notes when a shared look is old.
func (s *Stands) Watch(merchant, show commerce.ID, tell func(live.Signal)) (stop func(), err error) {
	w := s.hold(show)
	end, err := s.Hub.Watch(merchant, show, func(x live.Signal) {
		if x.Kind == live.SignalChanged {
			s.mu.Lock()
			w.turn++
			s.mu.Unlock()
		}
		tell(x)
	})
	if err != nil {
		s.drop(show)
		return nil, err
	}
	return func() {
		end()
		s.drop(show)
	}, nil
}

func (s *Stands) hold(show commerce.ID) *watched {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.all == nil {
		s.all = map[commerce.ID]*watched{}
	}
	x := s.all[show]
	if x == nil {
		x = &watched{}
		s.all[show] = x
	}
	x.users++
	return x
}

func (s *Stands) drop(show commerce.ID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if x := s.all[show]; x != nil {
		if x.users--; x.users == 0 {
			delete(s.all, show)
		}
	}
}

// Look looks at a show now. Errors are those of live.Hub.Page.
func (s *Stands) Look(ctx context.Context, merchant, show commerce.ID) (*Stand, error) {
	p, err := s.Hub.Page(ctx, merchant, show)
	if err != nil {
		return nil, err
	}
	return newStand(p), nil
}

// Shared is a look that is as old as the last change at most. It is for streams, which hold a watch.
func (s *Stands) Shared(ctx context.Context, merchant, show commerce.ID) (*Stand, error) {
	s.mu.Lock()
	w := s.all[show]
	if w != nil && w.stand != nil && w.seen == w.turn && time.Since(w.at) < standAge {
		defer s.mu.Unlock()
		return w.stand, nil
	}
	turn := int64(0)
	if w != nil {
		turn = w.turn
	}
	s.mu.Unlock()
	x, err := s.Look(ctx, merchant, show)
	if err != nil || w == nil {
		return x, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	w.stand, w.seen, w.at = x, turn, time.Now()
	return x, nil
}
