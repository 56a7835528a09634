// Package words holds the word lists of the claim grammar: courtesy and question words, number words, amount words,
// emotes, and other names of sizes and colours. Lists are made anew on every call; nothing here can be changed.
package words

import "strings"

// Class is a set of what a word may be.
type Class uint32

// The classes. First marks question words that count as a line's first word only; Take, Mine and Me are the keywords of
// boutique style, GiveBack its "pass", Line the "next" of "sold next 12"; Cheer a name that stands before a number of bits.
// Label marks option words that mean something only before a number ("no 5", but "no, sold 5" is no claim), Regret what
// people add when they give back: no part of a claim, and no value either.
const (
	Question Class = 1 << iota
	First
	Courtesy
	Emote
	Take
	Mine
	Me
	GiveBack
	Line
	Unit
	Times
	Qty
	Of
	And
	Or
	Option
	Number
	Cheer
	Label
	Regret
)

// Has reports whether any of the classes in d is in c.
func (c Class) Has(d Class) bool { return c&d != 0 }

// In is the words of a language that differ between languages; empty for a language we have none of.
func In(language string) map[Class]string {
	switch language {
	case "en":
		return map[Class]string{
			Question: "what what's whats when where where's which who who's whose why how how's hows wonder anyone",
			First:    "is are was am can could did does do will would should were isn't aren't has have any",
			Courtesy: "please pls plz plss plsss thanks thank thx tysm ty tnx you u hi hello hey yay yes yess yesss yep omg ok okay cheers kindly",
			Unit:     "pcs pc piece pieces pieces units unit pair pairs",
			Qty:      "qty quantity amount",
			Of:       "of",
			And:      "and",
			Or:       "or",
			Option:   "size sizes color colour item number no nr in the",
			Label:    "item number no nr",
			Regret:   "sorry sry oops mistake nvm",
		}
	case "de":
		return map[Class]string{
			Question: "was wann wo wer wie wieso weshalb warum welche welcher welches welchen wieviel wieviele wem wen wessen woher wohin",
			First:    "ist sind war bin kann könnte könnt hat habt haben gibt gibt's gibts wird darf soll",
			Courtesy: "bitte bitteschön danke dankeschön hallo hi moin servus ja jaa gerne gern",
			Unit:     "stück stk stueck paar",
			Qty:      "anzahl menge",
			Of:       "von",
			And:      "und",
			Or:       "oder",
			Option:   "größe groesse farbe nummer artikel in die der das",
			Label:    "nummer artikel",
			Regret:   "sorry ups versehen doch",
		}
	case "es":
		return map[Class]string{
			Question: "qué que cuándo cuando dónde donde quién quien cómo como cuál cual cuánto cuanto cuántos cuantos cuántas cuánta porqué",
			First:    "es son está hay puedo puede tiene tienen",
			Courtesy: "por favor porfa porfis gracias hola sí si vale",
			Unit:     "piezas pieza uds ud unidades unidad",
			Qty:      "cantidad",
			Of:       "de",
			And:      "y",
			Or:       "o",
			Option:   "talla color número artículo en la el",
			Label:    "número artículo",
			Regret:   "perdón perdon disculpa",
		}
	case "fr":
		return map[Class]string{
			Question: "quoi que quand où qui comment quel quelle quels quelles combien pourquoi est-ce qu'est-ce",
			First:    "est sont peut peux puis a avez as",
			Courtesy: "merci bonjour salut svp stp oui s'il s'il-vous-plaît vous te plaît plait",
			Unit:     "pièces pièce pieces piece unités unité",
			Qty:      "quantité quantite",
			Of:       "de",
			And:      "et",
			Or:       "ou",
			Option:   "taille couleur numéro article en la le",
			Label:    "numéro article",
			Regret:   "désolé désolée pardon oups",
		}
	}
	return nil
}

// Numbers are the words for one to ten in a language; each element lists the forms of its number.
func Numbers(language string) []string {
	switch language {
	case "de":
		return []string{"eins ein eine einen einmal", "zwei zwo zweimal", "drei dreimal", "vier", "fünf fuenf", "sechs", "sieben", "acht", "neun", "zehn"}
	case "es":
		return []string{"uno una un", "dos", "tres", "cuatro", "cinco", "seis", "siete", "ocho", "nueve", "diez"}
	case "fr":
		return []string{"un une", "deux", "trois", "quatre", "cinq", "six", "sept", "huit", "neuf", "dix"}
	}
	return []string{"one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"}
}

