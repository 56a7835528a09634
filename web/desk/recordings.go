package desk

import (
	"net/http"

	"hawker/web/desk/recordings"
)

// mountRecordings puts the pages of recordings into a mux. They tell what was paid, so they are for who sets shows up.
func (d *Desk) mountRecordings(mux *http.ServeMux, guard Guard) error {
	p := &recordings.Pages{DB: d.DB, Kit: d.Kit, Shelf: d.Recordings}
	routes, err := p.Open()
	if err != nil {
		return err
	}
	for _, x := range routes {
		mux.Handle(x.Pattern, guard(Plan, func(w http.ResponseWriter, r *http.Request, v *Visitor) error {
			rv := &recordings.Visitor{Merchant: v.Merchant, Place: v.Place}
			frame(r, v, "recordings", &rv.Frame)
			return x.Handle(w, r, rv)
		}))
	}
	return nil
}
