//go:build darwin || freebsd

package child

import (
	"errors"
	"net"

	"golang.org/x/sys/unix"
)

// Supported says whether the relay can have a process of its own on this system.
const Supported = true

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
	bad := raw.Control(func(fd uintptr) {
		var cred *unix.Xucred
		if cred, err = unix.GetsockoptXucred(int(fd), unix.SOL_LOCAL, unix.LOCAL_PEERCRED); err == nil {
			uid = int(cred.Uid)
		}
	})
	return uid, errors.Join(bad, err)
}
