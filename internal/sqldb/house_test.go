package sqldb

import (
	"bytes"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"hawker/commerce"
	"hawker/internal/chat"
	"hawker/internal/seal"
)

func must[T any](t *testing.T) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func ok(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func equal(t *testing.T, what string, got, want any) {
	t.Helper()
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%s:\n got %+v\nwant %+v", what, got, want)
	}
}

func TestMerchants(t *testing.T) {
	onBoth(t, func(t *testing.T, db *DB) {
		ctx := t.Context()
		ana := Merchant{Slug: "ana", Name: "Ana's Ceramics", Currency: "EUR", Timezone: "Europe/Berlin", Language: "de", Practice: true}
		ana.ID = must[commerce.ID](t)(db.PutMerchant(ctx, ana))
		equal(t, "merchant", must[Merchant](t)(db.Merchant(ctx, ana.ID)), ana)
		bob := merchant(t, db, "bob")
		if _, err := db.PutMerchant(ctx, Merchant{Slug: "ana"}); !errors.Is(err, ErrTaken) {
			t.Errorf("a slug twice: %v, want ErrTaken", err)
		}
		if _, err := db.PutMerchant(ctx, Merchant{ID: bob, Slug: "ana"}); !errors.Is(err, ErrTaken) {
			t.Errorf("a change to a slug that is taken: %v, want ErrTaken", err)
		}
		ana.Name, ana.Practice = "Ana", false
		must[commerce.ID](t)(db.PutMerchant(ctx, ana))
		all := must[[]Merchant](t)(db.Merchants(ctx))
		if len(all) != 2 || all[0] != ana && all[1] != ana {
			t.Errorf("merchants %+v", all)
		}
		if _, err := db.Merchant(ctx, 5); !errors.Is(err, ErrNotFound) || !IsNotFound(err) {
			t.Errorf("no such merchant: %v, want ErrNotFound", err)
		}
	})
}

func TestMembers(t *testing.T) {
	onBoth(t, func(t *testing.T, db *DB) {
		ctx := t.Context()
		a, b := merchant(t, db, "a"), merchant(t, db, "b")
		m := Member{Merchant: a, Email: "ana@example.test", Role: "owner", PasswordHash: "hash"}
		m.ID = must[commerce.ID](t)(db.PutMember(ctx, m))
		other := Member{Merchant: b, Email: m.Email, Role: "moderator"}
		other.ID = must[commerce.ID](t)(db.PutMember(ctx, other))
		// Found by its address; an empty hash leaves the password.
		if id := must[commerce.ID](t)(db.PutMember(ctx, Member{Merchant: a, Email: m.Email, Role: "manager"})); id != m.ID {
			t.Errorf("the same address is member %d, was %d", id, m.ID)
		}
		m.Role = "manager"
		equal(t, "members", must[[]Member](t)(db.Members(ctx, a)), []Member{m})
		if all := must[[]Member](t)(db.MembersByEmail(ctx, m.Email)); len(all) != 2 {
			t.Errorf("by address: %+v", all)
		}
		if _, err := db.PutMember(ctx, Member{Merchant: a, Email: "x", Role: "king"}); err == nil {
			t.Error("a role that does not exist was stored")
		}

		now := time.Now()
		good, over := seal.NewToken(), seal.NewToken()
		ok(t, db.PutSession(ctx, good, m, now.Add(time.Hour)))
		ok(t, db.PutSession(ctx, over, m, now.Add(-time.Second)))
		got := must[Member](t)(db.Session(ctx, good))
		if got.ID != m.ID || got.Merchant != a || got.Role != "manager" || got.PasswordHash != "" {
			t.Errorf("session of %+v", got)
		}
		for name, token := range map[string]seal.Token{"over": over, "unknown": seal.NewToken()} {
			if _, err := db.Session(ctx, token); !IsNotFound(err) {
				t.Errorf("a session that is %s: %v", name, err)
			}
		}
		// Signing in sweeps out what is over.
		ok(t, db.PutSession(ctx, seal.NewToken(), m, now.Add(time.Hour)))
		var n int
		ok(t, db.read.QueryRowContext(ctx, `SELECT COUNT(*) FROM sessions`).Scan(&n))
		if n != 2 {
			t.Errorf("%d sessions, want 2", n)
		}
		// A new password ends the sessions of the member, and only a new one.
		for password, stays := range map[string]bool{"": true, "hash": true, "another": false} {
			token, theirs := seal.NewToken(), seal.NewToken()
			ok(t, db.PutSession(ctx, token, m, now.Add(time.Hour)))
			ok(t, db.PutSession(ctx, theirs, other, now.Add(time.Hour)))
			must[commerce.ID](t)(db.PutMember(ctx, Member{Merchant: a, Email: m.Email, Role: m.Role, PasswordHash: password}))
			if _, err := db.Session(ctx, token); (err == nil) != stays || err != nil && !IsNotFound(err) {
				t.Errorf("with the password %q the session: %v", password, err)
			}
			must[Member](t)(db.Session(ctx, theirs))
			must[commerce.ID](t)(db.PutMember(ctx, m))
		}
		ok(t, db.EndSession(ctx, good))
		if _, err := db.Session(ctx, good); !IsNotFound(err) {
			t.Errorf("after signing out: %v", err)
		}
	})
}

