package demo

import (
	"bytes"
	"encoding/json"
	"html/template"
	"net/http"
	"strconv"
	"strings"
	"time"

	"hawker/internal/chat"
	"hawker/internal/demo/crowd"
	"hawker/web/ui"
)

// policy is the page's Content-Security-Policy: that of all pages, and video, its worker, and a frame for the overlay.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; style-src-attr 'unsafe-inline'; img-src 'self' data:; font-src 'self'; " +
	"connect-src 'self'; media-src 'self' blob:; worker-src 'self'; frame-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// bodyMost bounds what a page sends.
const bodyMost = 16 << 10

// Handler serves everything below /demo. It wants the hub's own /static/ beside it, for fonts.
func (d *Demo) Handler(h House) http.Handler {
	t := template.Must(template.New("demo.html").Funcs(template.FuncMap{"asset": d.asset}).ParseFS(pageFiles, "page/demo.html"))
	mux := http.NewServeMux()
	mux.HandleFunc("GET /demo", func(w http.ResponseWriter, r *http.Request) { d.servePage(w, r, t, h) })
	mux.Handle("GET /demo/{$}", http.RedirectHandler("/demo", http.StatusMovedPermanently))
	mux.HandleFunc("GET /demo/events", d.serveEvents)
	mux.HandleFunc("POST /demo/say", d.serveSay)
	mux.HandleFunc("POST /demo/unsay", d.serveUnsay)
	mux.HandleFunc("POST /demo/press", d.servePress)
	mux.HandleFunc("POST /demo/crowd", d.serveCrowd)
	mux.Handle("GET /demo/static/{file}", d.kit.Assets)
	for i, prefix := range []string{"/demo/ingest/1", "/demo/ingest/2"} {
		mux.Handle("GET "+prefix+"/", http.StripPrefix(prefix, d.ingests[i].Handler()))
	}
	return http.NewCrossOriginProtection().Handler(mux)
}

func (d *Demo) asset(name string) string { return "/demo" + d.kit.Assets.URL(name) }

// pageView is what the page's template reads.
type pageView struct {
	House
	Shop       string
	Chats      []chatView
	Size, Most int
}

// chatView is one of the pretend chats.
type chatView struct {
	ID      chat.Platform
	Name    string
	Channel string
	Ask     string // in the empty input
	Longest int
	Chips   []string
}

func (d *Demo) servePage(w http.ResponseWriter, _ *http.Request, t *template.Template, h House) {
	v := pageView{House: h, Shop: d.shop.URL(), Size: d.crowd.State().Size, Most: crowd.MaxSize}
	chips := []string{"!buy 3", "!me", "!pass 3", "!shop"}
	v.Chats = []chatView{
		{chat.Twitch, "Twitch", "ana", "Send a message", longest(chat.Twitch), chips},
		{chat.YouTube, "YouTube", youtubeName, "Chat…", longest(chat.YouTube), chips},
		{chat.Discord, "Discord", "#live-sale", "Message #live-sale", longest(chat.Discord), append([]string{"/buy 3"}, chips[1:]...)},
	}
	var b bytes.Buffer
	if err := t.Execute(&b, v); err != nil {
		d.log.Error("demo page not made", "err", err)
		http.Error(w, "The page could not be made.", http.StatusInternalServerError)
		return
	}
	head := w.Header()
	head.Set("Content-Type", "text/html; charset=utf-8")
	head.Set("Cache-Control", "no-store")
	head.Set("Content-Security-Policy", policy)
	head.Set("X-Content-Type-Options", "nosniff")
	head.Set("Referrer-Policy", "same-origin")
	_, _ = w.Write(b.Bytes()) // who went away needs no page
}

// who reads the newcomer from a request. Everybody may come without a key: they see what all see.
func who(r *http.Request) newcomer {
	n := newcomer{r.FormValue("key"), r.FormValue("name")}
	if !validKey(n.key) {
		n.key = ""
	}
	return n
}

// eventsFor is how often a silent stream says that it is still there.
const eventsFor = 15 * time.Second

