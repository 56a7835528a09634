//go:build ignore

// Command gen draws the practice clip: a market stall, made here from shapes and tones. It pipes frames and sound to
// ffmpeg, which writes clip.flv. Run it in this folder's parent: go run gen/main.go
//
// The clip is 10.24 s: 256 pictures at 25 a second and 480 AAC frames at 48 kHz end at the same moment, so that it
// loops without a seam.
package main

import (
	"encoding/binary"
	"image"
	"image/color"
	"log"
	"math"
	"os"
	"os/exec"
)

const (
	width, height = 640, 360
	frames        = 256
	fps           = 25
	rate          = 48000
	samples       = 480 * 1024
	over          = 2 // each pixel is drawn as over x over and averaged
	font          = "/usr/share/fonts/truetype/dejavu/DejaVuSans-Bold.ttf"
)

var (
	cream   = color.RGBA{0xFF, 0xF6, 0xE6, 0xFF}
	sand    = color.RGBA{0xFB, 0xE9, 0xCC, 0xFF}
	orange  = color.RGBA{0xF5, 0x87, 0x22, 0xFF}
	deep    = color.RGBA{0xD9, 0x66, 0x0F, 0xFF}
	white   = color.RGBA{0xFF, 0xFD, 0xF8, 0xFF}
	ink     = color.RGBA{0x3B, 0x2A, 0x20, 0xFF}
	wood    = color.RGBA{0xB9, 0x7A, 0x4A, 0xFF}
	woodDk  = color.RGBA{0x97, 0x5E, 0x36, 0xFF}
	leaf    = color.RGBA{0x5E, 0x8C, 0x4A, 0xFF}
	teal    = color.RGBA{0x2F, 0x8F, 0x83, 0xFF}
	shade   = color.RGBA{0xEA, 0xD3, 0xAF, 0xFF}
	glazeHi = color.RGBA{0x6F, 0xC0, 0xB5, 0xFF}
)

// canvas is drawn over times larger than the picture.
type canvas struct{ img *image.RGBA }

// fill paints every point of the box for which in says so. Coordinates are those of the picture.
func (c canvas) fill(x0, y0, x1, y1 float64, col color.RGBA, in func(x, y float64) bool) {
	for py := max(0, int(y0*over)); py < min(height*over, int(y1*over)+1); py++ {
		for px := max(0, int(x0*over)); px < min(width*over, int(x1*over)+1); px++ {
			x, y := (float64(px)+.5)/over, (float64(py)+.5)/over
			if x >= x0 && x < x1 && y >= y0 && y < y1 && (in == nil || in(x, y)) {
				c.img.SetRGBA(px, py, col)
			}
		}
	}
}

func (c canvas) rect(x, y, w, h float64, col color.RGBA) { c.fill(x, y, x+w, y+h, col, nil) }

func (c canvas) disc(x, y, rx, ry float64, col color.RGBA) {
	c.fill(x-rx, y-ry, x+rx, y+ry, col, func(px, py float64) bool {
		dx, dy := (px-x)/rx, (py-y)/ry
		return dx*dx+dy*dy < 1
	})
}

func (c canvas) round(x, y, w, h, r float64, col color.RGBA) {
	c.fill(x, y, x+w, y+h, col, func(px, py float64) bool {
		dx := max(x+r-px, px-(x+w-r), 0)
		dy := max(y+r-py, py-(y+h-r), 0)
		return dx*dx+dy*dy < r*r
	})
}

// line is a bar with round ends.
func (c canvas) line(x0, y0, x1, y1, w float64, col color.RGBA) {
	l2 := (x1-x0)*(x1-x0) + (y1-y0)*(y1-y0)
	c.fill(min(x0, x1)-w, min(y0, y1)-w, max(x0, x1)+w, max(y0, y1)+w, col, func(px, py float64) bool {
		k := 0.0
		if l2 > 0 {
			k = min(max(((px-x0)*(x1-x0)+(py-y0)*(y1-y0))/l2, 0), 1)
		}
		return math.Hypot(px-x0-k*(x1-x0), py-y0-k*(y1-y0)) < w/2
	})
}

// mug is the item on the counter.
func (c canvas) mug(x, y, s float64) {
	c.disc(x, y+47*s, 50*s, 6*s, shade)
	c.fill(x+28*s, y-24*s, x+70*s, y+30*s, deepTeal(), func(px, py float64) bool {
		d := math.Hypot((px-x-40*s)/(24*s), (py-y-2*s)/(24*s))
		return d < 1 && d > .62
	})
	c.round(x-40*s, y-42*s, 80*s, 88*s, 14*s, teal)
	c.round(x-32*s, y-30*s, 10*s, 60*s, 5*s, glazeHi)
	c.disc(x, y-40*s, 40*s, 9*s, deepTeal())
	c.disc(x, y-39*s, 34*s, 6*s, woodDk)
}

