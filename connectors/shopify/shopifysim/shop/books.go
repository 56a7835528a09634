package shop

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Stock is what the store has of a variant.
type Stock struct{ Available, Committed, Reserved int64 }

// Draft is a draft order as the store has it. Status is OPEN or COMPLETED.
type Draft struct {
	ID, Name, Status, InvoiceURL string
	Tags                         []string
	Attributes                   []Attribute
	Until                        time.Time
}

// Order is an order as the store has it. Status is paid, partially_paid, partially_refunded or refunded.
type Order struct {
	ID, Name, Status string
	Total            string // decimal
	Cancelled        bool
	Attributes       []Attribute
}

// Stock says what is there of a variant; false when there is no such SKU.
func (s *Shop) Stock(sku string) (Stock, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lapse(time.Now())
	v := s.bySKU(sku)
	if v == nil {
		return Stock{}, false
	}
	return Stock{v.available, v.committed, v.reserved}, true
}

// VariantID is the gid of a variant, empty when there is no such SKU.
func (s *Shop) VariantID(sku string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if v := s.bySKU(sku); v != nil {
		return gid("ProductVariant", v.id)
	}
	return ""
}

// Drafts are all draft orders that were not deleted, oldest first.
func (s *Shop) Drafts() []Draft {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []Draft
	for _, d := range s.drafts {
		out = append(out, Draft{
			ID: gid("DraftOrder", d.id), Name: d.name, Status: d.status, InvoiceURL: s.url + "/invoices/" + d.token, Tags: slices.Clone(d.tags),
			Attributes: slices.Clone(d.attrs), Until: d.until,
		})
	}
	return out
}

// Orders are all orders, oldest first.
func (s *Shop) Orders() []Order {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []Order
	for _, o := range s.orders {
		out = append(out, Order{
			ID: gid("Order", o.id), Name: o.name, Status: o.status, Total: price(o.total()), Cancelled: !o.cancelled.IsZero(),
			Attributes: slices.Clone(o.attrs),
		})
	}
	return out
}

// SetStock makes n pieces available, as a count in the shop does.
func (s *Shop) SetStock(sku string, n int64) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	v := s.bySKU(sku)
	if v == nil {
		return fmt.Errorf("shop: no variant %q", sku)
	}
	v.available = n
	s.tellStock(v)
	return nil
}

// BuyOnline is somebody else who buys n pieces in the shop, and returns the order's name.
func (s *Shop) BuyOnline(sku string, n int) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	v := s.bySKU(sku)
	if v == nil {
		return "", fmt.Errorf("shop: no variant %q", sku)
	}
	o := &order{source: "web", buyer: somebody(), lines: []*line{{v: v, quantity: int64(n), price: v.price}}}
	if err := s.sell(o); err != nil {
		return "", err
	}
	return o.name, nil
}

// PayDraft pays a draft by its gid, as its buyer does on the invoice page, and returns the order's gid.
func (s *Shop) PayDraft(id string) (string, error) { return s.PayDraftWith(id, "") }

// PayDraftWith pays a draft with a discount code that its buyer types in.
func (s *Shop) PayDraftWith(id, code string) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	d := s.draft(id)
	if d == nil || d.status != "OPEN" {
		return "", fmt.Errorf("shop: no open draft %s", id)
	}
	c := &checkout{draft: d, attrs: d.attrs}
	if why := s.enter(c, code); why != "" {
		return "", fmt.Errorf("shop: code %s: %s", code, why)
	}
	o := c.order(somebody())
	if err := s.sell(o); err != nil {
		return "", err
	}
	return gid("Order", o.id), nil
}

// PayCart pays a cart link, as its buyer does on the checkout page, and returns the order's gid. A code in the link that
// does not apply is left out, as the checkout does.
func (s *Shop) PayCart(link string) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c, err := s.cartOf(link)
	if err != nil {
		return "", err
	}
	o := c.order(somebody())
	if err := s.sell(o); err != nil {
		return "", err
	}
	return gid("Order", o.id), nil
}

// Cancel cancels an order by its gid or name and puts its stock back.
func (s *Shop) Cancel(id string) error { return s.end(id, true) }

// Refund pays an order back and puts its stock back.
func (s *Shop) Refund(id string) error { return s.end(id, false) }

// EditOrder brings a variant's pieces in an order, by its gid or name, to n, as the owner does. Pieces added are still to be
// paid for (see PayRest).
func (s *Shop) EditOrder(id, sku string, n int) error { return s.change(id, sku, n, false) }

// RefundPart pays pieces of an order back, so that n are left, and puts them on the shelf.
func (s *Shop) RefundPart(id, sku string, n int) error { return s.change(id, sku, n, true) }

// PayRest pays what an edited order lacks.
func (s *Shop) PayRest(id string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	o := s.order(id)
	if o == nil || o.status != "partially_paid" {
		return fmt.Errorf("shop: order %q has nothing left to pay", id)
	}
	s.pay(o)
	return nil
}

// StripAttributes takes an order's notes out, as the owner may.
func (s *Shop) StripAttributes(id string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	o := s.order(id)
	if o == nil {
		return fmt.Errorf("shop: no order %q", id)
	}
	o.attrs = nil
	o.touch()
	s.o.Tell("ORDERS_UPDATED", s.orderBody(o))
	return nil
}

func (s *Shop) change(id, sku string, n int, refund bool) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	o, v := s.order(id), s.bySKU(sku)
	if o == nil || v == nil {
		return fmt.Errorf("shop: no order %q or no variant %q", id, sku)
	}
	return s.edit(o, v, int64(n), refund)
}

func (s *Shop) end(id string, cancel bool) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	o := s.order(id)
	if o == nil {
		return fmt.Errorf("shop: no order %q", id)
	}
	s.undo(o, cancel)
	return nil
}

// somebody is the buyer that forms are filled in with.
func somebody() Buyer {
	return Buyer{
		First: "Robin", Last: "Example", Email: "robin@example.test", Street: "Sample Street 1", Zip: "10115", City: "Berlin",
		Country: "Germany",
	}
}

// errNoCart is a cart link that names nothing that can be bought.
var errNoCart = errors.New("shop: the cart is empty or names something that is not sold here")

func (s *Shop) cartOf(link string) (*checkout, error) {
	_, rest, ok := strings.Cut(link, "/cart/")
	if !ok {
		return nil, errNoCart
	}
	lines, query, _ := strings.Cut(rest, "?")
	return s.cart(lines, query)
}
