package rulebook

import (
	"context"
	"database/sql"
	"time"

	"hawker/commerce"
	"hawker/internal/chat"
	"hawker/internal/sqldb/stored"
)

// Question is what a viewer wants to know, on the host's desk.
type Question struct {
	ID      commerce.ID  `json:"id"`
	Show    commerce.ID  `json:"show,omitzero"`
	Channel chat.Channel `json:"channel,omitzero"`
	Viewer  chat.Viewer  `json:"viewer,omitzero"`
	Text    string       `json:"text"`
	At      time.Time    `json:"at"`
}

// openMost bounds how many open questions of a show there are; the oldest make room.
const openMost = 500

// PutQuestion puts a question on the desk; the id makes repeating it harmless.
func (b *Book) PutQuestion(ctx context.Context, merchant commerce.ID, q Question) error {
	return b.Tx(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO questions (merchant_id, question_id, show_id, platform, channel_id, viewer_id, name, text, at_ms)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT DO NOTHING`,
			int64(merchant), int64(q.ID), int64(q.Show), string(q.Channel.Platform), q.Channel.ID, q.Viewer.ID, q.Viewer.Name, q.Text, stored.MS(q.At))
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `DELETE FROM questions WHERE merchant_id = $1 AND show_id = $2 AND done_ms = 0 AND question_id NOT IN
(SELECT question_id FROM questions WHERE merchant_id = $1 AND show_id = $2 AND done_ms = 0 ORDER BY question_id DESC LIMIT $3)`,
			int64(merchant), int64(q.Show), openMost)
		return err
	})
}

// Questions are the open questions of a show, the oldest first.
func (b *Book) Questions(ctx context.Context, merchant, show commerce.ID) ([]Question, error) {
	var out []Question
	err := b.rows(ctx, func(r *sql.Rows) error {
		q := Question{Show: show}
		var at int64
		err := r.Scan(&q.ID, &q.Channel.Platform, &q.Channel.ID, &q.Viewer.ID, &q.Viewer.Name, &q.Text, &at)
		q.Viewer.Platform, q.At = q.Channel.Platform, stored.Time(at)
		out = append(out, q)
		return err
	}, `SELECT question_id, platform, channel_id, viewer_id, name, text, at_ms FROM questions WHERE merchant_id = $1 AND show_id = $2 AND done_ms = 0 ORDER BY question_id`,
		int64(merchant), int64(show))
	return out, err
}

// EndQuestion takes a question off the desk, answered or not. NotFound when it is not there.
func (b *Book) EndQuestion(ctx context.Context, merchant, question commerce.ID) error {
	return b.Tx(ctx, func(tx *sql.Tx) error {
		res, err := tx.ExecContext(ctx, `UPDATE questions SET done_ms = $1 WHERE merchant_id = $2 AND question_id = $3 AND done_ms = 0`,
			time.Now().UnixMilli(), int64(merchant), int64(question))
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil || n > 0 {
			return err
		}
		return b.NotFound
	})
}
