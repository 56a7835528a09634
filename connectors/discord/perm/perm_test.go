package perm

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"hawker/connectors/discord/wire"
	"hawker/internal/chat"
)

func learn(gs *Guilds, lines ...string) (last Change) {
	for _, l := range lines {
		event, data, _ := strings.Cut(l, " ")
		_, last = gs.Learn(event, []byte(data))
	}
	return last
}

// guild is a description with @everyone's permissions, the bot's roles and the overwrites of channel 4.
func guildOf(everyone wire.Bits, mine []string, over string) string {
	m, _ := json.Marshal(mine)
	return fmt.Sprintf(`GUILD_CREATE {"id":"3","owner_id":"99","roles":[{"id":"3","permissions":"%d"},{"id":"31","permissions":"2048"},{"id":"32","permissions":"8"},
		{"id":"33","permissions":"8192"}],"channels":[{"id":"4","permission_overwrites":[%s]}],"threads":[{"id":"5","parent_id":"4"}],
		"members":[{"user":{"id":"7"},"roles":%s}]}`, everyone, over, m)
}

func TestSee(t *testing.T) {
	const all = view | send | history | sendInThreads
	for _, tt := range []struct {
		name            string
		guild           string
		channel, thread []string
	}{
		{"everyone may all", guildOf(all, nil, ""), nil, nil},
		{"no thread", guildOf(view|send|history, nil, ""), nil, []string{Threads}},
		{"a role gives", guildOf(view|history|sendInThreads, []string{"31"}, ""), nil, nil},
		{"an administrator may all", guildOf(0, []string{"32"}, `{"id":"3","deny":"1024"}`), nil, nil},
		{"everyone denied", guildOf(all, nil, `{"id":"3","deny":"2048"}`), []string{Send}, nil},
		{"everyone denied, a role allowed", guildOf(all, []string{"31"}, `{"id":"3","deny":"2048"},{"id":"31","allow":"2048"}`), nil, nil},
		{"a role denied, another allowed", guildOf(all, []string{"31", "33"}, `{"id":"31","deny":"2048"},{"id":"33","allow":"2048"}`), nil, nil},
		{"a role denied, the bot allowed", guildOf(all, []string{"31"}, `{"id":"31","deny":"2048"},{"id":"7","allow":"2048"}`), nil, nil},
		{"somebody else's role and person", guildOf(all, nil, `{"id":"31","deny":"2048"},{"id":"8","deny":"2048"}`), nil, nil},
		{"the bot denied", guildOf(all, nil, `{"id":"7","deny":"65536"}`), []string{History}, []string{History}},
		{"nothing", guildOf(0, nil, ""), []string{View, Send, History}, []string{View, Threads, History}},
	} {
		var gs Guilds
		gs.Reset("7")
		learn(&gs, tt.guild)
		for id, want := range map[string][]string{"4": tt.channel, "5": tt.thread} {
			reason, missing := gs.See("3", id)
			if !slices.Equal(missing, want) || (reason != "") != slices.Contains(want, View) {
				t.Errorf("%s: channel %s: %q, missing %v, want %v", tt.name, id, reason, missing, want)
			}
		}
	}
}

func TestLearn(t *testing.T) {
	var gs Guilds
	if learn(&gs, guildOf(view, nil, "")) != Nothing {
		t.Error("a guild before READY")
	}
	gs.Reset("7")
	learn(&gs, guildOf(view, nil, ""))
	for _, tt := range []struct {
		event   string
		what    Change
		missing []string
	}{
		{`GUILD_ROLE_UPDATE {"guild_id":"3","role":{"id":"3","permissions":"3072"}}`, Changed, []string{History}},
		{`GUILD_MEMBER_UPDATE {"guild_id":"3","user":{"id":"8"},"roles":["32"]}`, Nothing, []string{History}},
		{`GUILD_MEMBER_UPDATE {"guild_id":"3","user":{"id":"7"},"roles":["32"]}`, Changed, nil},
		{`GUILD_ROLE_DELETE {"guild_id":"3","role_id":"32"}`, Changed, []string{History}},
		{`CHANNEL_UPDATE {"id":"4","guild_id":"3","permission_overwrites":[{"id":"3","allow":"65536"}]}`, Changed, nil},
		{`CHANNEL_UPDATE {"id":"4","guild_id":"9","permission_overwrites":[]}`, Nothing, nil},
		{`MESSAGE_CREATE {"id":"4","guild_id":"3"}`, Nothing, nil},
		{`GUILD_UPDATE {"id":"3","owner_id":"7","roles":[{"id":"3","permissions":"0"}]}`, Changed, nil},
		{`GUILD_UPDATE {"id":"3","owner_id":"99","roles":[{"id":"3","permissions":"1024"}]}`, Changed, []string{Send}},
	} {
		what := learn(&gs, tt.event)
		if _, missing := gs.See("3", "4"); what != tt.what || !slices.Equal(missing, tt.missing) {
			t.Errorf("%s: %d, missing %v; want %d, %v", tt.event, what, missing, tt.what, tt.missing)
		}
	}
	learn(&gs, `CHANNEL_DELETE {"id":"4","guild_id":"3"}`)
	if reason, _ := gs.See("3", "4"); !strings.Contains(reason, "deleted") {
		t.Errorf("a deleted channel: %q", reason)
	}
	learn(&gs, `GUILD_DELETE {"id":"3","unavailable":true}`)
	if reason, _ := gs.See("3", "4"); !strings.Contains(reason, "outage") {
		t.Errorf("an outage: %q", reason)
	}
	if learn(&gs, `GUILD_DELETE {"id":"3"}`) != Gone || gs.Known("3") {
		t.Error("the bot left")
	}
	if reason, _ := gs.See("3", "4"); !strings.Contains(reason, "Invite") {
		t.Errorf("no guild: %q", reason)
	}
}

