package youtubesim

import (
	"net/http"
	"strconv"
)

// NewMember has a viewer become a paying member of the channel at a level, or move up to it.
func (s *Sim) NewMember(channelID string, v Viewer, level string, upgrade bool) string {
	v.Member = true
	return s.show(channelID, Shown{Kind: "newSponsorEvent", Viewer: v, Level: level, Upgrade: upgrade})
}

// Milestone has a member tell for how many months they are one, with a comment or without.
func (s *Sim) Milestone(channelID string, v Viewer, months int, level, comment string) string {
	v.Member = true
	return s.show(channelID, Shown{Kind: "memberMilestoneChatEvent", Viewer: v, Months: months, Level: level, Text: comment})
}

// GiftMemberships has a viewer give memberships to others, of whom each is told as well.
func (s *Sim) GiftMemberships(channelID string, v Viewer, level string, to ...Viewer) string {
	id := s.show(channelID, Shown{Kind: "membershipGiftingEvent", Viewer: v, Level: level, Count: len(to)})
	for _, w := range to {
		w.Member = true
		s.show(channelID, Shown{Kind: "giftMembershipReceivedEvent", Viewer: w, Level: level, Text: v.ID, Takes: id})
	}
	return id
}

// Poll has the owner ask a question, and ClosePoll end it with these votes, under the same id.
func (s *Sim) Poll(channelID, question string, options ...PollOption) string {
	return s.show(channelID, Shown{Kind: "pollEvent", Viewer: Viewer{ID: channelID}, Text: question, Options: options})
}

// ClosePoll ends a poll; see Poll.
func (s *Sim) ClosePoll(channelID, id, question string, options ...PollOption) {
	s.show(channelID, Shown{ID: id, Kind: "pollEvent", Viewer: Viewer{ID: channelID}, Text: question, Options: options, Closed: true})
}

// TimedOut is for how long programs have timed a viewer out in the channel's chats, in seconds, one entry a time-out.
func (s *Sim) TimedOut(channelID, viewerID string) []int {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []int
	for _, c := range s.chats {
		for _, l := range c.lines {
			if c.channel == channelID && l.shown.ByAPI && l.shown.Kind == "userBannedEvent" && l.shown.Takes == viewerID {
				out = append(out, l.shown.Count)
			}
		}
	}
	return out
}

// ban is liveChatBans.insert.
func (s *Sim) ban(w http.ResponseWriter, r *http.Request, g *grant) *fault {
	var in struct {
		Snippet struct {
			LiveChatID string `json:"liveChatId"`
			Type       string `json:"type"`
			Seconds    string `json:"banDurationSeconds"`
			Who        struct {
				ChannelID string `json:"channelId"`
			} `json:"bannedUserDetails"`
		} `json:"snippet"`
	}
	if bad := g.readSnippet(w, r, &in); bad != nil {
		return bad
	}
	sn := in.Snippet
	seconds := 300 // page "LiveChatBans", banDurationSeconds
	var err error
	if sn.Seconds != "" {
		seconds, err = strconv.Atoi(sn.Seconds)
	}
	switch {
	case sn.Who.ChannelID == "":
		return refuse(http.StatusBadRequest, "bannedUserChannelIdRequired", "The id of the channel to ban is required.")
	case sn.Type != "permanent" && sn.Type != "temporary" || err != nil || seconds < 1:
		return refuse(http.StatusBadRequest, "invalidValue", "The ban is not valid.")
	case sn.Type == "permanent":
		seconds = 0
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	c, bad := s.chat(sn.LiveChatID)
	if bad != nil {
		return bad
	}
	ch := s.channels[c.channel]
	switch who := sn.Who.ChannelID; {
	case !c.ended.IsZero():
		return refuse(http.StatusForbidden, "liveChatEnded", "The specified live chat is no longer live.")
	case g.channel != c.channel && !ch.mods[g.channel]:
		return refuse(http.StatusForbidden, "insufficientPermissions", "Only the owner and moderators ban viewers.")
	case who == c.channel || ch.mods[who]:
		return refuse(http.StatusForbidden, "liveChatBanInsertionNotAllowed", "The owner and moderators cannot be banned.")
	case s.weather.refusals > 0:
		s.weather.refusals--
		return refuse(http.StatusForbidden, "rateLimitExceeded", "The request was sent too quickly after the previous request.")
	}
	id := s.next("ban")
	s.add(c, Shown{
		ID: s.next("LCC."), Kind: "userBannedEvent", Takes: sn.Who.ChannelID, Count: seconds, At: s.now(), ByAPI: true,
		Viewer: Viewer{ID: g.channel, Name: s.title(g.channel), Owner: g.channel == c.channel},
	}, nil)
	s.lose()
	return answer(w, obj{"kind": "youtube#liveChatBan", "id": id, "snippet": obj{
		"liveChatId": c.id, "type": sn.Type, "banDurationSeconds": strconv.Itoa(seconds), "bannedUserDetails": obj{"channelId": sn.Who.ChannelID},
	}})
}
