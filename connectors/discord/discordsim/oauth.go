package discordsim

import (
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// grant is what a code stands for.
type grant struct{ guild, redirect string }

// authorize is the invite page as its address behaves for an owner who agrees at once: with guild_id the bot joins
// that guild, without it the first known one is taken. The browser goes back with a code when more is asked for than bot
// and commands (page "OAuth2", Advanced Bot Authorization).
func (s *Sim) authorize(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	q := r.URL.Query()
	scopes := strings.Fields(q.Get("scope"))
	if q.Get("client_id") != s.cfg.AppID || !slices.Contains(scopes, "bot") {
		http.Error(w, "Invalid OAuth2 request", http.StatusBadRequest)
		return
	}
	g := q.Get("guild_id")
	if ids := slices.Sorted(maps.Keys(s.guilds)); s.guilds[g] == nil && len(ids) > 0 {
		g = ids[0]
	}
	more := slices.ContainsFunc(scopes, func(sc string) bool { return sc != "bot" && sc != "applications.commands" })
	back, err := url.Parse(q.Get("redirect_uri"))
	if err != nil || back.Host == "" || q.Get("response_type") != "code" || !more {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = w.Write([]byte("<!doctype html><title>Authorized</title><p>Authorized"))
		return
	}
	code := "code-" + s.snowflake()
	s.codes[code] = grant{g, q.Get("redirect_uri")}
	p := back.Query()
	p.Set("code", code)
	p.Set("state", q.Get("state"))
	p.Set("guild_id", g)
	p.Set("permissions", q.Get("permissions"))
	back.RawQuery = p.Encode()
	http.Redirect(w, r, back.String(), http.StatusFound)
}

// exchange turns a code into the guild that the owner chose (page "OAuth2", advanced bot authorization).
func (s *Sim) exchange(w http.ResponseWriter, r *http.Request) *fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	id, secret, ok := r.BasicAuth()
	if !ok {
		id, secret = r.PostFormValue("client_id"), r.PostFormValue("client_secret")
	}
	if id != s.cfg.AppID || s.cfg.ClientSecret != "" && secret != s.cfg.ClientSecret {
		answer(w, 401, map[string]any{"error": "invalid_client"})
		return nil
	}
	code := r.PostFormValue("code")
	gr := s.codes[code]
	g := s.guilds[gr.guild]
	if g == nil || gr.redirect != r.PostFormValue("redirect_uri") || r.PostFormValue("grant_type") != "authorization_code" {
		answer(w, 400, map[string]any{"error": "invalid_grant", "error_description": "Invalid \"code\" in request."})
		return nil
	}
	delete(s.codes, code)
	answer(w, 200, map[string]any{
		"token_type": "Bearer", "access_token": "user-token", "expires_in": 604800, "refresh_token": "user-refresh",
		"scope": "bot applications.commands identify", "guild": map[string]any{"id": g.ID, "name": g.Name, "owner_id": g.Owner},
	})
	return nil
}

// renumber gives a dispatch another sequence number.
func renumber(b []byte, n int64) []byte {
	var f frame
	if json.Unmarshal(b, &f) != nil {
		return b
	}
	f.S = &n
	out, err := json.Marshal(f)
	if err != nil {
		return b
	}
	return out
}
