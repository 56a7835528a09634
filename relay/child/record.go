package child

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"time"
)

// record is a log record on its way to the hub's log.
type record struct {
	At    time.Time  `json:"at"`
	Level slog.Level `json:"level"`
	Text  string     `json:"text"`
	Attrs []attr     `json:"attrs,omitempty"`
}

// attr is an attribute; groups stand before its name, with dots.
type attr struct {
	Name  string `json:"name"`
	Value any    `json:"value"`
}

// handler gives records to keep. Its zero value with keep works.
type handler struct {
	level  slog.Level
	keep   func(*record)
	prefix string
	attrs  []attr
}

// Enabled implements slog.Handler.
func (h *handler) Enabled(_ context.Context, l slog.Level) bool { return l >= h.level }

// Handle implements slog.Handler.
func (h *handler) Handle(_ context.Context, r slog.Record) error {
	out := &record{At: r.Time, Level: r.Level, Text: r.Message, Attrs: slices.Clone(h.attrs)}
	r.Attrs(func(a slog.Attr) bool {
		out.Attrs = flat(out.Attrs, h.prefix, a)
		return true
	})
	h.keep(out)
	return nil
}

// WithAttrs implements slog.Handler.
func (h *handler) WithAttrs(all []slog.Attr) slog.Handler {
	out := *h
	out.attrs = slices.Clone(h.attrs)
	for _, a := range all {
		out.attrs = flat(out.attrs, h.prefix, a)
	}
	return &out
}

// WithGroup implements slog.Handler.
func (h *handler) WithGroup(name string) slog.Handler {
	out := *h
	if name != "" {
		out.prefix += name + "."
	}
	return &out
}

// flat adds an attribute as JSON can carry it.
func flat(to []attr, prefix string, a slog.Attr) []attr {
	v := a.Value.Resolve()
	if a.Equal(slog.Attr{}) {
		return to
	}
	switch v.Kind() {
	case slog.KindGroup:
		if a.Key != "" {
			prefix += a.Key + "."
		}
		for _, x := range v.Group() {
			to = flat(to, prefix, x)
		}
		return to
	case slog.KindBool:
		return append(to, attr{prefix + a.Key, v.Bool()})
	case slog.KindInt64, slog.KindUint64, slog.KindFloat64:
		if f, ok := v.Any().(float64); ok && (f != f || f-f != 0) { // JSON has no such numbers
			break
		}
		return append(to, attr{prefix + a.Key, v.Any()})
	case slog.KindAny:
		switch x := v.Any().(type) {
		case error:
			return append(to, attr{prefix + a.Key, x.Error()})
		default:
			return append(to, attr{prefix + a.Key, fmt.Sprint(x)})
		}
	}
	return append(to, attr{prefix + a.Key, v.String()})
}

// say writes a record to a log.
func (r *record) say(log *slog.Logger) {
	ctx := context.Background()
	if !log.Enabled(ctx, r.Level) {
		return
	}
	out := slog.NewRecord(r.At, r.Level, r.Text, 0)
	for _, a := range r.Attrs {
		if f, ok := a.Value.(float64); ok && f == float64(int64(f)) {
			out.AddAttrs(slog.Int64(a.Name, int64(f)))
			continue
		}
		out.AddAttrs(slog.Any(a.Name, a.Value))
	}
	_ = log.Handler().Handle(ctx, out)
}
