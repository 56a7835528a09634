package desk

import (
	"errors"
	"net/http"

	"hawker/commerce"
	"hawker/internal/live"
	"hawker/web/desk/chatspage"
	"hawker/web/ui"
)

// mountChats puts the page of chats into a mux, and gives a guard after which every page knows where the bot is silent.
func (d *Desk) mountChats(mux *http.ServeMux, guard Guard) (Guard, error) {
	d.chats = &chatspage.Pages{DB: d.DB, Hub: d.Hub, Kit: d.Kit, Log: d.Log, Permission: d.Permission, Connect: func(name string) (string, bool) {
		c, ok := d.Connects[name]
		if c.Code != nil { // then there is a way, whatever is not set
			return "", ok
		}
		return c.Needs, ok
	}}
	routes, err := d.chats.Open()
	if err != nil {
		return nil, err
	}
	alarmed := func(right Right, h Handler) http.Handler {
		return guard(right, func(w http.ResponseWriter, r *http.Request, v *Visitor) (err error) {
			if r.Method == http.MethodGet {
				if v.alarm, err = d.chats.Alarm(r.Context(), v.Merchant, v.Place); err != nil && !errors.Is(err, live.ErrNotHere) {
					return err
				}
			}
			return h(w, r, v)
		})
	}
	mountSection(mux, alarmed, "", routes)
	return alarmed, nil
}

// veto stops a shout-out that waits, or takes the name out of it.
func (d *Desk) veto(w http.ResponseWriter, r *http.Request, v *Visitor) error {
	id, err := showID(r)
	if err != nil {
		return err
	}
	shout, err := commerce.ParseID(r.PostFormValue("shout"))
	if err != nil {
		return ui.Problem(http.StatusBadRequest, "Which shout-out is meant?")
	}
	err = d.Hub.Veto(r.Context(), v.Merchant.ID, shout, r.PostFormValue("whole") == "1", v.Member.Email)
	if errors.Is(err, live.ErrNotFound) {
		return ui.Problem(http.StatusConflict, "That shout-out is out already.")
	} else if err != nil {
		return err
	}
	return d.shown(w, r, v, id)
}
