package discord_test

import (
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"hawker/connectors/discord/discordsim"
	"hawker/internal/chat"
)

// heard are the ids of the lines, edits and deletions that were heard, in order, and how many came recovered.
func (e *ear) heard() (all []string, recovered int) {
	for _, ev := range e.events(chat.Said, chat.Edited, chat.Deleted) {
		switch ev.Kind {
		case chat.Said:
			all = append(all, ev.Message.ID)
			if ev.Message.Recovered {
				recovered++
			}
		case chat.Edited:
			all = append(all, "edited "+ev.Message.ID)
		default:
			all = append(all, "deleted "+ev.ID)
		}
	}
	return all, recovered
}

// TestLostSessions: what was said while a session was lost is fetched, and heard once, in order, before what came after.
func TestLostSessions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := bubble(t, config())
		c := s.client(t)
		e := joined(t, c, s.Sim)
		mod := discordsim.Viewer{ID: "50002", Name: "mo", Roles: []string{modRole}}
		var want, gone []string
		say := func(v discordsim.Viewer, text string) { want = append(want, s.Type(shopID, v, text)) }
		away := 0
		for i, lose := range []func(){
			func() { s.Invalidate(false) },
			func() { s.Forget(); s.Drop() },
			func() { s.Forget(); s.Shut(4009) },
			func() { s.Shut(4007) },
		} {
			if i > 0 { // the first time not a single line was heard before
				say(mod, "before")
				e.line(want[len(want)-1])
			}
			lose()
			for j := range 250 { // three pages
				say(mod, fmt.Sprintf("while away %d.%d", i, j))
				away++
			}
			gone = append(gone, s.Type(shopID, ana, "taken back while nobody listened")) // or just before the connection went
			s.Delete(shopID, gone[i])
			e.until("a new session", func() bool { return s.Figures().Identifies == i+2 })
			say(ana, "after") // may come over the gateway before the rest was fetched
			s.Edit(shopID, want[len(want)-1], "after, edited")
			want = append(want, "edited "+want[len(want)-1])
			e.until("the edit", func() bool { return e.count(chat.Edited) == i+1 })
			time.Sleep(time.Minute)
		}
		got, recovered := e.heard()
		got = slices.DeleteFunc(got, func(id string) bool { return slices.Contains(gone, strings.TrimPrefix(id, "deleted ")) })
		if !slices.Equal(got, want) {
			t.Errorf("heard %d of %d, or in another order: %v", len(got), len(want), got[:min(len(got), 8)])
		}
		// What a connection that is just ending still delivers needs no recovering.
		if recovered < away/4 || recovered > away+8 || e.count(chat.Gap) != 0 {
			t.Errorf("%d lines came recovered, want up to %d; %d gaps", recovered, away, e.count(chat.Gap))
		}
		for _, ev := range e.events(chat.Said) {
			if m := ev.Message; m.Viewer.ID == mod.ID && m.Roles != chat.Moderator && want[0] != m.ID && !strings.HasPrefix(m.Text, "while away 0") {
				t.Fatalf("a moderator's line lost its role: %+v", m)
			}
		}
	})
}

// TestRestart: a new process goes on where the old one stopped.
func TestRestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := bubble(t, config())
		var cursor atomic.Pointer[string]
		s.o.SaveCursor = func(c chat.Channel, id string) {
			if c == shop {
				cursor.Store(&id)
			}
		}
		e := joined(t, s.client(t), s.Sim)
		first := s.Type(shopID, ana, "first")
		e.line(first)
		e.stop()
		<-e.done
		away := s.Type(shopID, ana, "while the hub was away")
		s.o.After = map[string]string{shopID: *cursor.Load(), otherID: "nonsense"}
		e = joined(t, s.client(t), s.Sim)
		if m := e.line(away); !m.Recovered || e.count(chat.Gap) != 0 || e.count(chat.Said) != 1 {
			t.Errorf("after a restart heard %+v", e.events())
		}
		e.until("the cursor moves on", func() bool { return *cursor.Load() == away })
		e.stop()
		<-e.done
		time.Sleep(time.Hour)
		late := s.Type(shopID, ana, "fresh")
		e = joined(t, s.client(t), s.Sim)
		e.line(late)
		if g := e.events(chat.Gap); len(g) != 1 || !strings.Contains(g[0].Reason, "15 minutes") || e.count(chat.Said) != 1 {
			t.Errorf("after an hour heard %+v", e.events())
		}
	})
}

