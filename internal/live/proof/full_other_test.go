//go:build !unix

package proof

import "testing"

// diskFull needs a limit for the size of files, which only Unix has.
func diskFull(*testing.T, house) {}
