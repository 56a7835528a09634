package twitch

import (
	"context"
	"crypto/rand"
	"strings"
	"time"

	"github.com/nicklaw5/helix/v2"

	"hawker/internal/chat"
)

// The chat server as a second road for what is said. It takes lines where the API cannot: where the account has not granted
// user:write:chat but chat:edit, and while the API is out of order. A line goes over one of them, once: what the API may have taken
// is not said again here. Both count against the same rates of Twitch.
const (
	scopeEdit = "chat:edit"
	// manyFails is after how many answers of an API out of order, one after the other, lines go over the chat server; it is looked
	// at every lookAgain whether the API is well again.
	manyFails = 3
	lookAgain = 15 * time.Second
	// takenIn is how long the chat server may take to say what became of a line; then nobody knows, and the connection is made anew.
	takenIn = 5 * time.Second
	// handIn is how long the connection's goroutine may take to see the line.
	handIn = 2 * time.Second
)

// helixHealth is what the last lines tell of the API.
type helixHealth struct {
	fails  int
	looked time.Time
}

// spoken is a line for the chat server. done gets its end once.
type spoken struct {
	room, text, replyTo, nonce string
	until                      time.Time
	done                       chan taken
}

type taken struct {
	id string
	re *chat.Refused
}

// speaksOver is the name of a channel's room when lines can be said in it over the chat server; empty when not.
func (c *Client) speaksOver(id string) string {
	if c.o.Road == EventSub || c.anonymous() || !c.tokens.has(scopeEdit) {
		return ""
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if r := c.rooms[id]; r != nil && r.joined {
		return r.login
	}
	return ""
}

// instead is the room in which a line is to be said over the chat server instead of the API; empty for the API.
func (c *Client) instead(ctx context.Context, id string) string {
	c.mu.Lock()
	away := c.health.fails >= manyFails
	look := away && time.Since(c.health.looked) >= lookAgain
	if look {
		c.health.looked = time.Now()
	}
	c.mu.Unlock()
	lacks := c.tokens.known() && !c.tokens.has(scopeWrite)
	if !away && !lacks {
		return ""
	}
	room := c.speaksOver(id)
	if room == "" || lacks || !look {
		return room
	}
	ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
	defer cancel()
	// A question that changes nothing shows whether the API is well again.
	_, err := c.tokens.calls(ctx, func(h *helix.Client) error { _, err := h.GetUsers(&helix.UsersParams{IDs: []string{id}}); return err })
	if !broken(err) {
		c.noteHealth(nil)
		return ""
	}
	return room
}

// broken reports whether an error means that the API is out of order, whatever it was asked.
func broken(err error) bool {
	re := asRefused(err)
	return re != nil && !re.Reconnect && (re.Code == "network" || re.Code == "odd_answer" || len(re.Code) == 3 && re.Code[0] == '5')
}

func (c *Client) noteHealth(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !broken(err) {
		c.health = helixHealth{}
	} else if c.health.fails++; c.health.fails == manyFails {
		c.health.looked = time.Now()
	}
}

// speak says a line over the chat server. The server answers each with the state of the bot there, or with a notice.
func (c *Client) speak(ctx context.Context, room string, p *helix.SendChatMessageParams) (chat.Sent, error) {
	sp := &spoken{room: room, text: p.Message, nonce: strings.ToLower(rand.Text()), done: make(chan taken, 1)}
	if id := p.ReplyParentMessageID; strings.IndexFunc(id, notInID) < 0 {
		sp.replyTo = id
	}
	wait := time.NewTimer(handIn)
	defer wait.Stop()
	no := &chat.Refused{Code: "network", Reason: "Twitch's chat server is not connected."}
	select {
	case c.speaking <- sp:
	case <-wait.C:
		return chat.Sent{}, no
	case <-ctx.Done():
		return chat.Sent{}, no
	}
	t := <-sp.done // the connection answers within takenIn, or ends
	if t.re != nil {
		return chat.Sent{}, t.re
	}
	return chat.Sent{ID: t.id, At: time.Now()}, nil
}

// notInID is what no id of a line has: it must not end a tag or the line.
func notInID(r rune) bool {
	return (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && r != '-' && r != '_'
}

// speaks is where lines come from; nil, which never gives one, before the login was accepted.
func (s *session) speaks() <-chan *spoken {
	if s.in {
		return s.c.speaking
	}
	return nil
}

// say writes a line; its end comes with the server's answer.
func (s *session) say(sp *spoken) error {
	sp.until = time.Now().Add(takenIn)
	s.saying = append(s.saying, sp)
	tags := "@client-nonce=" + sp.nonce
	if sp.replyTo != "" {
		tags += ";reply-parent-msg-id=" + sp.replyTo
	}
	return s.write(tags + " PRIVMSG #" + sp.room + " :" + sp.text)
}

// taken gives the oldest line in a room its end. A nonce that is not the line's is the answer to another.
func (s *session) taken(room, nonce string, t taken) {
	for i, sp := range s.saying {
		if sp.room == room && (nonce == "" || nonce == sp.nonce) {
			s.saying = append(s.saying[:i:i], s.saying[i+1:]...)
			sp.done <- t
			return
		}
	}
}

// refusing reports whether a notice tells that a line was not taken; others tell of the room.
func refusing(code string) bool {
	return strings.HasPrefix(code, "msg_") || code == "no_permission" || code == "tos_ban" || code == "unrecognized_cmd" || code == "invalid_parent"
}

// untold reports whether the server let a line wait for its answer for too long.
func (s *session) untold(now time.Time) bool {
	return len(s.saying) > 0 && now.After(s.saying[0].until)
}

// unsaid ends the lines whose answer did not come before the connection ended.
func (s *session) unsaid() {
	for _, sp := range s.saying {
		sp.done <- taken{re: &chat.Refused{Code: "network", Reason: "The connection to Twitch's chat server broke.", Unknown: true}}
	}
	s.saying = nil
}
