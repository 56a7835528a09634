// Package talk makes the chat of a show as Twitch sends it, for measuring: lines with all their tags, drawn by a seed, the same for
// ever.
package talk

import (
	"fmt"
	"math/rand/v2"
	"strings"
)

// Mix says what the lines are.
type Mix string

// The mixes.
const (
	Everyday Mix = "everyday" // talk, with a command in about 25 lines
	Buy      Mix = "buy"      // every line claims
)

// channel is where all is said.
const channel, channelID = "anasceramics", "62300805"

// Lines are n lines as the chat server sends them, without their line ends.
func Lines(n int, m Mix, seed uint64) []string {
	t := &talk{r: rand.New(rand.NewPCG(seed, 7))}
	for range 400 {
		t.people = append(t.people, t.person())
	}
	out := make([]string, n)
	for i := range out {
		text := ""
		if m == Buy {
			text = t.claim()
		} else {
			text = t.text()
		}
		out[i] = t.line(i, text)
	}
	return out
}

type person struct {
	id, login, name, color, badges, info string
	mod, sub                             int
}

type talk struct {
	r      *rand.Rand
	people []person
}

func (t *talk) pick(list string) string {
	w := strings.Split(list, "|")
	return w[t.r.IntN(len(w))]
}

func (t *talk) person() person {
	name := t.pick("Lena|Tom|mika|Night|pixel|Ana|Olli|Sunny|crazy|River|Max|Juno|Pip|Kotz|Obi|tea|Clay") + t.pick("berry|_x|owl|Fan|smith|blitz|wan|lover||King|pot|cat|ist|Wolf") + t.pick("|||7|42|1999|_tv|_")
	p := person{id: fmt.Sprint(20_000_000 + t.r.IntN(800_000_000)), login: strings.ToLower(name), name: name, color: fmt.Sprintf("#%06X", t.r.IntN(1<<24))}
	switch t.r.IntN(20) {
	case 0:
		p.badges, p.mod = "moderator/1,subscriber/12", 1
	case 1:
		p.badges = "vip/1"
	case 2, 3, 4, 5, 6, 7:
		p.sub = 1 + t.r.IntN(40)
		p.badges, p.info = fmt.Sprintf("subscriber/%d,bits/1000", p.sub/6*6), fmt.Sprintf("subscriber/%d", p.sub)
	case 8, 9, 10:
		p.badges = "premium/1"
	}
	return p
}

// line puts a text behind the tags that Twitch sends with it.
func (t *talk) line(n int, text string) string {
	p := &t.people[min(t.r.IntN(len(t.people)), t.r.IntN(len(t.people)))] // some say more than others
	emotes := ""
	if i := strings.Index(text, "Kappa"); i >= 0 {
		emotes = fmt.Sprintf("25:%d-%d", i, i+4)
	}
	first, sub := 0, 0
	if n < 50 && t.r.IntN(4) == 0 {
		first = 1
	}
	if p.sub > 0 {
		sub = 1
	}
	id := func() string {
		return fmt.Sprintf("%08x-%04x-4%03x-%04x-%012x", t.r.Uint32(), t.r.Uint32()&0xffff, t.r.Uint32()&0xfff, 0x8000|t.r.Uint32()&0x3fff, t.r.Uint64()&0xffffffffffff)
	}
	bits := ""
	if strings.HasPrefix(text, "Cheer100") {
		bits = "bits=100;"
	}
	return fmt.Sprintf("@badge-info=%s;badges=%s;%sclient-nonce=%032x;color=%s;display-name=%s;emotes=%s;first-msg=%d;flags=;id=%s;mod=%d;returning-chatter=0;room-id=%s;subscriber=%d;tmi-sent-ts=%d;turbo=0;user-id=%s;user-type= :%s!%s@%s.tmi.twitch.tv PRIVMSG #%s :%s",
		p.info, p.badges, bits, t.r.Uint64(), p.color, p.name, emotes, first, id(), p.mod, channelID, sub, 1_790_000_000_000+40*n, p.id, p.login, p.login, p.login, channel, text)
}

// claim is a line that claims.
func (t *talk) claim() string {
	return t.pick("!buy 3|!buy 12|!buy 7 x2|!buy 4 M|!buy|!BUY 5 blue|!buy 9 please|!buy 21|!buy 3 x2 pls|!buy 15 L")
}

// text is a line of everyday chat. What begins with a command sign is one line in about 25.
func (t *talk) text() string {
	switch n := t.r.IntN(1000); {
	case n < 18:
		return t.claim()
	case n < 28:
		return t.pick("!shop|!cart|!me|!pass|!why|!help")
	case n < 34:
		return t.pick("!discord|!socials|!raffle")
	case n < 37: // of another bot
		return t.pick("!lurk|!so tom|!uptime|!followage|!song")
	case n < 41:
		return "Cheer100 " + t.sentence()
	case n < 46:
		return t.pick("how much is the blue one?|how much is it with shipping|what's the price of the big bowl?|whats the price")
	case n < 50:
		return t.pick("do you have free shipping|is shipping to austria possible?|shipping took 3 days last time, great")
	case n < 52:
		return "Cheap viewers on " + t.pick("viewersrush|streamrise|bestfollow") + " (remove the space) .com"
	case n < 53:
		return "https://" + t.pick("clips.twitch.tv/Funny|www.youtube.com/watch?v=dQw4|imgur.com/a/9fkd2")
	case n < 240: // emotes and single words
		return t.pick("LUL|Kappa|PogChamp|KEKW KEKW KEKW|catJAM catJAM|❤️❤️❤️|😂😂|lol|LMAO|gg|POGGERS|omg|W|yes|nope|hi|hello chat|<3|monkaS|true|same|^|nice one|???|wow!!|Sadge|FeelsBadMan|🔥🔥🔥|haha|ok")
	case n < 300:
		return "@" + t.people[t.r.IntN(len(t.people))].name + " " + t.sentence()
	case n < 340: // other languages
		return t.pick("das ist so schön geworden 😍|wann kommt die nächste runde?|que bonito el azul|¿cuánto cuesta el grande?|j'adore la couleur !|größe M ist leider schon weg|さすがです|こんにちは|красиво получилось|hab ich verpasst, schade")
	case n < 370:
		return strings.ToUpper(t.sentence()) + "!!!"
	}
	return t.sentence()
}

// sentence is talk of 3 to 16 words.
func (t *talk) sentence() string {
	var b strings.Builder
	b.WriteString(t.pick("i|I|we|you|that|this|the bowl|my sister|he|the glaze|anyone|chat|honestly|ngl|wait|so|ok so|the handle|those"))
	for range 1 + t.r.IntN(4) {
		b.WriteByte(' ')
		b.WriteString(t.pick("really like|was thinking about|just got|can't believe|need|am watching|think|will take|love|missed|would buy|looks like|broke|remember|have two of|want to see|never saw|is|was looking for"))
		b.WriteByte(' ')
		b.WriteString(t.pick("the colour|this stream|a new mug|that pattern|the last one|your work|it|how fast you are|the kiln|a bigger size|more of those|the drop yesterday|my order|another cup|the one behind you|the music|everything here|5 of them|a plate like 12"))
		if t.r.IntN(3) == 0 {
			b.WriteString(t.pick(",| and|. also| but| because| tbh,"))
		}
	}
	b.WriteString(t.pick("|||||| lol| :)| Kappa|!|?|...| 😂| <3| KEKW| haha"))
	return b.String()
}
