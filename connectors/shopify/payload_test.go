package shopify_test

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"hawker/commerce"
	"hawker/connectors/shopify"
)

// anOrder is an orders/paid webhook as Shopify documents it, shortened to what is near what we read.
const anOrder = `{
  "id": 820982911946154508, "admin_graphql_api_id": "gid://shopify/Order/820982911946154508", "cancelled_at": null, "closed_at": null,
  "confirmed": false, "created_at": "2026-11-23T02:15:47-05:00", "currency": "USD", "current_total_price": "398.00",
  "discount_codes": [], "email": "jon@example.com", "financial_status": "paid", "landing_site": null, "name": "#9999", "note": null,
  "note_attributes": [{"name": "gift", "value": true}, {"name": "hawker_hold", "value": "71, 72,71,x,-5,72"}, {"name": "hawker_hold", "value": 9},
    {"name": "n", "value": null}, {"name": "hawker_hold", "value": "73"}],
  "presentment_currency": "CAD", "source_name": "web", "test": true, "total_price": "404.95",
  "total_price_set": {"shop_money": {"amount": "404.95", "currency_code": "USD"}, "presentment_money": {"amount": "550.00", "currency_code": "CAD"}},
  "updated_at": "2026-11-23T02:15:48-05:00",
  "line_items": [
    {"id": 866550311766439020, "variant_id": 808950810, "quantity": 3, "current_quantity": 2, "price": "199.00", "product_id": 632910392},
    {"id": 141249953214522974, "variant_id": null, "quantity": 1, "price": "5.95", "product_id": null},
    {"id": 141249953214522975, "variant_id": 808950811, "quantity": 1, "current_quantity": 0, "price": "0"}
  ]
}`

func TestParseOrder(t *testing.T) {
	got, err := shopify.ParseOrder([]byte(anOrder))
	if err != nil {
		t.Fatal(err)
	}
	usd := func(n int64) commerce.Money { return commerce.Money{Minor: n, Currency: "USD"} }
	want := commerce.Order{
		Store: "gid://shopify/Order/820982911946154508", Name: "#9999", State: commerce.OrderPaid, Total: usd(39800), Test: true,
		Holds: []commerce.ID{71, 72, 73}, Created: got.Created, Updated: got.Updated,
		Lines: []commerce.OrderLine{
			{Variant: "gid://shopify/ProductVariant/808950810", Quantity: 2, Price: usd(19900)},
			{Quantity: 1, Price: usd(595)},
			{Variant: "gid://shopify/ProductVariant/808950811", Quantity: 0, Price: usd(0)},
		},
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("order = %+v; want %+v", got, want)
	}
	if at := time.Date(2026, 11, 23, 7, 15, 48, 0, time.UTC); !got.Updated.Equal(at) || !got.Created.Equal(at.Add(-time.Second)) {
		t.Errorf("created %v, updated %v; want the second before %v and that", got.Created, got.Updated, at)
	}
}

func TestParseOrderState(t *testing.T) {
	for _, tt := range []struct {
		status, cancelled string
		want              commerce.OrderState
	}{
		{`"paid"`, `null`, commerce.OrderPaid},
		{`"partially_refunded"`, `null`, commerce.OrderPaid}, // its lines say what is left
		{`"refunded"`, `null`, commerce.OrderRefunded},
		{`"voided"`, `null`, commerce.OrderCancelled},
		{`"paid"`, `"2026-11-23T08:00:00Z"`, commerce.OrderCancelled},
		{`"refunded"`, `"2026-11-23T08:00:00Z"`, commerce.OrderCancelled},
		{`"pending"`, `null`, commerce.OrderPending},
		{`"authorized"`, `null`, commerce.OrderPending},
		{`"partially_paid"`, `null`, commerce.OrderPending},
		{`"expired"`, `null`, commerce.OrderPending},
		{`"something new"`, `null`, commerce.OrderPending},
		{`null`, `null`, commerce.OrderPending},
	} {
		body := strings.Replace(anOrder, `"financial_status": "paid"`, `"financial_status": `+tt.status, 1)
		body = strings.Replace(body, `"cancelled_at": null`, `"cancelled_at": `+tt.cancelled, 1)
		if got, err := shopify.ParseOrder([]byte(body)); err != nil || got.State != tt.want {
			t.Errorf("status %s, cancelled %s: %v, %v; want %v", tt.status, tt.cancelled, got.State, err, tt.want)
		}
	}
}

