package desk

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"hawker/commerce"
	"hawker/internal/chat"
	"hawker/internal/live"
	"hawker/internal/seal"
	"hawker/web/ui"
)

// act carries a change of a show out and answers with the desk as it then stands, so that a tap is answered at once even
// where a proxy holds the stream back.
func (d *Desk) act(w http.ResponseWriter, r *http.Request, v *Visitor, id commerce.ID, k commerce.Key, req commerce.Request) error {
	if _, err := d.Hub.Ask(r.Context(), v.Merchant.ID, k, req); err != nil {
		return err
	}
	return d.shown(w, r, v, id)
}

// newKey is the random id of forms.
func newKey() string { return seal.NewToken().Reveal() }

// keysMost bounds how many ids one form may carry: its own, and its page's.
const keysMost = 2

// key is the key of a form: the random id in it, so that a second tap and a repeated request change nothing more, and a hash
// of who asks for what, so that the ids of one page name different wishes. A form without an id is decided as often as it comes.
func key(r *http.Request, v *Visitor, what ...any) commerce.Key {
	if err := r.ParseForm(); err != nil {
		return commerce.Key{}
	}
	ids := r.PostForm["key"]
	if len(ids) == 0 || len(ids) > keysMost || slices.ContainsFunc(ids, func(id string) bool { return !seal.ValidToken(id) }) {
		return commerce.Key{}
	}
	sum := sha256.Sum256(fmt.Append(nil, ids, v.Member.ID, what))
	return commerce.Key{Platform: chat.Room, Message: "desk-" + hex.EncodeToString(sum[:16])}
}

// shown answers with the show as it stands now, and with a new id for the page's next form.
func (d *Desk) shown(w http.ResponseWriter, r *http.Request, v *Visitor, id commerce.ID) error {
	if !ui.Hx(r) {
		return done(w, r, "/shows/"+id.String())
	}
	parts, err := d.parts(r.Context(), v, id)
	if err != nil {
		return err
	}
	once, err := d.pages.Part("show", "key", newKey())
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, err = w.Write(ui.Partials(append(parts, ui.Part{Target: "#once", Swap: "innerHTML", HTML: once})...))
	return err
}

// air puts an item on air; number 0 takes the item off.
func (d *Desk) air(w http.ResponseWriter, r *http.Request, v *Visitor) error {
	id, err := showID(r)
	if err != nil {
		return err
	}
	n, err := number(r, "number", 0, 1<<30)
	if err != nil {
		return err
	}
	k := key(r, v, "air", id, n)
	return d.act(w, r, v, id, k, commerce.Air{Key: k, Show: id, Number: n})
}

// gate closes or opens an item, or with number 0 pauses or resumes the show.
func (d *Desk) gate(w http.ResponseWriter, r *http.Request, v *Visitor) error {
	id, err := showID(r)
	if err != nil {
		return err
	}
	n, err := number(r, "number", 0, 1<<30)
	if err != nil {
		return err
	}
	closed := r.PostFormValue("closed") == "1"
	k := key(r, v, "gate", id, n, closed)
	return d.act(w, r, v, id, k, commerce.Gate{Key: k, Show: id, Number: n, Closed: closed})
}

// openHold is the open hold that a form names, with its show as it stands.
func (d *Desk) openHold(r *http.Request, v *Visitor) (s live.ShowPage, h *commerce.HoldView, err error) {
	id, err := showID(r)
	if err != nil {
		return s, nil, err
	}
	hold, err := commerce.ParseID(r.PostFormValue("hold"))
	if err != nil {
		return s, nil, ui.Problem(http.StatusBadRequest, "Which hold is meant?")
	}
	if s, err = d.Hub.Page(r.Context(), v.Merchant.ID, id); err != nil {
		return s, nil, err
	}
	for _, x := range slices.Concat(s.Open, s.Offers) {
		if x.ID == hold {
			return s, &x, nil
		}
	}
	return s, nil, ui.Problem(http.StatusConflict, "That hold is not open any more.")
}

// release takes a hold back. A second tap on the same button is answered like the first.
func (d *Desk) release(w http.ResponseWriter, r *http.Request, v *Visitor) error {
	s, h, err := d.openHold(r, v)
	k := key(r, v, "release", r.PostFormValue("hold"))
	by := "member/" + v.Member.ID.String()
	if err != nil {
		if s.Show.ID == 0 || k.Message == "" {
			return err
		}
		hold, _ := commerce.ParseID(r.PostFormValue("hold")) // openHold has read it
		if o, again := d.Hub.Ask(r.Context(), v.Merchant.ID, k, commerce.Release{Key: k, Hold: hold, By: by}); again != nil || !o.Repeat {
			return err
		}
		return d.shown(w, r, v, s.Show.ID)
	}
	return d.act(w, r, v, s.Show.ID, k, commerce.Release{Key: k, Hold: h.ID, By: by})
}

