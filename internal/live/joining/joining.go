// Package joining binds browsers to the viewers who sit at them, and makes one person of a viewer's accounts on several platforms.
package joining

import (
	"context"
	"errors"
	"time"

	"hawker/commerce"
	"hawker/internal/chat"
	"hawker/internal/live/codes"
	"hawker/internal/seal"
	"hawker/internal/sqldb"
)

// UnjoinFor is how long joining two accounts can be undone (product rule).
const UnjoinFor = 24 * time.Hour

// Errors for the viewer.
var (
	ErrNobody   = errors.New("nobody typed the code of this page yet")
	ErrNotTheir = errors.New("no account of theirs that can be taken out")
)

// Joining is what a browser's page asks: does the viewer who typed its code sit here?
type Joining struct {
	Typed chat.Viewer
	// Own is whom the browser acts for already, then Typed is joined to that person; zero when the browser is only bound.
	Own chat.Viewer
}

// Joined is an account that was joined to a person and can be taken out again until a time.
type Joined struct {
	Viewer chat.Viewer
	Until  time.Time
}

// Desk is where it is done for one merchant.
type Desk struct {
	Merchant commerce.ID
	DB       *sqldb.DB
	Codes    *codes.Codes
	// Person is the person that a viewer counts as; Bind makes a viewer that of a person, or with none their own.
	Person func(ctx context.Context, v chat.Viewer) (string, error)
	Bind   func(ctx context.Context, b commerce.Bind) error
}

func same(a, b chat.Viewer) bool { return a.Platform == b.Platform && a.ID == b.ID }

// Asked is what the browser's page asks, after somebody typed its code; false when nobody did.
func (d *Desk) Asked(ctx context.Context, browser seal.Token) (Joining, bool) {
	typed, ok := d.Codes.Waiting(browser, time.Now())
	if !ok {
		return Joining{}, false
	}
	own, err := d.DB.ViewerOfBrowser(ctx, d.Merchant, browser)
	if err != nil || same(own, typed) {
		own = chat.Viewer{}
	}
	return Joining{Typed: typed, Own: own}, true
}

// Confirm takes the answer of a browser's page. With yes, a browser that acts for nobody acts for the viewer who typed its code
// from now on; of one that acts for a viewer already, the viewer who typed becomes the same person, so that caps and places in
// line count them together. With no it is forgotten that somebody typed. Errors: ErrNobody, the database's own.
func (d *Desk) Confirm(ctx context.Context, browser seal.Token, yes bool) error {
	v, ok := d.Codes.Waiting(browser, time.Now())
	if !ok {
		return ErrNobody
	}
	if yes {
		if err := d.join(ctx, browser, v); err != nil {
			return err
		}
	}
	d.Codes.Take(browser)
	return nil
}

func (d *Desk) join(ctx context.Context, browser seal.Token, v chat.Viewer) error {
	own, err := d.DB.ViewerOfBrowser(ctx, d.Merchant, browser)
	switch {
	case sqldb.IsNotFound(err):
		return d.DB.BindBrowser(ctx, d.Merchant, browser, v)
	case err != nil:
		return err
	case same(own, v):
		return nil
	}
	person, err := d.Person(ctx, own)
	if err != nil {
		return err
	}
	return d.Bind(ctx, commerce.Bind{Viewer: v, Person: person})
}

// JoinedOf are the accounts that were joined to the person of a viewer and can still be taken out, the newest first.
func (d *Desk) JoinedOf(ctx context.Context, v chat.Viewer) ([]Joined, error) {
	person, err := d.Person(ctx, v)
	if err != nil {
		return nil, err
	}
	binds, err := d.DB.JoinedTo(ctx, d.Merchant, person, time.Now().Add(-UnjoinFor))
	if err != nil {
		return nil, err
	}
	var out []Joined
	for _, b := range binds {
		if b.Viewer.Platform != chat.Room { // a browser's own claims went over to who sits at it
			out = append(out, Joined{b.Viewer, b.At.Add(UnjoinFor)})
		}
	}
	return out, nil
}

// Unjoin makes a viewer a person of their own again, with all that this viewer asked for. A browser may ask for it that acts for
// a viewer of the same person, for a day after the joining; else ErrNotTheir.
func (d *Desk) Unjoin(ctx context.Context, browser seal.Token, v chat.Viewer) error {
	own, err := d.DB.ViewerOfBrowser(ctx, d.Merchant, browser)
	if sqldb.IsNotFound(err) {
		return ErrNotTheir
	} else if err != nil {
		return err
	}
	all, err := d.JoinedOf(ctx, own)
	if err != nil {
		return err
	}
	for _, j := range all {
		if same(j.Viewer, v) {
			return d.Bind(ctx, commerce.Bind{Viewer: v})
		}
	}
	return ErrNotTheir
}
