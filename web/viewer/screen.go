package viewer

import (
	"context"
	"net/http"
	"net/url"

	"hawker/commerce"
	"hawker/internal/chat"
	"hawker/internal/lang"
	"hawker/internal/sqldb"
	"hawker/relay"
	"hawker/relay/room"
	"hawker/web/ui"
	"hawker/web/viewer/stand"
	"hawker/web/viewer/words"
)

// videoPath is what the addresses of video begin with.
const videoPath = "/video/"

// video passes on what a player asks for.
func (p *Pages) video(w http.ResponseWriter, r *http.Request) {
	to := r.Clone(r.Context())
	to.URL.Path, to.URL.RawPath = room.Path+r.PathValue("show")+"/"+r.PathValue("file"), ""
	p.Video.ServeHTTP(w, to)
}

// screenView is the room's video.
type screenView struct {
	W          *words.Words
	Src, Plain string // the playlists
	// State is live, paused (the slate is shown), or off. Text says it where there is no picture.
	State, Text string
	Elsewhere   []ui.Link // where else the show can be watched
}

// screen is the video of a room; nil for shows that have none.
func (p *Pages) screen(ctx context.Context, v *visit, s *stand.Stand) (*screenView, error) {
	if p.Video == nil {
		return nil, nil
	}
	x := p.screenNow(v, s)
	if x.State == "off" {
		if _, err := p.DB.IngestOf(ctx, v.merchant.ID, v.show); sqldb.IsNotFound(err) || err == nil && s.Show.State == commerce.ShowEnded {
			return nil, nil
		} else if err != nil {
			return nil, err
		}
	}
	at := videoPath + v.show.String()
	x.Src, x.Plain = at+"/index.m3u8", at+"/plain.m3u8"
	all, err := p.DB.Channels(ctx, v.merchant.ID)
	if err != nil {
		return nil, err
	}
	for _, on := range s.Show.Channels {
		for _, c := range all {
			if c.Channel == on {
				if href := watchURL(c); href != "" {
					x.Elsewhere = append(x.Elsewhere, ui.Link{Href: href, Text: lang.Fill(v.words.WatchOn, "platform", on.Platform.Title())})
				}
			}
		}
	}
	return x, nil
}

// watchURL is where a channel's video is watched; empty where there is none.
func watchURL(c sqldb.Channel) string {
	switch c.Platform {
	case chat.Twitch:
		return "https://www.twitch.tv/" + url.PathEscape(c.Name)
	case chat.YouTube:
		return "https://www.youtube.com/channel/" + url.PathEscape(c.ID) + "/live"
	}
	return ""
}

// screenNow is how the video stands, as all browsers see it.
func (p *Pages) screenNow(v *visit, s *stand.Stand) *screenView {
	w := v.words
	x := &screenView{W: w, State: "off", Text: w.VideoOff}
	switch s.Show.State {
	case commerce.ShowPlanned:
		x.Text = w.VideoSoon
	case commerce.ShowEnded:
		x.Text = w.VideoOver
	}
	var all []relay.StreamStatus
	if p.Streams != nil {
		all = p.Streams()
	}
	for i := range all {
		switch st := &all[i]; {
		case st.ID != v.show.String():
		case st.Slate:
			x.State, x.Text = "paused", w.VideoPaused
		case st.Ingest.Connected:
			x.State, x.Text = "live", w.VideoWait
		}
	}
	return x
}
