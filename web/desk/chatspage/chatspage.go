// Package chatspage holds the page of a merchant's chats: the truth about each as measured, a test line that proves it, where the bot
// is silent, and how it behaves: whose name it does not say, whom it does not hear, what its commands are called. What a page may show
// and change is told by its Visitor; package desk decides who is one.
//
// The page works without script; what is shown live is then as of the page's load.
package chatspage

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"time"
	"unicode/utf8"

	"hawker/internal/chat"
	"hawker/internal/live"
	"hawker/internal/live/manners"
	"hawker/internal/sqldb"
	"hawker/web/desk/section"
	"hawker/web/ui"
)

//go:embed templates/*.html
var templates embed.FS

// Static is the page's own style sheet.
//
//go:embed static
var Static embed.FS

// measured is how often what no event tells of is looked at: figures, budgets, times.
const measured = 2 * time.Second

// Pages serves the page. Set the fields, then Open.
type Pages struct {
	DB  *sqldb.DB
	Hub *live.Hub
	Kit *ui.Kit
	Log *slog.Logger
	// Connect says what the operator must set before a login can be used (empty when nothing), and whether there is one of that name.
	Connect func(name string) (needs string, ok bool)
	// Permission says in a sentence what a permission of a platform is for, empty when that is not known; nil knows none.
	Permission func(p chat.Platform, name string) string

	pages *ui.Pages
}

// Open reads the templates and gives the page's addresses.
func (p *Pages) Open() ([]section.Route, error) {
	if p.Log == nil {
		p.Log = slog.New(slog.DiscardHandler)
	}
	var err error
	if p.pages, err = p.Kit.Pages(templates, "templates"); err != nil {
		return nil, err
	}
	return []section.Route{
		{Pattern: "GET /chats", Need: section.See, Handle: p.show},
		{Pattern: "GET /chats/events", Need: section.See, Handle: p.events},
		{Pattern: "POST /chats/mute", Need: section.Run, Handle: p.mute},
		{Pattern: "POST /chats/speak", Need: section.Run, Handle: p.speak},
		{Pattern: "POST /chats/test", Need: section.Run, Handle: p.test},
		{Pattern: "POST /chats/names", Need: section.Plan, Handle: p.names},
		{Pattern: "POST /chats/values", Need: section.Plan, Handle: p.values},
		{Pattern: "POST /chats/allow", Need: section.Plan, Handle: p.allow},
		{Pattern: "POST /chats/call", Need: section.Plan, Handle: p.call},
	}, nil
}

// show shows the page.
func (p *Pages) show(w http.ResponseWriter, r *http.Request, v *section.Visitor) error {
	return p.render(w, r, v, nil)
}

// render shows the page, with what somebody typed when that cannot be taken.
func (p *Pages) render(w http.ResponseWriter, r *http.Request, v *section.Visitor, typed func(*page)) error {
	x, err := p.look(r.Context(), v)
	if err != nil {
		return err
	}
	f := v.Frame
	f.Title, f.Stream = "Chats", "/chats/events"
	if s := said(r.URL.Query().Get("said")); s != "" {
		f.Notice = s
	}
	if typed != nil {
		typed(x)
		f.Status, f.Trouble, f.Notice = http.StatusUnprocessableEntity, "Nothing was saved. Look at what is marked.", ""
	}
	p.pages.Render(w, r, "chats", f, x)
	return nil
}

// said are the sentences that follow a change; the address carries their names only.
func said(name string) string {
	return map[string]string{
		"muted": "The bot is silent there.", "speaks": "The bot speaks again.", "tested": "The test line is on its way.", "saved": "Saved. It holds from now on.",
		"allowed": "Done. It holds from now on.", "called": "The command has its new name.", "left": "It stays as it is.",
	}[name]
}

