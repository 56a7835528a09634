package ui

import (
	"container/list"
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"hawker/internal/seal"
)

// Bounds of pictures kept in memory.
const (
	pictureMax   = 5 << 20
	picturesKept = 64 << 20
	pictureFetch = 8 * time.Second
	pictureAge   = 10 * time.Minute // how long the same address shows the same picture
)

// pictures fetches product pictures for the pages, which may load nothing from elsewhere: a shop's picture server
// should not learn who watches a show. Only addresses that a page of ours showed are fetched, which their token proves.
type pictures struct {
	key    *seal.Key
	client *http.Client
	log    *slog.Logger

	mu    sync.Mutex
	kept  map[string]*list.Element
	order *list.List // of *picture, the one used last in front
	size  int
	under map[string]*fetching
}

type picture struct {
	src, kind string
	bytes     []byte
	at        time.Time
}

type fetching struct {
	done chan struct{}
	p    *picture
	err  error
}

func newPictures(key *seal.Key, client *http.Client, log *slog.Logger) *pictures {
	return &pictures{key: key, client: client, log: log, kept: map[string]*list.Element{}, order: list.New(), under: map[string]*fetching{}}
}

func (p *pictures) token(src string) string { return p.key.Derive("picture "+src, 0, 0, 0).Reveal() }

// url is where the pages load a picture from; empty when there is none.
func (p *pictures) url(src string) string {
	if p.client == nil || !strings.HasPrefix(src, "https://") && !strings.HasPrefix(src, "http://") {
		return ""
	}
	return "/picture/" + p.token(src) + "?u=" + url.QueryEscape(src)
}

func (p *pictures) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	src := r.URL.Query().Get("u")
	if p.client == nil || subtle.ConstantTimeCompare([]byte(r.PathValue("token")), []byte(p.token(src))) != 1 {
		http.NotFound(w, r)
		return
	}
	pic, err := p.get(r.Context(), src)
	if err != nil {
		p.log.Debug("picture not shown", "err", err)
		http.Error(w, "The picture could not be fetched.", http.StatusBadGateway)
		return
	}
	h := w.Header()
	h.Set("Content-Type", pic.kind)
	// A drawing (SVG) may hold scripts; opened by itself it runs none.
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; img-src data:; sandbox")
	h.Set("Cache-Control", fmt.Sprintf("public, max-age=%d", int(pictureAge.Seconds())))
	_, _ = w.Write(pic.bytes)
}

// get takes a picture from memory or fetches it, once for all who wait.
func (p *pictures) get(ctx context.Context, src string) (*picture, error) {
	p.mu.Lock()
	if e := p.kept[src]; e != nil && time.Since(e.Value.(*picture).at) < pictureAge {
		p.order.MoveToFront(e)
		p.mu.Unlock()
		return e.Value.(*picture), nil
	}
	f := p.under[src]
	if f == nil {
		if len(p.under) > 32 {
			p.mu.Unlock()
			return nil, errors.New("too many pictures are being fetched")
		}
		f = &fetching{done: make(chan struct{})}
		p.under[src] = f
		p.mu.Unlock()
		f.p, f.err = p.fetch(context.WithoutCancel(ctx), src) // others may wait for it
		p.mu.Lock()
		delete(p.under, src)
		if f.err == nil {
			p.keep(f.p)
		}
		p.mu.Unlock()
		close(f.done)
		return f.p, f.err
	}
	p.mu.Unlock()
	select {
	case <-f.done:
		return f.p, f.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (p *pictures) keep(pic *picture) {
	if old := p.kept[pic.src]; old != nil {
		p.drop(old)
	}
	p.kept[pic.src] = p.order.PushFront(pic)
	p.size += len(pic.bytes)
	for p.size > picturesKept {
		p.drop(p.order.Back())
	}
}

func (p *pictures) drop(e *list.Element) {
	pic := p.order.Remove(e).(*picture)
	delete(p.kept, pic.src)
	p.size -= len(pic.bytes)
}

func (p *pictures) fetch(ctx context.Context, src string) (*picture, error) {
	ctx, cancel := context.WithTimeout(ctx, pictureFetch)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, src, nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Accept", "image/avif,image/webp,image/png,image/jpeg,image/gif,image/svg+xml")
	res, err := p.client.Do(req)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("status %d", res.StatusCode)
	}
	kind, _, err := mime.ParseMediaType(res.Header.Get("Content-Type"))
	if err != nil || !strings.HasPrefix(kind, "image/") {
		return nil, errors.New("it is no picture")
	}
	b, err := io.ReadAll(io.LimitReader(res.Body, pictureMax+1))
	if err != nil {
		return nil, err
	}
	if len(b) > pictureMax {
		return nil, fmt.Errorf("it has more than %d bytes", pictureMax)
	}
	return &picture{src, kind, b, time.Now()}, nil
}
