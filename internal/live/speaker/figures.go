package speaker

import (
	"time"

	"hawker/internal/chat"
)

// Figures are what a Speaker did since its start.
type Figures struct {
	// Lines is how many lines were accepted, Joined how many of them stood for several utterances, Covered how many utterances stood in
	// them, Crowds how many lines counted people instead of naming them.
	Lines, Joined, Covered, Crowds int
	// Dropped is what was never sent: there was too much, it mattered no more, the same was just said, or the channel is muted.
	Full, TooLate, Told, Muted int
	// Failed is what the platform did not accept.
	Failed int
}

// add counts a line that was accepted.
func (f *Figures) add(us []*Utterance) {
	f.Lines++
	f.Covered += len(us)
	if len(us) > 1 {
		f.Joined++
	}
}

// View is how it stands with what is said in one channel.
type View struct {
	Figures
	Waiting int
	Muted   bool
	// Left is how many lines the platform takes at this moment, of Most in any Per, over all channels of the account that share them.
	// Most is 0 where no limit is known.
	Left, Most int
	Per        time.Duration
	// Rest is until when the platform asked to be left alone, zero when it did not.
	Rest time.Time
}

// count counts something, for all channels and for that of q; nil is a private answer. Its caller holds mu.
func (s *Speaker) count(q *speech, how func(f *Figures)) {
	how(&s.figures)
	if q != nil {
		how(&q.figures)
	}
}

// Figures are the figures of now, of all channels together.
func (s *Speaker) Figures() Figures {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.figures
}

// Look is how it stands with a channel.
func (s *Speaker) Look(c chat.Channel) View {
	s.init()
	b, now := s.Chat.Budget(c), time.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	v := View{Muted: s.muted[c], Left: b.Lines, Most: b.Lines, Per: b.Per}
	if q := s.queues[c]; q != nil {
		v.Figures, v.Waiting = q.figures, len(q.waiting)
		if q.rest.After(now) {
			v.Rest = q.rest
		}
	}
	for _, u := range s.later {
		if u.To.Channel == c {
			v.Waiting++
		}
	}
	for _, x := range s.pools[b.Pool] {
		if x.under || x.at.Add(b.Per+slack).After(now) {
			v.Left--
		}
	}
	v.Left = max(0, v.Left)
	return v
}

// Waiting is how many utterances wait, and how many were dropped since the start because too much waited.
func (s *Speaker) Waiting() (waiting, dropped int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, q := range s.queues {
		waiting += len(q.waiting)
	}
	s.in.Lock()
	defer s.in.Unlock()
	return waiting + len(s.private) + len(s.later) + len(s.in.us), s.figures.Full
}
