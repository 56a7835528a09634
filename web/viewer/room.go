package viewer

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"hawker/commerce"
	"hawker/internal/chat"
	"hawker/internal/lang"
	"hawker/internal/live"
	"hawker/internal/sqldb"
	"hawker/web/ui"
	"hawker/web/viewer/stand"
	"hawker/web/viewer/words"
)

// chatShown is how many lines of chat a room shows when it is opened.
const chatShown = 40

// claimMost is the largest amount taken in one tap.
const claimMost = 99

// roomPage is the live room of a show.
type roomPage struct {
	roomView
	Key  string
	Mine []holdsView // one for each receipt that the browser has in the show
	Box  boxView
	Chat []chatRow
	None string // what stands where nothing is held
}

// roomView is the part of the room that all browsers see alike.
type roomView struct {
	W             *words.Words
	Title, Act    string
	State, Word   string // the pill
	Note, Each    string
	OnAir         *stand.Item
	Items         []stand.Item
	Planned, Over bool
	Screen        *screenView // nil where there is no video
}

// chatRow is a line of chat.
type chatRow struct {
	ID, Platform, Who, Text string
	Own                     bool
}

// openRoom finds the show of an address.
func (p *Pages) openRoom(w http.ResponseWriter, r *http.Request, v *visit) error {
	merchant, show, err := p.DB.ShowNamed(r.Context(), r.PathValue("name"))
	if sqldb.IsNotFound(err) {
		return errGone
	}
	if err != nil {
		return err
	}
	v.name = r.PathValue("name")
	v.home = "/live/" + url.PathEscape(v.name)
	return p.enter(w, r, v, merchant, show)
}

// room shows the page.
func (p *Pages) room(w http.ResponseWriter, r *http.Request, v *visit) error {
	if err := p.openRoom(w, r, v); err != nil {
		return err
	}
	if _, _, choose := asked(r); choose {
		return p.choose(w, r, v, v.roomChooser())
	}
	s, err := p.stands.Look(r.Context(), v.merchant.ID, v.show)
	if err != nil {
		return err
	}
	page := roomPage{roomView: v.roomView(s), Key: newKey(), Chat: chatOf(s, v.words), None: v.none(s)}
	if page.Mine, page.Box, err = p.myHolds(r.Context(), v); err != nil {
		return err
	}
	if page.Screen, err = p.screen(r.Context(), v, s); err != nil {
		return err
	}
	f := p.frame(w, r, v, s.Show.Title)
	f.Stream, f.Media = v.home+"/events", page.Screen != nil
	p.pages.Render(w, r, "room", f, page)
	return nil
}

func (v *visit) roomView(s *stand.Stand) roomView {
	w := v.words
	x := roomView{W: w, Title: s.Show.Title, Act: v.home + "/act", Items: s.Rows(w), Note: v.standNote(s)}
	switch {
	case s.Show.State == commerce.ShowPlanned:
		x.State, x.Word, x.Planned = "waiting", w.Soon, true
	case s.Show.State == commerce.ShowEnded:
		x.State, x.Word, x.Over = "gone", w.Over, true
	case s.Show.Paused || !s.Restored.IsZero():
		x.State, x.Word = "held", w.Pause
	default:
		x.State, x.Word = "live", w.Live
	}
	if s.Show.Cap > 0 {
		x.Each = lang.Fill(w.EachShow, "n", strconv.Itoa(s.Show.Cap))
	}
	for i := range x.Items {
		if x.Items[i].OnAir {
			x.OnAir = &x.Items[i]
		}
	}
	return x
}

// none is what stands where the browser holds nothing: how to claim, while there is something to claim.
func (v *visit) none(s *stand.Stand) string {
	if s.Show.State != commerce.ShowLive {
		return ""
	}
	n := s.Show.Lineup.OnAir
	if n == 0 && len(s.Items) > 0 {
		n = s.Items[0].Number
	}
	return lang.Fill(v.words.MineEmpty, "cmd", command(n))
}

func chatOf(s *stand.Stand, w *words.Words) []chatRow {
	var out []chatRow
	for _, l := range s.Chat[max(0, len(s.Chat)-chatShown):] {
		out = append(out, lineOf(&l, w))
	}
	return out
}

func lineOf(l *live.ChatLine, w *words.Words) chatRow {
	id := strings.Map(func(r rune) rune {
		if r <= ' ' {
			return '_'
		}
		return r
	}, string(l.Channel.Platform)+"-"+l.ID)
	return chatRow{"line-" + id, l.Channel.Platform.Title(), w.NameOr(l.Viewer.Name), l.Text, l.Own}
}

// viewers are who the browser is: itself, and whom it was bound to.
func (v *visit) viewers() []chat.Viewer {
	if v.bound.Platform == "" {
		return []chat.Viewer{v.guest}
	}
	return []chat.Viewer{v.bound, v.guest}
}

