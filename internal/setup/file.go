package setup

import (
	"errors"
	"net/mail"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	_ "time/tzdata" // zones are checked on machines without any

	"golang.org/x/text/language"

	"hawker/commerce"
	"hawker/internal/chat"
	"hawker/internal/plain"
	"hawker/rules"
	"hawker/rules/book"
	"hawker/rules/rule"
)

// maxUnpaid is the largest number of unpaid holds that a guard waits for.
const maxUnpaid = 1000

// Forms of names. A slug and a show's name stand in addresses. Variables have capitals alone: most secrets have not, so
// that one which was pasted in place of a name is noticed.
var (
	envForm      = regexp.MustCompile(`^[A-Z_][A-Z0-9_]{0,127}$`)
	slugForm     = regexp.MustCompile(`^[a-z0-9](?:[a-z0-9-]{0,58}[a-z0-9])?$`)
	currencyForm = regexp.MustCompile(`^[A-Z]{3}$`)
	shopForm     = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,80}\.myshopify\.com$`)
	idForm       = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)
	codeForm     = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9-]{0,19}$`)
	productForm  = regexp.MustCompile(`^gid://shopify/Product/[0-9]{1,19}$`)
)

// File is a set-up that was read. It holds no secret, only names of variables.
type File struct {
	merchant merchant
	members  []member
	store    *store
	channels []channel
	shows    []show
	rules    []fileRule
	env      []string
}

type merchant struct {
	at                                       Pos
	slug, name, currency, timezone, language val[string]
	practice                                 val[bool]
}

type member struct {
	at          Pos
	email, role val[string]
	password    val[string] // variable
}

// secrets are the variables of one thing that is opened by secrets; connected says that somebody connected it by hand.
type secrets struct {
	at        Pos
	vars      []secretVar
	connected val[bool]
}

type secretVar struct {
	key string // in the file, such as token_env
	val[string]
}

func (s *secrets) named(key string) val[string] {
	for _, v := range s.vars {
		if v.key == key {
			return v.val
		}
	}
	return val[string]{}
}

// names are the keys and variables, in order.
func (s *secrets) names() []string {
	var out []string
	for _, v := range s.vars {
		out = append(out, v.key+"="+v.v)
	}
	return out
}

type channel struct {
	at          Pos
	id          chat.Channel
	name, guild val[string]
	owner, bot  *account
}

type account struct {
	id, name val[string]
	secrets
}

type show struct {
	at           Pos
	name, title  val[string]
	live         val[bool]
	hold         val[time.Duration]
	holds        val[string]
	styles       val[commerce.Styles]
	cap          val[int]           // of one person in the whole show, 0 for none
	payOnce      val[time.Duration] // 0 for each hold by its own clock
	share        val[int]
	unpaid       val[int] // as in commerce.Guard: negative means never
	channels     []val[chat.Channel]
	lineup       []item
	ingest       *secrets
	destinations []destination
}

type item struct {
	at                Pos
	number            val[int]
	sku, product      val[string]
	code              val[string]
	cap               val[int]
	hold              val[time.Duration]
	price             val[string]
	stock, keep       val[int]
	closed, firstPaid val[bool]
}

type destination struct {
	name, server val[string]
	channel      val[string] // a connected channel that gives server and key, such as youtube/UCana
	enabled      val[bool]
	secrets
}

type fileRule struct {
	at   Pos
	rule rule.Rule
}

// Env lists the environment variables that the file names, each once, in its order.
func (f *File) Env() []string { return slices.Clone(f.env) }

// Slug is the merchant's name in addresses: the one the file says, else made from its name.
func (f *File) Slug() string {
	if f.merchant.slug.set() {
		return f.merchant.slug.v
	}
	return slug(f.merchant.name.v)
}

// slug makes a name for addresses; empty when s has no letter or digit of ASCII.
func slug(s string) string {
	var b strings.Builder
	for _, r := range strings.ToLower(s) {
		switch {
		case r >= 'a' && r <= 'z' || r >= '0' && r <= '9':
			b.WriteRune(r)
		case r == '\'' || r == '’':
		case b.Len() > 0 && !strings.HasSuffix(b.String(), "-"):
			b.WriteByte('-')
		}
	}
	out := b.String()
	return strings.Trim(out[:min(len(out), 60)], "-")
}

