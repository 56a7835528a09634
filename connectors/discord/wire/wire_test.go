package wire

import (
	"encoding/json"
	"testing"
	"time"
)

func TestDecode(t *testing.T) {
	for _, tt := range []struct {
		raw  string
		want Frame
		ok   bool
	}{
		{`{"op":0,"t":"READY","s":1,"d":{"a":1}}`, Frame{Op: OpDispatch, Seq: 1, Event: "READY", Data: []byte(`{"a":1}`)}, true},
		{`{"op":10,"d":{"heartbeat_interval":41250}}`, Frame{Op: OpHello, Pulse: 41250 * time.Millisecond}, true},
		{`{"op":10,"d":{"heartbeat_interval":0}}`, Frame{Op: OpHello, Pulse: defaultPulse}, true},
		{`{"op":10,"d":{"heartbeat_interval":1e300}}`, Frame{Op: OpHello, Pulse: defaultPulse}, true},
		{`{"op":9,"d":true}`, Frame{Op: OpInvalid, Again: true}, true},
		{`{"op":9,"d":false}`, Frame{Op: OpInvalid}, true},
		{`{"op":9,"d":null}`, Frame{Op: OpInvalid}, true},
		{`{"op":11}`, Frame{Op: OpAck}, true},
		{`{"op":99,"d":7,"more":1}`, Frame{Op: 99}, true},
		{`{"op":0,"t":"READY","s":0,"d":{}}`, Frame{}, false},
		{`{"op":0,"t":"READY","d":{}}`, Frame{}, false},
		{`{"op":0,"s":1,"d":{}}`, Frame{}, false},
		{`{"op":10,"d":"soon"}`, Frame{}, false},
		{`{"d":1}`, Frame{}, false},
		{`null`, Frame{}, false},
		{`{`, Frame{}, false},
		{``, Frame{}, false},
	} {
		f, err := Decode([]byte(tt.raw))
		same := f.Op == tt.want.Op && f.Seq == tt.want.Seq && f.Event == tt.want.Event && string(f.Data) == string(tt.want.Data) &&
			f.Pulse == tt.want.Pulse && f.Again == tt.want.Again
		if (err == nil) != tt.ok || tt.ok && !same {
			t.Errorf("Decode(%s) = %+v, %v; want %+v", tt.raw, f, err, tt.want)
		}
	}
}

func FuzzDecode(f *testing.F) {
	for _, s := range []string{
		`{"op":0,"t":"MESSAGE_CREATE","s":3,"d":{"id":"1"}}`, `{"op":10,"d":{"heartbeat_interval":41250.5}}`, `{"op":9,"d":true}`,
		`{"op":1,"d":null}`, `{"op":-1}`, `{"op":0,"t":"READY","s":-9223372036854775808,"d":[]}`, `[`, `{"op":1e2}`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		fr, err := Decode(b)
		switch {
		case err != nil:
			if fr.Op != opUnknown {
				t.Fatalf("an error and a frame: %+v", fr)
			}
		case fr.Op == OpDispatch && (fr.Seq < 1 || fr.Event == "" || fr.Data != nil && !json.Valid(fr.Data)):
			t.Fatalf("dispatch %+v", fr)
		case fr.Op == OpHello && (fr.Pulse < time.Millisecond || fr.Pulse > 10*time.Minute):
			t.Fatalf("hello with a pulse of %v", fr.Pulse)
		}
	})
}

func TestReadMessage(t *testing.T) {
	for _, tt := range []struct {
		raw      string
		edit, ok bool
	}{
		{`{"id":"7","channel_id":"4","content":"!buy 3","author":{"id":"5","username":"ana"}}`, false, true},
		{`{"id":"7","channel_id":"4","type":19,"author":{"id":"5"},"message_reference":{"message_id":"6"}}`, false, true},
		{`{"id":"7","channel_id":"4","type":7,"author":{"id":"5"}}`, false, false},
		{`{"id":"x","channel_id":"4","author":{"id":"5"}}`, false, false},
		{`{"id":"0","channel_id":"4","author":{"id":"5"}}`, false, false},
		{`{"id":"7","channel_id":"4"}`, false, false},
		{`{"id":"7","channel_id":"4","author":{"id":""}}`, false, false},
		{`{"id":"7","channel_id":"4","author":{"id":"5"},"edited_timestamp":null}`, true, false},
		{`{"id":"7","channel_id":"4","author":{"id":"5"},"edited_timestamp":"2026-01-01T00:00:00+00:00"}`, true, true},
		{`[]`, false, false},
	} {
		if m, ok := ReadMessage([]byte(tt.raw), tt.edit); ok != tt.ok {
			t.Errorf("ReadMessage(%s, %v) = %+v, %v", tt.raw, tt.edit, m, ok)
		}
	}
}

