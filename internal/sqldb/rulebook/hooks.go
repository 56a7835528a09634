package rulebook

import (
	"context"
	"database/sql"
	"encoding/base64"
	"errors"
	"time"

	"hawker/commerce"
	"hawker/internal/seal"
)

// Kinds of derived tokens.
const (
	hookKind   = "hook"        // the address of a webhook that comes in
	secretKind = "hook-secret" // signs webhooks that go out
)

// Hook is an address that anybody who has it may post to; each post is an event for the merchant's rules, under its name.
type Hook struct {
	ID    commerce.ID
	Name  string
	Token seal.Token // the secret part of its address; derived, so that it can be shown again without being stored
}

// HooksMost bounds how many addresses a merchant has.
const HooksMost = 50

// ErrHooksFull means that a merchant has as many addresses as there may be.
var ErrHooksFull = errors.New("there are 50 webhook addresses already; remove one first")

// Hooks are a merchant's addresses for webhooks that come in, by name.
func (b *Book) Hooks(ctx context.Context, merchant commerce.ID) ([]Hook, error) {
	var out []Hook
	err := b.rows(ctx, func(r *sql.Rows) error {
		var h Hook
		var generation int64
		err := r.Scan(&h.ID, &h.Name, &generation)
		h.Token = b.Key.DeriveAddressed(hookKind, int64(merchant), int64(h.ID), generation)
		out = append(out, h)
		return err
	}, `SELECT hook_id, name, generation FROM hooks WHERE merchant_id = $1 ORDER BY name`, int64(merchant))
	return out, err
}

// PutHook makes an address under a name, or finds the one that is there. Errors: ErrHooksFull, the database's own.
func (b *Book) PutHook(ctx context.Context, merchant commerce.ID, name string) (Hook, error) {
	h := Hook{ID: commerce.NewID(time.Now()), Name: name}
	var generation int64
	err := b.Tx(ctx, func(tx *sql.Tx) error {
		var n int
		if err := tx.QueryRowContext(ctx, `SELECT COUNT(*) FROM hooks WHERE merchant_id = $1 AND name <> $2`, int64(merchant), name).Scan(&n); err != nil {
			return err
		}
		if n >= HooksMost {
			return ErrHooksFull
		}
		if _, err := tx.ExecContext(ctx, `INSERT INTO hooks (merchant_id, hook_id, name) VALUES ($1, $2, $3) ON CONFLICT (merchant_id, name) DO NOTHING`,
			int64(merchant), int64(h.ID), name); err != nil {
			return err
		}
		return tx.QueryRowContext(ctx, `SELECT hook_id, generation FROM hooks WHERE merchant_id = $1 AND name = $2`, int64(merchant), name).Scan(&h.ID, &generation)
	})
	h.Token = b.Key.DeriveAddressed(hookKind, int64(merchant), int64(h.ID), generation)
	return h, err
}

// RenewHook gives an address another token; the former one opens nothing any more. NotFound when there is no such address.
func (b *Book) RenewHook(ctx context.Context, merchant, hook commerce.ID) (Hook, error) {
	h := Hook{ID: hook}
	var generation int64
	err := b.Tx(ctx, func(tx *sql.Tx) error {
		return tx.QueryRowContext(ctx, `UPDATE hooks SET generation = generation + 1 WHERE merchant_id = $1 AND hook_id = $2 RETURNING name, generation`, int64(merchant), int64(hook)).
			Scan(&h.Name, &generation)
	})
	if errors.Is(err, sql.ErrNoRows) {
		return h, b.NotFound
	}
	h.Token = b.Key.DeriveAddressed(hookKind, int64(merchant), int64(h.ID), generation)
	return h, err
}

// DropHook removes an address.
func (b *Book) DropHook(ctx context.Context, merchant, hook commerce.ID) error {
	return b.Tx(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `DELETE FROM hooks WHERE merchant_id = $1 AND hook_id = $2`, int64(merchant), int64(hook))
		return err
	})
}

// HookOf finds whose address a token opens; NotFound when it opens none.
func (b *Book) HookOf(ctx context.Context, t seal.Token) (merchant commerce.ID, h Hook, err error) {
	id, ok := seal.Address(t)
	if !ok {
		return 0, h, b.NotFound
	}
	err = b.rows(ctx, func(r *sql.Rows) error {
		var m, generation int64
		var name string
		if err := r.Scan(&m, &name, &generation); err != nil {
			return err
		}
		if b.Key.OpensAddressed(t, hookKind, m, id, generation) {
			merchant, h = commerce.ID(m), Hook{commerce.ID(id), name, t}
		}
		return nil
	}, `SELECT h.merchant_id, h.name, h.generation FROM merchants m JOIN hooks h ON h.merchant_id = m.merchant_id AND h.hook_id = $1`, id)
	if err == nil && merchant == 0 {
		err = b.NotFound
	}
	return merchant, h, err
}

// SigningSecret is by what receivers of a merchant's outgoing webhooks know that they come from here, in the form of Standard
// Webhooks: "whsec_" and base64. It is derived, so that it can be shown again without being stored.
func (b *Book) SigningSecret(ctx context.Context, merchant commerce.ID) (seal.Secret, error) {
	var generation int64
	err := b.Read.QueryRowContext(ctx, `SELECT hook_generation FROM merchants WHERE merchant_id = $1`, int64(merchant)).Scan(&generation)
	if errors.Is(err, sql.ErrNoRows) {
		err = b.NotFound
	}
	return b.signing(merchant, generation), err
}

// RenewSigningSecret makes another secret; what was signed with the former one proves nothing any more.
func (b *Book) RenewSigningSecret(ctx context.Context, merchant commerce.ID) (seal.Secret, error) {
	var generation int64
	err := b.Tx(ctx, func(tx *sql.Tx) error {
		return tx.QueryRowContext(ctx, `UPDATE merchants SET hook_generation = hook_generation + 1 WHERE merchant_id = $1 RETURNING hook_generation`, int64(merchant)).Scan(&generation)
	})
	if errors.Is(err, sql.ErrNoRows) {
		err = b.NotFound
	}
	return b.signing(merchant, generation), err
}

// signing is two derived tokens in a row: the form asks for 24 bytes at least, and a token carries 16.
func (b *Book) signing(merchant commerce.ID, generation int64) seal.Secret {
	text := b.Key.Derive(secretKind, int64(merchant), 1, generation).Reveal() + b.Key.Derive(secretKind, int64(merchant), 2, generation).Reveal()
	return seal.Secret("whsec_" + base64.StdEncoding.EncodeToString([]byte(text)))
}
