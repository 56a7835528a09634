package child

import "golang.org/x/sys/unix"

// Supported says whether the relay can have a process of its own on this system.
const Supported = true

// peerOf is the user on the other end of a Unix socket, by its descriptor.
func peerOf(fd int) (uid int, err error) {
	cred, err := unix.GetsockoptUcred(fd, unix.SOL_SOCKET, unix.SO_PEERCRED)
	if err != nil {
		return -1, err
	}
	return int(cred.Uid), nil
}
