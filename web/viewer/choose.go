package viewer

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"hawker/commerce"
	"hawker/internal/chat"
	"hawker/internal/lang"
	"hawker/web/ui"
	"hawker/web/viewer/stand"
	"hawker/web/viewer/words"
)

// choosePage is where a line leads that left open which item or which variant of it was meant: the item with its variants
// to choose from, or the shelf. It stands at the address of a receipt or of the room, with ?item=N behind it.
type choosePage struct {
	Act, Key string
	Choose   chooseView
	Box      boxView
}

// chooseView is the part of it that changes while it is open.
type chooseView struct {
	W                 *words.Words
	Title, Show, Home string
	Ask, Note         string
	N                 string // the number asked for, as the address has it
	Item              *stand.Item
	Amount            int
	Rows              []chooseRow // each variant with the line to type, for a browser that does not act for the viewer
	Tap               bool        // the browser acts for the viewer: a tap claims
	Guest             string      // it claims in the room as this guest; empty where it cannot
	Room              string      // where it could, from a receipt
	Items             []stand.Item
}

// chooseRow is a variant, and the line to type for it.
type chooseRow struct {
	stand.Size
	ID, Say string
}

// chooser is who chooses, and where.
type chooser struct {
	home   string      // the page that it stands on
	owner  chat.Viewer // whom it is claimed for
	may    bool        // the browser may claim for the owner
	inRoom bool
}

// asked reads what an address asks to choose: its item, 0 for none that there is, and how many pieces.
func asked(r *http.Request) (number string, amount int, ok bool) {
	q := r.URL.Query()
	if !q.Has("item") {
		return "", 0, false
	}
	number = q.Get("item")
	if n, err := strconv.Atoi(number); err != nil || n < 1 || n > 1<<30 {
		number = ""
	} else {
		number = strconv.Itoa(n)
	}
	amount, err := strconv.Atoi(q.Get("n"))
	if err != nil || amount < 1 || amount > claimMost {
		amount = 1
	}
	return number, amount, true
}

// choose shows the page.
func (p *Pages) choose(w http.ResponseWriter, r *http.Request, v *visit, c chooser) error {
	number, amount, _ := asked(r)
	s, err := p.stands.Look(r.Context(), v.merchant.ID, v.show)
	if err != nil {
		return err
	}
	page := choosePage{Act: c.home + "/act", Key: newKey(), Choose: v.choose(s, c, number, amount)}
	if page.Box, err = p.chooseBox(r.Context(), v, c); err != nil {
		return err
	}
	f := p.frame(w, r, v, page.Choose.Title)
	f.Private = !c.inRoom
	f.Stream = c.home + "/events?item=" + number + "&n=" + strconv.Itoa(amount)
	p.pages.Render(w, r, "choose", f, page)
	return nil
}

// chooseBox helps the browser to act for the viewer, as the page that it stands on does.
func (p *Pages) chooseBox(ctx context.Context, v *visit, c chooser) (boxView, error) {
	b, err := p.box(ctx, v, !c.may && c.owner.Platform != chat.Room || c.inRoom && v.bound.Platform == "" || p.wantsCode(v), c.inRoom)
	if c.may && v.bound.Platform != "" { // there is nothing more to do here than to choose
		b.Offer, b.Accounts = "", nil
	}
	return b, err
}

// choose puts the page into words.
func (v *visit) choose(s *stand.Stand, c chooser, number string, amount int) chooseView {
	w := v.words
	x := chooseView{W: w, Title: w.WhichItem, Show: s.Show.Title, Home: c.home, Note: v.standNote(s), N: number, Amount: amount, Tap: c.may && v.acts(c)}
	if c.inRoom && !x.Tap {
		x.Guest = v.guest.Name
	}
	rows := s.Rows(w)
	for i := range rows {
		if strconv.Itoa(rows[i].Number) == number {
			x.Item = &rows[i]
		}
	}
	if x.Item == nil {
		x.Items = rows
		if number != "" {
			x.Ask = lang.Fill(w.NoSuchItem, "n", number)
		}
		return x
	}
	if !x.Item.One {
		x.Title = w.WhichOne
	} else {
		x.Title = x.Item.Title
	}
	x.Ask = lang.Fill(w.Asked, "what", "#"+number+" "+x.Item.Title)
	if amount > 1 {
		x.Ask = lang.Fill(w.Asked, "what", "#"+number+" "+x.Item.Title+" ×"+strconv.Itoa(amount))
	}
	if !x.Tap {
		x.Rows = linesOf(s, x.Item, amount)
		if !c.inRoom && x.Item.Claimable {
			x.Room = "/live/" + url.PathEscape(s.Show.Name) + "?item=" + number + "&n=" + strconv.Itoa(amount)
		}
	}
	return x
}

