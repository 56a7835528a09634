package twitchsim

import (
	"slices"
	"strings"
	"time"
)

// Type has a user type a line into the channel (by the channel's id) and returns the line's id. "/me text" becomes an
// action. Users that were not known before become known, but cannot log in.
func (s *Sim) Type(channelID string, u User, text string) string {
	text, action := strings.CutPrefix(text, "/me ")
	return s.Post(Line{Channel: channelID, User: u, Text: text, Action: action})
}

// Post shows a line with everything that a line can carry; empty ID and At are filled in.
func (s *Sim) Post(l Line) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if l.User.Login == "" {
		if known, ok := s.users[l.User.ID]; ok && (l.User.Name == "" || l.User.Name == known.Name) {
			l.User = known
		}
	}
	if known, ok := s.users[l.User.ID]; !ok || known != l.User {
		l.User = s.addUser(l.User)
	}
	return s.post(l, nil)
}

// post stores, delivers and shows a line; the caller holds s.mu.
func (s *Sim) post(l Line, but *conn) string {
	if l.ID == "" {
		l.ID = uuid()
	}
	if l.At.IsZero() {
		l.At = s.now()
	}
	r := s.room(l.Channel)
	raw := s.privmsg(r, l)
	r.raw[l.ID] = raw
	r.lines = append(r.lines, l)
	if n := len(r.lines) - keepLines; n >= keepLines/10 {
		for _, old := range r.lines[:n] {
			delete(r.raw, old.ID)
		}
		r.lines = slices.Clone(r.lines[n:])
	}
	if l.Sent {
		r.spoken = append(r.spoken, l)
		if n := len(r.spoken) - keepLines; n >= keepLines/10 {
			r.spoken = slices.Clone(r.spoken[n:])
		}
	}
	s.broadcast(l.Channel, raw, but)
	s.tellLine(r, l)
	for w := range r.watchers {
		select {
		case w <- l:
		default: // a page that cannot follow misses lines, the chat does not wait
		}
	}
	return l.ID
}

// Watch gives every line shown in the channel from now on, viewers' and the bot's, until stop or Close (which close
// the channel). A watcher that lets 1,024 lines wait misses some.
func (s *Sim) Watch(channelID string) (lines <-chan Line, stop func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	w, r := make(chan Line, 1024), s.room(channelID)
	if s.closed {
		close(w)
		return w, func() {}
	}
	r.watchers[w] = true
	return w, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if r.watchers[w] {
			delete(r.watchers, w)
			close(w)
		}
	}
}

// Lines is what the channel shows now, oldest first, at most the newest n.
func (s *Sim) Lines(channelID string, n int) []Line {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := s.room(channelID).lines
	return slices.Clone(all[max(0, len(all)-n):])
}

// Spoken is every line accepted from the API or a chat connection, oldest first.
func (s *Sim) Spoken(channelID string) []Line {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.room(channelID).spoken)
}

// Delete has a moderator take one line away.
func (s *Sim) Delete(channelID, id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if i := slices.IndexFunc(s.room(channelID).lines, func(l Line) bool { return l.ID == id }); i >= 0 {
		s.remove(channelID, i)
	}
}

// remove takes the line at i away; the caller holds s.mu.
func (s *Sim) remove(channelID string, i int) {
	r := s.room(channelID)
	l := r.lines[i]
	r.lines = slices.Delete(slices.Clone(r.lines), i, i+1)
	// room-id is empty on this line, as on Twitch.
	s.broadcast(channelID, "@login="+l.User.Login+";room-id=;target-msg-id="+l.ID+";tmi-sent-ts="+millis(time.Now())+
		" :tmi.twitch.tv CLEARMSG #"+s.users[channelID].Login+" :"+oneLine(l.Text), nil)
	s.tellGone("channel.chat.message_delete", channelID, l.User, l.ID)
}

// Clear takes all lines of one user away (a ban or timeout), or all lines when userID is empty.
func (s *Sim) Clear(channelID, userID string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.clear(channelID, userID)
}

func (s *Sim) clear(channelID, userID string) {
	r, u := s.room(channelID), s.users[userID]
	r.lines = slices.DeleteFunc(slices.Clone(r.lines), func(l Line) bool { return userID == "" || l.User.ID == userID })
	line := "@room-id=" + channelID
	if userID != "" {
		line += ";target-user-id=" + userID
	}
	line += ";tmi-sent-ts=" + millis(time.Now()) + " :tmi.twitch.tv CLEARCHAT #" + s.users[channelID].Login
	if userID != "" {
		line += " :" + u.Login
	}
	s.broadcast(channelID, line, nil)
	if userID != "" {
		s.tellGone("channel.chat.clear_user_messages", channelID, u, "")
	} else {
		s.tellGone("channel.chat.clear", channelID, User{}, "")
	}
}

// Repeat delivers a line a second time under the same id.
func (s *Sim) Repeat(channelID, id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.room(channelID)
	if raw, ok := r.raw[id]; ok {
		s.broadcast(channelID, raw, nil)
	}
	for _, l := range r.lines {
		if l.ID == id {
			s.tellLine(r, l)
		}
	}
}

// Raw sends a line as it is to everybody in the channel.
func (s *Sim) Raw(channelID, line string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.broadcast(channelID, line, nil)
}

