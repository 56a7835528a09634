package proof

import (
	"bufio"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"hawker/commerce"
	"hawker/commerce/ledgertest"
	"hawker/internal/sqldb"
)

// killsLong makes TestKillHub kill as often as it says, instead of the times that every run can afford.
const killsLong = "HAWKER_TEST_KILLS"

// TestKillHub kills a program that serves a merchant as `hawker serve` does, at random moments under load, and starts it again:
// whatever it said is true, nothing is there twice, what was promised and not said is said at the next start, and the ledger
// passes the audit.
func TestKillHub(t *testing.T) {
	kills := ledgertest.Often(t, killsLong, 12)
	for _, h := range both() {
		t.Run(h.name, func(t *testing.T) {
			k := &killing{messages: map[string]string{}}
			k.dir, k.url = h.make(t)
			var err error
			if k.db, err = openDB(t.Context(), k.dir, k.url); err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = k.db.Close() })
			k.merchant, _ = stock(t, k.db, 1_000_000, 5)
			for i := range kills {
				k.life(t, i == kills-1)
				k.afterLife(t, i)
			}
			k.allSaid(t)
			t.Logf("%d kills: %d lines sent, %d of them again, %d answers heard, %d holds", kills, k.n, k.again, len(k.heard), k.holds)
		})
	}
}

type killing struct {
	dir, url string
	db       *sqldb.DB
	merchant commerce.ID
	messages map[string]string // by viewer: each says one line
	sent     []typed
	mu       sync.Mutex
	heard    []answer
	n, again int
	holds    int
}

// line is the next line: a claim, or a moderator's word that there are more vases.
func (k *killing) line() typed {
	k.n++
	l := typed{ID: fmt.Sprintf("m%06d", k.n), Viewer: fmt.Sprintf("viewer%06d", k.n), Text: "!buy 3", Sent: time.Now().UnixMilli()}
	switch rand.IntN(12) {
	case 0:
		l.Text = "!buy 4"
	case 1:
		l.Text = "!buy 3 x2"
	case 2:
		l.Text, l.Mod = "!stock 4 +1", true
	case 3:
		l.Text = "just chatting"
	}
	k.messages[l.Viewer] = l.ID
	return l
}

// life runs the program until a random moment; the last life ends when nothing is left to be said.
func (k *killing) life(t *testing.T, last bool) {
	t.Helper()
	c := exec.CommandContext(t.Context(), os.Args[0])
	c.Env = append(os.Environ(), childFolder+"="+k.dir, childURL+"="+k.url)
	var errs strings.Builder
	c.Stderr = &errs
	in, err := c.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	ready, ended := make(chan struct{}), make(chan struct{})
	go func() { // to the end: what was written before the kill was said
		defer close(ended)
		for lines := bufio.NewScanner(out); lines.Scan(); {
			var a answer
			if err := json.Unmarshal(lines.Bytes(), &a); err != nil {
				t.Errorf("%q: %v", lines.Text(), err)
			}
			if a.Text == "ready" {
				close(ready)
				continue
			}
			k.mu.Lock()
			k.heard = append(k.heard, a)
			k.mu.Unlock()
		}
	}()
	if !last && rand.IntN(5) == 0 { // while it starts
		time.Sleep(time.Duration(rand.IntN(200)) * time.Millisecond)
	} else {
		select {
		case <-ready:
		case <-ended:
			t.Fatalf("the program ended by itself: %s", &errs)
		}
		k.talk(t, in, last)
	}
	if err := c.Process.Kill(); err != nil {
		t.Fatalf("the program ended by itself: %v: %s", err, &errs)
	}
	<-ended
	_ = c.Wait() // its error says that it was killed
}

// talk types into the chat until the moment of the kill. It begins with the last lines of the former life, as a platform does
// that delivers twice.
func (k *killing) talk(t *testing.T, in interface{ Write([]byte) (int, error) }, last bool) {
	t.Helper()
	type1 := func(l typed) bool {
		b, err := json.Marshal(l)
		if err != nil {
			t.Fatal(err)
		}
		_, err = in.Write(append(b, '\n'))
		return err == nil
	}
	for _, l := range k.sent[max(0, len(k.sent)-20):] {
		k.again++
		type1(l)
	}
	for range 1 + rand.IntN(120) {
		l := k.line()
		k.sent = append(k.sent, l)
		if !type1(l) {
			t.Fatal("the program does not read")
		}
		if rand.IntN(8) == 0 {
			time.Sleep(time.Duration(rand.IntN(8)) * time.Millisecond)
		}
	}
	if last { // its answer comes behind all others
		l := k.line()
		l.Text, l.Mod = "!buy 3", false
		type1(l)
		eventually(t, "the last answer", func() bool {
			k.mu.Lock()
			defer k.mu.Unlock()
			return slices.ContainsFunc(k.heard, func(a answer) bool { return a.told() && a.about(l.Viewer, l.ID) })
		})
		return
	}
	time.Sleep(time.Duration(rand.IntN(15)) * time.Millisecond)
}

// afterLife checks what a killed program left.
func (k *killing) afterLife(t *testing.T, kill int) {
	t.Helper()
	st, err := k.db.Load(t.Context(), k.merchant)
	if err != nil {
		t.Fatal(err)
	}
	of, held := map[string]int{}, map[commerce.ID]int64{}
	for _, h := range st.Holds {
		if k.messages[h.Viewer.ID] != h.Claim.Message {
			t.Errorf("kill %d: hold of %s by message %s", kill, h.Viewer.ID, h.Claim.Message)
		}
		of[h.Viewer.ID] += h.Quantity
		held[h.Variant] += int64(h.Quantity)
	}
	k.holds = len(st.Holds)
	for viewer, n := range of {
		if n > 2 {
			t.Errorf("kill %d: %s holds %d", kill, viewer, n)
		}
	}
	for _, s := range st.Stock {
		if s.Held != held[s.Variant] || s.Held > s.Available {
			t.Errorf("kill %d: %+v; holds hold %d", kill, s, held[s.Variant])
		}
	}
	for _, a := range k.heard {
		if !a.told() || a.To == "" {
			continue
		}
		if viewer := "viewer" + strings.TrimPrefix(a.To, "m"); of[viewer] == 0 {
			t.Errorf("kill %d: %q was said to %s, who holds nothing", kill, a.Text, viewer)
		}
	}
	ledgertest.Audit(t, k.db, k.merchant, st)
}

// allSaid checks that everybody who holds something was told so, in some life.
func (k *killing) allSaid(t *testing.T) {
	t.Helper()
	st, err := k.db.Load(t.Context(), k.merchant)
	if err != nil {
		t.Fatal(err)
	}
	for _, h := range st.Holds {
		told := false
		for _, a := range k.heard {
			told = told || a.told() && a.about(h.Viewer.ID, h.Claim.Message)
		}
		if !told {
			t.Errorf("%s (%s) holds %d of item %d and was never told", h.Viewer.ID, h.Claim.Message, h.Quantity, h.Number)
		}
	}
}
