//go:build !linux && !darwin && !freebsd

package record

// free is how many bytes are free on the disk of a folder, which is not known here.
func free(string) int64 { return -1 }
