package rtmpsim

import (
	"net/http"
	"slices"
	"time"

	"github.com/bluenviron/gohlslib/v2"
	hlscodecs "github.com/bluenviron/gohlslib/v2/pkg/codecs"
	"github.com/bluenviron/gortmplib"
	"github.com/bluenviron/gortmplib/pkg/codecs"
)

// segmentMin is the shortest HLS segment; it grows to the next keyframe. A player buffers three.
const segmentMin = time.Second

// h264Clock is the clock rate of H.264 in HLS.
const h264Clock = 90_000

// watch is an HLS stream of one publication.
type watch struct{ muxer *gohlslib.Muxer }

func (h *watch) serve(w http.ResponseWriter, r *http.Request) {
	n := &noticed{ResponseWriter: w}
	h.muxer.Handle(n, r)
	if !n.wrote {
		http.NotFound(w, r) // the muxer says nothing about what it does not have
	}
}

type noticed struct {
	http.ResponseWriter
	wrote bool
}

func (n *noticed) WriteHeader(code int) {
	n.wrote = true
	n.ResponseWriter.WriteHeader(code)
}

func (n *noticed) Write(p []byte) (int, error) {
	n.wrote = true
	return n.ResponseWriter.Write(p)
}

// play reads a publication into an HLS stream until it ends or cannot be read.
func (s *Sim) play(sc *gortmplib.ServerConn) {
	r := &gortmplib.Reader{Conn: sc}
	if r.Initialize() != nil {
		return
	}
	h := &watch{muxer: &gohlslib.Muxer{
		Variant: gohlslib.MuxerVariantFMP4, SegmentCount: 7, SegmentMinDuration: segmentMin,
		OnEncodeError: func(error) {},
	}}
	for _, t := range r.Tracks() {
		h.track(r, t)
	}
	if len(h.muxer.Tracks) > 0 {
		if h.muxer.Start() != nil {
			return
		}
		s.mu.Lock()
		s.hls = h
		s.mu.Unlock()
		defer func() {
			s.mu.Lock()
			if s.hls == h {
				s.hls = nil
			}
			s.mu.Unlock()
			h.muxer.Close()
		}()
	}
	for r.Read() == nil {
	}
}

// track gives a track of the publication its place in the HLS stream. Tracks that browsers do not play are read and
// thrown away: the library wants a callback for each.
func (h *watch) track(r *gortmplib.Reader, t *gortmplib.Track) {
	add := func(c hlscodecs.Codec, rate int) *gohlslib.Track {
		out := &gohlslib.Track{Codec: c, ClockRate: rate}
		h.muxer.Tracks = append(h.muxer.Tracks, out)
		return out
	}
	ticks := func(d time.Duration, rate int) int64 { return int64(d) * int64(rate) / int64(time.Second) }
	switch c := t.Codec.(type) {
	case *codecs.H264:
		out := add(&hlscodecs.H264{SPS: c.SPS, PPS: c.PPS}, h264Clock)
		r.OnDataH264(t, func(pts, _ time.Duration, au [][]byte) {
			_ = h.muxer.WriteH264(out, time.Now(), ticks(pts, h264Clock), withParameters(au, c.SPS, c.PPS))
		})
	case *codecs.MPEG4Audio:
		rate := c.Config.SampleRate
		out := add(&hlscodecs.MPEG4Audio{Config: *c.Config}, rate)
		r.OnDataMPEG4Audio(t, func(pts time.Duration, au []byte) {
			_ = h.muxer.WriteMPEG4Audio(out, time.Now(), ticks(pts, rate), [][]byte{au})
		})
	case *codecs.H265:
		r.OnDataH265(t, func(_, _ time.Duration, _ [][]byte) {})
	case *codecs.AV1:
		r.OnDataAV1(t, func(time.Duration, [][]byte) {})
	case *codecs.VP9:
		r.OnDataVP9(t, func(time.Duration, []byte) {})
	case *codecs.Opus:
		r.OnDataOpus(t, func(time.Duration, []byte) {})
	case *codecs.FLAC:
		r.OnDataFLAC(t, func(time.Duration, []byte) {})
	case *codecs.MPEG1Audio:
		r.OnDataMPEG1Audio(t, func(time.Duration, []byte) {})
	case *codecs.AC3:
		r.OnDataAC3(t, func(time.Duration, []byte) {})
	case *codecs.G711:
		r.OnDataG711(t, func(time.Duration, []byte) {})
	case *codecs.LPCM:
		r.OnDataLPCM(t, func(time.Duration, []byte) {})
	}
}

// withParameters puts SPS and PPS before a keyframe that lacks them. Over RTMP they come once, in the sequence header; the
// muxer wants them in the stream.
func withParameters(au [][]byte, sps, pps []byte) [][]byte {
	has := func(kind byte) bool {
		return slices.ContainsFunc(au, func(n []byte) bool { return len(n) > 0 && n[0]&0x1F == kind })
	}
	const idr, sequence = 5, 7 // ITU-T H.264, table 7-1
	if !has(idr) || has(sequence) {
		return au
	}
	return append([][]byte{sps, pps}, au...)
}
