package rulepage

import (
	"context"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"hawker/commerce"
	"hawker/internal/chat"
	"hawker/internal/lang"
	"hawker/rules/facts"
	"hawker/rules/rule"
	"hawker/web/desk/ruleform"
	"hawker/web/desk/section"
)

// there reports whether a fact is there when e happens.
func there(e rule.Event, name string) bool {
	for _, f := range facts.List() {
		if f.Name == name {
			return f.In(e)
		}
	}
	return false
}

// tryPanel is the panel as it was filled in.
func (p *Pages) tryPanel(ctx context.Context, v *section.Visitor, values url.Values, e rule.Event, x *tried) (*tryPanel, error) {
	show, shows, err := p.tryShow(ctx, v, values.Get("try_show"))
	if err != nil {
		return nil, err
	}
	f := begun(values, e, show)
	section1 := ruleform.Section{ID: "try-happens", Title: "The details"}
	add := func(s *ruleform.Section, x ruleform.Field) { s.Fields = append(s.Fields, f.Field(x)) }
	if e.OfLines() {
		section1.Title = "The line"
		add(&section1, ruleform.Field{Kind: "text", Name: "try_text", Label: "What is typed"})
		add(&section1, ruleform.Field{Kind: "checks", Name: "try_first", Label: "It is", Options: []ruleform.Option{{Value: "1", Text: "the viewer's first line in the show"}}})
		add(&section1, ruleform.Field{Kind: "text", Name: "try_bits", Label: "Bits cheered with it", Mode: "numeric", Placeholder: "none"})
		add(&section1, ruleform.Field{Kind: "text", Name: "try_paid", Label: "Super Chat", Hint: "In " + v.Merchant.Currency + ".", Mode: "decimal", Placeholder: "none"})
	} else if there(e, "text") {
		add(&section1, ruleform.Field{Kind: "text", Name: "try_text", Label: "What the viewer typed with it"})
	}
	for _, q := range questions() {
		if there(e, q.fact) {
			x := ruleform.Field{Kind: "text", Name: q.name, Label: q.label, Hint: q.hint, Mode: q.mode}
			if q.fact == "webhook" {
				x.Kind = "area"
			}
			add(&section1, x)
		}
	}
	out := &tryPanel{Tried: x}
	if e == rule.StockAt {
		add(&section1, ruleform.Field{Kind: "text", Name: "try_before", Label: "Pieces before", Mode: "numeric"})
	}
	if len(section1.Fields) > 0 {
		out.Sections = append(out.Sections, section1)
	}
	if e.ByViewer() {
		who := ruleform.Section{ID: "try-who", Title: "Who it is"}
		add(&who, ruleform.Field{Kind: "text", Name: "try_name", Label: "Name"})
		add(&who, ruleform.Field{Kind: "select", Name: "try_platform", Label: "On", Options: ruleform.PlatformOptions()})
		add(&who, ruleform.Field{Kind: "checks", Name: "try_role", Label: "Is", Options: ruleform.RoleOptions(1)})
		add(&who, ruleform.Field{Kind: "text", Name: "try_orders", Label: "Orders paid before", Mode: "numeric", Placeholder: "0"})
		add(&who, ruleform.Field{Kind: "text", Name: "try_spent", Label: "Spent before", Hint: "In " + v.Merchant.Currency + ".", Mode: "decimal", Placeholder: "0"})
		out.Sections = append(out.Sections, who)
	}
	out.Sections = append(out.Sections, f.where(show, shows))
	return out, nil
}

// question is something that the panel asks when a fact is there.
type question struct{ fact, name, label, hint, mode, value string }

func questions() []question {
	return []question{
		{"count", "try_count", "How many", "", "numeric", "10"},
		{"months", "try_months", "Months", "", "numeric", "3"},
		{"tier", "try_tier", "Level", "1000, 2000 or 3000 on Twitch.", "", "1000"},
		{"qty", "try_qty", "Pieces", "", "numeric", "1"},
		{"place", "try_place", "Place in line", "Empty: none.", "numeric", ""},
		{"minutes", "try_minutes", "Minutes until the hold ends", "", "numeric", "10"},
		{"order", "try_order", "Order", "", "", "#1001"},
		{"total", "try_total", "Its total", "In the shop's currency.", "decimal", "20.00"},
		{"title", "try_title", "Its name", "The reward's, the poll's, the destination's or the webhook's.", "", ""},
		{"answer", "try_answer", "Winning answer", "", "", "Blue"},
		{"webhook", "try_webhook", "Fields that came in", "One on each line: name = value.", "", ""},
	}
}

