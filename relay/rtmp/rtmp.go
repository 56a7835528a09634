// Package rtmp speaks the RTMP wire: handshake, chunks, AMF0, and the dialogues of a server that takes one
// publisher and of a client that publishes, also over TLS (RTMPS).
//
// It never looks inside a picture and never changes the bytes of a message. Everything that comes from outside is
// bounded: message length, chunk streams, nesting, time for the dialogue. Playback, encrypted RTMP (RTMPE) and the
// HTTP tunnels are not spoken.
package rtmp

import "errors"

// Message types (RTMP 1.0, sections 5.4 and 7.1).
const (
	TypeSetChunkSize     = 1
	TypeAbort            = 2
	TypeAcknowledgement  = 3
	TypeUserControl      = 4
	TypeWindowAckSize    = 5
	TypeSetPeerBandwidth = 6
	TypeAudio            = 8
	TypeVideo            = 9
	TypeDataAMF3         = 15
	TypeCommandAMF3      = 17
	TypeData             = 18
	TypeCommand          = 20
	TypeAggregate        = 22
)

// Limits on what a peer may send.
const (
	// MaxMessage is the longest message read from a publisher, in bytes. nginx-rtmp and gortmplib stop at the same
	// figure; a 4K keyframe is below 4 MiB.
	MaxMessage = 10 << 20
	// MaxDialogue is the longest message read before publishing was agreed, in bytes.
	MaxDialogue = 64 << 10
	// MaxChunkStreams is how many chunk streams one peer may open. Encoders use five.
	MaxChunkStreams = 64
	// maxUnfinished bounds what all unfinished messages of a connection set aside together, in bytes.
	maxUnfinished = 16 << 20
	// maxChunk is the largest useful chunk: a message length has 24 bits (section 5.4.1).
	maxChunk = 0xFFFFFF
)

// OutChunk is the chunk size we send with, in bytes. Receivers known to be strict allow it: SRS calls 128 to 65536
// normal, nginx-rtmp and gortmplib take up to 10 MiB.
const OutChunk = 65536

// Chunk stream ids we send on. Below 64 the basic header is one byte.
const (
	csidControl = 2
	csidCommand = 3
	CSIDAudio   = 4
	CSIDData    = 5
	CSIDVideo   = 6
	csidStatus  = 5
)

// Errors of a peer that does not keep to the protocol, and the ways a publication ends.
var (
	ErrProtocol  = errors.New("rtmp: protocol error")
	ErrTooLarge  = errors.New("rtmp: over the limit")
	ErrEnded     = errors.New("rtmp: the publisher ended the stream")
	ErrTLS       = errors.New("rtmp: no TLS connection")
	ErrNoPublish = errors.New("rtmp: the peer does not publish")
)

// Message is one RTMP message. The payload belongs to whoever received the message.
type Message struct {
	Type    byte
	Stream  uint32 // message stream id
	Time    uint32 // ms, wraps after 49.7 days
	Payload []byte

	// room is the buffer that holds headRoom free bytes and then Payload, when the message was read by a Reader.
	room []byte
}
