package setup

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"hawker/commerce"
	"hawker/internal/chat"
	"hawker/internal/sqldb"
	"hawker/rules"
	"hawker/rules/book"
	"hawker/rules/rule"
)

// world is a merchant as the database has it.
type world struct {
	merchant sqldb.Merchant // ID 0 when there is none yet
	members  []sqldb.Member
	store    sqldb.Store // Kind "" when there is none
	accounts []sqldb.Account
	channels []sqldb.Channel
	products []commerce.Product
	shows    []commerce.Show
	stock    map[commerce.ID]commerce.Stock
	rules    []rule.Rule
	ruled    int64 // the version of rules, 0 when none were ever saved
	marks    marks
}

// video is where a show's picture comes in and goes to.
type video struct {
	ingest       bool // it has a stream key
	destinations []sqldb.Destination
}

func loadWorld(ctx context.Context, db *sqldb.DB, slug string) (*world, error) {
	w := &world{marks: marks{}}
	all, err := db.Merchants(ctx)
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(all, func(m sqldb.Merchant) bool { return m.Slug == slug })
	if i < 0 {
		return w, nil
	}
	w.merchant = all[i]
	id := w.merchant.ID
	if w.store, err = db.Store(ctx, id); err != nil && !sqldb.IsNotFound(err) {
		return nil, err
	}
	for _, read := range []func() error{
		func() (err error) { w.members, err = db.Members(ctx, id); return err },
		func() (err error) { w.accounts, err = db.Accounts(ctx, id); return err },
		func() (err error) { w.channels, err = db.Channels(ctx, id); return err },
		func() (err error) { w.products, err = db.Products(ctx, id); return err },
		func() (err error) { w.shows, err = db.Shows(ctx, id); return err },
		func() (err error) { w.stock, err = loadStock(ctx, db, id); return err },
		func() (err error) {
			v, err := db.Rulebook().Rules(ctx, id)
			w.rules, w.ruled = v.Rules, v.Number
			return err
		},
		func() (err error) { w.marks, err = loadMarks(ctx, db, id); return err },
	} {
		if err := read(); err != nil {
			return nil, err
		}
	}
	return w, nil
}

// loadStock reads how the stock of variants stands.
func loadStock(ctx context.Context, db *sqldb.DB, merchant commerce.ID) (map[commerce.ID]commerce.Stock, error) {
	all, err := db.Stock(ctx, merchant)
	out := map[commerce.ID]commerce.Stock{}
	for _, x := range all {
		out[x.Variant] = x
	}
	return out, err
}

// loadVideo reads the ingests and destinations of shows.
func loadVideo(ctx context.Context, db *sqldb.DB, merchant commerce.ID, shows []commerce.Show) (map[commerce.ID]video, error) {
	out := map[commerce.ID]video{}
	for _, s := range shows {
		var v video
		_, err := db.IngestOf(ctx, merchant, s.ID)
		if v.ingest = err == nil; err != nil && !sqldb.IsNotFound(err) {
			return nil, err
		}
		if v.destinations, err = db.Destinations(ctx, merchant, s.ID); err != nil {
			return nil, err
		}
		out[s.ID] = v
	}
	return out, nil
}

// plan is what applying a file comes to: what the merchant shall be, or what is wrong.
type plan struct {
	s    *Setup
	f    *File
	w    *world
	made bool // the merchant is new

	merchant sqldb.Merchant
	members  []memberTo   // to write
	store    *sqldb.Store // to write, nil when it stays
	products []commerce.Product
	changed  []commerce.Product // of products: to write
	stock    []stockOf
	kept     []stockOf       // of each variant that items name
	accounts []sqldb.Account // to write
	channels []sqldb.Channel // to write
	items    map[*item]commerce.ID
	keys     map[*secrets]string // stream keys by where they stand
	over     map[string]bool     // shows of the file that are over
	lastID   commerce.ID
	rules    []rule.Rule // to write, nil when they stay
	marks    marks
	notes    []string
	faults   Faults
}