func TestConnections(t *testing.T) {
	onBoth(t, func(t *testing.T, db *DB) {
		ctx := t.Context()
		a, b := merchant(t, db, "a"), merchant(t, db, "b")
		account := chat.Account{Platform: chat.Twitch, ID: "1001", Name: "ana", Token: chat.Token{Access: "t", Refresh: "r", Expires: time.Unix(9, 0).UTC(), Scopes: []string{"s"}}}
		ok(t, db.PutAccount(ctx, a, account, OwnerAccount))
		ok(t, db.PutAccount(ctx, a, account, BotAccount))
		account.Token.Access = "new"
		ok(t, db.PutAccount(ctx, a, account, BotAccount))
		got := must[[]Account](t)(db.Accounts(ctx, a))
		if len(got) != 2 || got[0].Purpose != BotAccount || got[0].Token.Access != "new" || got[1].Token.Access != "t" {
			t.Errorf("accounts %+v", got)
		}
		equal(t, "account", got[0].Account, account)
		account.Token.Access = "renewed"
		ok(t, db.RenewToken(ctx, a, account, BotAccount))
		if got := must[[]Account](t)(db.Accounts(ctx, a)); got[0].Token.Access != "renewed" || got[1].Token.Access != "t" {
			t.Errorf("accounts after one was renewed %+v", got)
		}
		ok(t, db.DropAccount(ctx, a, chat.Twitch, "1001", BotAccount))
		if err := db.RenewToken(ctx, a, account, BotAccount); !IsNotFound(err) {
			t.Errorf("renewing what was dropped: %v", err)
		}
		if n := len(must[[]Account](t)(db.Accounts(ctx, a))); n != 1 {
			t.Errorf("%d accounts after one was dropped", n)
		}

		c := Channel{Channel: chat.Channel{Platform: chat.YouTube, ID: "UC"}, Name: "Ana", Guild: "g", Owner: "1", Bot: "2", Cursor: "page 1"}
		ok(t, db.PutChannel(ctx, a, c))
		equal(t, "channel", must[[]Channel](t)(db.Channels(ctx, a)), []Channel{c})
		c.Name, c.Cursor = "Ana live", ""
		ok(t, db.PutChannel(ctx, a, c))
		c.Cursor = "page 1"
		equal(t, "channel without a cursor keeps it", must[[]Channel](t)(db.Channels(ctx, a)), []Channel{c})
		ok(t, db.SetCursor(ctx, a, c.Channel, "page 2"))
		if got := must[[]Channel](t)(db.Channels(ctx, a)); got[0].Cursor != "page 2" {
			t.Errorf("cursor %q", got[0].Cursor)
		}
		ok(t, db.DropChannel(ctx, a, c.Channel))
		if n := len(must[[]Channel](t)(db.Channels(ctx, a))); n != 0 {
			t.Errorf("%d channels after the only one was dropped", n)
		}

		if _, err := db.Store(ctx, a); !IsNotFound(err) {
			t.Errorf("no store: %v", err)
		}
		s := Store{Kind: "shopify", Shop: "demo.myshopify.com", Holds: commerce.HoldsDraft, StoreSecret: StoreSecret{
			Token: "t", Refresh: "r", Expires: time.Unix(9, 0).UTC(), ClientID: "id", ClientSecret: "secret", WebhookSecret: "hook",
		}}
		ok(t, db.PutStore(ctx, a, s))
		equal(t, "store", must[Store](t)(db.Store(ctx, a)), s)
		if err := db.PutStore(ctx, b, s); !errors.Is(err, ErrTaken) {
			t.Errorf("a shop of two merchants: %v, want ErrTaken", err)
		}
		ok(t, db.PutStore(ctx, b, Store{Kind: "own"}))
		merchant(t, db, "c")
		if id := must[commerce.ID](t)(db.MerchantOfShop(ctx, s.Shop)); id != a {
			t.Errorf("the shop is %d's, want %d's", id, a)
		}
		for _, none := range []string{"", "other.myshopify.com"} {
			if _, err := db.MerchantOfShop(ctx, none); !IsNotFound(err) {
				t.Errorf("shop %q: %v", none, err)
			}
		}
		read := time.Unix(1000, 0).UTC()
		for _, at := range []time.Time{read, read.Add(-time.Hour)} { // never back
			ok(t, db.SetOrdersRead(ctx, a, at))
		}
		ok(t, db.PutStore(ctx, a, s)) // a new token keeps how far orders were read
		if got := must[Store](t)(db.Store(ctx, a)); !got.OrdersRead.Equal(read) {
			t.Errorf("orders read until %v, want %v", got.OrdersRead, read)
		}
		ok(t, db.DropStore(ctx, a))
		ok(t, db.PutStore(ctx, b, s))
	})
}

