package shopify

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"
	"unicode/utf8"

	"hawker/commerce"
	"hawker/connectors/shopify/admin"
)

const (
	// codeAlphabet has no letters and figures that people take for each other.
	codeAlphabet = "ABCDEFGHJKMNPQRSTUVWXYZ23456789"
	codeLength   = 10 // 49 bits: not to be guessed over a shop's checkout
	maxTitle     = 255
	// earlier is how long ago a code begins: the store's clock may be behind ours.
	earlier = time.Minute
)

// NewCode draws a discount code, 10 letters and figures. Keep it before Discount is called with it: repeating with the same
// code makes no second one.
func NewCode() string {
	b := make([]byte, 0, codeLength)
	var r [1]byte
	for len(b) < codeLength {
		_, _ = rand.Read(r[:]) // never fails
		if n := int(r[0]); n < 256/len(codeAlphabet)*len(codeAlphabet) {
			b = append(b, codeAlphabet[n%len(codeAlphabet)])
		}
	}
	return string(b)
}

// codeShape is what we take for a code of our own: long enough that nobody guesses it.
var codeShape = regexp.MustCompile(`^[A-Z0-9]{8,32}$`)

// DiscountRequest is a code for one viewer. Exactly one of Percent and Amount is set.
type DiscountRequest struct {
	Code string // see NewCode
	// Title names the rule; the merchant sees it among the discounts, the buyer at the checkout. At most 255 characters.
	Title   string
	Percent int            // 1 to 100
	Amount  commerce.Money // off the whole order, in the shop's currency
	Ends    time.Time      // whole seconds; required, since a code that was handed over cannot be taken back unseen
}

// Discount is a code that the store knows. It is for one order and one customer, on all products.
type Discount struct {
	ID, Code, Title string
	Percent         int            // 0 for an amount
	Amount          commerce.Money // zero for a percentage
	Starts, Ends    time.Time      // Ends is zero for a code without an end
	// Active is false before Starts, and once it ended or was disabled. Used is how often it was used; it lags behind.
	Active bool
	Used   int
}

type discountNode struct {
	ID           string
	CodeDiscount struct {
		Typename        string `json:"__typename"`
		Title, Status   string
		StartsAt        time.Time
		EndsAt          *time.Time
		AsyncUsageCount int
		Codes           struct{ Nodes []struct{ Code string } }
		CustomerGets    struct {
			Value struct {
				Typename   string `json:"__typename"`
				Percentage float64
				Amount     moneyNode
			}
		}
	}
}

// Discount makes a code that starts now and can be used once. When the store knows the code already, because an earlier answer
// was lost, it is read back and given as if it had been made now; a code of another kind under the same name is *Refused, and so
// is what the store does not take. ErrScope says that ScopeDiscounts is missing, ErrUnsure that the call should be made again
// with the same code.
func (c *Client) Discount(ctx context.Context, in DiscountRequest) (Discount, error) {
	input, err := c.discountInput(ctx, in)
	if err != nil {
		return Discount{}, err
	}
	for tries := 1; ; tries++ {
		var out struct {
			DiscountCodeBasicCreate struct {
				CodeDiscountNode *discountNode
				UserErrors       []admin.UserError
			}
		}
		_, err := c.do(ctx, opCodeCreate, map[string]any{"d": input}, &out)
		p := out.DiscountCodeBasicCreate
		again := errors.Is(err, ErrUnsure)
		switch {
		case again:
		case err != nil:
			return Discount{}, needDiscounts(err)
		case hasCode(p.UserErrors, "TAKEN"):
			return c.sameDiscount(ctx, in)
		case hasCode(p.UserErrors, "INTERNAL_ERROR"):
			err, again = fmt.Errorf("%w: %w", ErrUnsure, refusedDiscount(p.UserErrors)), true
		case len(p.UserErrors) > 0:
			return Discount{}, refusedDiscount(p.UserErrors)
		case p.CodeDiscountNode == nil:
			return Discount{}, fmt.Errorf("shopify %s: %w", opCodeCreate.Name, ErrUnsure)
		default:
			return p.CodeDiscountNode.discount()
		}
		if tries >= maxTries || ctx.Err() != nil {
			return Discount{}, err
		}
		if late := admin.Sleep(ctx, admin.Backoff(tries)); late != nil {
			return Discount{}, errors.Join(err, late)
		}
	}
}

// discountInput is what is sent. What can be told wrong without the store is told here.
func (c *Client) discountInput(ctx context.Context, in DiscountRequest) (map[string]any, error) {
	var wrong string
	title := strings.Join(strings.Fields(in.Title), " ")
	percent, amount := in.Percent != 0, in.Amount != commerce.Money{}
	now := time.Now()
	switch {
	case !codeShape.MatchString(in.Code):
		wrong = "a code has 8 to 32 capital letters and figures"
	case title == "":
		wrong = "the discount has no title"
	case utf8.RuneCountInString(title) > maxTitle:
		wrong = "the title is longer than 255 characters"
	case percent == amount:
		wrong = "a discount is either a percentage or an amount"
	case percent && (in.Percent < 1 || in.Percent > 100):
		wrong = "a percentage is from 1 to 100"
	case amount && in.Amount.Minor <= 0:
		wrong = "an amount is above zero"
	case !in.Ends.After(now):
		wrong = "the code would have ended already"
	}
	if wrong == "" && amount {
		currency, err := c.shopCurrency(ctx)
		if err != nil {
			return nil, err
		}
		if in.Amount.Currency != currency {
			wrong = "the amount is in " + in.Amount.Currency + ", the shop sells in " + currency
		}
	}
	if wrong != "" {
		return nil, &Refused{Op: opCodeCreate.Name, Problems: []string{wrong}}
	}
	value := map[string]any{"percentage": float64(in.Percent) / 100}
	if amount {
		value = map[string]any{"discountAmount": map[string]any{"amount": in.Amount.Decimal(), "appliesOnEachItem": false}}
	}
	return map[string]any{
		"title": title, "code": in.Code, "startsAt": now.Add(-earlier).UTC().Format(time.RFC3339), "endsAt": in.Ends.UTC().Format(time.RFC3339),
		"usageLimit": 1, "appliesOncePerCustomer": true, "context": map[string]any{"all": "ALL"},
		"customerGets": map[string]any{"value": value, "items": map[string]any{"all": true}},
	}, nil
}

