package relaypage

import (
	"fmt"
	"slices"
	"strings"

	"hawker/internal/sqldb/videobook"
	"hawker/internal/studio"
	"hawker/relay/preset"
)

// guide is what people are told of a platform before they fill in the form. Facts are those of package preset; where a key is found
// changes with the platforms' pages, and is told here.
type guide struct {
	ID, Name, Mark, Brand string
	Server                string // to be filled in, "" when the platform gives out one for each broadcast
	ServerHint, Where     string
	Limits                string
	Careful               string // what people trip over
}

// custom is any other server.
const custom = "custom"

// guides are all platforms that can be chosen, the most used first.
func guides() []guide {
	var out []guide
	for _, x := range preset.All() {
		g := guide{ID: x.ID, Name: x.Name, Server: x.Server, Limits: limits(&x), ServerHint: "Filled in for " + x.Name + "."}
		if x.Server == "" {
			g.ServerHint = x.Name + " shows it beside the key, and it may be another one for each broadcast."
		}
		if g.Mark, g.Where, g.Careful = words(x.ID); g.Mark == "" {
			g.Mark = x.Name[:1]
		}
		g.Brand = x.ID
		out = append(out, g)
		if x.ID == "youtube" {
			b := g
			b.ID, b.Name, b.Server = studio.BackupPreset, "YouTube, second ingest", x.Backup
			b.Careful = "The same key as of the first. Both at once take twice the line; YouTube goes over to this one when the first fails."
			out = append(out, b)
		}
	}
	return append(out, guide{
		ID: custom, Name: "Any other server", Mark: "…", Brand: custom, ServerHint: "Begins with rtmp:// or rtmps://. Both fields are kept exactly as you paste them.",
		Where: "The platform shows server and stream key beside each other, most often under “Streaming software” or “RTMP”.",
	})
}

// guideOf is the guide of a preset; ok is false for one that nobody knows.
func guideOf(id string) (guide, bool) {
	all := guides()
	i := slices.IndexFunc(all, func(g guide) bool { return g.ID == id })
	if i < 0 {
		return all[len(all)-1], id == ""
	}
	return all[i], true
}

// words are a platform's mark, where its key is found, and what people trip over.
func words(id string) (mark, where, careful string) {
	switch id {
	case "twitch":
		return "Tw", "Creator dashboard, Settings, Stream: Primary stream key.", ""
	case "youtube":
		return "YT", "YouTube Studio, Create, Go live, Stream: Stream key.", "The first time, YouTube takes a day to enable live streaming for a channel."
	case "facebook":
		return "Fb", "Facebook, Live video, Go live, Streaming software. Turn on “Persistent stream key” to keep it.", "A broadcast lasts at most 8 hours. A key that is not persistent is good for one broadcast."
	case "kick":
		return "Ki", "Creator dashboard, Settings, Stream URL and key.", ""
	case "tiktok":
		return "Ti", "TikTok Live Studio or livecenter.tiktok.com, Go live: Server URL and stream key.", "TikTok gives a new key for each broadcast, to some accounts only, and wants an upright picture."
	case "instagram":
		return "Ig", "instagram.com on a computer, Create, Live video: Stream URL and stream key.", "The key is good for one broadcast, and you start it in Instagram's window. The picture is upright, 9:16."
	case "trovo":
		return "Tr", "Trovo Studio, Channel, Stream settings.", ""
	case "rumble":
		return "Ru", "Rumble, Go live, Streaming software: Server URL and stream key.", ""
	case "linkedin":
		return "in", "linkedin.com/video/golive: create the event, Get URL.", "The key is good for one event. LinkedIn starts the event when you press Go live there."
	case "restream":
		return "Re", "restream.io, Home, RTMP settings.", ""
	}
	return "", "", ""
}

// limits says what a platform takes.
func limits(x *preset.Preset) string {
	var out []string
	if x.Video > 0 {
		out = append(out, fmt.Sprintf("up to %d kbit/s of picture", x.Video))
	}
	if x.Audio > 0 {
		out = append(out, fmt.Sprintf("%d kbit/s of sound", x.Audio))
	}
	if x.Keyframe > 0 {
		out = append(out, fmt.Sprintf("a keyframe at least every %d s", int(x.Keyframe.Seconds())))
	}
	if len(x.Codecs) > 0 {
		out = append(out, strings.Join(x.Codecs, ", ")+" and AAC")
	}
	if len(out) == 0 {
		return "What it takes at most is published nowhere. H.264, AAC and a keyframe every 2 s go everywhere."
	}
	return "Takes " + strings.Join(out, ", ") + "."
}

// markOf is a destination's mark, its colour, and where it goes.
func markOf(d *videobook.Destination) (mark, brand, place string) {
	place = host(d.Server)
	id := d.Preset
	if id == "" && d.Account == "" {
		if p, ok := preset.Of(strings.Split(place, ":")[0]); ok {
			id = p.ID
		}
	}
	if d.Account != "" {
		place = accountWord(d)
	}
	g, known := guideOf(id)
	if !known || g.ID == custom {
		r := []rune(strings.TrimSpace(d.Name) + "…")
		return strings.ToUpper(string(r[:1])), custom, place
	}
	return g.Mark, g.Brand, place
}
