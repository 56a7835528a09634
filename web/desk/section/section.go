// Package section is what the dashboard and a section of its pages know of each other.
package section

import (
	"net/http"
	"time"

	"hawker/internal/sqldb"
	"hawker/web/ui"
)

// Visitor is a member who is signed in, as a section sees them.
type Visitor struct {
	Member    sqldb.Member
	Merchant  sqldb.Merchant
	Place     *time.Location // the merchant's time zone
	Run, Plan bool           // may act on a running show; may set it up, and see keys
	Connect   bool           // may connect accounts
	Rules     bool           // may change rules; else they are only shown
	Frame     ui.Frame       // of members, without a title
}

// Need is what a member must be allowed to do.
type Need int

// The needs, as the dashboard knows them by its rights.
const (
	See Need = iota
	Run
	Plan
	Rules
)

// Route is an address with its page.
type Route struct {
	Pattern string
	Need    Need
	Handle  func(w http.ResponseWriter, r *http.Request, v *Visitor) error
}
