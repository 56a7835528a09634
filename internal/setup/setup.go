// Package setup reads the one YAML file that sets a merchant up, brings a merchant to what it says, and writes it back.
// It also hashes the passwords of members, which stand in the file as names of environment variables.
//
// What the file leaves out stays as it is, applying twice changes nothing, and a file with a fault changes nothing: all
// faults are found before the first write. The writes themselves are not one transaction: an error halfway (a full disk, a
// lost database) leaves a part, and applying again does the rest.
//
// Secrets stand in the file as names of environment variables, in keys that end in _env. A secret is written when its
// variable says something else than at the last apply. So a token that was renewed meanwhile, a password that a member
// changed, and stock that was sold since are not set back by applying the same file again.
package setup

import (
	"context"
	"sync"

	"hawker/commerce"
	"hawker/internal/live"
	"hawker/internal/plain"
	"hawker/internal/sqldb"
)

// Pos, Fault and Faults say what is wrong with a file, and where.
type (
	Pos    = plain.Pos
	Fault  = plain.Fault
	Faults = plain.Faults
)

// Setup applies files. DB, Hub and Getenv are needed; the hub must be running, because it alone changes shows and stock.
type Setup struct {
	DB  *sqldb.DB
	Hub *live.Hub
	// Getenv reads the variables that a file names, such as os.Getenv.
	Getenv func(string) string
	// Catalogue reads the products of a Shopify store. It is asked when a file names a product that is not known yet, before
	// anything is written: the merchant and the store may not be in the database. Its products need no IDs.
	Catalogue func(ctx context.Context, merchant commerce.ID, store sqldb.Store) ([]commerce.Product, error)
	// Ingest is the server that encoders send video to, for the report.
	Ingest string

	mu sync.Mutex // one apply at a time
}

// Report is what a file came to.
type Report struct {
	Merchant  string   `json:"merchant"`  // its slug
	Dashboard string   `json:"dashboard"` // address
	Ingest    string   `json:"ingest"`    // address of the server that encoders send to
	Shows     []Show   `json:"shows"`     // all that are not over, those of the file first
	Changes   []string `json:"changes"`   // what was made or changed, in order; empty when the file said nothing new
	Notes     []string `json:"notes"`     // what is left to do for somebody
}

// Show is a show in a Report.
type Show struct {
	Name    string `json:"name"`
	Live    bool   `json:"live"`
	Room    string `json:"room"`    // address for viewers
	Desk    string `json:"desk"`    // address of its page in the dashboard
	Overlay string `json:"overlay"` // address for the broadcasting program; whoever has it sees the overlay
}
