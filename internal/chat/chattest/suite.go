package chattest

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"hawker/internal/chat"
)

// Test tries every promise of a chat, each in a subtest of its own with a fresh pair. newPair starts a platform and a
// client for it that is not listening yet, and ends both by t.Cleanup; the suite starts Listen and ends it before the
// platform goes. It speaks only in the pair's channel and keeps to the client's own Budget, so that the platform's
// rates are never exceeded (Sim.OverLimit stays 0). Subtests run one after the other: some clients keep their
// platform's address for the whole process.
//
// A Sim that can notify people may also have the method Pings() int, the number of mentions it would have notified;
// the suite then wants it to stay 0.
func Test(t *testing.T, newPair func(t *testing.T) Pair) {
	for _, p := range promises() {
		t.Run(p.name, func(t *testing.T) {
			pair := newPair(t)
			if !p.can(pair.Sim) {
				t.Logf("not tried: the stand-in cannot")
				return
			}
			r := open(t, pair)
			p.try(t, r)
			r.settle()
		})
	}
}

// promise is one of a chat.
type promise struct {
	name string
	try  func(t *testing.T, r *room)
	can  func(Sim) bool // whether a stand-in can try it
}

// Promises are the names of all promises, in the order in which Test tries them.
func Promises() []string {
	var out []string
	for _, p := range promises() {
		out = append(out, p.name)
	}
	return out
}

func promises() []promise {
	always := func(Sim) bool { return true }
	return append([]promise{
		{"hears every line once, in order", hearsInOrder, always},
		{"a burst of 1,000 lines is heard", hearsBurst, always},
		{"a repeated delivery keeps its id", keepsID, always},
		{"own lines never act", marksOwn, always},
		{"deletions arrive", hearsDeletes, always},
		{"malformed payloads harm nothing", survivesMalformed, always},
		{"a cut connection is mended", mendsCut, always},
		{"a cut in the middle of a burst", cutInBurst, always},
		{"a slow listener loses nothing", hearsSlowly, always},
		{"a line is accepted or refused, never doubled", saysOnce, always},
		{"text smuggles nothing", smugglesNothing, always},
		{"a long line is cut or refused", boundsLength, always},
		{"a refusal has a code", namesRefusal, always},
		{"a broken platform is an error, then recovers", survivesBreak, always},
		{"an outage with HTML for answers is survived", survivesOutage, always},
		{"an expired token is refreshed", refreshesToken, always},
		{"a revoked account stops", stopsWhenRevoked, always},
		{"the end of ctx ends Listen", endsWithContext, always},
	}, more()...)
}

var (
	ana = viewer("50001", "ana")
	bob = viewer("50002", "bob")
)

func viewer(id, name string) chat.Viewer { return chat.Viewer{ID: id, Name: name} }

func hearsInOrder(t *testing.T, r *room) {
	texts := []string{
		"!buy 3", "sold 12 M", "héllo 日本語 😀", `back\slash \s \: ;semi=colon`, "<b>&amp; %s %d", "a : b :c",
		"A1+1", "tail\U000E0000", "two  blanks", "!buy 3 x2", "！ｂｕｙ　３", "!b\u200buy\u200d 3\u2060", "Kappa !buy 3 Kappa", "@ana !buy 3",
	}
	var ids []string
	for i, text := range texts {
		ids = append(ids, r.typed([]chat.Viewer{ana, bob}[i%2], text))
	}
	for _, id := range ids {
		r.hears(id)
	}
	said := r.said()
	if len(said) != len(texts) {
		t.Fatalf("heard %d lines, want %d", len(said), len(texts))
	}
	for i, m := range said {
		want := []chat.Viewer{ana, bob}[i%2]
		if m.ID != ids[i] || m.Text != texts[i] || m.Viewer.ID != want.ID {
			t.Errorf("line %d = id %q, viewer %q, text %q; want %q, %q, %q", i, m.ID, m.Viewer.ID, m.Text, ids[i], want.ID, texts[i])
		}
		if m.Channel != r.Channel || m.Viewer.Platform != r.Channel.Platform || m.Viewer.Name == "" {
			t.Errorf("line %d: channel %v, viewer %+v; want channel %v and a named viewer", i, m.Channel, m.Viewer, r.Channel)
		}
		if m.Own || m.Bot || m.Source != "" || m.Received.IsZero() || m.Sent.IsZero() {
			t.Errorf("line %d: own %v, bot %v, source %q, sent %v, received %v; want a viewer's line with both times", i, m.Own, m.Bot, m.Source, m.Sent, m.Received)
		}
		if m.Answer.Channel != r.Channel {
			t.Errorf("line %d: answer goes to %v, want %v", i, m.Answer.Channel, r.Channel)
		}
	}
	s := r.state()
	if !s.Hears || s.LastHeard.IsZero() {
		t.Errorf("state %+v; want Hears and LastHeard", s)
	}
}

