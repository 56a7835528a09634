package bench

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"text/tabwriter"
	"time"

	irc "github.com/gempir/go-twitch-irc/v4"

	"hawker/commerce"
	"hawker/connectors/twitch"
	"hawker/internal/bench/talk"
	"hawker/internal/bus"
	"hawker/internal/chat"
	"hawker/internal/live"
	"hawker/internal/seal"
	"hawker/internal/sqldb"
)

// ChatOptions say how hearing is measured.
type ChatOptions struct {
	// Child makes the process that is the pretend Twitch; it must run ChatChild.
	Child func(ctx context.Context) *exec.Cmd
	// Road is where lines come from; empty means the hub's own choice.
	Road twitch.Road
	// Long has the first case run for ten minutes.
	Long bool
	// JSON prints one object a case instead of a table.
	JSON bool
	// Each is how long a case runs; zero means what the case is for.
	Each time.Duration
	// Small makes the cases a hundredth of their size, for tests.
	Small bool
	// Done is called with each case as it ends; it may be nil.
	Done func(ChatCase) error
}

// ChatCase is one line of the result.
type ChatCase struct {
	Road     twitch.Road `json:"road"`
	Channels int         `json:"channels"`
	PerS     int         `json:"msgs_per_s"`
	Seconds  float64     `json:"seconds"`
	// Typed is how many lines the pretend Twitch showed, Lost how many of them were not heard, Doubled how many more than once.
	Typed   int64 `json:"typed"`
	Lost    int64 `json:"lost"`
	Doubled int64 `json:"doubled"`
	// Decided is about how many lines it was decided; Sampled are those among them, mere talk, that the chat view leaves out, and
	// Limited claims that were turned away because too many waited.
	Decided int64 `json:"decided"`
	Sampled int64 `json:"sampled"`
	Limited int64 `json:"limited"`
	// Delay is the longest time from Twitch to us, Behind how long after the last line everything was decided.
	Delay  float64 `json:"delay_max_ms"`
	Behind float64 `json:"behind_ms"`
	// OverLimit counts what we sent that exceeded Twitch's rates.
	OverLimit int `json:"over_limit"`
	// Cores is the processor time per second of all three together; the shares are of that. The library's is its parser's, which
	// is what of it is used.
	Cores     float64 `json:"cpu_cores"`
	Ours      float64 `json:"cpu_ours"`
	Library   float64 `json:"cpu_library"`
	Simulator float64 `json:"cpu_simulator"`
	// OursMicros is our processor time for a line, the database's work included, in microseconds; LibraryMicros the library's, and
	// LibraryAlone what the library takes where it is given the tags as well, as most bots do.
	OursMicros    float64 `json:"ours_us_per_line"`
	LibraryMicros float64 `json:"library_us_per_line"`
	LibraryAlone  float64 `json:"library_alone_us_per_line"`
}

func chatCases(o ChatOptions) []ChatCase {
	cases := []ChatCase{{Channels: 1, PerS: 1000, Seconds: 10}, {Channels: 1, PerS: 10_000, Seconds: 10}, {Channels: 1000, PerS: 5000, Seconds: 8}}
	if o.Long {
		cases[0].Seconds, cases[2].Seconds = 600, 60
	}
	for i := range cases {
		c := &cases[i]
		if c.Road = o.Road; c.Road == "" {
			c.Road = twitch.Both
		}
		if o.Each > 0 {
			c.Seconds = o.Each.Seconds()
		}
		if o.Small {
			c.PerS, c.Channels = c.PerS/10, (c.Channels+99)/100
		}
	}
	return cases
}

