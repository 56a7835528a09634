package hls

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/bluenviron/mediacommon/v2/pkg/formats/fmp4"
	"github.com/bluenviron/mediacommon/v2/pkg/formats/fmp4/seekablebuffer"

	"hawker/relay"
	"hawker/relay/media"
)

const (
	// keepFor is how long segments are kept, listFor how long they stand in playlists: a viewer gets what its playlist named. Plain
	// players begin three segments before the end.
	keepFor, listFor = 18 * time.Second, 12 * time.Second
	// leastListed segments are listed however long they are.
	leastListed = 3
	// maxBytes bounds what is kept of a stream, whatever its bitrate.
	maxBytes = 64 << 20
	// maxSegment ends a segment in which no keyframe comes.
	maxSegment = 16 << 20
	// partsFor is how long the parts of a segment are listed, in segments from the end.
	partsFor = 3
	// firstDay is what segments are numbered from, in seconds since: numbers go on when a stream is packaged anew, because no segment
	// is shorter than a second.
	firstDay = 1_767_225_600 // 2026-01-01
)

// errIdle ends the packaging of a stream that nobody watches.
var errIdle = errors.New("hls: nobody watches")

// part is a piece of a segment.
type part struct {
	data  []byte
	ticks int64 // how long it plays, of media.VideoScale
	key   bool  // a player may start with it
}

// segment is a piece of stream that, unless a keyframe was too long in coming, begins with one.
type segment struct {
	number int64
	init   int  // of which beginning it is
	breaks bool // what is before it had another configuration
	at     time.Time
	parts  []part
	ticks  int64
	bytes  int
	whole  bool
}

// show is a stream that is being packaged.
type show struct {
	id       string
	tap      *relay.Tap
	epoch    string        // in the names of its files
	replaced chan struct{} // closed when another takes its place
	asked    atomic.Int64  // when somebody last asked for something, Unix ns

	mu      sync.Mutex
	news    chan struct{} // closed when there is more, then another one
	over    bool
	inits   map[int][]byte
	tracks  [2]*media.Track // of the newest beginning: picture, sound; either may be nil
	segs    []*segment      // the last one may be unfinished
	breaks  int64           // before the first segment that is kept
	first   int64           // number of the first segment
	count   int             // beginnings so far
	longest int64           // ticks of a segment, over all
}

// newShow makes the show of a stream that had so many discontinuities already.
func newShow(id string, tap *relay.Tap, breaks int64) *show {
	now := time.Now()
	w := &show{
		id: id, tap: tap, epoch: strconv.FormatInt(now.UnixMilli(), 36), replaced: make(chan struct{}), news: make(chan struct{}), inits: map[int][]byte{},
		first: now.Unix() - firstDay, breaks: breaks,
	}
	w.asked.Store(now.UnixNano())
	return w
}

// run packages until the stream ends (io.EOF), ctx does, or nobody has asked for anything for so long (errIdle).
func (w *show) run(ctx context.Context, idle time.Duration) error {
	p := packer{show: w}
	for {
		units, err := w.tap.Next(ctx)
		if err != nil {
			p.end()
			return err
		}
		if p.base.IsZero() {
			p.base = time.Now().Add(-w.tap.Lag() - time.Duration(units[len(units)-1].Time)*time.Millisecond)
		}
		for _, u := range units {
			if err := p.take(u); err != nil {
				p.end()
				return err
			}
		}
		if time.Since(time.Unix(0, w.asked.Load())) > idle {
			return errIdle
		}
	}
}

func (w *show) finish() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.over = true
	w.tell()
}

// tell wakes who waits. w.mu is held.
func (w *show) tell() {
	close(w.news)
	w.news = make(chan struct{})
}

func (w *show) isOver() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.over
}

// await waits until ok, and says whether it came to that before ctx or the show ended. ok locks.
func (w *show) await(ctx context.Context, ok func() bool) bool {
	for {
		w.mu.Lock()
		news, over := w.news, w.over
		w.mu.Unlock()
		if ok() {
			return true
		}
		if over {
			return false
		}
		select {
		case <-news:
		case <-ctx.Done():
			return false
		}
	}
}

// ready says whether there is a segment to begin with.
func (w *show) ready() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.segs) > 0 && w.segs[0].whole
}

func (w *show) last() *segment {
	if len(w.segs) == 0 {
		return nil
	}
	return w.segs[len(w.segs)-1]
}

// tooFar says whether a segment is more than one after the present.
func (w *show) tooFar(number int64) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return !w.over && number > w.first+int64(len(w.segs))+1
}

// has says whether a part, or a whole segment, is there, or was.
func (w *show) has(number int64, at int, whole bool) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.over {
		return true
	}
	for _, seg := range w.segs {
		if seg.number != number {
			continue
		}
		if whole || at < len(seg.parts) || !seg.whole {
			return seg.whole || !whole && at < len(seg.parts)
		}
		number, at = number+1, 0 // it had fewer parts: the first of the next one is meant
	}
	return number < w.first
}

