package main

import (
	"io"
	"log/slog"
	"os"

	"github.com/lmittmann/tint"
	"github.com/mattn/go-isatty"
)

// logger writes logs for people on a terminal and as JSON lines elsewhere, or when json is set, from a level on.
func logger(w io.Writer, json bool, level slog.Level) *slog.Logger {
	f, ok := w.(*os.File)
	if ok && !json && isatty.IsTerminal(f.Fd()) {
		return slog.New(tint.NewTextHandler(w, &tint.Options{Level: level, TimeFormat: "15:04:05", NoColor: os.Getenv("NO_COLOR") != ""}))
	}
	return slog.New(slog.NewJSONHandler(w, &slog.HandlerOptions{Level: level}))
}
