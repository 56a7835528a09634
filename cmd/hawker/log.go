package main

import (
	"io"
	"log/slog"
	"os"

	"github.com/lmittmann/tint"
	"github.com/mattn/go-isatty"
)

// logger writes logs for people on a terminal and as JSON lines elsewhere, or when json is set.
func logger(w io.Writer, json bool) *slog.Logger {
	f, ok := w.(*os.File)
	if ok && !json && isatty.IsTerminal(f.Fd()) {
		return slog.New(tint.NewHandler(w, &tint.Options{TimeFormat: "15:04:05", NoColor: os.Getenv("NO_COLOR") != ""}))
	}
	return slog.New(slog.NewJSONHandler(w, nil))
}
