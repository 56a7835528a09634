package rtmp

import (
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// ackWindow is how many bytes we let a peer send before it wants an acknowledgement, as most servers say.
	ackWindow = 2_500_000
	// maxReplies bounds the answers that wait because the peer does not read, in bytes.
	maxReplies = 16 << 10
	// maxScratch is how much joined output is kept for the next time, in bytes.
	maxScratch = 1 << 20
)

// Conn is an RTMP connection after the handshake. One goroutine reads; any may write.
type Conn struct {
	// WriteTimeout is how long one write may make no end; 0 is for ever.
	WriteTimeout time.Duration
	// OnWait is called by Read before it asks the system for more bytes. drained says that the last time brought all that
	// had come: the best moment to pass on what was read. Set it between two calls of Read.
	OnWait func(drained bool)

	nc net.Conn
	in *counter
	r  *Reader

	// Only the reading goroutine uses these. They are compared modulo 2^32: the counter on the wire wraps at 4 GiB.
	window, acked uint32

	writing sync.Mutex // held while bytes go out, so that messages stay whole
	// replies are pongs and acknowledgements. The reader never waits for a blocked writer: it leaves them here.
	repliesMu sync.Mutex
	replies   []byte

	closeMu sync.Mutex
	closed  bool
	onClose func()

	sent atomic.Uint64
	out  *rawConn // the socket below, also of TLS; nil when there is none
	raw  *rawConn // nil when there is none
	rest []byte   // of a TryWire that the system took a part of; goes out before anything else. Guarded by writing
	// scratch joins messages for connections that know no writev: a TLS record or a system call for each would cost
	// more than the copy. Guarded by writing.
	scratch []byte
}

func newConn(nc net.Conn) *Conn {
	in := &counter{Conn: nc, raw: newRawConn(nc)}
	in.last.Store(time.Now().UnixNano())
	c := &Conn{nc: nc, in: in, r: NewReader(in), raw: in.raw, out: in.raw}
	if t, ok := nc.(interface{ NetConn() net.Conn }); ok {
		c.out = newRawConn(t.NetConn())
	}
	in.whole = func() bool { return c.r.unfinished == 0 }
	in.before = func() {
		if c.OnWait != nil {
			c.OnWait(in.drained)
		}
	}
	return c
}

// Received returns how many bytes were read.
func (c *Conn) Received() uint64 { return c.in.n.Load() }

// Sent returns how many bytes were written.
func (c *Conn) Sent() uint64 { return c.sent.Load() }

// Acked returns how many bytes the other side's system has acknowledged. Where ours does not tell, it is what was written.
func (c *Conn) Acked() uint64 {
	sent := c.sent.Load()
	if c.out == nil {
		return sent
	}
	return sent - min(c.out.unacknowledged(), sent)
}

// LastRead returns when the peer last sent a byte.
func (c *Conn) LastRead() time.Time { return time.Unix(0, c.in.last.Load()) }

// PeerHost returns the address of the peer without its port, "" when there is none.
func (c *Conn) PeerHost() string {
	if c.nc.RemoteAddr() == nil {
		return ""
	}
	host, _, err := net.SplitHostPort(c.nc.RemoteAddr().String())
	if err != nil {
		return ""
	}
	return host
}

// SetDeadline bounds all reads and writes until the next call; the zero time lifts the bound.
func (c *Conn) SetDeadline(t time.Time) error { return c.nc.SetDeadline(t) }

// SetReadDeadline bounds reads.
func (c *Conn) SetReadDeadline(t time.Time) error { return c.nc.SetReadDeadline(t) }

// Close closes the connection. Reads and writes that wait return.
func (c *Conn) Close() error {
	err := c.nc.Close()
	c.closeMu.Lock()
	defer c.closeMu.Unlock()
	c.closed = true
	if c.onClose != nil {
		c.onClose()
		c.onClose = nil
	}
	return err
}

// closing makes Close call f.
func (c *Conn) closing(f func()) {
	c.closeMu.Lock()
	defer c.closeMu.Unlock()
	if c.closed {
		f()
		return
	}
	c.onClose = f
}

// Read returns the next message that is not protocol control. Pings are answered and acknowledgements sent on the
// way.
func (c *Conn) Read() (Message, error) {
	for {
		m, err := c.r.Read()
		if err != nil {
			return m, err
		}
		if err := c.acknowledge(); err != nil {
			return Message{}, err
		}
		switch m.Type {
		case TypeAcknowledgement, TypeSetPeerBandwidth:
		case TypeWindowAckSize:
			if len(m.Payload) >= 4 {
				c.window = binary.BigEndian.Uint32(m.Payload)
			}
		case TypeUserControl:
			if len(m.Payload) >= 6 && m.Payload[0] == 0 && m.Payload[1] == userPing {
				if err := c.reply(TypeUserControl, append([]byte{0, userPong}, m.Payload[2:6]...)); err != nil {
					return Message{}, err
				}
			}
		default:
			return m, nil
		}
	}
}

// User control events (section 7.1.7).
const (
	userPing = 6
	userPong = 7
)

func (c *Conn) acknowledge() error {
	got := uint32(c.in.n.Load())
	if c.window == 0 || got-c.acked < c.window {
		return nil
	}
	c.acked = got
	return c.reply(TypeAcknowledgement, binary.BigEndian.AppendUint32(nil, got))
}

