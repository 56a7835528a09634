package discordsim

import (
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"
	"unicode/utf8"
)

// Audit is an entry of a server's audit log that the bot caused.
type Audit struct{ Method, Path, Reason string }

// Enter has somebody become a member of a server, now.
func (s *Sim) Enter(guildID string, v Viewer) {
	s.enter(guildID, v, time.Now())
}

// EnterAgain tells once more of somebody who became a member at that time.
func (s *Sim) EnterAgain(guildID string, v Viewer, at time.Time) { s.enter(guildID, v, at) }

func (s *Sim) enter(guildID string, v Viewer, at time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	g := s.guilds[guildID]
	if g == nil {
		return
	}
	g.members[v.ID] = v
	m := member(v)
	m["user"], m["guild_id"] = user(v), guildID
	m["joined_at"] = at.UTC().Format("2006-01-02T15:04:05.000000+00:00")
	s.dispatch(intentMembers, "GUILD_MEMBER_ADD", m, nil)
}

// Member is a member of a server with their roles; false when there is no such.
func (s *Sim) Member(guildID, userID string) (Viewer, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	g := s.guilds[guildID]
	if g == nil {
		return Viewer{}, false
	}
	v, ok := g.members[userID]
	v.Roles = slices.Clone(v.Roles)
	return v, ok
}

// TimedOut is until when a member may not speak; the zero time for no time-out.
func (s *Sim) TimedOut(guildID, userID string) time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	if g := s.guilds[guildID]; g != nil {
		return g.until[userID]
	}
	return time.Time{}
}

// CloseDMs has a user take no direct messages, or take them again.
func (s *Sim) CloseDMs(userID string, on bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.dmsOff[userID] = on
}

// DMs is every direct message that the bot sent to a user, oldest first.
func (s *Sim) DMs(userID string) []Shown {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []Shown
	if c := s.private[userID]; c != nil {
		for _, l := range c.lines {
			out = append(out, l.Shown)
		}
	}
	return out
}

// Audit is what the bot caused in audit logs, oldest first.
func (s *Sim) Audit() []Audit {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.audit)
}

// record keeps an entry of the audit log. Call with mu held.
func (s *Sim) record(r *http.Request) {
	reason, err := url.PathUnescape(r.Header.Get("X-Audit-Log-Reason"))
	if err != nil || utf8.RuneCountInString(reason) > 512 {
		reason = ""
	}
	s.audit = append(s.audit, Audit{r.Method, r.URL.Path, reason})
}

// lose cuts the connection when a verb ordered so. Call with mu held.
func (s *Sim) lose() {
	if s.weather.losses > 0 {
		s.weather.losses--
		panic(http.ErrAbortHandler) // the server closes the connection and says nothing
	}
}

// hurry refuses a call when a verb ordered so. Call with mu held.
func (s *Sim) hurry(w http.ResponseWriter) bool {
	if s.weather.refusals == 0 {
		return false
	}
	s.weather.refusals--
	s.tooMany(w, 300*time.Millisecond, false)
	return true
}

func (s *Sim) deleteMessage(w http.ResponseWriter, r *http.Request) *fault {
	s.mu.Lock()
	c, l := s.find(r.PathValue("channel"), r.PathValue("message"))
	switch {
	case c == nil:
		s.mu.Unlock()
		return &fault{404, 10003, "Unknown Channel"}
	case s.hurry(w):
		s.mu.Unlock()
		return nil
	case s.allowed(c)&ViewChannel == 0:
		s.mu.Unlock()
		return &fault{403, 50001, "Missing Access"}
	case l == nil:
		s.mu.Unlock()
		return &fault{404, 10008, "Unknown Message"}
	case !l.Own && s.allowed(c)&ManageMessages == 0:
		s.mu.Unlock()
		return &fault{403, 50013, "Missing Permissions"}
	}
	s.record(r)
	s.mu.Unlock()
	s.Delete(c.ID, l.ID)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lose()
	w.WriteHeader(http.StatusNoContent)
	return nil
}

func (s *Sim) crosspost(w http.ResponseWriter, r *http.Request) *fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	c, l := s.find(r.PathValue("channel"), r.PathValue("message"))
	switch {
	case c == nil:
		return &fault{404, 10003, "Unknown Channel"}
	case s.hurry(w):
		return nil
	case l == nil:
		return &fault{404, 10008, "Unknown Message"}
	case !c.News:
		return &fault{400, 50024, "Cannot execute action on this channel type"}
	case l.Spread:
		return &fault{400, 40033, "This message has already been crossposted"}
	case !l.Own && s.allowed(c)&ManageMessages == 0, s.allowed(c)&SendMessages == 0:
		return &fault{403, 50013, "Missing Permissions"}
	}
	l.Spread = true
	s.lose()
	answer(w, 200, s.message(c, l))
	return nil
}

