-- +goose Up
-- Written in what SQLite and PostgreSQL share. Times are _ms since 1970 UTC, flags 0 or 1, BYTEA is a blob in SQLite too.

CREATE TABLE merchants (
  merchant_id BIGINT PRIMARY KEY,
  slug        TEXT NOT NULL UNIQUE,
  name        TEXT NOT NULL,
  currency    TEXT NOT NULL,
  timezone    TEXT NOT NULL,
  language    TEXT NOT NULL,
  practice    INTEGER NOT NULL DEFAULT 0,
  created_ms  BIGINT NOT NULL
);

CREATE TABLE members (
  merchant_id   BIGINT NOT NULL REFERENCES merchants,
  member_id     BIGINT NOT NULL,
  email         TEXT NOT NULL,
  role          TEXT NOT NULL CHECK (role IN ('owner', 'manager', 'creator', 'moderator')),
  password_hash TEXT NOT NULL DEFAULT '',
  created_ms    BIGINT NOT NULL,
  PRIMARY KEY (merchant_id, member_id),
  UNIQUE (merchant_id, email)
);

CREATE TABLE sessions (
  session_hash BYTEA PRIMARY KEY,
  merchant_id  BIGINT NOT NULL,
  member_id    BIGINT NOT NULL,
  created_ms   BIGINT NOT NULL,
  expires_ms   BIGINT NOT NULL
);

-- One row for each thing that the operator of the installation typed in the dashboard; values are sealed.
CREATE TABLE settings (
  name  TEXT PRIMARY KEY,
  value BYTEA NOT NULL
);

CREATE TABLE accounts (
  merchant_id BIGINT NOT NULL REFERENCES merchants,
  platform    TEXT NOT NULL,
  platform_id TEXT NOT NULL,
  purpose     TEXT NOT NULL CHECK (purpose IN ('owner', 'bot')),
  name        TEXT NOT NULL,
  token       BYTEA NOT NULL,
  updated_ms  BIGINT NOT NULL,
  PRIMARY KEY (merchant_id, platform, platform_id, purpose)
);

CREATE TABLE channels (
  merchant_id BIGINT NOT NULL REFERENCES merchants,
  platform    TEXT NOT NULL,
  channel_id  TEXT NOT NULL,
  name        TEXT NOT NULL,
  guild       TEXT NOT NULL DEFAULT '',
  owner_id    TEXT NOT NULL DEFAULT '',
  bot_id      TEXT NOT NULL DEFAULT '',
  cursor      TEXT NOT NULL DEFAULT '',
  mark_ms     BIGINT NOT NULL DEFAULT 0,
  PRIMARY KEY (merchant_id, platform, channel_id)
);

CREATE TABLE stores (
  merchant_id BIGINT PRIMARY KEY REFERENCES merchants,
  kind        TEXT NOT NULL CHECK (kind IN ('shopify', 'own')),
  shop        TEXT NOT NULL DEFAULT '',
  secret      BYTEA,
  holds       TEXT NOT NULL DEFAULT 'draft',
  orders_ms   BIGINT NOT NULL DEFAULT 0
);
CREATE UNIQUE INDEX stores_shop ON stores (shop) WHERE shop <> '';

CREATE TABLE products (
  merchant_id BIGINT NOT NULL REFERENCES merchants,
  product_id  BIGINT NOT NULL,
  title       TEXT NOT NULL,
  image       TEXT NOT NULL DEFAULT '',
  store       TEXT NOT NULL DEFAULT '',
  options     TEXT NOT NULL DEFAULT '[]',
  PRIMARY KEY (merchant_id, product_id)
);
CREATE UNIQUE INDEX products_store ON products (merchant_id, store) WHERE store <> '';

CREATE TABLE variants (
  merchant_id BIGINT NOT NULL,
  variant_id  BIGINT NOT NULL,
  product_id  BIGINT NOT NULL,
  position    INTEGER NOT NULL,
  sku         TEXT NOT NULL DEFAULT '',
  options     TEXT NOT NULL DEFAULT '[]',
  price_minor BIGINT NOT NULL CHECK (price_minor >= 0),
  currency    TEXT NOT NULL,
  store       TEXT NOT NULL DEFAULT '',
  inventory   TEXT NOT NULL DEFAULT '',
  PRIMARY KEY (merchant_id, variant_id),
  FOREIGN KEY (merchant_id, product_id) REFERENCES products
);
CREATE UNIQUE INDEX variants_store ON variants (merchant_id, store) WHERE store <> '';
CREATE INDEX variants_product ON variants (merchant_id, product_id);

