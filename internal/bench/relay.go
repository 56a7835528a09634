package bench

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"slices"
	"strconv"
	"text/tabwriter"
	"time"
)

// RelayOptions say how the relay is measured.
type RelayOptions struct {
	// Child returns the command that runs this program as the relay to be measured, which is RelayChild, so that its processor time and
	// memory are its own.
	Child func(ctx context.Context) *exec.Cmd
	// File is an FLV file to be published over and over; empty is a made-up stream of 6.2 Mbit/s, 60 pictures and 47 sounds a second.
	File string
	// Long measures for longer and in three rounds, and stalls for a minute.
	Long bool
	// JSON prints one object a case instead of a table.
	JSON bool
	// Only are the cases to run, by RelayCase.Name; empty runs all.
	Only []string
	// Each is how long each case is measured; zero is relayEach or relayEachLong, and more where something misbehaves.
	Each time.Duration
}

// What a run does without being told.
const (
	relayEach     = 6 * time.Second
	relayEachLong = 20 * time.Second
	relayRounds   = 3 // of a long run
)

// RelayCase is one line of the result. Figures of time and loss are of the good destinations alone.
type RelayCase struct {
	Relay string `json:"relay"`
	Sinks int    `json:"sinks"` // good destinations
	Bad   string `json:"bad"`   // what one more destination, or the encoder, does
	// CPU is processor seconds for each GB (10^9 bytes of payload) delivered to good destinations, kernel and loopback included, and
	// NginxCPU the same of nginx-rtmp on the same load, absent where it was not run; Ratio is the one by the other.
	CPU      float64  `json:"cpu_s_per_gb"`
	NginxCPU *float64 `json:"nginx_cpu_s_per_gb"`
	Ratio    *float64 `json:"ratio"`
	RSS      float64  `json:"rss_mb"` // the most during the case
	// Grew is the most memory in the last quarter of the case without that in the quarter before, in MB.
	Grew float64 `json:"rss_grew_mb"`
	P50  float64 `json:"p50_ms"` // from the encoder's write to the destination's read of the whole message
	P99  float64 `json:"p99_ms"`
	// ByteEqual is the share of messages that arrived as they were sent, in percent, from the first picture on.
	ByteEqual float64 `json:"byte_equal"`
	Lost      int     `json:"lost"` // messages that did not arrive
	// Backwards counts times of a track that step back, and steps between encoder's and destination's clock.
	Backwards int `json:"backwards"`
	// Silence is the longest time in which a good destination got nothing; Reconnects how often one was connected anew.
	Silence    float64 `json:"silence_ms"`
	Reconnects int     `json:"reconnects"`
	// First is the longest time from a destination's accept to its first picture.
	First float64 `json:"first_picture_ms"`
	// NginxP99, NginxRSS and NginxSilence are nginx-rtmp's.
	NginxP99     *float64 `json:"nginx_p99_ms"`
	NginxRSS     *float64 `json:"nginx_rss_mb"`
	NginxSilence *float64 `json:"nginx_silence_ms"`
}

// Name is what Only names: the number of destinations, or the misbehaviour, with the number where it is not 10.
func (c RelayCase) Name() string {
	switch {
	case c.Bad == "":
		return strconv.Itoa(c.Sinks)
	case c.Sinks == 10:
		return c.Bad
	}
	return fmt.Sprintf("%s-%d", c.Bad, c.Sinks)
}

// relayPlan is one case to be run.
type relayPlan struct {
	RelayCase
	over   time.Duration // how long it is measured
	rounds int
	alone  bool // nginx-rtmp is not run on it
	apart  bool // the two relays run one after the other: together they would fill the machine
}

func (o *RelayOptions) plans() []relayPlan {
	each, stall, gone, rounds := relayEach, 12*time.Second, 6*time.Second, 1
	if o.Long {
		each, stall, gone, rounds = relayEachLong, 60*time.Second, 30*time.Second, relayRounds
	}
	flap := each + 3*time.Second
	if o.Each > 0 {
		each, stall, gone, flap = o.Each, o.Each, o.Each, o.Each
	}
	good := func(n int) relayPlan {
		return relayPlan{RelayCase: RelayCase{Sinks: n}, over: each, rounds: rounds, apart: n > 10}
	}
	bad := func(n int, what string, over time.Duration) relayPlan {
		return relayPlan{RelayCase: RelayCase{Sinks: n, Bad: what}, over: over, rounds: 1}
	}
	at50 := bad(50, badStalled, stall)
	at50.alone = true // the question is whether memory stays flat
	away := bad(3, badGone, gone)
	away.alone = true // nginx-rtmp ends the pushes
	all := []relayPlan{
		good(1), good(3), good(10), good(50), bad(10, badStalled, stall), bad(10, badFlapping, flap),
		bad(10, badMute, each), bad(10, badRejecting, each), bad(10, badRefusing, each), at50, away,
	}
	if len(o.Only) == 0 {
		return all
	}
	return slices.DeleteFunc(all, func(p relayPlan) bool { return !slices.Contains(o.Only, p.Name()) })
}

// Relay measures the fan-out of one stream to many destinations, beside nginx-rtmp where that is installed, and writes the result to
// out. Errors: the relay did not do its work, or out's.
func Relay(ctx context.Context, o RelayOptions, out io.Writer) error {
	var enc *json.Encoder
	if o.JSON {
		enc = json.NewEncoder(out)
	}
	var done []RelayCase
	nginx, why := findNginx()
	err := runRelay(ctx, &o, nginx, func(c RelayCase) error {
		done = append(done, c)
		if enc != nil {
			return enc.Encode(c)
		}
		return nil
	})
	if enc == nil {
		err = errors.Join(err, relayTable(out, done, why))
	}
	return err
}

