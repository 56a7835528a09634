package shopifysim

import "hawker/connectors/shopify/shopifysim/shop"

// What the store sells, and what it has of it.
type (
	// Product is a thing the store sells.
	Product = shop.Product
	// Variant is one kind of a product. Price is a decimal number in the store's currency.
	Variant = shop.Variant
	// Stock is what the store has of a variant.
	Stock = shop.Stock
	// Draft is a draft order as the store has it. Status is OPEN or COMPLETED.
	Draft = shop.Draft
	// Order is an order as the store has it. Status is paid, partially_paid, partially_refunded or refunded.
	Order = shop.Order
	// Discount is a discount code as the store has it. Status is ACTIVE, EXPIRED or SCHEDULED.
	Discount = shop.Discount
	// Attribute is one of an order's own notes.
	Attribute = shop.Attribute
)

// ErrSoldOut means that fewer are available than were to be bought.
var ErrSoldOut = shop.ErrSoldOut

// Ceramics is a small catalogue to show: what a potter would sell live.
func Ceramics() []Product { return shop.Ceramics() }

// URL is the store's address: the Admin API is below /admin, the shop's pages below /.
func (s *Sim) URL() string { return s.shop.URL() }

// SetURL names the address under which shoppers reach the store, when it is not the first listener's.
func (s *Sim) SetURL(url string) {
	s.mu.Lock()
	s.named = true
	s.mu.Unlock()
	s.shop.SetURL(url)
}

// Stock says what is there of a variant; false when there is no such SKU.
func (s *Sim) Stock(sku string) (Stock, bool) { return s.shop.Stock(sku) }

// VariantID is the gid of a variant, empty when there is no such SKU.
func (s *Sim) VariantID(sku string) string { return s.shop.VariantID(sku) }

// Drafts are all draft orders that were not deleted, oldest first.
func (s *Sim) Drafts() []Draft { return s.shop.Drafts() }

// Orders are all orders, oldest first.
func (s *Sim) Orders() []Order { return s.shop.Orders() }

// SetStock makes n pieces available, as a count in the shop does.
func (s *Sim) SetStock(sku string, n int64) error { return s.shop.SetStock(sku, n) }

// BuyOnline is somebody else who buys n pieces in the shop, and returns the order's name.
func (s *Sim) BuyOnline(sku string, n int) (string, error) { return s.shop.BuyOnline(sku, n) }

// PayDraft pays a draft by its gid, as its buyer does on the invoice page, and returns the order's gid.
func (s *Sim) PayDraft(id string) (string, error) { return s.shop.PayDraft(id) }

// PayDraftWith pays a draft with a discount code that its buyer types in.
func (s *Sim) PayDraftWith(id, code string) (string, error) { return s.shop.PayDraftWith(id, code) }

// Discounts are all discount codes, oldest first.
func (s *Sim) Discounts() []Discount { return s.shop.Discounts() }

// PayCart pays a cart link, as its buyer does on the checkout page, and returns the order's gid. A code in the link that
// does not apply is left out, as the checkout does.
func (s *Sim) PayCart(link string) (string, error) { return s.shop.PayCart(link) }

// Cancel cancels an order by its gid or name and puts its stock back.
func (s *Sim) Cancel(id string) error { return s.shop.Cancel(id) }

// EditOrder brings a variant's pieces in an order, by its gid or name, to n, as the owner does. Pieces added are still to be
// paid for (see PayRest).
func (s *Sim) EditOrder(id, sku string, n int) error { return s.shop.EditOrder(id, sku, n) }

// RefundPart pays pieces of an order back, so that n are left, and puts them on the shelf.
func (s *Sim) RefundPart(id, sku string, n int) error { return s.shop.RefundPart(id, sku, n) }

// PayRest pays what an edited order lacks.
func (s *Sim) PayRest(id string) error { return s.shop.PayRest(id) }

// StripAttributes takes an order's notes out, as the owner may.
func (s *Sim) StripAttributes(id string) error { return s.shop.StripAttributes(id) }

// Refund pays an order back and puts its stock back.
func (s *Sim) Refund(id string) error { return s.shop.Refund(id) }
