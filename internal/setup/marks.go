package setup

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"

	"hawker/commerce"
	"hawker/internal/sqldb"
)

// mark is what the last apply said of one thing that changes without the file: a secret or a stock figure.
type mark struct {
	Vars map[string]string `json:"vars,omitempty"` // names of variables by key, such as token_env: SHOP_TOKEN
	Sum  string            `json:"sum"`            // of the values
}

// marks are a merchant's, by what they are of: "store", "stock MUG-1", "account twitch/1001 owner".
type marks map[string]mark

func marksName(merchant commerce.ID) string { return "applied/" + merchant.String() }

func loadMarks(ctx context.Context, db *sqldb.DB, merchant commerce.ID) (marks, error) {
	text, err := db.Setting(ctx, marksName(merchant))
	if sqldb.IsNotFound(err) {
		return marks{}, nil
	}
	if err != nil {
		return nil, fmt.Errorf("what was applied last: %w", err)
	}
	m := marks{}
	return m, json.Unmarshal([]byte(text), &m)
}

func (m marks) save(ctx context.Context, db *sqldb.DB, merchant commerce.ID) error {
	text, err := json.Marshal(m)
	if err != nil {
		return err
	}
	return db.PutSetting(ctx, marksName(merchant), string(text))
}

func (m marks) equal(o marks) bool {
	return maps.EqualFunc(m, o, func(a, b mark) bool { return a.Sum == b.Sum && maps.Equal(a.Vars, b.Vars) })
}

// sum is a fingerprint of values; the values are long and random, or no secrets.
func sum(values ...string) string {
	h := sha256.New()
	for _, v := range values {
		h.Write(binary.BigEndian.AppendUint32(nil, uint32(len(v))))
		h.Write([]byte(v))
	}
	return hex.EncodeToString(h.Sum(nil))
}

// Keys of marks.
func storeMark() string                        { return "store" }
func passwordMark(email string) string         { return "password " + email }
func stockMark(sku string) string              { return "stock " + sku }
func ingestMark(show string) string            { return "ingest " + show }
func destinationMark(show, name string) string { return "destination " + show + " " + name }
func accountMark(platform, id, purpose string) string {
	return "account " + platform + "/" + id + " " + purpose
}
