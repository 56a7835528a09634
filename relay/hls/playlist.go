package hls

import (
	"fmt"
	"math"
	"net/url"
	"strings"
	"time"

	"hawker/relay/media"
)

// index is the playlist that names the others, for a viewer of this name.
func (w *show) index(name string) []byte {
	kbps := w.kbps()
	w.mu.Lock()
	defer w.mu.Unlock()
	var codecs []string
	var b strings.Builder
	b.WriteString("#EXTM3U\n#EXT-X-VERSION:9\n#EXT-X-INDEPENDENT-SEGMENTS\n")
	fmt.Fprintf(&b, "#EXT-X-STREAM-INF:BANDWIDTH=%d,AVERAGE-BANDWIDTH=%d", max(kbps, 1)*1200, max(kbps, 1)*1000)
	for _, t := range w.tracks {
		if t != nil {
			codecs = append(codecs, t.Name)
		}
	}
	fmt.Fprintf(&b, ",CODECS=%q", strings.Join(codecs, ","))
	if v := w.tracks[0]; v != nil {
		fmt.Fprintf(&b, ",RESOLUTION=%dx%d", v.Width, v.Height)
		if v.FPS > 0 {
			fmt.Fprintf(&b, ",FRAME-RATE=%.3f", v.FPS)
		}
	}
	b.WriteString("\n" + partsFile)
	if name != "" && len(name) <= maxID {
		b.WriteString("?v=" + url.QueryEscape(name))
	}
	b.WriteString("\n")
	return []byte(b.String())
}

// playlist is that of the segments, with parts or without.
func (w *show) playlist(parts bool) []byte {
	w.mu.Lock()
	defer w.mu.Unlock()
	from, breaks := w.listed()
	list := w.segs[from:]
	longest, target := max(w.longest, 1), partTarget
	for _, seg := range list {
		longest = max(longest, seg.ticks)
		for i := range seg.parts {
			target = max(target, seg.parts[i].ticks)
		}
	}
	goal := int(math.Round(duration(longest).Seconds())) // as lengths are compared with it (RFC 8216, 4.3.3.1)
	var b strings.Builder
	fmt.Fprintf(&b, "#EXTM3U\n#EXT-X-VERSION:9\n#EXT-X-TARGETDURATION:%d\n", max(goal, leastTarget))
	if parts && !w.over {
		fmt.Fprintf(&b, "#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,PART-HOLD-BACK=%.3f\n#EXT-X-PART-INF:PART-TARGET=%.3f\n",
			max(holdBack.Seconds(), 3*duration(target).Seconds()), duration(target).Seconds())
	}
	fmt.Fprintf(&b, "#EXT-X-MEDIA-SEQUENCE:%d\n#EXT-X-DISCONTINUITY-SEQUENCE:%d\n", w.first+int64(from), breaks)
	for i, seg := range list {
		if !seg.whole && (!parts || len(seg.parts) == 0) {
			break
		}
		if seg.breaks && i > 0 {
			b.WriteString("#EXT-X-DISCONTINUITY\n")
		}
		if i == 0 || seg.breaks {
			fmt.Fprintf(&b, "#EXT-X-MAP:URI=%q\n", w.initName(seg.init))
		}
		b.WriteString("#EXT-X-PROGRAM-DATE-TIME:" + seg.at.UTC().Format("2006-01-02T15:04:05.000Z07:00") + "\n")
		if parts && i >= len(list)-partsFor {
			for j := range seg.parts {
				p := &seg.parts[j]
				fmt.Fprintf(&b, "#EXT-X-PART:DURATION=%.5f,URI=%q", duration(p.ticks).Seconds(), w.partName(seg.number, j))
				if p.key {
					b.WriteString(",INDEPENDENT=YES")
				}
				b.WriteString("\n")
			}
		}
		if seg.whole {
			fmt.Fprintf(&b, "#EXTINF:%.5f,\n%s\n", duration(seg.ticks).Seconds(), w.segmentName(seg.number))
		}
	}
	switch {
	case w.over:
		b.WriteString("#EXT-X-ENDLIST\n")
	case parts:
		fmt.Fprintf(&b, "#EXT-X-PRELOAD-HINT:TYPE=PART,URI=%q\n", w.nextName())
	}
	return []byte(b.String())
}

// listed is the index of the first segment in playlists, and how many discontinuities were before it. w.mu is held.
func (w *show) listed() (from int, breaks int64) {
	from = len(w.segs)
	for ticks := int64(0); from > 0 && (len(w.segs)-from < leastListed+1 || duration(ticks) < listFor); {
		from--
		ticks += w.segs[from].ticks
	}
	breaks = w.breaks
	for _, seg := range w.segs[:from+1] { // the break before the first one is told by the number alone
		if seg.breaks {
			breaks++
		}
	}
	return from, breaks
}

// leastTarget is the shortest target duration that is told, in s: that of the 2 s between keyframes which platforms ask for. It must
// not change, and most streams have it.
const leastTarget = 2

// partTarget is how long a part may be, in ticks, unless a picture is shown for longer.
const partTarget = int64(media.VideoScale) / 4

// holdBack is how far from the end players begin, unless parts are so long that it must be three of them: what a phone's line needs.
const holdBack = time.Second

// leastSegment is the shortest time from one keyframe that begins a segment to the next.
const leastSegment = time.Second
