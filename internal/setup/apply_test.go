package setup

import (
	"context"
	"errors"
	"os"
	"slices"
	"strings"
	"testing"

	"hawker/commerce"
	"hawker/internal/chat"
	"hawker/internal/goldentest"
	"hawker/internal/live"
	"hawker/internal/seal"
	"hawker/internal/sqldb"
)

// TestApply: a file makes everything, once; its export makes the same elsewhere.
func TestApply(t *testing.T) {
	for _, name := range []string{"good", "own"} {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t)
			text := read(t, name+".yaml")
			r := h.apply(t, text)
			goldentest.Check(t, *update, name+".changes", strings.Join(r.Changes, "\n")+"\n")
			before, asked, connect := h.dump(t), h.asked, h.connect
			again := h.apply(t, text)
			if len(again.Changes) > 0 || h.dump(t) != before {
				t.Errorf("applying twice changed %q:\n%s\n%s", again.Changes, before, h.dump(t))
			}
			if h.asked != asked || h.connect != connect {
				t.Errorf("applying twice asked the store %d times more and connected %d times more", h.asked-asked, h.connect-connect)
			}
			if !slices.Equal(r.Shows, again.Shows) || r.Dashboard != "https://hawker.example/" || r.Ingest != "rtmp://hawker.example/live" {
				t.Errorf("reports %+v and %+v", r, again)
			}
			out := h.export(t, r.Merchant)
			goldentest.Check(t, *update, name+".export.yaml", out)
			if r := h.apply(t, out); len(r.Changes) > 0 || h.dump(t) != before {
				t.Errorf("applying the export changed %q", r.Changes)
			}
			other := newHouse(t)
			other.apply(t, out)
			if got := other.export(t, r.Merchant); got != out {
				t.Errorf("exported from the copy:\n%s\nfrom the original:\n%s", got, out)
			}
		})
	}
}

// TestWhatIsMade looks at what a file came to, beyond what its export says.
func TestWhatIsMade(t *testing.T) {
	h := newHouse(t)
	r := h.apply(t, read(t, "good.yaml"))
	id := h.merchant(t, "anas-ceramics")
	if h.asked != 1 {
		t.Errorf("the store was asked %d times", h.asked)
	}
	shows, err := h.Hub.Shows(t.Context(), id)
	if err != nil || len(shows) != 2 {
		t.Fatalf("%d shows, %v", len(shows), err)
	}
	spring := shows[slices.IndexFunc(shows, func(s commerce.Show) bool { return s.Name == "spring" })]
	if spring.State != commerce.ShowLive || spring.Started.IsZero() || len(spring.Channels) != 3 || len(spring.Lineup.Items) != 3 {
		t.Errorf("spring is %+v", spring)
	}
	if it := spring.Lineup.Item(12); it.Product.Title != "Tee" || len(it.Product.Variants) != 2 || it.Price != (commerce.Money{Minor: 1500, Currency: "EUR"}) {
		t.Errorf("item 12 is %+v", it)
	}
	if want := "https://hawker.example/live/spring"; r.Shows[0].Room != want || !r.Shows[0].Live || r.Shows[1].Live {
		t.Errorf("report %+v", r.Shows)
	}
	token := strings.TrimPrefix(r.Shows[0].Overlay, "https://hawker.example/overlay/")
	if _, show, err := h.DB.OverlayOf(t.Context(), seal.Token(token)); err != nil || show != spring.ID {
		t.Errorf("overlay opens %v, %v", show, err)
	}
	if _, show, err := h.DB.ShowOfKey(t.Context(), "secret-of-INGEST_KEY"); err != nil || show != spring.ID {
		t.Errorf("stream key opens %v, %v", show, err)
	}
	members, err := h.DB.MembersByEmail(t.Context(), "ana@example.test")
	if err != nil || len(members) != 1 || !CheckPassword(members[0].PasswordHash, "secret-of-ANA_PASSWORD") {
		t.Errorf("members %+v, %v", members, err)
	}
	accounts, err := h.DB.Accounts(t.Context(), id)
	if err != nil || len(accounts) != 4 {
		t.Fatalf("%d accounts, %v", len(accounts), err)
	}
	for _, a := range accounts {
		if a.ID == "2002" && (a.Purpose != sqldb.BotAccount || a.Token.Access != "secret-of-BOT_TOKEN" || a.Token.Refresh != "secret-of-BOT_REFRESH") {
			t.Errorf("bot is %+v", a)
		}
	}
	st, err := h.DB.Store(t.Context(), id)
	if err != nil || st.Token != "secret-of-SHOP_TOKEN" || st.WebhookSecret != "secret-of-HOOK_SECRET" || st.ClientID != "app-1" {
		t.Errorf("store %+v, %v", st, err)
	}
}

