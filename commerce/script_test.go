package commerce

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"hawker/internal/chat"
)

// The shop of the scripts: show 100 is live and sells a mug as 1, a shirt in S and M as 2 (two for each person), a plate as 3
// at its own price and held for two minutes; show 200, planned, sells the same mug as 9 on another channel.
const (
	spring, autumn = ID(100), ID(200)
	mug, small     = ID(11), ID(21)
	medium, plate  = ID(22), ID(31)
)

var epoch = time.Date(2026, 3, 1, 20, 0, 0, 0, time.UTC)

func eur(minor int64) Money { return Money{Minor: minor, Currency: "EUR"} }

func springShow() Show {
	return Show{
		ID: spring, Name: "spring", Title: "Spring", State: ShowLive, Channels: []chat.Channel{{Platform: chat.Twitch, ID: "1"}},
		Lineup: Lineup{Items: []Item{
			{Number: 1, Product: Product{ID: 1, Title: "Mug", Variants: []Variant{{ID: mug, Price: eur(1999), Store: "gid/mug"}}}},
			{Number: 2, Cap: 2, Product: Product{ID: 2, Title: "Shirt", Options: []string{"Size"}, Variants: []Variant{
				{ID: small, Options: []string{"S"}, Price: eur(2500), Store: "gid/S"}, {ID: medium, Options: []string{"M"}, Price: eur(2600), Store: "gid/M"},
			}}},
			{Number: 3, Hold: 2 * time.Minute, Price: eur(500), Product: Product{ID: 3, Title: "Plate", Variants: []Variant{{ID: plate, Price: eur(900), Store: "gid/plate"}}}},
		}},
	}
}

func autumnShow() Show {
	return Show{
		ID: autumn, Name: "autumn", Title: "Autumn", State: ShowPlanned, Channels: []chat.Channel{{Platform: chat.YouTube, ID: "2"}},
		Lineup: Lineup{Items: []Item{{Number: 9, Product: springShow().Lineup.Items[0].Product}}},
	}
}

// stocked is a ledger that holds the shop: three mugs, one S, two M, five plates.
func stocked(t testing.TB) *memory {
	m := newMemory()
	st, _ := m.Load(t.Context(), 7)
	d := NewDesk(7, st)
	reqs := []Request{SetShow{springShow()}, SetShow{autumnShow()}}
	for _, v := range []struct{ id, n ID }{{mug, 3}, {small, 1}, {medium, 2}, {plate, 5}} {
		reqs = append(reqs, SetStock{Variant: v.id, Add: int64(v.n)})
	}
	b, _ := d.Plan(epoch.Add(-time.Hour), reqs)
	if err := m.Commit(t.Context(), b); err != nil {
		t.Fatal(err)
	}
	return m
}

// script plays lines of plain words to a desk and says what came of each.
//
//	ana buy 1 x2        a viewer's line; also add, wait, less, more, pass, unclear, opens, drafts, deletes, again
//	host pause          the host: resume, close, open, release, stock, safety, air, start, end, cap, drop, bind, delete
//	store read mug 2    the store: read, order
//	clock               the moment when ends of holds are looked at
//	after 5s            time passes
//	crowd 30            so many strangers are present; seen ana: she is
//	restore             the data come from a backup
type script struct {
	t       *testing.T
	m       *memory
	d       *Desk
	now     time.Time
	asked   map[string][]Request // what each viewer typed
	orders  map[string]Order
	restart bool // the desk is loaded anew before each line
}

func newScript(t *testing.T) *script {
	s := &script{t: t, m: stocked(t), now: epoch, asked: map[string][]Request{}, orders: map[string]Order{}}
	s.load()
	return s
}

func (s *script) load() {
	st, _ := s.m.Load(s.t.Context(), 7)
	s.d = NewDesk(7, st)
}

// play plays the lines of a text: "line -> outcomes" and "= what: how it stands".
func (s *script) play(text string) {
	s.t.Helper()
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if line == "" {
			continue
		}
		if what, want, ok := strings.Cut(line, ": "); ok && strings.HasPrefix(line, "= ") {
			if got := s.state(what[2:]); got != want {
				s.t.Fatalf("%s\n got %s", line, got)
			}
			continue
		}
		do, want, _ := strings.Cut(line, " -> ")
		got := s.do(strings.Fields(do))
		if want == "" {
			want = "nothing"
		}
		if got != want {
			s.t.Fatalf("%s\n got %s", line, got)
		}
	}
}

