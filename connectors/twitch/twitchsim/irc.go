package twitchsim

import (
	"bufio"
	"net"
	"strings"
	"sync"
	"time"
)

// conn is one chat connection. Its reader runs in serveConn's goroutine, its writer in one of its own.
type conn struct {
	net.Conn
	out    chan string // at most queue lines wait; a client that reads slower is cut, as on Twitch
	done   chan struct{}
	once   sync.Once
	timer  *time.Timer // ends the connection some time after RECONNECT
	tags   bool
	pass   string
	user   User // after login; ID empty for anonymous readers
	logged bool
	grant  *grant // of the login; nil for anonymous readers
	rooms  map[string]bool
	dead   bool // half open: nothing comes any more
}

const queue = 16_384

func (c *conn) close() {
	c.once.Do(func() {
		close(c.done)
		_ = c.Conn.Close()
	})
}

// send queues a line; the caller holds Sim.mu.
func (c *conn) send(line string) {
	if c.dead {
		return
	}
	select {
	case c.out <- line:
	case <-c.done:
	default:
		c.close()
	}
}

func (s *Sim) serveIRC(l net.Listener) {
	for {
		nc, err := l.Accept()
		if err != nil {
			return
		}
		c := &conn{Conn: nc, out: make(chan string, queue), done: make(chan struct{}), rooms: map[string]bool{}}
		s.mu.Lock()
		if s.closed {
			s.mu.Unlock()
			c.close()
			return
		}
		s.conns[c] = true
		s.wg.Go(func() { s.serveConn(c) })
		s.mu.Unlock()
	}
}

func (s *Sim) serveConn(c *conn) {
	var writer sync.WaitGroup
	writer.Go(c.write)
	defer func() {
		c.close()
		s.mu.Lock()
		delete(s.conns, c)
		if c.timer != nil {
			c.timer.Stop()
		}
		s.mu.Unlock()
		writer.Wait()
	}()
	in := bufio.NewScanner(c)
	in.Buffer(nil, 16<<10)
	for in.Scan() {
		if !s.command(c, strings.TrimSuffix(in.Text(), "\r")) {
			return
		}
	}
}

func (c *conn) write() {
	defer c.close()
	// Twitch asks about every five minutes whether anybody is there.
	ping := time.NewTicker(5 * time.Minute)
	defer ping.Stop()
	w := bufio.NewWriter(c)
	for {
		select {
		case line := <-c.out:
			_, _ = w.WriteString(line + "\r\n")
			if len(c.out) > 0 {
				continue
			}
		case <-ping.C:
			_, _ = w.WriteString("PING :tmi.twitch.tv\r\n")
		case <-c.done:
			return
		}
		if w.Flush() != nil {
			return
		}
	}
}

// command does what one line of a client asks and reports whether the connection goes on.
func (s *Sim) command(c *conn, line string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	tags := ""
	if strings.HasPrefix(line, "@") {
		tags, line, _ = strings.Cut(line[1:], " ")
	}
	verb, rest, _ := strings.Cut(line, " ")
	switch strings.ToUpper(verb) {
	case "CAP":
		_, caps, _ := strings.Cut(rest, ":")
		c.tags = c.tags || strings.Contains(caps, "twitch.tv/tags")
		c.send(":tmi.twitch.tv CAP * ACK :" + caps)
	case "PASS":
		c.pass = strings.TrimPrefix(rest, "oauth:")
	case "NICK":
		return s.login(c, rest)
	case "PING":
		c.send(":tmi.twitch.tv PONG tmi.twitch.tv " + rest)
	case "JOIN":
		for name := range strings.SplitSeq(rest, ",") {
			s.join(c, strings.TrimPrefix(strings.TrimSpace(name), "#"))
		}
	case "PART":
		for name := range strings.SplitSeq(rest, ",") {
			if u, ok := s.byLogin(strings.TrimPrefix(name, "#")); ok && c.logged {
				delete(c.rooms, u.ID)
				c.send(":" + mask(c.user.Login) + " PART #" + u.Login)
			}
		}
	case "PRIVMSG":
		room, text, _ := strings.Cut(rest, " :")
		u, ok := s.byLogin(strings.TrimPrefix(room, "#"))
		if !ok || c.user.ID == "" {
			return true
		}
		if !hasScope(c.grant, "chat:edit") {
			c.send("@msg-id=no_permission :tmi.twitch.tv NOTICE #" + u.Login + " :You don't have permission to perform that action.")
			return true
		}
		if s.muteSays {
			return true
		}
		parent := tagOf(tags, "reply-parent-msg-id")
		if s.room(u.ID).raw[parent] == "" {
			parent = "" // an answer to nothing is a line like others
		}
		id, d := s.say(c.user, u.ID, text, parent, c)
		if d != nil {
			c.send("@msg-id=" + d.code + " :tmi.twitch.tv NOTICE #" + u.Login + " :" + d.message)
			return true
		}
		own := "@id=" + id + ";"
		if n := tagOf(tags, "client-nonce"); n != "" {
			own = "@client-nonce=" + n + ";id=" + id + ";"
		}
		c.send(own + s.userState(c.user, u)[1:])
	}
	return true
}

