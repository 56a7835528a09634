// Package manners keeps how a merchant's bot behaves in chats: where it is silent, whose names it does not say, whom it does not
// hear, what its commands are called, and who said so. Package sqldb opens the database.
package manners

import (
	"context"
	"database/sql"
	"fmt"
	"iter"
	"slices"
	"time"
	"unicode/utf8"

	"hawker/commerce"
	"hawker/internal/chat"
	"hawker/internal/sqldb/stored"
)

// Kind says what a manner is about.
type Kind string

// The kinds, with what Name and Value hold.
const (
	Mute  Kind = "mute"  // Name is a channel ("twitch/1001") or a show ("show/ID"): nothing is said there
	Word  Kind = "word"  // Name is not said in names of viewers
	Hide  Kind = "hide"  // Name is a viewer ("twitch/77") who is not called by a name, Value the name
	Block Kind = "block" // Name is a viewer who cannot claim, Value the name
	Veto  Kind = "veto"  // Name is empty: shout-outs wait, so that the host can take a name out
	Call  Kind = "call"  // Name is a word of a command, Value the word that is used in its stead
	Leave Kind = "leave" // Name is a word that another bot answers as well, and the merchant wants that left as it is
	Alias Kind = "alias" // Name is what viewers also call a size, a colour or the like, Value what the shop calls it
)

// Manner is one of them in force.
type Manner struct {
	Kind  Kind      `json:"kind"`
	Name  string    `json:"name"`
	Value string    `json:"value,omitempty"`
	By    string    `json:"by"` // a member's address, or ByViewer
	At    time.Time `json:"at,omitzero"`
	// Off ends it, instead.
	Off bool `json:"off,omitempty"`
}

// OfViewer is the name of a manner that is about a viewer.
func OfViewer(v chat.Viewer) string { return string(v.Platform) + "/" + v.ID }

// ByViewer is who changed something by a line in a chat: the viewer, with the name behind a blank.
func ByViewer(v chat.Viewer) string { return OfViewer(v) + " " + v.Name }

// OfShow is the name of a manner that is about a show.
func OfShow(show commerce.ID) string { return "show/" + show.String() }

// Aliases are the other names of values among manners, by value, in order.
func Aliases(all iter.Seq[Manner]) map[string][]string {
	out := map[string][]string{}
	for m := range all {
		if m.Kind == Alias {
			out[m.Value] = append(out[m.Value], m.Name)
		}
	}
	for _, names := range out {
		slices.Sort(names)
	}
	return out
}

// changesKept bounds how many changes of a merchant's are remembered; the oldest go first.
const changesKept = 500

// Book is the part of a database that is about manners. Package sqldb makes it.
type Book struct {
	Read *sql.DB
	Tx   func(ctx context.Context, f func(*sql.Tx) error) error // one write transaction
}

// All are a merchant's manners in force, by kind and name.
func (b *Book) All(ctx context.Context, merchant commerce.ID) ([]Manner, error) {
	return b.list(ctx, `SELECT kind, name, value, author, at_ms, 0 FROM manners WHERE merchant_id = $1 ORDER BY kind, name`, int64(merchant))
}

// Changes are the last changes, the newest first.
func (b *Book) Changes(ctx context.Context, merchant commerce.ID, most int) ([]Manner, error) {
	return b.list(ctx, `SELECT kind, name, '', author, at_ms, dropped FROM manner_changes WHERE merchant_id = $1 ORDER BY change_id DESC LIMIT $2`, int64(merchant), most)
}

func (b *Book) list(ctx context.Context, query string, args ...any) ([]Manner, error) {
	var out []Manner
	err := stored.Each(ctx, b.Read, func(r *sql.Rows) error {
		var m Manner
		var at int64
		if err := r.Scan(&m.Kind, &m.Name, &m.Value, &m.By, &at, &m.Off); err != nil {
			return err
		}
		m.At = time.UnixMilli(at).UTC()
		out = append(out, m)
		return nil
	}, query, args...)
	if err != nil {
		return nil, err
	}
	return out, nil
}

// Put stores changes, all or none, and notes who made them. What is stored already stays as it is.
func (b *Book) Put(ctx context.Context, merchant commerce.ID, all ...Manner) error {
	return b.Tx(ctx, func(tx *sql.Tx) error {
		for _, m := range all {
			query, args := `INSERT INTO manners (merchant_id, kind, name, value, author, at_ms) VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (merchant_id, kind, name) DO UPDATE SET value = excluded.value, author = excluded.author, at_ms = excluded.at_ms WHERE manners.value <> excluded.value`,
				[]any{int64(merchant), string(m.Kind), m.Name, m.Value, m.By, m.At.UnixMilli()}
			if m.Off {
				query, args = `DELETE FROM manners WHERE merchant_id = $1 AND kind = $2 AND name = $3`, args[:3]
			}
			res, err := tx.ExecContext(ctx, query, args...)
			if err != nil {
				return fmt.Errorf("%s %s: %w", m.Kind, m.Name, err)
			}
			if n, err := res.RowsAffected(); err != nil || n == 0 {
				if err != nil {
					return err
				}
				continue
			}
			off := 0
			if m.Off {
				off = 1
			}
			if _, err := tx.ExecContext(ctx, `INSERT INTO manner_changes (merchant_id, change_id, kind, name, dropped, author, at_ms) VALUES ($1, $2, $3, $4, $5, $6, $7)`,
				int64(merchant), int64(commerce.NewID(m.At)), string(m.Kind), m.Name, off, m.By, m.At.UnixMilli()); err != nil {
				return fmt.Errorf("note a change: %w", err)
			}
		}
		_, err := tx.ExecContext(ctx, `DELETE FROM manner_changes WHERE merchant_id = $1 AND change_id NOT IN
(SELECT change_id FROM manner_changes WHERE merchant_id = $1 ORDER BY change_id DESC LIMIT $2)`, int64(merchant), changesKept)
		return err
	})
}

// Forget erases what is kept of a viewer's name. That a viewer is blocked, or changed something, stays by the platform's id alone.
func (b *Book) Forget(ctx context.Context, merchant commerce.ID, v chat.Viewer) error {
	who := OfViewer(v)
	return b.Tx(ctx, func(tx *sql.Tx) error {
		for _, x := range []struct {
			query string
			args  []any
		}{
			{`DELETE FROM manners WHERE merchant_id = $1 AND kind = $2 AND name = $3`, []any{int64(merchant), string(Hide), who}},
			{`UPDATE manners SET value = '' WHERE merchant_id = $1 AND kind = $2 AND name = $3`, []any{int64(merchant), string(Block), who}},
			{`UPDATE manners SET author = $2 WHERE merchant_id = $1 AND substr(author, 1, $3) = $4`, []any{int64(merchant), who, utf8.RuneCountInString(who) + 1, who + " "}},
			{`UPDATE manner_changes SET author = $2 WHERE merchant_id = $1 AND substr(author, 1, $3) = $4`, []any{int64(merchant), who, utf8.RuneCountInString(who) + 1, who + " "}},
		} {
			if _, err := tx.ExecContext(ctx, x.query, x.args...); err != nil {
				return err
			}
		}
		return nil
	})
}
