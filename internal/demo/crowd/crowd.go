// Package crowd is a chatting, buying, paying audience for the demo: it greets, asks, marvels and claims in three chats,
// reads the bot's answers as viewers do, opens its receipts and pays in the shop, or gives back, or forgets. It knows the
// chats only by the funcs it is given.
//
// One goroutine (Run) decides everything; each payment under way has one more. With one seed and one course of answers it
// does the same.
package crowd

import (
	"container/heap"
	"context"
	"fmt"
	"log/slog"
	"math"
	"math/rand/v2"
	"sync"
	"time"

	"hawker/internal/chat"
)

// Bounds of the crowd's size.
const (
	MinSize     = 1
	MaxSize     = 1000
	DefaultSize = 30
)

// Viewer is one of the crowd on a platform.
type Viewer struct{ ID, Name string }

// Item is something on sale, as the crowd speaks of it.
type Item struct {
	Number   int
	Title    string
	Noun     string   // mug, bowl
	Variants []string // none for an item of one kind
}

// Line is what the bot says.
type Line struct {
	Platform chat.Platform
	Text     string
	ReplyTo  string   // the id of the line it answers, or empty
	For      string   // the id of the only viewer who sees it, or empty
	Links    []string // that are not in the text, such as a button's
}

// Crowd is the audience. Set the fields, then call Run.
type Crowd struct {
	Seed  uint64
	Items []Item // the first is on air when it begins
	// Say has a viewer type a line, and returns its id, empty when it was not taken.
	Say func(p chat.Platform, v Viewer, text string) string
	// Slash has a viewer use a command of Discord, such as "/buy item:3"; false when there is none.
	Slash func(v Viewer, text string) bool
	// Host has the owner of the Twitch channel type a line.
	Host func(text string)
	// Restock puts more pieces of an item on the shop's shelf.
	Restock func(number int)
	// Receipts is what the address of every receipt begins with.
	Receipts string
	// Pay pays what a receipt holds, under a viewer's name; it blocks.
	Pay func(ctx context.Context, receipt, name string) error
	Log *slog.Logger // nil means silence

	once    sync.Once
	heard   chan Line
	changed chan struct{}

	mu sync.Mutex
	st State

	// What follows is Run's alone.
	rnd     *rand.Rand
	tasks   tasks
	serial  int
	onAir   int
	asked   map[string]*claim          // by line id
	waiting map[chat.Platform][]*claim // whose answer may name them instead, oldest first
	lately  map[int]time.Time          // when a viewer last asked for something
	refill  map[int]bool               // items whose restocking is on its way
	payNext time.Time
	paying  sync.WaitGroup
	words   phrases
	deck    []int // shuffled lines still unsaid
	aired   bool  // the bot said what is on air
	round   int   // of chatter; a change of size begins a new one
}

// State is how big the crowd is and whether it rests.
type State struct {
	Size   int  `json:"size"`
	Paused bool `json:"paused"`
}

// heardMost bounds the bot's lines that wait to be read; what comes then is overheard, as happens in a crowd.
const heardMost = 1024

func (c *Crowd) init() {
	c.once.Do(func() {
		c.heard, c.changed = make(chan Line, heardMost), make(chan struct{}, 1)
		c.mu.Lock()
		if c.st.Size == 0 {
			c.st.Size = DefaultSize
		}
		c.mu.Unlock()
	})
}

// Hear tells the crowd what the bot said. It never blocks.
func (c *Crowd) Hear(l Line) {
	c.init()
	select {
	case c.heard <- l:
	default:
	}
}

// Set changes size and rest at once; the size is kept in its bounds.
func (c *Crowd) Set(s State) State {
	c.init()
	s.Size = min(max(s.Size, MinSize), MaxSize)
	c.mu.Lock()
	c.st = s
	c.mu.Unlock()
	select {
	case c.changed <- struct{}{}:
	default:
	}
	return s
}

// State is how the crowd is now.
func (c *Crowd) State() State {
	c.init()
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.st
}

// Pace is how long it is from one line to the next on average: a second at 30 viewers, a twelfth of it at 1,000. Big chats
// are faster, but each viewer in them says less.
func Pace(size int) time.Duration {
	perSecond := math.Pow(float64(size)/30, 0.71)
	return time.Duration(float64(time.Second) / perSecond)
}

// task is something that somebody will do.
type task struct {
	at     time.Time
	serial int // keeps the order of tasks due at once
	do     func()
}

type tasks []task

func (t tasks) Len() int { return len(t) }
func (t tasks) Less(i, j int) bool {
	return t[i].at.Before(t[j].at) || t[i].at.Equal(t[j].at) && t[i].serial < t[j].serial
}
func (t tasks) Swap(i, j int) { t[i], t[j] = t[j], t[i] }
func (t *tasks) Push(x any)   { *t = append(*t, x.(task)) }
func (t *tasks) Pop() any {
	old := *t
	x := old[len(old)-1]
	*t = old[:len(old)-1]
	return x
}

