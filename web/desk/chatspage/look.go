package chatspage

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"hawker/commerce"
	"hawker/internal/chat"
	"hawker/internal/live"
	"hawker/internal/live/account"
	"hawker/internal/live/manners"
	"hawker/internal/sqldb"
	"hawker/web/desk/section"
	"hawker/web/ui"
)

// page is the page as its template shows it: words and numbers.
type page struct {
	Run, Plan, Connect bool
	Channels           []channelCard
	Names              namesForm
	Values             valuesForm
	Blocked, Hidden    []personRow
	Called             []calledRow
	Changes            []changeRow
}

// channelCard is one channel.
type channelCard struct {
	ID, Value, Name, Platform, Account string
	Show                               string // the live show's title
	Hear, HearState, Speak, SpeakState string
	Muted                              string // who did it and when, empty when it speaks
	Facts                              []fact
	Trouble                            string
	Missing                            []missing
	Again                              []again // logins that mend it
	Absences                           []absence
	Said                               []fact
	NotSaid                            string
	Test                               *test
	MayTest                            bool
	Rivals                             []rivalRow
}

type fact struct{ Label, Value string }

type missing struct{ Name, For string }

type again struct{ Name, Text, Needs string }

type absence struct{ ISO, At, Long, Text, State string }

type test struct{ State, Word, Text string }

type rivalRow struct {
	Bot, Word, Suggest string
	Ours               bool // a command that can be renamed here; else it is one of a rule
}

type personRow struct{ Viewer, Name, By string }

type calledRow struct{ Word, With, By string }

type changeRow struct{ At, ISO, By, What string }

// changesShown is how many changes are listed.
const changesShown = 12

// absencesShown is how many absences of a channel are listed.
const absencesShown = 5

// look reads how the chats stand and puts it into words.
func (p *Pages) look(ctx context.Context, v *section.Visitor) (*page, error) {
	all, err := p.Hub.Chats(v.Merchant.ID)
	if err != nil {
		return nil, err
	}
	h := p.Hub.Manners(v.Merchant.ID)
	if h == nil {
		return nil, live.ErrNotHere
	}
	names, shows, err := p.titles(ctx, v.Merchant.ID)
	if err != nil {
		return nil, err
	}
	x := &page{Run: v.Run, Plan: v.Plan, Connect: v.Connect}
	for i := range all {
		x.Channels = append(x.Channels, p.card(&all[i], names, shows, v))
	}
	var words []string
	for _, m := range h.List(manners.Word) {
		words = append(words, m.Name)
	}
	x.Names = namesForm{Words: strings.Join(words, "\n"), Wait: len(h.List(manners.Veto)) > 0}
	x.Values.Words = valuesText(h.Aliases())
	for _, m := range h.List(manners.Block) {
		x.Blocked = append(x.Blocked, personRow{m.Name, cmp.Or(m.Value, m.Name), by(m, v.Place)})
	}
	for _, m := range h.List(manners.Hide) {
		x.Hidden = append(x.Hidden, personRow{m.Name, cmp.Or(m.Value, m.Name), by(m, v.Place)})
	}
	for _, m := range h.List(manners.Call) {
		x.Called = append(x.Called, calledRow{m.Name, m.Value, by(m, v.Place)})
	}
	changes, err := h.Changes(ctx, changesShown)
	if err != nil {
		return nil, err
	}
	for _, m := range changes {
		x.Changes = append(x.Changes, changeRow{day(m.At, v.Place), m.At.UTC().Format(time.RFC3339), person(m.By), change(m, names, shows)})
	}
	return x, nil
}

// valuesText is how other names of values are typed.
func valuesText(all map[string][]string) string {
	var b strings.Builder
	for _, value := range slices.Sorted(maps.Keys(all)) {
		b.WriteString(value + " = " + strings.Join(all[value], ", ") + "\n")
	}
	return b.String()
}

// titles are the names of channels and of shows.
func (p *Pages) titles(ctx context.Context, merchant commerce.ID) (names map[chat.Channel]string, shows map[string]string, err error) {
	channels, err := p.DB.Channels(ctx, merchant)
	if err != nil {
		return nil, nil, err
	}
	names, shows = map[chat.Channel]string{}, map[string]string{}
	for i := range channels {
		names[channels[i].Channel] = channels[i].Name
	}
	all, err := p.Hub.Shows(ctx, merchant)
	for i := range all {
		shows[manners.OfShow(all[i].ID)] = all[i].Title
	}
	return names, shows, err
}

