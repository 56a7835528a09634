-- +goose Up
-- Batches of claims that are durable and whose rows do not stand in their tables yet. Only PostgreSQL's are written here first;
-- where a backup brings such rows to SQLite, they go to their tables when the merchant is loaded. body: internal/sqldb/bulk, Pack.
CREATE TABLE journal (
  merchant_id BIGINT NOT NULL,
  seq         BIGINT NOT NULL,
  body        BYTEA NOT NULL,
  PRIMARY KEY (merchant_id, seq)
);

-- +goose Down
DROP TABLE journal;
