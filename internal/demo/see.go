package demo

import (
	"strings"

	"hawker/connectors/discord/discordsim"
	"hawker/connectors/twitch/twitchsim"
	"hawker/connectors/youtube/youtubesim"
	"hawker/internal/chat"
	"hawker/internal/demo/crowd"
)

// saw is a line that a chat shows: pages, stopwatch and crowd see it.
func (d *Demo) saw(l line) {
	switch {
	case l.Gone:
	case l.Bot:
		d.stopwatch.said(l)
		if !l.Thinking {
			h := crowd.Line{Platform: l.Platform, Text: l.Text, ReplyTo: l.replyTo, For: l.only}
			for _, b := range l.Links {
				h.Links = append(h.Links, b.URL)
			}
			d.crowd.Hear(h)
		}
	default:
		d.stopwatch.line(l)
	}
	d.board.show(l)
}

func (d *Demo) sawTwitch(t twitchsim.Line) {
	l := line{
		Platform: chat.Twitch, ID: t.ID, Who: t.User.Name, Text: t.Text, At: t.At.UnixMilli(), Bot: t.User.ID == botID && t.Sent, viewer: t.User.ID, replyTo: t.ReplyTo,
	}
	switch t.User.ID {
	case ownerID:
		l.Role = "owner"
	case botID:
		l.Role = "moderator"
	}
	d.saw(l)
}

func (d *Demo) sawYouTube(s youtubesim.Shown) {
	if s.Kind != "textMessageEvent" {
		return
	}
	l := line{
		Platform: chat.YouTube, ID: s.ID, Who: s.Viewer.Name, Text: s.Text, At: s.At.UnixMilli(), Bot: s.ByAPI, viewer: s.Viewer.ID,
	}
	if s.Viewer.Owner {
		l.Role = "owner"
	}
	d.saw(l)
}

func (d *Demo) sawDiscord(s discordsim.Shown) {
	l := line{
		Platform: chat.Discord, ID: s.ID, Who: s.Author.Title(), Text: s.Text, At: s.At.UnixMilli(), Bot: s.Own, viewer: s.Author.ID, replyTo: s.ReplyTo,
		Private: s.Kind == discordsim.Private, Thinking: s.Thinking, Gone: s.Kind == discordsim.Deleted, only: s.For,
	}
	if s.Own {
		l.Text = plain(s.Text)
	}
	for _, b := range s.Buttons {
		l.Links = append(l.Links, button{b.Label, b.URL, b.CustomID})
	}
	d.saw(l)
}

// plain is what Discord shows of a text that was escaped for it: a backslash makes the sign behind it a plain one.
func plain(s string) string {
	var b strings.Builder
	escaped := false
	for _, r := range s {
		if r == '\\' && !escaped {
			escaped = true
			continue
		}
		if escaped && !strings.ContainsRune("\\*_~`|<>[]#-+.", r) {
			b.WriteRune('\\')
		}
		escaped = false
		b.WriteRune(r)
	}
	return b.String()
}
