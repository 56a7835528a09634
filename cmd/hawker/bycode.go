package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"hawker/commerce"
	"hawker/connectors/twitch/auth"
	"hawker/web"
	"hawker/web/desk"
)

// twitchCode is what asking about a code needs.
type twitchCode struct {
	Device auth.Device
	Scopes []string
}

// twitchByCode connects an account of Twitch by a code: for machines without a public address, and with a public application, which
// has no secret. It is nil without an application.
func (h *house) twitchByCode(s *auth.Server, purpose string) *web.ByCode {
	if s.ID == "" {
		return nil
	}
	return &web.ByCode{
		Begin: func(ctx context.Context, m commerce.ID, extra string) (web.ShownCode, error) {
			scopes, err := h.twitchScopes(ctx, m, purpose, extra)
			if err != nil {
				return web.ShownCode{}, err
			}
			d, err := s.Begin(ctx, scopes)
			if err != nil {
				return web.ShownCode{}, err
			}
			secret, err := json.Marshal(twitchCode{d, scopes})
			return web.ShownCode{Code: d.UserCode, Address: d.Address, Ends: d.Ends, Every: d.Every, Secret: secret}, err
		},
		Ask: func(ctx context.Context, m commerce.ID, c web.ShownCode) (string, error) {
			var x twitchCode
			if err := json.Unmarshal(c.Secret, &x); err != nil {
				return "", fmt.Errorf("code of twitch: %w", err)
			}
			a, err := s.Ask(ctx, x.Device, x.Scopes)
			switch {
			case errors.Is(err, auth.ErrWaiting), errors.Is(err, auth.ErrSlower):
				return "", desk.ErrWaiting
			case errors.Is(err, auth.ErrOver):
				return "", desk.ErrCodeOver
			case err != nil:
				return "", err
			}
			return a.Name, h.keepTwitch(ctx, m, a, purpose)
		},
	}
}
