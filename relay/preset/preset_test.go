package preset_test

import (
	"strings"
	"testing"

	"hawker/relay/preset"
	"hawker/relay/rtmp"
)

func TestOf(t *testing.T) {
	for host, want := range map[string]string{
		"live-fra.twitch.tv": "twitch", "a.rtmps.youtube.com": "youtube", "RTMP-API.facebook.com.": "facebook", "notyoutube.com": "",
		"fra05.contribute.live-video.net": "twitch", "x.channel.media.azure.net": "", "live-api-s.facebook.com": "facebook",
		"fa723fc1b171.global-contribute.live-video.net": "kick", "ingest.global-contribute.live-video.net": "twitch", "example.com": "", "": "",
	} {
		if p, ok := preset.Of(host); p.ID != want || ok != (want != "") {
			t.Errorf("%s: %q, want %q", host, p.ID, want)
		}
	}
}

// Each server of the table can be pushed to, and is known again.
func TestServers(t *testing.T) {
	for _, p := range preset.All() {
		for _, s := range []string{p.Server, p.Backup} {
			if s == "" {
				continue
			}
			target, err := rtmp.ParseTarget(s, "key")
			if err != nil {
				t.Errorf("%s: %v", p.ID, err)
			}
			if again, _ := preset.Of(target.Host); again.ID != p.ID {
				t.Errorf("%s is taken for %q", target.Host, again.ID)
			}
		}
		if p.Name == "" || strings.ToLower(p.ID) != p.ID {
			t.Errorf("%+v", p)
		}
		if !p.Takes("H.264") || !p.Takes("") || p.ID == "twitch" && p.Takes("HEVC") {
			t.Errorf("%s: codecs", p.ID)
		}
	}
}
