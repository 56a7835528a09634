package setup

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"hawker/commerce"
	"hawker/internal/chat"
	"hawker/internal/sqldb"
	"hawker/internal/sqldb/rulebook"
)

// Check says what applying a file would fault, and changes nothing. It reads the variables, and the store's catalogue where
// a product is not known. Its error is a Faults when the file is wrong.
func (s *Setup) Check(ctx context.Context, f *File) error {
	_, err := s.plan(ctx, f)
	return err
}

// Apply brings a merchant to what a file says and reports what it changed. The hub must be running: shows and stock are
// changed by it alone, and a merchant whose connections or rules changed is served anew. An error that is a Faults changed
// nothing; after any other error apply again.
func (s *Setup) Apply(ctx context.Context, f *File) (Report, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	select {
	case <-s.Hub.Started():
	case <-ctx.Done():
		return Report{}, fmt.Errorf("wait for the hub to start: %w", ctx.Err())
	}
	p, err := s.plan(ctx, f)
	if err != nil {
		return Report{}, err
	}
	a := &applying{plan: p}
	for _, step := range []func(context.Context) error{a.house, a.connections, a.serve, a.setStock, a.setShows, a.video} {
		if err := step(ctx); err != nil {
			return Report{}, err
		}
	}
	if !p.marks.equal(p.w.marks) {
		if err := p.marks.save(ctx, s.DB, p.merchant.ID); err != nil {
			return Report{}, fmt.Errorf("note what was applied: %w", err)
		}
	}
	return a.report(ctx)
}

// applying is a plan on its way into the database.
type applying struct {
	*plan
	anew    bool // the merchant must be served anew
	changes []string
}

func (a *applying) did(format string, args ...any) {
	a.changes = append(a.changes, fmt.Sprintf(format, args...))
}

// house writes merchant, members, rules, store and products.
func (a *applying) house(ctx context.Context) error {
	db, id := a.s.DB, a.merchant.ID
	if a.merchant != a.w.merchant {
		if _, err := db.PutMerchant(ctx, a.merchant); err != nil {
			return fmt.Errorf("write merchant %s: %w", a.merchant.Slug, err)
		}
		a.did("merchant %s %s", a.merchant.Slug, madeOr(a.made))
		a.anew = true
	}
	for _, m := range a.members {
		if _, err := db.PutMember(ctx, m.Member); err != nil {
			return fmt.Errorf("write member %s: %w", m.Email, err)
		}
		a.did("member %s %s", m.Email, madeOr(m.made))
	}
	if a.store != nil {
		if err := db.PutStore(ctx, id, *a.store); err != nil {
			return fmt.Errorf("write store: %w", err)
		}
		name := a.store.Shop
		if name == "" {
			name = "of the merchant's own"
		}
		a.did("store %s %s", name, madeOr(a.w.store.Kind == ""))
		a.anew = true
	}
	if len(a.changed) > 0 {
		if _, err := db.PutProducts(ctx, id, a.changed); err != nil {
			return fmt.Errorf("write products: %w", err)
		}
		for _, x := range a.changed {
			a.did("product %q %s", x.Title, madeOr(!slices.ContainsFunc(a.w.products, func(o commerce.Product) bool { return o.ID == x.ID })))
		}
	}
	if a.rules != nil {
		if _, err := db.Rulebook().Put(ctx, id, rulebook.Version{Author: "apply", Rules: a.rules}, a.w.ruled); err != nil {
			return fmt.Errorf("write rules: %w", err)
		}
		a.did("rules %s", madeOr(len(a.w.rules) == 0))
		a.anew = true
	}
	return nil
}

func madeOr(made bool) string {
	if made {
		return "made"
	}
	return "changed"
}

func (a *applying) connections(ctx context.Context) error {
	for _, x := range a.accounts {
		if err := a.s.DB.PutAccount(ctx, a.merchant.ID, x.Account, x.Purpose); err != nil {
			return fmt.Errorf("write account %s/%s: %w", x.Platform, x.ID, err)
		}
		a.did("account %s/%s (%s) written", x.Platform, x.ID, x.Purpose)
		a.anew = true
	}
	for _, c := range a.channels {
		if err := a.s.DB.PutChannel(ctx, a.merchant.ID, c); err != nil {
			return fmt.Errorf("write channel %s: %w", c.Channel, err)
		}
		a.did("channel %s %s", c.Channel, madeOr(!slices.ContainsFunc(a.w.channels, func(o sqldb.Channel) bool { return o.Channel == c.Channel })))
		a.anew = true
	}
	return nil
}

// serve starts the merchant, or starts it anew with what was written.
func (a *applying) serve(ctx context.Context) error {
	if !a.anew && a.s.Hub.Merchant(a.merchant.ID) != nil {
		return nil
	}
	if err := a.s.Hub.Serve(ctx, a.merchant.ID); err != nil {
		return fmt.Errorf("serve merchant %s: %w", a.merchant.Slug, err)
	}
	return nil
}

