package discord

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/bwmarrin/discordgo"

	"hawker/connectors/discord/gate"
	"hawker/connectors/discord/wire"
	"hawker/internal/chat"
)

const (
	// identifyEvery keeps to one identify in 5 s (page "Gateway", Session Start Limit, max_concurrency).
	identifyEvery = 5 * time.Second
	// steady is how long a connection must live to count as a good one.
	steady     = 10 * time.Second
	backoffMax = time.Minute
	lookupFor  = 20 * time.Second // for one REST question
)

// listener is the state of one Listen. Its goroutine alone touches it, but for seq.
type listener struct {
	c    *Client
	hear func(chat.Event)
	work sync.WaitGroup // first answers and command registration
	// registered are guilds whose commands were looked at.
	registered map[string]bool

	url        string // of the gateway, from REST
	session    string
	resumeURL  string
	seq        atomic.Int64
	identified time.Time
	connected  int    // sessions that became ready
	lost       string // why lines may be missing, told after the next READY
	recovering bool   // what comes now was missed before
	alive      bool   // this connection was READY or RESUMED
	content    bool   // ask for the Message Content intent
	members    bool   // the session has the Server Members intent
	noMembers  bool   // Discord does not allow it
	member     map[string]bool

	behind map[string]*catchUp // channels whose missed lines are being fetched
	caught chan caught
}

// Listen connects and hears until ctx ends (nil) or until the account can do no more without its owner; the error is
// then a *chat.Refused with a sentence. hear is called from one goroutine, in Discord's order, and must not block.
func (c *Client) Listen(ctx context.Context, hear func(chat.Event)) error {
	if !c.listening.CompareAndSwap(false, true) {
		return errors.New("discord: already listening")
	}
	defer c.listening.Store(false)
	wctx, cancel := context.WithCancel(ctx)
	l := &listener{c: c, hear: hear, registered: map[string]bool{}, member: map[string]bool{}, content: !c.opts.CommandsOnly}
	l.behind, l.caught = map[string]*catchUp{}, make(chan caught)
	c.setLimited(false, false)
	defer func() {
		cancel()
		l.work.Wait()
		c.mu.Lock()
		defer c.mu.Unlock()
		c.ready = false
		for _, p := range c.channels {
			p.told = toldNothing
		}
		c.http.CloseIdleConnections()
	}()
	err := l.run(wctx)
	if ctx.Err() != nil {
		return nil
	}
	return err
}

// run keeps a connection until ctx ends or a fatal answer.
func (l *listener) run(ctx context.Context) error {
	tries := 0
	for ctx.Err() == nil {
		began := time.Now()
		l.alive = false
		wait, err := l.connect(ctx)
		l.c.setReady(false)
		if fatal := (*chat.Refused)(nil); errors.As(err, &fatal) {
			return l.giveUp(fatal)
		}
		if l.alive && time.Since(began) > steady {
			tries = 0
		}
		tries++
		if wait == 0 && tries > 1 {
			wait = min(backoffMax, time.Second<<min(tries-2, 6))
			wait = wait/2 + rand.N(wait/2+1)
		}
		if err != nil && ctx.Err() == nil {
			l.c.log.WarnContext(ctx, "discord connection ended", "err", err, "tries", tries, "wait", wait)
			if tries > 2 {
				l.c.setTrouble("Discord cannot be reached; trying again.")
			}
		}
		if gate.Pause(ctx, wait) != nil {
			return nil
		}
		if tries%4 == 0 { // perhaps the resume address is what is broken
			l.resumeURL = l.url
		}
	}
	return nil
}

// connect holds one connection. wait is how long Discord wants to be left alone, 0 for no wish.
func (l *listener) connect(ctx context.Context) (wait time.Duration, err error) {
	addr := l.resumeURL
	if l.session == "" {
		if wait, err = l.lookup(ctx); err != nil {
			return wait, err
		}
		if err = gate.Pause(ctx, time.Until(l.identified.Add(identifyEvery))); err != nil {
			return 0, err
		}
		l.seq.Store(0)
		addr = l.url
	}
	w, err := wire.Dial(ctx, l.c.web, l.c.rest.UserAgent, addr, discordgo.APIVersion, &l.seq)
	if err != nil {
		return 0, fmt.Errorf("gateway: %w", err)
	}
	wait, hung, err := l.serve(ctx, w)
	code := w.Part(wire.CloseResume)
	if hung || ctx.Err() != nil || err != nil {
		return wait, err
	}
	return l.ended(ctx, code)
}

// lookup asks where the gateway is and whether a session may begin.
func (l *listener) lookup(ctx context.Context) (wait time.Duration, err error) {
	ctx, cancel := context.WithTimeout(ctx, lookupFor)
	defer cancel()
	g, err := l.c.rest.GatewayBot(discordgo.WithContext(ctx))
	if err != nil {
		re := gate.Refusal(err)
		if re.Reconnect {
			return 0, re
		}
		return re.RetryAfter, fmt.Errorf("gateway address: %s", re.Reason)
	}
	if !strings.HasPrefix(g.URL, "ws://") && !strings.HasPrefix(g.URL, "wss://") {
		return 0, errors.New("gateway address: not a websocket address")
	}
	l.url = g.URL
	if lim := g.SessionStartLimit; lim.Total > 0 && lim.Remaining <= 0 {
		l.c.setTrouble("Discord allows no more logins of this bot today.")
		return max(time.Duration(lim.ResetAfter)*time.Millisecond, time.Minute), errors.New("gateway: no session starts left")
	}
	return 0, nil
}

