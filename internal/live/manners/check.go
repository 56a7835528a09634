package manners

import (
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"hawker/internal/chat"
	"hawker/internal/live/speaker/names"
	"hawker/rules"
)

// Check makes a change ready to be stored, or says by a *FaultError why it cannot be.
func (h *House) Check(m *Manner) error {
	if m.At.IsZero() {
		m.At = time.Now()
	}
	m.Name, m.Value, m.By = chat.Clean(m.Name), chat.Clean(m.Value), chat.Clean(m.By)
	if m.Off {
		return nil
	}
	switch m.Kind {
	case Mute:
		if show, ok := strings.CutPrefix(m.Name, "show/"); ok && show != "" {
			return nil
		}
		if _, err := chat.ParseChannel(m.Name); err != nil {
			return &FaultError{"Which channel is meant?"}
		}
	case Word:
		switch {
		case utf8.RuneCountInString(m.Name) > WordLong:
			return &FaultError{fmt.Sprintf("“%s…” is longer than %d letters.", string([]rune(m.Name)[:20]), WordLong)}
		case !names.Usable(m.Name):
			return &FaultError{fmt.Sprintf("“%s” is too short: a word of fewer than 3 letters or digits is in many ordinary names.", m.Name)}
		}
	case Call:
		return h.checkCall(m)
	case Alias:
		return checkAlias(m)
	case Hide, Block, Leave:
		if m.Name == "" {
			return &FaultError{"Who or what is meant?"}
		}
	case Veto:
		m.Name = ""
	default:
		return &FaultError{"The form holds something that makes no sense here."}
	}
	return nil
}

// checkAlias looks whether a value can be called so.
func checkAlias(m *Manner) error {
	m.Name, m.Value = strings.Join(strings.Fields(rules.Fold(m.Name)), " "), strings.TrimSpace(m.Value)
	for _, x := range []string{m.Name, m.Value} {
		switch n := utf8.RuneCountInString(x); {
		case n == 0:
			return &FaultError{"A value and what viewers call it are needed, such as: Anthracite = charcoal, dark grey"}
		case n > WordLong:
			return &FaultError{fmt.Sprintf("“%s…” is longer than %d letters.", string([]rune(x)[:20]), WordLong)}
		}
	}
	switch {
	case strings.Trim(m.Name, "0123456789") == "":
		return &FaultError{"“" + m.Name + "” would be taken for the number of an item or an amount."}
	case m.Name == rules.Fold(m.Value):
		return &FaultError{"“" + m.Value + "” is understood anyhow."}
	}
	return nil
}

// checkCall looks whether a command can be called so.
func (h *House) checkCall(m *Manner) error {
	m.Name, m.Value = rules.Fold(strings.TrimLeft(strings.TrimSpace(m.Name), "!")), rules.Fold(strings.TrimLeft(strings.TrimSpace(m.Value), "!"))
	called := map[string]string{}
	for _, x := range h.List(Call) {
		called[x.Name] = x.Value
	}
	called[m.Name] = m.Value
	if rules.NameOf(m.Name) == "" {
		return &FaultError{"“!" + m.Name + "” is not a command of ours."}
	}
	if m.Value == "" {
		return &FaultError{"What should it be called?"}
	}
	if err := (rules.Options{Names: rules.Renamed(called)}).Check(); err != nil {
		return &FaultError{"It cannot be called “!" + m.Value + "”: that is a command already, or no single word that begins with a letter."}
	}
	return nil
}

// Suggest is another name for a command of ours that another bot answers too, and false for what is no command of ours but of a rule.
func Suggest(word string) (name string, ok bool) {
	if rules.NameOf(word) == "" {
		return "", false
	}
	for _, x := range [][2]string{
		{"shop", "store"},
		{"items", "shelf"},
		{"buy", "take"},
		{"sold", "gimme"},
		{"help", "how"},
		{"cart", "basket"},
		{"link", "basketlink"},
		{"me", "mythings"},
		{"hold", "myholds"},
		{"price", "cost"},
		{"item", "piece"},
		{"order", "myorder"},
		{"wait", "inline"},
		{"pass", "giveback"},
		{"cancel", "undo"},
		{"why", "reason"},
		{"next", "nextitem"},
		{"pause", "halt"},
	} {
		if x[0] == word {
			return x[1], true
		}
	}
	return "our" + word, true
}
