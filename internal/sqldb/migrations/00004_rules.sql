-- +goose Up
-- Each save of a merchant's rules is a version; the one with the greatest number is in force. The key lets no two saves be the
-- same version, so that nobody writes over what somebody else saved meanwhile.
CREATE TABLE rule_versions (
  merchant_id BIGINT NOT NULL REFERENCES merchants,
  version     BIGINT NOT NULL CHECK (version > 0),
  at_ms       BIGINT NOT NULL, -- 0: before there were versions
  author      TEXT NOT NULL,
  note        TEXT NOT NULL DEFAULT '',
  rules       TEXT NOT NULL, -- a JSON array, in their order
  PRIMARY KEY (merchant_id, version)
);

-- How often a rule fired for one person, channel or show, for what may happen "at most" so often. show_id is 0 outside of shows.
CREATE TABLE rule_counters (
  merchant_id BIGINT NOT NULL REFERENCES merchants,
  rule_id     BIGINT NOT NULL,
  show_id     BIGINT NOT NULL,
  scope       INTEGER NOT NULL,
  whose       TEXT NOT NULL,
  fired       BIGINT NOT NULL,
  last_ms     BIGINT NOT NULL,
  PRIMARY KEY (merchant_id, rule_id, show_id, scope, whose)
);

-- What rules set by name: counters (number = 1) and variables of the merchant.
CREATE TABLE variables (
  merchant_id BIGINT NOT NULL REFERENCES merchants,
  name        TEXT NOT NULL,
  number      INTEGER NOT NULL,
  value       TEXT NOT NULL,
  PRIMARY KEY (merchant_id, name, number)
);

-- Addresses that anybody who has them may post to, each an event for rules. Their tokens are derived.
CREATE TABLE hooks (
  merchant_id BIGINT NOT NULL REFERENCES merchants,
  hook_id     BIGINT NOT NULL,
  name        TEXT NOT NULL,
  generation  INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (merchant_id, hook_id),
  UNIQUE (merchant_id, name)
);
-- Of the secret by which receivers of outgoing webhooks know that they come from here; raised, the former one is void.
ALTER TABLE merchants ADD COLUMN hook_generation INTEGER NOT NULL DEFAULT 0;

-- What viewers asked, for the host's desk. Asked twice by one person, the newer text stands.
CREATE TABLE questions (
  merchant_id BIGINT NOT NULL REFERENCES merchants,
  question_id BIGINT NOT NULL,
  show_id     BIGINT NOT NULL,
  platform    TEXT NOT NULL,
  channel_id  TEXT NOT NULL,
  viewer_id   TEXT NOT NULL,
  name        TEXT NOT NULL,
  text        TEXT NOT NULL,
  at_ms       BIGINT NOT NULL,
  done_ms     BIGINT NOT NULL DEFAULT 0,
  PRIMARY KEY (merchant_id, question_id)
);
CREATE INDEX questions_open ON questions (merchant_id, show_id) WHERE done_ms = 0;

-- Discount codes, one for each person and rule for ever. The row is made before the store is asked, so that a crash in between
-- finds what was asked for and no second code is made.
CREATE TABLE discounts (
  merchant_id BIGINT NOT NULL REFERENCES merchants,
  rule_id     BIGINT NOT NULL,
  person      TEXT NOT NULL,
  code        TEXT NOT NULL,
  show_id     BIGINT NOT NULL,
  made_ms     BIGINT NOT NULL,
  ends_ms     BIGINT NOT NULL DEFAULT 0,
  ready       INTEGER NOT NULL DEFAULT 0, -- the store has it
  trouble     TEXT NOT NULL DEFAULT '',
  PRIMARY KEY (merchant_id, rule_id, person)
);
CREATE INDEX discounts_person ON discounts (merchant_id, person);

INSERT INTO rule_versions (merchant_id, version, at_ms, author, rules)
SELECT merchant_id, 1, 0, '', '[' || string_agg('{"id":"' || CAST(rule_id AS TEXT) || '",' || substr(body, 2), ',' ORDER BY position) || ']'
FROM rules GROUP BY merchant_id;
DROP TABLE rules;

-- +goose Down
-- An older version knows few of the things that rules can do now, so it begins with its own.
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
DROP TABLE discounts; DROP TABLE questions; DROP TABLE hooks; DROP TABLE variables; DROP TABLE rule_counters; DROP TABLE rule_versions;
ALTER TABLE merchants DROP COLUMN hook_generation;