func TestRoles(t *testing.T) {
	var gs Guilds
	gs.Reset("7")
	learn(&gs, guildOf(view, nil, ""))
	for _, tt := range []struct {
		user string
		m    *wire.Member
		want chat.Roles
	}{
		{"99", nil, chat.Owner},
		{"5", nil, 0},
		{"5", &wire.Member{Roles: []string{"31"}}, 0},
		{"5", &wire.Member{Roles: []string{"33"}}, chat.Moderator},
		{"5", &wire.Member{Roles: []string{"32"}}, chat.Moderator},
		{"5", &wire.Member{Permissions: manageMessages}, chat.Moderator},
		{"5", &wire.Member{Roles: []string{"no such"}}, 0},
	} {
		if got := gs.Roles("3", tt.user, tt.m); got != tt.want {
			t.Errorf("Roles(%s, %+v) = %d, want %d", tt.user, tt.m, got, tt.want)
		}
	}
}

// FuzzLearn: whatever events come, missing permissions are known names in their order, and no reason comes without
// View Channel but for a channel or guild that is not there.
func FuzzLearn(f *testing.F) {
	f.Add(guildOf(view, []string{"31"}, `{"id":"7","deny":"1"}`), `CHANNEL_UPDATE {"id":"4","guild_id":"3"}`)
	f.Add(`GUILD_CREATE {"id":"3","roles":[{"id":"3","permissions":-1}],"channels":[{"id":"4"}],"members":[{"user":null},{"user":{"id":"7"}}]}`, `GUILD_DELETE {"id":"3"}`)
	f.Add(`THREAD_CREATE {"id":"4","guild_id":"3","parent_id":"4"}`, `GUILD_ROLE_DELETE {"guild_id":"3"}`)
	f.Add(`GUILD_MEMBER_UPDATE {"guild_id":"3","user":{"id":"7"},"roles":null}`, `GUILD_UPDATE {"id":"3"}`)
	f.Fuzz(func(t *testing.T, first, second string) {
		var gs Guilds
		gs.Reset("7")
		learn(&gs, guildOf(view|send, nil, ""), first, second)
		for _, id := range []string{"4", "5", ""} {
			reason, missing := gs.See("3", id)
			order := []string{View, Send, Threads, History}
			for _, m := range missing {
				i := slices.Index(order, m)
				if i < 0 {
					t.Fatalf("missing %v", missing)
				}
				order = order[i+1:]
			}
			if slices.Contains(missing, View) && reason == "" {
				t.Fatalf("missing %v without a reason", missing)
			}
		}
		_ = gs.Roles("3", "5", &wire.Member{Roles: []string{"31"}})
	})
}

func TestText(t *testing.T) {
	guild := `{"id":"3","owner_id":"99","roles":[{"id":"3","permissions":"68608"}]}`
	channels := `[{"id":"6","type":2,"name":"voice"},{"id":"5","type":5,"name":"news","position":2},{"id":"4","type":0,"name":"shop","position":1,
		"permission_overwrites":[{"id":"7","deny":"2048"}]},{"type":0}]`
	got, err := Text([]byte(guild), []byte(channels), []byte(`{"user":{"id":"7"},"roles":[]}`))
	if err != nil || len(got) != 2 || got[0].Name != "shop" || !slices.Equal(got[0].Missing, []string{Send}) || got[1].ID != "5" || got[1].Missing != nil {
		t.Errorf("%+v, %v", got, err)
	}
	for i := range 3 {
		parts := [][]byte{[]byte(guild), []byte(channels), []byte(`{}`)}
		parts[i] = []byte(`<html>`)
		if _, err := Text(parts[0], parts[1], parts[2]); err == nil {
			t.Errorf("part %d: HTML was read", i)
		}
	}
}
