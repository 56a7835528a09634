package youtube

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	yt "google.golang.org/api/youtube/v3"

	"hawker/connectors/youtube/quota"
	"hawker/connectors/youtube/wire"
	"hawker/internal/chat"
)

// defaultShow is how long a show is taken to last when nobody said.
const defaultShow = 8 * time.Hour

// Listen finds the channel's live broadcast, hears its chat, and looks for the next one when it has ended. It blocks
// until ctx ends (nil) or only the owner can help (ErrReconnect, after a Revoked event); hear is called from this
// goroutine alone and must not block. While the daily quota is used up it waits for midnight Pacific time and says so.
func (c *Client) Listen(ctx context.Context, hear func(chat.Event)) error {
	if ctx.Err() != nil {
		return nil
	}
	c.mu.Lock()
	busy := c.listening
	c.listening = true
	c.mu.Unlock()
	if busy {
		return fmt.Errorf("youtube: %v is listened to already", c.channel)
	}
	done := c.meter.Read()
	defer func() {
		done()
		c.calls.Close()
		c.mu.Lock()
		defer c.mu.Unlock()
		c.listening, c.chatID = false, ""
		c.state.Hears, c.state.Speaks = false, false
	}()
	l := &listener{c: c, hear: hear, began: time.Now(), until: c.o.Until}
	if !l.until.After(l.began) {
		l.until = l.began.Add(defaultShow)
	}
	l.resume(c.o.PageToken)
	err := l.run(ctx)
	if ctx.Err() != nil {
		return nil
	}
	return err
}

// listener is one run of Listen; its goroutine owns it.
type listener struct {
	c            *Client
	hear         func(chat.Event)
	began, until time.Time

	chat       string // the broadcast's live chat id
	joined     bool
	onAir      string    // the chat that was read: its end is the end of the video
	looked     bool      // for a broadcast, in vain
	ended      string    // a chat that ended or is unknown, which may still be listed for a while
	token      string    // where the next read starts
	since      time.Time // lines of a baseline page that are not newer are history; zero before the first page
	recovering bool      // what comes next was typed while we could not read
	lost       string    // why our place in the chat is gone
	noStream   time.Time // until then the list is read instead
	polling    time.Duration
	lastLine   time.Time
	seen       recent
	failures   int       // in a row
	lastCut    time.Time // when a call that had worked for a while last broke
	slow       int       // doublings of the gap that the platform asked for
}

func (l *listener) run(ctx context.Context) error {
	for ctx.Err() == nil {
		if err := l.find(ctx); err != nil {
			return err
		}
		if err := l.follow(ctx); err != nil {
			return err
		}
	}
	return nil
}

// find waits for an active broadcast. Its error is the end of Listen.
func (l *listener) find(ctx context.Context) error {
	for ctx.Err() == nil {
		id, began, err := l.look(ctx)
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil:
			if err := l.mend(ctx, err); err != nil {
				return err
			}
		case id == "" || id == l.ended:
			l.failures, l.looked = 0, true
			l.c.note(func(s *chat.State) { s.Hears, s.Trouble = false, "waiting for a live broadcast on this channel" })
			l.c.wait(ctx, l.c.o.Poll)
		default:
			if id != l.chat {
				l.chat, l.token, l.lost, l.polling, l.recovering = id, "", "", 0, false
				l.streamUp(began)
			}
			l.failures, l.lastLine = 0, time.Now()
			l.c.mu.Lock()
			l.c.chatID = id
			l.c.state.Speaks = len(l.c.state.Missing) == 0
			l.c.mu.Unlock()
			return nil
		}
	}
	return nil
}

// streamUp tells that the video is live, unless it was so before we came: then it is no news.
func (l *listener) streamUp(began string) {
	now := time.Now()
	when, err := time.Parse(time.RFC3339, began)
	if !l.looked && (err != nil || when.Before(l.start())) {
		return
	}
	if err != nil {
		when = now
	}
	l.hear(chat.Event{Kind: chat.StreamUp, Channel: l.c.channel, ID: l.chat + "/up", At: when})
}

