package sqldb

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"hawker/commerce"
	"hawker/internal/chat"
	"hawker/internal/seal"
	"hawker/internal/sqldb/stored"
)

// Merchant is a tenant of the installation.
type Merchant struct {
	ID       commerce.ID
	Slug     string // in addresses of the dashboard
	Name     string
	Currency string // ISO 4217
	Timezone string // IANA
	Language string // BCP 47, for what viewers read
	// Practice marks a merchant whose platforms and shop are pretended; every output wears the mark.
	Practice bool
}

// Merchants are all merchants, the oldest first.
func (db *DB) Merchants(ctx context.Context) ([]Merchant, error) {
	var out []Merchant
	err := db.rows(ctx, func(r *sql.Rows) error {
		var m Merchant
		if err := r.Scan(&m.ID, &m.Slug, &m.Name, &m.Currency, &m.Timezone, &m.Language, &m.Practice); err != nil {
			return err
		}
		out = append(out, m)
		return nil
	}, `SELECT merchant_id, slug, name, currency, timezone, language, practice FROM merchants ORDER BY merchant_id`)
	return out, err
}

// Merchant finds one merchant; ErrNotFound when there is none.
func (db *DB) Merchant(ctx context.Context, id commerce.ID) (Merchant, error) {
	m := Merchant{ID: id}
	err := db.read.QueryRowContext(ctx, `SELECT slug, name, currency, timezone, language, practice FROM merchants WHERE merchant_id = $1`, int64(id)).
		Scan(&m.Slug, &m.Name, &m.Currency, &m.Timezone, &m.Language, &m.Practice)
	return m, oneRow(err)
}

// PutMerchant writes a merchant; with ID 0 a new one, whose ID it returns. ErrTaken: another has the slug.
func (db *DB) PutMerchant(ctx context.Context, m Merchant) (commerce.ID, error) {
	if m.ID == 0 {
		m.ID = commerce.NewID(time.Now())
	}
	_, err := db.write.ExecContext(ctx, `INSERT INTO merchants (merchant_id, slug, name, currency, timezone, language, practice, created_ms)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
ON CONFLICT (merchant_id) DO UPDATE SET slug = excluded.slug, name = excluded.name, currency = excluded.currency, timezone = excluded.timezone,
language = excluded.language, practice = excluded.practice`,
		int64(m.ID), m.Slug, m.Name, m.Currency, m.Timezone, m.Language, stored.Flag(m.Practice), time.Now().UnixMilli())
	if isTaken(err) {
		return 0, fmt.Errorf("merchant %s: %w", m.Slug, ErrTaken)
	}
	return m.ID, err
}

// Member is a person with a role at a merchant.
type Member struct {
	Merchant, ID commerce.ID
	Email        string
	Role         string // owner, manager, creator, moderator
	PasswordHash string // argon2id; empty until a password was set
}

// PutMember writes a member, found by e-mail address; an empty PasswordHash leaves the stored one. A new password ends the
// member's sessions: who knew the old one is out.
func (db *DB) PutMember(ctx context.Context, m Member) (commerce.ID, error) {
	if m.ID == 0 {
		m.ID = commerce.NewID(time.Now())
	}
	err := db.inTx(ctx, func(tx *sql.Tx) error {
		var was string
		err := tx.QueryRowContext(ctx, `SELECT password_hash FROM members WHERE merchant_id = $1 AND email = $2`, int64(m.Merchant), m.Email).Scan(&was)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		if err := tx.QueryRowContext(ctx, `INSERT INTO members (merchant_id, member_id, email, role, password_hash, created_ms) VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (merchant_id, email) DO UPDATE SET role = excluded.role,
password_hash = CASE WHEN excluded.password_hash = '' THEN members.password_hash ELSE excluded.password_hash END RETURNING member_id`,
			int64(m.Merchant), int64(m.ID), m.Email, m.Role, m.PasswordHash, time.Now().UnixMilli()).Scan(&m.ID); err != nil {
			return err
		}
		if m.PasswordHash == "" || m.PasswordHash == was {
			return nil
		}
		_, err = tx.ExecContext(ctx, `DELETE FROM sessions WHERE merchant_id = $1 AND member_id = $2`, int64(m.Merchant), int64(m.ID))
		return err
	})
	return m.ID, err
}

