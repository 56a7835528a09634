package viewer

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"hawker/commerce"
	"hawker/internal/lang"
	"hawker/internal/live"
	"hawker/internal/seal"
	"hawker/internal/sqldb"
	"hawker/web/ui"
	"hawker/web/viewer/shout"
	"hawker/web/viewer/stand"
	"hawker/web/viewer/words"
)

// shoutLook is how exactly a card of the overlay ends.
const shoutLook = 500 * time.Millisecond

// overlayPage is what OBS lays over the picture. It is empty when there is nothing to show.
type overlayPage struct {
	W       *words.Words
	OnAir   *stand.Item
	Command string // what to type
	Shout   *shout.Card
	Card    *cardView
}

// mute, in an address of the overlay, leaves the sounds of cards out: for a second source of the same scene.
const mute = "mute"

func muted(r *http.Request) bool { return r.URL.Query().Has(mute) }

// command is what a viewer types for an item.
func command(number int) string { return "!buy " + strconv.Itoa(number) }

// openOverlay finds the show of an address.
func (p *Pages) openOverlay(r *http.Request, v *visit) error {
	text := r.PathValue("token")
	if !seal.ValidToken(text) {
		return errGone
	}
	merchant, show, err := p.DB.OverlayOf(r.Context(), seal.Token(text))
	if sqldb.IsNotFound(err) {
		return errGone
	}
	if err != nil {
		return err
	}
	if v.merchant, err = p.DB.Merchant(r.Context(), merchant); err != nil {
		return err
	}
	v.show, v.words, v.zone, v.home = show, words.For(v.merchant.Language), time.UTC, "/overlay/"+text
	return nil
}

// overlay shows the page.
func (p *Pages) overlay(w http.ResponseWriter, r *http.Request, v *visit) error {
	if err := p.openOverlay(r, v); err != nil {
		return err
	}
	s, err := p.stands.Look(r.Context(), v.merchant.ID, v.show)
	if err != nil {
		return err
	}
	f := v.bare(ui.Overlay, "Overlay")
	f.Private, f.Framed, f.Sounds, f.Stream = true, true, !muted(r), v.home+"/events"
	if muted(r) {
		f.Stream += "?" + mute
	}
	p.pages.Render(w, r, "overlay", f, v.overlayPage(s, nil))
	return nil
}

func (v *visit) overlayPage(s *stand.Stand, shout *shout.Card) overlayPage {
	o := overlayPage{W: v.words, Shout: shout}
	if s.Show.State != commerce.ShowLive {
		return o
	}
	for _, it := range s.Rows(v.words) {
		if it.OnAir {
			o.OnAir, o.Command = &it, lang.Fill(v.words.TypeLine, "cmd", command(it.Number))
		}
	}
	return o
}

// overlayEvents streams the overlay. Its pace is kept here, so that every source of OBS shows the same card at once.
func (p *Pages) overlayEvents(w http.ResponseWriter, r *http.Request, v *visit) error {
	if err := p.openOverlay(r, v); err != nil {
		return err
	}
	watch, silent, key := p.signals(v), muted(r), "overlay/"+v.show.String()
	if silent {
		key += "/" + mute
	}
	return p.Kit.Casts.Serve(w, r, key, ui.Source{
		Watch: func(tell func(live.Signal)) (func(), error) {
			return watch(func(s live.Signal) {
				if s.Shout != nil {
					p.shouts.Of(v.show).Add(*s.Shout)
				}
				if s.Card != nil {
					p.cards.put(v.show, *s.Card, time.Now())
				}
				tell(s)
			})
		},
		Render: func(ctx context.Context) ([]ui.Part, error) {
			s, err := p.stands.Shared(ctx, v.merchant.ID, v.show)
			if err != nil {
				return nil, err
			}
			o := v.overlayPage(s, p.shouts.Of(v.show).Card(time.Now(), v.words))
			if o.Card = p.cards.at(v.show, time.Now()); o.Card != nil && silent {
				o.Card.Sound = ""
			}
			air, err := p.pages.Part("overlay", "onair", o)
			if err != nil {
				return nil, err
			}
			shout, err := p.pages.Part("overlay", "shout", o)
			if err != nil {
				return nil, err
			}
			card, err := p.pages.Part("overlay", "card", o)
			return []ui.Part{{Target: "#onair", HTML: air}, {Target: "#shout", HTML: shout}, {Target: "#card", HTML: card}}, err
		},
		Every: shoutLook,
	}, nil)
}