// broken is how many discontinuities there were.
func (w *show) broken() int64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	n := w.breaks
	for _, seg := range w.segs {
		if seg.breaks {
			n++
		}
	}
	return n
}

// kbps is the rate of the last segments, 0 while there is none.
func (w *show) kbps() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	bytes, ticks := 0, int64(0)
	for _, seg := range w.segs {
		bytes, ticks = bytes+seg.bytes, ticks+seg.ticks
	}
	if ticks == 0 {
		return 0
	}
	return int(int64(bytes) * 8 * media.VideoScale / ticks / 1000)
}

// begin makes a new configuration the one of what follows.
func (w *show) begin(video, audio *media.Track) error {
	var init fmp4.Init
	for i, t := range []*media.Track{video, audio} {
		if t != nil {
			init.Tracks = append(init.Tracks, &fmp4.InitTrack{ID: i + 1, TimeScale: uint32(t.Scale), Codec: t.Codec})
		}
	}
	var b seekablebuffer.Buffer
	if err := init.Marshal(&b); err != nil {
		return fmt.Errorf("hls: beginning of a configuration: %w", err)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.count++
	w.inits[w.count], w.tracks = b.Bytes(), [2]*media.Track{video, audio}
	return nil
}

// open begins a segment.
func (w *show) open(at time.Time, breaks bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.segs = append(w.segs, &segment{number: w.first + int64(len(w.segs)), init: w.count, breaks: breaks, at: at})
}

// add puts a part into the last segment. whole says that it is the segment's last: both become known at once, since a playlist made
// in between would announce a part that never comes.
func (w *show) add(p part, whole bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	seg := w.last()
	if len(p.data) > 0 {
		seg.parts = append(seg.parts, p)
		seg.ticks += p.ticks
		seg.bytes += len(p.data)
	}
	if whole {
		seg.whole = true
		w.longest = max(w.longest, seg.ticks)
		w.forget()
	}
	w.tell()
}

// forget drops what is too old. w.mu is held.
func (w *show) forget() {
	bytes, ticks := 0, int64(0)
	keep := len(w.segs)
	for keep > 0 {
		s := w.segs[keep-1]
		bytes += s.bytes
		if n := len(w.segs) - keep; n > 0 && bytes > maxBytes || n > leastListed && duration(ticks) > keepFor {
			break
		}
		ticks += s.ticks
		keep--
	}
	for _, old := range w.segs[:keep] {
		if old.breaks {
			w.breaks++
		}
	}
	w.first += int64(keep)
	w.segs = slices.Delete(w.segs, 0, keep)
	for n := range w.inits {
		if n < w.segs[0].init {
			delete(w.inits, n)
		}
	}
}

func duration(ticks int64) time.Duration {
	return time.Duration(ticks) * time.Second / media.VideoScale
}

// Names of files. What stands before the dash tells one packaging of a stream from another.
const (
	indexFile, plainFile, partsFile = "index.m3u8", "plain.m3u8", "live.m3u8"
	initEnd, mediaEnd               = ".init.mp4", ".m4s"
)

func (w *show) initName(n int) string { return w.epoch + "-" + strconv.Itoa(n) + initEnd }
func (w *show) segmentName(n int64) string {
	return w.epoch + "-" + strconv.FormatInt(n, 10) + mediaEnd
}

func (w *show) partName(n int64, at int) string {
	return fmt.Sprintf("%s-%d.%d%s", w.epoch, n, at, mediaEnd)
}

// nextName is the name of the part that is about to come. w.mu is held.
func (w *show) nextName() string {
	if seg := w.last(); seg != nil && !seg.whole {
		return w.partName(seg.number, len(seg.parts))
	}
	return w.partName(w.first+int64(len(w.segs)), 0)
}

func (w *show) isNext(file string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return !w.over && file == w.nextName()
}

// find returns what a name stands for, in pieces; nil when it is not kept.
func (w *show) find(file string) [][]byte {
	name, ours := strings.CutPrefix(file, w.epoch+"-")
	if !ours {
		return nil
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if n, is := strings.CutSuffix(name, initEnd); is {
		i, err := strconv.Atoi(n)
		if b := w.inits[i]; err == nil && b != nil {
			return [][]byte{b}
		}
		return nil
	}
	name, is := strings.CutSuffix(name, mediaEnd)
	if !is {
		return nil
	}
	number, at, one := strings.Cut(name, ".")
	n, err := strconv.ParseInt(number, 10, 64)
	i := n - w.first
	if err != nil || i < 0 || i >= int64(len(w.segs)) {
		return nil
	}
	seg := w.segs[i]
	if one {
		j, err := strconv.Atoi(at)
		if err != nil || j < 0 || j >= len(seg.parts) {
			return nil
		}
		return [][]byte{seg.parts[j].data}
	}
	if !seg.whole {
		return nil
	}
	all := make([][]byte, len(seg.parts))
	for j := range seg.parts {
		all[j] = seg.parts[j].data
	}
	return all
}
