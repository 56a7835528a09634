// Package picture draws what a pretend potter sells: the piece on a table, with the speckles of its clay.
package picture

import (
	"fmt"
	"math/rand/v2"
	"strings"
)

// piece is one in a square of 600 by 600: what is behind it, its outline, and what is before it. "{g}" is its glaze.
type piece struct{ behind, outline, before string }

func shapeOf(name string) piece {
	switch name {
	case "mug":
		return piece{
			`<path d="M408 238c104-14 118 136 4 152" fill="none" stroke="{g}" stroke-width="32" stroke-linecap="round"/>`,
			`M175 190c0-17 56-31 125-31s125 14 125 31v205c0 58-40 83-125 83s-125-25-125-83z`, opening(190, 125, 31),
		}
	case "bowl":
		return piece{
			`<path d="M238 440h124l8 40H230z" fill="{g}"/><path d="M238 440h124l8 40H230z" fill="#2b1d14" opacity=".3"/>`,
			`M112 262c0-25 84-45 188-45s188 20 188 45c0 130-80 204-188 204S112 392 112 262z`, opening(262, 188, 45),
		}
	case "cup":
		return piece{``, `M205 240c0-13 43-24 95-24s95 11 95 24l-19 200c-4 32-30 42-76 42s-72-10-76-42z`, opening(240, 95, 24)}
	case "plate":
		return piece{
			``, `M70 384c0-56 103-101 230-101s230 45 230 101-103 106-230 106S70 440 70 384z`,
			`<ellipse cx="300" cy="379" rx="214" ry="86" fill="#fff" opacity=".14"/><ellipse cx="300" cy="384" rx="150" ry="56" fill="#2b1d14" opacity=".16"/>` +
				`<ellipse cx="300" cy="388" rx="148" ry="53" fill="{g}"/>`,
		}
	}
	return piece{``, `M262 132c0-6 17-11 38-11s38 5 38 11c-4 58 8 78 62 122 76 62 54 228-100 228s-176-166-100-228c54-44 66-64 62-122z`, opening(132, 38, 11)}
}

// opening is the rim of a piece at height y and the dark inside it.
func opening(y, rx, ry int) string {
	in := rx / 12
	return fmt.Sprintf(`<ellipse cx="300" cy="%[1]d" rx="%[2]d" ry="%[3]d" fill="{g}"/><ellipse cx="300" cy="%[1]d" rx="%[2]d" ry="%[3]d" fill="#fff" opacity=".22"/>`+
		`<ellipse cx="300" cy="%[4]d" rx="%[5]d" ry="%[6]d" fill="#2b1d14" opacity=".62"/>`, y, rx, ry, y+in/3, rx-in, ry-in/2)
}

// Draw gives the picture of a piece as SVG. The shape is "mug", "bowl", "vase", "cup" or "plate", and a vase when it is none
// of them; the glaze is a CSS colour of the form #rrggbb, and clay when it is not. The name scatters the speckles: the same
// for the same name.
func Draw(shape, glaze, name string) string {
	if strings.Trim(strings.ToLower(glaze), "#0123456789abcdef") != "" || glaze == "" {
		glaze = "#b08968"
	}
	sh := shapeOf(shape)
	var dots strings.Builder
	dice := rand.New(rand.NewPCG(1, uint64(len(name))))
	for range 150 {
		fmt.Fprintf(&dots, `<circle cx="%d" cy="%d" r="%.1f"/>`, 60+dice.IntN(480), 120+dice.IntN(370), .8+2*dice.Float64()*dice.Float64())
	}
	return strings.NewReplacer("{g}", glaze).Replace(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 600 600" role="img"><defs>
<linearGradient id="w" x1="0" y1="0" x2="0" y2="1"><stop offset="0" stop-color="#f6f1ea"/><stop offset="1" stop-color="#e6dccf"/></linearGradient>
<linearGradient id="l"><stop offset="0" stop-color="#2b1d14" stop-opacity=".16"/><stop offset=".3" stop-color="#fff" stop-opacity=".14"/>` +
		`<stop offset=".55" stop-color="#2b1d14" stop-opacity="0"/><stop offset="1" stop-color="#2b1d14" stop-opacity=".4"/></linearGradient>
<radialGradient id="s"><stop offset="0" stop-color="#4a3828" stop-opacity=".6"/><stop offset="1" stop-color="#4a3828" stop-opacity="0"/></radialGradient>
<clipPath id="c"><path d="` + sh.outline + `"/></clipPath></defs>
<rect width="600" height="600" fill="url(#w)"/><rect y="420" width="600" height="180" fill="#d8c9b6"/><ellipse cx="318" cy="482" rx="250" ry="34" fill="url(#s)"/>
` + sh.behind + `<g clip-path="url(#c)"><rect width="600" height="600" fill="{g}"/><g fill="#2b1d14" opacity=".3">` + dots.String() +
		`</g><path d="` + sh.outline + `" fill="url(#l)"/></g>` + sh.before + "</svg>\n")
}
