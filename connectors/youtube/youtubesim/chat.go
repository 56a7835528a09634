package youtubesim

import (
	"context"
	"encoding/json"
	"strings"
	"time"
)

// Viewer is who types.
type Viewer struct {
	ID, Name                 string
	Owner, Moderator, Member bool
}

// Shown is one line as the chat shows it.
type Shown struct {
	ID, Text         string
	Viewer           Viewer
	At               time.Time
	ByAPI            bool   // inserted by a program
	PaidMicros       int64  // Super Chat
	Currency         string // of PaidMicros
	Kind             string // snippet.type
	Takes            string // messageDeletedEvent: the id taken away; userBannedEvent: the channel id banned
	Months           int    // memberMilestoneChatEvent
	Level            string // the membership's level
	Count            int    // membershipGiftingEvent: how many; userBannedEvent: for how many seconds, 0 for good
	Upgrade          bool   // newSponsorEvent: from a lower level
	Options          []PollOption
	Closed           bool // pollEvent
	broken, repeated bool
}

// PollOption is an answer that a poll offers, with its votes.
type PollOption struct {
	Text  string
	Votes int64
}

type channel struct {
	Channel
	mods map[string]bool
	chat *liveChat // nil while not live
}

// liveChat is the chat of one broadcast. Everything is guarded by Sim.mu.
type liveChat struct {
	id, video, channel string
	started, ended     time.Time
	lines              []entry
	first              int // number of lines[0]
	changed            chan struct{}
	garble             int // answers to spoil
	epoch              int // page tokens of an older epoch are invalid
	sends              map[string][]time.Time
}

type entry struct {
	shown Shown
	raw   json.RawMessage
}

func (c *liveChat) end() int { return c.first + len(c.lines) }

// add appends a line and wakes every reader. Call with Sim.mu held.
func (s *Sim) add(c *liveChat, sh Shown, raw json.RawMessage) {
	if raw == nil {
		raw = wire(c, sh)
	}
	c.lines = append(c.lines, entry{sh, raw})
	if n := len(c.lines) - s.cfg.Keep; n > s.cfg.Keep/4 { // now and then, so that it costs little
		c.lines = append([]entry(nil), c.lines[n:]...)
		c.first += n
	}
	c.wake()
}

func (c *liveChat) wake() {
	close(c.changed)
	c.changed = make(chan struct{})
}

// GoLive starts a broadcast on the channel as its owner would in YouTube's own pages, ending the one before, and returns its
// video id.
func (s *Sim) GoLive(channelID string) string {
	s.EndChat(channelID)
	s.mu.Lock()
	defer s.mu.Unlock()
	ch := s.channels[channelID]
	if ch == nil {
		return ""
	}
	b := s.newBroadcast(channelID)
	b.title, b.persistent, b.stream = ch.Title+" live", ch.Persistent, "stream-"+b.id
	s.live(b)
	return b.id
}

// newChat makes the chat of a broadcast. Call with mu held.
func (s *Sim) newChat(channelID, video string) *liveChat {
	c := &liveChat{id: s.next("Cg0KC"), video: video, channel: channelID, changed: make(chan struct{}), sends: map[string][]time.Time{}}
	s.chats[c.id] = c
	return c
}

// EndChat completes the channel's broadcast: chatEndedEvent, offlineAt, then 403 liveChatEnded.
func (s *Sim) EndChat(channelID string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.settle()
	ch := s.channels[channelID]
	if ch == nil || ch.chat == nil {
		return
	}
	for _, b := range s.shows {
		if b.chat == ch.chat {
			s.complete(b)
		}
	}
}

// Type has a viewer type a line and returns its id, or "" when the channel is not live.
func (s *Sim) Type(channelID string, v Viewer, text string) string {
	return s.show(channelID, Shown{Kind: "textMessageEvent", Viewer: v, Text: text})
}

// SuperChat has a viewer pay for a line; micros are millionths of the currency.
func (s *Sim) SuperChat(channelID string, v Viewer, micros int64, currency, comment string) string {
	return s.show(channelID, Shown{Kind: "superChatEvent", Viewer: v, Text: comment, PaidMicros: micros, Currency: currency})
}