// begun is the panel as it was filled in; what was never asked begins with something likely.
func begun(values url.Values, e rule.Event, show *commerce.Show) *panel {
	f := &panel{ruleform.New(maps.Clone(values))}
	if f.Values == nil {
		f.Values = url.Values{}
	}
	first := func(name, s string) {
		if _, typed := f.Values[name]; !typed {
			f.Set(name, s)
		}
	}
	for _, x := range [][2]string{{"try_platform", string(chat.Twitch)}, {"try_name", "ana"}, {"try_state", string(rule.ShowLive)}, {"try_left", "5"}} {
		first(x[0], x[1])
	}
	if e.OfLines() {
		first("try_text", f.example(e))
		if e == rule.Cheered {
			first("try_bits", "100")
		}
		if e == rule.SuperChat {
			first("try_paid", "5.00")
		}
		if e == rule.FirstLine {
			first("try_first", "1")
		}
	}
	for _, q := range questions() {
		if !there(e, q.fact) {
			continue
		}
		if q.value == "" && q.fact == "title" {
			q.value = f.Trimmed("title")
		}
		first(q.name, q.value)
	}
	if e == rule.StockAt {
		n := f.Number("left")
		first("try_before", strconv.Itoa(n+2))
		if n > 0 && !values.Has("try_left") {
			f.Set("try_left", strconv.Itoa(n))
		}
	}
	if show != nil {
		on := show.Lineup.OnAir
		if on == 0 && len(show.Lineup.Items) > 0 {
			on = show.Lineup.Items[0].Number
		}
		first("try_item", strconv.Itoa(on))
	}
	clear(f.Faults)
	return f
}

// panel is the panel as it was filled in.
type panel struct{ *ruleform.Form }

// example is a line that the form's rule waits for.
func (f *panel) example(e rule.Event) string {
	words := ruleform.List(f.Get("words"))
	switch {
	case e == rule.Command && len(words) > 0:
		return "!" + strings.TrimPrefix(words[0], "!")
	case e == rule.Contains && len(words) > 0:
		return words[0]
	}
	return "hello everybody"
}

// where is the part of the panel about the show.
func (f *panel) where(show *commerce.Show, shows []commerce.Show) ruleform.Section {
	s := ruleform.Section{ID: "try-where", Title: "How the show stands"}
	add := func(x ruleform.Field) { s.Fields = append(s.Fields, f.Field(x)) }
	if show != nil {
		f.Set("try_show", show.ID.String())
		var names []ruleform.Option
		for i := range shows {
			names = append(names, ruleform.Option{Value: shows[i].ID.String(), Text: shows[i].Title})
		}
		slices.Reverse(names)
		if len(names) > 1 {
			add(ruleform.Field{Kind: "select", Name: "try_show", Label: "Show", Options: names})
		}
		items := []ruleform.Option{{Value: "0", Text: "none"}}
		for i := range show.Lineup.Items {
			it := &show.Lineup.Items[i]
			items = append(items, ruleform.Option{Value: strconv.Itoa(it.Number), Text: "#" + strconv.Itoa(it.Number) + " " + it.Product.Title})
		}
		add(ruleform.Field{Kind: "select", Name: "try_item", Label: "Item on air, or that it is about", Options: items})
	}
	add(ruleform.Field{Kind: "text", Name: "try_left", Label: "Free pieces of it", Mode: "numeric"})
	add(ruleform.Field{Kind: "select", Name: "try_state", Label: "The show", Options: []ruleform.Option{
		{Value: string(rule.ShowLive), Text: "is live"}, {Value: string(rule.ShowPaused), Text: "is paused"}, {Value: string(rule.ShowHot), Text: "is marked hot"}, {Value: string(rule.ShowNone), Text: "is not live"},
	}})
	add(ruleform.Field{Kind: "datetime", Name: "try_at", Label: "Time", Hint: "Empty: now."})
	return s
}

// now is the moment that is asked about.
func (f *panel) now(v *section.Visitor) time.Time {
	if t, err := time.ParseInLocation("2006-01-02T15:04", f.Trimmed("try_at"), v.Place); err == nil {
		return t
	}
	return time.Now()
}

