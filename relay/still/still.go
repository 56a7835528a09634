// Package still makes what a stream shows and plays while nobody sends it: silence in the codec of the sound, a black picture in
// H.264, and pictures that can be shown twice in a row. It encodes nothing that moves.
package still

import (
	"encoding/binary"
	"slices"
	"time"
)

// Sound is how to play silence in a stream's codec: one message again and again.
type Sound struct {
	Payload []byte
	Every   time.Duration // how long one message plays
}

// Frames of AAC-LC in which nothing is heard, by channels from 1 (ISO/IEC 14496-3, raw_data_block: the elements of the channel
// configuration with all spectra zero).
func silentAAC(channels int) []byte {
	switch channels {
	case 1:
		return []byte{0x00, 0xC8, 0x00, 0x80, 0x23, 0x80}
	case 2:
		return []byte{0x21, 0x00, 0x49, 0x90, 0x02, 0x19, 0x00, 0x23, 0x80}
	case 3:
		return []byte{0x00, 0xC8, 0x00, 0x80, 0x20, 0x84, 0x01, 0x26, 0x40, 0x08, 0x64, 0x00, 0x8E}
	case 4:
		return []byte{0x00, 0xC8, 0x00, 0x80, 0x20, 0x84, 0x01, 0x26, 0x40, 0x08, 0x64, 0x00, 0x80, 0x2C, 0x80, 0x08, 0x02, 0x38}
	case 5:
		return []byte{0x00, 0xC8, 0x00, 0x80, 0x20, 0x84, 0x01, 0x26, 0x40, 0x08, 0x64, 0x00, 0x82, 0x30, 0x04, 0x99, 0x00, 0x21, 0x90, 0x02, 0x38}
	case 6:
		return []byte{
			0x00, 0xC8, 0x00, 0x80, 0x20, 0x84, 0x01, 0x26, 0x40, 0x08, 0x64, 0x00, 0x82, 0x30, 0x04, 0x99, 0x00, 0x21, 0x90, 0x02, 0x00, 0xB2, 0x00,
			0x20, 0x08, 0xE0,
		}
	}
	return nil
}

// Silence returns how to play silence after the given sequence header of the sound. ok is false for codecs it has none for.
func Silence(header []byte) (s Sound, ok bool) {
	const aac, aacEx, opus = 0xA0, "mp4a", "Opus"
	switch {
	case len(header) >= 4 && header[0]&0xF0 == aac:
		rate, channels := AudioConfig(header[2:])
		frame := silentAAC(channels)
		if frame == nil || rate == 0 {
			return s, false
		}
		return Sound{append([]byte{header[0], 1}, frame...), aacFrame(rate)}, true
	case len(header) >= 7 && header[0] == 0x90 && string(header[1:5]) == aacEx:
		rate, channels := AudioConfig(header[5:])
		frame := silentAAC(channels)
		if frame == nil || rate == 0 {
			return s, false
		}
		return Sound{append([]byte("\x91"+aacEx), frame...), aacFrame(rate)}, true
	case len(header) >= 5 && header[0] == 0x90 && string(header[1:5]) == opus:
		return Sound{[]byte("\x91" + opus + "\xF8\xFF\xFE"), 20 * time.Millisecond}, true // CELT, 20 ms, all zero (RFC 6716)
	}
	return s, false
}

func aacFrame(rate int) time.Duration { return 1024 * time.Second / time.Duration(rate) }

// AudioConfig reads sample rate and channels of an AudioSpecificConfig (ISO/IEC 14496-3, 1.6.2.1), 0 where they are not known.
func AudioConfig(c []byte) (rate, channels int) {
	if len(c) < 2 {
		return 0, 0
	}
	rates := [...]int{96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000, 7350}
	i := int(c[0]&7)<<1 | int(c[1]>>7)
	if i < len(rates) {
		return rates[i], int(c[1] >> 3 & 0x0F)
	}
	const explicit = 15
	if i == explicit && len(c) >= 5 {
		return int(binary.BigEndian.Uint32(c[1:])>>7) & 0xFFFFFF, int(c[4] >> 3 & 0x0F)
	}
	return 0, 0
}

// Again returns a keyframe that may follow itself: H.264 and HEVC tell two pictures in a row apart by their parameters, so one that
// comes again is set apart by a delimiter in front of it (access unit delimiter: ITU-T H.264, 7.3.2.4; H.265, 7.3.2.5). header is
// the sequence header of the picture; where it does not say that lengths have four bytes, the keyframe is returned as it is.
func Again(keyframe, header []byte, codec string) []byte {
	at := 5 // legacy header, or FourCC without composition time
	if len(keyframe) > 0 && keyframe[0]&0x80 != 0 && keyframe[0]&0x0F == 1 {
		at = 8
	}
	const sizes, hevcSizes = 5 + 4, 5 + 21 // of lengthSizeMinusOne in the configuration records (ISO/IEC 14496-15, 5.3.3.1 and 8.3.3.1)
	four := func(i int) bool { return len(header) > i && header[i]&3 == 3 }
	if len(keyframe) < at+4 || codec == "H.264" && !four(sizes) || codec == "HEVC" && !four(hevcSizes) {
		return keyframe
	}
	switch codec {
	case "H.264":
		return slices.Concat(keyframe[:at], []byte{0, 0, 0, 2, 0x09, 0x10}, keyframe[at:])
	case "HEVC":
		return slices.Concat(keyframe[:at], []byte{0, 0, 0, 3, 0x46, 0x01, 0x10}, keyframe[at:])
	}
	return keyframe
}

