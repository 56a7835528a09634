package setup

import (
	"strings"
	"testing"
)

func TestPassword(t *testing.T) {
	hash := HashPassword("correct horse")
	if !strings.HasPrefix(hash, "$argon2id$v=19$m=19456,t=2,p=1$") {
		t.Errorf("hash %q", hash)
	}
	if !CheckPassword(hash, "correct horse") || CheckPassword(hash, "correct horsf") || CheckPassword(hash, "") {
		t.Errorf("%q is not checked right", hash)
	}
	if HashPassword("correct horse") == hash {
		t.Error("two hashes with one salt")
	}
	// Made by the reference implementation: argon2 "somesalt" -id -t 2 -m 16 -p 1 -l 32, password "password".
	const other = "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc"
	if !CheckPassword(other, "password") || CheckPassword(other, "passwort") {
		t.Error("a hash of another program is not read")
	}
	p := strings.Split(hash, "$")
	for _, odd := range []string{
		"", "x", "$argon2id$", strings.Replace(hash, "argon2id", "argon2i", 1), strings.Replace(hash, "v=19", "v=16", 1), strings.Replace(hash, "m=19456", "m=4294967295", 1),
		strings.Replace(hash, "t=2", "t=0", 1), strings.Replace(hash, "p=1", "p=0", 1), strings.Replace(hash, p[4], "", 1), strings.Replace(hash, p[5], "AAAA", 1),
		strings.Replace(hash, p[5], p[5]+"!", 1), hash + "$",
	} {
		if _, ok := parseHash(odd); ok {
			t.Errorf("%q is taken", odd)
		}
	}
	if CheckPassword("", "") || CheckPassword(p[5], "correct horse") {
		t.Error("no hash is a right one")
	}
}

// FuzzParseHash: an odd hash neither panics nor asks for more than the bounds.
func FuzzParseHash(f *testing.F) {
	f.Add("$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc")
	f.Add("$argon2id$v=19$m=99999999,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc")
	f.Fuzz(func(t *testing.T, s string) {
		if h, ok := parseHash(s); ok && (h.memory > maxMemoryKiB || h.passes < 1 || h.passes > maxPasses || h.lanes < 1 || h.lanes > maxLanes || len(h.key) < 16) {
			t.Fatalf("%q is %+v", s, h)
		}
	})
}
