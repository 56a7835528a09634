package rule

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"hawker/internal/plain"
)

// out is a part of a rule on its way into a text. It is a scalar, a list when items is set, or keys with values.
type out struct {
	text   string
	number bool // written without quotes
	list   bool
	items  []out
	fields []outField
}

type outField struct {
	key   string
	value out
}

func outText(s string) out { return out{text: s} }

func outNumber(n int64) out { return out{text: strconv.FormatInt(n, 10), number: true} }

func outFlag(b bool) out { return out{text: strconv.FormatBool(b), number: true} }

func outSpan(d time.Duration) out { return outText(Span(d)) }

func outTexts[S ~string](list []S) out {
	o := out{list: true}
	for _, s := range list {
		o.items = append(o.items, outText(string(s)))
	}
	return o
}

// put adds a key when set holds.
func (o *out) put(set bool, key string, v out) {
	if set {
		o.fields = append(o.fields, outField{key, v})
	}
}

// tree is a rule as keys and values; with its id for JSON.
func tree(r *Rule, id bool) out {
	var o out
	o.put(id && r.ID != 0, "id", outText(r.ID.String()))
	o.put(true, "name", outText(r.Name))
	o.put(true, "when", r.When.tree())
	o.put(r.Off, "off", outFlag(true))
	only := r.Only.tree()
	o.put(len(only.fields) > 0, "only if", only)
	then := out{list: true}
	for i := range r.Then {
		then.items = append(then.items, r.Then[i].tree())
	}
	o.put(true, "then", then)
	most := r.AtMost.tree()
	o.put(len(most.fields) > 0, "at most", most)
	return o
}

func (w *When) tree() out {
	var o out
	e := string(w.Event)
	o.put(len(w.Words) > 0, e, outTexts(w.Words))
	o.put(w.Pattern != "", e, outText(w.Pattern))
	o.put(w.Every != 0, e, outSpan(w.Every))
	o.put(w.At != "", e, outText(w.At))
	o.put(w.Lines != 0, e, outNumber(int64(w.Lines)))
	o.put(w.Left != 0, e, outNumber(w.Left))
	o.put(w.Title != "", e, outText(w.Title))
	if len(o.fields) == 0 {
		return outText(e)
	}
	return o
}

func (c *Only) tree() out {
	var o out
	o.put(len(c.Platforms) > 0, "platforms", outTexts(c.Platforms))
	o.put(len(c.Roles) > 0, "roles", outTexts(c.Roles))
	o.put(len(c.NotRoles) > 0, "not roles", outTexts(c.NotRoles))
	o.put(c.FirstBuyer != "", "first buyer", outText(string(c.FirstBuyer)))
	o.put(c.Bought != "", "bought", outText(string(c.Bought)))
	o.put(c.Spent != "", "spent", outText(string(c.Spent)))
	o.put(c.Show != "", "show", outText(string(c.Show)))
	items := out{list: true}
	for _, n := range c.Items {
		items.items = append(items.items, outNumber(int64(n)))
	}
	o.put(len(c.Items) > 0, "items", items)
	o.put(len(c.Tags) > 0, "tags", outTexts(c.Tags))
	o.put(c.Stock != "", "stock", outText(string(c.Stock)))
	o.put(c.Amount != "", "amount", outText(string(c.Amount)))
	o.put(c.Months != "", "months", outText(string(c.Months)))
	o.put(c.From != "", "from", outText(c.From))
	o.put(c.To != "", "to", outText(c.To))
	o.put(len(c.Days) > 0, "days", outTexts(c.Days))
	o.put(c.Chance != 0, "chance", outNumber(int64(c.Chance)))
	o.put(c.Expr != "", "expression", outText(c.Expr))
	return o
}

func (a *Action) tree() out {
	var o out
	f, _ := FormOf(a.Do)
	if f.Main == 0 {
		o.put(true, string(a.Do), outFlag(true))
	} else {
		o.put(true, string(a.Do), a.value(f.Main))
	}
	for p := PText; p <= PSound; p++ {
		o.put(p != f.Main && a.has(p), p.Key(), a.value(p))
	}
	o.put(a.After != 0, "after", outSpan(a.After))
	o.put(a.If != "", "if", outText(a.If))
	return o
}

// onAir stands for the number of the item that it is about, or that is on air.
const onAir = "on air"

