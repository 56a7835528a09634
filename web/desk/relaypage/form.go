package relaypage

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"hawker/commerce"
	"hawker/internal/chat"
	"hawker/internal/live"
	"hawker/internal/sqldb"
	"hawker/internal/sqldb/videobook"
	"hawker/internal/studio"
	"hawker/relay/preset"
	"hawker/relay/rtmp"
	"hawker/web/desk/section"
	"hawker/web/ui"
)

// Bounds of a destination.
const (
	nameMax = 60
	textMax = 2000 // of server and key, each
	waysMax = 50   // of a show
)

// choosePage is where a new destination begins.
type choosePage struct {
	At, Title string
	Channels  []channelChoice
	Guides    []guide
}

// channelChoice is a connected channel that can be sent to without a key.
type channelChoice struct {
	Account, Name, Platform, Mark, Brand string
	Taken                                bool // it is one already
	Needs                                string
	Again                                string // the login that asks for more: its address's name
	Extra                                string
}

// formPage is the form of a destination.
type formPage struct {
	At, Title string
	ID        commerce.ID // 0 for a new one
	Guide     guide
	Account   string // "" when server and key are pasted
	Channel   string // its name
	Needs     *channelChoice
	Name      string
	Server    string
	HasKey    bool   // one is stored
	KeptWhole bool   // the stored server may hold the key, so it is not shown
	Reason    string // what went wrong last, from the relay
	Wrong     map[string]string
}

// choose offers the platforms.
func (p *Pages) choose(w http.ResponseWriter, r *http.Request, v *section.Visitor) error {
	s, err := p.find(r, v)
	if err != nil {
		return err
	}
	pg := &choosePage{At: "/shows/" + s.ID.String() + "/video", Title: s.Title, Guides: guides()}
	if pg.Channels, err = p.channels(r.Context(), v, s.ID); err != nil {
		return err
	}
	return p.render(w, r, v, "choose", "Add a destination", nil, pg)
}

// channels are the merchant's channels that can be sent to without a key.
func (p *Pages) channels(ctx context.Context, v *section.Visitor, show commerce.ID) ([]channelChoice, error) {
	all, err := p.DB.Channels(ctx, v.Merchant.ID)
	if err != nil {
		return nil, err
	}
	have, err := p.DB.Destinations(ctx, v.Merchant.ID, show)
	if err != nil {
		return nil, err
	}
	var out []channelChoice
	for _, c := range all {
		platform, ok := p.Studio.Platforms[c.Platform]
		if !ok || c.Owner == "" { // somebody else's channel, which only its chat is known of
			continue
		}
		x := channelChoice{Account: c.Channel.String(), Name: c.Name, Platform: c.Platform.Title(), Brand: string(c.Platform)}
		g, _ := guideOf(string(c.Platform))
		x.Mark = g.Mark
		x.Taken = slices.ContainsFunc(have, func(d videobook.Destination) bool { return d.Account == x.Account })
		if platform.Needs != nil {
			needs, err := platform.Needs(ctx, v.Merchant.ID, c.ID)
			if err != nil && !sqldb.IsNotFound(err) {
				return nil, err
			}
			x.Needs = needs
			if sqldb.IsNotFound(err) {
				x.Needs = "The channel's owner is not connected any more."
			}
		}
		switch c.Platform {
		case chat.Twitch:
			x.Again, x.Extra = "twitch-channel", "stream-key title"
		case chat.YouTube:
			x.Again = "youtube"
		}
		out = append(out, x)
	}
	return out, nil
}

// newWay is an empty form for a platform or a connected channel.
func (p *Pages) newWay(w http.ResponseWriter, r *http.Request, v *section.Visitor) error {
	s, err := p.find(r, v)
	if err != nil {
		return err
	}
	pg, err := p.form(r, v, s, r.URL.Query().Get("preset"), r.URL.Query().Get("account"))
	if err != nil {
		return err
	}
	all, err := p.DB.Destinations(r.Context(), v.Merchant.ID, s.ID)
	if err != nil {
		return err
	}
	pg.Name = free(pg.Name, all)
	return p.render(w, r, v, "form", "Add "+pg.Guide.Name, nil, pg)
}

