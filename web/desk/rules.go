package desk

import (
	"net/http"

	"hawker/web/desk/rulepage"
)

// mountRules puts the pages of rules into a mux: everybody who sees the desk sees them, and who has the right changes them.
func (d *Desk) mountRules(mux *http.ServeMux, guard Guard) error {
	p := &rulepage.Pages{DB: d.DB, Hub: d.Hub, Kit: d.Kit, Log: d.Log, Trials: d.Trials}
	routes, err := p.Open()
	if err != nil {
		return err
	}
	mountSection(mux, guard, "", routes)
	return nil
}
