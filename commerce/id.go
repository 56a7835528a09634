package commerce

import (
	"time"

	"hawker/commerce/id"
)

// ID names a row of ours. IDs sort by time of making; they are strings in JSON and addresses.
type ID = id.ID

// NewID makes an ID at time now; see id.New.
func NewID(now time.Time) ID { return id.New(now) }

// ParseID reads what ID.String writes.
func ParseID(s string) (ID, error) { return id.Parse(s) }
