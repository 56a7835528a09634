package videobook

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"hawker/commerce"
	"hawker/internal/seal"
	"hawker/internal/sqldb/stored"
)

// Destination is a platform that the relay pushes a show's video to. Server and Key are kept exactly as pasted.
type Destination struct {
	ID      commerce.ID
	Show    commerce.ID
	Name    string
	Server  string
	Key     string // secret
	Enabled bool
	Preset  string // relay/preset's name of the platform, "" for any other server
	// Account is "twitch/1001" when server and key come from that connected account as the stream begins; Server and Key are
	// empty then.
	Account string
	// Position is its place among the show's destinations, from 0. The first stays longest when the line cannot carry all.
	Position int
}

// String leaves out server and key: either may hold the secret.
func (d Destination) String() string { return d.Name + " (" + d.ID.String() + ")" }

// GoString is String, so that %#v shows no key.
func (d Destination) GoString() string { return d.String() }

// LogValue is String.
func (d Destination) LogValue() slog.Value { return slog.StringValue(d.String()) }

// Session is what a connected account gave for the stream that runs.
type Session struct {
	Server    string    `json:"server"`
	Backup    string    `json:"backup,omitempty"`    // of the second ingest, for the same key
	Key       string    `json:"key"`                 // secret
	Broadcast string    `json:"broadcast,omitempty"` // that ends with the stream, "" where nothing has to be ended
	Stream    string    `json:"stream,omitempty"`    // the platform's id of what it receives, where it has one
	Made      bool      `json:"made,omitempty"`      // the broadcast is ours; else the creator planned it
	Node      string    `json:"node,omitempty"`      // that ends it
	Opened    time.Time `json:"opened"`
}

// String says nothing of a session but its broadcast.
func (s Session) String() string { return "session " + s.Broadcast }

// GoString is String.
func (s Session) GoString() string { return s.String() }

// Context binds a destination's sealed key to its row.
func Context(merchant, id commerce.ID) string {
	return seal.Context("destinations", "stream_key", int64(merchant), int64(id))
}

func sessionContext(merchant, id commerce.ID) string {
	return seal.Context("destinations", "session", int64(merchant), int64(id))
}

