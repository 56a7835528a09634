package crowd

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"hawker/internal/chat"
	"hawker/internal/lang"
)

// pub is a chat for a crowd without any platform: what is typed in it, and what the bot answers.
type pub struct {
	mu    sync.Mutex
	lines []string
	paid  []string
	more  []int
}

func items() []Item {
	return []Item{{3, "Studio Mug", "mug", nil}, {2, "Breakfast Bowl", "bowl", []string{"Oat", "Sea"}}}
}

// newPub makes a crowd whose every line is answered by answer, which gets the line's number.
func newPub(seed uint64, answer func(p chat.Platform, id string, v Viewer, text string) *Line) (*Crowd, *pub) {
	b := &pub{}
	c := &Crowd{Seed: seed, Items: items(), Receipts: "http://hub/c/"}
	c.Say = func(p chat.Platform, v Viewer, text string) string {
		b.mu.Lock()
		b.lines = append(b.lines, string(p)+" "+v.Name+": "+text)
		id := fmt.Sprint(len(b.lines))
		b.mu.Unlock()
		if answer != nil {
			if l := answer(p, id, v, text); l != nil {
				c.Hear(*l)
			}
		}
		return id
	}
	c.Slash = func(v Viewer, text string) bool { return false }
	c.Host = func(text string) {
		c.Say(chat.Twitch, Viewer{"1", "Ana"}, text)
		if n, ok := strings.CutPrefix(text, "!air "); ok {
			c.Hear(Line{Platform: chat.Twitch, Text: lang.Fill(OnAirText, "n", n, "item", "Studio Mug", "price", "19.00 EUR")})
		}
	}
	c.Restock = func(n int) { b.more = append(b.more, n) }
	c.Pay = func(_ context.Context, receipt, name string) error {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.paid = append(b.paid, name+" "+receipt)
		return nil
	}
	return c, b
}

// live lets a crowd live for a time on the bubble's clock.
func live(c *Crowd, d time.Duration, meanwhile func()) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		c.Run(ctx)
	}()
	if meanwhile != nil {
		meanwhile()
	}
	time.Sleep(d)
	cancel()
	<-done
}

func TestSameSeedSameCrowd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, as := newPub(1, nil)
		b, bs := newPub(1, nil)
		other, os := newPub(2, nil)
		for _, c := range []*Crowd{a, b, other} {
			live(c, 5*time.Minute, nil)
		}
		if !slices.Equal(as.lines, bs.lines) {
			t.Error("one seed made two crowds")
		}
		if slices.Equal(as.lines, os.lines) {
			t.Error("two seeds made one crowd")
		}
		if n := len(as.lines); n < 200 || n > 420 {
			t.Errorf("%d lines in five minutes, want about one a second", n)
		}
	})
}

func TestSizeAndPause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, b := newPub(1, nil)
		count := func() int {
			b.mu.Lock()
			defer b.mu.Unlock()
			return len(b.lines)
		}
		live(c, 0, func() {
			if got := c.Set(State{Size: 5000}); got.Size != MaxSize {
				t.Errorf("size %d, want at most %d", got.Size, MaxSize)
			}
			time.Sleep(time.Minute)
			if n := count(); n < 500 || n > 900 {
				t.Errorf("%d lines in a minute of %d viewers, want about 12 a second", n, MaxSize)
			}
			c.Set(State{Size: MaxSize, Paused: true})
			synctest.Wait()
			n := count()
			time.Sleep(10 * time.Minute)
			if got := count(); got != n {
				t.Errorf("%d lines while paused", got-n)
			}
			c.Set(State{Size: 1})
			time.Sleep(10 * time.Second)
			if got := count() - n; got > 15 {
				t.Errorf("%d lines in the ten seconds after a pause", got)
			}
			n = count()
			time.Sleep(5 * time.Minute)
			if got := count() - n; got < 5 || got > 100 {
				t.Errorf("%d lines in five minutes of one viewer", got)
			}
		})
	})
}

// TestBuysAndPays plays the bot: every claim is held, each answer carries a receipt.
func TestBuysAndPays(t *testing.T) {
	w := lang.For("en")
	synctest.Test(t, func(t *testing.T) {
		carts := 0
		c, b := newPub(3, func(p chat.Platform, id string, v Viewer, text string) *Line {
			held := lang.Fill(w.Held, "n", "3", "what", "Studio Mug", "time", "5 min", "until", "12:00 CET")
			switch {
			case text == "!cart":
				carts++
				return &Line{Platform: p, ReplyTo: id, Text: lang.Fill(w.Cart, "link", "http://hub/c/cart")}
			case !strings.Contains(text, "3") && !strings.HasPrefix(text, "!buy"):
				return nil
			case p == chat.YouTube:
				return &Line{Platform: p, Text: "@" + v.Name + " " + held + " Pay: http://hub/live/spring"}
			case len(text)%2 == 0: // joined with others
				return &Line{Platform: p, Text: lang.Fill(w.JoinHeld, "what", "3 Studio Mug", "time", "5 min", "list", "somebody, "+v.Name+" x2") + " Pay and details: http://hub/live/spring"}
			}
			return &Line{Platform: p, ReplyTo: id, Text: held + " Pay: http://hub/c/own"}
		})
		live(c, 20*time.Minute, nil)
		passed := slices.ContainsFunc(b.lines, func(l string) bool { return strings.HasSuffix(l, "!pass 3") })
		own, cart := 0, 0
		for _, p := range b.paid {
			if strings.HasSuffix(p, "/c/own") {
				own++
			} else {
				cart++
			}
		}
		if own < 5 || cart < 3 || carts < cart || !passed {
			t.Errorf("paid %d by the answer and %d by !cart (%d asked), gave back: %v", own, cart, carts, passed)
		}
	})
}

