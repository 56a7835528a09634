package crew

import (
	"context"
	"errors"
	"log/slog"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"hawker/internal/chat"
	"hawker/internal/live/ruling"
	"hawker/internal/live/shop"
	"hawker/internal/seal"
	"hawker/internal/sqldb"
	"hawker/internal/sqldb/rulebook"
	"hawker/rules/facts"
	"hawker/rules/rule"
)

// till is a store that makes codes.
type till struct {
	mu   sync.Mutex
	made []shop.Discount
	fail error
}

func (s *till) Discount(_ context.Context, d shop.Discount) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.made = append(s.made, d)
	return s.fail
}

// phone is a chat that takes direct messages, unless it does not.
type phone struct {
	did  []chat.Deed
	fail error
}

func (p *phone) Do(_ context.Context, d chat.Deed) error {
	p.did = append(p.did, d)
	return p.fail
}

// A person gets one code by a rule, and nobody else sees it.
func TestDiscount(t *testing.T) {
	key, err := seal.NewKey(make([]byte, 32))
	if err != nil {
		t.Fatal(err)
	}
	db, err := sqldb.Open(t.Context(), sqldb.Options{Dir: t.TempDir(), Key: key})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	id, err := db.PutMerchant(t.Context(), sqldb.Merchant{Slug: "ana", Currency: "EUR"})
	if err != nil {
		t.Fatal(err)
	}
	here := chat.Channel{Platform: chat.Twitch, ID: "1"}
	store, ph := &till{}, &phone{}
	type said struct {
		to   chat.Answer
		text string
	}
	var told []said
	c := &Crew{Merchant: id, Book: db.Rulebook(), Log: slog.New(slog.DiscardHandler), Codes: store, Currency: "EUR", Tell: func(to chat.Answer, text string, _ time.Time) { told = append(told, said{to, text}) }}
	c.Add(ph, []chat.Channel{here}, c.Log)
	want := func(change func(*ruling.Want)) error {
		w := &ruling.Want{At: time.Now(), Show: 100, Channel: here, Viewer: chat.Viewer{Platform: chat.Twitch, ID: "9", Name: "eve"}}
		w.Rule, w.Name, w.Do, w.Amount, w.For, w.Title, w.Text = 7, "First", rule.DiscountCode, "10%", time.Hour, "first time!", "Yours: "+facts.CodeMark
		change(w)
		return c.discount(t.Context(), Job{ID: 1, Want: w, NotAfter: time.Now().Add(time.Hour), Person: string(w.Viewer.Platform) + ":" + w.Viewer.ID, Hint: "@eve see your page"})
	}
	same := func(*ruling.Want) {}
	store.fail = errors.New("the store is away")
	codes := func() []rulebook.Discount {
		t.Helper()
		all, err := c.Discounts(t.Context(), "twitch:9")
		if err != nil {
			t.Fatal(err)
		}
		return all
	}
	if err := want(same); !errors.Is(err, store.fail) || len(ph.did) != 0 || len(codes()) != 0 {
		t.Fatalf("without the store: %v, %v", err, ph.did)
	}
	store.fail = nil
	if err := want(same); err != nil {
		t.Fatal(err)
	}
	if len(store.made) != 2 || store.made[0].Code != store.made[1].Code || store.made[1].Percent != 10 || !regexp.MustCompile(`^FIRSTTIME[A-Z2-9]{10}$`).MatchString(store.made[1].Code) {
		t.Fatalf("asked for %+v", store.made)
	}
	code := store.made[1].Code
	if len(ph.did) != 1 || ph.did[0].Kind != chat.DirectMessage || ph.did[0].Viewer.ID != "9" || ph.did[0].Text != "Yours: "+code {
		t.Errorf("handed over %+v", ph.did)
	}
	// Again, where no direct message arrives: the same code, and in public only where it is to be seen.
	ph.fail = &chat.Refused{Code: "phone"}
	if err := want(same); err != nil || len(store.made) != 2 {
		t.Fatalf("again: %v, %+v", err, store.made)
	}
	if len(told) != 1 || told[0].to.Kind != chat.ToChannel || told[0].text != "@eve see your page" {
		t.Errorf("told %+v", told)
	}
	if all := codes(); len(all) != 1 || all[0].Code != code || all[0].Trouble != "" {
		t.Errorf("on the page: %+v", all)
	}
	// Where the viewer is answered alone, the code is in the answer.
	if err := want(func(w *ruling.Want) {
		w.Viewer.ID = "10"
		w.Amount, w.Answer = "5.00", chat.Answer{Kind: chat.ToPrivate, Channel: here, Token: "t", Until: time.Now().Add(time.Minute)}
	}); err != nil {
		t.Fatal(err)
	}
	if last := told[len(told)-1]; last.to.Kind != chat.ToPrivate || !strings.HasPrefix(last.text, "Yours: FIRSTTIME") || store.made[2].Amount.Minor != 500 || store.made[2].Percent != 0 {
		t.Errorf("told %+v, asked for %+v", last, store.made[2])
	}
	for _, amount := range []string{"0%", "101%", "x", "%"} {
		if err := want(func(w *ruling.Want) { w.Viewer.ID, w.Amount = amount, amount }); err == nil {
			t.Errorf("%q was taken", amount)
		}
	}
	c.Codes = nil
	if err := want(same); !errors.Is(err, errLacking) {
		t.Errorf("without a store: %v", err)
	}
}
