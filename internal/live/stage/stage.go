// Package stage is what the lines of a channel are read against.
package stage

import (
	"hawker/commerce"
	"hawker/internal/chat"
	"hawker/internal/live/aired"
	"hawker/internal/live/clock"
	"hawker/rules"
)

// Stage is what lines of one channel are read against. It is replaced, never changed.
type Stage struct {
	Show    commerce.ID // 0 where none is live
	Grammar *rules.Grammar
	OnAir   aired.Log
	Clock   *clock.Offset // of the channel
	Video   aired.Delay   // how late its viewers see the picture
}

// New is a channel's stage in a show that is live, 0 for none. What was measured of the channel stays, and what was on air before in
// the same show.
func New(show commerce.ID, g *rules.Grammar, c chat.Channel, was *Stage) *Stage {
	st := &Stage{Show: show, Clock: &clock.Offset{}, Grammar: g, Video: aired.Usual(c.Platform)}
	if was != nil {
		st.Clock, st.Video = was.Clock, was.Video
	}
	if was != nil && was.Show == show {
		st.OnAir = was.OnAir
	}
	return st
}

// Read is what a line means, and what it was read beside.
func (s *Stage) Read(msg *chat.Message) (rules.Command, rules.Context) {
	if !msg.Edited && !msg.Recovered {
		s.Clock.Add(msg.Sent, msg.Received)
	}
	on, sure := s.OnAir.Seen(s.Clock.Ours(msg.Sent), s.Video)
	seen := rules.Context{OnAir: on, Unsure: !sure, Reply: msg.ReplyTo != "", Tap: msg.Command, Mute: msg.Own || msg.Bot || msg.Source != ""}
	return s.Grammar.Parse(msg.Text, seen), seen
}
