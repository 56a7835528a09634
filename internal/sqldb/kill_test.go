package sqldb

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"hawker/commerce"
	"hawker/internal/chat"
	"hawker/internal/seal"
)

// The environment of the program that TestKill kills: where its database is, and which merchant it sells for.
const (
	childFolder   = "HAWKER_TEST_SELL_IN" // a folder, or the address of a PostgreSQL database
	childMerchant = "HAWKER_TEST_SELL_FOR"
)

// killsLong makes TestKill kill as often as it says, instead of the few times that every run can afford.
const killsLong = "HAWKER_TEST_KILLS"

// sell is the program that is killed: it claims for one viewer after the other in batches, prints each hold once it is
// durable, and begins by claiming again what the former life claimed last, as platforms do that deliver twice.
func sell() error {
	ctx := context.Background()
	raw := sha256.Sum256([]byte("for tests"))
	key, err := seal.NewKey(raw[:])
	if err != nil {
		return err
	}
	o := Options{Dir: os.Getenv(childFolder), Key: key}
	if strings.HasPrefix(o.Dir, "postgres:") {
		o.URL, o.Dir = o.Dir, ""
	}
	db, err := Open(ctx, o)
	if err != nil {
		return err
	}
	id, err := commerce.ParseID(os.Getenv(childMerchant))
	if err != nil {
		return err
	}
	st, err := db.Load(ctx, id)
	if err != nil {
		return err
	}
	next := 0
	for _, h := range st.Holds {
		n, _ := strconv.Atoi(h.Claim.Message)
		next = max(next, n+1)
	}
	if next = max(0, next-50); st.Epoch%2 == 0 {
		st.Recent = nil // memory forgot; the database did not
	}
	d := commerce.NewDesk(id, st)
	var done []commerce.ID
	for _, e := range st.Effects { // what the former life did not get to say, or not to note as said
		if _, err := fmt.Printf("held %s %d\n", strings.Trim(string(e.Body), `"`), e.ID); err != nil {
			return err
		}
		done = append(done, e.ID)
	}
	for {
		var reqs []commerce.Request
		for range 1 + rand.IntN(16) {
			reqs = append(reqs, buy(next))
			next++
		}
		said, err := commitSale(ctx, db, d, id, reqs, done)
		if err != nil {
			return err
		}
		done = said
	}
}

func buy(n int) commerce.Claim {
	return commerce.Claim{
		Ask: commerce.Ask{
			Key: commerce.Key{Platform: chat.Twitch, Message: strconv.Itoa(n)}, Show: 100, Viewer: chat.Viewer{Platform: chat.Twitch, ID: strconv.Itoa(n), Name: "v"},
		},
		Number: 1, Quantity: 1 + n%3,
	}
}

// commitSale commits requests with an answer for each new hold, prints the holds, and returns the answers said.
func commitSale(ctx context.Context, db *DB, d *commerce.Desk, id commerce.ID, reqs []commerce.Request, done []commerce.ID) ([]commerce.ID, error) {
	for {
		now := time.Now()
		b, outs := d.Plan(now, reqs)
		b.Done = done
		for _, o := range outs {
			if !o.Repeat {
				b.Effects = append(b.Effects, commerce.Effect{ID: o.Hold, Kind: "say", Body: json.RawMessage(strconv.Quote(o.Key.Message)), NotAfter: now.Add(time.Hour)})
			}
		}
		if b.Empty() {
			d.CommitNothing()
			return nil, nil
		}
		err := db.Commit(ctx, b)
		if errors.Is(err, commerce.ErrRepeated) {
			d.Rollback()
			var keys []commerce.Key
			for _, x := range b.Decisions {
				keys = append(keys, x.Key)
			}
			known, err := db.Decided(ctx, id, keys)
			if err != nil {
				return nil, err
			}
			for _, x := range known {
				d.Known(x, now)
			}
			continue
		}
		if err != nil {
			return nil, err
		}
		d.Commit()
		var said []commerce.ID
		var out strings.Builder
		for _, o := range outs {
			fmt.Fprintf(&out, "held %s %d\n", o.Key.Message, o.Hold)
			if !o.Repeat {
				said = append(said, o.Hold)
			}
		}
		_, err = os.Stdout.WriteString(out.String())
		return said, err
	}
}

// TestKill kills a selling program at random moments and asks the database each time whether every hold that was
// acknowledged is there, none twice, and all sums agree.
func TestKill(t *testing.T) {
	kills := 5
	if s := os.Getenv(killsLong); s != "" {
		n, err := strconv.Atoi(s)
		if err != nil {
			t.Fatalf("%s=%q: %v", killsLong, s, err)
		}
		kills = n
	}
	for _, f := range both() {
		t.Run(f.name, func(t *testing.T) {
			o := f.make(t)
			db := open(t, o)
			id := merchant(t, db, "ana")
			stockShop(t, db, id)
			acked, unsaid := map[string]commerce.ID{}, 0
			for i := range kills {
				life(t, o, id, acked)
				unsaid += afterLife(t, o, id, acked, i)
			}
			t.Logf("%d kills: %d holds acknowledged, %d committed and not yet acknowledged", kills, len(acked), unsaid)
			if len(acked) == 0 {
				t.Error("no hold was ever acknowledged")
			}
		})
	}
}

