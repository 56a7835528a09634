package desk

import (
	"net/http"
	"strconv"
	"strings"

	"hawker/commerce"
	"hawker/internal/sqldb"
	"hawker/web/ui"
)

// storePage is the store and what it sells.
type storePage struct {
	Kind, Shop, Holds   string // Kind is empty when nothing is connected
	Connect             connectButton
	CanRead             bool
	Products            []productRow
	Currency            string
	Title, Price, Stock string // of the product form, as typed
	Wrong               map[string]string
}

type productRow struct {
	Title, Image, Price, Kind string
	Variants                  int
}

func (d *Desk) store(w http.ResponseWriter, r *http.Request, v *Visitor) error {
	p, err := d.storePage(r, v)
	if err != nil {
		return err
	}
	return d.render(w, r, v, "store", "Store", ui.Frame{}, p)
}

func (d *Desk) storePage(r *http.Request, v *Visitor) (*storePage, error) {
	p := &storePage{Currency: v.Merchant.Currency, CanRead: d.Catalogue != nil}
	p.Connect = connectButton{Name: "shopify", Needs: "This installation has no login for Shopify."}
	if c, ok := d.Connects["shopify"]; ok {
		p.Connect.Needs = c.Needs
	}
	s, err := d.DB.Store(r.Context(), v.Merchant.ID)
	if err != nil && !sqldb.IsNotFound(err) {
		return nil, err
	}
	p.Kind, p.Shop, p.Holds = s.Kind, s.Shop, string(s.Holds)
	products, err := d.DB.Products(r.Context(), v.Merchant.ID)
	for i := range products {
		x := &products[i]
		row := productRow{Title: x.Title, Image: x.Image, Kind: "own", Variants: len(x.Variants)}
		if x.Store != "" {
			row.Kind = "store"
		}
		if len(x.Variants) > 0 {
			row.Price = x.Variants[0].Price.String()
		}
		p.Products = append(p.Products, row)
	}
	return p, err
}

// addProduct writes a product of the merchant's own, without a store behind it.
func (d *Desk) addProduct(w http.ResponseWriter, r *http.Request, v *Visitor) error {
	p, err := d.storePage(r, v)
	if err != nil {
		return err
	}
	typed := func(name string) string { return strings.TrimSpace(r.PostFormValue(name)) }
	p.Title, p.Price, p.Stock = typed("title"), typed("price"), typed("stock")
	p.Wrong = map[string]string{}
	if p.Title == "" || len([]rune(p.Title)) > 120 {
		p.Wrong["title"] = "A product needs a name of at most 120 letters."
	}
	price, err := commerce.ParseMoney(strings.ReplaceAll(p.Price, ",", "."), v.Merchant.Currency)
	if err != nil || price.Minor <= 0 {
		p.Wrong["price"] = "An amount such as 19.90."
	}
	n, err := strconv.ParseInt(p.Stock, 10, 32)
	if err != nil || n < 0 || n > 1_000_000 {
		p.Wrong["stock"] = "How many pieces there are, as a number."
	}
	if len(p.Wrong) > 0 {
		return d.render(w, r, v, "store", "Store", ui.Frame{Status: http.StatusUnprocessableEntity}, p)
	}
	made, err := d.DB.PutProducts(r.Context(), v.Merchant.ID, []commerce.Product{{Title: p.Title, Variants: []commerce.Variant{{Price: price}}}})
	if err != nil {
		return err
	}
	if p.Kind == "" {
		if err := d.DB.PutStore(r.Context(), v.Merchant.ID, sqldb.Store{Kind: "own", Holds: commerce.HoldsDraft}); err != nil {
			return err
		}
	}
	if _, err := d.Hub.Ask(r.Context(), v.Merchant.ID, commerce.Key{}, commerce.SetStock{Variant: made[0].Variants[0].ID, Available: &n}); err != nil {
		return err
	}
	http.Redirect(w, r, "/store?said=added", http.StatusSeeOther)
	return nil
}

// readCatalogue reads the store's products again.
func (d *Desk) readCatalogue(w http.ResponseWriter, r *http.Request, v *Visitor) error {
	if d.Catalogue == nil {
		return ui.Problem(http.StatusConflict, "Products are not read from a store here.")
	}
	n, err := d.Catalogue(r.Context(), v.Merchant.ID)
	if err != nil {
		d.Log.WarnContext(r.Context(), "catalogue not read", "merchant", v.Merchant.Slug, "err", err)
		return ui.Problem(http.StatusBadGateway, "The store did not give its products. Try again; if it stays so, connect the store anew.")
	}
	p, err := d.storePage(r, v)
	if err != nil {
		return err
	}
	return d.render(w, r, v, "store", "Store", ui.Frame{Notice: strconv.Itoa(n) + " products were read from the store."}, p)
}

// dropStore forgets the store and what opens it. Products, holds and orders stay.
func (d *Desk) dropStore(w http.ResponseWriter, r *http.Request, v *Visitor) error {
	if err := d.DB.DropStore(r.Context(), v.Merchant.ID); err != nil {
		return err
	}
	return d.reconnect(w, r, v, "/store?said=dropped")
}