func TestWebhooks(t *testing.T) {
	onBoth(t, func(t *testing.T, db *DB) {
		ctx := t.Context()
		a := merchant(t, db, "a")
		came := time.UnixMilli(1_700_000_000_123).UTC()
		first, second := Webhook{"w1", "orders/paid", []byte(`{"id": 1}`), came}, Webhook{"w2", "app/uninstalled", nil, came.Add(time.Second)}
		for _, w := range []Webhook{second, first} {
			if !must[bool](t)(db.PutWebhook(ctx, a, w)) {
				t.Errorf("%s is not new", w.ID)
			}
		}
		waiting := func(limit int, want ...Webhook) {
			t.Helper()
			got := must[[]Webhook](t)(db.OpenWebhooks(ctx, a, limit))
			if fmt.Sprint(got) != fmt.Sprint(want) { // an empty body may come back as none
				t.Errorf("at most %d webhooks, oldest first: %v, want %v", limit, got, want)
			}
		}
		waiting(10, first, second)
		waiting(1, first)
		ok(t, db.DropWebhook(ctx, a, "w1"))
		if must[bool](t)(db.PutWebhook(ctx, a, first)) {
			t.Error("a settled webhook is new again")
		}
		waiting(10, second)
		kept := -1 // bytes of who bought
		ok(t, db.read.QueryRowContext(ctx, `SELECT LENGTH(body) FROM inbox WHERE merchant_id = $1 AND webhook_id = 'w1'`, int64(a)).Scan(&kept))
		if kept != 0 {
			t.Errorf("%d bytes of a settled webhook are kept", kept)
		}
	})
}

