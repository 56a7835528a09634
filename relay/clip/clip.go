// Package clip makes a slate of what a merchant uploads: a short film or a picture becomes an FLV file in H.264 and AAC, of the size
// that the encoder sends, so that the relay can show it in the encoder's place without touching a picture. ffmpeg does the work.
package clip

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

const (
	// Most is how large an upload may be, in bytes.
	Most = 64 << 20
	// Longest is how much of a film is used. It is repeated for as long as it is needed.
	Longest = 30 * time.Second
	// pictureFor is how long a film of a picture is.
	pictureFor = 4 * time.Second
	// within bounds one run of ffmpeg: 30 s of 1080p take one core about that long.
	within = 3 * time.Minute
	// most pixels of a source, so that a small file cannot ask for gigabytes of memory.
	mostPixels = 8192 * 8192
)

// ErrNoFFmpeg is the error where ffmpeg is not installed.
var ErrNoFFmpeg = errors.New("clip: ffmpeg is not installed")

// Fault is why something cannot be a slate, as a sentence for people.
type Fault struct{ Text string }

func (f *Fault) Error() string { return "clip: " + f.Text }

// Format is what an encoder sends.
type Format struct {
	Width, Height int
	FPS           int // 0 means 30
	Rate          int // of the sound in Hz, 0 means 48,000
	Mono          bool
}

// Default is taken before an encoder was ever seen.
func Default() Format { return Format{Width: 1920, Height: 1080} }

// Source is what was uploaded.
type Source struct {
	Picture       bool // it stands still
	Sound         bool
	Width, Height int
	Length        time.Duration // 0 for a picture
}

// Probe looks at a file. The error is a *Fault when it cannot be a slate, or ErrNoFFmpeg.
func Probe(ctx context.Context, path string) (Source, error) {
	out, err := run(ctx, "ffprobe", "-v", "error", "-protocol_whitelist", "file", "-show_entries", "format=format_name,duration:stream=codec_type,codec_name,width,height", "-of", "json", path)
	if err != nil {
		return Source{}, unreadable(ctx, err)
	}
	var p struct {
		Streams []struct {
			Type   string `json:"codec_type"`
			Name   string `json:"codec_name"`
			Width  int    `json:"width"`
			Height int    `json:"height"`
		} `json:"streams"`
		Format struct {
			Name     string `json:"format_name"`
			Duration string `json:"duration"`
		} `json:"format"`
	}
	if err := json.Unmarshal(out, &p); err != nil {
		return Source{}, &Fault{"This file cannot be read as a film or a picture."}
	}
	if !accepted(p.Format.Name) {
		return Source{}, &Fault{"This kind of file is not taken. Take an MP4, MOV, WebM, MKV or FLV film, or a PNG, JPEG or WebP picture."}
	}
	var s Source
	for _, x := range p.Streams {
		switch {
		case x.Type == "video" && s.Width == 0:
			s.Width, s.Height = x.Width, x.Height
		case x.Type == "audio":
			s.Sound = true
		}
	}
	if s.Width <= 0 || s.Height <= 0 {
		return s, &Fault{"There is no picture in this file. Take a short film, or a picture."}
	}
	if s.Width*s.Height > mostPixels {
		return s, &Fault{fmt.Sprintf("The picture has %d × %d points; that is too large. 1920 × 1080 is plenty.", s.Width, s.Height)}
	}
	s.Picture = strings.HasSuffix(p.Format.Name, "_pipe") || p.Format.Name == "image2"
	if seconds, err := strconv.ParseFloat(p.Format.Duration, 64); err == nil && !s.Picture {
		s.Length = time.Duration(seconds * float64(time.Second))
	}
	if !s.Picture && s.Length < 500*time.Millisecond {
		return s, &Fault{"The film is shorter than half a second. Take one of some seconds, or a picture."}
	}
	return s, nil
}

// accepted says whether a container is one of those that people have: lists of files and addresses are none.
func accepted(format string) bool {
	for _, x := range []string{"mov,mp4", "matroska,webm", "flv", "avi", "mpegts", "png_pipe", "jpeg_pipe", "webp_pipe", "image2"} {
		if strings.HasPrefix(format, x) {
			return true
		}
	}
	return false
}

