package relaypage

import (
	"errors"
	"fmt"
	"html"
	"io"
	"math"
	"mime/multipart"
	"net/http"
	"strconv"
	"strings"
	"time"

	"hawker/commerce"
	"hawker/internal/live"
	"hawker/internal/studio"
	"hawker/relay"
	"hawker/relay/clip"
	"hawker/web/desk/section"
	"hawker/web/ui"
)

// Bounds of what is typed.
const (
	maxMbit  = 10_000
	maxGrace = 4 * 60 // minutes
	minTest  = 0.3    // Mbit/s
	maxTest  = 50
	// uploadWithin bounds an upload: 64 MB over a line of 1 Mbit/s.
	uploadWithin = 10 * time.Minute
)

// key makes a stream key and shows it this once, or takes the second encoder's away.
func (p *Pages) key(w http.ResponseWriter, r *http.Request, v *section.Visitor) error {
	s, err := p.find(r, v)
	if err != nil {
		return err
	}
	var k studio.Keys
	switch which := r.PostFormValue("which"); which {
	case "main", "backup":
		if k, err = p.Studio.NewKey(r.Context(), v.Merchant.ID, s.ID, which == "backup"); err != nil {
			return err
		}
	case "no-backup":
		if err := p.Studio.DropKey(r.Context(), v.Merchant.ID, s.ID); err != nil {
			return err
		}
	default:
		return ui.Problem(http.StatusBadRequest, "Which key is meant?")
	}
	text := "This is the new stream key. It is shown this once."
	if k == (studio.Keys{}) {
		text = said("no-backup")
	}
	return p.keyed(w, r, v, s, text, func(pg *page) { pg.Made = k })
}

// keyed answers with keys that were just made: they are shown in this answer and never again.
func (p *Pages) keyed(w http.ResponseWriter, r *http.Request, v *section.Visitor, s *commerce.Show, text string, made func(*page)) error {
	if !ui.Hx(r) {
		return p.page(w, r, v, s, func(f *ui.Frame) { f.Notice = text }, made)
	}
	pg, err := p.look(r.Context(), v, s)
	if err != nil {
		return err
	}
	made(pg)
	more := []ui.Part{notice(html.EscapeString(text))}
	for _, name := range []string{"keys", "made"} {
		b, err := p.pages.Part("video", name, pg)
		if err != nil {
			return err
		}
		more = append(more, ui.Part{Target: "#" + name, HTML: b})
	}
	return p.answer(w, r, v, s, "", more...)
}

// cut takes the encoder off the air. Who may plan the show is shown the new keys; others are told to ask.
func (p *Pages) cut(w http.ResponseWriter, r *http.Request, v *section.Visitor) error {
	s, err := p.find(r, v)
	if err != nil {
		return err
	}
	k, err := p.Studio.Cut(r.Context(), v.Merchant.ID, s.ID)
	if err != nil {
		return err
	}
	p.Log.InfoContext(r.Context(), "video cut", "show", s.ID, "by", v.Member.ID)
	const text = "The video is cut. The old stream key opens nothing any more."
	if v.Plan && k != (studio.Keys{}) {
		return p.keyed(w, r, v, s, text+" The new one is shown this once.", func(pg *page) { pg.CutMade = k })
	}
	return p.answer(w, r, v, s, "cut", notice(text))
}

// slate shows the slate, or the encoder again.
func (p *Pages) slate(w http.ResponseWriter, r *http.Request, v *section.Visitor) error {
	s, err := p.find(r, v)
	if err != nil {
		return err
	}
	on := r.PostFormValue("on") == "1"
	if err := p.Studio.Relay.Slate(s.ID.String(), on); err != nil {
		return notLive(err)
	}
	return p.answer(w, r, v, s, map[bool]string{true: "slate", false: "picture"}[on])
}

// use switches between the two encoders.
func (p *Pages) use(w http.ResponseWriter, r *http.Request, v *section.Visitor) error {
	s, err := p.find(r, v)
	if err != nil {
		return err
	}
	if err := p.Studio.Relay.Use(s.ID.String(), r.PostFormValue("backup") == "1"); err != nil {
		return notLive(err)
	}
	return p.answer(w, r, v, s, "use", notice(said("use")))
}

