package twitchsim

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Notice is a USERNOTICE: something that a viewer did, with words or without.
type Notice struct {
	Kind   string // msg-id, such as "resub" or "raid"
	User   User
	Text   string
	Params map[string]string // further tags by their full names, such as "msg-param-sub-plan"
	ID     string            // empty is made up
}

// Notice shows a notice in the channel and returns its id.
func (s *Sim) Notice(channelID string, n Notice) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.notice(channelID, n)
}

func (s *Sim) notice(channelID string, n Notice) string {
	if n.ID == "" {
		n.ID = uuid()
	}
	if n.User.Login == "" {
		if known, ok := s.users[n.User.ID]; ok {
			n.User = known
		} else {
			n.User = s.addUser(n.User)
		}
	}
	badges, mod := s.badges(s.room(channelID), channelID, n.User.ID)
	var b strings.Builder
	b.WriteString("@badge-info=;badges=" + badges + ";color=;display-name=" + escape(n.User.Name) + ";emotes=;flags=;id=" + n.ID + ";login=" + n.User.Login +
		";mod=" + mod + ";msg-id=" + n.Kind)
	for _, k := range slices.Sorted(maps.Keys(n.Params)) {
		b.WriteString(";" + k + "=" + escape(n.Params[k]))
	}
	b.WriteString(";room-id=" + channelID + ";subscriber=0;system-msg=;tmi-sent-ts=" + millis(time.Now()) + ";user-id=" + n.User.ID + ";user-type= :tmi.twitch.tv USERNOTICE #" +
		s.users[channelID].Login)
	if n.Text != "" {
		b.WriteString(" :" + oneLine(n.Text))
	}
	s.broadcast(channelID, b.String(), nil)
	s.notify("channel.chat.notification", channelID, func() map[string]any { return s.noticeEvent(channelID, n) })
	return n.ID
}

// Subscribe has a user subscribe for that many months all together, one being the first, with words from the second on. The
// tier is "1000", "2000", "3000" or "Prime".
func (s *Sim) Subscribe(channelID string, u User, tier string, months int, text string) string {
	n := Notice{Kind: "sub", User: u, Params: map[string]string{"msg-param-sub-plan": tier, "msg-param-cumulative-months": strconv.Itoa(months)}}
	if months > 1 {
		n.Kind, n.Text = "resub", text
	}
	return s.Notice(channelID, n)
}

// Gift has a user give subscriptions: one to a viewer, or several to the community, which Twitch tells as one notice and then
// one for each.
func (s *Sim) Gift(channelID string, u User, tier string, count int) string {
	one := map[string]string{
		"msg-param-sub-plan": tier, "msg-param-gift-months": "1", "msg-param-recipient-id": "9001", "msg-param-recipient-user-name": "lucky",
		"msg-param-origin-id": "da 39 a3 ee 5e 6b 4b 0d 32 55 bf ef 95 60 18 90 af d8 07 09", // the same on every single gift
	}
	if count == 1 {
		return s.Notice(channelID, Notice{Kind: "subgift", User: u, Params: one})
	}
	group := strconv.FormatInt(time.Now().UnixNano(), 10)
	id := s.Notice(channelID, Notice{Kind: "submysterygift", User: u, Params: map[string]string{
		"msg-param-sub-plan": tier, "msg-param-mass-gift-count": strconv.Itoa(count), "msg-param-origin-id": group, "msg-param-community-gift-id": group,
	}})
	one["msg-param-origin-id"], one["msg-param-community-gift-id"] = group, group
	for range count {
		s.Notice(channelID, Notice{Kind: "subgift", User: u, Params: one})
	}
	return id
}

// Raid has a creator come with that many viewers.
func (s *Sim) Raid(channelID string, u User, viewers int) string {
	return s.Notice(channelID, Notice{Kind: "raid", User: u, Params: map[string]string{
		"msg-param-viewerCount": strconv.Itoa(viewers), "msg-param-displayName": u.Name, "msg-param-login": u.Login,
	}})
}

