package sqldb

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"hawker/commerce"
	"hawker/internal/chat"
	"hawker/internal/seal"
	"hawker/internal/sqldb/archive"
)

// house fills a database with something of everything that is sealed, and with texts and bytes that are hard to keep.
func house(t testing.TB, db *DB) commerce.ID {
	t.Helper()
	ctx := t.Context()
	id, _ := sale(t, db, "ana")
	sale(t, db, "bob")
	for _, err := range []error{
		db.PutSetting(ctx, "twitch", "the operator's"),
		db.PutAccount(ctx, id, chat.Account{Platform: chat.Twitch, ID: "2002", Name: "bot"}, BotAccount),
		db.PutStore(ctx, id, Store{Kind: "own", StoreSecret: StoreSecret{Token: "t"}, Holds: commerce.HoldsDraft}),
		db.PutSession(ctx, seal.NewToken(), Member{Merchant: id, ID: 1}, time.Now().Add(time.Hour)),
		db.PutChannel(ctx, id, Channel{Channel: chat.Channel{Platform: chat.YouTube, ID: "UC"}, Name: "quote \" tab \t back \\ nul-free é 日本 😀 \u2028 </script>"}),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	if _, err := db.PutDestination(ctx, id, Destination{Show: 1, Name: "Twitch", Server: "rtmp://x/app", Key: "stream key", Enabled: true}); err != nil {
		t.Fatal(err)
	}
	every := make([]byte, 256)
	for i := range every {
		every[i] = byte(i)
	}
	if _, err := db.PutWebhook(ctx, id, Webhook{ID: "w1", Topic: "orders/paid", Body: every, Came: time.Now()}); err != nil {
		t.Fatal(err)
	}
	if _, err := db.PutWebhook(ctx, id, Webhook{ID: "w2", Topic: "orders/paid", Body: []byte("{}"), Came: time.Now()}); err != nil {
		t.Fatal(err)
	}
	if err := db.DropWebhook(ctx, id, "w2"); err != nil { // its body is the empty text, not the empty blob, on SQLite
		t.Fatal(err)
	}
	return id
}

// content is every row of every table but sessions, to compare databases by.
func content(t testing.TB, db *DB) map[string][]string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "content.zip")
	if _, _, err := db.Backup(t.Context(), path, BackupOptions{}); err != nil {
		t.Fatal(err)
	}
	r := reader(t, path)
	out := map[string][]string{}
	for i := range r.Manifest.Parts {
		p := &r.Manifest.Parts[i]
		err := r.Table(p, func(row []any) error {
			if p.Table == "tills" { // a restore raises the fence and marks the row
				for j, c := range p.Columns {
					if c.Name == "epoch" || c.Name == "seq" || c.Name == "restored_ms" {
						row[j] = nil
					}
				}
			}
			named := map[string]any{} // printed in the order of the names, which is the same in both databases
			for j, c := range p.Columns {
				named[c.Name] = row[j]
			}
			out[p.Table] = append(out[p.Table], fmt.Sprintf("%#v", named))
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		slices.Sort(out[p.Table])
	}
	return out
}

func reader(t testing.TB, path string) *archive.Reader {
	t.Helper()
	r, err := archive.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.Close() })
	return r
}

func differences(a, b map[string][]string) string {
	var out []string
	for table := range a {
		if !slices.Equal(a[table], b[table]) {
			out = append(out, fmt.Sprintf("%s:\n%v\n%v", table, a[table], b[table]))
		}
	}
	if len(a) != len(b) {
		out = append(out, fmt.Sprintf("%d and %d tables", len(a), len(b)))
	}
	return strings.Join(out, "\n")
}

