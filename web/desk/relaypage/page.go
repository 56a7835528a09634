package relaypage

import (
	"context"
	"fmt"
	"html/template"
	"net"
	"strconv"
	"strings"
	"time"

	"hawker/commerce"
	"hawker/internal/sqldb/videobook"
	"hawker/internal/studio"
	"hawker/relay"
	"hawker/web/desk/section"
	"hawker/web/ui"
)

// page is the video of a show, in words and numbers as shown.
type page struct {
	ID             commerce.ID
	At             string // the page's address
	Title          string
	Run, Plan      bool
	ShowLive       bool // selling is
	Others         []other
	Server, Secure string
	Near           bool // the server is reached from this machine only
	Now            now
	Line           string
	Ingest         *ingest
	Second         *ingest // the encoder that is there and not on the air
	Knocking       *ingest
	OnBackup       bool
	Main, Backup   studio.Key
	Made           studio.Keys // shown this once, where they were asked for
	CutMade        studio.Keys // likewise, beside Cut, which made them
	Ways           []way
	Unsaid         string // why of some nobody says that they are received
	Clip           studio.Clip
	ClipWrong      string
	Test           *testView
	TestRate       string
	Form           settingsForm

	view *studio.View
}

// other is another show whose video can be looked at.
type other struct {
	ID    commerce.ID
	Title string
}

// now is what viewers see, in one word and a sentence.
type now struct {
	State, Word, Text string
	Coming            bool // there is a stream
	Slate, Covered    bool // the slate is shown; because somebody asked for it
	Cut               bool
	Until             time.Time // how long destinations are kept without an encoder; zero while there is one
}

type figure struct{ Label, Value string }

// ingest is an encoder.
type ingest struct {
	State, Word string
	Encoder     string
	Figures     []figure
	Warnings    []string
	Spark       *spark
}

type settingsForm struct {
	Uplink, Grace string
	Ask, Record   bool
	Wrong         map[string]string
}

// look reads a show's video as it stands.
func (p *Pages) look(ctx context.Context, v *section.Visitor, s *commerce.Show) (*page, error) {
	view, err := p.Studio.View(ctx, v.Merchant.ID, s.ID)
	if err != nil {
		return nil, err
	}
	pg := &page{
		ID: s.ID, At: "/shows/" + s.ID.String() + "/video", Title: s.Title, Run: v.Run, Plan: v.Plan, ShowLive: s.State == commerce.ShowLive, Server: p.Server, Near: near(p.Server), Secure: p.Secure,
		Main: view.Main, Backup: view.Backup, Clip: view.Clip, view: view,
	}
	pg.Now = nowOf(view)
	if st := view.Stream; st != nil {
		pg.Line, pg.OnBackup = st.Line, st.OnBackup
		pg.Ingest = ingestOf(&st.Ingest, v.Place)
		pg.Ingest.Spark = sparkOf(view.Rates)
		if !st.Ingest.Connected {
			pg.Ingest.State, pg.Ingest.Word = "trouble", "lost "+ui.Short(time.Since(st.Ingest.Since).Truncate(time.Second))+" ago"
			if st.Ingest.Video == "" { // what was known of it went with it
				pg.Ingest.Encoder, pg.Ingest.Figures = "The encoder", nil
			}
			if st.Cut {
				pg.Ingest.Encoder, pg.Ingest.Word = "The encoder", "cut off"
			}
		}
		if st.Backup != nil {
			pg.Second = ingestOf(st.Backup, v.Place)
		}
		if st.Knocking != nil {
			pg.Knocking = ingestOf(st.Knocking, v.Place)
		}
	}
	for i := range view.To {
		w := wayOf(&view.To[i], view.Stream, i, len(view.To))
		if w.Received.State == "unknown" && w.Received.Says == "" {
			pg.Unsaid = "Received: unknown stands where no platform says what it gets. Twitch and YouTube say it of a connected channel, not of a pasted key; the others tell nobody."
		}
		pg.Ways = append(pg.Ways, w)
	}
	if view.Test != nil {
		pg.Test = testOf(view.Test)
	}
	return pg, nil
}

// fill adds what forms hold when the page is opened.
func (pg *page) fill() {
	set := &pg.view.Settings
	grace := set.Grace
	if grace == 0 {
		grace = relay.DefaultGrace
	}
	pg.Form = settingsForm{Grace: strconv.Itoa(int(grace / time.Minute)), Ask: set.AskHost, Record: !set.NoRecord}
	if set.UplinkKbps > 0 {
		pg.Form.Uplink = mbit(set.UplinkKbps)
	}
	pg.TestRate = "6"
	if set.Kbps >= minTest*1000 {
		pg.TestRate = mbit(min((set.Kbps+50)/100*100, maxTest*1000)) // what is measured is never quite even
	}
}