func (s *Sim) listRoles(w http.ResponseWriter, r *http.Request) *fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	g := s.guilds[r.PathValue("guild")]
	if g == nil {
		return &fault{403, 50001, "Missing Access"}
	}
	answer(w, 200, s.guildObject(g)["roles"])
	return nil
}

// target is the member a call is about, and whether the bot stands above them. Call with mu held.
func (s *Sim) target(r *http.Request) (g *guild, v Viewer, above bool, f *fault) {
	g = s.guilds[r.PathValue("guild")]
	if g == nil {
		return nil, v, false, &fault{403, 50001, "Missing Access"}
	}
	v, ok := g.members[r.PathValue("user")]
	if !ok {
		return g, v, false, &fault{404, 10007, "Unknown Member"}
	}
	above = v.ID != g.Owner && g.permissions(v)&Administrator == 0
	for _, role := range g.Roles {
		if slices.Contains(v.Roles, role.ID) && max(1, role.Position) >= g.BotPosition {
			above = false
		}
	}
	return g, v, above, nil
}

// editMember knows communication_disabled_until alone (page "Guild Resource", Modify Guild Member).
func (s *Sim) editMember(w http.ResponseWriter, r *http.Request) *fault {
	var in struct {
		Until *time.Time `json:"communication_disabled_until"`
	}
	if json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<16)).Decode(&in) != nil {
		return invalid
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.hurry(w) {
		return nil
	}
	g, v, above, f := s.target(r)
	switch {
	case f != nil:
		return f
	case (g.Everyone|g.Bot)&Moderate == 0 || !above:
		return &fault{403, 50013, "Missing Permissions"}
	case in.Until != nil && time.Until(*in.Until) > 28*24*time.Hour:
		return invalid
	case in.Until == nil:
		delete(g.until, v.ID)
	default:
		g.until[v.ID] = *in.Until
	}
	s.record(r)
	s.lose()
	m := member(v)
	m["user"], m["communication_disabled_until"] = user(v), in.Until
	answer(w, 200, m)
	return nil
}

func (s *Sim) giveRole(w http.ResponseWriter, r *http.Request) *fault {
	return s.changeRole(w, r, true)
}

func (s *Sim) takeRole(w http.ResponseWriter, r *http.Request) *fault {
	return s.changeRole(w, r, false)
}

func (s *Sim) changeRole(w http.ResponseWriter, r *http.Request, give bool) *fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.hurry(w) {
		return nil
	}
	g, v, _, f := s.target(r)
	if f != nil {
		return f
	}
	i := slices.IndexFunc(g.Roles, func(o Role) bool { return o.ID == r.PathValue("role") })
	switch {
	case i < 0 && r.PathValue("role") != s.botRole(g).ID:
		return &fault{404, 10011, "Unknown Role"}
	case i < 0, (g.Everyone|g.Bot)&(ManageRoles|Administrator) == 0, g.Roles[i].Managed, max(1, g.Roles[i].Position) >= g.BotPosition:
		return &fault{403, 50013, "Missing Permissions"}
	}
	id := g.Roles[i].ID
	v.Roles = slices.DeleteFunc(slices.Clone(v.Roles), func(o string) bool { return o == id })
	if give {
		v.Roles = append(v.Roles, id)
	}
	g.members[v.ID] = v
	s.record(r)
	m := member(v)
	m["user"], m["guild_id"] = user(v), g.ID
	s.dispatch(intentMembers, "GUILD_MEMBER_UPDATE", m, nil)
	s.lose()
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// openPrivate gives the channel of the bot's direct messages to a user, the same one each time.
func (s *Sim) openPrivate(w http.ResponseWriter, r *http.Request) *fault {
	var in struct {
		To string `json:"recipient_id"`
	}
	if f := body(w, r, &in); f != nil {
		return f
	}
	if _, err := strconv.ParseUint(in.To, 10, 63); err != nil || in.To == s.cfg.AppID {
		return &fault{400, 50033, "Invalid Recipient(s)"}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.hurry(w) {
		return nil
	}
	c := s.private[in.To]
	if c == nil {
		alone := &guild{Guild: Guild{Everyone: ViewChannel | SendMessages | EmbedLinks | ReadHistory}, members: map[string]Viewer{}}
		c = &channel{
			Channel: Channel{ID: s.snowflake()}, guild: alone, user: in.To, byID: map[string]*line{}, watchers: map[*watcher]bool{},
		}
		s.private[in.To], s.channels[c.ID] = c, c
	}
	s.lose()
	answer(w, 200, map[string]any{"id": c.ID, "type": 1, "recipients": []any{map[string]any{"id": in.To}}})
	return nil
}
