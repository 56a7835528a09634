package youtube

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	yt "google.golang.org/api/youtube/v3"

	"hawker/connectors/youtube/wire"
	"hawker/internal/chat"
)

// streamIdle is how long a stream may be silent before it is taken for dead; a real one ends by itself after about 10 s.
const streamIdle = 25 * time.Second

// errEnded means that the chat told its own end.
var errEnded = errors.New("youtube: the live chat has ended")

// read makes one call, a stream where there is one, else a list, and hears its pages, which it counts. Both bodies are read by our own
// decoder: the library's fails on the stream, and gives up a whole list page for one bad item.
func (l *listener) read(ctx context.Context) (pages int, err error) {
	now := time.Now()
	stream := !now.Before(l.noStream)
	path, idle := "youtube/v3/liveChat/messages", callTimeout
	if stream {
		path, idle = path+"/stream", streamIdle
	}
	q := url.Values{"liveChatId": {l.chat}, "part": {"id", "snippet", "authorDetails"}, "alt": {"json"}, "prettyPrint": {"false"}}
	if l.token != "" {
		q.Set("pageToken", l.token)
	}
	if !stream {
		q.Set("maxResults", "2000")
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	watch := time.AfterFunc(idle, cancel)
	defer watch.Stop()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, l.c.o.APIURL+path+"?"+q.Encode(), http.NoBody)
	if err != nil {
		return 0, err
	}
	res, err := l.c.http.Do(req)
	if err != nil {
		return 0, err
	}
	defer closeBody(res.Body)
	if res.StatusCode != http.StatusOK {
		return 0, answerError(res)
	}
	ended := false
	body := &watched{res.Body, watch, idle}
	err = wire.ReadPages(body, func(p wire.Page) {
		pages++
		ended = l.page(p, stream, now, pages == 1) || ended
	})
	if err == nil {
		_, _ = io.Copy(io.Discard, io.LimitReader(body, 4096)) // to its end, so that the connection can be used again
	}
	if ended {
		err = errEnded
	}
	return pages, err
}

// watched puts off the end of a call while bytes come.
type watched struct {
	r    io.Reader
	t    *time.Timer
	idle time.Duration
}

func (w *watched) Read(b []byte) (int, error) {
	n, err := w.r.Read(b)
	if n > 0 {
		w.t.Reset(w.idle)
	}
	return n, err
}

// page hears one page of a call that began at start, and reports whether it tells the end of the chat.
func (l *listener) page(p wire.Page, stream bool, start time.Time, first bool) (ended bool) {
	c, now := l.c, time.Now()
	baseline := l.token == ""
	l.polling = 0
	if !stream {
		l.polling = time.Duration(min(p.PollingMillis, 120_000)) * time.Millisecond
	}
	l.onAir = l.chat
	if !l.joined {
		l.joined = true
		l.hear(chat.Event{Kind: chat.Joined, Channel: c.channel, At: now})
	}
	c.note(func(s *chat.State) { s.Hears, s.Trouble = true, "" })
	if l.since.IsZero() {
		l.since = l.start()
	}
	skipped := 0
	items := make([]*yt.LiveChatMessage, 0, len(p.Items))
	for _, raw := range p.Items {
		var item yt.LiveChatMessage
		if err := json.Unmarshal(raw, &item); err != nil {
			skipped++
			continue
		}
		items = append(items, &item)
	}
	l.tellGap(items)
	newest := l.since
	for _, item := range items {
		if item.Snippet != nil && item.Snippet.Type == "chatEndedEvent" {
			ended = true
			continue
		}
		newest = latest(newest, l.item(item, now, baseline, func(sent time.Time) bool { return l.recovering && (first || sent.Before(start)) }))
	}
	if skipped > 0 {
		c.log.Warn("items not understood", "items", skipped)
	}
	if !first {
		l.recovering = false
	}
	l.since = newest
	if p.NextPageToken != "" && p.NextPageToken != l.token {
		l.token = p.NextPageToken
		if c.o.SaveCursor != nil {
			c.o.SaveCursor(c.channel, l.chat+" "+l.token)
		}
	}
	return ended || p.OfflineAt != ""
}

// tellGap says that lines are missing between the place that we lost and a new baseline. Where that begins with something that
// was read before, or with nothing, none are.
func (l *listener) tellGap(items []*yt.LiveChatMessage) {
	why := l.lost
	l.lost = ""
	if why == "" || len(items) == 0 || slices.ContainsFunc(items, func(i *yt.LiveChatMessage) bool { return l.seen.has(wire.Key(i)) }) {
		return
	}
	l.hear(chat.Event{Kind: chat.Gap, Channel: l.c.channel, Reason: why, At: time.Now()})
}

// item hears what one item tells, unless it was heard before or is older than our start, and returns when it was sent.
func (l *listener) item(item *yt.LiveChatMessage, now time.Time, baseline bool, recovered func(time.Time) bool) (sent time.Time) {
	c := l.c
	told := wire.Events(c.channel, item, now)
	if len(told) == 0 || !l.seen.add(wire.Key(item)) {
		return sent
	}
	// YouTube does not mark where its history ends. What was said before we listened is not acted upon.
	sent, err := time.Parse(time.RFC3339, item.Snippet.PublishedAt)
	if baseline && (err != nil || sent.Before(l.since)) {
		return time.Time{}
	}
	for _, e := range told {
		if e.Kind == chat.Said {
			m := &e.Message
			m.Own = c.echoes.own(m.ID, m.Viewer.ID, m.Text)
			m.Recovered = recovered(m.Sent)
			l.lastLine = now
			c.note(func(s *chat.State) {
				s.LastHeard = now
				if !m.Recovered {
					s.Delay = max(0, now.Add(c.calls.way.skew()).Sub(m.Sent))
				}
			})
		}
		l.hear(e)
	}
	return sent
}

func latest(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// resume keeps a stored place until its chat is found. A place in another chat is dropped by find.
func (l *listener) resume(stored string) {
	if id, tok, ok := strings.Cut(stored, " "); ok && id != "" && tok != "" {
		l.chat, l.token, l.recovering = id, tok, true
	}
}