func (p *Pages) others(ctx context.Context, v *section.Visitor, but commerce.ID) ([]other, error) {
	all, err := p.Hub.Shows(ctx, v.Merchant.ID)
	if err != nil {
		return nil, err
	}
	var out []other
	for i := range all {
		if all[i].State != commerce.ShowEnded && all[i].ID != but && len(out) < 6 {
			out = append(out, other{all[i].ID, all[i].Title})
		}
	}
	return out, nil
}

// nowOf is what viewers see.
func nowOf(v *studio.View) now {
	st := v.Stream
	if st == nil {
		n := now{State: "gone", Word: "no video", Text: "No video comes for this show. Start the encoder and it goes to every destination that is on."}
		if !v.Main.Set {
			n.Text = "There is no stream key yet. Make one, and put it into the encoder with the server's address."
		}
		return n
	}
	grace := v.Settings.Grace
	if grace == 0 {
		grace = relay.DefaultGrace
	}
	n := now{Coming: true, Slate: st.Slate, Covered: st.Covered, Cut: st.Cut}
	if !st.Ingest.Connected && !st.Ingest.Since.IsZero() {
		n.Until = st.Ingest.Since.Add(grace)
	}
	slate := "the slate"
	if !v.Clip.Ready {
		slate = "the last picture"
	}
	switch {
	case st.Cut:
		n.State, n.Word, n.Text = "trouble", "cut", "The video is cut: viewers see "+strings.Replace(slate, "the last picture", "a black picture", 1)+", and no old key lets anybody in."
	case st.Covered:
		n.State, n.Word, n.Text = "held", "slate", "You are showing "+slate+" in place of the encoder. Its sound is not heard either."
	case !st.Ingest.Connected:
		n.State, n.Word, n.Text = "trouble", "encoder lost", "Viewers see "+slate+" until the encoder is back."
	case st.Slate:
		n.State, n.Word, n.Text = "trouble", "silent encoder", "The encoder is connected and sends nothing: viewers see "+slate+" meanwhile."
	case st.Ingest.Waiting:
		n.State, n.Word, n.Text = "waiting", "first picture", "The encoder is connected. Its first picture is on its way."
	case st.OnBackup:
		n.State, n.Word, n.Text = "live", "on air", "Viewers see the second encoder."
	default:
		n.State, n.Word, n.Text = "live", "on air", "Viewers see the encoder."
	}
	return n
}

func mbit(kbps int) string { return fmt.Sprintf("%.4g", float64(kbps)/1000) }

// rate is a rate as people read it; the last digit is noise.
func rate(kbps int) string {
	if kbps <= 0 {
		return "–"
	}
	return strconv.Itoa(kbps/10*10) + " kbit/s"
}

func ingestOf(in *relay.IngestStatus, place *time.Location) *ingest {
	row := &ingest{State: "live", Word: "connected", Encoder: in.Encoder}
	if row.Encoder == "" {
		row.Encoder = "an encoder that does not say its name"
	}
	if in.Waiting {
		row.State, row.Word = "waiting", "waiting for its first picture"
	}
	size, fps, every, sound := "–", "–", "–", "none"
	if in.Width > 0 {
		size = fmt.Sprintf("%d × %d", in.Width, in.Height)
	}
	if f := in.TrueFPS; f > 0 {
		fps = fmt.Sprintf("%.3g a second", f)
	} else if in.FPS > 0 {
		fps = fmt.Sprintf("%.3g a second", in.FPS)
	}
	if in.KeyframeEvery > 0 {
		every = fmt.Sprintf("%.1f s", in.KeyframeEvery.Seconds())
	}
	if in.Audio != "" {
		sound = in.Audio
		if in.AudioRate > 0 {
			sound += fmt.Sprintf(", %.3g kHz", float64(in.AudioRate)/1000)
		}
		if !in.HasAudio {
			sound += ", not heard now"
		}
	}
	codec := in.Video
	if codec == "" {
		codec = "–"
	}
	row.Figures = []figure{{"Picture", codec}, {"Size", size}, {"Pictures", fps}, {"Keyframe every", every}, {"Sound", sound}}
	if in.Connected && !in.Since.IsZero() {
		row.Figures = append(row.Figures, figure{"Since", in.Since.In(place).Format("15:04:05")})
	}
	if in.Reconnects > 0 {
		row.Figures = append(row.Figures, figure{"Came again", times(in.Reconnects)})
	}
	if in.Lost > 0 || in.Late > 0 {
		row.Figures = append(row.Figures, figure{"Missing, late", fmt.Sprintf("%d, %d", in.Lost, in.Late)})
	}
	for _, w := range in.Warnings {
		row.Warnings = append(row.Warnings, w.Text)
	}
	if len(row.Warnings) > 0 && row.State == "live" {
		row.State, row.Word = "held", "connected, with warnings"
	}
	return row
}

