package studio

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"hawker/commerce"
	"hawker/internal/sqldb/videobook"
	"hawker/relay"
	"hawker/relay/clip"
)

// Clip is how a show's slate stands.
type Clip struct {
	Name          string // as it was uploaded, "" when there is none
	Preparing     bool
	Ready         bool
	Width, Height int    // that it was prepared for
	Trouble       string // a sentence
}

// clipWork is the preparing of a slate.
type clipWork struct {
	busy    bool
	again   bool // something changed meanwhile
	trouble string
}

const (
	original = "original"
)

// ErrTooLarge is the error of an upload of more than clip.Most.
var ErrTooLarge = errors.New("studio: the file is too large")

// PutClip takes what a merchant uploads as the slate of a show. The error is a *clip.Fault when it cannot be one, clip.ErrNoFFmpeg, or
// ErrTooLarge. It is prepared beside everything else; View tells how that goes.
func (s *Studio) PutClip(ctx context.Context, merchant, show commerce.ID, name string, r io.Reader) error {
	dir := s.folder(merchant, show)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("slate: %w", err)
	}
	f, err := os.CreateTemp(dir, ".upload-*")
	if err != nil {
		return fmt.Errorf("slate: %w", err)
	}
	defer os.Remove(f.Name())
	n, err := io.Copy(f, io.LimitReader(r, clip.Most+1))
	if err = errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("slate: %w", err)
	}
	if n > clip.Most {
		return ErrTooLarge
	}
	if _, err := clip.Probe(ctx, f.Name()); err != nil {
		return err
	}
	if err := s.wipe(merchant, show); err != nil {
		return err
	}
	if err := os.Rename(f.Name(), filepath.Join(dir, original)); err != nil {
		return fmt.Errorf("slate: %w", err)
	}
	if err := s.name(ctx, merchant, show, cleanName(name)); err != nil {
		return err
	}
	s.fitClip(merchant, show)
	return nil
}

// DropClip takes the slate of a show away; viewers see the last picture in its place.
func (s *Studio) DropClip(ctx context.Context, merchant, show commerce.ID) error {
	if err := s.name(ctx, merchant, show, ""); err != nil {
		return err
	}
	if err := s.wipe(merchant, show); err != nil {
		return err
	}
	return s.Sync(ctx, merchant, show)
}

// wipe removes the files of a slate, but for an upload that is under way.
func (s *Studio) wipe(merchant, show commerce.ID) error {
	dir := s.folder(merchant, show)
	all, err := filepath.Glob(filepath.Join(dir, "*.flv"))
	for _, name := range append(all, filepath.Join(dir, original)) {
		if e := os.Remove(name); e != nil && !os.IsNotExist(e) {
			err = errors.Join(err, e)
		}
	}
	return err
}

func (s *Studio) name(ctx context.Context, merchant, show commerce.ID, name string) error {
	set, err := s.Book.Settings(ctx, merchant, show)
	if err != nil {
		return err
	}
	set.Clip = name
	return s.Book.PutSettings(ctx, merchant, show, set)
}

