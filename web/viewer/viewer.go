// Package viewer holds the pages that viewers see: the receipt of one viewer (/c/TOKEN), the live room of a show
// (/live/NAME) and the overlay for OBS (/overlay/TOKEN).
//
// Whoever has a receipt's address may look and pay. Whoever wants to change something must sit at a browser that acts for
// the viewer: it made the claim in the room, it opened a private answer, or its code was typed in the chat and confirmed.
package viewer

import (
	"context"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"html"
	"log/slog"
	"net/http"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"hawker/commerce"
	"hawker/internal/chat"
	"hawker/internal/lang"
	"hawker/internal/live"
	"hawker/internal/seal"
	"hawker/internal/sqldb"
	"hawker/relay"
	"hawker/web/proof"
	"hawker/web/ui"
	"hawker/web/viewer/shout"
	"hawker/web/viewer/stand"
	"hawker/web/viewer/words"
)

//go:embed templates/*.html
var templates embed.FS

// Static is the viewers' own style sheet.
//
//go:embed static
var Static embed.FS

// style is the name of the style sheet.
const style = "viewer.css"

// browserCookie is the name under which Kit.Browser knows a browser.
const browserCookie = "hawker-browser"

// saidCookie carries a sentence over the redirect that follows a form without script; it is read once.
const saidCookie = "hawker-said"

// Pages serves the pages of viewers. Set the fields, then Mount.
type Pages struct {
	DB  *sqldb.DB
	Hub *live.Hub
	Kit *ui.Kit
	Log *slog.Logger // nil means silence
	// Proofs, when set, knows which ledger entry a hold is.
	Proofs *proof.Runner
	// Video serves the shows' video, wherever the relay runs, under room.Path; nil shows none. Streams tells the state of all
	// streams, whose ID is the show's.
	Video   http.Handler
	Streams func() []relay.StreamStatus

	pages  *ui.Pages
	stands stand.Stands
	codes  noted // browsers that asked for a code in the room
	joined noted // browsers that were bound, so that their open streams look again who they are
	shouts shout.Queues
	cards  cards       // of rules, on overlays
	guests *ui.Limiter // claims of unbound browsers, by address: a browser is thrown away as easily as it is had
}

// Mount puts the pages into a mux.
func (p *Pages) Mount(mux *http.ServeMux) error {
	if p.Log == nil {
		p.Log = slog.New(slog.DiscardHandler)
	}
	p.stands.Hub = p.Hub
	p.guests = &ui.Limiter{Rate: 1, Burst: 20}
	var err error
	if p.pages, err = p.Kit.Pages(templates, "templates"); err != nil {
		return err
	}
	if p.Video != nil {
		mux.HandleFunc("GET "+videoPath+"{show}/{file}", p.video)
	}
	for _, x := range []struct {
		pattern string
		h       func(w http.ResponseWriter, r *http.Request, v *visit) error
	}{
		{"GET /c/{token}", p.receipt},
		{"GET /c/{token}/events", p.receiptEvents},
		{"POST /c/{token}/checkout", p.checkout},
		{"POST /c/{token}/act", p.receiptAct},
		{"GET /c/{token}/forget", p.forgetAsk},
		{"POST /c/{token}/forget", p.forget},
		{"GET /live/{name}", p.room},
		{"GET /live/{name}/events", p.roomEvents},
		{"POST /live/{name}/act", p.roomAct},
		{"GET /overlay/{token}", p.overlay},
		{"GET /overlay/{token}/events", p.overlayEvents},
	} {
		mux.HandleFunc(x.pattern, func(w http.ResponseWriter, r *http.Request) {
			v := &visit{words: words.Of(r)}
			w.Header().Set("X-Robots-Tag", "noindex")
			if err := x.h(w, r, v); err != nil {
				p.fail(w, r, v, err)
			}
		})
	}
	return nil
}

// Names are the names of the templates, for the test that each is used.
func (p *Pages) Names() []string { return slices.Sorted(slices.Values(p.pages.Names())) }

// visit is a browser at a page of a show.
type visit struct {
	merchant sqldb.Merchant
	show     commerce.ID
	zone     *time.Location
	words    *words.Words
	browser  seal.Token
	fresh    bool        // the browser was never here
	guest    chat.Viewer // the browser itself, as a viewer of the room
	pays     bool        // the merchant's store takes payments
	bound    chat.Viewer // whom the browser may act for; its platform is empty when nobody
	home     string      // the page that forms lead back to
	token    string      // of the receipt's address, where it is one
	name     string      // of the room's address, where it is one
	block    string      // the address block that the browser comes from
	once     bool        // the show's holds are paid together, after its end
}

// errGone means that an address opens nothing.
var errGone = errors.New("nothing is under this address")