// receipts are what the browser has in the show, each of a person's receipts once: they show the same.
func (p *Pages) receipts(ctx context.Context, v *visit) ([]commerce.ReceiptView, error) {
	var out []commerce.ReceiptView
	for _, who := range v.viewers() {
		id, err := p.Hub.Cart(ctx, v.merchant.ID, v.show, who)
		if err != nil {
			return nil, err
		}
		if id == 0 {
			continue
		}
		x, err := p.Hub.Receipt(ctx, v.merchant.ID, id)
		if err != nil {
			return nil, err
		}
		if !slices.ContainsFunc(out, func(y commerce.ReceiptView) bool { return y.Cart == x.Cart }) {
			out = append(out, x)
		}
	}
	return out, nil
}

// myHolds are the browser's own holds and its box.
func (p *Pages) myHolds(ctx context.Context, v *visit) ([]holdsView, boxView, error) {
	all, err := p.receipts(ctx, v)
	if err != nil {
		return nil, boxView{}, err
	}
	var out []holdsView
	for i := range all {
		h := v.holds(all[i])
		if h.None {
			continue
		}
		h.May, h.InRoom = true, true
		h.Receipt = "/c/" + p.DB.ReceiptToken(v.merchant.ID, all[i].Receipt.ID, all[i].Receipt.Generation).Reveal()
		out = append(out, h)
	}
	box, err := p.box(ctx, v, p.wantsCode(v), true)
	return out, box, err
}

// ownParts are the partials of the room that one browser sees.
func (p *Pages) ownParts(ctx context.Context, v *visit, s *stand.Stand) ([]ui.Part, error) {
	mine, box, err := p.myHolds(ctx, v)
	if err != nil {
		return nil, err
	}
	a, err := p.pages.Part("room", "mine", roomPage{roomView: roomView{W: v.words}, Mine: mine, None: v.none(s)})
	if err != nil {
		return nil, err
	}
	b, err := p.pages.Part("room", "box", box)
	return []ui.Part{{Target: "#mine", HTML: a}, {Target: "#box", HTML: b}}, err
}

// sharedParts are the partials that all browsers see alike.
func (p *Pages) sharedParts(v *visit, s *stand.Stand) ([]ui.Part, error) {
	view := v.roomView(s)
	var out []ui.Part
	for _, name := range []string{"head", "onair", "shelf"} {
		b, err := p.pages.Part("room", name, view)
		if err != nil {
			return nil, err
		}
		out = append(out, ui.Part{Target: "#" + name, HTML: b})
	}
	if p.Video != nil {
		b, err := p.pages.Part("room", "screen-say", p.screenNow(v, s))
		if err != nil {
			return nil, err
		}
		out = append(out, ui.Part{Target: "#screen-say", HTML: b})
	}
	return out, nil
}

// roomEvents streams what changes in the room: the same bytes to all, and each browser's own holds to it alone.
func (p *Pages) roomEvents(w http.ResponseWriter, r *http.Request, v *visit) error {
	if err := p.openRoom(w, r, v); err != nil {
		return err
	}
	if _, err := p.stands.Look(r.Context(), v.merchant.ID, v.show); err != nil { // refused before the stream begins
		return err
	}
	if _, _, choose := asked(r); choose {
		return p.chooseEvents(w, r, v, func(context.Context) (chooser, error) { return v.roomChooser(), nil })
	}
	all := &visit{merchant: v.merchant, show: v.show, zone: v.zone, words: v.words, home: v.home} // nobody's
	src := ui.Source{
		Watch: p.signals(all), Anybody: true,
		Render: func(ctx context.Context) ([]ui.Part, error) {
			s, err := p.stands.Shared(ctx, all.merchant.ID, all.show)
			if err != nil {
				return nil, err
			}
			return p.sharedParts(all, s)
		},
		Tell: func(s live.Signal) []ui.Part {
			if s.Gone != nil {
				return ui.Removed(lineOf(s.Gone, all.words).ID)
			}
			if s.Line == nil {
				return nil
			}
			b, err := p.pages.Part("room", "chat-line", lineOf(s.Line, all.words))
			if err != nil {
				return nil
			}
			return []ui.Part{{Target: "#chat", Swap: "beforeend", HTML: b}}
		},
		Fresh: func(ctx context.Context) ([]ui.Part, error) {
			s, err := p.stands.Look(ctx, all.merchant.ID, all.show)
			if err != nil {
				return nil, err
			}
			b, err := p.pages.Part("room", "chat", roomPage{roomView: roomView{W: all.words}, Chat: chatOf(s, all.words)})
			return []ui.Part{{Target: "#chat", HTML: b}}, err
		},
		Every: again,
	}
	l := p.looker(v)
	return p.Kit.Casts.Serve(w, r, "room/"+v.show.String(), src, func(ctx context.Context) ([]ui.Part, error) {
		return l.own(ctx, v.viewers, func(ctx context.Context) ([]ui.Part, error) {
			s, err := p.stands.Shared(ctx, v.merchant.ID, v.show)
			if err != nil {
				return nil, err
			}
			return p.ownParts(ctx, v, s)
		})
	})
}