// MembersByEmail are the members with an e-mail address, one for each merchant they belong to.
func (db *DB) MembersByEmail(ctx context.Context, email string) ([]Member, error) {
	return db.members(ctx, `WHERE email = $1 ORDER BY merchant_id`, email)
}

// Members are a merchant's members.
func (db *DB) Members(ctx context.Context, merchant commerce.ID) ([]Member, error) {
	return db.members(ctx, `WHERE merchant_id = $1 ORDER BY member_id`, int64(merchant))
}

func (db *DB) members(ctx context.Context, where string, arg any) ([]Member, error) {
	var out []Member
	err := db.rows(ctx, func(r *sql.Rows) error {
		var m Member
		if err := r.Scan(&m.Merchant, &m.ID, &m.Email, &m.Role, &m.PasswordHash); err != nil {
			return err
		}
		out = append(out, m)
		return nil
	}, `SELECT merchant_id, member_id, email, role, password_hash FROM members `+where, arg)
	return out, err
}

// PutSession keeps a sign-in until it ends.
func (db *DB) PutSession(ctx context.Context, t seal.Token, m Member, ends time.Time) error {
	return db.inTx(ctx, func(tx *sql.Tx) error {
		now := time.Now().UnixMilli()
		if _, err := tx.ExecContext(ctx, `DELETE FROM sessions WHERE expires_ms < $1`, now); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `INSERT INTO sessions (session_hash, merchant_id, member_id, created_ms, expires_ms) VALUES ($1, $2, $3, $4, $5)`,
			seal.Hash(t), int64(m.Merchant), int64(m.ID), now, stored.MS(ends))
		return err
	})
}

// Session finds who signed in with a token; ErrNotFound when it is unknown or over.
func (db *DB) Session(ctx context.Context, t seal.Token) (Member, error) {
	var m Member
	err := db.read.QueryRowContext(ctx, `SELECT m.merchant_id, m.member_id, m.email, m.role FROM sessions s
JOIN members m ON m.merchant_id = s.merchant_id AND m.member_id = s.member_id WHERE s.session_hash = $1 AND s.expires_ms > $2`,
		seal.Hash(t), time.Now().UnixMilli()).Scan(&m.Merchant, &m.ID, &m.Email, &m.Role)
	return m, oneRow(err)
}

// EndSession signs out.
func (db *DB) EndSession(ctx context.Context, t seal.Token) error {
	_, err := db.write.ExecContext(ctx, `DELETE FROM sessions WHERE session_hash = $1`, seal.Hash(t))
	return err
}

// Purposes of an account.
const (
	OwnerAccount = "owner"
	BotAccount   = "bot"
)

func accountContext(merchant commerce.ID, a chat.Account, purpose string) string {
	return seal.Context("accounts", "token", int64(merchant), string(a.Platform), a.ID, purpose)
}

// PutAccount writes a connected account with its tokens, sealed.
func (db *DB) PutAccount(ctx context.Context, merchant commerce.ID, a chat.Account, purpose string) error {
	sealed := db.key.Seal([]byte(asJSON(a.Token)), accountContext(merchant, a, purpose))
	_, err := db.write.ExecContext(ctx, `INSERT INTO accounts (merchant_id, platform, platform_id, purpose, name, token, updated_ms) VALUES ($1, $2, $3, $4, $5, $6, $7)
ON CONFLICT (merchant_id, platform, platform_id, purpose) DO UPDATE SET name = excluded.name, token = excluded.token, updated_ms = excluded.updated_ms`,
		int64(merchant), string(a.Platform), a.ID, purpose, a.Name, sealed, time.Now().UnixMilli())
	return err
}

// Account is a connected account and what it is for.
type Account struct {
	chat.Account
	Purpose string
}

// Accounts are a merchant's connected accounts with their tokens.
func (db *DB) Accounts(ctx context.Context, merchant commerce.ID) ([]Account, error) {
	var out []Account
	err := db.rows(ctx, func(r *sql.Rows) error {
		var a Account
		var sealed []byte
		if err := r.Scan(&a.Platform, &a.ID, &a.Purpose, &a.Name, &sealed); err != nil {
			return err
		}
		plain, err := db.key.Open(sealed, accountContext(merchant, a.Account, a.Purpose))
		if err != nil {
			return fmt.Errorf("account %s/%s: %w", a.Platform, a.ID, err)
		}
		out = append(out, a)
		return json.Unmarshal(plain, &out[len(out)-1].Token)
	}, `SELECT platform, platform_id, purpose, name, token FROM accounts WHERE merchant_id = $1 ORDER BY platform, purpose, platform_id`, int64(merchant))
	return out, err
}

