package shopify

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"hawker/commerce"
	"hawker/connectors/shopify/admin"
)

// Tag marks every draft of ours; TagOf(hold) says which hold it is for.
const Tag = "hawker"

// TagOf is the tag of a hold's draft.
func TagOf(hold commerce.ID) string { return Tag + "-" + hold.String() }

// maxTries is how often one draft is looked for, or asked whether it is ready.
const maxTries = 5

// DraftInput is what a draft order sets aside, and for whom.
type DraftInput struct {
	Holds []commerce.ID // at least one
	Lines []DraftLine
	// ReserveUntil is when the store gives the stock back by itself; whole seconds. Zero sets nothing aside.
	ReserveUntil time.Time
	// Attributes are further attributes of the order; AttributeHold is ours.
	Attributes map[string]string
	// Codes lets the buyer type a discount code on the invoice's page, as on a cart's; see Client.Discount.
	Codes bool
	// Again looks for such a draft before making one: set it when an earlier attempt may have worked.
	Again bool
}

// DraftLine is one line of a draft. Price, when Minor > 0, replaces the variant's own.
type DraftLine struct {
	Variant  string // gid
	Quantity int
	Price    commerce.Money
}

// Draft is a draft order. Its invoice is the page where the buyer pays.
type Draft struct {
	ID, Name   string
	InvoiceURL string
	// Open is false once it was paid; Order is then the order's gid.
	Open    bool
	Order   string
	Holds   []commerce.ID
	Total   commerce.Money
	Until   time.Time // zero when nothing is set aside
	Created time.Time // the store's clock
	// Warnings are the store's doubts, for example that less is there than was asked for.
	Warnings []string
}

type attribute struct{ Key, Value string }

type draftNode struct {
	ID, Name, Status, InvoiceURL string
	Ready                        bool
	ReserveInventoryUntil        *time.Time
	CreatedAt                    time.Time
	Tags                         []string
	CustomAttributes             []attribute
	Order                        *struct{ ID string }
	TotalPriceSet                struct{ PresentmentMoney moneyNode }
	Warnings                     []struct{ ErrorCode, Field, Message string }
}

type moneyNode struct{ Amount, CurrencyCode string }

func (m moneyNode) money() (commerce.Money, error) {
	return commerce.ParseMoney(m.Amount, m.CurrencyCode)
}

// Draft makes a draft order that sets its lines aside until in.ReserveUntil. When an answer is lost it looks for the draft
// before it tries again, so that one call never makes two; an error that is ErrUnsure says that even this failed, and the
// next call should say Again. A draft is never changed afterwards: that would unlink a checkout that is open.
func (c *Client) Draft(ctx context.Context, in DraftInput) (Draft, error) {
	input, err := draftInput(in)
	if err != nil {
		return Draft{}, err
	}
	look := in.Again
	for tries := 1; ; tries++ {
		if look {
			if d, ok, err := c.findDraft(ctx, in); err != nil {
				return Draft{}, errors.Join(err, ErrUnsure)
			} else if ok {
				return c.ready(ctx, d)
			}
		}
		var out struct {
			DraftOrderCreate struct {
				DraftOrder *draftNode
				UserErrors []admin.UserError
			}
		}
		_, err := c.do(ctx, opHoldCreate, map[string]any{"in": input}, &out)
		switch {
		case errors.Is(err, ErrUnsure) && tries < maxTries && ctx.Err() == nil:
			look = true
			if err := admin.Sleep(ctx, admin.Backoff(tries)); err != nil {
				return Draft{}, errors.Join(err, ErrUnsure)
			}
			continue
		case err != nil:
			return Draft{}, err
		}
		if err := admin.Refusal(opHoldCreate, out.DraftOrderCreate.UserErrors); err != nil {
			return Draft{}, err
		}
		if out.DraftOrderCreate.DraftOrder == nil {
			return Draft{}, fmt.Errorf("shopify %s: %w", opHoldCreate.Name, ErrUnsure)
		}
		return c.ready(ctx, *out.DraftOrderCreate.DraftOrder)
	}
}

func draftInput(in DraftInput) (map[string]any, error) {
	if len(in.Holds) == 0 || len(in.Lines) == 0 {
		return nil, errors.New("shopify draft: no hold or no line")
	}
	var lines []map[string]any
	for _, l := range in.Lines {
		if _, err := numberOf(l.Variant, "ProductVariant"); err != nil {
			return nil, fmt.Errorf("shopify draft: %w", err)
		}
		if l.Quantity < 1 {
			return nil, fmt.Errorf("shopify draft: %d pieces of %s", l.Quantity, l.Variant)
		}
		line := map[string]any{"variantId": l.Variant, "quantity": l.Quantity}
		if l.Price.Minor > 0 {
			line["priceOverride"] = map[string]any{"amount": l.Price.Decimal(), "currencyCode": l.Price.Currency}
		}
		lines = append(lines, line)
	}
	attrs := []map[string]any{{"key": AttributeHold, "value": joinHolds(in.Holds)}}
	for _, k := range slices.Sorted(maps.Keys(in.Attributes)) {
		if k != AttributeHold {
			attrs = append(attrs, map[string]any{"key": k, "value": in.Attributes[k]})
		}
	}
	input := map[string]any{"lineItems": lines, "tags": tagsOf(in.Holds), "customAttributes": attrs}
	if in.Codes {
		input["allowDiscountCodesInCheckout"] = true
	}
	if !in.ReserveUntil.IsZero() {
		input["reserveInventoryUntil"] = in.ReserveUntil.UTC().Format(time.RFC3339)
	}
	return input, nil
}

