package discord_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"hawker/connectors/discord"
	"hawker/connectors/discord/discordsim"
	"hawker/internal/chat"
)

// able is a server where the bot may do all that deeds need, with roles below and above its own.
func able() discordsim.Config {
	cfg := config()
	g := &cfg.Guilds[0]
	g.Bot = discordsim.ManageMessages | discordsim.ManageRoles | discordsim.Moderate
	g.BotPosition = 5
	g.Roles = append(g.Roles,
		discordsim.Role{ID: "3201", Name: "Thanks", Position: 2}, discordsim.Role{ID: "3202", Name: "Twice"},
		discordsim.Role{ID: "3203", Name: "Twice"}, discordsim.Role{ID: "3204", Name: "Boss", Position: 9},
		discordsim.Role{ID: "3205", Name: "Booster", Managed: true})
	g.Channels = append(g.Channels, discordsim.Channel{ID: "4006", Name: "news", News: true})
	return cfg
}

var anaV = chat.Viewer{Platform: chat.Discord, ID: ana.ID}

func deed(k chat.DeedKind, change func(*chat.Deed)) chat.Deed {
	d := chat.Deed{Kind: k, Channel: shop, Viewer: anaV}
	if change != nil {
		change(&d)
	}
	return d
}

func code(t *testing.T, name string, err error, want string) *chat.Refused {
	t.Helper()
	re := refused(t, err)
	if re.Code != want || strings.ContainsAny(re.Reason, "<>") {
		t.Errorf("%s: %+v; want it refused as %s", name, re, want)
	}
	return re
}

// Each deed is done, with what the gateway told and without; what was done already is no error.
func TestDeeds(t *testing.T) {
	for _, listens := range []bool{true, false} {
		t.Run(fmt.Sprintf("listens=%v", listens), func(t *testing.T) {
			s := newStand(t, able())
			s.o.Channels["4006"] = guildID
			c := s.client(t)
			var e *ear
			id := s.Type(shopID, ana, "spam")
			if listens {
				e = joined(t, c, s.Sim)
				id = s.Type(shopID, ana, "spam")
				e.line(id)
			}
			do := func(d chat.Deed) {
				t.Helper()
				if err := c.Do(t.Context(), d); err != nil {
					t.Fatalf("%s: %v", d.Kind, err)
				}
			}
			for range 2 {
				do(deed(chat.DeleteLine, func(d *chat.Deed) { d.Message = id }))
			}
			if listens {
				e.until("the deletion is heard", func() bool { return e.count(chat.Deleted) == 1 })
			}
			do(deed(chat.TimeOut, func(d *chat.Deed) { d.For, d.Text = 90*time.Second, "spam ✨" }))
			if left := time.Until(s.TimedOut(guildID, ana.ID)); left <= 0 || left > 90*time.Second {
				t.Errorf("timed out for %v more", left)
			}
			for range 2 {
				do(deed(chat.GiveRole, func(d *chat.Deed) { d.Role = "Thanks" }))
			}
			do(deed(chat.GiveRole, func(d *chat.Deed) { d.Role = "3202" }))
			if v, _ := s.Member(guildID, ana.ID); !slices.Equal(v.Roles, []string{"3201", "3202"}) {
				t.Errorf("roles %v", v.Roles)
			}
			do(deed(chat.TakeRole, func(d *chat.Deed) { d.Role = "@Thanks" }))
			if v, _ := s.Member(guildID, ana.ID); !slices.Equal(v.Roles, []string{"3202"}) {
				t.Errorf("roles %v", v.Roles)
			}
			do(deed(chat.Announce, func(d *chat.Deed) { d.Text = "Sale at *noon* @everyone <@50001>" }))
			said := s.Spoken(shopID)
			if len(said) != 1 || said[0].Text != "" || said[0].Spread ||
				!slices.Equal(said[0].Frames, []string{"Sale at \\*noon\\* @\u200beveryone \\<@50001>"}) {
				t.Errorf("announced %+v", said)
			}
			do(deed(chat.Announce, func(d *chat.Deed) { d.Channel.ID, d.Text = "4006", "Sale" }))
			if said := s.Spoken("4006"); len(said) != 1 || !said[0].Spread {
				t.Errorf("in the announcement channel %+v; want it published", said)
			}
			do(deed(chat.DirectMessage, func(d *chat.Deed) { d.Text = "Your code: *AB12* @here" }))
			if got := s.DMs(ana.ID); len(got) != 1 || got[0].Text != "Your code: \\*AB12\\* @\u200bhere" {
				t.Errorf("direct messages %+v", got)
			}
			if f := s.Figures(); f.Pings != 0 || f.OverLimit != 0 || f.Invalid != 0 {
				t.Errorf("%+v", f)
			}
			log := s.Audit()
			if len(log) != 6 || log[0].Reason != "hawker: deleted by a rule" || log[1].Reason != "hawker: spam ✨" || log[2].Reason != "hawker: given by a rule" {
				t.Errorf("audit log %+v", log)
			}
		})
	}
}

