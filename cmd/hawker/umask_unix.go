//go:build unix

package main

import "syscall"

// ownFiles makes everything that this process writes its owner's alone: the database, what SQLite and NATS keep beside it, the
// control socket. The data folder may be older than us and open to others.
func ownFiles() { syscall.Umask(0o077) }
