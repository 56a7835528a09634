package crowd

import (
	"fmt"
	"strconv"
	"strings"

	"hawker/internal/chat"
)

// Member is viewer i of the crowd and where they watch: half of them on Twitch, three in ten on YouTube, the rest on
// Discord. The same i is always the same person, and no two of MaxSize have the same name.
func Member(i int) (chat.Platform, Viewer) {
	switch i % 10 {
	case 1, 4, 7:
		return chat.YouTube, Viewer{fmt.Sprintf("UCcrowd%017d", i), person(i/10*3 + i%10/3)}
	case 3, 8:
		return chat.Discord, Viewer{strconv.Itoa(55_500_000_000_000_000 + i), strings.ToLower(handle(i))}
	}
	return chat.Twitch, Viewer{strconv.Itoa(70_000_001 + i), handle(i)}
}

// handle is a name as chatters choose it. Each first word meets each second one once.
func handle(i int) string {
	first, second := firsts(), seconds()
	a, b := first[i*7%len(first)], second[(i/len(first)+i*5)%len(second)]
	switch i % 7 {
	case 0, 5:
		return a + "_" + b
	case 1, 3:
		return strings.ToUpper(a[:1]) + a[1:] + strings.ToUpper(b[:1]) + b[1:]
	case 2:
		return a + b + strconv.Itoa(i*37%90+10)
	case 4:
		return b + "_" + a
	}
	return a + b
}

// person is a name as people carry it, or as they make one word of it.
func person(j int) string {
	given, family := givens(), families()
	g, f := given[j*7%len(given)], family[(j/len(given)+j*5)%len(family)]
	if j%4 == 3 {
		return strings.ToLower(g + f)
	}
	return g + " " + f
}

func firsts() []string {
	return strings.Fields("mossy clay salty quiet lucky sunny foggy paper velvet rusty tiny cosmic honey misty dusty minty cozy pixel wild little amber rainy sleepy indigo maple marble silver juniper copper peachy lunar northern")
}

func seconds() []string {
	return strings.Fields("otter fox teapot kiln heron pebble moth badger willow lark harbour toast comet fern wren biscuit meadow lantern raven thistle pickle acorn puffin clover noodle beetle orchard sparrow walnut kettle poppy marlin")
}

func givens() []string {
	return strings.Fields("Lena Jonas Mira Tomás Inés Sofía Camille Hugo Aisha Noah Yuki Priya Marta Oskar Elif Ruth Pavel Nadia Liam Greta Amara Felix Chloé Mateo Hanna Ida Selma Theo Zoë Ravi")
}

func families() []string {
	return strings.Fields("Hartmann Silva Moreau Okafor Lindqvist Novak Haddad Sato Brandt García Walsh Keller Rossi Iyer Dubois Meyer Castro Bauer Olsen Popescu Ferrer Byrne Vogel Tanaka")
}
