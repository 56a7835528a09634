package codes

import (
	"testing"
	"time"

	"hawker/internal/chat"
	"hawker/internal/seal"
)

// A code binds only the browser whose page showed it, once, within its time, and only after that page was asked.
func TestCodes(t *testing.T) {
	var c Codes
	now := time.Now()
	browser, other := seal.NewToken(), seal.NewToken()
	ana, eve := chat.Viewer{Platform: chat.Twitch, ID: "1", Name: "ana"}, chat.Viewer{Platform: chat.Twitch, ID: "2", Name: "eve"}
	code, err := c.Code(browser, now)
	if err != nil || len(code) != 6 {
		t.Fatalf("code %q, %v", code, err)
	}
	if again, _ := c.Code(browser, now.Add(time.Minute)); again != code {
		t.Errorf("the page shows %q, then %q within its time", code, again)
	}
	if _, ok := c.Waiting(browser, now); ok {
		t.Error("somebody waits before anybody typed")
	}
	if !c.Typed(code, ana, now) || c.Typed(code, eve, now) {
		t.Error("the first to type a code counts, and nobody after")
	}
	if again, _ := c.Code(browser, now); again != code {
		t.Errorf("a new code %q is shown while the page must ask about who typed %q", again, code)
	}
	_, _ = c.Code(other, now.Add(Life+time.Minute)) // forgets what is over
	if _, ok := c.Waiting(browser, now.Add(Life+time.Minute)); !ok {
		t.Error("who typed the code is forgotten before the page's time is over")
	}
	if v, ok := c.Waiting(browser, now); !ok || v != ana {
		t.Errorf("the page asks about %v, %v; want ana", v, ok)
	}
	if _, ok := c.Waiting(other, now); ok {
		t.Error("another browser is asked")
	}
	c.Take(browser)
	if _, ok := c.Waiting(browser, now); ok || c.Typed(code, eve, now) {
		t.Error("a code works twice")
	}
	code, _ = c.Code(browser, now)
	if c.Typed(code, ana, now.Add(Life+time.Second)) {
		t.Error("a code works after its time")
	}
	if next, _ := c.Code(browser, now.Add(Life)); next == code {
		t.Error("an old code is shown again")
	}
}

// Pages that ask for codes in a flood cost each other nothing.
func TestCodesOfACrowd(t *testing.T) {
	var c Codes
	begun, now := time.Now(), time.Now()
	for range 100_000 {
		if _, err := c.Code(seal.NewToken(), now); err != nil {
			t.Fatal(err)
		}
	}
	if took := time.Since(begun); took > 10*time.Second {
		t.Errorf("100,000 codes took %v", took)
	}
	if _, err := c.Code(seal.NewToken(), now.Add(2*Life)); err != nil || len(c.byCode) != 1 || len(c.browser) != 1 {
		t.Errorf("%d codes of %d browsers are kept after their time, %v", len(c.byCode), len(c.browser), err)
	}
}
