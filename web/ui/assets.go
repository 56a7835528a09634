package ui

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"maps"
	"net/http"
	"path"
	"regexp"
	"slices"
	"strings"
	"sync"

	vendored "hawker/web/static/vendor"
)

// Assets are the files that pages load: style, script, fonts, pictures of our own. Their addresses hold a hash of their
// content, so that browsers may keep them for ever.
type Assets struct {
	byName map[string]*asset // as written in templates
	byFile map[string]*asset // as in addresses
}

type asset struct {
	file  string // app.1a2b3c4d5e.css
	kind  string
	bytes []byte

	packOnce sync.Once
	packed   []byte // gzip, nil when that is no smaller
}

// inStyle finds the names of other assets in a style sheet: url(static:inter.woff2).
var inStyle = regexp.MustCompile(`url\(static:([^)]+)\)`)

func newAssets(more []fs.FS) (*Assets, error) {
	a := &Assets{map[string]*asset{}, map[string]*asset{}}
	sheets := map[string][]byte{} // style sheets name other files, so they come last
	for _, fsys := range append([]fs.FS{vendored.FS, static}, more...) {
		err := fs.WalkDir(fsys, ".", func(file string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			b, err := fs.ReadFile(fsys, file)
			if err != nil {
				return err
			}
			name := path.Base(file)
			if a.byName[name] != nil || sheets[name] != nil {
				return fmt.Errorf("%s: two files have this name", name)
			}
			if strings.HasSuffix(name, ".css") {
				sheets[name] = b
				return nil
			}
			return a.add(name, b)
		})
		if err != nil {
			return nil, err
		}
	}
	for _, name := range slices.Sorted(maps.Keys(sheets)) {
		b, missing := sheets[name], ""
		b = inStyle.ReplaceAllFunc(b, func(m []byte) []byte {
			other := string(inStyle.FindSubmatch(m)[1])
			if a.byName[other] == nil {
				missing = other
				return m
			}
			return []byte("url(" + a.URL(other) + ")")
		})
		if missing != "" {
			return nil, fmt.Errorf("%s names %s, which is not there", name, missing)
		}
		if err := a.add(name, b); err != nil {
			return nil, err
		}
	}
	return a, nil
}

func (a *Assets) add(name string, b []byte) error {
	kinds := map[string]string{
		".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml", ".woff2": "font/woff2",
	}
	ext := path.Ext(name)
	kind, ok := kinds[ext]
	if !ok {
		return fmt.Errorf("%s: no content type for its ending", name)
	}
	sum := sha256.Sum256(b)
	x := &asset{file: strings.TrimSuffix(name, ext) + "." + hex.EncodeToString(sum[:5]) + ext, kind: kind, bytes: b}
	a.byName[name], a.byFile[x.file] = x, x
	return nil
}

// URL is the address of a file by its name; of an unknown one the address that answers 404, which a test finds.
func (a *Assets) URL(name string) string {
	if x := a.byName[name]; x != nil {
		return "/static/" + x.file
	}
	return "/static/missing-" + name
}

// Names are the names of all files.
func (a *Assets) Names() []string {
	var out []string
	for n := range a.byName {
		out = append(out, n)
	}
	slices.Sort(out)
	return out
}

func (a *Assets) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	x := a.byFile[r.PathValue("file")]
	if x == nil {
		http.NotFound(w, r)
		return
	}
	h := w.Header()
	h.Set("Content-Type", x.kind)
	h.Set("Cache-Control", "public, max-age=31536000, immutable")
	body := x.bytes
	if x.kind != "font/woff2" { // which is compressed already
		h.Set("Vary", "Accept-Encoding")
		if p := x.gzip(); p != nil && strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
			h.Set("Content-Encoding", "gzip")
			body = p
		}
	}
	h.Set("Content-Length", fmt.Sprint(len(body)))
	_, _ = w.Write(body)
}

func (x *asset) gzip() []byte {
	x.packOnce.Do(func() {
		var b bytes.Buffer
		z, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
		if err != nil { // the level is a constant
			panic(err)
		}
		_, _ = z.Write(x.bytes) // a buffer takes all
		_ = z.Close()
		if b.Len() < len(x.bytes) {
			x.packed = b.Bytes()
		}
	})
	return x.packed
}
