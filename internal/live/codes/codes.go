// Package codes binds browsers to viewers by codes that are shown on a page and typed in a chat.
package codes

import (
	"crypto/rand"
	"fmt"
	"math/big"
	"sync"
	"time"

	"hawker/internal/chat"
	"hawker/internal/seal"
)

// Life is how long a code that binds a browser is good (product rule).
const Life = 2 * time.Minute

// Codes are the codes with which browsers are bound to viewers: shown on a page, typed in the chat ("!connect 482193"),
// confirmed on the page. A code works once. Who copies it from the chat comes too late; who is faster than its owner binds
// nothing either, because the owner's page asks before anything is joined.
type Codes struct {
	mu      sync.Mutex
	byCode  map[string]*binding
	browser map[seal.Token]*binding
	swept   time.Time // when codes that were over were last forgotten
}

// sweepEvery is how often codes that are over are looked for: every page that shows a code would else go through all of them,
// while the merchant's goroutine waits to look one up.
const sweepEvery = time.Second

type binding struct {
	code    string
	browser seal.Token
	ends    time.Time
	viewer  chat.Viewer // who typed it; empty until then
}

// waits reports whether somebody typed the code and the page has still time to be asked.
func (b *binding) waits(now time.Time) bool { return b.viewer.ID != "" && !now.After(b.ends.Add(Life)) }

// Code gives the browser its code, the same one while it is good.
func (c *Codes) Code(browser seal.Token, now time.Time) (string, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.byCode == nil {
		c.byCode, c.browser = map[string]*binding{}, map[seal.Token]*binding{}
	}
	if now.Sub(c.swept) >= sweepEvery {
		c.swept = now
		for k, b := range c.byCode {
			if now.After(b.ends) && !b.waits(now) {
				delete(c.byCode, k)
				delete(c.browser, b.browser)
			}
		}
	}
	if b := c.browser[browser]; b != nil && (b.waits(now) || b.viewer.ID == "" && b.ends.Sub(now) > 20*time.Second) {
		return b.code, nil // who typed it is asked about, and not forgotten for a new code
	}
	for range 20 {
		n, err := rand.Int(rand.Reader, big.NewInt(1_000_000))
		if err != nil {
			return "", err
		}
		code := fmt.Sprintf("%06d", n)
		if _, taken := c.byCode[code]; taken {
			continue
		}
		if old := c.browser[browser]; old != nil {
			delete(c.byCode, old.code)
		}
		b := &binding{code: code, browser: browser, ends: now.Add(Life)}
		c.byCode[code], c.browser[browser] = b, b
		return code, nil
	}
	return "", fmt.Errorf("no code is free; ask again in two minutes")
}

// Typed notes that a viewer typed a code in a chat. The first one counts; false when the code is unknown, used or over.
func (c *Codes) Typed(code string, v chat.Viewer, now time.Time) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	b := c.byCode[code]
	if b == nil || now.After(b.ends) || b.viewer.ID != "" {
		return false
	}
	b.viewer = v
	return true
}

// Waiting is the viewer who typed the browser's code and whom its page asks about; false when nobody did.
func (c *Codes) Waiting(browser seal.Token, now time.Time) (chat.Viewer, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	b := c.browser[browser]
	if b == nil || !b.waits(now) {
		return chat.Viewer{}, false
	}
	return b.viewer, true
}

// Take ends a browser's code, confirmed or refused.
func (c *Codes) Take(browser seal.Token) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if b := c.browser[browser]; b != nil {
		delete(c.byCode, b.code)
		delete(c.browser, browser)
	}
}
