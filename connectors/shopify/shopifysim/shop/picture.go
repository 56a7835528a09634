package shop

import (
	"io"
	"net/http"
	"strings"

	"hawker/connectors/shopify/shopifysim/shop/picture"
)

// serveMark is the shop's sign in a browser's tab.
func serveMark(w http.ResponseWriter, _ *http.Request) {
	svgHeaders(w)
	_, _ = io.WriteString(w, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><path fill="#98452a" `+
		`d="M12.5 3h7c-.5 4 .8 6 4 8.8C29.5 17 27 29 16 29S2.5 17 8.5 11.8c3.2-2.8 4.5-4.8 4-8.8z"/></svg>`)
}

func svgHeaders(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "image/svg+xml")
	w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'")
	w.Header().Set("Cache-Control", "max-age=3600")
}

func (s *Shop) servePicture(w http.ResponseWriter, r *http.Request) {
	handle := strings.TrimSuffix(r.PathValue("file"), ".svg")
	s.mu.Lock()
	p := s.productByHandle(handle)
	s.mu.Unlock()
	if p == nil {
		http.NotFound(w, r)
		return
	}
	svgHeaders(w)
	_, _ = w.Write([]byte(picture.Draw(p.Shape, p.Glaze, p.Title)))
}

func (s *Shop) productByHandle(handle string) *product {
	for _, p := range s.products {
		if p.handle == handle {
			return p
		}
	}
	return nil
}