func TestDeedRefusals(t *testing.T) {
	cfg := able()
	cfg.Guilds[0].Channels = append(cfg.Guilds[0].Channels, discordsim.Channel{ID: "4007", Name: "dark", Deny: discordsim.ManageMessages | discordsim.EmbedLinks})
	s := newStand(t, cfg)
	s.o.Channels["4007"] = guildID
	c := s.client(t)
	e := joined(t, c, s.Sim)
	mod, boss := discordsim.Viewer{ID: "50002", Name: "mo", Roles: []string{"3204"}}, chat.Viewer{Platform: chat.Discord, ID: "50002"}
	s.Enter(guildID, ana)
	s.Enter(guildID, mod)
	dark := s.Type("4007", ana, "spam")
	e.line(dark)
	role := func(r string) chat.Deed { return deed(chat.GiveRole, func(d *chat.Deed) { d.Role = r }) }
	for _, tt := range []struct {
		name, code, says string
		d                chat.Deed
	}{
		{"no channel", "no_channel", "", deed(chat.DeleteLine, func(d *chat.Deed) { d.Channel.ID = "../x" })},
		{"another platform", "no_channel", "", deed(chat.DeleteLine, func(d *chat.Deed) { d.Channel.Platform = chat.Twitch })},
		{"a channel that is not ours", "no_channel", "", deed(chat.TimeOut, func(d *chat.Deed) { d.Channel.ID, d.For = otherID, time.Minute })},
		{"no viewer", "no_viewer", "", deed(chat.TimeOut, func(d *chat.Deed) { d.Viewer, d.For = chat.Viewer{}, time.Minute })},
		{"no line", "10008", "", deed(chat.DeleteLine, func(d *chat.Deed) { d.Message = "x/../y" })},
		{"may not delete", "50013", "Manage Messages", deed(chat.DeleteLine, func(d *chat.Deed) { d.Channel.ID, d.Message = "4007", dark })},
		{"no time", "no_time", "", deed(chat.TimeOut, nil)},
		{"too long a time", "too_long", "28 days", deed(chat.TimeOut, func(d *chat.Deed) { d.For = 29 * 24 * time.Hour })},
		{"a member above the bot", "50013", "highest role", deed(chat.TimeOut, func(d *chat.Deed) { d.Viewer, d.For = boss, time.Minute })},
		{"not a member", "10007", "not a member", deed(chat.TimeOut, func(d *chat.Deed) { d.Viewer.ID, d.For = "50077", time.Minute })},
		{"a role above the bot's", "50013", "stand above that role", role("Boss")},
		{"a role of Discord's", "50013", "boosters", role("3205")},
		{"no such role", "10011", "no role Nothing", role("Nothing")},
		{"an empty role", "10011", "", role("")},
		{"two roles of one name", "role_not_unique", "by its id", role("Twice")},
		{"everyone", "10011", "", role(guildID)},
		{"everyone by name", "10011", "", role("@everyone")},
		{"nothing to announce", "50006", "", deed(chat.Announce, func(d *chat.Deed) { d.Text = "\u200b" })},
		{"a marker", "unsupported", "", deed(chat.Mark, nil)},
		{"points", "unsupported", "", deed(chat.RefundReward, nil)},
		{"nothing", "unsupported", "", deed("", nil)},
	} {
		if re := code(t, tt.name, c.Do(t.Context(), tt.d), tt.code); !strings.Contains(re.Reason, tt.says) {
			t.Errorf("%s: %q; want it to say %q", tt.name, re.Reason, tt.says)
		}
	}
	// Without Embed Links an announcement is a plain line.
	if err := c.Do(t.Context(), deed(chat.Announce, func(d *chat.Deed) { d.Channel.ID, d.Text = "4007", "Sale" })); err != nil {
		t.Error(err)
	}
	if said := s.Spoken("4007"); len(said) != 1 || said[0].Text != "Sale" || said[0].Frames != nil {
		t.Errorf("announced %+v", said)
	}
	s.CloseDMs(ana.ID, true)
	tell := deed(chat.DirectMessage, func(d *chat.Deed) { d.Text = "hello" })
	if re := code(t, "closed to direct messages", c.Do(t.Context(), tell), "50007"); re.Unknown {
		t.Errorf("%+v", re)
	}
	s.CloseDMs(ana.ID, false)
	if err := c.Do(t.Context(), tell); err != nil || len(s.DMs(ana.ID)) != 1 {
		t.Errorf("%v; %+v", err, s.DMs(ana.ID))
	}
	s.Revoke()
	if re := code(t, "a token that was reset", c.Do(t.Context(), tell), "401"); !re.Reconnect {
		t.Errorf("%+v", re)
	}
}