func hearsBurst(t *testing.T, r *room) {
	const lines = 1000
	ids := make([]string, lines)
	for i := range ids {
		n := i % 50
		ids[i] = r.typed(viewer(fmt.Sprint(60000+n), fmt.Sprintf("viewer%d", n)), fmt.Sprintf("!buy 3 x%d", i))
	}
	r.hears(ids[lines-1])
	said := r.said()
	if len(said) != lines {
		t.Fatalf("heard %d lines, want %d", len(said), lines)
	}
	for i, m := range said {
		if m.ID != ids[i] {
			t.Fatalf("line %d is %q (%q), want %q", i, m.ID, m.Text, ids[i])
		}
	}
}

func keepsID(t *testing.T, r *room) {
	id := r.typed(ana, "!buy 3")
	r.hears(id)
	r.Sim.Repeat(r.Channel, id)
	last := r.typed(bob, "after the repeat")
	r.hears(last)
	n := 0
	for _, m := range r.said() {
		switch {
		case m.ID == id && m.Text == "!buy 3":
			n++
		case m.ID != last:
			t.Errorf("heard id %q, text %q; typed only %q and %q", m.ID, m.Text, id, last)
		}
	}
	if n > 2 {
		t.Errorf("one repeated line was heard %d times", n)
	}
}

func marksOwn(t *testing.T, r *room) {
	r.hears(r.typed(ana, "before"))
	sent, err := r.say("held 10 min: ana")
	if err != nil {
		t.Fatalf("Say: %v", err)
	}
	r.hears(r.typed(ana, "after"))
	for _, m := range r.said() {
		if (m.ID == sent.ID || strings.Contains(m.Text, "held 10 min")) && !m.Own {
			t.Errorf("own line heard as a viewer's: %+v", m)
		}
	}
}

func hearsDeletes(t *testing.T, r *room) {
	keep, gone := r.typed(ana, "stays"), r.typed(bob, "goes")
	r.hears(gone)
	r.Sim.Delete(r.Channel, gone)
	e := r.event("the deletion", func(e chat.Event) bool { return e.Kind == chat.Deleted })
	if e.ID != gone || e.Channel != r.Channel {
		t.Errorf("deleted %q in %v, want %q in %v", e.ID, e.Channel, gone, r.Channel)
	}
	r.hears(r.typed(ana, "after"))
	if r.count(func(e chat.Event) bool { return e.Kind == chat.Deleted && e.ID == keep }) != 0 {
		t.Error("a line that stays was told as deleted")
	}
}

func survivesMalformed(t *testing.T, r *room) {
	r.hears(r.typed(ana, "before"))
	r.Sim.Malformed(r.Channel)
	r.hears(r.typed(ana, "after"))
	for _, m := range r.said() {
		if m.ID == "" || m.Viewer.ID == "" || m.Channel.ID == "" {
			t.Errorf("heard a line without identity: %+v", m)
		}
	}
}

func mendsCut(t *testing.T, r *room) {
	r.hears(r.typed(ana, "before"))
	logins := r.Sim.Logins()
	const cuts = 2
	for i := range cuts {
		gaps := r.count(isGap)
		r.Sim.Drop()
		away := r.typed(bob, fmt.Sprintf("while away %d", i))
		if r.Recovers {
			r.hears(away)
		} else {
			r.until("a Gap after the cut", func() bool { return r.count(isGap) > gaps })
		}
		r.back()
	}
	if n := r.Sim.Logins() - logins; n > 4*cuts {
		t.Errorf("%d logins for %d cuts", n, cuts)
	}
	seen := map[string]int{}
	for _, m := range r.said() {
		if seen[m.ID]++; seen[m.ID] > 1 && !m.Recovered && !r.Recovers {
			t.Errorf("line %q heard %d times", m.ID, seen[m.ID])
		}
	}
}

// cutInBurst cuts the connection while lines come in: what is heard is in order and heard once; what the platform cannot give
// back is told as a Gap.
func cutInBurst(t *testing.T, r *room) {
	const lines = 400
	at := map[string]int{}
	last := ""
	for i := range lines {
		if i == lines/2 {
			r.Sim.Drop()
		}
		last = r.typed(viewer(fmt.Sprint(60000+i%50), fmt.Sprintf("viewer%d", i%50)), fmt.Sprintf("!buy 3 x%d", i))
		at[last] = i
	}
	if r.Recovers {
		r.hears(last)
	} else {
		r.until("a Gap after the cut", func() bool { return r.count(isGap) > 0 })
	}
	r.back()
	seen, next := map[string]bool{}, 0
	for _, m := range r.said() {
		i, mine := at[m.ID]
		switch {
		case !mine || seen[m.ID] && r.Recovers:
		case seen[m.ID]:
			t.Errorf("line %d was heard twice", i)
		case i < next:
			t.Errorf("line %d was heard after line %d", i, next-1)
		default:
			seen[m.ID], next = true, i+1
		}
	}
	if r.Recovers && len(seen) != lines {
		t.Errorf("heard %d of %d lines", len(seen), lines)
	}
}

