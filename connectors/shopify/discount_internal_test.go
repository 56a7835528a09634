package shopify

import (
	"encoding/json"
	"testing"
)

// FuzzDiscountNode: whatever a store answers, what is read of it is within bounds, or an error.
func FuzzDiscountNode(f *testing.F) {
	f.Add([]byte(`{"id":"x","codeDiscount":{"__typename":"DiscountCodeBasic","title":"t","status":"ACTIVE","startsAt":"2026-01-01T00:00:00Z",
		"codes":{"nodes":[{"code":"ABC"}]},"customerGets":{"value":{"__typename":"DiscountPercentage","percentage":0.15}}}}`))
	f.Add([]byte(`{"codeDiscount":{"endsAt":null,"customerGets":{"value":{"__typename":"DiscountAmount","amount":{"amount":"5.5","currencyCode":"EUR"}}}}}`))
	f.Add([]byte(`{"codeDiscount":{"customerGets":{"value":{"__typename":"DiscountPercentage","percentage":-1e300}}}}`))
	f.Add([]byte(`{"codeDiscount":{"customerGets":{"value":{"__typename":"DiscountAmount","amount":{"amount":"-","currencyCode":""}}}}}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		var n discountNode
		if json.Unmarshal(b, &n) != nil {
			return
		}
		d, err := n.discount()
		if d.Percent < 0 || d.Percent > 100 || err == nil && d.Percent != 0 && d.Amount.Minor != 0 {
			t.Fatalf("%s: %+v", b, d)
		}
	})
}