func (a *applying) setStock(ctx context.Context) error {
	for _, x := range a.stock {
		if _, err := a.s.Hub.Ask(ctx, a.merchant.ID, commerce.Key{}, commerce.SetStock{Variant: x.variant, Available: &x.n}); err != nil {
			return fmt.Errorf("set the stock of %s: %w", x.sku, err)
		}
		a.did("stock of %s set to %d", x.sku, x.n)
	}
	for _, x := range a.kept {
		if a.w.stock[x.variant].Safety == x.n {
			continue
		}
		if _, err := a.s.Hub.Ask(ctx, a.merchant.ID, commerce.Key{}, commerce.SetStock{Variant: x.variant, Safety: &x.n}); err != nil {
			return fmt.Errorf("keep back of %s: %w", x.sku, err)
		}
		a.did("%d of %s kept back", x.n, x.sku)
	}
	return nil
}

// setShows asks the hub for each show as it shall be, beside what the hub has at that moment; also for shows that the file
// does not name and whose products changed.
func (a *applying) setShows(ctx context.Context) error {
	now, err := a.s.Hub.Shows(ctx, a.merchant.ID)
	if err != nil {
		return fmt.Errorf("read shows: %w", err)
	}
	products := map[commerce.ID]commerce.Product{}
	for _, x := range a.products {
		products[x.ID] = x
	}
	for i := range a.f.shows {
		f := &a.f.shows[i]
		if a.over[f.name.v] {
			continue
		}
		var have commerce.Show
		if j := slices.IndexFunc(now, func(s commerce.Show) bool { return s.Name == f.name.v }); j >= 0 {
			have = now[j]
			now = slices.Delete(now, j, j+1)
		}
		if err := a.setShow(ctx, have, a.show(f, have), products); err != nil {
			return err
		}
	}
	for _, have := range now {
		if have.State == commerce.ShowEnded {
			continue
		}
		want := have
		want.Lineup.Items = slices.Clone(have.Lineup.Items)
		if err := a.setShow(ctx, have, want, products); err != nil {
			return err
		}
	}
	return nil
}

func (a *applying) setShow(ctx context.Context, have, want commerce.Show, products map[commerce.ID]commerce.Product) error {
	for i := range want.Lineup.Items {
		it := &want.Lineup.Items[i]
		if x, ok := products[it.Product.ID]; ok {
			it.Product = x
		}
	}
	if sameShow(&have, &want) {
		return nil
	}
	if _, err := a.s.Hub.Ask(ctx, a.merchant.ID, commerce.Key{}, commerce.SetShow{Show: want}); err != nil {
		return fmt.Errorf("set show %s: %w", want.Name, err)
	}
	// A show that cannot be beside another one is refused without an error; what is stored is the truth.
	stored, err := a.s.Hub.Shows(ctx, a.merchant.ID)
	if err != nil {
		return fmt.Errorf("read show %s: %w", want.Name, err)
	}
	if i := slices.IndexFunc(stored, func(s commerce.Show) bool { return s.ID == want.ID }); i < 0 || !sameShow(&stored[i], &want) {
		return fmt.Errorf("show %s: another show that is live has one of its channels, or has its name", want.Name)
	}
	switch {
	case have.ID != 0:
		a.did("show %s changed", want.Name)
	case want.State == commerce.ShowLive:
		a.did("show %s made, live", want.Name)
	default:
		a.did("show %s made", want.Name)
	}
	return nil
}

// show is have with what the file says.
func (a *applying) show(f *show, have commerce.Show) commerce.Show {
	s := have
	if s.ID == 0 {
		s = commerce.Show{ID: a.newID(), Name: f.name.v, Title: f.name.v, State: commerce.ShowPlanned, Holds: a.storeNow().Holds}
		if f.live.v {
			s.State = commerce.ShowLive
		}
	}
	s.Title, s.Hold = f.title.or(s.Title), f.hold.or(s.Hold)
	if s.Holds = commerce.StoreHolds(f.holds.or(string(s.Holds))); s.Holds == "" {
		s.Holds = commerce.HoldsDraft
	}
	s.Lineup.Styles = f.styles.or(s.Lineup.Styles)
	s.Cap, s.PayOnce = f.cap.or(s.Cap), f.payOnce.or(s.PayOnce)
	s.Guard = commerce.Guard{Share: f.share.or(s.Guard.Share), Unpaid: f.unpaid.or(s.Guard.Unpaid)}
	if len(f.channels) > 0 {
		s.Channels = nil
		for _, c := range f.channels {
			s.Channels = append(s.Channels, c.v)
		}
	}
	var want []commerce.Item
	for i := range f.lineup {
		it := &f.lineup[i]
		x := commerce.Item{Number: it.number.v, Closed: it.closed.v} // closed counts for a new item alone: the host opens and closes
		if old := have.Lineup.Item(x.Number); old != nil {
			x = *old
		}
		if id := a.items[it]; id != x.Product.ID {
			x.Product = commerce.Product{ID: id} // the rest comes with all products
		}
		x.Code, x.Cap, x.Hold, x.FirstPaid = it.code.or(x.Code), it.cap.or(x.Cap), it.hold.or(x.Hold), it.firstPaid.or(x.FirstPaid)
		if it.price.set() {
			x.Price = a.money(it.price)
		}
		want = append(want, x)
	}
	s.Lineup.Items = merge(have.Lineup.Items, want, func(x commerce.Item) int { return x.Number })
	return s
}

