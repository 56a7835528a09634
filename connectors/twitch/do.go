package twitch

import (
	"context"
	"maps"
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/nicklaw5/helix/v2"

	"hawker/internal/chat"
)

// The limits of Twitch's API Reference.
const (
	maxTimeOut = 1_209_600 * time.Second // two weeks ("Ban User")
	maxMarker  = 140                     // characters of a marker's description ("Create Stream Marker")
	maxReason  = 500                     // characters of a time-out's reason ("Ban User")
)

// Do does a deed, once: nothing is tried again but after a 401, which Twitch answers before it does anything. Every error is a
// *chat.Refused; its codes beside Twitch's own status numbers and Say's for texts are "unsupported" for what Twitch does not
// have, "bad_deed" for what is incomplete, "scope" when nobody granted what it needs (Reason names it), "too_fast" when it would
// exceed Twitch's rate (RetryAfter says for how long), and "phone" when the whispering account has no verified phone number.
//
// Who acts is the bot where it may, else the channel's owner; redemptions and markers are the owner's alone. PinCard says a
// line, pinned for 20 minutes, and counts as one in Budget. What is done already (a line deleted, a redemption settled) is answered
// 404. A whisper that Twitch takes may still not arrive: it drops what it
// dislikes without a word.
func (c *Client) Do(ctx context.Context, d chat.Deed) error {
	s, ok := deedScope(d.Kind)
	switch {
	case !ok:
		return &chat.Refused{Code: "unsupported", Reason: "Twitch has nothing for: " + string(d.Kind) + "."}
	case d.Channel.Platform != chat.Twitch || d.Channel.ID == "":
		return &chat.Refused{Code: "no_channel", Reason: "This is for no Twitch channel."}
	}
	d.Text = clean(d.Text)
	if re := incomplete(d); re != nil {
		return re
	}
	t := c.actor(s, d)
	if t == nil {
		for _, x := range []*tokens{c.ownerOf(d.Channel.ID), c.tokens} {
			if x != nil && x.goneErr() != nil {
				return x.goneErr()
			}
		}
		return &chat.Refused{Code: "scope", Reason: "Nobody has granted " + s.Name + " for the channel. " + s.Reason}
	}
	back, re := c.spend(t.account.ID, d, time.Now())
	if re != nil {
		return re
	}
	err := c.do(ctx, t, d)
	if err != nil && !unsure(err) {
		back()
	}
	return err
}

// incomplete says what a deed lacks.
func incomplete(d chat.Deed) *chat.Refused {
	bad := func(reason string) *chat.Refused { return &chat.Refused{Code: "bad_deed", Reason: reason} }
	switch d.Kind {
	case chat.DeleteLine:
		if d.Message == "" {
			return bad("The line to delete is not named.")
		}
	case chat.TimeOut:
		// Without a time Twitch would ban for good.
		if d.Viewer.ID == "" || d.For < time.Second || d.For > maxTimeOut {
			return bad("A time-out needs a viewer and 1 second to 2 weeks.")
		}
	case chat.ShoutOutCreator:
		if d.Viewer.ID == "" || d.Viewer.ID == d.Channel.ID {
			return bad("A shout-out needs another creator.")
		}
	case chat.FulfilReward, chat.RefundReward:
		if d.Reward == "" || d.Redemption == "" {
			return bad("The redemption is not named.")
		}
	case chat.DirectMessage, chat.Announce, chat.PinCard:
		switch n := utf8.RuneCountInString(d.Text); {
		case d.Kind == chat.DirectMessage && d.Viewer.ID == "":
			return bad("A whisper needs a viewer.")
		case n == 0:
			return &chat.Refused{Code: "empty", Reason: "There is no text."}
		case n > MaxRunes:
			return &chat.Refused{Code: "msg_too_long", Reason: "The text has " + strconv.Itoa(n) + " characters; Twitch takes 500."}
		}
	}
	return nil
}

// actor is the login that does a deed, or nil when none may.
func (c *Client) actor(s Scope, d chat.Deed) *tokens {
	owner := c.ownerOf(d.Channel.ID)
	if owner != nil && !owner.has(s.Name) {
		owner = nil
	}
	if s.Owner || !c.tokens.has(s.Name) {
		return owner
	}
	c.mu.Lock()
	r := c.rooms[d.Channel.ID]
	mod := r != nil && r.mod
	c.mu.Unlock()
	if owner != nil && !mod && d.Kind != chat.DirectMessage {
		return owner
	}
	return c.tokens
}