// reply sends a control message as soon as nobody else is writing.
func (c *Conn) reply(typ byte, payload []byte) error {
	c.repliesMu.Lock()
	full := len(c.replies) > maxReplies
	if !full {
		c.replies = AppendMessage(c.replies, csidControl, Message{Type: typ, Payload: payload}, OutChunk)
	}
	c.repliesMu.Unlock()
	if full {
		return fmt.Errorf("%w: unread answers", ErrTooLarge)
	}
	return c.flushReplies()
}

func (c *Conn) waiting() bool {
	c.repliesMu.Lock()
	defer c.repliesMu.Unlock()
	return len(c.replies) > 0
}

// flushReplies writes what waits, unless someone is writing: whoever does looks again when done.
func (c *Conn) flushReplies() error {
	for c.waiting() && c.writing.TryLock() {
		err := c.writeLocked(nil)
		c.writing.Unlock()
		if err != nil {
			return err
		}
	}
	return nil
}

// WriteWire writes whole serialised messages, in one system call where the system can. It consumes bufs.
func (c *Conn) WriteWire(bufs net.Buffers) error {
	c.writing.Lock()
	err := c.writeLocked(bufs)
	c.writing.Unlock()
	if err != nil {
		return err
	}
	return c.flushReplies()
}

// CanTry says whether TryWire can work here: over TLS it cannot.
func (c *Conn) CanTry() bool { return c.raw != nil }

// TryWire writes whole serialised messages without ever waiting. took says that they will reach the peer before anything
// that is written later; clear that nothing of them or of our answers waits: when it does not, the next WriteWire, which
// may be of nothing, sees to it. Nothing was written when took is false: the peer is slow, or someone else is writing.
// LiftWriteDeadline must have been called since the last WriteWire.
func (c *Conn) TryWire(b []byte) (took, clear bool, err error) {
	if c.raw == nil || !c.writing.TryLock() {
		return false, false, nil
	}
	n := 0
	if len(c.rest) == 0 {
		if n, err = c.raw.Write(b); errors.Is(err, errAgain) {
			err = nil
		}
		c.sent.Add(uint64(n))
		if n > 0 && n < len(b) {
			c.rest = append([]byte(nil), b[n:]...)
		}
	}
	clear = n == len(b)
	c.writing.Unlock()
	return n > 0, clear && !c.waiting(), err
}

// LiftWriteDeadline takes away the bound that a WriteWire has left.
func (c *Conn) LiftWriteDeadline() error { return c.nc.SetWriteDeadline(time.Time{}) }

func (c *Conn) writeLocked(bufs net.Buffers) error {
	if c.WriteTimeout > 0 {
		if err := c.nc.SetWriteDeadline(time.Now().Add(c.WriteTimeout)); err != nil {
			return err
		}
	}
	if len(c.rest) > 0 {
		n, err := c.nc.Write(c.rest)
		c.sent.Add(uint64(n))
		c.rest = c.rest[n:]
		if err != nil {
			return err
		}
		c.rest = nil
	}
	c.repliesMu.Lock()
	replies := c.replies
	c.replies = nil
	c.repliesMu.Unlock()
	if len(replies) > 0 {
		n, err := c.nc.Write(replies)
		c.sent.Add(uint64(n))
		if err != nil {
			return err
		}
	}
	if len(bufs) == 0 {
		return nil
	}
	if _, ok := c.nc.(*net.TCPConn); !ok && len(bufs) > 1 {
		c.scratch = c.scratch[:0]
		for _, b := range bufs {
			c.scratch = append(c.scratch, b...)
		}
		bufs = net.Buffers{c.scratch}
	}
	n, err := bufs.WriteTo(c.nc)
	c.sent.Add(uint64(n))
	if cap(c.scratch) > maxScratch {
		c.scratch = nil
	}
	return err
}

// Write writes one message on chunk stream csid (3 to 63).
func (c *Conn) Write(csid byte, m Message) error { return c.WriteWire(net.Buffers{m.Wire(csid)}) }

// command sends an AMF0 command.
func (c *Conn) command(csid byte, stream uint32, values ...any) error {
	return c.Write(csid, Message{Type: TypeCommand, Stream: stream, Payload: AppendAMF0(nil, values...)})
}

// announce tells the peer how we send and when we want acknowledgements.
func (c *Conn) announce(more ...Message) error {
	size := Message{Type: TypeSetChunkSize, Payload: binary.BigEndian.AppendUint32(nil, OutChunk)}
	var b []byte
	for _, m := range append(more, size) {
		b = AppendMessage(b, csidControl, m, OutChunk)
	}
	return c.WriteWire(net.Buffers{b})
}

// parseCommand returns the name, transaction number and arguments of a command message. ffmpeg's server leaves out the
// number where nobody waits for it; what follows a broken value is not needed.
func parseCommand(m Message) (name string, id float64, args []any, err error) {
	p := m.Payload
	if m.Type == TypeCommandAMF3 && len(p) > 0 && p[0] == 0 {
		p = p[1:] // AMF3 commands carry AMF0 after one byte
	}
	v, err := ParseAMF0(p)
	if len(v) == 0 {
		return "", 0, nil, fmt.Errorf("%w: command without a name: %w", ErrProtocol, cmp.Or(err, io.ErrUnexpectedEOF))
	}
	name, _ = v[0].(string)
	if len(v) > 1 {
		id, _ = v[1].(float64)
		args = v[2:]
	}
	return name, id, args, nil
}

func isCommand(m Message) bool { return m.Type == TypeCommand || m.Type == TypeCommandAMF3 }
