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
	"sync"
	"testing"
	"time"

	"hawker/commerce"
	"hawker/commerce/ledgertest"
	"hawker/internal/chat"
	"hawker/internal/seal"
)

// The environment of the program that TestKill kills: where its database is, which merchant it sells for, and when its clock
// began (Unix milliseconds).
const (
	childFolder   = "HAWKER_TEST_SELL_IN" // a folder, or the address of a PostgreSQL database
	childMerchant = "HAWKER_TEST_SELL_FOR"
	childClock    = "HAWKER_TEST_SELL_SINCE"
)

// killsLong makes TestKill kill as often as it says, instead of the times that every run can afford.
const killsLong = "HAWKER_TEST_KILLS"

// speed is how much faster the clock of the program goes than ours: its holds of a minute end within a second of ours.
const speed = 300

// killShow has one item, of which there is never enough for all.
const (
	killShow  = commerce.ID(100)
	killPiece = commerce.ID(11)
)

// seller is the program that is killed. It claims for one viewer after the other in batches, pays some of the holds, lets the
// others end, promotes who waits, and prints each of these once it is durable. It begins by claiming and paying again what
// the former life claimed and paid last, as platforms and stores do that deliver twice.
type seller struct {
	db    *DB
	d     *commerce.Desk
	id    commerce.ID
	since time.Time
	next  int
	open  []commerce.ID // holds that it may pay
	paid  []commerce.ID
	done  []commerce.ID // effects said
}

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
	s := &seller{}
	if s.db, err = Open(ctx, o); err != nil {
		return err
	}
	if s.id, err = commerce.ParseID(os.Getenv(childMerchant)); err != nil {
		return err
	}
	since, err := strconv.ParseInt(os.Getenv(childClock), 10, 64)
	if err != nil {
		return err
	}
	s.since = time.UnixMilli(since)
	if err := s.takeOver(ctx); err != nil {
		return err
	}
	for {
		if err := s.batch(ctx); err != nil {
			return err
		}
	}
}

func (s *seller) now() time.Time {
	return s.since.Add(speed * time.Since(s.since)).Truncate(time.Millisecond).UTC()
}

func (s *seller) takeOver(ctx context.Context) error {
	st, err := s.db.Load(ctx, s.id)
	if err != nil {
		return err
	}
	s.open, s.paid, s.done, s.next = nil, nil, nil, 0
	for _, h := range st.Holds {
		n, _ := strconv.Atoi(h.Claim.Message)
		s.next = max(s.next, n+1)
		switch h.State {
		case commerce.StateHeld:
			s.open = append(s.open, h.ID)
		case commerce.StatePaid:
			s.paid = append(s.paid, h.ID)
		}
	}
	if s.next = max(0, s.next-50); st.Epoch%2 == 0 {
		st.Recent = nil // memory forgot; the database did not
	}
	s.d = commerce.NewDesk(s.id, st)
	for _, e := range st.Effects { // what the former life did not get to say, or not to note as said
		if _, err := fmt.Println(strings.Trim(string(e.Body), `"`)); err != nil {
			return err
		}
		s.done = append(s.done, e.ID)
	}
	return nil
}

func buy(n int) commerce.Claim {
	return commerce.Claim{
		Ask: commerce.Ask{
			Key: commerce.Key{Platform: chat.Twitch, Message: strconv.Itoa(n)}, Show: killShow, Viewer: chat.Viewer{Platform: chat.Twitch, ID: strconv.Itoa(n), Name: "v"},
		},
		Number: 1, Quantity: 1 + n%3,
	}
}

// pay is the store's word that a hold was paid; the same however often it comes.
func (s *seller) pay(hold commerce.ID) (commerce.Request, bool) {
	h, ok := s.d.Hold(hold)
	if !ok {
		return nil, false
	}
	at := h.Decided.Add(10 * time.Second)
	return commerce.Paid{Order: commerce.Order{
		Store: "order-" + hold.String(), Name: "#" + hold.String(), State: commerce.OrderPaid, Holds: []commerce.ID{hold}, Total: h.Total(),
		Lines: []commerce.OrderLine{{Variant: "gid/11", Quantity: h.Quantity, Price: h.Price}}, Created: at, Updated: at,
	}, Variants: map[string]commerce.ID{"gid/11": killPiece}}, true
}