// TestGap: what cannot be fetched is told.
func TestGap(t *testing.T) {
	for name, tt := range map[string]struct {
		before, after func(s *stand) // the session was lost
		want          string
	}{
		"the history may not be read": {func(s *stand) { s.Forbid(shopID, discordsim.ReadHistory) }, func(*stand) {}, "message history"},
		"too many lines": {func(*stand) {}, func(s *stand) {
			for i := range 5100 {
				s.Type(shopID, ana, fmt.Sprint(i))
			}
		}, "too many"},
		"Discord answers nothing else": {func(s *stand) { s.RefuseHistory(1000) }, func(*stand) {}, "Discord ended the session"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := bubble(t, config())
				e := joined(t, s.client(t), s.Sim)
				e.line(s.Type(shopID, ana, "before"))
				tt.before(s) // or the next session may be there first
				s.Invalidate(false)
				tt.after(s)
				e.until("a gap", func() bool { return e.count(chat.Gap) == 1 })
				e.line(s.Type(shopID, ana, "after"))
				if g := e.events(chat.Gap)[0]; g.Channel != shop || !strings.Contains(g.Reason, tt.want) {
					t.Errorf("gap %+v", g)
				}
				if got, _ := e.heard(); !slices.IsSortedFunc(got, func(a, b string) int { return len(a) - len(b) }) {
					t.Error("heard out of order")
				}
			})
		})
	}
}

// TestTroubleWhileFetching: a passing fault does not make a gap, and a session lost meanwhile begins it anew.
func TestTroubleWhileFetching(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := bubble(t, config())
		e := joined(t, s.client(t), s.Sim)
		want := []string{s.Type(shopID, ana, "before")}
		e.line(want[0])
		s.RefuseHistory(2)
		s.Invalidate(false)
		want = append(want, s.Type(shopID, ana, "away 1"))
		e.until("a new session", func() bool { return s.Figures().Identifies == 2 })
		want = append(want, s.Type(shopID, ana, "waits"))
		s.Invalidate(false)
		want = append(want, s.Type(shopID, ana, "away 2"))
		e.until("a new session", func() bool { return s.Figures().Identifies == 3 })
		want = append(want, s.Type(shopID, ana, "after"))
		e.line(want[len(want)-1])
		if got, _ := e.heard(); !slices.Equal(got, want) || e.count(chat.Gap) != 0 {
			t.Errorf("heard %v, want %v; %d gaps", got, want, e.count(chat.Gap))
		}
	})
}

// A clock that is wrong by two minutes, ours or theirs, loses no line, and is said.
func TestWrongClock(t *testing.T) {
	for _, ahead := range []time.Duration{2 * time.Minute, -2 * time.Minute} {
		t.Run(ahead.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := bubble(t, config())
				s.Skew(ahead)
				c := s.client(t)
				before := s.Type(shopID, ana, "before we listened")
				time.Sleep(5 * time.Second)
				e := joined(t, c, s.Sim)
				time.Sleep(5 * time.Second)
				s.Invalidate(false) // before any line was heard
				away := s.Type(shopID, ana, "!buy 3")
				e.line(away)
				e.line(s.Type(shopID, ana, "!buy 4"))
				got, recovered := e.heard()
				if len(got) != 2 || recovered != 1 || slices.Contains(got, before) || e.count(chat.Gap) != 0 {
					t.Errorf("heard %v, %d recovered", got, recovered)
				}
				want := "behind"
				if ahead < 0 {
					want = "ahead of"
				}
				if st := c.States()[0]; st.Delay > 10*time.Second || !strings.Contains(st.Trouble, want+" Discord's") {
					t.Errorf("state %+v", st)
				}
			})
		})
	}
}

