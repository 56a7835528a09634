package chatline

import (
	"bytes"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"io"
	"strings"
	"sync"
	"time"
	"unicode"
)

// printer writes lines, one at a time.
type printer struct {
	o  Options
	mu sync.Mutex
}

func (p *printer) print(l Line) {
	var b bytes.Buffer
	if p.o.JSON {
		e := json.NewEncoder(&b)
		e.SetEscapeHTML(false)
		_ = e.Encode(l) // strings and numbers always can be
	} else {
		b.WriteString(p.plain(&l) + "\n")
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	_, _ = p.o.Out.Write(b.Bytes()) // who closed our output is heard of by the signal
}

// plain is a line for people.
func (p *printer) plain(l *Line) string {
	var b strings.Builder
	paint := func(color, s string) {
		if p.o.Color && s != "" {
			s = "\x1b[" + color + "m" + s + "\x1b[0m"
		}
		b.WriteString(s)
	}
	paint("2", time.Now().Format("15:04:05")+" ")
	paint("36", Visible("#"+l.Channel)+" ")
	if l.Type == "chat" || l.Type == "edited" {
		for _, badge := range []struct {
			on   bool
			text string
		}{{l.Broadcaster, "host"}, {l.Mod, "mod"}, {l.Sub, "sub"}, {l.Own, "us"}, {l.Bot, "bot"}} {
			if badge.on {
				paint("33", "["+badge.text+"] ")
			}
		}
		paint(colorOf(l.UserID), Visible(l.name))
		b.WriteString(map[bool]string{false: ": ", true: " "}[l.Action] + Visible(l.Text))
		if l.Bits > 0 {
			paint("35", fmt.Sprintf(" (%d bits)", l.Bits))
		}
		if l.SourceRoomID != "" {
			paint("2", " (typed in channel "+Visible(l.SourceRoomID)+")")
		}
		if l.Type == "edited" {
			paint("2", " (edited)")
		}
		return b.String()
	}
	color := "32"
	switch l.Type {
	case "revoked", "auth_failed", "send_failed", "join_failed", "trouble", "bad_input", "gap", "left":
		color = "31"
	}
	paint(color, l.Type)
	for _, s := range []string{
		l.name, l.Title, l.Text, count("months", l.Months), count("", l.Count), l.Tier, count("seconds", l.Seconds), l.Code, l.Reason, strings.Join(l.Missing, " "), l.ID,
	} {
		if s != "" {
			b.WriteString(" " + Visible(s))
		}
	}
	return b.String()
}

func count(what string, n int) string {
	if n == 0 {
		return ""
	}
	return strings.TrimSpace(fmt.Sprint(n, " ", what))
}

// colorOf gives a viewer the same color each time.
func colorOf(id string) string {
	h := fnv.New32a()
	_, _ = h.Write([]byte(id))
	return fmt.Sprint(91 + h.Sum32()%6)
}

// Visible is a text that cannot steer a terminal.
func Visible(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) || r == '\u2028' || r == '\u2029' {
			return -1
		}
		return r
	}, s)
}

// shortest is the shortest secret that Hide looks for: shorter ones would be found in ordinary words.
const shortest = 8

// Hide is w with every secret of now blotted out, in what is written at once.
func Hide(w io.Writer, secrets func() []string) io.Writer { return &hiding{w, secrets} }

type hiding struct {
	w       io.Writer
	secrets func() []string
}

func (h *hiding) Write(b []byte) (int, error) {
	out := b
	for _, s := range h.secrets() {
		if len(s) >= shortest && bytes.Contains(out, []byte(s)) {
			out = bytes.ReplaceAll(out, []byte(s), []byte("[secret]"))
		}
	}
	if _, err := h.w.Write(out); err != nil {
		return 0, err
	}
	return len(b), nil
}
