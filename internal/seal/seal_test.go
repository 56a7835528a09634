package seal

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"testing"
)

func testKey(t testing.TB, fill byte) *Key {
	t.Helper()
	k, err := NewKey(bytes.Repeat([]byte{fill}, 32))
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func TestSealOpens(t *testing.T) {
	k := testKey(t, 1)
	place := Context("accounts", "token", 7, "twitch/2002")
	for _, plain := range []string{"", "x", strings.Repeat("long ", 10_000)} {
		sealed := k.Seal([]byte(plain), place)
		if len(sealed) != len(plain)+Overhead {
			t.Errorf("%d bytes sealed to %d, want %d more", len(plain), len(sealed), Overhead)
		}
		if len(plain) > 3 && bytes.Contains(sealed, []byte(plain)[:4]) {
			t.Error("plain text shows")
		}
		got, err := k.Open(sealed, place)
		if err != nil || string(got) != plain {
			t.Errorf("Open = %q, %v; want %q", got, err, plain)
		}
	}
	if bytes.Equal(k.Seal(nil, place), k.Seal(nil, place)) {
		t.Error("two seals of one text are the same: the nonce repeats")
	}
}

func TestOpenRefuses(t *testing.T) {
	k, place := testKey(t, 1), Context("accounts", "token", 7)
	sealed := k.Seal([]byte("secret"), place)
	for name, open := range map[string]func() ([]byte, error){
		"another key":   func() ([]byte, error) { return testKey(t, 2).Open(sealed, place) },
		"another row":   func() ([]byte, error) { return k.Open(sealed, Context("accounts", "token", 8)) },
		"another table": func() ([]byte, error) { return k.Open(sealed, Context("members", "token", 7)) },
		"empty":         func() ([]byte, error) { return k.Open(nil, place) },
		"cut":           func() ([]byte, error) { return k.Open(sealed[:len(sealed)-1], place) },
		"longer":        func() ([]byte, error) { return k.Open(append(bytes.Clone(sealed), 0), place) },
	} {
		if got, err := open(); !errors.Is(err, ErrOpen) || got != nil {
			t.Errorf("%s: Open = %q, %v; want ErrOpen", name, got, err)
		}
	}
	for i := range sealed {
		bad := bytes.Clone(sealed)
		bad[i] ^= 1
		if _, err := k.Open(bad, place); !errors.Is(err, ErrOpen) {
			t.Fatalf("byte %d changed: %v, want ErrOpen", i, err)
		}
	}
}

// What was sealed by an earlier build opens in every later one.
func TestOpenKeepsItsFormat(t *testing.T) {
	sealed, err := hex.DecodeString(golden)
	if err != nil {
		t.Fatal(err)
	}
	got, err := testKey(t, 1).Open(sealed, Context("accounts", "token", 7))
	if err != nil || string(got) != "secret" {
		t.Errorf("Open = %q, %v", got, err)
	}
}

// The parts of a place are told apart.
func TestContext(t *testing.T) {
	seen := map[string]bool{}
	for _, c := range []string{
		Context("a", "b"), Context("ab", ""), Context("", "ab"), Context("a", "b", 1), Context("a", "b", 1, 1),
		Context("a", "b", 11), Context("a", "b", "1", ""), Context("a", "b1"),
	} {
		if seen[c] {
			t.Errorf("%q twice", c)
		}
		seen[c] = true
	}
}

func TestKeyHides(t *testing.T) {
	k := testKey(t, 0xAB)
	for _, s := range []string{fmt.Sprint(k), fmt.Sprintf("%#v", k), fmt.Sprintf("%+v", k)} {
		if s != hidden {
			t.Errorf("key prints as %q", s)
		}
	}
}

func FuzzOpen(f *testing.F) {
	k := testKey(f, 1)
	f.Add([]byte{}, "")
	f.Add(k.Seal([]byte("secret"), "a"), "a")
	f.Add(k.Seal([]byte("secret"), "a"), "b")
	f.Add(bytes.Repeat([]byte{version}, Overhead), "a")
	f.Fuzz(func(t *testing.T, sealed []byte, place string) {
		plain, err := k.Open(sealed, place)
		if err != nil {
			if !errors.Is(err, ErrOpen) || plain != nil {
				t.Fatalf("Open = %q, %v; want ErrOpen and nothing", plain, err)
			}
			return
		}
		if string(plain) != "secret" || place != "a" {
			t.Fatalf("a forged text opens as %q", plain)
		}
	})
}

// golden is "secret" as the first version sealed it.
const golden = "015d6ae91af05198322f0cafb569b9f3d8a1cc5f3b02ca31c7efd4790e93081efdfc92257363f2c7a9ffc84171bc77"
