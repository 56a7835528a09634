package sqldb

import (
	"bytes"
	"context"
	"errors"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"hawker/commerce"
	"hawker/commerce/audit"
	"hawker/internal/pgtest"
	"hawker/internal/sqldb/archive"
)

// Here commits are looked at between the moment when they are durable and the moment when their rows stand in their tables. A
// test stops the projector (db.journal.Stop) for as long as it looks, and lets it run again (Start).

// counter sells for one merchant on PostgreSQL.
type counter struct {
	t  *testing.T
	o  Options
	db *DB
	id commerce.ID
	d  *commerce.Desk
	n  int
}

// newCounter has as many pieces as it says, and a projector that stands still.
func newCounter(t *testing.T, pieces int64) *counter {
	t.Helper()
	o := both()[1].make(t)
	c := &counter{t: t, o: o, db: open(t, o)}
	c.id = merchant(t, c.db, "ana")
	stockPieces(t, c.db, c.id, pieces)
	c.load()
	c.hold()
	return c
}

func (c *counter) load() {
	c.t.Helper()
	st, err := c.db.Load(c.t.Context(), c.id)
	if err != nil {
		c.t.Fatal(err)
	}
	c.d = commerce.NewDesk(c.id, st)
}

// hold stops the projector, after it wrote what waits.
func (c *counter) hold() {
	c.t.Helper()
	if err := c.db.Settle(c.t.Context()); err != nil {
		c.t.Fatal(err)
	}
	c.db.journal.Stop()
}

// plan is a batch that is not committed yet.
func (c *counter) plan(reqs ...commerce.Request) (*commerce.Batch, []commerce.Outcome) {
	return c.d.Plan(time.UnixMilli(time.Now().UnixMilli()).UTC(), reqs)
}

func (c *counter) do(reqs ...commerce.Request) []commerce.Outcome {
	c.t.Helper()
	b, outs := c.plan(reqs...)
	if len(b.Decisions) > 0 && b.Decisions[0].Kind == "claim" {
		b.Effects = []commerce.Effect{{ID: commerce.NewID(b.At), Kind: "say", Body: []byte(`"hello"`), NotAfter: b.At.Add(time.Hour)}}
	}
	if err := c.db.Commit(c.t.Context(), b); err != nil {
		c.t.Fatal(err)
	}
	c.d.Commit()
	return outs
}

// claim has the next viewer claim one piece.
func (c *counter) claim() commerce.Outcome {
	c.t.Helper()
	return c.do(c.next())[0]
}

func (c *counter) next() commerce.Claim {
	q := buy(c.n)
	q.Quantity = 1
	c.n++
	return q
}

// pass has a viewer of claim give the piece back.
func (c *counter) pass(viewer int) commerce.Pass {
	ask := buy(viewer).Ask
	ask.Key.Message += " pass"
	return commerce.Pass{Ask: ask, Number: 1}
}

// rows is how many rows a merchant has in tables.
func (c *counter) rows(tables ...string) map[string]int {
	c.t.Helper()
	out := map[string]int{}
	for _, table := range tables {
		n := 0
		if err := c.db.read.QueryRowContext(c.t.Context(), `SELECT COUNT(*) FROM `+table+` WHERE merchant_id = $1`, int64(c.id)).Scan(&n); err != nil {
			c.t.Fatal(err)
		}
		out[table] = n
	}
	return out
}

func (c *counter) want(when string, want map[string]int) {
	c.t.Helper()
	if got := c.rows(slices.Collect(maps.Keys(want))...); !maps.Equal(got, want) {
		c.t.Errorf("%s: %v; want %v", when, got, want)
	}
}

// settle lets the projector run until nothing waits here.
func (c *counter) settle() {
	c.t.Helper()
	c.db.journal.Start()
	if err := c.db.Settle(c.t.Context()); err != nil {
		c.t.Fatal(err)
	}
}

func (c *counter) audit() {
	c.t.Helper()
	if _, err := c.db.Audit(c.t.Context(), c.id, nil); err != nil {
		c.t.Error(err)
	}
}

// until waits for a state.
func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(time.Minute); !ok(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("never: ", what)
		}
	}
}

