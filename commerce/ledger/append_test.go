package ledger_test

import (
	"bytes"
	"encoding/json"
	"reflect"
	"testing"

	"pgregory.net/rapid"

	"hawker/commerce/id"
	"hawker/commerce/ledger"
	"hawker/commerce/money"
	"hawker/internal/chat"
)

// Append writes what json.Marshal writes, and what it writes can be read back.
func TestAppend(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.OneOf(rapid.Just(""), rapid.String(), rapid.StringMatching(`[a-z0-9/<>&"\\]{0,9}`), rapid.Just("\xff\u2028\x7f"))
		number := rapid.OneOf(rapid.Just(0), rapid.Int())
		row := func() id.ID { return id.ID(rapid.OneOf(rapid.Just(int64(0)), rapid.Int64Min(1)).Draw(t, "id")) }
		f := ledger.Fact{
			Viewer: text.Draw(t, "viewer"), Reason: ledger.Reason(text.Draw(t, "reason")), Number: number.Draw(t, "item"), Quantity: number.Draw(t, "quantity"), Hold: row(), Place: row(),
			State: text.Draw(t, "state"), Order: text.Draw(t, "order"), By: text.Draw(t, "by"),
		}
		if rapid.Bool().Draw(t, "key") {
			f.Key = &ledger.Key{Platform: chat.Platform(text.Draw(t, "platform")), Message: text.Draw(t, "message"), Part: number.Draw(t, "part")}
		}
		if rapid.Bool().Draw(t, "total") {
			f.Total = &money.Money{Minor: int64(number.Draw(t, "minor")), Currency: text.Draw(t, "currency")}
		}
		for range rapid.IntRange(0, 3).Draw(t, "stocks") {
			f.Stock = append(f.Stock, ledger.StockFact{
				Variant: row(), Available: int64(number.Draw(t, "available")), Held: int64(number.Draw(t, "held")), Sold: int64(number.Draw(t, "sold")),
				Short: int64(number.Draw(t, "short")), Endless: rapid.Bool().Draw(t, "endless"),
			})
		}
		for range rapid.IntRange(0, 3).Draw(t, "holds") {
			f.Holds = append(f.Holds, ledger.HoldFact{Hold: row(), Quantity: number.Draw(t, "pieces")})
		}
		want, err := json.Marshal(f)
		if err != nil {
			t.Fatal(err)
		}
		got := f.Append([]byte("before"))
		if !bytes.Equal(got, append([]byte("before"), want...)) {
			t.Fatalf("Append\n %s\njson.Marshal\n %s", got, want)
		}
		var back ledger.Fact
		if err := json.Unmarshal(want, &back); err != nil {
			t.Fatal(err)
		}
		var again ledger.Fact
		if err := json.Unmarshal(back.Append(nil), &again); err != nil || !reflect.DeepEqual(again, back) {
			t.Fatalf("%s is read as %+v, then as %+v (%v)", want, back, again, err)
		}
	})
}

// A field that is added to Fact must be added to Append: the test above draws those that it knows.
func TestAppendKnowsAllFields(t *testing.T) {
	for typ, n := range map[reflect.Type]int{reflect.TypeFor[ledger.Fact](): 13, reflect.TypeFor[ledger.HoldFact](): 2, reflect.TypeFor[ledger.StockFact](): 6, reflect.TypeFor[ledger.Key](): 3, reflect.TypeFor[money.Money](): 2} {
		if typ.NumField() != n {
			t.Errorf("%v has %d fields; Append and its test know %d", typ, typ.NumField(), n)
		}
	}
}

func BenchmarkAppend(b *testing.B) {
	f := ledger.Fact{
		Key: &ledger.Key{Platform: chat.Twitch, Message: "b34ccfc7-4977-403a-8a94-33c6bac34fb8"}, Viewer: "twitch/133713371", Reason: "held", Number: 12, Quantity: 1, Hold: 123456789012345678,
		Stock: []ledger.StockFact{{Variant: 123456789012345679, Available: 500, Held: 123}},
	}
	buf := make([]byte, 0, 512)
	b.Run("append", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			buf = f.Append(buf[:0])
		}
	})
	b.Run("marshal", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			_, _ = json.Marshal(f)
		}
	})
}
