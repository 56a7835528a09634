package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"hawker/commerce/audit"
	"hawker/internal/sqldb"
	"hawker/internal/sqldb/archive"
)

type auditCmd struct {
	File     string `arg:"" optional:"" help:"An exported ledger to verify. Without it the database is audited."`
	Merchant string `help:"The merchant's name in addresses. Without it all are audited."`
	Export   string `placeholder:"FILE" help:"Write the merchant's ledger into a file that anybody can verify with SHA-256 alone; - is standard output."`
	Config   string `env:"HAWKER_CONFIG" placeholder:"FILE" help:"A file of NAME=value lines with the settings of serve."`
	settings `embed:""`
}

// errBroken is the error of an audit that found something; what it found was printed.
var errBroken = errors.New("the audit found what must not be; see above")

// Run proves what the ledger of a merchant, of all, or in a file promises. A hub may run on the database.
func (c *auditCmd) Run(ctx context.Context, o out) (err error) {
	if c.File != "" {
		return auditFile(c.File, o)
	}
	db, err := c.openToRead(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if v, err := db.Schema(ctx); err != nil || v != sqldb.NewestSchema() {
		return errors.Join(err, fmt.Errorf("the database's tables are at version %d, and this program works with version %d: start hawker serve of this version once", v, sqldb.NewestSchema()))
	}
	all, err := c.merchants(ctx, db)
	if err != nil {
		return err
	}
	if c.Export != "" {
		if len(all) != 1 {
			return errors.New("--export writes one merchant's ledger: name it by --merchant")
		}
		return c.export(ctx, db, all[0], o)
	}
	broken := false
	for _, m := range all {
		a, err := db.Audit(ctx, m.ID, nil)
		if !tellAudit(o.Out, m, a, err) {
			broken = true
		}
	}
	if broken {
		return errBroken
	}
	return nil
}

// merchants are those that were asked for.
func (c *auditCmd) merchants(ctx context.Context, db *sqldb.DB) ([]sqldb.Merchant, error) {
	all, err := db.Merchants(ctx)
	if err != nil {
		return nil, err
	}
	if len(all) == 0 {
		return nil, errors.New("no merchant is set up here")
	}
	var names []string
	for _, m := range all {
		if m.Slug == c.Merchant {
			return []sqldb.Merchant{m}, nil
		}
		names = append(names, m.Slug)
	}
	if c.Merchant != "" {
		return nil, fmt.Errorf("no merchant is called %s; there are: %s", c.Merchant, strings.Join(names, ", "))
	}
	return all, nil
}

// tellAudit prints what an audit proved, or the first thing that is wrong; it reports whether all is well.
func tellAudit(w io.Writer, m sqldb.Merchant, a sqldb.Audit, err error) bool {
	if err != nil {
		_, _ = fmt.Fprintf(w, "%s: BROKEN\n  %v\n", m.Slug, err)
		if a.Entries > 0 {
			_, _ = fmt.Fprintf(w, "  up to ledger entry %d the chain and the stock are as they must be\n", a.Last)
		}
		return false
	}
	place, err := time.LoadLocation(m.Timezone)
	if err != nil {
		place = time.UTC
	}
	_, _ = fmt.Fprintf(w, "%s: all is well\n", m.Slug)
	for _, s := range a.Sentences(place) {
		_, _ = fmt.Fprintf(w, "  %s\n", s)
	}
	if a.Entries > 0 {
		_, _ = fmt.Fprintf(w, "  head %s\n", a.Head())
	}
	return true
}

func auditFile(name string, o out) error {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	h, p, err := audit.Verify(f)
	if err != nil {
		if p.Entries > 0 {
			_, _ = fmt.Fprintf(o.Out, "up to ledger entry %d all is as it must be\n", p.Last)
		}
		return fmt.Errorf("%s: %w", name, err)
	}
	_, _ = fmt.Fprintf(o.Out, "%s, exported %s: all is well\n", h.Merchant, h.Made.Format(time.RFC3339))
	for _, s := range p.Sentences(time.UTC) {
		_, _ = fmt.Fprintf(o.Out, "  %s\n", s)
	}
	_, err = fmt.Fprintf(o.Out, "  head %s\n", h.Head)
	return err
}

// export writes a merchant's ledger. The file has its name only when all of it is on disk.
func (c *auditCmd) export(ctx context.Context, db *sqldb.DB, m sqldb.Merchant, o out) error {
	if c.Export == "-" {
		return db.ExportLedger(ctx, m, o.Out)
	}
	f, err := os.CreateTemp(filepath.Dir(c.Export), filepath.Base(c.Export)+".part-*") // mode 0600
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	buf := bufio.NewWriterSize(f, 1<<20)
	err = db.ExportLedger(ctx, m, buf)
	if err == nil {
		err = buf.Flush()
	}
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Rename(f.Name(), c.Export); err != nil {
		return err
	}
	if err := archive.SyncFolder(filepath.Dir(c.Export)); err != nil {
		return err
	}
	_, err = fmt.Fprintf(o.Out, "The ledger of %s is in %s. Anybody can verify it: hawker audit %s, or with SHA-256 alone (docs/audit.md).\n", m.Slug, c.Export, c.Export)
	return err
}

// openToRead opens the database as it is, without bringing its tables up to date; a hub may run on it.
func (s *settings) openToRead(ctx context.Context) (*sqldb.DB, error) {
	ownFiles()
	db, err := sqldb.OpenToRead(ctx, sqldb.Options{URL: s.DatabaseURL, Dir: s.Data})
	if sqldb.IsNotFound(err) {
		where := "in " + s.Data + " (HAWKER_DATA)"
		if s.DatabaseURL != "" {
			where = "at HAWKER_DATABASE_URL"
		}
		return nil, fmt.Errorf("there is no database of hawker %s", where)
	}
	return db, err
}