// events streams what changes on the page. Members with the same rights get the same bytes.
func (p *Pages) events(w http.ResponseWriter, r *http.Request, v *section.Visitor) error {
	if _, err := p.Hub.Chats(v.Merchant.ID); err != nil { // refused before the stream begins
		return err
	}
	key := fmt.Sprintf("chats/%s/%t/%t/%t", v.Merchant.ID, v.Run, v.Plan, v.Connect)
	return p.Kit.Casts.Serve(w, r, key, ui.Source{
		Watch: func(tell func(live.Signal)) (func(), error) { return p.Hub.Watch(v.Merchant.ID, 0, tell) },
		Render: func(ctx context.Context) ([]ui.Part, error) {
			x, err := p.look(ctx, v)
			if err != nil {
				return nil, err
			}
			return p.parts(ctx, v, x)
		},
		Every: measured,
	}, nil)
}

func (p *Pages) parts(ctx context.Context, v *section.Visitor, x *page) ([]ui.Part, error) {
	var out []ui.Part
	for _, name := range []string{"channels", "list", "changes"} {
		b, err := p.pages.Part("chats", name, x)
		if err != nil {
			return nil, err
		}
		out = append(out, ui.Part{Target: "#" + name, HTML: b})
	}
	alarm, err := p.Alarm(ctx, v.Merchant, v.Place)
	if err != nil {
		return nil, err
	}
	part, err := p.AlarmPart(alarm)
	return append(out, part), err
}

// AlarmPart is the strip of the frame as a part of a page.
func (p *Pages) AlarmPart(a *ui.Alarm) (ui.Part, error) {
	b, err := p.pages.Part("chats", "alarm", a)
	return ui.Part{Target: "#alarm", HTML: b}, err
}

// answer ends a change: htmx gets the parts as they are now, a plain form is sent on.
func (p *Pages) answer(w http.ResponseWriter, r *http.Request, v *section.Visitor, said string) error {
	if !ui.Hx(r) {
		http.Redirect(w, r, "/chats?said="+said, http.StatusSeeOther)
		return nil
	}
	x, err := p.look(r.Context(), v)
	if err != nil {
		return err
	}
	parts, err := p.parts(r.Context(), v, x)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, err = w.Write(ui.Partials(parts...))
	return err
}

// behave changes how the bot behaves; what cannot be is told in its own words.
func (p *Pages) behave(r *http.Request, v *section.Visitor, changes ...manners.Manner) error {
	for i := range changes {
		changes[i].By = v.Member.Email
	}
	err := p.Hub.Behave(r.Context(), v.Merchant.ID, changes...)
	if fault := (*manners.FaultError)(nil); errors.As(err, &fault) {
		return ui.Problem(http.StatusUnprocessableEntity, fault.Why)
	}
	return err
}

// mute silences the bot in a channel or a show, or ends that.
func (p *Pages) mute(w http.ResponseWriter, r *http.Request, v *section.Visitor) error {
	name, said := r.PostFormValue("channel"), "muted"
	if show := r.PostFormValue("show"); show != "" {
		name = "show/" + show
		if _, err := p.showOf(r.Context(), v, show); err != nil {
			return err
		}
	} else if _, err := p.channelOf(v, name); err != nil {
		return err
	}
	off := r.PostFormValue("on") != "1"
	if off {
		said = "speaks"
	}
	if err := p.behave(r, v, manners.Manner{Kind: manners.Mute, Name: name, Off: off}); err != nil {
		return err
	}
	return p.answer(w, r, v, said)
}