// Chat measures how many lines are heard and decided when they come from a pretend Twitch in a process of its own, through the
// connector, the rules and the till of a whole hub with SQLite, and writes the result to out.
func Chat(ctx context.Context, o ChatOptions, out io.Writer) error {
	if e := json.NewEncoder(out); o.JSON {
		o.Done = func(c ChatCase) error { return e.Encode(c) } // as they end: with Long that is after minutes
	}
	cases, err := RunChat(ctx, o)
	if err != nil || o.JSON {
		return err
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "road\tchannels\tlines/s\tseconds\ttyped\tlost\tdoubled\tdecided\tview left out\tclaims limited\tdelay max ms\tbehind ms\tover limits\tcores\tours\tlibrary\tsimulator\tours us/line\tlibrary us/line\tlibrary alone\t")
	for _, c := range cases {
		fmt.Fprintf(w, "%s\t%d\t%d\t%.0f\t%d\t%d\t%d\t%d\t%d\t%d\t%.0f\t%.0f\t%d\t%.2f\t%.0f %%\t%.0f %%\t%.0f %%\t%.1f\t%.1f\t%.1f\t\n", c.Road, c.Channels, c.PerS, c.Seconds, c.Typed, c.Lost, c.Doubled,
			c.Decided, c.Sampled, c.Limited, c.Delay, c.Behind, c.OverLimit, c.Cores, 100*c.Ours, 100*c.Library, 100*c.Simulator, c.OursMicros, c.LibraryMicros, c.LibraryAlone)
	}
	return w.Flush()
}

// RunChat is Chat without the printing.
func RunChat(ctx context.Context, o ChatOptions) ([]ChatCase, error) {
	parse, alone := parseCost()
	cases := chatCases(o)
	for i := range cases {
		if err := runChat(ctx, o, &cases[i], parse, alone); err != nil {
			return nil, fmt.Errorf("%d lines a second in %d channels: %w", cases[i].PerS, cases[i].Channels, err)
		}
		if o.Done != nil {
			if err := o.Done(cases[i]); err != nil {
				return nil, err
			}
		}
	}
	return cases, nil
}

// parseCost is what the library takes for a line of everyday chat: without its tags, as our connector has it read lines, and alone.
func parseCost() (bare, alone time.Duration) {
	lines := talk.Lines(chatLines, talk.Everyday, 1)
	without := make([]string, len(lines))
	for i, l := range lines {
		_, without[i], _ = strings.Cut(l, " ")
	}
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	var sink irc.Message
	took := func(lines []string) time.Duration {
		return time.Duration(float64(time.Second) / perS(200*time.Millisecond, len(lines), func(i int) { sink = irc.ParseMessage(lines[i]) }))
	}
	bare, alone = took(without), took(lines)
	runtime.KeepAlive(sink)
	return bare, alone
}

// counting is a chat whose lines are counted on their way to the hub.
type counting struct {
	*twitch.Client
	heard, doubled, delay atomic.Int64
	seen                  map[string]bool // of Listen's calls of hear alone
}

// Listen counts what hear is told.
func (c *counting) Listen(ctx context.Context, hear func(chat.Event)) error {
	return c.Client.Listen(ctx, func(e chat.Event) {
		if e.Kind == chat.Said && !e.Message.Own {
			if c.seen[e.Message.ID] {
				c.doubled.Add(1)
			} else {
				c.seen[e.Message.ID] = true
				c.heard.Add(1)
			}
			c.delay.Store(max(c.delay.Load(), int64(e.Message.Received.Sub(e.Message.Sent))))
		}
		hear(e)
	})
}

