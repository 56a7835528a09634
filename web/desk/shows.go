package desk

import (
	"net/http"
	"slices"
	"time"

	"hawker/commerce"
	"hawker/web/ui"
)

// showsPage is the list of shows.
type showsPage struct {
	Live, Next, Past []showRow
	Plan             bool
	// Step is what to do first, until there is something to sell and a show to sell it in.
	Step *step
}

type showRow struct {
	ID                commerce.ID
	Title, Name, When string
	Items, Channels   int
	Paused            bool
}

// step is a next step as one button.
type step struct{ Text, Href, Button string }

func (d *Desk) shows(w http.ResponseWriter, r *http.Request, v *Visitor) error {
	shows, err := d.Hub.Shows(r.Context(), v.Merchant.ID)
	if err != nil {
		return err
	}
	p := showsPage{Plan: v.May(Plan)}
	for i := range shows {
		s := &shows[i]
		row := showRow{ID: s.ID, Title: s.Title, Name: s.Name, Items: len(s.Lineup.Items), Channels: len(s.Channels), Paused: s.Paused}
		switch s.State {
		case commerce.ShowLive:
			row.When = "since " + day(s.Started, v.Place)
			p.Live = append(p.Live, row)
		case commerce.ShowEnded:
			row.When = day(s.Ended, v.Place)
			p.Past = append(p.Past, row)
		default:
			p.Next = append(p.Next, row)
		}
	}
	if len(shows) == 0 {
		if p.Step, err = d.firstStep(r, v); err != nil {
			return err
		}
	}
	return d.render(w, r, v, "shows", "Shows", ui.Frame{}, p)
}

// firstStep is what a new merchant does next: something to sell, a chat to sell in, a show.
func (d *Desk) firstStep(r *http.Request, v *Visitor) (*step, error) {
	products, err := d.DB.Products(r.Context(), v.Merchant.ID)
	if err != nil {
		return nil, err
	}
	channels, err := d.DB.Channels(r.Context(), v.Merchant.ID)
	if err != nil {
		return nil, err
	}
	switch {
	case !v.May(Plan):
		return &step{"No show is planned yet. When the shop plans one, it appears here.", "", ""}, nil
	case len(products) == 0 && v.May(Store):
		return &step{"First, something to sell: connect your shop or write down what you have.", "/store", "Connect a store"}, nil
	case len(channels) == 0 && v.May(Connects):
		return &step{"You have something to sell. Now the chat that your viewers are in.", "/channels", "Connect a channel"}, nil
	}
	return &step{"Everything is there. Plan your first show.", "/shows/new", "Plan a show"}, nil
}

// day writes a time as the merchant reads it.
func day(t time.Time, place *time.Location) string {
	if t.IsZero() {
		return ""
	}
	return t.In(place).Format("2 Jan 2006, 15:04")
}

// clock writes the time of day.
func clock(t time.Time, place *time.Location) string {
	if t.IsZero() {
		return "–"
	}
	return t.In(place).Format("15:04:05")
}

// nextOf is the item after the one on air that is for sale, the first after the last; nil when there is none.
func nextOf(items []commerce.ItemView, onAir int) *commerce.ItemView {
	at := slices.IndexFunc(items, func(x commerce.ItemView) bool { return x.Number == onAir })
	for i := range items {
		if it := &items[(at+1+i)%len(items)]; !it.Closed && it.Number != onAir {
			return it
		}
	}
	return nil
}
