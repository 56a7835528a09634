package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"
)

// The control socket lies in the data folder and is for who owns it: apply and export talk to the running hub over it.
const (
	socketName  = "hawker.sock"
	maxControl  = 4 << 20
	controlTime = 2 * time.Minute // an apply may read a whole catalogue
)

// order is what apply sends: the file, and the values of the variables that it names.
type order struct {
	File []byte            `json:"file"`
	Env  map[string]string `json:"env"`
}

// control answers apply and export on the socket until ctx ends. Where a socket cannot be made (a file system without
// them) the hub runs all the same and says so.
func (h *house) control(ctx context.Context) error {
	path := filepath.Join(h.set.Data, socketName)
	if err := removeStale(path); err != nil {
		h.log.Warn("no control socket; hawker apply needs the hub stopped", "err", err)
		return nil
	}
	var lc net.ListenConfig
	ln, err := lc.Listen(ctx, "unix", path)
	if err == nil {
		err = os.Chmod(path, 0o600)
	}
	if err != nil {
		h.log.Warn("no control socket; hawker apply needs the hub stopped", "err", err)
		return nil
	}
	defer func() { _ = removeStale(path) }()
	mux := http.NewServeMux()
	mux.HandleFunc("POST /apply", func(w http.ResponseWriter, r *http.Request) {
		var o order
		if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxControl)).Decode(&o); err != nil {
			plain(w, http.StatusBadRequest, err.Error())
			return
		}
		h.answer(w, r, func(ctx context.Context) ([]byte, error) { return h.apply(ctx, h.hub, o) })
	})
	mux.HandleFunc("GET /export", func(w http.ResponseWriter, r *http.Request) {
		h.answer(w, r, func(ctx context.Context) ([]byte, error) { return h.export(ctx, r.FormValue("merchant")) })
	})
	return serveHTTP(ctx, ln, mux, h.log)
}

func (h *house) answer(w http.ResponseWriter, r *http.Request, f func(context.Context) ([]byte, error)) {
	ctx, cancel := context.WithTimeout(r.Context(), controlTime)
	defer cancel()
	out, err := f(ctx)
	if err != nil {
		plain(w, http.StatusUnprocessableEntity, err.Error())
		return
	}
	_, _ = w.Write(out)
}

// errNobody means that no hub runs in the data folder.
var errNobody = errors.New("no hub runs here")

// tell sends a request to the hub that runs in a data folder.
func tell(ctx context.Context, data, method, path string, body []byte) ([]byte, error) {
	client := &http.Client{Timeout: controlTime, Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		var d net.Dialer
		c, err := d.DialContext(ctx, "unix", filepath.Join(data, socketName))
		if err != nil {
			return nil, errors.Join(errNobody, err)
		}
		return c, nil
	}}}
	defer client.CloseIdleConnections()
	req, err := http.NewRequestWithContext(ctx, method, "http://hawker"+path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	resp, err := client.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	out, err := io.ReadAll(io.LimitReader(resp.Body, maxControl))
	if err != nil {
		return nil, err
	}
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s", bytes.TrimSpace(out))
	}
	return out, nil
}
