-- +goose Up
-- Of what a first claim writes only its key in claims stands at a random place: names of viewers stand with their receipts, in
-- the order of time, and a receipt's address says which receipt it opens (its token cannot be found again by the older
-- addresses). Claims of one time stand together, so their time needs no tree: a summary of each part of the table will do
-- (BRIN). Keys are compared as bytes, not as words of a language. One receipt for each viewer of a show is kept by the till, whose
-- fence keeps others out.
ALTER TABLE receipts DROP CONSTRAINT receipts_merchant_id_show_id_platform_viewer_id_key;
ALTER TABLE receipts ADD COLUMN name TEXT NOT NULL DEFAULT '';
UPDATE receipts SET name = v.name FROM viewers v WHERE v.merchant_id = receipts.merchant_id AND v.platform = receipts.platform AND v.viewer_id = receipts.viewer_id;
ALTER TABLE receipts DROP COLUMN token_hash;
ALTER TABLE browsers ADD COLUMN name TEXT NOT NULL DEFAULT '';
UPDATE browsers SET name = v.name FROM viewers v WHERE v.merchant_id = browsers.merchant_id AND v.platform = browsers.platform AND v.viewer_id = browsers.viewer_id;
DELETE FROM viewers WHERE person = '';

DROP INDEX claims_show;
CREATE INDEX claims_show ON claims USING brin (decided_ms);
-- What is large here is read once or never: to compress it while a viewer waits would cost more than its room.
ALTER TABLE ledger ALTER COLUMN body SET STORAGE EXTERNAL;
ALTER TABLE effects ALTER COLUMN body SET STORAGE EXTERNAL;
ALTER TABLE claims ALTER COLUMN platform TYPE TEXT COLLATE "C", ALTER COLUMN message_id TYPE TEXT COLLATE "C";

-- +goose Down
INSERT INTO viewers (merchant_id, platform, viewer_id, name, seen_ms)
SELECT merchant_id, platform, viewer_id, MAX(name), 0 FROM receipts GROUP BY merchant_id, platform, viewer_id ON CONFLICT DO NOTHING;
ALTER TABLE browsers DROP COLUMN name;
ALTER TABLE receipts DROP COLUMN name;
-- The addresses of receipts that were given out are void in the older version: it gives out others.
ALTER TABLE receipts ADD COLUMN token_hash BYTEA;
UPDATE receipts SET token_hash = int8send(receipt_id);
ALTER TABLE receipts ALTER COLUMN token_hash SET NOT NULL;
ALTER TABLE receipts ADD UNIQUE (token_hash);
ALTER TABLE receipts ADD CONSTRAINT receipts_merchant_id_show_id_platform_viewer_id_key UNIQUE (merchant_id, show_id, platform, viewer_id);
ALTER TABLE ledger ALTER COLUMN body SET STORAGE EXTENDED;
ALTER TABLE effects ALTER COLUMN body SET STORAGE EXTENDED;
ALTER TABLE claims ALTER COLUMN platform TYPE TEXT, ALTER COLUMN message_id TYPE TEXT;
DROP INDEX claims_show;
CREATE INDEX claims_show ON claims (merchant_id, decided_ms);
