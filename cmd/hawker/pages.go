package main

import (
	"net/http"
)

// pages are the web pages with what ends them.
type pages struct {
	handler http.Handler
	close   func()
}

// pages puts everything together that is reached over HTTP.
func (h *house) pages(extra func(*http.ServeMux)) (*pages, error) {
	mux := http.NewServeMux()
	h.mountOps(mux)
	mux.Handle("POST /webhooks/shopify", h.webhooks())
	if extra != nil {
		extra(mux)
	}
	return &pages{handler: mux, close: func() {}}, nil
}
