// Package relay takes RTMP ingests and pushes each, untouched, to many destinations over RTMP and RTMPS.
//
// It never decodes video. A message is serialised once and the same bytes go to all destinations. A slow destination
// skips to the next keyframe; it never slows the ingest or the others. When the ingest is lost, the destinations stay
// connected for a grace time, and when it returns they see one growing timeline.
// When no encoder sends, the slate does: see Config.Slate.
//
// Goroutines: Run accepts and has one goroutine for each incoming connection (it feeds the stream, and writes to all
// destinations that take what they are given at once), two for each stream (clock and slate), and for each destination one
// that writes while it is not in step and, inside rtmp.Publisher, one that reads; for each stream one for each of Consumers. All
// have ended when Run returns.
package relay

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"sync"
	"time"
)

// Errors that callers test for.
var (
	// ErrUnknownKey is what Server.Stream returns for a key that nobody has.
	ErrUnknownKey = errors.New("relay: unknown stream key")
	// ErrNoStream is returned for a stream that is not live.
	ErrNoStream = errors.New("relay: stream is not live")
)

// Config says what to do with the stream of a key.
type Config struct {
	ID           string // names the stream in status, events and logs; not secret
	Destinations []Destination
	// Backup says that the key is that of the second encoder, whose pictures are sent when those of the first fail. Each
	// encoder stays until it fails itself, or until Use.
	Backup bool
	// Slate is what is sent while no encoder is there: an FLV file in the codecs and the size of the ingest, sent over and
	// over. Without one, or when it does not fit, the last picture is repeated, with silence.
	Slate []byte
	// AskHost makes a publisher wait for Admit when the one before was lost and it comes from elsewhere, or with another
	// encoder.
	AskHost bool
	// UplinkKbps is what the line to the destinations is known to carry, in kbit/s; 0 when it is not known. It is then noticed
	// when several destinations fall behind together.
	UplinkKbps int
	// Grace is how long destinations are kept while the ingest is away; 0 is the Server's.
	Grace time.Duration
	// Record names where a recording of the stream is kept, for the consumer that keeps them; "" when none shall be.
	Record string
}

// Destination is where a stream is pushed.
type Destination struct {
	ID     string // unique within the stream, stays the same when anything else changes
	Name   string // what people call it
	Server string // rtmp:// or rtmps:// address, as the platform shows it
	Key    string // a secret; may be empty when Server holds it
	// Priority says who stays when the line cannot carry all: the higher, and of equals the one that was named first.
	Priority int
}

// String leaves out server and key: either may hold the secret.
func (d Destination) String() string { return d.Name + " (" + d.ID + ")" }

// GoString is String, so that %#v shows no key.
func (d Destination) GoString() string { return d.String() }

// LogValue is String.
func (d Destination) LogValue() slog.Value { return slog.StringValue(d.String()) }

// Defaults of a Server.
const (
	// DefaultGrace is how long destinations are kept, with the slate, while the ingest is away.
	DefaultGrace = 15 * time.Minute
	// DefaultSlateAfter is how long nothing comes from a lost encoder before the slate takes its place. One whose connection
	// stands may be silent for nearly twice as long.
	DefaultSlateAfter = 500 * time.Millisecond
	// DefaultBacklog is how far a destination may fall behind before it skips to a keyframe: two groups of pictures
	// of the 2 s that platforms ask for.
	DefaultBacklog = 4 * time.Second
	// DefaultStallTimeout is how long a destination may take no byte before it is connected anew.
	DefaultStallTimeout = 20 * time.Second
	// DefaultTakeover is how long a publisher must have been silent for a second one to replace it. One from the same address
	// with the same encoder is taken for the same, and waits for sameTakeover only.
	DefaultTakeover = 3 * time.Second
)

const (
	// ingestTimeout is how long a publisher may take for one message before it counts as lost.
	ingestTimeout = 15 * time.Second
	// maxStrangers is how many connections may be in their handshake or dialogue at once. More are closed unheard.
	maxStrangers = 128
	// drainTimeout bounds sending what is left when a stream ends on purpose.
	drainTimeout = 3 * time.Second
	// stalledAfter is how long a write may take before the destination is shown as stalled.
	stalledAfter = 2 * time.Second
	// sameTakeover is DefaultTakeover for what seems to be the same encoder: twice what a busy line is silent for.
	sameTakeover = 600 * time.Millisecond
	// coalesceFrom is the number of destinations from which what the encoder sends is left to gather for coalesce before it is
	// read: with few of them, sending at once costs no more.
	coalesceFrom = 5
	coalesce     = 17 * time.Millisecond
	// maxGather is how many bytes are passed on even though more are there.
	maxGather = 512 << 10
)

