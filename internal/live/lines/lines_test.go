package lines

import (
	"bytes"
	"encoding/json"
	"reflect"
	"testing"
	"time"

	"hawker/commerce"
	"hawker/internal/chat"
	"hawker/internal/live/ruling"
	"hawker/rules"
)

func TestAppendIsJSON(t *testing.T) {
	at := time.UnixMilli(1_790_000_000_123).UTC()
	for _, l := range []Line{
		{},
		{V: Version, Message: chat.Message{ID: "m", Text: "!buy <3>", Sent: at}, Reason: commerce.Chat, Decided: at},
		{
			V: Version, Message: chat.Message{ID: "m", Viewer: chat.Viewer{Platform: chat.Twitch, ID: "7", Name: "ana"}}, Show: 5, OnAir: 3, Command: rules.Command{Name: rules.Buy, Item: 3},
			Reason: commerce.Held, Hold: 9, Decided: at, Rules: 4, Seed: 1 << 63, Facts: &ruling.Told{},
		},
	} {
		want, err := json.Marshal(l)
		if err != nil {
			t.Fatal(err)
		}
		if got := l.append(nil); string(got) != string(want) {
			t.Errorf("wrote %s\nwant  %s", got, want)
		}
	}
}

// recordOf is lines as one record.
func recordOf(w *Writer, all []Line) []byte {
	for i := range all {
		w.Add(&all[i])
	}
	return w.record()
}

// What is written is read again, whatever its size, and what is cut is an error.
func TestRecords(t *testing.T) {
	w := NewWriter(nil)
	at := time.UnixMilli(1_790_000_000_123).UTC()
	var all []Line
	for n := range 200 {
		all = append(all, Line{V: Version, Message: chat.Message{ID: string(rune('a' + n)), Text: "!buy 3"}, Show: commerce.ID(n), Reason: commerce.SoldOut, Decided: at})
		record := recordOf(w, all)
		got, err := Read(record)
		if err != nil || !reflect.DeepEqual(got, all) {
			t.Fatalf("%d lines: %v, %v", len(all), got, err)
		}
		if shows, err := Shows(record); err != nil || len(shows) != len(all) || shows[n] != commerce.ID(n) {
			t.Fatalf("%d lines: shows %v, %v", len(all), shows, err)
		}
		if plain := len(w.plain); plain > pressFrom && len(record) > plain/2 {
			t.Errorf("%d lines: %d bytes of %d", len(all), len(record), plain)
		}
		if _, err := Read(record[:len(record)-1]); err == nil {
			t.Errorf("%d lines, cut: no error", len(all))
		}
	}
	first := recordOf(w, all)
	kept := bytes.Clone(first)
	recordOf(w, all[:100])
	if !bytes.Equal(first, kept) {
		t.Error("a record changes with the next")
	}
}

func FuzzRead(f *testing.F) {
	w := NewWriter(nil)
	f.Add(recordOf(w, []Line{{V: Version}}))
	f.Add(recordOf(w, make([]Line, 40)))
	f.Add([]byte(`{"v":1}`))
	f.Add([]byte("\x01\xff\xff\xff\xff\x0f"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if lines, err := Read(b); err == nil && lines == nil && len(b) == 0 {
			t.Error("lines of nothing")
		}
	})
}
