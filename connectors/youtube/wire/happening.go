package wire

import (
	"math"
	"strings"
	"time"

	yt "google.golang.org/api/youtube/v3"

	"hawker/internal/chat"
)

// happening is what an item tells of a viewer beside what was typed (page "LiveChatMessages", snippet.type). Its ID is the
// item's with a word behind, since a milestone's item is also a line. A gift is told by its giver's item alone: the items of
// those who received one would count it again.
func happening(ch chat.Channel, item *yt.LiveChatMessage) (chat.Event, bool) {
	sn := item.Snippet
	if sn == nil || item.Id == "" {
		return chat.Event{}, false
	}
	when, err := time.Parse(time.RFC3339, sn.PublishedAt)
	if err != nil { // without a time nobody can tell whether it is news
		return chat.Event{}, false
	}
	e := chat.Event{Channel: ch, Viewer: author(item), Roles: roles(item.AuthorDetails), At: when}
	name := ""
	switch sn.Type {
	case "newSponsorEvent":
		e.Kind, name = chat.Subscribed, "member"
		if d := sn.NewSponsorDetails; d != nil {
			e.Support.Tier = d.MemberLevelName
			if d.IsUpgrade { // a member already, who moved up
				e.Kind, name = chat.Resubscribed, "upgrade"
			}
		}
	case "memberMilestoneChatEvent":
		d := sn.MemberMilestoneChatDetails
		if d == nil {
			return e, false
		}
		e.Kind, name = chat.Resubscribed, "milestone"
		e.Support = chat.Support{Months: count(d.MemberMonth), Tier: d.MemberLevelName, Text: d.UserComment}
	case "membershipGiftingEvent":
		d := sn.MembershipGiftingDetails
		if d == nil || d.GiftMembershipsCount < 1 {
			return e, false
		}
		e.Kind, name = chat.Gifted, "gift"
		e.Support = chat.Support{Count: count(d.GiftMembershipsCount), Tier: d.GiftMembershipsLevelName}
	case "pollEvent":
		d := sn.PollDetails
		if d == nil || d.Status != "closed" || d.Metadata == nil {
			return e, false
		}
		e.Kind, name = chat.Polled, "closed"
		e.Support = chat.Support{Title: d.Metadata.QuestionText, Text: winner(d.Metadata.Options)}
	default:
		return e, false
	}
	if e.Viewer.ID == "" && e.Kind != chat.Polled {
		return e, false
	}
	e.ID = item.Id + "/" + name
	return e, true
}

// winner is the answer with the most votes; those that share the first place are joined, and without a vote there is none.
func winner(options []*yt.LiveChatPollDetailsPollMetadataPollOption) string {
	var most int64
	var names []string
	for _, o := range options {
		switch {
		case o == nil || o.Tally < 1 || o.Tally < most:
		case o.Tally > most:
			most, names = o.Tally, []string{o.OptionText}
		default:
			names = append(names, o.OptionText)
		}
	}
	return strings.Join(names, " / ")
}

// count is a number as the platform gave it, never below zero or beyond what is sane.
func count(n int64) int { return int(min(max(n, 0), math.MaxInt32)) }

// Key is what an item is known by when it is delivered again. A tombstone has the id of the line it took the place of, and a
// poll that closed may have the id of the poll that began.
func Key(item *yt.LiveChatMessage) string {
	sn := item.Snippet
	switch {
	case sn == nil:
		return item.Id
	case sn.Type == "tombstone":
		return "deleted " + item.Id
	case sn.Type == "messageDeletedEvent" && sn.MessageDeletedDetails != nil:
		return "deleted " + sn.MessageDeletedDetails.DeletedMessageId
	case sn.Type == "messageRetractedEvent" && sn.MessageRetractedDetails != nil:
		return "deleted " + sn.MessageRetractedDetails.RetractedMessageId
	case sn.Type == "pollEvent" && sn.PollDetails != nil:
		return sn.PollDetails.Status + " " + item.Id
	}
	return item.Id
}
