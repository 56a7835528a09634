package sqldb

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"time"

	"hawker/commerce"
	"hawker/rules"
)

// Rules are a merchant's rules in their order; nil when the merchant never had any written, so that the defaults hold.
func (db *DB) Rules(ctx context.Context, merchant commerce.ID) ([]rules.Rule, error) {
	var out []rules.Rule
	err := db.rows(ctx, func(r *sql.Rows) error {
		var rule rules.Rule
		var body string
		var enabled int
		if err := r.Scan(&rule.Name, &body, &enabled); err != nil {
			return err
		}
		if err := json.Unmarshal([]byte(body), &rule); err != nil {
			return fmt.Errorf("rule %q: %w", rule.Name, err)
		}
		rule.Off = enabled == 0
		out = append(out, rule)
		return nil
	}, `SELECT name, body, enabled FROM rules WHERE merchant_id = $1 ORDER BY position`, int64(merchant))
	return out, err
}

// PutRules replaces all of a merchant's rules. The caller checked them (rules.NewBook).
func (db *DB) PutRules(ctx context.Context, merchant commerce.ID, all []rules.Rule) error {
	now := time.Now()
	return db.inTx(ctx, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, `DELETE FROM rules WHERE merchant_id = $1`, int64(merchant)); err != nil {
			return err
		}
		used := map[commerce.ID]bool{}
		for i, r := range all {
			id := commerce.NewID(now)
			for used[id] {
				id = commerce.NewID(now)
			}
			used[id] = true
			if _, err := tx.ExecContext(ctx, `INSERT INTO rules (merchant_id, rule_id, position, name, body, enabled) VALUES ($1, $2, $3, $4, $5, $6)`,
				int64(merchant), int64(id), i, r.Name, asJSON(r), flag(!r.Off)); err != nil {
				return fmt.Errorf("rule %q: %w", r.Name, err)
			}
		}
		return nil
	})
}
