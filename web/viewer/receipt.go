package viewer

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"hawker/commerce"
	"hawker/internal/chat"
	"hawker/internal/live"
	"hawker/internal/seal"
	"hawker/internal/sqldb"
	"hawker/web/proof"
	"hawker/web/ui"
	"hawker/web/viewer/words"
)

// receiptLook is how often open receipts look whether the code of their page was typed: outside a live show nothing tells.
const receiptLook = 2 * time.Second

// receiptPage is the page of one viewer: what is held, how long, and the way to pay.
type receiptPage struct {
	Act   string // the address that the form goes to
	Key   string // its random id
	Holds holdsView
	Box   boxView
	Proof string // which entry of the ledger the newest hold is, or empty
}

// proof says which ledger entry the newest hold is, as far as the last audit knows it.
func (p *Pages) proof(v *visit, x *commerce.ReceiptView) string {
	for i := len(x.Holds) - 1; i >= 0 && p.Proofs != nil; i-- {
		if seq, checked, ok := p.Proofs.Entry(v.merchant.ID, x.Holds[i].ID); ok {
			return proof.Sentence(v.words.Tag, seq, time.Since(checked))
		}
	}
	return ""
}

// openReceipt finds the receipt of an address.
func (p *Pages) openReceipt(w http.ResponseWriter, r *http.Request, v *visit) (commerce.ReceiptView, error) {
	var none commerce.ReceiptView
	text := r.PathValue("token")
	if !seal.ValidToken(text) {
		return none, errGone
	}
	merchant, id, err := p.DB.ReceiptOf(r.Context(), seal.Token(text))
	if sqldb.IsNotFound(err) {
		return none, errGone
	}
	if err != nil {
		return none, err
	}
	if err := p.enter(w, r, v, merchant, 0); err != nil {
		return none, err
	}
	v.home, v.token = "/c/"+text, text
	x, err := p.Hub.Receipt(r.Context(), merchant, id)
	if err != nil {
		return none, err
	}
	v.show, v.once = x.Show.ID, payOnce(&x.Show)
	return x, nil
}

// receipt shows the page. A private answer's link also says whose it is: that binds the browser, and the address is
// opened anew without it.
func (p *Pages) receipt(w http.ResponseWriter, r *http.Request, v *visit) error {
	x, err := p.openReceipt(w, r, v)
	if err != nil {
		return err
	}
	if own := r.URL.Query().Get("own"); own != "" {
		free, err := p.free(r.Context(), v, x.Receipt.Viewer)
		if err != nil {
			return err
		}
		if free && seal.ValidToken(own) && r.Method == http.MethodGet {
			err := p.Hub.Own(r.Context(), v.merchant.ID, x.Receipt.ID, seal.Token(own), v.browser)
			if err == nil {
				err = p.bind(r.Context(), v, x.Receipt.Viewer)
			}
			if err != nil && !errors.Is(err, live.ErrNotFound) { // a forged or old one binds nothing
				return err
			}
		}
		if number, amount, choose := asked(r); choose {
			v.home += "?item=" + number + "&n=" + strconv.Itoa(amount)
		}
		http.Redirect(w, r, v.home, http.StatusSeeOther)
		return nil
	}
	if _, _, choose := asked(r); choose {
		c, err := p.receiptChooser(r.Context(), v, &x)
		if err != nil {
			return err
		}
		return p.choose(w, r, v, c)
	}
	return p.showReceipt(w, r, v, x, "", 0)
}

// free reports whether a private link may bind this browser without asking. A link that somebody else sent must not make a
// browser that acts for one viewer, or holds something itself, act for another: its page then shows the code, and asks.
func (p *Pages) free(ctx context.Context, v *visit, owner chat.Viewer) (bool, error) {
	if v.bound.Platform != "" {
		return v.bound.Platform == owner.Platform && v.bound.ID == owner.ID, nil
	}
	mine, err := p.Hub.Cart(ctx, v.merchant.ID, v.show, v.guest)
	return mine == 0, err
}

// showReceipt renders the page, with what went wrong.
func (p *Pages) showReceipt(w http.ResponseWriter, r *http.Request, v *visit, x commerce.ReceiptView, trouble string, status int) error {
	page, err := p.receiptPage(r.Context(), v, x)
	if err != nil {
		return err
	}
	f := p.frame(w, r, v, v.words.Receipt)
	f.Stream, f.Private = v.home+"/events", true
	if trouble != "" {
		f.Trouble, f.Status = trouble, status
	}
	p.pages.Render(w, r, "receipt", f, page)
	return nil
}

func (p *Pages) receiptPage(ctx context.Context, v *visit, x commerce.ReceiptView) (*receiptPage, error) {
	may, err := p.may(ctx, v, x.Receipt.Viewer)
	if err != nil {
		return nil, err
	}
	page := &receiptPage{Act: v.home + "/act", Key: newKey(), Holds: v.holds(x)}
	page.Holds.Receipt, page.Holds.May, page.Proof = v.home, may, p.proof(v, &x)
	// A room's viewer types no codes: that receipt is its browser's alone.
	page.Box, err = p.box(ctx, v, !may && x.Receipt.Viewer.Platform != chat.Room || v.bound.Platform != "" && p.wantsCode(v), false)
	if may {
		page.Box.Forget = v.home + "/forget"
	}
	return page, err
}

// receiptParts are the partials of the page, rendered for one browser.
func (p *Pages) receiptParts(ctx context.Context, v *visit, id commerce.ID) ([]ui.Part, error) {
	x, err := p.Hub.Receipt(ctx, v.merchant.ID, id)
	if err != nil {
		return nil, err
	}
	page, err := p.receiptPage(ctx, v, x)
	if err != nil {
		return nil, err
	}
	holds, err := p.pages.Part("receipt", "receipt-holds", page.Holds)
	if err != nil {
		return nil, err
	}
	box, err := p.pages.Part("receipt", "box", page.Box)
	return []ui.Part{{Target: "#holds", HTML: holds}, {Target: "#box", HTML: box}}, err
}

