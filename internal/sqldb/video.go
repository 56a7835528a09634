package sqldb

import (
	"context"

	"hawker/commerce"
	"hawker/internal/sqldb/videobook"
)

// Ingest and Destination are where a show's video comes in, and where it goes.
type (
	Ingest      = videobook.Ingest
	Destination = videobook.Destination
)

// Videobook is what is kept of how the video of shows is carried.
func (db *DB) Videobook() *videobook.Book {
	return &videobook.Book{Read: db.read, Tx: db.inTx, Key: db.key, NotFound: ErrNotFound, Taken: ErrTaken, IsTaken: isTaken}
}

// PutIngest gives a show a stream key; ErrTaken when it is another's.
func (db *DB) PutIngest(ctx context.Context, merchant, show commerce.ID, key string) error {
	return db.Videobook().PutKey(ctx, merchant, show, key, false)
}

// IngestOf is a show's ingest; ErrNotFound when it has none.
func (db *DB) IngestOf(ctx context.Context, merchant, show commerce.ID) (Ingest, error) {
	return db.Videobook().IngestOf(ctx, merchant, show, false)
}

// ShowOfKey finds the show a stream key belongs to; ErrNotFound when it is nobody's.
func (db *DB) ShowOfKey(ctx context.Context, key string) (merchant, show commerce.ID, err error) {
	o, err := db.Videobook().OwnerOf(ctx, key)
	return o.Merchant, o.Show, err
}

// PutDestination writes a destination; see videobook.Book.
func (db *DB) PutDestination(ctx context.Context, merchant commerce.ID, d Destination) (commerce.ID, error) {
	return db.Videobook().PutDestination(ctx, merchant, d)
}

// DropDestination removes a destination.
func (db *DB) DropDestination(ctx context.Context, merchant, id commerce.ID) error {
	return db.Videobook().DropDestination(ctx, merchant, id)
}

// Destinations are where a show's video goes, with their keys, the most important first.
func (db *DB) Destinations(ctx context.Context, merchant, show commerce.ID) ([]Destination, error) {
	return db.Videobook().Destinations(ctx, merchant, show)
}
