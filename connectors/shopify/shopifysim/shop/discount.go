package shop

import (
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"hawker/connectors/shopify/shopifysim/graph"
)

// discount is a code that takes something off a whole order.
type discount struct {
	id          int64
	code, title string
	percentage  float64 // 0 to 1; 0 for an amount
	amount      int64
	starts      time.Time
	ends        time.Time // zero for never
	limit       int       // 0 for none
	used        int
	once        bool            // per customer
	by          map[string]bool // customers who used it, by e-mail
}

// Discount is a discount code as the store has it. Status is ACTIVE, EXPIRED or SCHEDULED.
type Discount struct {
	ID, Code, Title, Status string
	Percentage              float64
	Amount                  string // decimal, empty for a percentage
	Ends                    time.Time
	Used                    int
}

// Discounts are all discount codes, oldest first.
func (s *Shop) Discounts() []Discount {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []Discount
	for _, d := range s.discounts {
		o := Discount{
			ID: gid("DiscountCodeNode", d.id), Code: d.code, Title: d.title, Status: d.status(time.Now()), Percentage: d.percentage,
			Ends: d.ends, Used: d.used,
		}
		if d.percentage == 0 {
			o.Amount = price(d.amount)
		}
		out = append(out, o)
	}
	return out
}

func (d *discount) status(now time.Time) string {
	switch {
	case now.Before(d.starts):
		return "SCHEDULED"
	case !d.ends.IsZero() && !now.Before(d.ends):
		return "EXPIRED"
	}
	return "ACTIVE"
}

// discount finds a code, in whatever letters it is typed.
func (s *Shop) discount(code string) *discount {
	i := slices.IndexFunc(s.discounts, func(d *discount) bool { return strings.EqualFold(d.code, strings.TrimSpace(code)) })
	if i < 0 {
		return nil
	}
	return s.discounts[i]
}

// notApplied says why a code was refused when an order was to be paid with it.
type notApplied struct{ why string }

func (e *notApplied) Error() string { return "shop: " + e.why }

// worth is what a code takes off a total, or why it does not apply. Who pays may not be known yet. Call with mu held.
func (s *Shop) worth(code string, total int64, email string) (off int64, why string) {
	d := s.discount(code)
	switch {
	case d == nil:
		return 0, "Enter a valid discount code."
	case d.status(time.Now()) == "SCHEDULED":
		return 0, "This discount code cannot be used yet."
	case d.status(time.Now()) == "EXPIRED":
		return 0, "This discount code has ended."
	case d.limit > 0 && d.used >= d.limit:
		return 0, "This discount code was used already."
	case d.once && email != "" && d.by[strings.ToLower(email)]:
		return 0, "You have used this discount code already."
	case d.percentage > 0:
		return int64(float64(total)*d.percentage + 0.5), ""
	}
	return min(d.amount, total), ""
}

// enter types a code into a checkout and says why it does not apply; an empty one takes it out. Call with mu held.
func (s *Shop) enter(c *checkout, code string) (why string) {
	code = strings.TrimSpace(code)
	c.code = ""
	switch {
	case code == "":
		return ""
	case c.draft != nil && !c.draft.codes:
		return "Discount codes cannot be used here."
	}
	lines := c.lines
	if c.draft != nil {
		lines = c.draft.lines
	}
	if _, why = s.worth(code, sum(lines), ""); why == "" {
		c.code = s.discount(code).code
	}
	return why
}

func sum(lines []*line) (total int64) {
	for _, l := range lines {
		total += l.price * l.quantity
	}
	return total
}

// redeem uses an order's code up and says what it takes off each line. Call with mu held.
func (s *Shop) redeem(o *order) (each []int64, err error) {
	if o.code == "" {
		return nil, nil
	}
	total := sum(o.lines)
	off, why := s.worth(o.code, total, o.buyer.Email)
	if why != "" {
		return nil, &notApplied{why}
	}
	d := s.discount(o.code)
	d.used++
	d.by[strings.ToLower(o.buyer.Email)] = true
	rest := off
	for i, l := range o.lines {
		part := rest
		if i < len(o.lines)-1 {
			part = off * (l.price * l.quantity) / max(1, total)
		}
		rest -= part
		each = append(each, part)
	}
	return each, nil
}

func (o *order) off() (off int64) {
	for _, l := range o.lines {
		off += l.off
	}
	return off
}

func (o *order) codes() []string {
	if o.code == "" {
		return []string{}
	}
	return []string{o.code}
}

// codesOf is discount_codes of the REST Admin API's Order.
func (s *Shop) codesOf(o *order) []map[string]any {
	d := s.discount(o.code)
	if o.code == "" || d == nil {
		return []map[string]any{}
	}
	kind := "fixed_amount"
	if d.percentage > 0 {
		kind = "percentage"
	}
	return []map[string]any{{"code": o.code, "amount": price(o.off()), "type": kind}}
}

func allocations(l *line) []map[string]any {
	if l.off == 0 {
		return []map[string]any{}
	}
	return []map[string]any{{"amount": price(l.off), "discount_application_index": 0}}
}