func deepTeal() color.RGBA { return color.RGBA{0x24, 0x74, 0x6A, 0xFF} }

func (c canvas) bowl(x, y, s float64, body, in color.RGBA) {
	c.fill(x-40*s, y, x+40*s, y+34*s, body, func(px, py float64) bool {
		dx, dy := (px-x)/(40*s), (py-y)/(34*s)
		return dx*dx+dy*dy < 1
	})
	c.disc(x, y, 40*s, 8*s, in)
}

func (c canvas) plant(x, y, sway float64) {
	for i := -3; i <= 3; i++ {
		a := float64(i)*.33 + sway
		tx, ty := x+math.Sin(a)*46, y-math.Cos(a)*54
		c.line(x, y, tx, ty, 7, leaf)
		c.disc(tx, ty, 7, 7, leaf)
	}
	c.fill(x-20, y, x+20, y+34, deep, func(px, py float64) bool { return math.Abs(px-x) < 20-(py-y)*.22 })
	c.rect(x-22, y-4, 44, 8, orange)
}

// draw paints frame n of the loop.
func draw(img *image.RGBA, n int) {
	c := canvas{img}
	t := float64(n) / frames // 0 to 1
	turn := 2 * math.Pi * t
	c.rect(0, 0, width, height, cream)
	for i := range 9 { // slow light behind the stall
		x := math.Mod(float64(i)*80+t*160, 720) - 40
		c.disc(x, 150+12*math.Sin(turn+float64(i)), 26, 26, sand)
	}
	// posts, awning
	c.rect(26, 60, 12, 230, wood)
	c.rect(602, 60, 12, 230, wood)
	const stripes = 12
	w := float64(width) / stripes
	for i := range stripes {
		col := white
		if i%2 == 0 {
			col = orange
		}
		x := float64(i) * w
		drop := 74 + 4*math.Sin(turn*2+float64(i)*.8)
		c.disc(x+w/2, drop+6, w/2, 17, shade)
		c.rect(x, 0, w, drop, col)
		c.disc(x+w/2, drop, w/2, 17, col)
	}
	c.rect(0, 0, width, 12, deep)
	// counter
	c.round(14, 280, 612, 100, 10, wood)
	c.rect(14, 300, 612, 4, woodDk)
	for i := range 8 {
		c.rect(90+float64(i)*76, 304, 2, 60, woodDk)
	}
	c.plant(92, 246, .06*math.Sin(turn*2))
	c.bowl(178, 246, .82, orange, deep)
	for i := range 3 {
		c.disc(160+float64(i)*18, 240-float64(i%2)*7, 11, 11, color.RGBA{0xFF, 0xA9, 0x3D, 0xFF})
	}
	// the item, moving on its stand
	x := 320 + 26*math.Sin(turn)
	y := 214 - 7*math.Abs(math.Sin(turn*4))
	c.round(236, 268, 168, 14, 7, sand)
	c.mug(x, y, 1)
	for i := range 3 { // steam
		for k := range 26 {
			f := float64(k) / 26
			sx := x - 16 + float64(i)*16 + 5*math.Sin(f*7+turn*4+float64(i))
			c.disc(sx, y-52-f*30, 2.6*(1-f), 2.6*(1-f), white)
		}
	}
	// price tag, swinging on its string
	a := .09 * math.Sin(turn*3)
	hx, hy := 500.0, 96.0
	tx, ty := hx+math.Sin(a)*40, hy+math.Cos(a)*40
	c.line(hx, hy-14, tx, ty, 3, ink)
	c.round(tx-72+3, ty-4+4, 144, 96, 16, shade)
	c.round(tx-72, ty-4, 144, 96, 16, white)
	c.disc(tx, ty+8, 5, 5, cream)
	c.round(tx-72, ty+64, 144, 28, 14, orange)
	// clock
	c.disc(92, 132, 33, 33, ink)
	c.disc(92, 132, 29, 29, white)
	for i := range 12 {
		b := float64(i) * math.Pi / 6
		c.disc(92+math.Sin(b)*23, 132-math.Cos(b)*23, 1.8, 1.8, ink)
	}
	c.line(92, 132, 92+math.Sin(turn)*13, 132-math.Cos(turn)*13, 4, ink)
	c.line(92, 132, 92+math.Sin(turn*4)*22, 132-math.Cos(turn*4)*22, 2.6, orange)
	c.disc(92, 132, 3.4, 3.4, ink)
	// name plate
	c.round(216, 306, 208, 44, 10, cream)
}

