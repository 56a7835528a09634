package shopify_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"hawker/commerce"
	"hawker/connectors/shopify"
	"hawker/connectors/shopify/shopifysim"
)

// thanks is a code for a tenth off, until in an hour.
func thanks(code string) shopify.DiscountRequest {
	return shopify.DiscountRequest{Code: code, Title: "Thanks for the first order", Percent: 10, Ends: time.Now().Add(time.Hour).Truncate(time.Second)}
}

func TestNewCode(t *testing.T) {
	seen := map[string]bool{}
	for range 2000 {
		c := shopify.NewCode()
		if !regexp.MustCompile(`^[A-HJKMNP-Z2-9]{10}$`).MatchString(c) || seen[c] {
			t.Fatalf("code %q", c)
		}
		seen[c] = true
	}
}

func TestDiscount(t *testing.T) {
	s := open(t, rich())
	c := connect(t, s)
	code := shopify.NewCode()
	in := thanks(code)
	got, err := c.Discount(t.Context(), in)
	if err != nil || got.Code != code || got.Title != in.Title || got.Percent != 10 || got.Amount != (commerce.Money{}) || !got.Ends.Equal(in.Ends) ||
		!got.Active || got.Used != 0 || !got.Starts.Before(time.Now()) {
		t.Fatalf("Discount = %+v, %v", got, err)
	}
	again, err := c.Discount(t.Context(), in) // the same call once more
	if err != nil || again.ID != got.ID || len(s.Discounts()) != 1 {
		t.Errorf("once more: %+v, %v; the store has %d", again, err, len(s.Discounts()))
	}
	amount := shopify.DiscountRequest{Code: shopify.NewCode(), Title: "Raid", Amount: eur(450), Ends: in.Ends}
	five, err := c.Discount(t.Context(), amount)
	if err != nil || five.Amount != eur(450) || five.Percent != 0 {
		t.Fatalf("Discount = %+v, %v", five, err)
	}

	// A cart and an invoice are paid with them, once.
	link, err := c.CartLink([]shopify.DraftLine{{Variant: s.VariantID("MUG-1"), Quantity: 2}}, []commerce.ID{71})
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []int64{3420, 3800} {
		id, err := s.PayCart(shopify.WithCode(link, code))
		if err != nil {
			t.Fatal(err)
		}
		if o, err := c.Order(t.Context(), id); err != nil || o.Total != eur(want) || len(o.Holds) != 1 || o.Lines[0].Price != eur(1900) {
			t.Errorf("payment %d: %+v, %v; want a total of %d", i, o, err, want)
		}
	}
	first := s.Orders()[0].ID // what is paid back of it is what was paid
	if err := s.RefundPart(first, "MUG-1", 1); err != nil {
		t.Fatal(err)
	}
	if o, err := c.Order(t.Context(), first); err != nil || o.Total != eur(1710) {
		t.Errorf("half paid back: %+v, %v", o, err)
	}
	draft := draftOf(s, 72, "MUG-1", 1, 0)
	plain, err := c.Draft(t.Context(), draft)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.PayDraftWith(plain.ID, five.Code); err == nil {
		t.Error("an invoice without codes took one")
	}
	draft.Holds, draft.Codes = []commerce.ID{73}, true
	open, err := c.Draft(t.Context(), draft)
	if err != nil {
		t.Fatal(err)
	}
	id, err := s.PayDraftWith(open.ID, strings.ToLower(five.Code))
	if err != nil {
		t.Fatal(err)
	}
	if o, err := c.Order(t.Context(), id); err != nil || o.Total != eur(1900-450) {
		t.Errorf("order = %+v, %v", o, err)
	}
	if got, err := c.DiscountByCode(t.Context(), five.Code); err != nil || got.Used != 1 || got.ID != five.ID {
		t.Errorf("read back %+v, %v", got, err)
	}
	if _, err := c.DiscountByCode(t.Context(), "NOSUCHCODE"); !errors.Is(err, shopify.ErrNotFound) {
		t.Errorf("a code that is none: %v", err)
	}
}

