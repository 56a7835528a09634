package studio

import (
	"context"
	"errors"
	"slices"
	"time"

	"hawker/commerce"
	"hawker/internal/sqldb/videobook"
	"hawker/relay"
)

// View is how a show's video stands. It holds no secrets.
type View struct {
	Stream   *relay.StreamStatus // nil while nothing comes
	Settings videobook.Settings
	Main     Key
	Backup   Key
	Rates    []int // kbit/s that came from the encoder, one each two seconds, the newest last
	To       []Way
	Clip     Clip
	Test     *Test // nil when none was made
}

// Key is what is known of a stream key.
type Key struct {
	Set  bool
	Tail string // its last letters
}

// Way is a destination with all that is known of it.
type Way struct {
	videobook.Destination // without its key
	HasKey                bool
	Status                *relay.DestinationStatus // nil while it is not sent to
	Rates                 []int                    // kbit/s, one each two seconds, the newest last
	Received              Reception
	Asked                 bool      // its platform can be asked what it receives
	Trouble               string    // why the connected account gives no key
	Next                  time.Time // when it is asked again
	Opened                bool      // the account gave one
}

// View is how a show's video stands now.
func (s *Studio) View(ctx context.Context, merchant, show commerce.ID) (*View, error) {
	v := &View{}
	for _, x := range []struct {
		backup bool
		into   *Key
	}{{false, &v.Main}, {true, &v.Backup}} {
		in, err := s.Book.IngestOf(ctx, merchant, show, x.backup)
		if err != nil && !errors.Is(err, s.Book.NotFound) {
			return nil, err
		}
		*x.into = Key{err == nil, in.KeyTail}
	}
	var err error
	if v.Settings, err = s.Book.Settings(ctx, merchant, show); err != nil {
		return nil, err
	}
	all, err := s.Book.Destinations(ctx, merchant, show)
	if err != nil {
		return nil, err
	}
	v.Stream = statusOf(s.Relay.Status(), show)
	s.mu.Lock()
	defer s.mu.Unlock()
	st := s.streams[show]
	if st != nil {
		v.Rates = slices.Clone(st.rates[""])
	}
	for i := range all {
		w := Way{Destination: all[i], HasKey: all[i].Key != ""}
		w.Key = ""
		if v.Stream != nil {
			for j := range v.Stream.Destinations {
				if d := &v.Stream.Destinations[j]; d.ID == w.ID.String() {
					w.Status = d
				}
			}
		}
		if st != nil {
			w.Rates = slices.Clone(st.rates[w.ID.String()])
			if l := st.lamps[w.ID]; l != nil {
				w.Received = l.says
			}
			w.Trouble, w.Next = st.troubles[w.ID].text, st.troubles[w.ID].next
			_, w.Opened = st.opened[w.ID]
		}
		platform, _ := Account(w.Account)
		w.Asked = w.Account != "" && s.Platforms[platform].Watch != nil
		v.To = append(v.To, w)
	}
	v.Clip = s.clipOf(merchant, show, &v.Settings)
	if t := s.tests[show]; t != nil {
		c := *t
		c.Results = slices.Clone(t.Results)
		v.Test = &c
	}
	return v, nil
}
