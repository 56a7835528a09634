//go:build !unix

package main

// ownFiles does nothing here: only the folder's own protection counts.
func ownFiles() {}
