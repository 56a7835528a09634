package sqldb

import (
	"hawker/internal/sqldb/manners"
	"hawker/internal/sqldb/rulebook"
)

// Rulebook is what is kept for merchants' rules.
func (db *DB) Rulebook() *rulebook.Book {
	return &rulebook.Book{Read: db.read, Tx: db.inTx, Key: db.key, NotFound: ErrNotFound}
}

// Manners are how merchants' bots behave in chats.
func (db *DB) Manners() *manners.Book { return &manners.Book{Read: db.read, Tx: db.inTx} }
