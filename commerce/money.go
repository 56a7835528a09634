package commerce

import "hawker/commerce/money"

// Money is an amount in the minor unit of its currency: 1999 EUR is 19.99, 1999 JPY is 1999.
type Money = money.Money

// ParseMoney reads a decimal amount such as "19.99"; see money.Parse.
func ParseMoney(decimal, currency string) (Money, error) { return money.Parse(decimal, currency) }
