package web_test

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"hawker/commerce"
	"hawker/internal/chat"
	"hawker/internal/live"
	"hawker/internal/seal"
	"hawker/internal/sqldb/rulebook"
)

// Signing out ends the streams that the session has open, and those of nobody else.
func TestSignOutEndsStreams(t *testing.T) {
	h := newHouse(t)
	m := h.merchant()
	show := h.show(m, h.products(m), commerce.ShowLive)
	open := func(c *client) io.ReadCloser {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, h.url+"/shows/"+show.String()+"/events", nil)
		h.must(err)
		res, err := c.Do(req)
		h.must(err)
		if res.StatusCode != http.StatusOK {
			t.Fatalf("stream: %d", res.StatusCode)
		}
		return res.Body
	}
	leaves, stays := h.as("owner"), h.as("owner")
	first, second, other := open(leaves), open(leaves), open(stays)
	defer other.Close()
	leaves.post("/sign-out")
	for _, b := range []io.ReadCloser{first, second} {
		if _, err := io.Copy(io.Discard, b); err != nil {
			t.Errorf("the stream ended by %v", err)
		}
		b.Close()
	}
	if _, err := h.hub.Ask(t.Context(), m, commerce.Key{}, commerce.Air{Show: show, Number: 2}); err != nil {
		t.Fatal(err)
	}
	seen, buf := "", make([]byte, 64<<10)
	for !strings.Contains(seen, "Wide bowl") {
		n, err := other.Read(buf)
		seen += string(buf[:n])
		h.must(err)
	}
}

// A double click on the desk does once what a click does; a click on what the desk then shows does it again.
func TestDeskFormsTwice(t *testing.T) {
	h := newHouse(t)
	m := h.merchant()
	show := h.bustle(m)
	at := "/shows/" + show.String()
	c, other := h.as("owner"), h.as("manager")
	p := h.until(m, show, "the show", func(live.ShowPage) bool { return true })
	own := p.Items[0].Stock[0]
	free := func() int64 {
		return h.until(m, show, "the show", func(live.ShowPage) bool { return true }).Items[0].Stock[0].Free
	}
	id := regexp.MustCompile(`<span id="once" hidden><input type="hidden" name="key" value="([a-z2-7]{26})">`).FindStringSubmatch(c.get(at).body)[1]
	plus := func(c *client, id string) answer {
		return c.post(at+"/stock", "key", id, "variant", own.Variant.ID.String(), "stock", "+1", "header HX-Request", "true")
	}
	var last answer
	for range 3 {
		if last = plus(c, id); last.status != http.StatusOK {
			t.Fatalf("one more: %d\n%s", last.status, last.body)
		}
	}
	if got := free(); got != own.Free+1 {
		t.Errorf("%d free after one click three times, want %d", got, own.Free+1)
	}
	next := regexp.MustCompile(`hx-target="#once" hx-swap="innerHTML">\s*<input type="hidden" name="key" value="([a-z2-7]{26})">`).FindStringSubmatch(last.body)
	if next == nil || next[1] == id {
		t.Fatalf("the answer brings no new id: %v", next)
	}
	plus(c, next[1])
	plus(other, id) // somebody else's click on the same page
	if got := free(); got != own.Free+3 {
		t.Errorf("%d free, want %d", got, own.Free+3)
	}
	hold := p.Open[0].ID.String()
	for range 2 {
		if r := c.post(at+"/release", "key", id, "hold", hold, "header HX-Request", "true"); r.status != http.StatusOK {
			t.Errorf("releasing by a double click: %d %s", r.status, r.body)
		}
	}
	for _, number := range []string{"2", "3", "2"} { // the same wish later, from a newer page, is a new one
		c.post(at+"/air", "key", seal.NewToken().Reveal(), "number", number)
	}
	if p := h.until(m, show, "the show", func(live.ShowPage) bool { return true }); p.Show.Lineup.OnAir != 2 {
		t.Errorf("on air is %d", p.Show.Lineup.OnAir)
	}
}

// A busy desk lists what comes first and says how much more there is; an order that changed is told in words.
func TestBusyDesk(t *testing.T) {
	h := newHouse(t)
	m := h.merchant()
	ps := h.products(m)
	show := h.show(m, ps, commerce.ShowLive)
	many := int64(2000)
	_, err := h.hub.Ask(t.Context(), m, commerce.Key{}, commerce.SetStock{Variant: ps[1].Variants[0].ID, Available: &many})
	h.must(err)
	for i := range commerce.ViewMost + 240 {
		h.says(m, fmt.Sprint("hold", i), fmt.Sprint("hal", i), "!buy 2 sand")
	}
	for i := range 301 {
		h.says(m, fmt.Sprint("wait", i), fmt.Sprint("wim", i), "!buy 4")
	}
	h.until(m, show, "all are decided", func(p live.ShowPage) bool {
		return len(p.Open)+p.MoreOpen == commerce.ViewMost+241 && len(p.Waiting)+p.MoreWaiting == 300
	})
	at := "/shows/" + show.String()
	body := h.as("owner").get(at).body
	for _, want := range []string{
		`<p class="soft small rest">and 1181 more</p>`, `<p class="soft small rest">and 240 more</p>`, `<dt>In line</dt><dd>300<span`,
		`<dt>Held, not paid</dt><dd>€59534.50<span class="sub">1241 pieces</span>`,
	} {
		if !strings.Contains(body, want) {
			t.Errorf("the desk has no %s", want)
		}
	}
}

