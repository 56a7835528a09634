package commerce

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"hawker/commerce/least"
	"hawker/internal/chat"
)

// ShowView is a show as it stands, copied out of the desk: it may be kept and read by anybody.
type ShowView struct {
	Show  Show
	Items []ItemView
	// Open are the open holds, the first to end first, at most ViewMost; MoreOpen is how many more there are.
	Open     []HoldView
	MoreOpen int
	// Offers are the offers that can still be paid, likewise: nothing is set aside for them.
	Offers     []HoldView
	MoreOffers int
	// Waiting are the places in line, in order, likewise.
	Waiting     []PlaceView
	MoreWaiting int
	Orders      []OrderRow // paid ones, newest first
	// Paid is the money of paid orders, HeldMoney that of open holds, in the merchant's currency.
	Paid, HeldMoney Money
	PaidOrders      int
	HeldPieces      int
	At              time.Time
}

// ItemView is an item with its stock.
type ItemView struct {
	Item
	Stock   []VariantView
	Free    int64 // over all variants, -1 when endless
	Held    int64
	Sold    int64
	Waiting int
}

// VariantView is the stock of one variant. Held and Paid count pieces of this show.
type VariantView struct {
	Variant                         Variant
	Price                           Money
	Free, Held, Paid, Short, Safety int64
	Waiting                         int
	Stale                           bool
}

// HoldView is a hold with the words of its item.
type HoldView struct {
	Hold
	Title, Label, Image string
	Frozen              bool // its clock stands still
}

// PlaceView is a place in line with the words of its item and its position, from 1.
type PlaceView struct {
	Place
	Title, Label, Image string
	Position            int
}

// ReceiptView is a viewer's page: what they hold, wait for and paid in a show, with any of the accounts that were joined.
type ReceiptView struct {
	Receipt  Receipt
	Cart     ID // the oldest receipt of the person in the show; those of all accounts show the same and are paid at one checkout
	Show     Show
	Holds    []HoldView // newest first, closed ones included
	Places   []PlaceView
	Merchant ID
	At       time.Time
}

// LiveShow is the live show that listens to a channel, 0 when there is none.
func (d *Desk) LiveShow(c chat.Channel) ID {
	for id, s := range d.shows {
		if s.State == ShowLive && slices.Contains(s.Channels, c) {
			return id
		}
	}
	return 0
}

// Show finds a show; the desk owns it, do not change it.
func (d *Desk) Show(id ID) *Show { return d.shows[id] }

// EachShow are all shows, the newest first, as they are: for who looks at them between two plans and keeps nothing.
func (d *Desk) EachShow() []*Show {
	return slices.SortedFunc(maps.Values(d.shows), func(a, b *Show) int { return cmp.Compare(b.ID, a.ID) })
}

// Shows are all shows, the newest first, copied.
func (d *Desk) Shows() []Show {
	out := make([]Show, 0, len(d.shows))
	for _, s := range d.EachShow() {
		out = append(out, s.Copy())
	}
	return out
}

// Watermark is the time of the newest line decided in a channel.
func (d *Desk) Watermark(c chat.Channel) time.Time { return d.marks[c] }

// Free is what is free of a variant, -1 when endless.
func (d *Desk) Free(variant ID) int64 {
	if s := d.stock[variant]; s != nil {
		return s.Free()
	}
	return 0
}

// Stock is a variant's row of stock, copied; false when there is none.
func (d *Desk) Stock(variant ID) (Stock, bool) {
	if s := d.stock[variant]; s != nil {
		return *s, true
	}
	return Stock{}, false
}

// ViewMost is how many open holds and places a ShowView has at most: nobody reads more, and the till waits while they are
// copied.
const ViewMost = 1000

// View is a show as it stands; false when there is none.
func (d *Desk) View(show ID, now time.Time) (ShowView, bool) {
	s := d.shows[show]
	if s == nil {
		return ShowView{}, false
	}
	v := ShowView{Show: s.Copy(), At: now}
	held, paid := map[ID]int64{}, map[ID]int64{}
	open, offers := least.Of[*Hold]{Most: ViewMost, Compare: ends}, least.Of[*Hold]{Most: ViewMost, Compare: ends}
	for _, id := range d.ofShow[show] {
		h := d.holds[id]
		switch h.State {
		case StateHeld:
			held[h.Variant] += int64(h.Quantity)
			v.HeldPieces += h.Quantity
			v.HeldMoney = add(v.HeldMoney, h.Total())
			open.Add(h)
		case StateOffered:
			offers.Add(h)
		case StatePaid:
			paid[h.Variant] += int64(h.Quantity)
		}
	}
	v.Open, v.MoreOpen = d.holdViews(open.All())
	v.Offers, v.MoreOffers = d.holdViews(offers.All())
	for i := range s.Lineup.Items {
		v.Items = append(v.Items, d.itemView(s, &s.Lineup.Items[i], held, paid, now))
	}
	seen := map[ID]bool{}
	for i := range s.Lineup.Items {
		for j := range s.Lineup.Items[i].Product.Variants {
			id := s.Lineup.Items[i].Product.Variants[j].ID
			if seen[id] {
				continue
			}
			seen[id] = true
			for pos, p := range d.lines[id] {
				switch {
				case d.places[p].Show != show:
				case len(v.Waiting) == ViewMost:
					v.MoreWaiting++
				default:
					v.Waiting = append(v.Waiting, d.placeView(d.places[p], pos+1))
				}
			}
		}
	}
	for _, o := range d.orders {
		if o.Show == show && o.Paid {
			v.Orders = append(v.Orders, *o)
			if o.State == OrderPaid {
				v.PaidOrders++
				v.Paid = add(v.Paid, o.Total)
			}
		}
	}
	slices.SortFunc(v.Orders, func(a, b OrderRow) int { return cmp.Or(b.Created.Compare(a.Created), cmp.Compare(b.Store, a.Store)) })
	return v, true
}

