package desk

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"hawker/commerce"
	"hawker/internal/chat"
	"hawker/internal/live"
	"hawker/web/ui"
)

// Bounds of the live desk.
const (
	soon       = 2 * time.Minute // holds that end within it are about to expire
	feedShown  = 40
	chatShown  = 60
	holdsShown = 60
	measured   = 2 * time.Second // figures that no signal tells of are looked at this often
)

// showPage is the live desk of a show. Everything in it is words and numbers as shown.
type showPage struct {
	ID                          commerce.ID
	Key                         string // of the forms, on the page as it is opened
	Restored                    *restoredRow
	Title                       string
	Live, Ended, Paused         bool
	Money, Stock, Plan, Run     bool
	Room, Overlay, IngestServer string
	Figures                     []figure
	OnAir, Next                 *itemRow
	Items                       []itemRow
	Feed                        []feedRow
	Questions                   []questionRow  // the newest first
	Asked, MoreQuestions        int            // all, and those that are not listed
	Answers                     bool           // the visitor may take them off
	Pending                     []live.Pending // shout-outs that the host may stop
	Muted                       bool           // the bot is silent in a channel of the show
	Holds                       []holdRow
	MoreHolds                   int
	Waiting                     []waitRow
	MoreWaiting                 int
	Orders                      []orderRow // the newest
	MoreOrders                  int
	Channels                    []channelRow
	Store                       storeRow
	Ingest                      *ingestRow
	Destinations                []destinationRow
	Chat                        []chatRow
	Answer, Shout, Decide       timing
	Viewers, Claimers, Claims   int
}

type figure struct{ Label, Value, Sub, State string }

type itemRow struct {
	Number              int
	Title, Image, Price string
	OnAir, Closed       bool
	Left                string // in words or as a number
	LeftState           string
	Held, Sold          int64
	Waiting             int
	Variants            []variantRow
	One                 bool   // just one variant
	Kept                string // how many of each variant are kept back, empty where not all alike
	Trouble             []string
}

type variantRow struct {
	ID               commerce.ID
	Label            string
	Left, Free       string // as a number or in words, and the same in a sentence
	Held, Paid, Kept int64
	Waiting          int
	Own              bool // its stock is ours to change
	Trouble          string
}

type feedRow struct {
	At, ISO, Platform, Who, Text, State, Word, What string
	Number, Quantity                                int
	Hold                                            commerce.ID // 0 when nothing can be released
	Key                                             string
}

type holdRow struct {
	ID                  commerce.ID
	Number, Quantity    int
	Who, Platform, What string
	Total               string
	Due                 time.Time
	Frozen, Opened      bool
	ByHand              bool // no store takes the payment: the host says when it is paid
	Offered             bool // nothing is set aside: first paid, first served
	Together            bool // it falls due with all others, after the show
	Extended            bool // its owner could be told nothing, so it got its time once more
}

// restoredRow tells that the shop's data came from a backup, and what selling waits for.
type restoredRow struct {
	At         time.Time
	Day, Waits string
	May        bool
}

type waitRow struct {
	Number, Quantity, Position int
	Who, Platform, What        string
}

type orderRow struct {
	Name, Who, Platform, Total, At, ISO, State, Word, Note string
}

type channelRow struct {
	Name, Platform    string
	HearState, Hear   string
	SpeakState, Speak string
	Delay, Waiting    string
	Trouble           string
	Missing           []string
}

type storeRow struct {
	Connected                  bool
	State, Word, Read, Trouble string
}

type chatRow struct {
	ID, Platform, Who, Text, Word, State string
	Own                                  bool
}

type timing struct{ P50, P99, Count string }

// show shows the live desk.
func (d *Desk) show(w http.ResponseWriter, r *http.Request, v *Visitor) error {
	id, err := showID(r)
	if err != nil {
		return err
	}
	p, err := d.look(r.Context(), v, id)
	if err != nil {
		return err
	}
	p.Key = newKey()
	return d.render(w, r, v, "show", p.Title, ui.Frame{Stream: "/shows/" + id.String() + "/events", Media: true}, p)
}

