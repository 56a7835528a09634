package setup

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"strings"
	"testing"

	"hawker/commerce"
	"hawker/internal/bus"
	"hawker/internal/live"
	"hawker/internal/seal"
	"hawker/internal/sqldb"
)

// house is a database with a running hub that is connected to nothing.
type house struct {
	*Setup
	dir     string // of the database
	env     map[string]string
	asked   int // how often the store's catalogue was asked
	connect int // how often connections were made
}

func newHouse(t *testing.T) *house {
	t.Helper()
	key, err := seal.NewKey(slices.Repeat([]byte{7}, 32))
	if err != nil {
		t.Fatal(err)
	}
	h := &house{dir: t.TempDir(), env: env()}
	db, err := sqldb.Open(t.Context(), sqldb.Options{Dir: h.dir, Key: key})
	if err != nil {
		t.Fatal(err)
	}
	b, err := bus.Open(t.Context(), bus.Options{Dir: t.TempDir(), Name: "test"})
	if err != nil {
		t.Fatal(err)
	}
	hub := &live.Hub{
		DB: db, Bus: b, Key: key, Public: "https://hawker.example", Log: slog.New(slog.NewTextHandler(t.Output(), nil)),
		Connect: func(context.Context, sqldb.Merchant) (live.Connections, error) {
			h.connect++
			return live.Connections{}, nil
		},
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- hub.Run(ctx) }()
	<-hub.Started()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		if err := b.Close(); err != nil {
			t.Error(err)
		}
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	h.Setup = &Setup{
		DB: db, Hub: hub, Getenv: func(name string) string { return h.env[name] }, Ingest: "rtmp://hawker.example/live",
		Catalogue: func(_ context.Context, _ commerce.ID, st sqldb.Store) ([]commerce.Product, error) {
			h.asked++
			if st.Shop != "demo.myshopify.com" || st.Token != h.env["SHOP_TOKEN"] {
				return nil, fmt.Errorf("asked %s with %q", st.Shop, st.Token)
			}
			return shop(), nil
		},
	}
	return h
}

func env() map[string]string {
	out := map[string]string{}
	for _, name := range []string{"ANA_PASSWORD", "SHOP_TOKEN", "HOOK_SECRET", "ANA_TOKEN", "ANA_REFRESH", "BOT_TOKEN", "BOT_REFRESH", "BEA_TOKEN", "YT_TOKEN", "YT_REFRESH", "INGEST_KEY", "TWITCH_KEY"} {
		out[name] = "secret-of-" + name
	}
	return out
}

// shop is a store's catalogue as a connector reads it.
func shop() []commerce.Product {
	eur := func(n int64) commerce.Money { return commerce.Money{Minor: n, Currency: "EUR"} }
	variant := func(n int, sku string, price int64, options ...string) commerce.Variant {
		return commerce.Variant{SKU: sku, Options: options, Price: eur(price), Store: fmt.Sprintf("gid://shopify/ProductVariant/%d", n), Inventory: fmt.Sprintf("gid://shopify/InventoryItem/%d", n)}
	}
	return []commerce.Product{
		{Title: "Mug", Store: "gid://shopify/Product/1", Options: []string{"Title"}, Variants: []commerce.Variant{variant(1, "MUG-1", 1999, "Default Title")}},
		{Title: "Tee", Store: "gid://shopify/Product/2", Options: []string{"Size"}, Variants: []commerce.Variant{variant(2, "TEE-S", 2500, "S"), variant(3, "TEE-M", 2500, "M")}},
		{Title: "Bowl", Store: "gid://shopify/Product/3", Variants: []commerce.Variant{variant(4, "BOWL", 999)}},
		{Title: "Copy of bowl", Store: "gid://shopify/Product/4", Variants: []commerce.Variant{variant(5, "BOWL", 999)}},
		{Title: "Nameless", Store: "gid://shopify/Product/9", Variants: []commerce.Variant{variant(9, "", 500)}},
	}
}

func read(t testing.TB, name string) string {
	t.Helper()
	b, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func parse(t *testing.T, text string) *File {
	t.Helper()
	f, err := Parse([]byte(text))
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	return f
}

func (h *house) apply(t *testing.T, text string) Report {
	t.Helper()
	r, err := h.Apply(t.Context(), parse(t, text))
	if err != nil {
		t.Fatalf("apply: %v\n%s", err, text)
	}
	return r
}

func (h *house) export(t *testing.T, slug string) string {
	t.Helper()
	out, err := h.Export(t.Context(), h.merchant(t, slug))
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

func (h *house) merchant(t *testing.T, slug string) commerce.ID {
	t.Helper()
	all, err := h.DB.Merchants(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range all {
		if m.Slug == slug {
			return m.ID
		}
	}
	t.Fatalf("no merchant %s among %d", slug, len(all))
	return 0
}

// dump is everything of the database that a file can change, as text.
func (h *house) dump(t *testing.T) string {
	t.Helper()
	var b strings.Builder
	all, err := h.DB.Merchants(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range all {
		w, err := loadWorld(t.Context(), h.DB, m.Slug)
		if err != nil {
			t.Fatal(err)
		}
		stock, err := h.DB.Stock(t.Context(), m.ID)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&b, "%+v\n%+v\n", *w, stock)
		for _, s := range w.shows {
			d, err := h.DB.Destinations(t.Context(), m.ID, s.ID)
			if err != nil {
				t.Fatal(err)
			}
			in, err := h.DB.IngestOf(t.Context(), m.ID, s.ID)
			fmt.Fprintf(&b, "%+v %+v %v\n", d, in, err)
		}
	}
	return b.String()
}
