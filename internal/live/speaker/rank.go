package speaker

import "hawker/commerce"

// RankOf is the rank of the answer to an outcome.
func RankOf(o *commerce.Outcome) Rank {
	switch o.What {
	case commerce.Promoted:
		return RankPromoted
	case commerce.Reminded:
		return RankReminder
	case commerce.Extended:
		return RankHeld
	}
	switch o.Reason {
	case commerce.Held, commerce.PartlyHeld, commerce.Offered, commerce.Waitlisted, commerce.Changed, commerce.Passed:
		return RankHeld
	case commerce.SoldOut, commerce.Capped, commerce.Paused, commerce.Ended, commerce.NotOnSale:
		return RankNo
	}
	return RankInfo
}

// Joins reports whether an outcome may stand in one line with others.
func Joins(o *commerce.Outcome) bool {
	switch o.What {
	case commerce.Promoted, commerce.Reminded, commerce.Extended:
		return true
	case commerce.Claimed:
		switch o.Reason {
		case commerce.Held, commerce.PartlyHeld, commerce.Offered, commerce.Waitlisted, commerce.SoldOut, commerce.Capped, commerce.Changed, commerce.Passed:
			return true
		}
	}
	return false
}
