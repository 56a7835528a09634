package desk

import (
	"context"
	"errors"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"

	"hawker/commerce"
	"hawker/internal/chat"
	"hawker/internal/live"
	"hawker/internal/seal"
	"hawker/internal/sqldb"
	"hawker/web/ui"
)

// linesMax bounds a lineup.
const linesMax = 500

// editPage is the form of a show. It keeps what was typed, also what is wrong.
type editPage struct {
	ID                            commerce.ID // 0 for a new show
	State                         commerce.ShowState
	Title, Name, Hold, Holds      string
	Boutique, Plus, NumberOnly    bool
	Channels                      []channelChoice
	Lines                         []lineForm
	Products                      []productChoice
	Wrong                         map[string]string // by field
	Currency, Public              string
	ShopStore                     bool // a store stands behind the merchant
	HasKey                        bool
	KeyTail, NewKey, IngestServer string
	Destinations                  []destinationForm
	DestinationWrong              string

	posted []string // the channels as posted
}

type channelChoice struct {
	Value, Platform, Name string
	On                    bool
}

type lineForm struct {
	Product, Number, Price, Cap, Wrong string
	Products                           []productChoice // shared with the page
}

type productChoice struct{ Value, Text string }

type destinationForm struct {
	ID           commerce.ID
	Name, Server string
	On           bool
}

// addressName is what /live/NAME may be.
var addressName = regexp.MustCompile(`^[a-z0-9](?:[a-z0-9-]{0,46}[a-z0-9])?$`)

func (d *Desk) newShow(w http.ResponseWriter, r *http.Request, v *Visitor) error {
	p := &editPage{Hold: "10", Holds: string(commerce.HoldsDraft), Lines: []lineForm{{}}}
	if err := d.fill(r.Context(), v, p, nil); err != nil {
		return err
	}
	for i := range p.Channels { // most shows listen to all there is
		p.Channels[i].On = true
	}
	return d.render(w, r, v, "edit", "New show", ui.Frame{}, p)
}

func (d *Desk) editShow(w http.ResponseWriter, r *http.Request, v *Visitor) error {
	p, err := d.formOf(r, v)
	if err != nil {
		return err
	}
	return d.render(w, r, v, "edit", p.Title, ui.Frame{}, p)
}

// formOf is the form of the show in the address, as stored.
func (d *Desk) formOf(r *http.Request, v *Visitor) (*editPage, error) {
	id, err := showID(r)
	if err != nil {
		return nil, err
	}
	s, err := d.find(r.Context(), v, id)
	if err != nil {
		return nil, err
	}
	p := &editPage{
		ID: id, State: s.State, Title: s.Title, Name: s.Name, Hold: strconv.Itoa(int(or(s.Hold, commerce.DefaultHold).Minutes())), Holds: string(s.Holds),
		Boutique: s.Lineup.Styles.Boutique, Plus: s.Lineup.Styles.Plus, NumberOnly: s.Lineup.Styles.NumberOnly,
	}
	for i := range s.Lineup.Items {
		it := &s.Lineup.Items[i]
		l := lineForm{Product: it.Product.ID.String(), Number: strconv.Itoa(it.Number)}
		if it.Price.Minor > 0 {
			l.Price = it.Price.Decimal()
		}
		if it.Cap > 0 {
			l.Cap = strconv.Itoa(it.Cap)
		}
		p.Lines = append(p.Lines, l)
	}
	p.Lines = append(p.Lines, lineForm{})
	return p, d.fill(r.Context(), v, p, s.Channels)
}

func or(d, otherwise time.Duration) time.Duration {
	if d == 0 {
		return otherwise
	}
	return d
}

