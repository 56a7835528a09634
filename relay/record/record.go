// Package record keeps streams as MP4 files, beside the relay and without touching pictures or sound.
//
// While a stream is recorded its file is fragmented MP4, written about every second: what a kill leaves is good up to its last
// second. When the recording is over, or found after a kill, an index is added in place, and it is an MP4 file like any other, with
// its length, which can be sought in. The recorder (Recorder) writes; a Shelf lists, opens and deletes, also from another process.
//
// A stream is one file, until it is longer than MaxLength or its codec or size changes. An encoder that comes back, or a slate in
// the same codec and size, goes on in the same file. Space is bounded: in each folder the oldest recordings make room for what is
// being recorded; when there is none left to delete, or the disk has less free than MinFree, recording stops and says so.
//
// Goroutines: one for each stream (the relay's, by Take), and that of Run.
package record

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"sync"
	"time"

	"hawker/relay"
	"hawker/relay/media"
)

const (
	// MaxLength is after how long a recording goes on in another file.
	MaxLength = 4 * time.Hour
	// fragmentFor is how much stream is written at once: what a kill may lose.
	fragmentFor = time.Second
	// fragmentBytes ends a fragment sooner.
	fragmentBytes = 8 << 20
	// syncEvery is how often the disk is asked to have it all: what a power cut may lose.
	syncEvery = 5 * time.Second
	// lookEvery is how often space is looked at, and whether a stream shall still be recorded.
	lookEvery = 5 * time.Second
	// againAfter is how long a recorder that could not write waits.
	againAfter = 30 * time.Second
)

// Endings of a recording's files.
const (
	videoEnd, infoEnd, cuesEnd = ".mp4", ".json", ".vtt"
)

// ErrNoSpace means that the quota or the disk is full, and nothing can make room.
var ErrNoSpace = errors.New("no space for recordings")

// Recorder records streams. Fill the fields, give Take to relay.Server.Consumers, then Run.
type Recorder struct {
	Dir string // of all folders; it need not be there yet
	// Quota is how many bytes the recordings of one folder may take, 0 for no bound. MinFree is how many bytes stay free on the disk.
	Quota, MinFree int64
	Log            *slog.Logger // nil discards

	once  sync.Once
	ended chan string // files to index

	mu   sync.Mutex
	live map[string]bool // files that are being written
}

func (r *Recorder) mark(base string, live bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.live == nil {
		r.live = map[string]bool{}
	}
	if r.live[base] = live; !live {
		delete(r.live, base)
	}
}

func (r *Recorder) isLive(base string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.live[base]
}

func (r *Recorder) setUp() { r.once.Do(func() { r.ended = make(chan string, 64) }) }

func (r *Recorder) log() *slog.Logger {
	if r.Log == nil {
		return slog.New(slog.DiscardHandler)
	}
	return r.Log
}

// info is what stands beside a recording.
type info struct {
	Stream    string `json:"stream"`
	StartedMS int64  `json:"started_ms"`         // wall clock of its first picture
	EndedMS   int64  `json:"ended_ms,omitempty"` // 0 while it is recorded, and after a kill
	LengthMS  int64  `json:"length_ms,omitempty"`
	Codecs    string `json:"codecs"`
	Width     int    `json:"width,omitempty"`
	Height    int    `json:"height,omitempty"`
	Trouble   string `json:"trouble,omitempty"` // why it stopped early
}

func readInfo(base string) (i info, err error) {
	b, err := os.ReadFile(base + infoEnd)
	if err != nil {
		return i, err
	}
	return i, json.Unmarshal(b, &i)
}

// write replaces the file as a whole.
func (i *info) write(base string) error {
	b, err := json.Marshal(i)
	if err != nil {
		return err
	}
	return replace(base+infoEnd, b)
}

// replace writes a file so that whoever reads it sees the old or the new one.
func replace(name string, b []byte) error {
	if err := os.WriteFile(name+".new", b, 0o600); err != nil {
		return err
	}
	return os.Rename(name+".new", name)
}

// folderName and fileName are what folders and recordings may be called.
var (
	folderName = regexp.MustCompile(`^[0-9A-Za-z_-]{1,64}$`)
	fileName   = regexp.MustCompile(`^[0-9A-Za-z_-]{1,64}-[0-9]{8}-[0-9]{6}(-[0-9]{1,3})?$`)
)

// nameOf is what a recording that begins now is called, the time in UTC.
func nameOf(stream string, at time.Time) string {
	return stream + "-" + at.UTC().Format("20060102-150405")
}