// paid settles a hold that no store takes the payment of: the host has the money.
func (d *Desk) paid(w http.ResponseWriter, r *http.Request, v *Visitor) error {
	s, h, err := d.openHold(r, v)
	if err != nil {
		return err
	}
	if !byHand(&s, h) {
		return ui.Problem(http.StatusConflict, "The store takes this payment and tells us of it.")
	}
	now, own := time.Now(), "own/"+h.Variant.String()
	return d.act(w, r, v, s.Show.ID, commerce.Key{}, commerce.Paid{Order: commerce.Order{
		Store: "hand/" + h.ID.String(), Name: fmt.Sprintf("hand-%04x", int64(h.ID)&0xffff), State: commerce.OrderPaid, Total: h.Total(),
		Lines: []commerce.OrderLine{{Variant: own, Quantity: h.Quantity, Price: h.Price}}, Holds: []commerce.ID{h.ID}, Created: now, Updated: now,
	}, Variants: map[string]commerce.ID{own: h.Variant}})
}

// stock changes how many pieces of a variant of the merchant's own are for sale: "+1", "-1", or a number.
func (d *Desk) stock(w http.ResponseWriter, r *http.Request, v *Visitor) error {
	id, err := showID(r)
	if err != nil {
		return err
	}
	variant, err := commerce.ParseID(r.PostFormValue("variant"))
	if err != nil {
		return ui.Problem(http.StatusBadRequest, "Which variant is meant?")
	}
	s, err := d.Hub.Page(r.Context(), v.Merchant.ID, id)
	if err != nil {
		return err
	}
	for i := range s.Items {
		x := s.Items[i].Variant(variant)
		if x == nil {
			continue
		}
		req, err := stockOf(variant, r.PostFormValue("stock"))
		if err != nil {
			return err
		}
		req.Key = key(r, v, "stock", variant, r.PostFormValue("stock"))
		if x.Inventory != "" {
			return d.storeStock(w, r, v, id, req)
		}
		return d.act(w, r, v, id, req.Key, req)
	}
	return live.ErrNotFound
}

// storeStock changes the stock of a store's variant in the store, by a number more or fewer: what is left there is the
// store's to know, so it is never set.
func (d *Desk) storeStock(w http.ResponseWriter, r *http.Request, v *Visitor, show commerce.ID, req commerce.SetStock) error {
	if req.Add == 0 {
		return ui.Problem(http.StatusBadRequest, "This stock is the store's. Say how many more or fewer, for example +5.")
	}
	err := d.Hub.AdjustStock(r.Context(), v.Merchant.ID, req.Variant, req.Add, cmp.Or(req.Key.Message, newKey()))
	if errors.Is(err, live.ErrNoStore) {
		return ui.Problem(http.StatusConflict, "This stock is the store's, and the store is not connected now.")
	}
	if _, _, known := ui.Explain(err); err != nil && !known {
		d.Log.WarnContext(r.Context(), "stock not changed in the store", "err", err)
		return ui.Problem(http.StatusBadGateway, "The store did not change its stock: "+err.Error())
	}
	if err != nil {
		return err
	}
	return d.shown(w, r, v, show)
}

// keep changes how many pieces of each variant of an item are kept back: they are never offered, in no show.
func (d *Desk) keep(w http.ResponseWriter, r *http.Request, v *Visitor) error {
	id, err := showID(r)
	if err != nil {
		return err
	}
	n, err := number(r, "number", 1, 1<<30)
	if err != nil {
		return err
	}
	kept, err := strconv.ParseInt(strings.TrimSpace(r.PostFormValue("kept")), 10, 32)
	if err != nil || kept < 0 || kept > 1_000_000 {
		return ui.Problem(http.StatusBadRequest, "The number of pieces to keep back is a whole number from 0 to 1,000,000.")
	}
	s, err := d.Hub.Page(r.Context(), v.Merchant.ID, id)
	if err != nil {
		return err
	}
	it := s.Show.Lineup.Item(n)
	if it == nil {
		return live.ErrNotFound
	}
	for i := range it.Product.Variants {
		x := it.Product.Variants[i].ID
		k := key(r, v, "keep", x, kept)
		if _, err := d.Hub.Ask(r.Context(), v.Merchant.ID, k, commerce.SetStock{Key: k, Variant: x, Safety: &kept}); err != nil {
			return err
		}
	}
	return d.shown(w, r, v, id)
}