func stockShop(t testing.TB, db *DB, id commerce.ID) {
	t.Helper()
	p := commerce.Product{ID: 1, Title: "Mug", Variants: []commerce.Variant{{ID: 11, Price: commerce.Money{Minor: 1999, Currency: "EUR"}}}}
	if _, err := db.PutProducts(t.Context(), id, []commerce.Product{p}); err != nil {
		t.Fatal(err)
	}
	st, err := db.Load(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	show := commerce.Show{ID: 100, Name: "spring-" + id.String(), State: commerce.ShowLive, Lineup: commerce.Lineup{Items: []commerce.Item{{Number: 1, Product: p}}}}
	b, _ := commerce.NewDesk(id, st).Plan(time.Now(), []commerce.Request{commerce.SetShow{Show: show}, commerce.SetStock{Variant: 11, Add: 1_000_000_000}})
	if err := db.Commit(t.Context(), b); err != nil {
		t.Fatal(err)
	}
}

// life runs the program until a random moment and notes what it acknowledged.
func life(t *testing.T, o Options, id commerce.ID, acked map[string]commerce.ID) {
	t.Helper()
	c := exec.CommandContext(t.Context(), os.Args[0])
	c.Env = append(os.Environ(), childFolder+"="+o.Dir+o.URL, childMerchant+"="+id.String())
	var errs strings.Builder
	c.Stderr = &errs
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	lines, killed := bufio.NewScanner(out), false
	left := 1 + rand.IntN(400)
	for lines.Scan() { // to the end: what was printed before the kill was acknowledged
		var key string
		var hold commerce.ID
		if n, err := fmt.Sscanf(lines.Text(), "held %s %d", &key, (*int64)(&hold)); n != 2 {
			t.Fatalf("%q: %v", lines.Text(), err)
		}
		if old, ok := acked[key]; ok && old != hold {
			t.Errorf("claim %s was answered by hold %d and by hold %d", key, old, hold)
		}
		acked[key] = hold
		if left--; left <= 0 && !killed {
			time.Sleep(time.Duration(rand.IntN(3000)) * time.Microsecond) // anywhere in a batch
			if err := c.Process.Kill(); err != nil {
				t.Fatal(err)
			}
			killed = true
		}
	}
	err = c.Wait()
	if !killed {
		t.Fatalf("the program ended by itself: %v: %s", err, &errs)
	}
}

// afterLife checks what a killed program left, and returns how many holds it committed and did not acknowledge.
func afterLife(t *testing.T, o Options, id commerce.ID, acked map[string]commerce.ID, kill int) int {
	t.Helper()
	db, err := Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	st, err := db.Load(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	holds := map[commerce.ID]commerce.Hold{}
	of := map[string]commerce.ID{}
	var held int64
	for _, h := range st.Holds {
		if of[h.Viewer.ID] != 0 {
			t.Errorf("kill %d: viewer %s has two holds", kill, h.Viewer.ID)
		}
		holds[h.ID], of[h.Viewer.ID] = h, h.ID
		held += int64(h.Quantity)
	}
	for key, hold := range acked {
		n, _ := strconv.Atoi(key)
		if h, ok := holds[hold]; !ok || h.Claim.Message != key || h.Quantity != buy(n).Quantity || h.State != commerce.StateHeld {
			t.Errorf("kill %d: hold %d of claim %s was acknowledged; the database has %+v", kill, hold, key, h)
		}
	}
	if len(st.Stock) != 1 || st.Stock[0].Held != held {
		t.Errorf("kill %d: stock %+v; holds hold %d", kill, st.Stock, held)
	}
	// What was committed and not said stands among the effects, to be said after the start.
	unsaid := map[commerce.ID]bool{}
	for _, e := range st.Effects {
		unsaid[e.ID] = true
	}
	n := 0
	for _, h := range holds {
		if _, ok := acked[h.Claim.Message]; !ok {
			n++
			if !unsaid[h.ID] {
				t.Errorf("kill %d: hold %d was never acknowledged, and nothing is left to say so", kill, h.ID)
			}
		}
	}
	var all []commerce.Entry
	for {
		page, err := db.Entries(t.Context(), id, int64(len(all))+1, 10_000)
		if err != nil {
			t.Fatal(err)
		}
		if len(page) == 0 {
			break
		}
		all = append(all, page...)
	}
	if err := commerce.Verify(all, [32]byte{}); err != nil {
		t.Errorf("kill %d: %v", kill, err)
	}
	if last := all[len(all)-1]; last.Seq != st.LastEntry || last.Hash != st.LastHash {
		t.Errorf("kill %d: the ledger ends with row %d, the fence says %d", kill, last.Seq, st.LastEntry)
	}
	var decisions int
	if err := db.read.QueryRowContext(t.Context(), `SELECT COUNT(*) FROM claims WHERE merchant_id = $1`, int64(id)).Scan(&decisions); err != nil || decisions != len(holds) {
		t.Errorf("kill %d: %d decisions for %d holds: %v", kill, decisions, len(holds), err)
	}
	return n
}