// card puts a channel into words.
func (p *Pages) card(s *live.ChannelState, names map[chat.Channel]string, shows map[string]string, v *section.Visitor) channelCard {
	now := time.Now()
	c := channelCard{
		ID: "chat-" + string(s.Channel.Platform) + "-" + s.Channel.ID, Value: s.Channel.String(), Name: cmp.Or(names[s.Channel], s.Channel.ID), Platform: s.Channel.Platform.Title(),
		Account: s.Account, HearState: "trouble", Hear: "not heard", SpeakState: "trouble", Speak: "cannot speak", Trouble: s.Trouble,
	}
	if s.Show != 0 {
		c.Show = shows[manners.OfShow(s.Show)]
	}
	if s.Hears {
		c.HearState, c.Hear = "live", "heard"
	}
	if s.Speaks {
		c.SpeakState, c.Speak = "good", "can speak"
	}
	if s.Muted.By != "" {
		c.Muted, c.SpeakState, c.Speak = by(s.Muted, v.Place), "held", "muted"
	}
	heard := s.LastHeard
	if s.Heard.After(heard) {
		heard = s.Heard
	}
	c.Facts = []fact{
		{"Last line heard", clock(heard, v.Place)},
		{"Last line said", clock(s.LastSaid, v.Place)},
		{"Delay", ui.Short(s.Delay)},
		{"May say now", budget(s)},
		{"Came back today", fmt.Sprint(s.Today.Reconnects)},
		{"Recovered today", count(s.Today.Recovered, "line")},
	}
	if s.Delay <= 0 {
		c.Facts[2].Value = "–"
	}
	for _, name := range s.Missing {
		m := missing{Name: name}
		if p.Permission != nil {
			m.For = p.Permission(s.Channel.Platform, name)
		}
		c.Missing = append(c.Missing, m)
	}
	if len(s.Missing) > 0 || s.Gone {
		c.Again = p.again(s.Channel.Platform)
	}
	for _, a := range s.Absences[:min(len(s.Absences), absencesShown)] {
		c.Absences = append(c.Absences, absenceOf(&a, now, v.Place))
	}
	f := &s.Says
	c.Said = []fact{{"Lines said", fmt.Sprint(f.Lines)}, {"For several people", fmt.Sprint(f.Joined)}, {"Answers in them", fmt.Sprint(f.Covered)}, {"Waiting", fmt.Sprint(f.Waiting)}}
	c.NotSaid = notSaid(f.Figures.Muted, f.TooLate, f.Told, f.Full, f.Failed)
	c.Test = testOf(&s.Test, now, v.Place)
	c.MayTest = s.Connected && s.Muted.By == "" && !s.Test.Running(now)
	for _, r := range s.Rivals {
		row := rivalRow{Bot: cmp.Or(r.Bot.Name, "Another bot"), Word: r.Word}
		row.Suggest, row.Ours = manners.Suggest(r.Word)
		c.Rivals = append(c.Rivals, row)
	}
	slices.SortFunc(c.Rivals, func(a, b rivalRow) int { return cmp.Or(cmp.Compare(a.Word, b.Word), cmp.Compare(a.Bot, b.Bot)) })
	return c
}

// again are the logins of a platform that mend what is missing.
func (p *Pages) again(platform chat.Platform) []again {
	var out []again
	for _, x := range map[chat.Platform][]again{
		chat.Twitch:  {{Name: "twitch-bot", Text: "Connect the bot again"}, {Name: "twitch-channel", Text: "Connect your channel again"}},
		chat.YouTube: {{Name: "youtube", Text: "Connect YouTube again"}},
		chat.Discord: {{Name: "discord", Text: "Invite the bot again"}},
	}[platform] {
		if p.Connect == nil {
			continue
		}
		if needs, ok := p.Connect(x.Name); ok {
			x.Needs = needs
			out = append(out, x)
		}
	}
	return out
}

func absenceOf(a *account.Absence, now time.Time, place *time.Location) absence {
	row := absence{ISO: a.From.UTC().Format(time.RFC3339), At: clock(a.From, place), State: "good"}
	if a.To.IsZero() {
		row.Long, row.Text, row.State = ui.Short(now.Sub(a.From)), "not heard since then", "trouble"
	} else {
		row.Long = ui.Short(a.To.Sub(a.From))
		switch {
		case a.Lost && a.Recovered > 0:
			row.Text, row.State = count(a.Recovered, "line")+" recovered; others could not be", "held"
		case a.Lost:
			row.Text, row.State = "lines of that time could not be recovered", "held"
		case a.Recovered > 0:
			row.Text = count(a.Recovered, "line") + " recovered"
		default:
			row.Text = "nothing was missed"
		}
	}
	if a.Reason != "" {
		row.Text += ". " + a.Reason
	}
	return row
}

