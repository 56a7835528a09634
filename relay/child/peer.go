package child

import (
	"errors"
	"log/slog"
	"net"
	"os"
	"sync"
)

// guarded is a socket for the user that this process runs as, and root. Its file says the same, but a folder may be copied,
// or opened to others, by somebody who does not know what lies in it.
type guarded struct {
	net.Listener
	allowed func(uid int) bool
	log     *slog.Logger
	once    sync.Once
}

// ours says who may speak.
func ours(uid int) bool { return uid == os.Geteuid() || uid == 0 }

// Accept implements net.Listener.
func (g *guarded) Accept() (net.Conn, error) {
	for {
		c, err := g.Listener.Accept()
		if err != nil {
			return nil, err
		}
		uid, err := peer(c)
		if err == nil && g.allowed(uid) {
			return c, nil
		}
		_ = c.Close()
		g.once.Do(func() { g.log.Warn("another user tried the relay's socket and was sent away", "uid", uid, "err", err) })
	}
}

// peer is the user on the other end of a Unix socket.
func peer(c net.Conn) (uid int, err error) {
	u, ok := c.(*net.UnixConn)
	if !ok {
		return -1, errors.New("not a Unix socket")
	}
	raw, err := u.SyscallConn()
	if err != nil {
		return -1, err
	}
	uid = -1
	bad := raw.Control(func(fd uintptr) { uid, err = peerOf(int(fd)) })
	return uid, errors.Join(bad, err)
}
