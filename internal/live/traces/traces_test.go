package traces

import (
	"fmt"
	"testing"
	"time"

	"hawker/internal/chat"
	"hawker/rules/book"
)

func TestBook(t *testing.T) {
	var b Book
	now := time.Unix(100_000, 0)
	v := func(i int) chat.Viewer { return chat.Viewer{Platform: chat.Twitch, ID: fmt.Sprint(i), Name: "n"} }
	looks := []book.Look{{Name: "first"}}
	for i := range most + 10 {
		b.Add(Trace{At: now.Add(time.Duration(i) * time.Millisecond), Viewer: v(i), Text: fmt.Sprint("line ", i), Looks: looks})
		looks[0].Name = "used again"
	}
	now = now.Add(time.Minute)
	all := b.List(now)
	if len(all) != most || all[0].Text != fmt.Sprint("line ", most+9) || all[most-1].Text != "line 10" {
		t.Errorf("%d traces, from %q to %q", len(all), all[0].Text, all[len(all)-1].Text)
	}
	if _, ok := b.Of(v(5), now); ok {
		t.Error("one that made room is remembered")
	}
	got, ok := b.Of(chat.Viewer{Platform: chat.Twitch, ID: "12", Name: "another"}, now)
	if !ok || got.Text != "line 12" {
		t.Errorf("of viewer 12: %+v, %v", got, ok)
	}
	b.Forget(v(12))
	if got, _ := b.Of(v(12), now); got.Text != "" || got.Viewer.Name != "" {
		t.Errorf("after forgetting: %+v", got)
	}
	if len(b.List(now.Add(Kept))) != 0 {
		t.Error("old traces are listed")
	}
	if _, ok := b.Of(v(20), now.Add(Kept)); ok {
		t.Error("an old trace is told")
	}
}
