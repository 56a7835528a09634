package rtmp

import (
	"errors"
	"net"
	"os"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// rawConn reads from and writes to a socket without ever waiting in a system call. The runtime need not be told of such
// calls, which is what most of a small one costs: it would wake its watcher for each.
type rawConn struct {
	conn        syscall.RawConn
	read, write rawCall
	low         int // SO_RCVLOWAT as it is set, 0 before
}

type rawCall struct {
	op   uintptr
	wait bool // for the socket to be ready
	b    []byte
	n    int
	err  error
	do   func(fd uintptr) bool // made once: a closure for each call would be garbage
}

// newRawConn returns nil for connections that are no sockets of the system, such as those over TLS.
func newRawConn(nc net.Conn) *rawConn {
	sc, ok := nc.(syscall.Conn)
	if !ok {
		return nil
	}
	rc, err := sc.SyscallConn()
	if err != nil {
		return nil
	}
	r := &rawConn{conn: rc, read: rawCall{op: unix.SYS_READ}, write: rawCall{op: unix.SYS_WRITE}}
	r.read.init()
	r.write.init()
	return r
}

func (c *rawCall) init() {
	c.do = func(fd uintptr) bool {
		for {
			n, _, errno := syscall.RawSyscall(c.op, fd, uintptr(unsafe.Pointer(unsafe.SliceData(c.b))), uintptr(len(c.b)))
			switch errno {
			case 0:
				c.n, c.err = int(n), nil
			case syscall.EINTR:
				continue
			case syscall.EAGAIN:
				c.n, c.err = 0, errAgain
				return !c.wait
			default:
				c.n, c.err = 0, os.NewSyscallError("socket", errno)
			}
			return true
		}
	}
}

// errAgain says that nothing can be read or written now.
const errAgain = again("nothing now")

type again string

func (a again) Error() string { return string(a) }

func (c *rawCall) run(with func(func(uintptr) bool) error, b []byte, wait bool) (int, error) {
	c.b, c.n, c.err, c.wait = b, 0, nil, wait
	err := with(c.do)
	c.b = nil
	if err == nil {
		err = c.err
	}
	return c.n, err
}

// Read reads what is there, or errAgain; with wait it waits as net.Conn does. 0 bytes without an error are the end.
func (r *rawConn) Read(b []byte, wait bool) (int, error) { return r.read.run(r.conn.Read, b, wait) }

// Write writes what the system takes at once, or errAgain.
func (r *rawConn) Write(b []byte) (int, error) { return r.write.run(r.conn.Write, b, false) }

// wakeAt makes the system tell of what comes only when there are so many bytes, or the end.
func (r *rawConn) wakeAt(bytes int) {
	if r.low == bytes {
		return
	}
	_ = r.conn.Control(func(fd uintptr) { // a wish: it saves wake-ups
		_ = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_RCVLOWAT, bytes)
	})
	r.low = bytes
}

// unacknowledged is how many bytes that were written the other side's system has not acknowledged.
func (r *rawConn) unacknowledged() (n uint64) {
	_ = r.conn.Control(func(fd uintptr) {
		if v, err := unix.IoctlGetInt(int(fd), unix.SIOCOUTQ); err == nil {
			n = uint64(v)
		}
	})
	return n
}

// beat wakes one goroutine again and again. It is a timer of the system's, because one of the runtime's wakes its watcher as
// well, and twice.
type beat struct {
	f     *os.File
	conn  syscall.RawConn
	every time.Duration
	bound time.Time
	times [8]byte
	fn    func(uintptr) bool
}

func newBeat() *beat {
	fd, err := unix.TimerfdCreate(unix.CLOCK_MONOTONIC, unix.TFD_NONBLOCK|unix.TFD_CLOEXEC)
	if err != nil {
		return nil
	}
	b := &beat{f: os.NewFile(uintptr(fd), "beat")}
	if b.conn, err = b.f.SyscallConn(); err != nil {
		_ = b.f.Close()
		return nil
	}
	b.fn = func(fd uintptr) bool {
		// Asked before waiting too: what went off meanwhile is not told again.
		_, _, errno := syscall.RawSyscall(unix.SYS_READ, fd, uintptr(unsafe.Pointer(&b.times)), uintptr(len(b.times))) // starts it anew
		return errno != syscall.EAGAIN
	}
	return b
}

// set makes it beat at this interval, 0 not at all.
func (b *beat) set(every time.Duration) {
	if b.every == every {
		return
	}
	b.every = every
	t := unix.NsecToTimespec(every.Nanoseconds())
	_ = b.conn.Control(func(fd uintptr) { _ = unix.TimerfdSettime(int(fd), 0, &unix.ItimerSpec{Interval: t, Value: t}, nil) })
}

// beatBound is how late a beat may be before it is given up: a video must not hang on one timer.
const beatBound = time.Second

// wait waits for the next beat. It returns at once when one was missed.
func (b *beat) wait() error {
	if now := time.Now(); b.bound.Sub(now) < beatBound { // seldom, because it costs more than a beat
		b.bound = now.Add(2 * beatBound)
		if err := b.f.SetReadDeadline(b.bound); err != nil {
			return err
		}
	}
	err := b.conn.Read(b.fn)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		every := b.every
		b.set(0)
		b.set(every)
		return nil
	}
	return err
}

func (b *beat) close() { _ = b.f.Close() }
