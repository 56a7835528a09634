package rtmpsim

import (
	"bytes"
	"hash/maphash"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/bluenviron/gortmplib/pkg/bytecounter"
	"github.com/bluenviron/gortmplib/pkg/rawmessage"
)

// handshakeBytes is what a client sends before its first chunk: C0, C1, C2.
const handshakeBytes = 1 + 2*1536

// keptRecords bounds what a session remembers of single messages; later ones are only counted.
const keptRecords = 100_000

// Record is one audio or video message as it arrived.
type Record struct {
	Video  bool
	Header bool // sequence header
	Key    bool // keyframe
	Time   time.Duration
	Size   int    // bytes
	Hash   uint64 // of the payload; equal within one process
}

// Session is one publication as seen on the wire, message by message, without interpretation by the RTMP library.
type Session struct {
	mu      sync.Mutex
	records []Record
	count   int
	bytes   int64
	order   strings.Builder
	meta    int
	back    int
	newest  [2]time.Duration // audio, video
	goodbye bool
	err     error
}

// seed makes hashes of all sessions of the process comparable.
var seed = maphash.MakeSeed()

// Hash is the hash of Record for a payload.
func Hash(payload []byte) uint64 { return maphash.Bytes(seed, payload) }

// listen reads what the tap shows until it ends. It always empties the pipe: the connection waits for it.
func (s *Session) listen(tap *io.PipeReader) {
	defer func() { _, _ = io.Copy(io.Discard, tap) }()
	if _, err := io.CopyN(io.Discard, tap, handshakeBytes); err != nil {
		return
	}
	bc := bytecounter.NewReader(tap)
	r := rawmessage.NewReader(bc, bc, func(uint32) error { return nil })
	for {
		m, err := r.Read()
		if err != nil {
			s.mu.Lock()
			s.err = err
			s.mu.Unlock()
			return
		}
		switch m.Type {
		case 1:
			if len(m.Body) == 4 {
				size := uint32(m.Body[0])<<24 | uint32(m.Body[1])<<16 | uint32(m.Body[2])<<8 | uint32(m.Body[3])
				if r.SetChunkSize(size) != nil {
					return
				}
			}
		case 8, 9:
			s.media(m)
		case 18:
			s.mu.Lock()
			s.meta++
			s.note('M')
			s.mu.Unlock()
		case 20:
			if bytes.Contains(m.Body, []byte("FCUnpublish")) || bytes.Contains(m.Body, []byte("deleteStream")) {
				s.mu.Lock()
				s.goodbye = true
				s.mu.Unlock()
			}
		}
	}
}

func (s *Session) note(c byte) {
	if s.order.Len() < 4096 {
		s.order.WriteByte(c)
	}
}

func (s *Session) media(m *rawmessage.Message) {
	rec := Record{Video: m.Type == 9, Time: m.Timestamp, Size: len(m.Body), Hash: Hash(m.Body)}
	if b := m.Body; len(b) > 1 {
		switch {
		case rec.Video && b[0]&0x80 != 0:
			rec.Header = b[0]&0x0F == 0
			rec.Key = b[0]>>4&7 == 1 && !rec.Header
		case rec.Video:
			rec.Header = b[1] == 0
			rec.Key = b[0]>>4 == 1 && !rec.Header
		case b[0]>>4 == 9:
			rec.Header = b[0]&0x0F == 0
		default:
			rec.Header = b[0]>>4 == 10 && b[1] == 0
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	track := 0
	switch {
	case rec.Video && rec.Header:
		s.note('V')
	case rec.Video && rec.Key:
		s.note('K')
	case rec.Video:
		s.note('I')
	case rec.Header:
		s.note('A')
	default:
		s.note('S')
	}
	if rec.Video {
		track = 1
	}
	if rec.Time < s.newest[track] {
		s.back++
	}
	s.newest[track] = rec.Time
	s.count++
	s.bytes += int64(rec.Size)
	if len(s.records) < keptRecords {
		s.records = append(s.records, rec)
	}
}

func (s *Session) saidGoodbye() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.goodbye
}

// Figures are the sums of a session.
type Figures struct {
	Messages  int   // audio and video
	Bytes     int64 // of their payloads
	Metadata  int
	Backwards int    // steps back of one track's time
	Order     string // M metadata, V and A sequence headers, K keyframe, I inter frame, S audio; the first 4,096
	Goodbye   bool   // FCUnpublish or deleteStream came
}

// Figures returns the sums so far.
func (s *Session) Figures() Figures {
	s.mu.Lock()
	defer s.mu.Unlock()
	return Figures{
		Messages: s.count, Bytes: s.bytes, Metadata: s.meta, Backwards: s.back, Order: s.order.String(), Goodbye: s.goodbye,
	}
}

// Records returns the audio and video messages so far, at most the first 100,000.
func (s *Session) Records() []Record {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.records)
}
