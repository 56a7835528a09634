package speaker_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"hawker/commerce"
	"hawker/internal/chat"
	"hawker/internal/live/speaker"
)

// asks has a viewer ask for something that is the same for all.
func (h *hall) asks(who, answer string, wait time.Duration) {
	u := &speaker.Utterance{
		Rank: speaker.RankInfo, To: chat.Answer{Kind: chat.ToReply, Channel: here, Message: who}, Shared: answer, Asker: who,
		Words: func(bool) speaker.Words { return speaker.Words{Text: "@" + who + " " + answer} }, Done: func(time.Time, error) {},
	}
	if wait > 0 {
		u.NotBefore = time.Now().Add(wait)
	}
	h.Say(u)
}

// TestShared: many who ask the same while it waits are told by one line that names each once; a line that is full leaves the rest to
// the next.
func TestShared(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := twitchLike()
		b.MaxRunes = 60
		h := open(t, b)
		h.say("first", speaker.RankHeld, here) // the others wait behind it
		h.asks("ana", "On sale: mugs.", 0)
		h.asks("bob", "On sale: mugs.", 0)
		h.asks("cy", "!buy 3 holds item 3.", 0)
		h.asks("ana", "On sale: mugs.", 0)
		for i := range 8 {
			h.asks(fmt.Sprint("viewer", i), "On sale: mugs.", 0)
		}
		time.Sleep(30 * time.Second)
		want := []string{
			"first", "@ana @bob @viewer0 @viewer1 @viewer2 @viewer3 On sale: mugs.", "@cy !buy 3 holds item 3.", "@viewer4 @viewer5 @viewer6 @viewer7 On sale: mugs.",
		}
		if got := h.p.texts(); !slices.Equal(got, want) {
			t.Errorf("said %q", got)
		}
		if f := h.Look(here); f.Lines != 4 || f.Joined != 2 || f.Covered != 13 || f.Waiting != 0 || f.Left != 16 || f.Most != 20 {
			t.Errorf("figures %+v", f)
		}
	})
}

// TestSameWords: two who get the same words are both answered, the second by name, because a platform takes no line twice; the same
// one is not told twice more.
func TestSameWords(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := twitchLike()
		b.MaxRunes = 40
		h := open(t, b)
		var ends []error
		answer := func(who, text string, joined *commerce.Outcome) {
			h.Say(&speaker.Utterance{
				Rank: speaker.RankInfo, To: chat.Answer{Kind: chat.ToReply, Channel: here, Message: who}, Asker: who, Joined: joined,
				Words: func(bool) speaker.Words { return speaker.Words{Text: text} }, Done: func(_ time.Time, err error) { ends = append(ends, err) },
			})
			time.Sleep(3 * time.Second)
			synctest.Wait()
		}
		answer("ana", "You hold nothing.", nil)
		answer("bob", "You hold nothing.", nil)
		answer("bob", "You hold nothing.", nil)
		answer("", "#3 Mug held.", &commerce.Outcome{Viewer: chat.Viewer{Name: "cy"}})
		answer("", "#3 Mug held.", &commerce.Outcome{Viewer: chat.Viewer{Name: "dee"}})
		long := strings.Repeat("long ", 8)
		answer("ana", long, nil)
		answer("bob", long, nil) // with the name it would be cut
		want := []string{"You hold nothing.", "@bob You hold nothing.", "#3 Mug held.", "@dee #3 Mug held.", long}
		if got := h.p.texts(); !slices.Equal(got, want) {
			t.Errorf("said %q", got)
		}
		for i, err := range ends {
			if told := i == 2 || i == 6; errors.Is(err, speaker.ErrTold) != told || !told && err != nil {
				t.Errorf("answer %d ended with %v", i, err)
			}
		}
		if len(ends) != 7 {
			t.Errorf("%d of 7 answers ended", len(ends))
		}
	})
}

// TestNotBefore: what may not be said yet waits, lets others by, and goes when its time has come; muting drops it.
func TestNotBefore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := open(t, twitchLike())
		h.asks("late", "a", 20*time.Second)
		h.asks("soon", "b", 10*time.Second)
		h.say("now", speaker.RankHeld, here)
		time.Sleep(5 * time.Second)
		if v := h.Look(here); v.Waiting != 2 || v.Lines != 1 {
			t.Errorf("%+v", v)
		}
		time.Sleep(10 * time.Second)
		if got := h.p.texts(); !slices.Equal(got, []string{"now", "@soon b"}) {
			t.Errorf("said %q", got)
		}
		h.Mute(here, true)
		time.Sleep(time.Minute)
		if v := h.Look(here); v.Lines != 2 || v.Muted != true || v.Figures.Muted != 1 || v.Waiting != 0 {
			t.Errorf("%+v, said %q", v, h.p.texts())
		}
	})
}

// loud is a platform that has announcements, or does not.
type loud struct {
	*platform
	refuses error
	loud    []string
}

func (l *loud) Do(_ context.Context, d chat.Deed) error {
	if l.refuses != nil {
		return l.refuses
	}
	l.loud = append(l.loud, d.Text)
	return nil
}

// TestLoud: a shout-out takes the form in which the platform makes it stand out; where there is none it is a line, and what may have
// arrived is not said again.
func TestLoud(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, tt := range []struct {
			err         error
			lines, loud string
			failed      bool
			plain       bool
		}{
			{nil, "joined", "1 2", false, false},
			{nil, "joined 1 2", "", false, true}, // where announcements are something else
			{&chat.Refused{Code: "unsupported"}, "joined 1 2", "", false, false},
			{&chat.Refused{Code: "scope"}, "joined 1 2", "", false, false},
			{&chat.Refused{Code: "network", Unknown: true}, "joined", "", true, false},
			{&chat.Refused{Code: "token", Reconnect: true}, "joined", "", true, false},
		} {
			b := twitchLike()
			b.Announces = !tt.plain
			h := open(t, b)
			l := &loud{platform: h.p, refuses: tt.err}
			h.Chat = l
			var ends []error
			for i := range 2 {
				h.Say(&speaker.Utterance{
					Rank: speaker.RankReminder, To: chat.Answer{Kind: chat.ToChannel, Channel: here}, Merge: true, Loud: true,
					Words: func(bool) speaker.Words { return speaker.Words{Text: fmt.Sprint(i + 1)} }, Done: func(_ time.Time, err error) { ends = append(ends, err) },
				})
			}
			h.Say(&speaker.Utterance{
				Rank: speaker.RankReminder, To: chat.Answer{Kind: chat.ToChannel, Channel: here}, Merge: true,
				Words: func(bool) speaker.Words { return speaker.Words{Text: "joined"} }, Done: func(time.Time, error) {},
			})
			time.Sleep(10 * time.Second)
			synctest.Wait()
			lines := h.p.texts()
			slices.SortFunc(lines, func(a, b string) int { return len(b) - len(a) })
			if strings.Join(lines, " ") != tt.lines || strings.Join(l.loud, " ") != tt.loud || len(ends) != 2 || (ends[0] != nil) != tt.failed {
				t.Errorf("%v: said %q, loud %q, %v", tt.err, lines, l.loud, ends)
			}
			var refused *chat.Refused
			if tt.failed && !errors.As(ends[0], &refused) {
				t.Errorf("%v: it ended with %v", tt.err, ends[0])
			}
		}
	})
}