// Parse reads a file. Its error is a Faults with everything that can be said without knowing the database.
func Parse(data []byte) (*File, error) {
	doc := plain.Parse(data)
	r := &reader{doc: doc, faults: doc.Faults}
	if doc.Root == nil {
		return nil, r.faults.Err()
	}
	f := &File{}
	o := r.object(doc.Root, "the file")
	o.need("merchant")
	if m := o.child("merchant"); m != nil {
		f.readMerchant(m)
	}
	for _, n := range o.list("members") {
		f.readMember(r.object(n, "a member"))
	}
	if s := o.child("store"); s != nil {
		f.readStore(s)
	}
	for _, n := range o.list("channels") {
		f.readChannel(r.object(n, "a channel"))
	}
	for _, n := range o.list("shows") {
		f.readShow(r.object(n, "a show"))
	}
	f.readRules(r, o.list("rules"))
	o.close()
	if err := r.faults.Err(); err != nil {
		return nil, err
	}
	return f, nil
}

func (f *File) readMerchant(o *object) {
	defer o.close()
	m := merchant{at: o.at}
	m.slug = o.match("slug", slugForm, "small letters, digits and hyphens, at most 60")
	m.name = o.text("name", 80)
	m.currency = o.match("currency", currencyForm, "a code of three capitals, such as EUR")
	m.timezone = o.text("timezone", 60)
	if z := m.timezone; z.v != "" {
		if _, err := time.LoadLocation(z.v); err != nil || z.v == "Local" {
			o.r.fault(z.at, "timezone is %q; want a name such as Europe/Berlin", plain.Cut(z.v))
		}
	}
	m.language = o.text("language", 35)
	if l := m.language; l.v != "" {
		if _, err := language.Parse(l.v); err != nil {
			o.r.fault(l.at, "language is %q; want a tag such as en, de or pt-BR", plain.Cut(l.v))
		}
	}
	m.practice = o.flag("practice")
	switch {
	case !o.ok || m.slug.set():
	case !m.name.set():
		o.r.fault(o.at, "merchant needs name")
	case m.name.v != "" && slug(m.name.v) == "":
		o.r.hint(m.name.at, "write slug: too, in small letters and digits", "no address can be made of this name")
	}
	f.merchant = m
}

func (f *File) readMember(o *object) {
	defer o.close()
	o.need("email")
	m := member{at: o.at, email: o.text("email", 254), role: o.choice("role", "owner", "manager", "creator", "moderator"), password: f.variable(o, "password_env")}
	if e := &m.email; e.v != "" {
		if a, err := mail.ParseAddress(e.v); err != nil || a.Address != e.v {
			o.r.fault(e.at, "email is %q; want an address such as ana@example.com", plain.Cut(e.v))
		}
		e.v = strings.ToLower(e.v)
		if i := slices.IndexFunc(f.members, func(x member) bool { return x.email.v == e.v }); i >= 0 {
			o.r.fault(e.at, "member %s stands in line %d already", e.v, f.members[i].at.Line)
		}
	}
	f.members = append(f.members, m)
}

// variable reads the name of a variable and notes it.
func (f *File) variable(o *object, key string) val[string] {
	v := o.env(key)
	if v.v != "" && !slices.Contains(f.env, v.v) {
		f.env = append(f.env, v.v)
	}
	return v
}

// readSecrets reads the variables of a thing, each by its key.
func (f *File) readSecrets(o *object, keys ...string) secrets {
	s := secrets{at: o.at}
	for _, k := range keys {
		if v := f.variable(o, k); v.set() {
			s.vars = append(s.vars, secretVar{k, v})
		}
	}
	s.connected = o.flag("connected")
	if s.connected.set() && len(s.vars) > 0 {
		o.r.fault(s.connected.at, "%s is connected by hand, or by variables; write one", o.what)
	}
	return s
}

