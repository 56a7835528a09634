//go:build !linux

package rtmp

import (
	"errors"
	"net"
	"time"
)

// rawConn is for Linux. Elsewhere each connection is written to by its own goroutine and read from as it comes, which costs
// more.
type rawConn struct{}

var errAgain = errors.ErrUnsupported

func newRawConn(net.Conn) *rawConn { return nil }

func (*rawConn) Read([]byte, bool) (int, error) { return 0, errAgain }
func (*rawConn) Write([]byte) (int, error)      { return 0, errAgain }
func (*rawConn) wakeAt(int)                     {}
func (*rawConn) unacknowledged() uint64         { return 0 }

type beat struct{}

func newBeat() *beat { return nil }

func (*beat) set(time.Duration) {}
func (*beat) wait() error       { return errAgain }
func (*beat) close()            {}