func TestDisableDiscount(t *testing.T) {
	s := open(t, rich())
	c := connect(t, s)
	d, err := c.Discount(t.Context(), thanks(shopify.NewCode()))
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := c.DisableDiscount(t.Context(), d.ID); err != nil {
			t.Fatal(err)
		}
	}
	if got := s.Discounts()[0]; got.Status != "EXPIRED" {
		t.Errorf("%+v", got)
	}
	if got, err := c.Discount(t.Context(), thanks(d.Code)); err != nil || got.Active {
		t.Errorf("made again: %+v, %v; want the one that ended", got, err)
	}
	if err := c.DisableDiscount(t.Context(), "gid://shopify/DiscountCodeNode/1"); !errors.Is(err, shopify.ErrNotFound) {
		t.Errorf("one that is none: %v", err)
	}
	if err := c.DisableDiscount(t.Context(), "1"); err == nil {
		t.Error("an id that is none was taken")
	}
}

func TestDiscountRefused(t *testing.T) {
	s := open(t, rich())
	c := connect(t, s)
	taken, err := c.Discount(t.Context(), thanks(shopify.NewCode()))
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name   string
		change func(*shopify.DiscountRequest)
		says   string
	}{
		{"no code", func(d *shopify.DiscountRequest) { d.Code = "" }, "8 to 32"},
		{"a code to be guessed", func(d *shopify.DiscountRequest) { d.Code = "TEN" }, "8 to 32"},
		{"a code with blanks", func(d *shopify.DiscountRequest) { d.Code = "TEN PERCENT" }, "8 to 32"},
		{"no title", func(d *shopify.DiscountRequest) { d.Title = " \n" }, "no title"},
		{"a long title", func(d *shopify.DiscountRequest) { d.Title = strings.Repeat("é", 256) }, "255"},
		{"neither", func(d *shopify.DiscountRequest) { d.Percent = 0 }, "either"},
		{"both", func(d *shopify.DiscountRequest) { d.Amount = eur(5) }, "either"},
		{"too much", func(d *shopify.DiscountRequest) { d.Percent = 101 }, "1 to 100"},
		{"less than nothing", func(d *shopify.DiscountRequest) { d.Percent, d.Amount = 0, eur(-5) }, "above zero"},
		{"another currency", func(d *shopify.DiscountRequest) {
			d.Percent, d.Amount = 0, commerce.Money{Minor: 5, Currency: "USD"}
		}, "sells in EUR"},
		{"over already", func(d *shopify.DiscountRequest) { d.Ends = time.Now() }, "ended already"},
		{"a code of another discount", func(d *shopify.DiscountRequest) { d.Code, d.Percent = taken.Code, 20 }, "another discount"},
		{"a code of another rule", func(d *shopify.DiscountRequest) { d.Code, d.Title = taken.Code, "Raid" }, "another discount"},
	} {
		in := thanks(shopify.NewCode())
		tt.change(&in)
		_, err := c.Discount(t.Context(), in)
		var no *shopify.Refused
		if !errors.As(err, &no) || errors.Is(err, shopify.ErrUnsure) || !strings.Contains(err.Error(), tt.says) {
			t.Errorf("%s: %v; want it refused: %s", tt.name, err, tt.says)
		}
	}
	if n := len(s.Discounts()); n != 1 {
		t.Errorf("%d discounts; want one", n)
	}
}

