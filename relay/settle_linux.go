package relay

import (
	"bufio"
	"fmt"
	"os"
	"runtime/debug"
	"strings"

	"golang.org/x/sys/unix"
)

// settledGC is how much garbage may gather, in percent of what is in use: a relay makes little of it, and slowly.
const settledGC = 50

// Settle makes a process small that is nothing but a relay. A program that can do much more has touched much of itself while
// it started; that is given back to the system, which has it in its file and brings again what is used.
func Settle() {
	debug.SetGCPercent(settledGC)
	debug.FreeOSMemory()
	self, err := os.Readlink("/proc/self/exe")
	if err != nil {
		return
	}
	maps, err := os.Open("/proc/self/maps")
	if err != nil {
		return
	}
	defer maps.Close()
	for s := bufio.NewScanner(maps); s.Scan(); {
		var from, to uintptr
		var mode string
		if _, err := fmt.Sscanf(s.Text(), "%x-%x %s", &from, &to, &mode); err != nil || mode[1] == 'w' || !strings.HasSuffix(s.Text(), " "+self) {
			continue // what was written to is in no file
		}
		_, _, _ = unix.Syscall(unix.SYS_MADVISE, from, to-from, unix.MADV_DONTNEED) // a wish
	}
}
