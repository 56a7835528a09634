package discord_test

import (
	"context"
	"errors"
	"net"
	"testing"
	"time"

	"hawker/connectors/discord/discordsim"
	"hawker/internal/pipetest"
)

// bubble is a stand without a network; it must be made, used and closed inside a synctest bubble.
func bubble(t *testing.T, cfg discordsim.Config) *stand {
	t.Helper()
	time.Sleep(time.Until(time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC))) // ids count from 2015, bubbles from 2000
	p := pipetest.Listen()
	sim := discordsim.New(cfg)
	sim.Start(p)
	t.Cleanup(sim.Close)
	s := &stand{Sim: sim, o: options(t, sim)}
	s.o.DialContext = func(ctx context.Context, network, addr string) (net.Conn, error) {
		if s.away.Load() {
			return nil, errors.New("no way there")
		}
		return p.Dial(ctx, network, addr)
	}
	return s
}