// start is when we began to listen, by YouTube's clock, which may name whole seconds.
func (l *listener) start() time.Time { return l.began.Add(l.c.calls.way.skew()).Truncate(time.Second) }

// streamDown tells that the video is over, once, when it was seen live.
func (l *listener) streamDown() {
	if l.onAir != "" && l.onAir == l.chat {
		l.onAir = ""
		l.hear(chat.Event{Kind: chat.StreamDown, Channel: l.c.channel, ID: l.chat + "/down", At: time.Now()})
	}
}

// look asks for the live chat of the broadcast that went live last, and since when it is. It costs 1 unit.
func (l *listener) look(ctx context.Context) (id, began string, err error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	// broadcastType is "event" unless asked, which hides what was started by "Go live now".
	res, err := l.c.api.LiveBroadcasts.List([]string{"snippet", "status"}).
		BroadcastStatus("active").BroadcastType("all").MaxResults(50).Context(ctx).Do()
	if err != nil {
		return "", "", err
	}
	var best *yt.LiveBroadcastSnippet
	for _, b := range res.Items {
		if b.Snippet == nil || b.Snippet.LiveChatId == "" {
			continue // chat switched off
		}
		if best == nil || b.Snippet.ActualStartTime > best.ActualStartTime { // RFC 3339 in UTC sorts as text
			best = b.Snippet
		}
	}
	if best == nil {
		return "", "", nil
	}
	return best.LiveChatId, best.ActualStartTime, nil
}

