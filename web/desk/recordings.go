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
	mountSection(mux, guard, "recordings", routes)
	return nil
}
