package wire

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"reflect"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"google.golang.org/api/googleapi"
	yt "google.golang.org/api/youtube/v3"

	"hawker/internal/chat"
)

func read(r io.Reader) (pages []Page, err error) {
	err = ReadPages(r, func(p Page) { pages = append(pages, p) })
	return pages, err
}

func TestReadPages(t *testing.T) {
	for _, tt := range []struct {
		name, body string
		tokens     string
		err        error
	}{
		{"stream", `[{"nextPageToken":"a","items":[{"id":"1"}]}` + ",\r\n" + `{"nextPageToken":"b"}]`, "ab", nil},
		{"list", `{"nextPageToken":"a","items":[]}`, "a", nil},
		{"no pages", `[]`, "", nil},
		{"cut after a page", `[{"nextPageToken":"a"}`, "a", io.ErrUnexpectedEOF},
		{"cut in a page", `[{"nextPageToken":"a"},{"items":[{"id":`, "a", io.ErrUnexpectedEOF},
		{"empty", ``, "", io.ErrUnexpectedEOF},
		{"HTML", `<!DOCTYPE html>`, "", ErrMalformed},
		{"no comma", `[{"nextPageToken":"a"}{"nextPageToken":"b"}]`, "a", ErrMalformed},
		{"wrong types are passed over", `[{"nextPageToken":5,"items":"x"},{"nextPageToken":"b"},7,null]`, "b", nil},
	} {
		pages, err := read(strings.NewReader(tt.body))
		tokens := ""
		for _, p := range pages {
			tokens += p.NextPageToken
		}
		if tokens != tt.tokens || !errors.Is(err, tt.err) {
			t.Errorf("%s: tokens %q, %v; want %q, %v", tt.name, tokens, err, tt.tokens, tt.err)
		}
	}
	var ge *googleapi.Error
	if _, err := read(strings.NewReader(`[{"error":{"code":403,"errors":[{"reason":"liveChatEnded"}]}}]`)); !errors.As(err, &ge) || ge.Errors[0].Reason != "liveChatEnded" {
		t.Errorf("an error in the stream: %v", err)
	}
	endless := io.MultiReader(strings.NewReader(`[{"nextPageToken":"`), endlessText{})
	if _, err := read(endless); !errors.Is(err, ErrMalformed) {
		t.Errorf("a page without end: %v", err)
	}
}

type endlessText struct{}

func (endlessText) Read(b []byte) (int, error) {
	for i := range b {
		b[i] = 'x'
	}
	return len(b), nil
}

func TestPagesComeAtOnce(t *testing.T) {
	r, w := io.Pipe()
	got := make(chan string, 1)
	done := make(chan error, 1)
	go func() { done <- ReadPages(r, func(p Page) { got <- p.NextPageToken }) }()
	for _, tok := range []string{"a", "b"} {
		sep := map[string]string{"a": "[", "b": ",\r\n"}[tok]
		if _, err := io.WriteString(w, sep+`{"nextPageToken":"`+tok+`"}`); err != nil {
			t.Fatal(err)
		}
		if s := <-got; s != tok { // the test hangs here if the page waits for the next one
			t.Errorf("page %q, want %q", s, tok)
		}
	}
	_ = w.Close()
	if err := <-done; !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("ended with %v", err)
	}
}

