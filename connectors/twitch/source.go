package twitch

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/nicklaw5/helix/v2"

	"hawker/connectors/twitch/eventsub"
	"hawker/internal/chat"
)

// source is one login through which Twitch tells happenings over EventSub. Subscriptions on one socket all belong to one
// user (Twitch docs, "Managing Event Subscriptions"), so each login has a socket of its own: a channel's owner for the own
// channel, at no cost, and the bot's for channels whose owner has no login here. The latter cost one of ten each, unless the
// owner has let the application in; what exceeds that is told as trouble.
type source struct {
	c     *Client
	t     *tokens
	owner string // the channel whose owner this is; empty for the bot
	wake  chan struct{}

	mu       sync.Mutex
	made     map[subscription]string // on the present session, with Twitch's ids
	barred   map[subscription]bar    // refused or ended by Twitch
	trouble  string
	withdrew bool // Twitch said so, and it was told
	told     memory
	ads      map[string]time.Time // by channel: when the adverts of now are over
}

// subscription is a wish to be told.
type subscription struct{ typ, channel string }

// bar is why a subscription is not asked for again.
type bar struct {
	why     string
	forever bool // Twitch ended it; else only until something changes
	limit   bool // there are too many
}

func newSource(c *Client, owner string) *source {
	return &source{c: c, owner: owner, wake: make(chan struct{}, 1), made: map[subscription]string{}, barred: map[subscription]bar{}}
}

// look has the source look at what is wanted, and whether it may be had.
func (s *source) look() {
	select {
	case s.wake <- struct{}{}:
	default: // it is going to look already
	}
}

// run hears what is wanted until ctx ends or the login is of no more use. Without anything to hear there is no socket.
func (s *source) run(ctx context.Context, hear func(chat.Event)) {
	var keeper sync.WaitGroup
	defer keeper.Wait()
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	if s.owner != "" { // the bot's login is looked after by Listen
		if s.t.untilValid(ctx) != nil {
			return
		}
		keeper.Go(func() {
			defer stop()
			_ = s.t.keep(ctx) // States tells what became of it
		})
	}
	for ctx.Err() == nil {
		select {
		case <-s.wake: // it is looked at now
		default:
		}
		if len(s.wanted()) > 0 {
			// Its only error is ErrNothing: then there is nothing to hear until something changes.
			_ = eventsub.Run(ctx, eventsub.Options{
				URL: s.c.o.EventSubURL, HTTP: s.c.api.http, Log: s.c.o.Log.With("events", s.t.account.ID), Changed: s.wake,
				Subscribe: func(ctx context.Context, session string, fresh bool) error {
					return s.subscribe(ctx, session, fresh, hear)
				},
				Notify: func(n eventsub.Notification) {
					if eventsub.OfChat(n.Type) {
						if in, ok := toldOf(n, time.Now()); ok {
							s.c.tell(in, hear)
						}
					} else if e, ok := eventsub.Read(n); ok && s.admit(e) {
						hear(e)
						if e.Kind == chat.AdBreak {
							keeper.Go(func() { s.adsOver(ctx, e, hear) })
						}
					}
				},
				Revoked: func(r eventsub.Revocation) {
					if s.revoked(r, hear) {
						keeper.Go(func() { s.withdrawn(ctx, r, hear) })
					}
				},
				Lost:    func(err error) { s.lost(err, hear) },
				Welcome: s.welcome,
			})
			s.lost(nil, hear)
		}
		select {
		case <-ctx.Done():
		case <-s.wake:
			s.forgive(false)
		}
	}
}

// forgive has everything asked for again that Twitch did not end for good; what went over its limits only when room was made.
func (s *source) forgive(room bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	maps.DeleteFunc(s.barred, func(_ subscription, b bar) bool { return !b.forever && (room || !b.limit) })
}

