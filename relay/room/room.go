// Package room joins what shows streams to viewers (package hls) and what keeps them (package record) to a relay, in whatever
// process that runs.
package room

import (
	"context"
	"log/slog"
	"net/http"

	"hawker/relay"
	"hawker/relay/hls"
	"hawker/relay/record"
)

// Path is what the paths of the streams' video begin with: Path + STREAM + "/" + file, as hls.Server has them.
const Path = "/room/"

// Options say how much of it there may be. They are plain data.
type Options struct {
	// Recordings is the folder that streams are kept in, "" for none. Quota and MinFree are bytes, as those of record.Recorder.
	Recordings     string
	Quota, MinFree int64
	// Viewers and Kbps bound what is sent to viewers, as those of hls.Server.
	Viewers, Kbps int
}

// Shelf is where the recordings are; nil when there are none.
func (o *Options) Shelf() *record.Shelf {
	if o.Recordings == "" {
		return nil
	}
	return &record.Shelf{Dir: o.Recordings, Quota: o.Quota, MinFree: o.MinFree}
}

// Join adds a recorder to a relay that does not run yet and its video to mux. What it returns runs beside the relay, each until its
// context ends.
func Join(srv *relay.Server, mux *http.ServeMux, o Options, log *slog.Logger) (run []func(context.Context) error) {
	rooms := &hls.Server{Open: srv.Tap, MaxViewers: o.Viewers, MaxKbps: o.Kbps, Log: log}
	mux.Handle(Path, http.StripPrefix(Path[:len(Path)-1], rooms))
	run = append(run, rooms.Run)
	if o.Recordings != "" {
		rec := &record.Recorder{Dir: o.Recordings, Quota: o.Quota, MinFree: o.MinFree, Log: log}
		srv.Consumers = append(srv.Consumers, rec.Take)
		run = append(run, rec.Run)
	}
	return run
}