func (f *File) readChannel(o *object) {
	defer o.close()
	o.need("platform", "id")
	c := channel{at: o.at}
	p := o.choice("platform", string(chat.Twitch), string(chat.YouTube), string(chat.Discord))
	id := o.match("id", idForm, "the platform's id of the channel: letters, digits, _ and -")
	c.id = chat.Channel{Platform: chat.Platform(p.v), ID: id.v}
	c.name, c.guild = o.text("name", 100), o.match("guild", idForm, "the id of the server")
	if a := o.child("owner"); a != nil {
		c.owner = f.readAccount(a)
	}
	if a := o.child("bot"); a != nil {
		c.bot = f.readAccount(a)
		a.need("id", "name")
	}
	switch c.id.Platform {
	case chat.Twitch:
		o.need("name")
	case chat.YouTube:
		if c.bot != nil {
			o.r.fault(o.by["bot"].At, "on YouTube answers come from the channel's owner; leave bot out")
		}
	case chat.Discord:
		o.need("guild")
		for _, k := range []string{"owner", "bot"} {
			if o.by[k] != nil {
				o.r.hint(o.by[k].At, "its token is HAWKER_DISCORD_BOT_TOKEN", "on Discord the installation's bot hears and speaks; leave %s out", k)
			}
		}
	}
	if c.guild.set() && c.id.Platform != chat.Discord && p.v != "" {
		o.r.fault(c.guild.at, "guild is for Discord")
	}
	if i := slices.IndexFunc(f.channels, func(x channel) bool { return x.id == c.id && id.v != "" && p.v != "" }); i >= 0 {
		o.r.fault(id.at, "channel %s stands in line %d already", c.id, f.channels[i].at.Line)
	}
	f.channels = append(f.channels, c)
}

func (f *File) readAccount(o *object) *account {
	defer o.close()
	a := &account{id: o.match("id", idForm, "the platform's id of the account"), name: o.text("name", 100)}
	a.secrets = f.readSecrets(o, "token_env", "refresh_env")
	if a.named("refresh_env").set() && !a.named("token_env").set() {
		o.r.fault(a.named("refresh_env").at, "refresh_env needs token_env beside it")
	}
	return a
}

func (f *File) readShow(o *object) {
	defer o.close()
	o.need("name")
	s := show{at: o.at, name: o.match("name", slugForm, "small letters, digits and hyphens, at most 60: it stands in the address"), title: o.text("title", 120)}
	s.live, s.hold, s.holds = o.flag("live"), o.hold("hold"), readHolds(o)
	s.cap, s.payOnce = o.number("cap", 0, rules.MaxQuantity), o.holdOrOff("pay_once")
	if g := o.child("guard"); g != nil {
		s.readGuard(g)
	}
	if at, none := o.none("styles"); none {
		s.styles.at = at
	} else {
		s.readStyles(o)
	}
	for _, w := range o.words("channels") {
		c, err := chat.ParseChannel(w.v)
		switch {
		case err != nil || c.Platform == chat.Room:
			o.r.fault(w.at, "channel %q; want platform/id, such as twitch/1001", plain.Cut(w.v))
		case slices.ContainsFunc(s.channels, func(x val[chat.Channel]) bool { return x.v == c }):
			o.r.fault(w.at, "channel %s stands here a second time", c)
		default:
			s.channels = append(s.channels, val[chat.Channel]{c, w.at})
		}
	}
	for _, n := range o.list("lineup") {
		s.readItem(o.r.object(n, "an item"))
	}
	if i := o.child("ingest"); i != nil {
		k := f.readSecrets(i, "key_env")
		i.close()
		if len(k.vars) == 0 && !k.connected.set() && i.ok {
			o.r.fault(i.at, "ingest needs key_env")
		}
		s.ingest = &k
	}
	for _, n := range o.list("destinations") {
		s.readDestination(f, o.r.object(n, "a destination"))
	}
	if i := slices.IndexFunc(f.shows, func(x show) bool { return x.name.v == s.name.v && s.name.v != "" }); i >= 0 {
		o.r.fault(s.name.at, "show %s stands in line %d already", s.name.v, f.shows[i].at.Line)
	}
	f.shows = append(f.shows, s)
}

// readStyles reads which claims a show takes without a command sign.
func (s *show) readStyles(o *object) {
	for _, w := range o.words("styles") {
		s.styles.at = w.at
		switch w.v {
		case "boutique":
			s.styles.v.Boutique = true
		case "plus":
			s.styles.v.Plus = true
		case "number-only":
			s.styles.v.NumberOnly = true
		default:
			o.r.fault(w.at, "a style is boutique, plus or number-only, not %q", plain.Cut(w.v))
		}
	}
}