// batch is one turn: claims, payments, and what time asks for.
func (s *seller) batch(ctx context.Context) error {
	var reqs []commerce.Request
	for range 1 + rand.IntN(16) {
		reqs = append(reqs, buy(s.next))
		s.next++
	}
	for range rand.IntN(8) {
		from := s.open
		if rand.IntN(4) == 0 {
			from = s.paid // a webhook that comes twice
		}
		if len(from) == 0 {
			continue
		}
		if r, ok := s.pay(from[rand.IntN(len(from))]); ok {
			reqs = append(reqs, r)
		}
	}
	now := s.now()
	if due, ok := s.d.NextDue(); ok && !due.After(now) {
		at := rand.IntN(len(reqs) + 1) // before some payments of the same moment, behind others
		reqs = append(reqs[:at:at], append([]commerce.Request{commerce.Expire{}}, reqs[at:]...)...)
	}
	if rand.IntN(4) == 0 {
		reqs = append(reqs, commerce.SetStock{Variant: killPiece, Add: int64(rand.IntN(20))})
	}
	return s.commit(ctx, now, reqs)
}

// commit makes requests durable, with an effect for each thing that must be said, and says them.
func (s *seller) commit(ctx context.Context, now time.Time, reqs []commerce.Request) error {
	for {
		b, outs := s.d.Plan(now, reqs)
		b.Done = s.done
		var lines []string
		for i := range outs {
			line, id := s.word(&outs[i])
			if line == "" {
				continue
			}
			lines = append(lines, line)
			if !outs[i].Repeat {
				b.Effects = append(b.Effects, commerce.Effect{ID: id, Kind: "say", Body: json.RawMessage(strconv.Quote(line)), NotAfter: now.Add(time.Hour)})
			}
		}
		if b.Empty() {
			s.d.CommitNothing()
			return nil
		}
		err := s.db.Commit(ctx, b)
		if errors.Is(err, commerce.ErrFenced) { // another program believes that the merchant is its own, as this one does
			if _, err := fmt.Println("fenced - 0"); err != nil {
				return err
			}
			return s.takeOver(ctx)
		}
		if errors.Is(err, commerce.ErrRepeated) {
			s.d.Rollback()
			var keys []commerce.Key
			for _, x := range b.Decisions {
				keys = append(keys, x.Key)
			}
			known, err := s.db.Decided(ctx, s.id, keys)
			if err != nil {
				return err
			}
			for _, x := range known {
				s.d.Known(x, now)
			}
			continue
		}
		if err != nil {
			return err
		}
		s.d.Commit()
		s.done = s.done[:0]
		for _, e := range b.Effects {
			s.done = append(s.done, e.ID)
		}
		s.follow(outs)
		if len(lines) == 0 {
			return nil
		}
		_, err = os.Stdout.WriteString(strings.Join(lines, "\n") + "\n")
		return err
	}
}

// word is what is said of an outcome, and the id of the effect that says it.
func (s *seller) word(o *commerce.Outcome) (string, commerce.ID) {
	switch {
	case o.What == commerce.Claimed && o.Hold != 0:
		return fmt.Sprintf("held %s %d", o.Viewer.ID, o.Hold), o.Hold * 4
	case o.What == commerce.Promoted:
		return fmt.Sprintf("held %s %d", o.Viewer.ID, o.Hold), o.Hold * 4
	case o.What == commerce.Expired:
		return fmt.Sprintf("expired %s %d", o.Viewer.ID, o.Hold), o.Hold*4 + 1
	case o.What == commerce.Settled || o.What == commerce.Late:
		return fmt.Sprintf("paid %s %d", o.Viewer.ID, o.Hold), o.Hold*4 + 2
	case o.What == commerce.Unfilled:
		return fmt.Sprintf("unfilled %s %d", o.Viewer.ID, o.Hold), o.Hold*4 + 3
	}
	return "", 0
}

// follow keeps the lists of what may be paid.
func (s *seller) follow(outs []commerce.Outcome) {
	for i := range outs {
		o := &outs[i]
		switch {
		case o.Hold == 0 || o.Repeat:
		case o.What == commerce.Claimed || o.What == commerce.Promoted:
			s.open = append(s.open, o.Hold)
		case o.What == commerce.Settled:
			s.paid = append(s.paid, o.Hold)
		}
	}
	if len(s.open) > 200 { // the oldest are paid late now and then
		s.open = append(s.open[:5:5], s.open[len(s.open)-100:]...)
	}
}