// lost notes that a session ended; err is nil when none is wanted any more.
func (s *source) lost(err error, hear func(chat.Event)) {
	reason := "Twitch's events are not heard."
	if err != nil {
		reason = "Twitch's events are not heard: " + err.Error() + "."
		s.mu.Lock()
		s.trouble = reason
		s.mu.Unlock()
	}
	if s.owner == "" {
		for _, e := range s.c.overLost(reason, errors.Is(err, eventsub.ErrSilent)) {
			hear(e)
		}
	}
}

// hears reports whether a session with subscriptions stands: over it Twitch tells when the permission is withdrawn.
func (s *source) hears() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.made) > 0 && s.trouble == ""
}

func (s *source) welcome() {
	s.mu.Lock()
	s.trouble = ""
	s.mu.Unlock()
	if s.owner == "" && s.c.o.Road == EventSub {
		s.c.mu.Lock()
		s.c.sockets++
		s.c.mu.Unlock()
	}
}

// why says what keeps events of the channel from being heard; empty when nothing does, or when this source is not for it.
func (s *source) why(channelID string) string {
	if s.owner != "" && s.owner != channelID {
		return ""
	}
	if gone := s.t.goneErr(); gone != nil && s.owner != "" {
		return gone.Reason
	}
	s.c.mu.Lock()
	r := s.c.rooms[channelID]
	joined := r != nil && r.joined // then its lines are heard all the same
	s.c.mu.Unlock()
	mine := slices.DeleteFunc(s.all(), func(sub subscription) bool { return sub.channel != channelID || joined && eventsub.OfChat(sub.typ) })
	if len(mine) == 0 {
		return ""
	}
	slices.SortFunc(mine, bySubscription)
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, sub := range mine {
		if b, ok := s.barred[sub]; ok {
			return b.why
		}
	}
	return s.trouble
}

func bySubscription(a, b subscription) int {
	return strings.Compare(a.channel+" "+a.typ, b.channel+" "+b.typ)
}

// all are the subscriptions that should be and that the login's scopes allow.
func (s *source) all() []subscription {
	c := s.c
	c.mu.Lock()
	kinds, rooms := slices.Compact(slices.Sorted(slices.Values(c.kinds))), map[string]bool{} // whether the login may moderate there
	var lines []string
	for id, r := range c.rooms {
		if s.owner == "" && c.o.Road != IRC && !isUnknown(id) {
			lines = append(lines, id)
		}
		switch {
		case s.owner == id:
			rooms[id] = true
		case s.owner == "" && c.owners[id] == nil:
			rooms[id] = r.mod
		}
		if isUnknown(id) {
			delete(rooms, id)
		}
	}
	c.mu.Unlock()
	slices.SortFunc(lines, func(a, b string) int { // those that cost nothing first
		return cmp.Or(cmp.Compare(c.costs(a), c.costs(b)), strings.Compare(a, b))
	})
	var out []subscription
	add := func(ok bool, id, typ string) {
		if ok {
			out = append(out, subscription{typ, id})
		}
	}
	for _, typ := range c.o.Road.types() { // lines of all channels before anything else of one
		for _, id := range lines {
			add(s.t.has(scopeChat) || s.t.untold(), id, typ)
		}
	}
	for _, id := range slices.Sorted(maps.Keys(rooms)) {
		own := id == s.t.account.ID
		for _, k := range kinds {
			switch k {
			case chat.StreamUp:
				add(true, id, eventsub.Online)
			case chat.StreamDown:
				add(true, id, eventsub.Offline)
			case chat.Followed:
				add(rooms[id] && s.t.has("moderator:read:followers"), id, eventsub.Follow)
			case chat.Redeemed:
				add(own && s.t.has("channel:read:redemptions"), id, eventsub.Redemption)
				add(own && s.t.has("bits:read"), id, eventsub.PowerUp)
			case chat.AdBreak, chat.AdBreakOver:
				twice := k == chat.AdBreakOver && slices.Contains(kinds, chat.AdBreak)
				add(own && !twice && s.t.has("channel:read:ads"), id, eventsub.AdBreak)
			case chat.Polled:
				add(own && s.t.has("channel:read:polls"), id, eventsub.PollEnd)
			}
		}
	}
	return out
}

