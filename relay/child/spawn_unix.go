//go:build unix

package child

import (
	"os/exec"
	"runtime"
	"syscall"
)

// apart lets a process live in a session of its own: what a terminal sends to the hub does not reach it.
func apart(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true} }

// self is this very program, also when its file was replaced since.
func self(executable string) string {
	if runtime.GOOS == "linux" {
		return "/proc/self/exe"
	}
	return executable
}
