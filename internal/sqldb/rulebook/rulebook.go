// Package rulebook keeps what merchants' rules are and what they remember: their versions, how often each fired, variables,
// questions for the host, discount codes, and the addresses of webhooks that come in. Package sqldb opens the database.
package rulebook

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"hawker/commerce"
	"hawker/internal/seal"
	"hawker/internal/sqldb/stored"
	"hawker/rules/rule"
)

// ErrConflict means that somebody else saved meanwhile: what is in force is not what the change was based on.
var ErrConflict = errors.New("the rules were changed meanwhile; look at them again")

// Most bounds how many versions of a merchant's rules are kept; the oldest go first.
const Most = 200

// Any, as what a save is based on, is whatever is in force.
const Any = -1

// Book is the part of a database that is about rules. Package sqldb makes it.
type Book struct {
	Read *sql.DB
	Tx   func(ctx context.Context, f func(*sql.Tx) error) error // one write transaction
	Key  *seal.Key
	// NotFound is the error where one row was asked for and there is none.
	NotFound error
}

// Version is a merchant's rules as they were saved once.
type Version struct {
	Number int64       `json:"version"` // 0: nothing was ever saved, so that the defaults are in force
	At     time.Time   `json:"at,omitzero"`
	Author string      `json:"author,omitzero"` // a member's name, or "apply"
	Note   string      `json:"note,omitzero"`
	Rules  []rule.Rule `json:"rules,omitzero"`
}

// Rules are a merchant's rules in force. Number is 0 when the merchant never saved any.
func (b *Book) Rules(ctx context.Context, merchant commerce.ID) (Version, error) {
	v, err := b.one(ctx, `SELECT version, at_ms, author, note, rules FROM rule_versions WHERE merchant_id = $1 ORDER BY version DESC LIMIT 1`, int64(merchant))
	if errors.Is(err, sql.ErrNoRows) {
		return Version{}, nil
	}
	return v, err
}

// Version is a version by its number; NotFound when it was never there or is kept no more.
func (b *Book) Version(ctx context.Context, merchant commerce.ID, number int64) (Version, error) {
	v, err := b.one(ctx, `SELECT version, at_ms, author, note, rules FROM rule_versions WHERE merchant_id = $1 AND version = $2`, int64(merchant), number)
	if errors.Is(err, sql.ErrNoRows) {
		return v, b.NotFound
	}
	return v, err
}

func (b *Book) one(ctx context.Context, query string, args ...any) (Version, error) {
	var v Version
	var at int64
	var text string
	if err := b.Read.QueryRowContext(ctx, query, args...).Scan(&v.Number, &at, &v.Author, &v.Note, &text); err != nil {
		return v, err
	}
	v.At = stored.Time(at)
	if err := json.Unmarshal([]byte(text), &v.Rules); err != nil {
		return v, fmt.Errorf("rules, version %d: %w", v.Number, err)
	}
	return v, nil
}

// Versions are all versions that are kept, the newest first, without their rules.
func (b *Book) Versions(ctx context.Context, merchant commerce.ID) ([]Version, error) {
	var out []Version
	err := b.rows(ctx, func(r *sql.Rows) error {
		var v Version
		var at int64
		err := r.Scan(&v.Number, &at, &v.Author, &v.Note)
		v.At = stored.Time(at)
		out = append(out, v)
		return err
	}, `SELECT version, at_ms, author, note FROM rule_versions WHERE merchant_id = $1 ORDER BY version DESC`, int64(merchant))
	return out, err
}

// Put saves a merchant's rules as a new version and returns its number. The caller checked them. base is the version that they
// were made from (0 where none was saved before); ErrConflict when another is in force by now. Any saves over whatever is there.
// A rule without an id gets one. What was counted for a rule that is
// there no more stays for a while: a version that is restored goes on where it was.
func (b *Book) Put(ctx context.Context, merchant commerce.ID, v Version, base int64) (int64, error) {
	now := time.Now()
	v.Rules = identified(v.Rules, now)
	text, err := json.Marshal(v.Rules)
	if err != nil {
		return 0, fmt.Errorf("rules: %w", err)
	}
	number := base + 1
	err = b.Tx(ctx, func(tx *sql.Tx) error {
		var last int64
		if err := tx.QueryRowContext(ctx, `SELECT COALESCE(MAX(version), 0) FROM rule_versions WHERE merchant_id = $1`, int64(merchant)).Scan(&last); err != nil {
			return err
		}
		if base == Any {
			number = last + 1
		} else if base != last {
			return ErrConflict
		}
		res, err := tx.ExecContext(ctx, `INSERT INTO rule_versions (merchant_id, version, at_ms, author, note, rules) VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING`,
			int64(merchant), number, now.UnixMilli(), v.Author, v.Note, string(text))
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil {
			return err
		} else if n == 0 { // another node was faster by this much
			return ErrConflict
		}
		if _, err := tx.ExecContext(ctx, `DELETE FROM rule_versions WHERE merchant_id = $1 AND version <= $2`, int64(merchant), number-Most); err != nil {
			return err
		}
		return forgetCounters(ctx, tx, merchant, v.Rules, now)
	})
	if err != nil {
		return 0, err
	}
	return number, nil
}

// Restore makes an old version the newest one. The error is ErrConflict as of Put, or NotFound.
func (b *Book) Restore(ctx context.Context, merchant commerce.ID, number int64, author string, base int64) (int64, error) {
	v, err := b.Version(ctx, merchant, number)
	if err != nil {
		return 0, err
	}
	v.Author, v.Note = author, fmt.Sprintf("version %d restored", number)
	return b.Put(ctx, merchant, v, base)
}

// identified gives rules without an id one. What was given is left as it is.
func identified(all []rule.Rule, now time.Time) []rule.Rule {
	out := append(make([]rule.Rule, 0, len(all)), all...)
	used := map[commerce.ID]bool{}
	for i := range out {
		for out[i].ID == 0 || used[out[i].ID] {
			out[i].ID = commerce.NewID(now)
		}
		used[out[i].ID] = true
	}
	return out
}

// rows runs a query and hands each row to scan.
func (b *Book) rows(ctx context.Context, scan func(*sql.Rows) error, query string, args ...any) error {
	return stored.Each(ctx, b.Read, scan, query, args...)
}