// enter fills in what a page of a merchant's show needs.
func (p *Pages) enter(w http.ResponseWriter, r *http.Request, v *visit, merchant, show commerce.ID) error {
	var err error
	if v.merchant, err = p.DB.Merchant(r.Context(), merchant); err != nil {
		return err
	}
	v.pays = p.Hub.TakesPayment(merchant)
	v.show, v.words, v.zone = show, words.For(v.merchant.Language), time.UTC
	if z, err := time.LoadLocation(v.merchant.Timezone); err == nil {
		v.zone = z
	}
	v.fresh = p.Kit.Cookie(r, browserCookie) == ""
	if r.Method == http.MethodPost && v.fresh {
		return ui.Problem(http.StatusForbidden, v.words.NoCookie) // what it claimed nobody could pay for
	}
	v.browser = p.Kit.Browser(w, r)
	v.guest, v.block = guest(v.browser, v.words), block(p.Kit.Address(r))
	if v.bound, err = p.boundTo(r.Context(), merchant, v.browser); err != nil {
		return err
	}
	if r.Method != http.MethodPost {
		return nil
	}
	key := p.Kit.Address(r)
	if v.bound.Platform != "" {
		key = "browser " + string(seal.Hash(v.browser))
	}
	if !p.Kit.Posts.Allow(key) {
		return ui.Problem(http.StatusTooManyRequests, v.words.TooFast)
	}
	return nil
}

// boundTo is the viewer that a browser was bound to; the zero Viewer when to none.
func (p *Pages) boundTo(ctx context.Context, merchant commerce.ID, browser seal.Token) (chat.Viewer, error) {
	b, err := p.DB.ViewerOfBrowser(ctx, merchant, browser)
	if sqldb.IsNotFound(err) {
		return chat.Viewer{}, nil
	}
	return b, err
}

// guest is the browser itself as a viewer. Its id is a hash of the cookie: it names the browser and opens nothing.
func guest(browser seal.Token, w *words.Words) chat.Viewer {
	sum := sha256.Sum256([]byte("viewer of the room\x00" + browser.Reveal()))
	n := (int(sum[16])<<8 | int(sum[17])) % 10_000
	return chat.Viewer{Platform: chat.Room, ID: hex.EncodeToString(sum[:13]), Name: fmt.Sprintf("%s %04d", w.Guest, n)}
}

// viewer is who claims when the browser does.
func (v *visit) viewer() chat.Viewer {
	if v.bound.Platform != "" {
		return v.bound
	}
	return v.guest
}

// same reports whether two are one viewer, whatever their names.
func same(a, b chat.Viewer) bool { return a.Platform == b.Platform && a.ID == b.ID }

// may reports whether the browser may change what a viewer has: it is that viewer, or of the same person.
func (p *Pages) may(ctx context.Context, v *visit, owner chat.Viewer) (bool, error) {
	if same(owner, v.guest) || same(owner, v.bound) {
		return true, nil
	}
	if v.bound.Platform == "" {
		return false, nil
	}
	me, err := p.Hub.Person(ctx, v.merchant.ID, v.bound)
	if err != nil {
		return false, err
	}
	other, err := p.Hub.Person(ctx, v.merchant.ID, owner)
	return err == nil && me == other, err
}

// key is the key of a form: the random id in it, so that a second tap and a repeated request get the first one's answer;
// and a hash of who asks for what, so that an id seen elsewhere answers nobody else and nothing else.
func (v *visit) key(r *http.Request, what ...any) (commerce.Key, error) {
	id := r.PostFormValue("key")
	if !seal.ValidToken(id) {
		return commerce.Key{}, ui.Problem(http.StatusBadRequest, v.words.Unread)
	}
	sum := sha256.Sum256(fmt.Append(nil, v.guest.ID, " ", v.show, " ", r.PathValue("token"), " ", what))
	return commerce.Key{Platform: chat.Room, Message: id + "-" + hex.EncodeToString(sum[:6])}, nil
}

// ask is the head of a request of a viewer.
func (v *visit) ask(key commerce.Key, who chat.Viewer) commerce.Ask {
	a := commerce.Ask{Key: key, Show: v.show, Viewer: who, Sent: time.Now()}
	if same(who, v.guest) {
		a.Block = v.block
	}
	return a
}

// block is the address block that a browser's address lies in, as commerce.Ask counts them; empty for what is no address.
func block(address string) string {
	host, _, _ := strings.Cut(address, "/") // of an IPv6 address the /64 is known
	a, err := netip.ParseAddr(host)
	if err != nil {
		return ""
	}
	bits := 48
	if a.Is4() {
		bits = 24
	}
	x, err := a.Prefix(bits)
	if err != nil {
		return ""
	}
	return x.String()
}

// newKey is the random id of a form.
func newKey() string { return seal.NewToken().Reveal() }

// pressed is the button of a page's form that was pressed, and its value. All buttons of a page belong to one form that
// stands still: a form that the stream takes away while its answer is under way would lose the answer.
func (v *visit) pressed(r *http.Request, names ...string) (name, value string, err error) {
	for _, n := range names {
		if x := r.PostFormValue(n); x != "" {
			return n, x, nil
		}
	}
	return "", "", ui.Problem(http.StatusBadRequest, v.words.Unread)
}