// admit lets the encoder in that waits.
func (p *Pages) admit(w http.ResponseWriter, r *http.Request, v *section.Visitor) error {
	s, err := p.find(r, v)
	if err != nil {
		return err
	}
	if err := p.Studio.Relay.Admit(s.ID.String()); errors.Is(err, relay.ErrNoStream) {
		return ui.Problem(http.StatusConflict, "Nobody waits any more.")
	} else if err != nil {
		return err
	}
	return p.answer(w, r, v, s, "admitted", notice(said("admitted")))
}

// settings writes how the show's video is carried.
func (p *Pages) settings(w http.ResponseWriter, r *http.Request, v *section.Visitor) error {
	s, err := p.find(r, v)
	if err != nil {
		return err
	}
	set, err := p.Studio.Book.Settings(r.Context(), v.Merchant.ID, s.ID)
	if err != nil {
		return err
	}
	f := settingsForm{Uplink: strings.TrimSpace(r.PostFormValue("uplink")), Grace: strings.TrimSpace(r.PostFormValue("grace")), Ask: r.PostFormValue("ask") != "", Record: r.PostFormValue("record") != ""}
	f.Wrong = map[string]string{}
	if set.UplinkKbps, err = mbitOf(f.Uplink, maxMbit); err != nil {
		f.Wrong["uplink"] = fmt.Sprintf("A rate in Mbit/s such as 18 or 7.5, at most %d; empty when you do not know it.", maxMbit)
	}
	minutes, err := strconv.Atoi(f.Grace)
	if set.Grace = time.Duration(minutes) * time.Minute; err != nil || minutes < 1 || minutes > maxGrace {
		f.Wrong["grace"] = fmt.Sprintf("Whole minutes, from 1 to %d.", maxGrace)
	}
	if set.Grace == relay.DefaultGrace {
		set.Grace = 0
	}
	set.AskHost, set.NoRecord = f.Ask, !f.Record
	if len(f.Wrong) > 0 {
		return p.page(w, r, v, s, func(fr *ui.Frame) {
			fr.Status, fr.Trouble = http.StatusUnprocessableEntity, "Not saved yet: something needs another look."
		}, func(pg *page) { pg.Form = f })
	}
	if err := p.Studio.Book.PutSettings(r.Context(), v.Merchant.ID, s.ID, set); err != nil {
		return err
	}
	if err := p.Studio.Sync(r.Context(), v.Merchant.ID, s.ID); err != nil {
		return err
	}
	http.Redirect(w, r, "/shows/"+s.ID.String()+"/video?said=saved", http.StatusSeeOther)
	return nil
}

// mbitOf reads a rate in Mbit/s; nothing is 0.
func mbitOf(text string, most float64) (kbps int, err error) {
	if text == "" {
		return 0, nil
	}
	n, err := strconv.ParseFloat(strings.ReplaceAll(text, ",", "."), 64)
	if err != nil || math.IsNaN(n) || n <= 0 || n > most {
		return 0, errors.New("no rate")
	}
	return max(int(n*1000), 1), nil
}

// clip takes a slate.
func (p *Pages) clip(w http.ResponseWriter, r *http.Request, v *section.Visitor) error {
	s, err := p.find(r, v)
	if err != nil {
		return err
	}
	rc := http.NewResponseController(w)
	_ = rc.SetReadDeadline(time.Now().Add(uploadWithin)) // a server that cannot is a test's
	name, part, err := upload(r)
	if err == nil {
		err = p.Studio.PutClip(r.Context(), v.Merchant.ID, s.ID, name, part)
	}
	var fault *clip.Fault
	var big *http.MaxBytesError
	switch {
	case errors.As(err, &big):
		err = studio.ErrTooLarge
		fallthrough
	case errors.As(err, &fault), errors.Is(err, clip.ErrNoFFmpeg), errors.Is(err, studio.ErrTooLarge):
		status := http.StatusUnprocessableEntity
		if errors.Is(err, studio.ErrTooLarge) {
			status = http.StatusRequestEntityTooLarge
			w.Header().Set("Connection", "close") // what else comes is not read
		}
		return p.page(w, r, v, s, func(f *ui.Frame) { f.Status, f.Trouble = status, "The slate is not taken. "+studio.ClipSentence(err) }, func(pg *page) { pg.ClipWrong = studio.ClipSentence(err) })
	case err != nil:
		return err
	}
	http.Redirect(w, r, "/shows/"+s.ID.String()+"/video?said=clip#slate", http.StatusSeeOther)
	return nil
}

