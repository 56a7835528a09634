package manners

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"testing"
	"time"

	"hawker/commerce"
	"hawker/internal/chat"
	"hawker/internal/seal"
	"hawker/internal/sqldb"
	"hawker/rules"
)

// open is a database of its own with a way to close it, and how to open a house over it as after a start of the program.
func open(t *testing.T) (closes func(), again func() *House) {
	t.Helper()
	dir := t.TempDir()
	key, err := seal.ReadKey(dir)
	if err != nil {
		t.Fatal(err)
	}
	db, err := sqldb.Open(t.Context(), sqldb.Options{Dir: dir, Key: key})
	if err != nil {
		t.Fatal(err)
	}
	closes = sync.OnceFunc(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(closes)
	id, err := db.PutMerchant(t.Context(), sqldb.Merchant{Slug: "ana", Name: "Ana", Currency: "EUR", Timezone: "UTC", Language: "en"})
	if err != nil {
		t.Fatal(err)
	}
	return closes, func() *House {
		h := &House{Merchant: id, Book: db.Manners(), Log: slog.New(slog.DiscardHandler), Own: []string{"HawkerBot"}}
		if err := h.Load(t.Context()); err != nil {
			t.Fatal(err)
		}
		return h
	}
}

// What is noted in a chat holds at once and is stored by the end of Run; what a page changes is stored when Do returns.
func TestStored(t *testing.T) {
	_, again := open(t)
	h := again()
	ctx, stop := context.WithCancel(t.Context())
	var run sync.WaitGroup
	run.Go(func() { h.Run(ctx) })
	eve := chat.Viewer{Platform: chat.Twitch, ID: "7", Name: "eve"}
	h.Note(Manner{Kind: Block, Name: OfViewer(eve), Value: eve.Name, By: "x"})
	h.Note(Manner{Kind: Mute, Name: "twitch/1", By: "x"})
	h.Note(Manner{Kind: Mute, Name: "nonsense", By: "x"})
	if !h.Blocked(eve) || len(h.List(Mute)) != 1 {
		t.Error("what was noted does not hold at once")
	}
	if err := h.Do(ctx, Manner{Kind: Mute, Name: "twitch/1", Off: true}, Manner{Kind: Hide, Name: OfViewer(eve), Value: "Eve.x"}); err != nil {
		t.Fatal(err)
	}
	h.Note(Manner{Kind: Veto})
	stop()
	run.Wait()
	h = again()
	if !h.Blocked(eve) || len(h.List(Mute)) != 0 || h.Wait() != VetoFor || h.Allows("Eve_x") || !h.Allows("eve") || h.Allows("hawkerbot2") {
		t.Errorf("after a start: %+v, %+v", h.List(Block), h.List(Hide))
	}
	if err := h.Forget(t.Context(), eve); err != nil || !h.Allows("Eve_x") || !h.Blocked(eve) || h.List(Block)[0].Value != "" {
		t.Errorf("forgotten: %v, %+v", err, h.List(Block))
	}
}

// A database that is away keeps nothing from holding; it is stored when the database is there again. A page is told.
func TestStoredLater(t *testing.T) {
	closes, again := open(t)
	h := again()
	h.Note(Manner{Kind: Mute, Name: "twitch/1"})
	closes()
	var fault *FaultError
	if err := h.Do(t.Context(), Manner{Kind: Mute, Name: "twitch/2"}); err == nil || errors.As(err, &fault) {
		t.Errorf("stored without a database: %v", err)
	}
	if _, ok := h.Muted(chat.Channel{Platform: chat.Twitch, ID: "1"}, 0); !ok {
		t.Error("what was noted is gone")
	}
	if _, ok := h.Muted(chat.Channel{Platform: chat.Twitch, ID: "2"}, 0); ok {
		t.Error("what was refused holds")
	}
	if err := h.store(t.Context()); err == nil || len(h.queue) != 1 {
		t.Errorf("%v, %d wait", err, len(h.queue))
	}
}

func TestMuted(t *testing.T) {
	_, again := open(t)
	h := again()
	c := chat.Channel{Platform: chat.Twitch, ID: "1"}
	show := commerce.NewID(time.Now())
	if _, ok := h.Muted(c, show); ok {
		t.Error("muted by nobody")
	}
	if err := h.Do(t.Context(), Manner{Kind: Mute, Name: OfShow(show), By: "ana"}); err != nil {
		t.Fatal(err)
	}
	for _, x := range []struct {
		show commerce.ID
		want bool
	}{{show, true}, {show + 1, false}, {0, false}} {
		if by, ok := h.Muted(c, x.show); ok != x.want || ok && by.By != "ana" {
			t.Errorf("show %s: %+v, %v", x.show, by, ok)
		}
	}
}

func TestReplace(t *testing.T) {
	for _, x := range []struct{ text, name, want string }{
		{"ana bought a banana, ana!", "ana", "X bought a banana, X!"},
		{"ana", "ana", "X"},
		{"anas", "ana", "anas"},
		{"@ana_2 ana", "ana", "@ana_2 X"},
		{"größe größer", "größe", "X größer"},
		{"日本が買った", "日本", "日本が買った"},
		{"日本 bought", "日本", "X bought"},
		{"", "ana", ""},
		{"anaana ana", "ana", "anaana X"},
	} {
		if got := Replace(x.text, x.name, "X"); got != x.want {
			t.Errorf("Replace(%q, %q) = %q, want %q", x.text, x.name, got, x.want)
		}
	}
}

// Every command of ours that is proposed another name may have it.
func TestSuggest(t *testing.T) {
	_, again := open(t)
	for _, word := range []string{"buy", "sold", "mine", "wait", "pass", "cancel", "less", "more", "cart", "link", "me", "hold", "shop", "items", "item", "price", "why", "order", "connect", "forget", "help", "next", "pause"} {
		name, ok := Suggest(word)
		if !ok || name == "" {
			t.Errorf("%s: no name", word)
			continue
		}
		h := again()
		if err := h.Check(&Manner{Kind: Call, Name: word, Value: name}); err != nil {
			t.Errorf("%s as %s: %v", word, name, err)
		}
	}
	if _, ok := Suggest("discord"); ok {
		t.Error("a name for what is no command of ours")
	}
	h := again()
	if err := h.Do(t.Context(), Manner{Kind: Call, Name: "!shop", Value: "STORE"}); err != nil {
		t.Fatal(err)
	}
	if got := h.Told("!shop what is on sale, !shopping no, !shop."); got != "!store what is on sale, !shopping no, !store." {
		t.Errorf("told %q", got)
	}
	if n := h.Names()[rules.Shop]; len(n) != 2 || n[0] != "store" {
		t.Errorf("names %q", n)
	}
}
