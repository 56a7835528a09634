package child

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
)

// maxSocketPath is how long the path of a socket may be, in bytes, on all systems that we know.
const maxSocketPath = 103

// Usable says why the relay cannot have a process of its own with this data folder, nil when it can.
func Usable(dir string) error {
	path := filepath.Join(dir, SocketName)
	switch {
	case !Supported:
		return errors.New("this system does not tell who is on the other end of a socket")
	case len(path) > maxSocketPath:
		return fmt.Errorf("the data folder's path is too long for a socket, by %d bytes", len(path)-maxSocketPath)
	}
	try := path[:len(path)-len("sock")] + "try"
	_ = os.Remove(try)
	ln, err := net.Listen("unix", try)
	if err != nil {
		return fmt.Errorf("the data folder cannot hold a socket: %w", bare(err))
	}
	return ln.Close()
}