// ends orders holds by their end.
func ends(a, b *Hold) int { return cmp.Or(a.Expires.Compare(b.Expires), cmp.Compare(a.ID, b.ID)) }

func (d *Desk) holdViews(all []*Hold, more int) ([]HoldView, int) {
	var out []HoldView
	for _, h := range all {
		out = append(out, d.holdView(h))
	}
	return out, more
}

// add sums money of one currency; an amount in another currency is left out of the sum (a shop has one currency).
func add(a, b Money) Money {
	if a.Currency == "" {
		return b
	}
	if b.Currency == a.Currency {
		a.Minor += b.Minor
	}
	return a
}

func (d *Desk) itemView(s *Show, it *Item, held, paid map[ID]int64, now time.Time) ItemView {
	iv := ItemView{Item: *it}
	for i := range it.Product.Variants {
		v := it.Product.Variants[i]
		vv := VariantView{Variant: v, Price: it.PriceOf(&v), Held: held[v.ID], Paid: paid[v.ID]}
		if st := d.stock[v.ID]; st != nil {
			vv.Free, vv.Short, vv.Safety, vv.Stale = st.Free(), st.Short, st.Safety, st.Stale(now)
		}
		for _, p := range d.lines[v.ID] {
			if d.places[p].Show == s.ID {
				vv.Waiting++
			}
		}
		iv.Held += vv.Held
		iv.Sold += vv.Paid
		iv.Waiting += vv.Waiting
		if vv.Free < 0 || iv.Free < 0 {
			iv.Free = -1
		} else {
			iv.Free += vv.Free
		}
		iv.Stock = append(iv.Stock, vv)
	}
	return iv
}

func (d *Desk) words(show ID, number int, variant ID) (title, label, image string) {
	it := d.item(show, number)
	if it == nil {
		return "", "", ""
	}
	if v := it.Variant(variant); v != nil {
		label = v.Label()
	}
	return it.Product.Title, label, it.Product.Image
}

func (d *Desk) holdView(h *Hold) HoldView {
	v := HoldView{Hold: *h, Frozen: d.frozen(h)}
	v.Title, v.Label, v.Image = d.words(h.Show, h.Number, h.Variant)
	return v
}

func (d *Desk) placeView(p *Place, pos int) PlaceView {
	v := PlaceView{Place: *p, Position: pos}
	v.Title, v.Label, v.Image = d.words(p.Show, p.Number, p.Variant)
	return v
}

// Hold finds a hold by id; false when the desk does not know it.
func (d *Desk) Hold(id ID) (HoldView, bool) {
	h := d.holds[id]
	if h == nil {
		return HoldView{}, false
	}
	return d.holdView(h), true
}

// DraftOpen reports whether a draft is that of holds which nobody has paid.
func (d *Desk) DraftOpen(draft string) bool {
	return slices.ContainsFunc(d.byDraft[draft], func(id ID) bool { return d.holds[id].Open() })
}

// ReceiptOf is the receipt of a viewer in a show, 0 when there is none.
func (d *Desk) ReceiptOf(show ID, v chat.Viewer) ID {
	return d.receiptOf[showViewer{show, identity(v)}]
}

// Cart is the receipt at which a viewer sees all that they have in a show: their own, or else the oldest of an account that was
// joined; 0 when there is none.
func (d *Desk) Cart(show ID, v chat.Viewer) ID {
	if id := d.ReceiptOf(show, v); id != 0 {
		return id
	}
	if all := d.pages(show, d.Person(v)); len(all) > 0 {
		return all[0]
	}
	return 0
}

// pages are the receipts of a person in a show, one for each account that asked for something, the oldest first.
func (d *Desk) pages(show ID, person string) (all []ID) {
	for _, v := range d.people.Accounts(person) {
		if id := d.receiptOf[showViewer{show, v}]; id != 0 {
			all = append(all, id)
		}
	}
	slices.Sort(all)
	return all
}

// Generation is the generation of a receipt's address, 0 when there is no such receipt.
func (d *Desk) Generation(receipt ID) int {
	if r := d.receipts[receipt]; r != nil {
		return r.Generation
	}
	return 0
}

// Receipt is a viewer's page, with what their other accounts have; false when there is none under the id.
func (d *Desk) Receipt(id ID, now time.Time) (ReceiptView, bool) {
	r := d.receipts[id]
	if r == nil {
		return ReceiptView{}, false
	}
	v := ReceiptView{Receipt: *r, Merchant: d.Merchant, At: now}
	if s := d.shows[r.Show]; s != nil {
		v.Show = s.Copy()
	}
	person := d.Person(r.Viewer)
	for _, page := range d.pages(r.Show, person) {
		v.Cart = cmp.Or(v.Cart, page)
		for _, h := range d.byReceipt[page] {
			v.Holds = append(v.Holds, d.holdView(d.holds[h]))
		}
	}
	slices.SortFunc(v.Holds, func(a, b HoldView) int { return cmp.Or(b.Decided.Compare(a.Decided), cmp.Compare(b.ID, a.ID)) })
	for _, w := range d.waits[personShow{person, r.Show}] {
		v.Places = append(v.Places, d.placeView(d.places[w], d.position(d.places[w])))
	}
	slices.SortFunc(v.Places, func(a, b PlaceView) int { return cmp.Compare(a.ID, b.ID) })
	return v, true
}

// StockRows are all stock rows, by variant, copied.
func (d *Desk) StockRows() []Stock {
	var out []Stock
	for _, v := range slices.Sorted(maps.Keys(d.stock)) {
		out = append(out, *d.stock[v])
	}
	return out
}
