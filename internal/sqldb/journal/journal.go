package journal

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"hawker/commerce"
	"hawker/internal/sqldb/bulk"
)

// How the projector works. In a rush it waits, because viewers wait too; rows of many batches then cost less than those of
// each. It does not wait longer than journalAge, nor where somebody must see the rows, nor for more of them than half of Most.
const (
	journalQuiet = 100 * time.Millisecond // without a commit: the rush is over
	journalAge   = 5 * time.Second
	journalMost  = 600_000 // rows
	projectRows  = 10_000  // in one transaction
	projectAgain = time.Second
	leaveFor     = 10 * time.Second // what a database that hangs may cost who closes it
)

// rowKey is a row of a merchant.
type rowKey struct{ merchant, id int64 }

// Forms are the forms of rows that the journal must tell apart, and all that may be in it in the order in which they are to run:
// what adds rows before what changes or takes them away.
type Forms struct {
	Order                                                                            []*bulk.Form
	Ledger, Stock, Claim, Receipt, HoldNew, HoldMade, Hold, PlaceNew, Place, Effects *bulk.Form
}

// find knows a form by its name.
func (f *Forms) find(name string) *bulk.Form {
	for _, x := range f.Order {
		if x.Name == name {
			return x
		}
	}
	return nil
}

// Journal knows what this process added to the journal and did not write to its tables yet. A nil Journal has nothing: on SQLite
// rows go to their tables at once. It may be used by many goroutines.
type Journal struct {
	Pool  *pgxpool.Pool
	Forms Forms
	Log   *slog.Logger
	// Most is how many rows may wait; above it commits do.
	Most int

	packer bulk.Packer
	poke   chan struct{}
	quit   context.CancelFunc
	done   chan struct{}

	mu                     sync.Mutex
	waiting                []*entry
	written                int64         // entries that no longer wait
	count                  int           // rows of what is waiting
	open                   map[int64]int // entries by merchant
	keys                   map[key]bool
	holds, places, effects map[rowKey]bool
	receipts               map[int64]receiptRow // by id
	tops                   map[int64]*top       // by merchant
	last                   time.Time            // when the last was added
	moved                  chan struct{}        // closed when some were written, or could not be
	err                    error                // why the last could not be written
	urgent                 int                  // who waits for it
	stopped                bool
}

// New is a Journal. Set its fields before Start.
func New() *Journal {
	return &Journal{
		Most: journalMost, poke: make(chan struct{}, 1), open: map[int64]int{}, keys: map[key]bool{}, holds: map[rowKey]bool{}, places: map[rowKey]bool{},
		effects: map[rowKey]bool{}, receipts: map[int64]receiptRow{}, tops: map[int64]*top{}, moved: make(chan struct{}),
	}
}

// unknown are those of ids that are neither in mine nor among what waits of a merchant in set: they must be in their table.
func (j *Journal) unknown(set map[rowKey]bool, merchant int64, ids, mine []int64) (out []int64) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, id := range ids {
		if !set[rowKey{merchant, id}] && !slices.Contains(mine, id) {
			out = append(out, id)
		}
	}
	return out
}

