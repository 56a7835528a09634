package studio

import (
	"context"
	"errors"
	"time"

	"hawker/commerce"
	"hawker/internal/chat"
	"hawker/internal/sqldb/videobook"
	"hawker/relay"
)

// Run looks after all streams until ctx ends.
func (s *Studio) Run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	s.mu.Lock()
	s.ctx, s.poke, s.opening = ctx, make(chan struct{}, 1), map[commerce.ID]bool{}
	s.mu.Unlock()
	defer s.tasks.Wait()
	defer cancel()
	s.adopt(ctx)
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case now := <-tick.C:
			s.sample(now)
		case <-s.poke:
		}
		s.tend(ctx, time.Now())
	}
}

// adopt finds the sessions that this node had when it ended: their streams may still run, or have to be closed.
func (s *Studio) adopt(ctx context.Context) {
	all, err := s.Book.Sessions(ctx, s.Node)
	if err != nil {
		s.log().ErrorContext(ctx, "broadcasts that were open before", "err", err)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, x := range all {
		s.of(x.Merchant, x.Show).opened[x.ID] = x.Session
	}
}

// sample notes the rates of all streams, and what their encoders send.
func (s *Studio) sample(now time.Time) {
	status := s.Relay.Status()
	s.mu.Lock()
	defer s.mu.Unlock()
	live := map[commerce.ID]bool{}
	for i := range status {
		id, err := commerce.ParseID(status[i].ID)
		if err != nil {
			continue
		}
		st := s.streams[id]
		if st == nil {
			continue // its merchant is not known here yet
		}
		live[id] = true
		st.live, st.ended = true, time.Time{}
		add := func(name string, kbps int) {
			r := append(st.rates[name], kbps)
			st.rates[name] = r[max(0, len(r)-Points):]
		}
		add("", status[i].Ingest.Kbps)
		there := map[string]bool{"": true}
		for j := range status[i].Destinations {
			d := &status[i].Destinations[j]
			there[d.ID] = true
			add(d.ID, d.Kbps)
		}
		for name := range st.rates {
			if !there[name] {
				delete(st.rates, name)
			}
		}
	}
	for id, st := range s.streams {
		if st.live && !live[id] {
			st.live, st.ended = false, now
			clear(st.rates)
		}
	}
}

// Event takes note of what the relay told.
func (s *Studio) Event(merchant, show commerce.ID, e relay.Event) {
	s.mu.Lock()
	st := s.of(merchant, show)
	switch e.Kind {
	case relay.StreamStarted:
		st.live, st.ended = true, time.Time{}
		clear(st.checked)
	case relay.StreamStopped:
		st.live, st.ended, st.asked = false, e.At, time.Time{}
		clear(st.rates)
	}
	s.mu.Unlock()
	s.look()
}

// tend opens what has to be opened, closes what is over, keeps lamps lit and slates fitting.
func (s *Studio) tend(ctx context.Context, now time.Time) {
	type one struct {
		show     commerce.ID
		merchant commerce.ID
		live     bool
		ended    time.Time
		open     bool // it has sessions
	}
	var all []one
	status := s.Relay.Status()
	s.mu.Lock()
	for id, st := range s.streams {
		all = append(all, one{id, st.merchant, st.live || statusOf(status, id) != nil, st.ended, len(st.opened) > 0})
	}
	s.mu.Unlock()
	for _, x := range all {
		switch {
		case x.live:
			if err := s.tendLive(ctx, x.merchant, x.show, statusOf(status, x.show), now); err != nil && ctx.Err() == nil {
				s.log().ErrorContext(ctx, "video of a show not looked after", "show", x.show, "err", err)
			}
		case x.open:
			s.tendEnded(ctx, x.merchant, x.show, x.ended, now)
		default:
			s.darken(x.show, nil)
		}
	}
}

func statusOf(all []relay.StreamStatus, show commerce.ID) *relay.StreamStatus {
	id := show.String()
	for i := range all {
		if all[i].ID == id {
			return &all[i]
		}
	}
	return nil
}

// tendLive looks after a stream that runs.
func (s *Studio) tendLive(ctx context.Context, merchant, show commerce.ID, status *relay.StreamStatus, now time.Time) error {
	if status == nil {
		return nil // just beginning or ending
	}
	s.seen(ctx, merchant, show, status)
	all, err := s.Book.Destinations(ctx, merchant, show)
	if err != nil {
		return err
	}
	var wanting []videobook.Destination
	lit := map[commerce.ID]bool{}
	for i := range all {
		d := &all[i]
		if d.Account == "" || !d.Enabled {
			continue
		}
		x, err := s.Book.Session(ctx, merchant, d.ID)
		switch {
		case err != nil && !errors.Is(err, s.Book.NotFound):
			return err
		case x.Key != "":
			s.light(merchant, show, d, x)
			lit[d.ID] = true
		}
		if s.wants(merchant, show, d.ID, &x, status, now) {
			wanting = append(wanting, *d)
		}
	}
	s.darken(show, lit)
	if len(wanting) > 0 {
		s.open(merchant, show, wanting)
	}
	return nil
}

// wants says whether the account of a destination is to be asked: once in each stream, when it gave nothing yet, and when the platform
// does not take its key any more.
func (s *Studio) wants(merchant, show, id commerce.ID, x *videobook.Session, status *relay.StreamStatus, now time.Time) bool {
	s.mu.Lock()
	st := s.of(merchant, show)
	checked, next := st.checked[id], st.troubles[id].next
	s.mu.Unlock()
	if now.Before(next) {
		return false
	}
	if x.Key == "" || !checked {
		return true
	}
	for i := range status.Destinations {
		d := &status.Destinations[i]
		if d.ID == id.String() && d.Reason == relay.KeyRejected && now.Sub(x.Opened) > openAgain {
			return true
		}
	}
	return false
}

// seen keeps what the encoder sends, and has a slate prepared that fits.
func (s *Studio) seen(ctx context.Context, merchant, show commerce.ID, status *relay.StreamStatus) {
	in := &status.Ingest
	if !in.Connected || in.Waiting || in.Video == "" || in.Width == 0 || in.Kbps == 0 {
		return
	}
	s.mu.Lock()
	st := s.of(merchant, show)
	before := st.seen
	now := videobook.Settings{Video: in.Video, Width: in.Width, Height: in.Height, Kbps: in.Kbps}
	same := before.Video == now.Video && before.Width == now.Width && before.Height == now.Height
	if same && before.Kbps*3/4 < now.Kbps && now.Kbps < before.Kbps*5/4 { // it is never quite even
		s.mu.Unlock()
		return
	}
	st.seen, st.sound = now, in.AudioRate
	s.mu.Unlock()
	if err := s.Book.PutSeen(ctx, merchant, show, now); err != nil {
		s.log().WarnContext(ctx, "what the encoder sends was not kept", "show", show, "err", err)
	}
	if !same {
		s.fitClip(merchant, show)
	}
}

// open asks the platforms of a merchant for the keys of destinations, one after the other, and sends there as soon as they are known.
func (s *Studio) open(merchant, show commerce.ID, all []videobook.Destination) {
	s.mu.Lock()
	busy := s.opening[merchant]
	if s.opening != nil && !busy {
		s.opening[merchant] = true
	}
	s.mu.Unlock()
	if busy {
		return
	}
	s.task(func(ctx context.Context) {
		defer func() {
			s.mu.Lock()
			delete(s.opening, merchant)
			s.mu.Unlock()
		}()
		for i := range all {
			text := ""
			if err := s.openOne(ctx, merchant, show, &all[i]); err != nil {
				if ctx.Err() != nil {
					return
				}
				text = sentence(err)
				s.log().WarnContext(ctx, "no key from a connected account", "show", show, "destination", all[i].ID, "err", err)
			}
			s.mu.Lock()
			st := s.of(merchant, show)
			st.checked[all[i].ID] = st.checked[all[i].ID] || text == ""
			if text != "" {
				st.troubles[all[i].ID] = trouble{text, time.Now().Add(openAgain)}
			} else {
				delete(st.troubles, all[i].ID)
			}
			s.mu.Unlock()
			if err := s.Sync(ctx, merchant, show); err != nil && ctx.Err() == nil {
				s.log().ErrorContext(ctx, "destination not sent to", "show", show, "err", err)
			}
		}
	})
}

func (s *Studio) openOne(ctx context.Context, merchant, show commerce.ID, d *videobook.Destination) error {
	ctx, cancel := context.WithTimeout(ctx, openWithin)
	defer cancel()
	platform, account := Account(d.Account)
	p, ok := s.Platforms[platform]
	if !ok {
		return &chat.Refused{Reason: "This installation does not know " + platform.Title() + ": paste server and key instead."}
	}
	about, err := s.Show(ctx, merchant, show)
	if err != nil {
		return err
	}
	known, err := s.Book.Session(ctx, merchant, d.ID)
	if err != nil && !errors.Is(err, s.Book.NotFound) {
		return err
	}
	x, err := p.Open(ctx, merchant, account, about, known)
	x.Opened, x.Node = time.Now(), s.Node
	if err != nil { // what it gave before may still be good
		x.Server, x.Backup, x.Key = known.Server, known.Backup, known.Key
	}
	if err == nil || x.Broadcast != "" || x.Stream != "" { // what was made is kept, so that it is found again
		if kept := s.Book.PutSession(ctx, merchant, d.ID, &x); kept != nil {
			return errors.Join(err, kept)
		}
		s.mu.Lock()
		s.of(merchant, show).opened[d.ID] = x
		s.mu.Unlock()
	}
	return err
}

// sentence is what an error of a platform means for people.
func sentence(err error) string {
	var refused *chat.Refused
	switch {
	case errors.As(err, &refused) && refused.Reason != "":
		return refused.Reason
	case isGone(err):
		return "The channel is not connected any more. Connect it again, or paste server and key."
	case errors.Is(err, context.DeadlineExceeded):
		return "The platform did not answer in time."
	}
	return "The platform could not be asked for the key."
}

// tendEnded ends the broadcasts of a stream that is over, when the show is, or when it has been over for long.
func (s *Studio) tendEnded(ctx context.Context, merchant, show commerce.ID, ended, now time.Time) {
	s.darken(show, nil)
	s.mu.Lock()
	st := s.of(merchant, show)
	soon := now.Sub(st.asked) < endedEvery
	if !soon {
		st.asked = now
	}
	s.mu.Unlock()
	if soon {
		return
	}
	about, err := s.Show(ctx, merchant, show)
	if err != nil && !isGone(err) {
		return // the next look
	}
	if err == nil && !about.Ended && now.Sub(ended) < keptFor {
		return
	}
	s.mu.Lock()
	opened := st.opened
	st.opened = map[commerce.ID]videobook.Session{}
	s.mu.Unlock()
	s.task(func(ctx context.Context) {
		done := map[string]bool{}
		accounts := map[commerce.ID]string{}
		all, err := s.Book.Destinations(ctx, merchant, show)
		for i := range all {
			accounts[all[i].ID] = all[i].Account
		}
		for id, x := range opened {
			if err == nil && accounts[id] != "" && (x.Broadcast == "" || !done[x.Broadcast]) {
				done[x.Broadcast] = true
				if !s.close(ctx, merchant, accounts[id], x) && ctx.Err() == nil && now.Sub(ended) < 2*keptFor {
					s.mu.Lock()
					s.of(merchant, show).opened[id] = x // once more
					s.mu.Unlock()
					continue
				}
			}
			if ctx.Err() != nil {
				return // the next start finds it
			}
			if err := s.Book.PutSession(ctx, merchant, id, nil); err != nil {
				s.log().WarnContext(ctx, "a broadcast that is over was not forgotten", "destination", id, "err", err)
			}
		}
		s.changed(merchant, show)
	})
}

// close ends a broadcast and says whether it is over.
func (s *Studio) close(ctx context.Context, merchant commerce.ID, account string, x videobook.Session) bool {
	platform, id := Account(account)
	p := s.Platforms[platform]
	if p.Close == nil {
		return true
	}
	ctx, cancel := context.WithTimeout(ctx, openWithin)
	defer cancel()
	if err := p.Close(ctx, merchant, id, x); err != nil {
		s.log().WarnContext(ctx, "a broadcast was not ended", "platform", string(platform), "err", err)
		return false
	}
	return true
}