// Server is the relay. Fill the fields, then Run. The methods are safe while Run runs.
type Server struct {
	// Stream is asked for the stream of a key before anything is kept for a publisher. ErrUnknownKey rejects the
	// key; any other error asks the encoder to try again. It is asked anew at each connect, and the destinations it
	// returns then replace those in force.
	Stream func(ctx context.Context, key string) (Config, error)
	// DialContext connects to destinations; nil is net.Dialer.
	DialContext func(ctx context.Context, network, addr string) (net.Conn, error)
	// TLS is the base for RTMPS destinations; nil trusts the system's authorities.
	TLS *tls.Config
	// Log gets what an operator acts on, never a key or an address. nil discards.
	Log *slog.Logger
	// OnEvent is told what happens, in order for each stream. It must return soon: it runs where the event arose.
	OnEvent func(Event)
	// Consumers are called for each stream that begins, each in a goroutine of its own, with a tap that is closed when it returns:
	// at the latest when ctx ends or Next says that the stream is over.
	Consumers []func(ctx context.Context, t *Tap)

	Grace        time.Duration // 0 means DefaultGrace
	SlateAfter   time.Duration // 0 means DefaultSlateAfter
	Backlog      time.Duration // 0 means DefaultBacklog
	StallTimeout time.Duration // 0 means DefaultStallTimeout
	Takeover     time.Duration // 0 means DefaultTakeover

	mu      sync.Mutex
	streams map[string]*stream
}

func (s *Server) log() *slog.Logger {
	if s.Log == nil {
		return slog.New(slog.DiscardHandler)
	}
	return s.Log
}

func or(d, otherwise time.Duration) time.Duration {
	if d == 0 {
		return otherwise
	}
	return d
}

func (s *Server) stream(id string) (*stream, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if st := s.streams[id]; st != nil {
		return st, nil
	}
	return nil, ErrNoStream
}

// Set replaces the destinations of a live stream. Those that stay the same are not touched; a new name alone is taken
// over without reconnecting. The error is ErrNoStream.
func (s *Server) Set(streamID string, all []Destination) error {
	st, err := s.stream(streamID)
	if err != nil {
		return err
	}
	st.set(all)
	return nil
}

// Add adds a destination to a live stream, or replaces the one with the same ID. The error is ErrNoStream.
func (s *Server) Add(streamID string, d Destination) error {
	st, err := s.stream(streamID)
	if err != nil {
		return err
	}
	st.edit(func(all []Destination) []Destination {
		for i := range all {
			if all[i].ID == d.ID {
				all[i] = d
				return all
			}
		}
		return append(all, d)
	})
	return nil
}

// Remove ends the push to a destination of a live stream, telling the platform that it is over. Removing what is not
// there does nothing. The error is ErrNoStream.
func (s *Server) Remove(streamID, destinationID string) error {
	st, err := s.stream(streamID)
	if err != nil {
		return err
	}
	st.edit(func(all []Destination) []Destination {
		for i := range all {
			if all[i].ID == destinationID {
				return append(all[:i], all[i+1:]...)
			}
		}
		return all
	})
	return nil
}

// Cut takes the encoder off the air at once: the slate takes its place, without the last picture, and all publishers of the
// stream are closed. Destinations stay. The next publisher that is let in is on the air again, so the caller gives out
// another key first. The error is ErrNoStream.
func (s *Server) Cut(streamID string) error {
	st, err := s.stream(streamID)
	if err != nil {
		return err
	}
	st.cutOff()
	return nil
}

// Slate shows the slate in place of the encoder's pictures, or ends that: the encoder stays connected, and is seen again from its
// next keyframe on. Destinations stay. The error is ErrNoStream.
func (s *Server) Slate(streamID string, on bool) error {
	st, err := s.stream(streamID)
	if err != nil {
		return err
	}
	st.cover(on)
	return nil
}

// Use sends the pictures of the backup encoder, or of the first one, from its next keyframe on; when it is not there, as soon
// as it is. The error is ErrNoStream.
func (s *Server) Use(streamID string, backup bool) error {
	st, err := s.stream(streamID)
	if err != nil {
		return err
	}
	st.use(roleOf(backup))
	return nil
}

// Admit lets the publisher that waits for the host onto the air. The error is ErrNoStream, also when nobody waits.
func (s *Server) Admit(streamID string) error {
	st, err := s.stream(streamID)
	if err != nil {
		return err
	}
	if !st.admit() {
		return ErrNoStream
	}
	return nil
}

// End ends a stream on purpose: the publisher is closed and the platforms are told. The error is ErrNoStream.
func (s *Server) End(streamID string) error {
	st, err := s.stream(streamID)
	if err != nil {
		return err
	}
	st.end()
	return nil
}
