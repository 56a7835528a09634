package web

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"hawker/commerce"
	"hawker/internal/seal"
	"hawker/web/desk"
	"hawker/web/ui"
)

// oauthFor is how long a login at a platform may take.
const oauthFor = 10 * time.Minute

// oauthCookie is where the browser keeps its login under way, sealed: any node can finish it, no other browser can.
const oauthCookie = "hawker-login"

// underway is a login that was started.
type underway struct {
	Name     string      `json:"name"`
	Merchant commerce.ID `json:"merchant"`
	Member   commerce.ID `json:"member"`
	State    []byte      `json:"state"` // hash
	Session  []byte      `json:"session"`
	Verifier string      `json:"verifier,omitempty"`
	Ends     time.Time   `json:"ends"`
}

// right is what a login needs.
func right(name string) desk.Right {
	if name == "shopify" {
		return desk.Store
	}
	return desk.Connects
}

// page is where a login was started and ends.
func page(name string) string {
	if name == "shopify" {
		return "/store"
	}
	return "/channels"
}

func (s *Server) oauthStart(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("name")
	s.guard(right(name), func(w http.ResponseWriter, r *http.Request, v *desk.Visitor) error {
		c, ok := s.Connects[name]
		if !ok {
			return ui.Problem(http.StatusNotFound, "There is no such login here.")
		}
		if c.Needs != "" && c.Code != nil {
			return s.beginCode(w, r, v, name, c.Code)
		}
		if c.Needs != "" {
			return ui.Problem(http.StatusConflict, c.Needs)
		}
		state := seal.NewToken()
		address, verifier, err := c.Start(r.Context(), v.Merchant.ID, state.Reveal(), s.redirect(name), r.PostFormValue("extra"))
		if err != nil {
			s.Log.InfoContext(r.Context(), "login not started", "name", name, "err", err)
			return ui.Problem(http.StatusUnprocessableEntity, "That cannot be connected: "+err.Error())
		}
		u := underway{name, v.Merchant.ID, v.Member.ID, seal.Hash(state), s.sessionHash(r), verifier, time.Now().Add(oauthFor)}
		plain, err := json.Marshal(u)
		if err != nil {
			return err
		}
		s.kit.SetCookie(w, oauthCookie, encode(s.Hub.Key.Seal(plain, seal.Context("web", "login", name))), oauthFor)
		return s.onward(w, r, v, name, address)
	}).ServeHTTP(w, r)
}

// redirect is where a platform sends the browser back to. It is configured, never read from the request.
func (s *Server) redirect(name string) string { return s.Public + "/oauth/" + name }

func (s *Server) sessionHash(r *http.Request) []byte {
	t, _ := s.kit.Session(r)
	return seal.Hash(t)
}

// oauthBack takes the browser back from the platform.
func (s *Server) oauthBack(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("name")
	s.guard(right(name), func(w http.ResponseWriter, r *http.Request, v *desk.Visitor) error {
		c, ok := s.Connects[name]
		if !ok {
			return ui.Problem(http.StatusNotFound, "There is no such login here.")
		}
		u, err := s.take(w, r, v, name)
		if err != nil {
			return err
		}
		q := r.URL.Query()
		if q.Get("error") != "" { // RFC 6749, 4.1.2.1
			return ui.Problem(http.StatusConflict, "The login was not finished there, so nothing was connected.")
		}
		_, err = c.Finish(r.Context(), v.Merchant.ID, Back{Query: q, State: q.Get("state"), Verifier: u.Verifier, Redirect: s.redirect(name)})
		if err != nil {
			s.Log.WarnContext(r.Context(), "login not finished", "name", name, "err", err)
			if status, sentence, known := ui.Explain(err); known {
				return ui.Problem(status, sentence)
			}
			return ui.Problem(http.StatusBadGateway, "The platform did not finish the login. Try again; if it stays so, the log of hawker says why.")
		}
		if err := s.Hub.Serve(r.Context(), v.Merchant.ID); err != nil {
			return err
		}
		http.Redirect(w, r, page(name)+"?said=connected", http.StatusSeeOther)
		return nil
	}).ServeHTTP(w, r)
}

// take ends the login under way of this browser, once.
func (s *Server) take(w http.ResponseWriter, r *http.Request, v *desk.Visitor, name string) (underway, error) {
	var u underway
	over := ui.Problem(http.StatusConflict, "This login is over, or was begun in another browser. Begin it again.")
	sealed, err := decode(s.kit.Cookie(r, oauthCookie))
	if err != nil {
		return u, over
	}
	s.kit.SetCookie(w, oauthCookie, "", 0)
	plain, err := s.Hub.Key.Open(sealed, seal.Context("web", "login", name))
	if err != nil || json.Unmarshal(plain, &u) != nil {
		return u, over
	}
	state := seal.Token(r.URL.Query().Get("state"))
	same := u.Name == name && u.Merchant == v.Merchant.ID && u.Member == v.Member.ID && bytes.Equal(u.State, seal.Hash(state)) && bytes.Equal(u.Session, s.sessionHash(r))
	now := time.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	for k, ends := range s.used {
		if now.After(ends) {
			delete(s.used, k)
		}
	}
	_, again := s.used[string(u.State)]
	if !same || again || now.After(u.Ends) {
		return u, over
	}
	s.used[string(u.State)] = u.Ends
	return u, nil
}

func encode(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

func decode(s string) ([]byte, error) { return base64.RawURLEncoding.DecodeString(s) }

// onward sends the browser on to the platform. A redirect would not do: the page's policy lets forms end at our own
// address only (form-action), and browsers hold redirects to that. So a page goes on by itself, or by its link.
func (s *Server) onward(w http.ResponseWriter, r *http.Request, v *desk.Visitor, name, address string) error {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" {
		return fmt.Errorf("login %s: its address is not one of the web", name)
	}
	w.Header().Set("Refresh", "0; url="+u.String())
	f := ui.Frame{Layout: ui.Bare, Title: "To the login", Practice: v.Merchant.Practice, Private: true}
	s.pages.Render(w, r, "onward", f, struct{ Address, Host, Back string }{u.String(), u.Host, page(name)})
	return nil
}