// readGuard reads how scarce pieces are kept from who never pays. A share of 100 is no limit; unpaid 0 is never.
func (s *show) readGuard(o *object) {
	defer o.close()
	s.share, s.unpaid = o.number("share", 1, 100), o.number("unpaid", 0, maxUnpaid)
	if s.unpaid.set() && s.unpaid.v == 0 {
		s.unpaid.v = -1
	}
	if o.ok && !s.share.set() && !s.unpaid.set() && len(o.all) == 0 {
		o.r.fault(o.at, "guard needs share or unpaid")
	}
}

func (s *show) readItem(o *object) {
	defer o.close()
	o.need("number")
	it := item{at: o.at, number: o.number("number", 1, rules.MaxQuantity), sku: o.text("sku", 80)}
	it.product = o.match("product", productForm, "the store's id, such as gid://shopify/Product/1")
	it.code = o.match("code", codeForm, "letters and digits, at most 20")
	it.cap, it.hold, it.price = o.number("cap", 0, rules.MaxQuantity), o.hold("hold"), o.price("price")
	it.stock, it.closed, it.firstPaid = o.number("stock", 0, maxStock), o.flag("closed"), o.flag("first_paid")
	it.keep = o.number("keep_back", 0, maxStock)
	switch {
	case it.sku.set() && it.product.set():
		o.r.fault(it.product.at, "an item is named by sku or by product, not by both")
	case it.code.v != "" && strings.Trim(it.code.v, "0123456789") == "":
		o.r.fault(it.code.at, "code is %q; a code of digits alone would be an item number", it.code.v)
	}
	for _, x := range s.lineup {
		if x.number.v == it.number.v && it.number.set() {
			o.r.fault(it.number.at, "item %d stands in line %d already", it.number.v, x.at.Line)
		}
		if it.code.v != "" && rules.Fold(x.code.v) == rules.Fold(it.code.v) {
			o.r.fault(it.code.at, "code %s stands in line %d already", it.code.v, x.code.at.Line)
		}
	}
	s.lineup = append(s.lineup, it)
}

func (s *show) readDestination(f *File, o *object) {
	defer o.close()
	o.need("name")
	d := destination{name: o.text("name", 60), server: o.text("server", 500), channel: o.text("channel", 80), enabled: o.flag("enabled")}
	d.secrets = f.readSecrets(o, "key_env")
	switch c, err := chat.ParseChannel(d.channel.v); {
	case d.channel.set() && (err != nil || c.Platform != chat.Twitch && c.Platform != chat.YouTube):
		o.r.fault(d.channel.at, "channel %q; want a connected one, such as youtube/UCana or twitch/1001", plain.Cut(d.channel.v))
	case d.channel.set() && (d.server.set() || len(d.vars) > 0):
		o.r.fault(d.channel.at, "a destination has a channel, which gives server and key, or a server; not both")
	case !d.channel.set() && !d.server.set() && o.ok:
		o.r.fault(o.at, "a destination needs server or channel")
	}
	if v := d.server; v.v != "" {
		if u, err := url.Parse(v.v); err != nil || u.Scheme != "rtmp" && u.Scheme != "rtmps" || u.Host == "" {
			o.r.fault(v.at, "server is not an address such as rtmps://live.example.com/app")
		}
	}
	for _, x := range s.destinations {
		if x.name.v == d.name.v && d.name.v != "" {
			o.r.fault(d.name.at, "destination %s stands in line %d already", d.name.v, x.name.at.Line)
		}
	}
	s.destinations = append(s.destinations, d)
}

// readRules reads rules, and lets the packages of rules say what is wrong with one, at the place where it is.
func (f *File) readRules(r *reader, list []*plain.Node) {
	for _, n := range list {
		x, src, faults := rule.Read(n)
		r.faults = append(r.faults, faults...)
		at := src.Place(r.doc, &rule.Error{Field: "name", Action: -1})
		if i := slices.IndexFunc(f.rules, func(y fileRule) bool { return y.rule.Name == x.Name && x.Name != "" }); i >= 0 {
			r.fault(at, "rule %q stands in line %d already", x.Name, f.rules[i].at.Line)
		}
		f.rules = append(f.rules, fileRule{n.At, x})
		if len(faults) > 0 {
			continue
		}
		var e *rule.Error
		if _, err := book.New([]rule.Rule{x}, book.Options{}); errors.As(err, &e) {
			r.fault(src.Place(r.doc, e), "%s", e.Msg)
		}
	}
}
