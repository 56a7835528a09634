-- +goose Up
-- What the merchant tagged a product with: rules ask for it.
ALTER TABLE products ADD COLUMN tags TEXT NOT NULL DEFAULT '[]';

-- +goose Down
ALTER TABLE products DROP COLUMN tags;