// A product keeps our ids however often it is read from the store; what the store no longer has stays for old holds.
func TestProducts(t *testing.T) {
	onBoth(t, func(t *testing.T, db *DB) {
		ctx := t.Context()
		a, b := merchant(t, db, "a"), merchant(t, db, "b")
		read := func() []commerce.Product {
			return []commerce.Product{{Title: "Shirt", Image: "https://x/y.png", Store: "gid/p", Options: []string{"Size", "Colour"}, Variants: []commerce.Variant{
				{SKU: "S", Options: []string{"S", "Blue"}, Price: commerce.Money{Minor: 1999, Currency: "EUR"}, Store: "gid/1", Inventory: "gid/i1"},
				{SKU: "M", Options: []string{"M", "Blue"}, Price: commerce.Money{Minor: 2999, Currency: "EUR"}, Store: "gid/2", Inventory: "gid/i2"},
			}}}
		}
		first := must[[]commerce.Product](t)(db.PutProducts(ctx, a, read()))
		equal(t, "products", must[[]commerce.Product](t)(db.Products(ctx, a)), first)
		changed := read()
		changed[0].Title, changed[0].Variants[0].Price.Minor = "Shirt, new", 1500
		changed[0].Variants[0], changed[0].Variants[1] = changed[0].Variants[1], changed[0].Variants[0]
		second := must[[]commerce.Product](t)(db.PutProducts(ctx, a, changed))
		if second[0].ID != first[0].ID || second[0].Variants[0].ID != first[0].Variants[1].ID || second[0].Variants[1].ID != first[0].Variants[0].ID {
			t.Errorf("ids changed: %+v, were %+v", second, first)
		}
		equal(t, "changed products", must[[]commerce.Product](t)(db.Products(ctx, a)), second)
		// Another merchant's copy of the same store ids is another product.
		if copied := must[[]commerce.Product](t)(db.PutProducts(ctx, b, read())); copied[0].ID == first[0].ID {
			t.Error("two merchants share a product")
		}
		found := must[map[string]commerce.ID](t)(db.VariantsByStore(ctx, a, []string{"gid/1", "gid/2", "gid/1", "gid/none", ""}))
		equal(t, "by store", found, map[string]commerce.ID{"gid/1": first[0].Variants[0].ID, "gid/2": first[0].Variants[1].ID})
		// The merchant's own products are found by the ids that we gave them.
		own := must[[]commerce.Product](t)(db.PutProducts(ctx, a, []commerce.Product{{Title: "Own", Variants: []commerce.Variant{{SKU: "O", Price: commerce.Money{Minor: 1, Currency: "EUR"}}}}}))
		own[0].Title = "Own, renamed"
		must[[]commerce.Product](t)(db.PutProducts(ctx, a, own))
		if all := must[[]commerce.Product](t)(db.Products(ctx, a)); len(all) != 2 || all[1].Title != "Own, renamed" || len(all[1].Variants) != 1 {
			t.Errorf("products %+v", all)
		}
		if _, err := db.PutProducts(ctx, a, []commerce.Product{{Title: "Bad", Variants: []commerce.Variant{{Price: commerce.Money{Minor: -1}}}}}); err == nil {
			t.Error("a price below nothing was stored")
		}
	})
}