func (s *script) do(w []string) string {
	if w[0] == "after" {
		by, err := time.ParseDuration(w[1])
		if err != nil {
			s.t.Fatal(err)
		}
		s.now = s.now.Add(by)
		return "nothing"
	}
	switch w[0] {
	case "crowd":
		for i := range number(w, 1) {
			s.d.Seen(spring, who(fmt.Sprint("x", i)), false, s.now)
		}
		return "nothing"
	case "seen":
		for _, name := range w[1:] {
			s.d.Seen(spring, who(name), false, s.now)
		}
		return "nothing"
	case "restore":
		s.m.restored = s.now
		s.load()
		return "nothing"
	case "telling", "told":
		for _, h := range s.d.mustHolds(who(w[1])) {
			if s.d.Told(h.ID); w[0] == "telling" {
				s.d.Telling(h.ID)
			}
		}
		return "nothing"
	}
	if s.restart {
		s.load()
	}
	r := s.request(w)
	s.d.NextDue() // which puts aside what stands still
	before := trace(s.d)
	s.d.Plan(s.now, []Request{r, Expire{}})
	s.d.Rollback()
	if d := differ(before, trace(s.d)); d != "" {
		s.t.Fatalf("%v: taking the plan back left a trace: %s", w, d)
	}
	b, outs := s.d.Plan(s.now, []Request{r})
	if b.Empty() {
		s.d.CommitNothing()
	} else {
		if err := s.m.Commit(s.t.Context(), b); err != nil {
			if s.d.Rollback(); errors.Is(err, ErrRepeated) && s.restart {
				s.t.Fatalf("%v: %v though it was decided within ten minutes", w, err)
			}
			s.t.Fatalf("%v: %v", w, err)
		}
		s.d.Commit()
	}
	if err := Verify(s.m.entries, [32]byte{}); err != nil {
		s.t.Fatal(err)
	}
	if d := differ(durable(s.d), durable(NewDesk(7, s.m.state()))); d != "" {
		s.t.Fatalf("%v: what was stored is not what the desk knows: %s", w, d)
	}
	var all []string
	for i := range outs {
		all = append(all, say(&outs[i]))
	}
	if len(all) == 0 {
		return "nothing"
	}
	return strings.Join(all, "; ")
}

func who(name string) chat.Viewer {
	name, platform, ok := strings.Cut(name, "@")
	if !ok {
		platform = string(chat.Twitch)
	}
	return chat.Viewer{Platform: chat.Platform(platform), ID: name, Name: strings.ToUpper(name)}
}

func variant(name string) ID {
	return map[string]ID{"mug": mug, "S": small, "M": medium, "plate": plate}[name]
}

func number(w []string, at int) int {
	if at >= len(w) {
		return 0
	}
	n, err := strconv.Atoi(w[at])
	if err != nil {
		panic(fmt.Sprintf("%v: %q is no number", w, w[at]))
	}
	return n
}

func (s *script) request(w []string) Request {
	switch w[0] {
	case "clock":
		return Expire{}
	case "host":
		return s.host(w[1:])
	case "store":
		return s.store(w[1:])
	}
	who := who(w[0])
	var holds []ID
	for _, h := range s.d.holds {
		if h.Open() && identity(h.Viewer) == identity(who) && h.Draft == "" {
			holds = append(holds, h.ID)
		}
	}
	slices.Sort(holds)
	switch w[1] {
	case "again":
		return s.asked[w[0]][number(w, 2)-1]
	case "opens":
		return Opened{holds}
	case "unheard":
		return Unheard{holds}
	case "edits": // ana edits 1 buy 3: her first line
		c := s.viewer(append([]string{w[0]}, w[3:]...), who).(Claim)
		c.Key, c.Edited = Key{Platform: who.Platform, Message: w[0] + w[2], Part: len(s.asked[w[0]])}, true
		s.asked[w[0]] = append(s.asked[w[0]], c)
		return c
	case "undrafts":
		for _, h := range s.d.mustHolds(who) {
			holds = append(holds, h.ID)
		}
		return Drafted{Holds: holds}
	case "drafts":
		return Drafted{Holds: holds, Draft: w[2], URL: "https://shop.example/" + w[2], Created: s.now}
	case "deletes":
		return Retract{Message: who.Platform, ID: w[0] + w[2]}
	}
	r := s.viewer(w, who)
	s.asked[w[0]] = append(s.asked[w[0]], r)
	return r
}

