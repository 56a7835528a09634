package proof

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"hawker/commerce"
	"hawker/internal/chat"
	"hawker/internal/pgtest"
)

// TestFailures is the list of what can fail under a till, each by its name: with what happens then, or with the tests that
// show it (folder of the module, name of the test).
func TestFailures(t *testing.T) {
	for _, tt := range []struct {
		name string
		try  func(t *testing.T, h house)
		also []string
	}{
		{"crash before the commit", crashBeforeCommit, []string{"internal/sqldb.TestKill", "internal/live/proof.TestKillHub"}},
		{"crash between commit and reply", crashBeforeReply, []string{"internal/live/proof.TestKillHub", "internal/live.TestUnsaidIsSaidAtTheNextStart"}},
		{"the commit's outcome is unknown", unknownOutcome, []string{"commerce/ledgertest.obeysCancel", "commerce/ledgertest.Random"}},
		{"two tills at once", nil, []string{"internal/live/proof.TestTwoHubs", "internal/sqldb.TestTwoNodes", "internal/sqldb.TestTwoProcesses", "commerce/ledgertest.fences"}},
		{"the same message again", sameMessage, []string{"commerce/ledgertest.refusesRepeats", "internal/live.TestHostCommandsAreDecidedOnce"}},
		{"a refused message again after stock came back", refusedAgain, []string{"internal/live.TestLinesThatNeverAct"}},
		{"one viewer on two platforms", twoPlatforms, []string{"internal/live.TestJoiningAccounts", "commerce.TestBind"}},
		{"messages race for the last piece", lastPiece, nil},
		{"the clock jumps", nil, []string{"commerce.TestClockLeaps", "commerce/clock.TestClock", "internal/live.TestWrongClockIsNotPunished"}},
		{"expiry races the payment", nil, []string{"internal/sqldb.TestExpiryRacesPayment", "commerce.TestExpiryAgainstPayment"}},
		{"the store's stock falls below what is held", storeFell, []string{"commerce.TestReadings"}},
		{"the same piece is bought in the web shop", webShop, []string{"commerce.TestOrderFromNoClaim"}},
		{"the database is down", databaseDown, []string{"internal/live.TestDatabaseAway"}},
		{"the disk is full", diskFull, nil},
		{"one bad row in a batch", nil, []string{"internal/live.TestPoisonedRequestFailsAlone", "commerce/ledgertest.commitsAtOnce"}},
		{"the reply cannot be sent", replyRefused, []string{"internal/live.TestSpeakerRefused", "internal/live.TestUnheardHoldIsExtendedAndTold"}},
		{"the till is behind", behind, []string{"internal/live.TestSpeakerBacklogIsBounded"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for _, name := range tt.also {
				if !written(t, name) {
					t.Errorf("%s is not there", name)
				}
			}
			if tt.try == nil {
				return
			}
			for _, h := range both() {
				t.Run(h.name, func(t *testing.T) { tt.try(t, h) })
			}
		})
	}
}

