package twitch

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptrace"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/nicklaw5/helix/v2"

	"hawker/internal/chat"
)

// Say says a line, once: through Helix, by the application's own token where the bot's badge may be had; over the chat server
// where Helix cannot be used (see speak.go). Nothing is sent again but after what surely did not take it: a 401, which Twitch
// answers before it reads the line, or no connection. Control characters become blanks, a text that Twitch would take for a command gets an invisible joiner in
// front, a line longer than MaxRunes is refused here. Every error is a *chat.Refused; chat.ReplyGone is the code of an answer to a
// line that is there no more.
func (c *Client) Say(ctx context.Context, l chat.Line) (chat.Sent, error) {
	id := l.To.Channel.ID
	switch {
	case l.To.Channel.Platform != chat.Twitch || id == "":
		return chat.Sent{}, &chat.Refused{Code: "no_channel", Reason: "The line is for no Twitch channel."}
	case l.To.Private():
		return chat.Sent{}, &chat.Refused{Code: "no_private_answers", Reason: "Twitch has no private answers in chat."}
	}
	if c.anonymous() {
		return chat.Sent{}, &chat.Refused{Code: "no_login", Reason: "Without a login nothing can be said."}
	}
	text := clean(l.Text)
	switch n := utf8.RuneCountInString(text); {
	case n == 0:
		return chat.Sent{}, &chat.Refused{Code: "empty", Reason: "The line has no text."}
	case n > MaxRunes:
		return chat.Sent{}, &chat.Refused{Code: "msg_too_long", Reason: "The line has " + strconv.Itoa(n) + " characters; Twitch takes 500."}
	}
	p := helix.SendChatMessageParams{BroadcasterID: id, SenderID: c.o.Bot.ID, Message: text}
	if l.To.Kind == chat.ToReply {
		p.ReplyParentMessageID = l.To.Message
	}
	sent, err := c.saysOver(ctx, &p)
	c.noteSaid(id, sent, err)
	return sent, err
}

// clean makes a text one line that Twitch shows as it is. Twitch treats a text that begins with "/" or "." as a chat
// command, also after blanks.
func clean(s string) string {
	s = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == '\u2028' || r == '\u2029' {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, ""))
	s = strings.TrimSpace(s)
	visible := strings.TrimLeftFunc(s, func(r rune) bool { return unicode.IsSpace(r) || unicode.Is(unicode.Cf, r) })
	switch {
	case visible == "":
		return ""
	case visible[0] == '/' || visible[0] == '.':
		return "\u2060" + visible // WORD JOINER
	}
	return s
}

// saysOver says a line over the road that can. Over the chat server goes what the API surely did not take.
func (c *Client) saysOver(ctx context.Context, p *helix.SendChatMessageParams) (chat.Sent, error) {
	if room := c.instead(ctx, p.BroadcasterID); room != "" {
		return c.speak(ctx, room, p)
	}
	sent, err := c.send(ctx, p)
	c.noteHealth(err)
	if re := asRefused(err); re != nil && (re.Code == "missing_scope" || re.Code == "network") && !re.Unknown {
		if room := c.speaksOver(p.BroadcasterID); room != "" {
			return c.speak(ctx, room, p)
		}
	}
	if re := asRefused(err); re != nil && re.Code == "400" && p.ReplyParentMessageID != "" {
		re.Code = chat.ReplyGone // the text was looked at above, and the channel is heard
	}
	return sent, err
}

func (c *Client) send(ctx context.Context, p *helix.SendChatMessageParams) (chat.Sent, error) {
	if access := c.badged(ctx, p.BroadcasterID); access != "" {
		sent, err := c.sendOnce(ctx, access, p)
		re := asRefused(err)
		if re == nil || re.Code != "401" && re.Code != "403" && re.Code != "missing_scope" {
			return sent, err
		}
		c.badge.No(p.BroadcasterID, re.Code == "401")
	}
	access, err := c.tokens.access(ctx)
	if err != nil {
		return chat.Sent{}, notSent(err)
	}
	sent, err := c.sendOnce(ctx, access, p)
	if re := asRefused(err); re != nil && re.Code == "401" {
		if access, err = c.tokens.refresh(ctx, access); err != nil {
			return chat.Sent{}, notSent(err)
		}
		if sent, err = c.sendOnce(ctx, access, p); asRefused(err) != nil && asRefused(err).Code == "401" {
			return sent, c.tokens.end("invalid_token", "Twitch does not accept the login it just renewed: connect the bot account again.")
		}
	}
	return sent, err
}

