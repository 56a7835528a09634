package commerce

import (
	"encoding/json"
	"strings"
	"testing"
	"time"
)

func TestMoney(t *testing.T) {
	for _, tt := range []struct {
		m               Money
		decimal, people string
	}{
		{Money{Minor: 1999, Currency: "EUR"}, "19.99", "€19.99"},
		{Money{Minor: 5, Currency: "USD"}, "0.05", "$0.05"},
		{Money{Minor: 0, Currency: "GBP"}, "0.00", "£0.00"},
		{Money{Minor: 1999, Currency: "JPY"}, "1999", "¥1999"},
		{Money{Minor: -1999, Currency: "EUR"}, "-19.99", "-€19.99"},
		{Money{Minor: -5, Currency: "SEK"}, "-0.05", "-0.05 SEK"},
		{Money{Minor: 1234567, Currency: "KWD"}, "1234.567", "1234.567 KWD"},
		{Money{Minor: 1, Currency: "CLF"}, "0.0001", "0.0001 CLF"},
		{Money{Minor: 7, Currency: ""}, "0.07", "0.07"},
	} {
		if got := tt.m.Decimal(); got != tt.decimal {
			t.Errorf("%+v: Decimal %q, want %q", tt.m, got, tt.decimal)
		}
		if got := tt.m.String(); got != tt.people {
			t.Errorf("%+v: String %q, want %q", tt.m, got, tt.people)
		}
		if back, err := ParseMoney(tt.decimal, tt.m.Currency); err != nil || back != tt.m {
			t.Errorf("ParseMoney(%q) = %+v, %v; want %+v", tt.decimal, back, err, tt.m)
		}
	}
	for in, want := range map[string]int64{"19.9": 1990, "19": 1900, " 19.99 ": 1999, "19.9900": 1999, "-0.5": -50, "007": 700} {
		if got, err := ParseMoney(in, "EUR"); err != nil || got.Minor != want {
			t.Errorf("ParseMoney(%q) = %+v, %v; want %d", in, got, err, want)
		}
	}
	for _, bad := range []string{"", ".", ".5", "-", "1,5", "1e3", "19.999", "+1", "--1", "1.2.3", "1 2", "1234567890123456", "٣", "0x10"} {
		if got, err := ParseMoney(bad, "EUR"); err == nil {
			t.Errorf("ParseMoney(%q) = %+v; want an error", bad, got)
		}
	}
	if got := eur(1999).Times(3); got != eur(5997) {
		t.Errorf("Times = %+v", got)
	}
	if got := add(add(Money{}, eur(1)), eur(2)); got != eur(3) {
		t.Errorf("add = %+v", got)
	}
	if got := add(eur(1), Money{Minor: 5, Currency: "USD"}); got != eur(1) {
		t.Errorf("euros and dollars make %+v", got)
	}
}

// What is read is what is written, and nothing is ever rounded.
func FuzzParseMoney(f *testing.F) {
	for _, s := range []string{"19.99", "-0.05", "1234", "19.9900", "1e3", "9999999999999.99"} {
		f.Add(s, "EUR")
		f.Add(s, "JPY")
		f.Add(s, "KWD")
	}
	f.Fuzz(func(t *testing.T, s, currency string) {
		m, err := ParseMoney(s, currency)
		if err != nil {
			return
		}
		again, err := ParseMoney(m.Decimal(), currency)
		if err != nil || again != m {
			t.Fatalf("ParseMoney(%q, %q) = %+v, which writes as %q and reads as %+v, %v", s, currency, m, m.Decimal(), again, err)
		}
	})
}

func TestID(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	a, b := NewID(now), NewID(now.Add(time.Millisecond))
	if a >= b || a <= 0 {
		t.Errorf("ids %d and %d do not sort by time", a, b)
	}
	body, err := json.Marshal(map[string]ID{"id": a})
	if want := `{"id":"` + a.String() + `"}`; err != nil || string(body) != want {
		t.Errorf("JSON %s, %v; want %s", body, err, want)
	}
	var back struct{ ID, None, Empty ID }
	if err := json.Unmarshal([]byte(`{"ID":"`+a.String()+`","None":"0","Empty":""}`), &back); err != nil || back.ID != a || back.None != 0 || back.Empty != 0 {
		t.Errorf("read back %+v, %v", back, err)
	}
	for _, bad := range []string{"", "0", "-1", "x", "1.0", "9223372036854775808", " 1"} {
		if id, err := ParseID(bad); err == nil {
			t.Errorf("ParseID(%q) = %d", bad, id)
		}
	}
	// A desk's ids rise though the clock does not.
	d := NewDesk(7, State{LastPlace: NewID(now.Add(time.Hour))})
	d.Plan(now, nil)
	last := d.lastID
	for range 1000 {
		if id := d.newID(); id <= last {
			t.Fatalf("%d follows %d", id, last)
		} else {
			last = id
		}
	}
}

