package desk

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"hawker/commerce"
	"hawker/internal/chat"
)

// turnstiles let one form after another change the shows of a merchant on this node. Merchants share them by chance, which
// costs a moment.
type turnstiles [32]sync.Mutex

func (t *turnstiles) of(merchant commerce.ID) *sync.Mutex { return &t[uint64(merchant)%uint64(len(t))] }

// setup is what the form of a show sets. The item on air, closed items and the pause are the host's, and not in it.
type setup struct {
	Title, Name   string
	Hold, PayOnce time.Duration
	Holds         commerce.StoreHolds
	Cap           int
	Guard         commerce.Guard
	Styles        commerce.Styles
	Channels      []chat.Channel
	Items         []setupItem
}

type setupItem struct {
	Number, Cap int
	Code        string
	Product     commerce.ID
	Hold        time.Duration
	Price       commerce.Money
	FirstPaid   bool
}

func setupOf(s *commerce.Show) setup {
	x := setup{
		Title: s.Title, Name: s.Name, Hold: or(s.Hold, commerce.DefaultHold), PayOnce: s.PayOnce, Holds: s.Holds, Cap: s.Cap, Guard: s.Guard, Styles: s.Lineup.Styles,
		Channels: slices.SortedFunc(slices.Values(s.Channels), func(a, b chat.Channel) int { return strings.Compare(a.String(), b.String()) }),
	}
	for i := range s.Lineup.Items {
		it := &s.Lineup.Items[i]
		x.Items = append(x.Items, setupItem{it.Number, it.Cap, it.Code, it.Product.ID, it.Hold, it.Price, it.FirstPaid})
	}
	return x
}

// version names a show as set up now. A form carries the version that it was filled from, so that it does not overwrite
// what somebody else saved meanwhile.
func version(s *commerce.Show) string {
	b, err := json.Marshal(setupOf(s))
	if err != nil { // it holds plain values only
		return ""
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:12])
}

// differences are what differs between a form and the show as it is stored, in the words of the form.
func differences(form, stored *commerce.Show) []string {
	a, b := setupOf(form), setupOf(stored)
	var out []string
	for _, x := range []struct {
		word string
		same bool
	}{
		{"title", a.Title == b.Title},
		{"address", a.Name == b.Name},
		{"hold time", a.Hold == b.Hold},
		{"paying once", a.PayOnce == b.PayOnce},
		{"store holds", a.Holds == b.Holds},
		{"cap of the show", a.Cap == b.Cap},
		{"guard", a.Guard == b.Guard},
		{"forms of claims", a.Styles == b.Styles},
		{"channels", slices.Equal(a.Channels, b.Channels)},
	} {
		if !x.same {
			out = append(out, x.word)
		}
	}
	by := map[int][2]*setupItem{}
	var numbers []int
	for side, items := range [2][]setupItem{a.Items, b.Items} {
		for i := range items {
			pair, seen := by[items[i].Number]
			if !seen {
				numbers = append(numbers, items[i].Number)
			}
			pair[side] = &items[i]
			by[items[i].Number] = pair
		}
	}
	ordered := slices.EqualFunc(a.Items, b.Items, func(x, y setupItem) bool { return x.Number == y.Number })
	for _, n := range numbers {
		switch pair := by[n]; {
		case pair[0] == nil:
			out, ordered = append(out, fmt.Sprintf("item %d, which is not in this form", n)), true
		case pair[1] == nil:
			out, ordered = append(out, fmt.Sprintf("item %d, which is in this form only", n)), true
		case *pair[0] != *pair[1]:
			out = append(out, fmt.Sprintf("item %d", n))
		}
	}
	if !ordered {
		out = append(out, "order of the items")
	}
	return out
}