func TestDiscountScope(t *testing.T) {
	o := rich()
	o.Scopes = shopify.Scopes()
	s := open(t, o)
	c := connect(t, s)
	_, err := c.Discount(t.Context(), thanks(shopify.NewCode()))
	if !errors.Is(err, shopify.ErrScope) || errors.Is(err, shopify.ErrUnsure) || !strings.Contains(err.Error(), "write_discounts") {
		t.Errorf("without the scope: %v", err)
	}
	if err := c.DisableDiscount(t.Context(), "gid://shopify/DiscountCodeNode/1"); !errors.Is(err, shopify.ErrScope) {
		t.Errorf("without the scope: %v", err)
	}
	if got, err := c.Check(t.Context()); err != nil || len(got.Missing) != 0 || got.May(shopify.ScopeDiscounts) {
		t.Errorf("Check = %+v, %v; the scope is not asked of everybody", got, err)
	}
	k := shopify.Connect{URL: s.URL(), ClientID: "a", Also: []string{shopify.ScopeDiscounts, "read_orders"}}
	if to, err := k.Start("demo.myshopify.com", "s", "http://hub.test/"); err != nil || !strings.Contains(to, "write_discounts") || strings.Count(to, "read_orders") != 1 {
		t.Errorf("asked for %s, %v", to, err)
	}
	for _, kind := range []string{shopify.NeedDiscount, shopify.NeedStock, shopify.NeedHold, shopify.NeedOrder, shopify.NeedItem} {
		if scope, why := shopify.NeedFor(kind); scope == "" || !strings.Contains(why, scope) {
			t.Errorf("%s needs %q, %q", kind, scope, why)
		}
	}
}

// A lost answer is asked for again; the code exists once, whatever was lost and how often.
func TestDiscountLostAnswer(t *testing.T) {
	for losses, want := range map[int]error{1: nil, 3: nil, 5: shopify.ErrUnsure} {
		t.Run(fmt.Sprint(losses), func(t *testing.T) {
			t.Parallel()
			s := open(t, rich())
			var mu sync.Mutex
			left := losses
			f := front(t, s, func(_ http.ResponseWriter, r *http.Request) bool {
				mu.Lock()
				defer mu.Unlock()
				if strings.Contains(bodyOf(r), "mutation") && left > 0 {
					left--
					s.LoseAnswers(1)
				}
				return false
			})
			c := connect(t, s, func(o *shopify.Options) { o.URL = f.URL })
			in := thanks(shopify.NewCode())
			if _, err := c.Discount(t.Context(), in); !errors.Is(err, want) || want == nil && err != nil {
				t.Errorf("after %d lost answers: %v; want %v", losses, err, want)
			}
			if got, err := c.Discount(t.Context(), in); err != nil || got.Code != in.Code || len(s.Discounts()) != 1 {
				t.Errorf("the same call again: %+v, %v; the store has %d", got, err, len(s.Discounts()))
			}
		})
	}
}

