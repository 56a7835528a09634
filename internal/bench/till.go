// Package bench measures hawker on the machine it runs on, against what one would build by hand.
package bench

import (
	"context"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"text/tabwriter"
	"time"

	"golang.org/x/sync/errgroup"

	"hawker/commerce"
	"hawker/internal/bus"
	"hawker/internal/chat"
	"hawker/internal/live"
	"hawker/internal/seal"
	"hawker/internal/sqldb"
	"hawker/internal/sqldb/naive"
)

// TillOptions say how the till is measured.
type TillOptions struct {
	// DatabaseURL is a PostgreSQL (postgres://...); empty means SQLite in a fresh folder.
	DatabaseURL string
	// Dir is where the folder is made; empty means the system's place for temporary files.
	Dir string
	// Each is how long a case runs in each round, defaultEach when zero; Rounds how often all run, 3 when zero.
	Each   time.Duration
	Rounds int
	// Long runs every combination; without it those that the ratios need.
	Long bool
	// JSON prints one object a case instead of a table.
	JSON bool
}

// TillCase is one line of the result.
type TillCase struct {
	DB        string  `json:"db"`
	Items     int     `json:"items"`
	Viewers   int     `json:"viewers"` // that claim at once, all merchants together
	Merchants int     `json:"merchants"`
	Answer    string  `json:"answer"` // held or sold_out
	PerS      float64 `json:"per_s"`
	P50       float64 `json:"p50_ms"`
	P99       float64 `json:"p99_ms"`
	NaivePerS float64 `json:"naive_per_s"`
	NaiveP99  float64 `json:"naive_p99_ms"`
	Ratio     float64 `json:"ratio"`
	// Oversold counts pieces held over what there was, Lost answers of "held" without a hold in the database, Doubled messages
	// with two holds.
	Oversold int64 `json:"oversold"`
	Lost     int64 `json:"lost"`
	Doubled  int64 `json:"doubled"`
}

// defaultEach makes a run end within 45 s.
const defaultEach = 300 * time.Millisecond

// answerWithin is how long a viewer waits before the run is given up.
const answerWithin = 2 * time.Minute

// slugPrefix begins the names of merchants that a run makes.
const slugPrefix = "bench-"

// plenty is a stock that no run sells out.
const plenty = 1_000_000_000

