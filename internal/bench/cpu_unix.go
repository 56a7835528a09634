//go:build unix

package bench

import (
	"syscall"
	"time"
)

// cpuTime is how long this process has computed so far, its collector of garbage included: what others do on the machine meanwhile
// is not in it.
func cpuTime(time.Time) time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil { // it has no way to fail for one's own process
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