// form is the form of a platform, or of a connected channel.
func (p *Pages) form(r *http.Request, v *section.Visitor, s *commerce.Show, id, account string) (*formPage, error) {
	pg := &formPage{At: "/shows/" + s.ID.String() + "/video", Title: s.Title, Wrong: map[string]string{}}
	if account != "" {
		channels, err := p.channels(r.Context(), v, s.ID)
		if err != nil {
			return nil, err
		}
		i := slices.IndexFunc(channels, func(c channelChoice) bool { return c.Account == account })
		if i < 0 {
			return nil, ui.Problem(http.StatusNotFound, "That channel is not connected. Connect it under Channels, or paste server and key.")
		}
		c := &channels[i]
		platform, _ := studio.Account(account)
		pg.Account, pg.Channel = account, c.Name
		if pg.Guide, _ = guideOf(id); pg.Guide.ID != studio.BackupPreset || platform != chat.YouTube {
			pg.Guide, _ = guideOf(string(platform))
		}
		if c.Needs != "" {
			pg.Needs = c
		}
		pg.Name = pg.Guide.Name
		return pg, nil
	}
	g, ok := guideOf(id)
	if !ok {
		return nil, ui.Problem(http.StatusNotFound, "That platform is not known here. Choose “Any other server”.")
	}
	pg.Guide, pg.Server = g, g.Server
	if g.ID != custom {
		pg.Name = g.Name
	}
	return pg, nil
}

// free is a name that no other destination of the show has.
func free(name string, all []videobook.Destination) string {
	if name == "" {
		return ""
	}
	taken := func(n string) bool {
		return slices.ContainsFunc(all, func(d videobook.Destination) bool { return strings.EqualFold(d.Name, n) })
	}
	out := name
	for i := 2; taken(out) && i <= waysMax+1; i++ {
		out = name + " " + strconv.Itoa(i)
	}
	return out
}

// editWay is the form of a destination as it is stored.
func (p *Pages) editWay(w http.ResponseWriter, r *http.Request, v *section.Visitor) error {
	s, d, err := p.way(r, v)
	if err != nil {
		return err
	}
	pg, err := p.stored(r, v, s, d)
	if err != nil {
		return err
	}
	return p.render(w, r, v, "form", pg.Name, nil, pg)
}

func (p *Pages) stored(r *http.Request, v *section.Visitor, s *commerce.Show, d *studio.Way) (*formPage, error) {
	pg, err := p.form(r, v, s, d.Preset, d.Account)
	if err != nil { // of a channel that is not connected any more, or a platform that an older version knew
		pg = &formPage{At: "/shows/" + s.ID.String() + "/video", Title: s.Title, Account: d.Account, Wrong: map[string]string{}}
		pg.Guide, _ = guideOf("")
		if d.Account != "" {
			pg.Needs = &channelChoice{Needs: "This channel is not connected any more. Connect it again under Channels, or remove this destination and paste server and key."}
		}
	}
	pg.ID, pg.Name, pg.HasKey = d.ID, d.Name, d.HasKey
	pg.KeptWhole = d.Account == "" && !d.HasKey && d.Server != "" // the server is all there is, so it holds the key
	if pg.Server = d.Server; pg.KeptWhole {
		pg.Server = ""
	}
	if d.Status != nil {
		pg.Reason = d.Status.Error
	}
	return pg, nil
}