func runChat(ctx context.Context, o ChatOptions, c *ChatCase, parse, alone time.Duration) (err error) {
	dir, err := os.MkdirTemp("", "hawker-bench-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	p, err := startPretend(ctx, o.Child, c.Channels)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, p.stop()) }()
	h, err := openChatHouse(ctx, dir, c, p)
	if err != nil {
		return err
	}
	defer h.close()
	if err := h.until(ctx, "every channel is heard", func() bool {
		for _, s := range h.ear.States() {
			if !s.Hears {
				return false
			}
		}
		return true
	}); err != nil {
		return err
	}
	runtime.GC()
	simBefore, err := p.usage()
	if err != nil {
		return err
	}
	before, err := selfUsage()
	if err != nil {
		return err
	}
	began := time.Now()
	var typed chatTyped
	if err := p.ask(chatAsk{PerS: c.PerS, For: time.Duration(c.Seconds * float64(time.Second))}, &typed); err != nil {
		return err
	}
	ended := time.Now()
	still, last := time.Now(), int64(-1)
	for h.ear.heard.Load() < typed.Lines && time.Since(still) < 5*time.Second && ctx.Err() == nil { // lost is what does not come for that long
		if n := h.ear.heard.Load(); n != last {
			still, last = time.Now(), n
		}
		time.Sleep(time.Millisecond)
	}
	if err := h.until(ctx, "everything is decided", func() bool { return h.hub.Totals().Waiting == 0 }); err != nil {
		return err
	}
	c.Behind = float64(time.Since(ended).Microseconds()) / 1000
	took := time.Since(began)
	after, err := selfUsage()
	if err != nil {
		return err
	}
	simAfter, err := p.usage()
	if err != nil {
		return err
	}
	t := h.hub.Totals()
	c.Typed, c.Lost, c.Doubled = typed.Lines, typed.Lines-h.ear.heard.Load(), h.ear.doubled.Load()
	c.Sampled, c.Limited, c.Decided = t.Unseen, t.Limited, h.ear.heard.Load()-t.Limited
	c.Delay, c.OverLimit = float64(h.ear.delay.Load())/1e6, simAfter.OverLimit
	own, sim := after.CPU-before.CPU, simAfter.CPU-simBefore.CPU
	library := time.Duration(0)
	if c.Road != twitch.EventSub {
		library = parse * time.Duration(h.ear.heard.Load())
	}
	all := float64(own + sim)
	c.Cores = all / float64(took)
	c.Ours, c.Library, c.Simulator = float64(own-library)/all, float64(library)/all, float64(sim)/all
	c.OursMicros = float64((own - library).Microseconds()) / float64(max(1, h.ear.heard.Load()))
	c.LibraryMicros, c.LibraryAlone = float64(parse.Nanoseconds())/1000, float64(alone.Nanoseconds())/1000
	return ctx.Err()
}

// chatHouse is a hub that hears the pretend Twitch.
type chatHouse struct {
	db    *sqldb.DB
	bus   *bus.Bus
	hub   *live.Hub
	ear   *counting
	stop  context.CancelFunc
	ended chan error
}

func openChatHouse(ctx context.Context, dir string, c *ChatCase, p *pretend) (*chatHouse, error) {
	key, err := seal.ReadKey(dir)
	if err != nil {
		return nil, err
	}
	h := &chatHouse{ended: make(chan error, 1), ear: &counting{seen: map[string]bool{}}}
	if h.db, err = sqldb.Open(ctx, sqldb.Options{Dir: dir, Key: key}); err != nil {
		return nil, err
	}
	if h.bus, err = bus.Open(ctx, bus.Options{Dir: filepath.Join(dir, "nats")}); err != nil {
		return nil, errors.Join(err, h.db.Close())
	}
	fail := func(err error) (*chatHouse, error) { return nil, errors.Join(err, h.bus.Close(), h.db.Close()) }
	o := twitch.Options{
		APIURL: p.API, AuthURL: p.Auth, IRCURL: p.IRC, EventSubURL: p.EventSub, Road: c.Road, ClientID: "bench", Verified: true,
		Bot:  chat.Account{Platform: chat.Twitch, ID: p.Bot, Name: p.BotLogin, Token: chat.Token{Access: p.Access, Refresh: p.Refresh}},
		Save: func(context.Context, chat.Token) error { return nil },
	}
	var channels []chat.Channel
	for _, ch := range p.Channels {
		o.Channels = append(o.Channels, twitch.ChannelRef{ID: ch, Login: "room" + ch})
		channels = append(channels, chat.Channel{Platform: chat.Twitch, ID: ch})
	}
	if h.ear.Client, err = twitch.New(o); err != nil {
		return fail(err)
	}
	h.hub = &live.Hub{
		DB: h.db, Bus: h.bus, Key: key, Public: "https://shop.example",
		Connect: func(context.Context, sqldb.Merchant) (live.Connections, error) {
			return live.Connections{Accounts: []live.Account{{Name: "bench", Chat: h.ear, Channels: channels}}}, nil
		},
	}
	if err := h.setUp(ctx, channels); err != nil {
		return fail(err)
	}
	ctx, h.stop = context.WithCancel(ctx)
	go func() { h.ended <- h.hub.Run(ctx) }()
	select {
	case <-h.hub.Started():
		return h, nil
	case err := <-h.ended:
		return fail(err)
	}
}

// setUp writes a merchant with a live show into the empty database.
func (h *chatHouse) setUp(ctx context.Context, channels []chat.Channel) error {
	m, err := h.db.PutMerchant(ctx, sqldb.Merchant{Slug: slugPrefix + "chat", Name: "Bench", Currency: "EUR", Timezone: "UTC", Language: "en"})
	if err != nil {
		return err
	}
	products := make([]commerce.Product, 24)
	for i := range products {
		products[i] = commerce.Product{Title: fmt.Sprintf("Piece %d", i+1), Variants: []commerce.Variant{{SKU: fmt.Sprintf("P%d", i+1), Price: commerce.Money{Minor: 1900, Currency: "EUR"}}}}
	}
	if products, err = h.db.PutProducts(ctx, m, products); err != nil {
		return err
	}
	show := commerce.Show{ID: commerce.NewID(time.Now()), Name: "bench", Title: "Bench", State: commerce.ShowLive, Holds: commerce.HoldsDraft, Channels: channels}
	show.Lineup.OnAir = 3
	for i, p := range products {
		show.Lineup.Items = append(show.Lineup.Items, commerce.Item{Number: i + 1, Product: p})
	}
	st, err := h.db.Load(ctx, m)
	if err != nil {
		return err
	}
	b, _ := commerce.NewDesk(m, st).Plan(time.Now(), []commerce.Request{commerce.SetShow{Show: show}})
	return h.db.Commit(ctx, b)
}

func (h *chatHouse) close() {
	h.stop()
	<-h.ended
	_ = errors.Join(h.bus.Close(), h.db.Close())
}

// until waits for a state.
func (h *chatHouse) until(ctx context.Context, what string, ok func() bool) error {
	for end := time.Now().Add(time.Minute); !ok(); time.Sleep(time.Millisecond) {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if time.Now().After(end) {
			return fmt.Errorf("waited in vain until %s", what)
		}
	}
	return nil
}

// pretend is the pretend Twitch's process, seen from here.
type pretend struct {
	chatPlace
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Reader
}

func startPretend(ctx context.Context, child func(context.Context) *exec.Cmd, channels int) (*pretend, error) {
	p := &pretend{cmd: child(ctx)}
	p.cmd.Stderr = os.Stderr
	var err error
	if p.in, err = p.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	p.out = bufio.NewReader(out)
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	if err := p.ask(chatAsk{Channels: channels}, &p.chatPlace); err != nil {
		return nil, errors.Join(err, p.stop())
	}
	return p, nil
}

func (p *pretend) ask(question chatAsk, answer any) error {
	if err := json.NewEncoder(p.in).Encode(question); err != nil {
		return err
	}
	line, err := p.out.ReadBytes('\n')
	if err != nil {
		return fmt.Errorf("the pretend Twitch's process: %w", err)
	}
	return json.Unmarshal(line, answer)
}

func (p *pretend) usage() (u chatUsage, err error) {
	err = p.ask(chatAsk{Usage: true}, &u)
	return u, err
}

// stop ends the process, which it does when its input ends.
func (p *pretend) stop() error {
	_ = p.in.Close()
	return p.cmd.Wait()
}
