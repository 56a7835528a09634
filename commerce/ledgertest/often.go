package ledgertest

import (
	"os"
	"strconv"
	"testing"
)

// Often is how many times a test that lives by repetition does it: what the environment variable name says, else short, which every
// run can afford.
func Often(t testing.TB, name string, short int) int {
	t.Helper()
	s := os.Getenv(name)
	if s == "" {
		return short
	}
	n, err := strconv.Atoi(s)
	if err != nil {
		t.Fatalf("%s=%q: %v", name, s, err)
	}
	return n
}
