package viewer

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"time"

	"hawker/commerce"
	"hawker/internal/chat"
	"hawker/internal/lang"
	"hawker/internal/live"
	"hawker/web/ui"
	"hawker/web/viewer/stand"
	"hawker/web/viewer/words"
)

// soon is from when on a hold is said to end soon (product rule: the reminder).
const soon = 2 * time.Minute

// closedShown bounds how many holds that ended a page lists.
const closedShown = 8

// holdsView is what a viewer has in a show: the list on the receipt, and in the room.
type holdsView struct {
	W     *words.Words
	Title string // of the show
	// Receipt is the address of its receipt.
	Receipt string
	Rows    []holdRow
	// Open is how many pieces are held and unpaid, Total what they cost.
	Open                int
	Total               string
	Paid, Payable, None bool
	ByHand              bool // there is something to pay, and no store that takes it
	May                 bool // this browser may change it
	InLine              bool
	InRoom              bool
	Shop, Room          string
	Note                string // on the state of the show
}

// holdRow is a hold or a place in line.
type holdRow struct {
	Hold                commerce.ID
	Pick                string // its item and variant, for buttons
	Number, Quantity    int
	Title, Label, Image string
	Name                string // title and label, for buttons that are heard and not seen
	Price, Total        string
	State, Word         string // the pill
	Due                 time.Time
	Until               string
	Clock, Frozen       bool
	Offer               bool // nothing is set aside: first paid, first served
	Waits               bool // its clock begins when the show is over
	Notes               []string
	Soon                bool // it ends within two minutes
	Place               bool
	More                bool // one more can be asked for
	Apart               bool // another account of the person has pieces of the same: a button could not say whose it changes
	owner               chat.Viewer
}

// holds puts a receipt into words.
func (v *visit) holds(x commerce.ReceiptView) holdsView {
	w := v.words
	out := holdsView{W: w, Title: x.Show.Title, Shop: v.merchant.Name, Room: "/live/" + x.Show.Name, Note: v.noteOf(&x.Show)}
	live := x.Show.State == commerce.ShowLive && !x.Show.Paused
	var total commerce.Money
	var closed []holdRow
	for i := range x.Holds {
		h := &x.Holds[i]
		row := holdRow{
			Hold: h.ID, Pick: stand.Pick(h.Number, h.Variant), Number: h.Number, Quantity: h.Quantity, Title: h.Title, Label: h.Label, Image: h.Image, Name: name(h.Title, h.Label),
			Price: h.Price.String(), Total: h.Price.Times(h.Quantity).String(), owner: h.Viewer,
		}
		switch h.State {
		case commerce.StateHeld:
			row.State, row.Word, row.Clock, row.Frozen, row.Due, row.Until = "held", w.StateHeld, true, h.Frozen, h.Due, v.until(h.Due)
			row.More = live
			v.clock(&row, h, x)
			out.Open += h.Quantity
			total.Minor, total.Currency = total.Minor+h.Price.Times(h.Quantity).Minor, h.Price.Currency
			out.Rows = append(out.Rows, row)
			continue
		case commerce.StateOffered:
			row.State, row.Word, row.Offer, row.Notes = "waiting", w.StateOffered, true, []string{w.OfferNote}
			out.Open += h.Quantity
			total.Minor, total.Currency = total.Minor+h.Price.Times(h.Quantity).Minor, h.Price.Currency
			out.Rows = append(out.Rows, row)
			continue
		case commerce.StatePaid:
			row.State, row.Word, out.Paid = "paid", w.StatePaid, true
		case commerce.StateExpired:
			row.State, row.Word = "gone", w.StateExpired
		case commerce.StatePassed:
			row.State, row.Word = "gone", w.StatePassed
		case commerce.StateReleased:
			row.State, row.Word = "gone", w.StateReleased
			if h.Order != "" { // it was paid, and the payment taken back
				row.Word = w.StateUndone
			}
		}
		closed = append(closed, row)
	}
	for i := range x.Places {
		p := &x.Places[i]
		out.Rows = append(out.Rows, holdRow{
			Pick: stand.Pick(p.Number, p.Variant), Number: p.Number, Quantity: p.Quantity, Title: p.Title, Label: p.Label, Image: p.Image, Name: name(p.Title, p.Label), Price: p.Price.String(),
			Total: p.Price.Times(p.Quantity).String(), State: "waiting", Word: lang.Fill(w.StateWaiting, "place", strconv.Itoa(p.Position)), Place: true,
		})
	}
	for i := range out.Rows {
		row := &out.Rows[i]
		row.Apart = slices.ContainsFunc(out.Rows, func(r holdRow) bool { return r.Clock && r.Pick == row.Pick && !same(r.owner, row.owner) })
	}
	out.Rows = append(out.Rows, closed[:min(len(closed), closedShown)]...)
	out.Total, out.InLine, out.None = total.String(), len(x.Places) > 0, len(out.Rows) == 0
	out.Payable, out.ByHand = out.Open > 0 && v.pays, out.Open > 0 && !v.pays
	return out
}