// fill adds what can be chosen, and for a show that exists its video.
func (d *Desk) fill(ctx context.Context, v *Visitor, p *editPage, on []chat.Channel) error {
	p.Currency, p.Public, p.IngestServer = v.Merchant.Currency, d.Kit.Public(), d.IngestServer
	channels, err := d.DB.Channels(ctx, v.Merchant.ID)
	if err != nil {
		return err
	}
	for _, c := range channels {
		choice := channelChoice{Value: c.String(), Platform: c.Platform.Title(), Name: c.Name}
		for _, x := range on {
			choice.On = choice.On || x == c.Channel
		}
		p.Channels = append(p.Channels, choice)
	}
	products, err := d.DB.Products(ctx, v.Merchant.ID)
	if err != nil {
		return err
	}
	for i := range products {
		text := products[i].Title
		if len(products[i].Variants) > 0 {
			text += " · " + products[i].Variants[0].Price.String()
		}
		if n := len(products[i].Variants); n > 1 {
			text += " · " + strconv.Itoa(n) + " variants"
		}
		p.Products = append(p.Products, productChoice{products[i].ID.String(), text})
	}
	for i := range p.Lines {
		p.Lines[i].Products = p.Products
	}
	store, err := d.DB.Store(ctx, v.Merchant.ID)
	if err != nil && !sqldb.IsNotFound(err) {
		return err
	}
	p.ShopStore = store.Kind == "shopify"
	if p.ID == 0 {
		return nil
	}
	in, err := d.DB.IngestOf(ctx, v.Merchant.ID, p.ID)
	if err != nil && !sqldb.IsNotFound(err) {
		return err
	}
	p.HasKey, p.KeyTail = err == nil, in.KeyTail
	all, err := d.DB.Destinations(ctx, v.Merchant.ID, p.ID)
	for _, x := range all {
		p.Destinations = append(p.Destinations, destinationForm{x.ID, x.Name, x.Server, x.Enabled})
	}
	return err
}

// saveShow makes or changes a show.
func (d *Desk) saveShow(w http.ResponseWriter, r *http.Request, v *Visitor) error {
	if err := r.ParseForm(); err != nil {
		return err
	}
	s := &commerce.Show{State: commerce.ShowPlanned}
	if r.PathValue("id") != "" {
		id, err := showID(r)
		if err != nil {
			return err
		}
		if s, err = d.find(r.Context(), v, id); err != nil {
			return err
		}
	}
	p := typed(r, s)
	products, err := d.DB.Products(r.Context(), v.Merchant.ID)
	if err != nil {
		return err
	}
	if err := d.read(r.Context(), v, p, s, products); err != nil {
		return err
	}
	if len(p.Wrong) > 0 {
		if err := d.fill(r.Context(), v, p, s.Channels); err != nil {
			return err
		}
		return d.render(w, r, v, "edit", "Show", ui.Frame{Status: http.StatusUnprocessableEntity, Trouble: "Not saved yet: something in the form needs another look."}, p)
	}
	said := "saved"
	if s.ID == 0 {
		s.ID, said = commerce.NewID(time.Now()), "made"
	}
	if s.State == commerce.ShowLive {
		if err := d.mayStart(r.Context(), v, s); err != nil {
			return err
		}
	}
	if _, err := d.Hub.Ask(r.Context(), v.Merchant.ID, commerce.Key{}, commerce.SetShow{Show: *s}); err != nil {
		return err
	}
	to := "/shows/" + s.ID.String()
	if said == "made" { // the video is set up next
		to += "/edit"
	}
	http.Redirect(w, r, to+"?said="+said, http.StatusSeeOther)
	return nil
}

// typed is the form as typed.
func typed(r *http.Request, s *commerce.Show) *editPage {
	f := r.PostForm
	p := &editPage{
		ID: s.ID, State: s.State, Title: strings.TrimSpace(f.Get("title")), Name: strings.ToLower(strings.TrimSpace(f.Get("name"))), Hold: strings.TrimSpace(f.Get("hold")),
		Holds: f.Get("holds"), Boutique: f.Has("boutique"), Plus: f.Has("plus"), NumberOnly: f.Has("number_only"), Wrong: map[string]string{}, posted: f["channel"],
	}
	at := func(name string, i int) string {
		if i < len(f[name]) {
			return strings.TrimSpace(f[name][i])
		}
		return ""
	}
	for i := range min(len(f["product"]), linesMax) {
		p.Lines = append(p.Lines, lineForm{Product: at("product", i), Number: at("number", i), Price: at("price", i), Cap: at("cap", i)})
	}
	return p
}

