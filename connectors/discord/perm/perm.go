// Package perm keeps what Discord tells of the servers a bot is in, and works out from it what the bot may do in a
// channel and who moderates there.
package perm

import (
	"cmp"
	"encoding/json"
	"slices"
	"strings"

	"hawker/connectors/discord/wire"
	"hawker/internal/chat"
)

// A permission with the name people see in Discord (page "Permissions").
type named struct {
	bit  wire.Bits
	name string
}

const (
	administrator  wire.Bits = 1 << 3
	view           wire.Bits = 1 << 10
	send           wire.Bits = 1 << 11
	manageMessages wire.Bits = 1 << 13
	embedLinks     wire.Bits = 1 << 14
	history        wire.Bits = 1 << 16
	manageRoles    wire.Bits = 1 << 28
	sendInThreads  wire.Bits = 1 << 38
	moderate       wire.Bits = 1 << 40
)

// Invite is what the bot asks for when it is invited: View Channel, Send Messages, Read Message History (without which
// it cannot reply) and Send Messages in Threads.
const Invite = view | send | history | sendInThreads

// Names of permissions as Sight.Missing has them. Send in a thread is Threads.
const (
	View    = "View Channel"
	Send    = "Send Messages"
	History = "Read Message History"
	Threads = "Send Messages in Threads"
)

// Names of permissions that only some deeds need; see Bits.
const (
	ManageMessages  = "Manage Messages"
	EmbedLinks      = "Embed Links"
	ManageRoles     = "Manage Roles"
	ModerateMembers = "Moderate Members"
)

// Bits is the permission set of these names, to ask for when the bot is invited. A name that is unknown adds nothing.
func Bits(names ...string) (all wire.Bits) {
	for _, p := range []named{
		{view, View},
		{send, Send},
		{history, History},
		{sendInThreads, Threads},
		{manageMessages, ManageMessages},
		{embedLinks, EmbedLinks},
		{manageRoles, ManageRoles},
		{moderate, ModerateMembers},
	} {
		if slices.Contains(names, p.name) {
			all |= p.bit
		}
	}
	return all
}

// Guilds is every server of one bot. The zero value is empty. It has no lock.
type Guilds struct {
	me string
	by map[string]*guild
}

type guild struct {
	id    string
	owner string
	roles map[string]role // by role id; the one with the guild's own id is @everyone
	rooms map[string]room
	mine  []string // the bot's roles
	known bool     // the bot's own member was described
	down  bool     // an outage at Discord
}

type role struct {
	name string
	may  wire.Bits
}

type room struct {
	over   []overwrite
	parent string // of a thread, which has its parent's permissions
	news   bool   // an announcement channel
}

// overwrite changes what a role or member may do in a channel (page "Permissions", Permission Overwrites).
type overwrite struct {
	ID    string    `json:"id"`
	Allow wire.Bits `json:"allow"`
	Deny  wire.Bits `json:"deny"`
}

type roleWire struct {
	ID          string    `json:"id"`
	Name        string    `json:"name"`
	Permissions wire.Bits `json:"permissions"`
}

type channelWire struct {
	ID         string      `json:"id"`
	Guild      string      `json:"guild_id"`
	Parent     string      `json:"parent_id"`
	Type       int         `json:"type"`
	Name       string      `json:"name"`
	Position   int         `json:"position"`
	Overwrites []overwrite `json:"permission_overwrites"`
}

// guildWire is every event that describes a guild or a part of it.
type guildWire struct {
	ID          string        `json:"id"`
	Guild       string        `json:"guild_id"`
	Owner       string        `json:"owner_id"`
	Unavailable bool          `json:"unavailable"`
	Roles       []roleWire    `json:"roles"`
	Channels    []channelWire `json:"channels"`
	Threads     []channelWire `json:"threads"`
	Members     []wire.Member `json:"members"`
	Role        roleWire      `json:"role"`
	RoleID      string        `json:"role_id"`
}

// Reset forgets all guilds. me is the bot's user id.
func (gs *Guilds) Reset(me string) { gs.me, gs.by = me, map[string]*guild{} }

// Change is what an event meant for a guild.
type Change uint8

// Nothing; what may be done or who may do it; the bot is no longer there.
const (
	Nothing Change = iota
	Changed
	Gone
)

