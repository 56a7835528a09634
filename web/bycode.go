package web

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"sync"
	"time"

	"hawker/commerce"
	"hawker/internal/seal"
	"hawker/web/desk"
	"hawker/web/ui"
)

// codeCookie is where the browser keeps its login by a code, sealed: any node can ask for it, and no other browser can.
const codeCookie = "hawker-code"

// codeWithin is how long one question about a code may take. It goes on when the browser leaves: a code works only once.
const codeWithin = 20 * time.Second

// coded is a login by a code that was begun.
type coded struct {
	Name     string         `json:"name"`
	Merchant commerce.ID    `json:"merchant"`
	Member   commerce.ID    `json:"member"`
	Session  []byte         `json:"session"`
	Shown    desk.ShownCode `json:"shown"`
}

// codePage shows a code, or that it is over.
type codePage struct {
	Name, Code, Address, Host, Back string
	Ends                            time.Time
	Every                           int // seconds
	Over                            bool
	Slow                            bool // the platform could not be asked just now
}

func codeName(name string) string { return seal.Context("web", "code", name) }

// codeBegin asks the platform for a code and shows it.
func (s *Server) codeBegin(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("name")
	s.guard(right(name), func(w http.ResponseWriter, r *http.Request, v *desk.Visitor) error {
		c, ok := s.Connects[name]
		if !ok || c.Code == nil {
			return ui.Problem(http.StatusNotFound, "There is no such login here.")
		}
		return s.beginCode(w, r, v, name, c.Code)
	}).ServeHTTP(w, r)
}

func (s *Server) beginCode(w http.ResponseWriter, r *http.Request, v *desk.Visitor, name string, by *desk.ByCode) error {
	shown, err := by.Begin(r.Context(), v.Merchant.ID, r.PostFormValue("extra"))
	if err != nil {
		s.Log.WarnContext(r.Context(), "login by code not begun", "name", name, "err", err)
		return ui.Problem(http.StatusBadGateway, "The platform gave no code just now. Try again; if it stays so, the log of hawker says why.")
	}
	plain, err := json.Marshal(coded{name, v.Merchant.ID, v.Member.ID, s.sessionHash(r), shown})
	if err != nil {
		return err
	}
	s.kit.SetCookie(w, codeCookie, encode(s.Hub.Key.Seal(plain, codeName(name))), time.Until(shown.Ends)+time.Minute)
	http.Redirect(w, r, "/oauth/"+name+"/code", http.StatusSeeOther)
	return nil
}

// codeWait shows the code of this browser and, each time it is looked at, asks the platform whether it was typed. The page looks
// every few seconds by itself; it is answered 204 while nothing is new.
func (s *Server) codeWait(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("name")
	s.guard(right(name), func(w http.ResponseWriter, r *http.Request, v *desk.Visitor) error {
		byPage := r.Header.Get("HX-Request") != ""
		onward := func(to string) error {
			if byPage {
				w.Header().Set("HX-Redirect", to)
				w.WriteHeader(http.StatusNoContent)
				return nil
			}
			http.Redirect(w, r, to, http.StatusSeeOther)
			return nil
		}
		c, ok := s.Connects[name]
		if !ok || c.Code == nil {
			return ui.Problem(http.StatusNotFound, "There is no such login here.")
		}
		u, ok := s.codedOf(r, v, name)
		if !ok {
			if byPage {
				return onward("/oauth/" + name + "/code")
			}
			return s.codeOver(w, r, v, name)
		}
		_, err := s.codes.ask(r.Context(), u.Shown, func(ctx context.Context) (string, error) { return c.Code.Ask(ctx, v.Merchant.ID, u.Shown) })
		waiting := errors.Is(err, desk.ErrWaiting)
		switch {
		case err == nil:
			if err := s.Hub.Serve(r.Context(), v.Merchant.ID); err != nil {
				return err
			}
			s.kit.SetCookie(w, codeCookie, "", 0)
			return onward(page(name) + "?said=connected")
		case errors.Is(err, desk.ErrCodeOver):
			if byPage {
				return onward("/oauth/" + name + "/code")
			}
			s.kit.SetCookie(w, codeCookie, "", 0)
			return s.codeOver(w, r, v, name)
		case !waiting:
			s.Log.WarnContext(r.Context(), "login by code not asked", "name", name, "err", err)
		}
		if byPage {
			w.WriteHeader(http.StatusNoContent)
			return nil
		}
		s.pages.Render(w, r, "code", s.codeFrame(v), codePage{
			Name: name, Code: u.Shown.Code, Address: u.Shown.Address, Host: host(u.Shown.Address), Back: page(name), Ends: u.Shown.Ends,
			Every: max(1, int(u.Shown.Every.Seconds())), Slow: !waiting,
		})
		return nil
	}).ServeHTTP(w, r)
}

func (s *Server) codeFrame(v *desk.Visitor) ui.Frame {
	return ui.Frame{Layout: ui.Bare, Title: "Connect with a code", Practice: v.Merchant.Practice, Private: true}
}

func (s *Server) codeOver(w http.ResponseWriter, r *http.Request, v *desk.Visitor, name string) error {
	f := s.codeFrame(v)
	f.Status = http.StatusConflict
	s.pages.Render(w, r, "code", f, codePage{Name: name, Back: page(name), Over: true})
	return nil
}

// codedOf is the login by a code of this browser and member.
func (s *Server) codedOf(r *http.Request, v *desk.Visitor, name string) (u coded, ok bool) {
	sealed, err := decode(s.kit.Cookie(r, codeCookie))
	if err != nil {
		return u, false
	}
	plain, err := s.Hub.Key.Open(sealed, codeName(name))
	if err != nil || json.Unmarshal(plain, &u) != nil {
		return u, false
	}
	return u, u.Name == name && u.Merchant == v.Merchant.ID && u.Member == v.Member.ID && bytes.Equal(u.Session, s.sessionHash(r))
}

// codes are the logins by code that this node asked about: one question at a time for each, however many pages look, and none
// sooner than the platform allows.
type codes struct {
	mu  sync.Mutex
	all map[string]*asked
}

// asked is what is known of a code.
type asked struct {
	ends time.Time // of the code; it is forgotten some time later

	mu   sync.Mutex // held while it is asked about
	at   time.Time
	name string
	err  error
}

// ask asks about a code, or gives what is known when it was asked about just now or is decided.
func (c *codes) ask(ctx context.Context, shown desk.ShownCode, ask func(context.Context) (string, error)) (string, error) {
	now := time.Now()
	c.mu.Lock()
	for k, a := range c.all {
		if now.After(a.ends.Add(time.Hour)) {
			delete(c.all, k)
		}
	}
	if c.all == nil {
		c.all = map[string]*asked{}
	}
	key := string(seal.Hash(seal.Token(shown.Secret)))
	a := c.all[key]
	if a == nil {
		a = &asked{ends: shown.Ends, at: now, err: desk.ErrWaiting} // a code that was just shown cannot have been typed
		c.all[key] = a
	}
	c.mu.Unlock()
	a.mu.Lock()
	defer a.mu.Unlock()
	decided := a.err == nil || errors.Is(a.err, desk.ErrCodeOver)
	if decided || time.Since(a.at) < shown.Every {
		return a.name, a.err
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), codeWithin)
	defer cancel()
	a.name, a.err = ask(ctx)
	a.at = time.Now()
	return a.name, a.err
}

func host(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return u.Host
}