// events streams what changes on the live desk. Members with the same rights get the same bytes.
func (d *Desk) events(w http.ResponseWriter, r *http.Request, v *Visitor) error {
	id, err := showID(r)
	if err != nil {
		return err
	}
	if _, err := d.Hub.Page(r.Context(), v.Merchant.ID, id); err != nil { // refused before the stream begins
		return err
	}
	key := fmt.Sprintf("desk/%s/%s/%s", v.Merchant.ID, id, v.Member.Role)
	return d.Kit.Casts.Serve(w, r, key, ui.Source{
		Watch:  func(tell func(live.Signal)) (func(), error) { return d.Hub.Watch(v.Merchant.ID, id, tell) },
		Render: func(ctx context.Context) ([]ui.Part, error) { return d.parts(ctx, v, id) },
		Tell: func(s live.Signal) []ui.Part {
			if s.Gone != nil {
				return ui.Removed(chatOf(*s.Gone).ID)
			}
			if s.Line == nil {
				return nil
			}
			b, err := d.pages.Part("show", "chat-line", chatOf(*s.Line))
			if err != nil {
				return nil
			}
			return []ui.Part{{Target: "#chat", Swap: "beforeend", HTML: b}}
		},
		Fresh: func(ctx context.Context) ([]ui.Part, error) {
			p, err := d.look(ctx, v, id)
			if err != nil {
				return nil, err
			}
			b, err := d.pages.Part("show", "chat", p)
			return []ui.Part{{Target: "#chat", HTML: b}}, err
		},
		Every: measured,
	}, nil)
}

// blocks are the partials of the live desk that change; each stands in the page in an element of its id.
func blocks() []string {
	return []string{"head", "figures", "onair", "nextbar", "shelf", "feed", "questions", "pending", "holds", "orders", "channels", "relay", "timing"}
}

func (d *Desk) parts(ctx context.Context, v *Visitor, id commerce.ID) ([]ui.Part, error) {
	p, err := d.look(ctx, v, id)
	if err != nil {
		return nil, err
	}
	var out []ui.Part
	for _, name := range blocks() {
		b, err := d.pages.Part("show", name, p)
		if err != nil {
			return nil, err
		}
		out = append(out, ui.Part{Target: "#" + name, HTML: b})
	}
	alarm, err := d.chats.Alarm(ctx, v.Merchant, v.Place)
	if err != nil {
		return nil, err
	}
	part, err := d.chats.AlarmPart(alarm)
	return append(out, part), err
}

// look reads a show as it stands and puts it into words.
func (d *Desk) look(ctx context.Context, v *Visitor, id commerce.ID) (*showPage, error) {
	s, err := d.Hub.Page(ctx, v.Merchant.ID, id)
	if err != nil {
		return nil, err
	}
	p := &showPage{
		ID: id, Title: s.Show.Title, Live: s.Show.State == commerce.ShowLive, Ended: s.Show.State == commerce.ShowEnded, Paused: s.Show.Paused,
		Money: v.May(Money), Stock: v.May(ChangeStock), Plan: v.May(Plan), Run: v.May(Run) && s.Show.State == commerce.ShowLive,
		Room: d.Kit.Public() + "/live/" + s.Show.Name, Viewers: s.Viewers, Claimers: s.Claimers, IngestServer: d.IngestServer,
	}
	if p.Plan {
		t, err := d.DB.OverlayToken(ctx, v.Merchant.ID, id)
		if err != nil {
			return nil, err
		}
		p.Overlay = d.Kit.Public() + "/overlay/" + t.Reveal()
	}
	for i := range s.Items {
		p.Items = append(p.Items, itemOf(&s.Items[i], s.Show.Lineup.OnAir))
	}
	for i := range p.Items {
		if p.Items[i].OnAir {
			p.OnAir = &p.Items[i]
		}
	}
	if n := nextOf(s.Items, s.Show.Lineup.OnAir); n != nil {
		row := itemOf(n, 0)
		p.Next = &row
	}
	p.feed(&s, v.Place)
	p.holds(&s)
	if err := d.questions(ctx, v, p); err != nil {
		return nil, err
	}
	if !s.Restored.IsZero() {
		p.Restored = &restoredRow{At: s.Restored, Day: day(s.Restored, v.Place), Waits: s.RestoreWaits, May: v.May(Store)}
	}
	for i := range s.Orders[:min(len(s.Orders), holdsShown)] {
		p.Orders = append(p.Orders, orderOf(&s.Orders[i], v.Place))
		p.MoreOrders = len(s.Orders) - len(p.Orders)
	}
	names, err := d.channelNames(ctx, v.Merchant.ID)
	if err != nil {
		return nil, err
	}
	p.Pending = s.Pending
	for i := range s.Channels {
		p.Muted = p.Muted || s.Channels[i].Muted.By != ""
		p.Channels = append(p.Channels, channelOf(&s.Channels[i], names))
	}
	p.Store = storeOf(s.Store, v.Place)
	if err := d.video(ctx, v, id, p); err != nil {
		return nil, err
	}
	for _, l := range s.Chat[max(0, len(s.Chat)-chatShown):] {
		p.Chat = append(p.Chat, chatOf(l))
	}
	p.Answer, p.Shout, p.Decide = timingOf(s.Timing.Answer), timingOf(s.Timing.Shout), timingOf(s.Timing.Decide)
	p.figures(&s)
	return p, nil
}

