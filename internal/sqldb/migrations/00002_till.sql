-- +goose Up
-- What holds learnt: reminders, offers (first paid, first served), an extension for owners who could be told nothing.
DROP INDEX holds_open;
ALTER TABLE holds RENAME TO holds_1;
CREATE TABLE holds (
  merchant_id   BIGINT NOT NULL,
  hold_id       BIGINT NOT NULL,
  show_id       BIGINT NOT NULL,
  number        INTEGER NOT NULL,
  variant_id    BIGINT NOT NULL,
  platform      TEXT NOT NULL,
  viewer_id     TEXT NOT NULL,
  person        TEXT NOT NULL,
  receipt_id    BIGINT NOT NULL,
  quantity      INTEGER NOT NULL CHECK (quantity > 0),
  price_minor   BIGINT NOT NULL,
  currency      TEXT NOT NULL,
  state         TEXT NOT NULL CHECK (state IN ('offered', 'held', 'paid', 'expired', 'passed', 'released')),
  claim_platform TEXT NOT NULL,
  claim_message TEXT NOT NULL,
  claim_part    INTEGER NOT NULL,
  decided_ms    BIGINT NOT NULL,
  due_ms        BIGINT NOT NULL,
  expires_ms    BIGINT NOT NULL,
  opened        INTEGER NOT NULL DEFAULT 0,
  reminded      INTEGER NOT NULL DEFAULT 0,
  unheard       INTEGER NOT NULL DEFAULT 0,
  extended      INTEGER NOT NULL DEFAULT 0,
  draft         TEXT NOT NULL DEFAULT '',
  checkout      TEXT NOT NULL DEFAULT '',
  draft_ms      BIGINT NOT NULL DEFAULT 0,
  contained     INTEGER NOT NULL DEFAULT 0,
  order_store   TEXT NOT NULL DEFAULT '',
  late          INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (merchant_id, hold_id)
);
INSERT INTO holds (merchant_id, hold_id, show_id, number, variant_id, platform, viewer_id, person, receipt_id, quantity, price_minor, currency, state,
  claim_platform, claim_message, claim_part, decided_ms, due_ms, expires_ms, opened, draft, checkout, draft_ms, contained, order_store, late)
SELECT merchant_id, hold_id, show_id, number, variant_id, platform, viewer_id, person, receipt_id, quantity, price_minor, currency, state,
  claim_platform, claim_message, claim_part, decided_ms, due_ms, expires_ms, opened, draft, checkout, draft_ms, contained, order_store, late FROM holds_1;
DROP TABLE holds_1;
CREATE INDEX holds_open ON holds (merchant_id, expires_ms) WHERE state IN ('held', 'offered');
-- Who ever paid counts as proven where pieces are scarce.
CREATE INDEX holds_paid ON holds (merchant_id, person) WHERE state = 'paid';

ALTER TABLE shows ADD COLUMN cap INTEGER NOT NULL DEFAULT 0;
ALTER TABLE shows ADD COLUMN pay_once_ms BIGINT NOT NULL DEFAULT 0;
ALTER TABLE shows ADD COLUMN guard TEXT NOT NULL DEFAULT '{}';

-- When a viewer was joined to a person: it can be undone for a day.
ALTER TABLE viewers ADD COLUMN joined_ms BIGINT NOT NULL DEFAULT 0;

-- Set when the data came from a backup: nothing is sold until the store was read again.
ALTER TABLE tills ADD COLUMN restored_ms BIGINT NOT NULL DEFAULT 0;

ALTER TABLE orders DROP COLUMN contained;

-- +goose Down
ALTER TABLE orders ADD COLUMN contained INTEGER NOT NULL DEFAULT 0;
ALTER TABLE tills DROP COLUMN restored_ms;
ALTER TABLE viewers DROP COLUMN joined_ms;
ALTER TABLE shows DROP COLUMN guard;
ALTER TABLE shows DROP COLUMN pay_once_ms;
ALTER TABLE shows DROP COLUMN cap;
DROP INDEX holds_paid;
DROP INDEX holds_open;
DELETE FROM holds WHERE state = 'offered';
ALTER TABLE holds DROP COLUMN extended;
ALTER TABLE holds DROP COLUMN unheard;
ALTER TABLE holds DROP COLUMN reminded;
CREATE INDEX holds_open ON holds (merchant_id, expires_ms) WHERE state = 'held';
