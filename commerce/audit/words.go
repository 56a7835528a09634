package audit

import (
	"fmt"
	"strconv"
	"time"
)

// Sentences say what was proved, for people; times are shown in place.
func (p *Report) Sentences(place *time.Location) []string {
	if p.Entries == 0 {
		return []string{"The ledger is empty: nothing was decided yet."}
	}
	at := func(t time.Time) string { return t.In(place).Format("2 January 2006 15:04:05") }
	out := []string{
		fmt.Sprintf("%s, from %s to %s: none was changed, left out or put in (a chain of SHA-256).", Count(p.Entries, "entry", "entries"), at(p.From), at(p.To)),
		fmt.Sprintf("Never oversold: held + sold was at most available + short in %s, for %s.", Count(p.Checked, "stock figure", "stock figures"),
			Count(p.Variants, "variant", "variants")),
	}
	if p.Decisions > 0 {
		out = append(out, fmt.Sprintf("%s decided, each message once.", Count(p.Decisions, "message was", "messages were")))
	}
	opened := Count(p.Holds+p.Offers, "hold", "holds")
	if p.Offers > 0 {
		opened += fmt.Sprintf(" (%s of them first paid, first served)", number(p.Offers))
	}
	paid := number(p.Paid) + " paid"
	if p.Late > 0 {
		paid += fmt.Sprintf(" (%s after the end)", number(p.Late))
	}
	out = append(out, fmt.Sprintf("%s, each opened once and ended once at most: %s, %s expired, %s given back, %s taken back, %s still open.",
		opened, paid, number(p.Expired), number(p.Passed), number(p.Released), number(p.Open)))
	if p.Orders > 0 {
		s := Count(p.Orders, "order was", "orders were") + " paid"
		if p.Undone > 0 {
			s += fmt.Sprintf(", %s cancelled or refunded later", number(p.Undone))
		}
		out = append(out, s+".")
	}
	return out
}

// Head is the hash of the last entry in hex: who wrote it down can tell later that nothing before it was changed.
func (p *Report) Head() string { return hexHash(p.Hash) }

// Count says how many: "1 entry", "1,234 entries".
func Count(n int64, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return number(n) + " " + many
}

// number writes 1234567 as 1,234,567.
func number(n int64) string {
	s := strconv.FormatInt(n, 10)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