// figures are the numbers at the top. What has no data shows a dash.
func (p *showPage) figures(s *live.ShowPage) {
	began := s.Show.State != commerce.ShowPlanned
	number := func(n int) string {
		if !began {
			return "–"
		}
		return strconv.Itoa(n)
	}
	money := func(m commerce.Money) string {
		if m.Currency == "" {
			if !began {
				return "–"
			}
			m.Currency = s.Merchant.Currency
		}
		return m.String()
	}
	ending := 0
	for i := range s.Open {
		if h := &s.Open[i]; !h.Frozen && h.Due.Sub(s.At) < soon {
			ending++
		}
	}
	if p.Money {
		p.Figures = append(p.Figures, figure{Label: "Paid", Value: money(s.Paid), Sub: orders(s.PaidOrders, began), State: "paid"},
			figure{Label: "Held, not paid", Value: money(s.HeldMoney), Sub: pieces(s.HeldPieces, began), State: "held"})
	} else {
		p.Figures = append(p.Figures, figure{Label: "Orders paid", Value: number(s.PaidOrders), State: "paid"},
			figure{Label: "Held", Value: number(s.HeldPieces), Sub: "pieces", State: "held"})
	}
	about := figure{Label: "About to expire", Value: number(ending), Sub: "within 2 minutes"}
	if ending == len(s.Open) && s.MoreOpen > 0 { // all that are listed; of the others it is not known
		about.Value += "+"
	}
	if ending > 0 {
		about.State = "held"
	}
	p.Figures = append(p.Figures, about, figure{Label: "In line", Value: number(len(s.Waiting) + s.MoreWaiting), Sub: "waiting for stock", State: "waiting"})
	air := figure{Label: "Left on air", Value: "–", Sub: "nothing on air"}
	if p.OnAir != nil {
		air.Value, air.Sub, air.State = p.OnAir.Left, "item "+strconv.Itoa(p.OnAir.Number), p.OnAir.LeftState
	}
	p.Figures = append(p.Figures, air, figure{Label: "People", Value: number(s.Viewers), Sub: claimed(s.Claimers, began)})
}

func orders(n int, began bool) string {
	if !began {
		return ""
	}
	if n == 1 {
		return "1 order"
	}
	return strconv.Itoa(n) + " orders"
}

func pieces(n int, began bool) string {
	if !began {
		return ""
	}
	if n == 1 {
		return "1 piece"
	}
	return strconv.Itoa(n) + " pieces"
}

func claimed(n int, began bool) string {
	if !began {
		return ""
	}
	return "wrote, " + strconv.Itoa(n) + " claimed"
}