CREATE TABLE shows (
  merchant_id BIGINT NOT NULL REFERENCES merchants,
  show_id     BIGINT NOT NULL,
  name        TEXT NOT NULL,
  title       TEXT NOT NULL,
  state       TEXT NOT NULL CHECK (state IN ('planned', 'live', 'ended')),
  hold_ms     BIGINT NOT NULL DEFAULT 0,
  holds       TEXT NOT NULL DEFAULT 'draft',
  styles      TEXT NOT NULL DEFAULT '{}',
  on_air      INTEGER NOT NULL DEFAULT 0,
  paused_ms   BIGINT NOT NULL DEFAULT 0,
  started_ms  BIGINT NOT NULL DEFAULT 0,
  ended_ms    BIGINT NOT NULL DEFAULT 0,
  PRIMARY KEY (merchant_id, show_id)
);
-- /live/NAME is one address of the installation.
CREATE UNIQUE INDEX shows_name ON shows (name);

CREATE TABLE show_channels (
  merchant_id BIGINT NOT NULL,
  show_id     BIGINT NOT NULL,
  platform    TEXT NOT NULL,
  channel_id  TEXT NOT NULL,
  live        INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (merchant_id, show_id, platform, channel_id)
);
-- A channel is in at most one live show.
CREATE UNIQUE INDEX show_channels_live ON show_channels (merchant_id, platform, channel_id) WHERE live = 1;

CREATE TABLE items (
  merchant_id BIGINT NOT NULL,
  show_id     BIGINT NOT NULL,
  number      INTEGER NOT NULL CHECK (number > 0),
  position    INTEGER NOT NULL,
  product_id  BIGINT NOT NULL,
  code        TEXT NOT NULL DEFAULT '',
  cap         INTEGER NOT NULL DEFAULT 0,
  hold_ms     BIGINT NOT NULL DEFAULT 0,
  price_minor BIGINT NOT NULL DEFAULT 0,
  currency    TEXT NOT NULL DEFAULT '',
  closed      INTEGER NOT NULL DEFAULT 0,
  first_paid  INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (merchant_id, show_id, number)
);

-- The fence: a batch moves seq by one under its epoch, a takeover raises both.
CREATE TABLE tills (
  merchant_id BIGINT PRIMARY KEY REFERENCES merchants,
  epoch       BIGINT NOT NULL,
  seq         BIGINT NOT NULL,
  entry       BIGINT NOT NULL DEFAULT 0,
  hash        BYTEA
);

CREATE TABLE stock (
  merchant_id BIGINT NOT NULL,
  variant_id  BIGINT NOT NULL,
  available   BIGINT NOT NULL,
  held        BIGINT NOT NULL DEFAULT 0,
  sold        BIGINT NOT NULL DEFAULT 0,
  short       BIGINT NOT NULL DEFAULT 0,
  safety      BIGINT NOT NULL DEFAULT 0,
  endless     INTEGER NOT NULL DEFAULT 0,
  read_ms     BIGINT NOT NULL DEFAULT 0,
  PRIMARY KEY (merchant_id, variant_id),
  CHECK (held >= 0 AND sold >= 0 AND short >= 0 AND (endless = 1 OR held + sold <= available + short))
);

-- What was decided for ever, once for each key.
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
CREATE INDEX claims_show ON claims (merchant_id, decided_ms);

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

-- Names of people stand here and nowhere else, where they can be erased without breaking any chain.
CREATE TABLE viewers (
  merchant_id BIGINT NOT NULL,
  platform    TEXT NOT NULL,
  viewer_id   TEXT NOT NULL,
  name        TEXT NOT NULL,
  person      TEXT NOT NULL DEFAULT '',
  seen_ms     BIGINT NOT NULL,
  PRIMARY KEY (merchant_id, platform, viewer_id)
);

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
  state         TEXT NOT NULL CHECK (state IN ('held', 'paid', 'expired', 'passed', 'released')),
  claim_platform TEXT NOT NULL,
  claim_message TEXT NOT NULL,
  claim_part    INTEGER NOT NULL,
  decided_ms    BIGINT NOT NULL,
  due_ms        BIGINT NOT NULL,
  expires_ms    BIGINT NOT NULL,
  opened        INTEGER NOT NULL DEFAULT 0,
  draft         TEXT NOT NULL DEFAULT '',
  checkout      TEXT NOT NULL DEFAULT '',
  draft_ms      BIGINT NOT NULL DEFAULT 0,
  contained     INTEGER NOT NULL DEFAULT 0,
  order_store   TEXT NOT NULL DEFAULT '',
  late          INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (merchant_id, hold_id)
);
CREATE INDEX holds_open ON holds (merchant_id, expires_ms) WHERE state = 'held';

CREATE TABLE places (
  merchant_id   BIGINT NOT NULL,
  place_id      BIGINT NOT NULL,
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
  -- where the answer goes when its turn comes; never a private token, which ends before that
  answer_kind     INTEGER NOT NULL,
  answer_platform TEXT NOT NULL,
  answer_channel  TEXT NOT NULL,
  answer_message  TEXT NOT NULL,
  since_ms      BIGINT NOT NULL,
  state         TEXT NOT NULL CHECK (state IN ('waiting', 'promoted', 'left')),
  claim_platform TEXT NOT NULL,
  claim_message TEXT NOT NULL,
  claim_part    INTEGER NOT NULL,
  PRIMARY KEY (merchant_id, place_id)
);
CREATE INDEX places_waiting ON places (merchant_id, place_id) WHERE state = 'waiting';