// lockOut keeps everybody from writing the merchant's journal to its tables, until release.
func (c *counter) lockOut() (release func()) {
	c.t.Helper()
	tx, err := c.db.write.BeginTx(context.Background(), nil)
	if err == nil {
		_, err = tx.ExecContext(c.t.Context(), `SELECT pg_advisory_xact_lock($1)`, int64(c.id))
	}
	if err != nil {
		c.t.Fatal(err)
	}
	return func() { _ = tx.Rollback() }
}

// Who takes a merchant over has all that was committed, once; the projectors of both do no harm, whoever is late.
func TestJournalTakenOver(t *testing.T) {
	c := newCounter(t, 100)
	before := c.rows("ledger", "claims", "holds", "receipts", "effects")
	var holds []commerce.ID
	for range 3 {
		holds = append(holds, c.claim().Hold)
	}
	c.want("committed", before)
	c.want("committed", map[string]int{"journal": 3})
	if err := c.db.Settle(t.Context()); err == nil {
		t.Error("Settle says that all stands in its tables")
	}
	two := open(t, c.o)
	st, err := two.Load(t.Context(), c.id)
	if err != nil {
		t.Fatal(err)
	}
	var loaded []commerce.ID
	for _, h := range st.Holds {
		loaded = append(loaded, h.ID)
	}
	if !slices.Equal(loaded, holds) || len(st.Recent) != 3 || len(st.Receipts) != 3 || len(st.Effects) != 3 || st.Stock[0].Held != 3 {
		t.Errorf("%+v", st)
	}
	all := map[string]int{"journal": 0, "ledger": before["ledger"] + 3, "claims": 3, "holds": 3, "receipts": 3, "effects": 3}
	c.want("taken over", all)
	if b, _ := c.plan(c.next()); !errors.Is(c.db.Commit(t.Context(), b), commerce.ErrFenced) {
		t.Error("the former node commits")
	}
	c.settle() // what it wants to write was written
	c.want("after the former node's projector", all)

	// Now the other sells, and the first takes its rows for its own.
	c.hold()
	c.load()
	c.claim()
	late := &counter{t: t, o: c.o, db: two, id: c.id, n: c.n}
	late.hold()
	late.load()
	c.settle() // as above
	for range 2 {
		late.claim()
	}
	if err := c.db.readOthers(t.Context()); err != nil {
		t.Fatal(err)
	}
	late.claim()
	for range 2 { // the first is late once more: its rows are gone, and another's wait
		late.settle()
	}
	c.want("in the end", map[string]int{"journal": 0, "claims": 7, "holds": 7, "receipts": 7, "effects": 7, "ledger": before["ledger"] + 7})
	late.audit()
}

// A projector whose rows another node wrote finds that node's rows and writes these.
func TestJournalLateProjector(t *testing.T) {
	c := newCounter(t, 100)
	c.claim()
	two := open(t, c.o)
	late := &counter{t: t, o: c.o, db: two, id: c.id, n: c.n}
	late.hold()
	late.load()
	for range 3 {
		late.claim()
	}
	late.do(late.pass(1))
	c.settle()
	c.want("written by who rules no more", map[string]int{"journal": 0, "holds": 4, "claims": 5})
	late.settle()
	c.want("written already", map[string]int{"journal": 0, "holds": 4, "claims": 5})
	late.claim()
	if err := two.Settle(t.Context()); err != nil {
		t.Fatal(err)
	}
	late.audit()
}

// A receipt's address opens it right after the commit, on each node.
func TestJournalReceipt(t *testing.T) {
	c := newCounter(t, 100)
	two := open(t, c.o)
	for range 2 {
		receipt := c.claim().Receipt
		for i, db := range []*DB{c.db, two} {
			m, id, err := db.ReceiptOf(t.Context(), db.ReceiptToken(c.id, receipt, 0))
			if err != nil || m != c.id || id != receipt {
				t.Errorf("node %d: ReceiptOf = %v, %v, %v", i, m, id, err)
			}
			if _, _, err := db.ReceiptOf(t.Context(), db.ReceiptToken(c.id, receipt, 1)); err != ErrNotFound {
				t.Errorf("node %d: an address of another generation: %v", i, err)
			}
			if _, _, err := db.ReceiptOf(t.Context(), db.ReceiptToken(c.id, receipt+1, 0)); err != ErrNotFound {
				t.Errorf("node %d: an address of no receipt: %v", i, err)
			}
		}
	}
	c.settle()
	c.want("settled", map[string]int{"journal": 0, "receipts": 2})
}

