package guard

import (
	"time"

	"hawker/internal/byhash"
)

// crowd is who is present in a show, whoever is silent for longest first.
type crowd struct {
	seen        *byhash.Map[string, guest]
	first, last *guest
	proven      int // of them
	version     int // changes when a proven person comes or goes
}

type guest struct {
	person     string
	at         time.Time
	prev, next *guest
}

// enter notes a person as present and returns how many more that makes.
func (c *crowd) enter(person string, at time.Time, proven bool) int {
	more := 0
	g, came := c.seen.Put(person)
	if !came {
		c.unlink(g)
	} else {
		g.person = person
		more = 1
		if proven {
			c.proven++
			c.version++
		}
	}
	if c.last != nil && at.Before(c.last.at) { // the order is that of being told, so that the list stays sorted
		at = c.last.at
	}
	g.at, g.prev, g.next = at, c.last, nil
	if c.last != nil {
		c.last.next = g
	} else {
		c.first = g
	}
	c.last = g
	return more
}

func (c *crowd) unlink(g *guest) {
	if g.prev != nil {
		g.prev.next = g.next
	} else {
		c.first = g.next
	}
	if g.next != nil {
		g.next.prev = g.prev
	} else {
		c.last = g.prev
	}
}

// drop forgets who was last seen before old, and returns how many that were.
func (c *crowd) drop(old time.Time, proven map[string]bool) (n int) {
	for c.first != nil && c.first.at.Before(old) {
		n += c.dropFirst(proven)
	}
	return n
}

// dropFirst forgets who is silent for longest, and returns how many that were.
func (c *crowd) dropFirst(proven map[string]bool) int {
	g := c.first
	if g == nil {
		return 0
	}
	c.unlink(g)
	if proven[g.person] {
		c.proven--
		c.version++
	}
	c.seen.Delete(g.person)
	return 1
}