// Delete has a moderator take a line away: it is a tombstone from now on, and readers get a messageDeletedEvent.
func (s *Sim) Delete(channelID, id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if ch := s.channels[channelID]; ch != nil && ch.chat != nil {
		s.take(ch, id)
	}
}

// take makes a line a tombstone. Call with mu held.
func (s *Sim) take(ch *channel, id string) {
	c := ch.chat
	for i := range c.lines {
		if l := &c.lines[i]; l.shown.ID == id && !l.shown.broken {
			l.shown = Shown{ID: id, Kind: "tombstone", At: l.shown.At}
			l.raw = wire(c, l.shown)
		}
	}
	s.add(c, Shown{
		ID: s.next("LCC."), Kind: "messageDeletedEvent", Takes: id, At: s.now(),
		Viewer: Viewer{ID: ch.ID, Name: ch.Title, Owner: true},
	}, nil)
}

// Ban has the owner ban a viewer for good.
func (s *Sim) Ban(channelID string, v Viewer) string {
	return s.show(channelID, Shown{Kind: "userBannedEvent", Takes: v.ID, Text: v.Name, Viewer: Viewer{ID: channelID, Owner: true}})
}

// Event delivers an event of any snippet.type; the Shown's ID and At are made when empty.
func (s *Sim) Event(channelID string, sh Shown) string { return s.show(channelID, sh) }

func (s *Sim) show(channelID string, sh Shown) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.settle()
	ch := s.channels[channelID]
	if ch == nil || ch.chat == nil {
		return ""
	}
	if sh.ID == "" {
		sh.ID = s.next("LCC.")
	}
	if sh.At.IsZero() {
		sh.At = s.now()
	}
	if sh.Viewer.ID == channelID {
		sh.Viewer.Owner = true
	}
	if ch.mods[sh.Viewer.ID] {
		sh.Viewer.Moderator = true
	}
	s.add(ch.chat, sh, nil)
	return sh.ID
}

// Repeat delivers a line a second time under its id.
func (s *Sim) Repeat(channelID, id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	ch := s.channels[channelID]
	if ch == nil || ch.chat == nil {
		return
	}
	for _, l := range ch.chat.lines {
		if l.shown.ID == id && !l.shown.repeated {
			l.shown.repeated = true
			s.add(ch.chat, l.shown, l.raw)
			return
		}
	}
}

// Spoken is every line that a program inserted into the channel's present or last chat, oldest first.
func (s *Sim) Spoken(channelID string) []Shown {
	s.mu.Lock()
	defer s.mu.Unlock()
	var last *liveChat
	for _, c := range s.chats {
		if c.channel == channelID && (last == nil || c.started.After(last.started)) {
			last = c
		}
	}
	if ch := s.channels[channelID]; ch != nil && ch.chat != nil {
		last = ch.chat
	}
	var out []Shown
	if last != nil {
		for _, l := range last.lines {
			if l.shown.ByAPI && l.shown.Kind == "textMessageEvent" && !l.shown.repeated {
				out = append(out, l.shown)
			}
		}
	}
	return out
}

// Watch shows everything that appears in the channel's present chat from now on, in order, as its page would. It
// blocks until ctx ends, the chat has ended, or the platform closes.
func (s *Sim) Watch(ctx context.Context, channelID string, show func(Shown)) {
	s.mu.Lock()
	ch := s.channels[channelID]
	if ch == nil || ch.chat == nil {
		s.mu.Unlock()
		return
	}
	c := ch.chat
	at := c.end()
	s.mu.Unlock()
	for {
		s.mu.Lock()
		lines := c.since(at)
		at = c.end()
		changed, over := c.changed, !c.ended.IsZero()
		s.mu.Unlock()
		for _, l := range lines {
			if !l.shown.broken && !l.shown.repeated {
				show(l.shown)
			}
		}
		if over {
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-s.done:
			return
		case <-changed:
		}
	}
}

// since copies the lines from number at. Call with Sim.mu held.
func (c *liveChat) since(at int) []entry {
	if at < c.first {
		at = c.first
	}
	if at >= c.end() {
		return nil
	}
	return append([]entry(nil), c.lines[at-c.first:]...)
}