// acts reports whether a tap is the owner's own: everywhere but in the room, where a browser that was never bound is a guest,
// and had better say its name in the chat.
func (v *visit) acts(c chooser) bool { return !c.inRoom || v.bound.Platform != "" }

// linesOf are the lines to type for the variants of an item. A sold one leads to the line.
func linesOf(s *stand.Stand, it *stand.Item, amount int) []chooseRow {
	var out []chooseRow
	for i := range s.Items {
		if s.Items[i].Number != it.Number {
			continue
		}
		for j, size := range it.Sizes {
			cmd := "!buy "
			if size.Wait {
				cmd = "!wait "
			}
			line := cmd + strconv.Itoa(it.Number)
			if options := s.Items[i].Stock[j].Variant.Options; len(options) > 0 {
				line += " " + strings.Join(options, " ")
			}
			if amount > 1 {
				line += " x" + strconv.Itoa(amount)
			}
			out = append(out, chooseRow{size, "say-" + strconv.Itoa(j+1), line})
		}
	}
	return out
}

// chooseEvents streams the page: what is left of each variant, and the question whether it is the viewer who sits there.
func (p *Pages) chooseEvents(w http.ResponseWriter, r *http.Request, v *visit, who func(ctx context.Context) (chooser, error)) error {
	number, amount, _ := asked(r)
	l := p.looker(v)
	l.also = func(s *stand.Stand) string {
		var mark strings.Builder
		for i := range s.Items {
			if it := &s.Items[i]; strconv.Itoa(it.Number) != number && number != "" {
				continue
			}
			fmt.Fprint(&mark, s.Items[i].Closed, s.Items[i].Waiting)
			for j := range s.Items[i].Stock {
				x := &s.Items[i].Stock[j]
				fmt.Fprint(&mark, " ", x.Free, x.Held > 0, x.Stale)
			}
		}
		return mark.String()
	}
	src := ui.Source{
		Watch: p.signals(v), Anybody: true,
		Render: func(ctx context.Context) ([]ui.Part, error) {
			_, err := p.stands.Shared(ctx, v.merchant.ID, v.show)
			return nil, err
		},
		Every: receiptLook,
	}
	return p.Kit.Casts.Serve(w, r, "receipts/"+v.show.String(), src, func(ctx context.Context) ([]ui.Part, error) {
		return l.own(ctx, v.viewers, func(ctx context.Context) ([]ui.Part, error) {
			s, err := p.stands.Shared(ctx, v.merchant.ID, v.show)
			if err != nil {
				return nil, err
			}
			c, err := who(ctx)
			if err != nil {
				return nil, err
			}
			a, err := p.pages.Part("choose", "choose", v.choose(s, c, number, amount))
			if err != nil {
				return nil, err
			}
			box, err := p.chooseBox(ctx, v, c)
			if err != nil {
				return nil, err
			}
			b, err := p.pages.Part("choose", "box", box)
			return []ui.Part{{Target: "#choose", HTML: a}, {Target: "#box", HTML: b}}, err
		})
	})
}

// chose is where a form of the page leads back to: to what is held once it is, else to the choice.
func (v *visit) chose(r *http.Request, good bool) {
	number := r.PostFormValue("item")
	if n, err := strconv.Atoi(number); err != nil || n < 1 || good {
		return
	}
	v.home += "?item=" + number
	if amount, err := strconv.Atoi(r.PostFormValue("qty-" + number)); err == nil && amount > 1 && amount <= claimMost {
		v.home += "&n=" + strconv.Itoa(amount)
	}
}

// receiptChooser is who chooses on a receipt's page.
func (p *Pages) receiptChooser(ctx context.Context, v *visit, x *commerce.ReceiptView) (chooser, error) {
	may, err := p.may(ctx, v, x.Receipt.Viewer)
	return chooser{home: "/c/" + v.token, owner: x.Receipt.Viewer, may: may}, err
}

// roomChooser is who chooses in the room.
func (v *visit) roomChooser() chooser {
	return chooser{home: "/live/" + url.PathEscape(v.name), owner: v.viewer(), may: true, inRoom: true}
}

// Here says as whom a guest of the room claims.
func (c chooseView) Here() string { return lang.Fill(c.W.ClaimHere, "who", c.Guest) }
