package record

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"time"
)

// placeLen is the length of an mdat header with a size of 64 bits (ISO/IEC 14496-12, 4.2).
const placeLen = 16

// boxMost bounds what is read of a box into memory: beginnings and heads of fragments are much smaller.
const boxMost = 16 << 20

// errNotOurs means that a file was not written by a Recorder.
var errNotOurs = errors.New("record: not a recording")

// Index makes a fragmented recording an MP4 file like any other, in place: the index of all samples is added at its end, and what
// is before it becomes their data by a header for which the recorder has left the place. A fragment that is cut off is cut away. It
// returns how long the recording is. A file that has its index is left as it is. Interrupted, it leaves the fragmented recording.
func Index(name string) (time.Duration, error) {
	f, err := os.OpenFile(name, os.O_RDWR, 0)
	if err != nil {
		return 0, err
	}
	defer func() { _ = f.Close() }()
	x := indexer{f: f}
	length, err := x.run()
	if err != nil {
		return length, fmt.Errorf("index a recording: %w", err)
	}
	return length, f.Close()
}

// indexer reads a fragmented recording.
type indexer struct {
	f      *os.File
	place  int64 // of the free box
	begin  []byte
	tracks map[uint32]*samples
	end    int64 // after the last whole fragment
}

// samples are those of a track.
type samples struct {
	id      uint32
	first   int64 // when the first one is, ticks
	length  int64 // ticks
	count   uint32
	times   []run // stts
	offsets []run // ctts
	shifted bool  // an offset is not 0
	sizes   []uint32
	keys    []uint32 // stss, from 1
	all     bool     // all are keys
	chunks  []chunk
}

type run struct{ n, v uint32 }

type chunk struct {
	at int64
	n  uint32
}

func add(runs []run, v uint32) []run {
	if n := len(runs); n > 0 && runs[n-1].v == v {
		runs[n-1].n++
		return runs
	}
	return append(runs, run{1, v})
}

// box is a box of an MP4 file in memory.
type box struct {
	kind string
	body []byte
}

// boxes are those that follow each other in b.
func boxes(b []byte) (out []box) {
	for len(b) >= 8 {
		n := int64(binary.BigEndian.Uint32(b))
		if n < 8 || n > int64(len(b)) {
			break
		}
		out = append(out, box{string(b[4:8]), b[8:n]})
		b = b[n:]
	}
	return out
}

func child(b []byte, kinds ...string) []byte {
	for _, kind := range kinds {
		all := boxes(b)
		i := slices.IndexFunc(all, func(x box) bool { return x.kind == kind })
		if i < 0 {
			return nil
		}
		b = all[i].body
	}
	return b
}

func (x *indexer) run() (time.Duration, error) {
	info, err := x.f.Stat()
	if err != nil {
		return 0, err
	}
	size := info.Size()
	x.tracks = map[uint32]*samples{}
	whole := false // it has its index
	for at, n := int64(0), 0; at+8 <= size; n++ {
		kind, length, err := x.head(at)
		if err != nil {
			return 0, err
		}
		if length < 8 || at+length > size {
			break // cut off
		}
		switch {
		case n == 0 && kind != "ftyp":
			return 0, errNotOurs
		case n == 1 && kind == "mdat":
			whole = true
		case n == 1 && (kind != "free" || length != placeLen):
			return 0, errNotOurs
		case n == 1:
			x.place = at
		case kind == "moov" && (whole || x.begin == nil):
			if x.begin, err = x.read(at, length); err != nil {
				return 0, err
			}
			x.end = at + length
		case kind == "moov": // an index whose writing was broken off just before the end
			size = at
		case kind == "moof":
			next, mdat, err := x.head(at + length)
			if err != nil && !errors.Is(err, io.EOF) {
				return 0, err
			}
			if err != nil || next != "mdat" || at+length+mdat > size {
				size = at // cut off
				break
			}
			if err := x.fragment(at, length); err != nil {
				return 0, err
			}
			length += mdat
			x.end = at + length
		}
		at += length
	}
	switch {
	case whole:
		return lengthOf(x.begin), nil
	case x.begin == nil || x.place == 0:
		return 0, errNotOurs
	case len(x.tracks) == 0:
		return 0, nil
	}
	moov := x.moov()
	if err := x.f.Truncate(x.end); err != nil {
		return 0, err
	}
	if _, err := x.f.WriteAt(moov, x.end); err != nil {
		return 0, err
	}
	if err := x.f.Sync(); err != nil { // first the index, then what makes it count
		return 0, err
	}
	head := make([]byte, placeLen)
	binary.BigEndian.PutUint32(head, 1) // the size stands behind the kind
	copy(head[4:], "mdat")
	binary.BigEndian.PutUint64(head[8:], uint64(x.end-x.place))
	if _, err := x.f.WriteAt(head, x.place); err != nil {
		return 0, err
	}
	return lengthOf(moov[8:]), x.f.Sync()
}