// repeats reports whether e adds a row that waits already, or one row twice.
func (j *Journal) repeats(e *entry) bool {
	for _, ids := range [][]int64{e.holds, e.places, e.receiptIDs()} {
		if !ascending(ids) && twice(ids) {
			return true
		}
	}
	if twice(e.keys) {
		return true
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	in := func(set map[rowKey]bool) func(id int64) bool {
		return func(id int64) bool { return set[rowKey{e.merchant, id}] }
	}
	return slices.ContainsFunc(e.keys, func(k key) bool { return j.keys[k] }) || slices.ContainsFunc(e.holds, in(j.holds)) ||
		slices.ContainsFunc(e.places, in(j.places)) || slices.ContainsFunc(e.effects, in(j.effects)) ||
		slices.ContainsFunc(e.receipts, func(r receiptRow) bool { _, ok := j.receipts[r.id]; return ok })
}

// ascending reports whether each is greater than the one before, as ids of a batch mostly are.
func ascending(ids []int64) bool {
	for i := range max(0, len(ids)-1) {
		if ids[i] >= ids[i+1] {
			return false
		}
	}
	return true
}

// twice reports whether one is there twice.
func twice[K comparable](all []K) bool {
	seen := make(map[K]struct{}, len(all))
	for _, k := range all {
		seen[k] = struct{}{}
	}
	return len(seen) < len(all)
}

// Receipt is a receipt that waits: its merchant and its generation.
func (j *Journal) Receipt(id int64) (merchant, generation int64, ok bool) {
	if j == nil {
		return 0, 0, false
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	r, ok := j.receipts[id]
	return r.merchant, r.generation, ok
}

// add notes what was committed.
func (j *Journal) add(e *entry) {
	if e.count == 0 {
		return
	}
	e.since = time.Now()
	j.mu.Lock()
	defer j.mu.Unlock()
	first := len(j.waiting) == 0
	j.waiting = append(j.waiting, e)
	j.count += e.count
	j.open[e.merchant]++
	j.last = e.since
	for _, k := range e.keys {
		j.keys[k] = true
	}
	for _, id := range e.holds {
		j.holds[rowKey{e.merchant, id}] = true
	}
	for _, id := range e.places {
		j.places[rowKey{e.merchant, id}] = true
	}
	for _, id := range e.effects {
		j.effects[rowKey{e.merchant, id}] = true
	}
	for _, r := range e.receipts {
		j.receipts[r.id] = r
	}
	if first || j.count >= j.Most/2 {
		j.wake()
	}
}

// drop forgets what was written. Its caller holds mu.
func (j *Journal) drop(batch []*entry) {
	for _, e := range batch {
		if j.open[e.merchant]--; j.open[e.merchant] == 0 {
			delete(j.open, e.merchant)
		}
		j.count -= e.count
		for _, k := range e.keys {
			delete(j.keys, k)
		}
		for _, id := range e.holds {
			delete(j.holds, rowKey{e.merchant, id})
		}
		for _, id := range e.places {
			delete(j.places, rowKey{e.merchant, id})
		}
		for _, id := range e.effects {
			delete(j.effects, rowKey{e.merchant, id})
		}
		for _, r := range e.receipts {
			delete(j.receipts, r.id)
		}
	}
	j.written += int64(len(batch))
	j.waiting = slices.Delete(j.waiting, 0, len(batch))
}

func (j *Journal) wake() {
	select {
	case j.poke <- struct{}{}:
	default:
	}
}

// room waits until there is room for another batch.
func (j *Journal) room(ctx context.Context) error {
	return j.wait(ctx, func() bool { return j.count < j.Most })
}

// Settle waits until the rows of a merchant that were added here before stand in their tables; of all merchants for 0. It does
// not wait for what is committed meanwhile: a rush may go on for long.
func (j *Journal) Settle(ctx context.Context, merchant commerce.ID) error {
	if j == nil {
		return nil
	}
	last := j.lastOf(int64(merchant))
	return j.wait(ctx, func() bool { return j.written >= last })
}

// lastOf is how many entries will have been written when those of a merchant are.
func (j *Journal) lastOf(merchant int64) int64 {
	j.mu.Lock()
	defer j.mu.Unlock()
	for i, e := range slices.Backward(j.waiting) {
		if merchant == 0 || e.merchant == merchant {
			return j.written + int64(i) + 1
		}
	}
	return 0
}

var errStopped = errors.New("rows wait for their tables, and the database is closing")

// Waiting is how many rows wait, and who waits for them.
func (j *Journal) Waiting() (rows, waiters int) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.count, j.urgent
}

// wait waits until ok holds. It fails where the projector does.
func (j *Journal) wait(ctx context.Context, ok func() bool) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if ok() {
		return nil
	}
	j.urgent++
	defer func() { j.urgent-- }()
	for !ok() {
		if j.stopped {
			return errStopped
		}
		moved := j.moved
		j.mu.Unlock()
		j.wake()
		select {
		case <-moved:
			j.mu.Lock()
		case <-ctx.Done():
			j.mu.Lock()
			return ctx.Err()
		}
		if j.err != nil && !ok() { // not %w: where it is not known how that ended, it is known of what waits for it
			return fmt.Errorf("rows wait for their tables: %v", j.err)
		}
	}
	return nil
}

// Start runs the projector until Stop.
func (j *Journal) Start() {
	ctx, quit := context.WithCancel(context.Background())
	j.quit, j.done = quit, make(chan struct{})
	j.end(false)
	go func() {
		defer close(j.done)
		j.run(ctx)
	}()
}

// Stop writes what waits and ends the projector. What the database does not take stays in the journal.
func (j *Journal) Stop() {
	if j == nil || j.done == nil {
		return
	}
	j.quit()
	<-j.done
	j.end(true)
}

// end tells who waits for the projector whether there is one.
func (j *Journal) end(stopped bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.stopped = stopped
	j.tell()
}

// tell wakes who waits. Its caller holds mu.
func (j *Journal) tell() {
	close(j.moved)
	j.moved = make(chan struct{})
}

func (j *Journal) run(ctx context.Context) {
	work, cut := context.WithCancel(context.WithoutCancel(ctx)) // what is under way is not torn down at once
	defer cut()
	defer context.AfterFunc(ctx, func() { time.AfterFunc(leaveFor, cut) })()
	again := time.NewTimer(0)
	defer again.Stop()
	for {
		select {
		case <-j.poke:
		case <-again.C:
		case <-ctx.Done():
			for j.project(work) == nil && j.pending() {
			}
			return
		}
		rest := j.rest()
		if rest == 0 {
			if err := j.project(work); err != nil {
				j.Log.Error("claims are safe and wait for their tables; trying again", "err", err)
				rest = projectAgain
			} else if rest = j.rest(); rest == 0 {
				j.wake()
			}
		}
		if rest > 0 {
			again.Reset(rest)
		}
	}
}

