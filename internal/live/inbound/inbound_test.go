package inbound

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestParse(t *testing.T) {
	for _, tt := range []struct {
		body string
		want map[string]string
	}{
		{"", map[string]string{}},
		{" \n", map[string]string{}},
		{"{}", map[string]string{}},
		{`{"from": "Ana", "amount": 12.50, "big": 12345678901234567890, "first": true, "note": null}`, map[string]string{"from": "Ana", "amount": "12.50", "big": "12345678901234567890", "first": "true"}},
		{`{"order": {"id": 7, "tags": ["a", "b", []]}, "x-y z": "1", "": "2", "größe": "M"}`, map[string]string{"order_id": "7", "order_tags_1": "a", "order_tags_2": "b", "x_y_z": "1", "_": "2", "größe": "M"}},
		{`{"t": "` + strings.Repeat("ä", 600) + `"}`, map[string]string{"t": strings.Repeat("ä", 500)}},
		{`{"a": "x\u0000y"}`, map[string]string{"a": "xy"}},
	} {
		got, err := Parse([]byte(tt.body))
		if err != nil || !maps.Equal(got, tt.want) {
			t.Errorf("Parse(%.60q) = %v, %v; want %v", tt.body, got, err, tt.want)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	many := &strings.Builder{}
	for i := range 101 {
		fmt.Fprintf(many, `"f%d": 1,`, i)
	}
	for _, tt := range []struct{ body, want string }{
		{"[1]", "no JSON object"},
		{`"text"`, "no JSON object"},
		{"a=1&b=2", "no JSON (near byte"},
		{`{"a": 1`, "ends in the middle"},
		{`{"a": `, "ends in the middle"},
		{`{"a": [1`, "ends in the middle"},
		{`{"a": 1} {"b": 2}`, "something follows"},
		{`{"a": 1} x`, "something follows"},
		{`{"a" 1}`, "no JSON"},
		{`{"a": 1, "a": 2}`, `two fields are called "a"`},
		{`{"a b": 1, "a-b": 2}`, `two fields are called "a_b"`},
		{`{"a":{"b":{"c":{"d":{"e":1}}}}}`, "more than 4 deep"},
		{`{"a":[[[[1]]]]}`, "more than 4 deep"},
		{`{"a":` + strings.Repeat("[", 30_000), "more than 4 deep"},
		{"{" + strings.TrimSuffix(many.String(), ",") + "}", "more than 100 fields"},
		{`{"` + strings.Repeat("n", 61) + `": 1}`, "longer than 60"},
		{"{\"a\": \"\xff\"}", "not UTF-8"},
	} {
		if got, err := Parse([]byte(tt.body)); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("Parse(%.60q) = %v, %v; want %q", tt.body, got, err, tt.want)
		}
	}
	if _, err := Parse(make([]byte, BodyMost+1)); !errors.Is(err, ErrTooLarge) {
		t.Errorf("a large body: %v", err)
	}
}

// Whatever is posted: what is read is within bounds, and only from what JSON is.
func FuzzParse(f *testing.F) {
	for _, s := range []string{`{"a": {"b": [1, "x", null, true]}}`, `{"a":1,"a":2}`, `[]`, `{"\u0000": "\ud800"}`, `{"a":1e999}`, "{}{}"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		got, err := Parse(body)
		if err != nil {
			return
		}
		if len(strings.TrimSpace(string(body))) > 0 && !json.Valid(body) {
			t.Fatalf("Parse(%q) = %v, but it is no JSON", body, got)
		}
		if len(got) > fieldMost {
			t.Fatalf("%d fields", len(got))
		}
		for k, v := range got {
			if k == "" || utf8.RuneCountInString(k) > nameMost || utf8.RuneCountInString(v) > textMost || !utf8.ValidString(k) || !utf8.ValidString(v) || strings.ContainsRune(v, 0) || strings.ContainsAny(k, " .{}\n") {
				t.Fatalf("Parse(%q) has %q = %q", body, k, v)
			}
		}
	})
}
