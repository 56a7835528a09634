// Package vendored holds the browser files that others wrote and that hawker's pages load. They are embedded as
// published and never edited; VENDOR says where each is from, its checksum and its licence.
//
// To bring one up to date: `npm pack NAME@VERSION`, take the one file out of the archive, put it here with its
// licence text, write its line in VENDOR, then `go test ./web/static/vendor -update` to join htmx.js again.
package vendored

import "embed"

// FS is what the pages may load: htmx.js (htmx and its SSE extension in one file, because two deferred scripts race
// and a page then misses its stream), hls.js with its worker, and the two fonts.
//
//go:embed htmx.js hls.min.js hls.worker.js *.woff2
var FS embed.FS