// clock adds to the row of a hold what is to be known of its time.
func (v *visit) clock(row *holdRow, h *commerce.HoldView, x commerce.ReceiptView) {
	w := v.words
	switch {
	case payOnce(&x.Show):
		row.Waits = true
	case !h.Frozen && (h.Reminded || h.Due.Sub(x.At) < soon) && h.Due.After(x.At):
		row.Soon = true
		row.Notes = append(row.Notes, w.EndsSoon)
	}
	if h.Extended {
		row.Notes = append(row.Notes, w.ExtendedNote)
	}
}

// name is an item and its variant as said in one breath.
func name(title, label string) string {
	if label == "" {
		return title
	}
	return title + " " + label
}

// until is when something ends as the merchant's viewers read it.
func (v *visit) until(t time.Time) string { return v.words.Until(t.In(v.zone), time.Now()) }

// noteOf says what a viewer must know of the state of a show; empty when it just sells.
func (v *visit) noteOf(s *commerce.Show) string {
	w := v.words
	switch {
	case s.State == commerce.ShowPlanned:
		return w.SoonNote
	case s.State == commerce.ShowEnded:
		return w.OverNote
	case s.Paused:
		return w.Words.Paused
	case s.PayOnce > 0:
		return lang.Fill(w.PayOnceNote, "time", w.Span(s.PayOnce))
	}
	return ""
}

// standNote is noteOf of a show as it is looked at.
func (v *visit) standNote(s *stand.Stand) string {
	if !s.Restored.IsZero() && s.Show.State == commerce.ShowLive {
		return v.words.Restored
	}
	return v.noteOf(&s.Show)
}

// payOnce reports whether the holds of a show wait for its end to be paid together.
func payOnce(s *commerce.Show) bool { return s.PayOnce > 0 && s.State != commerce.ShowEnded }

// change does what a button beside a hold or a place in line asks for. The caller has checked who presses it.
func (p *Pages) change(ctx context.Context, v *visit, key commerce.Key, x commerce.ReceiptView, button, value string) (told, error) {
	who := x.Receipt.Viewer
	var req commerce.Request
	if button == "pass" {
		hold, err := commerce.ParseID(value)
		if err != nil || hold == 0 {
			return told{}, ui.Problem(http.StatusBadRequest, v.words.Unread)
		}
		req = commerce.Pass{Ask: v.ask(key, who), Hold: hold}
	} else {
		number, variant, err := v.pick(value)
		if err != nil {
			return told{}, err
		}
		switch button {
		case "more":
			req = commerce.Change{Ask: v.ask(key, who), Number: number, Variant: variant, Delta: 1}
		case "less":
			req = commerce.Change{Ask: v.ask(key, who), Number: number, Variant: variant, Delta: -1}
		case "leave":
			req = v.leave(key, x, number, variant)
		}
	}
	o, err := p.Hub.Ask(ctx, v.merchant.ID, key, req)
	if err != nil {
		return told{}, err
	}
	if button == "leave" && o.Reason != commerce.NothingHeld {
		return told{Sentence: lang.Fill(v.words.LineLeft, "n", strconv.Itoa(o.Number), "item", name(o.Title, o.Label)), Good: true}, nil
	}
	return v.tell(&o), nil
}