func TestParseWrong(t *testing.T) {
	for _, body := range []string{
		``, `{}`, `[]`, `null`, `{"id":1}`, strings.Replace(anOrder, `"404.95"`, `"404.955"`, 1), strings.Replace(anOrder, `"199.00"`, `"1e3"`, 1),
		strings.Replace(anOrder, `"currency": "USD"`, `"currency": ""`, 1), strings.Replace(anOrder, `820982911946154508`, `-1`, 1),
		strings.Replace(anOrder, `820982911946154508`, `92233720368547758080`, 1), anOrder[:len(anOrder)-2],
	} {
		if got, err := shopify.ParseOrder([]byte(body)); err == nil {
			t.Errorf("ParseOrder(%.60s) = %+v; want an error", body, got)
		}
	}
	for _, body := range []string{``, `{}`, `[]`, `{"id":0}`, `{"id":"a"}`} {
		if got, err := shopify.ParseDraft([]byte(body)); err == nil {
			t.Errorf("ParseDraft(%s) = %+v; want an error", body, got)
		}
	}
	for _, body := range []string{``, `{}`, `[]`, `{"inventory_item_id":1}`, `{"inventory_item_id":1,"location_id":2,"available":1.5}`} {
		if got, err := shopify.ParseInventoryLevel([]byte(body)); err == nil {
			t.Errorf("ParseInventoryLevel(%s) = %+v; want an error", body, got)
		}
	}
}

func TestParseInventoryLevel(t *testing.T) {
	for _, tt := range []struct {
		available string
		want      int64
		counted   bool
	}{{"5", 5, true}, {"0", 0, true}, {"-3", -3, true}, {"null", 0, false}} {
		got, err := shopify.ParseInventoryLevel([]byte(`{"inventory_item_id":271878346596884015,"location_id":24826418,"available":` + tt.available +
			`,"updated_at":"2026-11-23T07:00:00-05:00","admin_graphql_api_id":"gid://shopify/InventoryLevel/24826418?inventory_item_id=271878346596884015"}`))
		if err != nil || got.Available != tt.want || got.Counted != tt.counted || got.Item != "gid://shopify/InventoryItem/271878346596884015" ||
			got.Location != "gid://shopify/Location/24826418" || !got.Updated.Equal(time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)) {
			t.Errorf("%s = %+v, %v", tt.available, got, err)
		}
	}
}

// lawfulHolds: a buyer can write anything into an attribute.
func lawfulHolds(t *testing.T, holds []commerce.ID) {
	t.Helper()
	sorted := slices.Sorted(slices.Values(holds))
	if len(holds) > 500 || len(slices.Compact(sorted)) != len(holds) || len(sorted) > 0 && sorted[0] <= 0 {
		t.Fatalf("holds %v: more than 500, one twice, or none of ours", holds)
	}
}