func FuzzReadPages(f *testing.F) {
	f.Add([]byte(`[{"nextPageToken":"a","items":[{"id":"1"},null,5]},` + "\r\n" + `{"items":[]}]`))
	f.Add([]byte(`{"items":[{"snippet":{"superChatDetails":{"amountMicros":"5"}}}]}`))
	f.Add([]byte(`[{"error":{"code":403}}]`))
	f.Add([]byte(`[{},[],{}] trailing`))
	f.Add([]byte(`{}{}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		pages, err := read(bytes.NewReader(b))
		slow, slowErr := read(iotest.OneByteReader(bytes.NewReader(b)))
		if !reflect.DeepEqual(pages, slow) || (err == nil) != (slowErr == nil) {
			t.Fatalf("%q: %d pages, %v; byte by byte %d pages, %v", b, len(pages), err, len(slow), slowErr)
		}
		if len(pages) > len(b) {
			t.Fatalf("%d pages of %d bytes", len(pages), len(b))
		}
		for _, p := range pages {
			for _, raw := range p.Items {
				if raw != nil && !json.Valid(raw) {
					t.Fatalf("item %q is no JSON", raw)
				}
			}
		}
	})
}

var ch = chat.Channel{Platform: chat.YouTube, ID: "UCana"}

func FuzzEvent(f *testing.F) {
	f.Add([]byte(`{"id":"1","snippet":{"type":"textMessageEvent","authorChannelId":"a","publishedAt":"2026-01-01T00:00:00Z","textMessageDetails":{"messageText":"!buy 3"}}}`))
	f.Add([]byte(`{"id":"1","snippet":{"type":"superChatEvent","superChatDetails":{"amountMicros":"18446744073709551615"}},"authorDetails":{"channelId":"a"}}`))
	f.Add([]byte(`{"id":"1","snippet":{"type":"messageDeletedEvent","messageDeletedDetails":{"deletedMessageId":"2"}}}`))
	f.Add([]byte(`{"id":"1","snippet":{"type":"userBannedEvent","userBannedDetails":{"bannedUserDetails":{}}}}`))
	f.Add([]byte(`{"id":"1","snippet":{"type":"tombstone"}}`))
	f.Add([]byte(`{"id":"1","snippet":{"type":"newSponsorEvent","authorChannelId":"a","publishedAt":"2026-01-01T00:00:00Z","newSponsorDetails":{"isUpgrade":true}}}`))
	f.Add([]byte(`{"id":"1","snippet":{"type":"memberMilestoneChatEvent","authorChannelId":"a","publishedAt":"2026-01-01T00:00:00Z","memberMilestoneChatDetails":{"memberMonth":-3,"userComment":"!buy 3"}}}`))
	f.Add([]byte(`{"id":"1","snippet":{"type":"membershipGiftingEvent","authorChannelId":"a","publishedAt":"2026-01-01T00:00:00Z","membershipGiftingDetails":{"giftMembershipsCount":9e9}}}`))
	f.Add([]byte(`{"id":"1","snippet":{"type":"pollEvent","publishedAt":"2026-01-01T00:00:00Z","pollDetails":{"status":"closed","metadata":{"questionText":"q","options":[null,{"optionText":"x","tally":"4"}]}}}}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		var item yt.LiveChatMessage
		if json.Unmarshal(b, &item) != nil {
			return
		}
		now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
		told := Events(ch, &item, now)
		if len(told) > 2 || len(told) > 0 && Key(&item) == "" {
			t.Fatalf("%d events, known by %q", len(told), Key(&item))
		}
		ids := map[string]bool{}
		for _, e := range told {
			m := e.Message
			switch {
			case e.Channel != ch || e.At.IsZero():
				t.Fatalf("event %+v", e)
			case e.Kind < chat.Followed && e.At != now:
				t.Fatalf("heard at another time: %+v", e)
			case e.Kind == chat.Said && (m.ID == "" || m.Viewer.ID == "" || m.Viewer.Platform != chat.YouTube || m.Channel != ch || m.PaidMicros < 0 || m.Answer.Channel != ch):
				t.Fatalf("line without identity: %+v", m)
			case e.Kind == chat.Deleted && e.ID == "":
				t.Fatalf("deletion of nothing: %+v", e)
			case e.Kind == chat.Cleared && e.Viewer.ID == "":
				t.Fatalf("a ban that clears everybody: %+v", e)
			case e.Kind >= chat.Followed && (e.ID == "" || e.Viewer.ID == "" && e.Kind != chat.Polled || e.Support.Months < 0 || e.Support.Count < 0):
				t.Fatalf("a happening without identity: %+v", e)
			case e.Kind == chat.Gifted && e.Support.Count < 1:
				t.Fatalf("a gift of nothing: %+v", e)
			case ids[e.ID+m.ID]:
				t.Fatalf("two events with one id: %+v", told)
			}
			ids[e.ID+m.ID] = true
		}
	})
}