func (s *script) viewer(w []string, who chat.Viewer) Request {
	a := Ask{Key: Key{Platform: who.Platform, Message: w[0] + strconv.Itoa(len(s.asked[w[0]])+1)}, Show: spring, Viewer: who, Sent: s.now}
	a.Answer = chat.Answer{Kind: chat.ToReply, Channel: chat.Channel{Platform: who.Platform, ID: "1"}, Message: a.Key.Message}
	item, v, n := 0, ID(0), 1
	words := w[2:]
	if w[1] == "unclear" {
		words = w[2:3]
	}
	for _, x := range words {
		switch x, isAmount := strings.CutPrefix(x, "x"); {
		case isAmount:
			n, _ = strconv.Atoi(x)
		case variant(x) != 0:
			v = variant(x)
		case x == "autumn":
			a.Show = autumn
		case x == "trusted":
			a.Trusted = true
		case strings.HasPrefix(x, "block"):
			a.Block = x
		default:
			item, _ = strconv.Atoi(x)
		}
	}
	switch w[1] {
	case "buy", "add", "wait":
		return Claim{Ask: a, Number: item, Variant: v, Quantity: n, Add: w[1] == "add", Wait: w[1] == "wait"}
	case "unclear":
		return Claim{Ask: a, Number: item, Quantity: n, Unclear: Reason(w[len(w)-1])}
	case "less":
		return Change{Ask: a, Number: item, Variant: v, Delta: -n}
	case "more":
		return Change{Ask: a, Number: item, Variant: v, Delta: n}
	case "pass":
		return Pass{Ask: a, Number: item, Variant: v}
	case "hands": // one hold, the oldest
		for _, h := range s.d.mustHolds(who) {
			return Pass{Ask: a, Hold: h.ID}
		}
	}
	panic(strings.Join(w, " "))
}

// mustHolds are a viewer's open holds, oldest first.
func (d *Desk) mustHolds(v chat.Viewer) []*Hold {
	var out []*Hold
	for _, h := range d.holds {
		if h.Open() && identity(h.Viewer) == identity(v) {
			out = append(out, h)
		}
	}
	slices.SortFunc(out, func(a, b *Hold) int { return int(a.ID - b.ID) })
	return out
}

func (s *script) host(w []string) Request {
	switch w[0] {
	case "pause", "resume":
		return Gate{Show: spring, Closed: w[0] == "pause"}
	case "close", "open":
		return Gate{Show: spring, Number: number(w, 1), Closed: w[0] == "close"}
	case "release":
		if holds := s.d.mustHolds(who(w[1])); len(holds) > 0 {
			return Release{Hold: holds[0].ID, By: "member 5"}
		}
		return Release{Hold: 1}
	case "stock":
		n, _ := strconv.ParseInt(w[2], 10, 64)
		if strings.ContainsAny(w[2][:1], "+-") {
			return SetStock{Variant: variant(w[1]), Add: n}
		}
		return SetStock{Variant: variant(w[1]), Available: &n}
	case "safety":
		n, _ := strconv.ParseInt(w[2], 10, 64)
		return SetStock{Variant: variant(w[1]), Safety: &n}
	case "air":
		return Air{Show: spring, Number: number(w, 1)}
	case "bind":
		return Bind{Viewer: who(w[1]), Person: w[2]}
	case "part":
		return Bind{Viewer: who(w[1])}
	case "reopen":
		return Reopen{By: "member 5"}
	case "delete":
		return Retract{Message: who(w[1]).Platform, ID: w[1] + w[2], ByMod: true}
	}
	show := *s.d.shows[spring]
	if w[len(w)-1] == "autumn" {
		show = *s.d.shows[autumn]
	}
	show.Started, show.Ended, show.Paused, show.PausedAt, show.Lineup.OnAir = time.Time{}, time.Time{}, false, time.Time{}, 0 // a form knows none of these
	show.Lineup.Items = slices.Clone(show.Lineup.Items)
	for i := range show.Lineup.Items {
		show.Lineup.Items[i].Closed = false
	}
	switch w[0] {
	case "start":
		show.State = ShowLive
	case "end":
		show.State = ShowEnded
	case "plan":
		show.State = ShowPlanned
	case "cap":
		show.Lineup.Item(number(w, 1)).Cap = number(w, 2)
	case "caps":
		show.Cap = number(w, 1)
	case "firstpaid":
		show.Lineup.Item(number(w, 1)).FirstPaid = true
	case "guard":
		show.Guard = Guard{Share: number(w, 1), Unpaid: number(w, 2)}
	case "payonce":
		show.PayOnce, _ = time.ParseDuration(w[1])
	case "drop":
		n := number(w, 1)
		show.Lineup.Items = slices.DeleteFunc(show.Lineup.Items, func(it Item) bool { return it.Number == n })
	case "rename":
		show.Name = w[1]
	case "listen":
		show.Channels = []chat.Channel{{Platform: chat.Twitch, ID: w[1]}}
	}
	return SetShow{show}
}

