package rulepage

import (
	"context"
	"math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"hawker/commerce"
	"hawker/internal/chat"
	"hawker/internal/live/ruling"
	"hawker/rules"
	"hawker/rules/book"
	"hawker/rules/facts"
	"hawker/rules/rule"
	"hawker/rules/sentence"
	"hawker/web/desk/ruleform"
	"hawker/web/desk/section"
	"hawker/web/ui"
)

// tryPanel asks what is to happen, for rules to be tried on.
type tryPanel struct {
	Sections []ruleform.Section
	Tried    *tried
}

// tried is what rules made of it. Nothing of it was done.
type tried struct {
	Asked   string // in words, what happened
	Read    string // what the hub itself makes of the line
	Looks   []book.Look
	Lines   []chatLine // what would be said
	Others  []string   // what else would be done
	Notes   []string
	Fired   int
	Wrong   string
	Nothing bool
}

// chatLine is a line that would be said.
type chatLine struct {
	Where, Text string
	After       string
}

// tryPage is the page on which the rules in force are tried.
type tryPage struct {
	Event ruleform.Field
	Panel *tryPanel
}

// try shows the page, or what the rules in force make of what is asked.
func (p *Pages) try(w http.ResponseWriter, r *http.Request, v *section.Visitor) error {
	if err := r.ParseForm(); err != nil {
		return err
	}
	values := r.PostForm
	e := rule.Event(values.Get("try_event"))
	if e == "" {
		e = rule.Command
	}
	var x *tried
	if r.Method == http.MethodPost && values.Get("do") == "try" {
		all, err := p.inForce(r.Context(), v)
		if err != nil {
			return err
		}
		b, _ := book.Load(all.Rules, options(v))
		if x, err = p.ask(r.Context(), v, values, e, b, -1); err != nil {
			return err
		}
	}
	panel, err := p.tryPanel(r.Context(), v, values, e, x)
	if err != nil {
		return err
	}
	events := []ruleform.Option{{Value: string(rule.Command), Text: "somebody writes a line in a chat", Group: ruleform.Groups()[0].Title}}
	for _, g := range ruleform.Groups()[1:] {
		for i, x := range g.Events {
			o := ruleform.Option{Value: string(x), Text: ruleform.EventWords(x)}
			if i == 0 {
				o.Group = g.Title
			}
			events = append(events, o)
		}
	}
	f := ruleform.New(url.Values{"try_event": {string(e)}})
	page := &tryPage{f.Field(ruleform.Field{Kind: "select", Name: "try_event", Label: "What happens", Options: events, Shapes: "/rules/try"}), panel}
	if ui.Hx(r) {
		block, target := "try-form", "#try-form"
		if x != nil {
			block, target = "try-result", "#tried"
		}
		html, err := p.pages.Part("try", block, page)
		return partial(w, ui.Part{Target: target, HTML: html}, err)
	}
	return p.show(w, r, v, "try", "Try the rules", nil, page)
}

// tryForm tries the form's rule among the others, as if it was on. What is wrong with it is noted in the form.
func (p *Pages) tryForm(ctx context.Context, v *section.Visitor, a *asked) error {
	all, err := p.inForce(ctx, v)
	if err != nil {
		return err
	}
	x, ok := a.Check(options(v), without(all.Rules, a.id))
	if !ok {
		_, w := a.First()
		a.tried = &tried{Wrong: w.Msg}
		return nil
	}
	x.Off, x.ID = false, a.id
	tryAll := slices.Clone(all.Rules)
	at := find(tryAll, a.id)
	if at < 0 || a.id == 0 {
		x.ID = commerce.NewID(time.Now())
		at = len(tryAll)
		tryAll = append(tryAll, x)
	} else {
		tryAll[at] = x
	}
	b, errs := book.Load(tryAll, options(v))
	for _, e := range errs { // a faulty one is left out, so that those behind it move up
		if e.Rule < at {
			at--
		}
	}
	a.tried, err = p.ask(ctx, v, a.Values, x.When.Event, b, at)
	return err
}