func stockOf(variant commerce.ID, text string) (commerce.SetStock, error) {
	text = strings.TrimSpace(text)
	n, err := strconv.ParseInt(text, 10, 32)
	if err != nil || n > 1_000_000 || n < -1_000_000 {
		return commerce.SetStock{}, ui.Problem(http.StatusBadRequest, "The number of pieces is a whole number up to 1,000,000.")
	}
	if strings.HasPrefix(text, "+") || n < 0 {
		return commerce.SetStock{Variant: variant, Add: n}, nil
	}
	return commerce.SetStock{Variant: variant, Available: &n}, nil
}

// start makes a planned show live.
func (d *Desk) start(w http.ResponseWriter, r *http.Request, v *Visitor) error {
	return d.setState(w, r, v, commerce.ShowLive, "started")
}

// end ends a live show. Holds outlive it.
func (d *Desk) end(w http.ResponseWriter, r *http.Request, v *Visitor) error {
	return d.setState(w, r, v, commerce.ShowEnded, "ended")
}

func (d *Desk) setState(w http.ResponseWriter, r *http.Request, v *Visitor, to commerce.ShowState, said string) error {
	id, err := showID(r)
	if err != nil {
		return err
	}
	turn := d.turns.of(v.Merchant.ID)
	turn.Lock()
	defer turn.Unlock()
	s, err := d.find(r.Context(), v, id)
	if err != nil {
		return err
	}
	if s.State != to {
		if to == commerce.ShowLive {
			if err := d.mayStart(r.Context(), v, s); err != nil {
				return err
			}
		} else if s.State != commerce.ShowLive {
			return ui.Problem(http.StatusConflict, "The show is not live.")
		}
		s.State = to
		if err := d.put(r.Context(), v, s); err != nil {
			return err
		}
	}
	http.Redirect(w, r, "/shows/"+id.String()+"?said="+said, http.StatusSeeOther)
	return nil
}

// mayStart says what keeps a show from going live. A channel is in at most one live show.
func (d *Desk) mayStart(ctx context.Context, v *Visitor, s *commerce.Show) error {
	if s.State == commerce.ShowEnded {
		return ui.Problem(http.StatusConflict, "This show has ended. Plan a new one.")
	}
	if len(s.Lineup.Items) == 0 {
		return ui.Problem(http.StatusConflict, "There is nothing in the lineup yet. Add an item, then start the show.")
	}
	all, err := d.Hub.Shows(ctx, v.Merchant.ID)
	if err != nil {
		return err
	}
	names, err := d.channelNames(ctx, v.Merchant.ID)
	if err != nil {
		return err
	}
	for i := range all {
		if all[i].State != commerce.ShowLive || all[i].ID == s.ID {
			continue
		}
		for _, c := range all[i].Channels {
			for _, own := range s.Channels {
				if c == own {
					return ui.Problem(http.StatusConflict, c.Platform.Title()+" / "+names[c]+" is in the live show “"+all[i].Title+
						"”. End that one first, or take the channel out of this one.")
				}
			}
		}
	}
	return nil
}

// find is a show as the merchant's goroutine has it.
func (d *Desk) find(ctx context.Context, v *Visitor, id commerce.ID) (*commerce.Show, error) {
	p, err := d.Hub.Page(ctx, v.Merchant.ID, id)
	if err != nil {
		return nil, err
	}
	return &p.Show, nil
}

// reopen lets a shop sell again that was restored from a backup, before everything is known: somebody has to answer for that.
func (d *Desk) reopen(w http.ResponseWriter, r *http.Request, v *Visitor) error {
	id, err := showID(r)
	if err != nil {
		return err
	}
	if err := d.Hub.Reopen(r.Context(), v.Merchant.ID, "member/"+v.Member.ID.String()); err != nil {
		return err
	}
	http.Redirect(w, r, "/shows/"+id.String()+"?said=reopened", http.StatusSeeOther)
	return nil
}

// number reads a whole number of a form.
func number(r *http.Request, name string, low, high int) (int, error) {
	n, err := strconv.Atoi(strings.TrimSpace(r.PostFormValue(name)))
	if err != nil || n < low || n > high {
		return 0, ui.Problem(http.StatusBadRequest, "The form holds a number that makes no sense here.")
	}
	return n, nil
}