func itemOf(it *commerce.ItemView, onAir int) itemRow {
	row := itemRow{
		Number: it.Number, Title: it.Product.Title, Image: it.Product.Image, OnAir: it.Number == onAir && onAir != 0, Closed: it.Closed, Held: it.Held, Sold: it.Sold,
		Waiting: it.Waiting, One: len(it.Stock) == 1,
	}
	row.Left, row.LeftState = left(it.Free, it.Held)
	low, high := it.Stock[0].Price, it.Stock[0].Price
	for i := range it.Stock {
		x := &it.Stock[i]
		if x.Price.Minor < low.Minor {
			low = x.Price
		}
		if x.Price.Minor > high.Minor {
			high = x.Price
		}
		v := variantRow{ID: x.Variant.ID, Label: x.Variant.Label(), Held: x.Held, Paid: x.Paid, Kept: x.Safety, Waiting: x.Waiting, Own: x.Variant.Inventory == ""}
		v.Left, _ = left(x.Free, x.Held)
		if v.Free = v.Left; x.Free > 0 {
			v.Free += " free"
		}
		if kept := strconv.FormatInt(x.Safety, 10); i == 0 || kept == row.Kept {
			row.Kept = kept
		} else {
			row.Kept = ""
		}
		switch {
		case x.Short > 0:
			v.Trouble = fmt.Sprintf("The store has %d fewer than are promised.", x.Short)
		case x.Stale:
			v.Trouble = "The store's stock could not be read, so it is not sold now."
		}
		row.Variants = append(row.Variants, v)
	}
	row.Trouble = troubles(row.Variants)
	row.Price = low.String()
	if high.Minor != low.Minor {
		row.Price += " to " + high.String()
	}
	return row
}

// troubles are what is wrong with variants, each said once: it must be seen without opening anything.
func troubles(all []variantRow) []string {
	var out []string
	for i := range all {
		t := all[i].Trouble
		switch {
		case t == "":
			continue
		case len(all) > 1 && !slices.ContainsFunc(all, func(v variantRow) bool { return v.Trouble != t }):
			return []string{t}
		case len(all) > 1:
			t = all[i].Label + ": " + strings.ToLower(t[:1]) + t[1:]
		}
		out = append(out, t)
	}
	return out
}

// left is what is free in words, with its state.
func left(free, held int64) (words, state string) {
	switch {
	case free < 0:
		return "plenty", "good"
	case free == 0 && held > 0:
		return "all held", "held"
	case free == 0:
		return "sold out", "gone"
	}
	return strconv.FormatInt(free, 10), "good"
}

// byHand reports whether no store takes the payment of a hold.
func byHand(s *live.ShowPage, h *commerce.HoldView) bool {
	it := s.Show.Lineup.Item(h.Number)
	if it == nil {
		return false
	}
	v := it.Variant(h.Variant)
	return v != nil && v.Store == ""
}

func (p *showPage) holds(s *live.ShowPage) {
	once := s.Show.PayOnce > 0 && s.Show.State != commerce.ShowEnded
	all := slices.Concat(s.Open, s.Offers)
	for i := range all[:min(len(all), holdsShown)] {
		h := &all[i]
		p.Holds = append(p.Holds, holdRow{
			ID: h.ID, Number: h.Number, Quantity: h.Quantity, Who: nameOf(h.Viewer), Platform: h.Viewer.Platform.Title(), What: what(h.Title, h.Label), Total: h.Total().String(),
			Due: h.Due, Frozen: h.Frozen, Opened: h.Opened, ByHand: byHand(s, h),
			Offered: h.State == commerce.StateOffered, Together: once, Extended: h.Extended,
		})
	}
	p.MoreHolds = len(all) - len(p.Holds) + s.MoreOpen + s.MoreOffers
	for i := range s.Waiting[:min(len(s.Waiting), holdsShown)] {
		x := &s.Waiting[i]
		p.Waiting = append(p.Waiting, waitRow{x.Number, x.Quantity, x.Position, nameOf(x.Viewer), x.Viewer.Platform.Title(), what(x.Title, x.Label)})
	}
	p.MoreWaiting = len(s.Waiting) - len(p.Waiting) + s.MoreWaiting
}

func what(title, label string) string {
	if label == "" {
		return title
	}
	return title + ", " + label
}