// tryShow is the show that is tried in: the one that was chosen, else the one that is live, else the newest; nil where there is none.
func (p *Pages) tryShow(ctx context.Context, v *section.Visitor, chosen string) (*commerce.Show, []commerce.Show, error) {
	all, err := p.DB.Shows(ctx, v.Merchant.ID)
	if err != nil {
		return nil, nil, err
	}
	pick := -1
	for i := range all {
		switch {
		case all[i].ID.String() == chosen:
			return &all[i], all, nil
		case pick < 0, all[i].State == commerce.ShowLive && all[pick].State != commerce.ShowLive,
			all[i].State == all[pick].State && all[i].ID > all[pick].ID:
			pick = i
		}
	}
	if pick < 0 {
		return nil, all, nil
	}
	return &all[pick], all, nil
}

// runesMost is the longest line of a platform in code points, as its connector keeps it.
func runesMost(p chat.Platform) int {
	switch p {
	case chat.Twitch:
		return 500
	case chat.YouTube:
		return 200
	case chat.Discord:
		return 2000
	}
	return 0
}

// ask asks the rules of b what they make of what the panel says. own is the rule that is being written, by its place; -1 for none.
func (p *Pages) ask(ctx context.Context, v *section.Visitor, values url.Values, e rule.Event, b *book.Book, own int) (*tried, error) {
	show, _, err := p.tryShow(ctx, v, values.Get("try_show"))
	if err != nil {
		return nil, err
	}
	f := begun(values, e, show)
	in := f.facts(v, e, show)
	if show != nil {
		in.Show.Link = p.Kit.Public() + "/live/" + show.Name
	}
	if len(f.Faults) > 0 {
		name, w := sorted(f.Faults)[0], f.Faults[sorted(f.Faults)[0]]
		return &tried{Wrong: strings.ReplaceAll(strings.TrimPrefix(name, "try_"), "_", " ") + ": " + w.Msg}, nil
	}
	input := &book.Input{Event: e, Facts: in, Now: f.now(v), Seed: rand.Uint64(), Trace: true}
	x := &tried{}
	if e.OfLines() {
		input.Event = rule.Line
		input.Command = p.grammar(v, show, b).Parse(in.Message.Text, rules.Context{OnAir: in.Item.Number})
		x.Read = reads(&input.Command)
	}
	if own >= 0 && (e == rule.Every || e == rule.At || e == rule.AfterLines) { // they happen to one rule
		input.Rule = b.Rules()[own].ID
	}
	var out book.Result
	b.Decide(input, &out)
	x.Looks = slices.Clone(out.Looks)
	if own >= 0 { // the rule that is written comes first
		slices.SortStableFunc(x.Looks, func(a, b book.Look) int {
			switch {
			case a.Index == own && b.Index != own:
				return -1
			case b.Index == own && a.Index != own:
				return 1
			}
			return 0
		})
	}
	x.take(&out, in, show)
	all := b.Rules()
	for i := range x.Looks {
		if l := &x.Looks[i]; l.Fired {
			x.Fired++
			if all[l.Index].AtMost.Bounded() {
				x.Notes = append(x.Notes, "“"+l.Name+"” is bounded by At most; here it is asked as if it had not fired yet.")
			}
		}
	}
	x.Nothing = x.Fired == 0
	return x, nil
}

// grammar reads lines as the show does, with the commands of the rules.
func (p *Pages) grammar(v *section.Visitor, show *commerce.Show, b *book.Book) *rules.Grammar {
	o := rules.Options{Language: v.Merchant.Language, Custom: b.Commands()}
	if m := p.Hub.Manners(v.Merchant.ID); m != nil {
		o.Names, o.Aliases = m.Names(), m.Aliases()
	}
	if show == nil {
		return rules.NewGrammar(nil, o)
	}
	return rules.NewGrammar(&show.Lineup, o)
}