// makeDiscount is discountCodeBasicCreate, for codes on the whole order. Call with mu held.
func (s *Shop) makeDiscount(in graph.Args) any {
	var bad []graph.Obj
	wrong := func(code, message string, field ...string) {
		p := problem(message, append([]string{"basicCodeDiscount"}, field...)...)
		p["code"], p["extraInfo"] = code, nil
		bad = append(bad, p)
	}
	d := &discount{
		code: strings.TrimSpace(in.Str("code")), title: strings.TrimSpace(in.Str("title")), limit: in.Num("usageLimit"),
		once: in.Is("appliesOncePerCustomer"), by: map[string]bool{},
	}
	var err error
	switch n := utf8.RuneCountInString(d.title); {
	case n == 0:
		wrong("BLANK", "Title can't be blank", "title")
	case n > 255:
		wrong("TOO_LONG", "Title is too long (maximum is 255 characters)", "title")
	}
	switch n := utf8.RuneCountInString(d.code); {
	case n == 0:
		wrong("BLANK", "Code can't be blank", "code")
	case n > 255:
		wrong("TOO_LONG", "Code is too long (maximum is 255 characters)", "code")
	case s.discount(d.code) != nil:
		wrong("TAKEN", "Code must be unique. Please try a different code.", "code")
	}
	if d.starts, err = time.Parse(time.RFC3339, in.Str("startsAt")); err != nil {
		wrong("BLANK", "Starts at can't be blank", "startsAt")
	}
	if t := in.Str("endsAt"); t != "" {
		if d.ends, err = time.Parse(time.RFC3339, t); err != nil {
			wrong("INVALID", "Ends at is invalid", "endsAt")
		} else if !d.ends.After(d.starts) {
			wrong("END_DATE_BEFORE_START_DATE", "Ends at needs to be after starts_at", "endsAt")
		}
	}
	if in["usageLimit"] != nil && d.limit < 1 {
		wrong("GREATER_THAN", "Usage limit must be greater than 0", "usageLimit")
	}
	if in.Sub("context").Str("all") == "" {
		wrong("MISSING_ARGUMENT", "Context must be specified", "context")
	}
	s.value(d, in.Sub("customerGets"), wrong)
	if len(bad) > 0 {
		return graph.Obj{"codeDiscountNode": nil, "userErrors": bad}
	}
	d.id = 14_000_000_000 + s.next()
	s.discounts = append(s.discounts, d)
	return graph.Obj{"codeDiscountNode": s.discountObj(d), "userErrors": []graph.Obj{}}
}

// value reads what a discount takes off.
func (s *Shop) value(d *discount, gets graph.Args, wrong func(code, message string, field ...string)) {
	if !gets.Sub("items").Is("all") {
		wrong("MISSING_ARGUMENT", "Items in 'customer get' can't be blank", "customerGets", "items")
	}
	v := gets.Sub("value")
	percentage, isPercentage := v.Float("percentage")
	amount := v.Sub("discountAmount")
	switch {
	case isPercentage && amount != nil:
		wrong("TOO_MANY_ARGUMENTS", "Only one of percentage and discountAmount can be specified", "customerGets", "value")
	case isPercentage && (percentage <= 0 || percentage > 1):
		wrong("VALUE_OUTSIDE_RANGE", "Value must be between 0.0 and 1.0", "customerGets", "value", "percentage")
	case isPercentage:
		d.percentage = percentage
	case amount == nil:
		wrong("MISSING_ARGUMENT", "Value must be specified", "customerGets", "value")
	default:
		if d.amount = minor(amountOf(amount)); d.amount <= 0 {
			wrong("GREATER_THAN", "Value must be greater than 0", "customerGets", "value", "discountAmount", "amount")
		}
	}
}

// amountOf is a Decimal, which may be sent as text or as a number.
func amountOf(a graph.Args) string {
	if t := a.Str("amount"); t != "" {
		return t
	}
	if f, ok := a.Float("amount"); ok {
		return fmt.Sprintf("%.2f", f)
	}
	return ""
}

// endDiscount is discountCodeDeactivate. Call with mu held.
func (s *Shop) endDiscount(id string) any {
	i := slices.IndexFunc(s.discounts, func(d *discount) bool { return gid("DiscountCodeNode", d.id) == id })
	if i < 0 {
		p := problem("Discount does not exist", "id")
		p["code"], p["extraInfo"] = "INVALID", nil
		return graph.Obj{"codeDiscountNode": nil, "userErrors": []graph.Obj{p}}
	}
	d := s.discounts[i]
	if now := time.Now(); d.status(now) != "EXPIRED" {
		d.ends = now.UTC()
	}
	return graph.Obj{"codeDiscountNode": s.discountObj(d), "userErrors": []graph.Obj{}}
}

func (s *Shop) discountObj(d *discount) graph.Obj {
	if d == nil {
		return nil
	}
	var ends, limit any
	if !d.ends.IsZero() {
		ends = d.ends.UTC().Format(time.RFC3339)
	}
	if d.limit > 0 {
		limit = d.limit
	}
	value := graph.Obj{"__typename": "DiscountPercentage", "percentage": d.percentage}
	if d.percentage == 0 {
		value = graph.Obj{
			"__typename": "DiscountAmount", "appliesOnEachItem": false,
			"amount": graph.Obj{"amount": decimal(d.amount), "currencyCode": s.o.Currency},
		}
	}
	return graph.Obj{
		"__typename": "DiscountCodeNode", "id": gid("DiscountCodeNode", d.id), "codeDiscount": graph.Obj{
			"__typename": "DiscountCodeBasic", "title": d.title, "status": d.status(time.Now()), "startsAt": d.starts.UTC().Format(time.RFC3339),
			"endsAt": ends, "usageLimit": limit, "asyncUsageCount": d.used, "appliesOncePerCustomer": d.once,
			"codes": func(a graph.Args) any {
				return graph.Connection([]graph.Obj{{
					"id": gid("DiscountRedeemCode", d.id), "code": d.code, "asyncUsageCount": d.used,
				}}, a)
			},
			"customerGets": graph.Obj{"value": value},
		},
	}
}