func (c *Client) do(ctx context.Context, t *tokens, d chat.Deed) error {
	ch, me := d.Channel.ID, t.account.ID
	var call func(*helix.Client) error
	switch d.Kind {
	case chat.DeleteLine:
		call = func(h *helix.Client) error {
			_, err := h.DeleteChatMessage(&helix.DeleteChatMessageParams{BroadcasterID: ch, ModeratorID: me, MessageID: d.Message})
			return err
		}
	case chat.TimeOut:
		call = func(h *helix.Client) error {
			_, err := h.BanUser(&helix.BanUserParams{BroadcasterID: ch, ModeratorId: me, Body: helix.BanUserRequestBody{
				Duration: int(d.For / time.Second), Reason: cut(d.Text, maxReason), UserId: d.Viewer.ID,
			}})
			return err
		}
	case chat.Announce:
		call = func(h *helix.Client) error {
			_, err := h.SendChatAnnouncement(&helix.SendChatAnnouncementParams{BroadcasterID: ch, ModeratorID: me, Message: d.Text})
			return err
		}
	case chat.ShoutOutCreator:
		call = func(h *helix.Client) error {
			_, err := h.SendShoutout(&helix.SendShoutoutParams{FromBroadcasterID: ch, ToBroadcasterID: d.Viewer.ID, ModeratorID: me})
			return err
		}
	case chat.DirectMessage:
		call = func(h *helix.Client) error {
			_, err := h.SendUserWhisper(&helix.SendUserWhisperParams{FromUserID: me, ToUserID: d.Viewer.ID, Message: d.Text})
			return err
		}
	case chat.FulfilReward, chat.RefundReward:
		status := "FULFILLED"
		if d.Kind == chat.RefundReward {
			status = "CANCELED"
		}
		call = func(h *helix.Client) error {
			_, err := h.UpdateChannelCustomRewardsRedemptionStatus(&helix.UpdateChannelCustomRewardsRedemptionStatusParams{
				ID: d.Redemption, BroadcasterID: ch, RewardID: d.Reward, Status: status,
			})
			return err
		}
	case chat.Mark:
		// helix puts both into the address; Twitch asks for them in the body, where a text of viewers also belongs.
		_, err := t.call(ctx, http.MethodPost, "/streams/markers", nil, map[string]string{"user_id": ch, "description": cut(d.Text, maxMarker)})
		return err
	case chat.PinCard:
		return c.pin(ctx, t, d) // helix knows no pins
	}
	_, err := t.calls(ctx, call)
	return err
}

// pin says a line that stays in sight for 20 minutes or until the next pin.
func (c *Client) pin(ctx context.Context, t *tokens, d chat.Deed) error {
	in := map[string]any{"broadcaster_id": d.Channel.ID, "sender_id": t.account.ID, "message": d.Text, "pin": true}
	body, err := t.call(ctx, http.MethodPost, "/chat/messages", nil, in)
	if err != nil {
		return err
	}
	_, err = outcome(&recorder{status: 200, body: body}, time.Now())
	return err
}

// cut shortens a text to n characters for where nobody buys by it: notes of moderators and of the recording.
func cut(s string, n int) string {
	if utf8.RuneCountInString(s) <= n {
		return s
	}
	return strings.TrimSpace(string([]rune(s)[:n-1])) + "…"
}

// rate is that something may be done so often.
type rate struct {
	what string
	most int
	per  time.Duration
}

// rates are Twitch's for a deed (Twitch API Reference, "Send Chat Announcement", "Send a Shoutout", "Send Whisper").
func rates(account string, d chat.Deed) []rate {
	switch ch := d.Channel.ID; d.Kind {
	case chat.Announce:
		return []rate{{"announce in " + ch, 1, 2 * time.Second}}
	case chat.ShoutOutCreator:
		return []rate{{"shout-out in " + ch, 1, 2 * time.Minute}, {"shout-out in " + ch + " to " + d.Viewer.ID, 1, time.Hour}}
	case chat.DirectMessage:
		return []rate{{"whispers of " + account, 3, time.Second}, {"whispers a minute of " + account, 100, time.Minute}}
	}
	return nil
}

// newRecipients is how many people an account may begin to whisper to in a day.
const newRecipients = 40

// spend takes from the rates of a deed, or says how long to wait; back gives it back. What was done before this process began
// is not known here: Twitch answers 429 then.
func (c *Client) spend(account string, d chat.Deed, now time.Time) (back func(), _ *chat.Refused) {
	all := rates(account, d)
	if d.Kind == chat.DirectMessage {
		to := "whispers of " + account + " to " + d.Viewer.ID
		c.mu.Lock()
		first := len(c.recent(to, now, 24*time.Hour)) == 0
		c.mu.Unlock()
		all = append(all, rate{to, 1 << 20, 24 * time.Hour})
		if first {
			all = append(all, rate{"new recipients of " + account, newRecipients, 24 * time.Hour})
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	wait := time.Duration(0)
	for _, r := range all {
		if was := c.recent(r.what, now, r.per); len(was) >= r.most {
			wait = max(wait, was[len(was)-r.most].Add(r.per).Sub(now))
		}
	}
	if wait > 0 {
		return nil, &chat.Refused{Code: "too_fast", Reason: "Twitch allows this again in " + wait.Round(time.Second).String() + ".", RetryAfter: wait}
	}
	if len(c.spent) > 1000 {
		maps.DeleteFunc(c.spent, func(_ string, was []time.Time) bool { return len(was) == 0 || now.Sub(was[len(was)-1]) >= 24*time.Hour })
	}
	for _, r := range all {
		c.spent[r.what] = append(c.spent[r.what], now)
	}
	return func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		for _, r := range all {
			if was := c.spent[r.what]; len(was) > 0 {
				c.spent[r.what] = was[:len(was)-1]
			}
		}
	}, nil
}

// recent are the times at which something was done within per, oldest first; older ones are forgotten. The caller holds mu.
func (c *Client) recent(what string, now time.Time, per time.Duration) []time.Time {
	was := c.spent[what]
	for len(was) > 0 && now.Sub(was[0]) >= per {
		was = was[1:]
	}
	if len(was) == 0 {
		delete(c.spent, what)
		return nil
	}
	c.spent[what] = was
	return was
}
