package shopify_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"hawker/commerce"
	"hawker/connectors/shopify"
	"hawker/connectors/shopify/shopifysim"
	"hawker/internal/chat"
)

// open starts a pretend store on a socket of its own.
func open(t testing.TB, o shopifysim.Options) *shopifysim.Sim {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := shopifysim.New(o)
	t.Cleanup(s.Close)
	s.Start(l)
	return s
}

// connect makes a client of a pretend store, with the store's token unless change says otherwise.
func connect(t testing.TB, s *shopifysim.Sim, change ...func(*shopify.Options)) *shopify.Client {
	t.Helper()
	tr := &http.Transport{}
	t.Cleanup(tr.CloseIdleConnections)
	o := shopify.Options{
		Shop: "demo.myshopify.com", URL: s.URL(), Token: chat.Token{Access: "shpat_sim"}, HTTP: &http.Client{Transport: tr},
		ClientID: "sim-client", ClientSecret: "sim-secret",
	}
	for _, f := range change {
		f(&o)
	}
	c, err := shopify.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// rich is a store whose points never run out in a test.
func rich() shopifysim.Options { return shopifysim.Options{Bucket: 100_000, Restore: 100_000} }

// front stands before a store: meet answers a request, or leaves it to the store by returning false.
func front(t testing.TB, s *shopifysim.Sim, meet func(http.ResponseWriter, *http.Request) bool) *httptest.Server {
	t.Helper()
	to, err := url.Parse(s.URL())
	if err != nil {
		t.Fatal(err)
	}
	p := httputil.NewSingleHostReverseProxy(to)
	f := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !meet(w, r) {
			p.ServeHTTP(w, r)
		}
	}))
	t.Cleanup(f.Close)
	return f
}

// bodyOf reads a request's body and puts it back.
func bodyOf(r *http.Request) string {
	b, _ := io.ReadAll(r.Body)
	r.Body = io.NopCloser(strings.NewReader(string(b)))
	return string(b)
}

// until waits for a state that other goroutines bring about.
func until(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); !ok(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("never happened: %s", what)
		}
	}
}

func stock(t testing.TB, s *shopifysim.Sim, sku string, want shopifysim.Stock) {
	t.Helper()
	if got, ok := s.Stock(sku); !ok || got != want {
		t.Errorf("stock of %s = %+v, %v; want %+v", sku, got, ok, want)
	}
}

func eur(minor int64) commerce.Money { return commerce.Money{Minor: minor, Currency: "EUR"} }

func TestNew(t *testing.T) {
	good := shopify.Options{Shop: "demo.myshopify.com", Token: chat.Token{Access: "a"}}
	if _, err := shopify.New(good); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name   string
		change func(*shopify.Options)
	}{
		{"no shop", func(o *shopify.Options) { o.Shop = "" }},
		{"a path to another host", func(o *shopify.Options) { o.Shop = "evil.example/myshopify.com" }},
		{"another host behind", func(o *shopify.Options) { o.Shop = "demo.myshopify.com.evil.example" }},
		{"another host before", func(o *shopify.Options) { o.Shop = "evil.example#.myshopify.com" }},
		{"a port", func(o *shopify.Options) { o.Shop = "demo.myshopify.com:80" }},
		{"a user", func(o *shopify.Options) { o.Shop = "a@demo.myshopify.com" }},
		{"a second line", func(o *shopify.Options) { o.Shop = "demo.myshopify.com\n" }},
		{"upper case", func(o *shopify.Options) { o.Shop = "Demo.myshopify.com" }},
		{"a dash before", func(o *shopify.Options) { o.Shop = "-demo.myshopify.com" }},
		{"a long name", func(o *shopify.Options) { o.Shop = strings.Repeat("a", 250) + ".myshopify.com" }},
		{"no address", func(o *shopify.Options) { o.URL = "shop" }},
		{"another scheme", func(o *shopify.Options) { o.URL = "ftp://shop.test" }},
		{"an address with a query", func(o *shopify.Options) { o.URL = "http://shop.test/?a=b" }},
		{"an address with a user", func(o *shopify.Options) { o.URL = "http://a:b@shop.test/" }},
		{"nothing to call with", func(o *shopify.Options) { o.Token = chat.Token{} }},
		{"an id without its secret", func(o *shopify.Options) { o.Token, o.ClientID = chat.Token{}, "id" }},
	} {
		o := good
		tt.change(&o)
		if _, err := shopify.New(o); err == nil {
			t.Errorf("%s: no error", tt.name)
		}
	}
}