// TestKill kills a selling program at random moments, in the middle of batches and while it takes over, and asks the database
// each time whether all that was said is true, nothing is there twice, all sums agree, and the ledger passes the audit.
func TestKill(t *testing.T) {
	kills := ledgertest.Often(t, killsLong, 30)
	for _, f := range both() {
		t.Run(f.name, func(t *testing.T) {
			k := newKilling(t, f.make(t))
			db := open(t, k.o)
			k.id = merchant(t, db, "ana")
			stockPieces(t, db, k.id, 200)
			for i := range kills {
				k.life(t)
				k.afterLife(t, db, i)
			}
			t.Logf("%d kills: %s", kills, k)
			if f.name == "PostgreSQL" && k.waited == 0 {
				t.Error("no program was killed between a commit and the writing of its rows")
			}
			for _, what := range []string{"held", "expired", "paid"} {
				if len(k.said[what]) == 0 {
					t.Errorf("nothing was ever %s", what)
				}
			}
		})
	}
}

// killing is what the killer knows.
type killing struct {
	o             Options
	id            commerce.ID
	since         time.Time
	mu            sync.Mutex
	said          map[string]map[commerce.ID]string // held, expired, paid, unfilled: by hold, the viewer
	early, fenced int
	unsaid        int
	waited        int // lives that left rows in the journal
}

func newKilling(t *testing.T, o Options) *killing {
	t.Helper()
	return &killing{o: o, since: time.UnixMilli(time.Now().UnixMilli()), said: map[string]map[commerce.ID]string{}}
}

func (k *killing) String() string {
	return fmt.Sprintf("%d programs ended before they said anything; %d holds acknowledged, %d of them ended, %d paid, %d paid too late; %d committed and not yet said; %d batches fenced; %d left rows in the journal",
		k.early, len(k.said["held"]), len(k.said["expired"]), len(k.said["paid"]), len(k.said["unfilled"]), k.unsaid, k.fenced, k.waited)
}

