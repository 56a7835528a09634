package setup

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"hawker/commerce"
	"hawker/internal/chat"
	"hawker/internal/plain"
	"hawker/internal/sqldb"
	"hawker/rules/rule"
)

// Export writes a merchant's set-up as a file that Parse reads. Secrets that came by apply stand in it as the names of
// their variables, all others as connected: true. Shows that are over are left out, and so are holds, orders and people.
// sqldb.ErrNotFound: there is no such merchant.
// It needs DB alone.
func (s *Setup) Export(ctx context.Context, merchant commerce.ID) ([]byte, error) {
	db := s.DB
	m, err := db.Merchant(ctx, merchant)
	if err != nil {
		return nil, fmt.Errorf("merchant %s: %w", merchant, err)
	}
	w, err := loadWorld(ctx, db, m.Slug)
	if err != nil {
		return nil, fmt.Errorf("read merchant %s: %w", m.Slug, err)
	}
	e := &export{w: w}
	if e.video, err = loadVideo(ctx, db, merchant, w.shows); err != nil {
		return nil, fmt.Errorf("read the video of %s: %w", m.Slug, err)
	}
	return e.file()
}

// file writes everything.
func (e *export) file() ([]byte, error) {
	e.house()
	if err := e.store(); err != nil {
		return nil, err
	}
	e.channels()
	shows := slices.Clone(e.w.shows)
	slices.Reverse(shows) // the oldest first
	shows = slices.DeleteFunc(shows, func(x commerce.Show) bool { return x.State == commerce.ShowEnded })
	for i := range shows {
		if i == 0 {
			e.line(0, "shows:")
		}
		if err := e.show(&shows[i]); err != nil {
			return nil, err
		}
	}
	e.rules()
	return []byte(e.b.String()), nil
}

// export writes a file, line by line.
type export struct {
	b     strings.Builder
	w     *world
	video map[commerce.ID]video
}

// line writes one line, indented by n blanks.
func (e *export) line(n int, text string) {
	e.b.WriteString(strings.Repeat(" ", n))
	e.b.WriteString(text)
	e.b.WriteByte('\n')
}

// pair is a key with its value, written as YAML already; an empty value is left out.
type pair struct{ key, value string }

// flow writes pairs in one line.
func flow(pairs ...pair) string {
	var parts []string
	for _, p := range pairs {
		if p.value != "" {
			parts = append(parts, p.key+": "+p.value)
		}
	}
	return "{" + strings.Join(parts, ", ") + "}"
}

func flowList(values []string) string {
	if len(values) == 0 {
		return ""
	}
	return "[" + strings.Join(values, ", ") + "]"
}

// text writes a text as a scalar; empty stays empty.
func text(s string) string {
	if s == "" {
		return ""
	}
	return plain.Quote(s)
}

func texts(list []string) string {
	out := make([]string, len(list))
	for i, s := range list {
		if out[i] = text(s); out[i] == "" {
			out[i] = `""`
		}
	}
	return flowList(out)
}

func count(n int) string {
	if n == 0 {
		return ""
	}
	return strconv.Itoa(n)
}

func yes(b bool) string {
	if b {
		return "true"
	}
	return ""
}