// shrink averages the large picture into rgb.
func shrink(img *image.RGBA, rgb []byte) {
	for y := range height {
		for x := range width {
			var sum [3]int
			for dy := range over {
				for dx := range over {
					o := img.PixOffset(x*over+dx, y*over+dy)
					for k := range 3 {
						sum[k] += int(img.Pix[o+k])
					}
				}
			}
			for k := range 3 {
				rgb[(y*width+x)*3+k] = byte(sum[k] / (over * over))
			}
		}
	}
}

// sound is a quiet loop of soft plucked tones over a pad; it is silent where the loop closes.
func sound() []byte {
	out := make([]float64, samples)
	total := float64(samples) / rate
	pluck := func(at, freq, gain float64) {
		for i := int(at * rate); i < samples; i++ {
			s := float64(i)/rate - at
			if s > 2.6 {
				break
			}
			env := (1 - math.Exp(-s*180)) * math.Exp(-s*2.4)
			p := 2 * math.Pi * freq * s
			out[i] += gain * env * (math.Sin(p) + .22*math.Sin(2*p)*math.Exp(-s*4) + .08*math.Sin(4*p)*math.Exp(-s*9))
		}
	}
	note := func(n float64) float64 { return 440 * math.Pow(2, (n-69)/12) }
	chords := [][]float64{{60, 64, 67, 71}, {57, 60, 64, 67}, {53, 57, 60, 64}, {55, 59, 62, 67}}
	bar := total / 4
	for b, chord := range chords {
		for k, step := range []int{0, 2, 1, 3, 2, 1} {
			pluck(float64(b)*bar+float64(k)*bar/6+.02, note(chord[step]+12), .16)
		}
		pluck(float64(b)*bar+.02, note(chord[0]-12), .2)
		for i := range int(bar * rate) {
			at := int(float64(b)*bar*rate) + i
			if at >= samples {
				break
			}
			s := float64(i) / rate
			env := math.Pow(math.Sin(math.Pi*s/bar), 2) * .03
			for _, n := range chord {
				out[at] += env * math.Sin(2*math.Pi*note(n)*s)
			}
		}
	}
	pcm := make([]byte, 0, samples*4)
	for i, v := range out {
		s := float64(i) / rate
		v *= min(1, s/.05, (total-s)/.35) // fades
		n := int16(math.Tanh(v*.9) * 26000)
		pcm = binary.LittleEndian.AppendUint16(pcm, uint16(n))
		pcm = binary.LittleEndian.AppendUint16(pcm, uint16(n))
	}
	return pcm
}

func main() {
	if err := run(); err != nil {
		log.Fatal(err)
	}
}

func run() error {
	pcm, err := os.CreateTemp("", "clip-*.pcm")
	if err != nil {
		return err
	}
	defer os.Remove(pcm.Name())
	if _, err := pcm.Write(sound()); err != nil {
		return err
	}
	if err := pcm.Close(); err != nil {
		return err
	}
	text := "drawtext=fontfile=" + font + ":fontcolor=0x3B2A20:text=hawker:fontsize=30:x=320-tw/2:y=314," +
		"drawtext=fontfile=" + font + ":fontcolor=0x3B2A20:text=12.00:fontsize=40:x=500-tw/2+3.6*sin(2*PI*3*t/10.24):y=151," +
		"drawtext=fontfile=" + font + ":fontcolor=0xFFFDF8:text='!buy 3':fontsize=18:x=500-tw/2+3.6*sin(2*PI*3*t/10.24):y=204"
	cmd := exec.Command("ffmpeg", "-y", "-v", "error",
		"-f", "rawvideo", "-pix_fmt", "rgb24", "-s", "640x360", "-r", "25", "-i", "-",
		"-f", "s16le", "-ar", "48000", "-ac", "2", "-i", pcm.Name(),
		"-vf", text, "-c:v", "libx264", "-profile:v", "main", "-preset", "veryslow", "-tune", "animation", "-bf", "0",
		"-g", "50", "-keyint_min", "50", "-sc_threshold", "0", "-b:v", "230k", "-maxrate", "320k", "-bufsize", "500k",
		"-pix_fmt", "yuv420p", "-c:a", "aac", "-b:a", "64k", "-map_metadata", "-1", "-fflags", "+bitexact",
		"-flags:v", "+bitexact", "-flags:a", "+bitexact", "-flvflags", "no_duration_filesize", "clip.flv")
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	img := image.NewRGBA(image.Rect(0, 0, width*over, height*over))
	rgb := make([]byte, width*height*3)
	for n := range frames {
		draw(img, n)
		shrink(img, rgb)
		if _, err := in.Write(rgb); err != nil {
			return err
		}
	}
	if err := in.Close(); err != nil {
		return err
	}
	return cmd.Wait()
}