// hearsSlowly takes half a millisecond for each line: the platform waits, and nothing is lost.
func hearsSlowly(t *testing.T, r *room) {
	r.slow.Store(int64(500 * time.Microsecond))
	hearsBurst(t, r)
	if n := r.count(isGap); n != 0 {
		t.Errorf("%d gaps", n)
	}
}

func isGap(e chat.Event) bool { return e.Kind == chat.Gap }

func saysOnce(t *testing.T, r *room) {
	b := r.Chat.Budget(r.Channel)
	if b.Lines <= 0 || b.Per <= 0 || b.MaxRunes <= 0 {
		t.Fatalf("budget %+v; want Lines, Per and MaxRunes", b)
	}
	for i := range 4 {
		text := fmt.Sprintf("#%d M held 10 min: ana, bob 日本 😀", i)
		sent, err := r.say(text)
		if err != nil {
			t.Fatalf("Say: %v", err)
		}
		if sent.At.IsZero() {
			t.Error("Sent.At is zero")
		}
		spoken := r.Sim.Spoken(r.Channel)
		last := spoken[len(spoken)-1]
		if last.Text != text || sent.ID != "" && last.ID != sent.ID {
			t.Errorf("platform has %q as %q; said %q as %q", last.Text, last.ID, text, sent.ID)
		}
	}
	if b.Replies {
		id := r.typed(ana, "!buy 3")
		r.hears(id)
		if _, err := r.sayTo(chat.Answer{Kind: chat.ToReply, Channel: r.Channel, Message: id}, "a reply to ana"); err != nil {
			t.Fatalf("Say as a reply: %v", err)
		}
		spoken := r.Sim.Spoken(r.Channel)
		if last := spoken[len(spoken)-1]; last.ReplyTo != id {
			t.Errorf("reply answers %q, want %q", last.ReplyTo, id)
		}
	}
	if s := r.state(); !s.Speaks || s.LastSaid.IsZero() {
		t.Errorf("state %+v; want Speaks and LastSaid", s)
	}
}

func smugglesNothing(t *testing.T, r *room) {
	r.hears(r.typed(ana, "before"))
	for _, text := range []string{
		"one\r\nPRIVMSG #ana :two", "three\nfour", "five\x00six", "/ban ana seven", ".timeout ana eight",
		" /clear nine", "\u200b\r\n/clear ten", "@everyone @here <@50001> eleven",
	} {
		before := len(r.Sim.Spoken(r.Channel))
		_, err := r.say(text)
		spoken := r.Sim.Spoken(r.Channel)[before:]
		if err != nil && len(spoken) != 0 || err == nil && len(spoken) != 1 {
			t.Errorf("Say(%q): %v; platform took %d lines %+v", text, err, len(spoken), spoken)
			continue
		}
		if err != nil {
			continue
		}
		got, bad := spoken[0].Text, "\r\n\x00"
		if r.Channel.Platform == chat.Discord {
			bad = "\r\x00" // a Discord message may have rows, and a row is only text there
		}
		if strings.ContainsAny(got, bad) {
			t.Errorf("Say(%q): platform got control characters in %q", text, got)
		}
		if word := text[strings.LastIndexAny(text, ": \n\x00\u200b")+1:]; !strings.Contains(got, word) {
			t.Errorf("Say(%q): platform got %q, without the words", text, got)
		}
	}
	if p, ok := r.Sim.(interface{ Pings() int }); ok && p.Pings() != 0 {
		t.Errorf("%d people were notified by mentions in a text", p.Pings())
	}
	r.hears(r.typed(ana, "still here"))
}

func boundsLength(t *testing.T, r *room) {
	limit := r.Chat.Budget(r.Channel).MaxRunes
	full := strings.Repeat("né", limit)
	full = string([]rune(full)[:limit])
	if _, err := r.say(full); err != nil {
		t.Errorf("Say of exactly %d runes: %v", limit, err)
	}
	before := len(r.Sim.Spoken(r.Channel))
	long := strings.Repeat("ab", limit)
	_, err := r.say(long)
	spoken := r.Sim.Spoken(r.Channel)[before:]
	switch {
	case err != nil && len(spoken) == 0: // refused
	case err == nil && len(spoken) == 1:
		if got := spoken[0].Text; utf8.RuneCountInString(got) > limit || utf8.RuneCountInString(got) < limit/2 {
			t.Errorf("a line of %d runes was cut to %d, limit %d", 2*limit, utf8.RuneCountInString(got), limit)
		}
	default:
		t.Errorf("a line of %d runes: error %v, platform took %d lines", 2*limit, err, len(spoken))
	}
}

