package broadcast

import (
	"strings"
	"testing"
	"unicode/utf8"

	yt "google.golang.org/api/youtube/v3"
)

func TestIngestWithoutRTMPS(t *testing.T) {
	got := ingest(&yt.LiveStream{Cdn: &yt.CdnSettings{IngestionInfo: &yt.IngestionInfo{IngestionAddress: "rtmp://a/live2", StreamName: "k"}}})
	if got.Server != "rtmp://a/live2" || got.Backup != "" || got.Key.Reveal() != "k" {
		t.Errorf("ingest = %+v", got)
	}
}

func FuzzText(f *testing.F) {
	for _, s := range []string{"", "Spring <sale>", strings.Repeat("日本", 60), strings.Repeat("é\n", 4000), "a\x00b\xff", "\r\n\t "} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if got := title(s); got == "" || utf8.RuneCountInString(got) > maxTitle || !utf8.ValidString(got) || strings.ContainsAny(got, "<>\n\r\x00") || title(got) != got {
			t.Errorf("title(%q) = %q", s, got)
		}
		if got := description(s); len(got) > maxDescription || !utf8.ValidString(got) || strings.ContainsAny(got, "<>\x00") || description(got) != got {
			t.Errorf("description(%q) = %q", s, got)
		}
	})
}

func TestEveryIssueHasAWording(t *testing.T) {
	// The enumeration of the discovery document, revision 20261019.
	for _, kind := range strings.Fields(`gopSizeOver gopSizeLong gopSizeShort openGop badContainer audioBitrateHigh audioBitrateLow audioSampleRate
		bitrateHigh bitrateLow audioCodec videoCodec noAudioStream noVideoStream multipleVideoStreams multipleAudioStreams audioTooManyChannels
		interlacedVideo frameRateHigh resolutionMismatch videoCodecMismatch videoInterlaceMismatch videoProfileMismatch videoBitrateMismatch
		framerateMismatch gopMismatch audioSampleRateMismatch audioStereoMismatch audioCodecMismatch audioBitrateMismatch
		videoResolutionSuboptimal videoResolutionUnsupported videoIngestionStarved videoIngestionFasterThanRealtime`) {
		if w := wording(kind, "error"); strings.Contains(w, kind) {
			t.Errorf("%s: %s", kind, w)
		}
	}
	if w := wording("</script>", "warning"); strings.Contains(w, "<") {
		t.Errorf("a strange word was passed on: %s", w)
	}
}