// Learn keeps what an event of the gateway says of a guild.
func (gs *Guilds) Learn(event string, data []byte) (guildID string, what Change) {
	switch event {
	case "CHANNEL_CREATE", "CHANNEL_UPDATE", "CHANNEL_DELETE", "THREAD_CREATE", "THREAD_DELETE":
		return gs.learnChannel(event, data)
	case "GUILD_MEMBER_UPDATE":
		return gs.learnMe(data)
	case "GUILD_CREATE", "GUILD_UPDATE", "GUILD_DELETE", "GUILD_ROLE_CREATE", "GUILD_ROLE_UPDATE", "GUILD_ROLE_DELETE":
	default:
		return "", Nothing
	}
	var d guildWire
	if json.Unmarshal(data, &d) != nil {
		return "", Nothing
	}
	id := d.Guild
	if id == "" {
		id = d.ID
	}
	g := gs.by[id]
	switch {
	case event == "GUILD_CREATE" && d.ID != "" && gs.by != nil:
		gs.by[d.ID] = describe(d, gs.me)
		return d.ID, Changed
	case event == "GUILD_DELETE" && !d.Unavailable && id != "":
		delete(gs.by, id)
		return id, Gone
	case g == nil:
		return "", Nothing
	}
	switch event {
	case "GUILD_DELETE":
		g.down = true
	case "GUILD_UPDATE":
		g.owner = d.Owner
		g.setRoles(d.Roles)
	case "GUILD_ROLE_DELETE":
		delete(g.roles, d.RoleID)
	default:
		g.roles[d.Role.ID] = role{d.Role.Name, d.Role.Permissions}
	}
	return id, Changed
}

func describe(d guildWire, me string) *guild {
	g := &guild{id: d.ID, owner: d.Owner, rooms: map[string]room{}, down: d.Unavailable}
	g.setRoles(d.Roles)
	for _, ch := range d.Channels {
		g.rooms[ch.ID] = room{over: ch.Overwrites, news: ch.Type == typeAnnouncement}
	}
	for _, th := range d.Threads {
		g.rooms[th.ID] = room{parent: th.Parent}
	}
	for _, m := range d.Members {
		if m.User != nil && m.User.ID == me {
			g.mine, g.known = m.Roles, true
		}
	}
	return g
}

func (g *guild) setRoles(rs []roleWire) {
	g.roles = make(map[string]role, len(rs))
	for _, r := range rs {
		g.roles[r.ID] = role{r.Name, r.Permissions}
	}
}

func (gs *Guilds) learnChannel(event string, data []byte) (guildID string, what Change) {
	var ch channelWire
	if json.Unmarshal(data, &ch) != nil || ch.ID == "" {
		return "", Nothing
	}
	g := gs.by[ch.Guild]
	if g == nil {
		return "", Nothing
	}
	switch event {
	case "CHANNEL_DELETE", "THREAD_DELETE":
		delete(g.rooms, ch.ID)
	case "THREAD_CREATE":
		g.rooms[ch.ID] = room{parent: ch.Parent}
	default:
		g.rooms[ch.ID] = room{over: ch.Overwrites, news: ch.Type == typeAnnouncement}
	}
	return ch.Guild, Changed
}

// learnMe keeps the bot's own new roles.
func (gs *Guilds) learnMe(data []byte) (guildID string, what Change) {
	var d struct {
		Guild string    `json:"guild_id"`
		User  wire.User `json:"user"`
		Roles []string  `json:"roles"`
	}
	if json.Unmarshal(data, &d) != nil {
		return "", Nothing
	}
	g := gs.by[d.Guild]
	if g == nil || d.User.ID != gs.me {
		return "", Nothing
	}
	g.mine, g.known = d.Roles, true
	return d.Guild, Changed
}

// News reports whether a channel of a known guild is an announcement channel, whose messages others can follow.
func (gs *Guilds) News(guildID, channelID string) bool {
	g := gs.by[guildID]
	return g != nil && g.rooms[channelID].news
}

// FindRoles are the ids of the roles of a known guild that a person means by an id or a name, with or without @ before it;
// @everyone is never among them.
func (gs *Guilds) FindRoles(guildID, word string) []string {
	g := gs.by[guildID]
	if g == nil {
		return nil
	}
	return g.find(word)
}

// FindRoles is as Guilds.FindRoles, from the answer of the REST API: the guild's roles.
func FindRoles(guildID string, rolesJSON []byte, word string) ([]string, error) {
	var rs []roleWire
	if err := json.Unmarshal(rolesJSON, &rs); err != nil {
		return nil, err
	}
	g := &guild{id: guildID}
	g.setRoles(rs)
	return g.find(word), nil
}

