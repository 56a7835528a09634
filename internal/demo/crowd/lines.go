package crowd

import (
	"slices"
	"strings"
)

// The texts of the demo's two rules, by which the crowd knows them again.
const (
	OnAirText  = "Now on air: #{n} {item}, {price}. Type !buy or !buy {n}"
	BoughtText = "{user} just bought {item}. Thank you!"
)

var (
	announced = Sentence(OnAirText)
	bought    = Sentence(BoughtText)
)

// Announced is the number of the item that a line of the bot puts on air, 0 when it is no such line.
func Announced(text string) int {
	if m := announced.FindString(text); m != "" {
		return about(m)
	}
	return 0
}

// Bought is who is thanked in a shout-out, empty when the line is none.
func Bought(text string) string {
	if m := bought.FindStringSubmatch(text); m != nil {
		return m[1]
	}
	return ""
}

// talk is what people say while they watch. No line here may be a claim, whatever forms a show allows; {noun} and {title}
// are those of the item on air.
func talk() []string {
	return []string{
		// Coming in.
		"hi everyone!", "hey Ana, hello from Porto", "just got here, what did I miss", "good evening from Leeds 👋", "hello hello", "made it in time today",
		"first time here, this is lovely", "hi from a rainy Hamburg", "tea is ready, let's go", "sound is perfect tonight", "my cat is watching too",
		"hallo zusammen", "moin aus Kiel", "guten Abend!", "hola a todas", "buenas desde Valencia", "bonsoir tout le monde", "coucou Ana",
		// The thing on air.
		"oh that {noun} is gorgeous", "that glaze though", "the colour is unreal", "such a nice shape", "love how the rim catches the light", "I can see the speckles from here",
		"that {noun} would look so good on my shelf", "wow, the {title}!", "need to see the inside of it", "so smooth", "the weight looks just right",
		"my sister would love that {noun}", "this is the one I was hoping for", "beautiful work as always", "those throwing lines 😍", "simple and perfect",
		"sieht richtig schön aus", "die Glasur ist der Hammer", "so ein schönes Stück", "qué bonito", "me encanta el color", "magnifique, vraiment", "j'adore la forme",
		// Questions.
		"is it dishwasher safe?", "how long does shipping take?", "do you ship to Norway?", "what clay is that?", "can you show the bottom?", "is the inside glazed too?",
		"how do you get that speckle?", "will there be more of these?", "does it fit a big breakfast?", "which kiln do you use?", "how many did you throw this week?",
		"can you hold it next to your hand?", "is that the same glaze as last time?", "geht das in die Mikrowelle?", "wie groß ist das ungefähr?", "¿se puede lavar en el lavavajillas?",
		"ça passe au four ?", "when is the next show?",
		// With each other.
		"lol same", "haha yes", "right??", "I know, right", "agreed", "so true", "no way", "good choice!", "treat yourself", "my cupboard is full already 😅",
		"I said no more mugs this year", "says everyone here", "payday was yesterday, so", "asking for my whole family", "okay I am weak", "be strong, chat", "the chat is fast tonight",
		"mine arrived last week and it is even nicer in real life", "got a bowl at the last show, use it every day", "the packaging was so good too", "the little card in the box made my day",
		// Of the moment.
		"the camera angle is great", "that light is lovely", "your hands are so steady", "so relaxing to watch", "could listen to this for hours", "best stream of the week",
		"🧡🧡🧡", "😍", "✨✨", "👏👏", "❤️", "wow", "ooooh", "aaah so pretty", "yesss", "hahaha", "<3", "PogChamp", "catJAM",
	}
}

// Talk is everything that the crowd and the host say about an item beside claims and commands.
func Talk(it Item) []string {
	var out []string
	for _, s := range slices.Concat(talk(), congrats(), sighs(), hostNext(), hostFound()) {
		out = append(out, fill(strings.ReplaceAll(s, "{who}", "mossy_otter"), &it))
	}
	return out
}

func fill(s string, it *Item) string {
	return strings.NewReplacer("{noun}", it.Noun, "{title}", it.Title).Replace(s)
}

func congrats() []string {
	return []string{
		"congrats {who}!", "good choice {who}", "enjoy it {who} 🧡", "nice one {who}!", "yay {who}", "lucky {who}", "glückwunsch {who}", "bravo {who} !", "you will love it {who}",
	}
}

func sighs() []string {
	return []string{
		"nooo so fast", "too slow again 😭", "gone already?!", "ahh I wanted that {noun}", "that went quickly", "please find more of them", "och nein", "otra vez tarde 😅", "my internet is too slow for this",
	}
}

func hostNext() []string {
	return []string{
		"Let me put this one down and show you something else.", "And now, something I pulled out of the kiln this morning.", "Next piece, look at this.",
		"I have been looking forward to showing you this one.", "Right, moving on. Have a look.",
	}
}

func hostFound() []string {
	return []string{
		"Good news: I found a few more of the {title} in the back.", "There was another box of the {title} under the bench!", "You are fast. I just put more of the {title} on the shelf.",
	}
}
