package discord

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/bwmarrin/discordgo"

	"hawker/connectors/discord/gate"
	"hawker/connectors/discord/perm"
	"hawker/connectors/discord/wire"
	"hawker/internal/chat"
)

const (
	// backFor is how far back lines are fetched: older ones could not claim anything any more. backMost is how many pages of
	// backPage lines are read for a channel (page "Message Resource", Get Channel Messages).
	backFor  = 15 * time.Minute
	backMost = 50
	backPage = 100
	// backTries is how often a page is asked for, backWithin how long all of it may take.
	backTries  = 5
	backWithin = 2 * time.Minute
	// describedWithin is how long a server's description, which tells what the bot may do, is waited for after READY.
	describedWithin = 5 * time.Second
	// holdMost is how many events of a channel wait for what is fetched before them.
	holdMost = 20_000
)

// catchUp is what a channel waits for: the lines said while no session could give them back. Events that come meanwhile wait, so
// that all is heard in Discord's order. The listener's goroutine alone touches it.
type catchUp struct {
	turn    int // which of several READYs it is for
	waiting []wire.Frame
}

// caught is what came of one catching up.
type caught struct {
	channel string
	turn    int
	lines   []json.RawMessage // oldest first
	cut     string            // why there may be more, empty for none
}

// back begins to fetch what was said in a channel after the line with id after, while events of the channel wait.
func (l *listener) back(ctx context.Context, channelID, guildID, after, why string) {
	w := l.behind[channelID]
	if w == nil {
		w = &catchUp{}
		l.behind[channelID] = w
	}
	w.turn++ // what an earlier session's call finds may lack what was said since
	turn := w.turn
	l.work.Go(func() {
		got := l.c.fetch(ctx, channelID, guildID, after, why)
		got.channel, got.turn = channelID, turn
		select {
		case l.caught <- got:
		case <-ctx.Done():
		}
	})
}

// waits keeps an event of a channel for later when lines before it are being fetched, and reports whether it did.
func (l *listener) waits(p wire.Frame) bool {
	if len(l.behind) == 0 {
		return false
	}
	w := l.behind[wire.ChannelOf(p.Data)]
	if w == nil {
		return false
	}
	if len(w.waiting) < holdMost {
		w.waiting = append(w.waiting, p)
	}
	return true
}

// catchesUp hears what was fetched, then what waited for it.
func (l *listener) catchesUp(got caught) {
	w := l.behind[got.channel]
	if w == nil || w.turn != got.turn {
		return
	}
	delete(l.behind, got.channel)
	if !l.c.wants(got.channel) {
		return
	}
	cut := got.cut
	if len(w.waiting) >= holdMost {
		cut = "More was said than could wait while the lines before it were fetched."
	}
	if cut != "" && l.c.hears(got.channel) { // else something worse was told
		l.hear(chat.Event{Kind: chat.Gap, Channel: at(got.channel), Reason: cut, At: time.Now()})
	}
	was := l.recovering
	l.recovering = true
	for _, m := range got.lines {
		l.onMessage(m, false)
	}
	l.recovering = was
	for _, p := range w.waiting {
		l.message(p)
	}
}

func (c *Client) hears(channelID string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	p := c.channels[channelID]
	return p != nil && p.told == toldJoined
}

// fetch reads the lines after one, oldest first. cut says what is missing of them.
func (c *Client) fetch(ctx context.Context, channelID, guildID, after, why string) (got caught) {
	ctx, cancel := context.WithTimeout(ctx, backWithin)
	defer cancel()
	if !c.described(ctx, guildID) || ctx.Err() != nil {
		got.cut = why
		return got
	}
	if !c.reads(channelID, guildID) { // Discord would answer that there is nothing
		got.cut = why + " The bot may not read the message history, so they were not fetched."
		return got
	}
	if first := wire.SnowflakeAt(c.gate.Now().Add(-backFor)); older(after, first) {
		after, got.cut = first, why+" Lines from more than "+strconv.Itoa(int(backFor/time.Minute))+" minutes ago were not fetched."
	}
	for range backMost {
		page, err := c.page(ctx, channelID, after)
		if err != nil {
			c.log.WarnContext(ctx, "discord lines not fetched", "channel", channelID, "err", err)
			got.cut = why
			return got
		}
		for _, m := range page {
			got.lines = append(got.lines, m.raw)
			after = m.id
		}
		if len(page) < backPage {
			return got
		}
	}
	got.cut = why + " There were too many to fetch all."
	return got
}

// described waits for a server's description. False means that the bot is not in it, or that nobody knows.
func (c *Client) described(ctx context.Context, guildID string) bool {
	for end := time.Now().Add(describedWithin); ; {
		c.mu.Lock()
		known := c.guilds.Known(guildID)
		c.mu.Unlock()
		if known || time.Now().After(end) || gate.Pause(ctx, 20*time.Millisecond) != nil {
			return known
		}
	}
}

// reads reports whether the bot may read what was said in a channel of a described server. It asks the description itself: a
// channel's list of what is missing is made from it a moment later.
func (c *Client) reads(channelID, guildID string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	_, missing := c.guilds.See(guildID, channelID)
	return !slices.Contains(missing, perm.History) && !slices.Contains(missing, perm.View)
}

type fetched struct {
	id  string
	raw json.RawMessage
}

// page asks for the lines right after one, oldest first.
func (c *Client) page(ctx context.Context, channelID, after string) (page []fetched, err error) {
	to := discordgo.EndpointChannelMessages(channelID)
	q := url.Values{"after": {after}, "limit": {strconv.Itoa(backPage)}}
	for try := 1; ; try++ {
		var b []byte
		if b, err = c.rest.RequestWithBucketID("GET", to+"?"+q.Encode(), nil, to, discordgo.WithContext(ctx)); err == nil {
			return readPage(b)
		}
		re := gate.Refusal(err)
		if try == backTries || re.RetryAfter == 0 && !re.Unknown && re.Code != gate.Network {
			return nil, re
		}
		if gate.Pause(ctx, max(re.RetryAfter, time.Second<<try)) != nil {
			return nil, re
		}
	}
}

// readPage takes a list of messages apart, which Discord gives with the newest first.
func readPage(b []byte) (page []fetched, err error) {
	var all []json.RawMessage
	if json.Unmarshal(b, &all) != nil {
		return nil, errors.New("no list of messages")
	}
	for _, raw := range all {
		var m struct {
			ID string `json:"id"`
		}
		if json.Unmarshal(raw, &m) != nil {
			continue
		}
		if _, ok := wire.Snowflake(m.ID); ok {
			page = append(page, fetched{m.ID, raw})
		}
	}
	slices.SortFunc(page, func(a, b fetched) int { return compare(a.id, b.id) })
	return page, nil
}

// compare orders ids, which are numbers that rise, by their age.
func compare(a, b string) int {
	if d := cmp.Compare(len(a), len(b)); d != 0 {
		return d
	}
	return cmp.Compare(a, b)
}

func older(a, b string) bool { return compare(a, b) < 0 }

// mods remembers members with a say, since a line that is fetched does not tell its author's roles. It is bounded; who is
// forgotten is an ordinary viewer until their next line.
type mods map[string]*wire.Member

const modsMost = 4096

func (m mods) learn(guildID, userID string, w *wire.Member, r chat.Roles) {
	key := guildID + "/" + userID
	if w == nil {
		return
	}
	if r == 0 {
		delete(m, key)
		return
	}
	if len(m) >= modsMost {
		clear(m)
	}
	m[key] = w
}