func FuzzParseID(f *testing.F) {
	f.Add("1")
	f.Add("21687592552840265")
	f.Add("+1")
	f.Fuzz(func(t *testing.T, s string) {
		if id, err := ParseID(s); err == nil && (id <= 0 || strings.TrimLeft(strings.TrimPrefix(s, "+"), "0") != id.String()) {
			t.Fatalf("ParseID(%q) = %d", s, id)
		}
	})
}

func TestLabels(t *testing.T) {
	if got := (Variant{Options: []string{"M", "Blue"}}).Label(); got != "M / Blue" {
		t.Errorf("Label = %q", got)
	}
	if got := (Variant{}).Label(); got != "" {
		t.Errorf("Label = %q", got)
	}
	if got := (Key{Platform: "twitch", Message: "abc", Part: 2}).String(); got != "twitch/abc/2" {
		t.Errorf("Key = %q", got)
	}
	if got := (&Hold{Quantity: 2, Price: eur(5)}).Total(); got != eur(10) {
		t.Errorf("Total = %v", got)
	}
	for _, tt := range []struct{ show, item, want time.Duration }{
		{0, 0, DefaultHold}, {time.Hour, 0, time.Hour}, {time.Hour, 2 * time.Minute, 2 * time.Minute}, {time.Second, 0, MinHold}, {0, 365 * 24 * time.Hour, MaxHold},
	} {
		s := Show{Hold: tt.show}
		if got := s.HoldTime(&Item{Hold: tt.item}); got != tt.want {
			t.Errorf("show %v, item %v: held for %v, want %v", tt.show, tt.item, got, tt.want)
		}
	}
}

func TestVerify(t *testing.T) {
	s := newScript(t)
	s.play(`
		ana buy 1 -> held holds 1 left 2
		bob buy 1 x5 -> partly_held holds 2 waits 3 place 1
		ana pass -> passed; promoted bob holds 1 waits 2 place 1`)
	whole := s.m.entries
	if err := Verify(whole, [32]byte{}); err != nil {
		t.Fatal(err)
	}
	if err := Verify(whole[2:], whole[1].Hash); err != nil {
		t.Error(err)
	}
	if err := Verify(nil, whole[1].Hash); err != nil {
		t.Error(err)
	}
	rehash := func(es []Entry) { // as a forger would who can hash
		for i := range es {
			if i > 0 {
				es[i].Prev = es[i-1].Hash
			}
			es[i].Hash = es[i].Chain()
		}
	}
	for name, forge := range map[string]func(es []Entry) []Entry{
		"a body":             func(es []Entry) []Entry { es[3].Body = json.RawMessage(`{}`); return es },
		"a time":             func(es []Entry) []Entry { es[3].At = es[3].At.Add(time.Millisecond); return es },
		"a show":             func(es []Entry) []Entry { es[3].Show++; return es },
		"a kind":             func(es []Entry) []Entry { es[3].Kind = "paid"; return es },
		"a row left out":     func(es []Entry) []Entry { return append(es[:3:3], es[4:]...) },
		"the first left out": func(es []Entry) []Entry { return es[1:] },
		"two rows changed places": func(es []Entry) []Entry {
			es[3], es[4] = es[4], es[3]
			return es
		},
		"numbers with a gap": func(es []Entry) []Entry { es[3].Seq = 40; rehash(es[3:4]); return es },
		"a chain hashed anew from the middle": func(es []Entry) []Entry {
			es = es[3:]
			es[0].Body = json.RawMessage(`{}`)
			rehash(es)
			return append(append([]Entry(nil), whole[:3]...), append([]Entry{whole[3]}, es[1:]...)...)
		},
	} {
		if err := Verify(forge(append([]Entry(nil), whole...)), [32]byte{}); err == nil {
			t.Errorf("%s was changed, and the chain verifies", name)
		}
	}
	if err := Verify(whole, whole[0].Hash); err == nil {
		t.Error("a chain that begins elsewhere verifies")
	}
}
