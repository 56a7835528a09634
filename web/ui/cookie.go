package ui

import (
	"net/http"
	"time"

	"hawker/internal/seal"
)

// How long cookies last. A viewer's browser is known for a year, a member stays signed in for a month.
const (
	browserFor = 365 * 24 * time.Hour
	SessionFor = 30 * 24 * time.Hour
)

// cookieName adds the prefix by which browsers promise that the cookie came from this very host over https (RFC 6265bis,
// "The __Host- Prefix"). Plain http, which is for loopback, cannot have it.
func (k *Kit) cookieName(name string) string {
	if k.secure {
		return "__Host-" + name
	}
	return name
}

// SetCookie sets a cookie that no script reads and that other sites' requests do not carry, except a plain link here.
// life 0 removes it.
func (k *Kit) SetCookie(w http.ResponseWriter, name, value string, life time.Duration) {
	c := &http.Cookie{
		Name: k.cookieName(name), Value: value, Path: "/", MaxAge: int(life.Seconds()), HttpOnly: true, Secure: k.secure, SameSite: http.SameSiteLaxMode,
	}
	if life == 0 {
		c.MaxAge = -1
	}
	http.SetCookie(w, c)
}

// Cookie reads what SetCookie set, empty when there is none.
func (k *Kit) Cookie(r *http.Request, name string) string {
	if c, err := r.Cookie(k.cookieName(name)); err == nil {
		return c.Value
	}
	return ""
}

// Browser is the secret of a viewer's browser, made on its first visit: 128 random bits in a cookie. The house knows its
// hash only.
func (k *Kit) Browser(w http.ResponseWriter, r *http.Request) seal.Token {
	if v := k.Cookie(r, "hawker-browser"); seal.ValidToken(v) {
		return seal.Token(v)
	}
	t := seal.NewToken()
	k.SetCookie(w, "hawker-browser", t.Reveal(), browserFor)
	return t
}

// Session is the secret of a signed-in browser; false when there is none.
func (k *Kit) Session(r *http.Request) (seal.Token, bool) {
	v := k.Cookie(r, "hawker")
	return seal.Token(v), seal.ValidToken(v)
}

// SetSession signs the browser in, or with an empty token out.
func (k *Kit) SetSession(w http.ResponseWriter, t seal.Token) {
	if t == "" {
		k.SetCookie(w, "hawker", "", 0)
		return
	}
	k.SetCookie(w, "hawker", t.Reveal(), SessionFor)
}