// head reads kind and length of the box at a place; io.EOF where there is none.
func (x *indexer) head(at int64) (kind string, length int64, err error) {
	var h [16]byte
	n, err := x.f.ReadAt(h[:], at)
	if n < 8 {
		if err == nil || errors.Is(err, io.EOF) {
			err = io.EOF
		}
		return "", 0, err
	}
	length = int64(binary.BigEndian.Uint32(h[:]))
	if length == 1 && n == len(h) {
		length = int64(binary.BigEndian.Uint64(h[8:]))
	}
	return string(h[4:8]), length, nil
}

// read returns the body of a box.
func (x *indexer) read(at, length int64) ([]byte, error) {
	if length > boxMost {
		return nil, errNotOurs
	}
	b := make([]byte, length-8)
	_, err := x.f.ReadAt(b, at+8)
	return b, err
}

// Flags of a track run (ISO/IEC 14496-12, 8.8.8).
const (
	runOffset, runFirst                        = 0x1, 0x4
	runDurations, runSizes, runFlags, runShift = 0x100, 0x200, 0x400, 0x800
	notSync                                    = 1 << 16 // in the flags of a sample
)

// fragment notes the samples of a moof.
func (x *indexer) fragment(at, length int64) error {
	b, err := x.read(at, length)
	if err != nil {
		return err
	}
	for _, traf := range boxes(b) {
		if traf.kind != "traf" {
			continue
		}
		header, time, data := child(traf.body, "tfhd"), child(traf.body, "tfdt"), child(traf.body, "trun")
		if len(header) < 8 || len(time) < 12 || len(data) < 12 {
			return errNotOurs
		}
		id := binary.BigEndian.Uint32(header[4:])
		t := x.tracks[id]
		if t == nil {
			t = &samples{id: id, first: int64(binary.BigEndian.Uint64(time[4:])), all: true}
			x.tracks[id] = t
		}
		if !t.note(at, data) {
			return errNotOurs
		}
	}
	return nil
}

// note takes a track run of the fragment at a place.
func (t *samples) note(at int64, b []byte) bool {
	flags, count := binary.BigEndian.Uint32(b)&0xFFFFFF, binary.BigEndian.Uint32(b[4:])
	if flags&(runOffset|runFirst|runDurations|runSizes) != runOffset|runDurations|runSizes {
		return false
	}
	t.chunks = append(t.chunks, chunk{at + int64(int32(binary.BigEndian.Uint32(b[8:]))), count})
	b = b[12:]
	word := func() uint32 {
		if len(b) < 4 {
			b = nil
			return 0
		}
		v := binary.BigEndian.Uint32(b)
		b = b[4:]
		return v
	}
	for ; count > 0; count-- {
		if len(b) < 8 {
			return false
		}
		t.count++
		duration := word()
		t.length += int64(duration)
		t.times, t.sizes = add(t.times, duration), append(t.sizes, word())
		sample, shift := uint32(0), uint32(0)
		if flags&runFlags != 0 {
			sample = word()
		}
		if flags&runShift != 0 {
			shift = word()
		}
		if sample&notSync == 0 {
			t.keys = append(t.keys, t.count)
		} else {
			t.all = false
		}
		t.offsets, t.shifted = add(t.offsets, shift), t.shifted || shift != 0
	}
	return true
}

// lengthOf reads how long the recording of a moov is.
func lengthOf(moov []byte) time.Duration {
	h := child(moov, "mvhd")
	if len(h) < 20 {
		return 0
	}
	scale, n := int64(binary.BigEndian.Uint32(h[12:])), int64(binary.BigEndian.Uint32(h[16:]))
	if h[0] == 1 && len(h) >= 32 {
		scale, n = int64(binary.BigEndian.Uint32(h[20:])), int64(binary.BigEndian.Uint64(h[24:]))
	}
	if scale == 0 {
		return 0
	}
	return time.Duration(n) * time.Second / time.Duration(scale)
}