// wire writes a line as a liveChatMessage resource.
func wire(c *liveChat, sh Shown) json.RawMessage {
	type m = map[string]any
	sn := m{
		"type": sh.Kind, "liveChatId": c.id, "authorChannelId": sh.Viewer.ID,
		"publishedAt": sh.At.UTC().Format("2006-01-02T15:04:05.000000+00:00"), "hasDisplayContent": sh.Text != "",
		"displayMessage": sh.Text,
	}
	switch sh.Kind {
	case "textMessageEvent":
		sn["textMessageDetails"] = m{"messageText": sh.Text}
	case "superChatEvent":
		amount := money(sh.PaidMicros, sh.Currency)
		sn["displayMessage"] = strings.TrimSpace(amount + " from " + sh.Viewer.Name + ": " + sh.Text)
		sn["superChatDetails"] = m{
			"amountMicros": decimal(sh.PaidMicros), "currency": sh.Currency, "amountDisplayString": amount,
			"userComment": sh.Text, "tier": 1,
		}
	case "superStickerEvent":
		sn["superStickerDetails"] = m{
			"amountMicros": decimal(sh.PaidMicros), "currency": sh.Currency,
			"amountDisplayString": money(sh.PaidMicros, sh.Currency), "tier": 1,
			"superStickerMetadata": m{"stickerId": "s1", "altText": "a sticker", "language": "en"},
		}
	case "memberMilestoneChatEvent":
		sn["memberMilestoneChatDetails"] = m{"userComment": sh.Text, "memberMonth": sh.Months, "memberLevelName": sh.Level}
	case "newSponsorEvent":
		sn["newSponsorDetails"] = m{"memberLevelName": sh.Level, "isUpgrade": sh.Upgrade}
	case "membershipGiftingEvent":
		sn["membershipGiftingDetails"] = m{"giftMembershipsCount": sh.Count, "giftMembershipsLevelName": sh.Level}
	case "giftMembershipReceivedEvent":
		sn["giftMembershipReceivedDetails"] = m{
			"memberLevelName": sh.Level, "gifterChannelId": sh.Text, "associatedMembershipGiftingMessageId": sh.Takes,
		}
	case "pollEvent":
		options := []m{}
		for _, o := range sh.Options {
			options = append(options, m{"optionText": o.Text, "tally": decimal(o.Votes)})
		}
		status := "active"
		if sh.Closed {
			status = "closed"
		}
		sn["pollDetails"] = m{"metadata": m{"questionText": sh.Text, "options": options}, "status": status}
	case "giftEvent":
		sn["giftDetails"] = m{"giftName": "Rose", "jewelsAmount": 5, "comboCount": 1, "giftDuration": "5s"}
	case "messageDeletedEvent":
		sn["messageDeletedDetails"] = m{"deletedMessageId": sh.Takes}
	case "messageRetractedEvent":
		sn["messageRetractedDetails"] = m{"retractedMessageId": sh.Takes}
	case "userBannedEvent":
		sn["userBannedDetails"] = m{
			"bannedUserDetails": m{"channelId": sh.Takes, "displayName": sh.Text},
			"banType":           "permanent",
		}
		if sh.Count > 0 {
			sn["userBannedDetails"].(m)["banType"] = "temporary"
			sn["userBannedDetails"].(m)["banDurationSeconds"] = decimal(int64(sh.Count))
		}
	}
	item := m{"kind": "youtube#liveChatMessage", "etag": sh.ID, "id": sh.ID, "snippet": sn}
	if sh.Viewer.ID != "" {
		item["authorDetails"] = m{
			"channelId": sh.Viewer.ID, "channelUrl": "http://www.youtube.com/channel/" + sh.Viewer.ID,
			"displayName": sh.Viewer.Name, "isVerified": false, "isChatOwner": sh.Viewer.Owner,
			"isChatModerator": sh.Viewer.Moderator, "isChatSponsor": sh.Viewer.Member,
		}
	}
	b, err := json.Marshal(item)
	if err != nil {
		return json.RawMessage(`null`) // maps of strings, numbers and booleans always marshal
	}
	return b
}