func TestLinks(t *testing.T) {
	onBoth(t, func(t *testing.T, db *DB) {
		ctx := t.Context()
		id := merchant(t, db, "a")
		st := must[commerce.State](t)(db.Load(ctx, id))
		ana := chat.Viewer{Platform: chat.Twitch, ID: "7", Name: "Ana"}
		write := func(st commerce.State, b commerce.Batch) {
			t.Helper()
			b.Merchant, b.Epoch, b.Seq, b.At = id, st.Epoch, st.Seq, time.Now()
			ok(t, db.Commit(ctx, &b))
		}
		write(st, commerce.Batch{
			Receipts: []commerce.Receipt{{ID: 30, Show: 100, Viewer: ana, Generation: 2}}, Done: []commerce.ID{1},
			Shows: []commerce.Show{{ID: 100, Name: "spring", Title: "Spring", State: commerce.ShowPlanned}},
		})
		token := db.ReceiptToken(id, 30, 2)
		if m, r, err := db.ReceiptOf(ctx, token); err != nil || m != id || r != 30 {
			t.Errorf("ReceiptOf = %d, %d, %v", m, r, err)
		}
		overlay := must[seal.Token](t)(db.OverlayToken(ctx, id, 100))
		if again := must[seal.Token](t)(db.OverlayToken(ctx, id, 100)); again != overlay || !seal.ValidToken(overlay.Reveal()) {
			t.Error("an overlay's address is not the same twice")
		}
		if m, s, err := db.OverlayOf(ctx, overlay); err != nil || m != id || s != 100 {
			t.Errorf("OverlayOf = %d, %d, %v", m, s, err)
		}
		for name, other := range map[string]seal.Token{"another generation": db.ReceiptToken(id, 30, 1), "an overlay": overlay, "anything": seal.NewToken()} {
			if _, _, err := db.ReceiptOf(ctx, other); !IsNotFound(err) {
				t.Errorf("%s opens a receipt: %v", name, err)
			}
		}
		if _, _, err := db.OverlayOf(ctx, token); !IsNotFound(err) {
			t.Errorf("a receipt's token opens an overlay: %v", err)
		}
		if m, s, err := db.ShowNamed(ctx, "spring"); err != nil || m != id || s != 100 {
			t.Errorf("ShowNamed = %d, %d, %v", m, s, err)
		}
		if _, _, err := db.ShowNamed(ctx, "autumn"); !IsNotFound(err) {
			t.Errorf("ShowNamed = %v", err)
		}

		browser := seal.NewToken()
		if _, err := db.ViewerOfBrowser(ctx, id, browser); !IsNotFound(err) {
			t.Errorf("an unbound browser: %v", err)
		}
		ok(t, db.BindBrowser(ctx, id, browser, chat.Viewer{Platform: chat.Discord, ID: "9"}))
		ok(t, db.BindBrowser(ctx, id, browser, ana))
		if v := must[chat.Viewer](t)(db.ViewerOfBrowser(ctx, id, browser)); v != ana {
			t.Errorf("the browser is %+v's, want %+v's", v, ana)
		}
		if _, err := db.ViewerOfBrowser(ctx, merchant(t, db, "b"), browser); !IsNotFound(err) {
			t.Errorf("a browser bound at one merchant acts at another: %v", err)
		}

		const key = "live_abcdefghijkl"
		ok(t, db.PutIngest(ctx, id, 100, "old_abcdefghijkl"))
		ok(t, db.PutIngest(ctx, id, 100, key))
		if m, s, err := db.ShowOfKey(ctx, key); err != nil || m != id || s != 100 {
			t.Errorf("ShowOfKey = %d, %d, %v", m, s, err)
		}
		if _, _, err := db.ShowOfKey(ctx, "old_abcdefghijkl"); !IsNotFound(err) {
			t.Errorf("the old key still opens: %v", err)
		}
		equal(t, "ingest", must[Ingest](t)(db.IngestOf(ctx, id, 100)), Ingest{Show: 100, KeyTail: "ijkl"})
		if err := db.PutIngest(ctx, id, 200, key); !errors.Is(err, ErrTaken) {
			t.Errorf("a key of two shows: %v, want ErrTaken", err)
		}
		ok(t, db.PutIngest(ctx, id, 200, "short"))
		if in := must[Ingest](t)(db.IngestOf(ctx, id, 200)); in.KeyTail != "" {
			t.Errorf("of a short key %q is shown", in.KeyTail)
		}
		if _, err := db.IngestOf(ctx, id, 300); !IsNotFound(err) {
			t.Errorf("IngestOf = %v", err)
		}

		d := Destination{Show: 100, Name: "Twitch", Server: "rtmp://127.0.0.1:1936/app", Key: "stream key", Enabled: true}
		d.ID = must[commerce.ID](t)(db.PutDestination(ctx, id, d))
		equal(t, "destination", must[[]Destination](t)(db.Destinations(ctx, id, 100)), []Destination{d})
		change := Destination{Show: 100, Name: "Twitch", Server: "rtmps://x/app"}
		if got := must[commerce.ID](t)(db.PutDestination(ctx, id, change)); got != d.ID {
			t.Errorf("the same name is destination %d, was %d", got, d.ID)
		}
		d.Server, d.Enabled = change.Server, false
		equal(t, "an empty key leaves the stored one", must[[]Destination](t)(db.Destinations(ctx, id, 100)), []Destination{d})
		ok(t, db.DropDestination(ctx, id, d.ID))
		if n := len(must[[]Destination](t)(db.Destinations(ctx, id, 100))); n != 0 {
			t.Errorf("%d destinations are left", n)
		}
	})
}

