// Package preset knows the platforms: where they take a stream and what they take. Their limits change; they are a table here, and
// a warning is all they lead to.
package preset

import (
	"slices"
	"strings"
	"time"
)

// Preset is one platform.
type Preset struct {
	ID, Name string
	Server   string        // to be filled in; "" when the platform gives out one for each broadcast
	Backup   string        // of the second ingest; "" when there is none
	Video    int           // kbit/s of the picture at most, 0 when nothing is known
	Audio    int           // kbit/s of the sound at most, 0 when nothing is known
	Keyframe time.Duration // between keyframes at most, 0 when nothing is known
	Codecs   []string      // of the picture over plain RTMP; empty when nothing is known
	Test     string        // appended to the key, it makes a stream that nobody sees; "" when there is no such thing

	hosts []string // what the server's name ends in
}

// all is the table. What no source says is left out: then nothing is warned of, and the platform's own announcement decides. Sources,
// all as of 2026-08:
//
//   - OBS: OBS Studio, plugins/rtmp-services/data/services.json. Servers of YouTube, Facebook, Trovo and Restream; rates of Twitch,
//     YouTube and Trovo; the codecs of Twitch and YouTube.
//   - Twitch: help.twitch.tv, "Twitch Ingest Recommendation" (the server that leads to the nearest one, *.contribute.live-video.net);
//     dev.twitch.tv, "Video Broadcast" (the test).
//   - YouTube: "Configuration Issues for LiveStream Resources" (gopSizeLong above 4 s).
//   - Facebook: developers.facebook.com, "Live Video API": 1080p60 with up to 9000 kbit/s, 256 kbit/s of sound, a keyframe at least
//     every 4 s, H.264 and AAC, RTMPS alone.
//   - Kick: taken in by Amazon IVS at a server of each channel's own: H.264 and AAC, a keyframe every 1 or 2 s. Its rates stand in
//     the channel's dashboard.
//   - Instagram: datarhei/restreamer, its publication service for Instagram Live (the server).
//   - TikTok, Rumble, LinkedIn: server and key are given out for each broadcast; no limits are published.
//
// Keyframe is where a platform complains. All of them ask for 2 s; Twitch names no bound, and 4 s is what the others allow.
func all() []Preset {
	const h264, hevc, av1 = "H.264", "HEVC", "AV1"
	s := time.Second
	return []Preset{
		{
			ID: "twitch", Name: "Twitch", Server: "rtmps://ingest.global-contribute.live-video.net:443/app", Video: 6000, Audio: 320, Keyframe: 4 * s,
			Codecs: []string{h264}, Test: "?bandwidthtest=true", hosts: []string{"twitch.tv", "contribute.live-video.net"},
		},
		{
			ID: "youtube", Name: "YouTube", Server: "rtmps://a.rtmps.youtube.com:443/live2", Backup: "rtmps://b.rtmps.youtube.com:443/live2?backup=1",
			Video: 51000, Audio: 160, Keyframe: 4 * s, Codecs: []string{h264, hevc, av1}, hosts: []string{"youtube.com"},
		},
		{
			ID: "facebook", Name: "Facebook", Server: "rtmps://rtmp-api.facebook.com:443/rtmp/", Video: 9000, Audio: 256, Keyframe: 4 * s,
			Codecs: []string{h264}, hosts: []string{"facebook.com"},
		},
		{ID: "kick", Name: "Kick", Keyframe: 2 * s, Codecs: []string{h264}, hosts: []string{"global-contribute.live-video.net"}},
		{ID: "tiktok", Name: "TikTok", hosts: []string{"tiktok.com", "tiktokcdn.com"}},
		{ID: "instagram", Name: "Instagram", Server: "rtmps://live-upload.instagram.com:443/rtmp/", hosts: []string{"instagram.com"}},
		{ID: "trovo", Name: "Trovo", Server: "rtmp://livepush.trovo.live/live/", Video: 9000, hosts: []string{"trovo.live"}},
		{ID: "rumble", Name: "Rumble", hosts: []string{"rumble.com"}},
		{ID: "linkedin", Name: "LinkedIn", hosts: []string{"linkedin.com"}},
		{ID: "restream", Name: "Restream", Server: "rtmp://live.restream.io/live", hosts: []string{"restream.io"}},
	}
}

// All returns the platforms, the most used first. The caller may change what it gets.
func All() []Preset { return all() }

// Of returns the platform whose server has this name. ok is false for a server that nobody knows.
func Of(host string) (p Preset, ok bool) {
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	longest := 0
	for _, x := range all() {
		for _, h := range x.hosts {
			if (host == h || strings.HasSuffix(host, "."+h)) && len(h) > longest {
				p, ok, longest = x, true, len(h)
			}
		}
	}
	// Twitch and Kick are taken in by the same company; what names neither is Twitch's when it says so.
	if ok && p.ID == "kick" && strings.HasPrefix(host, "ingest.") {
		return Of("twitch.tv")
	}
	return p, ok
}

// Takes says whether the platform takes pictures in this codec. Nothing known counts as yes.
func (p *Preset) Takes(codec string) bool {
	return codec == "" || len(p.Codecs) == 0 || slices.Contains(p.Codecs, codec)
}
