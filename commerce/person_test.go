package commerce

import (
	"testing"
	"time"
)

// Joined accounts have one cart: every receipt of the person shows all of it, one checkout pays for it, and when they part each
// has their own again.
func TestOneCart(t *testing.T) {
	s := newScript(t)
	ana, bob := who("ana"), who("bob")
	s.play("ana buy 1 -> held holds 1 left 2\nbob buy 1 -> held holds 1 left 1")
	mine, theirs := s.d.ReceiptOf(spring, ana), s.d.ReceiptOf(spring, bob)
	look := func(id ID) (holds, places int, cart ID) {
		v, ok := s.d.Receipt(id, s.now)
		if !ok {
			t.Fatalf("no receipt %d", id)
		}
		return len(v.Holds), len(v.Places), v.Cart
	}
	if n, _, cart := look(mine); n != 1 || cart != mine {
		t.Errorf("ana's receipt has %d holds and is of cart %d", n, cart)
	}
	s.commit(Bind{Viewer: bob, Person: s.d.Person(ana)})
	for _, id := range []ID{mine, theirs} {
		if n, _, cart := look(id); n != 2 || cart != min(mine, theirs) {
			t.Errorf("receipt %d has %d holds and is of cart %d", id, n, cart)
		}
	}
	if got := s.d.Cart(spring, who("cy")); got != 0 {
		t.Errorf("a stranger's cart is %d", got)
	}
	s.commit(Bind{Viewer: who("cy"), Person: s.d.Person(ana)})
	if got := s.d.Cart(spring, who("cy")); got != min(mine, theirs) || s.d.ReceiptOf(spring, who("cy")) != 0 {
		t.Errorf("an account that asked for nothing has cart %d", got)
	}
	v, _ := s.d.Receipt(mine, s.now)
	both := []ID{v.Holds[0].ID, v.Holds[1].ID}
	s.commit(Drafted{Holds: both, Draft: "D1", URL: "https://shop.example/D1", Created: s.now})
	s.commit(Drafted{Holds: both[:1], Draft: "D2", URL: "https://shop.example/D2", Created: s.now})
	for _, id := range both {
		if h, _ := s.d.Hold(id); h.Draft != "D1" {
			t.Errorf("hold %d has draft %q: it could be paid twice", id, h.Draft)
		}
	}
	s.commit(Bind{Viewer: bob})
	if n, _, cart := look(theirs); n != 1 || cart != theirs {
		t.Errorf("after parting bob's receipt has %d holds and is of cart %d", n, cart)
	}
	s.now = s.now.Add(time.Second)
	s.play("bob pass -> passed") // the draft that both shared goes with it
	for _, id := range both {
		if h, _ := s.d.Hold(id); h.Open() && h.Draft != "" {
			t.Errorf("hold %d still has draft %q, at which what bob gave back would be paid too", id, h.Draft)
		}
	}
	if s.d.DraftOpen("D1") {
		t.Error("the draft is still somebody's")
	}
}