// Black returns a black picture of H.264 in this size: its sequence header and a keyframe, which comes in two kinds, to be sent in
// turn. A picture takes about one byte for each 16 x 16 pixels. Sizes must be even.
func Black(width, height int) (header []byte, keyframes [2][]byte) {
	sps, pps := parameters(width, height)
	header = []byte{0x17, 0, 0, 0, 0, 1, sps[1], sps[2], sps[3], 0xFF, 0xE1}
	header = append(binary.BigEndian.AppendUint16(header, uint16(len(sps))), sps...)
	header = append(binary.BigEndian.AppendUint16(append(header, 1), uint16(len(pps))), pps...)
	for i := range keyframes {
		nal := blackSlice((width+15)/16, (height+15)/16, uint(i))
		p := []byte{0x17, 1, 0, 0, 0}
		keyframes[i] = append(binary.BigEndian.AppendUint32(p, uint32(len(nal))), nal...)
	}
	return header, keyframes
}

// parameters are the sequence and picture parameter sets of a stream of black pictures: Constrained Baseline, as few tools as
// there are (ITU-T H.264, 7.3.2.1 and 7.3.2.2).
func parameters(width, height int) (sps, pps []byte) {
	const level = 51 // up to 4096 x 2304
	var b bits
	b.put(66, 8)
	b.put(0xC0, 8)
	b.put(level, 8)
	b.ue(0) // seq_parameter_set_id
	b.ue(0) // frame_num has 4 bits
	b.ue(2) // pictures come in the order of their coding
	b.ue(1) // max_num_ref_frames
	b.put(0, 1)
	b.ue(uint(width+15)/16 - 1)
	b.ue(uint(height+15)/16 - 1)
	b.put(0b11, 2) // frames only, direct_8x8_inference
	right, bottom := uint(-width&15)/2, uint(-height&15)/2
	if right|bottom == 0 {
		b.put(0, 1)
	} else {
		b.put(1, 1)
		for _, crop := range []uint{0, right, 0, bottom} {
			b.ue(crop)
		}
	}
	b.put(0, 1) // no VUI
	sps = b.nal(0x67)
	b = bits{}
	b.ue(0)
	b.ue(0)
	b.put(0, 2) // CAVLC
	b.ue(0)     // one slice group
	b.ue(0)
	b.ue(0)
	b.put(0, 3) // no weights
	for range 3 {
		b.ue(0) // quantizers; se(0) is ue(0)
	}
	b.put(0b100, 3) // slices say whether they deblock
	return sps, b.nal(0x68)
}

// blackSlice is a picture (ITU-T H.264, 7.3.3 and 7.3.5): the first macroblock is written out, each other one is the average of
// what is beside it, without a difference.
func blackSlice(columns, rows int, id uint) []byte {
	var b bits
	b.ue(0) // first_mb_in_slice
	b.ue(7) // I, all slices
	b.ue(0)
	b.put(0, 4)    // frame_num
	b.ue(id)       // idr_pic_id
	b.put(0, 2)    // dec_ref_pic_marking
	b.ue(0)        // slice_qp_delta
	b.ue(1)        // no deblocking
	const pcm = 25 // mb_type I_PCM
	b.ue(pcm)
	b.align()
	for range 256 {
		b.put(16, 8) // black
	}
	for range 128 {
		b.put(128, 8) // no colour
	}
	const dc = 3 // mb_type I_16x16_2_0_0: predicted by the average, nothing coded
	for i := 1; i < columns*rows; i++ {
		b.ue(dc)
		b.ue(0) // colour by the average too
		b.ue(0) // mb_qp_delta
		if i == 1 && columns > 1 || i == columns {
			b.put(0b000011, 6) // no coefficients, beside a macroblock that counts as full of them (table 9-5, nC >= 8)
		} else {
			b.put(1, 1)
		}
	}
	return b.nal(0x65)
}

// bits is a bit string that is being written.
type bits struct {
	b    []byte
	free uint // in the last byte
}

func (w *bits) put(v, n uint) {
	for ; n > 0; n-- {
		if w.free == 0 {
			w.b, w.free = append(w.b, 0), 8
		}
		w.free--
		w.b[len(w.b)-1] |= byte(v>>(n-1)&1) << w.free
	}
}

// ue writes an Exp-Golomb code (ITU-T H.264, 9.1).
func (w *bits) ue(v uint) {
	n := uint(0)
	for x := v + 1; x > 1; x >>= 1 {
		n++
	}
	w.put(0, n)
	w.put(v+1, n+1)
}

func (w *bits) align() { w.free = 0 }

// nal ends the string and puts it into a NAL unit, in which no start code can be seen (ITU-T H.264, 7.4.1).
func (w *bits) nal(header byte) []byte {
	w.put(1, 1)
	out, zeros := []byte{header}, 0
	for _, c := range w.b {
		if zeros >= 2 && c <= 3 {
			out, zeros = append(out, 3), 0
		}
		out = append(out, c)
		if zeros++; c != 0 {
			zeros = 0
		}
	}
	return out
}
