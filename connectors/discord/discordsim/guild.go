package discordsim

import (
	"maps"
	"slices"
	"strconv"
	"time"
)

type guild struct {
	Guild
	members map[string]Viewer
	until   map[string]time.Time // time-outs by user
	gone    bool                 // the bot was removed
}

type channel struct {
	Channel
	guild    *guild
	user     string // whose direct messages it holds
	sends    window
	lines    []*line
	byID     map[string]*line
	watchers map[*watcher]bool
}

// AddGuild adds a server that the bot is in. A session that is open hears of it.
func (s *Sim) AddGuild(g Guild) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if g.Everyone == 0 {
		g.Everyone = ViewChannel | SendMessages | EmbedLinks | ReadHistory
	}
	if g.BotPosition == 0 {
		g.BotPosition = 10
	}
	gu := &guild{Guild: g, members: map[string]Viewer{}, until: map[string]time.Time{}}
	s.guilds[g.ID] = gu
	for _, c := range g.Channels {
		s.channels[c.ID] = &channel{Channel: c, guild: gu, byID: map[string]*line{}, watchers: map[*watcher]bool{}}
	}
	s.dispatch(intentGuilds, "GUILD_CREATE", s.guildObject(gu), nil)
}

// RemoveBot has an administrator remove the bot from a server.
func (s *Sim) RemoveBot(guildID string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if g := s.guilds[guildID]; g != nil {
		g.gone = true
		delete(s.guilds, guildID)
		s.dispatch(intentGuilds, "GUILD_DELETE", map[string]any{"id": guildID}, nil)
	}
}

// Outage makes a server unavailable, as during a fault at Discord, or available again.
func (s *Sim) Outage(guildID string, on bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	g := s.guilds[guildID]
	switch {
	case g == nil:
	case on:
		s.dispatch(intentGuilds, "GUILD_DELETE", map[string]any{"id": guildID, "unavailable": true}, nil)
	default:
		s.dispatch(intentGuilds, "GUILD_CREATE", s.guildObject(g), nil)
	}
}

// Forbid has an administrator take permission bits from the bot in a channel; 0 gives all back.
func (s *Sim) Forbid(channelID string, bits int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.channels[channelID]
	if c == nil {
		return
	}
	c.Deny = bits
	o := s.channelObject(c)
	o["guild_id"] = c.guild.ID
	s.dispatch(intentGuilds, "CHANNEL_UPDATE", o, nil)
}

// RemoveChannel has an administrator delete a channel.
func (s *Sim) RemoveChannel(channelID string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.channels[channelID]
	if c == nil {
		return
	}
	delete(s.channels, channelID)
	o := s.channelObject(c)
	o["guild_id"] = c.guild.ID
	s.dispatch(intentGuilds, "CHANNEL_DELETE", o, nil)
}

// SetRole changes or adds a role of a server.
func (s *Sim) SetRole(guildID string, r Role) {
	s.mu.Lock()
	defer s.mu.Unlock()
	g := s.guilds[guildID]
	if g == nil {
		return
	}
	t := "GUILD_ROLE_CREATE"
	if i := slices.IndexFunc(g.Roles, func(o Role) bool { return o.ID == r.ID }); i >= 0 {
		g.Roles[i], t = r, "GUILD_ROLE_UPDATE"
	} else {
		g.Roles = append(g.Roles, r)
	}
	s.dispatch(intentGuilds, t, map[string]any{"guild_id": guildID, "role": roleObject(r)}, nil)
}

// allowed is what the bot may do in a channel.
func (s *Sim) allowed(c *channel) int64 {
	if c.guild.gone {
		return 0
	}
	return (c.guild.Everyone | c.guild.Bot) &^ c.Deny
}

// permissions is what a viewer may do in a channel's guild.
func (g *guild) permissions(v Viewer) int64 {
	bits := g.Everyone
	for _, r := range g.Roles {
		if slices.Contains(v.Roles, r.ID) {
			bits |= r.Permissions
		}
	}
	if v.ID == g.Owner || bits&Administrator != 0 {
		return allBits
	}
	return bits
}

func (s *Sim) bot() map[string]any {
	return map[string]any{"id": s.cfg.AppID, "username": s.cfg.BotName, "discriminator": "0", "avatar": nil, "bot": true}
}

func (s *Sim) guildObject(g *guild) map[string]any {
	roles := []map[string]any{roleObject(Role{ID: g.ID, Name: "@everyone", Permissions: g.Everyone})}
	for _, r := range g.Roles {
		roles = append(roles, roleObject(r))
	}
	if g.Bot != 0 {
		roles = append(roles, roleObject(s.botRole(g)))
	}
	return map[string]any{
		"id": g.ID, "name": g.Name, "owner_id": g.Owner, "unavailable": false, "roles": roles,
		"channels": s.channelObjects(g), "threads": []any{},
		"members": []any{s.botMember(g)},
	}
}

// botRole is the role that Discord makes for a bot that was invited with permissions.
func (s *Sim) botRole(g *guild) Role {
	return Role{ID: g.ID + s.cfg.AppID, Name: s.cfg.BotName, Permissions: g.Bot, Position: g.BotPosition, Managed: true}
}

func (s *Sim) botMember(g *guild) map[string]any {
	roles := []string{}
	if g.Bot != 0 {
		roles = append(roles, s.botRole(g).ID)
	}
	return map[string]any{"user": s.bot(), "roles": roles, "nick": nil, "joined_at": "2026-01-01T00:00:00+00:00"}
}

func (s *Sim) channelObjects(g *guild) []map[string]any {
	out := []map[string]any{}
	for _, id := range slices.Sorted(maps.Keys(s.channels)) {
		if c := s.channels[id]; c.guild == g {
			out = append(out, s.channelObject(c))
		}
	}
	return out
}

func (s *Sim) channelObject(c *channel) map[string]any {
	over := []map[string]any{}
	if c.Deny != 0 {
		over = append(over, map[string]any{"id": s.cfg.AppID, "type": 1, "allow": "0", "deny": strconv.FormatInt(c.Deny, 10)})
	}
	kind := 0
	if c.News {
		kind = 5
	}
	return map[string]any{"id": c.ID, "type": kind, "name": c.Name, "position": 0, "permission_overwrites": over, "rate_limit_per_user": 0}
}

func roleObject(r Role) map[string]any {
	return map[string]any{"id": r.ID, "name": r.Name, "permissions": strconv.FormatInt(r.Permissions, 10), "position": max(1, r.Position), "managed": r.Managed}
}

func user(v Viewer) map[string]any {
	u := map[string]any{"id": v.ID, "username": v.Name, "discriminator": "0", "avatar": nil, "global_name": nil}
	if v.Global != "" {
		u["global_name"] = v.Global
	}
	if v.Bot {
		u["bot"] = true
	}
	return u
}

func member(v Viewer) map[string]any {
	m := map[string]any{"roles": append([]string{}, v.Roles...), "nick": nil, "joined_at": "2026-01-01T00:00:00+00:00", "deaf": false, "mute": false}
	if v.Nick != "" {
		m["nick"] = v.Nick
	}
	return m
}