func TestRestocksWhatIsAllHeld(t *testing.T) {
	w := lang.For("en")
	synctest.Test(t, func(t *testing.T) {
		c, b := newPub(3, nil)
		live(c, time.Minute, func() {
			for range 3 {
				c.Hear(Line{Platform: chat.Twitch, Text: lang.Fill(w.Waitlisted, "n", "2", "what", "Breakfast Bowl Sea", "place", "1")})
			}
			c.Hear(Line{Platform: chat.YouTube, Text: lang.Fill(w.JoinSoldOut, "what", "3 Studio Mug", "list", "bob")})
		})
		slices.Sort(b.more)
		if !slices.Equal(b.more, []int{2, 3}) {
			t.Errorf("restocked %v, want item 2 and 3 once", b.more)
		}
	})
}

func TestAsksForTheKind(t *testing.T) {
	w := lang.For("en")
	synctest.Test(t, func(t *testing.T) {
		var again []string
		c, _ := newPub(5, func(p chat.Platform, id string, _ Viewer, text string) *Line {
			if text == "!buy 2" {
				return &Line{Platform: p, ReplyTo: id, Text: lang.Fill(w.NeedsVariant, "n", "2", "item", "Breakfast Bowl", "choices", "Oat, Sea", "choice", "Oat")}
			}
			if text == "!buy 2 oat" || text == "!buy 2 sea" {
				again = append(again, text)
			}
			return nil
		})
		live(c, 30*time.Minute, nil)
		if len(again) == 0 {
			t.Error("nobody said which one")
		}
	})
}

func TestMembersDiffer(t *testing.T) {
	ids, seen, on := map[string]bool{}, map[string]bool{}, map[chat.Platform]int{}
	for i := range MaxSize {
		p, v := Member(i)
		on[p]++
		if ids[v.ID] || seen[strings.ToLower(v.Name)] {
			t.Errorf("viewer %d is %+v, as another one is", i, v)
		}
		if lang.Name(v.Name) != v.Name {
			t.Errorf("%q would be shown as %q", v.Name, lang.Name(v.Name))
		}
		ids[v.ID], seen[strings.ToLower(v.Name)] = true, true
	}
	if on[chat.Twitch] != 500 || on[chat.YouTube] != 300 || on[chat.Discord] != 200 {
		t.Errorf("%v", on)
	}
}

func TestNames(t *testing.T) {
	for _, tt := range []struct {
		text, name string
		want       bool
	}{
		{"@ana #3 held", "ana", true},
		{"held: bob, ana x2.", "ana", true},
		{"banana", "ana", false},
		{"banana ana", "ana", true},
		{"ana_2", "ana", false},
		{"x", "", false},
		{"Mira Silva.", "Mira Silva", true},
		{"größe", "r", false},
	} {
		if got := Names(tt.text, tt.name); got != tt.want {
			t.Errorf("Names(%q, %q) = %v", tt.text, tt.name, got)
		}
	}
}

// TestShopper walks through pages as the hub and the shop make them.
func TestShopper(t *testing.T) {
	var paid string
	mux := http.NewServeMux()
	page := func(path, body string) {
		mux.HandleFunc("GET "+path, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, body) })
	}
	page("/c/full", `<form method="post" action="/c/full/pass"><button>Give back</button></form>
<form method="post" action="/c/full/checkout"><input type="hidden" name="key" value="k&amp;1"><button name="go" value="1">Continue</button></form>`)
	page("/c/empty", `<p>Nothing held.</p>`)
	mux.HandleFunc("POST /c/full/checkout", func(w http.ResponseWriter, r *http.Request) {
		if r.FormValue("key") != "k&1" || r.FormValue("go") != "1" {
			t.Errorf("checkout sent %v", r.Form)
		}
		w.Header().Set("Refresh", "0; url=/elsewhere") // a page whose policy lets its forms go nowhere else
	})
	mux.Handle("GET /elsewhere", http.RedirectHandler("/shop", http.StatusFound))
	page("/shop", `<form action="/shop/pay" method="post"><input name="email" value="a@example.test"><input name="first" value="x"><input name="last"><button>Pay</button></form>`)
	mux.HandleFunc("POST /shop/pay", func(w http.ResponseWriter, r *http.Request) {
		paid = r.FormValue("first") + " " + r.FormValue("last") + " " + r.FormValue("email")
		http.Redirect(w, r, "/thanks", http.StatusSeeOther)
	})
	page("/thanks", "<h1>Thank you</h1>")
	srv := httptest.NewServer(mux)
	defer srv.Close()
	s := &Shopper{HTTP: srv.Client()}
	if err := s.Pay(t.Context(), srv.URL+"/c/full", "mossy_otter"); err != nil || paid != "mossy_otter "+LastName+" a@example.test" {
		t.Errorf("paid as %q, %v", paid, err)
	}
	if err := s.Pay(t.Context(), srv.URL+"/c/empty", "x"); err != ErrNothing { //nolint:errorlint // the value itself
		t.Errorf("an empty receipt: %v", err)
	}
	if err := s.Pay(t.Context(), srv.URL+"/c/secret", "x"); err == nil || strings.Contains(err.Error(), "secret") {
		t.Errorf("a lost receipt: %v", err)
	}
}