func (d *Demo) serveEvents(w http.ResponseWriter, r *http.Request) {
	p := d.board.open(who(r))
	if p == nil {
		w.WriteHeader(http.StatusNoContent) // tells the browser not to come again
		return
	}
	defer d.board.drop(p)
	s, err := ui.OpenStream(w)
	if err != nil {
		return
	}
	ping := time.NewTicker(eventsFor)
	defer ping.Stop()
	for {
		select {
		case <-r.Context().Done():
			return
		case <-ping.C:
			err = s.Ping()
		case e, ok := <-p.events:
			if !ok {
				return
			}
			var data []byte
			if data, err = json.Marshal(e.data); err == nil {
				err = s.Send([]byte("event: "+e.name+"\ndata: "), data, []byte("\n\n"))
			}
		}
		if err != nil {
			return
		}
	}
}

// said answers a form: with nothing to a script, with the page to a browser without one.
func (d *Demo) said(w http.ResponseWriter, r *http.Request, status int, problem string) {
	switch {
	case problem != "":
		http.Error(w, problem, status)
	case strings.Contains(r.Header.Get("Accept"), "text/html"):
		http.Redirect(w, r, "/demo", http.StatusSeeOther)
	default:
		w.WriteHeader(http.StatusNoContent)
	}
}

// form reads the form of a request; false when it was answered, because it was too big or came too often.
func (d *Demo) form(w http.ResponseWriter, r *http.Request) bool {
	r.Body = http.MaxBytesReader(w, r.Body, bodyMost)
	switch err := r.ParseForm(); {
	case err != nil:
		d.said(w, r, http.StatusRequestEntityTooLarge, "That is more than a chat takes.")
		return false
	case !d.says.Allow():
		d.said(w, r, http.StatusTooManyRequests, "That was too much at once. Wait a moment.")
		return false
	}
	return true
}

func (d *Demo) serveSay(w http.ResponseWriter, r *http.Request) {
	if !d.form(w, r) {
		return
	}
	p := chat.Platform(r.PostForm.Get("chat"))
	text := typed(p, r.PostForm.Get("text"))
	n := who(r)
	switch {
	case p != chat.Twitch && p != chat.YouTube && p != chat.Discord:
		d.said(w, r, http.StatusBadRequest, "There is no such chat.")
	case text == "":
		d.said(w, r, http.StatusOK, "")
	case n.key == "" && r.PostForm.Get("key") != "":
		d.said(w, r, http.StatusBadRequest, "The page is too old. Load it again.")
	default:
		d.said(w, r, http.StatusUnprocessableEntity, d.speak(n, p, text))
	}
}

// serveUnsay deletes a line of the newcomer's own.
func (d *Demo) serveUnsay(w http.ResponseWriter, r *http.Request) {
	if !d.form(w, r) {
		return
	}
	if !d.unsay(who(r), chat.Platform(r.PostForm.Get("chat")), r.PostForm.Get("line")) {
		d.said(w, r, http.StatusNotFound, "That line is not yours, or it is gone.")
		return
	}
	d.said(w, r, http.StatusOK, "")
}

// servePress presses a button below a line of the bot in Discord.
func (d *Demo) servePress(w http.ResponseWriter, r *http.Request) {
	if !d.form(w, r) {
		return
	}
	v := who(r).on(chat.Discord)
	in, err := d.discord.Press(discordID, discordViewer(v), r.PostForm.Get("line"), r.PostForm.Get("press"))
	if err != nil {
		d.said(w, r, http.StatusUnprocessableEntity, "Discord would not do that: "+err.Error())
		return
	}
	d.useDone(v, in.ID, r.PostForm.Get("press"))
	d.said(w, r, http.StatusOK, "")
}

func (d *Demo) serveCrowd(w http.ResponseWriter, r *http.Request) {
	if !d.form(w, r) {
		return
	}
	s, err := crowdState(r.PostForm.Get("size"), r.PostForm.Get("paused"), d.crowd.State())
	if err != nil {
		d.said(w, r, http.StatusBadRequest, "Not a number of viewers.")
		return
	}
	d.board.state("crowd", d.crowd.Set(s))
	d.said(w, r, http.StatusOK, "")
}

// crowdState changes what a form names and leaves the rest.
func crowdState(size, paused string, now crowd.State) (crowd.State, error) {
	if size != "" {
		n, err := strconv.Atoi(size)
		if err != nil {
			return now, err
		}
		now.Size = n
	}
	if paused != "" {
		now.Paused = paused == "true"
	}
	return now, nil
}