CREATE TABLE orders (
  merchant_id BIGINT NOT NULL,
  store       TEXT NOT NULL,
  name        TEXT NOT NULL,
  show_id     BIGINT NOT NULL,
  state       TEXT NOT NULL,
  total_minor BIGINT NOT NULL,
  currency    TEXT NOT NULL,
  lines       TEXT NOT NULL,
  holds       TEXT NOT NULL,
  draft       TEXT NOT NULL,
  took        TEXT NOT NULL,
  contained   INTEGER NOT NULL,
  unfilled    INTEGER NOT NULL,
  late        INTEGER NOT NULL,
  paid        INTEGER NOT NULL,
  test        INTEGER NOT NULL,
  platform    TEXT NOT NULL,
  viewer_id   TEXT NOT NULL,
  created_ms  BIGINT NOT NULL,
  updated_ms  BIGINT NOT NULL,
  PRIMARY KEY (merchant_id, store)
);

-- Webhooks as they came, settled once.
CREATE TABLE inbox (
  merchant_id BIGINT NOT NULL,
  webhook_id  TEXT NOT NULL,
  topic       TEXT NOT NULL,
  body        BYTEA NOT NULL,
  came_ms     BIGINT NOT NULL,
  done        INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (merchant_id, webhook_id)
);
CREATE INDEX inbox_open ON inbox (merchant_id, came_ms) WHERE done = 0;

-- What is to be done in the world because of a decision; a row goes when it is done.
CREATE TABLE effects (
  merchant_id  BIGINT NOT NULL,
  effect_id    BIGINT NOT NULL,
  kind         TEXT NOT NULL,
  body         BYTEA NOT NULL,
  not_after_ms BIGINT NOT NULL,
  PRIMARY KEY (merchant_id, effect_id)
);

CREATE TABLE ledger (
  merchant_id BIGINT NOT NULL,
  seq         BIGINT NOT NULL,
  at_ms       BIGINT NOT NULL,
  show_id     BIGINT NOT NULL,
  kind        TEXT NOT NULL,
  v           INTEGER NOT NULL,
  body        BYTEA NOT NULL,
  prev        BYTEA NOT NULL,
  hash        BYTEA NOT NULL,
  PRIMARY KEY (merchant_id, seq)
);

-- A browser that was bound to a viewer: it may change and give back.
CREATE TABLE browsers (
  merchant_id  BIGINT NOT NULL,
  browser_hash BYTEA NOT NULL,
  platform     TEXT NOT NULL,
  viewer_id    TEXT NOT NULL,
  bound_ms     BIGINT NOT NULL,
  PRIMARY KEY (merchant_id, browser_hash)
);

CREATE TABLE rules (
  merchant_id BIGINT NOT NULL,
  rule_id     BIGINT NOT NULL,
  position    INTEGER NOT NULL,
  name        TEXT NOT NULL,
  body        TEXT NOT NULL,
  enabled     INTEGER NOT NULL DEFAULT 1,
  PRIMARY KEY (merchant_id, rule_id),
  UNIQUE (merchant_id, name)
);

CREATE TABLE ingests (
  merchant_id BIGINT NOT NULL,
  show_id     BIGINT NOT NULL,
  key_hash    BYTEA NOT NULL UNIQUE,
  key_tail    TEXT NOT NULL,
  PRIMARY KEY (merchant_id, show_id)
);

CREATE TABLE destinations (
  merchant_id    BIGINT NOT NULL,
  destination_id BIGINT NOT NULL,
  show_id        BIGINT NOT NULL,
  name           TEXT NOT NULL,
  server         TEXT NOT NULL,
  stream_key     BYTEA NOT NULL,
  enabled        INTEGER NOT NULL DEFAULT 1,
  PRIMARY KEY (merchant_id, destination_id),
  UNIQUE (merchant_id, show_id, name)
);

CREATE TABLE overlays (
  merchant_id BIGINT NOT NULL,
  show_id     BIGINT NOT NULL,
  generation  INTEGER NOT NULL DEFAULT 0,
  token_hash  BYTEA NOT NULL UNIQUE,
  PRIMARY KEY (merchant_id, show_id)
);

-- +goose Down
DROP TABLE overlays; DROP TABLE destinations; DROP TABLE ingests; DROP TABLE rules; DROP TABLE browsers; DROP TABLE ledger; DROP TABLE effects;
DROP TABLE inbox; DROP TABLE orders; DROP TABLE places; DROP TABLE holds; DROP TABLE viewers; DROP TABLE receipts; DROP TABLE claims;
DROP TABLE stock; DROP TABLE tills; DROP TABLE items; DROP TABLE show_channels; DROP TABLE shows; DROP TABLE variants; DROP TABLE products;
DROP TABLE stores; DROP TABLE channels; DROP TABLE accounts; DROP TABLE settings; DROP TABLE sessions; DROP TABLE members; DROP TABLE merchants;
