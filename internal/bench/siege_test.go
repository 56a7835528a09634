package bench

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"hawker/commerce"
)

// small is a siege of a fifth of the size.
func small() SiegeOptions {
	return SiegeOptions{Proven: 40, Newcomers: 20, Accounts: 100, Cookies: 400, Blocks: 6, Items: 4, Stock: 16, Air: 10 * time.Minute}
}

// The aim: whatever trolls do, honest viewers buy at least nine of ten pieces that they would have bought without them.
func TestSiege(t *testing.T) {
	without, besieged, unfilled := 0, 0, 0
	for seed := uint64(1); seed <= 3; seed++ { // small crowds differ; taken together they do not
		o := small()
		o.Seed = seed
		r, err := RunSiege(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		var b strings.Builder
		if err := r.writeTable(&b); err != nil {
			t.Fatal(err)
		}
		t.Log(b.String())
		without += r.Undisturbed.Bought[proven] + r.Undisturbed.Bought[newcomer]
		besieged += r.Besieged.Bought[proven] + r.Besieged.Bought[newcomer]
		unfilled += r.Besieged.Unfilled
		if r.Besieged.Claims < 10*r.Undisturbed.Claims || r.Besieged.TrollHolds == 0 || r.Undisturbed.TrollHolds != 0 {
			t.Errorf("it was no siege: %+v", r.Besieged)
		}
	}
	if without < 150 || float64(besieged) < SiegeAim*float64(without) {
		t.Errorf("honest viewers bought %d pieces, %d without a siege", besieged, without)
	}
	if 20*unfilled > besieged { // one in twenty pays at the moment when another does
		t.Errorf("%d payments of honest viewers came when nothing was left; they bought %d pieces", unfilled, besieged)
	}
}

// Without the guard trolls take nearly all: the siege is one.
func TestSiegeUnguarded(t *testing.T) {
	o := small()
	o.Guard = commerce.Guard{Share: 100, Unpaid: -1}
	r, err := RunSiege(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	if r.AllHonest > 0.3 {
		t.Errorf("honest viewers got %.0f %% of their share without any guard", 100*r.AllHonest)
	}
}

func TestSiegeJSON(t *testing.T) {
	o := small()
	o.JSON = true
	var out bytes.Buffer
	if err := Siege(t.Context(), o, &out); err != nil {
		t.Fatal(err)
	}
	var lines []string
	for d := json.NewDecoder(&out); d.More(); {
		var l struct {
			Viewers             string
			People, Undisturbed int
			Share               float64
		}
		if err := d.Decode(&l); err != nil {
			t.Fatal(err)
		}
		if l.People == 0 || l.Undisturbed == 0 || l.Share < 0 {
			t.Errorf("%+v", l)
		}
		lines = append(lines, l.Viewers)
	}
	if got := strings.Join(lines, " "); got != "proven newcomers honest" {
		t.Errorf("lines %q", got)
	}
}