// leave gives up the pieces waited for, and only those.
func (v *visit) leave(key commerce.Key, x commerce.ReceiptView, number int, variant commerce.ID) commerce.Request {
	held, waits := 0, 0
	for i := range x.Holds {
		if h := &x.Holds[i]; h.State == commerce.StateHeld && h.Variant == variant && h.Number == number {
			held += h.Quantity
		}
	}
	for i := range x.Places {
		if l := &x.Places[i]; l.Variant == variant && l.Number == number {
			waits += l.Quantity
		}
	}
	if held > 0 {
		return commerce.Change{Ask: v.ask(key, x.Receipt.Viewer), Number: number, Variant: variant, Delta: -waits}
	}
	return commerce.Pass{Ask: v.ask(key, x.Receipt.Viewer), Number: number, Variant: variant}
}

// tell puts an outcome into a sentence for whoever tapped.
func (v *visit) tell(o *commerce.Outcome) told {
	w := v.words
	amount := func(n int) string {
		if n > 1 {
			return name(o.Title, o.Label) + " ×" + strconv.Itoa(n)
		}
		return name(o.Title, o.Label)
	}
	held := o.Holding - o.Offers
	pairs := []string{
		"n", strconv.Itoa(o.Number), "what", amount(held), "item", name(o.Title, o.Label), "qty", strconv.Itoa(held), "waiting", strconv.Itoa(o.Waiting),
		"place", strconv.Itoa(o.Place), "cap", strconv.Itoa(o.Cap), "time", w.Span(max(time.Until(o.Due)-commerce.SeeAnswer, 0)), "until", v.until(o.Due),
		"choices", choices(o.Choices),
	}
	say := func(s string, good bool) told { return told{Sentence: lang.Fill(s, pairs...), Good: good} }
	reason := o.Reason
	if reason == commerce.Duplicate { // the same tap again: what stands is what it got
		reason = commerce.Held
		switch {
		case o.Holding == 0 && o.Waiting > 0:
			reason = commerce.Waitlisted
		case o.Holding > 0 && o.Due.IsZero():
			reason = commerce.Offered
		}
	}
	if reason == commerce.Changed && held == 0 && o.Offers > 0 {
		reason = commerce.Offered
	}
	switch reason {
	case commerce.Offered:
		pairs[3] = amount(cmp.Or(o.Offers, max(o.Holding, o.Wanted, 1)))
		return say(w.Offered, true)
	case commerce.Held:
		return say(v.either(w.HeldOnce, w.Held), true)
	case commerce.PartlyHeld:
		pairs[3] = amount(1)
		if o.Waiting > 0 {
			return say(v.either(w.PartlyOnce, w.Partly), true)
		}
		return say(v.either(w.PartlyCappedOnce, w.PartlyCapped), true)
	case commerce.Waitlisted:
		pairs[3] = amount(o.Waiting)
		return say(w.Waitlisted, true)
	case commerce.Changed:
		pairs[3] = amount(1)
		return say(v.either(w.ChangedOnce, w.Changed), true)
	case commerce.Passed:
		return say(w.PassedOne, true)
	case commerce.SoldOut:
		t := say(w.SoldOut, false)
		if o.Variant != 0 {
			t.Line = stand.Pick(o.Number, o.Variant)
		}
		return t
	case commerce.Capped:
		return say(w.Capped, false)
	case commerce.NeedsVariant:
		return say(w.NeedsChoice, false)
	case commerce.NotOnSale:
		return say(w.Closed, false)
	case commerce.Paused:
		return say(w.Words.Paused, false)
	case commerce.Ended:
		return say(w.Ended, false)
	case commerce.NothingHeld:
		return say(w.Words.NothingHeld, false)
	case commerce.Blocked:
		return say(w.Blocked, false)
	case commerce.Limited:
		return say(w.TooFast, false)
	}
	return say(w.Unread, false)
}