// serve works through a connection's payloads. hung means we end the connection, not Discord.
func (l *listener) serve(ctx context.Context, w *wire.Conn) (wait time.Duration, hung bool, err error) {
	greeted := false
	for {
		select {
		case <-l.c.changed:
			l.settle(ctx)
			if l.outgrown() {
				return 0, true, nil
			}
		case got := <-l.caught:
			l.catchesUp(got)
		case p, ok := <-w.In:
			if !ok || ctx.Err() != nil {
				return 0, false, nil
			}
			switch p.Op {
			case wire.OpHello:
				if !greeted {
					greeted = true
					l.greet(ctx, w)
				}
			case wire.OpReconnect:
				return 0, true, nil
			case wire.OpInvalid:
				if !p.Again {
					l.drop("Discord ended the session; lines may be missing.")
				}
				// page "Gateway", Resuming: wait a random time between 1 and 5 s
				return time.Second + rand.N(4*time.Second), true, nil
			case wire.OpDispatch:
				l.dispatch(ctx, p)
			}
		}
	}
}

func (l *listener) greet(ctx context.Context, w *wire.Conn) {
	if l.session != "" {
		l.recovering = true
		w.Resume(ctx, l.c.rest.Token, l.session, l.seq.Load())
		return
	}
	intents := discordgo.IntentGuilds | discordgo.IntentGuildMessages
	if l.content {
		intents |= discordgo.IntentMessageContent
	}
	if l.members = l.c.wantsMembers() && !l.noMembers; l.members {
		intents |= discordgo.IntentGuildMembers
	}
	l.recovering = false
	l.identified = time.Now()
	w.Identify(ctx, l.c.rest.Token, int(intents))
}

// drop forgets the session, so that the next connection identifies anew.
func (l *listener) drop(reason string) {
	l.session, l.resumeURL = "", ""
	if l.connected > 0 {
		l.lost = reason
	}
}

// outgrown ends a session that lacks the Server Members intent when it is wanted by now.
func (l *listener) outgrown() bool {
	if l.session == "" || l.members || l.noMembers || !l.c.wantsMembers() {
		return false
	}
	l.drop("The connection was renewed to hear who joins the server; lines may be missing.")
	return true
}

// ended judges the code that Discord closed with (page "Opcodes and Status Codes", Gateway Close Event Codes).
func (l *listener) ended(ctx context.Context, code int) (time.Duration, error) {
	fatal := func(reason string) (time.Duration, error) {
		return 0, &chat.Refused{Code: fmt.Sprint(code), Reason: reason, Reconnect: true}
	}
	switch code {
	case 4004:
		return fatal("Discord refused the bot token: it was reset or is wrong. Enter the token from the developer portal.")
	case 4010, 4012, 4013:
		return fatal(fmt.Sprintf("Discord refused this program's way of connecting (close code %d). Update hawker.", code))
	case 4011:
		return fatal("The bot is in more servers than one connection may serve (2,500). Use a bot of your own for this installation.")
	case 4014:
		content, members := l.disallowed(ctx)
		switch {
		case !content && !members, content && l.c.opts.NoCommands:
			return fatal("Discord does not allow this bot to read the chat. Switch the Message Content Intent on in Discord's developer portal under Bot.")
		case content: // slash commands work without
			l.content = false
			l.drop(noContent)
		default:
			l.drop(noMembers)
		}
		l.noMembers = l.noMembers || members
		l.c.setLimited(!l.content && !l.c.opts.CommandsOnly, l.noMembers)
		if content {
			return 0, errors.New("gateway: the Message Content Intent is not switched on; going on with slash commands only")
		}
		return 0, errors.New("gateway: the Server Members Intent is not switched on; going on without")
	case 4003, 4007, 4009:
		l.drop("Discord ended the session; lines may be missing.")
	}
	return 0, fmt.Errorf("gateway: connection closed (code %d)", code)
}

// disallowed says which of the intents that were asked for the bot may not have. Discord's close code does not: where both were
// asked for, the application's flags tell (page "Application Resource", Application Flags), and else the one that selling
// does not need is given up first.
func (l *listener) disallowed(ctx context.Context) (content, members bool) {
	if !l.content || !l.members {
		return l.content, l.members
	}
	const anyMembers, anyContent = 1<<14 | 1<<15, 1<<18 | 1<<19 // with and without Discord's review
	ctx, cancel := context.WithTimeout(ctx, lookupFor)
	defer cancel()
	to := discordgo.EndpointApplication("@me")
	b, err := l.c.rest.RequestWithBucketID("GET", to, nil, to, discordgo.WithContext(ctx))
	var app struct{ Flags *int }
	if err != nil || json.Unmarshal(b, &app) != nil || app.Flags == nil {
		return false, true
	}
	content, members = *app.Flags&anyContent == 0, *app.Flags&anyMembers == 0
	return content, members || !content
}

// giveUp tells every channel why nothing more will be heard.
func (l *listener) giveUp(re *chat.Refused) error {
	kind := chat.Left
	if re.Code == "401" || re.Code == "4004" {
		kind = chat.Revoked
		l.c.gate.Stop(re.Reason)
	}
	l.c.setTrouble(re.Reason)
	l.c.log.Error("discord account stopped", "code", re.Code, "reason", re.Reason)
	for _, id := range l.c.channelIDs() {
		l.hear(chat.Event{Kind: kind, Channel: at(id), Reason: re.Reason, At: time.Now()})
	}
	return re
}

func (c *Client) channelIDs() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	ids := make([]string, 0, len(c.channels))
	for id := range c.channels {
		ids = append(ids, id)
	}
	return ids
}

func (c *Client) setReady(on bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ready = on; on {
		c.trouble = ""
	}
}

// setLimited keeps which intents are missing.
func (c *Client) setLimited(content, members bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.limited, c.blind = content, members
}

func (c *Client) wantsMembers() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.members
}

func (c *Client) setTrouble(s string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.trouble = s
}