func (a *Action) value(p Param) out {
	switch p {
	case PText:
		return outText(a.Text)
	case PChannels:
		return outTexts(a.Channels)
	case PItem:
		if a.Item == 0 {
			return outText(onAir)
		}
		return outNumber(int64(a.Item))
	case PQuantity:
		return outNumber(int64(a.Quantity))
	case PAmount:
		return outText(a.Amount)
	case PFor:
		return outSpan(a.For)
	case PName:
		return outText(a.Name)
	case PValue:
		return outText(a.Value)
	case PURL:
		return outText(a.URL)
	case POn:
		return outFlag(a.On)
	case PPicture:
		return outText(a.Picture)
	case PSound:
		return outText(a.Sound)
	}
	return out{}
}

func (a *AtMost) tree() out {
	var o out
	for _, n := range a.counts() {
		o.put(*n.n != 0, n.key, outNumber(int64(*n.n)))
	}
	for _, d := range a.cooldowns() {
		o.put(*d.d != 0, d.key, outSpan(*d.d))
	}
	return o
}

type countField struct {
	key string
	n   *int
}

type spanField struct {
	key string
	d   *time.Duration
}

func (a *AtMost) counts() []countField {
	return []countField{{"per person", &a.PerPerson}, {"per channel", &a.PerChannel}, {"per show", &a.PerShow}}
}

func (a *AtMost) cooldowns() []spanField {
	return []spanField{{"person cooldown", &a.PersonCooldown}, {"channel cooldown", &a.ChannelCooldown}, {"cooldown", &a.ShowCooldown}}
}

// Text writes rules as YAML that Parse reads: one as it is, several as a list. Ids stay behind.
func Text(all ...Rule) string {
	var b strings.Builder
	if len(all) == 1 {
		for _, f := range tree(&all[0], false).fields {
			f.yaml(&b, 0)
		}
		return b.String()
	}
	Lines(&b, 0, all)
	return b.String()
}

// Lines writes rules as a list in YAML, each line indented by n blanks.
func Lines(b *strings.Builder, n int, all []Rule) {
	for i := range all {
		tree(&all[i], false).item(b, n)
	}
}

// item writes an element of a list.
func (o out) item(b *strings.Builder, n int) {
	for i, f := range o.fields {
		if i == 0 {
			b.WriteString(strings.Repeat(" ", n) + "- ")
			f.rest(b, n+2)
			continue
		}
		f.yaml(b, n+2)
	}
}

func (f outField) yaml(b *strings.Builder, n int) {
	b.WriteString(strings.Repeat(" ", n))
	f.rest(b, n)
}

// rest writes a key and its value; the key's line is indented by n already.
func (f outField) rest(b *strings.Builder, n int) {
	b.WriteString(f.key + ":") // all keys are plain words
	v := f.value
	switch {
	case v.list && len(v.items) > 0 && len(v.items[0].fields) > 0:
		b.WriteByte('\n')
		for _, x := range v.items {
			x.item(b, n+2)
		}
	case v.list:
		b.WriteString(" [")
		for i, x := range v.items {
			if i > 0 {
				b.WriteString(", ")
			}
			b.WriteString(x.scalar())
		}
		b.WriteString("]\n")
	case len(v.fields) > 0:
		b.WriteByte('\n')
		for _, x := range v.fields {
			x.yaml(b, n+2)
		}
	default:
		b.WriteString(" " + v.scalar() + "\n")
	}
}

func (o out) scalar() string {
	if o.number {
		return o.text
	}
	return plain.Quote(o.text)
}

// MarshalJSON writes a rule with the keys of the YAML form.
func (r Rule) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	err := tree(&r, true).json(&b)
	return b.Bytes(), err
}

func (o out) json(b *bytes.Buffer) error {
	switch {
	case o.list:
		b.WriteByte('[')
		for i, x := range o.items {
			if i > 0 {
				b.WriteByte(',')
			}
			if err := x.json(b); err != nil {
				return err
			}
		}
		b.WriteByte(']')
	case len(o.fields) > 0:
		for i, f := range o.fields {
			b.WriteByte("{,"[min(i, 1)])
			k, err := json.Marshal(f.key)
			if err != nil {
				return err
			}
			b.Write(k)
			b.WriteByte(':')
			if err := f.value.json(b); err != nil {
				return err
			}
		}
		b.WriteByte('}')
	case o.number:
		b.WriteString(o.text)
	default:
		s, err := json.Marshal(o.text)
		if err != nil {
			return err
		}
		b.Write(s)
	}
	return nil
}
