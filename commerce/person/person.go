// Package person knows which accounts are one person.
package person

import (
	"slices"
	"strings"

	"hawker/commerce/undo"
	"hawker/internal/chat"
)

// Book says which person a viewer is. Viewers count by platform and id, whatever their name. The zero Book joins nobody. It is for
// one goroutine.
type Book struct {
	of     map[chat.Viewer]string // viewers that were joined to a person
	joined map[string][]string    // by person, what each of those would be alone
	last   struct {               // asked for several times in a row
		viewer chat.Viewer
		alone  string
	}
}

// Join makes a viewer part of a person; an empty person makes them one of their own again. log can take it back.
func (b *Book) Join(log *undo.Log, v chat.Viewer, person string) {
	if b.of == nil {
		b.of, b.joined = map[chat.Viewer]string{}, map[string][]string{}
	}
	v.Name = ""
	alone := b.alone(v)
	if old := b.of[v]; old != "" {
		undo.List(log, b.joined, old, undo.Without(b.joined[old], alone))
	}
	undo.Put(log, b.of, v, person)
	if person != "" {
		undo.List(log, b.joined, person, undo.With(b.joined[person], alone))
	}
}

// Of is a viewer's person.
func (b *Book) Of(v chat.Viewer) string {
	v.Name = ""
	if p := b.of[v]; p != "" {
		return p
	}
	return b.alone(v)
}

// Joined reports whether a viewer was joined to a person.
func (b *Book) Joined(v chat.Viewer) bool {
	v.Name = ""
	return b.of[v] != ""
}

// Accounts are the viewers that a person is, without names: at least one of them for each person that Of has told.
func (b *Book) Accounts(person string) (all []chat.Viewer) {
	for _, name := range append([]string{person}, b.joined[person]...) {
		platform, id, _ := strings.Cut(name, ":")
		v := chat.Viewer{Platform: chat.Platform(platform), ID: id}
		if b.Of(v) == person && !slices.Contains(all, v) {
			all = append(all, v)
		}
	}
	return all
}

// Alone is the person that a viewer is who was joined to nobody, as holds have it: the platform, a colon, the platform's id.
func Alone(v chat.Viewer) string { return string(v.Platform) + ":" + v.ID }

// alone is Alone, remembered.
func (b *Book) alone(v chat.Viewer) string {
	if b.last.viewer != v || b.last.alone == "" {
		b.last.viewer, b.last.alone = v, Alone(v)
	}
	return b.last.alone
}
