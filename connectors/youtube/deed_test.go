package youtube_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"hawker/connectors/youtube"
	"hawker/connectors/youtube/youtubesim"
	"hawker/internal/chat"
)

// happenings are the events of what viewers did, in order, as kind and figures.
func (e *events) happenings() []string {
	var out []string
	for _, ev := range e.snapshot() {
		if ev.Kind >= chat.Followed {
			s := ev.Support
			out = append(out, fmt.Sprintf("%v %s %d %d %s %s %s", ev.Kind, ev.Viewer.ID, s.Count, s.Months, s.Tier, s.Title, s.Text))
		}
	}
	return out
}

func TestWhatViewersDo(t *testing.T) {
	s := start(t, youtubesim.Config{DailyUnits: 10_000_000, Channels: []youtubesim.Channel{{ID: owner, Title: "Ana"}}})
	o := options(s)
	o.Poll = 10 * time.Millisecond
	var mu sync.Mutex
	var cursor string
	o.SaveCursor = func(_ chat.Channel, token string) {
		mu.Lock()
		defer mu.Unlock()
		cursor = token
	}
	c := client(t, o)
	e := listen(t, c)
	e.until(t, "a state that waits", func() bool { return c.States()[0].Trouble != "" })
	s.GoLive(owner)
	e.until(t, "joined", func() bool { return e.count(chat.Joined) == 1 })
	bob, eve := youtubesim.Viewer{ID: "bob", Name: "Bob"}, youtubesim.Viewer{ID: "eve", Name: "Eve"}
	member := s.NewMember(owner, bob, "Friend", false)
	s.NewMember(owner, bob, "Patron", true)
	milestone := s.Milestone(owner, eve, 6, "Friend", "!buy 3")
	s.Milestone(owner, eve, 7, "Friend", "")
	s.GiftMemberships(owner, bob, "Friend", eve, youtubesim.Viewer{ID: "kim"}, youtubesim.Viewer{ID: "lou"})
	poll := s.Poll(owner, "Which colour?", youtubesim.PollOption{Text: "Sea"}, youtubesim.PollOption{Text: "Ink"})
	s.ClosePoll(owner, poll, "Which colour?", youtubesim.PollOption{Text: "Sea", Votes: 3}, youtubesim.PollOption{Text: "Ink", Votes: 9})
	s.Repeat(ch, member)
	s.Repeat(ch, milestone)
	s.Event(owner, youtubesim.Shown{Kind: "membershipGiftingEvent", Viewer: bob}) // a gift of nothing
	last := s.Type(ch, chat.Viewer{ID: "v"}, "the last line")
	e.until(t, "the last line", func() bool { return e.line(last) != nil })
	want := []string{
		"stream_up  0 0   ", "sub bob 0 0 Friend  ", "resub bob 0 0 Patron  ", "resub eve 0 6 Friend  !buy 3", "resub eve 0 7 Friend  ",
		"gift bob 3 0 Friend  ", "poll UCana 0 0  Which colour? Ink",
	}
	if got := e.happenings(); strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("told\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if m := e.line(milestone); m == nil || m.Text != "!buy 3" || m.Roles != chat.Subscriber {
		t.Errorf("the milestone's comment = %+v; want a line that can buy", m)
	}
	ids := map[string]bool{}
	for _, ev := range e.snapshot() {
		if ev.Kind >= chat.Followed && (ev.ID == "" || ids[ev.ID] || ev.At.IsZero() || ev.Channel != ch) {
			t.Errorf("%+v: want an id of its own and a time", ev)
		}
		ids[ev.ID] = true
	}

	// A restart tells nothing of it again, with the stored place and without.
	e.stop()
	if err := <-e.done; err != nil {
		t.Fatal(err)
	}
	for _, place := range []string{cursor, ""} {
		time.Sleep(time.Until(time.Now().Truncate(time.Second).Add(time.Second))) // the baseline rule goes by whole seconds
		o.PageToken, o.SaveCursor = place, nil
		e = listen(t, client(t, o))
		e.until(t, "joined", func() bool { return e.count(chat.Joined) == 1 })
		id := s.Type(ch, chat.Viewer{ID: "v"}, "hello again")
		e.until(t, "a line", func() bool { return e.line(id) != nil })
		if got := e.happenings(); len(got) != 0 {
			t.Errorf("after a restart with place %q: %q", place, got)
		}
		if place != "" {
			e.stop()
			<-e.done
		}
	}
	s.EndChat(owner)
	e.until(t, "the end", func() bool { return e.count(chat.StreamDown) == 1 && e.count(chat.Left) == 1 })
}

