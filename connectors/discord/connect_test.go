package discord_test

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"hawker/connectors/discord"
	"hawker/connectors/discord/discordsim"
)

// agree does what the owner's browser does and returns what it is sent back with.
func agree(t *testing.T, addr string) url.Values {
	t.Helper()
	browser := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	defer browser.CloseIdleConnections()
	res, err := browser.Get(addr)
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
	back, err := res.Location()
	if err != nil {
		t.Fatalf("%v (status %d)", err, res.StatusCode)
	}
	return back.Query()
}

func TestConnect(t *testing.T) {
	cfg := config()
	cfg.ClientSecret = "app-secret"
	s := newStand(t, cfg)
	const redirect = "http://127.0.0.1:8080/oauth/discord"
	con := &discord.Connect{APIURL: s.URL(), AuthURL: s.AuthURL(), ClientID: "7001", ClientSecret: "app-secret"}
	addr := con.Start("state-1", redirect)
	u, err := url.Parse(addr)
	if err != nil || u.Query().Get("permissions") != "274877975552" || strings.Contains(addr, "app-secret") || !strings.HasPrefix(addr, s.AuthURL()+"?") {
		t.Errorf("Start = %s", addr)
	}
	q := agree(t, addr)
	if q.Get("state") != "state-1" {
		t.Fatalf("came back with %v", q)
	}
	g, err := con.Finish(t.Context(), q.Get("code"), redirect)
	if err != nil || g != (discord.Guild{ID: guildID, Name: "Ana's Ceramics"}) {
		t.Fatalf("Finish = %+v, %v", g, err)
	}
	wrong := *con
	wrong.ClientSecret = "other-secret"
	other := agree(t, addr)
	for what, finish := range map[string]func() (discord.Guild, error){
		"a code used twice":  func() (discord.Guild, error) { return con.Finish(t.Context(), q.Get("code"), redirect) },
		"no code":            func() (discord.Guild, error) { return con.Finish(t.Context(), "", redirect) },
		"a wrong secret":     func() (discord.Guild, error) { return wrong.Finish(t.Context(), other.Get("code"), redirect) },
		"another redirect":   func() (discord.Guild, error) { return con.Finish(t.Context(), other.Get("code"), redirect+"/x") },
		"a made-up code":     func() (discord.Guild, error) { return con.Finish(t.Context(), "guess", redirect) },
		"Discord in trouble": func() (discord.Guild, error) { s.Break(1); return con.Finish(t.Context(), other.Get("code"), redirect) },
	} {
		if g, err := finish(); err == nil || g != (discord.Guild{}) || strings.Contains(err.Error(), "-secret") || strings.Contains(err.Error(), "http") {
			t.Errorf("%s: %+v, %v", what, g, err)
		}
	}
	if std := (&discord.Connect{ClientID: "1"}).Start("s", redirect); !strings.HasPrefix(std, discord.DefaultAuthURL+"?") {
		t.Errorf("Start = %s", std)
	}
}

func TestTextChannels(t *testing.T) {
	s := newStand(t, config())
	s.Forbid(otherID, discordsim.SendMessages|discordsim.ReadHistory)
	c := s.client(t)
	chs, err := c.TextChannels(t.Context(), guildID)
	if err != nil || len(chs) != 2 || chs[0].ID != shopID || chs[0].Name != "shop" || len(chs[0].Missing) != 0 ||
		!slices.Equal(chs[1].Missing, []string{"Send Messages", "Read Message History"}) {
		t.Fatalf("%+v, %v", chs, err)
	}
	for _, id := range []string{"9999", "", "../users"} {
		_, err := c.TextChannels(t.Context(), id)
		if re := refused(t, err); re.Reconnect || !strings.Contains(re.Reason, "server") {
			t.Errorf("server %q: %+v", id, re)
		}
	}
}
