package sqldb

import (
	"context"
	"fmt"
	"time"

	"hawker/commerce"
	"hawker/internal/chat"
)

// DropAccount forgets a connected account with its tokens; its channels stay, without it.
func (db *DB) DropAccount(ctx context.Context, merchant commerce.ID, platform chat.Platform, id, purpose string) error {
	_, err := db.write.ExecContext(ctx, `DELETE FROM accounts WHERE merchant_id = $1 AND platform = $2 AND platform_id = $3 AND purpose = $4`,
		int64(merchant), string(platform), id, purpose)
	return err
}

// RenewToken stores the renewed token of a connected account. The error is ErrNotFound when it was dropped meanwhile: what was
// forgotten does not come back.
func (db *DB) RenewToken(ctx context.Context, merchant commerce.ID, a chat.Account, purpose string) error {
	sealed := db.key.Seal([]byte(asJSON(a.Token)), accountContext(merchant, a, purpose))
	res, err := db.write.ExecContext(ctx, `UPDATE accounts SET token = $1, updated_ms = $2 WHERE merchant_id = $3 AND platform = $4 AND platform_id = $5 AND purpose = $6`,
		sealed, time.Now().UnixMilli(), int64(merchant), string(a.Platform), a.ID, purpose)
	if err != nil {
		return err
	}
	if n, err := res.RowsAffected(); err != nil || n > 0 {
		return err
	}
	return fmt.Errorf("account %s/%s: %w", a.Platform, a.ID, ErrNotFound)
}

// DropChannel forgets a chat. Shows that named it keep its id.
func (db *DB) DropChannel(ctx context.Context, merchant commerce.ID, c chat.Channel) error {
	_, err := db.write.ExecContext(ctx, `DELETE FROM channels WHERE merchant_id = $1 AND platform = $2 AND channel_id = $3`, int64(merchant), string(c.Platform), c.ID)
	return err
}

// DropStore forgets the store and what opens it; products, holds and orders stay.
func (db *DB) DropStore(ctx context.Context, merchant commerce.ID) error {
	_, err := db.write.ExecContext(ctx, `DELETE FROM stores WHERE merchant_id = $1`, int64(merchant))
	return err
}
