package rulepage

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"hawker/commerce"
	"hawker/internal/backtest"
	"hawker/internal/backtest/replay"
	"hawker/internal/live"
	"hawker/rules/book"
	"hawker/rules/rule"
	"hawker/rules/sentence"
	"hawker/web/desk/ruleform"
	"hawker/web/desk/section"
	"hawker/web/trial"
	"hawker/web/ui"
)

// backtestPage asks which show the rules are tried on, and shows what came of it.
type backtestPage struct {
	Shows    []ruleform.Option
	None     bool // no show was recorded
	What     string
	Sentence string // of the rule that is being written
	Draft    string
	Version  int64
	HasBase  bool // Version is set
	Pieces   string
	Item     string
	Hold     string
	Wrong    map[string]string
	Trial    trialPart
}

// trialPart is where the try stands.
type trialPart struct {
	Running   bool
	Stopped   bool
	Done, Of  int
	Progress  string
	Failed    string
	Result    *resultPart
	Title     string
	What      string
	At        when
	Took      string
	Variation string
}

// resultPart is what would have been different.
type resultPart struct {
	Lines      string
	Span       string
	Headline   []string
	Rules      []countRow
	Same       int // rules that fired as often as before
	Changed    int
	Changes    []differRow
	Left       int // changes that are not shown
	More       int
	Besides    []differRow
	BesideLeft int
	Stock      []stockRow
	Strayed    int
	Lacks      []string
}

type countRow struct {
	Name          string
	Before, After int
	New, Gone     bool
}

// Differs reports whether it fired more or less often.
func (c *countRow) Differs() bool { return c.Before != c.After }

type differRow struct {
	At                 when
	Who, Text          string
	Before, After      string
	BeforeSay, AfterDo []string
	BeforeDo, AfterSay []string
}

type stockRow struct {
	Number        int
	Title         string
	Before, After replay.Pieces
	Differs       bool
}

// shownMost is how many differences are shown; the rest is counted.
const shownMost = 100

func (p *Pages) backtest(w http.ResponseWriter, r *http.Request, v *section.Visitor) error {
	s := p.Trials.Now(v.Merchant.ID)
	page := &backtestPage{Draft: s.Ask.Draft, Version: s.Ask.Version, HasBase: s.Ask.Version > 0, What: s.Ask.What}
	if s.Ask.Pieces != 0 {
		page.Pieces = strconv.FormatInt(s.Ask.Pieces, 10)
	}
	if s.Ask.Item != 0 {
		page.Item = strconv.Itoa(s.Ask.Item)
	}
	page.Hold = ruleform.SpanText(s.Ask.Options.Hold)
	return p.showBacktest(w, r, v, page, s.Ask.Show.String(), nil)
}

// showBacktest shows the page with a show chosen; the newest with lines where none is.
func (p *Pages) showBacktest(w http.ResponseWriter, r *http.Request, v *section.Visitor, page *backtestPage, chosen string, change func(*ui.Frame)) error {
	shows, err := p.Trials.Shows(r.Context(), v.Merchant.ID)
	if err != nil {
		return err
	}
	for _, s := range shows {
		if s.Lines == 0 {
			continue
		}
		o := ruleform.Option{Value: s.ID.String(), Text: s.Title + ", " + dated(v, s.Started).Text + ", " + grouped(s.Lines) + " lines"}
		if s.Ended.IsZero() {
			o.Text += ", live now"
		}
		o.On = o.Value == chosen
		page.Shows = append(page.Shows, o)
	}
	page.None = len(page.Shows) == 0
	if page.What == "" {
		page.What = "the rules in force"
	}
	var x rule.Rule
	if page.Draft != "" && json.Unmarshal([]byte(page.Draft), &x) == nil {
		page.Sentence = sentence.Of(&x)
	}
	page.Trial = p.trial(v)
	return p.show(w, r, v, "backtest", "Back-test", func(f *ui.Frame) {
		f.Stream = "/rules/backtest/events"
		if change != nil {
			change(f)
		}
	}, page)
}