// A backup of either database comes back, row for row, in either.
func TestBackup(t *testing.T) {
	for _, from := range both() {
		for _, to := range both() {
			t.Run(from.name+" to "+to.name, func(t *testing.T) {
				db := open(t, from.make(t))
				id := house(t, db)
				path := filepath.Join(t.TempDir(), "a.zip")
				m, sum, err := db.Backup(t.Context(), path, BackupOptions{Product: "test"})
				if err != nil {
					t.Fatal(err)
				}
				if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 || len(sum) != 64 || m.Schema != NewestSchema() || m.Rows() < 20 {
					t.Errorf("%v, %v, %q, %+v", info, err, sum, m)
				}
				if data, err := os.ReadFile(path); err != nil || fmt.Sprintf("%x", sha256.Sum256(data)) != sum {
					t.Errorf("the file's SHA-256 is not %s, %v", sum, err)
				}
				if _, _, err := db.Backup(t.Context(), path, BackupOptions{}); err == nil || !strings.Contains(err.Error(), "is there already") {
					t.Errorf("a backup over another: %v", err)
				}
				r := reader(t, path)
				if s, err := CheckKey(r, testKey(t)); err != nil || s.Opened != 4 || len(s.Closed) > 0 {
					t.Errorf("CheckKey = %+v, %v", s, err)
				}
				other, err := seal.NewKey(make([]byte, 32))
				if err != nil {
					t.Fatal(err)
				}
				if s, err := CheckKey(r, other); !errors.Is(err, ErrWrongKey) || len(s.Closed) != 4 {
					t.Errorf("CheckKey = %+v, %v", s, err)
				}
				o := to.make(t)
				if o.Dir == "" {
					o.Dir = t.TempDir()
				}
				done, err := Restore(t.Context(), o, r, false)
				if err != nil || done.Merchants != 2 || done.Aside != "" {
					t.Fatalf("Restore = %+v, %v", done, err)
				}
				again := open(t, o)
				if d := differences(content(t, db), content(t, again)); d != "" {
					t.Errorf("it came back otherwise: %s", d)
				}
				if _, err := again.Audit(t.Context(), id, nil); err != nil {
					t.Error(err)
				}
				if name, err := again.Setting(t.Context(), "twitch"); err != nil || name != "the operator's" {
					t.Errorf("a sealed setting: %q, %v", name, err)
				}
				if st, err := again.Load(t.Context(), id); err != nil || st.Restored.IsZero() {
					t.Errorf("restored %v, %v", st.Restored, err)
				}
				var sessions int
				if err := again.read.QueryRowContext(t.Context(), `SELECT COUNT(*) FROM sessions`).Scan(&sessions); err != nil || sessions != 0 {
					t.Errorf("%d sessions, %v", sessions, err)
				}
				// Not over what is there, unless told so; then that is moved aside.
				if _, err := Restore(t.Context(), o, r, false); !errors.Is(err, ErrNotEmpty) {
					t.Errorf("Restore over data = %v", err)
				}
				if err := again.PutSetting(t.Context(), "later", "x"); err != nil {
					t.Fatal(err)
				}
				if o.URL == "" {
					return // the file is open here; the command line's test moves it aside
				}
				done, err = Restore(t.Context(), o, r, true)
				if err != nil || !strings.HasPrefix(done.Aside, "schema hawker_before_restore_") {
					t.Fatalf("Restore = %+v, %v", done, err)
				}
				if _, err := open(t, o).Setting(t.Context(), "later"); !IsNotFound(err) {
					t.Errorf("Setting = %v", err)
				}
			})
		}
	}
}

// A backup from the middle of a sale is of one moment: its ledger, stock, holds and claims agree.
func TestBackupWhileSelling(t *testing.T) {
	onBoth(t, func(t *testing.T, db *DB) {
		id, _ := sale(t, db, "ana")
		ctx, stop := context.WithCancel(t.Context())
		sold := make(chan error, 1)
		go func() {
			st, err := db.Load(ctx, id)
			d := commerce.NewDesk(id, st)
			for n := 0; err == nil && ctx.Err() == nil && n < 1000; n++ { // a backup must not grow faster than it is verified
				reqs := []commerce.Request{commerce.SetStock{Variant: st.Stock[0].Variant, Add: 1}, commerce.Claim{Ask: commerce.Ask{
					Key: commerce.Key{Platform: chat.Twitch, Message: fmt.Sprint("more", n)}, Show: st.Shows[0].ID, Viewer: chat.Viewer{Platform: chat.Twitch, ID: fmt.Sprint(n)},
				}, Number: 1, Quantity: 1}}
				b, _ := d.Plan(time.Now(), reqs)
				err = db.Commit(context.WithoutCancel(ctx), b)
				d.Commit()
			}
			sold <- err
		}()
		for i := range 5 {
			path := filepath.Join(t.TempDir(), "a.zip")
			if _, _, err := db.Backup(t.Context(), path, BackupOptions{}); err != nil {
				t.Fatal(err)
			}
			told := 0
			err := VerifyBackup(t.Context(), reader(t, path), func(m Merchant, a Audit, err error) { told++ })
			if err != nil || told != 1 {
				t.Fatalf("backup %d: %v", i, err)
			}
		}
		stop()
		if err := <-sold; err != nil {
			t.Fatal(err)
		}
	})
}

