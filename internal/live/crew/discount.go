package crew

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"hawker/commerce"
	"hawker/internal/chat"
	"hawker/internal/live/shop"
	"hawker/internal/sqldb/rulebook"
	"hawker/rules/facts"
)

// codeFor is how long a code is good where the rule does not say.
const codeFor = 7 * 24 * time.Hour

// discount makes a code for a viewer and hands it over where nobody else sees it. A person gets one by a rule, ever: the rule
// fired again, the same code is handed over again while it is good.
func (c *Crew) discount(ctx context.Context, j Job) error {
	w := j.Want
	if c.Codes == nil {
		return errLacking
	}
	if w.Viewer.ID == "" || j.Person == "" {
		return errors.New("nobody is there who could get a code")
	}
	lasts := w.For
	if lasts == 0 {
		lasts = codeFor
	}
	d, _, err := c.Book.TakeDiscount(ctx, c.Merchant, rulebook.Discount{
		Rule: w.Rule, Person: j.Person, Code: newCode(w.Title), Show: w.Show, Made: w.At, Ends: w.At.Add(lasts).Truncate(time.Second),
	})
	if err != nil {
		return err
	}
	if !d.Ends.IsZero() && time.Now().After(d.Ends) {
		return errors.New("the person had a code by this rule, and its time is over")
	}
	if !d.Ready {
		want, err := discountOf(w.Amount, w.Name, c.Currency, d)
		if err == nil {
			err = c.Codes.Discount(ctx, want)
		}
		why := ""
		if err != nil {
			why = err.Error()
		}
		if err := errors.Join(err, c.Book.EndDiscount(context.WithoutCancel(ctx), c.Merchant, d, why)); err != nil {
			return err
		}
	}
	c.has(j.Person)
	c.handOver(ctx, j, strings.ReplaceAll(w.Text, facts.CodeMark, d.Code))
	return nil
}

// has notes that a person has a code.
func (c *Crew) has(person string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.persons != nil {
		c.persons[person] = true
	}
}

// Discounts are the codes of a person that are good still, the newest first. Pages ask for everybody who looks, so for who has
// none it asks the database nothing.
func (c *Crew) Discounts(ctx context.Context, person string) ([]rulebook.Discount, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.persons == nil {
		all, err := c.Book.Discounted(ctx, c.Merchant)
		if err != nil {
			return nil, err
		}
		c.persons = map[string]bool{}
		for _, p := range all {
			c.persons[p] = true
		}
	}
	if !c.persons[person] {
		return nil, nil
	}
	return c.Book.Discounts(ctx, c.Merchant, person)
}

// handOver tells the viewer of a code in private, else that it is on the viewer's page.
func (c *Crew) handOver(ctx context.Context, j Job, text string) {
	w := j.Want
	if w.Answer.Kind == chat.ToPrivate && time.Now().Before(w.Answer.Until) {
		c.Tell(w.Answer, text, j.NotAfter)
		return
	}
	if a := c.accountOf(w.Channel); a != nil && a.doer != nil {
		err := a.doer.Do(ctx, chat.Deed{Kind: chat.DirectMessage, Channel: w.Channel, Viewer: w.Viewer, Text: text})
		var no *chat.Refused
		if err == nil || errors.As(err, &no) && no.Unknown {
			return
		}
	}
	if j.Hint != "" && w.Channel.ID != "" {
		c.Tell(chat.Answer{Kind: chat.ToChannel, Channel: w.Channel}, j.Hint, j.NotAfter)
	}
}

// discountOf is what the store is asked for.
func discountOf(amount, title, currency string, d rulebook.Discount) (shop.Discount, error) {
	out := shop.Discount{Code: d.Code, Title: title, Ends: d.Ends}
	if p, ok := strings.CutSuffix(strings.TrimSpace(amount), "%"); ok {
		n, err := strconv.Atoi(strings.TrimSpace(p))
		if err != nil || n < 1 || n > 100 {
			return out, fmt.Errorf("%q is no discount", amount)
		}
		out.Percent = n
		return out, nil
	}
	m, err := commerce.ParseMoney(strings.TrimSpace(amount), currency)
	if err != nil {
		return out, fmt.Errorf("%q is no discount: %w", amount, err)
	}
	out.Amount = m
	return out, nil
}

// codeLetters has no letters and figures that people take for each other, codeLength of them are 49 bits: nobody guesses a code
// at a checkout.
const (
	codeLetters = "ABCDEFGHJKMNPQRSTUVWXYZ23456789"
	codeLength  = 10
	prefixMost  = 12
)

// newCode draws a code behind a beginning that the rule names.
func newCode(prefix string) string {
	b := []byte(strings.Map(func(r rune) rune {
		if r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, strings.ToUpper(prefix)))
	b = b[:min(len(b), prefixMost)]
	most := len(b) + codeLength
	var r [1]byte
	for len(b) < most {
		_, _ = rand.Read(r[:]) // never fails (crypto/rand)
		if n := int(r[0]); n < 256/len(codeLetters)*len(codeLetters) {
			b = append(b, codeLetters[n%len(codeLetters)])
		}
	}
	return string(b)
}