// speak ends every silence: in one channel, or everywhere.
func (p *Pages) speak(w http.ResponseWriter, r *http.Request, v *section.Visitor) error {
	h := p.Hub.Manners(v.Merchant.ID)
	if h == nil {
		return live.ErrNotHere
	}
	var all []manners.Manner
	if only := r.PostFormValue("channel"); only != "" {
		s, err := p.channelOf(v, only)
		if err != nil {
			return err
		}
		all = append(all, manners.Manner{Kind: manners.Mute, Name: only, Off: true})
		if s.Show != 0 {
			all = append(all, manners.Manner{Kind: manners.Mute, Name: manners.OfShow(s.Show), Off: true})
		}
	} else {
		for _, m := range h.List(manners.Mute) {
			all = append(all, manners.Manner{Kind: manners.Mute, Name: m.Name, Off: true})
		}
	}
	if err := p.behave(r, v, all...); err != nil {
		return err
	}
	return p.answer(w, r, v, "speaks")
}

// test says a test line in a channel.
func (p *Pages) test(w http.ResponseWriter, r *http.Request, v *section.Visitor) error {
	s, err := p.channelOf(v, r.PostFormValue("channel"))
	if err != nil {
		return err
	}
	if err := p.Hub.TryChannel(v.Merchant.ID, s.Channel, v.Member.Email); err != nil {
		return err
	}
	return p.answer(w, r, v, "tested")
}

// channelOf is a channel of the merchant's accounts that a form names.
func (p *Pages) channelOf(v *section.Visitor, name string) (live.ChannelState, error) {
	all, err := p.Hub.Chats(v.Merchant.ID)
	if err != nil {
		return live.ChannelState{}, err
	}
	for _, s := range all {
		if s.Channel.String() == name {
			return s, nil
		}
	}
	return live.ChannelState{}, ui.Problem(http.StatusNotFound, "No account is connected for that channel.")
}

// showOf is the title of a show that a form names.
func (p *Pages) showOf(ctx context.Context, v *section.Visitor, name string) (string, error) {
	all, err := p.Hub.Shows(ctx, v.Merchant.ID)
	if err != nil {
		return "", err
	}
	for i := range all {
		if all[i].ID.String() == name {
			return all[i].Title, nil
		}
	}
	return "", live.ErrNotFound
}

// namesForm is what is typed about names.
type namesForm struct {
	Words string
	Wait  bool
	Wrong string
}

// wordsLong bounds the text of all words together, in bytes.
const wordsLong = 60_000

// names takes the words that are not said, and whether shout-outs wait.
func (p *Pages) names(w http.ResponseWriter, r *http.Request, v *section.Visitor) error {
	typed := &namesForm{Words: r.PostFormValue("words"), Wait: r.PostFormValue("wait") == "1"}
	wrong := func(why string) error {
		typed.Wrong = why
		return p.render(w, r, v, func(x *page) { x.Names = *typed })
	}
	if len(typed.Words) > wordsLong || !utf8.ValidString(typed.Words) {
		return wrong("That is more text than a list of words has.")
	}
	h := p.Hub.Manners(v.Merchant.ID)
	if h == nil {
		return live.ErrNotHere
	}
	wanted := map[string]bool{}
	var changes []manners.Manner
	have := map[string]bool{}
	for _, m := range h.List(manners.Word) {
		have[m.Name] = true
	}
	for _, word := range strings.FieldsFunc(typed.Words, func(c rune) bool { return c == '\n' || c == '\r' || c == ',' || c == ';' }) {
		if word = strings.ToLower(strings.TrimSpace(word)); word == "" || wanted[word] {
			continue
		}
		wanted[word] = true
		if !have[word] {
			changes = append(changes, manners.Manner{Kind: manners.Word, Name: word, By: v.Member.Email})
		}
	}
	if len(wanted) > manners.WordsMost {
		return wrong(fmt.Sprintf("At most %d words; these are %d.", manners.WordsMost, len(wanted)))
	}
	for word := range have {
		if !wanted[word] {
			changes = append(changes, manners.Manner{Kind: manners.Word, Name: word, By: v.Member.Email, Off: true})
		}
	}
	changes = append(changes, manners.Manner{Kind: manners.Veto, By: v.Member.Email, Off: !typed.Wait})
	err := p.Hub.Behave(r.Context(), v.Merchant.ID, changes...)
	if fault := (*manners.FaultError)(nil); errors.As(err, &fault) {
		return wrong(fault.Why)
	} else if err != nil {
		return err
	}
	http.Redirect(w, r, "/chats?said=saved#names", http.StatusSeeOther)
	return nil
}

