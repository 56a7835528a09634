package twitchsim

import (
	"strconv"
	"strings"
	"time"
)

// escape writes a tag value (IRCv3 message tags, "Escaping values").
func escape(v string) string {
	return strings.NewReplacer(`\`, `\\`, ";", `\:`, " ", `\s`, "\r", `\r`, "\n", `\n`).Replace(v)
}

func mask(login string) string { return login + "!" + login + "@" + login + ".tmi.twitch.tv" }

// tagOf is one tag of a client's line. Clients send only ids, which need no unescaping.
func tagOf(tags, key string) string {
	for tag := range strings.SplitSeq(tags, ";") {
		if k, v, _ := strings.Cut(tag, "="); k == key {
			return v
		}
	}
	return ""
}

// badges are a user's in a room, and the mod tag.
func (s *Sim) badges(r *room, channelID, userID string) (badges, mod string) {
	mod = "0"
	switch {
	case channelID == userID:
		badges = "broadcaster/1"
	case r.mods[userID]:
		badges, mod = "moderator/1", "1"
	case r.vips[userID]:
		badges = "vip/1"
	}
	if r.subs[userID] {
		badges = strings.TrimPrefix(badges+",subscriber/0", ",")
	}
	return badges, mod
}

// subscriber is the tag of a user's subscription.
func (r *room) subscriber(userID string) string {
	if r.subs[userID] {
		return "1"
	}
	return "0"
}

// privmsg is a line's wire form.
func (s *Sim) privmsg(r *room, l Line) string {
	badges, mod := s.badges(r, l.Channel, l.User.ID)
	var b strings.Builder
	b.WriteString("@badge-info=;badges=" + badges)
	if l.Bits > 0 {
		b.WriteString(";bits=" + strconv.Itoa(l.Bits))
	}
	b.WriteString(";color=;display-name=" + escape(l.User.Name) + ";emotes=;first-msg=0;flags=;id=" + l.ID + ";mod=" + mod)
	if l.ReplyTo != "" {
		b.WriteString(";reply-parent-msg-id=" + l.ReplyTo)
	}
	b.WriteString(";returning-chatter=0;room-id=" + l.Channel)
	if l.Source != "" {
		b.WriteString(";source-badge-info=;source-badges=;source-id=" + uuid() + ";source-only=0;source-room-id=" + l.Source)
	}
	b.WriteString(";subscriber=" + r.subscriber(l.User.ID) + ";tmi-sent-ts=" + millis(l.At) + ";turbo=0;user-id=" + l.User.ID + ";user-type=")
	if r.vips[l.User.ID] {
		b.WriteString(";vip=1")
	}
	text := oneLine(l.Text)
	if l.Action {
		text = "\x01ACTION " + text + "\x01"
	}
	b.WriteString(" :" + mask(l.User.Login) + " PRIVMSG #" + s.users[l.Channel].Login + " :" + text)
	return b.String()
}

// oneLine keeps a text from ending the wire's line.
func oneLine(s string) string {
	return strings.NewReplacer("\r", " ", "\n", " ", "\x00", " ").Replace(s)
}

func millis(t time.Time) string { return strconv.FormatInt(t.UnixMilli(), 10) }