// An audit, an exported ledger and a backup have what was committed the moment before, here and on another node.
func TestJournalSeenByReaders(t *testing.T) {
	c := newCounter(t, 100)
	two := open(t, c.o)
	for i, db := range []*DB{c.db, two, c.db, two} {
		c.claim()
		a, err := db.Audit(t.Context(), c.id, nil)
		if err != nil || a.Rows != int64(2*i+1) || a.Claims != int64(2*i+1) {
			t.Errorf("%d: %+v, %v", i, a, err)
		}
		c.claim()
		var file bytes.Buffer
		if err := db.ExportLedger(t.Context(), Merchant{ID: c.id, Slug: "ana"}, &file); err != nil {
			t.Fatal(err)
		}
		if _, r, err := audit.Verify(&file); err != nil || r.Entries != a.Entries+1 {
			t.Errorf("%d: %+v, %v", i, r, err)
		}
	}
	c.claim()
	if es, err := two.Entries(t.Context(), c.id, 0, 1000); err != nil || len(es) != 9+2 {
		t.Errorf("%d entries, %v", len(es), err)
	}
	c.claim()
	if ds, err := two.Decisions(t.Context(), c.id, time.Time{}, 1000); err != nil || len(ds) != 10 {
		t.Errorf("%d decisions, %v", len(ds), err)
	}
	c.settle()
	c.want("settled", map[string]int{"journal": 0, "holds": 10})
}

// More readers than there are connections, each of which stops the sale for a moment, end.
func TestJournalManyReaders(t *testing.T) {
	c := newCounter(t, 1_000_000)
	c.db.journal.Start()
	ctx, stop := context.WithCancel(t.Context())
	var seller, readers sync.WaitGroup
	seller.Go(func() {
		for ctx.Err() == nil {
			b, _ := c.plan(c.next(), c.next())
			if err := c.db.Commit(t.Context(), b); err != nil {
				t.Error(err)
				return
			}
			c.d.Commit()
		}
	})
	for range 3 * c.db.pool.Config().MaxConns {
		readers.Go(func() {
			for range 3 {
				var file bytes.Buffer
				_, err := c.db.Audit(t.Context(), c.id, nil)
				if err = errors.Join(err, c.db.ExportLedger(t.Context(), Merchant{ID: c.id, Slug: "ana"}, &file)); err != nil {
					t.Error(err)
					return
				}
				if _, _, err := audit.Verify(&file); err != nil {
					t.Error(err)
				}
			}
		})
	}
	readers.Wait()
	// Nor does who waits for what was committed before wait for what is committed meanwhile.
	if err := c.db.Settle(t.Context()); err != nil {
		t.Error(err)
	}
	stop()
	seller.Wait()
	c.audit()
}

