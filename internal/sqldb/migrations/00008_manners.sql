-- +goose Up
-- How a merchant's bot behaves in chats: where it is silent, whose name it does not say, whom it does not hear, what its commands
-- are called. A row stands for what is in force; who turned it on or off stands in manner_changes.
CREATE TABLE manners (
  merchant_id BIGINT NOT NULL REFERENCES merchants,
  kind        TEXT NOT NULL,
  name        TEXT NOT NULL,
  value       TEXT NOT NULL DEFAULT '',
  author      TEXT NOT NULL,
  at_ms       BIGINT NOT NULL,
  PRIMARY KEY (merchant_id, kind, name)
);

CREATE TABLE manner_changes (
  merchant_id BIGINT NOT NULL REFERENCES merchants,
  change_id   BIGINT NOT NULL,
  kind        TEXT NOT NULL,
  name        TEXT NOT NULL,
  dropped     INTEGER NOT NULL,
  author      TEXT NOT NULL,
  at_ms       BIGINT NOT NULL,
  PRIMARY KEY (merchant_id, change_id)
);

-- +goose Down
DROP TABLE manner_changes; DROP TABLE manners;
