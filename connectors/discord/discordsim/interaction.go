package discordsim

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// ErrNoAnswer is what a viewer sees when the application gave no first answer in time.
var ErrNoAnswer = errors.New("the application did not respond")

// Interaction is a slash command or button that a viewer used, with what they saw come of it.
type Interaction struct {
	ID string

	sim       *Sim
	token     string
	viewer    Viewer
	channel   *channel
	made      time.Time
	component bool
	dismissed bool
	first     int // the first answer's type, 0 while there is none
	answers   []Shown
	changed   chan struct{}
}

// Use has a viewer type a slash command into a channel, such as "/buy item:3 variant:M amount:2". It is an error
// when no such command is registered or its options are wrong: Discord's own input line would not send it.
func (s *Sim) Use(channelID string, v Viewer, text string) (*Interaction, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.channels[channelID]
	if c == nil {
		return nil, fmt.Errorf("no channel %s", channelID)
	}
	name, rest, _ := strings.Cut(strings.TrimPrefix(text, "/"), " ")
	i := slices.IndexFunc(s.commands[c.guild.ID], func(o command) bool { return o.Name == name })
	if i < 0 {
		return nil, fmt.Errorf("no command /%s", name)
	}
	cmd := s.commands[c.guild.ID][i]
	opts, err := cmd.parse(rest)
	if err != nil {
		return nil, err
	}
	return s.interact(c, v, 2, map[string]any{"id": cmd.ID, "name": cmd.Name, "type": 1, "guild_id": c.guild.ID, "options": opts}, nil), nil
}

// Press has a viewer press the button customID below a line.
func (s *Sim) Press(channelID string, v Viewer, messageID, customID string) (*Interaction, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.channels[channelID]
	if c == nil {
		return nil, fmt.Errorf("no channel %s", channelID)
	}
	var m map[string]any
	if l := c.byID[messageID]; l != nil {
		m = s.message(c, l)
	}
	return s.interact(c, v, 3, map[string]any{"custom_id": customID, "component_type": 2}, m), nil
}

func (s *Sim) interact(c *channel, v Viewer, typ int, data, message map[string]any) *Interaction {
	id := s.snowflake()
	in := &Interaction{ID: id, sim: s, token: "itoken-" + id + "-secret", viewer: v, channel: c, component: typ == 3, made: time.Now(), changed: make(chan struct{})}
	s.prune()
	s.calls[in.token] = in
	mem := member(v)
	mem["user"] = user(v)
	mem["permissions"] = strconv.FormatInt(c.guild.permissions(v), 10)
	d := map[string]any{
		"id": id, "application_id": s.cfg.AppID, "type": typ, "data": data, "guild_id": c.guild.ID, "channel_id": c.ID,
		"channel": s.channelObject(c), "member": mem, "token": in.token, "version": 1, "locale": "en-US",
		"app_permissions": strconv.FormatInt(s.allowed(c), 10),
	}
	if message != nil {
		d["message"] = message
	}
	s.dispatch(0, "INTERACTION_CREATE", d, nil)
	return in
}

// prune forgets interactions whose token ended.
func (s *Sim) prune() {
	if len(s.calls) < 4096 {
		return
	}
	for t, in := range s.calls {
		if time.Since(in.made) > s.cfg.TokenLife {
			delete(s.calls, t)
		}
	}
}

// RepeatInteraction delivers an interaction a second time, as a new event.
func (s *Sim) RepeatInteraction(in *Interaction) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, se := range s.sessions {
		for _, b := range se.events {
			if strings.Contains(string(b), `"INTERACTION_CREATE"`) && strings.Contains(string(b), in.token) {
				se.events = append(se.events, renumber(b, se.seq()+1))
				if se.link != nil {
					se.link.wake()
				}
				break
			}
		}
	}
}

// Seen is what the viewer saw so far, newest state of each answer.
func (in *Interaction) Seen() []Shown {
	in.sim.mu.Lock()
	defer in.sim.mu.Unlock()
	return slices.Clone(in.answers)
}

// Wait blocks until the viewer sees an answer that is more than "thinking", and returns it. It is ErrNoAnswer when
// the application missed the time of the first answer.
func (in *Interaction) Wait(ctx context.Context) (Shown, error) {
	late := time.NewTimer(time.Until(in.made.Add(in.sim.cfg.FirstAnswer)))
	defer late.Stop()
	for {
		in.sim.mu.Lock()
		first, changed := in.first, in.changed
		i := slices.IndexFunc(in.answers, func(a Shown) bool { return !a.Thinking })
		var sh Shown
		if i >= 0 {
			sh = in.answers[i]
		}
		in.sim.mu.Unlock()
		if i >= 0 {
			return sh, nil
		}
		select {
		case <-ctx.Done():
			return Shown{}, ctx.Err()
		case <-in.sim.done:
			return Shown{}, errors.New("the platform closed")
		case <-late.C:
			if first == 0 {
				return Shown{}, ErrNoAnswer
			}
		case <-changed:
		}
	}
}

