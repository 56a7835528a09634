package ruling

import (
	"encoding/json"
	"strconv"
	"time"
	"unicode/utf8"

	"hawker/commerce"
	"hawker/internal/chat"
	"hawker/internal/live/hook"
	"hawker/rules/book"
	"hawker/rules/facts"
	"hawker/rules/rule"
)

// Want is something that a rule wants done, with whom it is about: all that is needed to do it later, after a restart too.
type Want struct {
	book.Effect
	Event   rule.Event   `json:"event"`
	At      time.Time    `json:"at"` // when it is to be done
	Show    commerce.ID  `json:"show,omitzero"`
	Channel chat.Channel `json:"channel,omitzero"`
	Viewer  chat.Viewer  `json:"viewer,omitzero"`
	Trusted bool         `json:"trusted,omitzero"`
	Answer  chat.Answer  `json:"answer,omitzero"`
	Sealed  []byte       `json:"sealed,omitzero"` // of Answer.Token, which is a secret
	Message string       `json:"message,omitzero"`
	Reward  string       `json:"reward,omitzero"`
	Redeem  string       `json:"redeem,omitzero"`
	Depth   int          `json:"depth,omitzero"`
	Facts   []Fact       `json:"facts,omitzero"` // for webhooks
	From    time.Time    `json:"-"`
}

// Fact is a fact by its name, for whoever gets a webhook.
type Fact struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// want is an effect with whom it is about.
func (r *Rules) want(now time.Time, e rule.Event, x *book.Effect) Want {
	a := &r.about
	w := Want{
		Effect: *x, Event: e, At: now.Add(x.After), Show: a.Show, Channel: a.Channel, Viewer: a.Viewer, Trusted: a.Roles.Has(chat.Subscriber | chat.VIP | chat.Moderator | chat.Owner),
		Answer: a.Answer, Message: a.Message, Reward: a.Reward, Redeem: a.Redeem, Depth: a.Depth + 1, From: a.From,
	}
	if x.Do == rule.Call {
		w.Facts = r.named()
	}
	return w
}

// named are the facts that a receiver of webhooks gets: those that are there.
func (r *Rules) named() []Fact {
	f := &r.facts
	f.Need(1<<8 - 1)
	var out []Fact
	add := func(name, value string) {
		if value != "" && value != "0" {
			out = append(out, Fact{name, value})
		}
	}
	money := func(name string, m commerce.Money) {
		if m.Currency != "" {
			add(name, m.Decimal())
			add(name+"_currency", m.Currency)
		}
	}
	add("user", f.Viewer.Name)
	add("user_id", f.Viewer.ID)
	add("platform", string(f.Channel.Platform))
	add("channel", f.Channel.ID)
	add("text", f.Message.Text)
	add("bits", strconv.Itoa(f.Message.Bits))
	money("paid", f.Message.Paid)
	add("show", f.Show.Title)
	add("n", strconv.Itoa(f.Item.Number))
	add("item", f.Item.Title)
	add("variant", f.Item.Variant)
	money("price", f.Item.Price)
	if f.Stock.Known {
		out = append(out, Fact{"left", strconv.FormatInt(f.Stock.Left, 10)})
	}
	add("qty", strconv.Itoa(max(f.Hold.Quantity, f.Order.Quantity)))
	add("place", strconv.Itoa(f.Hold.Place))
	add("order", f.Order.Name)
	money("total", f.Order.Total)
	add("tier", f.Support.Tier)
	add("months", strconv.Itoa(f.Support.Months))
	add("count", strconv.Itoa(f.Support.Count))
	add("title", f.Support.Title)
	for name, value := range f.Webhook {
		add("webhook_"+name, value)
	}
	return out
}

// Body is what a receiver of webhooks gets.
func (w *Want) Body(id commerce.ID) []byte {
	named := make(map[string]string, len(w.Facts))
	for _, f := range w.Facts {
		named[f.Name] = f.Value
	}
	b, err := json.Marshal(struct {
		ID    string            `json:"id"`
		Rule  string            `json:"rule"`
		Event rule.Event        `json:"event"`
		At    time.Time         `json:"at"`
		Text  string            `json:"text,omitzero"`
		Facts map[string]string `json:"facts"`
	}{id.String(), w.Name, w.Event, w.At.UTC(), w.Text, named})
	if err != nil { // our own plain types
		panic(err)
	}
	return b
}

// Lasting reports whether it is stored before it is done, so that a crash does not lose it. What is only said in answer to a line
// is not: the rows would cost more than a lost answer.
func (w *Want) Lasting() bool {
	switch w.Do {
	case rule.Reply, rule.Say, rule.Announce, rule.DeleteLine, rule.TimeOut, rule.Card, rule.Hot, rule.Marker, rule.Pin:
		return w.Event != rule.Line || w.After > 0
	}
	return true
}