// Prepare makes the slate of a file for what an encoder sends. to is there when it returns nil, whole, in place of what was there
// before. The picture keeps its shape, with black at the edges where it must.
func Prepare(ctx context.Context, from, to string, f Format) error {
	s, err := Probe(ctx, from)
	if err != nil {
		return err
	}
	if f.Width <= 0 || f.Height <= 0 || f.Width%2 != 0 || f.Height%2 != 0 {
		return &Fault{fmt.Sprintf("The encoder sends %d × %d points; a slate can be made for even numbers only.", f.Width, f.Height)}
	}
	if f.FPS <= 0 || f.FPS > 60 {
		f.FPS = 30
	}
	if f.Rate == 0 {
		f.Rate = 48000
	}
	channels := "2"
	if f.Mono {
		channels = "1"
	}
	temp, err := os.CreateTemp(filepath.Dir(to), ".slate-*.flv")
	if err != nil {
		return err
	}
	_ = temp.Close()
	defer os.Remove(temp.Name())
	args := []string{"-v", "error", "-nostdin", "-y", "-threads", "2", "-protocol_whitelist", "file"}
	length := min(s.Length, Longest)
	if s.Picture {
		length = pictureFor
		args = append(args, "-loop", "1", "-framerate", strconv.Itoa(f.FPS))
	}
	args = append(args, "-i", from)
	sound := "0:a:0"
	if !s.Sound {
		args = append(args, "-f", "lavfi", "-i", fmt.Sprintf("anullsrc=r=%d:cl=%s", f.Rate, map[bool]string{true: "mono", false: "stereo"}[f.Mono]))
		sound = "1:a:0"
	}
	size := fmt.Sprintf("scale=%[1]d:%[2]d:force_original_aspect_ratio=decrease,pad=%[1]d:%[2]d:(ow-iw)/2:(oh-ih)/2:black,setsar=1,fps=%[3]d,format=yuv420p", f.Width, f.Height, f.FPS)
	args = append(args, "-map", "0:v:0", "-map", sound, "-t", strconv.FormatFloat(length.Seconds(), 'f', 3, 64), "-vf", size,
		"-c:v", "libx264", "-preset", "veryfast", "-profile:v", "high", "-b:v", "2500k", "-maxrate", "2500k", "-bufsize", "5000k", "-bf", "0", "-g", strconv.Itoa(2*f.FPS),
		"-keyint_min", strconv.Itoa(2*f.FPS), "-sc_threshold", "0", "-c:a", "aac", "-b:a", "128k", "-ar", strconv.Itoa(f.Rate), "-ac", channels, "-map_metadata", "-1",
		"-flvflags", "no_duration_filesize", "-f", "flv", temp.Name())
	if _, err := run(ctx, "ffmpeg", args...); err != nil {
		return unreadable(ctx, err)
	}
	return os.Rename(temp.Name(), to)
}

// unreadable is what a run of ffmpeg that failed means.
func unreadable(ctx context.Context, err error) error {
	var exit *exec.ExitError
	switch {
	case errors.Is(err, exec.ErrNotFound):
		return ErrNoFFmpeg
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.Is(err, context.DeadlineExceeded):
		return &Fault{"Preparing it took too long, so it was given up. Take a shorter or smaller film."}
	case errors.As(err, &exit):
		return &Fault{"This file cannot be read as a film or a picture. Take an MP4, MOV, WebM or MKV film, or a PNG or JPEG picture."}
	}
	return err
}

// run runs a program of ffmpeg and returns what it prints.
func run(ctx context.Context, name string, args ...string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	var out bytes.Buffer
	cmd := exec.CommandContext(ctx, name, args...) //nolint:gosec // our own arguments; the file's name is one of ours
	cmd.Stdout, cmd.WaitDelay = &out, 5*time.Second
	err := cmd.Run()
	if err != nil && ctx.Err() != nil {
		return nil, ctx.Err()
	}
	return out.Bytes(), err
}