func deed(k chat.DeedKind, change func(*chat.Deed)) chat.Deed {
	d := chat.Deed{Kind: k, Channel: ch}
	change(&d)
	return d
}

func timeOut(who string, d time.Duration) chat.Deed {
	return deed(chat.TimeOut, func(d2 *chat.Deed) { d2.Viewer, d2.For = chat.Viewer{Platform: chat.YouTube, ID: who}, d })
}

func TestDeeds(t *testing.T) {
	s := start(t, youtubesim.Config{DailyUnits: 10_000_000, Channels: []youtubesim.Channel{{ID: owner, Title: "Ana", Live: true, Moderators: []string{"mod"}}}})
	c := client(t, options(s))
	e := listen(t, c)
	e.until(t, "joined", func() bool { return e.count(chat.Joined) == 1 })
	id := s.Type(ch, chat.Viewer{ID: "troll", Name: "T"}, "buy followers")
	e.until(t, "line", func() bool { return e.line(id) != nil })
	before := c.Units().Other
	del := deed(chat.DeleteLine, func(d *chat.Deed) { d.Message = id })
	for range 2 { // a line that is gone is no error
		if err := c.Do(t.Context(), del); err != nil {
			t.Fatal(err)
		}
	}
	if err := c.Do(t.Context(), timeOut("troll", 90*time.Second+time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	e.until(t, "both are heard", func() bool { return e.count(chat.Deleted) == 1 && e.count(chat.Cleared) == 1 })
	if got := s.TimedOut(owner, "troll"); fmt.Sprint(got) != "[90]" {
		t.Errorf("timed out for %v s", got)
	}
	used, calls := s.Units()
	if got := c.Units(); got.Other-before != 90 || got.Units != used || calls["liveChatMessages.delete"] != 2 || calls["liveChatBans.insert"] != 1 {
		t.Errorf("counted %d of deeds, %d in all; the platform %d (%v)", got.Other-before, got.Units, used, calls)
	}
	// A lost answer is asked for once more; deeds do not double.
	id = s.Type(ch, chat.Viewer{ID: "troll", Name: "T"}, "again")
	e.until(t, "line", func() bool { return e.line(id) != nil })
	s.LoseAnswers(1)
	if err := c.Do(t.Context(), deed(chat.DeleteLine, func(d *chat.Deed) { d.Message = id })); err != nil {
		t.Errorf("a lost answer: %v", err)
	}
	for _, tt := range []struct {
		name, code string
		d          chat.Deed
	}{
		{"another channel", "forbidden", chat.Deed{Kind: chat.DeleteLine, Channel: chat.Channel{Platform: chat.YouTube, ID: "UCother"}, Message: id}},
		{"no line", "liveChatMessageNotFound", chat.Deed{Kind: chat.DeleteLine, Channel: ch}},
		{"nobody", "bannedUserChannelIdRequired", timeOut("", time.Minute)},
		{"the owner", "liveChatBanInsertionNotAllowed", timeOut(owner, time.Minute)},
		{"a moderator", "liveChatBanInsertionNotAllowed", timeOut("mod", time.Minute)},
		{"no time", "invalidDuration", timeOut("troll", time.Millisecond)},
		{"an announcement", "unsupported", chat.Deed{Kind: chat.Announce, Channel: ch, Text: "x"}},
		{"a whisper", "unsupported", chat.Deed{Kind: chat.DirectMessage, Channel: ch, Text: "x"}},
		{"a marker", "unsupported", chat.Deed{Kind: chat.Mark, Channel: ch, Text: "x"}},
		{"nothing", "unsupported", chat.Deed{Channel: ch}},
	} {
		refusedWith(t, tt.name, c.Do(t.Context(), tt.d), tt.code)
	}
}

func refusedWith(t *testing.T, name string, err error, code string) *chat.Refused {
	t.Helper()
	var re *chat.Refused
	if !errors.As(err, &re) || re.Code != code || re.Reason == "" || strings.ContainsAny(re.Reason, "<>") {
		t.Errorf("%s: %v; want it refused as %s", name, err, code)
		return &chat.Refused{}
	}
	return re
}

func TestDeedFaults(t *testing.T) {
	s := start(t, youtubesim.Config{DailyUnits: 10_000_000})
	to, err := url.Parse(s.URL())
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	status, body, calls := 0, "", 0
	proxy := httputil.NewSingleHostReverseProxy(to)
	f := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		code, text := status, body
		if r.Method != http.MethodGet {
			calls++
		}
		mu.Unlock()
		if code == 0 || r.Method == http.MethodGet {
			proxy.ServeHTTP(w, r)
			return
		}
		w.WriteHeader(code)
		_, _ = w.Write([]byte(text))
	}))
	t.Cleanup(f.Close)
	o := options(s)
	o.APIURL = f.URL
	c := client(t, o)
	refusedWith(t, "nothing is live for us", c.Do(t.Context(), timeOut("v", time.Minute)), "liveChatNotFound")
	e := listen(t, c)
	e.until(t, "joined", func() bool { return e.count(chat.Joined) == 1 })
	says := func(reason string) string {
		return `{"error":{"code":403,"errors":[{"reason":"` + reason + `","message":"<b>"}]}}`
	}
	for _, tt := range []struct {
		status             int
		body, code         string
		calls              int
		unknown, reconnect bool
	}{
		{403, says("rateLimitExceeded"), "rateLimitExceeded", 1, false, false},
		{429, "<html>slow</html>", "429", 1, false, false},
		{403, "<html>no</html>", "403", 1, false, false},
		{403, says("insufficientPermissions"), "insufficientPermissions", 1, false, true},
		{503, "<html>busy</html>", "503", 2, true, false},
		{403, says("modificationNotAllowed"), "modificationNotAllowed", 1, false, false},
	} {
		mu.Lock()
		status, body, calls = tt.status, tt.body, 0
		mu.Unlock()
		re := refusedWith(t, tt.body, c.Do(t.Context(), deed(chat.DeleteLine, func(d *chat.Deed) { d.Message = "LCC.1" })), tt.code)
		mu.Lock()
		if re.Unknown != tt.unknown || re.Reconnect != tt.reconnect || calls != tt.calls {
			t.Errorf("%s: %+v after %d calls; want %+v", tt.body, re, calls, tt)
		}
		status = 0
		mu.Unlock()
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if re := refusedWith(t, "an ended ctx", c.Do(ctx, timeOut("v", time.Minute)), "network"); re.Unknown {
		t.Error("nothing was sent, and yet unknown")
	}
	s.ExhaustQuota()
	if re := refusedWith(t, "no units left", c.Do(t.Context(), timeOut("v", time.Minute)), "quotaExceeded"); re.RetryAfter <= 0 {
		t.Errorf("%+v names no time", re)
	}
}

func TestReadOnlyGrantDoesNothing(t *testing.T) {
	s := start(t, youtubesim.Config{})
	o := options(s)
	access, refresh, _ := s.Grant(owner, youtube.ScopeRead)
	o.Owner.Token = chat.Token{Access: access, Refresh: refresh}
	c := client(t, o)
	e := listen(t, c)
	e.until(t, "joined", func() bool { return e.count(chat.Joined) == 1 })
	if re := refusedWith(t, "a time-out", c.Do(t.Context(), timeOut("v", time.Minute)), "insufficientPermissions"); !re.Reconnect {
		t.Errorf("%+v; want the owner asked to connect again", re)
	}
	if p, why := youtube.NeedFor(chat.TimeOut); p != youtube.ScopeWrite || why == "" {
		t.Errorf("NeedFor = %q, %q", p, why)
	}
}
