//go:build !linux

package relay

import "runtime/debug"

// Settle makes a process small that is nothing but a relay.
func Settle() {
	debug.SetGCPercent(50)
	debug.FreeOSMemory()
}