// facts are the facts that the panel says.
func (f *panel) facts(v *section.Visitor, e rule.Event, show *commerce.Show) *facts.Facts {
	money := func(name string) commerce.Money {
		if f.Trimmed(name) == "" {
			return commerce.Money{Currency: v.Merchant.Currency}
		}
		m, err := commerce.ParseMoney(ruleform.Decimal(f.Get(name)), v.Merchant.Currency)
		if err != nil {
			f.Note(name, "An amount is written such as 19.90.")
		}
		return m
	}
	platform := chat.Platform(f.Get("try_platform"))
	if !slices.Contains(ruleform.Platforms(), platform) {
		platform = chat.Twitch
	}
	out := &facts.Facts{Counters: map[string]int64{}, Vars: map[string]string{}, Webhook: map[string]string{}}
	out.Message = facts.Message{ID: "try", Text: f.Get("try_text"), Bits: f.Number("try_bits"), First: f.Get("try_first") != ""}
	if !e.OfLines() {
		out.Message.ID, out.Message.Bits, out.Message.First = "", 0, false
	} else if m := money("try_paid"); m.Minor != 0 {
		out.Message.Paid = m
	}
	if e.ByViewer() {
		name := cmpOr(f.Trimmed("try_name"), "ana")
		out.Channel = chat.Channel{Platform: platform, ID: "try"}
		out.Viewer.Viewer = chat.Viewer{Platform: platform, ID: "try", Name: name}
		out.Viewer.Shown = lang.For(v.Merchant.Language).NameOr(name)
		for _, r := range f.Values["try_role"] {
			switch rule.Role(r) {
			case rule.Follower:
				out.Viewer.Follower = true
			case rule.Subscriber:
				out.Viewer.Roles |= chat.Subscriber
			case rule.VIP:
				out.Viewer.Roles |= chat.VIP
			case rule.Moderator:
				out.Viewer.Roles |= chat.Moderator
			case rule.Owner:
				out.Viewer.Roles |= chat.Owner
			}
		}
		out.Person = facts.Person{Known: true, Orders: f.Number("try_orders"), Spent: money("try_spent")}
	} else if e == rule.AfterLines {
		out.Channel = chat.Channel{Platform: platform, ID: "try"}
	}
	f.event(out, e, money)
	f.showFacts(out, show)
	return out
}

// event fills in what the event itself says.
func (f *panel) event(out *facts.Facts, e rule.Event, money func(string) commerce.Money) {
	if there(e, "count") {
		out.Support.Count = f.Number("try_count")
	}
	if there(e, "months") {
		out.Support.Months = f.Number("try_months")
	}
	if there(e, "tier") {
		out.Support.Tier = f.Trimmed("try_tier")
	}
	if there(e, "title") {
		out.Support.Title = f.Trimmed("try_title")
	}
	if there(e, "answer") {
		out.Support.Text = f.Trimmed("try_answer")
	}
	if there(e, "qty") {
		out.Hold = facts.Hold{Quantity: f.Number("try_qty"), Place: f.Number("try_place"), Minutes: f.Number("try_minutes")}
	}
	if there(e, "order") {
		out.Order = facts.Order{Name: f.Trimmed("try_order"), Total: money("try_total"), Quantity: f.Number("try_qty")}
	}
	if e == rule.Webhook {
		for _, line := range ruleform.Lines(f.Get("try_webhook")) {
			if name, value, ok := strings.Cut(line, "="); ok {
				out.Webhook[strings.TrimSpace(name)] = strings.TrimSpace(value)
			}
		}
	}
}

// showFacts fills in the show and the item.
func (f *panel) showFacts(out *facts.Facts, show *commerce.Show) {
	state := rule.ShowState(f.Get("try_state"))
	if show == nil {
		return
	}
	out.Show = facts.Show{ID: show.ID, Title: show.Title, Live: state != rule.ShowNone, Paused: state == rule.ShowPaused, Hot: state == rule.ShowHot}
	var sale []string
	for i := range show.Lineup.Items {
		it := &show.Lineup.Items[i]
		if len(sale) < 5 && len(it.Product.Variants) > 0 {
			sale = append(sale, "#"+strconv.Itoa(it.Number)+" "+it.Product.Title+", "+it.PriceOf(&it.Product.Variants[0]).String())
		}
	}
	out.Show.OnSale = strings.Join(sale, " · ")
	it := show.Lineup.Item(f.Number("try_item"))
	if it == nil {
		return
	}
	out.Item = facts.Item{Number: it.Number, Title: it.Product.Title}
	if vs := it.Product.Variants; len(vs) > 0 {
		out.Item.Variant, out.Item.Price = vs[0].Label(), it.PriceOf(&vs[0])
	}
	left := int64(f.Number("try_left"))
	out.Stock = facts.Stock{Known: true, Left: left, Before: left}
	if f.Trimmed("try_before") != "" {
		out.Stock.Before = int64(f.Number("try_before"))
	}
}