// store order O1 paid ana mug x2 draft D1 at -10s: an order named O1 that names ana's holds and was made 10 s ago.
func (s *script) store(w []string) Request {
	if w[0] == "read" {
		n, _ := strconv.ParseInt(w[2], 10, 64)
		r := Reading{Variant: variant(w[1]), Available: n, At: s.now, Endless: slices.Contains(w, "endless")}
		return Read{[]Reading{r}}
	}
	o, known := s.orders[w[1]]
	if !known {
		o = Order{Store: "gid/" + w[1], Name: "#" + w[1], Created: s.now}
	}
	o.State, o.Updated = OrderState(w[2]), s.now
	var v ID
	for i := 3; i < len(w); i++ {
		switch x := w[i]; {
		case x == "draft":
			i++
			o.Draft = w[i]
		case x == "at":
			i++
			by, _ := time.ParseDuration(w[i])
			o.Created, o.Updated = s.now.Add(by), s.now.Add(by)
		case x == "edited":
			o.Lines = nil
		case variant(x) != 0:
			v = variant(x)
		case strings.HasPrefix(x, "x") && v != 0:
			n, _ := strconv.Atoi(x[1:])
			o.Lines = append(o.Lines, OrderLine{Variant: "gid/" + map[ID]string{mug: "mug", small: "S", medium: "M", plate: "plate"}[v], Quantity: n, Price: eur(100)})
			o.Total = Money{Minor: o.Total.Minor + int64(n)*100, Currency: "EUR"}
		default:
			for _, h := range s.d.holds {
				if identity(h.Viewer) == identity(who(x)) && h.State != StatePaid {
					o.Holds = append(o.Holds, h.ID)
				}
			}
			slices.Sort(o.Holds)
		}
	}
	s.orders[w[1]] = o
	return Paid{Order: o, Variants: map[string]ID{"gid/mug": mug, "gid/S": small, "gid/M": medium, "gid/plate": plate}}
}

// say writes an outcome in few words.
func say(o *Outcome) string {
	var b strings.Builder
	if o.What == Claimed {
		b.WriteString(string(o.Reason))
	} else {
		b.WriteString(string(o.What))
		for _, x := range []string{o.Viewer.ID, o.Order} {
			if x != "" {
				b.WriteString(" " + x)
			}
		}
	}
	add := func(word string, n int) {
		if n != 0 {
			fmt.Fprintf(&b, " %s %d", word, n)
		}
	}
	switch o.What {
	case Claimed, Promoted:
		add("holds", o.Holding)
		add("waits", o.Waiting)
		add("place", o.Place)
		add("left", int(o.Left))
		if len(o.Choices) > 0 {
			b.WriteString(" of " + strings.Join(o.Choices, ","))
		}
	case Expired, Released, Reminded, Extended, Settled, Late, Unfilled, ShortOf:
		add("x", o.Wanted)
	case Restocked:
		add("left", int(o.Left))
	case Aired, Gated:
		add("item", o.Number)
	case Refused:
		b.WriteString(" beside " + o.Title)
	}
	if o.Repeat {
		b.WriteString(" repeat")
	}
	return b.String()
}

// state says how a variant ("mug"), a line ("line mug"), or what a viewer has ("ana") stands.
func (s *script) state(of string) string {
	if v := variant(of); v != 0 {
		st := s.d.stock[v]
		out := fmt.Sprintf("%d available %d held %d sold", st.Available, st.Held, st.Sold)
		if st.Short > 0 {
			out += fmt.Sprintf(" %d short", st.Short)
		}
		return out
	}
	if o, ok := strings.CutPrefix(of, "unfilled "); ok {
		return strconv.Itoa(s.d.orders["gid/"+o].Unfilled)
	}
	if name, ok := strings.CutPrefix(of, "payable "); ok {
		n := 0
		for _, h := range s.d.mustHolds(who(name)) {
			n += s.d.Payable(h.ID, s.now)
		}
		return strconv.Itoa(n)
	}
	var all []string
	if v, ok := strings.CutPrefix(of, "line "); ok {
		for _, id := range s.d.lines[variant(v)] {
			all = append(all, fmt.Sprintf("%s %d", s.d.places[id].Viewer.ID, s.d.places[id].Quantity))
		}
	} else {
		v := who(of)
		r, _ := s.d.Receipt(max(s.d.ReceiptOf(spring, v), s.d.ReceiptOf(autumn, v)), s.now)
		slices.Reverse(r.Holds)
		for _, h := range r.Holds {
			x := strings.TrimSpace(fmt.Sprintf("%s %d %s", h.Title+h.Label, h.Quantity, h.State))
			if h.Open() {
				x += fmt.Sprintf(" for %v+%v", h.Due.Sub(s.now), h.Expires.Sub(h.Due))
			}
			if h.Late {
				x += " late"
			}
			all = append(all, x)
		}
	}
	if len(all) == 0 {
		return "none"
	}
	return strings.Join(all, ", ")
}