// backtestEvents streams where the try stands.
func (p *Pages) backtestEvents(w http.ResponseWriter, r *http.Request, v *section.Visitor) error {
	return p.Kit.Casts.Serve(w, r, "trial/"+v.Merchant.ID.String(), ui.Source{
		Watch: func(tell func(live.Signal)) (func(), error) {
			return p.Trials.Watch(v.Merchant.ID, func() { tell(live.Signal{}) }), nil
		},
		Render: func(context.Context) ([]ui.Part, error) {
			t := p.trial(v)
			html, err := p.pages.Part("backtest", "trial", &t)
			return []ui.Part{{Target: "#trial", HTML: html}}, err
		},
	}, nil)
}

// startBacktest looks at what is to be tried, begins it, or stops it.
func (p *Pages) startBacktest(w http.ResponseWriter, r *http.Request, v *section.Visitor) error {
	if err := r.ParseForm(); err != nil {
		return err
	}
	do := r.PostForm.Get("do")
	page := &backtestPage{}
	switch do {
	case "stop":
		p.Trials.Stop(v.Merchant.ID)
		if ui.Hx(r) {
			w.WriteHeader(http.StatusNoContent) // the stream brings what changed
			return nil
		}
		return onward(w, r, "/rules/backtest")
	case "form":
		a, err := read(r)
		if err != nil {
			return err
		}
		all, err := p.inForce(r.Context(), v)
		if err != nil {
			return err
		}
		x, ok := a.Check(options(v), without(all.Rules, a.id))
		if !ok {
			return p.showForm(w, r, v, a.heading(), trouble(http.StatusUnprocessableEntity, "Not tried yet: something in the form needs another look."), a)
		}
		x.ID = a.id
		text, err := json.Marshal(x)
		if err != nil {
			return err
		}
		page.Draft, page.What = string(text), "“"+x.Name+"” as it stands in the form"
		return p.showBacktest(w, r, v, page, "", nil)
	case "version":
		n, err := strconv.ParseInt(r.PostForm.Get("version"), 10, 64)
		if err != nil {
			return live.ErrNotFound
		}
		page.Version, page.HasBase, page.What = n, true, "version "+strconv.FormatInt(n, 10)
		return p.showBacktest(w, r, v, page, "", nil)
	case "force":
		return p.showBacktest(w, r, v, page, "", nil)
	}
	a, err := p.askOf(r, v, page)
	if err == nil {
		err = p.Trials.Start(v.Merchant.ID, a)
	}
	switch {
	case errors.Is(err, errWrong):
		return p.showBacktest(w, r, v, page, r.PostForm.Get("show"), trouble(http.StatusUnprocessableEntity, "Not begun yet: something in the form needs another look."))
	case errors.Is(err, trial.ErrRuns):
		return ui.Problem(http.StatusConflict, "A back-test runs already. Wait for its end, or stop it.")
	case err != nil:
		return err
	}
	return onward(w, r, "/rules/backtest")
}