// written reports whether a func of a test is in the folder that its name says.
func written(t *testing.T, name string) bool {
	t.Helper()
	dot := strings.LastIndex(name, ".")
	files, err := filepath.Glob(filepath.Join("..", "..", "..", filepath.FromSlash(name[:dot]), "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(b), "func "+name[dot+1:]+"(t *testing.T") {
			return true
		}
	}
	return false
}

func claim(show commerce.ID, message, viewer string, number, quantity int) commerce.Claim {
	return commerce.Claim{Ask: commerce.Ask{
		Key: commerce.Key{Platform: chat.Twitch, Message: message}, Show: show, Viewer: chat.Viewer{Platform: chat.Twitch, ID: viewer, Name: viewer}, Sent: time.Now(),
	}, Number: number, Quantity: quantity}
}

// till is a desk over a database, without a hub.
type till struct {
	t              *testing.T
	h              house
	dir, url       string
	merchant, show commerce.ID
	desk           *commerce.Desk
	commit         func(*commerce.Batch) error
}

func openTill(t *testing.T, h house, mug, vase int64) *till {
	t.Helper()
	x := &till{t: t, h: h}
	x.dir, x.url = h.make(t)
	db, err := openDB(t.Context(), x.dir, x.url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	x.merchant, x.show = stock(t, db, mug, vase)
	x.commit = func(b *commerce.Batch) error { return db.Commit(t.Context(), b) }
	st, err := db.Load(t.Context(), x.merchant)
	if err != nil {
		t.Fatal(err)
	}
	x.desk = commerce.NewDesk(x.merchant, st)
	return x
}

func (x *till) must(reqs ...commerce.Request) []commerce.Outcome {
	x.t.Helper()
	b, outs := x.desk.Plan(time.Now(), reqs)
	if err := x.commit(b); err != nil {
		x.t.Fatal(err)
	}
	x.desk.Commit()
	return outs
}

// What was planned and not committed never was: the platform delivers the line again, and it is decided as new.
func crashBeforeCommit(t *testing.T, h house) {
	x := openTill(t, h, 5, 1)
	x.desk.Plan(time.Now(), []commerce.Request{claim(x.show, "m1", "ana", mugs, 2)})
	if st := rows(t, x.dir, x.url, x.merchant); len(st.Holds) != 0 || len(st.Recent) != 0 {
		t.Errorf("%d holds, %d decisions of a batch that was never committed", len(st.Holds), len(st.Recent))
	}
	s := startShop(t, x.dir, x.url, x.merchant, x.show, nil)
	s.says(s.types("ana", "!buy 3 x2"), "held")
}

// The hold stands, and its answer is said at the next start, once.
func crashBeforeReply(t *testing.T, h house) {
	dir, url := h.make(t)
	s := newShop(t, dir, url, 5, 1)
	s.wire.mu.Lock() // the platform takes nothing from here on
	l := s.types("ana", "!buy 3")
	eventually(t, "the hold", func() bool { return s.page().HeldPieces == 1 })
	copied := rowsNow(t, dir, url, s.merchant) // the crash: the database as it is now
	if len(copied.Effects) != 1 || !strings.Contains(string(copied.Effects[0].Body), l.ID) {
		t.Errorf("effects %+v, want the answer to %s", copied.Effects, l.ID)
	}
	next := startShop(t, dir, url, s.merchant, s.show, nil)
	next.says(l, "held")
	s.wire.mu.Unlock()
	next.stop()
	if n := len(next.wire.said()); n != 1 {
		t.Errorf("%d answers at the next start: %v", n, next.wire.said())
	}
}

// rowsNow is rows while a node has the merchant; it loses it by that.
func rowsNow(t *testing.T, dir, url string, merchant commerce.ID) commerce.State {
	t.Helper()
	db, err := openDB(t.Context(), dir, url)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	st, err := db.Load(t.Context(), merchant)
	if err != nil {
		t.Fatal(err)
	}
	return st
}

// Connections end in the middle of commits: the hub reads what is stored and goes on; what it said is true.
func unknownOutcome(t *testing.T, h house) {
	dir, url := h.make(t)
	if url == "" {
		return // a file has no connection to lose; a commit that fails is "the disk is full"
	}
	s := newShop(t, dir, url, 100_000, 1)
	var lines []typed
	for i := range 300 {
		lines = append(lines, s.types(fmt.Sprintf("viewer%04d", i), "!buy 3"))
		if i%30 == 29 {
			pgtest.Cut(t, url)
		}
		time.Sleep(time.Millisecond)
	}
	sellsAgain(t, s)
	s.stop()
	of := map[string]int{}
	for _, x := range rows(t, dir, url, s.merchant).Holds {
		of[x.Viewer.ID] += x.Quantity
	}
	for _, l := range lines {
		told := slices.ContainsFunc(s.wire.said(), func(a answer) bool { return a.told() && a.about(l.Viewer, l.ID) })
		if of[l.Viewer] > 1 || told && of[l.Viewer] != 1 {
			t.Errorf("%s holds %d, told %v", l.Viewer, of[l.Viewer], told)
		}
	}
}

// The same message is one decision: while it is remembered, after a restart, and where only the database knows of it.
func sameMessage(t *testing.T, h house) {
	dir, url := h.make(t)
	s := newShop(t, dir, url, 5, 1)
	l := s.types("ana", "!buy 3")
	s.says(l, "held")
	s.wire.hear(l.event())
	s.says(s.types("bob", "!buy 3"), "held") // behind it
	s.stop()
	s = startShop(t, dir, url, s.merchant, s.show, nil)
	s.wire.hear(l.event())
	s.says(s.types("cy", "!buy 3"), "held")
	s.stop()
	if st := rows(t, dir, url, s.merchant); len(st.Holds) != 3 {
		t.Errorf("%d holds, want 3", len(st.Holds))
	}
}

// A line that was refused is not stored. When it comes again it stays refused: while the till remembers it, and after a start
// because it is older than what was heard of its channel.
func refusedAgain(t *testing.T, h house) {
	dir, url := h.make(t)
	s := newShop(t, dir, url, 5, 0)
	refused := s.types("ana", "!buy 4")
	s.says(refused, "sold out")
	stock := s.line("mod", "!stock 4 +3")
	stock.Mod = true
	s.wire.hear(stock.event())
	eventually(t, "more vases", func() bool { return s.page().Items[1].Free == 3 })
	s.wire.hear(refused.event())
	s.says(s.types("bob", "!buy 4"), "held")
	s.stop()
	s = startShop(t, dir, url, s.merchant, s.show, nil)
	s.wire.hear(refused.event())
	s.says(s.types("cy", "!buy 4"), "held")
	s.stop()
	st := rows(t, dir, url, s.merchant)
	if slices.ContainsFunc(st.Holds, func(h commerce.Hold) bool { return h.Viewer.ID == "ana" }) || len(st.Holds) != 2 {
		t.Errorf("a line that was refused became a hold: %+v", st.Holds)
	}
}

// Two accounts are two people until they are joined; then one cap counts both.
func twoPlatforms(t *testing.T, h house) {
	x := openTill(t, h, 10, 1)
	show := *x.desk.Show(x.show)
	show.Lineup.Items = slices.Clone(show.Lineup.Items)
	show.Lineup.Items[0].Cap = 2
	x.must(commerce.SetShow{Show: show})
	a, b := claim(x.show, "m1", "ana", mugs, 2), claim(x.show, "m1", "ana", mugs, 2)
	b.Viewer.Platform, b.Key.Platform = chat.YouTube, chat.YouTube
	if outs := x.must(a, b); outs[0].Reason != commerce.Held || outs[1].Reason != commerce.Held || outs[0].Hold == outs[1].Hold {
		t.Errorf("%+v", outs)
	}
	x.must(commerce.Bind{Viewer: b.Viewer, Person: x.desk.Person(a.Viewer)})
	more := claim(x.show, "m2", "ana", mugs, 1)
	more.Add = true
	plan, outs := x.desk.Plan(time.Now(), []commerce.Request{more})
	if outs[0].Reason != commerce.Capped || len(plan.Holds) != 0 {
		t.Errorf("%+v", outs)
	}
	x.desk.CommitNothing()
	rows(t, x.dir, x.url, x.merchant)
}

// Of all who want the last piece one has it, and the others stand in line.
func lastPiece(t *testing.T, h house) {
	dir, url := h.make(t)
	s := newShop(t, dir, url, 5, 1)
	var wg sync.WaitGroup
	var lines []typed
	for i := range 40 {
		lines = append(lines, s.line(fmt.Sprintf("viewer%04d", i), "!buy 4"))
	}
	for i := range 4 {
		wg.Go(func() {
			for _, l := range lines[10*i : 10*i+10] {
				s.wire.hear(l.event())
			}
		})
	}
	wg.Wait()
	eventually(t, "39 in line", func() bool { return len(s.page().Waiting) == 39 })
	s.stop()
	st := rows(t, dir, url, s.merchant)
	if len(st.Holds) != 1 || len(st.Places) != 39 {
		t.Errorf("%d hold, %d wait", len(st.Holds), len(st.Places))
	}
}

// Promises are kept, nothing more is sold, the merchant is told.
func storeFell(t *testing.T, h house) {
	x := openTill(t, h, 5, 1)
	v := x.desk.Show(x.show).Lineup.Items[0].Product.Variants[0].ID
	x.must(claim(x.show, "m1", "ana", mugs, 2), claim(x.show, "m2", "bob", mugs, 2))
	outs := x.must(commerce.Read{Readings: []commerce.Reading{{Variant: v, Available: 1, At: time.Now()}}})
	if !slices.ContainsFunc(outs, func(o commerce.Outcome) bool { return o.What == commerce.ShortOf && o.Wanted == 3 }) {
		t.Errorf("nobody was told: %+v", outs)
	}
	if outs := x.must(claim(x.show, "m3", "cy", mugs, 1)); outs[0].Holding != 0 {
		t.Errorf("%+v", outs)
	}
	st := rows(t, x.dir, x.url, x.merchant)
	i := slices.IndexFunc(st.Stock, func(s commerce.Stock) bool { return s.Variant == v })
	if s := st.Stock[i]; s.Held != 4 || s.Available != 1 || s.Short != 3 || len(st.Holds) != 2 {
		t.Errorf("%+v", s)
	}
}

// An order that came from no claim takes its pieces, as far as they are there; what is held stays held.
func webShop(t *testing.T, h house) {
	x := openTill(t, h, 3, 1)
	v := x.desk.Show(x.show).Lineup.Items[0].Product.Variants[0].ID
	x.must(claim(x.show, "m1", "ana", mugs, 2))
	now := time.Now()
	o := commerce.Order{Store: "o1", Name: "#1", State: commerce.OrderPaid, Lines: []commerce.OrderLine{{Variant: "gid/mug", Quantity: 2}}, Created: now, Updated: now}
	x.must(commerce.Paid{Order: o, Variants: map[string]commerce.ID{"gid/mug": v}})
	if outs := x.must(claim(x.show, "m2", "bob", mugs, 1)); outs[0].Reason != commerce.Waitlisted {
		t.Errorf("%+v", outs)
	}
	st := rows(t, x.dir, x.url, x.merchant)
	i := slices.IndexFunc(st.Stock, func(s commerce.Stock) bool { return s.Variant == v })
	if s := st.Stock[i]; s.Held != 2 || s.Sold != 1 {
		t.Errorf("%+v", s)
	}
}

// sellsAgain waits until somebody who claims is told so: one viewer after the other tries.
func sellsAgain(t *testing.T, s *shop) {
	t.Helper()
	var tries []typed
	eventually(t, "a sale", func() bool {
		tries = append(tries, s.types(fmt.Sprintf("late%04d", len(tries)), "!buy 3"))
		time.Sleep(100 * time.Millisecond)
		said := s.wire.said()
		return slices.ContainsFunc(tries, func(l typed) bool {
			return slices.ContainsFunc(said, func(a answer) bool { return a.told() && a.about(l.Viewer, l.ID) })
		})
	})
}

// away tries a hub while its database cannot store anything, and after that.
func away(t *testing.T, s *shop, leave func() (back func())) {
	s.says(s.types("ana", "!buy 3"), "held")
	back := leave()
	for i := range 5 {
		s.types(fmt.Sprintf("lost%d", i), "!buy 3")
	}
	key := commerce.Key{Platform: chat.Room, Message: "form"}
	c := claim(s.show, "form", "browser", mugs, 1)
	if o, err := s.hub.Ask(t.Context(), s.merchant, key, c); err == nil {
		t.Errorf("a form was answered by %+v", o)
	}
	back()
	sellsAgain(t, s)
	o, err := s.hub.Ask(t.Context(), s.merchant, key, c) // the form is sent again
	if err != nil || o.Holding != 1 {
		t.Errorf("the form again: %+v, %v", o, err)
	}
	s.stop()
}

// No commit, no hold, no promise; when it is back the sale goes on, with what was promised before.
func databaseDown(t *testing.T, h house) {
	dir, url := h.make(t)
	if url == "" {
		return // a file is not down; "the disk is full" is its case
	}
	s := newShop(t, dir, url, 1000, 1)
	away(t, s, func() func() { return pgtest.Away(t, url) })
	promised(t, s, rows(t, dir, url, s.merchant))
}

// promised checks that everybody who was told of a hold has one.
func promised(t *testing.T, s *shop, st commerce.State) {
	t.Helper()
	for _, a := range s.wire.said() {
		for i := range 5 {
			who := fmt.Sprintf("lost%d", i)
			has := slices.ContainsFunc(st.Holds, func(h commerce.Hold) bool { return h.Viewer.ID == who })
			if a.told() && strings.Contains(a.Text, who) && !has {
				t.Errorf("%q was said, and %s holds nothing", a.Text, who)
			}
		}
	}
	if !slices.ContainsFunc(st.Holds, func(h commerce.Hold) bool { return h.Viewer.ID == "ana" }) {
		t.Error("what was promised before is gone")
	}
}

// The hold stands and pages show it, though nobody could be told in the chat.
func replyRefused(t *testing.T, h house) {
	dir, url := h.make(t)
	s := newShop(t, dir, url, 5, 1)
	s.wire.mu.Lock()
	s.wire.refuse = &chat.Refused{Reason: "banned"}
	s.wire.mu.Unlock()
	s.types("ana", "!buy 3")
	eventually(t, "the hold on the page", func() bool { return len(s.page().Open) == 1 })
	s.wire.mu.Lock()
	s.wire.refuse = nil
	s.wire.mu.Unlock()
	s.says(s.types("bob", "!buy 3"), "held")
	s.stop()
	if st := rows(t, dir, url, s.merchant); len(st.Holds) != 2 {
		t.Errorf("%d holds", len(st.Holds))
	}
}

// More lines than the till can take in a moment: claims are decided, each once, or are counted as limited; none is lost in
// silence.
func behind(t *testing.T, h house) {
	dir, url := h.make(t)
	s := newShop(t, dir, url, 1_000_000, 1)
	const lines = 6000 // past the point from which lines that are no command leave the view
	for i := range lines {
		text := "just chatting"
		if i%20 == 0 {
			text = "!buy 3"
		}
		s.types(fmt.Sprintf("viewer%05d", i), text)
	}
	s.types("last", "!buy 3")
	eventually(t, "the last claim", func() bool { return s.page().HeldPieces == lines/20+1 })
	s.stop()
	if st := rows(t, dir, url, s.merchant); len(st.Holds) != lines/20+1 {
		t.Errorf("%d holds, want %d", len(st.Holds), lines/20+1)
	}
}
