package youtube

import (
	"context"
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	yt "google.golang.org/api/youtube/v3"

	"hawker/internal/chat"
)

// MaxRunes is the longest line that YouTube's chat takes (page "LiveChatMessages: insert").
const MaxRunes = 200

// Say posts a line to the chat, publicly: YouTube has neither replies nor whispers, so a private answer is refused. It
// returns a *chat.Refused when the line was not accepted. When the answer was lost, Say looks for the line in the chat
// for a moment; only if it does not show, the Refused is Unknown.
func (c *Client) Say(ctx context.Context, l chat.Line) (chat.Sent, error) {
	text := oneLine(l.Text)
	switch {
	case l.To.Private():
		return chat.Sent{}, &chat.Refused{Code: "notSupported", Reason: "YouTube has no private answers"}
	case l.To.Channel != c.channel:
		return chat.Sent{}, &chat.Refused{Code: "forbidden", Reason: fmt.Sprintf("this account speaks in %v alone", c.channel)}
	case text == "":
		return chat.Sent{}, &chat.Refused{Code: "messageTextRequired", Reason: "the line is empty"}
	case utf8.RuneCountInString(text) > MaxRunes:
		return chat.Sent{}, &chat.Refused{Code: "messageTextInvalid", Reason: fmt.Sprintf("the line is longer than %d characters", MaxRunes)}
	}
	c.mu.Lock()
	id := c.chatID
	c.mu.Unlock()
	if id == "" {
		return chat.Sent{}, &chat.Refused{Code: "liveChatNotFound", Reason: "there is no live broadcast on this channel now"}
	}
	return c.insert(ctx, id, text)
}

func (c *Client) insert(ctx context.Context, chatID, text string) (chat.Sent, error) {
	mine := c.echoes.begin(text, time.Now())
	var res *yt.LiveChatMessage
	f, wrote, err := once(ctx, func(ctx context.Context) (err error) {
		res, err = c.api.LiveChatMessages.Insert([]string{"snippet"}, &yt.LiveChatMessage{Snippet: &yt.LiveChatMessageSnippet{
			LiveChatId: chatID, Type: "textMessageEvent",
			TextMessageDetails: &yt.LiveChatTextMessageDetails{MessageText: text},
		}}).Context(ctx).Do()
		return err
	})
	if err == nil {
		c.echoes.end(mine, res.Id)
		return c.accepted(res.Id), nil
	}
	if f.answered || !wrote {
		c.echoes.end(mine, "")
		return chat.Sent{}, c.refused(f)
	}
	if id, ok := c.echo(ctx, mine); ok {
		return c.accepted(id), nil
	}
	r := c.refused(f)
	r.Unknown = true
	return chat.Sent{}, r
}

// echo looks for a line whose answer was lost among those that come back.
func (c *Client) echo(ctx context.Context, mine *spoken) (string, bool) {
	c.mu.Lock()
	listening := c.listening
	c.mu.Unlock()
	if !listening {
		return "", false
	}
	c.Nudge()
	wait := time.NewTimer(c.o.EchoWait)
	defer wait.Stop()
	select {
	case <-mine.seen:
		return mine.id, true
	case <-wait.C:
	case <-ctx.Done():
	}
	return "", false
}

func (c *Client) accepted(id string) chat.Sent {
	now := time.Now()
	c.note(func(s *chat.State) { s.Speaks, s.LastSaid, s.Missing, c.mute = true, now, nil, "" })
	return chat.Sent{ID: id, At: now}
}

// refused keeps what a refusal teaches and words it for the dashboard.
func (c *Client) refused(f fault) *chat.Refused {
	r := c.calls.refused(f)
	switch f.act {
	case spent:
		r.Reason = quotaSentence(c.Units())
	case reconnect:
		c.note(func(s *chat.State) {
			s.Speaks, c.mute = false, f.reason
			if f.code != "invalid_grant" && f.code != "authError" {
				s.Missing = []string{ScopeWrite}
			}
		})
	case suspended:
		c.note(func(s *chat.State) { s.Speaks, c.mute = false, f.reason })
	case over, lost:
		c.note(func(s *chat.State) { s.Speaks = false })
		c.Nudge()
	}
	return r
}

// oneLine makes a text one row without control characters, which a chat line cannot hold.
func oneLine(s string) string {
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == '\u2028' || r == '\u2029' {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD")))
}