// reads says what the hub itself makes of a line.
func reads(c *rules.Command) string {
	switch {
	case c.Name == rules.Chat, c.Name == rules.Question, c.Name == "":
		return ""
	case c.Name == rules.Custom:
		return "It is read as the command !" + c.Word + "."
	case c.Name.Claims() && c.Item > 0:
		return "The till itself reads it as " + string(c.Name) + " of item " + strconv.Itoa(c.Item) + " and decides it before the rules do."
	}
	return "The hub itself answers it, as " + string(c.Name) + "."
}

// take puts what rules want into words: lines as the chat would show them, and what else would be done.
func (x *tried) take(out *book.Result, in *facts.Facts, show *commerce.Show) {
	var channels []chat.Channel
	for _, pl := range ruleform.Platforms() {
		channels = append(channels, chat.Channel{Platform: pl, ID: "try"})
	}
	if show != nil && len(show.Channels) > 0 {
		channels = show.Channels
	}
	budget := func(c chat.Channel) chat.Budget {
		return chat.Budget{Replies: c.Platform == chat.Twitch || c.Platform == chat.Discord, MaxRunes: runesMost(c.Platform)}
	}
	for i := range out.Effects {
		e := &out.Effects[i]
		w := ruling.Want{Effect: *e, Channel: in.Channel, Viewer: in.Viewer.Viewer, Answer: chat.Answer{Kind: chat.ToReply, Channel: in.Channel}}
		w.Text = strings.ReplaceAll(w.Text, facts.CodeMark, "ANA-7K2Q")
		after := ""
		if e.After > 0 {
			after = "after " + ruleform.SpanText(e.After)
		}
		switch e.Do {
		case rule.Reply, rule.Say, rule.ShoutOut, rule.Announce, rule.Pin:
			for _, l := range merged(w.Lines(channels, in.Viewer.Shown, budget)) {
				l.After = after
				switch e.Do {
				case rule.Announce:
					l.Where += ", announced"
				case rule.Pin:
					l.Where += ", pinned"
				}
				x.Lines = append(x.Lines, l)
			}
			if e.Do == rule.ShoutOut {
				x.Others = append(x.Others, "shows “"+w.Text+"” on the overlay")
			}
		case rule.DirectMessage:
			x.Lines = append(x.Lines, chatLine{"to " + in.Viewer.Shown + " alone", w.Text, after})
		case rule.DiscountCode:
			x.Lines = append(x.Lines, chatLine{"to " + in.Viewer.Shown + ", once the store made the code", w.Text, after})
			x.Others = append(x.Others, doing(e, w.Text))
		default:
			x.Others = append(x.Others, doing(e, w.Text))
		}
	}
	for _, s := range out.Settings {
		value := "“" + s.Text + "”"
		if s.Number {
			value = strconv.FormatInt(s.N, 10)
		}
		x.Others = append(x.Others, s.Name+" becomes "+value)
	}
	if out.Stopped {
		x.Others = append(x.Others, "the rules behind it are not looked at")
	}
}

// doing is an effect in words.
func doing(e *book.Effect, text string) string {
	return sentence.Action(&rule.Action{
		Do: e.Do, After: e.After, Text: text, Channels: e.Channels, Item: e.Item, Quantity: e.Quantity, Amount: e.Amount, For: e.For, Name: e.Title, URL: e.URL, On: e.On,
		Picture: e.Picture, Sound: e.Sound,
	})
}

// merged are lines as people see them: one for all channels of the platforms where it reads the same.
func merged(in []ruling.Line) []chatLine {
	var out []chatLine
	for _, l := range in {
		where := l.To.Channel.Platform.Title()
		i := slices.IndexFunc(out, func(x chatLine) bool { return x.Text == l.Text })
		switch {
		case i < 0:
			out = append(out, chatLine{Where: where, Text: l.Text})
		case !strings.Contains(out[i].Where, where):
			out[i].Where += ", " + where
		}
	}
	return out
}
