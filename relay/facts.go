package relay

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
	"unicode"

	"hawker/relay/rtmp"
	"hawker/relay/still"
)

const (
	// rateWindow is how many samples, one a second, a rate is taken over: two groups of pictures of 2 s.
	rateWindow = 5
	// factWindow is what pictures, sounds and clocks are judged by.
	factWindow = 5 * time.Second
	// lateAfter is how much later than the others a message counts as late.
	lateAfter = 250 * time.Millisecond
	// behindAfter is how far a clock may be back for what is sent to count as live.
	behindAfter = time.Second
	// longGroup is what platforms punish.
	longGroup = 4 * time.Second
	// longOf is of how many groups the longest counts: where the picture changes altogether, encoders put in a keyframe of their own.
	longOf = 4
	// noKeyframe is after what a missing keyframe is spoken of.
	noKeyframe = 10 * time.Second
	// silentFrame is up to how many bytes a compressed sound has nothing in it, and silentBut of how many sounds one may be longer in
	// silence: ffmpeg's AAC encoder, which OBS uses too, writes its name into each 256th (libavcodec/aacenc.c, aac_encode_frame).
	silentFrame = 24
	silentBut   = 100
	// longName is up to how many bytes of an encoder's name are kept.
	longName = 64
	// driftSpoken is how far the clocks of encoder and relay may part.
	driftSpoken = 500 * time.Millisecond
)

// facts are what an encoder's messages say about it.
type facts struct {
	named         string // the encoder, as its metadata says; "" when they do not
	video, audio  string
	width, height int
	fps           float64 // as it claims

	came  time.Time     // the first message
	keyed bool          // it sent a keyframe
	key   uint32        // when, ms of its clock
	keyAt time.Time     // when, of ours
	every time.Duration // between the last two

	groups [longOf]time.Duration // the last intervals of keyframes, the newest at the end

	meter

	clock   int64  // ms since the first message
	newest  uint32 // as last seen
	started bool   // clock runs

	// The window that is being filled, and what the last full one said.
	begun                       time.Time
	begunClock                  int64
	pictures, odd, sounds, loud int
	lag                         time.Duration // least (our time - its clock)
	seen                        window

	firstLag   time.Duration // of the first window
	lastVideo  uint32
	pictured   bool
	late, lost int
	reorders   bool // pictures are shown in another order than they are sent
	rate       int  // of the sound, Hz
	rateChange bool
}

// window is what a full window said.
type window struct {
	full    bool
	fps     float64
	varies  bool // pictures come at uneven times
	silent  bool // sound comes, and nothing is in it
	noSound bool
	lag     time.Duration
}

// meter measures a rate by samples of the last seconds, oldest first.
type meter struct{ samples []sample }

type sample struct {
	at    time.Time
	bytes uint64
}

func (m *meter) sample(now time.Time, bytes uint64) {
	m.samples = append(m.samples, sample{now, bytes})
	if n := len(m.samples); n > rateWindow {
		m.samples = slices.Clone(m.samples[n-rateWindow:])
	}
}

// kbps is the rate, 0 while it is not known.
func (m *meter) kbps() int {
	if len(m.samples) < 2 {
		return 0
	}
	a, b := m.samples[0], m.samples[len(m.samples)-1]
	ms := b.at.Sub(a.at).Milliseconds()
	if ms <= 0 {
		return 0
	}
	return int((b.bytes - a.bytes) * 8 / uint64(ms))
}

func (f *facts) note(m rtmp.Message, info rtmp.Info, now time.Time) {
	if f.came.IsZero() {
		f.came = now
	}
	if info.Track != 0 { // the first of several speaks for all
		return
	}
	switch {
	case info.Kind == rtmp.Metadata:
		o, _ := rtmp.ParseMetadata(m.Payload)
		f.named, f.width, f.height, f.fps = encoderName(o.String("encoder")), pixels(o, "width"), pixels(o, "height"), o.Number("framerate")
		return
	case info.Codec != "" && m.Type == rtmp.TypeVideo:
		f.video = info.Codec
	case info.Codec != "" && m.Type == rtmp.TypeAudio:
		f.audio = info.Codec
	}
	if info.Kind == rtmp.Header {
		if m.Type == rtmp.TypeAudio && info.Codec == "AAC" && len(m.Payload) > 2 && m.Payload[0]&0xF0 == 0xA0 {
			rate, _ := still.AudioConfig(m.Payload[2:])
			f.rateChange = f.rateChange || f.rate != 0 && rate != f.rate
			f.rate = rate
		}
		return
	}
	if info.Kind == rtmp.Keyframe {
		if d := time.Duration(int32(m.Time-f.key)) * time.Millisecond; f.keyed && d > 0 {
			f.every, f.groups = d, [longOf]time.Duration(append(f.groups[1:], d))
		}
		f.keyed, f.key, f.keyAt = true, m.Time, now
	}
	if m.Type != rtmp.TypeData {
		f.tick(m, now)
	}
}

