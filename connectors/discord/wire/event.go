package wire

import (
	"encoding/json"
	"strconv"
	"strings"
	"time"
)

// Ready is READY: who we are and how to resume.
type Ready struct {
	User        User   `json:"user"`
	Session     string `json:"session_id"`
	ResumeURL   string `json:"resume_gateway_url"`
	Application struct {
		ID string `json:"id"`
	} `json:"application"`
	Guilds []struct {
		ID string `json:"id"`
	} `json:"guilds"`
}

// ReadReady reads READY. ok is false when it names no session or no user.
func ReadReady(data []byte) (r Ready, ok bool) {
	ok = json.Unmarshal(data, &r) == nil && r.Session != "" && r.User.ID != ""
	return r, ok
}

// User is an account of Discord.
type User struct {
	ID       string `json:"id"`
	Username string `json:"username"`
	Global   string `json:"global_name"`
	Bot      bool   `json:"bot"`
}

// Member is a user in a guild.
type Member struct {
	User  *User    `json:"user"`
	Nick  string   `json:"nick"`
	Roles []string `json:"roles"`
	// Permissions come in interactions alone: all that the member may do in the channel.
	Permissions Bits `json:"permissions"`
}

// Name is what people see: the nick in this guild, the display name, or the username.
func Name(u User, m *Member) string {
	switch {
	case m != nil && m.Nick != "":
		return m.Nick
	case u.Global != "":
		return u.Global
	}
	return u.Username
}

// Message types that people type (page "Message Resource"): the others are notices.
const (
	typeDefault = 0
	typeReply   = 19
)

// Message is MESSAGE_CREATE and MESSAGE_UPDATE.
type Message struct {
	ID      string  `json:"id"`
	Channel string  `json:"channel_id"`
	Guild   string  `json:"guild_id"`
	Type    int     `json:"type"`
	Content string  `json:"content"`
	Author  *User   `json:"author"`
	Member  *Member `json:"member"`
	Webhook string  `json:"webhook_id"`
	Edited  string  `json:"edited_timestamp"`

	Reference *struct {
		Message string `json:"message_id"`
	} `json:"message_reference"`
}

// ReplyTo is the id of the message this one answers, or empty.
func (m *Message) ReplyTo() string {
	if m.Type != typeReply || m.Reference == nil {
		return ""
	}
	return m.Reference.Message
}

// ReadMessage reads MESSAGE_CREATE or, with edit, MESSAGE_UPDATE. ok is false for what nobody typed: notices, updates
// that add a preview or lack the author, and what is no message.
func ReadMessage(data []byte, edit bool) (m Message, ok bool) {
	if json.Unmarshal(data, &m) != nil || m.Author == nil || m.Author.ID == "" || m.Type != typeDefault && m.Type != typeReply {
		return m, false
	}
	_, ok = Snowflake(m.ID)
	return m, ok && (!edit || m.Edited != "")
}

// Entry is GUILD_MEMBER_ADD: somebody became a member of a guild.
type Entry struct {
	Guild  string `json:"guild_id"`
	Joined string `json:"joined_at"`
	Member
}

// ReadEntry reads GUILD_MEMBER_ADD. ok is false when it names no guild or no user.
func ReadEntry(data []byte) (e Entry, ok bool) {
	if json.Unmarshal(data, &e) != nil || e.User == nil {
		return e, false
	}
	_, guild := Snowflake(e.Guild)
	_, user := Snowflake(e.User.ID)
	return e, guild && user
}

// Deletion is MESSAGE_DELETE and MESSAGE_DELETE_BULK.
type Deletion struct {
	IDs     []string
	Channel string
	Bulk    bool // only moderators and bots delete in bulk
}

// ReadDeletion reads a deletion. What is no id is left out; ok is false when none is left.
func ReadDeletion(data []byte) (d Deletion, ok bool) {
	var w struct {
		ID      string   `json:"id"`
		IDs     []string `json:"ids"`
		Channel string   `json:"channel_id"`
	}
	if json.Unmarshal(data, &w) != nil {
		return d, false
	}
	d = Deletion{Channel: w.Channel, Bulk: len(w.IDs) > 0}
	for _, id := range append(w.IDs, w.ID) {
		if _, is := Snowflake(id); is {
			d.IDs = append(d.IDs, id)
		}
	}
	return d, len(d.IDs) > 0
}

// Interaction types (page "Receiving and Responding").
const (
	TypeCommand   = 2
	TypeComponent = 3
)

// Interaction is a slash command or a pressed button.
type Interaction struct {
	ID      string  `json:"id"`
	App     string  `json:"application_id"`
	Type    int     `json:"type"`
	Token   string  `json:"token"`
	Guild   string  `json:"guild_id"`
	Channel string  `json:"channel_id"`
	Member  *Member `json:"member"`
	User    *User   `json:"user"`
	Data    struct {
		Name     string   `json:"name"`
		CustomID string   `json:"custom_id"`
		Options  []Option `json:"options"`
	} `json:"data"`
}

// Option is what a viewer filled in at a slash command.
type Option struct {
	Name  string          `json:"name"`
	Value json.RawMessage `json:"value"`
}

// Text is the option's value as typed; empty for what is neither text nor number.
func (o Option) Text() string {
	var s string
	if json.Unmarshal(o.Value, &s) == nil {
		return s
	}
	if n, err := strconv.ParseInt(string(o.Value), 10, 64); err == nil {
		return strconv.FormatInt(n, 10)
	}
	return ""
}

// ReadInteraction reads INTERACTION_CREATE. ok is false for types other than command and component, and for what
// cannot be answered or was used by nobody.
func ReadInteraction(data []byte) (in Interaction, ok bool) {
	if json.Unmarshal(data, &in) != nil || in.Type != TypeCommand && in.Type != TypeComponent {
		return in, false
	}
	if in.Member != nil && in.Member.User != nil {
		in.User = in.Member.User
	}
	_, ok = Snowflake(in.ID)
	ok = ok && in.User != nil && in.User.ID != "" && Token(in.Token) && in.Channel != ""
	return in, ok
}

// Token reports whether s can be the token of an interaction: text that can stand in an address as it is.
func Token(s string) bool {
	return s != "" && strings.IndexFunc(s, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && !strings.ContainsRune("-_.~=+:", r)
	}) < 0 && strings.Trim(s, ".") != ""
}

// Bits is a permission set, on the wire a decimal string.
type Bits uint64

// UnmarshalJSON reads a decimal string or a number; what is neither is no permission at all.
func (p *Bits) UnmarshalJSON(b []byte) error {
	*p = 0
	if n, err := strconv.ParseUint(strings.Trim(string(b), `"`), 10, 64); err == nil {
		*p = Bits(n)
	}
	return nil
}

// epoch is the first millisecond of Discord's ids (page "API Reference", Snowflakes).
const epoch = 1420070400000

// ChannelOf is the channel that an event of a message is about, or empty.
func ChannelOf(data []byte) string {
	var m struct {
		Channel string `json:"channel_id"`
	}
	_ = json.Unmarshal(data, &m) // what cannot be read is about none
	return m.Channel
}

// SnowflakeAt is the first id that can be given at t.
func SnowflakeAt(t time.Time) string {
	return strconv.FormatInt(max(t.UnixMilli()-epoch, 1)<<22, 10)
}

// Snowflake reports whether id is one of Discord's, and the time in it.
func Snowflake(id string) (time.Time, bool) {
	n, err := strconv.ParseUint(id, 10, 63)
	if err != nil || n == 0 {
		return time.Time{}, false
	}
	return time.UnixMilli(int64(n>>22) + epoch), true
}