// Spoken reports whether lines in chats are all it is, or the overlay and lines.
func (w *Want) Spoken() bool { return w.Do == rule.Reply || w.Do == rule.Say || w.Do == rule.ShoutOut }

// Fit is its text behind a mention, cut to what a channel takes and never inside a fact.
func (w *Want) Fit(mention string, b chat.Budget) string {
	if b.MaxRunes == 0 {
		return mention + w.Text
	}
	return mention + facts.Cut(w.Text, w.Keep, b.MaxRunes-utf8.RuneCountInString(mention))
}

// Line is one line to say.
type Line struct {
	To    chat.Answer
	Text  string
	Reply bool
}

// Lines are what it says, in its show's channels, in answer, or where it happened. name is what the viewer is called.
func (w *Want) Lines(show []chat.Channel, name string, budget func(c chat.Channel) chat.Budget) []Line {
	if w.Do != rule.Reply {
		var out []Line
		for _, c := range w.Where(show) {
			out = append(out, Line{To: chat.Answer{Kind: chat.ToChannel, Channel: c}, Text: w.Fit("", budget(c))})
		}
		return out
	}
	to, mention := w.Answer, ""
	if to.Channel.ID == "" || to.Kind == chat.ToRequest {
		return nil
	}
	if to.Kind == chat.ToPrivate && time.Now().After(to.Until) { // the private way is closed
		to = chat.Answer{Kind: chat.ToChannel, Channel: to.Channel}
	}
	b := budget(to.Channel)
	if to.Kind != chat.ToPrivate && (to.Kind != chat.ToReply || !b.Replies) {
		mention = "@" + name + " "
	}
	return []Line{{to, w.Fit(mention, b), true}}
}

// Matters is for how long after its time it is worth doing.
func (w *Want) Matters() time.Duration {
	switch w.Do {
	case rule.Call:
		return hook.KeptFor
	case rule.DiscountCode, rule.GiveRole, rule.TakeRole, rule.FulfilReward, rule.RefundReward, rule.Question:
		return time.Hour
	case rule.Claim, rule.Pass, rule.Promote, rule.Air, rule.NextItem, rule.Price, rule.Stock, rule.Hot, rule.DestinationOn, rule.DestinationOff, rule.Slate:
		return 2 * time.Minute // a show goes on
	}
	return 5 * time.Minute
}

// Deed is what is to be done on a platform, in a channel; false for what is no such thing.
func (w *Want) Deed(c chat.Channel) (chat.Deed, bool) {
	d := chat.Deed{Channel: c, Viewer: w.Viewer, Message: w.Message, Text: w.Text, For: w.For, Role: w.Title, Reward: w.Reward, Redemption: w.Redeem}
	switch w.Do {
	case rule.Announce:
		d.Kind = chat.Announce
	case rule.Pin:
		d.Kind = chat.PinCard
	case rule.DirectMessage:
		d.Kind = chat.DirectMessage
	case rule.Marker:
		d.Kind = chat.Mark
	case rule.GiveRole:
		d.Kind = chat.GiveRole
	case rule.TakeRole:
		d.Kind = chat.TakeRole
	case rule.DeleteLine:
		d.Kind = chat.DeleteLine
	case rule.TimeOut:
		d.Kind = chat.TimeOut
	case rule.FulfilReward:
		d.Kind = chat.FulfilReward
	case rule.RefundReward:
		d.Kind = chat.RefundReward
	case rule.ShoutCreator:
		d.Kind = chat.ShoutOutCreator
	default:
		return d, false
	}
	return d, true
}

// Everywhere reports whether it is done in the channels that the rule names, or all of the show, instead of where it happened.
func (w *Want) Everywhere() bool {
	switch w.Do {
	case rule.Say, rule.ShoutOut, rule.Announce, rule.Pin, rule.Marker:
		return true
	}
	return false
}

// Where is where it is done, of the channels of its show.
func (w *Want) Where(show []chat.Channel) []chat.Channel {
	if !w.Everywhere() {
		if w.Channel.ID == "" {
			return nil
		}
		return []chat.Channel{w.Channel}
	}
	var out []chat.Channel
	for _, c := range show {
		if len(w.Channels) == 0 {
			out = append(out, c)
			continue
		}
		for _, name := range w.Channels {
			if name == string(c.Platform) || name == c.String() {
				out = append(out, c)
				break
			}
		}
	}
	if show == nil && len(w.Channels) == 0 && w.Channel.ID != "" { // no show: where it happened
		out = append(out, w.Channel)
	}
	return out
}