// Till measures the way of a claim from live.Merchant.Deliver to its durable decision, rules and outbox included, and the
// naive till on the same database in the same run, and writes the result to out. Both run in turns, Rounds times, and each
// figure is the median.
func Till(ctx context.Context, o TillOptions, out io.Writer) error {
	if o.Each == 0 {
		o.Each = defaultEach
	}
	if o.Rounds == 0 {
		o.Rounds = 3
	}
	dir, err := os.MkdirTemp(o.Dir, "hawker-bench-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	house, err := openTill(ctx, o, dir)
	if err != nil {
		return err
	}
	defer house.close()
	cases := tillCases(o)
	runs := make([]*run, len(cases))
	known := map[[2]int]*rounds{} // the naive till's figures, by items and merchants
	for i := range cases {
		if runs[i], err = house.open(ctx, &cases[i]); err != nil {
			return fmt.Errorf("%d items: %w", cases[i].Items, err)
		}
		known[[2]int{cases[i].Items, cases[i].Merchants}] = &rounds{}
	}
	for range o.Rounds {
		did := map[*rounds]bool{}
		for i, r := range runs {
			n := known[[2]int{cases[i].Items, cases[i].Merchants}]
			if !did[n] {
				did[n] = true
				if err := naiveRound(ctx, o, dir, &cases[i], n); err != nil {
					return fmt.Errorf("naive till, %d items: %w", cases[i].Items, err)
				}
			}
			if err := house.round(ctx, r, o.Each); err != nil {
				return fmt.Errorf("%d items, %d viewers: %w", cases[i].Items, cases[i].Viewers, err)
			}
			if err := house.db.Settle(ctx); err != nil { // what is left to do of one round is not done at another's cost
				return err
			}
		}
	}
	for i, r := range runs {
		if err := house.check(ctx, r); err != nil {
			return err
		}
		n := known[[2]int{cases[i].Items, cases[i].Merchants}]
		c := &cases[i]
		c.PerS, c.P50, c.P99 = r.figures.median()
		c.NaivePerS, _, c.NaiveP99 = n.median()
		c.Ratio = c.PerS / c.NaivePerS
	}
	if o.JSON {
		e := json.NewEncoder(out)
		for _, c := range cases {
			if err := e.Encode(c); err != nil {
				return err
			}
		}
		return nil
	}
	return table(out, cases)
}

// tillCases are the cases of a run.
func tillCases(o TillOptions) []TillCase {
	held, sold := string(commerce.Held), string(commerce.SoldOut)
	cases := []TillCase{
		{Items: 1, Viewers: 64, Merchants: 1, Answer: held},
		{Items: 1, Viewers: 1024, Merchants: 1, Answer: held},
		{Items: 1000, Viewers: 64, Merchants: 1, Answer: held},
		{Items: 1000, Viewers: 1024, Merchants: 1, Answer: held},
		{Items: 1, Viewers: 1024, Merchants: 64, Answer: held},
		{Items: 1, Viewers: 64, Merchants: 1, Answer: sold},
	}
	if o.Long {
		cases = append(cases, TillCase{Items: 1, Viewers: 1, Merchants: 1, Answer: held}, TillCase{Items: 1, Viewers: 16, Merchants: 1, Answer: held},
			TillCase{Items: 1000, Viewers: 1024, Merchants: 64, Answer: held}, TillCase{Items: 1, Viewers: 1024, Merchants: 1, Answer: sold})
	}
	for i := range cases {
		if cases[i].DB = "sqlite"; o.DatabaseURL != "" {
			cases[i].DB = "postgres"
		}
	}
	return cases
}

func table(out io.Writer, cases []TillCase) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "database\titems\tviewers\tmerchants\tanswer\tdecisions/s\tp50 ms\tp99 ms\tnaive/s\tnaive p99 ms\tratio\toversold\tlost\tdoubled\t")
	for _, c := range cases {
		fmt.Fprintf(w, "%s\t%d\t%d\t%d\t%s\t%.0f\t%.2f\t%.2f\t%.0f\t%.1f\t%.1fx\t%d\t%d\t%d\t\n", c.DB, c.Items, c.Viewers, c.Merchants, c.Answer, c.PerS, c.P50, c.P99, c.NaivePerS,
			c.NaiveP99, c.Ratio, c.Oversold, c.Lost, c.Doubled)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	one, many, thousand, sold := &cases[0], &cases[1], &cases[3], &cases[5]
	_, err := fmt.Fprintf(out, `
one hot item, 64 viewers / naive         %6.1fx
one hot item, 1,024 viewers / naive      %6.1fx
p99 at 64 viewers / naive p99            %6.3f
1,000 items / 1 item, 1,024 viewers      %6.2fx
sold-out answers / held answers          %6.1fx
`, one.Ratio, many.Ratio, one.P99/one.NaiveP99, thousand.PerS/many.PerS, sold.PerS/one.PerS)
	return err
}

// house is a hub whose chats accept every answer at once: what is measured is hawker and its database, not a platform.
type house struct {
	db      *sqldb.DB
	bus     *bus.Bus
	hub     *live.Hub
	stop    context.CancelFunc
	ended   chan error
	next    int // number of the next merchant
	started int64
	waiter  atomic.Pointer[waiting]
}

// waiting are the viewers of a running case, by the number that begins their message ids.
type waiting struct {
	slots []chan commerce.Reason
}

func openTill(ctx context.Context, o TillOptions, dir string) (*house, error) {
	key, err := seal.ReadKey(dir)
	if err != nil {
		return nil, err
	}
	h := &house{ended: make(chan error, 1), started: time.Now().UnixMilli()}
	if h.db, err = sqldb.Open(ctx, sqldb.Options{URL: o.DatabaseURL, Dir: dir, Key: key}); err != nil {
		return nil, err
	}
	if err := onlyOurs(ctx, h.db); err != nil {
		return nil, errors.Join(err, h.db.Close())
	}
	if h.bus, err = bus.Open(ctx, bus.Options{Dir: filepath.Join(dir, "nats")}); err != nil {
		return nil, errors.Join(err, h.db.Close())
	}
	h.hub = &live.Hub{
		DB: h.db, Bus: h.bus, Key: key, Public: "https://shop.example",
		Connect: func(_ context.Context, m sqldb.Merchant) (live.Connections, error) {
			c := chat.Channel{Platform: chat.Twitch, ID: m.Slug}
			return live.Connections{Accounts: []live.Account{{Name: "bench", Chat: &agreeable{}, Channels: []chat.Channel{c}}}}, nil
		},
		Decided: func(k commerce.Key, r commerce.Reason) {
			w := h.waiter.Load()
			if n, err := strconv.ParseUint(k.Message[:min(8, len(k.Message))], 16, 32); err == nil && w != nil && int(n) < len(w.slots) {
				w.slots[n] <- r
			}
		},
	}
	ctx, h.stop = context.WithCancel(ctx)
	go func() { h.ended <- h.hub.Run(ctx) }()
	<-h.hub.Started()
	return h, nil
}

