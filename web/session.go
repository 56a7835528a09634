package web

import (
	"cmp"
	"context"
	"net/http"
	"net/url"
	"strings"

	"hawker/internal/setup"
	"hawker/internal/sqldb"
	"hawker/web/ui"
)

// signInForm is the page on which members sign in.
type signInForm struct{ Email, To, Wrong string }

func (s *Server) toSignIn(w http.ResponseWriter, r *http.Request) {
	to := "/sign-in"
	if r.Method == http.MethodGet && r.URL.Path != "/" {
		to += "?to=" + url.QueryEscape(r.URL.Path)
	}
	if ui.Hx(r) || r.Method != http.MethodGet || strings.Contains(r.Header.Get("Accept"), "text/event-stream") {
		s.kit.Fail(w, r, ui.Problem(http.StatusUnauthorized, "You are signed out. Load the page again to sign in."))
		return
	}
	http.Redirect(w, r, to, http.StatusSeeOther)
}

func (s *Server) signInPage(w http.ResponseWriter, r *http.Request) {
	to := local(r.URL.Query().Get("to"))
	if _, _, err := s.member(w, r); err == nil {
		http.Redirect(w, r, cmp.Or(to, "/"), http.StatusSeeOther)
		return
	}
	all, err := s.DB.Merchants(r.Context())
	if err != nil {
		s.kit.Fail(w, r, err)
		return
	}
	if len(all) == 0 {
		s.pages.Render(w, r, "empty", ui.Frame{Layout: ui.Bare, Title: "Not set up yet"}, nil)
		return
	}
	s.pages.Render(w, r, "sign-in", ui.Frame{Layout: ui.Bare, Title: "Sign in"}, signInForm{To: to})
}

func (s *Server) signInNow(w http.ResponseWriter, r *http.Request) {
	if err := r.ParseForm(); err != nil {
		s.kit.Fail(w, r, err)
		return
	}
	f := signInForm{Email: strings.ToLower(strings.TrimSpace(r.PostForm.Get("email"))), To: local(r.PostForm.Get("to"))}
	// Both budgets are taken from, so that neither one address nor many can try out one person's passwords. Who has none left
	// takes none from others: a flood of made-up addresses would make the limiter forget whom it holds back.
	if !s.signIn.Allow("address "+s.kit.Address(r)) || !s.signIn.Allow("e-mail "+f.Email) {
		s.kit.Fail(w, r, ui.Problem(http.StatusTooManyRequests, "That was tried too often. Wait a minute, then try again."))
		return
	}
	m, ok, err := s.check(r.Context(), f.Email, r.PostForm.Get("password"))
	if err != nil {
		s.kit.Fail(w, r, err)
		return
	}
	if !ok {
		f.Wrong = "This e-mail address and this password do not belong together."
		s.pages.Render(w, r, "sign-in", ui.Frame{Layout: ui.Bare, Title: "Sign in", Status: http.StatusUnauthorized}, f)
		return
	}
	if _, err := s.open(w, r, m); err != nil {
		s.kit.Fail(w, r, err)
		return
	}
	http.Redirect(w, r, cmp.Or(f.To, "/"), http.StatusSeeOther)
}

// check finds the member with an e-mail address and a password. An unknown address takes as long to refuse as a wrong
// password.
func (s *Server) check(ctx context.Context, email, password string) (sqldb.Member, bool, error) {
	all, err := s.DB.MembersByEmail(ctx, email)
	if err != nil {
		return sqldb.Member{}, false, err
	}
	if len(all) == 0 {
		setup.CheckPassword("", password)
	}
	for _, m := range all {
		if setup.CheckPassword(m.PasswordHash, password) {
			return m, true, nil
		}
	}
	return sqldb.Member{}, false, nil
}

func (s *Server) signOut(w http.ResponseWriter, r *http.Request) {
	if t, ok := s.kit.Session(r); ok {
		if err := s.DB.EndSession(r.Context(), t); err != nil {
			s.kit.Fail(w, r, err)
			return
		}
		s.endStreams(t)
	}
	s.kit.SetSession(w, "")
	http.Redirect(w, r, "/sign-in", http.StatusSeeOther)
}

// local is an address of ours to go on to; anything that a browser could read as elsewhere is none.
func local(to string) string {
	if !strings.HasPrefix(to, "/") || strings.HasPrefix(to, "//") || strings.ContainsAny(to, "\\\r\n\t") {
		return ""
	}
	return to
}