// login answers PASS and NICK. The limit of 20 logins in 10 s is per account.
func (s *Sim) login(c *conn, nick string) bool {
	now := time.Now()
	s.logins++
	s.loginsAt[nick] = append(within(s.loginsAt[nick], now, 10*time.Second), now)
	if len(s.loginsAt[nick]) > 20 {
		s.overLimit++
	}
	c.user = User{Login: nick}
	if !strings.HasPrefix(nick, "justinfan") {
		g := s.byAccess(c.pass)
		if g == nil || s.users[g.user].Login != nick || !hasScope(g, "chat:read") {
			// Written by hand, because the connection ends before the writer would run.
			_ = c.SetWriteDeadline(now.Add(time.Second))
			_, _ = c.Write([]byte(":tmi.twitch.tv NOTICE * :Login authentication failed\r\n"))
			return false
		}
		c.user, c.grant = s.users[g.user], g
	}
	c.logged = true
	if s.shut {
		return false
	}
	for _, l := range []string{
		"001 " + nick + " :Welcome, GLHF!", "002 " + nick + " :Your host is tmi.twitch.tv", "003 " + nick + " :This server is rather new",
		"004 " + nick + " :-", "375 " + nick + " :-", "372 " + nick + " :You are in a maze of twisty passages.", "376 " + nick + " :>",
	} {
		c.send(":tmi.twitch.tv " + l)
	}
	if c.user.ID != "" {
		c.send("@badge-info=;badges=;color=;display-name=" + escape(c.user.Name) + ";emote-sets=0;user-id=" + c.user.ID + ";user-type= :tmi.twitch.tv GLOBALUSERSTATE")
	}
	return true
}

// join lets a connection into a room. A room that does not exist is not answered at all, as on Twitch.
func (s *Sim) join(c *conn, name string) {
	now := time.Now()
	if !c.logged {
		return
	}
	who := c.user.Login
	s.joinsAt[who] = append(within(s.joinsAt[who], now, 10*time.Second), now)
	most := 20
	if s.o.Verified {
		most = 2000
	}
	if len(s.joinsAt[who]) > most {
		s.overLimit++
		return
	}
	u, ok := s.byLogin(name)
	if !ok || s.rooms[u.ID] == nil {
		return
	}
	if s.rooms[u.ID].banned[c.user.ID] {
		c.send("@msg-id=msg_banned :tmi.twitch.tv NOTICE #" + name + " :You are permanently banned from talking in " + name + ".")
		return
	}
	c.rooms[u.ID] = true
	c.send(":" + mask(who) + " JOIN #" + name)
	c.send(":" + who + ".tmi.twitch.tv 353 " + who + " = #" + name + " :" + who)
	c.send(":" + who + ".tmi.twitch.tv 366 " + who + " #" + name + " :End of /NAMES list")
	if c.user.ID != "" {
		c.send(s.userState(c.user, u))
	}
	c.send("@emote-only=0;followers-only=-1;r9k=0;room-id=" + u.ID + ";slow=0;subs-only=0 :tmi.twitch.tv ROOMSTATE #" + name)
}

func (s *Sim) userState(u, channel User) string {
	badges, mod := s.badges(s.room(channel.ID), channel.ID, u.ID)
	typ := ""
	if mod == "1" {
		typ = "mod"
	}
	return "@badge-info=;badges=" + badges + ";color=;display-name=" + escape(u.Name) + ";emote-sets=0;mod=" + mod +
		";subscriber=0;user-type=" + typ + " :tmi.twitch.tv USERSTATE #" + channel.Login
}

// broadcast delivers a line to everybody in the room but one; the caller holds Sim.mu.
func (s *Sim) broadcast(channelID, line string, but *conn) {
	_, plain, _ := strings.Cut(line, " ")
	for c := range s.conns {
		switch {
		case c == but || !c.rooms[channelID]:
		case c.tags || !strings.HasPrefix(line, "@"):
			c.send(line)
		default:
			c.send(plain)
		}
	}
}