// saveWay adds or changes a destination.
func (p *Pages) saveWay(w http.ResponseWriter, r *http.Request, v *section.Visitor) error {
	var s *commerce.Show
	var pg *formPage
	var old videobook.Destination
	all := []videobook.Destination(nil)
	var err error
	if r.PathValue("dest") == "" {
		if s, err = p.find(r, v); err != nil {
			return err
		}
		pg, err = p.form(r, v, s, r.PostFormValue("preset"), r.PostFormValue("account"))
	} else {
		var d *studio.Way
		if s, d, err = p.way(r, v); err != nil {
			return err
		}
		pg, err = p.stored(r, v, s, d)
	}
	if err != nil {
		return err
	}
	if all, err = p.DB.Destinations(r.Context(), v.Merchant.ID, s.ID); err != nil {
		return err
	}
	for _, x := range all {
		if x.ID == pg.ID {
			old = x
		}
	}
	if pg.ID != 0 && old.ID == 0 {
		return live.ErrNotFound
	}
	x := old
	x.Show = s.ID
	if pg.ID == 0 {
		x.Enabled, x.Account = true, pg.Account
		if x.Preset = pg.Guide.ID; x.Preset == custom {
			x.Preset = ""
		}
	}
	p.read(r, pg, &x, &old, all)
	if len(pg.Wrong) == 0 {
		_, err := p.Studio.Book.PutDestination(r.Context(), v.Merchant.ID, x)
		switch {
		case errors.Is(err, sqldb.ErrTaken):
			pg.Wrong["name"] = "Another destination of this show has that name."
		case err != nil:
			return err
		}
	}
	if len(pg.Wrong) > 0 {
		return p.render(w, r, v, "form", "Destination", func(f *ui.Frame) {
			f.Status, f.Trouble = http.StatusUnprocessableEntity, "Not saved yet: something needs another look."
		}, pg)
	}
	if err := p.Studio.Sync(r.Context(), v.Merchant.ID, s.ID); err != nil {
		return err
	}
	http.Redirect(w, r, pg.At+"?said=way#ways", http.StatusSeeOther)
	return nil
}

// read turns the form into a destination; what cannot be used is told in pg.Wrong. Server and key are kept as they were pasted.
func (p *Pages) read(r *http.Request, pg *formPage, x, old *videobook.Destination, all []videobook.Destination) {
	x.Name = strings.TrimSpace(r.PostFormValue("name"))
	pg.Name = x.Name
	switch {
	case x.Name == "" || len([]rune(x.Name)) > nameMax:
		pg.Wrong["name"] = "A name of at most 60 letters, for example Twitch."
	case slices.ContainsFunc(all, func(d videobook.Destination) bool { return d.ID != x.ID && strings.EqualFold(d.Name, x.Name) }):
		pg.Wrong["name"] = "Another destination of this show has that name."
	case x.ID == 0 && len(all) >= waysMax:
		pg.Wrong["name"] = "A show's video goes to at most 50 places. Remove one that is not needed."
	}
	if x.Account != "" {
		return
	}
	server, key := r.PostFormValue("server"), r.PostFormValue("key")
	pg.Server = server
	if server == "" && pg.KeptWhole {
		server = old.Server
	}
	if len(server) > textMax || len(key) > textMax {
		pg.Wrong["server"] = "Server and key are at most 2,000 letters each."
		return
	}
	x.Server, x.Key = server, key
	check := key
	if key == "" {
		check = old.Key
	}
	switch t, err := rtmp.ParseTarget(server, check); {
	case strings.TrimSpace(server) == "":
		pg.Wrong["server"] = "The server is missing. The platform shows it beside the stream key."
	case err != nil && strings.TrimSpace(check) == "" && looks(server):
		pg.Wrong["key"] = "The stream key is missing."
	case err != nil:
		pg.Wrong["server"] = "The server begins with rtmp:// or rtmps://, for example rtmp://live.example.com/app."
	case key == "" && old.Key != "" && host(server) != host(old.Server):
		// A kept key goes only where it went before: who may change the address need not know the key.
		pg.Wrong["key"] = "The server is another one, so paste the key as well: the stored one is sent nowhere else."
	case strings.ContainsAny(strings.TrimSpace(key), " \t\r\n"):
		pg.Wrong["key"] = "There is a blank or a line break inside the key. Copy it once more."
	default:
		if known, ok := preset.Of(t.Host); ok && x.Preset == "" {
			x.Preset = known.ID // the limits are known, whatever was chosen
		}
	}
	if pg.KeptWhole {
		pg.Server = ""
	}
}

// looks says whether a text is an address that only lacks its key.
func looks(server string) bool {
	_, err := rtmp.ParseTarget(server, "k")
	return err == nil
}