// cleanName is what is kept of a file's name: what people see, at most 80 letters.
func cleanName(name string) string {
	name = name[strings.LastIndexAny(name, `/\`)+1:]
	name = strings.TrimSpace(strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7F {
			return -1
		}
		return r
	}, strings.ToValidUTF8(name, "")))
	if r := []rune(name); len(r) > 80 {
		name = string(r[:80])
	}
	if name == "" {
		return "slate"
	}
	return name
}

// format is what a show's slate has to be in.
func (s *Studio) format(show commerce.ID, set *videobook.Settings) clip.Format {
	f := clip.Default()
	if set.Width > 0 && set.Height > 0 {
		f.Width, f.Height = set.Width, set.Height
	}
	if st := s.streams[show]; st != nil {
		f.Rate = st.sound
	}
	if f.Rate == 0 {
		f.Rate = 48000
	}
	return f
}

func (s *Studio) file(merchant, show commerce.ID, f clip.Format) string {
	return filepath.Join(s.folder(merchant, show), fmt.Sprintf("%dx%d-%d.flv", f.Width, f.Height, f.Rate))
}

// slateOf reads the prepared slate of a show; nothing when there is none yet.
func (s *Studio) slateOf(merchant, show commerce.ID, set *videobook.Settings) ([]byte, error) {
	s.mu.Lock()
	name := s.file(merchant, show, s.format(show, set))
	s.mu.Unlock()
	b, err := os.ReadFile(name)
	if os.IsNotExist(err) {
		return nil, nil
	}
	return b, err
}

// clipOf is how a slate stands; the mutex is held.
func (s *Studio) clipOf(merchant, show commerce.ID, set *videobook.Settings) Clip {
	c := Clip{Name: set.Clip}
	if c.Name == "" {
		return c
	}
	f := s.format(show, set)
	if w := s.clips[show]; w != nil {
		c.Preparing, c.Trouble = w.busy, w.trouble
	}
	if _, err := os.Stat(s.file(merchant, show, f)); err == nil {
		c.Ready, c.Width, c.Height = true, f.Width, f.Height
	}
	if _, err := os.Stat(filepath.Join(s.folder(merchant, show), original)); err != nil && c.Trouble == "" {
		c.Trouble = "Its file is not on this server any more. Upload it again."
	}
	if set.Video != "" && set.Video != "H.264" {
		c.Ready, c.Trouble = false, "Your encoder sends "+set.Video+", and a slate can be made in H.264 only: viewers see the last picture in its place."
	}
	return c
}

// fitClip prepares a show's slate for what its encoder sends, if that is not done yet, and puts it into force.
func (s *Studio) fitClip(merchant, show commerce.ID) {
	s.mu.Lock()
	if s.clips == nil {
		s.clips = map[commerce.ID]*clipWork{}
	}
	w := s.clips[show]
	if w == nil {
		w = &clipWork{}
		s.clips[show] = w
	}
	if w.busy {
		w.again = true
		s.mu.Unlock()
		return
	}
	if s.ctx == nil || s.ctx.Err() != nil {
		s.mu.Unlock()
		return
	}
	w.busy, w.trouble = true, ""
	s.mu.Unlock()
	s.task(func(ctx context.Context) {
		for {
			trouble := s.prepare(ctx, merchant, show)
			s.mu.Lock()
			w.trouble = trouble
			w.busy = w.again && ctx.Err() == nil
			w.again = false
			going := w.busy
			s.mu.Unlock()
			if !going {
				break
			}
		}
		if err := s.Sync(ctx, merchant, show); err != nil && !errors.Is(err, relay.ErrNoStream) && ctx.Err() == nil {
			s.log().ErrorContext(ctx, "slate not put into force", "show", show, "err", err)
		}
	})
}

// prepare makes the slate of a show and says what is wrong.
func (s *Studio) prepare(ctx context.Context, merchant, show commerce.ID) string {
	set, err := s.Book.Settings(ctx, merchant, show)
	if err != nil {
		s.log().ErrorContext(ctx, "settings of a slate", "show", show, "err", err)
		return "The slate could not be prepared. Try it again."
	}
	if set.Clip == "" {
		return ""
	}
	s.mu.Lock()
	f := s.format(show, &set)
	s.mu.Unlock()
	to := s.file(merchant, show, f)
	if _, err := os.Stat(to); err == nil {
		return ""
	}
	s.changed(merchant, show)
	err = clip.Prepare(ctx, filepath.Join(s.folder(merchant, show), original), to, f)
	return ClipSentence(err)
}

// ClipSentence is what an error of a slate means for people; "" for none.
func ClipSentence(err error) string {
	var f *clip.Fault
	switch {
	case err == nil:
		return ""
	case errors.As(err, &f):
		return f.Text
	case errors.Is(err, clip.ErrNoFFmpeg):
		return "ffmpeg is not installed on this server, so no slate can be prepared. The operator installs it (Debian: apt install ffmpeg); until then viewers see the last picture."
	case errors.Is(err, ErrTooLarge):
		return fmt.Sprintf("The file is larger than %d MB. A few seconds are enough: they are shown again and again.", clip.Most>>20)
	}
	return "The slate could not be prepared. Try it again."
}
