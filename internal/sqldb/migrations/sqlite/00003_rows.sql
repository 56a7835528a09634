-- +goose Up
-- The tables of the till's hot path are stored in the order of their keys: one tree to change for a row instead of two. And of
-- what a first claim writes only its key in claims stands at a random place: names of viewers stand with their receipts, in the
-- order of time, and a receipt's address says which receipt it opens (its token cannot be found again by the older addresses).
-- One receipt for each viewer of a show is kept by the till, whose fence keeps others out.

DROP INDEX claims_show;
ALTER TABLE claims RENAME TO claims_2;
CREATE TABLE claims (
  merchant_id BIGINT NOT NULL,
  platform    TEXT NOT NULL,
  message_id  TEXT NOT NULL,
  part        INTEGER NOT NULL,
  show_id     BIGINT NOT NULL,
  -- whose claim it is: a browser bound to a Twitch viewer claims in the room (platform, above) for that viewer
  viewer_platform TEXT NOT NULL,
  viewer_id   TEXT NOT NULL,
  kind        TEXT NOT NULL,
  number      INTEGER NOT NULL,
  variant_id  BIGINT NOT NULL,
  quantity    INTEGER NOT NULL,
  reason      TEXT NOT NULL,
  hold_id     BIGINT NOT NULL,
  decided_ms  BIGINT NOT NULL,
  PRIMARY KEY (merchant_id, platform, message_id, part)
) WITHOUT ROWID;
INSERT INTO claims (merchant_id, platform, message_id, part, show_id, viewer_platform, viewer_id, kind, number, variant_id, quantity, reason, hold_id,
  decided_ms) SELECT merchant_id, platform, message_id, part, show_id, viewer_platform, viewer_id, kind, number, variant_id, quantity, reason,
  hold_id, decided_ms FROM claims_2;
DROP TABLE claims_2;
CREATE INDEX claims_show ON claims (merchant_id, decided_ms);

ALTER TABLE receipts RENAME TO receipts_2;
CREATE TABLE receipts (
  merchant_id BIGINT NOT NULL,
  receipt_id  BIGINT NOT NULL,
  show_id     BIGINT NOT NULL,
  platform    TEXT NOT NULL,
  viewer_id   TEXT NOT NULL,
  name        TEXT NOT NULL DEFAULT '',
  generation  INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (merchant_id, receipt_id)
) WITHOUT ROWID;
INSERT INTO receipts (merchant_id, receipt_id, show_id, platform, viewer_id, name, generation)
SELECT r.merchant_id, r.receipt_id, r.show_id, r.platform, r.viewer_id, COALESCE(v.name, ''), r.generation FROM receipts_2 r
LEFT JOIN viewers v ON v.merchant_id = r.merchant_id AND v.platform = r.platform AND v.viewer_id = r.viewer_id;
DROP TABLE receipts_2;

ALTER TABLE browsers ADD COLUMN name TEXT NOT NULL DEFAULT '';
UPDATE browsers SET name = COALESCE((SELECT v.name FROM viewers v WHERE v.merchant_id = browsers.merchant_id AND v.platform = browsers.platform
  AND v.viewer_id = browsers.viewer_id), '');
DELETE FROM viewers WHERE person = '';

DROP INDEX holds_open;
DROP INDEX holds_paid;
ALTER TABLE holds RENAME TO holds_2;
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
) WITHOUT ROWID;
INSERT INTO holds (merchant_id, hold_id, show_id, number, variant_id, platform, viewer_id, person, receipt_id, quantity, price_minor, currency, state,
  claim_platform, claim_message, claim_part, decided_ms, due_ms, expires_ms, opened, reminded, unheard, extended, draft, checkout, draft_ms,
  contained, order_store, late) SELECT merchant_id, hold_id, show_id, number, variant_id, platform, viewer_id, person, receipt_id, quantity,
  price_minor, currency, state, claim_platform, claim_message, claim_part, decided_ms, due_ms, expires_ms, opened, reminded, unheard, extended, draft,
  checkout, draft_ms, contained, order_store, late FROM holds_2;