func times(n int) string {
	switch n {
	case 1:
		return "once"
	case 2:
		return "twice"
	}
	return strconv.Itoa(n) + " times"
}

// spark is a line of rates.
type spark struct {
	Line, Area template.HTMLAttr // of SVG paths
	Rate, Top  string
}

// Size of a sparkline, in its own units.
const (
	sparkWide = studio.Points - 1
	sparkHigh = 24
)

// sparkOf draws rates, the newest at the right; nil when there are too few.
func sparkOf(rates []int) *spark {
	if len(rates) < 2 {
		return nil
	}
	most := 1
	for _, r := range rates {
		most = max(most, r)
	}
	var line strings.Builder
	first := sparkWide - (len(rates) - 1)
	for i, r := range rates {
		cmd := byte('L')
		if i == 0 {
			cmd = 'M'
		}
		fmt.Fprintf(&line, "%c%d %.1f", cmd, first+i, sparkHigh-float64(r)/float64(most)*(sparkHigh-2)-1)
	}
	return &spark{
		Line: template.HTMLAttr(`d="` + line.String() + `"`),                                   //nolint:gosec // numbers, all written above
		Area: template.HTMLAttr(fmt.Sprintf(`d="%sV%dH%dZ"`, line.String(), sparkHigh, first)), //nolint:gosec // likewise
		Rate: rate(rates[len(rates)-1]), Top: rate(most),
	}
}

// lamp is one of the two lamps of a destination. Says is what the platform itself says beside it, which is to be read on every screen.
type lamp struct{ State, Word, Text, Says string }

// way is a destination.
type way struct {
	ID                commerce.ID
	Name, Mark, Brand string // the platform's mark: a letter or two, and its colour's name
	Place             string // where it goes, without any key
	On, First, Last   bool
	State, Word       string
	Sending, Received lamp
	Spark             *spark
	Figures           []figure
	Reason, Hint      string // why it is not live, and what to do about it
	Next              time.Time
	Warnings          []string
}

// wayOf puts a destination into words.
func wayOf(d *studio.Way, st *relay.StreamStatus, at, of int) way {
	w := way{ID: d.ID, Name: d.Name, On: d.Enabled, First: at == 0, Last: at == of-1, State: "gone", Word: "off", Spark: sparkOf(d.Rates)}
	w.Mark, w.Brand, w.Place = markOf(&d.Destination)
	w.Sending, w.Received = lamp{State: "gone", Word: "not sending"}, lamp{State: "gone", Word: "not received"}
	if !d.Enabled {
		return w
	}
	w.Word = "waits for the video"
	x := d.Status
	if x != nil {
		w.Figures = []figure{{"Behind", behind(x)}, {"Skipped", skipped(x.Groups)}, {"Reconnects", strconv.Itoa(x.Reconnects)}}
		w.Reason, w.Next = x.Error, x.NextTry
		for _, y := range x.Warnings {
			w.Warnings = append(w.Warnings, y.Text)
		}
		w.State, w.Word = wordOf(x)
		if x.State == relay.Retrying && d.Account == "" {
			w.Hint = hints(x.Reason)
		}
		if x.Sending {
			w.Sending = lamp{State: "live", Word: "sending", Text: "the bytes are acknowledged"}
		} else if x.State == relay.Live {
			w.Sending = lamp{State: "waiting", Word: "not acknowledged", Text: "what is sent is not acknowledged yet"}
		}
	}
	switch {
	case x == nil && d.Trouble != "":
		w.State, w.Word, w.Reason, w.Next = "trouble", "no key", d.Trouble, d.Next
	case x == nil && st != nil && d.Account != "":
		w.State, w.Word = "waiting", "asking for the key"
	}
	switch r := &d.Received; {
	case x == nil, x.State != relay.Live && x.State != relay.StateStall:
	case r.Known && r.Good:
		w.Received = lamp{State: "live", Word: "received", Says: r.Text}
	case r.Known:
		w.Received = lamp{State: "trouble", Word: "not received", Says: r.Text}
	case r.Text != "":
		w.Received = lamp{State: "unknown", Word: "received: unknown", Says: r.Text}
	case d.Asked:
		w.Received = lamp{State: "waiting", Word: "received: asking", Text: "the platform has not answered yet"}
	case w.Brand == "twitch", w.Brand == "youtube":
		w.Received = lamp{State: "unknown", Word: "received: unknown", Text: "it is told of a connected channel only, not of a pasted key"}
	default:
		w.Received = lamp{State: "unknown", Word: "received: unknown", Text: "this platform tells nobody"}
	}
	return w
}