// nameOf is how a viewer is called; who has no name yet is called by the id.
func nameOf(v chat.Viewer) string {
	if v.Name != "" {
		return v.Name
	}
	if v.Platform == chat.Room {
		return "somebody in the room"
	}
	return v.ID
}

func orderOf(o *commerce.OrderRow, place *time.Location) orderRow {
	row := orderRow{Name: o.Name, Who: "–", Total: o.Total.String(), At: clock(o.Created, place), ISO: o.Created.UTC().Format(time.RFC3339), State: "paid", Word: "paid"}
	if o.Viewer.ID != "" {
		row.Who, row.Platform = nameOf(o.Viewer), o.Viewer.Platform.Title()
	}
	switch o.State {
	case commerce.OrderRefunded:
		row.State, row.Word = "gone", "refunded"
	case commerce.OrderCancelled:
		row.State, row.Word = "gone", "cancelled"
	case commerce.OrderPending:
		row.State, row.Word = "waiting", "not paid"
	}
	switch {
	case o.Unfilled > 0:
		row.State, row.Note = "trouble", fmt.Sprintf("%d paid and not there: refund it or find more", o.Unfilled)
	case o.Late:
		row.Note = "paid after its time; stock was there"
	case o.Test:
		row.Note = "a test order"
	}
	return row
}

func (d *Desk) channelNames(ctx context.Context, merchant commerce.ID) (map[chat.Channel]string, error) {
	all, err := d.DB.Channels(ctx, merchant)
	if err != nil {
		return nil, err
	}
	out := map[chat.Channel]string{}
	for _, c := range all {
		out[c.Channel] = c.Name
	}
	return out, nil
}

func channelOf(c *live.ChannelState, names map[chat.Channel]string) channelRow {
	row := channelRow{
		Name: names[c.Channel], Platform: c.Channel.Platform.Title(), HearState: "trouble", Hear: "not heard", SpeakState: "trouble", Speak: "cannot speak",
		Delay: "–", Waiting: "–", Trouble: c.Trouble, Missing: c.Missing,
	}
	if row.Name == "" {
		row.Name = c.Channel.ID
	}
	if c.Hears {
		row.HearState, row.Hear = "live", "heard"
	}
	if c.Speaks {
		row.SpeakState, row.Speak = "good", "can speak"
	}
	if c.Muted.By != "" {
		row.SpeakState, row.Speak = "held", "muted"
	}
	if c.Delay > 0 {
		row.Delay = ui.Short(c.Delay)
	}
	if c.Speaks || c.Waiting > 0 {
		row.Waiting = strconv.Itoa(c.Waiting)
		if c.Dropped > 0 {
			row.Waiting += fmt.Sprintf(", %d given up", c.Dropped)
		}
	}
	return row
}

func storeOf(s live.StoreState, place *time.Location) storeRow {
	row := storeRow{Connected: s.Connected, Read: "–", Trouble: s.Trouble}
	switch {
	case !s.Connected:
		row.State, row.Word = "gone", "no store"
	case s.Trouble != "":
		row.State, row.Word = "trouble", "trouble"
	case s.Read.IsZero():
		row.State, row.Word = "waiting", "being read"
	default:
		row.State, row.Word = "good", "connected"
	}
	if !s.Read.IsZero() {
		row.Read = s.Read.In(place).Format("15:04") // to the minute: it is read all the time
	}
	return row
}

func chatOf(l live.ChatLine) chatRow {
	row := chatRow{ID: "c-" + string(l.Channel.Platform) + "-" + l.ID, Platform: l.Channel.Platform.Title(), Who: nameOf(l.Viewer), Text: l.Text, Own: l.Own}
	if l.Reason != "" && l.Reason != commerce.Chat && l.Reason != commerce.Question {
		row.State, row.Word = wordsOf("", l.Reason)
	}
	return row
}

func timingOf(f live.Figures) timing {
	if f.Count == 0 {
		return timing{"–", "–", "none yet"}
	}
	return timing{ui.Short(f.P50), ui.Short(f.P99), strconv.Itoa(f.Count)}
}