// asRefused is an error as a refusal; nil when it is none.
func asRefused(err error) *chat.Refused {
	var re *chat.Refused
	if errors.As(err, &re) {
		return re
	}
	return nil
}

// notSent is the refusal when no token could be had: nothing was on the wire.
func notSent(err error) error {
	if re := (*chat.Refused)(nil); errors.As(err, &re) {
		return re
	}
	return &chat.Refused{Code: "network", Reason: "Twitch's login server did not answer as it should."}
}

func (c *Client) sendOnce(ctx context.Context, access string, p *helix.SendChatMessageParams) (chat.Sent, error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	var wrote atomic.Bool
	h, rec, err := c.api.helix(httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{WroteHeaders: func() { wrote.Store(true) }}), access)
	if err != nil {
		return chat.Sent{}, notSent(err)
	}
	if _, err = h.SendChatMessage(p); rec.status == 0 && err != nil {
		// The error's text is not given on: it may name addresses inside the operator's network.
		return chat.Sent{}, &chat.Refused{Code: "network", Reason: "The connection to Twitch broke.", Unknown: wrote.Load()}
	}
	return outcome(rec, time.Now())
}

// outcome reads Twitch's answer to a line. A 200 does not mean sent: is_sent and drop_reason say, and helix loses the
// latter, so both are read from the recorded answer.
func outcome(rec *recorder, now time.Time) (chat.Sent, error) {
	if rec.status == http.StatusOK {
		var v struct {
			Data []struct {
				ID   string `json:"message_id"`
				Sent bool   `json:"is_sent"`
				Drop *struct {
					Code    string `json:"code"`
					Message string `json:"message"`
				} `json:"drop_reason"`
			} `json:"data"`
		}
		switch err := json.Unmarshal(rec.body, &v); {
		case err != nil || len(v.Data) == 0:
			return chat.Sent{}, &chat.Refused{Code: "odd_answer", Reason: "Twitch answered something unreadable.", Unknown: true}
		case v.Data[0].Sent:
			return chat.Sent{ID: v.Data[0].ID, At: now}, nil
		case v.Data[0].Drop == nil || v.Data[0].Drop.Code == "":
			return chat.Sent{}, &chat.Refused{Code: "not_sent", Reason: "Twitch dropped the line and gave no reason."}
		}
		return chat.Sent{}, &chat.Refused{Code: v.Data[0].Drop.Code, Reason: v.Data[0].Drop.Message}
	}
	re := refused(rec, now)
	if rec.status == http.StatusUnauthorized && strings.HasPrefix(re.Reason, "Missing scope") {
		// Refreshing brings no scope; only the owner can grant it.
		re.Code, re.Reconnect = "missing_scope", true
	}
	return chat.Sent{}, re
}

// retryAfter reads Retry-After, and of a 429 Ratelimit-Reset (unix seconds, Twitch API Guide, "Twitch Rate Limits");
// at most an hour. That time is by Twitch's clock, and so is the answer's date; ours may be minutes off.
func retryAfter(rec *recorder, now time.Time) time.Duration {
	if theirs, err := http.ParseTime(rec.header.Get("Date")); err == nil {
		now = theirs
	}
	wait := time.Duration(0)
	if s, err := strconv.Atoi(rec.header.Get("Retry-After")); err == nil {
		wait = time.Duration(min(max(s, 0), 3600)) * time.Second
	}
	if rec.status == http.StatusTooManyRequests {
		if s, err := strconv.ParseInt(rec.header.Get("Ratelimit-Reset"), 10, 64); err == nil && s < 1<<33 {
			wait = max(wait, time.Unix(s, 0).Sub(now))
		}
		wait = max(wait, time.Second) // a reset within this very second comes without a wait
	}
	return min(wait, time.Hour)
}

// noteSaid keeps the truth about speaking in a channel.
func (c *Client) noteSaid(id string, sent chat.Sent, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	r := c.rooms[id]
	if r == nil {
		return
	}
	if err == nil {
		r.state.Speaks, r.state.LastSaid, r.state.Trouble = true, sent.At, ""
		return
	}
	if re := (*chat.Refused)(nil); errors.As(err, &re) {
		r.state.Trouble = re.Error()
		if re.Reconnect || re.Code == "403" || strings.Contains(re.Code, "banned") || strings.Contains(re.Code, "timed") {
			r.state.Speaks = false
		}
	}
}
