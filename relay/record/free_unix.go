//go:build linux || darwin || freebsd

package record

import (
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// free is how many bytes are free on the disk of a folder, or of the nearest one above it that is there; -1 when it cannot be told.
func free(dir string) int64 {
	for {
		if _, err := os.Stat(dir); err == nil || dir == filepath.Dir(dir) {
			break
		}
		dir = filepath.Dir(dir)
	}
	var s unix.Statfs_t
	if unix.Statfs(dir, &s) != nil {
		return -1
	}
	return int64(s.Bavail) * int64(s.Bsize) //nolint:unconvert // their types differ from system to system
}
