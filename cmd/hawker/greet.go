package main

import (
	"context"
	"fmt"
	"net/url"
	"strings"

	"hawker/internal/dial"
)

func hostOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return u.Hostname()
}

// greet says where the pages are, how to begin when nothing is set up, and what is still in the way of a real show.
func (h *house) greet(ctx context.Context, o out, p *pages) error {
	first, err := p.FirstRun(ctx)
	if err != nil {
		return err
	}
	var b strings.Builder
	fmt.Fprintf(&b, "hawker %s\n", version())
	fmt.Fprintf(&b, "  pages    %s\n", h.public)
	fmt.Fprintf(&b, "  video    %s (the stream key is on the show's page)\n", p.IngestServer)
	fmt.Fprintf(&b, "  relay    %s\n", h.video.relay.Process())
	fmt.Fprintf(&b, "  data     %s (%s)\n", h.set.Data, h.db.Kind())
	if first != "" {
		fmt.Fprintf(&b, "\nNothing is set up yet. Begin here, once, within the life of this process:\n  %s\nor write the set-up down and run: hawker apply FILE\n", first)
	}
	if dial.Loopback(h.public) && h.set.PublicURL == "" {
		b.WriteString("\nThis address leads only to this machine, so hawker puts no links into real chats and no shop can send it payments.\n" +
			"Set HAWKER_PUBLIC_URL to the address that viewers can reach, for example https://shop.example.\n")
	}
	_, err = o.Out.Write([]byte(b.String()))
	return err
}
