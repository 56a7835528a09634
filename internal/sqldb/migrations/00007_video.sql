-- +goose Up
-- preset: of the platform, as relay/preset names it; '' for any other server. position: in the order of importance, the first stays longest when
-- the line cannot carry all. account: "twitch/1001", when server and key come from a connected account; session: what that account gave
-- for the stream that runs, sealed, so that an upgrade in mid-show asks for nothing anew.
ALTER TABLE destinations ADD COLUMN preset TEXT NOT NULL DEFAULT '';
ALTER TABLE destinations ADD COLUMN position INTEGER NOT NULL DEFAULT 0;
ALTER TABLE destinations ADD COLUMN account TEXT NOT NULL DEFAULT '';
ALTER TABLE destinations ADD COLUMN session BYTEA;

-- The stream keys of second encoders; their hashes, as in ingests.
CREATE TABLE backup_ingests (
  merchant_id BIGINT NOT NULL,
  show_id     BIGINT NOT NULL,
  key_hash    BYTEA NOT NULL UNIQUE,
  key_tail    TEXT NOT NULL,
  PRIMARY KEY (merchant_id, show_id)
);

-- How a show's video is carried. A show without a row has the defaults. clip names the file of the slate, as it was uploaded; video, width
-- and height are the codec and the size that its encoder sent last: a clip is prepared for them.
CREATE TABLE show_videos (
  merchant_id BIGINT NOT NULL,
  show_id     BIGINT NOT NULL,
  uplink_kbps INTEGER NOT NULL DEFAULT 0,
  ask_host    INTEGER NOT NULL DEFAULT 0,
  grace_ms    BIGINT NOT NULL DEFAULT 0,
  clip        TEXT NOT NULL DEFAULT '',
  video       TEXT NOT NULL DEFAULT '',
  width       INTEGER NOT NULL DEFAULT 0,
  height      INTEGER NOT NULL DEFAULT 0,
  kbps        INTEGER NOT NULL DEFAULT 0,
  record      INTEGER NOT NULL DEFAULT 1, -- it is kept as a file
  PRIMARY KEY (merchant_id, show_id)
);

-- +goose Down
DROP TABLE show_videos; DROP TABLE backup_ingests;
ALTER TABLE destinations DROP COLUMN session;
ALTER TABLE destinations DROP COLUMN account;
ALTER TABLE destinations DROP COLUMN position;
ALTER TABLE destinations DROP COLUMN preset;
