package discordsim

import (
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// draft is a message as a client asks for it.
type draft struct {
	Content    string          `json:"content"`
	Nonce      any             `json:"nonce"`
	Enforce    bool            `json:"enforce_nonce"`
	Mentions   json.RawMessage `json:"allowed_mentions"`
	Components json.RawMessage `json:"components"`
	Embeds     []embed         `json:"embeds"`
	Flags      int             `json:"flags"`
	Reference  *struct {
		MessageID string `json:"message_id"`
		ChannelID string `json:"channel_id"`
		FailIf    *bool  `json:"fail_if_not_exists"`
	} `json:"message_reference"`
}

// embed is a frame in a message, as far as we know it.
type embed struct {
	Title       string `json:"title"`
	Description string `json:"description"`
}

// flagNoEmbeds hides every frame of a message, also its author's own (page "Message Resource", Message Flags).
const flagNoEmbeds = 1 << 2

// frames are the texts of the embeds that people see, within the documented limits.
func (d *draft) frames() (texts []string, f *fault) {
	sum := 0
	for _, e := range d.Embeds {
		title, text := utf8.RuneCountInString(e.Title), utf8.RuneCountInString(e.Description)
		if sum += title + text; title > 256 || text > 4096 || sum > 6000 || title+text == 0 || len(d.Embeds) > 10 {
			return nil, invalid
		}
		if d.Flags&flagNoEmbeds == 0 {
			texts = append(texts, strings.TrimSpace(e.Title+"\n"+e.Description))
		}
	}
	return texts, nil
}

type mentions struct {
	Parse   *[]string `json:"parse"`
	Users   []string  `json:"users"`
	Roles   []string  `json:"roles"`
	Replied bool      `json:"replied_user"`
}

var invalid = &fault{400, 50035, "Invalid Form Body"}

// check holds a draft to the documented limits and gives its buttons and what its text would notify.
func (d *draft) check(defaults []string) (bs []Button, pings int, f *fault) {
	d.Content = strings.TrimSpace(d.Content)
	if utf8.RuneCountInString(d.Content) > 2000 {
		return nil, 0, invalid
	}
	if n, ok := d.Nonce.(string); ok && len(n) > 25 {
		return nil, 0, invalid
	}
	m := mentions{Parse: &defaults}
	if d.Mentions != nil {
		m = mentions{Parse: &[]string{}}
		if json.Unmarshal(d.Mentions, &m) != nil || m.Parse == nil {
			return nil, 0, invalid // "parse": null
		}
		for _, p := range *m.Parse {
			if p != "users" && p != "roles" && p != "everyone" || p == "users" && len(m.Users) > 0 || p == "roles" && len(m.Roles) > 0 {
				return nil, 0, invalid
			}
		}
	}
	bs, f = buttons(d.Components)
	if f == nil && d.Content == "" && len(bs) == 0 && len(d.Embeds) == 0 {
		f = &fault{400, 50006, "Cannot send an empty message"}
	}
	return bs, m.pings(d.Content), f
}

// notifiesReplied reports whether a reply notifies the author of what it answers: always without allowed_mentions.
func (d *draft) notifiesReplied() bool {
	var m mentions
	return d.Mentions == nil || json.Unmarshal(d.Mentions, &m) != nil || m.Replied
}

var mention = regexp.MustCompile(`@everyone|@here|<@!?(\d+)>|<@&(\d+)>`)

func (m mentions) pings(text string) (n int) {
	for _, hit := range mention.FindAllStringSubmatch(text, -1) {
		kind, named := "everyone", false
		switch {
		case hit[1] != "":
			kind, named = "users", slices.Contains(m.Users, hit[1])
		case hit[2] != "":
			kind, named = "roles", slices.Contains(m.Roles, hit[2])
		}
		if named || slices.Contains(*m.Parse, kind) {
			n++
		}
	}
	return n
}

// buttons reads rows of buttons (page "Component Reference").
func buttons(raw json.RawMessage) (bs []Button, f *fault) {
	var rows []struct {
		Type       int
		Components []struct {
			Type, Style      int
			Label, URL       string
			CustomID         string `json:"custom_id"`
			Disabled         bool
			Emoji, SKU, Name any
		}
	}
	if len(raw) == 0 || string(raw) == "null" {
		return nil, nil
	}
	if json.Unmarshal(raw, &rows) != nil || len(rows) > 5 {
		return nil, invalid
	}
	seen := map[string]bool{}
	for _, r := range rows {
		if r.Type != 1 || len(r.Components) == 0 || len(r.Components) > 5 {
			return nil, invalid
		}
		for _, b := range r.Components {
			u, err := url.Parse(b.URL)
			link := b.Style == 5
			switch {
			case b.Type != 2 || b.Style < 1 || b.Style > 5 || b.Label == "" || utf8.RuneCountInString(b.Label) > 80:
				return nil, invalid
			case link && (err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || len(b.URL) > 512 || b.CustomID != ""):
				return nil, invalid
			case !link && (b.CustomID == "" || len(b.CustomID) > 100 || b.URL != "" || seen[b.CustomID]):
				return nil, invalid
			}
			seen[b.CustomID] = true
			bs = append(bs, Button{b.Label, b.URL, b.CustomID})
		}
	}
	return bs, nil
}

// keepNonce is how long a nonce is remembered; the page "Message Resource" says "the past few minutes".
const keepNonce = 3 * time.Minute

func (s *Sim) postMessage(w http.ResponseWriter, r *http.Request) *fault {
	var d draft
	if f := body(w, r, &d); f != nil {
		return f
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.channels[r.PathValue("channel")]
	if c == nil {
		return &fault{404, 10003, "Unknown Channel"}
	}
	now := time.Now()
	if s.weather.slow > 0 {
		s.weather.slow--
		s.tally.invalid++
		answer(w, http.StatusTooManyRequests, map[string]any{
			"code": 20016, "message": "This action cannot be performed due to slowmode rate limit", "retry_after": 0.5,
		})
		return nil
	}
	if s.weather.bare > 0 {
		s.weather.bare--
		s.tally.invalid++
		w.WriteHeader(http.StatusTooManyRequests)
		_, _ = w.Write([]byte("{}"))
		return nil
	}
	if s.weather.refusals > 0 {
		s.weather.refusals--
		s.tooMany(w, 300*time.Millisecond, false)
		return nil
	}
	left, ok := c.sends.take(now, s.cfg.SendLimit, s.cfg.SendWindow)
	wait := c.sends.until.Sub(now)
	h := w.Header()
	h.Set("X-RateLimit-Limit", strconv.Itoa(s.cfg.SendLimit))
	h.Set("X-RateLimit-Remaining", strconv.Itoa(left))
	h.Set("X-RateLimit-Reset", strconv.FormatFloat(float64(c.sends.until.UnixMilli())/1000, 'f', 3, 64))
	h.Set("X-RateLimit-Reset-After", strconv.FormatFloat(math.Ceil(wait.Seconds()*1000)/1000, 'f', 3, 64))
	h.Set("X-RateLimit-Bucket", "messages-post")
	if !ok {
		s.tally.over++
		s.tooMany(w, wait, false)
		return nil
	}
	if f := s.mayPost(c, &d); f != nil {
		return f
	}
	bs, pings, f := d.check([]string{"users", "roles", "everyone"})
	if f != nil {
		return f
	}
	frames, f := d.frames()
	if f != nil {
		return f
	}
	key := fmt.Sprint(d.Nonce) // of one author, whatever the channel (page "Message Resource")
	if n, ok := s.nonces[key]; ok && d.Nonce != nil && d.Enforce && now.Before(n.until) {
		s.tally.repeats++
		s.send(w, n.message)
		return nil
	}
	l := &line{Shown: Shown{Author: Viewer{ID: s.cfg.AppID, Name: s.cfg.BotName, Bot: true}, Own: true, Text: d.Content, Buttons: bs, Frames: frames}}
	if d.Reference != nil {
		if c.byID[d.Reference.MessageID] != nil {
			l.ReplyTo = d.Reference.MessageID
			if d.notifiesReplied() {
				pings++
			}
		} else if d.Reference.FailIf == nil || *d.Reference.FailIf {
			return invalid
		}
	}
	s.tally.pings += pings
	s.add(c, l)
	m := s.message(c, l)
	if d.Nonce != nil {
		m["nonce"] = d.Nonce
		s.remember(key, nonce{m, now.Add(keepNonce)})
	}
	s.send(w, m)
	return nil
}

// send answers with a message, or cuts the connection when a verb ordered so.
func (s *Sim) send(w http.ResponseWriter, m map[string]any) {
	if s.weather.losses > 0 {
		s.weather.losses--
		panic(http.ErrAbortHandler) // the server closes the connection and says nothing
	}
	answer(w, 200, m)
}

func (s *Sim) remember(key string, n nonce) {
	if len(s.nonces) > 4096 {
		for k, o := range s.nonces {
			if time.Now().After(o.until) {
				delete(s.nonces, k)
			}
		}
	}
	s.nonces[key] = n
}

func (s *Sim) mayPost(c *channel, d *draft) *fault {
	may := s.allowed(c)
	switch {
	case may&ViewChannel == 0:
		return &fault{403, 50001, "Missing Access"}
	case may&SendMessages == 0:
		return &fault{403, 50013, "Missing Permissions"}
	case s.dmsOff[c.user]:
		return &fault{403, 50007, "Cannot send messages to this user"}
	case may&EmbedLinks == 0 && len(d.Embeds) > 0:
		return &fault{403, 50013, "Missing Permissions"}
	case may&ReadHistory == 0 && d.Reference != nil:
		return &fault{400, 160002, "Cannot reply without permission to read message history"}
	}
	return nil
}
