package broadcast

import (
	"context"
	"slices"
	"time"

	yt "google.golang.org/api/youtube/v3"
)

// Status is the truth about a broadcast as YouTube told it last.
type Status struct {
	// State is the broadcast's; Stream (created, ready, active, inactive, error) and Health (good, ok, bad, noData, revoked) are those
	// of the video that it gets.
	State          State
	Stream, Health string
	// Issues are what YouTube finds wrong with the video, worst first.
	Issues []Issue
	// Received: YouTube gets video now.
	Received bool
	// Known: YouTube answered the last question. Without it the rest is what it said before, and Trouble says why it is old.
	Known bool
	// Trouble is a sentence on what is wrong, empty when all is well.
	Trouble string
	// At is when YouTube answered last, Began since when viewers see it.
	At, Began time.Time
	// Chat is the id of its live chat.
	Chat string

	autoStart, monitored bool
}

// Issue is one thing that YouTube finds wrong with the video.
type Issue struct {
	Type     string // its word, such as "gopSizeLong"
	Severity string // info, warning or error
	Text     string
}

// same reports whether nothing changed but the time of the answer.
func (s Status) same(o Status) bool {
	return slices.Equal(s.Issues, o.Issues) && s.State == o.State && s.Stream == o.Stream && s.Health == o.Health && s.Received == o.Received && s.Known == o.Known &&
		s.Trouble == o.Trouble && s.Began.Equal(o.Began) && s.Chat == o.Chat
}

func (c *Client) lookBroadcast(ctx context.Context, ids IDs, s *Status) error {
	b, err := c.find(ctx, ids.Broadcast)
	if err != nil {
		return err
	}
	s.State, s.Began, s.Chat, s.autoStart, s.monitored = b.State, b.Began, b.Chat, b.AutoStart, b.monitored
	s.sum()
	return nil
}

func (c *Client) lookStream(ctx context.Context, ids IDs, s *Status) error {
	var got *yt.LiveStreamStatus
	err := c.calls.Do(ctx, tries, func(ctx context.Context) error {
		res, err := c.api.LiveStreams.List([]string{"id", "status"}).Id(ids.Stream).Context(ctx).Do()
		if err == nil && len(res.Items) > 0 {
			got = res.Items[0].Status
		}
		return err
	})
	if err != nil {
		return err
	}
	s.Stream, s.Health, s.Issues = "", "", nil
	if got != nil {
		s.Stream = got.StreamStatus
		if h := got.HealthStatus; h != nil {
			s.Health, s.Issues = h.Status, issues(h.ConfigurationIssues)
		}
	}
	s.sum()
	return nil
}

// sum says in one sentence what the parts mean.
func (s *Status) sum() {
	s.At, s.Known, s.Trouble = time.Now(), true, ""
	s.Received = s.Stream == "active" && s.Health != "noData" && s.Health != "revoked"
	switch {
	case s.State == Complete:
		s.Trouble = "The broadcast has ended on YouTube."
	case s.State == Revoked:
		s.Trouble = "YouTube has taken this broadcast away."
	case s.State == "":
		s.Trouble = "The broadcast was deleted on YouTube."
	case s.Stream == "":
		s.Trouble = "YouTube does not know the stream of this broadcast any more."
	case s.Stream == "error":
		s.Trouble = "YouTube cannot use the video that it gets."
	case !s.Received && s.State.OnAir():
		s.Trouble = "YouTube gets no video: viewers see a still picture or a spinner."
	case len(s.Issues) > 0 && s.Issues[0].Severity != "info":
		s.Trouble = s.Issues[0].Text
	case s.Health == "bad":
		s.Trouble = "YouTube calls the video bad and does not say why."
	}
}

// issues words what YouTube finds wrong, worst first.
func issues(all []*yt.LiveStreamConfigurationIssue) []Issue {
	var out []Issue
	for _, i := range all {
		if i == nil {
			continue
		}
		out = append(out, Issue{Type: i.Type, Severity: i.Severity, Text: wording(i.Type, i.Severity)})
	}
	rank := func(i Issue) int { return slices.Index([]string{"error", "warning", "info"}, i.Severity) }
	slices.SortStableFunc(out, func(a, b Issue) int { return rank(a) - rank(b) })
	return out
}

// wording says what an issue means and what to do (page "LiveStreams", configurationIssues). YouTube's own sentence comes in the
// language of the account and is left out.
func wording(kind, severity string) string {
	switch kind {
	case "gopSizeOver", "gopSizeLong":
		return "Keyframes are too far apart: set the encoder's keyframe interval to 2 seconds, at most 4."
	case "gopSizeShort":
		return "Keyframes are too near to each other: set the encoder's keyframe interval to 2 seconds."
	case "openGop":
		return "The encoder makes open GOPs: switch to closed GOPs."
	case "badContainer":
		return "YouTube cannot read the container of the video."
	case "audioBitrateHigh":
		return "The sound's bitrate is higher than YouTube wants: 128 kbit/s for stereo is enough."
	case "audioBitrateLow":
		return "The sound's bitrate is low: use 128 kbit/s for stereo."
	case "audioSampleRate", "audioSampleRateMismatch":
		return "The sound's sample rate does not fit: use 44.1 or 48 kHz, and the same in every encoder."
	case "bitrateHigh":
		return "The video's bitrate is higher than YouTube wants for this size."
	case "bitrateLow":
		return "The video's bitrate is too low for its size: viewers see blocks."
	case "audioCodec", "audioCodecMismatch":
		return "YouTube wants the sound as AAC."
	case "videoCodec", "videoCodecMismatch":
		return "YouTube does not take this video codec over RTMP, or the backup has another one: use H.264."
	case "noAudioStream":
		return "There is no sound in the stream."
	case "noVideoStream":
		return "There are no pictures in the stream."
	case "multipleVideoStreams", "multipleAudioStreams":
		return "There is more than one track of a kind in the stream: YouTube takes one."
	case "audioTooManyChannels", "audioStereoMismatch":
		return "The sound has too many channels, or another number than the backup: use stereo."
	case "interlacedVideo", "videoInterlaceMismatch":
		return "The video is interlaced: switch to progressive."
	case "frameRateHigh":
		return "The frame rate is over 60 pictures a second."
	case "framerateMismatch", "resolutionMismatch", "videoProfileMismatch", "videoBitrateMismatch", "gopMismatch", "audioBitrateMismatch":
		return "The main and the backup encoder send different video: give both the same settings."
	case "videoResolutionSuboptimal":
		return "The size of the picture is unusual: use 1280x720, 1920x1080 or 3840x2160."
	case "videoResolutionUnsupported":
		return "YouTube does not take this size of picture: use 1280x720 or 1920x1080."
	case "videoIngestionStarved":
		return "Video arrives too slowly: viewers buffer. Lower the bitrate or use a better line."
	case "videoIngestionFasterThanRealtime":
		return "Video arrives faster than it plays."
	}
	if severity == "error" {
		return "YouTube finds a fault in the video (" + word(kind) + ")."
	}
	return "YouTube has a remark on the video (" + word(kind) + ")."
}

// word is a platform's word, when it is one.
func word(s string) string {
	for _, r := range s {
		if (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') {
			return "unknown"
		}
	}
	if s == "" || len(s) > 64 {
		return "unknown"
	}
	return s
}
