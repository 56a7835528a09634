package twitchsim

import (
	"html/template"
	"net/http"
	"net/url"
	"strings"
	"time"
)

type code struct {
	user, redirect string
	scopes         []string
	until          time.Time
}

// Approve makes the login page agree at once in the name of the user; an empty id brings the page with buttons back.
func (s *Sim) Approve(userID string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.approve = userID
}

var page = template.Must(template.New("authorize").Parse(`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Pretend Twitch: log in</title></head>
<body><h1>Pretend Twitch</h1><p>An application asks for: {{range .Scopes}}<code>{{.}}</code> {{else}}nothing special{{end}}</p>
<form method="post" action="{{.Action}}">
{{range .Users}}<p><button name="user" value="{{.ID}}">Authorize as {{.Name}}</button></p>
{{end}}<p><button name="user" value="">Cancel</button></p></form></body></html>
`))

func (s *Sim) getAuthorize(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	q := r.URL.Query()
	back, err := url.Parse(q.Get("redirect_uri"))
	if q.Get("response_type") != "code" || err != nil || !back.IsAbs() || q.Get("client_id") == "" || s.o.ClientID != "" && q.Get("client_id") != s.o.ClientID {
		fail(w, http.StatusBadRequest, "Parameter redirect_uri does not match registered URI")
		return
	}
	if s.approve != "" {
		s.redirect(w, r, s.approve)
		return
	}
	var users []User
	for _, id := range s.accounts {
		users = append(users, s.users[id])
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_ = page.Execute(w, map[string]any{"Action": "?" + r.URL.RawQuery, "Users": users, "Scopes": strings.Fields(q.Get("scope"))})
}

func (s *Sim) postAuthorize(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.redirect(w, r, r.PostFormValue("user"))
}

// redirect sends the browser back with a code, or with access_denied; the caller holds s.mu.
func (s *Sim) redirect(w http.ResponseWriter, r *http.Request, userID string) {
	q := r.URL.Query()
	back, err := url.Parse(q.Get("redirect_uri"))
	if err != nil || !back.IsAbs() {
		fail(w, http.StatusBadRequest, "Parameter redirect_uri does not match registered URI")
		return
	}
	v := back.Query()
	v.Set("state", q.Get("state"))
	if _, ok := s.users[userID]; ok {
		key := random()
		s.codes[key] = code{userID, q.Get("redirect_uri"), strings.Fields(q.Get("scope")), time.Now().Add(time.Minute)}
		v.Set("code", key)
		v.Set("scope", q.Get("scope"))
	} else {
		v.Set("error", "access_denied")
		v.Set("error_description", "The user denied you access")
	}
	back.RawQuery = v.Encode()
	http.Redirect(w, r, back.String(), http.StatusFound)
}

// oauthFail is the login server's form of an error.
func oauthFail(w http.ResponseWriter, status int, message string) {
	answer(w, status, map[string]any{"status": status, "message": message})
}

func (s *Sim) postToken(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.o.ClientID != "" && r.FormValue("client_id") != s.o.ClientID {
		oauthFail(w, http.StatusBadRequest, "invalid client")
		return
	}
	grantType := r.FormValue("grant_type")
	if byCode := grantType == "urn:ietf:params:oauth:grant-type:device_code"; !byCode && s.o.ClientSecret != "" && r.FormValue("client_secret") != s.o.ClientSecret {
		oauthFail(w, http.StatusForbidden, "invalid client secret")
		return
	}
	var g *grant
	switch grantType {
	case "urn:ietf:params:oauth:grant-type:device_code":
		if g = s.byDevice(w, r); g == nil {
			return
		}
	case "client_credentials":
		if s.o.ClientSecret == "" && s.o.ClientID != "" {
			oauthFail(w, http.StatusForbidden, "invalid client secret") // a public application has none
			return
		}
		g = s.grant("", nil)
		g.Refresh = ""
		answer(w, http.StatusOK, map[string]any{"access_token": g.Access, "expires_in": int(time.Until(g.Expires).Seconds()), "token_type": "bearer"})
		return
	case "authorization_code":
		c, ok := s.codes[r.FormValue("code")]
		delete(s.codes, r.FormValue("code"))
		if !ok || time.Now().After(c.until) || c.redirect != r.FormValue("redirect_uri") {
			oauthFail(w, http.StatusBadRequest, "Invalid authorization code")
			return
		}
		g = s.grant(c.user, c.scopes)
	case "refresh_token":
		s.refreshes++
		for _, old := range s.grants {
			if old.Refresh != "" && old.Refresh == r.FormValue("refresh_token") {
				g = old
			}
		}
		if g == nil || g.public && time.Since(g.used) > 30*24*time.Hour {
			oauthFail(w, http.StatusBadRequest, "Invalid refresh token")
			return
		}
		g.Access, g.Refresh, g.Expires, g.used = random(), random(), time.Now().Add(s.o.TokenLife), time.Now()
	default:
		oauthFail(w, http.StatusBadRequest, "Invalid grant type")
		return
	}
	answer(w, http.StatusOK, map[string]any{
		"access_token": g.Access, "refresh_token": g.Refresh, "expires_in": int(time.Until(g.Expires).Seconds()),
		"scope": g.Scopes, "token_type": "bearer",
	})
}

func (s *Sim) getValidate(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	access, ok := strings.CutPrefix(r.Header.Get("Authorization"), "OAuth ")
	if !ok {
		access = strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
	}
	g := s.byAccess(access)
	if g == nil {
		oauthFail(w, http.StatusUnauthorized, "invalid access token")
		return
	}
	id := s.o.ClientID
	if id == "" {
		id = "any"
	}
	answer(w, http.StatusOK, map[string]any{
		"client_id": id, "login": s.users[g.user].Login, "scopes": g.Scopes, "user_id": g.user,
		"expires_in": int(time.Until(g.Expires).Seconds()),
	})
}