// PutDestination writes a destination. Without an ID it is found by its show and name, and is the last of all when there is none of
// that name; an empty key leaves the stored one, unless an account gives it. Another with the name is Taken.
func (b *Book) PutDestination(ctx context.Context, merchant commerce.ID, d Destination) (commerce.ID, error) {
	old, err := b.Destinations(ctx, merchant, d.Show)
	if err != nil {
		return 0, err
	}
	last := -1
	known := false
	for _, o := range old {
		last = max(last, o.Position)
		if d.ID == o.ID || d.ID == 0 && o.Name == d.Name {
			d.ID, d.Position, known = o.ID, o.Position, true
			if d.Key == "" && d.Account == "" {
				d.Key = o.Key
			}
			break
		}
	}
	if !known {
		d.Position = last + 1
	}
	if d.ID == 0 {
		d.ID = commerce.NewID(time.Now())
	}
	err = b.Tx(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO destinations (merchant_id, destination_id, show_id, name, server, stream_key, enabled, preset, account, position)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
ON CONFLICT (merchant_id, destination_id) DO UPDATE SET name = excluded.name, server = excluded.server, stream_key = excluded.stream_key, enabled = excluded.enabled,
preset = excluded.preset, account = excluded.account`,
			int64(merchant), int64(d.ID), int64(d.Show), d.Name, d.Server, b.Key.Seal([]byte(d.Key), Context(merchant, d.ID)), stored.Flag(d.Enabled), d.Preset, d.Account, d.Position)
		return err
	})
	if err != nil && b.IsTaken(err) {
		return 0, fmt.Errorf("destination %s: %w", d.Name, b.Taken)
	}
	return d.ID, err
}

// Enable turns a destination on or off, whatever else of it is changed at the same time. NotFound when it is not there.
func (b *Book) Enable(ctx context.Context, merchant, id commerce.ID, on bool) error {
	return b.update(ctx, `UPDATE destinations SET enabled = $1 WHERE merchant_id = $2 AND destination_id = $3`, stored.Flag(on), int64(merchant), int64(id))
}

func (b *Book) update(ctx context.Context, query string, args ...any) error {
	return b.Tx(ctx, func(tx *sql.Tx) error {
		res, err := tx.ExecContext(ctx, query, args...)
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil || n > 0 {
			return err
		}
		return b.NotFound
	})
}

// DropDestination removes a destination.
func (b *Book) DropDestination(ctx context.Context, merchant, id commerce.ID) error {
	return b.Tx(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `DELETE FROM destinations WHERE merchant_id = $1 AND destination_id = $2`, int64(merchant), int64(id))
		return err
	})
}

// Move puts a destination one place up or down among those of its show. At the end it stays. NotFound when it is not there.
func (b *Book) Move(ctx context.Context, merchant, show, id commerce.ID, up bool) error {
	return b.Tx(ctx, func(tx *sql.Tx) error {
		ids, err := order(ctx, tx, merchant, show)
		if err != nil {
			return err
		}
		at := -1
		for i := range ids {
			if ids[i] == int64(id) {
				at = i
			}
		}
		to := at + 1
		if up {
			to = at - 1
		}
		if at < 0 {
			return b.NotFound
		}
		if to >= 0 && to < len(ids) {
			ids[at], ids[to] = ids[to], ids[at]
		}
		for i, x := range ids {
			if _, err := tx.ExecContext(ctx, `UPDATE destinations SET position = $1 WHERE merchant_id = $2 AND destination_id = $3`, i, int64(merchant), x); err != nil {
				return err
			}
		}
		return nil
	})
}

func order(ctx context.Context, tx *sql.Tx, merchant, show commerce.ID) ([]int64, error) {
	return stored.IDs(ctx, tx, `SELECT destination_id FROM destinations WHERE merchant_id = $1 AND show_id = $2 ORDER BY position, destination_id`, int64(merchant), int64(show))
}

// Destinations are where a show's video goes, with their keys, the most important first.
func (b *Book) Destinations(ctx context.Context, merchant, show commerce.ID) ([]Destination, error) {
	var out []Destination
	err := stored.Each(ctx, b.Read, func(r *sql.Rows) error {
		d := Destination{Show: show}
		var sealed []byte
		if err := r.Scan(&d.ID, &d.Name, &d.Server, &sealed, &d.Enabled, &d.Preset, &d.Account, &d.Position); err != nil {
			return err
		}
		key, err := b.Key.Open(sealed, Context(merchant, d.ID))
		if err != nil {
			return fmt.Errorf("destination %s: %w", d.Name, err)
		}
		d.Key = string(key)
		out = append(out, d)
		return nil
	}, `SELECT destination_id, name, server, stream_key, enabled, preset, account, position FROM destinations
WHERE merchant_id = $1 AND show_id = $2 ORDER BY position, destination_id`, int64(merchant), int64(show))
	if err != nil {
		return nil, err
	}
	return out, nil
}

// Session is what a connected account gave for the stream that runs; NotFound when it gave nothing.
func (b *Book) Session(ctx context.Context, merchant, destination commerce.ID) (Session, error) {
	var s Session
	var sealed []byte
	err := b.Read.QueryRowContext(ctx, `SELECT session FROM destinations WHERE merchant_id = $1 AND destination_id = $2`, int64(merchant), int64(destination)).Scan(&sealed)
	if err != nil {
		return s, b.one(err)
	}
	if sealed == nil {
		return s, b.NotFound
	}
	plain, err := b.Key.Open(sealed, sessionContext(merchant, destination))
	if err != nil {
		return s, fmt.Errorf("session of destination %s: %w", destination, err)
	}
	return s, json.Unmarshal(plain, &s)
}

// PutSession keeps what a connected account gave. nil forgets it.
func (b *Book) PutSession(ctx context.Context, merchant, destination commerce.ID, s *Session) error {
	var sealed []byte
	if s != nil {
		plain, err := json.Marshal(s)
		if err != nil {
			return err
		}
		sealed = b.Key.Seal(plain, sessionContext(merchant, destination))
	}
	err := b.update(ctx, `UPDATE destinations SET session = $1 WHERE merchant_id = $2 AND destination_id = $3`, sealed, int64(merchant), int64(destination))
	if s == nil && errors.Is(err, b.NotFound) {
		return nil // gone with its row
	}
	return err
}

// Opened is a session with where it belongs.
type Opened struct {
	Merchant, Show, ID commerce.ID
	Account            string
	Session
}

// Sessions are all that a node opened and did not end, of all merchants. One that does not open any more is left out.
func (b *Book) Sessions(ctx context.Context, node string) ([]Opened, error) {
	var out []Opened
	err := stored.Each(ctx, b.Read, func(r *sql.Rows) error {
		var o Opened
		var sealed []byte
		if err := r.Scan(&o.Merchant, &o.Show, &o.ID, &o.Account, &sealed); err != nil {
			return err
		}
		plain, err := b.Key.Open(sealed, sessionContext(o.Merchant, o.ID))
		if err == nil && json.Unmarshal(plain, &o.Session) == nil && o.Node == node {
			out = append(out, o)
		}
		return nil
	}, `SELECT merchant_id, show_id, destination_id, account, session FROM destinations WHERE session IS NOT NULL ORDER BY merchant_id, destination_id`)
	if err != nil {
		return nil, err
	}
	return out, nil
}
