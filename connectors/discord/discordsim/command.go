package discordsim

import (
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// command is a registered slash command (page "Application Commands").
type command struct {
	ID          string   `json:"id"`
	AppID       string   `json:"application_id"`
	GuildID     string   `json:"guild_id"`
	Version     string   `json:"version"`
	Type        int      `json:"type"`
	Name        string   `json:"name"`
	Description string   `json:"description"`
	Options     []option `json:"options,omitempty"`
}

type option struct {
	Type        int      `json:"type"`
	Name        string   `json:"name"`
	Description string   `json:"description"`
	Required    bool     `json:"required,omitempty"`
	MinValue    *float64 `json:"min_value,omitempty"`
	MaxValue    *float64 `json:"max_value,omitempty"`
	MaxLength   *int     `json:"max_length,omitempty"`
}

// Option types (page "Application Commands").
const (
	optionString  = 3
	optionInteger = 4
)

var commandName = regexp.MustCompile(`^[-_'\p{L}\p{N}]{1,32}$`)

func (c *command) valid() bool {
	described := func(s string) bool { n := utf8.RuneCountInString(s); return n >= 1 && n <= 100 }
	if c.Type == 0 {
		c.Type = 1
	}
	ok := commandName.MatchString(c.Name) && c.Name == strings.ToLower(c.Name) && described(c.Description) && len(c.Options) <= 25
	optional := false
	for _, o := range c.Options {
		ok = ok && commandName.MatchString(o.Name) && described(o.Description) && o.Type >= 1 && o.Type <= 11 && (!o.Required || !optional)
		optional = optional || !o.Required
	}
	return ok
}

func (s *Sim) listCommands(w http.ResponseWriter, r *http.Request) *fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	g := r.PathValue("guild")
	if s.guilds[g] == nil || r.PathValue("app") != s.cfg.AppID {
		return &fault{403, 50001, "Missing Access"}
	}
	answer(w, 200, append([]command{}, s.commands[g]...))
	return nil
}

func (s *Sim) overwriteCommands(w http.ResponseWriter, r *http.Request) *fault {
	var cs []command
	if f := body(w, r, &cs); f != nil {
		return f
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	g := r.PathValue("guild")
	if s.guilds[g] == nil || r.PathValue("app") != s.cfg.AppID {
		return &fault{403, 50001, "Missing Access"}
	}
	names := map[string]bool{}
	for i := range cs {
		c := &cs[i]
		if !c.valid() || names[c.Name] || len(cs) > 100 {
			return invalid
		}
		names[c.Name] = true
		c.ID, c.AppID, c.GuildID, c.Version = s.snowflake(), s.cfg.AppID, g, s.snowflake()
	}
	s.commands[g] = cs
	s.tally.overwrites++
	answer(w, 200, cs)
	return nil
}

// Commands are the names of the slash commands registered in a guild.
func (s *Sim) Commands(guildID string) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var names []string
	for _, c := range s.commands[guildID] {
		names = append(names, c.Name)
	}
	return names
}

var named = regexp.MustCompile(`([-_'\p{L}\p{N}]+):`)

// parse reads what a viewer typed, such as "/buy item:3 variant:M", as Discord's input line would.
func (c command) parse(text string) ([]map[string]any, error) {
	out := []map[string]any{}
	var at []int
	for _, m := range named.FindAllStringSubmatchIndex(text, -1) {
		if slices.ContainsFunc(c.Options, func(o option) bool { return o.Name == text[m[2]:m[3]] }) {
			at = append(at, m[0])
		}
	}
	given := map[string]string{}
	for i, a := range at {
		end := len(text)
		if i+1 < len(at) {
			end = at[i+1]
		}
		name, value, _ := strings.Cut(text[a:end], ":")
		given[name] = strings.TrimSpace(value)
	}
	for _, o := range c.Options {
		v, ok := given[o.Name]
		switch {
		case !ok && o.Required:
			return nil, fmt.Errorf("/%s: %s is required", c.Name, o.Name)
		case !ok:
			continue
		case o.Type == optionInteger:
			n, err := strconv.ParseInt(v, 10, 53)
			if err != nil || o.MinValue != nil && float64(n) < *o.MinValue || o.MaxValue != nil && float64(n) > *o.MaxValue {
				return nil, fmt.Errorf("/%s: %s is no number that is allowed", c.Name, o.Name)
			}
			out = append(out, map[string]any{"type": o.Type, "name": o.Name, "value": n})
		default:
			if o.MaxLength != nil && utf8.RuneCountInString(v) > *o.MaxLength {
				return nil, fmt.Errorf("/%s: %s is too long", c.Name, o.Name)
			}
			out = append(out, map[string]any{"type": optionString, "name": o.Name, "value": v})
		}
	}
	return out, nil
}
