package rules

import (
	"slices"
	"testing"
)

// A command is renamed word by word, and its old word is free.
func TestRenamed(t *testing.T) {
	if Renamed(nil) != nil || Renamed(map[string]string{"nothing": "x"}) != nil {
		t.Error("nothing is renamed, and yet there are names")
	}
	names := Renamed(map[string]string{"shop": "store", "hold": "mine2"})
	if len(names) != 2 || !slices.Equal(names[Shop], []string{"store", "items"}) || !slices.Equal(names[Me], []string{"me", "mine2"}) {
		t.Errorf("%v", names)
	}
	g := NewGrammar(nil, Options{Names: names})
	for line, want := range map[string]Name{"!store": Shop, "!items": Shop, "!shop": Chat, "!me": Me, "!hold": Chat, "!mine2": Me, "!help": Help} {
		if got := g.Parse(line, Context{}); got.Name != want {
			t.Errorf("%s is %q, want %q", line, got.Name, want)
		}
	}
	g = NewGrammar(nil, Options{Names: AlsoCalled(map[string]string{"shop": "store"})})
	for _, line := range []string{"!store", "!items", "!shop"} {
		if got := g.Parse(line, Context{}); got.Name != Shop {
			t.Errorf("%s is %q beside its old name", line, got.Name)
		}
	}
	if NameOf("items") != Shop || NameOf("store") != "" || NameOf("") != "" {
		t.Error("NameOf")
	}
}