// read turns the form into the show; what cannot be used is told in p.Wrong.
func (d *Desk) read(ctx context.Context, v *Visitor, p *editPage, s *commerce.Show, products []commerce.Product) error {
	if s.Title = p.Title; p.Title == "" || len([]rune(p.Title)) > 80 {
		p.Wrong["title"] = "A show needs a title of at most 80 letters."
	}
	if p.Name == "" {
		p.Name = slug(p.Title)
	}
	s.Name = p.Name
	if !addressName.MatchString(p.Name) {
		p.Wrong["name"] = "Use small letters, digits and hyphens, for example spring-sale."
	} else if _, other, err := d.DB.ShowNamed(ctx, p.Name); err == nil && other != s.ID {
		p.Wrong["name"] = "Another show has this address. Choose a different one."
	} else if err != nil && !sqldb.IsNotFound(err) {
		return err
	}
	minutes, err := strconv.Atoi(p.Hold)
	s.Hold = time.Duration(minutes) * time.Minute
	if err != nil || s.Hold < commerce.MinHold || s.Hold > commerce.MaxHold {
		p.Wrong["hold"] = "From 1 minute to 7 days (10080 minutes)."
	}
	switch s.Holds = commerce.StoreHolds(p.Holds); s.Holds {
	case commerce.HoldsDraft, commerce.HoldsLink:
	default:
		s.Holds = commerce.HoldsDraft
	}
	s.Lineup.Styles = commerce.Styles{Boutique: p.Boutique, Plus: p.Plus, NumberOnly: p.NumberOnly}
	return d.readLines(ctx, v, p, s, products)
}

func (d *Desk) readLines(ctx context.Context, v *Visitor, p *editPage, s *commerce.Show, products []commerce.Product) error {
	old := s.Lineup.Items
	s.Lineup.Items = nil
	used := map[int]bool{}
	for i := range p.Lines {
		if n, err := strconv.Atoi(p.Lines[i].Number); err == nil && p.Lines[i].Product != "" {
			used[n] = true
		}
	}
	seen := map[int]bool{}
	for i := range p.Lines {
		l := &p.Lines[i]
		if l.Product == "" {
			continue
		}
		it, wrong := itemFrom(l, v.Merchant.Currency, products, old, used)
		if wrong == "" && seen[it.Number] {
			wrong = "Number " + l.Number + " is there twice."
		}
		if wrong == "" && s.Holds == commerce.HoldsLink && it.Price.Minor > 0 {
			wrong = "A price of its own needs store holds by draft order: a cart link cannot carry it."
		}
		if wrong != "" {
			l.Wrong, p.Wrong["lineup"] = wrong, "An item needs another look."
			continue
		}
		seen[it.Number] = true
		s.Lineup.Items = append(s.Lineup.Items, it)
	}
	known, err := d.DB.Channels(ctx, v.Merchant.ID)
	if err != nil {
		return err
	}
	// The names as posted, in the order of the merchant's channels, so that nobody listens to a stranger's chat.
	s.Channels = nil
	for _, c := range known {
		for _, value := range p.posted {
			if value == c.String() {
				s.Channels = append(s.Channels, c.Channel)
			}
		}
	}
	return nil
}

// itemFrom reads one line of the lineup. It keeps what the form does not show of an item that was there before.
func itemFrom(l *lineForm, currency string, products []commerce.Product, old []commerce.Item, used map[int]bool) (it commerce.Item, wrong string) {
	for i := range products {
		if products[i].ID.String() == l.Product {
			it.Product = products[i]
		}
	}
	if len(it.Product.Variants) == 0 {
		return it, "This product cannot be sold: it has no variant."
	}
	if l.Number == "" {
		n := 1
		for used[n] {
			n++
		}
		used[n] = true
		l.Number = strconv.Itoa(n)
	}
	n, err := strconv.Atoi(l.Number)
	if err != nil || n < 1 || n > 9999 {
		return it, "The number is 1 to 9999."
	}
	for i := range old {
		if old[i].Number == n && old[i].Product.ID == it.Product.ID {
			it.Code, it.Hold, it.Closed, it.FirstPaid = old[i].Code, old[i].Hold, old[i].Closed, old[i].FirstPaid
		}
	}
	it.Number = n
	if l.Price != "" {
		m, err := commerce.ParseMoney(strings.ReplaceAll(l.Price, ",", "."), currency)
		if err != nil || m.Minor <= 0 {
			return it, "The price is an amount such as 19.90, or empty for the store's."
		}
		it.Price = m
	}
	if l.Cap != "" {
		if it.Cap, err = strconv.Atoi(l.Cap); err != nil || it.Cap < 1 || it.Cap > 9999 {
			return it, "The cap is a number of pieces for each person, or empty for none."
		}
	}
	return it, ""
}

