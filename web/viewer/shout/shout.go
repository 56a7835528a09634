// Package shout keeps the pace of shout-outs on an overlay: one card at a time.
package shout

import (
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"hawker/commerce"
	"hawker/internal/lang"
	"hawker/internal/live"
	"hawker/web/viewer/words"
)

// Times and bounds (product rule: one in four seconds, more than three waiting are one).
const (
	cardFor     = 4 * time.Second
	mostAlone   = 3
	mostNames   = 3   // names on a card of many
	mostWaiting = 500 // more at once are not named
	mostSeen    = 64
	kept        = time.Minute // what waits longer, because no overlay was there, is the past
)

// Card is one card of thanks, for one or for many.
type Card struct {
	ID                     string
	Who, Title, Image, All string
}

// Queues are the shout-outs of the shows whose overlay was looked at.
type Queues struct {
	mu  sync.Mutex
	all map[commerce.ID]*Queue
}

// Of is the queue of a show.
func (s *Queues) Of(show commerce.ID) *Queue {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.all == nil {
		s.all = map[commerce.ID]*Queue{}
	}
	if s.all[show] == nil {
		s.all[show] = &Queue{}
	}
	return s.all[show]
}

// Queue is the queue of one overlay.
type Queue struct {
	mu    sync.Mutex
	seen  []commerce.ID // the same shout-out may be told twice, after a restart
	queue []live.Shout
	came  time.Time // when the last one did
	now   *Card
	since time.Time
}

// Add queues a shout-out, once.
func (x *Queue) Add(s live.Shout) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if s.ID != 0 && slices.Contains(x.seen, s.ID) {
		return
	}
	if x.seen = append(x.seen, s.ID); len(x.seen) > mostSeen {
		x.seen = x.seen[1:]
	}
	x.came = time.Now()
	if len(x.queue) < mostWaiting {
		x.queue = append(x.queue, s)
	}
}

// Card is the card to show now, nil for none.
func (x *Queue) Card(now time.Time, w *words.Words) *Card {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.now != nil && now.Sub(x.since) < cardFor {
		return x.now
	}
	x.now = nil
	if now.Sub(x.came) > kept {
		x.queue = nil
	}
	n := len(x.queue)
	switch {
	case n == 0:
		return nil
	case n > mostAlone:
		x.now, x.queue = cardOf(x.queue, w), nil
	default:
		x.now, x.queue = cardOf(x.queue[:1], w), x.queue[1:]
	}
	x.since = now
	return x.now
}

// cardOf puts shout-outs on one card: who they are for, and what they bought.
func cardOf(all []live.Shout, w *words.Words) *Card {
	first := &all[0]
	c := &Card{ID: first.ID.String(), Image: first.Image}
	if len(all) == 1 {
		c.Who, c.Title = first.Who, first.Title
		if c.Who == "" || c.Title == "" {
			c.Who, c.Title, c.All = "", "", first.Text
		}
		return c
	}
	var names, titles []string
	add := func(list []string, s string) []string {
		if s == "" || slices.Contains(list, s) {
			return list
		}
		return append(list, s)
	}
	for i := range all {
		names, titles = add(names, all[i].Who), add(titles, all[i].Title)
	}
	c.Who, c.Title = strings.Join(names[:min(len(names), mostNames)], ", "), titleList(titles)
	if more := len(names) - mostNames; more > 0 {
		c.Who += " " + lang.Fill(w.AndMore, "n", strconv.Itoa(more))
	}
	return c
}

// titleList names at most two.
func titleList(titles []string) string {
	if len(titles) > 2 {
		return strings.Join(titles[:2], " · ") + " …"
	}
	return strings.Join(titles, " · ")
}