// Any is the words that are the same in every language.
func Any() map[Class]string {
	return map[Class]string{
		Take:     "sold",
		Mine:     "mine",
		Me:       "me",
		GiveBack: "pass",
		Line:     "next",
		Times:    "x ×",
		Unit:     "pcs pc stk",
		Qty:      "qty",
		Cheer:    cheers(),
		Emote: faces() + " kappa kappapride keepo lul lulw kekw omegalul kekwait pog pogu pogchamp poggers pogg pausechamp 4head 5head pepega pepehands pepelaugh " +
			"peped peepohappy peeposad monkas monkaw feelsgoodman feelsbadman feelsstrongman ez clap ezclap catjam widepeepohappy sadge bedge " +
			"copium hypers gigachad biblethump heyguys notlikethis residentsleeper trihard trihard7 seemsgood cmonbruh blesrng dansgame " +
			"elegiggle kreygasm jebaited failfish frankerz swiftrage wutface vohiyo coolstorybob babyrage smorc mrdestructoid pjsalt " +
			"twitchunity bleedpurple ppjedi luvsign luvhearts lol lmao lmfao rofl xd xdd xddd haha hahaha hehe gg",
	}
}

// cheers are the names that Twitch puts before a number of bits; such a word is support, not a claim
// (Twitch Help, "Cheering with Bits").
func cheers() string {
	return "cheer doodlecheer biblethump cheerwhal corgo uni showlove party seemsgood pride kappa frankerz heyguys dansgame elegiggle " +
		"trihard kreygasm 4head swiftrage notlikethis failfish vohiyo pjsalt mrdestructoid bday ripcheer shamrock streamlabs muxy " +
		"bitboss anon charity scoops holidaycheer goal"
}

// faces are emoticons made of signs and digits, folded.
func faces() string {
	return ":) :-) :( :-( ;) ;-) :d :-d :p :-p ;p :o :-o :0 :3 :-3 ;3 =3 :'( :'3 :') :/ :-/ :\\ :| :* :x :1 :c >:3 >:( >:) <3 <33 <333 </3 8) 8-) 8d b) " +
		"=) =( =d =p ^^ ^_^ ^-^ -_- o_o o.o o_0 0_o 0_0 0.0 >_< >.< t_t t.t ;_; x) x( d: xd c: uwu owo \\o/ o7 m( (: :] [: :} =] "
}

// Aliases gives each value, folded, its other names: of sizes, of colours in four languages, and the shop's own. fold
// is how the grammar folds words.
func Aliases(own map[string][]string, fold func(string) string) map[string][]string {
	key := func(s string) string { return strings.Join(strings.Fields(strings.ReplaceAll(fold(s), "-", " ")), " ") }
	out := map[string][]string{}
	for _, group := range groups() {
		names := strings.Split(group, ",")
		for _, a := range names {
			for _, b := range names {
				if a != b {
					out[a] = append(out[a], b)
				}
			}
		}
	}
	for value, list := range own {
		for _, a := range list {
			if k, a := key(value), key(a); k != "" && a != "" && k != a {
				out[k] = append(out[k], a)
			}
		}
	}
	return out
}

// groups are names of one thing, each folded and joined by commas.
func groups() []string {
	return []string{
		"xxs,2xs,extra extra small",
		"xs,extra small,x small,xsmall,extra klein",
		"s,small,sm,klein,pequeño,petit",
		"m,medium,med,mittel,mediano,moyen",
		"l,large,lg,lrg,groß,gross,grande,grand",
		"xl,extra large,x large,xlarge,extra groß",
		"xxl,2xl,xx large,xxlarge,extra extra large",
		"xxxl,3xl,xxx large",
		"4xl,xxxxl", "5xl,xxxxxl",
		"one size,onesize,os,einheitsgröße,talla única,taille unique",
		"black,blk,schwarz,negro,negra,noir,noire",
		"white,wht,weiß,weiss,blanco,blanca,blanc,blanche",
		"red,rot,rojo,roja,rouge",
		"blue,blu,blau,azul,bleu,bleue",
		"green,grn,grün,gruen,verde,vert,verte",
		"yellow,gelb,amarillo,amarilla,jaune",
		"pink,rosa,rose",
		"purple,lila,violett,morado,morada,violet,violette",
		"orange,naranja",
		"brown,braun,marrón,marron,brun,brune",
		"grey,gray,grau,gris,grise",
		"beige,sand",
		"gold,golden,dorado,doré",
		"silver,silber,plata,plateado,argent",
		"navy,navy blue,dunkelblau,marineblau,azul marino,bleu marine",
		"turquoise,türkis,tuerkis,turquesa",
		"cream,creme,crema,crème",
	}
}