// lasting writes a hold time as people write it: 10m, not 10m0s.
func lasting(d time.Duration) string {
	if d == 0 {
		return ""
	}
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

func price(m commerce.Money) string {
	if m.Minor == 0 {
		return ""
	}
	return `"` + m.Decimal() + `"`
}

// secrets are the variables that a thing was applied with, or connected: true when it has a secret from elsewhere.
func (e *export) secrets(name string, has bool, keys ...string) []pair {
	vars := e.w.marks[name].Vars
	if !has {
		return nil
	}
	if len(vars) == 0 {
		return []pair{{"connected", "true"}}
	}
	var out []pair
	for _, k := range keys {
		out = append(out, pair{k, vars[k]})
	}
	return out
}

func (e *export) house() {
	m := e.w.merchant
	e.line(0, "merchant: "+flow(pair{"slug", text(m.Slug)}, pair{"name", text(m.Name)}, pair{"currency", m.Currency}, pair{"timezone", text(m.Timezone)},
		pair{"language", text(m.Language)}, pair{"practice", yes(m.Practice)}))
	for i, x := range e.w.members {
		if i == 0 {
			e.line(0, "members:")
		}
		e.line(2, "- "+flow(pair{"email", text(x.Email)}, pair{"role", x.Role}, pair{"password_env", e.w.marks[passwordMark(x.Email)].Vars["password_env"]}))
	}
}

func (e *export) store() error {
	s := e.w.store
	if s.Kind == "" {
		return nil
	}
	secret := s.StoreSecret
	secret.ClientID = ""
	pairs := []pair{{"kind", s.Kind}, {"shop", text(s.Shop)}, {"client_id", text(s.ClientID)}}
	if s.Kind == "shopify" {
		has := secret != sqldb.StoreSecret{}
		pairs = append(pairs, e.secrets(storeMark(), has, "token_env", "refresh_env", "client_secret_env", "webhook_secret_env")...)
		if !has {
			pairs = append(pairs, pair{"connected", "false"})
		}
	}
	pairs = append(pairs, pair{"holds", string(s.Holds)})
	own := slices.DeleteFunc(slices.Clone(e.w.products), func(x commerce.Product) bool { return x.Store != "" })
	if s.Kind != "own" || len(own) == 0 {
		e.line(0, "store: "+flow(pairs...))
		return nil
	}
	e.line(0, "store:")
	for _, p := range pairs {
		if p.value != "" {
			e.line(2, p.key+": "+p.value)
		}
	}
	e.line(2, "products:")
	for _, x := range own {
		if err := e.product(x); err != nil {
			return err
		}
	}
	return nil
}

func (e *export) product(x commerce.Product) error {
	for _, v := range x.Variants {
		if v.SKU == "" {
			return fmt.Errorf("product %q has a variant without sku; give it one, a file names products by it", x.Title)
		}
	}
	if len(x.Variants) == 1 && len(x.Options) == 0 {
		v := x.Variants[0]
		e.line(4, "- "+flow(pair{"sku", text(v.SKU)}, pair{"title", text(x.Title)}, pair{"image", text(x.Image)}, pair{"price", price(v.Price)},
			pair{"stock", e.pieces(v.ID)}, pair{"tags", texts(x.Tags)}))
		return nil
	}
	e.line(4, "- title: "+text(x.Title))
	if x.Image != "" {
		e.line(6, "image: "+text(x.Image))
	}
	if len(x.Options) > 0 {
		e.line(6, "options: "+texts(x.Options))
	}
	if len(x.Tags) > 0 {
		e.line(6, "tags: "+texts(x.Tags))
	}
	e.line(6, "variants:")
	for _, v := range x.Variants {
		e.line(8, "- "+flow(pair{"sku", text(v.SKU)}, pair{"options", texts(v.Options)}, pair{"price", price(v.Price)}, pair{"stock", e.pieces(v.ID)}))
	}
	return nil
}

// pieces is what is there of a variant and not sold, held ones included.
func (e *export) pieces(v commerce.ID) string {
	s, ok := e.w.stock[v]
	if !ok || s.Endless {
		return ""
	}
	return strconv.FormatInt(max(s.Available-s.Sold, 0), 10)
}

// kept is how many of each variant are kept back; empty where that is none, or not the same for all.
func (e *export) kept(x *commerce.Product) string {
	n := int64(0)
	for i, v := range x.Variants {
		s := e.w.stock[v.ID].Safety
		if i > 0 && s != n {
			return ""
		}
		n = s
	}
	return count(int(n))
}

func (e *export) account(key string, p chat.Platform, id, purpose string) (string, bool) {
	if id == "" {
		return "", false
	}
	name, has := "", false
	for _, a := range e.w.accounts {
		if a.Platform == p && a.ID == id && a.Purpose == purpose {
			name, has = a.Name, true
		}
	}
	pairs := []pair{{"id", text(id)}, {"name", text(cmp.Or(name, id))}}
	if has {
		pairs = append(pairs, e.secrets(accountMark(string(p), id, purpose), true, "token_env", "refresh_env")...)
	} else {
		pairs = append(pairs, pair{"connected", "false"})
	}
	return key + ": " + flow(pairs...), true
}

func (e *export) channels() {
	for i, c := range e.w.channels {
		if i == 0 {
			e.line(0, "channels:")
		}
		e.line(2, "- platform: "+string(c.Platform))
		e.line(4, "id: "+text(c.ID))
		e.line(4, "name: "+text(c.Name))
		if c.Guild != "" {
			e.line(4, "guild: "+text(c.Guild))
		}
		if s, ok := e.account("owner", c.Platform, c.Owner, sqldb.OwnerAccount); ok {
			e.line(4, s)
		}
		if s, ok := e.account("bot", c.Platform, c.Bot, sqldb.BotAccount); ok {
			e.line(4, s)
		}
	}
}

func (e *export) show(s *commerce.Show) error {
	e.line(2, "- name: "+text(s.Name))
	add := func(key, value string) {
		if value != "" {
			e.line(4, key+": "+value)
		}
	}
	add("title", text(s.Title))
	add("live", yes(s.State == commerce.ShowLive))
	add("hold", lasting(s.Hold))
	add("holds", string(s.Holds))
	var styles []string
	for _, x := range []pair{{"boutique", yes(s.Lineup.Styles.Boutique)}, {"plus", yes(s.Lineup.Styles.Plus)}, {"number-only", yes(s.Lineup.Styles.NumberOnly)}} {
		if x.value != "" {
			styles = append(styles, x.key)
		}
	}
	add("styles", flowList(styles))
	add("cap", count(s.Cap))
	add("pay_once", lasting(s.PayOnce))
	if s.Guard != (commerce.Guard{}) {
		unpaid := count(s.Guard.Unpaid)
		if s.Guard.Unpaid < 0 {
			unpaid = "0"
		}
		add("guard", flow(pair{"share", count(min(s.Guard.Share, 100))}, pair{"unpaid", unpaid}))
	}
	var channels []string
	for _, c := range s.Channels {
		channels = append(channels, text(c.String()))
	}
	slices.Sort(channels)
	add("channels", flowList(channels))
	for i := range s.Lineup.Items {
		if i == 0 {
			e.line(4, "lineup:")
		}
		it := &s.Lineup.Items[i]
		name := e.names(&it.Product)
		if name.value == "" {
			return fmt.Errorf("item %d of show %s: no sku names its product alone; give it one", it.Number, s.Name)
		}
		e.line(6, "- "+flow(pair{"number", count(it.Number)}, name, pair{"code", text(it.Code)}, pair{"cap", count(it.Cap)},
			pair{"hold", lasting(it.Hold)}, pair{"price", price(it.Price)}, pair{"closed", yes(it.Closed)}, pair{"first_paid", yes(it.FirstPaid)},
			pair{"keep_back", e.kept(&it.Product)}))
	}
	if e.video[s.ID].ingest {
		add("ingest", flow(e.secrets(ingestMark(s.Name), true, "key_env")...))
	}
	for i, d := range e.video[s.ID].destinations {
		if i == 0 {
			e.line(4, "destinations:")
		}
		pairs := []pair{{"name", text(d.Name)}, {"server", text(d.Server)}, {"channel", text(d.Account)}}
		pairs = append(pairs, e.secrets(destinationMark(s.Name, d.Name), d.Key != "", "key_env")...)
		if !d.Enabled {
			pairs = append(pairs, pair{"enabled", "false"})
		}
		e.line(6, "- "+flow(pairs...))
	}
	return nil
}

// names names a product as a lineup does: by a sku that no other product has, else by the store's id.
func (e *export) names(x *commerce.Product) pair {
	for _, v := range x.Variants {
		if v.SKU != "" && !slices.ContainsFunc(e.w.products, func(o commerce.Product) bool { return o.ID != x.ID && variantOf(&o, v.SKU) != nil }) {
			return pair{"sku", text(v.SKU)}
		}
	}
	return pair{"product", text(x.Store)}
}

func (e *export) rules() {
	if len(e.w.rules) > 0 {
		e.line(0, "rules:")
		rule.Lines(&e.b, 2, e.w.rules)
	}
}
