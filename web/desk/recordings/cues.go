package recordings

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"slices"
	"strconv"
	"time"

	"hawker/commerce"
	"hawker/internal/sqldb"
	"hawker/relay/record"
)

const (
	// entriesAtOnce is how many entries of the ledger are read at once, entriesMost how many for one recording.
	entriesAtOnce, entriesMost = 1000, 500_000
	// keepEvery is how often the cue points beside recordings are brought up to date.
	keepEvery = 15 * time.Second
	// settled is how long after a recording's end its moments may still come in.
	settled = 2 * time.Minute
)

// reading is how far the ledger was read for a recording.
type reading struct {
	next int64 // seq; 0 before the first
	cues []record.Cue
}

// cuesOf are the moments of a recording's show: what went on air, orders that were paid, selling that was closed. They are read off
// the ledger, which is the truth, and name no people: a file beside a recording cannot forget anybody. so, when not nil, is gone on
// with.
func cuesOf(ctx context.Context, db *sqldb.DB, merchant commerce.ID, x *record.Recording, shows map[string]commerce.Show, so *reading) ([]record.Cue, error) {
	show, err := commerce.ParseID(x.Stream)
	if err != nil {
		return nil, nil //nolint:nilerr // the stream of something else
	}
	if so == nil {
		so = &reading{}
	}
	s := shows[x.Stream]
	if so.next == 0 {
		if so.next, err = after(ctx, db, merchant, x.Started); err != nil {
			return nil, err
		}
		before, err := onAir(ctx, db, merchant, &s, so.next)
		if err != nil {
			return nil, err
		}
		if before != "" {
			so.cues = append(so.cues, record.Cue{Text: before})
		}
	}
	end := x.Started.Add(x.Length)
	for read := 0; read < entriesMost; {
		entries, err := db.Entries(ctx, merchant, so.next, entriesAtOnce)
		if err != nil {
			return nil, err
		}
		for i := range entries {
			e := &entries[i]
			if e.At.After(end) {
				return so.cues, nil
			}
			if so.next = e.Seq + 1; e.Show != show {
				continue
			}
			text, err := say(e, &s)
			if err != nil {
				return nil, err
			}
			if text != "" {
				so.cues = append(so.cues, record.Cue{At: e.At.Sub(x.Started), Text: text})
			}
		}
		if read += len(entries); len(entries) < entriesAtOnce {
			break
		}
	}
	return so.cues, nil
}

// after is the seq of the first entry at or after a time: entries are in the order of time.
func after(ctx context.Context, db *sqldb.DB, merchant commerce.ID, at time.Time) (int64, error) {
	low, high := int64(1), int64(2)
	is := func(seq int64) (bool, error) { // the entry is there and before at
		e, err := db.Entries(ctx, merchant, seq, 1)
		return err == nil && len(e) == 1 && e[0].At.Before(at), err
	}
	for {
		ok, err := is(high)
		if err != nil {
			return 0, err
		}
		if !ok {
			break
		}
		low, high = high, high*2
	}
	for low < high {
		mid := (low + high) / 2
		ok, err := is(mid)
		if err != nil {
			return 0, err
		}
		if ok {
			low = mid + 1
		} else {
			high = mid
		}
	}
	return low, nil
}

// onAir is what was on air before an entry of the ledger, as a moment; empty when nothing was, or too long ago.
func onAir(ctx context.Context, db *sqldb.DB, merchant commerce.ID, s *commerce.Show, before int64) (string, error) {
	for to := before; to > 1 && before-to < 20*entriesAtOnce; to -= entriesAtOnce {
		from := max(to-entriesAtOnce, 1)
		entries, err := db.Entries(ctx, merchant, from, int(to-from))
		if err != nil {
			return "", err
		}
		for i := range slices.Backward(entries) {
			e := &entries[i]
			if e.Show != s.ID {
				continue
			}
			switch commerce.What(e.Kind) {
			case commerce.Begun, commerce.Over:
				return "", nil
			case commerce.Aired:
				text, err := say(e, s)
				if text == offAir {
					text = ""
				}
				return text, err
			}
		}
	}
	return "", nil
}

