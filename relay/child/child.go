// Package child runs the relay in a process of its own, so that the video goes on when the hub does not: a panic, a kill or an
// upgrade of the hub leaves encoders and destinations connected and the bytes equal.
//
// The hub has a Client. It finds the process that a hub before it has left in the data folder, or starts one, and starts another
// when that dies. The process itself is Main: a relay.Server with its listeners, and a socket in the data folder on which the
// hub speaks HTTP/1.1 with JSON. One long answer is the stream of events, log records and questions for the hub ("whose key is
// this?"); all else are short requests. The process opens no connection to the hub.
//
// While the hub is away the process goes on: an encoder whose key the hub has admitted before is let in again, from memory; one
// with another key is asked to try again. What happened is kept and told to the next hub, in order; what a hub had not said it
// has dealt with is told again. The process ends when the hub has ended as it should and no stream is live, or when there was neither
// a hub nor a stream for AwayLimit.
//
// Who may speak on the socket: the user that the process runs as, and root. It is told by the kernel, not by a secret. Stream
// keys cross the socket; they are on no command line, in no environment, in no file, log or status.
//
// Goroutines: Client.Run has two and one for each question, and starts one that waits for the process, which may outlive it.
// Main has those of the relay, one that accepts on the socket and one for each of its connections.
package child

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"time"

	"hawker/relay"
)

// Protocol is the version of what is spoken on the socket. Raise it when an older process would misunderstand: one that carries
// streams then cannot be steered until they are over. What /relay/hello and /relay/end mean stays for ever.
const Protocol = 1

// Files in the data folder.
const (
	// SocketName is the socket on which the hub speaks to the process.
	SocketName = "relay.sock"
	// LockName is held while the process lives: there is one in a data folder.
	LockName = "relay.lock"
	// TraceName has what the process wrote when it crashed.
	TraceName = "relay.err"
)

// AwayLimit is how long the process waits for a hub while no stream is live, unless the hub said that it ends.
const AwayLimit = 15 * time.Minute

// ErrAway means that the relay's process does not answer.
var ErrAway = errors.New("the relay's process does not answer")

// Start is what a relay is opened with.
type Start struct {
	// Settings are the hub's, as Client.Settings has them.
	Settings []byte `json:"settings"`
	// Before is where the process before this one listened, in the order of Core.Listeners: an encoder comes back there. Empty for
	// the first.
	Before []string `json:"before,omitempty"`
	// Log reaches the hub's.
	Log *slog.Logger `json:"-"`
}

// Core is what runs in the process.
type Core struct {
	// Server is the relay. Its Stream and OnEvent are set by this package.
	Server *relay.Server
	// Listeners are where encoders come.
	Listeners []net.Listener
	// Handler answers what Client.Proxy and Client.Call send, except paths under /relay/. nil answers nothing.
	Handler http.Handler
	// Run runs beside the server until ctx ends; nil for nothing. Its error ends the process.
	Run func(ctx context.Context) error
}

// Open makes a Core. Its error is told to the operator as it is.
type Open func(ctx context.Context, s Start) (*Core, error)

// Relay is what a hub does with its relay, in whatever process that runs: *Client and *Inside. All methods but Run may be called
// at any time, also before Start: then no stream is live.
type Relay interface {
	// Start finds or starts the relay; its error says why it cannot listen.
	Start(ctx context.Context) error
	// Run keeps it until ctx ends. Start goes before it.
	Run(ctx context.Context) error
	// Addrs are where it listens, in the order of Core.Listeners.
	Addrs() []string
	// Process tells of the process.
	Process() Process

	// The following are as those of relay.Server. Beside relay.ErrNoStream their error may be ErrAway.
	Status() []relay.StreamStatus
	Set(streamID string, all []relay.Destination) error
	Add(streamID string, d relay.Destination) error
	Remove(streamID, destinationID string) error
	Cut(streamID string) error
	Slate(streamID string, on bool) error
	Use(streamID string, backup bool) error
	Admit(streamID string) error
	End(streamID string) error
	Tune(streamID string, c relay.Config) error

	// Forget makes the relay ask again whose a key is, for all keys of a stream: call it when one was taken away.
	Forget(streamID string) error
	// Proxy passes requests on to Core.Handler, with their paths as they are.
	Proxy() http.Handler
	// Call sends a request to Core.Handler: in as JSON when it is not nil, the answer into out when that is not nil.
	Call(ctx context.Context, method, path string, in, out any) error
}

// Asks is what a relay asks of its hub.
type Asks struct {
	// Stream is asked whose a key is, as relay.Server.Stream. tag is given back with each event of the stream, also to the next
	// hub.
	Stream func(ctx context.Context, key string) (cfg relay.Config, tag string, err error)
	// OnFound is told of each stream that is live on a process that another hub has left; nil for nobody. Its events follow.
	OnFound func(tag, streamID string)
	// OnEvent is told what happens, one event at a time and in order. After a crash of the hub the last ones may come again.
	OnEvent func(tag string, e relay.Event)
}

// hello is what the process says of itself. Fields are never taken away: every version reads those of every other.
type hello struct {
	Protocol int       `json:"protocol"`
	Version  string    `json:"version"`
	Settings string    `json:"settings"` // hash of Start.Settings
	PID      int       `json:"pid"`
	Started  time.Time `json:"started"`
	Addrs    []string  `json:"addrs"`
	Streams  int       `json:"streams"` // that are live
}

// line is one of the long answer: an event, a record or a question.
type line struct {
	Seq   uint64       `json:"seq,omitempty"` // of events and records, to be acknowledged
	Tag   string       `json:"tag,omitempty"` // of the event's stream
	Event *relay.Event `json:"event,omitempty"`
	Log   *record      `json:"log,omitempty"`
	Ask   *question    `json:"ask,omitempty"`
	Lost  int          `json:"lost,omitempty"` // entries before this one that were not kept
}

// question is "whose is this key?".
type question struct {
	ID  uint64 `json:"id"`
	Key string `json:"key"`
}

// answer is that to a question.
type answer struct {
	Config  relay.Config `json:"config"` // without the slate
	Slate   string       `json:"slate"`  // its SHA-256 in hex, "" for none
	Tag     string       `json:"tag"`
	Unknown bool         `json:"unknown,omitempty"` // relay.ErrUnknownKey
	Err     string       `json:"err,omitempty"`     // any other error
}

// deed is something to do with a stream.
type deed struct {
	What         string              `json:"what"`
	Stream       string              `json:"stream"`
	Destinations []relay.Destination `json:"destinations,omitempty"`
	ID           string              `json:"id,omitempty"` // of a destination
	On           bool                `json:"on,omitempty"`
	Config       *relay.Config       `json:"config,omitempty"` // without the slate
	Slate        string              `json:"slate,omitempty"`  // as in answer
}

// What a deed may be.
const (
	doSet    = "set"
	doAdd    = "add"
	doRemove = "remove"
	doCut    = "cut"
	doSlate  = "slate"
	doUse    = "use"
	doAdmit  = "admit"
	doEnd    = "end"
	doTune   = "tune"
	doForget = "forget"
)

// report is what a new process says on its standard output, once: that it is ready, or why not.
type report struct {
	Err string `json:"err,omitempty"`
}

// first is what a new process reads from its standard input.
type first struct {
	Start

	Tied   bool          `json:"tied"`
	Away   time.Duration `json:"away"` // 0 means AwayLimit
	Level  slog.Level    `json:"level"`
	Settle bool          `json:"settle"`
}
