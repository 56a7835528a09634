package shopify

import (
	"context"
	"fmt"

	"hawker/commerce"
)

type pageInfo struct {
	HasNextPage bool
	EndCursor   string
}

// after is the variable that asks for the page behind this one.
func (p pageInfo) after() any {
	if p.EndCursor == "" {
		return nil
	}
	return p.EndCursor
}

type variantNode struct {
	ID, SKU, Price  string
	SelectedOptions []struct{ Name, Value string }
	InventoryItem   struct{ ID string }
}

type variantPage struct {
	PageInfo pageInfo
	Nodes    []variantNode
}

type productNode struct {
	ID, Title     string
	Tags          []string
	FeaturedMedia *struct {
		Preview *struct{ Image *struct{ URL string } }
	}
	Options  []struct{ Name string }
	Variants variantPage
}

// Catalogue reads all active products, page by page, in the order in which they were made. Products and variants have
// the store's ids (gid) and no ID of ours; prices are in the shop's currency. An error of page ends it.
func (c *Client) Catalogue(ctx context.Context, page func([]commerce.Product) error) error {
	currency, err := c.shopCurrency(ctx)
	if err != nil {
		return err
	}
	var next pageInfo
	for {
		var out struct {
			Products struct {
				PageInfo pageInfo
				Nodes    []productNode
			}
		}
		if _, err := c.do(ctx, opCatalogue, map[string]any{"after": next.after(), "q": "status:active"}, &out); err != nil {
			return err
		}
		products := make([]commerce.Product, 0, len(out.Products.Nodes))
		for _, n := range out.Products.Nodes {
			if err := c.moreVariants(ctx, &n); err != nil {
				return err
			}
			p, err := productOf(n, currency)
			if err != nil {
				return err
			}
			products = append(products, p)
		}
		if len(products) > 0 {
			if err := page(products); err != nil {
				return err
			}
		}
		if next = out.Products.PageInfo; !next.HasNextPage {
			return nil
		}
	}
}

// moreVariants reads what did not fit into a catalogue page.
func (c *Client) moreVariants(ctx context.Context, n *productNode) error {
	for n.Variants.PageInfo.HasNextPage {
		var out struct {
			Product *struct{ Variants variantPage }
		}
		if _, err := c.do(ctx, opVariants, map[string]any{"id": n.ID, "after": n.Variants.PageInfo.after()}, &out); err != nil {
			return err
		}
		if out.Product == nil { // deleted meanwhile
			return nil
		}
		n.Variants.Nodes = append(n.Variants.Nodes, out.Product.Variants.Nodes...)
		n.Variants.PageInfo = out.Product.Variants.PageInfo
	}
	return nil
}

func productOf(n productNode, currency string) (commerce.Product, error) {
	p := commerce.Product{Title: n.Title, Store: n.ID, Tags: n.Tags}
	if m := n.FeaturedMedia; m != nil && m.Preview != nil && m.Preview.Image != nil {
		p.Image = m.Preview.Image.URL
	}
	for _, o := range n.Options {
		p.Options = append(p.Options, o.Name)
	}
	plain := oneVariant(n)
	if plain {
		p.Options = nil
	}
	for _, v := range n.Variants.Nodes {
		price, err := commerce.ParseMoney(v.Price, currency)
		if err != nil {
			return p, fmt.Errorf("price of variant %s: %w", v.ID, err)
		}
		w := commerce.Variant{SKU: v.SKU, Price: price, Store: v.ID, Inventory: v.InventoryItem.ID}
		if !plain {
			w.Options = valuesOf(v, p.Options)
		}
		p.Variants = append(p.Variants, w)
	}
	return p, nil
}

// oneVariant reports whether the product has no options: the store calls its only one Title and the value Default Title.
func oneVariant(n productNode) bool {
	if len(n.Variants.Nodes) != 1 || len(n.Options) != 1 || n.Options[0].Name != "Title" {
		return false
	}
	o := n.Variants.Nodes[0].SelectedOptions
	return len(o) == 1 && o[0].Value == "Default Title"
}

func valuesOf(v variantNode, names []string) []string {
	out := make([]string, len(names))
	for i, name := range names {
		for _, o := range v.SelectedOptions {
			if o.Name == name {
				out[i] = o.Value
			}
		}
	}
	return out
}
