// Package videobook keeps how the video of shows is carried: stream keys, where it goes, and the settings of it. Package sqldb opens
// the database.
package videobook

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"hawker/commerce"
	"hawker/internal/seal"
	"hawker/internal/sqldb/stored"
)

// Book is the part of a database that is about video. Package sqldb makes it.
type Book struct {
	Read *sql.DB
	Tx   func(ctx context.Context, f func(*sql.Tx) error) error // one write transaction
	Key  *seal.Key
	// NotFound is the error where one row was asked for and there is none, Taken where something has to be the only one of its
	// kind and is not; IsTaken says whether the database refused a row for that.
	NotFound, Taken error
	IsTaken         func(error) bool
}

// Ingest is where a show's video comes in. The key itself is shown once; SQL holds its hash and its last characters.
type Ingest struct {
	Show    commerce.ID
	KeyTail string
}

// Owner is who a stream key belongs to.
type Owner struct {
	Merchant, Show commerce.ID
	Backup         bool // it is that of the second encoder
}

func table(backup bool) string {
	if backup {
		return "backup_ingests"
	}
	return "ingests"
}

// PutKey gives a show a stream key, or its second encoder one; what was there before opens nothing any more.
func (b *Book) PutKey(ctx context.Context, merchant, show commerce.ID, key string, backup bool) error {
	err := b.Tx(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO `+table(backup)+` (merchant_id, show_id, key_hash, key_tail) VALUES ($1, $2, $3, $4)
ON CONFLICT (merchant_id, show_id) DO UPDATE SET key_hash = excluded.key_hash, key_tail = excluded.key_tail`,
			int64(merchant), int64(show), seal.Hash(seal.Token(key)), tail(key))
		return err
	})
	if err != nil && b.IsTaken(err) {
		return fmt.Errorf("stream key: %w", b.Taken)
	}
	return err
}

// DropKey takes a show's stream key away, or that of its second encoder.
func (b *Book) DropKey(ctx context.Context, merchant, show commerce.ID, backup bool) error {
	return b.Tx(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `DELETE FROM `+table(backup)+` WHERE merchant_id = $1 AND show_id = $2`, int64(merchant), int64(show))
		return err
	})
}

func tail(s string) string {
	if len(s) < 12 {
		return ""
	}
	return s[len(s)-4:]
}

// IngestOf is a show's ingest, or that of its second encoder; NotFound when it has none.
func (b *Book) IngestOf(ctx context.Context, merchant, show commerce.ID, backup bool) (Ingest, error) {
	in := Ingest{Show: show}
	err := b.Read.QueryRowContext(ctx, `SELECT key_tail FROM `+table(backup)+` WHERE merchant_id = $1 AND show_id = $2`, int64(merchant), int64(show)).Scan(&in.KeyTail)
	return in, b.one(err)
}

// OwnerOf finds whose a stream key is; NotFound when it is nobody's.
func (b *Book) OwnerOf(ctx context.Context, key string) (Owner, error) {
	var o Owner
	err := b.Read.QueryRowContext(ctx, `SELECT merchant_id, show_id, 0 FROM ingests WHERE key_hash = $1
UNION ALL SELECT merchant_id, show_id, 1 FROM backup_ingests WHERE key_hash = $1`, seal.Hash(seal.Token(key))).Scan(&o.Merchant, &o.Show, &o.Backup)
	return o, b.one(err)
}

// Settings are how a show's video is carried. The zero value are the defaults.
type Settings struct {
	UplinkKbps int           // what the line carries, 0 when nobody knows
	AskHost    bool          // an encoder from elsewhere waits for the host
	Grace      time.Duration // how long destinations are kept without an encoder, 0 for the default
	Clip       string        // the name of the slate's file as it was uploaded, "" when there is none
	NoRecord   bool          // the show is not kept as a file
	// Video, Width, Height and Kbps are what the encoder sent last; empty before it ever did.
	Video         string
	Width, Height int
	Kbps          int
}

// Settings are those of a show.
func (b *Book) Settings(ctx context.Context, merchant, show commerce.ID) (Settings, error) {
	var s Settings
	var grace int64
	record := true
	err := b.Read.QueryRowContext(ctx, `SELECT uplink_kbps, ask_host, grace_ms, clip, video, width, height, kbps, record FROM show_videos WHERE merchant_id = $1 AND show_id = $2`,
		int64(merchant), int64(show)).Scan(&s.UplinkKbps, &s.AskHost, &grace, &s.Clip, &s.Video, &s.Width, &s.Height, &s.Kbps, &record)
	if errors.Is(err, sql.ErrNoRows) {
		return Settings{}, nil
	}
	s.Grace, s.NoRecord = time.Duration(grace)*time.Millisecond, !record
	return s, err
}

// PutSettings writes what people choose of a show's settings: all but what the encoder sent.
func (b *Book) PutSettings(ctx context.Context, merchant, show commerce.ID, s Settings) error {
	return b.Tx(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO show_videos (merchant_id, show_id, uplink_kbps, ask_host, grace_ms, clip, record) VALUES ($1, $2, $3, $4, $5, $6, $7)
ON CONFLICT (merchant_id, show_id) DO UPDATE SET uplink_kbps = excluded.uplink_kbps, ask_host = excluded.ask_host, grace_ms = excluded.grace_ms, clip = excluded.clip,
record = excluded.record`,
			int64(merchant), int64(show), s.UplinkKbps, stored.Flag(s.AskHost), s.Grace.Milliseconds(), s.Clip, stored.Flag(!s.NoRecord))
		return err
	})
}

// PutSeen writes what a show's encoder sends.
func (b *Book) PutSeen(ctx context.Context, merchant, show commerce.ID, s Settings) error {
	return b.Tx(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO show_videos (merchant_id, show_id, video, width, height, kbps) VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (merchant_id, show_id) DO UPDATE SET video = excluded.video, width = excluded.width, height = excluded.height, kbps = excluded.kbps`,
			int64(merchant), int64(show), s.Video, s.Width, s.Height, s.Kbps)
		return err
	})
}

func (b *Book) one(err error) error {
	if errors.Is(err, sql.ErrNoRows) {
		return b.NotFound
	}
	return err
}