// Channel is a chat that a merchant listens to.
type Channel struct {
	chat.Channel
	Name  string // the login or title, for people and for Twitch's JOIN
	Guild string // Discord
	Owner string // platform id of the account of the channel's owner, or empty
	Bot   string // platform id of the account that hears and speaks, or empty
	// Cursor is where reading goes on (YouTube: a page token, Discord: the newest line).
	Cursor string
}

// PutChannel writes a channel; an empty Cursor leaves the stored one.
func (db *DB) PutChannel(ctx context.Context, merchant commerce.ID, c Channel) error {
	_, err := db.write.ExecContext(ctx, `INSERT INTO channels (merchant_id, platform, channel_id, name, guild, owner_id, bot_id, cursor)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
ON CONFLICT (merchant_id, platform, channel_id) DO UPDATE SET name = excluded.name, guild = excluded.guild, owner_id = excluded.owner_id, bot_id = excluded.bot_id,
cursor = CASE WHEN excluded.cursor = '' THEN channels.cursor ELSE excluded.cursor END`,
		int64(merchant), string(c.Platform), c.ID, c.Name, c.Guild, c.Owner, c.Bot, c.Cursor)
	return err
}

// SetCursor keeps where reading a channel goes on.
func (db *DB) SetCursor(ctx context.Context, merchant commerce.ID, c chat.Channel, cursor string) error {
	_, err := db.write.ExecContext(ctx, `UPDATE channels SET cursor = $1 WHERE merchant_id = $2 AND platform = $3 AND channel_id = $4`,
		cursor, int64(merchant), string(c.Platform), c.ID)
	return err
}

// Channels are a merchant's chats.
func (db *DB) Channels(ctx context.Context, merchant commerce.ID) ([]Channel, error) {
	var out []Channel
	err := db.rows(ctx, func(r *sql.Rows) error {
		var c Channel
		if err := r.Scan(&c.Platform, &c.ID, &c.Name, &c.Guild, &c.Owner, &c.Bot, &c.Cursor); err != nil {
			return err
		}
		out = append(out, c)
		return nil
	}, `SELECT platform, channel_id, name, guild, owner_id, bot_id, cursor FROM channels WHERE merchant_id = $1 ORDER BY platform, channel_id`, int64(merchant))
	return out, err
}

// Store is the shop a merchant sells from. Kind "own" has no shop behind it.
type Store struct {
	Kind  string // shopify, own
	Shop  string // demo.myshopify.com
	Holds commerce.StoreHolds
	StoreSecret
	// OrdersRead is how far orders were read, by the store's clock.
	OrdersRead time.Time
}

// StoreSecret is what opens the store. It is sealed at rest.
type StoreSecret struct {
	Token         string    `json:"token,omitempty"`
	Refresh       string    `json:"refresh,omitempty"`
	Expires       time.Time `json:"expires,omitzero"`
	ClientID      string    `json:"client_id,omitempty"`
	ClientSecret  string    `json:"client_secret,omitempty"`
	WebhookSecret string    `json:"webhook_secret,omitempty"` // the client secret, where the app is the merchant's own
	Granted       string    `json:"granted,omitempty"`        // scopes, by commas, as the store last told them; empty where it told none
}

// PutStore writes a merchant's store. ErrTaken: another merchant has the shop.
func (db *DB) PutStore(ctx context.Context, merchant commerce.ID, s Store) error {
	sealed := db.key.Seal([]byte(asJSON(s.StoreSecret)), seal.Context("stores", "secret", int64(merchant)))
	_, err := db.write.ExecContext(ctx, `INSERT INTO stores (merchant_id, kind, shop, secret, holds) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (merchant_id) DO UPDATE SET kind = excluded.kind, shop = excluded.shop, secret = excluded.secret, holds = excluded.holds`,
		int64(merchant), s.Kind, s.Shop, sealed, string(s.Holds))
	if isTaken(err) {
		return fmt.Errorf("shop %s: %w", s.Shop, ErrTaken)
	}
	return err
}