// wanted are all but those that Twitch does not give.
func (s *source) wanted() []subscription {
	all := s.all()
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.DeleteFunc(all, func(sub subscription) bool { _, ok := s.barred[sub]; return ok })
}

// admit reports whether an event is news of a channel that is heard.
func (s *source) admit(e chat.Event) bool {
	if !s.c.wants(e.Channel.ID) {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.told.add(e.ID, e.Viewer)
}

// revoked notes the end of a subscription by Twitch's will. It is not asked for again: only people can help. It reports whether
// the account's login may have ended with it.
func (s *source) revoked(r eventsub.Revocation, hear func(chat.Event)) (withdrawn bool) {
	why := "Twitch no longer tells " + r.Type + ": " + r.Status + ". Connect " + s.t.whose + " again."
	var ended []string
	s.mu.Lock()
	for sub, id := range s.made {
		if id == r.ID {
			s.barred[sub] = bar{why: why, forever: true}
			delete(s.made, sub)
			withdrawn = s.owner == "" && r.Status == "authorization_revoked" && !s.withdrew
			if sub.typ == eventsub.Message {
				ended = append(ended, sub.channel)
			}
		}
	}
	if len(ended) == 0 && s.owner == "" && eventsub.OfChat(r.Type) && r.Status == "authorization_revoked" {
		withdrawn = !s.withdrew // of a subscription that is no more: the login has ended all the same
	}
	s.withdrew = s.withdrew || withdrawn
	s.mu.Unlock()
	for _, id := range ended {
		for _, e := range s.c.overEnded(id, why) {
			hear(e)
		}
	}
	s.look() // perhaps nothing is left
	return withdrawn
}

// withdrawn has Twitch say whether the login has ended, for it does not tell on the other road. When it cannot be asked, or says
// otherwise, the owner is told all the same.
func (s *source) withdrawn(ctx context.Context, r eventsub.Revocation, hear func(chat.Event)) {
	if permanent(s.t.validate(ctx)) || ctx.Err() != nil {
		return // Listen ends by it
	}
	for _, st := range s.c.States() {
		hear(chat.Event{Kind: chat.Revoked, Channel: st.Channel, Reason: "Twitch says " + r.Status + ": connect " + s.t.whose + " again.", At: time.Now()})
	}
}

// subscribe brings what is subscribed on the session to what is wanted.
func (s *source) subscribe(ctx context.Context, session string, fresh bool, hear func(chat.Event)) error {
	s.mu.Lock()
	if fresh {
		clear(s.made)
	}
	made := maps.Clone(s.made)
	s.mu.Unlock()
	s.forgive(fresh)
	want, room := s.wanted(), false
	for sub, id := range made { // first, for what it cost
		if !slices.Contains(want, sub) && id != "" {
			room = true
			_, err := s.t.calls(ctx, func(h *helix.Client) error { _, err := h.RemoveEventSubSubscription(id); return err })
			if err != nil && ctx.Err() == nil {
				s.c.o.Log.InfoContext(ctx, "twitch subscription not given back", "type", sub.typ, "err", err)
			}
			s.mu.Lock()
			delete(s.made, sub) // what it still tells is not admitted, or harmless
			s.mu.Unlock()
		}
	}
	if room {
		s.forgive(true)
		want = s.wanted()
	}
	var failed error
	over, full := 0, "" // limits met by chats
	for _, sub := range want {
		if _, ok := made[sub]; ok {
			continue
		}
		ofChat := eventsub.OfChat(sub.typ)
		id, no, err := "", bar{why: full, limit: true}, error(nil)
		if !ofChat || over < mostRefused {
			id, no, err = s.create(ctx, session, sub)
		}
		s.mu.Lock()
		switch {
		case err != nil:
			failed = err
		case no.why != "":
			s.barred[sub] = no
			if ofChat && no.limit {
				over, full = over+1, no.why
			}
		default:
			s.made[sub] = id
		}
		s.mu.Unlock()
		if err == nil && no.why == "" && sub.typ == eventsub.Message {
			for _, e := range s.c.stands(sub.channel, EventSub) {
				hear(e)
			}
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if failed == nil && len(s.made) == 0 {
		return eventsub.ErrNothing
	}
	return failed
}

// adsOver waits for the end of an ad break, of which Twitch tells the beginning and the length, and tells it: once, where breaks
// follow upon each other.
func (s *source) adsOver(ctx context.Context, e chat.Event, hear func(chat.Event)) {
	end := e.At.Add(e.Support.For)
	s.mu.Lock()
	if s.ads == nil {
		s.ads = map[string]time.Time{}
	}
	if !end.After(s.ads[e.Channel.ID]) {
		s.mu.Unlock()
		return
	}
	s.ads[e.Channel.ID] = end
	s.mu.Unlock()
	if !sleep(ctx, min(time.Until(end), e.Support.For)) { // a clock that is off delays nothing for longer than the break
		return
	}
	s.mu.Lock()
	last := s.ads[e.Channel.ID].Equal(end)
	s.mu.Unlock()
	if last && s.c.wants(e.Channel.ID) {
		e.Kind, e.ID, e.At = chat.AdBreakOver, chat.AdBreakOver.String()+strings.TrimPrefix(e.ID, chat.AdBreak.String()), end
		hear(e)
	}
}

// mostRefused is after how many refusals for want of room no more chats are asked for on a session: there may be a thousand, and
// each question counts against the account's calls. Not the first, for channels cost differently.
const mostRefused = 10

// create asks for one subscription. no is why Twitch will not have it; err is worth another try.
func (s *source) create(ctx context.Context, session string, sub subscription) (id string, no bar, err error) {
	p := helix.EventSubSubscription{
		Type: sub.typ, Version: eventsub.Version(sub.typ), Condition: helix.EventSubCondition{BroadcasterUserID: sub.channel},
		Transport: helix.EventSubTransport{Method: "websocket", SessionID: session},
	}
	if sub.typ == eventsub.Follow {
		p.Condition.ModeratorUserID = s.t.account.ID
	}
	if eventsub.OfChat(sub.typ) {
		p.Condition.UserID = s.t.account.ID
	}
	body, err := s.t.calls(ctx, func(h *helix.Client) error { _, err := h.CreateEventSubSubscription(&p); return err })
	var v struct {
		Data []struct {
			ID string `json:"id"`
		} `json:"data"`
	}
	var re *chat.Refused
	switch {
	case err == nil:
		if json.Unmarshal(body, &v) != nil || len(v.Data) == 0 {
			return "", bar{}, errors.New("twitch confirmed a subscription without naming it")
		}
		return v.Data[0].ID, bar{}, nil
	case !errors.As(err, &re) || re.Unknown || re.Code == "network" || re.Reconnect:
		return "", bar{}, err
	}
	switch why := fmt.Sprintf("Twitch does not tell %s: %s", sub.typ, re.Reason); re.Code {
	case "409": // it is there; since 2026 the answer names it
		return "", bar{}, nil
	case "429":
		if !strings.Contains(re.Reason, "cost") && !strings.Contains(re.Reason, "number of subscriptions") && !strings.Contains(re.Reason, "limit exceeded") {
			return "", bar{}, err // calls come too fast
		}
		return "", bar{why: why, limit: true}, nil
	case "400":
		if strings.Contains(re.Reason, "session") {
			return "", bar{}, err // it ended meanwhile
		}
		return "", bar{why: why}, nil
	default:
		return "", bar{why: why}, nil
	}
}