// askOf reads what is to be tried. The error is errWrong where page.Wrong says what cannot be read.
func (p *Pages) askOf(r *http.Request, v *section.Visitor, page *backtestPage) (trial.Ask, error) {
	f := ruleform.New(r.PostForm)
	page.Wrong = map[string]string{}
	page.Draft, page.Pieces, page.Item, page.Hold = f.Get("draft"), f.Trimmed("pieces"), f.Trimmed("item"), f.Trimmed("hold")
	page.HasBase = f.Get("version") != ""
	a := trial.Ask{What: "the rules in force", Draft: page.Draft}
	all, err := p.inForce(r.Context(), v)
	if err != nil {
		return a, err
	}
	a.Rules = all.Rules
	switch {
	case page.HasBase:
		x, err := p.numbered(r.Context(), v, f.Get("version"))
		if err != nil {
			return a, err
		}
		a.Rules, a.Version, page.Version, a.What = x.Rules, x.Number, x.Number, "version "+strconv.FormatInt(x.Number, 10)
	case page.Draft != "":
		var x rule.Rule
		if err := json.Unmarshal([]byte(page.Draft), &x); err != nil {
			return a, ui.Problem(http.StatusBadRequest, "This form is not complete. Go back to the rule and try again.")
		}
		a.What = "“" + x.Name + "” as it stands in the form"
		a.Rules = slices.Clone(a.Rules)
		if i := find(a.Rules, x.ID); i >= 0 && x.ID != 0 {
			a.Rules[i] = x
		} else {
			a.Rules = append(a.Rules, x)
		}
	}
	page.What = a.What
	a.Rules = usable(v, a.Rules)
	shows, err := p.DB.Shows(r.Context(), v.Merchant.ID)
	if err != nil {
		return a, err
	}
	var show *commerce.Show
	for i := range shows {
		if shows[i].ID.String() == f.Get("show") {
			show = &shows[i]
		}
	}
	if show == nil {
		page.Wrong["show"] = "Choose a show."
		return a, errWrong
	}
	a.Show, a.Title = show.ID, show.Title
	n, err := strconv.ParseInt(strings.TrimPrefix(page.Pieces, "+"), 10, 64)
	if page.Pieces != "" && (err != nil || n < -99_999 || n > 99_999) {
		page.Wrong["pieces"] = "A number of pieces, such as 50, or -10 for fewer."
	}
	a.Pieces, a.Item = n, f.Number("item")
	if f.Faults["item"].Msg != "" || a.Item != 0 && show.Lineup.Item(a.Item) == nil {
		page.Wrong["item"] = "This show has no such item. Empty: each item."
	}
	hold, wrong := ruleform.Span(page.Hold)
	if wrong != "" {
		page.Wrong["hold"] = wrong
	} else if hold != 0 && (hold < commerce.MinHold || hold > commerce.MaxHold) {
		page.Wrong["hold"] = "From 1 minute to 7 days."
	}
	if len(page.Wrong) > 0 {
		return a, errWrong
	}
	a.Options.Hold = hold
	if n != 0 {
		a.Options.Extra = map[commerce.ID]int64{}
		for i := range show.Lineup.Items {
			it := &show.Lineup.Items[i]
			if a.Item != 0 && it.Number != a.Item {
				continue
			}
			for k := range it.Product.Variants {
				a.Options.Extra[it.Product.Variants[k].ID] = n
			}
		}
	}
	return a, nil
}

// usable are the rules without those that are left out when a show is live, too.
func usable(v *section.Visitor, all []rule.Rule) []rule.Rule {
	_, errs := book.Load(all, options(v))
	bad := map[int]bool{}
	for _, e := range errs {
		bad[e.Rule] = true
	}
	out := make([]rule.Rule, 0, len(all))
	for i := range all {
		if !bad[i] {
			out = append(out, all[i])
		}
	}
	return out
}

// trial is where the try stands, in words.
func (p *Pages) trial(v *section.Visitor) trialPart {
	s := p.Trials.Now(v.Merchant.ID)
	t := trialPart{Running: s.Running, Done: s.Done, Of: max(s.Of, 1), Title: s.Ask.Title, What: s.Ask.What, Variation: variation(&s.Ask)}
	switch {
	case s.Running && s.Of > 0:
		t.Progress = grouped(s.Done) + " of " + grouped(s.Of) + " lines"
	case s.Running:
		t.Progress = "Reading the show …"
	}
	if s.Err != nil {
		t.Failed = failed(s.Err)
		t.Stopped = errors.Is(s.Err, trial.ErrStopped)
	}
	if s.Result != nil {
		t.At, t.Took, t.Result = dated(v, s.At), ui.Short(s.Took), result(v, s.Result)
	}
	return t
}

// variation says what else was tried than rules; empty when nothing was.
func variation(a *trial.Ask) string {
	var out []string
	if a.Pieces != 0 {
		s := fmt.Sprintf("%+d pieces of each item", a.Pieces)
		if a.Item != 0 {
			s = fmt.Sprintf("%+d pieces of item %d", a.Pieces, a.Item)
		}
		out = append(out, s)
	}
	if a.Options.Hold != 0 {
		out = append(out, "holds of "+ruleform.SpanText(a.Options.Hold))
	}
	return strings.Join(out, " and ")
}

// failed is an error for people.
func failed(err error) string {
	var wrong *rule.Error
	switch {
	case errors.As(err, &wrong):
		return "The rules cannot be tried: " + wrong.Error() + "."
	case errors.Is(err, trial.ErrStopped):
		return "It was stopped before its end."
	case errors.Is(err, backtest.ErrNoLines), errors.Is(err, backtest.ErrBusy):
		return ruleform.Sentence(err.Error())
	}
	return "It could not be read to its end. Try again; the log says more."
}

