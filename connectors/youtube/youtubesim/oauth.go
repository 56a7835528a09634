package youtubesim

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"html/template"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// grant is what a channel's owner allowed a program.
type grant struct {
	channel string
	scopes  []string
	expires time.Time // of the access token that leads here
}

func (g *grant) may(scopes ...string) bool {
	return slices.ContainsFunc(scopes, func(s string) bool { return slices.Contains(g.scopes, s) })
}

// consent waits behind an authorization code.
type consent struct {
	grant
	client, redirect, challenge string
	offline                     bool
	until                       time.Time
}

// Grant gives a program access to a channel without the consent page. No scopes means youtube.force-ssl.
func (s *Sim) Grant(channelID string, scopes ...string) (access, refresh string, expires time.Time) {
	if len(scopes) == 0 {
		scopes = []string{"https://www.googleapis.com/auth/youtube.force-ssl"}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	g := grant{channel: channelID, scopes: scopes}
	access, expires = s.issue(g)
	refresh = "1//" + rand.Text()
	s.refresh[refresh] = &g
	return access, refresh, expires
}

// issue makes an access token. Call with mu held.
func (s *Sim) issue(g grant) (string, time.Time) {
	now := time.Now()
	for k, old := range s.access {
		if now.After(old.expires) {
			delete(s.access, k)
		}
	}
	access := "ya29." + rand.Text()
	g.expires = now.Add(s.cfg.TokenLife)
	s.access[access] = &g
	return access, g.expires
}

// holder is whose access token a request carries, or nil.
func (s *Sim) holder(r *http.Request) *grant {
	tok, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !ok {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	g := s.access[tok]
	if g == nil || time.Now().After(g.expires) {
		return nil
	}
	return g
}

var consentPage = template.Must(template.New("consent").Parse(`<!DOCTYPE html>
<html lang="en"><meta charset="utf-8"><title>Choose a channel</title>
<h1>Choose a channel</h1>
<p>A program wants: {{.Scope}}</p>
{{range .Channels}}<form method="post" action="{{$.Action}}"><input type="hidden" name="channel" value="{{.ID}}">
<button>Continue as {{.Title}}</button></form>
{{end}}<form method="post" action="{{.Action}}"><button>Cancel</button></form>
</html>
`))

// authorize is the consent page (GET) and its answer (POST: channel, or none to refuse).
func (s *Sim) authorize(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	back, err := url.Parse(q.Get("redirect_uri"))
	switch {
	case err != nil || back.Scheme == "" || back.Host == "":
		http.Error(w, "Error 400: redirect_uri_mismatch", http.StatusBadRequest)
		return
	case s.cfg.ClientID != "" && q.Get("client_id") != s.cfg.ClientID:
		http.Error(w, "Error 401: invalid_client", http.StatusUnauthorized)
		return
	case q.Get("response_type") != "code" || q.Get("scope") == "":
		http.Error(w, "Error 400: invalid_request", http.StatusBadRequest)
		return
	}
	if r.Method != http.MethodPost {
		s.mu.Lock()
		page := struct {
			Scope    string
			Action   string
			Channels []Channel
		}{Scope: q.Get("scope"), Action: "?" + r.URL.RawQuery}
		for _, ch := range s.channels {
			page.Channels = append(page.Channels, ch.Channel)
		}
		s.mu.Unlock()
		slices.SortFunc(page.Channels, func(a, b Channel) int { return strings.Compare(a.ID, b.ID) })
		w.Header().Set("Content-Type", "text/html; charset=UTF-8")
		_ = consentPage.Execute(w, page)
		return
	}
	v := back.Query()
	v.Set("state", q.Get("state"))
	if id := r.PostFormValue("channel"); id == "" {
		v.Set("error", "access_denied")
	} else {
		v.Set("code", s.allow(id, q))
		v.Set("scope", q.Get("scope"))
	}
	back.RawQuery = v.Encode()
	http.Redirect(w, r, back.String(), http.StatusFound)
}

func (s *Sim) allow(channelID string, q url.Values) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	code := "4/" + rand.Text()
	c := &consent{
		grant:  grant{channel: channelID, scopes: strings.Fields(q.Get("scope"))},
		client: q.Get("client_id"), redirect: q.Get("redirect_uri"),
		offline: q.Get("access_type") == "offline" && q.Get("prompt") == "consent",
		until:   time.Now().Add(10 * time.Minute),
	}
	if q.Get("code_challenge_method") == "S256" {
		c.challenge = q.Get("code_challenge")
	}
	s.codes[code] = c
	return code
}

func oauthError(w http.ResponseWriter, code int, word string) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(code)
	_, _ = w.Write([]byte(`{"error":"` + word + `","error_description":"Bad Request"}`))
}

// token trades a code or a refresh token for an access token.
func (s *Sim) token(w http.ResponseWriter, r *http.Request) {
	id, secret, basic := r.BasicAuth()
	if !basic {
		id, secret = r.PostFormValue("client_id"), r.PostFormValue("client_secret")
	}
	if (s.cfg.ClientID != "" && id != s.cfg.ClientID) || (s.cfg.ClientSecret != "" && secret != s.cfg.ClientSecret) {
		oauthError(w, http.StatusUnauthorized, "invalid_client")
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	out := obj{"token_type": "Bearer"}
	var g grant
	switch r.PostFormValue("grant_type") {
	case "authorization_code":
		code := r.PostFormValue("code")
		c := s.codes[code]
		delete(s.codes, code)
		sum := sha256.Sum256([]byte(r.PostFormValue("code_verifier")))
		proof := base64.RawURLEncoding.EncodeToString(sum[:])
		if c == nil || time.Now().After(c.until) || c.redirect != r.PostFormValue("redirect_uri") || c.client != id ||
			(c.challenge != "" && c.challenge != proof) {
			oauthError(w, http.StatusBadRequest, "invalid_grant")
			return
		}
		g = c.grant
		if c.offline {
			refresh := "1//" + rand.Text()
			s.refresh[refresh] = &c.grant
			out["refresh_token"] = refresh
		}
	case "refresh_token":
		s.renewals++
		have := s.refresh[r.PostFormValue("refresh_token")]
		if have == nil {
			oauthError(w, http.StatusBadRequest, "invalid_grant")
			return
		}
		g = *have
	default:
		oauthError(w, http.StatusBadRequest, "unsupported_grant_type")
		return
	}
	access, expires := s.issue(g)
	out["access_token"], out["expires_in"] = access, int(time.Until(expires).Round(time.Second).Seconds())
	out["scope"] = strings.Join(g.scopes, " ")
	_ = answer(w, out)
}

// revoke withdraws the grant behind an access or a refresh token, for the whole channel.
func (s *Sim) revoke(w http.ResponseWriter, r *http.Request) {
	tok := r.FormValue("token")
	s.mu.Lock()
	defer s.mu.Unlock()
	g := s.access[tok]
	if g == nil {
		g = s.refresh[tok]
	}
	if g == nil {
		oauthError(w, http.StatusBadRequest, "invalid_token")
		return
	}
	for _, m := range []map[string]*grant{s.access, s.refresh} {
		for k, other := range m {
			if other.channel == g.channel {
				delete(m, k)
			}
		}
	}
	w.WriteHeader(http.StatusOK)
}
