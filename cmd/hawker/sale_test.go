package main

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"hawker/commerce"
	"hawker/connectors/shopify/shopifysim"
	"hawker/connectors/twitch/twitchsim"
	"hawker/internal/chat"
	"hawker/internal/pgtest"
	"hawker/internal/sqldb"
)

func listenLocal(t *testing.T) net.Listener {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return ln
}

// eventually waits for a state.
func eventually(t *testing.T, what string, f func() bool) {
	t.Helper()
	for end := time.Now().Add(30 * time.Second); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		if f() {
			return
		}
	}
	t.Fatalf("never came: %s", what)
}

// quiet is a log that shows up when the test fails.
type quiet struct{ t *testing.T }

func (q quiet) Write(b []byte) (int, error) {
	q.t.Log(strings.TrimSpace(string(b)))
	return len(b), nil
}

// stage is a house with a pretend Twitch and a pretend shop, in which a show is live.
type stage struct {
	*house
	twitch   *twitchsim.Sim
	shop     *shopifysim.Sim
	merchant commerce.ID
	show     commerce.ID
	stop     func()
}

const (
	channelID = "1001"
	botID     = "2002"
)

func newStage(t *testing.T, databaseURL string) *stage {
	t.Helper()
	s := &stage{twitch: twitchsim.New(twitchsim.Options{ClientID: "cid", ClientSecret: "csec"}), shop: shopifysim.New(shopifysim.Options{})}
	irc, api, shop, web := listenLocal(t), listenLocal(t), listenLocal(t), listenLocal(t)
	s.twitch.AddUser(twitchsim.User{ID: channelID, Name: "ana"})
	s.twitch.AddUser(twitchsim.User{ID: botID, Name: "hawkerbot"})
	s.twitch.Start(irc, api)
	t.Cleanup(s.twitch.Close)
	s.shop.Start(shop)
	t.Cleanup(s.shop.Close)
	set := settings{Data: t.TempDir(), DatabaseURL: databaseURL, AllowPrivateTargets: true, RTMPListen: "127.0.0.1:0"}
	set.Twitch = twitchSettings{
		ClientID: "cid", ClientSecret: "csec", APIURL: "http://" + api.Addr().String() + "/helix", AuthURL: "http://" + api.Addr().String() + "/oauth2",
		IRCURL:      "irc://" + irc.Addr().String(),
		EventSubURL: "ws://" + api.Addr().String() + "/ws",
	}
	set.Shopify = shopifySettings{ClientID: "sim-client", ClientSecret: "sim-secret", URL: s.shop.URL()}
	ctx, cancel := context.WithCancel(context.Background())
	h, err := openHouse(ctx, set, slog.New(slog.NewTextHandler(quiet{t}, nil)), "http://"+web.Addr().String())
	if err != nil {
		cancel()
		t.Fatal(err)
	}
	s.house = h
	s.setUp(t, ctx)
	h.video.tie()
	if _, err := h.video.start(ctx); err != nil {
		t.Fatal(err)
	}
	p, err := h.pages(extras{})
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- h.run(ctx, web, p) }()
	s.stop = func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("run: %v", err)
		}
		if err := h.close(); err != nil {
			t.Errorf("close: %v", err)
		}
	}
	<-h.hub.Started()
	return s
}

// setUp writes a merchant with a live show into the empty database.
func (s *stage) setUp(t *testing.T, ctx context.Context) {
	t.Helper()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	var err error
	s.merchant, err = s.db.PutMerchant(ctx, sqldb.Merchant{Slug: "ana", Name: "Ana's Ceramics", Currency: "EUR", Timezone: "Europe/Berlin", Language: "en"})
	must(err)
	tok := s.twitch.Grant(botID, "user:bot", "chat:read", "chat:edit", "user:read:chat", "user:write:chat")
	s.twitch.Grant(channelID, "channel:bot")
	must(s.db.PutAccount(ctx, s.merchant, chat.Account{
		Platform: chat.Twitch, ID: botID, Name: "hawkerbot", Token: chat.Token{Access: tok.Access, Refresh: tok.Refresh, Expires: tok.Expires, Scopes: tok.Scopes},
	}, sqldb.BotAccount))
	must(s.db.PutChannel(ctx, s.merchant, sqldb.Channel{Channel: chat.Channel{Platform: chat.Twitch, ID: channelID}, Name: "ana", Bot: botID}))
	must(s.db.PutStore(ctx, s.merchant, sqldb.Store{Kind: "shopify", Shop: "demo.myshopify.com", Holds: commerce.HoldsDraft, StoreSecret: sqldb.StoreSecret{Token: "shpat_sim"}}))
	products, err := s.catalogue(ctx, s.merchant)
	must(err)
	st, err := s.db.Load(ctx, s.merchant)
	must(err)
	d := commerce.NewDesk(s.merchant, st)
	show := commerce.Show{
		ID: commerce.NewID(time.Now()), Name: "spring", Title: "Spring kiln", State: commerce.ShowLive, Holds: commerce.HoldsDraft,
		Channels: []chat.Channel{{Platform: chat.Twitch, ID: channelID}},
	}
	for i, p := range products {
		show.Lineup.Items = append(show.Lineup.Items, commerce.Item{Number: i + 1, Product: p})
	}
	s.show = show.ID
	b, _ := d.Plan(time.Now(), []commerce.Request{commerce.SetShow{Show: show}})
	must(s.db.Commit(ctx, b))
}