func FuzzMessage(f *testing.F) {
	f.Add([]byte(`{"id":"7","channel_id":"4","content":"!buy 3","author":{"id":"5","username":"ana","bot":true},"member":{"nick":"A","roles":["1"]}}`), false)
	f.Add([]byte(`{"id":"7","type":19,"author":{"id":"5"},"message_reference":{"message_id":"6"},"edited_timestamp":"x"}`), true)
	f.Add([]byte(`{"ids":["1","x"],"id":"2","channel_id":"4"}`), false)
	f.Fuzz(func(t *testing.T, b []byte, edit bool) {
		if m, ok := ReadMessage(b, edit); ok {
			sent, is := Snowflake(m.ID)
			if !is || sent.Before(time.UnixMilli(epoch)) || m.Author.ID == "" || edit && m.Edited == "" || m.Type != typeReply && m.ReplyTo() != "" {
				t.Fatalf("%+v", m)
			}
		}
		if d, ok := ReadDeletion(b); ok {
			for _, id := range d.IDs {
				if _, is := Snowflake(id); !is {
					t.Fatalf("%+v", d)
				}
			}
			if len(d.IDs) == 0 || len(d.IDs) > 1 && !d.Bulk {
				t.Fatalf("%+v", d)
			}
		}
	})
}

func TestReadInteraction(t *testing.T) {
	for raw, want := range map[string]bool{
		`{"id":"7","type":2,"token":"aW50-_x","channel_id":"4","member":{"user":{"id":"5"}},"data":{"name":"buy"}}`: true,
		`{"id":"7","type":3,"token":"a.b","channel_id":"4","user":{"id":"5"},"data":{"custom_id":"x"}}`:             true,
		`{"id":"7","type":1,"token":"a","channel_id":"4","user":{"id":"5"}}`:                                        false,
		`{"id":"7","type":4,"token":"a","channel_id":"4","user":{"id":"5"}}`:                                        false,
		`{"id":"7","type":2,"token":"","channel_id":"4","user":{"id":"5"}}`:                                         false,
		`{"id":"7","type":2,"token":"../x","channel_id":"4","user":{"id":"5"}}`:                                     false,
		`{"id":"7","type":2,"token":"..","channel_id":"4","user":{"id":"5"}}`:                                       false,
		`{"id":"7","type":2,"token":"a","user":{"id":"5"}}`:                                                         false,
		`{"id":"7","type":2,"token":"a","channel_id":"4"}`:                                                          false,
		`{"id":"-7","type":2,"token":"a","channel_id":"4","user":{"id":"5"}}`:                                       false,
		`{"type":2,"data":{"name":7}}`:                                                                              false,
	} {
		if in, ok := ReadInteraction([]byte(raw)); ok != want {
			t.Errorf("ReadInteraction(%s) = %+v, %v", raw, in, ok)
		}
	}
	for raw, want := range map[string]string{`"3"`: "3", `3`: "3", `-2`: "-2", `3.5`: "", `true`: "", `null`: "", `{}`: "", ``: "", `"a\nb"`: "a\nb"} {
		if got := (Option{Value: json.RawMessage(raw)}).Text(); got != want {
			t.Errorf("option %s = %q, want %q", raw, got, want)
		}
	}
}

func FuzzInteraction(f *testing.F) {
	f.Add([]byte(`{"id":"7","type":2,"token":"aW50","channel_id":"4","member":{"user":{"id":"5"},"permissions":"8192"},"data":{"name":"buy","options":[{"name":"item","value":"3"},{"name":"amount","value":2}]}}`))
	f.Add([]byte(`{"id":"7","type":3,"token":"a/b","channel_id":"4","user":{"id":"5"},"data":{"custom_id":"!buy 3"}}`))
	f.Add([]byte(`{"user":{"id":"7"},"session_id":"s","resume_gateway_url":"wss://x"}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		if in, ok := ReadInteraction(b); ok {
			if _, is := Snowflake(in.ID); !is || in.User == nil || in.User.ID == "" || !Token(in.Token) || in.Channel == "" {
				t.Fatalf("%+v", in)
			}
			for _, o := range in.Data.Options {
				_ = o.Text()
			}
		}
		if r, ok := ReadReady(b); ok && (r.Session == "" || r.User.ID == "") {
			t.Fatalf("%+v", r)
		}
	})
}

func TestSnowflake(t *testing.T) {
	at, ok := Snowflake("175928847299117063") // the example of page "API Reference"
	if !ok || !at.Equal(time.Date(2016, 4, 30, 11, 18, 25, 796e6, time.UTC)) {
		t.Errorf("%v, %v", at.UTC(), ok)
	}
	for _, s := range []string{"", "0", "-1", "+1", "1.0", "0x1", "9223372036854775808", "ana"} {
		if _, ok := Snowflake(s); ok {
			t.Errorf("%q is taken for an id", s)
		}
	}
	if Name(User{Username: "u", Global: "g"}, &Member{Nick: "n"}) != "n" || Name(User{Username: "u", Global: "g"}, nil) != "g" || Name(User{Username: "u"}, &Member{}) != "u" {
		t.Error("names")
	}
}
