// Package saved writes what is stored for each line of a chat, byte for byte as encoding/json would: in a rush that would be a
// quarter of all the work.
package saved

import (
	"strconv"

	"hawker/commerce"
	"hawker/internal/chat"
	"hawker/internal/object"
	"hawker/rules"
)

// Outcome appends an outcome.
func Outcome(buf []byte, x *commerce.Outcome) []byte {
	o := object.Open(buf)
	o.Some("What", string(x.What))
	o.Some("Reason", string(x.Reason))
	if x.Key != (commerce.Key{}) {
		o.Name("Key")
		k := object.Open(o.Buf)
		k.Text("platform", string(x.Key.Platform))
		k.Text("message", x.Key.Message)
		k.SomeNumber("part", int64(x.Key.Part))
		o.Buf = k.Close()
	}
	o.SomeID("Show", int64(x.Show))
	o.SomeNumber("Number", int64(x.Number))
	o.Some("Title", x.Title)
	o.SomeID("Variant", int64(x.Variant))
	o.Some("Label", x.Label)
	if x.Choices != nil {
		o.Name("Choices")
		o.Buf = append(o.Buf, '[')
		for i, c := range x.Choices {
			if i > 0 {
				o.Buf = append(o.Buf, ',')
			}
			o.Buf = object.AppendText(o.Buf, c)
		}
		o.Buf = append(o.Buf, ']')
	}
	o.SomeNumber("Wanted", int64(x.Wanted))
	o.SomeNumber("Holding", int64(x.Holding))
	o.SomeNumber("Offers", int64(x.Offers))
	o.SomeNumber("Waiting", int64(x.Waiting))
	o.SomeNumber("Place", int64(x.Place))
	o.SomeNumber("Cap", int64(x.Cap))
	o.SomeNumber("Left", x.Left)
	money(&o, "Price", x.Price)
	o.SomeID("Hold", int64(x.Hold))
	o.SomeID("Receipt", int64(x.Receipt))
	o.SomeTime("Due", x.Due)
	if x.Viewer != (chat.Viewer{}) {
		o.Name("Viewer")
		o.Buf = Viewer(o.Buf, x.Viewer)
	}
	if x.Answer != (chat.Answer{}) {
		o.Name("Answer")
		o.Buf = Answer(o.Buf, x.Answer)
	}
	o.SomeNumber("PayOnce", int64(x.PayOnce))
	o.Some("Order", x.Order)
	money(&o, "Total", x.Total)
	o.True("Repeat", x.Repeat)
	return o.Close()
}

func money(o *object.Object, name string, m commerce.Money) {
	if m == (commerce.Money{}) {
		return
	}
	o.Name(name)
	x := object.Open(o.Buf)
	x.Number("minor", m.Minor)
	x.Text("currency", m.Currency)
	o.Buf = x.Close()
}

// Viewer appends a viewer.
func Viewer(buf []byte, v chat.Viewer) []byte {
	o := object.Open(buf)
	o.Text("platform", string(v.Platform))
	o.Text("id", v.ID)
	o.Some("name", v.Name)
	return o.Close()
}

func channel(o *object.Object, c chat.Channel) {
	o.Name("channel")
	x := object.Open(o.Buf)
	x.Text("platform", string(c.Platform))
	x.Text("id", c.ID)
	o.Buf = x.Close()
}

// Answer appends an address of an answer.
func Answer(buf []byte, a chat.Answer) []byte {
	o := object.Open(buf)
	o.Number("kind", int64(a.Kind))
	channel(&o, a.Channel)
	o.Some("message", a.Message)
	o.Some("token", a.Token)
	o.SomeTime("until", a.Until)
	return o.Close()
}

// Message appends a line of a chat.
func Message(buf []byte, m *chat.Message) []byte {
	o := object.Open(buf)
	o.Some("id", m.ID)
	if m.Channel != (chat.Channel{}) {
		channel(&o, m.Channel)
	}
	if m.Viewer != (chat.Viewer{}) {
		o.Name("viewer")
		o.Buf = Viewer(o.Buf, m.Viewer)
	}
	o.SomeNumber("roles", int64(m.Roles))
	o.Some("text", m.Text)
	o.SomeTime("sent", m.Sent)
	o.SomeTime("received", m.Received)
	o.Some("reply_to", m.ReplyTo)
	o.SomeNumber("bits", int64(m.Bits))
	o.SomeNumber("paid_micros", m.PaidMicros)
	o.Some("paid_currency", m.PaidCurrency)
	o.Some("source", m.Source)
	o.True("bot", m.Bot)
	o.True("own", m.Own)
	o.True("action", m.Action)
	o.True("recovered", m.Recovered)
	o.True("edited", m.Edited)
	o.True("command", m.Command)
	if m.Answer != (chat.Answer{}) {
		o.Name("answer")
		o.Buf = Answer(o.Buf, m.Answer)
	}
	return o.Close()
}

// Command appends what a line means.
func Command(buf []byte, c *rules.Command) []byte {
	o := object.Open(buf)
	o.Some("name", string(c.Name))
	o.SomeNumber("item", int64(c.Item))
	o.True("shown", c.Shown)
	o.SomeID("variant", int64(c.Variant))
	o.SomeNumber("quantity", int64(c.Quantity))
	o.True("add", c.Add)
	o.SomeNumber("style", int64(c.Style))
	o.Some("arg", c.Arg)
	o.Some("word", c.Word)
	o.Some("reason", string(c.Reason))
	if c.Signature != 0 {
		o.Name("signature")
		o.Buf = strconv.AppendUint(o.Buf, c.Signature, 10)
	}
	return o.Close()
}