// Secrets are sealed: nothing that is on the disk or in a row shows them, and another key opens nothing.
func TestSealed(t *testing.T) {
	const mark = "PLAINTEXT"
	secret := func(n int) string { return fmt.Sprintf("%s-%d", mark, n) }
	for _, f := range both() {
		t.Run(f.name, func(t *testing.T) {
			ctx := t.Context()
			o := f.make(t)
			db := open(t, o)
			id := merchant(t, db, "a")
			ok(t, db.PutAccount(ctx, id, chat.Account{Platform: chat.Twitch, ID: "1", Token: chat.Token{Access: secret(1), Refresh: secret(2)}}, OwnerAccount))
			ok(t, db.PutStore(ctx, id, Store{Kind: "shopify", Shop: "s", StoreSecret: StoreSecret{Token: secret(3), Refresh: secret(4), ClientSecret: secret(5), WebhookSecret: secret(6)}}))
			must[commerce.ID](t)(db.PutDestination(ctx, id, Destination{Show: 1, Name: "d", Key: secret(7)}))
			ok(t, db.PutSetting(ctx, "google_client_secret", secret(8)))
			ok(t, db.PutSetting(ctx, "google_client_secret", secret(9)))
			session, browser := seal.Token(secret(10)), seal.Token(secret(11))
			ok(t, db.PutSession(ctx, session, Member{Merchant: id, ID: 1}, time.Now().Add(time.Hour)))
			ok(t, db.BindBrowser(ctx, id, browser, chat.Viewer{Platform: chat.Room, ID: "r"}))
			ok(t, db.PutIngest(ctx, id, 1, secret(12)+"tail"))
			st := must[commerce.State](t)(db.Load(ctx, id))
			ok(t, db.Commit(ctx, &commerce.Batch{Merchant: id, Epoch: st.Epoch, Seq: st.Seq, Receipts: []commerce.Receipt{{ID: 5, Show: 1}}, Places: []commerce.Place{
				{ID: 6, Quantity: 1, State: commerce.PlaceWaiting, Answer: chat.Answer{Kind: chat.ToPrivate, Channel: chat.Channel{Platform: chat.Discord, ID: "4"}, Token: secret(13)}},
			}, NewPlaces: map[commerce.ID]bool{6: true}}))
			if got := must[string](t)(db.Setting(ctx, "google_client_secret")); got != secret(9) {
				t.Errorf("setting %q", got)
			}
			// A private answer comes back as its channel: the token has ended when a turn comes.
			if p := must[commerce.State](t)(db.Load(ctx, id)).Places[0]; p.Answer != (chat.Answer{Kind: chat.ToChannel, Channel: chat.Channel{Platform: chat.Discord, ID: "4"}}) {
				t.Errorf("answer %+v", p.Answer)
			}

			receipt := db.ReceiptToken(id, 5, 0).Reveal()
			if o.Dir != "" {
				files, err := filepath.Glob(filepath.Join(o.Dir, "*"))
				ok(t, err)
				for _, file := range files {
					text, err := os.ReadFile(file)
					ok(t, err)
					for _, s := range []string{mark, receipt} {
						if bytes.Contains(text, []byte(s)) {
							t.Errorf("%q stands in %s", s, filepath.Base(file))
						}
					}
				}
			}
			for _, table := range tables(t) {
				err := db.rows(ctx, func(r *sql.Rows) error {
					cols, err := r.Columns()
					if err != nil {
						return err
					}
					cells, to := make([]any, len(cols)), make([]any, len(cols))
					for i := range cells {
						to[i] = &cells[i]
					}
					if err := r.Scan(to...); err != nil {
						return err
					}
					row := fmt.Sprintf("%s %s", cells, cells)
					for _, s := range []string{mark, hex.EncodeToString([]byte(mark)), receipt} {
						if strings.Contains(row, s) {
							t.Errorf("%q stands in a row of %s", s, table)
						}
					}
					return nil
				}, "SELECT * FROM "+table)
				ok(t, err)
			}

			raw := bytes.Repeat([]byte{7}, 32)
			thief := *db
			thief.key = must[*seal.Key](t)(seal.NewKey(raw))
			_, accountErr := thief.Accounts(ctx, id)
			_, storeErr := thief.Store(ctx, id)
			_, settingErr := thief.Setting(ctx, "google_client_secret")
			_, destErr := thief.Destinations(ctx, id, 1)
			for name, err := range map[string]error{"accounts": accountErr, "store": storeErr, "setting": settingErr, "destinations": destErr} {
				if !errors.Is(err, seal.ErrOpen) {
					t.Errorf("%s with another key: %v, want ErrOpen", name, err)
				}
			}
			if _, _, err := db.ReceiptOf(ctx, thief.ReceiptToken(id, 5, 0)); !IsNotFound(err) {
				t.Errorf("another key's token opens a receipt: %v", err)
			}
		})
	}
}