// memberTo is a member as it shall be; PasswordHash is empty where it stays.
type memberTo struct {
	sqldb.Member
	made bool
}

type stockOf struct {
	variant commerce.ID
	sku     string
	n       int64
}

// planKept plans how many pieces of each variant of a product are kept back; two items of one product must say the same.
func (p *plan) planKept(n val[int], x *commerce.Product) {
	for i := range x.Variants {
		v := &x.Variants[i]
		if k := slices.IndexFunc(p.kept, func(k stockOf) bool { return k.variant == v.ID }); k >= 0 {
			if p.kept[k].n != int64(n.v) {
				p.fault(n.at, "of %q another item keeps %d back", x.Title, p.kept[k].n)
				return
			}
			continue
		}
		p.kept = append(p.kept, stockOf{v.ID, cmp.Or(v.SKU, x.Title), int64(n.v)})
	}
}

func (p *plan) fault(at Pos, format string, args ...any) {
	p.faults = append(p.faults, Fault{Pos: at, Msg: fmt.Sprintf(format, args...)})
}

func (p *plan) hint(at Pos, hint, format string, args ...any) {
	p.faults = append(p.faults, Fault{Pos: at, Msg: fmt.Sprintf(format, args...), Hint: hint})
}

func (p *plan) note(format string, args ...any) {
	p.notes = append(p.notes, fmt.Sprintf(format, args...))
}

// plan compares a file with the database. An error that is a Faults is the file's.
func (s *Setup) plan(ctx context.Context, f *File) (*plan, error) {
	w, err := loadWorld(ctx, s.DB, f.Slug())
	if err != nil {
		return nil, fmt.Errorf("read what is set up: %w", err)
	}
	p := &plan{s: s, f: f, w: w, items: map[*item]commerce.ID{}, keys: map[*secrets]string{}, over: map[string]bool{}, marks: maps.Clone(w.marks)}
	p.planMerchant()
	p.planMembers()
	for _, step := range []func(context.Context) error{p.planStore, p.planProducts} {
		if err := step(ctx); err != nil {
			return nil, err
		}
	}
	p.planChannels()
	if err := p.planShows(ctx); err != nil {
		return nil, err
	}
	p.planRules()
	return p, p.faults.Err()
}

func (p *plan) planMerchant() {
	m, now := &p.f.merchant, p.w.merchant
	if p.made = now.ID == 0; p.made {
		now = sqldb.Merchant{ID: p.newID(), Slug: p.f.Slug(), Timezone: "UTC", Language: "en"}
		if !m.name.set() {
			p.fault(m.at, "merchant %s is new and needs name", now.Slug)
		}
		if !m.currency.set() {
			p.fault(m.at, "merchant %s is new and needs currency", now.Slug)
		}
	}
	if m.currency.set() && !p.made && m.currency.v != now.Currency && len(p.w.products) > 0 {
		p.fault(m.currency.at, "the currency is %s and cannot change: products have prices in it", now.Currency)
	}
	now.Name, now.Currency = m.name.or(now.Name), m.currency.or(now.Currency)
	now.Timezone, now.Language, now.Practice = m.timezone.or(now.Timezone), m.language.or(now.Language), m.practice.or(now.Practice)
	p.merchant = now
}

// secret reads a variable; empty when it is not set, which is a fault.
func (p *plan) secret(v val[string]) string {
	if !v.set() {
		return ""
	}
	s := p.s.Getenv(v.v)
	if s == "" {
		p.hint(v.at, "set it where hawker apply runs", "the environment variable %s is not set", v.v)
	}
	return s
}

