package record

import (
	"encoding/binary"
	"slices"
)

// movieScale is the number of ticks in a second of the index.
const movieScale = 1000

// put makes a box.
func put(kind string, parts ...[]byte) []byte {
	n := 8
	for _, p := range parts {
		n += len(p)
	}
	out := append(binary.BigEndian.AppendUint32(make([]byte, 0, n), uint32(n)), kind...)
	for _, p := range parts {
		out = append(out, p...)
	}
	return out
}

func words(v ...uint32) []byte {
	out := make([]byte, 0, 4*len(v))
	for _, w := range v {
		out = binary.BigEndian.AppendUint32(out, w)
	}
	return out
}

// moov is the index: the beginning of the fragmented recording with lengths and tables in it (ISO/IEC 14496-12, 8.2 to 8.7).
func (x *indexer) moov() []byte {
	var traks [][]byte
	longest := uint32(0)
	for _, b := range boxes(x.begin) {
		if b.kind != "trak" {
			continue
		}
		head, media := child(b.body, "tkhd"), child(b.body, "mdia", "mdhd")
		if len(head) < 24 || len(media) < 20 {
			continue
		}
		t := x.tracks[binary.BigEndian.Uint32(head[12:])]
		scale := int64(binary.BigEndian.Uint32(media[12:]))
		if t == nil || scale == 0 {
			continue // it was announced and never came
		}
		first, length := uint32(t.first*movieScale/scale), uint32(t.length*movieScale/scale)
		longest = max(longest, first+length)
		traks = append(traks, trak(b.body, t, first, length))
	}
	var out [][]byte
	for _, b := range boxes(x.begin) {
		switch b.kind {
		case "mvhd":
			h := slices.Clone(b.body)
			binary.BigEndian.PutUint32(h[12:], movieScale)
			binary.BigEndian.PutUint32(h[16:], longest)
			out = append(out, put("mvhd", h))
		case "trak":
			if len(traks) > 0 {
				out, traks = append(out, traks...), nil
			}
		}
	}
	return put("moov", out...)
}

// trak is a track of the beginning with its samples; first and length in movieScale.
func trak(b []byte, t *samples, first, length uint32) []byte {
	var out [][]byte
	for _, c := range boxes(b) {
		switch c.kind {
		case "tkhd":
			h := slices.Clone(c.body)
			binary.BigEndian.PutUint32(h[20:], first+length)
			out = append(out, put("tkhd", h))
			if first > 0 { // it begins later: an edit of nothing, then all of it
				out = append(out, put("edts", put("elst", words(0, 2, first, 0xFFFFFFFF, 1<<16, length, 0, 1<<16))))
			}
		case "mdia":
			out = append(out, put("mdia", mdia(c.body, t)...))
		case "edts":
		default:
			out = append(out, put(c.kind, c.body))
		}
	}
	return put("trak", out...)
}

func mdia(b []byte, t *samples) (out [][]byte) {
	for _, c := range boxes(b) {
		switch c.kind {
		case "mdhd":
			if t.length > 0xFFFFFFFF { // version 1 has room for it
				h := make([]byte, 32+len(c.body)-20)
				h[0] = 1
				copy(h[20:], c.body[12:16])
				binary.BigEndian.PutUint64(h[24:], uint64(t.length))
				copy(h[32:], c.body[20:])
				out = append(out, put("mdhd", h))
				continue
			}
			h := slices.Clone(c.body)
			binary.BigEndian.PutUint32(h[16:], uint32(t.length))
			out = append(out, put("mdhd", h))
		case "minf":
			var inner [][]byte
			for _, d := range boxes(c.body) {
				if d.kind == "stbl" {
					inner = append(inner, put("stbl", t.tables(child(d.body, "stsd"))...))
				} else {
					inner = append(inner, put(d.kind, d.body))
				}
			}
			out = append(out, put("minf", inner...))
		default:
			out = append(out, put(c.kind, c.body))
		}
	}
	return out
}

// tables are the sample tables of a track, stsd that of the beginning.
func (t *samples) tables(stsd []byte) [][]byte {
	runs := func(kind string, version uint32, all []run) []byte {
		b := words(version<<24, uint32(len(all)))
		for _, r := range all {
			b = append(b, words(r.n, r.v)...)
		}
		return put(kind, b)
	}
	out := [][]byte{put("stsd", stsd), runs("stts", 0, t.times)}
	if t.shifted {
		out = append(out, runs("ctts", 1, t.offsets))
	}
	if !t.all {
		out = append(out, put("stss", words(0, uint32(len(t.keys))), words(t.keys...)))
	}
	var stsc []uint32
	for i, c := range t.chunks {
		if n := len(stsc); n == 0 || stsc[n-2] != c.n {
			stsc = append(stsc, uint32(i+1), c.n, 1)
		}
	}
	co64 := words(0, uint32(len(t.chunks)))
	for _, c := range t.chunks {
		co64 = binary.BigEndian.AppendUint64(co64, uint64(c.at))
	}
	return append(out, put("stsc", words(0, uint32(len(stsc)/3)), words(stsc...)), put("stsz", words(0, 0, t.count), words(t.sizes...)), put("co64", co64))
}
