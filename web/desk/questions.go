package desk

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"time"

	"hawker/commerce"
	"hawker/internal/sqldb"
	"hawker/internal/sqldb/rulebook"
	"hawker/web/ui"
)

// questionsShown bounds how many questions are listed; the oldest of more than these come up as newer ones are answered.
const questionsShown = 60

// questionRow is a question that a rule put on the desk.
type questionRow struct {
	ID                           commerce.ID
	Who, Platform, Text, At, ISO string
}

// questions fills in what viewers want to know, the newest first.
func (d *Desk) questions(ctx context.Context, v *Visitor, p *showPage) error {
	all, err := d.DB.Rulebook().Questions(ctx, v.Merchant.ID, p.ID)
	if err != nil {
		return err
	}
	p.Answers = v.May(Run)
	for _, q := range slices.Backward(all[max(0, len(all)-questionsShown):]) {
		p.Questions = append(p.Questions, questionOf(q, v.Place))
	}
	p.Asked, p.MoreQuestions = len(all), len(all)-len(p.Questions)
	return nil
}

func questionOf(q rulebook.Question, place *time.Location) questionRow {
	row := questionRow{ID: q.ID, Who: "A rule", Platform: q.Channel.Platform.Title(), Text: q.Text, At: clock(q.At, place), ISO: q.At.UTC().Format(time.RFC3339)}
	if q.Viewer.ID != "" {
		row.Who, row.Platform = nameOf(q.Viewer), cmp.Or(q.Viewer.Platform, q.Channel.Platform).Title()
	}
	return row
}

// answered takes a question off the desk, for everybody who looks at it. One that somebody else took off before is answered alike.
func (d *Desk) answered(w http.ResponseWriter, r *http.Request, v *Visitor) error {
	id, err := showID(r)
	if err != nil {
		return err
	}
	question, err := commerce.ParseID(r.PostFormValue("question"))
	if err != nil {
		return ui.Problem(http.StatusBadRequest, "Which question is meant?")
	}
	if err := d.DB.Rulebook().EndQuestion(r.Context(), v.Merchant.ID, question); err != nil && !sqldb.IsNotFound(err) {
		return err
	}
	d.Hub.QuestionsChanged(v.Merchant.ID, id)
	return d.shown(w, r, v, id)
}
