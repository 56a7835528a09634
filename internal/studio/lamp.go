package studio

import (
	"context"
	"time"

	"hawker/commerce"
	"hawker/internal/sqldb/videobook"
)

const (
	// lampAgain is how long a platform is left alone that could not be asked what it receives.
	lampAgain = 30 * time.Second
	// lampOver is how long it is after it had no more to say: somebody ended the broadcast there.
	lampOver = 5 * time.Minute
)

// lamp asks a platform what it receives at one destination.
type lamp struct {
	about  string // the broadcast and stream that it is asked about
	cancel context.CancelFunc
	says   Reception
}

// light has the platform of a destination asked what it receives, while its stream runs.
func (s *Studio) light(merchant, show commerce.ID, d *videobook.Destination, x videobook.Session) {
	platform, account := Account(d.Account)
	p := s.Platforms[platform]
	if p.Watch == nil {
		return
	}
	about := x.Broadcast + "/" + x.Stream
	s.mu.Lock()
	st := s.of(merchant, show)
	old := st.lamps[d.ID]
	if old != nil && old.about == about {
		s.mu.Unlock()
		return
	}
	if old != nil {
		old.cancel()
	}
	if s.ctx == nil || s.ctx.Err() != nil {
		s.mu.Unlock()
		return
	}
	ctx, cancel := context.WithCancel(s.ctx)
	l := &lamp{about: about, cancel: cancel}
	st.lamps[d.ID] = l
	s.mu.Unlock()
	tell := func(r Reception) {
		s.mu.Lock()
		differs := l.says.Known != r.Known || l.says.Good != r.Good || l.says.Text != r.Text
		l.says = r
		s.mu.Unlock()
		if differs {
			s.changed(merchant, show)
		}
	}
	s.task(func(context.Context) {
		for ctx.Err() == nil {
			again := lampOver
			if err := p.Watch(ctx, merchant, account, x, tell); err != nil && ctx.Err() == nil {
				tell(Reception{Text: sentence(err), At: time.Now()})
				again = lampAgain
			}
			t := time.NewTimer(again)
			select {
			case <-ctx.Done():
			case <-t.C:
			}
			t.Stop()
		}
	})
}

// darken ends the lamps of a show that are not to be lit any more.
func (s *Studio) darken(show commerce.ID, lit map[commerce.ID]bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	st := s.streams[show]
	if st == nil {
		return
	}
	for id, l := range st.lamps {
		if !lit[id] {
			l.cancel()
			delete(st.lamps, id)
		}
	}
}