func tagsOf(holds []commerce.ID) []string {
	tags := []string{Tag}
	for _, h := range holds {
		tags = append(tags, TagOf(h))
	}
	return tags
}

// findDraft looks for an open draft that Draft made for the same holds and the same time. Another time is another draft:
// extending a hold makes a new one.
func (c *Client) findDraft(ctx context.Context, in DraftInput) (draft draftNode, ok bool, err error) {
	if len(in.Holds) == 0 {
		return draftNode{}, false, errors.New("shopify draft: no hold")
	}
	var out struct{ Tagged, Newest struct{ Nodes []draftNode } }
	if _, err := c.do(ctx, opHoldFind, map[string]any{"q": "status:open tag:" + TagOf(in.Holds[0])}, &out); err != nil {
		return draftNode{}, false, err
	}
	until := in.ReserveUntil.Truncate(time.Second)
	for _, n := range append(out.Tagged.Nodes, out.Newest.Nodes...) {
		same := in.ReserveUntil.IsZero() == (n.ReserveInventoryUntil == nil)
		if n.ReserveInventoryUntil != nil {
			same = same && n.ReserveInventoryUntil.Equal(until)
		}
		for _, t := range tagsOf(in.Holds) {
			same = same && slices.Contains(n.Tags, t)
		}
		for _, t := range n.Tags { // a draft of these holds and of others is another one
			same = same && (!strings.HasPrefix(t, Tag+"-") || slices.Contains(tagsOf(in.Holds), t))
		}
		if same && n.Status != "COMPLETED" {
			return n, true, nil
		}
	}
	return draftNode{}, false, nil
}

// ready waits until the store has worked a new draft out, so that it has a page to pay at.
func (c *Client) ready(ctx context.Context, n draftNode) (Draft, error) {
	for tries := 1; !n.Ready || n.InvoiceURL == ""; tries++ {
		if tries > maxTries {
			return Draft{}, fmt.Errorf("shopify draft %s: not ready: %w", n.Name, ErrUnsure)
		}
		if err := admin.Sleep(ctx, admin.Backoff(tries)); err != nil {
			return Draft{}, errors.Join(err, ErrUnsure)
		}
		var out struct{ DraftOrder *draftNode }
		if _, err := c.do(ctx, opHold, map[string]any{"id": n.ID}, &out); err != nil {
			return Draft{}, errors.Join(err, ErrUnsure)
		}
		if out.DraftOrder == nil {
			return Draft{}, fmt.Errorf("shopify draft %s: %w", n.ID, ErrNotFound)
		}
		n = *out.DraftOrder
	}
	return n.draft()
}

func (n draftNode) draft() (Draft, error) {
	d := Draft{
		ID: n.ID, Name: n.Name, InvoiceURL: n.InvoiceURL, Open: n.Status != "COMPLETED", Created: n.CreatedAt,
		Holds: holdsIn(n.CustomAttributes),
	}
	if n.Order != nil {
		d.Order = n.Order.ID
	}
	if n.ReserveInventoryUntil != nil {
		d.Until = *n.ReserveInventoryUntil
	}
	for _, w := range n.Warnings {
		d.Warnings = append(d.Warnings, strings.TrimPrefix(w.Field+": "+w.Message, ": "))
	}
	var err error
	if d.Total, err = n.TotalPriceSet.PresentmentMoney.money(); err != nil {
		return d, fmt.Errorf("total of draft %s: %w", n.ID, err)
	}
	return d, nil
}

// DraftByID reads one draft; ErrNotFound when it is gone.
func (c *Client) DraftByID(ctx context.Context, id string) (Draft, error) {
	var out struct{ DraftOrder *draftNode }
	if _, err := c.do(ctx, opHold, map[string]any{"id": id}, &out); err != nil {
		return Draft{}, err
	}
	if out.DraftOrder == nil {
		return Draft{}, fmt.Errorf("shopify draft %s: %w", id, ErrNotFound)
	}
	return out.DraftOrder.draft()
}

// ReleaseDraft deletes a draft, which gives its stock back. A draft that is gone already is no error; one that was paid is
// *Refused and stays.
func (c *Client) ReleaseDraft(ctx context.Context, id string) error {
	var out struct {
		DraftOrderDelete struct {
			DeletedID  *string
			UserErrors []admin.UserError
		}
	}
	if _, err := c.do(ctx, opHoldRelease, map[string]any{"in": map[string]any{"id": id}}, &out); err != nil {
		return err
	}
	no := admin.Refusal(opHoldRelease, out.DraftOrderDelete.UserErrors)
	if no == nil {
		return nil
	}
	if _, err := c.DraftByID(ctx, id); errors.Is(err, ErrNotFound) {
		return nil
	}
	return no
}

// OpenDrafts reads all drafts of ours that nobody has paid, also those whose time is over.
func (c *Client) OpenDrafts(ctx context.Context) ([]Draft, error) {
	var all []Draft
	var next pageInfo
	for {
		var out struct {
			DraftOrders struct {
				PageInfo pageInfo
				Nodes    []draftNode
			}
		}
		if _, err := c.do(ctx, opHoldsOpen, map[string]any{"after": next.after()}, &out); err != nil {
			return nil, err
		}
		for _, n := range out.DraftOrders.Nodes {
			d, err := n.draft()
			if err != nil {
				return nil, err
			}
			all = append(all, d)
		}
		if next = out.DraftOrders.PageInfo; !next.HasNextPage {
			return all, nil
		}
	}
}
