package record

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Errors of a Shelf. What is not there is fs.ErrNotExist.
var (
	// ErrLive means that a recording is still being made.
	ErrLive = errors.New("the recording is still being made")
)

// liveFor is how long a recording that has not ended may stand still until it is taken for one that a kill has left.
const liveFor = 30 * time.Second

// Shelf is what is recorded, by folders. It needs no Recorder, and may be used beside one.
type Shelf struct {
	Dir            string // as that of the Recorder
	Quota, MinFree int64  // likewise
}

// Recording is one on the shelf.
type Recording struct {
	Name          string // in its folder
	Stream        string
	Started       time.Time
	Length        time.Duration
	Bytes         int64
	Codecs        string
	Width, Height int
	Live          bool   // it is still being made
	Trouble       string // why it ended early, in a sentence
	Cues          bool   // cue points stand beside it
}

// base is the path of a recording without ending; the error is fs.ErrNotExist for what cannot be one.
func (s *Shelf) base(folder, name string) (string, error) {
	if !folderName.MatchString(folder) || !fileName.MatchString(name) {
		return "", fs.ErrNotExist
	}
	return filepath.Join(s.Dir, folder, name), nil
}

// Folders returns the names of all folders.
func (s *Shelf) Folders() ([]string, error) {
	entries, err := os.ReadDir(s.Dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	var out []string
	for _, e := range entries {
		if e.IsDir() && folderName.MatchString(e.Name()) {
			out = append(out, e.Name())
		}
	}
	return out, err
}

// List returns the recordings of a folder, newest first; none when there is no such folder.
func (s *Shelf) List(folder string) ([]Recording, error) {
	if !folderName.MatchString(folder) {
		return nil, nil
	}
	entries, err := os.ReadDir(filepath.Join(s.Dir, folder))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var out []Recording
	for _, e := range entries {
		name, is := strings.CutSuffix(e.Name(), videoEnd)
		if !is || !fileName.MatchString(name) {
			continue
		}
		r, err := s.Get(folder, name)
		if errors.Is(err, fs.ErrNotExist) {
			continue // just deleted
		}
		if err != nil {
			return nil, err
		}
		out = append(out, r)
	}
	slices.SortStableFunc(out, func(a, b Recording) int { return b.Started.Compare(a.Started) })
	return out, nil
}

// Get returns one recording.
func (s *Shelf) Get(folder, name string) (Recording, error) {
	base, err := s.base(folder, name)
	if err != nil {
		return Recording{}, err
	}
	st, err := os.Stat(base + videoEnd)
	if err != nil {
		return Recording{}, err
	}
	r := Recording{Name: name, Bytes: st.Size(), Started: st.ModTime()}
	i, err := readInfo(base)
	if err != nil { // a file that was put there
		r.Stream, _, _ = strings.Cut(name, "-")
		return r, nil
	}
	r.Stream, r.Started, r.Codecs, r.Width, r.Height, r.Trouble = i.Stream, time.UnixMilli(i.StartedMS), i.Codecs, i.Width, i.Height, i.Trouble
	r.Length = time.Duration(i.LengthMS) * time.Millisecond
	if i.EndedMS == 0 {
		r.Live, r.Length = time.Since(st.ModTime()) < liveFor, max(st.ModTime().Sub(r.Started), 0)
	}
	_, err = os.Stat(base + cuesEnd)
	r.Cues = err == nil
	return r, nil
}

// Open opens the video of a recording, also of one that is still being made.
func (s *Shelf) Open(folder, name string) (*os.File, error) {
	base, err := s.base(folder, name)
	if err != nil {
		return nil, err
	}
	return os.Open(base + videoEnd)
}

// Delete deletes a recording and what stands beside it. The error is ErrLive while it is being made.
func (s *Shelf) Delete(folder, name string) error {
	r, err := s.Get(folder, name)
	if err != nil {
		return err
	}
	if r.Live {
		return ErrLive
	}
	base, err := s.base(folder, name)
	if err != nil {
		return err
	}
	if err := os.Remove(base + videoEnd); err != nil {
		return err
	}
	for _, end := range []string{infoEnd, cuesEnd} {
		if err := os.Remove(base + end); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// Space is how much room recordings have. Free is -1 where the system does not tell.
type Space struct {
	Used, Quota   int64 // bytes; a Quota of 0 is no bound
	Free, MinFree int64 // on the disk
}

// Room is the space of a folder.
func (s *Shelf) Room(folder string) (Space, error) {
	all, err := s.List(folder)
	if err != nil {
		return Space{}, err
	}
	return s.space(all), nil
}

func (s *Shelf) space(all []Recording) Space {
	out := Space{Quota: s.Quota, MinFree: s.MinFree, Free: free(s.Dir)}
	for i := range all {
		out.Used += all[i].Bytes
	}
	return out
}

// Cue is a moment of a show in its recording.
type Cue struct {
	At   time.Duration // from the recording's start
	Text string        // one line
}

// PutCues writes the cue points of a recording beside it, as WebVTT: each lasts until the next one.
func (s *Shelf) PutCues(folder, name string, cues []Cue) error {
	r, err := s.Get(folder, name)
	if err != nil {
		return err
	}
	base, err := s.base(folder, name)
	if err != nil {
		return err
	}
	return replace(base+cuesEnd, VTT(cues, r.Length))
}

// Cues returns the WebVTT file beside a recording; fs.ErrNotExist when there is none.
func (s *Shelf) Cues(folder, name string) ([]byte, error) {
	base, err := s.base(folder, name)
	if err != nil {
		return nil, err
	}
	return os.ReadFile(base + cuesEnd)
}

// VTT writes cues as WebVTT (W3C): each lasts until the next one, the last one to the end.
func VTT(cues []Cue, length time.Duration) []byte {
	b := []byte("WEBVTT\n")
	for i, c := range cues {
		end := max(length, c.At+time.Second)
		if i+1 < len(cues) {
			end = max(cues[i+1].At, c.At+time.Millisecond)
		}
		text := strings.NewReplacer("\n", " ", "\r", " ", "&", "&amp;", "<", "&lt;", ">", "&gt;").Replace(c.Text)
		b = fmt.Appendf(b, "\n%s --> %s\n%s\n", stamp(c.At), stamp(end), text)
	}
	return b
}

func stamp(d time.Duration) string {
	ms := max(d, 0).Milliseconds()
	return fmt.Sprintf("%02d:%02d:%02d.%03d", ms/3_600_000, ms/60_000%60, ms/1000%60, ms%1000)
}