// pick reads NUMBER:VARIANT of a button.
func (v *visit) pick(text string) (number int, variant commerce.ID, err error) {
	a, b, _ := strings.Cut(text, ":")
	number, err = strconv.Atoi(a)
	if err == nil {
		variant, err = commerce.ParseID(b)
	}
	if err != nil || number < 1 || number > 1<<30 {
		return 0, 0, ui.Problem(http.StatusBadRequest, v.words.Unread)
	}
	return number, variant, nil
}

// frame is the frame around a page of a show, with the sentence that a form left for it.
func (p *Pages) frame(w http.ResponseWriter, r *http.Request, v *visit, title string) ui.Frame {
	f := v.bare(ui.Viewer, title)
	if c := p.Kit.Cookie(r, saidCookie); c != "" {
		p.Kit.SetCookie(w, saidCookie, "", 0)
		if b, err := base64.RawURLEncoding.DecodeString(c); err == nil && len(b) > 1 {
			if b[0] == '+' {
				f.Notice = string(b[1:])
			} else {
				f.Trouble = string(b[1:])
			}
		}
	}
	return f
}

// bare is a frame in the show's language.
func (v *visit) bare(l ui.Layout, title string) ui.Frame {
	w := v.words
	return ui.Frame{
		Layout: l, Title: title, Lang: w.Tag, Merchant: v.merchant.Name, Practice: v.merchant.Practice, Style: style, Skip: w.Skip, Lost: w.Lost, Mark: w.Mark,
	}
}

// told is a sentence on what came of a form.
type told struct {
	Sentence string
	Good     bool
	// Line, when set, offers a place in line for this item and variant.
	Line string
}

// answer ends a form: htmx gets the sentence and the parts as they are now, a plain form is sent on and told there.
func (p *Pages) answer(w http.ResponseWriter, r *http.Request, v *visit, t told, parts []ui.Part) error {
	if !ui.Hx(r) {
		mark := "-"
		if t.Good {
			mark = "+"
		}
		p.Kit.SetCookie(w, saidCookie, base64.RawURLEncoding.EncodeToString([]byte(mark+t.Sentence)), time.Minute)
		http.Redirect(w, r, v.home, http.StatusSeeOther)
		return nil
	}
	b, err := p.pages.Part("room", "told", struct {
		told
		W *words.Words
	}{t, v.words})
	if err != nil {
		return err
	}
	key, err := p.pages.Part("room", "key", newKey())
	if err != nil {
		return err
	}
	parts = append([]ui.Part{{Target: "#notice", Swap: "innerHTML", HTML: b}, {Target: "#once", HTML: key}}, parts...)
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	_, _ = w.Write(ui.Partials(parts...)) // who went away needs no answer
	return nil
}

// fail answers with the words for an error, in the show's language.
func (p *Pages) fail(w http.ResponseWriter, r *http.Request, v *visit, err error) {
	if errors.Is(err, context.Canceled) && r.Context().Err() != nil {
		return // nobody waits
	}
	g := gonePage{W: v.words, Home: v.home}
	status, sentence, known := ui.Explain(err)
	switch {
	case errors.Is(err, errGone) || status == http.StatusNotFound:
		status, g.Title, g.Sentence = http.StatusNotFound, v.words.NoReceipt, v.words.NoReceiptNote
		if strings.HasPrefix(r.URL.Path, "/live/") {
			g.Title, g.Sentence = v.words.NoRoom, v.words.NoRoomNote
		}
		if strings.HasPrefix(r.URL.Path, "/overlay/") {
			g.Title, g.Sentence = v.words.NoOverlay, v.words.NoOverlayNote
		}
		g.Home = ""
	case status == http.StatusServiceUnavailable:
		g.Title, g.Sentence = v.words.Moment, v.words.NotReady
		w.Header().Set("Retry-After", "2")
	case status == http.StatusTooManyRequests:
		g.Sentence = sentence
		w.Header().Set("Retry-After", "10")
	case !known:
		n := commerce.NewID(time.Now())
		p.Log.Error("page failed", "path", ui.Masked(r.URL.Path), "number", n, "err", err)
		g.Sentence = lang.Fill(v.words.Failed, "n", n.String())
	default:
		g.Sentence = sentence
	}
	if ui.Hx(r) {
		h := w.Header()
		h.Set("Content-Type", "text/html; charset=utf-8")
		h.Set("Cache-Control", "no-store")
		w.WriteHeader(status)
		notice := `<p class="notice bad">` + html.EscapeString(g.Sentence) + `</p>`
		_, _ = w.Write(ui.Partials(ui.Part{Target: "#notice", Swap: "innerHTML", HTML: []byte(notice)}))
		return
	}
	if g.Title == "" {
		g.Title, g.Sentence = g.Sentence, ""
	}
	f := v.bare(ui.Viewer, g.Title)
	f.Status, f.Private = status, true
	p.pages.Render(w, r, "gone", f, g)
}

// gonePage is the page for what is not there or did not work.
type gonePage struct {
	W                     *words.Words
	Title, Sentence, Home string
}