// Whatever byte of a backup is changed and wherever it is cut: it is found out.
func TestDamagedBackup(t *testing.T) {
	db := open(t, Options{Dir: t.TempDir(), Key: testKey(t)})
	house(t, db)
	good := filepath.Join(t.TempDir(), "good.zip")
	if _, _, err := db.Backup(t.Context(), good, BackupOptions{Key: []byte("a key\n")}); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(good)
	if err != nil {
		t.Fatal(err)
	}
	bad := filepath.Join(t.TempDir(), "bad.zip")
	all := func(path string) (string, error) {
		r, err := archive.Open(path)
		if err != nil {
			return "", err
		}
		defer r.Close()
		key, err := r.Key()
		text := fmt.Sprintf("%+v %q", r.Manifest, key)
		for i := range r.Manifest.Parts {
			err = errors.Join(err, r.Table(&r.Manifest.Parts[i], func(row []any) error { text += fmt.Sprintf("%#v", row); return nil }))
		}
		return text, err
	}
	want, err := all(good)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(data); i += 37 {
		for _, change := range [][]byte{flip(data, i), data[:i]} {
			if err := os.WriteFile(bad, change, 0o600); err != nil {
				t.Fatal(err)
			}
			if got, err := all(bad); err == nil {
				t.Fatalf("byte %d changed or cut, and nobody saw (content changed: %v)", i, got != want)
			}
		}
	}
	for name, text := range map[string]string{"no zip": "hello", "nothing": "", "a zip of others": "PK\x05\x06" + strings.Repeat("\x00", 18)} {
		if err := os.WriteFile(bad, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := all(bad); err == nil || !strings.Contains(err.Error(), "no backup") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func flip(data []byte, i int) []byte {
	out := bytes.Clone(data)
	out[i] ^= 0x10
	return out
}

// A restore that fails leaves what was there.
func TestRestoreFails(t *testing.T) {
	for _, f := range both() {
		t.Run(f.name, func(t *testing.T) {
			o := f.make(t)
			if o.Dir == "" {
				o.Dir = t.TempDir()
			}
			db, err := Open(t.Context(), o)
			if err != nil {
				t.Fatal(err)
			}
			house(t, db)
			before := content(t, db)
			if err := db.Close(); err != nil {
				t.Fatal(err)
			}
			path := filepath.Join(t.TempDir(), "a.zip")
			w, err := archive.Create(path)
			if err != nil {
				t.Fatal(err)
			}
			w.Manifest.Schema = NewestSchema()
			row := []any{int64(1), int64(1), int64(-5)} // a stock that cannot be
			columns := []archive.Column{{Name: "merchant_id", Kind: archive.Int}, {Name: "variant_id", Kind: archive.Int}, {Name: "held", Kind: archive.Int}}
			if err := w.Table("stock", columns, func(put func([]any) error) error { return put(row) }); err != nil {
				t.Fatal(err)
			}
			if _, err := w.Close(); err != nil {
				t.Fatal(err)
			}
			if _, err := Restore(t.Context(), o, reader(t, path), true); err == nil {
				t.Fatal("it was restored")
			}
			if d := differences(before, content(t, open(t, o))); d != "" {
				t.Errorf("what was there: %s", d)
			}
			if left, _ := filepath.Glob(filepath.Join(o.Dir, "restore-*")); len(left) > 0 {
				t.Errorf("left behind: %v", left)
			}
			r := reader(t, path)
			r.Manifest.Schema = NewestSchema() + 1
			if _, err := Restore(t.Context(), o, r, true); err == nil || !strings.Contains(err.Error(), "a newer one") {
				t.Errorf("tables of tomorrow: %v", err)
			}
		})
	}
}

// Before tables change, a backup is made; without one they do not change.
func TestBackupBeforeMigration(t *testing.T) {
	for _, f := range both() {
		t.Run(f.name, func(t *testing.T) {
			o := f.make(t)
			if o.Dir == "" {
				o.Dir = t.TempDir()
			}
			db, err := Open(t.Context(), o)
			if err != nil {
				t.Fatal(err)
			}
			merchant(t, db, "ana")
			backups := filepath.Join(o.Dir, "backups")
			if _, err := os.Stat(backups); err == nil {
				t.Error("a backup was made of an empty database")
			}
			down := func() {
				t.Helper()
				p, err := db.migrator()
				if err == nil {
					_, err = p.DownTo(t.Context(), 1)
				}
				if err = errors.Join(err, db.Close()); err != nil {
					t.Fatal(err)
				}
			}
			down()
			if err := os.WriteFile(backups, nil, 0o600); err != nil { // no folder can be made there
				t.Fatal(err)
			}
			if _, err := Open(t.Context(), o); err == nil || !strings.Contains(err.Error(), "bring the database up to date") {
				t.Errorf("Open = %v", err)
			}
			read, err := OpenToRead(t.Context(), o)
			if err != nil {
				t.Fatal(err)
			}
			if v, err := read.Schema(t.Context()); err != nil || v != 1 {
				t.Errorf("version %d, %v", v, err)
			}
			_ = read.Close()
			if err := os.Remove(backups); err != nil {
				t.Fatal(err)
			}
			for range migrationBackups + 2 {
				if db, err = Open(t.Context(), o); err != nil {
					t.Fatal(err)
				}
				down()
			}
			made, err := filepath.Glob(filepath.Join(backups, "*"))
			if err != nil || len(made) != migrationBackups {
				t.Fatalf("%v, %v", made, err)
			}
			last := made[len(made)-1]
			if info, err := os.Stat(last); err != nil || info.Mode().Perm() != 0o600 || !strings.HasPrefix(filepath.Base(last), fmt.Sprintf("before-%d-", NewestSchema())) {
				t.Errorf("%s: %v, %v", last, info, err)
			}
			// What was kept is good, and as it was.
			next := Options{Dir: t.TempDir(), Key: o.Key}
			if o.URL == "" {
				if err := os.Rename(last, filepath.Join(next.Dir, "hawker.db")); err != nil {
					t.Fatal(err)
				}
			} else {
				r := reader(t, last)
				if r.Manifest.Schema != 1 {
					t.Errorf("it is of version %d", r.Manifest.Schema)
				}
				if _, err := Restore(t.Context(), next, r, false); err != nil {
					t.Fatal(err)
				}
			}
			if all, err := open(t, next).Merchants(t.Context()); err != nil || len(all) != 1 || all[0].Slug != "ana" {
				t.Errorf("%+v, %v", all, err)
			}
		})
	}
}

func TestOpenToRead(t *testing.T) {
	for _, f := range both() {
		t.Run(f.name, func(t *testing.T) {
			o := f.make(t)
			if o.Dir == "" {
				o.Dir = t.TempDir()
			}
			if _, err := OpenToRead(t.Context(), o); !IsNotFound(err) {
				t.Errorf("OpenToRead = %v", err)
			}
			if files, _ := filepath.Glob(filepath.Join(o.Dir, "*")); len(files) > 0 {
				t.Errorf("it made %v", files)
			}
			house(t, open(t, o))
			db, err := OpenToRead(t.Context(), o)
			if err != nil {
				t.Fatal(err)
			}
			if all, err := db.Merchants(t.Context()); err != nil || len(all) != 2 {
				t.Errorf("%v, %v", all, err)
			}
			if err := db.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}
