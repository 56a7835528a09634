// Package stock is what may be sold of a variant.
package stock

import (
	"time"

	"hawker/commerce/id"
)

// ContainedAfter is how much later than an order or draft a reading must be to contain it for certain. Both times are
// the store's own clock.
const ContainedAfter = 5 * time.Second

// Stock is what may be sold of a variant. For each variant held + sold <= available + short always; the database
// refuses anything else.
type Stock struct {
	Variant id.ID
	// Available is what the store would sell; Held and Sold count only what that figure does not lack yet. Short is by how
	// much the store has fewer than were promised. Safety pieces are never offered.
	Available, Held, Sold, Short, Safety int64
	// Endless means the store does not count it.
	Endless bool
	// Read is when the store was last read, by its clock; zero for a merchant's own stock. Seen is the same by our clock and
	// in memory only: after a start the store is read before it is sold from.
	Read, Seen time.Time
}

// Free is how many pieces can be claimed now, -1 when there is no end of them.
func (s *Stock) Free() int64 {
	if s.Endless {
		return -1
	}
	if s.Short > 0 {
		return 0
	}
	return max(0, s.Available-s.Held-s.Sold-s.Safety)
}

// Take is how many of n pieces can be taken now.
func (s *Stock) Take(n int) int {
	if free := s.Free(); free >= 0 {
		return int(min(int64(n), free))
	}
	return n
}

// Contains reports whether the stock figure read for a variant lacks what was made in the store at time t.
func (s *Stock) Contains(t time.Time) bool {
	return !s.Read.IsZero() && t.Add(ContainedAfter).Before(s.Read)
}

// Stale reports whether the stock of a store's variant was not read for too long to sell it.
func (s *Stock) Stale(now time.Time) bool {
	return !s.Read.IsZero() && now.Sub(s.Seen) > StaleAfter
}

// StaleAfter is how old a reading of the store may get before its items pause (product rule: no blind sales).
const StaleAfter = 2 * time.Minute

// Reading is what the store says of the stock of one variant.
type Reading struct {
	Variant   id.ID
	Available int64 // pieces that the store would sell now; negative when oversold there
	// At is the store's own clock (HTTP Date of the answer).
	At time.Time
	// Endless is set when the store does not count this variant or sells below zero.
	Endless bool
}