// sameDiscount reads a code that is taken back and makes sure that it is the one asked for.
func (c *Client) sameDiscount(ctx context.Context, in DiscountRequest) (Discount, error) {
	d, err := c.DiscountByCode(ctx, in.Code)
	switch {
	case errors.Is(err, ErrNotFound): // the store's index lags behind, or it was deleted this moment
		return Discount{}, fmt.Errorf("discount code is taken and cannot be read back yet: %w", ErrUnsure)
	case err != nil:
		return Discount{}, err
	case d.Percent != in.Percent || d.Amount != in.Amount || d.Title != strings.Join(strings.Fields(in.Title), " "):
		return Discount{}, &Refused{Op: opCodeCreate.Name, Problems: []string{"the code belongs to another discount of the store"}}
	}
	return d, nil
}

// DiscountByCode reads a code of the store in whatever letters; ErrNotFound when there is none.
func (c *Client) DiscountByCode(ctx context.Context, code string) (Discount, error) {
	var out struct{ CodeDiscountNodeByCode *discountNode }
	if _, err := c.do(ctx, opCode, map[string]any{"code": code}, &out); err != nil {
		return Discount{}, needDiscounts(err)
	}
	if out.CodeDiscountNodeByCode == nil {
		return Discount{}, fmt.Errorf("shopify %s: %w", opCode.Name, ErrNotFound)
	}
	return out.CodeDiscountNodeByCode.discount()
}

func (n discountNode) discount() (Discount, error) {
	in := n.CodeDiscount
	d := Discount{ID: n.ID, Title: in.Title, Starts: in.StartsAt, Active: in.Status == "ACTIVE", Used: in.AsyncUsageCount}
	if in.EndsAt != nil {
		d.Ends = *in.EndsAt
	}
	if len(in.Codes.Nodes) > 0 {
		d.Code = in.Codes.Nodes[0].Code
	}
	switch v := in.CustomerGets.Value; v.Typename {
	case "DiscountPercentage":
		d.Percent = int(min(max(v.Percentage, 0), 1)*100 + 0.5)
	case "DiscountAmount":
		var err error
		if d.Amount, err = v.Amount.money(); err != nil {
			return d, fmt.Errorf("amount of discount %s: %w", n.ID, err)
		}
	}
	return d, nil
}

// DisableDiscount ends a code by its ID; who used it keeps the discount. Ending one that has ended changes nothing. ErrNotFound
// says that the store has none under that id.
func (c *Client) DisableDiscount(ctx context.Context, id string) error {
	if _, err := numberOf(id, "DiscountCodeNode"); err != nil {
		return fmt.Errorf("shopify discount: %w", err)
	}
	var out struct {
		DiscountCodeDeactivate struct {
			CodeDiscountNode *struct{ ID string }
			UserErrors       []admin.UserError
		}
	}
	if _, err := c.do(ctx, opCodeEnd, map[string]any{"id": id}, &out); err != nil {
		return needDiscounts(err)
	}
	p := out.DiscountCodeDeactivate
	switch {
	case hasCode(p.UserErrors, "INVALID"): // of an id there is nothing else to say
		return fmt.Errorf("shopify %s: %w", opCodeEnd.Name, ErrNotFound)
	case len(p.UserErrors) > 0:
		return admin.Refusal(opCodeEnd, p.UserErrors)
	}
	return nil
}

// needDiscounts names the scope where it is missing.
func needDiscounts(err error) error {
	if errors.Is(err, ErrScope) {
		_, why := NeedFor(NeedDiscount)
		return fmt.Errorf("%s: %w", why, err)
	}
	return err
}

func hasCode(errs []admin.UserError, code string) bool {
	for _, e := range errs {
		if e.Code == code {
			return true
		}
	}
	return false
}

// refusedDiscount says in words what the store does not take (page "DiscountErrorCode"); where we have none, its own stand.
func refusedDiscount(errs []admin.UserError) error {
	r := &Refused{Op: opCodeCreate.Name}
	for _, e := range errs {
		field := "the discount"
		if len(e.Field) > 0 {
			field = "the discount's " + e.Field[len(e.Field)-1]
		}
		m := field + ": " + e.Message
		switch e.Code {
		case "BLANK", "MISSING_ARGUMENT":
			m = field + " is missing"
		case "TOO_LONG":
			m = field + " is too long"
		case "TOO_SHORT":
			m = field + " is too short"
		case "END_DATE_BEFORE_START_DATE":
			m = "the code would end before it begins"
		case "VALUE_OUTSIDE_RANGE", "GREATER_THAN", "GREATER_THAN_OR_EQUAL_TO", "LESS_THAN", "LESS_THAN_OR_EQUAL_TO", "EXCEEDED_MAX":
			m = field + " is outside of what the store allows (" + e.Message + ")"
		case "INTERNAL_ERROR":
			m = "the store has trouble making discounts"
		}
		r.Problems = append(r.Problems, m)
	}
	return r
}
