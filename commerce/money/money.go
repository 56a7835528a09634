// Package money is amounts in the minor unit of their currency: exact, never rounded. It converts nothing.
package money

import (
	"fmt"
	"strconv"
	"strings"
)

// Money is an amount in the minor unit of its currency: 1999 EUR is 19.99, 1999 JPY is 1999.
type Money struct {
	Minor    int64  `json:"minor"`
	Currency string `json:"currency"` // ISO 4217, upper case
}

// exponent is the number of decimal digits of a currency's minor unit (ISO 4217, List One).
func exponent(currency string) int {
	switch currency {
	case "BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "UYI", "VND", "VUV", "XAF", "XOF", "XPF":
		return 0
	case "BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND":
		return 3
	case "CLF", "UYW":
		return 4
	}
	return 2
}

// Decimal is the amount as a decimal number without its currency, for example "19.99".
func (m Money) Decimal() string {
	e := exponent(m.Currency)
	sign, n := "", m.Minor
	if n < 0 {
		sign = "-"
	}
	digits := strings.TrimPrefix(strconv.FormatInt(n, 10), "-")
	if e == 0 {
		return sign + digits
	}
	for len(digits) <= e {
		digits = "0" + digits
	}
	return sign + digits[:len(digits)-e] + "." + digits[len(digits)-e:]
}

// String is the amount for people: a sign where the currency has a common one before the number, else the ISO code
// behind it, for example "€19.99" and "120.00 SEK".
func (m Money) String() string {
	sign := ""
	switch m.Currency {
	case "EUR":
		sign = "€"
	case "USD":
		sign = "$"
	case "GBP":
		sign = "£"
	case "JPY":
		sign = "¥"
	case "":
		return m.Decimal()
	default:
		return m.Decimal() + " " + m.Currency
	}
	if m.Minor < 0 {
		return "-" + sign + Money{-m.Minor, m.Currency}.Decimal()
	}
	return sign + m.Decimal()
}

// Times is the amount n times over.
func (m Money) Times(n int) Money { return Money{m.Minor * int64(n), m.Currency} }

// Parse reads a decimal amount such as "19.99" or "19.9" in the currency's own precision. More digits than the
// currency has are an error unless they are zeros, so that nothing is ever rounded.
func Parse(decimal, currency string) (Money, error) {
	bad := func() (Money, error) {
		return Money{}, fmt.Errorf("amount %q %s: not a decimal number", decimal, currency)
	}
	s := strings.TrimSpace(decimal)
	neg := strings.HasPrefix(s, "-")
	s = strings.TrimPrefix(s, "-")
	whole, frac, _ := strings.Cut(s, ".")
	if whole == "" || len(whole) > 15 || strings.Trim(whole+frac, "0123456789") != "" {
		return bad()
	}
	e := exponent(currency)
	for len(frac) < e {
		frac += "0"
	}
	if strings.Trim(frac[e:], "0") != "" {
		return Money{}, fmt.Errorf("amount %q: %s has %d decimal digits", decimal, currency, e)
	}
	n, err := strconv.ParseInt(whole+frac[:e], 10, 64)
	if err != nil {
		return bad()
	}
	if neg {
		n = -n
	}
	return Money{n, currency}, nil
}