// TestSecretsAreSealed looks for the secrets in the files of the database.
func TestSecretsAreSealed(t *testing.T) {
	h := newHouse(t)
	h.apply(t, read(t, "good.yaml"))
	if out := h.export(t, "anas-ceramics"); strings.Contains(out, "secret-of-") {
		t.Errorf("exported a secret:\n%s", out)
	}
	files, err := os.ReadDir(h.dir)
	if err != nil {
		t.Fatal(err)
	}
	found := false
	for _, f := range files {
		b, err := os.ReadFile(h.dir + "/" + f.Name())
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(b), "secret-of-") {
			t.Errorf("%s holds a secret", f.Name())
		}
		found = found || strings.Contains(string(b), "hawkerbot")
	}
	if !found {
		t.Error("the files of the database were not read")
	}
}

// TestWhatIsLeftOut: the least file about a merchant changes nothing.
func TestWhatIsLeftOut(t *testing.T) {
	h := newHouse(t)
	h.apply(t, read(t, "good.yaml"))
	h.apply(t, read(t, "own.yaml"))
	before := h.dump(t)
	for _, text := range []string{
		"merchant: {slug: anas-ceramics}\n",
		"merchant: {name: Ana's Ceramics}\nshows: [{name: spring}, {name: summer, live: true}]\n",
		"merchant: {name: Ana's Ceramics}\nshows: [{name: spring, lineup: [{number: 12}], destinations: [{name: Twitch, server: \"rtmp://127.0.0.1:1936/app\"}]}]\n",
		"merchant: {slug: anas-ceramics}\nchannels: [{platform: twitch, id: 1001, name: ana, owner: {connected: true}, bot: {id: 2002, name: hawkerbot}}]\n",
		"merchant: {slug: anas-ceramics}\nstore: {kind: shopify, shop: demo.myshopify.com, connected: true}\nrules: [{name: Quiet, when: sold out, off: true, then: [{say: Gone}]}]\n",
		"merchant: {slug: bea}\nmembers: [{email: bea@example.test}]\nstore: {kind: own, products: [{sku: MUG, title: \"Mug: blue\", price: \"19.99\"}]}\n",
	} {
		if r := h.apply(t, text); len(r.Changes) > 0 || h.dump(t) != before {
			t.Errorf("%s\nchanged %q:\n%s\n%s", text, r.Changes, before, h.dump(t))
		}
	}
}