// Malformed delivers lines that no correct server would send.
func (s *Sim) Malformed(channelID string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	name, src := s.users[channelID].Login, " :x!x@x.tmi.twitch.tv PRIVMSG #"
	for _, l := range []string{
		"", " ", "@", ":", "@ :", "PRIVMSG", ":x PRIVMSG", "@badges=moderator;id=1" + src + name, "@=;=;;" + src, "\x00\xff\xfe", "@a=b",
		"@emotes=25:0-4,x/:;badges=,,/;id=;user-id=;room-id=" + channelID + src + name + " :", "CLEARMSG", "CLEARCHAT", "USERSTATE", "NOTICE", "JOIN",
		"@emotes=1:9-99999;badges=x;id=" + uuid() + ";user-id=;room-id=" + channelID + src + name + " :!buy 3", "@tmi-sent-ts=99999999999999999999" + src + name + " :!buy 3",
		"@id=" + uuid() + ";room-id=424242;user-id=7" + src + "elsewhere :!buy 3", "WHISPER", "353", strings.Repeat("@", 9000), strings.Repeat("x ", 40_000),
	} {
		s.broadcast(channelID, l, nil)
	}
}

// Mod makes a user moderator of a channel, or ends it. VIP and Ban do the same for VIPs and bans.
func (s *Sim) Mod(channelID, userID string, on bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.room(channelID).mods[userID] = on
}

// NoApps has a channel refuse lines by an application's own token, or ends that.
func (s *Sim) NoApps(channelID string, on bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.room(channelID).noApps = on
}

// Sub makes a user a subscriber of a channel, or ends it.
func (s *Sim) Sub(channelID, userID string, on bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.room(channelID).subs[userID] = on
}

// VIP makes a user a VIP of a channel, or ends it.
func (s *Sim) VIP(channelID, userID string, on bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.room(channelID).vips[userID] = on
}

// Ban bans a user from a channel, or ends it: no joining, no speaking.
func (s *Sim) Ban(channelID, userID string, on bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.room(channelID).banned[userID] = on
}

// Rename gives a user a new login; chats joined under the old one fall silent, as on Twitch.
func (s *Sim) Rename(userID, login string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	u := s.users[userID]
	u.Login = login
	s.addUser(u)
	for c := range s.conns {
		delete(c.rooms, userID)
	}
}

// Drop cuts every open connection, chat, web and EventSub, without a word.
func (s *Sim) Drop() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.conns {
		c.rooms = map[string]bool{}
		c.close()
	}
	for c := range s.webConns {
		_ = c.Close()
	}
	for k := range s.sitting {
		k.stop()
	}
}

// DropChat cuts every chat connection (IRC) without a word.
func (s *Sim) DropChat() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.conns {
		c.rooms = map[string]bool{}
		c.close()
	}
}

// HalfOpen has the chat connections of now say nothing any more, not even PONG, while they stay open; new ones work.
func (s *Sim) HalfOpen() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.conns {
		c.dead = true
	}
}

// Watching is how many chat connections are in the channel.
func (s *Sim) Watching(channelID string) (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.conns {
		if c.rooms[channelID] && !c.dead {
			n++
		}
	}
	return n
}

// Reconnect asks every chat connection to come again, and cuts those that are still there a second later.
func (s *Sim) Reconnect() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.conns {
		c.send(":tmi.twitch.tv RECONNECT")
		if c.timer == nil {
			c.timer = time.AfterFunc(time.Second, c.close)
		}
	}
}

// MuteSays has the chat server take lines, and neither show them nor say what became of them, until it is turned off.
func (s *Sim) MuteSays(on bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.muteSays = on
}

// RefuseSends answers the next n sends with 429, as when the quota is used up; it says to come again in a second.
func (s *Sim) RefuseSends(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refuse429 = n
}

// RefuseBare answers the next n sends with 429 and no header that says when to come again.
func (s *Sim) RefuseBare(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.bare429 = n
}

// LoseAnswers takes the next n sends and cuts the connection instead of answering.
func (s *Sim) LoseAnswers(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lose = n
}

// CloseAtOnce has every chat and EventSub connection closed as soon as it stands, or ends that.
func (s *Sim) CloseAtOnce(on bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.shut = on
}

// Skew sets Twitch's clock off: the stamps of lines and events, and the dates and times in answers of the API.
func (s *Sim) Skew(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.skew = d
}

// now is Twitch's clock; the caller holds s.mu.
func (s *Sim) now() time.Time { return time.Now().Add(s.skew) }

// Unscope takes scopes from every token, as if they had never been granted.
func (s *Sim) Unscope(scopes ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, g := range s.grants {
		g.Scopes = slices.DeleteFunc(slices.Clone(g.Scopes), func(sc string) bool { return slices.Contains(scopes, sc) })
	}
}

// RefuseNext drops the next line that is sent, with Twitch's code and sentence, for example "msg_slowmode".
func (s *Sim) RefuseNext(code, message string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.drops = append(s.drops, drop{code, message})
}

// Posts counts lines that came in through the API since the start, whatever became of them.
func (s *Sim) Posts() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.posts
}

// Break answers the next n web requests with status 503 and a page of HTML.
func (s *Sim) Break(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.broken = n
}

// Slow makes every web answer take d longer; 0 ends it.
func (s *Sim) Slow(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.slow = d
}

// ExpireToken makes every access token invalid; refreshing works.
func (s *Sim) ExpireToken() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, g := range s.grants {
		g.Expires = time.Time{}
	}
}

// Revoke withdraws every permission for good: neither tokens nor refresh tokens work.
func (s *Sim) Revoke() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.grants = nil
}

// RevokeUser withdraws what one user granted, for good.
func (s *Sim) RevokeUser(userID string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.grants = slices.DeleteFunc(s.grants, func(g *grant) bool { return g.user == userID })
}

// Logins counts chat logins tried since the start, Refreshes token refreshes tried.
func (s *Sim) Logins() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.logins
}

// Refreshes counts token refreshes tried since the start.
func (s *Sim) Refreshes() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.refreshes
}

// OverLimit counts lines, joins and logins that exceeded the documented rates since the start.
func (s *Sim) OverLimit() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.overLimit
}
