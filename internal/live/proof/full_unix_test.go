//go:build unix

package proof

import (
	"os"
	"os/signal"
	"syscall"
	"testing"
)

// diskFull lets no file of this process grow any more, which is what a full disk does to the database's log.
func diskFull(t *testing.T, h house) {
	dir, url := h.make(t)
	if url != "" {
		return // another process writes its files; to us it is "the database is down"
	}
	s := newShop(t, dir, url, 1000, 1)
	signal.Ignore(syscall.SIGXFSZ) // a write past the limit shall fail, not end us
	t.Cleanup(func() { signal.Reset(syscall.SIGXFSZ) })
	away(t, s, func() func() {
		info, err := os.Stat(dir + "/hawker.db-wal")
		if err != nil {
			t.Fatal(err)
		}
		var old syscall.Rlimit
		if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &old); err != nil {
			t.Fatal(err)
		}
		full := old
		full.Cur = uint64(info.Size())
		if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &full); err != nil {
			t.Fatal(err)
		}
		back := func() {
			if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &old); err != nil {
				t.Error(err)
			}
		}
		t.Cleanup(back)
		return back
	})
	promised(t, s, rows(t, dir, url, s.merchant))
}