func TestCheck(t *testing.T) {
	s := open(t, shopifysim.Options{Name: "Clay & Co", Currency: "USD"})
	got, err := connect(t, s).Check(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	want := shopify.Store{
		ID: "gid://shopify/Shop/1", Name: "Clay & Co", Shop: "demo.myshopify.com", Currency: "USD", Plan: "Basic",
		Granted: append(shopify.Scopes(), shopify.ScopeDiscounts),
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("Check = %+v; want %+v", got, want)
	}

	few := open(t, shopifysim.Options{Scopes: []string{"write_products", "read_inventory", "read_orders", "read_draft_orders"}})
	got, err = connect(t, few).Check(t.Context())
	if want := "[write_inventory read_locations write_draft_orders]"; err != nil || fmt.Sprint(got.Missing) != want {
		t.Errorf("missing = %v, %v; want %v", got.Missing, err, want)
	}
	if !got.May("read_products") || !got.May("write_products") || got.May("write_orders") || got.May(shopify.ScopeDiscounts) {
		t.Errorf("granted = %v", got.Granted)
	}
}

func TestCatalogue(t *testing.T) {
	o := rich()
	for i := range 23 {
		o.Products = append(o.Products, shopifysim.Product{
			Title: fmt.Sprintf("Cup %d", i), Variants: []shopifysim.Variant{{SKU: fmt.Sprintf("CUP-%d", i), Price: "12.50", Stock: 3}},
		})
	}
	tall := shopifysim.Product{Title: "Tower", Options: []string{"Floor", "Side"}}
	for i := range 95 {
		tall.Variants = append(tall.Variants, shopifysim.Variant{
			SKU: fmt.Sprintf("TOWER-%d", i), Options: []string{fmt.Sprint(i), "left"}, Price: fmt.Sprintf("%d.05", i),
		})
	}
	o.Products = append(o.Products, tall)
	s := open(t, o)
	c := connect(t, s)
	var all []commerce.Product
	pages := 0
	err := c.Catalogue(t.Context(), func(p []commerce.Product) error {
		pages++
		all = append(all, p...)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if pages != 3 || len(all) != 24 {
		t.Fatalf("%d products on %d pages; want 24 on 3", len(all), pages)
	}
	for i, p := range all[:23] {
		if p.Title != fmt.Sprintf("Cup %d", i) || len(p.Options) != 0 || len(p.Variants) != 1 || !strings.HasPrefix(p.Store, "gid://shopify/Product/") {
			t.Fatalf("product %d = %+v", i, p)
		}
		v := p.Variants[0]
		if v.SKU != fmt.Sprintf("CUP-%d", i) || v.Price != eur(1250) || len(v.Options) != 0 || v.Store != s.VariantID(v.SKU) ||
			!strings.HasPrefix(v.Inventory, "gid://shopify/InventoryItem/") {
			t.Fatalf("variant of product %d = %+v", i, v)
		}
		if want := fmt.Sprintf("%s/pictures/cup-%d.svg", s.URL(), i); p.Image != want {
			t.Errorf("picture = %q; want %q", p.Image, want)
		}
	}
	p := all[23]
	if fmt.Sprint(p.Options) != "[Floor Side]" || len(p.Variants) != 95 {
		t.Fatalf("the tall one has options %v and %d variants", p.Options, len(p.Variants))
	}
	for i, v := range p.Variants {
		if v.SKU != fmt.Sprintf("TOWER-%d", i) || fmt.Sprint(v.Options) != fmt.Sprintf("[%d left]", i) || v.Price != eur(int64(i)*100+5) {
			t.Errorf("variant %d = %+v", i, v)
		}
	}

	stop := errors.New("enough")
	pages = 0
	err = c.Catalogue(t.Context(), func([]commerce.Product) error { pages++; return stop })
	if !errors.Is(err, stop) || pages != 1 {
		t.Errorf("Catalogue = %v after %d pages; want the caller's error after 1", err, pages)
	}
}

func TestStock(t *testing.T) {
	o := rich()
	p := shopifysim.Product{Title: "Many", Options: []string{"N"}}
	for i := range 60 {
		p.Variants = append(p.Variants, shopifysim.Variant{SKU: fmt.Sprint("M-", i), Options: []string{fmt.Sprint(i)}, Price: "1.00", Stock: int64(i)})
	}
	o.Products = []shopifysim.Product{p, {Title: "Odd", Options: []string{"Kind"}, Variants: []shopifysim.Variant{
		{SKU: "ENDLESS", Options: []string{"a"}, Price: "1.00", Endless: true},
		{SKU: "OVERSELL", Options: []string{"b"}, Price: "1.00", Stock: 1, Oversell: true},
	}}}
	s := open(t, o)
	c := connect(t, s)
	items := map[string]string{} // SKU -> inventory item
	if err := c.Catalogue(t.Context(), func(ps []commerce.Product) error {
		for _, p := range ps {
			for _, v := range p.Variants {
				items[v.SKU] = v.Inventory
			}
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.BuyOnline("OVERSELL", 4); err != nil {
		t.Fatal(err)
	}
	if _, err := s.BuyOnline("M-59", 9); err != nil {
		t.Fatal(err)
	}
	ask := []string{"gid://shopify/InventoryItem/1"} // one that is gone
	for _, item := range items {
		ask = append(ask, item)
	}
	before := time.Now().Truncate(time.Second)
	got, err := c.Stock(t.Context(), ask)
	if err != nil {
		t.Fatal(err)
	}
	after := time.Now()
	if len(got) != len(items) {
		t.Errorf("%d readings; want %d", len(got), len(items))
	}
	for sku, item := range items {
		r, want := got[item], shopify.Reading{}
		switch sku {
		case "ENDLESS":
			want.Endless = true
		case "OVERSELL":
			want.Endless, want.Available = true, -3
		case "M-59":
			want.Available = 50
		default:
			_, _ = fmt.Sscanf(sku, "M-%d", &want.Available)
		}
		if r.Available != want.Available || r.Endless != want.Endless {
			t.Errorf("%s = %+v; want %+v", sku, r, want)
		}
		if r.At.Before(before) || r.At.After(after) || !r.At.Equal(r.At.Truncate(time.Second)) {
			t.Errorf("%s was read at %v; want the store's whole second between %v and %v", sku, r.At, before, after)
		}
	}
	if got, err := c.Stock(t.Context(), nil); err != nil || len(got) != 0 {
		t.Errorf("Stock of nothing = %v, %v", got, err)
	}
}

// A reading's time is the clock of the store and not ours.
func TestStockTakesTheStoresClock(t *testing.T) {
	s := open(t, rich())
	odd := time.Date(2031, 3, 4, 5, 6, 7, 0, time.UTC)
	var date string
	f := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header()["Date"] = []string{date}
		if date == "" {
			w.Header()["Date"] = nil
		}
		to, _ := http.NewRequestWithContext(r.Context(), http.MethodPost, s.URL()+r.URL.Path, r.Body)
		to.Header = r.Header
		resp, err := http.DefaultTransport.RoundTrip(to)
		if err != nil {
			panic(err)
		}
		defer func() { _ = resp.Body.Close() }()
		_, _ = io.Copy(w, resp.Body)
	}))
	defer f.Close()
	c := connect(t, s, func(o *shopify.Options) { o.URL = f.URL })
	item := "gid://shopify/InventoryItem/46000000002"
	date = odd.Format(http.TimeFormat)
	got, err := c.Stock(t.Context(), []string{item})
	if err != nil || !got[item].At.Equal(odd) || got[item].Available != 12 {
		t.Errorf("Stock = %+v, %v; want 12 at %v", got, err, odd)
	}
	date = ""
	if got, err := c.Stock(t.Context(), []string{item}); err == nil {
		t.Errorf("an answer without a date was taken: %+v", got)
	}
}

// A store that finds a reading too dear is asked for less, and remembered.
func TestStockTooDear(t *testing.T) {
	s := open(t, rich())
	var mu sync.Mutex
	var sizes []int
	f := front(t, s, func(w http.ResponseWriter, r *http.Request) bool {
		n := strings.Count(bodyOf(r), "gid://shopify/InventoryItem/")
		if n == 0 {
			return false
		}
		mu.Lock()
		defer mu.Unlock()
		sizes = append(sizes, n)
		if n <= 4 {
			return false
		}
		_, _ = io.WriteString(w, `{"errors":[{"message":"Query cost is 2000","extensions":{"code":"MAX_COST_EXCEEDED","cost":2000,"maxCost":1000}}]}`)
		return true
	})
	c := connect(t, s, func(o *shopify.Options) { o.URL = f.URL })
	var items []string
	for i := range 9 {
		items = append(items, fmt.Sprintf("gid://shopify/InventoryItem/%d", 46_000_000_002+i))
	}
	for range 2 {
		got, err := c.Stock(t.Context(), items)
		if err != nil || len(got) != 9 {
			t.Fatalf("%d readings, %v; want 9", len(got), err)
		}
	}
	if want := "[9 4 4 1 4 4 1]"; fmt.Sprint(sizes) != want {
		t.Errorf("asked for %v; want %v", sizes, want)
	}
}

func TestDeadline(t *testing.T) {
	s := open(t, rich())
	hang := make(chan struct{})
	f := front(t, s, func(_ http.ResponseWriter, r *http.Request) bool {
		if strings.Contains(bodyOf(r), "mutation") {
			close(hang)
			<-r.Context().Done()
			return true
		}
		return false
	})
	c := connect(t, s, func(o *shopify.Options) { o.URL = f.URL })
	ctx, cancel := context.WithCancel(t.Context())
	go func() { <-hang; cancel() }()
	_, err := c.Draft(ctx, shopify.DraftInput{Holds: []commerce.ID{1}, Lines: []shopify.DraftLine{{Variant: s.VariantID("MUG-1"), Quantity: 1}}})
	if !errors.Is(err, shopify.ErrUnsure) || !errors.Is(err, context.Canceled) {
		t.Errorf("a draft whose caller went away: %v; want ErrUnsure and context.Canceled", err)
	}
	if _, err := c.Check(ctx); !errors.Is(err, context.Canceled) || errors.Is(err, shopify.ErrUnsure) {
		t.Errorf("a reading whose caller went away: %v; want context.Canceled alone", err)
	}
}
