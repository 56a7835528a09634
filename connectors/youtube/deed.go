package youtube

import (
	"context"
	"errors"
	"fmt"
	"time"

	yt "google.golang.org/api/youtube/v3"

	"hawker/internal/chat"
)

// deedTries is how often a deed is tried when YouTube has trouble or its answer was lost: doing it twice does no harm, but
// each try costs its units.
const deedTries = 2

// Do deletes a line (20 units) or times a viewer out (50 units); YouTube knows no other deeds, which are refused as
// "unsupported". A line that is gone already counts as deleted. Every error is a *chat.Refused; Unknown says that the deed may
// have been done.
func (c *Client) Do(ctx context.Context, d chat.Deed) error {
	if d.Channel != c.channel {
		return &chat.Refused{Code: "forbidden", Reason: fmt.Sprintf("this account acts in %v alone", c.channel)}
	}
	switch d.Kind {
	case chat.DeleteLine:
		if d.Message == "" {
			return &chat.Refused{Code: "liveChatMessageNotFound", Reason: "no line is named"}
		}
		err := c.attempt(ctx, func(ctx context.Context) error { return c.api.LiveChatMessages.Delete(d.Message).Context(ctx).Do() })
		if re := (*chat.Refused)(nil); errors.As(err, &re) && re.Code == "liveChatMessageNotFound" {
			return nil
		}
		return err
	case chat.TimeOut:
		return c.timeOut(ctx, d)
	}
	_, why := NeedFor(d.Kind)
	return &chat.Refused{Code: "unsupported", Reason: why}
}

func (c *Client) timeOut(ctx context.Context, d chat.Deed) error {
	c.mu.Lock()
	id := c.chatID
	c.mu.Unlock()
	switch {
	case d.Viewer.ID == "" || d.Viewer.Platform != chat.YouTube:
		return &chat.Refused{Code: "bannedUserChannelIdRequired", Reason: "no viewer of YouTube is named"}
	case d.Viewer.ID == c.o.Owner.ID:
		return &chat.Refused{Code: "liveChatBanInsertionNotAllowed", Reason: "the channel's owner cannot be timed out"}
	case d.For < time.Second:
		return &chat.Refused{Code: "invalidDuration", Reason: "a time-out lasts one second or more"}
	case id == "":
		return &chat.Refused{Code: "liveChatNotFound", Reason: "there is no live broadcast on this channel now"}
	}
	return c.attempt(ctx, func(ctx context.Context) error {
		_, err := c.api.LiveChatBans.Insert([]string{"snippet"}, &yt.LiveChatBan{Snippet: &yt.LiveChatBanSnippet{
			LiveChatId: id, Type: "temporary", BanDurationSeconds: uint64(d.For / time.Second),
			BannedUserDetails: &yt.ChannelProfileDetails{ChannelId: d.Viewer.ID},
		}}).Context(ctx).Do()
		return err
	})
}

// attempt makes a call that may be repeated. Its error is nil or a *chat.Refused.
func (c *Client) attempt(ctx context.Context, do func(context.Context) error) error {
	f, unknown, err := c.calls.attempt(ctx, deedTries, do)
	if err == nil {
		return nil
	}
	r := c.refused(f)
	r.Unknown = unknown
	return r
}

// NeedFor is the permission that a deed needs on YouTube, by Google's name for it, and a sentence on it. Without a permission
// the sentence says why YouTube has no such deed.
func NeedFor(k chat.DeedKind) (permission, reason string) {
	switch k {
	case chat.DeleteLine:
		return ScopeWrite, "Deleting a line needs the permission to manage the channel's live chat."
	case chat.TimeOut:
		return ScopeWrite, "Timing a viewer out needs the permission to manage the channel's live chat."
	case chat.Announce:
		return "", "YouTube has no announcements: say a line."
	case chat.DirectMessage:
		return "", "YouTube has no direct messages: everything said is public."
	case chat.Mark:
		return "", "YouTube has no stream markers."
	case chat.GiveRole, chat.TakeRole:
		return "", "YouTube has no roles that a program can give."
	case chat.FulfilReward, chat.RefundReward:
		return "", "YouTube has no channel points."
	case chat.PinCard:
		return "", "YouTube lets no program pin a line."
	case chat.ShoutOutCreator:
		return "", "YouTube has no shout-outs of creators."
	}
	return "", "YouTube does not know this."
}
