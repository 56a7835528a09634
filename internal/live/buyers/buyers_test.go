package buyers

import (
	"testing"

	"hawker/commerce"
	"hawker/internal/chat"
)

func TestOf(t *testing.T) {
	eur := func(n int64) commerce.Money { return commerce.Money{Minor: n, Currency: "EUR"} }
	ana, tube, bob := chat.Viewer{Platform: chat.Twitch, ID: "1", Name: "ana"}, chat.Viewer{Platform: chat.YouTube, ID: "UC", Name: "Ana"}, chat.Viewer{Platform: chat.Twitch, ID: "2"}
	row := func(name string, v chat.Viewer, n int64, state commerce.OrderState) commerce.OrderRow {
		return commerce.OrderRow{Order: commerce.Order{Name: name, State: state, Total: eur(n)}, Viewer: v, Paid: true}
	}
	b := New([]commerce.OrderRow{row("#1", ana, 1000, commerce.OrderPaid), row("#2", tube, 500, commerce.OrderPaid), row("#3", ana, 700, commerce.OrderCancelled)}, nil)
	is := func(v chat.Viewer, person, except string, orders int, minor int64) {
		t.Helper()
		if n, m := b.Of(v, person, except); n != orders || m.Minor != minor {
			t.Errorf("%s as %s without %q: %d orders, %v; want %d, %d", v.ID, person, except, n, m, orders, minor)
		}
	}
	is(ana, "twitch:1", "", 1, 1000)
	is(bob, "twitch:2", "", 0, 0)
	b.Joined(tube, "twitch:1")
	is(ana, "twitch:1", "", 2, 1500)
	is(tube, "twitch:1", "", 2, 1500)
	b.Paid("#4", ana, eur(100))
	b.Paid("#4", ana, eur(200)) // told again
	is(ana, "twitch:1", "", 3, 1700)
	is(ana, "twitch:1", "#4", 2, 1500)
	is(bob, "twitch:2", "#4", 0, 0)
	b.Undone("#1")
	b.Undone("#1")
	is(ana, "twitch:1", "", 2, 700)
	b.Joined(tube, "")
	is(ana, "twitch:1", "", 1, 200)
	is(tube, "youtube:UC", "", 1, 500)
	b.Paid("#5", chat.Viewer{}, eur(100)) // bought outside of any show
	is(chat.Viewer{}, "", "", 0, 0)
}
