package shopifysim

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

type grant struct {
	access, refresh string
	ends            time.Time // zero: never
	// before is the refresh token that this grant replaced; it works until access is first used.
	before string
}

// mayCall reports whether an access token is good, and retires the refresh token before it on first use.
func (s *Sim) mayCall(token string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.gone {
		return false
	}
	if token == s.o.Token && token != "" {
		return true
	}
	g := s.tokens[token]
	if g == nil || !g.ends.IsZero() && time.Now().After(g.ends) {
		return false
	}
	if g.before != "" {
		delete(s.refresh, g.before)
		g.before = ""
	}
	return true
}

func (s *Sim) serveToken(w http.ResponseWriter, r *http.Request) {
	form := map[string]string{}
	if strings.HasPrefix(r.Header.Get("Content-Type"), "application/json") {
		if json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<16)).Decode(&form) != nil {
			oauthError(w, "invalid_request")
			return
		}
	} else {
		r.Body = http.MaxBytesReader(w, r.Body, 1<<16)
		if r.ParseForm() != nil {
			oauthError(w, "invalid_request")
			return
		}
		for k := range r.PostForm {
			form[k] = r.PostForm.Get(k)
		}
	}
	if s.takeBreak(w) {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if form["client_id"] != s.o.ClientID || form["client_secret"] != s.o.ClientSecret {
		oauthError(w, "invalid_client")
		return
	}
	g := &grant{access: secret("shpua_")}
	life := time.Hour
	switch {
	case s.gone:
		oauthError(w, "app_not_installed")
		return
	case form["grant_type"] == "client_credentials":
		life = 86_399 * time.Second
	case form["grant_type"] == "refresh_token":
		if s.refresh[form["refresh_token"]] == nil {
			oauthError(w, "invalid_grant")
			return
		}
		g.refresh, g.before = secret("shprt_"), form["refresh_token"]
	case form["code"] != "":
		if !s.codes[form["code"]] {
			oauthError(w, "invalid_request")
			return
		}
		delete(s.codes, form["code"])
		if form["expiring"] != "1" {
			life = 0
			break
		}
		g.refresh = secret("shprt_")
	default:
		oauthError(w, "unsupported_grant_type")
		return
	}
	out := map[string]any{"access_token": g.access, "scope": strings.Join(s.o.Scopes, ",")}
	if life > 0 {
		if s.o.TokenLife > 0 {
			life = s.o.TokenLife
		}
		g.ends = time.Now().Add(life)
		out["expires_in"] = int(life.Seconds())
	}
	if g.refresh != "" {
		s.refresh[g.refresh] = g
		out["refresh_token"] = g.refresh
		out["refresh_token_expires_in"] = 90 * 24 * 3600
	}
	s.tokens[g.access] = g
	s.counts.Tokens++
	writeJSON(w, http.StatusOK, out)
}

func oauthError(w http.ResponseWriter, code string) {
	writeJSON(w, http.StatusBadRequest, map[string]string{"error": code, "error_description": "The request was refused."})
}

// serveAuthorize is the page where an owner installs the app. The pretend owner always says yes.
func (s *Sim) serveAuthorize(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	back, err := url.Parse(q.Get("redirect_uri"))
	if err != nil || back.Host == "" || q.Get("client_id") != s.o.ClientID {
		http.Error(w, "Oauth error invalid_request: The redirect_uri or client_id is not whitelisted", http.StatusBadRequest)
		return
	}
	s.mu.Lock()
	code := secret("")
	s.codes[code], s.gone = true, false
	s.mu.Unlock()
	answer := back.Query()
	for k, v := range map[string]string{
		"code": code, "shop": s.o.Shop, "state": q.Get("state"), "host": "YWRtaW4", "timestamp": strconv.FormatInt(time.Now().Unix(), 10),
	} {
		answer.Set(k, v)
	}
	var parts []string
	for k := range answer {
		parts = append(parts, k+"="+answer.Get(k))
	}
	slices.Sort(parts)
	mac := hmac.New(sha256.New, []byte(s.o.ClientSecret))
	_, _ = mac.Write([]byte(strings.Join(parts, "&")))
	answer.Set("hmac", hex.EncodeToString(mac.Sum(nil)))
	back.RawQuery = answer.Encode()
	http.Redirect(w, r, back.String(), http.StatusFound)
}
