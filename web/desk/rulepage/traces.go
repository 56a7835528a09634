package rulepage

import (
	"errors"
	"net/http"
	"strings"
	"time"

	"hawker/web/desk/ruleform"

	"hawker/internal/live"
	"hawker/internal/live/traces"
	"hawker/rules"
	"hawker/rules/book"
	"hawker/rules/rule"
	"hawker/web/desk/section"
)

// tracesPage is what rules made of what happened in the last minutes.
type tracesPage struct {
	Query   string
	Rows    []traceRow
	Minutes int
	Here    bool
	More    int
}

type traceRow struct {
	At    when
	Who   string
	Text  string
	Event string
	Looks []book.Look
	Fired int
	Did   string
}

// tracesMost is how many are shown.
const tracesMost = 200

// traces shows what rules made of what happened.
func (p *Pages) traces(w http.ResponseWriter, r *http.Request, v *section.Visitor) error {
	page := &tracesPage{Query: strings.TrimSpace(r.URL.Query().Get("q")), Minutes: int(traces.Kept / time.Minute), Here: true}
	all, err := p.Hub.Traces(r.Context(), v.Merchant.ID)
	if errors.Is(err, live.ErrNotHere) {
		page.Here, err = false, nil
	}
	if err != nil {
		return err
	}
	words := rules.Fold(page.Query)
	for i := range all {
		t := &all[i]
		row := traceRow{At: when{t.At, t.At.In(v.Place).Format("15:04:05")}, Who: t.Viewer.Name, Text: t.Text, Event: string(t.Event), Looks: t.Looks}
		if t.Channel.ID != "" {
			row.Who = strings.TrimSpace(row.Who + " on " + t.Channel.Platform.Title())
		}
		if t.Event == rule.Line {
			row.Event = ""
		}
		names := ""
		for _, l := range t.Looks {
			names += " " + l.Name
			if l.Fired {
				row.Fired++
			}
		}
		if words != "" && !strings.Contains(rules.Fold(row.Who+" "+row.Text+" "+row.Event+names), words) {
			continue
		}
		row.Did = cmpOr(strings.Join(ruleform.Texts(t.Did), ", "), "fired")
		if len(page.Rows) == tracesMost {
			page.More++
			continue
		}
		page.Rows = append(page.Rows, row)
	}
	return p.show(w, r, v, "traces", "What rules did", nil, page)
}
