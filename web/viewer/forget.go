package viewer

import (
	"net/http"

	"hawker/internal/chat"
	"hawker/web/ui"
	"hawker/web/viewer/words"
)

// forgetPage asks before a viewer is forgotten, and says what that means.
type forgetPage struct {
	W                    *words.Words
	Act, Home, Who, Shop string
}

// forgetAsk shows the question.
func (p *Pages) forgetAsk(w http.ResponseWriter, r *http.Request, v *visit) error {
	x, err := p.openReceipt(w, r, v)
	if err != nil {
		return err
	}
	if err := p.mine(r, v, x.Receipt.Viewer); err != nil {
		return err
	}
	f := p.frame(w, r, v, v.words.Forget)
	f.Private = true
	p.pages.Render(w, r, "forget", f, forgetPage{
		W: v.words, Act: v.home + "/forget", Home: v.home, Who: v.words.NameOr(x.Receipt.Viewer.Name) + " · " + x.Receipt.Viewer.Platform.Title(), Shop: v.merchant.Name,
	})
	return nil
}

// forget erases what is kept of the viewer of a receipt. Doing it twice does nothing more.
func (p *Pages) forget(w http.ResponseWriter, r *http.Request, v *visit) error {
	x, err := p.openReceipt(w, r, v)
	if err != nil {
		return err
	}
	if err := p.mine(r, v, x.Receipt.Viewer); err != nil {
		return err
	}
	if err := p.Hub.Forget(r.Context(), v.merchant.ID, x.Receipt.Viewer); err != nil {
		return err
	}
	p.joined.note(v.browser)
	f := v.bare(ui.Viewer, v.words.Forgotten)
	f.Private = true
	p.pages.Render(w, r, "gone", f, gonePage{W: v.words, Title: v.words.Forgotten, Sentence: v.words.ForgottenNote})
	return nil
}

// mine reports an error unless the browser may change what a viewer has.
func (p *Pages) mine(r *http.Request, v *visit, owner chat.Viewer) error {
	may, err := p.may(r.Context(), v, owner)
	if err == nil && !may {
		return ui.Problem(http.StatusForbidden, v.words.NotYours)
	}
	return err
}