func FuzzParseOrder(f *testing.F) {
	f.Add([]byte(anOrder))
	f.Add([]byte(`{"id":1,"updated_at":"2026-11-23T07:00:00Z","currency":"JPY","total_price":"5","line_items":[{"price":"5","quantity":-1}]}`))
	f.Add([]byte(`{"id":1,"updated_at":"2026-11-23T07:00:00Z","currency":"EUR","total_price":"5.0",` +
		`"note_attributes":[{"name":"hawker_hold","value":"1,1,2"}]}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		o, err := shopify.ParseOrder(body)
		if err != nil {
			return
		}
		lawfulHolds(t, o.Holds)
		if !strings.HasPrefix(o.Store, "gid://shopify/Order/") || o.Updated.IsZero() || o.Created.IsZero() || o.Total.Currency == "" {
			t.Fatalf("%+v", o)
		}
		for _, l := range o.Lines {
			if l.Quantity < 0 || l.Price.Currency != o.Total.Currency || l.Variant != "" && !strings.HasPrefix(l.Variant, "gid://shopify/ProductVariant/") {
				t.Fatalf("line %+v of an order in %s", l, o.Total.Currency)
			}
		}
	})
}

func FuzzParseDraft(f *testing.F) {
	f.Add([]byte(`{"id":72885271,"status":"completed","order_id":5,` +
		`"note_attributes":[{"name":"hawker_hold","value":"71"}],"updated_at":"2026-11-23T07:00:00Z"}`))
	f.Add([]byte(`{"id":72885271,"status":"open","order_id":null,"note_attributes":[]}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		d, err := shopify.ParseDraft(body)
		if err != nil {
			return
		}
		lawfulHolds(t, d.Holds)
		if !strings.HasPrefix(d.ID, "gid://shopify/DraftOrder/") || d.Order != "" && !strings.HasPrefix(d.Order, "gid://shopify/Order/") {
			t.Fatalf("%+v", d)
		}
	})
}

func FuzzParseInventoryLevel(f *testing.F) {
	f.Add([]byte(`{"inventory_item_id":1,"location_id":2,"available":3,"updated_at":"2026-11-23T07:00:00Z"}`))
	f.Add([]byte(`{"inventory_item_id":1,"location_id":2,"available":null}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		l, err := shopify.ParseInventoryLevel(body)
		if err != nil {
			return
		}
		if !strings.HasPrefix(l.Item, "gid://shopify/InventoryItem/") || !strings.HasPrefix(l.Location, "gid://shopify/Location/") ||
			!l.Counted && l.Available != 0 {
			t.Fatalf("%+v", l)
		}
	})
}

// A signed body is stored as it came, byte for byte; the same under any other signature is not stored.
func FuzzHandler(f *testing.F) {
	f.Add([]byte(anOrder), "orders/paid", "w-1", uint16(0))
	f.Add([]byte{}, "", "", uint16(7))
	f.Fuzz(func(t *testing.T, body []byte, topic, id string, flip uint16) {
		var got []shopify.Webhook
		h := &shopify.Handler{Secrets: ours, Inbox: func(_ context.Context, w shopify.Webhook) error { got = append(got, w); return nil }}
		serve := func(sig string) int {
			r := httptest.NewRequest(http.MethodPost, "/", bytes.NewReader(body))
			r.Header = http.Header{
				"X-Shopify-Topic": {topic}, "X-Shopify-Webhook-Id": {id}, "X-Shopify-Shop-Domain": {"demo.myshopify.com"}, "X-Shopify-Hmac-Sha256": {sig},
			}
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			return w.Code
		}
		sig := signature(body, "sim-secret")
		bad := []byte(sig)
		bad[int(flip)%43] ^= 1 + byte(flip>>8)&0x1f // the last character is padding
		if code := serve(string(bad)); string(bad) != sig && code != http.StatusUnauthorized || len(got) != 0 {
			// The last digit of base64 has two bits that say nothing; they may differ.
			if int(flip)%43 != 42 {
				t.Fatalf("a wrong signature: %d, %d stored", code, len(got))
			}
			got = nil
		}
		code := serve(sig)
		whole := topic != "" && id != ""
		if whole != (code == http.StatusOK) || whole != (len(got) == 1) {
			t.Fatalf("topic %q, id %q: %d, %d stored", topic, id, code, len(got))
		}
		if whole && (!bytes.Equal(got[0].Body, body) || got[0].Topic != topic || got[0].ID != id) {
			t.Fatalf("stored %+v", got[0])
		}
		_, _ = shopify.ParseOrder(body)
	})
}