// Event is an EventSub event with the fields that most have.
func (s *Sim) event(channelID string, u User, more map[string]any) map[string]any {
	s.mu.Lock()
	defer s.mu.Unlock()
	ch := s.users[channelID]
	e := map[string]any{"broadcaster_user_id": ch.ID, "broadcaster_user_login": ch.Login, "broadcaster_user_name": ch.Name}
	if u.ID != "" {
		if u.Login == "" {
			if known, ok := s.users[u.ID]; ok {
				u = known
			} else {
				u = s.addUser(u)
			}
		}
		e["user_id"], e["user_login"], e["user_name"] = u.ID, u.Login, u.Name
	}
	maps.Copy(e, more)
	return e
}

func stamp() string { return time.Now().UTC().Format(time.RFC3339Nano) }

// Follow has a user follow the channel, and says to how many subscriptions it was told; so do the others below.
func (s *Sim) Follow(channelID string, u User) int {
	return s.Notify("channel.follow", channelID, s.event(channelID, u, map[string]any{"followed_at": stamp()}))
}

// Redeem has a user buy a reward with channel points; the redemption waits to be fulfilled or refunded. See Redemption.
func (s *Sim) Redeem(channelID string, u User, rewardID, title, input string) (id string, told int) {
	id = uuid()
	s.mu.Lock()
	s.redemptions[id] = redemption{channelID, rewardID, "UNFULFILLED"}
	s.mu.Unlock()
	return id, s.Notify("channel.channel_points_custom_reward_redemption.add", channelID, s.event(channelID, u, map[string]any{
		"id": id, "user_input": input, "status": "unfulfilled", "redeemed_at": stamp(),
		"reward": map[string]any{"id": rewardID, "title": title, "cost": 100, "prompt": ""},
	}))
}

type redemption struct{ channel, reward, status string }

// Redemption is what became of a redemption: UNFULFILLED, FULFILLED or CANCELED.
func (s *Sim) Redemption(id string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.redemptions[id].status
}

// PowerUp has a user buy a custom Power-up with Bits.
func (s *Sim) PowerUp(channelID string, u User, powerUpID, title, input string) int {
	return s.Notify("channel.custom_power_up_redemption.add", channelID, s.event(channelID, u, map[string]any{
		"id": uuid(), "user_input": input, "status": "unfulfilled", "redeemed_at": stamp(),
		"custom_power_up": map[string]any{"id": powerUpID, "title": title, "bits": 100, "prompt": ""},
	}))
}

// GoLive begins the channel's stream.
func (s *Sim) GoLive(channelID string) int {
	id := strconv.FormatInt(time.Now().UnixNano(), 10)
	s.mu.Lock()
	s.live[channelID] = id
	s.show(channelID).started = time.Now()
	s.mu.Unlock()
	return s.Notify("stream.online", channelID, s.event(channelID, User{}, map[string]any{"id": id, "type": "live", "started_at": stamp()}))
}

// EndStream ends it.
func (s *Sim) EndStream(channelID string) int {
	s.mu.Lock()
	delete(s.live, channelID)
	s.mu.Unlock()
	return s.Notify("stream.offline", channelID, s.event(channelID, User{}, nil))
}

// AdBreak runs adverts for that many seconds.
func (s *Sim) AdBreak(channelID string, seconds int) int {
	return s.Notify("channel.ad_break.begin", channelID, s.event(channelID, User{}, map[string]any{
		"duration_seconds": seconds, "started_at": stamp(), "is_automatic": false, "requester_user_id": channelID,
	}))
}

// Choice is an answer of a poll.
type Choice struct {
	Title string
	Votes int
}

// EndPoll ends a poll, and takes it out of sight, which Twitch tells as a second end.
func (s *Sim) EndPoll(channelID, title string, choices ...Choice) int {
	var all []map[string]any
	for _, c := range choices {
		all = append(all, map[string]any{"id": uuid(), "title": c.Title, "votes": c.Votes, "bits_votes": 0, "channel_points_votes": 0})
	}
	e := s.event(channelID, User{}, map[string]any{"id": uuid(), "title": title, "choices": all, "status": "completed", "started_at": stamp(), "ended_at": stamp()})
	n := s.Notify("channel.poll.end", channelID, e)
	e["status"] = "archived"
	s.Notify("channel.poll.end", channelID, e)
	return n
}