// Has reports whether rows of a merchant wait here.
func (j *Journal) Has(merchant int64) bool {
	if j == nil {
		return false
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.open[merchant] > 0
}

func (j *Journal) pending() bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	return len(j.waiting) > 0
}

// Commit commits a batch, given as its parts with the fence first, or fails as commerce.Ledger says.
func (j *Journal) Commit(ctx context.Context, bt *commerce.Batch, parts []bulk.Part) error {
	if err := j.room(ctx); err != nil {
		return err
	}
	top := j.topOf(bt)
	j.setTop(bt, nil, nil)
	e, all, ok := j.entryOf(bt, parts, top)
	if !ok || j.repeats(e) {
		return j.direct(ctx, bt, parts)
	}
	err := bulk.Pipeline(ctx, j.Pool, all)
	var pg *pgconn.PgError
	switch {
	case err == nil:
		j.add(e)
		j.setTop(bt, top, e)
	case !errors.As(err, &pg) || pg.Code != "22P02": // invalid_text_representation
	case strings.Contains(pg.Message, faultRepeated):
		return commerce.ErrRepeated
	case strings.Contains(pg.Message, faultUsed):
		return j.direct(ctx, bt, parts)
	}
	return err
}

// direct commits what the journal must not take as it is, for the database to look at each row.
func (j *Journal) direct(ctx context.Context, bt *commerce.Batch, parts []bulk.Part) error {
	if err := j.Settle(ctx, bt.Merchant); err != nil {
		return err
	}
	return bulk.Pipeline(ctx, j.Pool, parts)
}

// rest is how long the projector may leave what waits alone; negative when nothing does.
func (j *Journal) rest() time.Duration {
	j.mu.Lock()
	defer j.mu.Unlock()
	switch now := time.Now(); {
	case len(j.waiting) == 0:
		return -1
	case j.urgent > 0 || j.count >= j.Most/2:
		return 0
	default:
		return max(0, min(j.last.Add(journalQuiet).Sub(now), j.waiting[0].since.Add(journalAge).Sub(now)))
	}
}

// project writes the oldest of what waits to its tables.
func (j *Journal) project(ctx context.Context) error {
	j.mu.Lock()
	n, rows := 0, 0
	for n < len(j.waiting) && (n == 0 || rows+j.waiting[n].count <= projectRows) {
		rows += j.waiting[n].count
		n++
	}
	batch := j.waiting[:n:n]
	j.mu.Unlock()
	if n == 0 {
		return nil
	}
	err := j.projectBatch(ctx, batch)
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.err = err; err == nil {
		j.drop(batch)
	}
	j.tell()
	return err
}

// errMoved means that another process wrote rows of this one's journal, after it took a merchant over.
var errMoved = errors.New("rows of the journal were written by another node")

const (
	sqlProject = `SELECT pg_advisory_xact_lock($1)`
	sqlTakeOut = `DELETE FROM journal WHERE merchant_id = $1 AND seq BETWEEN $2 AND $3`
)

// projectBatch writes rows that wait here to their tables.
func (j *Journal) projectBatch(ctx context.Context, batch []*entry) error {
	err := j.write(ctx, batch)
	if !errors.Is(err, commerce.ErrUnknown) && !errors.Is(err, errMoved) {
		return err
	}
	for _, e := range batch { // it may be done: what is left is in the database
		if err := j.Take(ctx, e.merchant); err != nil {
			return err
		}
	}
	return nil
}

// write writes rows of the journal to their tables, all of a merchant's between the first and the last. Who writes a merchant's
// holds a lock for it, so that two nodes do so in the order of the batches. It is synced to disk as any commit: were the server
// to lose it, the rows would wait again, and nobody here would know.
func (j *Journal) write(ctx context.Context, batch []*entry) error {
	type span struct{ first, last, n int64 }
	spans := map[int64]*span{}
	var merchants []int64
	rows := make([][]*bulk.Rows, len(batch))
	for i, e := range batch {
		s := spans[e.merchant]
		if s == nil {
			s = &span{first: e.seq}
			spans[e.merchant] = s
			merchants = append(merchants, e.merchant)
		}
		s.last = e.seq
		s.n++
		var err error
		if rows[i], err = bulk.Unpack(e.body, j.Forms.find); err != nil {
			return fmt.Errorf("journal of merchant %d: %w", e.merchant, err)
		}
	}
	slices.Sort(merchants) // who waits for whom goes one way
	var parts []bulk.Part
	for _, m := range merchants {
		parts = append(parts, bulk.Part{One: bulk.Statement{SQL: sqlProject, Args: []any{m}, Rows: -1}})
	}
	for _, m := range merchants {
		s := spans[m]
		parts = append(parts, bulk.Part{One: bulk.Statement{SQL: bulk.Counted(sqlTakeOut, "$4::bigint"), Args: []any{m, s.first, s.last, s.n}, Rows: -1, Err: errMoved}})
	}
	for _, r := range bulk.Merge(j.Forms.Order, rows) {
		parts = append(parts, bulk.Part{Many: r})
	}
	return bulk.Pipeline(ctx, j.Pool, parts)
}