// result is a result in words.
func result(v *section.Visitor, r *replay.Result) *resultPart {
	out := &resultPart{Lines: grouped(r.Lines), Changed: r.Changed, More: r.More, Strayed: r.Strayed, Lacks: r.Lacks}
	if !r.From.IsZero() {
		out.Span = dated(v, r.From).Text + " to " + r.To.In(v.Place).Format("15:04")
	}
	for _, c := range r.Rules {
		row := countRow{c.Name, c.Before, c.After, !c.Was, !c.Is}
		if !row.Differs() {
			out.Same++
		}
		out.Rules = append(out.Rules, row)
	}
	slices.SortStableFunc(out.Rules, func(a, b countRow) int {
		switch {
		case a.Differs() && !b.Differs():
			return -1
		case b.Differs() && !a.Differs():
			return 1
		}
		return 0
	})
	for _, c := range out.Rules {
		if c.Differs() && len(out.Headline) < 3 {
			out.Headline = append(out.Headline, "“"+c.Name+"” fired "+times(c.Before)+" before, "+times(c.After)+" now.")
		}
	}
	for i := range r.Changes {
		c := &r.Changes[i]
		if len(out.Changes) == shownMost {
			break
		}
		row := differRow{At: clock(v, c.At), Who: c.Viewer.Name + " on " + c.Channel.Platform.Title(), Text: c.Text}
		row.answers(&c.Before, &c.After)
		out.Changes = append(out.Changes, row)
	}
	out.Left = r.Changed - len(out.Changes)
	for i := range r.Besides {
		c := &r.Besides[i]
		if len(out.Besides) == shownMost {
			break
		}
		row := differRow{At: clock(v, c.At), Who: ruleform.EventWords(c.Event)}
		if c.Viewer.Name != "" {
			row.Who += ", " + c.Viewer.Name
		}
		if c.Number != 0 {
			row.Who += ", item " + strconv.Itoa(c.Number)
		}
		row.answers(&c.Before, &c.After)
		out.Besides = append(out.Besides, row)
	}
	out.BesideLeft = r.More - len(out.Besides)
	for _, s := range r.Stock {
		title := s.Title
		if s.Label != "" {
			title += ", " + s.Label
		}
		was := s.Before
		was.Supply = s.After.Supply // which is what was asked, and no answer
		out.Stock = append(out.Stock, stockRow{s.Number, title, s.Before, s.After, was != s.After})
	}
	return out
}

func clock(v *section.Visitor, t time.Time) when { return when{t, t.In(v.Place).Format("15:04:05")} }

func times(n int) string {
	switch n {
	case 0:
		return "never"
	case 1:
		return "once"
	case 2:
		return "twice"
	}
	return grouped(n) + " times"
}

// answers puts what became of it before and now into words.
func (d *differRow) answers(before, after *replay.Answer) {
	d.Before, d.After = became(before), became(after)
	d.BeforeSay, d.AfterSay = before.Said, after.Said
	d.BeforeDo, d.AfterDo = ruleform.Texts(before.Did), ruleform.Texts(after.Did)
}

// became says what became of a line.
func became(a *replay.Answer) string {
	item := ""
	if a.Number != 0 {
		item = " #" + strconv.Itoa(a.Number)
		if a.Title != "" {
			item += " " + a.Title
		}
		if a.Label != "" {
			item += ", " + a.Label
		}
	}
	switch a.Reason {
	case commerce.Held, commerce.PartlyHeld, commerce.Changed:
		s := "holds " + strconv.Itoa(a.Holding) + " of" + item
		if a.Waiting > 0 {
			s += ", waits for " + strconv.Itoa(a.Waiting)
		}
		return s
	case commerce.Waitlisted:
		return "in line for" + item + ", place " + strconv.Itoa(a.Place)
	case commerce.SoldOut:
		return "sold out:" + item
	case commerce.Capped:
		return "at the limit for one person:" + item
	case commerce.Passed:
		return "given back:" + item
	case commerce.Offered:
		return "offered" + item + ", who pays first"
	case "", commerce.Chat, commerce.Question:
		if len(a.Said)+len(a.Did) == 0 {
			return "no answer"
		}
		return ""
	case commerce.Info:
		return "answered by the hub"
	}
	return strings.ReplaceAll(string(a.Reason), "_", " ") + item
}

// grouped writes a number with its thousands apart.
func grouped(n int) string {
	s := strconv.Itoa(n)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