// TestSale is a whole sale: a line in the chat, a hold, a reply with a receipt, a checkout, a payment, a shout-out.
func TestSale(t *testing.T) {
	for _, db := range []string{"sqlite", "postgres"} {
		t.Run(db, func(t *testing.T) {
			u := ""
			if db == "postgres" {
				u = pgtest.New(t)
			}
			s := newStage(t, u)
			defer s.stop()
			ctx := context.Background()
			number, sku := 0, ""
			eventually(t, "the stock is read", func() bool {
				p, err := s.hub.Page(ctx, s.merchant, s.show)
				if err != nil {
					t.Fatal(err)
				}
				for _, it := range p.Items {
					if len(it.Stock) == 1 && it.Free > 1 {
						number, sku = it.Number, it.Stock[0].Variant.SKU
					}
				}
				return number != 0 && len(p.Channels) == 1 && p.Channels[0].Hears
			})
			before, _ := s.shop.Stock(sku)
			id := s.twitch.Type(channelID, twitchsim.User{ID: "50001", Name: "bob"}, fmt.Sprintf("!buy %d", number))
			var reply twitchsim.Line
			eventually(t, "the reply", func() bool {
				for _, l := range s.twitch.Spoken(channelID) {
					if l.ReplyTo == id {
						reply = l
					}
				}
				return reply.ID != ""
			})
			t.Log(reply.Text)
			if !strings.Contains(reply.Text, fmt.Sprintf("#%d", number)) || !strings.Contains(reply.Text, s.public+"/c/") {
				t.Errorf("the reply says %q; want the item and a receipt", reply.Text)
			}
			p, err := s.hub.Page(ctx, s.merchant, s.show)
			if err != nil || len(p.Open) != 1 {
				t.Fatalf("open holds %d, %v; want 1", len(p.Open), err)
			}
			link, err := s.hub.Checkout(ctx, s.merchant, p.Open[0].Receipt)
			if err != nil {
				t.Fatal(err)
			}
			again, err := s.hub.Checkout(ctx, s.merchant, p.Open[0].Receipt)
			if err != nil || again != link {
				t.Errorf("the second checkout is %q, %v; want the same", again, err)
			}
			if resp, err := http.Get(link); err != nil || resp.StatusCode != http.StatusOK {
				t.Errorf("the checkout page: %v, %v", resp, err)
			} else {
				resp.Body.Close()
			}
			if _, err := s.shop.PayDraft(s.shop.Drafts()[0].ID); err != nil {
				t.Fatal(err)
			}
			eventually(t, "the shout-out", func() bool {
				for _, l := range s.twitch.Spoken(channelID) {
					if strings.Contains(l.Text, "bob just bought") {
						t.Log(l.Text)
						return true
					}
				}
				return false
			})
			p, err = s.hub.Page(ctx, s.merchant, s.show)
			if err != nil || p.PaidOrders != 1 || len(p.Open) != 0 || p.Paid.Minor == 0 {
				t.Errorf("after the payment: %d orders, %v paid, %d open, %v", p.PaidOrders, p.Paid, len(p.Open), err)
			}
			if now, _ := s.shop.Stock(sku); now.Available != before.Available-1 {
				t.Errorf("the shop has %d of %s, had %d", now.Available, sku, before.Available)
			}
			// The host adds pieces: the store has them, and so has the show.
			free := func() int64 {
				p, err := s.hub.Page(ctx, s.merchant, s.show)
				if err != nil {
					t.Fatal(err)
				}
				for _, it := range p.Items {
					if it.Number == number {
						return it.Free
					}
				}
				return -1
			}
			was := free()
			variant := p.Items[slices.IndexFunc(p.Items, func(it commerce.ItemView) bool { return it.Number == number })].Stock[0].Variant.ID
			if err := s.hub.AdjustStock(ctx, s.merchant, variant, 4, "the host's key"); err != nil {
				t.Fatal(err)
			}
			if now, _ := s.shop.Stock(sku); now.Available != before.Available+3 {
				t.Errorf("the shop has %d of %s after 4 more, had %d before the sale", now.Available, sku, before.Available)
			}
			eventually(t, "the show has 4 more", func() bool { return free() == was+4 })
			entries, err := s.db.Entries(ctx, s.merchant, 0, 1000)
			if err != nil || len(entries) < 5 {
				t.Fatalf("%d ledger rows, %v", len(entries), err)
			}
			for i, e := range entries {
				if i > 0 && e.Prev != entries[i-1].Hash || e.Chain() != e.Hash {
					t.Errorf("ledger row %d breaks the chain", e.Seq)
				}
			}
			t.Logf("timing: %+v", p.Timing)
		})
	}
}

// pause is a moment between two looks at something.
func pause() { time.Sleep(20 * time.Millisecond) }