// TestRefused: what only the database can tell is wrong, and then nothing is changed.
func TestRefused(t *testing.T) {
	h := newHouse(t)
	h.apply(t, read(t, "good.yaml"))
	h.apply(t, read(t, "own.yaml"))
	h.env["SHORT"], h.env["BLANKS"] = "seven77", "a key with blanks"
	before := h.dump(t)
	const ana, bea = "merchant: {slug: anas-ceramics}\n", "merchant: {slug: bea}\n"
	for _, tt := range []struct{ text, want string }{
		{"merchant: {slug: new}\n", "line 1, column 11: merchant new is new and needs name\nline 1, column 11: merchant new is new and needs currency"},
		{"merchant: {slug: bea, currency: USD}\n", "line 1, column 33: the currency is EUR and cannot change: products have prices in it"},
		{ana + "members: [{email: new@example.test, password_env: NONE}]\n", "line 2, column 11: member new@example.test is new and needs role\nline 2, column 51: the environment variable NONE is not set (set it where hawker apply runs)"},
		{ana + "members: [{email: ana@example.test, password_env: SHORT}]\n", "line 2, column 51: the password in SHORT has fewer than 8 characters"},
		{bea + "store: {kind: shopify, shop: bea.myshopify.com, token_env: SHOP_TOKEN}\n", "line 2, column 8: this merchant sells from own already (another store is another merchant)"},
		{"merchant: {name: Cy, currency: EUR}\nstore: {kind: shopify, shop: demo.myshopify.com, token_env: SHOP_TOKEN}\n", "line 2, column 30: another merchant sells from demo.myshopify.com"},
		{"merchant: {name: Cy, currency: JPY}\nstore: {kind: own, products: [{sku: A, title: A, price: 1.50}]}\n", `line 2, column 57: amount "1.50": JPY has 0 decimal digits`},
		{ana + "channels: [{platform: twitch, id: 5, name: e, owner: {}}]\n", "line 2, column 54: account twitch/5 is not known (write token_env, or connect it in the dashboard and write connected: true)"},
		{
			ana + "channels:\n  - {platform: twitch, id: 5, name: e, owner: {token_env: A_TOKEN}}\n  - {platform: twitch, id: 6, name: f, owner: {id: 5, token_env: SHOP_TOKEN}}\n",
			"line 3, column 59: the environment variable A_TOKEN is not set (set it where hawker apply runs)\nline 4, column 47: account twitch/5 has other variables in line 3",
		},
		{ana + "shows: [{name: bea-live}]\n", "line 2, column 16: another merchant has a show named bea-live"},
		{ana + "shows: [{name: spring, channels: [twitch/77]}]\n", "line 2, column 35: channel twitch/77 is not known (list it under channels:)"},
		{ana + "shows: [{name: other, live: true, channels: [twitch/1002, twitch/1001]}]\n", "line 2, column 59: channel twitch/1001 is in show spring, which is live (end the other show first)"},
		{ana + "shows:\n  - {name: one, live: true, channels: [twitch/1002]}\n  - {name: two, live: true, channels: [twitch/1002]}\n", "line 4, column 40: channel twitch/1002 is in show one, which is live (end the other show first)"},
		{
			ana + "shows: [{name: spring, lineup: [{number: 4}, {number: 3, sku: MUG-9}, {number: 5, product: gid://shopify/Product/77}]}]\n",
			"line 2, column 33: item 4 is new in show spring and needs sku",
		},
		{
			ana + "shows: [{name: spring, lineup: [{number: 4, sku: MUG-9}, {number: 5, product: gid://shopify/Product/77}]}]\n",
			"line 2, column 50: the store has no product with sku MUG-9\nline 2, column 79: the store has no product gid://shopify/Product/77",
		},
		{ana + "shows: [{name: spring, lineup: [{number: 4, sku: BOWL}]}]\n", "line 2, column 50: several products have sku BOWL; name one by product:"},
		{ana + "shows: [{name: spring, lineup: [{number: 3, stock: 5}]}]\n", `line 2, column 52: the store counts the stock of "Mug"; change it there`},
		{ana + "shows: [{name: spring, holds: link, lineup: [{number: 3, price: \"1\"}]}]\n", "line 2, column 65: with holds: link the store's own price is paid; leave price out or use draft"},
		{bea + "shows: [{name: bea-live, lineup: [{number: 3, sku: NONE}]}]\n", "line 2, column 52: there is no product with sku NONE (list it in products:)"},
		{bea + "shows: [{name: bea-live, lineup: [{number: 2, stock: 5}]}]\n", `line 2, column 54: "Tee" has 3 variants; write stock at each of them under products:`},
		{
			bea + "store: {kind: own, products: [{title: Both, options: [Kind], price: 1, variants: [{sku: MUG, options: [a]}, {sku: NEW, options: [c]}, {sku: SPECIAL, options: [b]}]}]}\n",
			`line 2, column 141: sku SPECIAL belongs to "Tee", and another one here to "Mug: blue"`,
		},
		{
			bea + "store: {kind: own, products: [{title: Tee, options: [Size], variants: [{sku: TEE-M-Red, options: [M], price: 1}]}]}\n",
			"line 2, column 31: variant TEE-L-Red has 2 options, the product now 1; list it too\nline 2, column 31: variant SPECIAL has 2 options, the product now 1; list it too",
		},
		{bea + "shows: [{name: bea-live, ingest: {key_env: INGEST_KEY}}]\n", "line 2, column 44: the stream key in INGEST_KEY belongs to another show"},
		{bea + "shows: [{name: bea-live, ingest: {key_env: BLANKS}}]\n", "line 2, column 44: the stream key in BLANKS wants 8 characters or more, without blanks and / ? #"},
		{bea + "shows: [{name: x, ingest: {key_env: BEA_TOKEN}}, {name: y, ingest: {key_env: BEA_TOKEN}}]\n", "line 2, column 78: the stream key in BEA_TOKEN belongs to another show"},
		{"merchant: {name: Cy, currency: EUR}\nshows: [{name: cy, lineup: [{number: 1, sku: A}]}]\n", "line 2, column 46: there is no store, so no product with sku A (write store:, or connect one in the dashboard)"},
	} {
		f := parse(t, tt.text)
		_, err := h.Apply(t.Context(), f)
		check := h.Check(t.Context(), f)
		var faults Faults
		if !errors.As(err, &faults) || err.Error() != tt.want || check == nil || check.Error() != tt.want {
			t.Errorf("%s\ngot  %v\nwant %s\nCheck: %v", tt.text, err, tt.want, check)
		}
		if now := h.dump(t); now != before {
			t.Fatalf("%s\nchanged\n%s\nto\n%s", tt.text, before, now)
		}
	}
}