// Take records a stream to its end, whenever its configuration names a folder. It is one of relay.Server.Consumers.
func (r *Recorder) Take(ctx context.Context, t *relay.Tap) {
	r.setUp()
	var reader media.Reader
	var f *file
	var looked, barred time.Time
	folder := ""
	stop := func(why string) {
		if f != nil {
			if err := f.close(why); err != nil {
				r.log().ErrorContext(ctx, "recording not closed", "stream", t.Stream(), "err", bare(err))
			}
			r.mark(f.base, false)
			select {
			case r.ended <- f.base:
			default: // the next start finds it
			}
			f = nil
		}
	}
	defer func() { stop("") }()
	for {
		units, err := t.Next(ctx)
		if err != nil {
			return
		}
		now := time.Now()
		if now.Sub(looked) >= lookEvery || f == nil {
			looked = now
			if to := t.Config().Record; to != folder {
				folder = to
				stop("")
			}
			if f != nil {
				if err := r.room(folder, f.base); err != nil {
					r.log().WarnContext(ctx, "recording stopped", "stream", t.Stream(), "err", bare(err))
					stop("There was no space left for it.")
					barred = now.Add(againAfter)
				}
			}
		}
		for _, u := range units {
			s, ok := reader.Read(u)
			if !ok {
				continue
			}
			leads := s.Video || reader.Video == nil
			if f != nil && leads && s.Key && (!f.fits(&reader) || f.length() > MaxLength) {
				stop("")
			}
			if f == nil {
				if !leads || !s.Key || folder == "" || !folderName.MatchString(folder) || now.Before(barred) {
					continue
				}
				at := now.Add(-t.Lag())
				if f, err = r.begin(folder, t.Stream(), at, &reader); err != nil {
					r.log().ErrorContext(ctx, "recording not begun", "stream", t.Stream(), "err", bare(err))
					f, barred = nil, now.Add(againAfter)
					continue
				}
				r.log().InfoContext(ctx, "recording begun", "stream", t.Stream())
			}
			if err := f.take(&reader, s); err != nil {
				r.log().ErrorContext(ctx, "recording stopped", "stream", t.Stream(), "err", bare(err))
				stop("It could not be written: the disk is full or broken.")
				barred = now.Add(againAfter)
			}
		}
	}
}

// bare is what went wrong, without the path.
func bare(err error) error {
	var p *fs.PathError
	if errors.As(err, &p) {
		return fmt.Errorf("%s: %w", p.Op, p.Err)
	}
	return err
}

// begin makes room and the files of a recording.
func (r *Recorder) begin(folder, stream string, at time.Time, reader *media.Reader) (*file, error) {
	dir := filepath.Join(r.Dir, folder)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	base := filepath.Join(dir, nameOf(stream, at))
	for n := 2; ; n++ { // two in one second
		if _, err := os.Stat(base + videoEnd); errors.Is(err, fs.ErrNotExist) {
			break
		}
		base = filepath.Join(dir, fmt.Sprintf("%s-%d", nameOf(stream, at), n))
	}
	if !fileName.MatchString(filepath.Base(base)) {
		return nil, fmt.Errorf("a stream called %q cannot be recorded", stream)
	}
	if err := r.room(folder, base); err != nil {
		return nil, err
	}
	r.mark(base, true)
	f, err := create(base, stream, at, reader)
	if err != nil {
		r.mark(base, false)
	}
	return f, err
}

// room deletes the oldest recordings of a folder until its quota has room to go on with one. The error is ErrNoSpace, also when the
// disk is nearly full.
func (r *Recorder) room(folder, keep string) error {
	shelf := Shelf{Dir: r.Dir, Quota: r.Quota, MinFree: r.MinFree}
	all, err := shelf.List(folder)
	if err != nil {
		return err
	}
	for {
		use := shelf.space(all)
		if use.Free >= 0 && use.Free < use.MinFree {
			return ErrNoSpace // what fills the disk may be something else: nothing is deleted for it
		}
		if use.Quota == 0 || use.Used < use.Quota {
			return nil
		}
		oldest := -1
		for i := range all { // newest first
			if !all[i].Live && filepath.Join(r.Dir, folder, all[i].Name) != keep {
				oldest = i
			}
		}
		if oldest < 0 {
			return ErrNoSpace
		}
		if err := shelf.Delete(folder, all[oldest].Name); err != nil {
			return err
		}
		r.log().Info("oldest recording deleted to make room", "recording", all[oldest].Name)
		all = append(all[:oldest], all[oldest+1:]...)
	}
}

// Run gives recordings that are over their index until ctx ends, first those that a kill has left. It returns nil.
func (r *Recorder) Run(ctx context.Context) error {
	r.setUp()
	left, err := filepath.Glob(filepath.Join(r.Dir, "*", "*"+infoEnd))
	if err != nil {
		return err
	}
	for _, name := range left {
		if base := name[:len(name)-len(infoEnd)]; !r.isLive(base) && ctx.Err() == nil {
			r.index(ctx, base)
		}
	}
	for {
		select {
		case base := <-r.ended:
			r.index(ctx, base)
		case <-ctx.Done():
			for { // what ended just now
				select {
				case base := <-r.ended:
					r.index(context.WithoutCancel(ctx), base)
				default:
					return nil
				}
			}
		}
	}
}

func (r *Recorder) index(ctx context.Context, base string) {
	length, err := Index(base + videoEnd)
	if err != nil {
		r.log().ErrorContext(ctx, "recording not indexed", "recording", filepath.Base(base), "err", bare(err))
	}
	was, err := readInfo(base)
	if err != nil {
		return
	}
	i := was
	if length > 0 {
		i.LengthMS = length.Milliseconds()
	}
	if i.EndedMS == 0 {
		i.EndedMS = i.StartedMS + i.LengthMS
	}
	if i == was {
		return
	}
	if err := i.write(base); err != nil {
		r.log().ErrorContext(ctx, "recording not described", "recording", filepath.Base(base), "err", bare(err))
	}
}