// receiptEvents streams the page. All receipts of a show share one watch and one look; what each shows is its own.
func (p *Pages) receiptEvents(w http.ResponseWriter, r *http.Request, v *visit) error {
	x, err := p.openReceipt(w, r, v)
	if err != nil {
		return err
	}
	if _, _, choose := asked(r); choose {
		return p.chooseEvents(w, r, v, func(ctx context.Context) (chooser, error) { return p.receiptChooser(ctx, v, &x) })
	}
	l := p.looker(v)
	src := ui.Source{
		Watch: p.signals(v), Anybody: true,
		Render: func(ctx context.Context) ([]ui.Part, error) {
			_, err := p.stands.Shared(ctx, v.merchant.ID, v.show)
			return nil, err
		},
		Every: receiptLook,
	}
	return p.Kit.Casts.Serve(w, r, "receipts/"+v.show.String(), src, func(ctx context.Context) ([]ui.Part, error) {
		return l.own(ctx, func() []chat.Viewer { return []chat.Viewer{x.Receipt.Viewer} }, func(ctx context.Context) ([]ui.Part, error) {
			return p.receiptParts(ctx, v, x.Receipt.ID)
		})
	})
}

// leavePage takes the browser to the store. A form may not be redirected to another origin (CSP form-action), so that
// this page does it; a link stands beside it.
type leavePage struct {
	W         *words.Words
	URL, Home string
}

// checkout takes whoever has the address to the store.
func (p *Pages) checkout(w http.ResponseWriter, r *http.Request, v *visit) error {
	x, err := p.openReceipt(w, r, v)
	if err != nil {
		return err
	}
	to, err := p.Hub.Checkout(r.Context(), v.merchant.ID, x.Receipt.ID)
	var u *url.URL
	if err == nil {
		if u, err = url.Parse(to); err == nil && (u.Host == "" || u.Scheme != "https" && u.Scheme != "http") {
			err = errors.New("the store's checkout address is no web address")
		}
	}
	if err == nil {
		f := p.frame(w, r, v, v.words.Leaving)
		f.Private = true
		w.Header().Set("Refresh", "0; url="+u.String())
		p.pages.Render(w, r, "leave", f, leavePage{v.words, u.String(), v.home})
		return nil
	}
	trouble, status := v.words.StoreTrouble, http.StatusBadGateway
	switch {
	case errors.Is(err, context.Canceled):
		return err
	case errors.Is(err, live.ErrNotHere):
		trouble, status = v.words.NotReady, http.StatusServiceUnavailable
	case errors.Is(err, live.ErrGone):
		trouble, status = v.words.Gone, http.StatusConflict
	case errors.Is(err, live.ErrNothingToPay):
		trouble, status = v.words.NothingToPay, http.StatusConflict
	case errors.Is(err, live.ErrNoStore):
		trouble, status = v.words.NoStore, http.StatusConflict
	default:
		p.Log.Warn("checkout not made", "receipt", x.Receipt.ID, "err", err)
	}
	if again, err := p.Hub.Receipt(r.Context(), v.merchant.ID, x.Receipt.ID); err == nil {
		x = again
	}
	return p.showReceipt(w, r, v, x, trouble, status)
}

// receiptAct does what a button of the page asks for: pick=NUMBER:VARIANT and wait=NUMBER:VARIANT claim for the viewer,
// pass=HOLD gives it back, leave=NUMBER:VARIANT leaves the line, more
// and less=NUMBER:VARIANT change the amount by one; code, join and part are as in the room.
func (p *Pages) receiptAct(w http.ResponseWriter, r *http.Request, v *visit) error {
	x, err := p.openReceipt(w, r, v)
	if err != nil {
		return err
	}
	button, value, err := v.pressed(r, "join", "code", "part", "pick", "wait", "pass", "leave", "more", "less")
	if err != nil {
		return err
	}
	if button == "join" || button == "code" || button == "part" {
		t := told{Good: true}
		switch button {
		case "code":
			p.codes.note(v.browser)
		case "join":
			t, err = p.join(r.Context(), v, value)
		default:
			t, err = p.part(r.Context(), v, value)
		}
		if err != nil {
			return err
		}
		v.chose(r, false)
		return p.receiptAnswer(w, r, v, x.Receipt.ID, t)
	}
	if err := p.mine(r, v, x.Receipt.Viewer); err != nil {
		return err
	}
	if button == "pick" || button == "wait" {
		t, err := p.claim(r, v, x.Receipt.Viewer, button, value)
		if err != nil {
			return err
		}
		v.chose(r, t.Good)
		return p.receiptAnswer(w, r, v, x.Receipt.ID, t)
	}
	key, err := v.key(r, button, value)
	if err != nil {
		return err
	}
	t, err := p.change(r.Context(), v, key, x, button, value)
	if err != nil {
		return err
	}
	return p.receiptAnswer(w, r, v, x.Receipt.ID, t)
}

// receiptAnswer ends a form of the receipt.
func (p *Pages) receiptAnswer(w http.ResponseWriter, r *http.Request, v *visit, id commerce.ID, t told) error {
	var parts []ui.Part
	if ui.Hx(r) {
		var err error
		if parts, err = p.receiptParts(r.Context(), v, id); err != nil {
			return err
		}
	}
	t.Line = "" // the receipt offers nothing
	return p.answer(w, r, v, t, parts)
}
