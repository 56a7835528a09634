package starter

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"hawker/rules/book"
	"hawker/rules/facts"
	"hawker/rules/rule"
	"hawker/rules/sentence"
)

// update rewrites the tables of the documentation: go test ./rules/starter -update; then read the difference.
var update = flag.Bool("update", false, "write the tables into docs/rules.md")

const document = "../../docs/rules.md"

// tables are the parts of docs/rules.md that are made from the code, by the name that stands in their marks.
func tables() map[string]string {
	out := map[string]string{}
	var b strings.Builder
	done := func(name string) {
		out[name] = b.String()
		b.Reset()
	}
	b.WriteString("| when | happens when | |\n|---|---|---|\n")
	for _, e := range rule.Events() {
		w := rule.When{Event: e}
		about := sentence.When(&w)
		form := "`when: " + string(e) + "`"
		switch e {
		case rule.Command:
			about, form = "somebody types one of these commands, without their sign here", "`when: {command: [raffle, tombola]}`"
		case rule.Contains:
			about, form = "one of these words or phrases stands in a line", "`when: {line contains: [free followers]}`"
		case rule.Matches:
			about, form = "a line matches a pattern (RE2), read in small letters and plain forms", "`when: {line matches: '\\bhow much\\b'}`"
		case rule.Every:
			about, form = "so much more time of a show has passed", "`when: {every: 20m}`"
		case rule.At:
			about, form = "it is this time of the merchant's clock in a show", "`when: {at: \"20:00\"}`"
		case rule.AfterLines:
			about, form = "so many lines of people were typed in a chat", "`when: {after lines: 100}`"
		case rule.StockAt:
			about, form = "the free pieces of an item went down to this number", "`when: {stock at: 3}`"
		case rule.Webhook:
			about, form = "another program calls the address that the page gives you for this name", "`when: {webhook: restocked}`"
		case rule.Redeemed, rule.PollEnded, rule.DestinationDown, rule.DestinationUp:
			form += ", or of one by its name: `when: {" + string(e) + ": Name}`"
		}
		fmt.Fprintf(&b, "| %s | %s | %s |\n", e, about, form)
	}
	done("events")
	b.WriteString("| action | is followed by | may have beside |\n|---|---|---|\n")
	for _, k := range rule.ActionKinds() {
		f, _ := rule.FormOf(k)
		main := "`yes`"
		if f.Main != 0 {
			main = param(k, f.Main)
		}
		var extra []string
		for _, p := range f.Must {
			extra = append(extra, "`"+p.Key()+"` (needed): "+param(k, p))
		}
		for _, p := range f.Extra {
			extra = append(extra, "`"+p.Key()+"`: "+param(k, p))
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s |\n", k, main, strings.Join(extra, "; "))
	}
	done("actions")
	b.WriteString("| name | kind | is | for example | there for |\n|---|---|---|---|---|\n")
	for _, f := range facts.List() {
		var in []string
		for _, e := range rule.Events() {
			if f.In(e) {
				in = append(in, string(e))
			}
		}
		where := strings.Join(in, ", ")
		if len(in) == len(rule.Events()) {
			where = "all"
		} else if len(in) > 12 {
			where = "all that a viewer is behind"
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s | %s |\n", f.Name, f.Kind, f.About, f.Example, where)
	}
	done("facts")
	for _, f := range facts.Functions() {
		call, about, _ := strings.Cut(f[1], "): ")
		fmt.Fprintf(&b, "- `%s)`: %s\n", call, about)
	}
	done("functions")
	fmt.Fprintf(&b, "- %d rules, %d actions in a rule, %d characters in a text, %d in an expression, %d bytes in a pattern\n", rule.MaxRules, rule.MaxActions, rule.MaxText, rule.MaxExpr, rule.MaxPattern)
	fmt.Fprintf(&b, "- one line or happening causes at most %d effects; expressions go through lists %d times at most\n", book.MaxEffects, book.MaxSteps)
	done("limits")
	return out
}

func param(k rule.ActionKind, p rule.Param) string {
	switch p {
	case rule.PText:
		return "a text"
	case rule.PChannels:
		return "platforms or channels, such as `[twitch, discord/12]`"
	case rule.PItem:
		if k == rule.Air {
			return "an item's number"
		}
		return "an item's number, or `on air`"
	case rule.PQuantity:
		return "how many"
	case rule.PAmount:
		switch k {
		case rule.Price:
			return "an amount, `\"19.99\"`"
		case rule.Stock:
			return "`\"+5\"`, `\"-2\"` or `\"5\"`"
		}
		return "`10%` or an amount, `\"5.00\"`"
	case rule.PFor:
		return "how long, `10m`"
	case rule.PName:
		switch k {
		case rule.DiscountCode:
			return "what the code begins with"
		case rule.Set:
			return "the counter's or variable's name"
		}
		return "its name"
	case rule.PValue:
		return "an expression, `counters.raffle + 1`"
	case rule.POn:
		return "`yes` or `no`"
	}
	return "an `https://` address"
}

func TestDocs(t *testing.T) {
	b, err := os.ReadFile(document)
	if err != nil {
		t.Fatal(err)
	}
	text := string(b)
	for name, table := range tables() {
		from, to := "<!-- "+name+" -->\n", "<!-- end -->"
		i := strings.Index(text, from)
		if i < 0 {
			t.Fatalf("docs/rules.md has no place for %s", name)
		}
		i += len(from)
		j := i + strings.Index(text[i:], to)
		if text[i:j] != table {
			if !*update {
				t.Errorf("docs/rules.md: the %s are not what they are in the code; go test ./rules/starter -update", name)
			}
			text = text[:i] + table + text[j:]
		}
	}
	if *update {
		if err := os.WriteFile(document, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	// Every rule that stands there is one.
	for i, part := range strings.Split(text, "```yaml\n")[1:] {
		part, _, _ = strings.Cut(part, "```")
		all, err := rule.Parse([]byte(part))
		if err != nil {
			t.Errorf("example %d of docs/rules.md: %v", i+1, err)
			continue
		}
		if _, err := book.New(all, book.Options{}); err != nil {
			t.Errorf("example %d of docs/rules.md: %v", i+1, err)
		}
	}
}
