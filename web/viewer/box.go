package viewer

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"hawker/commerce"
	"hawker/internal/chat"
	"hawker/internal/lang"
	"hawker/internal/live"
	"hawker/internal/seal"
	"hawker/web/viewer/words"
)

// codeShown is how long the room goes on showing codes to who asked for one: a code for everybody who only looks would be
// a code for nobody.
const codeShown = 10 * time.Minute

// notedMost bounds how many browsers are remembered; beyond it all are forgotten, which costs them a tap or a moment.
const notedMost = 20_000

// noted are browsers and when something was noted of them.
type noted struct {
	mu sync.Mutex
	by map[seal.Token]time.Time
}

func (n *noted) note(b seal.Token) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.by == nil || len(n.by) >= notedMost {
		n.by = map[seal.Token]time.Time{}
	}
	n.by[b] = time.Now()
}

// at is when it was noted, zero when it was not.
func (n *noted) at(b seal.Token) time.Time {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.by[b]
}

func (n *noted) forget(b seal.Token) {
	n.mu.Lock()
	defer n.mu.Unlock()
	delete(n.by, b)
}

// wantsCode reports whether the browser asked for a code lately.
func (p *Pages) wantsCode(v *visit) bool { return time.Since(p.codes.at(v.browser)) < codeShown }

// boxView is the box that says whom the browser acts for, or helps it to act for somebody, or to join a second name.
type boxView struct {
	W        *words.Words
	Me       string // "You are ana on Twitch."; empty when the browser is bound to nobody
	Asked    string // "Are you ana on Twitch?" after the code was typed
	Note     string
	YesText  string
	Viewer   string // who is asked about, so that a yes means just that one
	Code     string
	Head     string // above the code
	Type     string // where to type it
	Offer    string // why one would want a code; empty when none is offered
	InRoom   bool
	Accounts []accountRow // joined in the last day
	Forget   string       // where being forgotten is asked for
	Codes    []codeRow    // discount codes, for the eyes of who sits here alone
}

// codeRow is a discount code and until when it is good.
type codeRow struct{ Code, Until string }

// accountRow is an account that was joined and can still be taken out.
type accountRow struct{ Viewer, Name, Platform, Until string }

// box is the box as it stands. With show it shows a code, else it offers one.
func (p *Pages) box(ctx context.Context, v *visit, show, inRoom bool) (boxView, error) {
	w := v.words
	b := boxView{W: w, InRoom: inRoom}
	if x, ok := p.Hub.Asked(ctx, v.merchant.ID, v.browser); ok {
		who := w.NameOr(x.Typed.Name)
		b.Asked, b.Note, b.YesText = lang.Fill(w.Join, "who", who, "platform", x.Typed.Platform.Title()), lang.Fill(w.JoinNote, "who", who), w.Yes
		if x.Own.Platform != "" {
			b.Asked = lang.Fill(w.JoinTwo, "who", who, "platform", x.Typed.Platform.Title())
			b.Note, b.YesText = lang.Fill(w.JoinTwoNote, "who", who, "own", w.NameOr(x.Own.Name)), w.JoinYes
		}
		b.Viewer = viewerText(x.Typed)
		return b, nil
	}
	if v.bound.Platform != "" {
		b.Me = lang.Fill(w.YouAre, "who", w.NameOr(v.bound.Name), "platform", v.bound.Platform.Title())
		all, err := p.Hub.JoinedOf(ctx, v.merchant.ID, v.bound)
		if err != nil {
			return b, err
		}
		for _, x := range all {
			b.Accounts = append(b.Accounts, accountRow{viewerText(x.Viewer), w.NameOr(x.Viewer.Name), x.Viewer.Platform.Title(), lang.Fill(w.UndoUntil, "until", v.until(x.Until))})
		}
	}
	if v.bound.Platform != "" {
		codes, err := p.Hub.Codes(ctx, v.merchant.ID, v.bound)
		if err != nil {
			return b, err
		}
		for _, c := range codes {
			b.Codes = append(b.Codes, codeRow{c.Code, lang.Fill(w.GoodUntil, "until", v.until(c.Ends))})
		}
	}
	why := w.Offer
	if v.bound.Platform != "" {
		why = w.OfferJoin
	}
	if !show {
		if inRoom || v.bound.Platform != "" {
			b.Offer = why
		}
		return b, nil
	}
	b.Head, b.Type = w.IsThisYou, w.TypeThis
	if inRoom || v.bound.Platform != "" {
		b.Head = why
	}
	if v.bound.Platform != "" {
		b.Type = w.TypeThere
	}
	code, err := p.Hub.Code(v.merchant.ID, v.browser)
	b.Code = code
	return b, err
}

func viewerText(x chat.Viewer) string { return fmt.Sprint(x.Platform, "/", x.ID) }

// join takes the answer to whether the viewer who typed the browser's code sits there: "yes:VIEWER" joins the browser
// with the viewer that the page asked about, and with nobody else.
func (p *Pages) join(ctx context.Context, v *visit, answer string) (told, error) {
	said, viewer, _ := strings.Cut(answer, ":")
	yes := said == "yes"
	x, ok := p.Hub.Asked(ctx, v.merchant.ID, v.browser)
	if !ok || viewerText(x.Typed) != viewer {
		return told{Sentence: v.words.ConnectUnknown}, nil
	}
	if err := p.Hub.Confirm(ctx, v.merchant.ID, v.browser, yes); err != nil {
		return told{}, err
	}
	p.codes.forget(v.browser)
	name := v.words.NameOr(x.Typed.Name)
	switch {
	case !yes:
		return told{Sentence: v.words.NotJoined, Good: true}, nil
	case x.Own.Platform != "": // the browser acts for whom it did; both are one person now
		p.joined.note(v.browser)
		return told{Sentence: lang.Fill(v.words.JoinedTwo, "who", name), Good: true}, nil
	}
	if err := p.bind(ctx, v, x.Typed); err != nil {
		return told{}, err
	}
	return told{Sentence: lang.Fill(v.words.Joined, "who", name), Good: true}, nil
}

// part takes an account out again that was joined.
func (p *Pages) part(ctx context.Context, v *visit, viewer string) (told, error) {
	platform, id, _ := strings.Cut(viewer, "/")
	x := chat.Viewer{Platform: chat.Platform(platform), ID: id}
	all, err := p.Hub.JoinedOf(ctx, v.merchant.ID, v.bound)
	if err != nil {
		return told{}, err
	}
	for _, a := range all {
		if same(a.Viewer, x) {
			x = a.Viewer
		}
	}
	err = p.Hub.Unjoin(ctx, v.merchant.ID, v.browser, x)
	if errors.Is(err, live.ErrNotFound) { // undone already, or a day ago
		return told{Sentence: v.words.Unread}, nil
	}
	if err != nil {
		return told{}, err
	}
	p.joined.note(v.browser)
	return told{Sentence: lang.Fill(v.words.Undone, "who", v.words.NameOr(x.Name)), Good: true}, nil
}

// bind notes that the browser was bound to a viewer: what it claimed as a guest counts for that person from now on, so
// that one person has one cap.
func (p *Pages) bind(ctx context.Context, v *visit, to chat.Viewer) error {
	v.bound = to
	p.joined.note(v.browser)
	if v.fresh {
		return nil // it claimed nothing
	}
	person, err := p.Hub.Person(ctx, v.merchant.ID, to)
	if err != nil {
		return err
	}
	_, err = p.Hub.Ask(ctx, v.merchant.ID, commerce.Key{}, commerce.Bind{Viewer: v.guest, Person: person})
	return err
}
