package rtmp

import (
	"errors"
	"io"
	"net"
	"sync/atomic"
	"time"
)

const (
	// restless is after how many beats without a byte the system is asked to tell of the next one.
	restless = 8
	// gather is how many bytes wake a paced reader before its time: more than any beat brings.
	gather = 1 << 20
	// fragment is how long to wait for the rest of a message that came in part.
	fragment = 2 * time.Millisecond
)

// counter counts what is read and notes when. It reads at the connection's pace.
type counter struct {
	net.Conn
	raw     *rawConn // nil when there is none
	n       atomic.Uint64
	last    atomic.Int64 // unix ns
	before  func()       // nil, or called before each read
	whole   func() bool  // no part of a message is at hand
	drained bool         // the last read brought less than it might have

	pace  atomic.Int64 // ns
	beat  *beat
	empty int // beats in a row without a byte
}

func (c *counter) Read(p []byte) (int, error) {
	if c.before != nil {
		c.before()
	}
	n, err := c.get(p)
	c.drained = n < len(p)
	if n > 0 {
		c.n.Add(uint64(n))
		c.last.Store(time.Now().UnixNano())
	}
	return n, err
}

func (c *counter) get(p []byte) (int, error) {
	if c.raw == nil || len(p) == 0 {
		return c.Conn.Read(p)
	}
	for pause := c.drained; ; pause = true {
		every := time.Duration(c.pace.Load())
		if every == 0 || c.empty >= restless || c.beat == nil {
			break
		}
		c.raw.wakeAt(gather)
		c.beat.set(every)
		switch {
		case pause && !c.whole():
			time.Sleep(fragment)
		case pause:
			if err := c.beat.wait(); err != nil {
				return 0, net.ErrClosed
			}
		}
		n, err := c.raw.Read(p, false)
		if !errors.Is(err, errAgain) {
			c.empty = 0
			return c.end(n, err)
		}
		c.empty++
	}
	c.empty = 0
	c.raw.wakeAt(1)
	if c.beat != nil {
		c.beat.set(0)
	}
	return c.end(c.raw.Read(p, true))
}

func (*counter) end(n int, err error) (int, error) {
	if n == 0 && err == nil {
		return 0, io.EOF
	}
	return n, err
}

// Pace lets what the peer sends gather for so long before it is read, where the system can: reading often costs more than
// reading much. 0 reads what comes when it comes. Call it from the goroutine that reads.
func (c *Conn) Pace(every time.Duration) {
	if c.in.raw == nil || c.in.beat == nil && every == 0 {
		return
	}
	if c.in.beat == nil {
		if c.in.beat = newBeat(); c.in.beat == nil {
			return
		}
		c.closing(c.in.beat.close)
	}
	c.in.pace.Store(int64(every))
}
