//go:build unix

package bench

import (
	"runtime"
	"syscall"
	"time"
)

// selfUsage is what this process has used. Where the system does not tell how much of it is in memory, it is what the runtime took.
func selfUsage() (usage, error) {
	var r syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &r); err != nil {
		return usage{}, err
	}
	u := usage{CPU: time.Duration(r.Utime.Nano() + r.Stime.Nano())}
	var err error
	if u.RSS, err = residentOf("/proc/self"); err != nil {
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		u.RSS = int64(m.Sys)
	}
	return u, nil
}