// onlyOurs refuses a database in which somebody sells: the hub of a run takes every merchant over.
func onlyOurs(ctx context.Context, db *sqldb.DB) error {
	all, err := db.Merchants(ctx)
	if err != nil {
		return err
	}
	for _, m := range all {
		if !strings.HasPrefix(m.Slug, slugPrefix) {
			return fmt.Errorf("the database has a shop in it (%s); give one that is empty", m.Slug)
		}
	}
	return nil
}

func (h *house) close() {
	h.stop()
	<-h.ended
	_ = errors.Join(h.bus.Close(), h.db.Close())
}

// agreeable is a chat that hears nothing and accepts everything at once.
type agreeable struct{}

// Listen waits for the end.
func (*agreeable) Listen(ctx context.Context, _ func(chat.Event)) error { <-ctx.Done(); return nil }

// Say accepts.
func (*agreeable) Say(context.Context, chat.Line) (chat.Sent, error) {
	return chat.Sent{ID: "x", At: time.Now()}, nil
}

// Budget has no bounds.
func (*agreeable) Budget(chat.Channel) chat.Budget {
	return chat.Budget{Lines: 1 << 30, Per: time.Second, Pool: "bench", MaxRunes: 500, Replies: true}
}

// States says nothing.
func (*agreeable) States() []chat.State { return nil }

// stand is a merchant with the chat of its show.
type stand struct {
	*live.Merchant
	channel chat.Channel
}

// run is a case with its merchants and what it measured so far.
type run struct {
	*TillCase
	stands  []stand
	figures rounds
	acked   int64 // answers of "held"
}

// open makes the merchants of a case, each with a live show of its items.
func (h *house) open(ctx context.Context, c *TillCase) (*run, error) {
	var all []stand
	for range c.Merchants {
		h.next++
		slug := fmt.Sprintf(slugPrefix+"%d-%d", h.started, h.next) // the database may have those of an earlier run
		id, err := h.db.PutMerchant(ctx, sqldb.Merchant{Slug: slug, Name: slug, Currency: "EUR", Timezone: "UTC", Language: "en"})
		if err != nil {
			return nil, err
		}
		channel := chat.Channel{Platform: chat.Twitch, ID: slug}
		if err := h.db.PutChannel(ctx, id, sqldb.Channel{Channel: channel, Name: slug}); err != nil {
			return nil, err
		}
		products := make([]commerce.Product, c.Items)
		for i := range products {
			products[i] = commerce.Product{Title: fmt.Sprintf("Thing %d", i+1), Variants: []commerce.Variant{{SKU: fmt.Sprintf("T%d", i+1), Price: commerce.Money{Minor: 1900, Currency: "EUR"}}}}
		}
		if products, err = h.db.PutProducts(ctx, id, products); err != nil {
			return nil, err
		}
		show := commerce.Show{ID: commerce.NewID(time.Now()), Name: slug, Title: slug, State: commerce.ShowLive, Holds: commerce.HoldsDraft, Channels: []chat.Channel{channel}}
		for i, p := range products {
			show.Lineup.Items = append(show.Lineup.Items, commerce.Item{Number: i + 1, Product: p})
		}
		if err := h.hub.Serve(ctx, id); err != nil {
			return nil, err
		}
		var left int64
		if c.Answer == string(commerce.Held) {
			left = plenty
		}
		if err := h.ask(ctx, id, commerce.SetShow{Show: show}); err != nil {
			return nil, err
		}
		var g errgroup.Group // at once, so that few batches carry them
		for _, p := range products {
			g.Go(func() error { return h.ask(ctx, id, commerce.SetStock{Variant: p.Variants[0].ID, Available: &left}) })
		}
		if err := g.Wait(); err != nil {
			return nil, err
		}
		all = append(all, stand{h.hub.Merchant(id), channel})
	}
	return &run{TillCase: c, stands: all}, nil
}