// A gateway that closes right after its Hello, for an hour, is met with ever longer pauses; then all is heard.
func TestClosedAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := bubble(t, config())
		c := s.client(t)
		e := joined(t, c, s.Sim)
		logins := s.Figures().Logins
		s.CloseAtOnce(true)
		time.Sleep(time.Hour)
		if n := s.Figures().Logins - logins; n > 250 { // each try counts twice here: the connection and its login
			t.Errorf("%d logins in an hour", n)
		}
		if st := c.States()[0]; st.Hears || st.Trouble == "" {
			t.Errorf("state %+v", st)
		}
		away := s.Type(shopID, ana, "!buy 3")
		s.CloseAtOnce(false)
		time.Sleep(2 * time.Minute)
		e.line(away)
		if st := c.States()[0]; !st.Hears || st.Trouble != "" || e.count(chat.Gap) != 0 {
			t.Errorf("state %+v; %d gaps", st, e.count(chat.Gap))
		}
	})
}

// A connection that stands and never answers is noticed; nothing is lost.
func TestHalfOpen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := bubble(t, config())
		c := s.client(t)
		e := joined(t, c, s.Sim)
		s.Hang(true)
		away := s.Type(shopID, ana, "!buy 3")
		time.Sleep(5 * time.Minute)
		if st := c.States()[0]; st.Hears || st.Trouble == "" {
			t.Errorf("state %+v", st)
		}
		_, err := c.Say(t.Context(), line("anybody?"))
		if re := refused(t, err); !re.Unknown {
			t.Errorf("Say into nothing: %+v", re)
		}
		s.Hang(false)
		time.Sleep(2 * time.Minute)
		e.line(away)
		if st := c.States()[0]; !st.Hears || st.Trouble != "" || e.count(chat.Gap) != 0 {
			t.Errorf("state %+v; %d gaps", st, e.count(chat.Gap))
		}
	})
}

// Ten seconds of 503 with HTML lose nothing, and a 429 without a word is a refusal with a time.
func TestBadDay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := bubble(t, config())
		c := s.client(t)
		e := joined(t, c, s.Sim)
		s.Down(10 * time.Second)
		s.Drop()
		e.line(s.Type(shopID, ana, "!buy 3"))
		if e.count(chat.Gap) != 0 || e.count(chat.Left) != 0 {
			t.Errorf("told %+v", e.events())
		}
		s.RefuseBare(1)
		_, err := c.Say(t.Context(), line("hello"))
		if re := refused(t, err); re.Code != "429" || re.RetryAfter < time.Second/2 || re.Unknown || re.Reconnect {
			t.Errorf("a bare 429: %+v", re)
		}
	})
}

// A channel that the bot may not see any more is told as left, and nothing else.
func TestNoGapWhereNothingIsHeard(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := bubble(t, config())
		c := s.client(t)
		c.Join(otherID, guildID)
		e := joined(t, c, s.Sim)
		e.line(s.Type(shopID, ana, "before"))
		e.line(s.Type(otherID, ana, "before"))
		s.Forbid(otherID, discordsim.ViewChannel)
		e.until("left", func() bool { return e.count(chat.Left) == 1 })
		s.Invalidate(false)
		e.line(s.Type(shopID, ana, "after"))
		time.Sleep(time.Minute)
		if e.count(chat.Gap) != 0 || e.count(chat.Left) != 1 {
			t.Errorf("told %+v", e.events(chat.Gap, chat.Left))
		}
	})
}