// tick follows the encoder's clock and counts.
func (f *facts) tick(m rtmp.Message, now time.Time) {
	step := time.Duration(int32(m.Time-f.newest)) * time.Millisecond
	if !f.started || step < jumpBack || step > jumpAhead {
		f.started, f.newest, f.clock, f.seen, f.pictured = true, m.Time, 0, window{}, false
		f.begun, f.begunClock, f.lag, f.came = now, 0, math.MaxInt64, now
		f.pictures, f.odd, f.sounds, f.loud = 0, 0, 0, 0
	} else if step > 0 {
		f.clock += step.Milliseconds()
		f.newest = m.Time
	}
	lag := now.Sub(f.came) - time.Duration(f.clock)*time.Millisecond
	f.lag = min(f.lag, lag)
	if f.seen.full && lag-f.seen.lag > lateAfter {
		f.late++
	}
	switch m.Type {
	case rtmp.TypeAudio:
		f.sounds++
		if len(m.Payload) > silentFrame {
			f.loud++
		}
	case rtmp.TypeVideo:
		f.pictures++
		f.shown(m)
	}
	if now.Sub(f.begun) >= factWindow {
		f.turn(now)
	}
}

// shown judges when a picture comes after the one before.
func (f *facts) shown(m rtmp.Message) {
	if p := m.Payload; len(p) > 5 && p[0]&0x80 == 0 && p[1] == 1 && (p[2]|p[3]|p[4]) != 0 {
		f.reorders = true // a composition time
	}
	if f.pictured && f.seen.full && f.seen.fps > 0 {
		gap, usual := float64(int32(m.Time-f.lastVideo)), 1000/f.seen.fps
		if math.Abs(gap-usual) > max(usual*0.35, 2) {
			f.odd++
			if missing := int(math.Round(gap/usual)) - 1; missing > 0 && !f.seen.varies {
				f.lost += missing
			}
		}
	}
	f.lastVideo, f.pictured = m.Time, true
}

// turn ends a window.
func (f *facts) turn(now time.Time) {
	w := window{full: true, lag: f.lag, noSound: f.sounds == 0, silent: f.sounds > 0 && f.loud*silentBut <= f.sounds}
	if over := f.clock - f.begunClock; over > 0 {
		w.fps = float64(f.pictures) * 1000 / float64(over)
	}
	w.varies = f.seen.full && f.pictures > 0 && f.odd*5 > f.pictures
	if !f.seen.full {
		f.firstLag = f.lag
	}
	f.seen, f.begun, f.begunClock, f.lag = w, now, f.clock, math.MaxInt64
	f.pictures, f.odd, f.sounds, f.loud = 0, 0, 0, 0
}

// drift is how far the encoder's clock has fallen behind ours since the first window; negative when it runs ahead.
func (f *facts) drift() time.Duration {
	if !f.seen.full {
		return 0
	}
	return (f.seen.lag - f.firstLag).Round(time.Millisecond)
}

// behind says whether a message with this time was made long ago.
func (f *facts) behind(at uint32, now time.Time) bool {
	if !f.started || !f.seen.full {
		return false
	}
	clock := time.Duration(f.clock+int64(int32(at-f.newest))) * time.Millisecond
	return now.Sub(f.came)-clock-f.seen.lag > behindAfter && now.Sub(f.came)-clock-f.seen.lag < jumpAhead
}

// encoderName is the name in metadata as people know the program; others than OBS and ffmpeg are taken at their word.
func encoderName(said string) string {
	if v, ok := strings.CutPrefix(said, "obs-output module (libobs version "); ok { // obs-studio, plugins/obs-outputs/flv-mux.c
		v, _, _ = strings.Cut(strings.TrimSuffix(v, ")"), "-") // a distribution's own numbers follow
		said = "OBS Studio " + v
	} else if strings.HasPrefix(said, "Lavf") { // libavformat/flvenc.c
		said = "ffmpeg (" + said + ")"
	}
	said = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return -1
		}
		return r
	}, said)
	return strings.ToValidUTF8(said[:min(len(said), longName)], "")
}

// pixels reads a size that a publisher claims; nonsense becomes 0.
func pixels(o rtmp.Object, name string) int {
	if n := o.Number(name); n >= 1 && n <= 1<<16 {
		return int(n)
	}
	return 0
}

// warnings are what to change at the encoder, most important first.
func (f *facts) warnings(now time.Time) []Warning {
	var out []Warning
	add := func(code, form string, args ...any) { out = append(out, Warning{code, fmt.Sprintf(form, args...)}) }
	since := f.came
	if f.keyed {
		since = f.keyAt
	}
	switch {
	case !f.came.IsZero() && now.Sub(since) > noKeyframe:
		add("no_keyframe", "No keyframe for %.0f s: destinations cannot start. Set the keyframe interval to 2 s in the encoder.", now.Sub(since).Seconds())
	case slices.Max(f.groups[:]) > longGroup:
		add("keyframes", "A keyframe only every %.1f s: platforms want 2 s and punish more than 4. Set the keyframe interval to 2 s in the encoder.",
			slices.Max(f.groups[:]).Seconds())
	}
	if w := f.seen; w.full {
		switch {
		case w.noSound && f.keyed:
			add("no_sound", "No sound is sent: some platforms refuse a stream without it. Look at the sound settings of the encoder.")
		case w.silent:
			add("silence", "The sound is silent: is the microphone on?")
		}
		if w.varies {
			add("uneven", "Pictures come at uneven times: set a constant frame rate in the encoder.")
		}
	}
	if f.rateChange {
		add("rate_change", "The sample rate of the sound changed in mid-stream: destinations may lose the sound. Keep 48 kHz everywhere.")
	}
	if d := f.drift(); d.Abs() > driftSpoken {
		add("drift", "The encoder's clock has parted from ours by %.1f s: it may be overloaded, or the line to it is.", d.Abs().Seconds())
	}
	return out
}
