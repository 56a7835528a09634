package main

import (
	"context"
	"io/fs"
	"net"
	"net/http"

	"hawker/commerce"
	"hawker/internal/dial"
	"hawker/internal/sqldb"
	"hawker/web"
	"hawker/web/ui"
	"hawker/web/viewer"
)

// pages are all that is reached over HTTP, with what ends them.
type pages struct {
	*web.Server
	handler http.Handler
	dialer  *http.Client
}

// extras are what the demo adds to the pages.
type extras struct {
	more     []func(*http.ServeMux, *ui.Kit) error
	signInAs func(context.Context) (sqldb.Member, bool)
}

// ingestFor is the address that people put into their encoder, for what the relay listens on.
func (h *house) ingestFor(listen string) string {
	host, port, _ := net.SplitHostPort(listen)
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		if host = hostOf(h.public); host == "" {
			host = "localhost"
		}
	}
	return "rtmp://" + net.JoinHostPort(host, port) + "/live"
}

// pages puts all pages together. Close them when the listener is closed.
func (h *house) pages(x extras) (*pages, error) {
	pictures := (&dial.Dialer{AllowPrivate: h.set.AllowPrivateTargets}).Client()
	p := &pages{dialer: pictures}
	proxies, err := h.set.proxies()
	if err != nil {
		return nil, err
	}
	p.Server = &web.Server{
		Proxies: proxies, DB: h.db, Hub: h.hub, Log: h.log, Public: h.public, Version: version(), Pictures: pictures, Webhooks: h.webhooks(), Connects: h.connects(), Rooms: h.rooms,
		Catalogue: func(ctx context.Context, m commerce.ID) (int, error) {
			all, err := h.catalogue(ctx, m)
			return len(all), err
		},
		Relay: h.video.status, Studio: h.video.studio, IngestServer: h.ingest, IngestSecure: h.ingestSecure(), SignInAs: x.signInAs,
		Static: []fs.FS{viewer.Static}, Permission: permission, Recordings: h.shelf(),
	}
	p.More = append(p.More, func(mux *http.ServeMux, kit *ui.Kit) error {
		h.mountOps(mux)
		v := &viewer.Pages{DB: h.db, Hub: h.hub, Kit: kit, Log: h.log, Proofs: p.Proofs(), Video: h.video.relay.Proxy(), Streams: h.video.status}
		return v.Mount(mux)
	})
	p.More = append(p.More, x.more...)
	p.handler, err = p.Open()
	return p, err
}

// close ends all streams and waits for what feeds them.
func (p *pages) close() {
	p.Close()
	p.dialer.CloseIdleConnections()
}