// Lost answers, limits and trouble: a deed is done once, whatever happens on the way.
func TestDeedWeather(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := bubble(t, able())
		c := s.client(t)
		s.Enter(guildID, ana)
		id := s.Type(shopID, ana, "spam")
		all := []chat.Deed{
			deed(chat.DeleteLine, func(d *chat.Deed) { d.Message = id }),
			deed(chat.TimeOut, func(d *chat.Deed) { d.For = time.Hour }),
			deed(chat.GiveRole, func(d *chat.Deed) { d.Role = "3201" }),
			deed(chat.Announce, func(d *chat.Deed) { d.Text = "Sale" }),
			deed(chat.DirectMessage, func(d *chat.Deed) { d.Text = "hello" }),
		}
		for _, d := range all {
			time.Sleep(time.Minute)
			s.LoseAnswers(1)
			if err := c.Do(t.Context(), d); err != nil {
				t.Errorf("%s with a lost answer: %v", d.Kind, err)
			}
			s.LoseAnswers(0)
			s.Break(1)
			if err := c.Do(t.Context(), d); err != nil {
				t.Errorf("%s with status 503: %v", d.Kind, err)
			}
			s.RefuseSends(1)
			if err := c.Do(t.Context(), d); err != nil {
				t.Errorf("%s with a limit: %v", d.Kind, err)
			}
			s.RefuseAll(1, time.Minute)
			if re := code(t, "the global limit", c.Do(t.Context(), d), "429"); re.RetryAfter <= 0 || re.Unknown {
				t.Errorf("%s: %+v", d.Kind, re)
			}
			time.Sleep(time.Minute)
			s.Ban(1, time.Minute) // HTML
			if re := code(t, "a ban", c.Do(t.Context(), d), "429"); re.RetryAfter <= 0 {
				t.Errorf("%s: %+v", d.Kind, re)
			}
			time.Sleep(time.Minute)
		}
		if a, b := len(s.Spoken(shopID)), len(s.DMs(ana.ID)); a != 3 || b != 3 {
			t.Errorf("announced %d times and told %d times, want 3 each", a, b)
		}
		if v, _ := s.Member(guildID, ana.ID); !slices.Equal(v.Roles, []string{"3201"}) {
			t.Errorf("roles %v", v.Roles)
		}
	})
}

// An announcement that could not be published to followers stands, and is not made twice.
func TestCrosspostFails(t *testing.T) {
	s := newStand(t, able())
	s.o.Channels = map[string]string{"4006": guildID}
	to, err := url.Parse(s.URL())
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	asked := 0
	p := httputil.NewSingleHostReverseProxy(to)
	f := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/crosspost") {
			mu.Lock()
			defer mu.Unlock()
			asked++
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(http.StatusTooManyRequests)
			_, _ = w.Write([]byte(`{"message":"You are being rate limited.","retry_after":3000,"global":false}`))
			return
		}
		p.ServeHTTP(w, r)
	}))
	t.Cleanup(f.Close)
	s.o.APIURL = f.URL
	c := s.client(t)
	if err := c.Do(t.Context(), deed(chat.Announce, func(d *chat.Deed) { d.Channel.ID, d.Text = "4006", "Sale" })); err != nil {
		t.Fatal(err)
	}
	if said := s.Spoken("4006"); len(said) != 1 || said[0].Spread || asked != 1 {
		t.Errorf("announced %+v, asked %d times to publish", said, asked)
	}
}

