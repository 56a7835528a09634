package seal

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"
)

func TestDerive(t *testing.T) {
	k := testKey(t, 1)
	a := k.Derive(Receipt, 1, 2, 3)
	if a != k.Derive(Receipt, 1, 2, 3) {
		t.Error("not the same twice")
	}
	// Links that were handed out must open in every later build.
	if want := "ihf2kiqlrmtrfyq4n4rjxaz5zq"; a.Reveal() != want {
		t.Errorf("Derive = %q, want %q", a.Reveal(), want)
	}
	if len(a.Reveal()) != 26 || !ValidToken(a.Reveal()) {
		t.Errorf("%q is not a token", a.Reveal())
	}
	for _, b := range []Token{
		k.Derive(Overlay, 1, 2, 3), k.Derive(Receipt, 2, 2, 3), k.Derive(Receipt, 1, 3, 3), k.Derive(Receipt, 1, 2, 4),
		k.Derive(Receipt, 12, 0, 3), testKey(t, 2).Derive(Receipt, 1, 2, 3),
	} {
		if a == b {
			t.Error("two things have one token")
		}
	}
}

func TestNewToken(t *testing.T) {
	a, b := NewToken(), NewToken()
	if a == b || !ValidToken(a.Reveal()) {
		t.Errorf("%q, %q", a.Reveal(), b.Reveal())
	}
	if bytes.Equal(Hash(a), Hash(b)) || !bytes.Equal(Hash(a), Hash(a)) || len(Hash(a)) != 32 {
		t.Error("hash does not tell tokens apart")
	}
}

func TestValidToken(t *testing.T) {
	good := "abcdefghijklmnopqrstuvwxya" // 26 letters whose two spare bits are zero
	if !ValidToken(good) {
		t.Fatalf("%q refused", good)
	}
	for _, bad := range []string{
		"", good[:25], good + "a", strings.ToUpper(good), good[:25] + "b", good[:25] + "=", good[:25] + "1", good[:12] + "\n" + good[12:], good[:24] + "\n\n",
	} {
		if ValidToken(bad) {
			t.Errorf("%q is taken for a token", bad)
		}
	}
}

func FuzzValidToken(f *testing.F) {
	f.Add("abcdefghijklmnopqrstuvwxya")
	f.Add("ABC=")
	f.Fuzz(func(t *testing.T, s string) {
		if ValidToken(s) && (len(s) != 26 || strings.Trim(s, tokenText) != "") {
			t.Fatalf("%q is taken for a token", s)
		}
	})
}

func TestSecretHides(t *testing.T) {
	const text = "hunter2"
	s := Secret(text)
	var log bytes.Buffer
	slog.New(slog.NewTextHandler(&log, nil)).Info("login", "password", s, "group", slog.GroupValue(slog.Any("p", s)))
	slog.New(slog.NewJSONHandler(&log, nil)).Info("login", "password", s, "pointer", &s, "struct", struct{ P Secret }{s})
	out := log.String()
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%10s"} {
		out += fmt.Sprintf(verb, s) + fmt.Sprintf(verb, &s) + fmt.Sprintf(verb, struct{ P Secret }{s}) + fmt.Sprintf(verb, []Secret{s})
	}
	b, err := json.Marshal(map[string]any{"p": struct{ P *Secret }{&s}, "s": s})
	if err != nil {
		t.Fatal(err)
	}
	out += string(b) + s.String()
	for _, leak := range []string{text, fmt.Sprintf("%x", text), fmt.Sprintf("%X", text)} {
		if strings.Contains(out, leak) {
			t.Errorf("%q shows in %s", leak, out)
		}
	}
	var read struct{ P Secret }
	if err := json.Unmarshal([]byte(`{"P":"hunter2"}`), &read); err != nil || read.P.Reveal() != text {
		t.Errorf("Unmarshal = %q, %v", read.P.Reveal(), err)
	}
}
