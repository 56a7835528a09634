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
	for _, x := range routes {
		right := See
		if x.Edit {
			right = Rules
		}
		mux.Handle(x.Pattern, guard(right, func(w http.ResponseWriter, r *http.Request, v *Visitor) error {
			rv := &rulepage.Visitor{Member: v.Member, Merchant: v.Merchant, Place: v.Place, Edit: v.May(Rules)}
			frame(r, v, "", &rv.Frame)
			return x.Handle(w, r, rv)
		}))
	}
	return nil
}
