package discord

import (
	"net/http"
	"strings"
	"testing"

	"hawker/connectors/discord/wire"
	"hawker/internal/chat"
)

// accepting is a Discord that takes every first answer.
type accepting struct{}

func (accepting) RoundTrip(*http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: http.StatusNoContent, Body: http.NoBody}, nil
}

// FuzzDispatch: whatever the gateway dispatches, what is heard has an identity and is about a channel we asked for; a
// line delivered twice is heard once; a private address has a token and an end.
func FuzzDispatch(f *testing.F) {
	for _, s := range []string{
		`MESSAGE_CREATE {"id":"175928847299117063","channel_id":"4004","guild_id":"3003","content":"!buy 3","author":{"id":"5","username":"ana"}}`,
		`MESSAGE_CREATE {"id":"175928847299117064","channel_id":"4004","type":19,"author":{"id":"7001","bot":true},"webhook_id":"9","message_reference":{"message_id":"1"}}`,
		`MESSAGE_UPDATE {"id":"175928847299117063","channel_id":"4004","content":"<@7001> me","author":{"id":"5"},"edited_timestamp":"2026-01-01T00:00:00+00:00"}`,
		`MESSAGE_DELETE {"id":"175928847299117063","channel_id":"4004"}`,
		`MESSAGE_DELETE_BULK {"ids":["1","x","2"],"channel_id":"4004"}`,
		`INTERACTION_CREATE {"id":"175928847299117065","type":2,"token":"abc","channel_id":"4004","application_id":"7001","member":{"user":{"id":"5"},"permissions":"8192"},"data":{"name":"buy","options":[{"name":"item","value":"3"}]}}`,
		`INTERACTION_CREATE {"id":"175928847299117066","type":3,"token":"abc","channel_id":"4005","user":{"id":"5"},"data":{"custom_id":"!buy 3"}}`,
		`READY {"session_id":"s","user":{"id":"7001"},"guilds":[{"id":"3003"}],"resume_gateway_url":"wss://x"}`,
		`GUILD_CREATE {"id":"3003","owner_id":"5","roles":[{"id":"3003","permissions":"0"}],"channels":[{"id":"4004"}],"members":[{"user":{"id":"7001"},"roles":[]}]}`,
		`GUILD_DELETE {"id":"3003"}`,
		`CHANNEL_DELETE {"id":"4004","guild_id":"3003"}`,
		`GUILD_MEMBER_ADD {"guild_id":"3003","joined_at":"2026-01-01T00:00:00+00:00","user":{"id":"5","username":"ana"},"roles":[]}`,
		`GUILD_MEMBER_ADD {"guild_id":"3003","user":{"id":"5","bot":true}}`,
		`RESUMED null`,
		`MESSAGE_CREATE null`,
	} {
		f.Add(s, int64(2))
	}
	f.Fuzz(func(t *testing.T, s string, seq int64) {
		event, data, _ := strings.Cut(s, " ")
		c, err := New(Options{BotToken: "x", Channels: map[string]string{"4004": "3003"}, NoCommands: true, Members: true})
		if err != nil {
			t.Fatal(err)
		}
		c.http = &http.Client{Transport: accepting{}}
		var all []chat.Event
		l := &listener{c: c, hear: func(e chat.Event) { all = append(all, e) }, registered: map[string]bool{}, member: map[string]bool{}}
		l.dispatch(t.Context(), wire.Frame{Seq: 1, Event: "READY", Data: []byte(`{"session_id":"s","user":{"id":"7001"},"guilds":[{"id":"3003"}]}`)})
		l.dispatch(t.Context(), wire.Frame{Seq: seq, Event: event, Data: []byte(data)})
		if seq > 1 && seq < maxSkip {
			l.dispatch(t.Context(), wire.Frame{Seq: seq, Event: event, Data: []byte(data)})     // a sequence number twice
			l.dispatch(t.Context(), wire.Frame{Seq: seq + 1, Event: event, Data: []byte(data)}) // an event twice
		}
		l.work.Wait()
		said, entered := map[string]int{}, 0
		for _, e := range all {
			if e.Channel != at("4004") || e.At.IsZero() {
				t.Fatalf("%+v", e)
			}
			m := e.Message
			switch e.Kind {
			case chat.Said, chat.Edited:
				if e.Kind == chat.Said {
					said[m.ID]++
				}
				if m.ID == "" || m.Viewer.ID == "" || m.Viewer.Platform != chat.Discord || m.Channel != e.Channel || m.Sent.IsZero() || said[m.ID] > 1 ||
					m.Edited != (e.Kind == chat.Edited) || m.Answer.Channel != e.Channel {
					t.Fatalf("%+v", e)
				}
				if m.Command != (m.Answer.Kind == chat.ToPrivate) || m.Command && (!wire.Token(m.Answer.Token) || m.Answer.Until.IsZero() || m.Text[0] != '!') {
					t.Fatalf("%+v", m)
				}
			case chat.Deleted:
				if _, ok := wire.Snowflake(e.ID); !ok {
					t.Fatalf("%+v", e)
				}
			case chat.Entered:
				if entered++; e.ID == "" || e.Viewer.ID == "" || e.Viewer.Platform != chat.Discord || entered > 1 {
					t.Fatalf("%+v", e)
				}
			case chat.Joined:
			case chat.Left, chat.Gap:
				if e.Reason == "" {
					t.Fatalf("%+v", e)
				}
			default:
				t.Fatalf("%+v", e)
			}
		}
	})
}

// FuzzPage: whatever Discord lists, what is read of it has ids that rise, and every line in it can be handed on.
func FuzzPage(f *testing.F) {
	f.Add(`[{"id":"175928847299117064","author":{"id":"5"},"content":"b"},{"id":"175928847299117063"},{"id":7},null,"x",{"id":"9"}]`)
	f.Add(`{"code":0}`)
	f.Fuzz(func(t *testing.T, s string) {
		page, err := readPage([]byte(s))
		if err != nil && len(page) > 0 {
			t.Fatalf("%d lines and %v", len(page), err)
		}
		last := ""
		for _, m := range page {
			if _, ok := wire.Snowflake(m.id); !ok || older(m.id, last) {
				t.Fatalf("line %q after %q", m.id, last)
			}
			last = m.id
			wire.ReadMessage(m.raw, false)
			wire.ChannelOf(m.raw)
		}
	})
}