func (g *guild) find(word string) (ids []string) {
	if _, ok := g.roles[word]; ok && word != g.id {
		return []string{word}
	}
	bare := strings.TrimPrefix(word, "@")
	for id, r := range g.roles {
		if id != g.id && id != "" && r.name != "" && (r.name == word || r.name == bare) {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids
}

// Known reports whether a guild was described.
func (gs *Guilds) Known(guildID string) bool { return gs.by[guildID] != nil }

// See says why a channel of a known guild cannot be heard (empty when it can) and which permissions are missing there.
func (gs *Guilds) See(guildID, channelID string) (reason string, missing []string) {
	g := gs.by[guildID]
	switch {
	case g == nil:
		return "The bot is not a member of this server. Invite it again.", nil
	case g.down:
		return "Discord has an outage at this server.", nil
	}
	r, ok := g.rooms[channelID]
	if !ok {
		return "The bot does not see this channel: it was deleted.", nil
	}
	over := r.over
	if r.parent != "" {
		over = g.rooms[r.parent].over
	}
	may, known := g.may(over, gs.me)
	if !known {
		return "", nil
	}
	missing = lacking(may, r.parent != "")
	if may&view == 0 {
		return "The bot may not view this channel. Allow it in the channel's permissions.", missing
	}
	return "", missing
}

func lacking(may wire.Bits, thread bool) (missing []string) {
	speak := named{send, Send}
	if thread {
		speak = named{sendInThreads, Threads}
	}
	for _, p := range []named{{view, View}, speak, {history, History}} {
		if may&p.bit == 0 {
			missing = append(missing, p.name)
		}
	}
	return missing
}

// may computes the bot's permissions in a channel as the page "Permissions" lays down: @everyone, roles, then the
// overwrites for @everyone, roles, and the member.
func (g *guild) may(over []overwrite, me string) (may wire.Bits, known bool) {
	everyone, ok := g.roles[g.id]
	if !g.known || !ok {
		return 0, false
	}
	may = everyone.may
	for _, r := range g.mine {
		may |= g.roles[r].may
	}
	if g.owner == me || may&administrator != 0 {
		return ^wire.Bits(0), true
	}
	var allow, deny wire.Bits
	for _, o := range over {
		switch {
		case o.ID == g.id:
			may = may&^o.Deny | o.Allow
		case slices.Contains(g.mine, o.ID):
			allow, deny = allow|o.Allow, deny|o.Deny
		}
	}
	may = may&^deny | allow
	for _, o := range over {
		if o.ID == me {
			may = may&^o.Deny | o.Allow
		}
	}
	return may, true
}

// Roles is what a member is to us: the guild's owner, or a moderator when a role of theirs administers or manages
// messages.
func (gs *Guilds) Roles(guildID, userID string, m *wire.Member) chat.Roles {
	g := gs.by[guildID]
	if g != nil && g.owner == userID && userID != "" {
		return chat.Owner
	}
	if m == nil {
		return 0
	}
	may := m.Permissions
	if g != nil {
		for _, r := range m.Roles {
			may |= g.roles[r].may
		}
	}
	if may&(administrator|manageMessages) != 0 {
		return chat.Moderator
	}
	return 0
}

// Channel is a text channel that an owner can choose.
type Channel struct {
	ID, Name string
	// Missing are the permissions that the bot lacks there; with none it can hear, speak and reply.
	Missing []string
}

// Channel types that hold lines of text (page "Channel Resource"): a text channel and an announcement channel.
const (
	typeText         = 0
	typeAnnouncement = 5
)

// Text lists the text channels of a guild by their position, from the answers of the REST API: the guild,
// its channels, and the bot's own member.
func Text(guildJSON, channelsJSON, memberJSON []byte) ([]Channel, error) {
	var d guildWire
	var m wire.Member
	if err := json.Unmarshal(guildJSON, &d); err != nil {
		return nil, err
	}
	if err := json.Unmarshal(channelsJSON, &d.Channels); err != nil {
		return nil, err
	}
	if err := json.Unmarshal(memberJSON, &m); err != nil {
		return nil, err
	}
	me := ""
	if m.User != nil {
		me = m.User.ID
	}
	g := describe(d, me)
	g.mine, g.known = m.Roles, true
	slices.SortStableFunc(d.Channels, func(a, b channelWire) int { return cmp.Compare(a.Position, b.Position) })
	var out []Channel
	for _, ch := range d.Channels {
		if ch.ID == "" || ch.Type != typeText && ch.Type != typeAnnouncement {
			continue
		}
		c := Channel{ID: ch.ID, Name: ch.Name}
		if may, known := g.may(ch.Overwrites, me); known {
			c.Missing = lacking(may, false)
		}
		out = append(out, c)
	}
	return out, nil
}