func namesRefusal(t *testing.T, r *room) {
	r.hears(r.typed(ana, "before"))
	before := len(r.Sim.Spoken(r.Channel))
	r.Sim.RefuseSends(1)
	_, err := r.say("refused by the platform")
	if err == nil {
		t.Fatal("Say: accepted, want a refusal")
	}
	if n := len(r.Sim.Spoken(r.Channel)) - before; n != 0 {
		t.Errorf("platform took %d lines that it refused", n)
	}
	r.sayUntilAccepted()
	r.hears(r.typed(ana, "after"))
}

func survivesBreak(t *testing.T, r *room) {
	r.hears(r.typed(ana, "before"))
	r.Sim.Break(2)
	r.sayUntilAccepted()
	r.back()
}

// survivesOutage: for two seconds every web call is answered 503 and a page. What is said meanwhile is said once or not at all, and
// whatever was lost, all is well afterwards. (Connectors try ten seconds where time stands still.)
func survivesOutage(t *testing.T, r *room) {
	r.hears(r.typed(ana, "before"))
	logins := r.Sim.Logins()
	r.Sim.Break(1 << 30)
	for i, end := 0, time.Now().Add(2*time.Second); time.Now().Before(end); i++ {
		r.typed(bob, fmt.Sprintf("meanwhile %d", i))
		if _, err := r.say(fmt.Sprintf("said meanwhile %d", i)); err != nil && strings.Contains(err.Error(), "<") {
			t.Errorf("the platform's page is in the error: %v", err)
		}
		time.Sleep(200 * time.Millisecond)
	}
	r.Sim.Break(0)
	r.sayUntilAccepted()
	r.back()
	if n := r.Sim.Logins() - logins; n > 20 {
		t.Errorf("%d logins", n)
	}
}

func refreshesToken(t *testing.T, r *room) {
	r.hears(r.typed(ana, "before"))
	r.Sim.ExpireToken()
	if _, err := r.say("with a new token"); err != nil {
		t.Errorf("Say after the token expired: %v", err)
	}
	r.hears(r.typed(ana, "between"))
	logins := r.Sim.Logins()
	r.Sim.ExpireToken()
	r.Sim.Drop()
	r.back()
	if n := r.Sim.Logins() - logins; n > 5 {
		t.Errorf("%d logins after one expired token", n)
	}
	if r.count(func(e chat.Event) bool { return e.Kind == chat.Revoked }) != 0 {
		t.Error("an expired token was told as Revoked")
	}
}

func stopsWhenRevoked(t *testing.T, r *room) {
	r.hears(r.typed(ana, "before"))
	logins := r.Sim.Logins()
	r.Sim.Revoke()
	if _, err := r.say("after the revocation"); err == nil {
		t.Error("Say after the revocation was accepted")
	} else if re := refused(err); re != nil && !re.Reconnect {
		t.Errorf("Say after the revocation: %v without Reconnect", err)
	}
	r.Sim.Drop()
	r.until("Revoked, or the end of Listen", func() bool {
		return r.ended() || r.count(func(e chat.Event) bool { return e.Kind == chat.Revoked }) > 0
	})
	if r.ended() && r.listenErr() == nil {
		t.Error("Listen returned nil after the revocation, want an error")
	}
	time.Sleep(500 * time.Millisecond) // long enough for a client without a pause to log in hundreds of times
	if n := r.Sim.Logins() - logins; n > 4 {
		t.Errorf("%d logins after the revocation", n)
	}
}

func endsWithContext(t *testing.T, r *room) {
	r.hears(r.typed(ana, "before"))
	r.stop()
	r.until("the end of Listen", r.ended)
	if err := r.listenErr(); err != nil {
		t.Errorf("Listen: %v after its ctx ended, want nil", err)
	}
	n := len(r.said())
	r.Sim.Type(r.Channel, ana, "nobody listens")
	var left []string
	if !poll(waitFor, func() bool { left = goroutines(r.before); return len(left) == 0 }) {
		t.Errorf("%d goroutines left after Listen:\n%s", len(left), strings.Join(left, "\n\n"))
	}
	if len(r.said()) != n {
		t.Error("a line was heard after Listen returned")
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := r.Chat.Listen(ctx, func(chat.Event) {}); err != nil {
		t.Errorf("Listen with an ended ctx: %v, want nil", err)
	}
}