// slug makes an address name of a title.
func slug(title string) string {
	var b strings.Builder
	for _, c := range strings.ToLower(title) {
		switch {
		case c >= 'a' && c <= 'z' || c >= '0' && c <= '9':
			b.WriteRune(c)
		case b.Len() > 0 && !strings.HasSuffix(b.String(), "-"):
			b.WriteByte('-')
		}
	}
	s := b.String()
	return strings.Trim(s[:min(len(s), 40)], "-")
}

// streamKey makes a show's stream key and shows it this once.
func (d *Desk) streamKey(w http.ResponseWriter, r *http.Request, v *Visitor) error {
	p, err := d.formOf(r, v)
	if err != nil {
		return err
	}
	key := seal.NewToken().Reveal()
	if err := d.DB.PutIngest(r.Context(), v.Merchant.ID, p.ID, key); err != nil {
		return err
	}
	p.NewKey, p.HasKey = key, true
	return d.render(w, r, v, "edit", p.Title, ui.Frame{Notice: "This is the new stream key. It is shown this once."}, p)
}

// putDestination adds a destination, or changes the one of that name.
func (d *Desk) putDestination(w http.ResponseWriter, r *http.Request, v *Visitor) error {
	p, err := d.formOf(r, v)
	if err != nil {
		return err
	}
	x := sqldb.Destination{
		Show: p.ID, Name: strings.TrimSpace(r.PostFormValue("name")), Server: strings.TrimSpace(r.PostFormValue("server")),
		Key: strings.TrimSpace(r.PostFormValue("key")), Enabled: true,
	}
	switch {
	case x.Name == "" || len([]rune(x.Name)) > 60:
		p.DestinationWrong = "Give the destination a name, for example Twitch."
	case !strings.HasPrefix(x.Server, "rtmp://") && !strings.HasPrefix(x.Server, "rtmps://"):
		p.DestinationWrong = "The server begins with rtmp:// or rtmps://. The platform shows it beside the stream key."
	}
	if p.DestinationWrong != "" {
		return d.render(w, r, v, "edit", p.Title, ui.Frame{Status: http.StatusUnprocessableEntity, Trouble: p.DestinationWrong}, p)
	}
	if _, err := d.DB.PutDestination(r.Context(), v.Merchant.ID, x); err != nil {
		return err
	}
	return d.destinationsChanged(w, r, v, p.ID)
}

// changeDestination turns a destination on or off, or removes it.
func (d *Desk) changeDestination(w http.ResponseWriter, r *http.Request, v *Visitor) error {
	id, err := showID(r)
	if err != nil {
		return err
	}
	all, err := d.DB.Destinations(r.Context(), v.Merchant.ID, id)
	if err != nil {
		return err
	}
	for _, x := range all {
		if x.ID.String() != r.PathValue("dest") {
			continue
		}
		switch r.PostFormValue("do") {
		case "drop":
			err = d.DB.DropDestination(r.Context(), v.Merchant.ID, x.ID)
		case "on", "off":
			x.Enabled = r.PostFormValue("do") == "on"
			_, err = d.DB.PutDestination(r.Context(), v.Merchant.ID, x)
		default:
			err = ui.Problem(http.StatusBadRequest, "What should be done with it?")
		}
		if err != nil {
			return err
		}
		return d.destinationsChanged(w, r, v, id)
	}
	return live.ErrNotFound
}

func (d *Desk) destinationsChanged(w http.ResponseWriter, r *http.Request, v *Visitor, id commerce.ID) error {
	if d.Destinations != nil {
		if err := d.Destinations(r.Context(), v.Merchant.ID, id); err != nil {
			return errors.Join(errors.New("tell the relay"), err)
		}
	}
	http.Redirect(w, r, "/shows/"+id.String()+"/edit?said=destination#video", http.StatusSeeOther)
	return nil
}

// Blank is an empty line with the same choices.
func (l lineForm) Blank() lineForm { return lineForm{Products: l.Products} }