// follow reads one chat to its end. Its error is the end of Listen.
func (l *listener) follow(ctx context.Context) error {
	for ctx.Err() == nil {
		start := time.Now()
		pages, err := l.read(ctx)
		if ctx.Err() != nil {
			return nil
		}
		if errors.Is(err, errEnded) {
			l.leave("the broadcast has ended")
			l.streamDown()
			return nil
		}
		if err == nil {
			l.failures, l.slow = 0, max(0, l.slow-1)
			if err := l.pause(ctx, start); err != nil {
				return err
			}
			continue
		}
		f := classify(err)
		if f.act == over || f.act == lost {
			l.leave(f.reason)
			if f.code != "liveChatDisabled" { // a chat that is switched off does not end the video
				l.streamDown()
			}
			return nil
		}
		if l.cutShort(f, pages, start) {
			err = l.pause(ctx, start)
		} else {
			err = l.mend(ctx, err)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// cutShort reports whether a call that worked for a while broke, as the one before it did: something on the way always
// ends streams early. Then the next call waits its turn; otherwise reading would go on at a cost that the day does not
// cover.
func (l *listener) cutShort(f fault, pages int, start time.Time) bool {
	now := time.Now()
	if f.act != again || pages == 0 || now.Sub(start) < 5*time.Second {
		return false
	}
	before := l.lastCut
	l.lastCut, l.failures, l.recovering = now, 0, true
	return now.Sub(before) < time.Minute
}

// pause waits until the next read is due.
func (l *listener) pause(ctx context.Context, start time.Time) error {
	now := time.Now()
	c := l.c
	c.mu.Lock()
	interest := c.interest
	c.mu.Unlock()
	gap, ok := c.meter.Plan(now, quota.Plan{
		Remaining: l.until.Sub(now), Polling: l.polling, Interest: interest, Silent: now.Sub(l.lastLine),
	}).Gap()
	if !ok {
		return l.mend(ctx, ErrQuota)
	}
	gap <<= min(l.slow, 5)
	// A call that ends at once must not be repeated at once, whatever the quota allows.
	c.wait(ctx, max(gap, time.Second)-now.Sub(start))
	return nil
}

// mend waits as long as a failure asks for and says what is wrong. Its error is the end of Listen.
func (l *listener) mend(ctx context.Context, err error) error {
	f := classify(err)
	c := l.c
	now := time.Now()
	c.log.DebugContext(ctx, "call failed", "code", f.code)
	l.recovering = l.recovering || l.joined
	if f.act == reconnect && f.code == "authError" && l.failures < 2 {
		f.act = again // a token may end, or be replaced, between its renewal and its use
	}
	switch f.act {
	case spent:
		c.meter.Exhaust(now) // what is left does not cover a read
		u := c.meter.Usage(now)
		why := quotaSentence(u)
		c.trouble(why)
		l.hearLeft(why)
		c.log.WarnContext(ctx, "daily quota used up", "units", u.Units, "until", u.Until)
		// A few seconds on top, since their clock turns the day.
		c.sleep(ctx, u.Until.Sub(now)+time.Duration(5+rand.IntN(25))*time.Second)
		return nil
	case reconnect:
		c.trouble(f.reason)
		c.note(func(s *chat.State) { s.Speaks = false })
		l.hear(chat.Event{Kind: chat.Revoked, Channel: c.channel, Reason: f.reason, At: now})
		if errors.Is(err, ErrReconnect) {
			return err
		}
		return fmt.Errorf("%w (%s)", ErrReconnect, f.code)
	case stale:
		l.forget(f.reason)
	case absent:
		l.noStream = now.Add(10 * time.Minute)
	case slower:
		l.slow++
	}
	if f.act == slower || f.act == refused || f.act == suspended {
		c.trouble(f.reason)
		c.wait(ctx, max(f.after, jitter(min(5*time.Second<<min(l.slow, 4), time.Minute))))
		return nil
	}
	l.failures++
	if errors.Is(err, wire.ErrMalformed) && l.failures%5 == 0 && l.token != "" {
		l.forget(f.reason) // a page that never becomes readable must not hold up all that follow it
	}
	// One cut connection or stale token is everyday; what lasts is shown.
	if l.failures > 1 {
		c.trouble(f.reason)
	}
	if f.act == again {
		c.note(func(s *chat.State) { s.Reconnects++ })
	}
	c.sleep(ctx, max(f.after, jitter(min(time.Second<<min(l.failures-1, 6), time.Minute))))
	return nil
}

// forget gives up our place in the chat: the next page is a new baseline.
func (l *listener) forget(why string) { l.token, l.lost = "", why }

// jitter is between half and all of d, so that many clients do not come back at once.
func jitter(d time.Duration) time.Duration { return d/2 + rand.N(d/2+1) }

func (l *listener) leave(why string) {
	l.hearLeft(why)
	l.ended, l.token = l.chat, ""
	l.c.mu.Lock()
	defer l.c.mu.Unlock()
	l.c.chatID = ""
	l.c.state.Hears, l.c.state.Speaks = false, false
}

func (l *listener) hearLeft(why string) {
	if l.joined {
		l.joined = false
		l.hear(chat.Event{Kind: chat.Left, Channel: l.c.channel, Reason: why, At: time.Now()})
	}
}

func (c *Client) trouble(why string) {
	c.note(func(s *chat.State) { s.Hears, s.Trouble = false, why })
}

// quotaSentence says what the end of the quota means to a chat.
func quotaSentence(u quota.Usage) string {
	return spentSentence(u) + ": this chat is neither read nor answered until then. Viewers can buy in the live room."
}

// spentSentence says until when the quota is used up, in the quota's time and in UTC.
func spentSentence(u quota.Usage) string {
	return fmt.Sprintf("YouTube's daily quota of %d units is used up until %s (%s)", u.Daily,
		quota.Pacific(u.Until).Format("2 Jan 15:04 MST"), u.Until.UTC().Format("15:04 MST"))
}

// wait waits for d, or for a nudge.
func (c *Client) wait(ctx context.Context, d time.Duration) { c.pauseFor(ctx, d, c.nudge) }

// sleep waits for d; a nudge does not help here.
func (c *Client) sleep(ctx context.Context, d time.Duration) { c.pauseFor(ctx, d, nil) }

func (c *Client) pauseFor(ctx context.Context, d time.Duration, wake <-chan struct{}) {
	if d <= 0 {
		return
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	case <-wake:
	}
}