// put sets answer i (or appends) and tells who waits and watches. An answer that is there keeps who sees it.
func (in *Interaction) put(i int, text string, bs []Button, thinking, private bool) string {
	sh := Shown{
		Kind: Private, ID: in.sim.snowflake(), Channel: in.channel.ID, Own: true, Text: text, Buttons: bs, Thinking: thinking,
		For: in.viewer.ID, At: time.Now(), Author: Viewer{ID: in.sim.cfg.AppID, Name: in.sim.cfg.BotName, Bot: true},
	}
	if i < len(in.answers) {
		private = in.answers[i].Kind == Private
		sh.ID = in.answers[i].ID
	}
	if !private {
		sh.Kind, sh.For = Line, ""
	}
	if i < len(in.answers) {
		in.answers[i] = sh
	} else {
		in.answers = append(in.answers, sh)
	}
	close(in.changed)
	in.changed = make(chan struct{})
	in.channel.show(sh)
	return sh.ID
}

func (s *Sim) callback(w http.ResponseWriter, r *http.Request) *fault {
	var a struct {
		Type int
		Data *draft
	}
	if f := body(w, r, &a); f != nil {
		return f
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	in := s.calls[r.PathValue("token")]
	switch {
	case in == nil || in.ID != r.PathValue("id") || in.first == 0 && time.Since(in.made) > s.cfg.FirstAnswer:
		return &fault{404, 10062, "Unknown interaction"}
	case in.first != 0:
		return &fault{400, 40060, "Interaction has already been acknowledged."}
	}
	switch a.Type {
	case 5:
		in.put(0, "", nil, true, a.Data != nil && a.Data.Flags&ephemeral != 0)
	case 4:
		if a.Data == nil {
			return invalid
		}
		bs, pings, f := a.Data.check([]string{"users"})
		if f != nil {
			return f
		}
		s.tally.pings += pings
		in.put(0, a.Data.Content, bs, false, a.Data.Flags&ephemeral != 0)
	case 6:
		if !in.component {
			return invalid
		}
		close(in.changed)
		in.changed = make(chan struct{})
	default:
		return invalid
	}
	in.first = a.Type
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// answerTo finds the interaction of a token that still takes answers.
func (s *Sim) answerTo(r *http.Request) (*Interaction, *fault) {
	in := s.calls[r.PathValue("token")]
	switch {
	case in == nil || r.PathValue("app") != s.cfg.AppID || in.first == 0:
		return nil, &fault{404, 10015, "Unknown Webhook"}
	case time.Since(in.made) > s.cfg.TokenLife:
		return nil, &fault{401, 50027, "Invalid Webhook Token"}
	}
	return in, nil
}

// Message flags (page "Message Resource").
const (
	ephemeral = 1 << 6
	loading   = 1 << 7
)

func (s *Sim) getOriginal(w http.ResponseWriter, r *http.Request) *fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	in, f := s.answerTo(r)
	switch {
	case f != nil:
		return f
	case len(in.answers) == 0 || in.dismissed:
		return &fault{404, 10008, "Unknown Message"}
	}
	answer(w, 200, in.object(0))
	return nil
}

func (s *Sim) editOriginal(w http.ResponseWriter, r *http.Request) *fault {
	return s.privately(w, r, true)
}

func (s *Sim) followUp(w http.ResponseWriter, r *http.Request) *fault {
	return s.privately(w, r, false)
}

// privately takes an answer after the first. A follow-up directly after a deferred answer takes its place (page
// "Receiving and Responding", Create Followup Message); every later one decides by its own flags who sees it.
func (s *Sim) privately(w http.ResponseWriter, r *http.Request, original bool) *fault {
	var d draft
	if f := body(w, r, &d); f != nil {
		return f
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	in, f := s.answerTo(r)
	if f != nil {
		return f
	}
	if original && (len(in.answers) == 0 || in.dismissed) {
		return &fault{404, 10008, "Unknown Message"}
	}
	bs, pings, f := d.check([]string{"users"})
	if f != nil {
		return f
	}
	s.tally.pings += pings
	i := 0
	if !original && (len(in.answers) == 0 || !in.answers[0].Thinking || in.dismissed) {
		i = len(in.answers)
	}
	in.put(i, d.Content, bs, false, d.Flags&ephemeral != 0)
	s.send(w, in.object(i))
	return nil
}

// object is the wire's message of an answer.
func (in *Interaction) object(i int) map[string]any {
	sh, flags := in.answers[i], 0
	if sh.Kind == Private {
		flags |= ephemeral
	}
	if sh.Thinking {
		flags |= loading
	}
	return map[string]any{
		"id": sh.ID, "channel_id": in.channel.ID, "content": sh.Text, "type": 20, "webhook_id": in.sim.cfg.AppID, "author": in.sim.bot(),
		"timestamp": sh.At.UTC().Format("2006-01-02T15:04:05.000000+00:00"), "flags": flags, "components": components(sh.Buttons),
	}
}

// Dismiss has the viewer close the first answer.
func (in *Interaction) Dismiss() {
	in.sim.mu.Lock()
	defer in.sim.mu.Unlock()
	in.dismissed = true
}