// secrets reads all variables of a thing, by key, and tells whether one of them says something new.
func (p *plan) secrets(s *secrets, name string) (values map[string]string, fresh bool) {
	if len(s.vars) == 0 {
		return nil, false
	}
	values, vars := map[string]string{}, map[string]string{}
	var parts []string
	for _, v := range s.vars {
		values[v.key], vars[v.key] = p.secret(v.val), v.v
		parts = append(parts, v.key, values[v.key])
	}
	m := mark{Vars: vars, Sum: sum(parts...)}
	fresh = p.marks[name].Sum != m.Sum
	p.marks[name] = m
	return values, fresh
}

func (p *plan) planMembers() {
	for i := range p.f.members {
		m := &p.f.members[i]
		old := sqldb.Member{Email: m.email.v}
		known := false
		for _, x := range p.w.members {
			if x.Email == m.email.v {
				old, known = x, true
			}
		}
		now := old
		now.Merchant, now.Role, now.PasswordHash = p.merchant.ID, m.role.or(old.Role), ""
		if !known {
			now.ID = p.newID()
		}
		if !known && !m.role.set() {
			p.fault(m.at, "member %s is new and needs role", m.email.v)
		}
		if pw := p.secret(m.password); pw != "" {
			if len([]rune(pw)) < MinPassword {
				p.fault(m.password.at, "the password in %s has fewer than %d characters", m.password.v, MinPassword)
				continue
			}
			k := p.marks[passwordMark(m.email.v)]
			if old.PasswordHash == "" || !CheckPassword(k.Sum, pw) {
				now.PasswordHash = HashPassword(pw)
				k.Sum = now.PasswordHash
			}
			p.marks[passwordMark(m.email.v)] = mark{Vars: map[string]string{"password_env": m.password.v}, Sum: k.Sum}
		} else if !m.password.set() && old.PasswordHash == "" {
			p.note("member %s has no password yet", m.email.v)
		}
		if !known || now.Role != old.Role || now.PasswordHash != "" {
			p.members = append(p.members, memberTo{now, !known})
		}
	}
}

func (p *plan) planStore(ctx context.Context) error {
	f := p.f.store
	if f == nil {
		return nil
	}
	old := p.w.store
	if old.Kind != "" && old.Kind != f.kind.v || old.Shop != "" && f.shop.set() && old.Shop != f.shop.v {
		p.hint(f.at, "another store is another merchant", "this merchant sells from %s already", strings.TrimSpace(old.Kind+" "+old.Shop))
		return nil
	}
	now := old
	now.Kind, now.Shop, now.ClientID = f.kind.v, f.shop.or(old.Shop), f.clientID.or(old.ClientID)
	now.Holds = commerce.StoreHolds(f.holds.or(string(old.Holds)))
	if now.Holds == "" {
		now.Holds = commerce.HoldsDraft
	}
	if now.Shop != "" {
		id, err := p.s.DB.MerchantOfShop(ctx, now.Shop)
		switch {
		case err == nil && id != p.w.merchant.ID:
			p.fault(f.shop.at, "another merchant sells from %s", now.Shop)
		case err != nil && !sqldb.IsNotFound(err):
			return err
		}
	}
	values, fresh := p.secrets(&f.secrets, storeMark())
	if fresh {
		now.StoreSecret = sqldb.StoreSecret{
			Token: values["token_env"], Refresh: values["refresh_env"], ClientID: now.ClientID, ClientSecret: values["client_secret_env"],
			WebhookSecret: values["webhook_secret_env"],
		}
	}
	if now.Kind == "shopify" && values == nil && now.StoreSecret == (sqldb.StoreSecret{}) {
		p.note("store %s is not connected: connect it in the dashboard", now.Shop)
	}
	if now != old {
		p.store = &now
	}
	return nil
}

// storeNow is the store as it will be.
func (p *plan) storeNow() sqldb.Store {
	if p.store != nil {
		return *p.store
	}
	return p.w.store
}