func behind(x *relay.DestinationStatus) string {
	if x.State != relay.Live && x.State != relay.StateStall {
		return "–"
	}
	if x.Queue < 50*time.Millisecond {
		return "no"
	}
	return ui.Short(x.Queue.Truncate(10 * time.Millisecond))
}

// skipped says how many groups of pictures were left out to stay live.
func skipped(groups uint64) string {
	switch groups {
	case 0:
		return "nothing"
	case 1:
		return "1 group"
	}
	return strconv.FormatUint(groups, 10) + " groups"
}

func wordOf(x *relay.DestinationStatus) (state, word string) {
	switch x.State {
	case relay.Live:
		if len(x.Warnings) > 0 {
			return "held", "live, with a warning"
		}
		return "live", "live"
	case relay.Connecting:
		return "waiting", "connecting"
	case relay.StateStall:
		return "trouble", "takes nothing"
	case relay.Retrying:
		if x.Reason == relay.KeyRejected {
			return "trouble", "key rejected"
		}
		return "trouble", "tries again"
	case relay.LeftOut:
		return "held", "left out"
	}
	return "waiting", string(x.State)
}

// hints is what the owner of a pasted key can do about a reason; "" when it is not in their hands.
func hints(r relay.Reason) string {
	switch r {
	case relay.KeyRejected:
		return "Copy the key from the platform once more, and paste it under Edit: it is tried at once."
	case relay.ClosesEarly:
		return "Platforms do so with a key of yesterday, or while their own page was not told to start. Look there, and paste server and key anew under Edit."
	case relay.NotFound, relay.BadAddress, relay.NoTLS, relay.Confused:
		return "Look at the server's address under Edit."
	}
	return ""
}

// near says whether a server's address is one that leads to the machine itself.
func near(server string) bool {
	name, _, err := net.SplitHostPort(host(server))
	ip := net.ParseIP(name)
	return err == nil && (name == "localhost" || ip != nil && ip.IsLoopback())
}

// testView is a test before the show.
type testView struct {
	Running bool
	Sum     string
	Rows    []testRow
}

type testRow struct{ Name, State, Word, Text string }

func testOf(t *studio.Test) *testView {
	v := &testView{Running: t.Running}
	got, of := t.Sum()
	if of > 0 && !t.Running {
		v.Sum = fmt.Sprintf("%.3g of %.3g Mbit/s arrived in all.", float64(got)/1000, float64(of)/1000)
	}
	for _, r := range t.Results {
		row := testRow{Name: r.Name, State: "waiting", Word: "running", Text: r.Text}
		switch {
		case r.Done && r.OK && r.Pushed:
			row.State, row.Word = "good", rate(r.Kbps)
		case r.Done && r.OK:
			row.State, row.Word = "gone", "not measured"
		case r.Done && r.Pushed && r.Kbps > 0:
			row.State, row.Word = "held", rate(r.Kbps)
		case r.Done:
			row.State, row.Word = "trouble", "failed"
		case r.Kbps > 0:
			row.Word = rate(r.Kbps)
		}
		v.Rows = append(v.Rows, row)
	}
	return v
}

// host is where a server's address leads, without what may be secret in it.
func host(server string) string {
	server = strings.TrimSpace(server)
	_, rest, ok := strings.Cut(server, "://")
	if !ok {
		return "–"
	}
	if i := strings.IndexAny(rest, "/?#"); i >= 0 {
		rest = rest[:i]
	}
	return rest[strings.LastIndexByte(rest, '@')+1:]
}

// accountWord names a connected channel.
func accountWord(d *videobook.Destination) string {
	platform, _ := studio.Account(d.Account)
	return "the connected " + platform.Title() + " channel"
}