func TestEntered(t *testing.T) {
	s := newStand(t, able())
	s.o.Members = true
	s.o.Channels[otherID] = guildID
	s.o.Channels["99"] = guildID // deleted long ago
	c := s.client(t)
	e := hearing(t, c)
	e.until("two channels are heard", func() bool { return e.count(chat.Joined) == 2 })
	at := time.Now().Add(-time.Second)
	kim := discordsim.Viewer{ID: "50005", Name: "kim", Global: "Kim"}
	s.EnterAgain(guildID, kim, at)
	s.EnterAgain(guildID, kim, at) // told twice
	s.Enter(guildID, discordsim.Viewer{ID: "50006", Name: "robot", Bot: true})
	s.Enter(guildID, ana)
	e.until("both are heard", func() bool { return e.count(chat.Entered) == 2 })
	s.EnterAgain(guildID, kim, at.Add(time.Hour)) // left, and came back
	e.until("one comes back", func() bool { return e.count(chat.Entered) == 3 })
	got := e.events(chat.Entered)
	first := got[0]
	if first.Channel != shop || first.Viewer != (chat.Viewer{Platform: chat.Discord, ID: "50005", Name: "Kim"}) || first.At.Sub(at).Abs() > time.Millisecond {
		t.Errorf("heard %+v; want it in the oldest channel that is heard", first)
	}
	ids := map[string]bool{}
	for _, ev := range got {
		ids[ev.ID] = true
	}
	if len(ids) != 3 || got[1].Viewer.ID != ana.ID {
		t.Errorf("heard %+v", got)
	}
}

// A bot that may not have an intent keeps what it may have, and says what is missing.
func TestDisallowedIntents(t *testing.T) {
	for _, tt := range []struct {
		name                 string
		noContent, noMembers bool
		missing              string
	}{
		{"both allowed", false, false, "[]"},
		{"no members", false, true, "[Server Members Intent]"},
		{"no content", true, false, "[Message Content Intent]"},
		{"neither", true, true, "[Message Content Intent Server Members Intent]"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				cfg := able()
				cfg.NoContent, cfg.NoMembers = tt.noContent, tt.noMembers
				s := bubble(t, cfg)
				s.o.Members = true
				c := s.client(t)
				e := joined(t, c, s.Sim)
				id := s.Type(shopID, ana, "<@7001> hello")
				e.line(id)
				s.Enter(guildID, ana)
				if !tt.noMembers {
					e.until("the new member is heard", func() bool { return e.count(chat.Entered) == 1 })
				}
				time.Sleep(time.Minute)
				st := c.States()[0]
				if !st.Hears || !st.Speaks || fmt.Sprint(st.Missing) != tt.missing || (st.Trouble == "") != (tt.missing == "[]") {
					t.Errorf("state %+v; want missing %s", st, tt.missing)
				}
				if tt.noMembers {
					c.WantMembers(false)
					if st := c.States()[0]; slices.Contains(st.Missing, "Server Members Intent") {
						t.Errorf("not wanted any more, and still missing: %+v", st)
					}
				}
				if f := s.Figures(); f.Identifies > 2 || e.count(chat.Entered) > 1 {
					t.Errorf("%+v, %d new members", f, e.count(chat.Entered))
				}
			})
		})
	}
}

// Wanting to hear new members later begins one new session, without losing a line.
func TestWantMembersLater(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := bubble(t, able())
		c := s.client(t)
		e := joined(t, c, s.Sim)
		s.Enter(guildID, ana)
		time.Sleep(time.Minute)
		c.WantMembers(true)
		c.WantMembers(true)
		between := s.Type(shopID, ana, "!buy 2")
		e.until("a new session", func() bool { return s.Figures().Identifies == 2 && s.Figures().Histories == 1 })
		e.line(between)
		s.Enter(guildID, discordsim.Viewer{ID: "50005", Name: "kim"})
		e.until("the new member is heard", func() bool { return e.count(chat.Entered) == 1 })
		e.line(s.Type(shopID, ana, "!buy 3"))
		if got := e.events(chat.Entered); got[0].Viewer.ID != "50005" || s.Figures().Identifies != 2 {
			t.Errorf("heard %+v after %d identifies", got, s.Figures().Identifies)
		}
		c.WantMembers(false)
		s.Enter(guildID, discordsim.Viewer{ID: "50006", Name: "lou"})
		e.line(s.Type(shopID, ana, "!buy 4"))
		if e.count(chat.Entered) != 1 {
			t.Error("heard a new member that nobody wanted to hear of")
		}
	})
}

func TestNeedFor(t *testing.T) {
	for k, want := range map[chat.DeedKind]string{
		chat.DeleteLine: "Manage Messages", chat.TimeOut: "Moderate Members", chat.GiveRole: "Manage Roles", chat.Announce: "Embed Links", chat.Mark: "",
	} {
		if p, why := discord.NeedFor(k); p != want || why == "" {
			t.Errorf("%s needs %q, %q", k, p, why)
		}
	}
	co := discord.Connect{ClientID: "1", Also: []string{"Manage Roles", "Moderate Members", "Administrator"}}
	u, err := url.Parse(co.Start("s", "https://hub.test/"))
	if err != nil || u.Query().Get("permissions") != fmt.Sprint(1<<10|1<<11|1<<16|1<<28|1<<38|1<<40) {
		t.Errorf("asked for %v, %v", u, err)
	}
}