// TestStoreIsAway: an error that is not the file's fault says so, and changes nothing.
func TestStoreIsAway(t *testing.T) {
	h := newHouse(t)
	away := errors.New("no route to host")
	h.Catalogue = func(context.Context, commerce.ID, sqldb.Store) ([]commerce.Product, error) { return nil, away }
	_, err := h.Apply(t.Context(), parse(t, read(t, "good.yaml")))
	var faults Faults
	if !errors.Is(err, away) || errors.As(err, &faults) {
		t.Errorf("got %v", err)
	}
	if got := h.dump(t); got != "" {
		t.Errorf("made %s", got)
	}
	usd := shop()
	for i := range usd {
		for j := range usd[i].Variants {
			usd[i].Variants[j].Price.Currency = "USD"
		}
	}
	h.Catalogue = func(context.Context, commerce.ID, sqldb.Store) ([]commerce.Product, error) { return usd, nil }
	_, err = h.Apply(t.Context(), parse(t, read(t, "good.yaml")))
	var lines []string
	for _, at := range []string{"21, column 26", "22, column 27", "23, column 30"} {
		lines = append(lines, "line "+at+": the store sells in USD, the merchant's currency is EUR")
	}
	want := strings.Join(lines, "\n")
	if err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

// TestHubIsAway: without a running hub nothing is applied.
func TestHubIsAway(t *testing.T) {
	h := newHouse(t)
	ctx, stop := context.WithCancel(t.Context())
	stop()
	s := &Setup{DB: h.DB, Hub: &live.Hub{DB: h.DB}, Getenv: h.Getenv}
	if _, err := s.Apply(ctx, parse(t, "merchant: {name: Ana, currency: EUR}\n")); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

// TestSecretsOfLastTime: a secret is written when its variable says something new, and not otherwise.
func TestSecretsOfLastTime(t *testing.T) {
	h := newHouse(t)
	text := read(t, "good.yaml")
	h.apply(t, text)
	id := h.merchant(t, "anas-ceramics")
	bot := chat.Account{Platform: chat.Twitch, ID: "2002", Name: "hawkerbot", Token: chat.Token{Access: "renewed", Refresh: "renewed too"}}
	if err := h.DB.PutAccount(t.Context(), id, bot, sqldb.BotAccount); err != nil {
		t.Fatal(err)
	}
	if _, err := h.DB.PutMember(t.Context(), sqldb.Member{Merchant: id, Email: "ana@example.test", Role: "owner", PasswordHash: HashPassword("her own choice")}); err != nil {
		t.Fatal(err)
	}
	before := h.dump(t)
	if r := h.apply(t, text); len(r.Changes) > 0 || h.dump(t) != before {
		t.Errorf("set back: %q", r.Changes)
	}
	h.env["BOT_TOKEN"], h.env["ANA_PASSWORD"], h.env["TWITCH_KEY"], h.env["INGEST_KEY"], h.env["SHOP_TOKEN"] = "new-bot-token", "new password", "new-key", "new-ingest-key", "new-shop-token"
	r := h.apply(t, text)
	want := []string{
		"member ana@example.test changed", "store demo.myshopify.com changed", "account twitch/2002 (bot) written", "stream key of show spring written",
		"destination Twitch of show spring changed",
	}
	if !slices.Equal(r.Changes, want) {
		t.Errorf("changed %q, want %q", r.Changes, want)
	}
	if r := h.apply(t, text); len(r.Changes) > 0 {
		t.Errorf("changed again %q", r.Changes)
	}
	members, _ := h.DB.Members(t.Context(), id)
	accounts, _ := h.DB.Accounts(t.Context(), id)
	i := slices.IndexFunc(accounts, func(a sqldb.Account) bool { return a.ID == "2002" })
	if !CheckPassword(members[0].PasswordHash, "new password") || accounts[i].Token.Access != "new-bot-token" {
		t.Errorf("members %+v, bot %+v", members, accounts[i])
	}
	if _, _, err := h.DB.ShowOfKey(t.Context(), "new-ingest-key"); err != nil {
		t.Error(err)
	}
}

// TestStockOfLastTime: what was sold is not put back by applying again; a new figure counts.
func TestStockOfLastTime(t *testing.T) {
	h := newHouse(t)
	text := read(t, "own.yaml")
	h.apply(t, text)
	id := h.merchant(t, "bea")
	mug := func() (commerce.ID, int64) {
		products, err := h.DB.Products(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		stock, err := h.DB.Stock(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range stock {
			if s.Variant == products[0].Variants[0].ID {
				return s.Variant, s.Free()
			}
		}
		t.Fatal("no stock of the mug")
		return 0, 0
	}
	v, n := mug()
	if n != 5 {
		t.Errorf("%d mugs, want 5", n)
	}
	if _, err := h.Hub.Ask(t.Context(), id, commerce.Key{}, commerce.SetStock{Variant: v, Add: -2}); err != nil {
		t.Fatal(err)
	}
	h.apply(t, text)
	if _, n := mug(); n != 3 {
		t.Errorf("%d mugs after applying again, want 3", n)
	}
	if out := h.export(t, "bea"); !strings.Contains(out, `{sku: MUG, title: "Mug: blue", image: "https://example.com/mug.jpg", price: "19.99", stock: 3}`) {
		t.Errorf("exported\n%s", out)
	}
	r := h.apply(t, strings.Replace(text, "stock: 5", "stock: 9", 1))
	if _, n := mug(); n != 9 || !slices.Equal(r.Changes, []string{"stock of MUG set to 9"}) {
		t.Errorf("%d mugs, want 9; changed %q", n, r.Changes)
	}
	r = h.apply(t, "merchant: {slug: bea}\nshows: [{name: bea-live, lineup: [{number: 1, stock: 4}]}]\n")
	if _, n := mug(); n != 4 || !slices.Equal(r.Changes, []string{"stock of MUG set to 4"}) {
		t.Errorf("%d mugs, want 4; changed %q", n, r.Changes)
	}
}

// TestLive: live: true starts a show that apply makes, and no other; what happens in a show is not undone.
func TestLive(t *testing.T) {
	h := newHouse(t)
	text := read(t, "good.yaml")
	h.apply(t, text)
	id := h.merchant(t, "anas-ceramics")
	find := func(name string) commerce.Show {
		shows, err := h.Hub.Shows(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		return shows[slices.IndexFunc(shows, func(s commerce.Show) bool { return s.Name == name })]
	}
	ask := func(r commerce.Request) {
		if _, err := h.Hub.Ask(t.Context(), id, commerce.Key{}, r); err != nil {
			t.Fatal(err)
		}
	}
	spring := find("spring")
	ask(commerce.Air{Show: spring.ID, Number: 12})
	ask(commerce.Gate{Show: spring.ID, Closed: true})            // pause
	ask(commerce.Gate{Show: spring.ID, Number: 3, Closed: true}) // close item 3
	ask(commerce.Gate{Show: spring.ID, Number: 7})               // open item 7
	r := h.apply(t, strings.Replace(strings.Replace(text, "cap: 2", "cap: 4", 1), "- name: summer", "- name: summer\n    live: true", 1))
	if !slices.Equal(r.Changes, []string{"show spring changed"}) {
		t.Errorf("changed %q", r.Changes)
	}
	s := find("spring")
	if s.Lineup.OnAir != 12 || !s.Paused || !s.Lineup.Item(3).Closed || s.Lineup.Item(7).Closed || s.Lineup.Item(3).Cap != 4 || s.State != commerce.ShowLive {
		t.Errorf("spring is %+v", s)
	}
	if s := find("summer"); s.State != commerce.ShowPlanned {
		t.Errorf("summer is %s", s.State)
	}
	s.State = commerce.ShowEnded
	ask(commerce.SetShow{Show: s})
	before := h.dump(t)
	r = h.apply(t, text)
	if len(r.Changes) > 0 || h.dump(t) != before || len(r.Shows) != 1 || !slices.Contains(r.Notes, "show spring is over and stays as it was; give a new one another name") {
		t.Errorf("a show that is over: %+v", r)
	}
	if out := h.export(t, "anas-ceramics"); strings.Contains(out, "name: spring") {
		t.Errorf("exported a show that is over:\n%s", out)
	}
}

// TestChanges: what the file says anew reaches the running show, also one that the file does not name.
func TestChanges(t *testing.T) {
	h := newHouse(t)
	text := read(t, "own.yaml")
	h.apply(t, text)
	id := h.merchant(t, "bea")
	r := h.apply(t, "merchant: {slug: bea}\nstore: {kind: own, products: [{sku: MUG, title: Mug, price: \"21\"}]}\n")
	if want := []string{`product "Mug" changed`, "show bea-live changed"}; !slices.Equal(r.Changes, want) {
		t.Errorf("changed %q, want %q", r.Changes, want)
	}
	shows, err := h.Hub.Shows(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	p := shows[0].Lineup.Item(1).Product
	if p.Title != "Mug" || p.Variants[0].Price.Minor != 2100 || p.Image != "https://example.com/mug.jpg" {
		t.Errorf("on sale is %+v", p)
	}
	// The order of the lineup follows the file; what it does not name keeps its place.
	h.apply(t, "merchant: {slug: bea}\nshows: [{name: bea-live, styles: [plus], lineup: [{number: 2}, {number: 5, sku: MUG}, {number: 1}]}]\n")
	h.apply(t, "merchant: {slug: bea}\nshows: [{name: bea-live, lineup: [{number: 1}, {number: 2}]}]\n")
	shows, err = h.Hub.Shows(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	var order []int
	for _, it := range shows[0].Lineup.Items {
		order = append(order, it.Number)
	}
	if !slices.Equal(order, []int{1, 5, 2}) || !shows[0].Lineup.Styles.Plus || shows[0].Lineup.Styles.Boutique {
		t.Errorf("lineup %v, styles %+v", order, shows[0].Lineup.Styles)
	}
}

// TestStylesAndKept: an empty list turns the styles off; what is kept back is so of each variant, and said once.
func TestStylesAndKept(t *testing.T) {
	h := newHouse(t)
	h.apply(t, read(t, "good.yaml"))
	id := h.merchant(t, "anas-ceramics")
	kept := func() (n []int64) {
		shows, err := h.Hub.Shows(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		rows, err := loadStock(t.Context(), h.DB, id)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range shows {
			for _, it := range s.Lineup.Items {
				for _, v := range it.Product.Variants {
					n = append(n, rows[v.ID].Safety)
				}
			}
		}
		return n
	}
	if got := kept(); !slices.Equal(got, []int64{0, 2, 2, 0}) {
		t.Errorf("kept back %v", got)
	}
	r := h.apply(t, "merchant: {slug: anas-ceramics}\nshows: [{name: spring, styles: [], lineup: [{number: 12, keep_back: 0}, {number: 3, keep_back: 1}]}]\n")
	if got := kept(); !slices.Equal(got, []int64{0, 0, 1, 0}) && !slices.Equal(got, []int64{1, 0, 0, 0}) {
		t.Errorf("kept back %v after %q", got, r.Changes)
	}
	if shows, err := h.Hub.Shows(t.Context(), id); err != nil || slices.ContainsFunc(shows, func(s commerce.Show) bool { return s.Lineup.Styles != commerce.Styles{} }) {
		t.Errorf("styles are still on: %v", err)
	}
	_, err := h.Apply(t.Context(), parse(t, "merchant: {slug: anas-ceramics}\nshows: [{name: spring, lineup: [{number: 12, keep_back: 1}]}, {name: summer, lineup: [{number: 1, sku: TEE, keep_back: 2}]}]\n"))
	if err == nil || !strings.Contains(err.Error(), `another item keeps 1 back`) {
		t.Errorf("two items of one product: %v", err)
	}
}

func TestMerge(t *testing.T) {
	for _, tt := range []struct{ old, want, out string }{
		{"", "", ""}, {"", "ab", "ab"}, {"ab", "", "ab"}, {"abc", "ca", "cba"}, {"ac", "abc", "abc"}, {"abc", "d", "abcd"}, {"abc", "db", "adcb"},
	} {
		got := string(merge([]rune(tt.old), []rune(tt.want), func(r rune) rune { return r }))
		again := string(merge([]rune(got), []rune(tt.want), func(r rune) rune { return r }))
		if got != tt.out || again != got {
			t.Errorf("merge(%q, %q) = %q, want %q; again %q", tt.old, tt.want, got, tt.out, again)
		}
	}
}

// TestNotes: what a file cannot do is said.
func TestNotes(t *testing.T) {
	h := newHouse(t)
	r := h.apply(t, `merchant: {name: Ana, currency: EUR}
members: [{email: a@example.test, role: owner}]
store: {kind: shopify, shop: demo.myshopify.com, connected: true}
channels: [{platform: twitch, id: 1, name: ana, owner: {connected: true}}]
shows: [{name: ana, ingest: {connected: true}}]
`)
	want := []string{
		"member a@example.test has no password yet", "store demo.myshopify.com is not connected: connect it in the dashboard",
		"account owner of channel twitch/1 is not connected: connect it in the dashboard", "show ana has no stream key yet: make one in the dashboard",
	}
	if !slices.Equal(r.Notes, want) {
		t.Errorf("notes %q, want %q", r.Notes, want)
	}
	out := h.export(t, "ana")
	other := newHouse(t)
	other.apply(t, out)
	if got := other.export(t, "ana"); got != out {
		t.Errorf("got\n%s\nwant\n%s", got, out)
	}
}
