package shop

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"hawker/connectors/shopify/shopifysim/graph"
)

// Product is a thing the store sells.
type Product struct {
	Title, Text string
	// Shape and Glaze say what its picture shows: "mug", "bowl", "vase", "cup" or "plate", and a CSS colour.
	Shape, Glaze string
	Tags         []string
	Options      []string // none for a product with one variant
	Variants     []Variant
}

// Variant is one kind of a product. Price is a decimal number in the store's currency.
type Variant struct {
	SKU     string
	Options []string
	Price   string
	Stock   int64
	// Endless variants are not counted; Oversell ones are sold below zero.
	Endless, Oversell bool
}

// Ceramics is a small catalogue to show: what a potter would sell live.
func Ceramics() []Product {
	mugs := Product{
		Title: "Speckled Mug", Text: "Thrown by hand, glazed twice. Holds its heat and fits both hands.", Shape: "mug", Glaze: "#7fa3a8",
		Tags:    []string{"mug", "bestseller"},
		Options: []string{"Size", "Glaze"},
	}
	for _, size := range []struct{ name, code, price string }{{"Small", "S", "22.00"}, {"Medium", "M", "26.00"}, {"Large", "L", "31.50"}} {
		for i, glaze := range []struct{ name, code string }{{"Oat", "OAT"}, {"Sea", "SEA"}, {"Ink", "INK"}} {
			mugs.Variants = append(mugs.Variants, Variant{
				SKU: "MUG-" + size.code + "-" + glaze.code, Options: []string{size.name, glaze.name}, Price: size.price, Stock: int64(12 - 3*i),
			})
		}
	}
	return []Product{
		mugs,
		{
			Title: "Studio Mug", Text: "The plain one from the studio shelf, in warm clay.", Shape: "mug", Glaze: "#c98b66", Tags: []string{"mug"},
			Variants: []Variant{{SKU: "MUG-1", Price: "19.00", Stock: 40}},
		},
		{
			Title: "Breakfast Bowl", Text: "Wide and low, for porridge and fruit.", Shape: "bowl", Glaze: "#d9b45b", Options: []string{"Glaze"},
			Variants: []Variant{
				{SKU: "BOWL-OAT", Options: []string{"Oat"}, Price: "24.00", Stock: 10},
				{SKU: "BOWL-SEA", Options: []string{"Sea"}, Price: "24.00", Stock: 6},
			},
		},
		{
			Title: "Noodle Bowl", Text: "Deep, with a rest for chopsticks.", Shape: "bowl", Glaze: "#5d7a66",
			Variants: []Variant{{SKU: "BOWL-NOODLE", Price: "34.90", Stock: 8}},
		},
		{
			Title: "Moon Vase", Text: "A round vase, fired with wood. Each is the only one of its kind.", Shape: "vase", Glaze: "#8b92b3",
			Tags:     []string{"one of a kind"},
			Variants: []Variant{{SKU: "VASE-1", Price: "120.00", Stock: 3}},
		},
		{
			Title: "Espresso Cup", Text: "Thick walls, no handle, a spoon's length high.", Shape: "cup", Glaze: "#a65d4e", Options: []string{"Glaze"},
			Variants: []Variant{
				{SKU: "CUP-OAT", Options: []string{"Oat"}, Price: "14.50", Stock: 20},
				{SKU: "CUP-INK", Options: []string{"Ink"}, Price: "14.50", Stock: 15},
			},
		},
		{
			Title: "Supper Plate", Text: "27 cm, with a raised rim. Good in the dishwasher.", Shape: "plate", Glaze: "#b9a7a0",
			Variants: []Variant{{SKU: "PLATE-1", Price: "29.00", Stock: 16}},
		},
	}
}

type product struct {
	Product
	id       int64
	handle   string
	updated  time.Time
	variants []*variant
}

type variant struct {
	Variant
	id, item int64
	of       *product
	price    int64 // minor units
	// The states of the stock (page "Inventory states"): on hand is the sum of them.
	available, committed, reserved int64
}

// counted reports whether the store refuses to sell more than it has.
func (v *variant) counted() bool { return !v.Endless && !v.Oversell }

// left says whether n can be sold now.
func (v *variant) left(n int64) bool { return !v.counted() || v.available >= n }

// move takes n from available to the state *to, or back when n is negative.
func (v *variant) move(n int64, to *int64) {
	if !v.Endless {
		v.available -= n
		*to += n
	}
}

func (v *variant) label() string { return strings.Join(v.Options, " / ") }

// location is the store's one place.
const locationID = 7_000_000_001

func (s *Shop) addProduct(in Product) {
	p := &product{Product: in, id: 8_000_000_000 + s.next(), updated: time.Now().UTC()}
	p.handle = strings.ToLower(strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9':
			return r
		case r == ' ':
			return '-'
		}
		return -1
	}, in.Title))
	for _, w := range in.Variants {
		n := s.next()
		v := &variant{Variant: w, id: 44_000_000_000 + n, item: 46_000_000_000 + n, of: p, price: minor(w.Price), available: w.Stock}
		if len(in.Options) == 0 {
			v.Options = nil
		}
		p.variants = append(p.variants, v)
		s.variants[v.id] = v
	}
	s.products = append(s.products, p)
}

// minor reads a decimal number with at most two digits behind the point; what is none is 0.
func minor(decimal string) int64 {
	whole, frac, _ := strings.Cut(decimal, ".")
	n, err := strconv.ParseInt(whole+(frac + "00")[:2], 10, 64)
	if err != nil {
		return 0
	}
	return n
}

// price writes minor units as the scalar Money does, "19.00".
func price(n int64) string { return fmt.Sprintf("%d.%02d", n/100, n%100) }

// decimal writes minor units as the scalar Decimal of MoneyV2 does, without needless zeros: "19.0".
func decimal(n int64) string { return strings.TrimSuffix(price(n), "0") }

func (s *Shop) money(n int64) graph.Obj {
	m := graph.Obj{"amount": decimal(n), "currencyCode": s.o.Currency}
	return graph.Obj{"presentmentMoney": m, "shopMoney": m}
}

func (s *Shop) bySKU(sku string) *variant {
	for _, p := range s.products {
		for _, v := range p.variants {
			if v.SKU == sku {
				return v
			}
		}
	}
	return nil
}