// planChannels looks at accounts and channels. An account may stand at several channels; one place names its variables.
func (p *plan) planChannels() {
	type key struct {
		platform    chat.Platform
		id, purpose string
	}
	stored := map[key]sqldb.Account{}
	for _, a := range p.w.accounts {
		stored[key{a.Platform, a.ID, a.Purpose}] = a
	}
	planned := map[key]*account{}
	wanting := map[key]*account{}
	var order []key
	account := func(c *channel, a *account, purpose string) string {
		id := a.id.or(c.id.ID)
		k := key{c.id.Platform, id, purpose}
		old, known := stored[k]
		now := old
		now.Platform, now.ID, now.Purpose = c.id.Platform, id, purpose
		if now.Name = a.name.or(old.Name); now.Name == "" {
			now.Name = c.name.or(id)
		}
		name := accountMark(string(c.id.Platform), id, purpose)
		switch values, fresh := p.secrets(&a.secrets, name); {
		case values != nil:
			if first := planned[k]; first != nil && !slices.Equal(first.names(), a.names()) {
				p.fault(a.at, "account %s/%s has other variables in line %d", k.platform, k.id, first.at.Line)
			}
			planned[k] = a
			if fresh || !known {
				now.Token = chat.Token{Access: values["token_env"], Refresh: values["refresh_env"]}
			}
			if fresh || !known || now.Name != old.Name {
				p.accounts = append(p.accounts, now)
				stored[k] = now
			}
		case !known && a.connected.set():
			p.note("account %s of channel %s is not connected: connect it in the dashboard", purpose, c.id)
		case !known:
			wanting[k] = a
			order = append(order, k)
		case now.Name != old.Name:
			p.accounts = append(p.accounts, now)
			stored[k] = now
		}
		return id
	}
	for i := range p.f.channels {
		c := &p.f.channels[i]
		var old sqldb.Channel
		for _, x := range p.w.channels {
			if x.Channel == c.id {
				old = x
			}
		}
		now := old
		now.Channel, now.Name, now.Guild = c.id, c.name.or(old.Name), c.guild.or(old.Guild)
		if now.Name == "" {
			now.Name = c.id.ID
		}
		if c.owner != nil {
			now.Owner = account(c, c.owner, sqldb.OwnerAccount)
		}
		if c.bot != nil {
			now.Bot = account(c, c.bot, sqldb.BotAccount)
		}
		if now != old {
			p.channels = append(p.channels, now)
		}
	}
	for _, k := range order {
		if a := wanting[k]; planned[k] == nil {
			p.hint(a.at, "write token_env, or connect it in the dashboard and write connected: true", "account %s/%s is not known", k.platform, k.id)
		}
	}
}

// planRules puts the file's rules among the stored ones, found by name.
func (p *plan) planRules() {
	if len(p.f.rules) == 0 {
		return
	}
	want := make([]rule.Rule, len(p.f.rules))
	for i := range p.f.rules {
		want[i] = p.f.rules[i].rule
		if k := slices.IndexFunc(p.w.rules, func(r rule.Rule) bool { return r.Name == want[i].Name }); k >= 0 {
			want[i].ID = p.w.rules[k].ID
		}
	}
	all := merge(p.w.rules, want, func(r rule.Rule) string { return r.Name })
	var e *rule.Error
	if _, err := book.New(all, book.Options{Grammar: rules.Options{Language: p.f.merchant.language.or(p.w.merchant.Language)}}); errors.As(err, &e) {
		p.fault(p.f.rules[0].at, "beside the rules that are there: %v", e)
	}
	if !reflect.DeepEqual(all, p.w.rules) {
		p.rules = all
	}
}

// merge puts want among old: what is in both takes the places of the old ones, in the order of want, the new ones go to
// the end, and what only old has stays where it is. Merging the same again changes nothing.
func merge[T any, K comparable](old, want []T, key func(T) K) []T {
	wanted := map[K]bool{}
	for _, x := range want {
		wanted[key(x)] = true
	}
	out := make([]T, 0, len(old)+len(want))
	next := 0
	for _, x := range old {
		if wanted[key(x)] {
			x = want[next]
			next++
		}
		out = append(out, x)
	}
	return append(out, want[next:]...)
}