func testOf(t *account.Test, now time.Time, place *time.Location) *test {
	at := clock(t.Asked, place)
	switch {
	case t.Asked.IsZero():
		return nil
	case t.Refused != "":
		x := &test{"trouble", "refused", "Test line of " + at + ": " + t.Refused}
		if t.Code != "" {
			x.Text += " (" + t.Code + ")"
		}
		return x
	case !t.Heard.IsZero():
		return &test{"good", "proved", "Test line of " + at + ": said, and heard back after " + ui.Short(max(t.Heard.Sub(t.Asked), time.Millisecond)) + "."}
	case t.Running(now) && t.Said.IsZero():
		return &test{"waiting", "on its way", "Test line of " + at + ": not said yet."}
	case t.Running(now):
		return &test{"waiting", "said", "Test line of " + at + ": said at " + clock(t.Said, place) + ", not heard back yet."}
	case t.Said.IsZero():
		return &test{"trouble", "not said", "Test line of " + at + ": it was not said in time."}
	}
	return &test{"trouble", "not heard", "Test line of " + at + ": the platform accepted it, but it was not heard back. Either nobody sees it, or we do not hear the chat."}
}

// budget is how many lines may be said now.
func budget(s *live.ChannelState) string {
	if s.Says.Most == 0 || s.Says.Per == 0 {
		return "–"
	}
	return fmt.Sprintf("%d of %d in %s", s.Says.Left, s.Says.Most, ui.Short(s.Says.Per))
}

// notSaid says what was dropped and why, empty when nothing was.
func notSaid(muted, late, told, full, failed int) string {
	var parts []string
	for _, x := range []struct {
		n   int
		why string
	}{{told, "the same was just said"}, {late, "mattered no more"}, {muted, "the bot was muted"}, {full, "too much waited"}, {failed, "refused by the platform"}} {
		if x.n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", x.n, x.why))
		}
	}
	return strings.Join(parts, ", ")
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

func clock(t time.Time, place *time.Location) string {
	if t.IsZero() {
		return "–"
	}
	return t.In(place).Format("15:04:05")
}

func day(t time.Time, place *time.Location) string { return t.In(place).Format("2 Jan 2006, 15:04") }

// by is who did something and when.
func by(m manners.Manner, place *time.Location) string {
	return person(m.By) + ", " + day(m.At, place)
}

// person is who a change is by: a member's address, or a viewer.
func person(by string) string {
	who, name, _ := strings.Cut(by, " ")
	platform, id, ok := strings.Cut(who, "/")
	if !ok {
		return by
	}
	return cmp.Or(name, id) + " (" + chat.Platform(platform).Title() + ")"
}

// change is a change in words.
func change(m manners.Manner, names map[chat.Channel]string, shows map[string]string) string {
	about := "“" + m.Name + "”"
	if m.Kind == manners.Mute {
		about = where(m.Name, names, shows)
	}
	on := map[manners.Kind]string{
		manners.Mute: "muted the bot in " + about, manners.Word: "does not want " + about + " said", manners.Hide: "took the name of a viewer out", manners.Block: "blocked a viewer",
		manners.Veto: "has shout-outs wait 5 s", manners.Call: "renamed !" + m.Name, manners.Leave: "left !" + m.Name + " as it is",
		manners.Alias: "has " + about + " understood as a value",
	}
	off := map[manners.Kind]string{
		manners.Mute: "let the bot speak in " + about, manners.Word: "allowed " + about + " again", manners.Hide: "lets a viewer be called by the name again", manners.Block: "lets a viewer claim again",
		manners.Veto: "has shout-outs made at once", manners.Call: "gave !" + m.Name + " its own name back", manners.Leave: "wants to hear of !" + m.Name + " again",
		manners.Alias: "has " + about + " understood as a value no more",
	}
	if m.Off {
		return off[m.Kind]
	}
	return on[m.Kind]
}

// where is a channel or a show, by its name.
func where(name string, names map[chat.Channel]string, shows map[string]string) string {
	if title, ok := shows[name]; ok {
		return "“" + title + "”"
	}
	c, err := chat.ParseChannel(name)
	if err != nil {
		return "a show"
	}
	return c.Platform.Title() + " / " + cmp.Or(names[c], c.ID)
}

// Alarm is the strip that every page of members has while the bot is silent somewhere; nil while it is not.
func (p *Pages) Alarm(ctx context.Context, m sqldb.Merchant, place *time.Location) (*ui.Alarm, error) {
	h := p.Hub.Manners(m.ID)
	if h == nil {
		return nil, nil
	}
	mutes := h.List(manners.Mute)
	if len(mutes) == 0 {
		return nil, nil
	}
	names, shows, err := p.titles(ctx, m.ID)
	if err != nil {
		return nil, err
	}
	all, err := p.Hub.Shows(ctx, m.ID)
	if err != nil {
		return nil, err
	}
	over := map[string]bool{}
	for i := range all {
		over[manners.OfShow(all[i].ID)] = all[i].State == commerce.ShowEnded
	}
	var parts []string
	for _, x := range mutes {
		if !over[x.Name] {
			parts = append(parts, where(x.Name, names, shows)+" (by "+by(x, place)+")")
		}
	}
	if len(parts) == 0 {
		return nil, nil
	}
	return &ui.Alarm{Text: "The bot is muted in " + strings.Join(parts, ", ") + ".", Action: "/chats/speak", Button: "Let it speak again"}, nil
}
