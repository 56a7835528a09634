package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/gofrs/flock"

	"hawker/internal/seal"
	"hawker/internal/sqldb"
	"hawker/internal/sqldb/archive"
	"hawker/internal/studio"
)

type backupCmd struct {
	File     string `arg:"" optional:"" help:"Where the backup goes. Default: a file named by the time in DATA/backups."`
	WithKey  bool   `help:"Put the sealing key in as well. Whoever has the file then has every token and stream key."`
	Config   string `env:"HAWKER_CONFIG" placeholder:"FILE" help:"A file of NAME=value lines with the settings of serve."`
	settings `embed:""`
}

// Run writes everything into one file, as it stands at one moment. A hub may run and sell meanwhile.
func (c *backupCmd) Run(ctx context.Context, o out) (err error) {
	db, err := c.openToRead(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	opts := sqldb.BackupOptions{Product: "hawker " + version()}
	if c.WithKey {
		_, text, err := c.keyThere()
		if err == nil && text == nil {
			err = errors.New("there is no sealing key here")
		}
		if err != nil {
			return err
		}
		opts.Key = text
	}
	if c.File == "" {
		dir := filepath.Join(c.Data, "backups")
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return err
		}
		c.File = filepath.Join(dir, "hawker-"+time.Now().UTC().Format("20060102T150405Z")+".zip")
	}
	if opts.Files, err = studio.Slates(c.slates()); err != nil {
		return err
	}
	m, sum, err := db.Backup(ctx, c.File, opts)
	if err != nil {
		return err
	}
	_, _ = fmt.Fprintf(o.Out, "Backup %s: %d rows of %d tables%s.\nSHA-256 %s\n", c.File, m.Rows(), len(m.Parts), andSlates(&m), sum)
	if c.WithKey {
		_, _ = fmt.Fprintf(o.Err, "WARNING: the sealing key is in this file. Whoever has it can read every token and stream key of this installation. Guard it as you guard the key.\n")
		return nil
	}
	_, err = fmt.Fprintf(o.Out, "The sealing key is not in it. Keep a copy of it in another place: without it no login and no stream key opens.\n")
	return err
}

// slates is where slates are kept.
func (s *settings) slates() string { return filepath.Join(s.Data, "slates") }

// andSlates says that a backup holds slates, when it does.
func andSlates(m *archive.Manifest) string {
	switch n := len(m.Files); n {
	case 0:
		return ""
	case 1:
		return " and 1 slate"
	default:
		return fmt.Sprintf(" and %d slates", n)
	}
}

// keyThere is the sealing key and how it is written, where there is one; it makes none.
func (s *settings) keyThere() (*seal.Key, []byte, error) {
	text := []byte(s.Key)
	if s.Key == "" {
		var err error
		text, err = os.ReadFile(filepath.Join(s.Data, seal.KeyFile))
		if errors.Is(err, fs.ErrNotExist) {
			return nil, nil, nil
		}
		if err != nil {
			return nil, nil, err
		}
	}
	key, err := s.key() // and what it says of a key that cannot be used
	return key, text, err
}

type restoreCmd struct {
	File     string `arg:"" help:"The backup."`
	Force    bool   `help:"Move what is there aside first."`
	Config   string `env:"HAWKER_CONFIG" placeholder:"FILE" help:"A file of NAME=value lines with the settings of serve."`
	settings `embed:""`
}

// Run puts a backup into an empty data folder or database.
func (c *restoreCmd) Run(ctx context.Context, o out) (err error) {
	r, err := archive.Open(c.File)
	if err != nil {
		return err
	}
	defer r.Close()
	ownFiles()
	if err := os.MkdirAll(c.Data, 0o700); err != nil {
		return fmt.Errorf("data folder (HAWKER_DATA): %w", err)
	}
	lock := flock.New(filepath.Join(c.Data, "hawker.lock"))
	if got, err := lock.TryLock(); err != nil || !got {
		return errors.Join(err, fmt.Errorf("%s: %w: stop it first", c.Data, errInUse))
	}
	defer func() { err = errors.Join(err, lock.Unlock()) }()
	key, lacks, err := c.restoreKey(r)
	if err != nil {
		return err
	}
	put, drop, err := studio.Unpack(r, c.slates())
	if err != nil {
		return err
	}
	defer drop()
	done, err := sqldb.Restore(ctx, sqldb.Options{URL: c.DatabaseURL, Dir: c.Data, Key: key}, r, c.Force)
	if errors.Is(err, sqldb.ErrNotEmpty) {
		return fmt.Errorf("%w. A restore goes into an empty place: choose another HAWKER_DATA or database, or give --force, which moves the old data aside", err)
	}
	if err != nil {
		return err
	}
	aside, err := put()
	if err != nil {
		return err
	}
	m := &r.Manifest
	_, _ = fmt.Fprintf(o.Out, "Restored %d rows of %d tables%s, as they were at %s.\n", m.Rows(), len(m.Parts), andSlates(m), m.Made.Format(time.RFC3339))
	if aside != "" {
		_, _ = fmt.Fprintf(o.Out, "The slates that were there before are now in %s.\n", aside)
	}
	if done.Aside != "" {
		_, _ = fmt.Fprintf(o.Out, "What was there before is now in %s.\n", done.Aside)
	}
	if len(lacks) > 0 {
		_, _ = fmt.Fprintf(o.Err, "The sealing key does not open these; connect them anew in the dashboard: %s.\n", strings.Join(lacks, "; "))
	}
	_, err = fmt.Fprintf(o.Out, "Nothing is sold yet: start hawker serve. Each merchant (%d in all) sells again once the store was read and the chats' accounts work; without a store the host opens selling on the show's page.\n", done.Merchants)
	return err
}

