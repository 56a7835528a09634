// Package ircv3 reads the tags of a line of Twitch's chat server (IRCv3, "Message Tags"). The library's reader unescapes them in
// several passes, trims them, panics on odd badges and emotes, and takes longer for them than for all the rest of a line.
package ircv3

import "strings"

// Parse reads the tags of a line, without the "@" (IRCv3, "Message Tags": escapes are read left to right in one
// pass, a lone backslash at the end is dropped, a key without "=" has the empty value).
func Parse(list string) Tags {
	tags := make(Tags, 0, 1+strings.Count(list, ";"))
	for tag := range strings.SplitSeq(list, ";") {
		if k, v, _ := strings.Cut(tag, "="); k != "" {
			tags = append(tags, Tag{k, unescape(v)})
		}
	}
	return tags
}

// Tags are the tags of a line. There are a few dozen at the most, of which a few are asked for: to look through them costs less
// than to put them in order.
type Tags []Tag

// Tag is one of a line, its value unescaped.
type Tag struct{ Key, Value string }

// Find is the value of a tag; of a key that is there twice the last counts.
func (t Tags) Find(key string) (string, bool) {
	for i := len(t) - 1; i >= 0; i-- {
		if t[i].Key == key {
			return t[i].Value, true
		}
	}
	return "", false
}

// Get is Find's value, empty when the tag is not there.
func (t Tags) Get(key string) string {
	v, _ := t.Find(key)
	return v
}

func unescape(v string) string {
	if !strings.Contains(v, `\`) {
		return v
	}
	var b strings.Builder
	for i := 0; i < len(v); i++ {
		if v[i] != '\\' {
			b.WriteByte(v[i])
			continue
		}
		if i++; i == len(v) {
			break
		}
		switch v[i] {
		case ':':
			b.WriteByte(';')
		case 's':
			b.WriteByte(' ')
		case 'r':
			b.WriteByte('\r')
		case 'n':
			b.WriteByte('\n')
		default:
			b.WriteByte(v[i])
		}
	}
	return b.String()
}