// RunRelay is Relay without the printing.
func RunRelay(ctx context.Context, o RelayOptions) ([]RelayCase, error) {
	var done []RelayCase
	nginx, _ := findNginx()
	err := runRelay(ctx, &o, nginx, func(c RelayCase) error { done = append(done, c); return nil })
	return done, err
}

func runRelay(ctx context.Context, o *RelayOptions, nginx string, tell func(RelayCase) error) error {
	src, err := newSource(o.File)
	if err != nil {
		return err
	}
	for _, p := range o.plans() {
		var ours, theirs []relayFigures
		for range p.rounds {
			var teams [][]relayUnder
			us, them := &ownRelay{command: o.Child, slate: p.Bad == badGone}, relayUnder(nil)
			teams = [][]relayUnder{{us}}
			if nginx != "" && !p.alone {
				them = &nginxRelay{module: nginx}
				if p.apart {
					teams = append(teams, []relayUnder{them})
				} else {
					teams[0] = append(teams[0], them)
				}
			}
			for _, team := range teams {
				got, err := measureRelays(ctx, team, src, p)
				if err != nil {
					return fmt.Errorf("%d destinations, %s: %w", p.Sinks, cmpOr(p.Bad, "all good"), err)
				}
				for i, u := range team {
					if u == them {
						theirs = append(theirs, got[i])
					} else {
						ours = append(ours, got[i])
					}
				}
			}
		}
		if err := tell(relayLine(p, ours, theirs)); err != nil {
			return err
		}
	}
	return nil
}

func cmpOr(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}

// relayLine makes a line of the rounds: medians of figures, sums of faults.
func relayLine(p relayPlan, ours, theirs []relayFigures) RelayCase {
	c := p.RelayCase
	c.Relay = "hawker"
	of := func(all []relayFigures, f func(relayFigures) float64) float64 {
		var v []float64
		for _, x := range all {
			v = append(v, f(x))
		}
		slices.Sort(v)
		return v[len(v)/2]
	}
	worst := func(all []relayFigures, f func(relayFigures) float64) float64 {
		var v float64
		for _, x := range all {
			v = max(v, f(x))
		}
		return v
	}
	cpu := func(x relayFigures) float64 { return x.cpu }
	p99 := func(x relayFigures) float64 { return x.p99 }
	rss := func(x relayFigures) float64 { return x.rss }
	silence := func(x relayFigures) float64 { return x.silence }
	c.CPU, c.P50, c.P99 = of(ours, cpu), of(ours, func(x relayFigures) float64 { return x.p50 }), of(ours, p99)
	c.RSS, c.Silence = worst(ours, rss), worst(ours, silence)
	c.Grew = worst(ours, func(x relayFigures) float64 { return x.grew })
	c.First = worst(ours, func(x relayFigures) float64 { return x.first })
	c.ByteEqual = 100
	for _, x := range ours {
		c.Lost, c.Backwards, c.Reconnects = c.Lost+x.lost, c.Backwards+x.back, c.Reconnects+x.reconnects
		c.ByteEqual = min(c.ByteEqual, x.equal)
	}
	if len(theirs) > 0 {
		n, n99, nRSS, nSilence := of(theirs, cpu), of(theirs, p99), worst(theirs, rss), worst(theirs, silence)
		c.NginxCPU, c.NginxP99, c.NginxRSS, c.NginxSilence = &n, &n99, &nRSS, &nSilence
		if n > 0 {
			ratio := c.CPU / n
			c.Ratio = &ratio
		}
	}
	return c
}

func relayTable(out io.Writer, cases []RelayCase, why string) error {
	fmt.Fprintln(out, "One stream in, many destinations out, over loopback. CPU is the relay's process alone, the kernel's work for it included.")
	if why != "" {
		fmt.Fprintln(out, "Not beside nginx-rtmp: "+why+" (Debian: nginx, libnginx-mod-rtmp).")
	}
	fmt.Fprintln(out)
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "good\tone\tCPU\tnginx\t\tRSS\tgrew\tp50\tp99\tnginx\tbytes\t\tclock\tlongest\tnginx\t\tfirst\t")
	fmt.Fprintln(w, "sinks\tmore\ts/GB\ts/GB\tratio\tMB\tMB\tms\tms\tp99 ms\tequal\tlost\tsteps\tsilence ms\tsilence ms\treconnects\tpicture ms\t")
	opt := func(f *float64, form string) string {
		if f == nil {
			return "-"
		}
		return fmt.Sprintf(form, *f)
	}
	for _, c := range cases {
		fmt.Fprintf(w, "%d\t%s\t%.2f\t%s\t%s\t%.0f\t%.1f\t%.1f\t%.1f\t%s\t%.2f %%\t%d\t%d\t%.0f\t%s\t%d\t%.0f\t\n", c.Sinks, cmpOr(c.Bad, "-"), c.CPU,
			opt(c.NginxCPU, "%.2f"), opt(c.Ratio, "%.2f"), c.RSS, c.Grew, c.P50, c.P99, opt(c.NginxP99, "%.1f"), c.ByteEqual, c.Lost, c.Backwards,
			c.Silence, opt(c.NginxSilence, "%.0f"), c.Reconnects, c.First)
	}
	return w.Flush()
}
