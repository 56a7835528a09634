package sqldb

import (
	"context"
	"errors"
	"fmt"
	"time"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"hawker/commerce"
	"hawker/internal/sqldb/bulk"
)

// commitCall is a batch on its way to the SQLite committer.
type commitCall struct {
	parts []bulk.Part
	err   chan error
}

var errClosing = errors.New("the database is closing")

// commitLite hands a batch to the committer.
func (db *DB) commitLite(ctx context.Context, parts []bulk.Part) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	call := commitCall{parts, make(chan error, 1)}
	select {
	case db.commit <- call:
	case <-ctx.Done():
		return ctx.Err()
	case <-db.stop:
		return errClosing
	}
	select {
	case err := <-call.err:
		return err
	case <-db.done: // it was handed in while the committer was leaving
		select {
		case err := <-call.err:
			return err
		default:
			return errClosing
		}
	}
}

// committer joins the batches that wait, of all merchants, into one transaction and so into one disk sync. It has a
// connection of its own, nearer to SQLite than database/sql is: here a hold costs the time of its rows and no more.
func (db *DB) committer(conn *sqlite.Conn) {
	defer close(db.done)
	c := &liteCommitter{conn: conn}
	defer func() { _ = conn.Close() }()
	for {
		var calls []commitCall
		select {
		case call := <-db.commit:
			calls = append(calls, call)
		case <-db.stop:
			for { // who handed a batch in gets an answer
				select {
				case call := <-db.commit:
					call.err <- errClosing
				default:
					return
				}
			}
		}
		for len(calls) < cap(db.commit) {
			select {
			case call := <-db.commit:
				calls = append(calls, call)
				continue
			default:
			}
			break
		}
		give := db.write.take()
		errs := c.write(calls)
		give()
		db.commits.Add(1)
		for i, err := range errs {
			calls[i].err <- err
		}
	}
}

type liteCommitter struct{ conn *sqlite.Conn }

// How the write-ahead log is brought into the file. Doing so inside a commit, as SQLite does by itself, would let one batch in
// five wait for all the pages that others wrote. So another connection does it, every checkpointEvery, beside the commits; only
// when the log is longer than walMost pages a commit waits, so that it can begin anew.
const (
	checkpointEvery = 250 * time.Millisecond
	walMost         = 16_384 // pages of 4 KiB
)

// checkpointer works until the committer has ended, and then brings all in.
func (db *DB) checkpointer(conn *sqlite.Conn) {
	defer close(db.checked)
	defer func() { _ = conn.Close() }()
	tick := time.NewTicker(checkpointEvery)
	defer tick.Stop()
	var seen int64
	for {
		select {
		case <-db.done:
			_, _ = checkpoint(conn, "TRUNCATE")
			return
		case <-tick.C:
		}
		if n := db.commits.Load(); n != seen {
			seen = n
			pages, err := checkpoint(conn, "PASSIVE")
			if err == nil && pages > walMost {
				give := db.write.take()
				_, err = checkpoint(conn, "RESTART")
				give()
			}
			if err != nil {
				db.log.Warn("the write-ahead log could not be brought in; trying again", "err", err)
			}
		}
	}
}

// checkpoint runs one and returns how many pages the log has.
func checkpoint(conn *sqlite.Conn, how string) (pages int64, err error) {
	err = sqlitex.ExecuteTransient(conn, "PRAGMA wal_checkpoint("+how+")", &sqlitex.ExecOptions{ResultFunc: func(st *sqlite.Stmt) error {
		pages = st.ColumnInt64(1)
		return nil
	}})
	return pages, err
}

// do runs a statement without arguments.
func (c *liteCommitter) do(sql string) error { return c.one(&bulk.Statement{SQL: sql, Rows: -1}) }

// one runs one statement. It is prepared the first time.
func (c *liteCommitter) one(st *bulk.Statement) error {
	p, err := c.conn.Prepare(st.SQL)
	if err != nil {
		return &bulk.StatementError{SQL: st.SQL, Err: err}
	}
	for i, a := range st.Args {
		switch a := a.(type) {
		case int64:
			p.BindInt64(i+1, a)
		case int:
			p.BindInt64(i+1, int64(a))
		case string:
			p.BindText(i+1, a)
		case []byte:
			bind(p, i+1, bulk.Blob, &bulk.Value{S: string(a)})
		default:
			return &bulk.StatementError{SQL: st.SQL, Err: fmt.Errorf("argument %d is a %T", i+1, a)}
		}
	}
	if err := step(p); err != nil {
		return &bulk.StatementError{SQL: st.SQL, Err: err}
	}
	if st.Rows >= 0 && int64(c.conn.Changes()) != st.Rows {
		return st.Err
	}
	return nil
}

// step runs a statement that returns no rows.
func step(p *sqlite.Stmt) error {
	for {
		row, err := p.Step()
		if err != nil {
			_ = p.Reset() // it repeats the error
			return err
		}
		if !row {
			return p.Reset()
		}
	}
}

func bind(p *sqlite.Stmt, at int, k bulk.Kind, v *bulk.Value) {
	switch {
	case k == bulk.Number:
		p.BindInt64(at, v.N)
	case k == bulk.Text:
		p.BindText(at, v.S)
	case v.S == "": // not NULL
		p.BindZeroBlob(at, 0)
	default:
		p.BindBytes(at, []byte(v.S))
	}
}

// many runs a form for each of its rows.
func (c *liteCommitter) many(r *bulk.Rows) error {
	p, err := c.conn.Prepare(r.Form.Lite)
	if err != nil {
		return &bulk.StatementError{SQL: r.Form.Name, Err: err}
	}
	w := len(r.Form.Kinds)
	for at := 0; at < len(r.Vals); at += w {
		for i, k := range r.Form.Kinds {
			bind(p, i+1, k, &r.Vals[at+i])
		}
		if err := step(p); err != nil {
			return &bulk.StatementError{SQL: r.Form.Name, Err: err}
		}
		if r.Form.Each && c.conn.Changes() != 1 {
			return fmt.Errorf("no row of %s to change", r.Form.Name)
		}
	}
	return nil
}

func (c *liteCommitter) all(parts []bulk.Part) error {
	for i := range parts {
		var err error
		if p := &parts[i]; p.Many != nil {
			err = c.many(p.Many)
		} else {
			err = c.one(&p.One)
		}
		if err != nil {
			return told(err, &parts[i])
		}
	}
	return nil
}

// write commits the calls in one transaction; a call that fails is taken out and the rest committed. A commit takes
// milliseconds and is never torn down half done.
func (c *liteCommitter) write(calls []commitCall) []error {
	errs := make([]error, len(calls))
	fail := func(err error) []error {
		_ = c.do("ROLLBACK")
		for i := range errs {
			if errs[i] == nil {
				errs[i] = err
			}
		}
		return errs
	}
	if err := c.do("BEGIN IMMEDIATE"); err != nil {
		return fail(err)
	}
	for i, call := range calls {
		if len(calls) == 1 { // nobody else to save from this call's failure
			if err := c.all(call.parts); err != nil {
				return fail(err)
			}
			break
		}
		if err := c.do("SAVEPOINT batch"); err != nil {
			return fail(err)
		}
		if errs[i] = c.all(call.parts); errs[i] != nil {
			if err := c.do("ROLLBACK TO batch"); err != nil {
				return fail(err)
			}
		}
		if err := c.do("RELEASE batch"); err != nil {
			return fail(err)
		}
	}
	if err := c.do("COMMIT"); err != nil {
		return fail(fmt.Errorf("%w: %w", commerce.ErrUnknown, err))
	}
	return errs
}