// A backup made while rows wait brings them to either database, where they stand in their tables.
func TestJournalBackup(t *testing.T) {
	c := newCounter(t, 100)
	for range 3 {
		c.claim()
	}
	c.do(c.pass(1))
	from, err := OpenToRead(t.Context(), c.o)
	if err != nil {
		t.Fatal(err)
	}
	defer from.Close()
	path := filepath.Join(t.TempDir(), "a.zip")
	m, _, err := from.Backup(t.Context(), path, BackupOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if i := slices.IndexFunc(m.Parts, func(p archive.Part) bool { return p.Table == "journal" }); i < 0 || m.Parts[i].Rows != 4 {
		t.Fatalf("%+v", m.Parts)
	}
	r := reader(t, path)
	told := 0
	if err := VerifyBackup(t.Context(), r, func(m Merchant, a Audit, err error) { told += int(a.Rows) }); err != nil || told != 3 {
		t.Errorf("VerifyBackup = %v; %d holds", err, told)
	}
	c.settle()
	want := content(t, c.db)
	for _, f := range both() {
		o := f.make(t)
		if o.Dir == "" {
			o.Dir = t.TempDir()
		}
		if _, err := Restore(t.Context(), o, r, false); err != nil {
			t.Fatal(err)
		}
		if d := differences(want, content(t, open(t, o))); d != "" {
			t.Errorf("%s: it came back otherwise: %s", f.name, d)
		}
	}
}

// A database that does not take the rows says so to who waits for them; sales go on, and all is written when it takes them.
func TestJournalStuck(t *testing.T) {
	c := newCounter(t, 100)
	change := func(q string) {
		t.Helper()
		if _, err := c.db.write.ExecContext(t.Context(), q); err != nil {
			t.Fatal(err)
		}
	}
	change(`ALTER TABLE holds ADD CONSTRAINT stuck CHECK (quantity < 0) NOT VALID`)
	c.db.journal.Start()
	for range 3 {
		c.claim()
		if err := c.db.Settle(t.Context()); err == nil || !strings.Contains(err.Error(), "stuck") || errors.Is(err, commerce.ErrUnknown) {
			t.Errorf("Settle = %v", err)
		}
	}
	c.want("stuck", map[string]int{"journal": 3, "holds": 0, "claims": 0})
	if _, err := c.db.Load(t.Context(), c.id); err == nil {
		t.Error("a desk is loaded without its holds")
	}
	change(`ALTER TABLE holds DROP CONSTRAINT stuck`)
	until(t, "the projector tries again", func() bool { rows, _ := c.db.journal.Waiting(); return rows == 0 })
	c.want("written", map[string]int{"journal": 0, "holds": 3, "claims": 3, "effects": 3})
	c.load()
	c.claim()
	c.audit()
}

// A connection that breaks while rows are written costs nothing.
func TestJournalCut(t *testing.T) {
	c := newCounter(t, 100)
	for range 3 {
		c.claim()
	}
	defer c.lockOut()() // it ends with its connection
	c.db.journal.Start()
	settled := make(chan error, 1)
	go func() { settled <- c.db.Settle(t.Context()) }()
	until(t, "the projector waits for the lock", func() bool {
		n := 0
		err := c.db.read.QueryRowContext(t.Context(), `SELECT COUNT(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted`).Scan(&n)
		return err == nil && n == 1
	})
	pgtest.Cut(t, c.o.URL)
	<-settled         // an error or none
	c.db.pool.Reset() // who asks next gets no connection that is dead
	until(t, "all is written", func() bool { rows, _ := c.db.journal.Waiting(); return rows == 0 })
	c.want("written", map[string]int{"journal": 0, "holds": 3, "claims": 3, "effects": 3})
	c.load()
	c.claim()
	c.audit()
}

// Who closes a database that went away is not kept; the rows are there when it is back.
func TestJournalClosedWhileAway(t *testing.T) {
	o := both()[1].make(t)
	db, err := Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	c := &counter{t: t, o: o, db: db, id: merchant(t, db, "ana")}
	stockPieces(t, db, c.id, 100)
	c.load()
	c.hold()
	c.claim()
	waits := make(chan error, 1)
	back := pgtest.Away(t, o.URL)
	c.db.journal.Start()
	go func() { waits <- db.Settle(context.Background()) }()
	_ = db.Close()
	if err := <-waits; err == nil {
		t.Error("Settle says that the rows were written")
	}
	if err := db.Settle(context.Background()); err == nil {
		t.Error("Settle after Close says that the rows were written")
	}
	back()
	c.db = open(t, o)
	c.want("back", map[string]int{"journal": 1, "holds": 0})
	c.load()
	c.want("loaded", map[string]int{"journal": 0, "holds": 1})
	c.audit()
}

// Above the bound commits wait, and do not fail.
func TestJournalFull(t *testing.T) {
	c := newCounter(t, 100)
	c.db.journal.Most = 20
	release := c.lockOut()
	defer release()
	c.db.journal.Start()
	for rows := 0; rows < 20; rows, _ = c.db.journal.Waiting() {
		c.claim()
	}
	seq := func() (n int64) {
		t.Helper()
		if err := c.db.read.QueryRowContext(t.Context(), `SELECT seq FROM tills WHERE merchant_id = $1`, int64(c.id)).Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	before := seq()
	b, _ := c.plan(c.next())
	commit := func(ctx context.Context) chan error {
		done := make(chan error, 1)
		go func() { done <- c.db.Commit(ctx, b) }()
		until(t, "the commit waits", func() bool { _, waiters := c.db.journal.Waiting(); return waiters > 0 })
		return done
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := commit(ctx)
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("Commit = %v", err)
	}
	until(t, "nobody waits", func() bool { _, waiters := c.db.journal.Waiting(); return waiters == 0 })
	done = commit(t.Context())
	if after := seq(); after != before || len(done) > 0 {
		t.Errorf("it did not wait: the fence went from %d to %d", before, after)
	}
	release()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	c.d.Commit()
	c.audit()
}