DROP TABLE holds_2;
CREATE INDEX holds_open ON holds (merchant_id, expires_ms) WHERE state IN ('held', 'offered');
CREATE INDEX holds_paid ON holds (merchant_id, person) WHERE state = 'paid';

-- +goose Down

DROP INDEX claims_show;
ALTER TABLE claims RENAME TO claims_3;
CREATE TABLE claims (
  merchant_id BIGINT NOT NULL,
  platform    TEXT NOT NULL,
  message_id  TEXT NOT NULL,
  part        INTEGER NOT NULL,
  show_id     BIGINT NOT NULL,
  -- whose claim it is: a browser bound to a Twitch viewer claims in the room (platform, above) for that viewer
  viewer_platform TEXT NOT NULL,
  viewer_id   TEXT NOT NULL,
  kind        TEXT NOT NULL,
  number      INTEGER NOT NULL,
  variant_id  BIGINT NOT NULL,
  quantity    INTEGER NOT NULL,
  reason      TEXT NOT NULL,
  hold_id     BIGINT NOT NULL,
  decided_ms  BIGINT NOT NULL,
  PRIMARY KEY (merchant_id, platform, message_id, part)
);
INSERT INTO claims (merchant_id, platform, message_id, part, show_id, viewer_platform, viewer_id, kind, number, variant_id, quantity, reason, hold_id,
  decided_ms) SELECT merchant_id, platform, message_id, part, show_id, viewer_platform, viewer_id, kind, number, variant_id, quantity, reason,
  hold_id, decided_ms FROM claims_3;
DROP TABLE claims_3;
CREATE INDEX claims_show ON claims (merchant_id, decided_ms);

INSERT INTO viewers (merchant_id, platform, viewer_id, name, seen_ms)
SELECT merchant_id, platform, viewer_id, MAX(name), 0 FROM receipts GROUP BY merchant_id, platform, viewer_id ON CONFLICT DO NOTHING;
ALTER TABLE browsers DROP COLUMN name;
-- The addresses of receipts that were given out are void in the older version: it gives out others.
ALTER TABLE receipts RENAME TO receipts_3;
CREATE TABLE receipts (
  merchant_id BIGINT NOT NULL,
  receipt_id  BIGINT NOT NULL,
  show_id     BIGINT NOT NULL,
  platform    TEXT NOT NULL,
  viewer_id   TEXT NOT NULL,
  generation  INTEGER NOT NULL DEFAULT 0,
  token_hash  BYTEA NOT NULL UNIQUE,
  PRIMARY KEY (merchant_id, receipt_id),
  UNIQUE (merchant_id, show_id, platform, viewer_id)
);
INSERT INTO receipts (merchant_id, receipt_id, show_id, platform, viewer_id, generation, token_hash)
SELECT merchant_id, receipt_id, show_id, platform, viewer_id, generation, CAST(receipt_id AS BLOB) FROM receipts_3;
DROP TABLE receipts_3;

DROP INDEX holds_open;
DROP INDEX holds_paid;
ALTER TABLE holds RENAME TO holds_3;
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
  claim_platform, claim_message, claim_part, decided_ms, due_ms, expires_ms, opened, reminded, unheard, extended, draft, checkout, draft_ms,
  contained, order_store, late) SELECT merchant_id, hold_id, show_id, number, variant_id, platform, viewer_id, person, receipt_id, quantity,
  price_minor, currency, state, claim_platform, claim_message, claim_part, decided_ms, due_ms, expires_ms, opened, reminded, unheard, extended, draft,
  checkout, draft_ms, contained, order_store, late FROM holds_3;
DROP TABLE holds_3;
CREATE INDEX holds_open ON holds (merchant_id, expires_ms) WHERE state IN ('held', 'offered');
CREATE INDEX holds_paid ON holds (merchant_id, person) WHERE state = 'paid';
