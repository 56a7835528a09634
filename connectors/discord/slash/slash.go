// Package slash holds the slash commands that viewers find in Discord, and turns a used command, a pressed button or a
// line that begins with a mention of the bot into the equal chat line. It does no I/O.
package slash

import (
	"strings"
	"unicode"

	"hawker/connectors/discord/wire"
)

// Command is a slash command as Discord registers it (page "Application Commands"). What Discord adds is left out, so
// that two definitions can be compared.
type Command struct {
	Name        string   `json:"name"`
	Description string   `json:"description"`
	Options     []Option `json:"options,omitempty"`
}

// Option is one field of a command.
type Option struct {
	Type        int      `json:"type"`
	Name        string   `json:"name"`
	Description string   `json:"description"`
	Required    bool     `json:"required,omitempty"`
	Min         *float64 `json:"min_value,omitempty"`
	Max         *float64 `json:"max_value,omitempty"`
	MaxLength   *int     `json:"max_length,omitempty"`
}

// Option types (page "Application Commands").
const (
	typeString  = 3
	typeInteger = 4
)

// longest is how much of one option is read, in code points.
const longest = 60

// Commands are the commands of a viewer, ordered by name. Items are text: some shops name theirs by letters (A1).
func Commands() []Command {
	length, one, most := longest, 1.0, 9999.0
	text := func(name, description string, required bool) Option {
		return Option{Type: typeString, Name: name, Description: description, Required: required, MaxLength: &length}
	}
	amount := func(description string) Option {
		return Option{Type: typeInteger, Name: "amount", Description: description, Min: &one, Max: &most}
	}
	item, which := text("item", "Number of the item; empty for the one on air", false), text("item", "Number of the item", true)
	variant := text("variant", "Size, colour or other choice", false)
	return []Command{
		{"buy", "Hold an item for you", []Option{item, variant, amount("How many; 1 if empty")}},
		{"cart", "Your receipt and where to pay", nil},
		{"connect", "Connect your viewer page with this account", []Option{text("code", "The code on the page", true)}},
		{"forget", "Delete what is stored about you", nil},
		{"help", "How to buy here", nil},
		{"item", "Name, price and what is left", []Option{item}},
		{"less", "Hold fewer of an item", []Option{which, amount("How many fewer; 1 if empty")}},
		{"me", "Your holds and places in line", nil},
		{"more", "Hold more of an item", []Option{which, amount("How many more; 1 if empty")}},
		{"order", "Your last paid order", nil},
		{"pass", "Give a hold or a place in line back", []Option{item}},
		{"shop", "What is on sale", nil},
		{"wait", "Join the line for an item", []Option{item, variant, amount("How many; 1 if empty")}},
		{"why", "What became of your last line", nil},
	}
}

// Line is the chat line that equals an interaction, such as "!buy 3 M x2", or empty for what is none of ours. A button
// carries its line in its custom id; whatever is in it is checked like a typed line.
func Line(in wire.Interaction) string {
	if in.Type == wire.TypeComponent {
		if line := oneRow(in.Data.CustomID, 100); strings.HasPrefix(line, "!") {
			return line
		}
		return ""
	}
	for _, c := range Commands() {
		if c.Name != in.Data.Name {
			continue
		}
		line := "!" + c.Name
		for _, o := range c.Options { // in our order, whatever theirs is
			for _, given := range in.Data.Options {
				v := strings.TrimLeft(oneRow(given.Text(), longest), "!")
				switch {
				case given.Name != o.Name || v == "":
				case o.Name == "amount" && (c.Name == "buy" || c.Name == "wait"):
					line += " x" + v
				default:
					line += " " + v
				}
			}
		}
		return line
	}
	return ""
}

// Mentioned is the chat line that a line means which begins with a mention of the bot and goes on with a command, with
// or without its sign: "<@7001> buy 3" means "!buy 3". Without the Message Content intent such lines are the only ones
// that can be read. ok is false for all other lines.
func Mentioned(text, me string) (line string, ok bool) {
	rest := strings.TrimLeftFunc(text, unicode.IsSpace)
	for _, open := range []string{"<@", "<@!"} {
		after, is := strings.CutPrefix(rest, open+me+">")
		if !is || me == "" {
			continue
		}
		after = strings.TrimLeftFunc(after, func(r rune) bool { return unicode.IsSpace(r) || r == ',' || r == ':' })
		if strings.HasPrefix(after, "!") {
			return after, true
		}
		word, _, _ := strings.Cut(after, " ")
		for _, c := range Commands() {
			if strings.EqualFold(word, c.Name) {
				return "!" + after, true
			}
		}
	}
	return "", false
}

// oneRow makes a text one row of at most limit code points.
func oneRow(s string, limit int) string {
	s = strings.Join(strings.FieldsFunc(strings.ToValidUTF8(s, ""), func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }), " ")
	for i := range s {
		if limit--; limit < 0 {
			return strings.TrimSpace(s[:i])
		}
	}
	return s
}