// restoreKey finds the key for a backup, puts it into the data folder where only the backup has it, and says what it does not
// open.
func (c *restoreCmd) restoreKey(r *archive.Reader) (key *seal.Key, lacks []string, err error) {
	inside, err := r.Key()
	if err != nil {
		return nil, nil, err
	}
	key, text, err := c.keyThere()
	switch {
	case err != nil:
		return nil, nil, err
	case key == nil && inside != nil:
		if key, err = seal.ParseKey(string(inside)); err != nil {
			return nil, nil, fmt.Errorf("the sealing key in the backup: %w", err)
		}
	case key == nil:
		none, err := seal.NewKey(random32())
		if err != nil {
			return nil, nil, err
		}
		if _, err := sqldb.CheckKey(r, none); errors.Is(err, sqldb.ErrWrongKey) {
			return nil, nil, fmt.Errorf("the logins and stream keys in this backup are sealed, and the sealing key is not here: put the %s that belongs to it into %s (mode 0600) or set HAWKER_KEY, and restore again",
				seal.KeyFile, c.Data)
		} else if err != nil {
			return nil, nil, err
		}
		return none, nil, nil
	case inside != nil && !bytes.Equal(bytes.TrimSpace(inside), bytes.TrimSpace(text)):
		return nil, nil, fmt.Errorf("the sealing key in the backup is another than the one that is set here (%s or HAWKER_KEY): take that one away, and restore again",
			filepath.Join(c.Data, seal.KeyFile))
	}
	s, err := sqldb.CheckKey(r, key)
	if errors.Is(err, sqldb.ErrWrongKey) {
		return nil, nil, fmt.Errorf("%w: it opens none of %d sealed logins and stream keys", err, len(s.Closed))
	}
	if err != nil {
		return nil, nil, err
	}
	if text == nil {
		if err := os.WriteFile(filepath.Join(c.Data, seal.KeyFile), inside, 0o600); err != nil {
			return nil, nil, err
		}
	}
	return key, s.Closed, nil
}

func random32() []byte {
	b := make([]byte, 32)
	_, _ = rand.Read(b) // never fails (crypto/rand)
	return b
}

type verifyCmd struct {
	File     string `arg:"" help:"The backup."`
	Config   string `env:"HAWKER_CONFIG" placeholder:"FILE" help:"A file of NAME=value lines with the settings of serve."`
	settings `embed:""`
}

// Run proves that a backup is whole, can be restored, and that the ledgers in it hold.
func (c *verifyCmd) Run(ctx context.Context, o out) error {
	r, err := archive.Open(c.File)
	if err != nil {
		return err
	}
	defer r.Close()
	m := &r.Manifest
	broken := false
	for i := range m.Files {
		if err := r.File(&m.Files[i], io.Discard); err != nil {
			return err
		}
	}
	err = sqldb.VerifyBackup(ctx, r, func(m sqldb.Merchant, a sqldb.Audit, err error) {
		if !tellAudit(o.Out, m, a, err) {
			broken = true
		}
	})
	if broken {
		return errBroken
	}
	if err != nil {
		return err
	}
	_, _ = fmt.Fprintf(o.Out, "%s is whole: %d rows of %d tables (version %d)%s, made %s by %s. It was restored into a temporary database to prove it.\n",
		c.File, m.Rows(), len(m.Parts), m.Schema, andSlates(m), m.Made.Format(time.RFC3339), m.Product)
	return c.tellKey(r, o)
}

// tellKey says whether the key that is here opens what is sealed in a backup.
func (c *verifyCmd) tellKey(r *archive.Reader, o out) error {
	inside, err := r.Key()
	if err != nil {
		return err
	}
	if inside != nil {
		_, _ = fmt.Fprintf(o.Err, "WARNING: the sealing key is in this file. Whoever has it can read every token and stream key.\n")
	}
	key, _, err := c.keyThere()
	if err == nil && inside != nil {
		key, err = seal.ParseKey(string(inside))
	}
	if err != nil {
		return err
	}
	if key == nil {
		_, err = fmt.Fprintf(o.Out, "The sealing key is not here, so it was not tried.\n")
		return err
	}
	s, err := sqldb.CheckKey(r, key)
	if err != nil && !errors.Is(err, sqldb.ErrWrongKey) {
		return err
	}
	if len(s.Closed) > 0 {
		return fmt.Errorf("the sealing key opens %d of %d sealed things; not: %s", s.Opened, s.Opened+len(s.Closed), strings.Join(s.Closed, "; "))
	}
	_, err = fmt.Fprintf(o.Out, "The sealing key opens all %d sealed logins and stream keys.\n", s.Opened)
	return err
}
