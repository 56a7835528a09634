package rulebook

import (
	"context"
	"database/sql"
	"fmt"
	"strconv"
	"time"

	"hawker/commerce"
	"hawker/internal/sqldb/stored"
	"hawker/rules/rule"
)

// Counter is how often a rule fired for one person, channel or show; see book.Key, whose fields these are.
type Counter struct {
	Rule  commerce.ID
	Show  commerce.ID
	Scope int
	Of    string
	Fired int64
	Last  time.Time
}

// Setting is a counter of the merchant (Number) or a variable; see book.Setting.
type Setting struct {
	Name   string
	Number bool
	N      int64
	Text   string
}

// keepCounters is how long the counters of a show, and of a rule that is there no more, are kept: longer than any cool-down.
const keepCounters = 60 * 24 * time.Hour

// Memory is what a merchant's rules remember, or what changed of it.
type Memory struct {
	Counters []Counter
	Settings []Setting
}

// Load reads what a merchant's rules remember.
func (b *Book) Load(ctx context.Context, merchant commerce.ID) (Memory, error) {
	var m Memory
	err := b.rows(ctx, func(r *sql.Rows) error {
		var c Counter
		var last int64
		err := r.Scan(&c.Rule, &c.Show, &c.Scope, &c.Of, &c.Fired, &last)
		c.Last = stored.Time(last)
		m.Counters = append(m.Counters, c)
		return err
	}, `SELECT rule_id, show_id, scope, whose, fired, last_ms FROM rule_counters WHERE merchant_id = $1 AND (show_id = 0 OR last_ms > $2)
ORDER BY rule_id, show_id, scope, whose`, int64(merchant), time.Now().Add(-keepCounters).UnixMilli())
	if err != nil {
		return m, err
	}
	err = b.rows(ctx, func(r *sql.Rows) error {
		var s Setting
		if err := r.Scan(&s.Name, &s.Number, &s.Text); err != nil {
			return err
		}
		if s.Number {
			n, err := strconv.ParseInt(s.Text, 10, 64)
			if err != nil {
				return fmt.Errorf("counter %s: %w", s.Name, err)
			}
			s.N, s.Text = n, ""
		}
		m.Settings = append(m.Settings, s)
		return nil
	}, `SELECT name, number, value FROM variables WHERE merchant_id = $1 ORDER BY name, number`, int64(merchant))
	return m, err
}

// Save writes what changed of a merchant's rules' memory, all or nothing. A variable without a text is forgotten.
func (b *Book) Save(ctx context.Context, merchant commerce.ID, m Memory) error {
	if len(m.Counters) == 0 && len(m.Settings) == 0 {
		return nil
	}
	return b.Tx(ctx, func(tx *sql.Tx) error {
		put, err := tx.PrepareContext(ctx, `INSERT INTO rule_counters (merchant_id, rule_id, show_id, scope, whose, fired, last_ms) VALUES ($1, $2, $3, $4, $5, $6, $7)
ON CONFLICT (merchant_id, rule_id, show_id, scope, whose) DO UPDATE SET fired = excluded.fired, last_ms = excluded.last_ms`)
		if err != nil {
			return err
		}
		defer put.Close()
		for _, c := range m.Counters {
			if _, err := put.ExecContext(ctx, int64(merchant), int64(c.Rule), int64(c.Show), c.Scope, c.Of, c.Fired, stored.MS(c.Last)); err != nil {
				return fmt.Errorf("counter of rule %s: %w", c.Rule, err)
			}
		}
		for _, s := range m.Settings {
			text := s.Text
			if s.Number {
				text = strconv.FormatInt(s.N, 10)
			}
			if text == "" {
				_, err = tx.ExecContext(ctx, `DELETE FROM variables WHERE merchant_id = $1 AND name = $2 AND number = $3`, int64(merchant), s.Name, stored.Flag(s.Number))
			} else {
				_, err = tx.ExecContext(ctx, `INSERT INTO variables (merchant_id, name, number, value) VALUES ($1, $2, $3, $4)
ON CONFLICT (merchant_id, name, number) DO UPDATE SET value = excluded.value`, int64(merchant), s.Name, stored.Flag(s.Number), text)
			}
			if err != nil {
				return fmt.Errorf("variable %s: %w", s.Name, err)
			}
		}
		return nil
	})
}

// forgetCounters removes the counters of old shows, and those of rules that are there no more once they are old.
func forgetCounters(ctx context.Context, tx *sql.Tx, merchant commerce.ID, all []rule.Rule, now time.Time) error {
	before := now.Add(-keepCounters).UnixMilli()
	if _, err := tx.ExecContext(ctx, `DELETE FROM rule_counters WHERE merchant_id = $1 AND show_id <> 0 AND last_ms < $2`, int64(merchant), before); err != nil {
		return err
	}
	here := map[int64]bool{}
	for _, r := range all {
		here[int64(r.ID)] = true
	}
	old, err := stored.IDs(ctx, tx, `SELECT DISTINCT rule_id FROM rule_counters WHERE merchant_id = $1 AND last_ms < $2`, int64(merchant), before)
	if err != nil {
		return err
	}
	for _, id := range old {
		if here[id] {
			continue
		}
		if _, err := tx.ExecContext(ctx, `DELETE FROM rule_counters WHERE merchant_id = $1 AND rule_id = $2 AND last_ms < $3`, int64(merchant), id, before); err != nil {
			return err
		}
	}
	return nil
}