// asks puts three questions on the desk of a show: two of viewers, one of no viewer in particular.
func (h *house) asks(merchant, show commerce.ID) {
	h.t.Helper()
	now := time.Now()
	for i, q := range []rulebook.Question{
		{Channel: twitchChannel(), Viewer: chat.Viewer{Platform: chat.Twitch, ID: "vbob", Name: "bob"}, Text: "How tall is the vase?"},
		{Text: "Restocked: is the blue one back?"},
		{
			Channel: youtubeChannel(), Viewer: chat.Viewer{Platform: chat.YouTube, ID: "UCeve", Name: "<script>alert(1)</script>"},
			Text: "<b>Which</b> glaze, and does it come as https://example.com/" + strings.Repeat("averylongword", 8) + "?",
		},
	} {
		q.ID, q.Show, q.At = commerce.NewID(now.Add(time.Duration(i)*time.Millisecond)), show, now
		h.must(h.db.Rulebook().PutQuestion(h.t.Context(), merchant, q))
	}
}

// stream is an open stream of a page.
type stream struct {
	t  *testing.T
	sc *bufio.Scanner
}

func (c *client) stream(page string) *stream {
	c.t.Helper()
	req, err := http.NewRequestWithContext(c.t.Context(), http.MethodGet, c.url+page+"/events", nil)
	if err != nil {
		c.t.Fatal(err)
	}
	res, err := c.Do(req)
	if err != nil {
		c.t.Fatal(err)
	}
	c.t.Cleanup(func() { res.Body.Close() })
	if res.StatusCode != http.StatusOK {
		c.t.Fatalf("stream: %d", res.StatusCode)
	}
	s := &stream{c.t, bufio.NewScanner(res.Body)}
	s.sc.Buffer(nil, 8<<20)
	return s
}

// until reads on until a line holds a text, and gives what came since the last call.
func (s *stream) until(part string) string {
	s.t.Helper()
	var b strings.Builder
	for s.sc.Scan() {
		b.WriteString(strings.TrimPrefix(s.sc.Text(), "data: ") + "\n")
		if strings.Contains(s.sc.Text(), part) {
			return b.String()
		}
	}
	s.t.Fatalf("the stream ended before %q came: %v\n%s", part, s.sc.Err(), b.String())
	return ""
}

// What a rule puts on the desk as a question is there at once, for everybody who sees the desk, and after a restart, until
// somebody takes it off.
func TestQuestions(t *testing.T) {
	dir := t.TempDir()
	h := newHouseIn(t, dir)
	m := h.merchant()
	show := h.show(m, h.products(m), commerce.ShowLive)
	h.putRules(m, "name: Questions\nwhen: {line contains: glaze}\nthen: [{question: \"{text}\"}]\n")
	at := "/shows/" + show.String()
	owner := h.as("owner")
	if body := owner.get(at).body; strings.Contains(body, "questions-title") || strings.Contains(body, `href="#questions"`) {
		t.Error("the desk shows questions, and nobody asked")
	}
	s := owner.stream(at)
	// comes waits until the desk lists a question, and gives its id and how it is listed.
	comes := func(text string) (id, listed string) {
		t.Helper()
		listed = s.until(`asked-text">`+text) + s.until("</form>")
		all := regexp.MustCompile(`name="question" value="(\d+)"`).FindAllStringSubmatch(listed, -1)
		return all[len(all)-1][1], listed
	}
	s.until(`hx-target="#questions"`)
	h.says(m, "q1", "bob", "which glaze is it?")
	first, got := comes("which glaze is")
	if !strings.Contains(got, `<strong>bob</strong> <span class="platform">Twitch</span>`) {
		t.Fatalf("the question came as %s", got)
	}
	for i, role := range []string{"manager", "creator", "moderator"} { // each takes the one off that was asked last
		h.says(m, fmt.Sprint("more", i), role, "and the glaze of number "+fmt.Sprint(i)+"?")
		last, _ := comes("and the glaze of number " + fmt.Sprint(i))
		c := h.as(role)
		if body := c.get(at).body; !strings.Contains(body, `<a class="pill held" href="#questions">2 questions</a>`) ||
			strings.Index(body, `asked-text">and the glaze`) > strings.Index(body, `asked-text">which glaze`) {
			t.Errorf("%s does not see two questions, the newest first", role)
		}
		r := c.post(at+"/answered", "question", last, "header HX-Request", "true")
		if r.status != http.StatusOK || strings.Contains(r.body, `asked-text">and`) || !strings.Contains(r.body, `asked-text">which`) {
			t.Errorf("%s takes a question off: %d %s", role, r.status, r.body)
		}
		s.until(`hx-target="#questions"`) // the others are told
	}
	for _, x := range []struct {
		question string
		want     int
	}{{"", http.StatusBadRequest}, {"nine", http.StatusBadRequest}, {"9", http.StatusSeeOther}} {
		if r := owner.post(at+"/answered", "question", x.question); r.status != x.want {
			t.Errorf("taking %q off: %d", x.question, r.status)
		}
	}
	if r := h.client().post(at+"/answered", "question", first); r.status == http.StatusOK || strings.HasPrefix(r.to, at) {
		t.Errorf("a stranger takes a question off: %d to %s", r.status, r.to)
	}
	again := newHouseIn(t, dir) // as after a restart
	c := again.as("moderator")
	if body := c.get(at).body; !strings.Contains(body, `asked-text">which`) || strings.Contains(body, `asked-text">and`) {
		t.Error("after a restart the desk does not have the question that is open, or has those that are answered")
	}
	for range 2 { // two taps
		if r := c.post(at+"/answered", "question", first); r.status != http.StatusSeeOther || r.to != at {
			t.Errorf("answered: %d to %s", r.status, r.to)
		}
	}
	if body := c.get(at).body; strings.Contains(body, "questions-title") {
		t.Error("the desk still has a question")
	}
}