// offAir is said when nothing is on air any more.
const offAir = "Nothing on air"

// say is an entry as a moment of the show; empty for what is none.
func say(e *commerce.Entry, s *commerce.Show) (string, error) {
	switch commerce.What(e.Kind) {
	case commerce.Begun:
		return "The show begins", nil
	case commerce.Over:
		return "The show ends", nil
	case commerce.Aired, commerce.Settled, commerce.Gated:
	default:
		return "", nil
	}
	var f commerce.Fact
	if err := json.Unmarshal(e.Body, &f); err != nil {
		return "", fmt.Errorf("ledger entry %d: %w", e.Seq, err)
	}
	item := "#" + strconv.Itoa(f.Number)
	if it := s.Lineup.Item(f.Number); it != nil {
		item += " " + it.Product.Title
	}
	switch commerce.What(e.Kind) {
	case commerce.Aired:
		if f.Number == 0 {
			return offAir, nil
		}
		return item + " on air", nil
	case commerce.Gated:
		if f.Number == 0 {
			return "Selling " + f.State, nil
		}
		return item + " " + f.State, nil
	}
	if f.Total == nil {
		return "", nil
	}
	pieces := "1 piece"
	if f.Quantity != 1 {
		pieces = strconv.Itoa(f.Quantity) + " pieces"
	}
	return "Paid: " + f.Total.String() + ", " + pieces, nil
}

// Keeper keeps the cue points of a show beside its recordings, as WebVTT. Fill the fields, then Run.
type Keeper struct {
	DB    *sqldb.DB
	Shelf *record.Shelf
	Log   *slog.Logger
}

// Run brings the cue points up to date until ctx ends. It returns nil.
func (k *Keeper) Run(ctx context.Context) error {
	t := time.NewTicker(keepEvery)
	defer t.Stop()
	readings := map[string]*reading{}
	for {
		if err := k.look(ctx, readings); err != nil && ctx.Err() == nil {
			k.Log.WarnContext(ctx, "cue points of recordings not written", "err", err)
		}
		select {
		case <-t.C:
		case <-ctx.Done():
			return nil
		}
	}
}

// look writes the cue points of what is being recorded, or ended a moment ago, or has none. readings are what was read before.
func (k *Keeper) look(ctx context.Context, readings map[string]*reading) error {
	folders, err := k.Shelf.Folders()
	if err != nil {
		return err
	}
	still := map[string]bool{}
	for _, folder := range folders {
		merchant, err := commerce.ParseID(folder)
		if err != nil {
			continue
		}
		all, err := k.Shelf.List(folder)
		if err != nil {
			return err
		}
		var shows map[string]commerce.Show
		for i := range all {
			x := &all[i]
			if x.Cues && !x.Live && time.Since(x.Started.Add(x.Length)) > settled {
				continue
			}
			if shows == nil {
				list, err := k.DB.Shows(ctx, merchant)
				if err != nil {
					return err
				}
				shows = make(map[string]commerce.Show, len(list))
				for j := range list {
					shows[list[j].ID.String()] = list[j]
				}
			}
			id := folder + "/" + x.Name
			still[id] = true
			if readings[id] == nil {
				readings[id] = &reading{}
			}
			if err := k.write(ctx, merchant, folder, x, shows, readings[id]); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return err
			}
		}
	}
	for id := range readings {
		if !still[id] {
			delete(readings, id)
		}
	}
	return nil
}

func (k *Keeper) write(ctx context.Context, merchant commerce.ID, folder string, x *record.Recording, shows map[string]commerce.Show, so *reading) error {
	cues, err := cuesOf(ctx, k.DB, merchant, x, shows, so)
	if err != nil {
		return err
	}
	old, err := k.Shelf.Cues(folder, x.Name)
	if err == nil && bytes.Equal(old, record.VTT(cues, x.Length)) {
		return nil
	}
	return k.Shelf.PutCues(folder, x.Name, cues)
}