// sameShow reports whether two shows are set up alike; what happens in a show is left aside.
func sameShow(a, b *commerce.Show) bool {
	channels := func(s *commerce.Show) []chat.Channel {
		out := slices.Clone(s.Channels)
		slices.SortFunc(out, func(x, y chat.Channel) int { return compare(x.String(), y.String()) })
		return out
	}
	return a.ID == b.ID && a.Name == b.Name && a.Title == b.Title && a.Hold == b.Hold && a.Holds == b.Holds && a.Lineup.Styles == b.Lineup.Styles &&
		a.Cap == b.Cap && a.PayOnce == b.PayOnce && a.Guard == b.Guard &&
		slices.Equal(channels(a), channels(b)) && slices.EqualFunc(a.Lineup.Items, b.Lineup.Items, func(x, y commerce.Item) bool {
		return x.Number == y.Number && x.Code == y.Code && x.Cap == y.Cap && x.Hold == y.Hold && x.Price == y.Price && x.FirstPaid == y.FirstPaid &&
			sameProduct(&x.Product, &y.Product)
	})
}

func compare(a, b string) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// video writes stream keys and destinations.
func (a *applying) video(ctx context.Context) error {
	db, id := a.s.DB, a.merchant.ID
	for i := range a.f.shows {
		f := &a.f.shows[i]
		if a.over[f.name.v] {
			continue
		}
		_, show, err := db.ShowNamed(ctx, f.name.v)
		if err != nil {
			return fmt.Errorf("show %s: %w", f.name.v, err)
		}
		if f.ingest != nil && a.keys[f.ingest] != "" {
			if err := db.PutIngest(ctx, id, show, a.keys[f.ingest]); err != nil {
				return fmt.Errorf("show %s: %w", f.name.v, err)
			}
			a.did("stream key of show %s written", f.name.v)
		}
		have, err := db.Destinations(ctx, id, show)
		if err != nil {
			return fmt.Errorf("destinations of show %s: %w", f.name.v, err)
		}
		for j := range f.destinations {
			d := &f.destinations[j]
			old := sqldb.Destination{Show: show, Enabled: true}
			known := false
			if k := slices.IndexFunc(have, func(x sqldb.Destination) bool { return x.Name == d.name.v }); k >= 0 {
				old, known = have[k], true
			}
			if !known {
				old.ID = a.newID()
			}
			now := old
			now.Name, now.Server, now.Enabled = d.name.v, d.server.v, d.enabled.or(old.Enabled)
			if key := a.keys[&d.secrets]; key != "" {
				now.Key = key
			}
			if now.Account = d.channel.v; now.Account != old.Account {
				now.Preset, _, _ = strings.Cut(now.Account, "/")
			}
			if now.Account != "" {
				now.Key = ""
			}
			if now == old && known {
				continue
			}
			if _, err := db.PutDestination(ctx, id, now); err != nil {
				return fmt.Errorf("destination %s of show %s: %w", now.Name, f.name.v, err)
			}
			a.did("destination %s of show %s %s", now.Name, f.name.v, madeOr(!known))
		}
		if f.ingest != nil || len(f.destinations) > 0 {
			a.s.Hub.RelayChanged(id, show)
		}
	}
	return nil
}

// report tells what is there now.
func (a *applying) report(ctx context.Context) (Report, error) {
	r := Report{Merchant: a.merchant.Slug, Dashboard: a.s.Hub.Public + "/", Ingest: a.s.Ingest, Changes: a.changes, Notes: a.notes}
	shows, err := a.s.DB.Shows(ctx, a.merchant.ID)
	if err != nil {
		return r, fmt.Errorf("read shows: %w", err)
	}
	place := func(s commerce.Show) int {
		i := slices.IndexFunc(a.f.shows, func(f show) bool { return f.name.v == s.Name })
		if i < 0 {
			return len(a.f.shows)
		}
		return i
	}
	slices.SortStableFunc(shows, func(x, y commerce.Show) int { return place(x) - place(y) })
	for _, s := range shows {
		if s.State == commerce.ShowEnded {
			continue
		}
		t, err := a.s.DB.OverlayToken(ctx, a.merchant.ID, s.ID)
		if err != nil {
			return r, fmt.Errorf("overlay of show %s: %w", s.Name, err)
		}
		r.Shows = append(r.Shows, Show{
			Name: s.Name, Live: s.State == commerce.ShowLive, Room: a.s.Hub.Public + "/live/" + s.Name, Desk: a.s.Hub.Public + "/shows/" + s.ID.String(),
			Overlay: a.s.Hub.Public + "/overlay/" + t.Reveal(),
		})
	}
	return r, nil
}