// roomAct does what a button of the room asks for: pick=NUMBER:VARIANT claims an item, air=NUMBER:VARIANT the same from the
// card on air, wait=NUMBER:VARIANT asks for a place in line; pass=HOLD and leave=NUMBER:VARIANT give back; code=1 shows the
// code of this browser, join=ANSWER says whether the viewer who typed it sits here, part=VIEWER undoes that two accounts count as
// one.
func (p *Pages) roomAct(w http.ResponseWriter, r *http.Request, v *visit) error {
	if err := p.openRoom(w, r, v); err != nil {
		return err
	}
	button, value, err := v.pressed(r, "pick", "air", "wait", "pass", "leave", "code", "join", "part")
	if err != nil {
		return err
	}
	var t told
	switch button {
	case "code":
		p.codes.note(v.browser)
		t.Good = true
	case "join":
		t, err = p.join(r.Context(), v, value)
	case "part":
		t, err = p.part(r.Context(), v, value)
	case "pass", "leave":
		t, err = p.giveBack(r, v, button, value)
	default:
		t, err = p.claim(r, v, v.viewer(), button, value)
	}
	if err != nil {
		return err
	}
	v.chose(r, t.Good && button != "code" && button != "join" && button != "part")
	return p.roomAnswer(w, r, v, t)
}

// claim asks for pieces of an item for a viewer that the browser acts for.
func (p *Pages) claim(r *http.Request, v *visit, who chat.Viewer, button, value string) (told, error) {
	number, variant, err := v.pick(value)
	if err != nil {
		return told{}, err
	}
	amount := "qty-" + strconv.Itoa(number)
	if button == "air" {
		amount = "qty-air"
	}
	qty := 1
	if text := r.PostFormValue(amount); text != "" {
		if qty, err = strconv.Atoi(text); err != nil || qty < 1 || qty > claimMost {
			return told{}, ui.Problem(http.StatusBadRequest, v.words.Unread)
		}
	}
	key, err := v.key(r, "claim", number, variant, qty, button == "wait")
	if err != nil {
		return told{}, err
	}
	if same(who, v.guest) && !p.guests.Allow(p.Kit.Address(r)) {
		return told{}, ui.Problem(http.StatusTooManyRequests, v.words.TooFast)
	}
	o, err := p.Hub.Ask(r.Context(), v.merchant.ID, key, commerce.Claim{
		Ask: v.ask(key, who), Number: number, Variant: variant, Quantity: qty, Wait: button == "wait",
	})
	if err != nil {
		return told{}, err
	}
	if s, err := p.stands.Shared(r.Context(), v.merchant.ID, v.show); err == nil {
		v.once = payOnce(&s.Show)
	}
	return v.tell(&o), nil
}

// giveBack gives back a hold of the browser's own, or a place in line.
func (p *Pages) giveBack(r *http.Request, v *visit, button, value string) (told, error) {
	all, err := p.receipts(r.Context(), v)
	if err != nil {
		return told{}, err
	}
	key, err := v.key(r, button, value)
	if err != nil {
		return told{}, err
	}
	for i := range all {
		if has(&all[i], button, value) {
			return p.change(r.Context(), v, key, all[i], button, value)
		}
	}
	return v.tell(&commerce.Outcome{Reason: commerce.NothingHeld}), nil
}

// has reports whether a receipt has the hold or place of a button.
func has(x *commerce.ReceiptView, button, value string) bool {
	for i := range x.Holds {
		if button == "pass" && x.Holds[i].ID.String() == value {
			return true
		}
	}
	for i := range x.Places {
		if button == "leave" && stand.Pick(x.Places[i].Number, x.Places[i].Variant) == value {
			return true
		}
	}
	return false
}

// roomAnswer ends a form of the room: the sentence at once, and the room as it then stands, also where a proxy holds the
// stream back.
func (p *Pages) roomAnswer(w http.ResponseWriter, r *http.Request, v *visit, t told) error {
	if !ui.Hx(r) {
		return p.answer(w, r, v, t, nil)
	}
	s, err := p.stands.Look(r.Context(), v.merchant.ID, v.show)
	if err != nil {
		return err
	}
	parts, err := p.sharedParts(v, s)
	if err != nil {
		return err
	}
	own, err := p.ownParts(r.Context(), v, s)
	if err != nil {
		return err
	}
	return p.answer(w, r, v, t, append(parts, own...))
}
