package web

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"net/mail"
	"regexp"
	"strings"
	"time"

	"hawker/internal/lang"
	"hawker/internal/seal"
	"hawker/internal/setup"
	"hawker/internal/sqldb"
	"hawker/web/ui"
)

// passwordMin is the shortest password, in letters (NIST SP 800-63B asks for 8 where it is one of two factors, 15 where
// it is alone; in between people still choose their own).
const passwordMin = 10

// startForm is the page of the first start.
type startForm struct {
	Token                                     string
	Shop, Currency, Timezone, Language, Email string
	Languages                                 []string
	Currencies                                []string
	Wrong                                     map[string]string
}

// FirstRun is the one-time address at which the first merchant is made, empty when there is one already. A new call makes
// the former address void.
func (s *Server) FirstRun(ctx context.Context) (string, error) {
	all, err := s.DB.Merchants(ctx)
	if err != nil || len(all) > 0 {
		return "", err
	}
	t := seal.NewToken()
	s.mu.Lock()
	s.first = seal.Hash(t)
	s.mu.Unlock()
	return s.Public + "/start/" + t.Reveal(), nil
}

// mayStart reports whether the address of the first start is the one that was printed, and still good.
func (s *Server) mayStart(r *http.Request) error {
	gone := ui.Problem(http.StatusNotFound, "This link was used already, or a newer one was printed. The newest is in the output of hawker serve.")
	s.mu.Lock()
	ok := s.first != nil && seal.ValidToken(r.PathValue("token")) && bytes.Equal(s.first, seal.Hash(seal.Token(r.PathValue("token"))))
	s.mu.Unlock()
	if !ok {
		return gone
	}
	all, err := s.DB.Merchants(r.Context())
	if err == nil && len(all) > 0 {
		err = gone
	}
	return err
}

func currencies() []string {
	return []string{"EUR", "USD", "GBP", "CHF", "SEK", "NOK", "DKK", "PLN", "CZK", "CAD", "AUD", "NZD", "JPY", "KRW", "TWD", "HKD", "SGD", "THB", "MXN", "BRL", "INR"}
}

func (s *Server) startPage(w http.ResponseWriter, r *http.Request) {
	if err := s.mayStart(r); err != nil {
		s.kit.Fail(w, r, err)
		return
	}
	s.showStart(w, r, startForm{Currency: "EUR", Timezone: "Europe/Berlin", Language: "en"})
}

func (s *Server) showStart(w http.ResponseWriter, r *http.Request, f startForm) {
	f.Token, f.Languages, f.Currencies = r.PathValue("token"), lang.Languages(), currencies()
	frame := ui.Frame{Layout: ui.Bare, Title: "Set up your shop", Private: true}
	if len(f.Wrong) > 0 {
		frame.Status = http.StatusUnprocessableEntity
	}
	s.pages.Render(w, r, "start", frame, f)
}

func (s *Server) startNow(w http.ResponseWriter, r *http.Request) {
	if err := errors.Join(r.ParseForm(), s.mayStart(r)); err != nil {
		s.kit.Fail(w, r, err)
		return
	}
	field := func(name string) string { return strings.TrimSpace(r.PostForm.Get(name)) }
	f := startForm{
		Shop: field("shop"), Currency: strings.ToUpper(field("currency")), Timezone: field("timezone"), Language: field("language"), Email: strings.ToLower(field("email")),
	}
	password := r.PostForm.Get("password")
	if f.check(password); len(f.Wrong) > 0 {
		s.showStart(w, r, f)
		return
	}
	m, err := s.make(r.Context(), f, password)
	if err != nil {
		s.kit.Fail(w, r, err)
		return
	}
	if _, err := s.open(w, r, m); err != nil {
		s.kit.Fail(w, r, err)
		return
	}
	http.Redirect(w, r, "/?said=signed-in", http.StatusSeeOther)
}

var currencyCode = regexp.MustCompile(`^[A-Z]{3}$`)

// check says what is wrong, by field.
func (f *startForm) check(password string) {
	f.Wrong = map[string]string{}
	if f.Shop == "" || len([]rune(f.Shop)) > 60 {
		f.Wrong["shop"] = "The shop needs a name of at most 60 letters."
	}
	if !currencyCode.MatchString(f.Currency) {
		f.Wrong["currency"] = "A currency is three letters, such as EUR."
	}
	if _, err := time.LoadLocation(f.Timezone); err != nil || f.Timezone == "" {
		f.Wrong["timezone"] = "A time zone is a place, such as Europe/Berlin."
	}
	if a, err := mail.ParseAddress(f.Email); err != nil || a.Address != f.Email {
		f.Wrong["email"] = "This is no e-mail address."
	}
	if len([]rune(password)) < passwordMin {
		f.Wrong["password"] = "At least 10 letters. Three words that do not belong together are good."
	}
	if len(password) > 1000 {
		f.Wrong["password"] = "At most 1000 letters."
	}
}

// make makes the merchant and its owner, once.
func (s *Server) make(ctx context.Context, f startForm, password string) (sqldb.Member, error) {
	hash := setup.HashPassword(password)
	s.mu.Lock()
	first := s.first
	s.first = nil // nobody else makes one meanwhile
	s.mu.Unlock()
	if first == nil {
		return sqldb.Member{}, ui.Problem(http.StatusConflict, "The shop is being made already. Sign in instead.")
	}
	member, err := s.store(ctx, f, hash)
	if err != nil {
		s.mu.Lock()
		s.first = first
		s.mu.Unlock()
	}
	return member, err
}

func (s *Server) store(ctx context.Context, f startForm, hash string) (sqldb.Member, error) {
	id, err := s.DB.PutMerchant(ctx, sqldb.Merchant{Slug: slug(f.Shop), Name: f.Shop, Currency: f.Currency, Timezone: f.Timezone, Language: f.Language})
	if err != nil {
		return sqldb.Member{}, err
	}
	m := sqldb.Member{Merchant: id, Email: f.Email, Role: "owner", PasswordHash: hash}
	if m.ID, err = s.DB.PutMember(ctx, m); err != nil {
		return m, err
	}
	return m, s.Hub.Serve(ctx, id)
}

// slug is a shop's name in addresses.
func slug(name string) string {
	s := strings.Trim(regexp.MustCompile(`[^a-z0-9]+`).ReplaceAllString(strings.ToLower(name), "-"), "-")
	if s == "" {
		return "shop"
	}
	return s[:min(len(s), 40)]
}