func (c *Crowd) after(d time.Duration, do func()) {
	c.serial++
	heap.Push(&c.tasks, task{time.Now().Add(d), c.serial, do})
}

// between is a random time from lo to hi seconds.
func (c *Crowd) between(lo, hi float64) time.Duration {
	return time.Duration((lo + c.rnd.Float64()*(hi-lo)) * float64(time.Second))
}

func (c *Crowd) chance(percent int) bool { return c.rnd.IntN(100) < percent }

func pick[T any](c *Crowd, of []T) T { return of[c.rnd.IntN(len(of))] }

// stale is how late something may still be done: what a long pause held up is not done all at once afterwards.
const stale = 30 * time.Second

// Run lets the crowd live until ctx ends, and waits for payments under way.
func (c *Crowd) Run(ctx context.Context) {
	c.init()
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	c.rnd = rand.New(rand.NewPCG(c.Seed, 7))
	c.asked, c.waiting, c.lately, c.refill = map[string]*claim{}, map[chat.Platform][]*claim{}, map[int]time.Time{}, map[int]bool{}
	c.words = loadPhrases()
	defer c.paying.Wait()
	if len(c.Items) == 0 {
		<-ctx.Done() // nothing to talk about
		return
	}
	c.onAir = c.Items[0].Number
	c.chatter(ctx)
	c.after(time.Second, func() { c.opening(openings) })
	c.after(c.between(45, 60), func() { c.hosting(ctx) })
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		for !c.State().Paused && len(c.tasks) > 0 && !c.tasks[0].at.After(time.Now()) {
			heap.Pop(&c.tasks).(task).do()
		}
		if c.State().Paused || len(c.tasks) == 0 {
			timer.Reset(time.Hour)
		} else {
			timer.Reset(time.Until(c.tasks[0].at))
		}
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		case <-c.changed:
			c.hurry(ctx)
		case l := <-c.heard:
			c.read(ctx, l)
		}
	}
}

// hurry is called when size or rest changed: a crowd that just grew does not wait out its old pace, and what was due
// during a rest is left undone.
func (c *Crowd) hurry(ctx context.Context) {
	if c.State().Paused {
		return
	}
	for i := range c.tasks {
		if time.Since(c.tasks[i].at) > stale {
			c.tasks[i].at = time.Now().Add(c.between(1, 20))
		}
	}
	heap.Init(&c.tasks)
	c.round++
	c.chatter(ctx)
}

// chatter plans the next line, which plans the one after it.
func (c *Crowd) chatter(ctx context.Context) {
	round, mean := c.round, Pace(c.State().Size)
	wait := time.Duration(c.rnd.ExpFloat64() * float64(mean))
	c.after(min(max(wait, mean/5), 3*mean), func() {
		if c.round != round {
			return
		}
		c.speak(ctx)
		c.chatter(ctx)
	})
}

// openings is how often the host tries to put the first item on air: until the bot is in the chat nobody hears it.
const openings = 5

// opening puts the first item on air, unless one is.
func (c *Crowd) opening(tries int) {
	if c.aired || tries == 0 {
		return
	}
	c.Host(fmt.Sprintf("!air %d", c.Items[0].Number))
	c.after(3*time.Second, func() { c.opening(tries - 1) })
}

// hosting moves the item on air now and then, as the host does.
func (c *Crowd) hosting(ctx context.Context) {
	c.Host(pick(c, hostNext()))
	c.after(c.between(2, 3), func() { c.Host("!next") })
	c.after(c.between(50, 75), func() { c.hosting(ctx) })
}

// speak has somebody say something.
func (c *Crowd) speak(ctx context.Context) {
	i := c.rnd.IntN(c.State().Size)
	p, v := Member(i)
	switch n := c.rnd.IntN(100); {
	case n < claimShare && time.Since(c.lately[i]) > time.Minute:
		c.claim(ctx, i)
	case n < claimShare+3:
		c.Say(p, v, pick(c, []string{"!shop", "!me", "!item", "!help", "!item", "!shop"}))
	default:
		c.Say(p, v, c.talk())
	}
}

// claimShare is how many of 100 lines are claims.
const claimShare = 13

// talk is a line that asks for nothing.
func (c *Crowd) talk() string {
	if len(c.deck) == 0 { // no line comes again before all were said
		c.deck = c.rnd.Perm(len(talk()))
	}
	s := talk()[c.deck[0]]
	c.deck = c.deck[1:]
	return fill(s, c.item(c.onAir))
}

// item finds an item, the first one when nothing of that number is on sale.
func (c *Crowd) item(number int) *Item {
	for i := range c.Items {
		if c.Items[i].Number == number {
			return &c.Items[i]
		}
	}
	return &c.Items[0]
}