// What the store says decides what is asked next.
func TestDiscountAnswers(t *testing.T) {
	no := func(code, field, message string) string {
		b, _ := json.Marshal(map[string]any{"codeDiscountNode": nil, "userErrors": []any{map[string]any{"code": code, "message": message, "field": []string{"basicCodeDiscount", field}}}})
		return `{"data":{"discountCodeBasicCreate":` + string(b) + `}}`
	}
	refused := func(says string) func(error) bool {
		return func(err error) bool {
			var no *shopify.Refused
			return errors.As(err, &no) && !errors.Is(err, shopify.ErrUnsure) && strings.Contains(err.Error(), says)
		}
	}
	unsure := func(err error) bool { return errors.Is(err, shopify.ErrUnsure) }
	for _, tt := range []struct {
		name   string
		status int
		answer string
		calls  int
		want   func(error) bool
	}{
		{"a blank title", 200, no("BLANK", "title", "x"), 1, refused("the discount's title is missing")},
		{"a long code", 200, no("TOO_LONG", "code", "x"), 1, refused("the discount's code is too long")},
		{"times", 200, no("END_DATE_BEFORE_START_DATE", "endsAt", "x"), 1, refused("end before it begins")},
		{"a value", 200, no("VALUE_OUTSIDE_RANGE", "percentage", "between 0 and 1"), 1, refused("percentage is outside of what the store allows (between 0 and 1)")},
		{"something new", 200, no("NOT_INVENTED_YET", "title", "Nope"), 1, refused("Nope")},
		{"trouble", 200, no("INTERNAL_ERROR", "title", "x"), 5, unsure},
		{"a code that is taken and not there", 200, no("TAKEN", "code", "x"), 1, unsure},
		{"an answer that says nothing", 200, `{"data":{"discountCodeBasicCreate":{"codeDiscountNode":null,"userErrors":[]}}}`, 1, unsure},
		{"no answer", 200, `{"data":{"discountCodeBasicCreate":null}}`, 1, unsure},
		{"a page", 200, `<html>hello</html>`, 5, unsure},
		{"a broken store", 503, `<html>busy</html>`, 5, unsure},
		{"a closed store", 403, `<html>closed</html>`, 1, func(err error) bool { return errors.Is(err, shopify.ErrShop) && !unsure(err) }},
		{
			"a price that is none", 200, `{"data":{"discountCodeBasicCreate":{"codeDiscountNode":{"id":"x","codeDiscount":{"__typename":"DiscountCodeBasic","customerGets":{"value":{"__typename":"DiscountAmount","amount":{"amount":"much","currencyCode":"EUR"}}}}},"userErrors":[]}}}`, 1,
			func(err error) bool { return err != nil && strings.Contains(err.Error(), "amount of discount") },
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := open(t, rich())
			var mu sync.Mutex
			calls := 0
			f := front(t, s, func(w http.ResponseWriter, r *http.Request) bool {
				if !strings.Contains(bodyOf(r), "mutation") {
					return false
				}
				mu.Lock()
				defer mu.Unlock()
				calls++
				w.WriteHeader(tt.status)
				_, _ = io.WriteString(w, tt.answer)
				return true
			})
			c := connect(t, s, func(o *shopify.Options) { o.URL = f.URL })
			_, err := c.Discount(t.Context(), thanks(shopify.NewCode()))
			mu.Lock()
			defer mu.Unlock()
			if !tt.want(err) || calls != tt.calls || strings.ContainsAny(fmt.Sprint(err), "<>") {
				t.Errorf("%v after %d calls; want %d", err, calls, tt.calls)
			}
		})
	}
}

// A store that says "too fast" is asked again when it is time.
func TestDiscountThrottled(t *testing.T) {
	o := rich()
	o.Bucket, o.Restore = 1000, 200
	s := open(t, o)
	c := connect(t, s)
	s.Throttle(-20)
	if _, err := c.Discount(t.Context(), thanks(shopify.NewCode())); err != nil || s.Counts().Throttled == 0 || len(s.Discounts()) != 1 {
		t.Errorf("%v; %+v", err, s.Counts())
	}
	s.BreakWith(1, http.StatusTooManyRequests, "<html>slow down</html>")
	if _, err := c.Discount(t.Context(), thanks(shopify.NewCode())); err != nil || len(s.Discounts()) != 2 {
		t.Errorf("%v; %d discounts", err, len(s.Discounts()))
	}
}

func TestCatalogueHasTags(t *testing.T) {
	o := rich()
	o.Products = []shopifysim.Product{
		{Title: "Mug", Tags: []string{"mug", "best of 2026"}, Variants: []shopifysim.Variant{{SKU: "A", Price: "1.00"}}},
		{Title: "Plain", Variants: []shopifysim.Variant{{SKU: "B", Price: "1.00"}}},
	}
	c := connect(t, open(t, o))
	var ids []string
	all := map[string][]string{}
	err := c.Catalogue(t.Context(), func(ps []commerce.Product) error {
		for _, p := range ps {
			ids = append(ids, p.Store)
			all[p.Title] = p.Tags
		}
		return nil
	})
	if err != nil || len(ids) != 2 || fmt.Sprint(all) != "map[Mug:[mug best of 2026] Plain:[]]" {
		t.Errorf("tags %v of %v, %v", all, ids, err)
	}
}
