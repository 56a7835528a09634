package demo

import (
	"hash/fnv"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"hawker/internal/chat"
	"hawker/internal/demo/crowd"
	"hawker/internal/lang"
)

// newcomer is who sits before the page: one browser, under the name they chose.
type newcomer struct{ key, name string }

// keyLong is the length of the key that a browser makes for itself, in hexadecimal digits. It is as good as a password: who
// has it sees what only this newcomer sees.
const keyLong = 32

func validKey(s string) bool {
	return len(s) == keyLong && strings.Trim(s, "0123456789abcdef") == ""
}

// on is the newcomer as a viewer of a platform, with an id and a name as that platform gives them.
func (n newcomer) on(p chat.Platform) crowd.Viewer {
	h := fnv.New64a()
	_, _ = h.Write([]byte(n.key)) // never fails
	id := h.Sum64()
	switch p {
	case chat.Twitch:
		return crowd.Viewer{ID: strconv.FormatUint(900_000_000+id%99_999_999, 10), Name: TwitchName(n.name)}
	case chat.YouTube:
		return crowd.Viewer{ID: "UCguest" + strconv.FormatUint(1_000_000_000_000_000+id%999_999_999_999_999, 10), Name: YouTubeName(n.name)}
	}
	return crowd.Viewer{ID: strconv.FormatUint(700_000_000_000_000_000+id%99_999_999_999_999_999, 10), Name: DiscordName(n.name)}
}

// someone is the name of who chose none.
const someone = "newcomer"

// TwitchName is a display name as Twitch allows it: letters, digits and underscores, at most 25.
func TwitchName(s string) string {
	return named(s, 25, func(r rune) rune {
		switch {
		case unicode.IsLetter(r), unicode.IsDigit(r):
			return r
		case r == '_', r == ' ', r == '-', r == '.':
			return '_'
		}
		return -1
	}, "_")
}

// YouTubeName is a channel's name as YouTube allows it: nearly anything but angle brackets, at most 50 characters.
func YouTubeName(s string) string {
	return named(s, 50, func(r rune) rune {
		if r == '<' || r == '>' || !unicode.IsPrint(r) {
			return -1
		}
		return r
	}, " ")
}

// DiscordName is a display name as Discord allows it: no mentions or code marks, at most 32 characters.
func DiscordName(s string) string {
	out := named(s, 32, func(r rune) rune {
		if strings.ContainsRune("@#:`", r) || !unicode.IsPrint(r) {
			return -1
		}
		return r
	}, " ")
	if l := strings.ToLower(out); l == "everyone" || l == "here" || strings.Contains(l, "discord") {
		return someone
	}
	return out
}

// named keeps what a platform allows of a name. A name of which nothing could be shown in a line becomes another.
func named(s string, most int, allowed func(rune) rune, trim string) string {
	s = strings.Trim(strings.Map(allowed, strings.ToValidUTF8(s, "")), trim)
	if r := []rune(s); len(r) > most {
		s = strings.Trim(string(r[:most]), trim)
	}
	if lang.Name(s) == "" {
		return someone
	}
	return s
}

// longest is how long a line may be on a platform, in characters.
func longest(p chat.Platform) int {
	switch p {
	case chat.Twitch:
		return 500
	case chat.YouTube:
		return 200
	}
	return 2000
}

// typed is what a newcomer typed as the platform takes it: one row, not too long.
func typed(p chat.Platform, s string) string {
	s = strings.TrimSpace(strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == '\u2028' || r == '\u2029' {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "")))
	if utf8.RuneCountInString(s) > longest(p) {
		s = string([]rune(s)[:longest(p)])
	}
	return s
}

// speak has a newcomer type a line. What Discord would take for one of its own commands is used as such; problem says
// what its input line would say against it.
func (d *Demo) speak(n newcomer, p chat.Platform, text string) (problem string) {
	v := n.on(p)
	if p == chat.Discord && strings.HasPrefix(text, "/") {
		in, err := d.discord.Use(discordID, discordViewer(v), slash(text))
		if err != nil {
			return "Discord would not send that: " + err.Error()
		}
		d.useDone(v, in.ID, text)
		return ""
	}
	d.say(p, v, text)
	return ""
}

// unsay takes away a line that a newcomer wrote, as people do who changed their mind; false when it is not theirs. Twitch and
// YouTube let only moderators delete: there one is at hand.
func (d *Demo) unsay(n newcomer, p chat.Platform, id string) bool {
	if !d.board.wrote(p, n.on(p).ID, id) {
		return false
	}
	switch p {
	case chat.Twitch:
		d.twitch.Delete(ownerID, id)
	case chat.YouTube:
		d.youtube.Delete(youtubeID, id)
	case chat.Discord:
		d.discord.Delete(discordID, id)
	}
	d.board.show(line{Platform: p, ID: id, Gone: true})
	return true
}

// useDone shows the newcomer, and nobody else, that they used a command, and starts the stopwatch on it.
func (d *Demo) useDone(v crowd.Viewer, id, text string) {
	now := time.Now()
	d.stopwatch.ask(chat.Discord, asked{"", v.ID, lang.Name(v.Name), now})
	d.board.show(line{Platform: chat.Discord, ID: id, Who: v.Name, Text: text, At: now.UnixMilli(), Private: true, viewer: v.ID, only: v.ID})
}

// slash helps who types a command as if it were a line: "/buy 3 x2" becomes "/buy item:3 amount:2".
func slash(text string) string {
	f := strings.Fields(text)
	if len(f) < 2 || strings.Contains(text, ":") {
		return text
	}
	switch f[0] {
	case "/buy", "/wait", "/pass", "/item", "/less", "/more":
	case "/connect":
		return "/connect code:" + f[1]
	default:
		return text
	}
	out := f[0] + " item:" + f[1]
	var variant []string
	for _, w := range f[2:] {
		if n, err := strconv.Atoi(strings.TrimLeft(w, "xX")); err == nil && n > 0 {
			out += " amount:" + strconv.Itoa(n)
			continue
		}
		variant = append(variant, w)
	}
	if len(variant) > 0 {
		out += " variant:" + strings.Join(variant, " ")
	}
	return out
}
