// Package guard keeps scarce pieces from being besieged. A hold costs nothing, so whoever holds all of an item without ever
// paying could keep it from those who would. A Watch knows who is present in each show, who of them is proven (paid here
// once, or somebody vouches for them), and who holds what; it says how many pieces a person may have now.
//
// While pieces are many, everybody may have all they ask for. While they are scarce, persons who are not proven may together
// hold a share of them, or all that is not kept for a proven person who is there and has none, whichever is more: where
// nobody is proven, as in a merchant's first show, nobody is held back, and nothing is kept for people who are not there.
//
// It does no I/O and reads no clock, and what it knows is lost with the process. It is not safe for two goroutines.
package guard

import (
	"cmp"
	"slices"
	"time"

	"hawker/commerce/id"
	"hawker/internal/byhash"
)

// Presence is how long after their last line a person counts as present. MostPresent bounds the memory: of more persons, the
// one silent for longest is forgotten.
const (
	Presence    = 10 * time.Minute
	MostPresent = 100_000
)

// crowdPerPiece is how many persons are present for each piece when pieces begin to be scarce (product rule: stock under a
// third of the viewers).
const crowdPerPiece = 3

// blockPart is the part of what persons who are not proven may hold that anonymous browsers of one address block may.
const blockPart = 10

// Watch watches over one merchant's pieces.
type Watch struct {
	proven  map[string]bool
	crowds  map[id.ID]*crowd
	present int // over all crowds
	goods   map[id.ID]*goods
	lots    map[string][]lot
}

// goods is who has pieces of a variant.
type goods struct {
	open, unproven int64 // pieces held and not paid: by all, and by persons who are not proven
	blocks         map[string]int64
	burnt          map[id.ID]int64 // pieces that ended unpaid, by show
	has            map[string]int  // holds of a person, open and paid
	having         int             // proven persons of crowd who have some, as counted at its version
	crowd          *crowd
	version        int
}

// lot is what a person who is not proven holds of a variant.
type lot struct {
	variant id.ID
	block   string
	pieces  int64
}

// New is a Watch that knows the persons who are proven.
func New(proven []string) *Watch {
	w := &Watch{proven: map[string]bool{}, crowds: map[id.ID]*crowd{}, goods: map[id.ID]*goods{}, lots: map[string][]lot{}}
	for _, p := range proven {
		w.proven[p] = true
	}
	return w
}

// Seen notes that a person is present in a show.
func (w *Watch) Seen(show id.ID, person string, at time.Time) {
	c := w.crowds[show]
	if c == nil {
		c = &crowd{seen: byhash.New[string, guest]()}
		w.crowds[show] = c
	}
	w.present += c.enter(person, at, w.proven[person])
	w.present -= c.drop(at.Add(-Presence), w.proven)
	for w.present > MostPresent {
		w.present -= c.dropFirst(w.proven)
	}
}

// Over forgets what concerned a show only.
func (w *Watch) Over(show id.ID) {
	if c := w.crowds[show]; c != nil {
		w.present -= c.seen.Len()
		delete(w.crowds, show)
	}
	for v, g := range w.goods {
		delete(g.burnt, show)
		w.tidy(v, g)
	}
}

// Proven reports whether a person is proven.
func (w *Watch) Proven(person string) bool { return w.proven[person] }

// Prove makes a person proven, with all they hold. It returns how to take that back; nil when the person was proven before.
func (w *Watch) Prove(person string) (undo func()) {
	if w.proven[person] {
		return nil
	}
	lots := w.lots[person]
	set := func(proven bool, by int64) {
		if proven {
			w.proven[person] = true
			delete(w.lots, person)
		} else {
			delete(w.proven, person)
			if len(lots) > 0 {
				w.lots[person] = lots
			}
		}
		for _, l := range lots {
			w.goods[l.variant].count(l.block, by*l.pieces)
		}
		for _, c := range w.crowds {
			if c.seen.Get(person) != nil {
				c.proven -= int(by)
				c.version++
			}
		}
	}
	set(true, -1)
	return func() { set(false, 1) }
}

// Doubt makes a person not proven any more, who must have no pieces at that moment. It returns how to take that back; nil when
// the person was not proven.
func (w *Watch) Doubt(person string) (undo func()) {
	if !w.proven[person] {
		return nil
	}
	set := func(proven bool, by int) {
		if w.proven[person] = true; !proven {
			delete(w.proven, person)
		}
		for _, c := range w.crowds {
			if c.seen.Get(person) != nil {
				c.proven += by
				c.version++
			}
		}
	}
	set(false, -1)
	return func() {
		if !w.proven[person] { // nobody vouched for them meanwhile
			set(true, 1)
		}
	}
}

func (w *Watch) of(variant id.ID) *goods {
	g := w.goods[variant]
	if g == nil {
		g = &goods{blocks: map[string]int64{}, burnt: map[id.ID]int64{}, has: map[string]int{}}
		w.goods[variant] = g
	}
	return g
}