// valuesForm is what is typed about values.
type valuesForm struct{ Words, Wrong string }

// values takes what viewers also call sizes, colours and the like: on each line a value, an equals sign, and the other names.
func (p *Pages) values(w http.ResponseWriter, r *http.Request, v *section.Visitor) error {
	typed := valuesForm{Words: r.PostFormValue("values")}
	wrong := func(why string) error {
		typed.Wrong = why
		return p.render(w, r, v, func(x *page) { x.Values = typed })
	}
	if len(typed.Words) > wordsLong || !utf8.ValidString(typed.Words) {
		return wrong("That is more text than a list of words has.")
	}
	h := p.Hub.Manners(v.Merchant.ID)
	if h == nil {
		return live.ErrNotHere
	}
	wanted := map[string]string{}
	var changes []manners.Manner
	for n, line := range strings.Split(typed.Words, "\n") {
		if strings.TrimSpace(line) == "" {
			continue
		}
		value, others, ok := strings.Cut(line, "=")
		if !ok {
			return wrong(fmt.Sprintf("Line %d has no equals sign. Write it so: Anthracite = charcoal, dark grey", n+1))
		}
		for _, name := range strings.Split(others, ",") {
			m := manners.Manner{Kind: manners.Alias, Name: name, Value: value, By: v.Member.Email}
			if err := h.Check(&m); err != nil {
				return wrong(fmt.Sprintf("Line %d: %v", n+1, err))
			}
			if was, twice := wanted[m.Name]; twice && was != m.Value {
				return wrong(fmt.Sprintf("Line %d: “%s” stands for “%s” already.", n+1, m.Name, was))
			}
			wanted[m.Name] = m.Value
			changes = append(changes, m)
		}
	}
	if len(wanted) > manners.AliasesMost {
		return wrong(fmt.Sprintf("At most %d other names; these are %d.", manners.AliasesMost, len(wanted)))
	}
	for _, m := range h.List(manners.Alias) {
		if wanted[m.Name] == "" {
			changes = append(changes, manners.Manner{Kind: manners.Alias, Name: m.Name, By: v.Member.Email, Off: true})
		}
	}
	if err := p.Hub.Behave(r.Context(), v.Merchant.ID, changes...); err != nil {
		return err
	}
	http.Redirect(w, r, "/chats?said=saved#values", http.StatusSeeOther)
	return nil
}

// allow lets a viewer claim again, or be called by the name again.
func (p *Pages) allow(w http.ResponseWriter, r *http.Request, v *section.Visitor) error {
	kind := manners.Kind(r.PostFormValue("kind"))
	if kind != manners.Block && kind != manners.Hide {
		return ui.Problem(http.StatusBadRequest, "What is to be allowed again?")
	}
	if err := p.behave(r, v, manners.Manner{Kind: kind, Name: r.PostFormValue("viewer"), Off: true}); err != nil {
		return err
	}
	return p.answer(w, r, v, "allowed")
}

// call gives a command another name, gives it its own back, or leaves it although another bot answers it too.
func (p *Pages) call(w http.ResponseWriter, r *http.Request, v *section.Visitor) error {
	word := strings.TrimSpace(r.PostFormValue("word"))
	m, said := manners.Manner{Kind: manners.Call, Name: word, Value: r.PostFormValue("new")}, "called"
	switch r.PostFormValue("do") {
	case "leave":
		m, said = manners.Manner{Kind: manners.Leave, Name: word}, "left"
	case "back":
		m.Off = true
	}
	if err := p.behave(r, v, m); err != nil {
		return err
	}
	return p.answer(w, r, v, said)
}