// upload is the file of a form.
func upload(r *http.Request) (name string, file *multipart.Part, err error) {
	m, err := r.MultipartReader()
	if err != nil {
		return "", nil, &clip.Fault{Text: "No file came with the form. Choose one first."}
	}
	for {
		part, err := m.NextPart()
		switch {
		case errors.Is(err, io.EOF):
			return "", nil, &clip.Fault{Text: "No file came with the form. Choose one first."}
		case err != nil:
			return "", nil, fmt.Errorf("read an upload: %w", err)
		case part.FormName() == "clip" && part.FileName() != "":
			return part.FileName(), part, nil
		}
	}
}

// dropClip takes the slate away.
func (p *Pages) dropClip(w http.ResponseWriter, r *http.Request, v *section.Visitor) error {
	s, err := p.find(r, v)
	if err != nil {
		return err
	}
	if err := p.Studio.DropClip(r.Context(), v.Merchant.ID, s.ID); err != nil {
		return err
	}
	return p.answer(w, r, v, s, "no-clip", notice(said("no-clip")))
}

// test tries all destinations before the show.
func (p *Pages) test(w http.ResponseWriter, r *http.Request, v *section.Visitor) error {
	s, err := p.find(r, v)
	if err != nil {
		return err
	}
	kbps, err := mbitOf(strings.TrimSpace(r.PostFormValue("rate")), maxTest)
	if err != nil || kbps < minTest*1000 {
		return ui.Problem(http.StatusUnprocessableEntity, fmt.Sprintf("The rate of a test is from %.1f to %d Mbit/s.", minTest, maxTest))
	}
	switch err := p.Studio.StartTest(r.Context(), v.Merchant.ID, s.ID, kbps); {
	case errors.Is(err, studio.ErrOnAir):
		return ui.Problem(http.StatusConflict, "Video comes for this show now. A key takes one stream at a time, so test before the encoder is started.")
	case errors.Is(err, studio.ErrNobody):
		return ui.Problem(http.StatusConflict, "There is nothing to test: no destination is on.")
	case errors.Is(err, studio.ErrTesting):
		return ui.Problem(http.StatusConflict, "A test is running already.")
	case err != nil:
		return err
	}
	return p.answer(w, r, v, s, "test")
}

// way is the destination of an address.
func (p *Pages) way(r *http.Request, v *section.Visitor) (*commerce.Show, *studio.Way, error) {
	s, err := p.find(r, v)
	if err != nil {
		return nil, nil, err
	}
	view, err := p.Studio.View(r.Context(), v.Merchant.ID, s.ID)
	if err != nil {
		return nil, nil, err
	}
	for i := range view.To {
		if view.To[i].ID.String() == r.PathValue("dest") {
			return s, &view.To[i], nil
		}
	}
	return nil, nil, live.ErrNotFound
}

// turn turns a destination on or off, without touching the others.
func (p *Pages) turn(w http.ResponseWriter, r *http.Request, v *section.Visitor) error {
	s, d, err := p.way(r, v)
	if err != nil {
		return err
	}
	on := r.PostFormValue("on") == "1"
	if err := p.Studio.Book.Enable(r.Context(), v.Merchant.ID, d.ID, on); err != nil {
		return err
	}
	if err := p.Studio.Sync(r.Context(), v.Merchant.ID, s.ID); err != nil {
		return err
	}
	return p.answer(w, r, v, s, map[bool]string{true: "on", false: "off"}[on])
}

// move puts a destination one place up or down.
func (p *Pages) move(w http.ResponseWriter, r *http.Request, v *section.Visitor) error {
	s, d, err := p.way(r, v)
	if err != nil {
		return err
	}
	if err := p.Studio.Book.Move(r.Context(), v.Merchant.ID, s.ID, d.ID, r.PostFormValue("to") == "up"); err != nil {
		return err
	}
	if err := p.Studio.Sync(r.Context(), v.Merchant.ID, s.ID); err != nil {
		return err
	}
	return p.answer(w, r, v, s, "moved")
}

// drop removes a destination.
func (p *Pages) drop(w http.ResponseWriter, r *http.Request, v *section.Visitor) error {
	s, d, err := p.way(r, v)
	if err != nil {
		return err
	}
	if err := p.Studio.Drop(r.Context(), v.Merchant.ID, s.ID, d.ID); err != nil {
		return err
	}
	return p.answer(w, r, v, s, "dropped", notice(said("dropped")))
}