// count counts pieces of somebody who is not proven.
func (g *goods) count(block string, n int64) {
	g.unproven += n
	if block == "" {
		return
	}
	if g.blocks[block] += n; g.blocks[block] == 0 {
		delete(g.blocks, block)
	}
}

// Hold notes that a person holds n pieces more of a variant, or with n < 0 fewer, which an anonymous browser of the block
// asked for.
func (w *Watch) Hold(variant id.ID, person, block string, n int) {
	g := w.of(variant)
	g.open += int64(n)
	defer w.tidy(variant, g)
	if w.proven[person] {
		return
	}
	g.count(block, int64(n))
	lots := w.lots[person]
	at, there := slices.BinarySearchFunc(lots, lot{variant: variant, block: block}, func(a, b lot) int {
		return cmp.Or(cmp.Compare(a.variant, b.variant), cmp.Compare(a.block, b.block))
	})
	lots = slices.Clone(lots) // whoever has the old ones keeps them as they were
	switch {
	case !there:
		w.lots[person] = slices.Insert(lots, at, lot{variant, block, int64(n)})
		return
	case lots[at].pieces+int64(n) != 0:
		lots[at].pieces += int64(n)
	default:
		lots = slices.Delete(lots, at, at+1)
	}
	if w.lots[person] = lots; len(lots) == 0 {
		delete(w.lots, person)
	}
}

// Has notes that a person has one hold more (by 1) or fewer (by -1) of a variant, open or paid.
func (w *Watch) Has(variant id.ID, person string, by int) {
	g := w.of(variant)
	before := g.has[person]
	if g.has[person] = before + by; before+by == 0 {
		delete(g.has, person)
	}
	if (before == 0) != (before+by == 0) && g.crowd != nil && w.proven[person] && g.crowd.seen.Get(person) != nil {
		g.having += by
	}
	w.tidy(variant, g)
}

// Held is how many pieces of a variant are held, by all and by persons who are not proven: what a check compares with the holds.
func (w *Watch) Held(variant id.ID) (all, unproven int64) {
	if g := w.goods[variant]; g != nil {
		return g.open, g.unproven
	}
	return 0, 0
}

// Owners is how many persons have holds of a variant, open or paid; for checks, too.
func (w *Watch) Owners(variant id.ID) int {
	if g := w.goods[variant]; g != nil {
		return len(g.has)
	}
	return 0
}

// Burn notes that n pieces of a variant that somebody held who is not proven ended unpaid while they were scarce: the share
// is smaller by them for the rest of the show. With n < 0 it is taken back.
func (w *Watch) Burn(show, variant id.ID, n int) {
	g := w.of(variant)
	if g.burnt[show] += int64(n); g.burnt[show] == 0 {
		delete(g.burnt, show)
	}
	w.tidy(variant, g)
}

// tidy forgets a variant of which nobody has anything.
func (w *Watch) tidy(variant id.ID, g *goods) {
	if g.open == 0 && g.unproven == 0 && len(g.has)+len(g.blocks)+len(g.burnt) == 0 {
		delete(w.goods, variant)
	}
}

// Ask is a person's wish for pieces.
type Ask struct {
	Show, Variant id.ID
	Person        string
	Block         string // of an anonymous browser, see Watch.Hold
	Free          int64  // pieces that nobody holds
	Share         int    // in per cent
	Now           time.Time
}

// Allow is how many of the free pieces the person may have now. Scarce says that the pieces are scarce and the person is not
// proven while somebody is who is there, or is an anonymous browser: then what they get, they get for a shorter time.
func (w *Watch) Allow(a Ask) (n int64, scarce bool) {
	c, g := w.crowds[a.Show], w.goods[a.Variant]
	if c == nil || w.proven[a.Person] {
		return a.Free, false
	}
	if g == nil { // nobody has any
		g = &goods{}
	}
	w.present -= c.drop(a.Now.Add(-Presence), w.proven)
	pieces := a.Free + g.open
	if pieces*crowdPerPiece >= int64(c.seen.Len()) {
		return a.Free, false
	}
	n = a.Free
	if c.proven > 0 { // else there is nobody to keep pieces for
		share := max(1, (pieces*int64(a.Share)+99)/100-g.burnt[a.Show])
		n = min(n, max(share-g.unproven, a.Free-w.without(g, c)))
	}
	if a.Block != "" {
		n = min(n, max(1, (g.unproven+max(n, 0))/blockPart)-g.blocks[a.Block])
	}
	return max(n, 0), c.proven > 0 || a.Block != ""
}

// without is how many proven persons of a crowd have nothing of a variant.
func (w *Watch) without(g *goods, c *crowd) int64 {
	if g.crowd != c || g.version != c.version {
		g.crowd, g.version, g.having = c, c.version, 0
		for p := range g.has {
			if w.proven[p] && c.seen.Get(p) != nil {
				g.having++
			}
		}
	}
	return int64(c.proven - g.having)
}