// ask has a request done, also while the merchant is still being taken over.
func (h *house) ask(ctx context.Context, id commerce.ID, r commerce.Request) error {
	for {
		_, err := h.hub.Ask(ctx, id, commerce.Key{}, r)
		if !errors.Is(err, live.ErrNotHere) {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// round has the viewers of a case claim for a while, each as soon as the last claim was decided.
func (h *house) round(ctx context.Context, c *run, each time.Duration) error {
	all := c.stands
	w := &waiting{slots: make([]chan commerce.Reason, c.Viewers)}
	for i := range w.slots {
		w.slots[i] = make(chan commerce.Reason, 1)
	}
	h.waiter.Store(w)
	figures := newFigures(c.Viewers)
	acked := make([]int64, c.Viewers)
	start := time.Now()
	warm, end := start.Add(each/4), start.Add(each/4+each)
	var g errgroup.Group
	for i := range c.Viewers {
		g.Go(func() error {
			m := all[i%len(all)]
			channel := m.channel
			late := time.NewTimer(answerWithin)
			defer late.Stop()
			for n := 0; ; n++ {
				now := time.Now()
				if now.After(end) || ctx.Err() != nil {
					return ctx.Err()
				}
				id := messageID(i)
				item := 1 + (i*7919+n)%c.Items
				m.Deliver(chat.Event{Kind: chat.Said, Channel: channel, Message: chat.Message{
					ID: id, Channel: channel, Viewer: chat.Viewer{Platform: chat.Twitch, ID: id[9:], Name: "v" + id[24:]}, Text: "!buy " + strconv.Itoa(item), Sent: now, Received: now,
					Answer: chat.Answer{Kind: chat.ToReply, Channel: channel, Message: id},
				}})
				var r commerce.Reason
				select {
				case r = <-w.slots[i]:
				case <-late.C:
					return errors.New("a claim was not answered within a minute")
				}
				if n%1024 == 0 {
					late.Reset(answerWithin)
				}
				if string(r) != c.Answer {
					return fmt.Errorf("a claim was answered by %q where %q was right", r, c.Answer)
				}
				if r == commerce.Held {
					acked[i]++
				}
				if now.After(warm) {
					figures.add(i, time.Since(now))
				}
			}
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	for _, n := range acked {
		c.acked += n
	}
	c.figures.add(figures, each)
	return nil
}

// messageID is as random as Twitch's (a UUID), and begins with the viewer's number.
func messageID(viewer int) string {
	var raw [16]byte
	binary.BigEndian.PutUint32(raw[:], uint32(viewer))
	binary.BigEndian.PutUint32(raw[4:], rand.Uint32())
	binary.BigEndian.PutUint64(raw[8:], rand.Uint64())
	var out [33]byte
	hex.Encode(out[:8], raw[:4])
	out[8] = '-'
	hex.Encode(out[9:], raw[4:])
	return string(out[:])
}

// check counts what the database has against what was answered.
func (h *house) check(ctx context.Context, c *run) error {
	var held, holds int64
	for _, m := range c.stands {
		st, err := h.db.Load(ctx, m.ID) // takes the merchant over: nothing more is decided of it
		if err != nil {
			return err
		}
		seen := map[commerce.Key]bool{}
		for _, s := range st.Stock {
			held += s.Held
			c.Oversold += max(0, s.Held+s.Sold-s.Available)
		}
		for i := range st.Holds {
			holds++
			if seen[st.Holds[i].Claim] {
				c.Doubled++
			}
			seen[st.Holds[i].Claim] = true
		}
	}
	c.Lost = max(0, c.acked-holds)
	if held != holds {
		return fmt.Errorf("stock says %d held, there are %d holds", held, holds)
	}
	return nil
}

// naiveRound measures the naive till with the items of a case, from as many callers as it has connections.
func naiveRound(ctx context.Context, o TillOptions, dir string, c *TillCase, sum *rounds) (err error) {
	s, err := naive.Open(ctx, o.DatabaseURL, dir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close(context.WithoutCancel(ctx))) }()
	for shop := range c.Merchants {
		if err := s.Stock(ctx, int64(shop), int64(c.Items), plenty); err != nil {
			return err
		}
	}
	figures := newFigures(naive.Connections)
	start := time.Now()
	warm, end := start.Add(o.Each/4), start.Add(o.Each/4+o.Each)
	var ids atomic.Int64
	var wg sync.WaitGroup
	errs := make([]error, naive.Connections)
	for i := range naive.Connections {
		wg.Go(func() {
			for n := 0; errs[i] == nil; n++ {
				now := time.Now()
				if now.After(end) {
					return
				}
				id := messageID(i)
				var ok bool
				ok, errs[i] = s.Claim(ctx, int64(i%c.Merchants), int64((i*7919+n)%c.Items), ids.Add(1), id, id[9:], now.Add(10*time.Minute).UnixMilli())
				if errs[i] == nil && !ok {
					errs[i] = errors.New("the naive till says sold out")
				}
				if now.After(warm) {
					figures.add(i, time.Since(now))
				}
			}
		})
	}
	wg.Wait()
	sum.add(figures, o.Each)
	return errors.Join(errs...)
}