// Store is a merchant's store; ErrNotFound when none is connected.
func (db *DB) Store(ctx context.Context, merchant commerce.ID) (Store, error) {
	var s Store
	var sealed []byte
	var read int64
	err := db.read.QueryRowContext(ctx, `SELECT kind, shop, secret, holds, orders_ms FROM stores WHERE merchant_id = $1`, int64(merchant)).
		Scan(&s.Kind, &s.Shop, &sealed, &s.Holds, &read)
	if err != nil {
		return s, oneRow(err)
	}
	plain, err := db.key.Open(sealed, seal.Context("stores", "secret", int64(merchant)))
	if err != nil {
		return s, fmt.Errorf("store %s: %w", s.Shop, err)
	}
	s.OrdersRead = stored.Time(read)
	return s, json.Unmarshal(plain, &s.StoreSecret)
}

// MerchantOfShop finds whose shop it is; ErrNotFound when it is nobody's.
func (db *DB) MerchantOfShop(ctx context.Context, shop string) (commerce.ID, error) {
	var id commerce.ID
	err := db.read.QueryRowContext(ctx, `SELECT merchant_id FROM stores WHERE shop = $1 AND shop <> ''`, shop).Scan(&id)
	return id, oneRow(err)
}

// SetOrdersRead keeps how far a store's orders were read.
func (db *DB) SetOrdersRead(ctx context.Context, merchant commerce.ID, t time.Time) error {
	_, err := db.write.ExecContext(ctx, `UPDATE stores SET orders_ms = $1 WHERE merchant_id = $2 AND orders_ms < $1`, stored.MS(t), int64(merchant))
	return err
}

// Webhook is a webhook as it came, before it is settled.
type Webhook struct {
	ID, Topic string
	Body      []byte
	Came      time.Time
}

// PutWebhook stores a webhook once, however often it comes; it reports whether it was new.
func (db *DB) PutWebhook(ctx context.Context, merchant commerce.ID, w Webhook) (bool, error) {
	res, err := db.write.ExecContext(ctx, `INSERT INTO inbox (merchant_id, webhook_id, topic, body, came_ms) VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING`,
		int64(merchant), w.ID, w.Topic, blob(w.Body), stored.MS(w.Came))
	if err != nil {
		return false, err
	}
	n, err := res.RowsAffected()
	return n == 1, err
}

// OpenWebhooks are the webhooks that were not settled, the oldest first, at most limit.
func (db *DB) OpenWebhooks(ctx context.Context, merchant commerce.ID, limit int) ([]Webhook, error) {
	var out []Webhook
	err := db.rows(ctx, func(r *sql.Rows) error {
		var w Webhook
		var came int64
		if err := r.Scan(&w.ID, &w.Topic, &w.Body, &came); err != nil {
			return err
		}
		w.Came = stored.Time(came)
		out = append(out, w)
		return nil
	}, `SELECT webhook_id, topic, body, came_ms FROM inbox WHERE merchant_id = $1 AND done = 0 ORDER BY came_ms LIMIT $2`, int64(merchant), limit)
	return out, err
}

// DropWebhook settles a webhook that changes nothing of ours.
func (db *DB) DropWebhook(ctx context.Context, merchant commerce.ID, id string) error {
	_, err := db.write.ExecContext(ctx, sqlInbox, int64(merchant), id)
	return err
}

// Setting reads one of the operator's settings; ErrNotFound when it was never written.
func (db *DB) Setting(ctx context.Context, name string) (string, error) {
	var sealed []byte
	err := db.read.QueryRowContext(ctx, `SELECT value FROM settings WHERE name = $1`, name).Scan(&sealed)
	if err != nil {
		return "", oneRow(err)
	}
	plain, err := db.key.Open(sealed, seal.Context("settings", "value", name))
	return string(plain), err
}

// PutSetting writes one of the operator's settings, sealed.
func (db *DB) PutSetting(ctx context.Context, name, value string) error {
	_, err := db.write.ExecContext(ctx, `INSERT INTO settings (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value`,
		name, db.key.Seal([]byte(value), seal.Context("settings", "value", name)))
	return err
}

// IsNotFound reports whether an error says that what was asked for is not there.
func IsNotFound(err error) bool { return errors.Is(err, ErrNotFound) }