// either is a sentence for shows whose holds are paid together, or the one for all others.
func (v *visit) either(once, other string) string {
	if v.once {
		return once
	}
	return other
}

// choices lists labels to choose from, at most eight.
func choices(labels []string) string {
	s := ""
	for i, l := range labels {
		switch {
		case i == 8:
			return s + " …"
		case i > 0:
			s += ", "
		}
		s += l
	}
	return s
}

func (p *Pages) looker(v *visit) *looker {
	p.present(v)
	return &looker{p: p, v: v, joined: p.joined.at(v.browser), asked: time.Now()}
}

// looker is one open stream of a browser: it knows who the browser is and renders its own parts when they changed.
type looker struct {
	p      *Pages
	v      *visit
	joined time.Time // when the browser was last bound, as far as it knows
	asked  time.Time // when it was looked up who the browser is
	coded  time.Time // when the box was made
	mark   string
	parts  []ui.Part
	also   func(*stand.Stand) string // what else the parts depend on; may be nil
}

// present tells that whom the browser acts for has a page of the show open. A browser that acts for nobody is had by the
// thousand, and counts for nothing.
func (p *Pages) present(v *visit) {
	if v.bound.Platform != "" {
		p.Hub.Visited(v.merchant.ID, v.show, v.bound)
	}
}

// again is how often a stream looks anew, although nothing told it to, who its browser is and whether its code is good.
const again = 10 * time.Second

// own renders parts when the mark differs from the last one's or they are old.
func (l *looker) own(ctx context.Context, viewers func() []chat.Viewer, render func(ctx context.Context) ([]ui.Part, error)) ([]ui.Part, error) {
	s, err := l.p.stands.Shared(ctx, l.v.merchant.ID, l.v.show)
	if err != nil {
		return nil, err
	}
	if n := l.p.joined.at(l.v.browser); !n.Equal(l.joined) || time.Since(l.asked) > again {
		b, err := l.p.boundTo(ctx, l.v.merchant.ID, l.v.browser)
		if err != nil {
			return nil, err
		}
		if !same(b, l.v.bound) {
			l.mark = ""
		}
		l.v.bound, l.joined, l.asked = b, n, time.Now()
		l.p.present(l.v)
	}
	j, typed := l.p.Hub.Asked(ctx, l.v.merchant.ID, l.v.browser)
	mark := fmt.Sprint(s.Mark(viewers()...), typed, viewerText(j.Typed), l.p.wantsCode(l.v))
	if l.also != nil {
		mark += l.also(s)
	}
	if mark == l.mark && time.Since(l.coded) < again {
		return l.parts, nil
	}
	parts, err := render(ctx)
	if err != nil {
		return nil, err
	}
	l.mark, l.parts, l.coded = mark, parts, time.Now()
	return parts, nil
}

// signals are what a stream of a show watches.
func (p *Pages) signals(v *visit) func(tell func(live.Signal)) (func(), error) {
	return func(tell func(live.Signal)) (func(), error) { return p.stands.Watch(v.merchant.ID, v.show, tell) }
}

// Ask is the question before a hold is given back.
func (h holdsView) Ask(row holdRow) string { return lang.Fill(h.W.GiveBackAsk, "item", row.Name) }

// OneMore and Fewer name the buttons that change an amount, for who hears the page.
func (h holdsView) OneMore(row holdRow) string { return lang.Fill(h.W.More, "item", row.Name) }

// Fewer is said with OneMore.
func (h holdsView) Fewer(row holdRow) string { return lang.Fill(h.W.Less, "item", row.Name) }

// PayNote says who is paid.
func (h holdsView) PayNote() string { return lang.Fill(h.W.CheckoutNote, "shop", h.Shop) }