// note takes one line of a program in.
func (k *killing) note(t *testing.T, line string) {
	var what, viewer string
	var hold commerce.ID
	if n, err := fmt.Sscanf(line, "%s %s %d", &what, &viewer, (*int64)(&hold)); n != 3 {
		t.Errorf("%q: %v", line, err)
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if what == "fenced" {
		k.fenced++
		return
	}
	if k.said[what] == nil {
		k.said[what] = map[commerce.ID]string{}
	}
	if old, ok := k.said[what][hold]; ok && old != viewer {
		t.Errorf("hold %d is %s's and %s's", hold, old, viewer)
	}
	k.said[what][hold] = viewer
}

// stockShop gives a merchant a live show with one item, of which there is always enough.
func stockShop(t testing.TB, db *DB, id commerce.ID) {
	t.Helper()
	stockPieces(t, db, id, 1_000_000_000)
}

func stockPieces(t testing.TB, db *DB, id commerce.ID, pieces int64) {
	t.Helper()
	p := commerce.Product{ID: 1, Title: "Mug", Variants: []commerce.Variant{{ID: killPiece, Price: commerce.Money{Minor: 1999, Currency: "EUR"}, Store: "gid/11"}}}
	if _, err := db.PutProducts(t.Context(), id, []commerce.Product{p}); err != nil {
		t.Fatal(err)
	}
	st, err := db.Load(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	show := commerce.Show{
		ID: killShow, Name: "spring-" + id.String(), State: commerce.ShowLive, Hold: time.Minute, Guard: commerce.Guard{Share: 100, Unpaid: -1},
		Lineup: commerce.Lineup{Items: []commerce.Item{{Number: 1, Product: p}}},
	}
	b, _ := commerce.NewDesk(id, st).Plan(time.Now(), []commerce.Request{commerce.SetShow{Show: show}, commerce.SetStock{Variant: killPiece, Add: pieces}})
	if err := db.Commit(t.Context(), b); err != nil {
		t.Fatal(err)
	}
}

// life runs the program until a random moment and notes what it said.
func (k *killing) life(t *testing.T) {
	t.Helper()
	c := exec.CommandContext(t.Context(), os.Args[0])
	c.Env = append(os.Environ(), "PGAPPNAME="+childApp, childFolder+"="+k.o.Dir+k.o.URL, childMerchant+"="+k.id.String(), fmt.Sprintf("%s=%d", childClock, k.since.UnixMilli()))
	var errs strings.Builder
	c.Stderr = &errs
	out, err := c.StdoutPipe()
	if err == nil {
		err = c.Start()
	}
	if err != nil {
		t.Error(err)
		return
	}
	kill := make(chan struct{}, 1)
	killed := make(chan bool)
	early := rand.IntN(5) == 0
	go func() {
		if early { // while it opens the database or takes over
			select {
			case <-kill:
			case <-time.After(time.Duration(rand.IntN(150)) * time.Millisecond):
			}
		} else {
			<-kill
			time.Sleep(time.Duration(rand.IntN(3000)) * time.Microsecond) // anywhere in a batch
		}
		killed <- c.Process.Kill() == nil
	}()
	lines := bufio.NewScanner(out)
	left, any := 1+rand.IntN(150), false
	for lines.Scan() { // to the end: what was printed before the kill was acknowledged
		k.note(t, lines.Text())
		any = true
		if left--; left == 0 {
			kill <- struct{}{}
		}
	}
	if left > 0 && !early {
		kill <- struct{}{}
	}
	if ok := <-killed; !ok || left > 0 && !early {
		t.Errorf("the program ended by itself: %s", &errs)
	}
	_ = c.Wait() // its error says that it was killed
	if !any {
		k.mu.Lock()
		k.early++
		k.mu.Unlock()
	}
}

// childApp is what PostgreSQL calls the connections of programs that are killed.
const childApp = "killed"

// stands waits until the database has done with killed programs: a PostgreSQL server carries out what it has read, although nobody
// waits for it any more.
func (k *killing) stands(t *testing.T, db *DB) {
	t.Helper()
	if k.o.URL == "" {
		return
	}
	for n := -1; n != 0; time.Sleep(time.Millisecond) {
		if err := db.read.QueryRowContext(t.Context(), `SELECT count(*) FROM pg_stat_activity WHERE application_name = $1 AND datname = current_database()`, childApp).Scan(&n); err != nil {
			t.Fatal(err)
		}
	}
}

// afterLife checks what a killed program left.
func (k *killing) afterLife(t *testing.T, db *DB, kill int) {
	t.Helper()
	k.stands(t, db)
	waits := false
	if err := db.read.QueryRowContext(t.Context(), `SELECT EXISTS (SELECT 1 FROM journal)`).Scan(&waits); err != nil {
		t.Fatal(err)
	}
	if waits {
		k.waited++
	}
	st := look(t, db, k.id)
	holds := map[commerce.ID]commerce.Hold{}
	pieces := map[string]int{}
	var held int64
	for _, h := range st.Holds {
		holds[h.ID] = h
		pieces[h.Viewer.ID] += h.Quantity
		if h.State == commerce.StateHeld {
			held += int64(h.Quantity)
		}
	}
	for viewer, n := range pieces {
		if i, _ := strconv.Atoi(viewer); n > buy(i).Quantity {
			t.Errorf("kill %d: viewer %s asked for %d and was given %d in all", kill, viewer, buy(i).Quantity, n)
		}
	}
	for hold, viewer := range k.said["held"] {
		h, ok := holds[hold]
		_, expired := k.said["expired"][hold]
		_, paid := k.said["paid"][hold]
		switch {
		case !ok || h.Viewer.ID != viewer || h.Claim.Message != viewer:
			t.Errorf("kill %d: hold %d of %s was acknowledged; the database has %+v", kill, hold, viewer, h)
		case paid && h.State != commerce.StatePaid:
			t.Errorf("kill %d: the payment of hold %d was acknowledged; it is %s", kill, hold, h.State)
		case expired && h.State != commerce.StateExpired && (h.State != commerce.StatePaid || !h.Late):
			t.Errorf("kill %d: the end of hold %d was acknowledged; it is %s", kill, hold, h.State)
		}
	}
	var sold int64
	for _, o := range st.Orders {
		sold += o.Took[killPiece]
	}
	if s := st.Stock[0]; len(st.Stock) != 1 || s.Held != held || s.Sold != sold || s.Held+s.Sold > s.Available+s.Short {
		t.Errorf("kill %d: stock %+v; holds hold %d, orders took %d", kill, st.Stock, held, sold)
	}
	// What was committed and not said stands among the effects, to be said after the start.
	unsaid := map[string]bool{}
	for _, e := range st.Effects {
		unsaid[strings.Trim(string(e.Body), `"`)] = true
	}
	for _, h := range holds {
		line := fmt.Sprintf("held %s %d", h.Viewer.ID, h.ID)
		if _, ok := k.said["held"][h.ID]; !ok {
			k.unsaid++
			if !unsaid[line] {
				t.Errorf("kill %d: hold %d was never acknowledged, and nothing is left to say so", kill, h.ID)
			}
		}
	}
	ledgertest.Audit(t, db, k.id, st)
}
