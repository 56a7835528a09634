package desk

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"hawker/commerce"
	"hawker/internal/sqldb"
	"hawker/relay"
	"hawker/web/desk/relaypage"
)

// mountVideo puts the pages of a show's video into a mux.
func (d *Desk) mountVideo(mux *http.ServeMux, guard Guard) error {
	p := &relaypage.Pages{DB: d.DB, Hub: d.Hub, Kit: d.Kit, Log: d.Log, Studio: d.Studio, Server: d.IngestServer, Secure: d.IngestSecure}
	routes, err := p.Open()
	if err != nil {
		return err
	}
	mountSection(mux, guard, "video", routes)
	return nil
}

type ingestRow struct {
	State, Word, Facts, Trouble string
	Figures                     []figure
}

type destinationRow struct{ Name, State, Word, Reason string }

// video fills in the relay strip.
func (d *Desk) video(ctx context.Context, v *Visitor, id commerce.ID, p *showPage) error {
	if d.Relay == nil {
		return nil
	}
	stored, err := d.DB.Destinations(ctx, v.Merchant.ID, id)
	if err != nil {
		return err
	}
	var st *relay.StreamStatus
	for _, x := range d.Relay() {
		if x.ID == id.String() {
			st = &x
			break
		}
	}
	p.Ingest = ingestOf(st)
	if st == nil {
		if _, err := d.DB.IngestOf(ctx, v.Merchant.ID, id); sqldb.IsNotFound(err) {
			p.Ingest.Trouble = "The show has no stream key yet."
		}
	}
	for _, s := range stored {
		p.Destinations = append(p.Destinations, destinationOf(s, st))
	}
	return nil
}

func ingestOf(st *relay.StreamStatus) *ingestRow {
	if st == nil {
		return &ingestRow{State: "gone", Word: "no video"}
	}
	in := &st.Ingest
	row := &ingestRow{State: "live", Word: "on"}
	switch {
	case !in.Connected:
		row.State, row.Word, row.Trouble = "trouble", "lost", "The encoder is away. Viewers see the slate, and destinations stay connected for a while."
	case in.Waiting:
		row.State, row.Word = "waiting", "waiting for the first picture"
	}
	size := "–"
	if in.Width > 0 {
		size = fmt.Sprintf("%d × %d", in.Width, in.Height)
	}
	codecs := in.Video
	if in.Audio != "" && codecs != "" {
		codecs += " + " + in.Audio
	}
	kbps := "–"
	if in.Kbps > 0 {
		kbps = fmt.Sprintf("%d kbps", in.Kbps/10*10) // the last digit is noise
	}
	every := "–"
	if in.KeyframeEvery > 0 {
		every = fmt.Sprintf("%.1f s", in.KeyframeEvery.Seconds())
		if in.KeyframeEvery > 4*time.Second {
			row.Trouble = "Keyframes are too far apart: set the keyframe interval to 2 s in the encoder."
		}
	}
	if codecs == "" {
		codecs = "–"
	}
	row.Figures = []figure{{Label: "Codec", Value: codecs}, {Label: "Size", Value: size}, {Label: "Rate", Value: kbps}, {Label: "Keyframe every", Value: every}}
	return row
}

func destinationOf(s sqldb.Destination, st *relay.StreamStatus) destinationRow {
	row := destinationRow{Name: s.Name, State: "gone", Word: "waits for video"}
	if !s.Enabled {
		row.Word = "off"
		return row
	}
	if st == nil {
		return row
	}
	for i := range st.Destinations {
		x := &st.Destinations[i]
		if x.ID != s.ID.String() {
			continue
		}
		row.Word, row.Reason = string(x.State), x.Error
		switch x.State {
		case relay.Live:
			row.State = "live"
		case relay.Connecting, relay.Retrying:
			row.State = "waiting"
			if x.Error != "" {
				row.State = "trouble"
			}
		case relay.LeftOut:
			row.State, row.Word = "held", "left out"
		default:
			row.State = "trouble"
		}
		if x.Reason == relay.KeyRejected {
			row.Word = "key rejected"
		}
		if x.Drops > 0 && row.Reason == "" {
			row.Reason = fmt.Sprintf("%d frames left out to stay live", x.Drops)
		}
	}
	return row
}
