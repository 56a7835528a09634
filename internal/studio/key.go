package studio

import (
	"context"
	"errors"
	"fmt"

	"hawker/commerce"
	"hawker/internal/seal"
	"hawker/relay"
)

// Keys are stream keys that were just made. They are shown once; what is stored does not tell them.
type Keys struct{ Main, Backup string }

// String tells nothing of the keys.
func (Keys) String() string { return "stream keys" }

// GoString is String.
func (k Keys) GoString() string { return k.String() }

// NewKey makes a show's stream key, or that of its second encoder. The former one opens nothing any more; an encoder that is
// connected stays so.
func (s *Studio) NewKey(ctx context.Context, merchant, show commerce.ID, backup bool) (Keys, error) {
	key := seal.NewToken().Reveal()
	if err := s.Book.PutKey(ctx, merchant, show, key, backup); err != nil {
		return Keys{}, fmt.Errorf("stream key of show %s: %w", show, err)
	}
	s.forget(show)
	if backup {
		return Keys{Backup: key}, nil
	}
	return Keys{Main: key}, nil
}

// DropKey takes the key of the second encoder away.
func (s *Studio) DropKey(ctx context.Context, merchant, show commerce.ID) error {
	if err := s.Book.DropKey(ctx, merchant, show, true); err != nil {
		return err
	}
	s.forget(show)
	return nil
}

func (s *Studio) forget(show commerce.ID) {
	if s.Forget != nil {
		s.Forget(show.String())
	}
}

// Cut takes the encoder off the air at once and makes new keys in place of all that the show had, so that it does not come back by
// itself. The slate is on before anything is written; should an encoder have come back meanwhile, it goes again.
func (s *Studio) Cut(ctx context.Context, merchant, show commerce.ID) (Keys, error) {
	cut := s.Relay.Cut(show.String())
	var out Keys
	var errs []error
	for _, backup := range []bool{false, true} {
		_, err := s.Book.IngestOf(ctx, merchant, show, backup)
		if errors.Is(err, s.Book.NotFound) {
			continue
		}
		var k Keys
		if err == nil {
			k, err = s.NewKey(ctx, merchant, show, backup)
		}
		if err != nil {
			errs = append(errs, err)
		}
		out.Main, out.Backup = out.Main+k.Main, out.Backup+k.Backup
	}
	if cut == nil {
		cut = s.Relay.Cut(show.String())
	}
	if cut != nil && !errors.Is(cut, relay.ErrNoStream) {
		errs = append(errs, cut)
	}
	s.look()
	s.changed(merchant, show)
	return out, errors.Join(errs...)
}
