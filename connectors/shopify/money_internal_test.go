package shopify

import (
	"math/big"
	"strings"
	"testing"

	"hawker/commerce"
)

// Money is read exactly or not at all: what was read, written again, is the same number.
func FuzzMoney(f *testing.F) {
	for _, s := range []string{"19.0", "19.00", "0.5", "-3.10", "120", "1900.000", "999999999999999.99", "1e5", ".5", "5.", " 7.10", "0x10", "1_0"} {
		for _, c := range []string{"EUR", "JPY", "KWD"} {
			f.Add(s, c)
		}
	}
	f.Fuzz(func(t *testing.T, amount, currency string) {
		m, err := moneyNode{amount, currency}.money()
		if err != nil {
			return
		}
		if m.Currency != currency {
			t.Fatalf("%q in %q = %+v", amount, currency, m)
		}
		in, ok := new(big.Rat).SetString(strings.TrimSpace(amount))
		out, ok2 := new(big.Rat).SetString(m.Decimal())
		if !ok || !ok2 || in.Cmp(out) != 0 {
			t.Fatalf("%q %s was read as %s", amount, currency, m.Decimal())
		}
		again, err := commerce.ParseMoney(m.Decimal(), currency)
		if err != nil || again != m {
			t.Fatalf("%s %s, read again, is %+v, %v", m.Decimal(), currency, again, err)
		}
	})
}
