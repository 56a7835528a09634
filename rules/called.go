package rules

import "slices"

// NameOf is the command that a word stands for where the merchant renamed none, empty for none.
func NameOf(word string) Name {
	for _, d := range defaultNames() {
		if slices.Contains(d.words, word) {
			return d.name
		}
	}
	return ""
}

// Renamed gives commands other words, for Options.Names: {"shop": "store"} makes "!store" of "!shop" and leaves the command's
// other words as they are. What is not a word of a command is passed over. Nil where nothing is renamed.
func Renamed(words map[string]string) map[Name][]string {
	return renamed(words, func(own []string, i int, with string) []string { own[i] = with; return own })
}

// AlsoCalled is Renamed for lines from before and after a command was renamed: both words stand for it.
func AlsoCalled(words map[string]string) map[Name][]string {
	return renamed(words, func(own []string, _ int, with string) []string { return append(own, with) })
}

func renamed(words map[string]string, take func(own []string, i int, with string) []string) map[Name][]string {
	var out map[Name][]string
	for _, d := range defaultNames() {
		for i, w := range d.words {
			with, ok := words[w]
			if !ok || with == "" {
				continue
			}
			if out == nil {
				out = map[Name][]string{}
			}
			if out[d.name] == nil {
				out[d.name] = slices.Clone(d.words)
			}
			out[d.name] = take(out[d.name], i, with)
		}
	}
	return out
}
