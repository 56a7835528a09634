package stand_test

import (
	"testing"
	"time"

	"hawker/commerce"
	"hawker/internal/chat"
	"hawker/internal/live"
	"hawker/web/viewer/stand"
	"hawker/web/viewer/words"
)

// The words for stock: a number up to ten, no number above, and held told apart from sold.
func TestStockWords(t *testing.T) {
	for _, tt := range []struct {
		free, held int64
		closed     bool
		left       string
		claim      bool
	}{
		{11, 0, false, "in stock", true},
		{10, 3, false, "10 left", true},
		{1, 0, false, "1 left", true},
		{0, 2, false, "all held, join the line", true},
		{0, 0, false, "sold out", true}, // a place in line may be had
		{-1, 5, false, "in stock", true},
		{5, 0, true, "not on sale", false},
	} {
		var s stand.Stand
		s.Show.State = commerce.ShowLive
		v := commerce.VariantView{Variant: commerce.Variant{ID: 7}, Price: commerce.Money{Minor: 500, Currency: "EUR"}, Free: tt.free, Held: tt.held}
		s.Items = []commerce.ItemView{{
			Item: commerce.Item{Number: 3, Cap: 2, Closed: tt.closed, Product: commerce.Product{Title: "Mug"}}, Free: tt.free, Held: tt.held, Stock: []commerce.VariantView{v},
		}}
		r := s.Rows(words.For("en"))[0]
		if r.Left != tt.left || r.Claimable != tt.claim || r.Price != "€5.00" || len(r.Amounts) != 2 || r.Sizes[0].Pick != "3:7" {
			t.Errorf("%+v: %+v", tt, r)
		}
		s.Show.Paused = true
		if r := s.Rows(words.For("en"))[0]; r.Claimable {
			t.Errorf("claimable while paused: %+v", r)
		}
	}
}

// A price is a range where the sizes differ, and a size says by itself what is left of it.
func TestSizes(t *testing.T) {
	eur := func(n int64) commerce.Money { return commerce.Money{Minor: n, Currency: "EUR"} }
	var s stand.Stand
	s.ShowPage = live.ShowPage{ShowView: commerce.ShowView{Show: commerce.Show{State: commerce.ShowLive}}}
	s.Items = []commerce.ItemView{{Item: commerce.Item{Number: 5}, Free: 3, Stock: []commerce.VariantView{
		{Variant: commerce.Variant{ID: 1, Options: []string{"S"}}, Price: eur(2700), Free: 3},
		{Variant: commerce.Variant{ID: 2, Options: []string{"M", "Blue"}}, Price: eur(2500), Held: 1},
		{Variant: commerce.Variant{ID: 3, Options: []string{"L"}}, Price: eur(2500), Free: 2, Stale: true},
	}}}
	r := s.Rows(words.For("en"))[0]
	if r.Price != "€25.00 – €27.00" || r.One || r.Sizes[1].Label != "M / Blue" {
		t.Errorf("%+v", r)
	}
	if a, b, c := r.Sizes[0], r.Sizes[1], r.Sizes[2]; !a.Free || a.Line || b.Free || !b.Line || b.Wait || c.Free || c.Line {
		t.Errorf("%+v", r.Sizes)
	}
	if s.Mark(chat.Viewer{ID: "a"}) != s.Mark(chat.Viewer{ID: "a", Name: "Ana"}) {
		t.Error("a name changes what somebody has")
	}
}

// A shop that was restored from a backup sells nothing until it is known what was sold since. What is first paid, first served
// says so, and caps are told.
func TestTerms(t *testing.T) {
	var s stand.Stand
	s.Show.State, s.Show.Cap = commerce.ShowLive, 2
	s.Items = []commerce.ItemView{{
		Item: commerce.Item{Number: 3, Cap: 3, FirstPaid: true, Product: commerce.Product{Title: "Mug"}}, Free: 5, Stock: []commerce.VariantView{{Free: 5}},
	}}
	r := s.Rows(words.For("en"))[0]
	if r.Terms != "First paid, first served: nothing is set aside · at most 3 each" || len(r.Amounts) != 2 || !r.Claimable {
		t.Errorf("%+v", r)
	}
	s.Restored = time.Now()
	if r := s.Rows(words.For("en"))[0]; r.Claimable {
		t.Errorf("claimable after a restore: %+v", r)
	}
}
