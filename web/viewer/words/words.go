// Package words holds what the pages of viewers say, in every language that package lang has.
package words

import (
	"net/http"
	"strings"

	"hawker/internal/lang"
)

// Words is what the pages of viewers say in one language, besides the answers of package lang, which chats say too. In
// braces stands what is filled in, as in lang.
type Words struct {
	*lang.Words
	Tag string // BCP 47

	// States of what somebody holds.
	StateHeld, StatePaid, StateExpired, StatePassed, StateReleased, StateUndone, StateWaiting string
	// The receipt.
	Receipt, TimeLeft, Frozen, Total, Checkout, CheckoutNote, GiveBack, GiveBackAsk, LeaveLine, More, Less, Amount string
	NothingHere, NothingOpen, AllPaid, ToShow                                                                      string
	// Who the browser acts for.
	IsThisYou, TypeThis, ThenAsks, Copy, Join, JoinNote, Yes, No, YouAre, Guest, Offer, ShowCode, Joined, NotJoined string
	// Discount codes.
	YourCodes, GoodUntil string
	// The way to the store.
	Leaving, LeavingNote, StoreTrouble, NothingToPay, Gone, NoStore string
	// The room.
	Live, Soon, SoonNote, Over, OverNote, Pause, OnAir, NothingOnAir, Claim, InLine, GoneOut, NotForSale, Moment, Shelf, ShelfEmpty string
	Mine, MineEmpty, Pay, Chat, ChatEmpty, NeedsChoice, LineLeft, InLineOf, Blocked                                                 string
	// The room's video.
	Video, VideoSoon, VideoOff, VideoPaused, VideoWait, VideoOver, VideoFull, VideoCannot, WatchOn, SoundOn, ToLive string
	// Choosing what a line left open.
	WhichOne, WhichItem, TapOne, TypeOne, ClaimHere, ChooseInRoom, NoSuchItem, Asked, BackToAll string
	// Offers, and what else is to be known of a hold or an item.
	StateOffered, OfferNote, FirstPaid, EndsSoon, ExtendedNote, AfterShow, PayOnceNote, ChangedOnce, Restored, Each, EachShow string
	// Accounts that are joined.
	OfferJoin, TypeThere, JoinTwo, JoinTwoNote, JoinYes, JoinedTwo, JoinedWith, UndoUntil, Undo, Undone string
	// Being forgotten.
	Forget, ForgetAsk, ForgetErased, ForgetKept, ForgetYes, ForgetNo, Forgotten, ForgottenNote string
	// The overlay.
	TypeLine, AndMore, Thanks string
	// Trouble.
	NoReceipt, NoReceiptNote, NoRoom, NoRoomNote, NoOverlay, NoOverlayNote, NotYours, TooFast, NotReady, NoCookie, Unread, Failed, Again string
	// The frame around the page.
	Skip, Lost, Mark, ItemNumber string
}

// For are the words of a language by its tag; English where we have none of it.
func For(tag string) *Words {
	base, _, _ := strings.Cut(strings.ToLower(tag), "-")
	w := english()
	switch base {
	case "de":
		w = german()
	case "es":
		w = spanish()
	case "fr":
		w = french()
	default:
		base = "en"
	}
	w.Words, w.Tag = lang.For(base), base
	return w
}

// Of are the words of the first language that a browser asks for and we have, for pages of no show.
func Of(r *http.Request) *Words {
	for want := range strings.SplitSeq(r.Header.Get("Accept-Language"), ",") {
		tag, _, _ := strings.Cut(strings.TrimSpace(want), ";")
		base, _, _ := strings.Cut(strings.ToLower(tag), "-")
		for _, have := range lang.Languages() {
			if have == base {
				return For(base)
			}
		}
	}
	return For("en")
}

func english() *Words {
	return &Words{
		StateHeld: "held", StatePaid: "paid", StateExpired: "time ran out", StatePassed: "given back", StateReleased: "taken back by the host", StateUndone: "order cancelled", StateWaiting: "number {place} in line",
		Receipt: "Your receipt", TimeLeft: "Time left", Frozen: "paused", Total: "To pay", Checkout: "Continue to checkout",
		CheckoutNote: "You pay in the shop of {shop}. What is held stays yours until its time is up.", GiveBack: "Give it back", GiveBackAsk: "Give {item} back?", LeaveLine: "Leave the line",
		More: "One more {item}", Less: "One fewer {item}", Amount: "Amount",
		YourCodes: "Your discount codes", GoodUntil: "good until {until}",
		NothingHere: "Nothing is held here yet.", NothingOpen: "Nothing is held here any more.", AllPaid: "All paid. Thank you!", ToShow: "To the show",
		IsThisYou: "Is this you?", TypeThis: "Type this in the chat of the show:", ThenAsks: "Then this page asks you, and you can change things here.", Copy: "Copy",
		Join: "Are you {who} on {platform}?", JoinNote: "This browser may then change and give back what {who} holds.", Yes: "Yes, that is me", No: "No", YouAre: "You are {who} on {platform}.",
		Guest: "Guest", Offer: "Buying in the chat as well? Join this page with your name there.", ShowCode: "Show my code", Joined: "Joined. You are {who} here now.", NotJoined: "Not joined.",
		Leaving: "To the checkout", LeavingNote: "The shop opens in a moment. If it does not:", StoreTrouble: "The shop did not answer. What is held stays held; try again in a moment.",
		NothingToPay: "There is nothing to pay here any more.", Gone: "Others paid first, and nothing is left of it. You paid nothing.", NoStore: "This shop takes no payment online. Ask the host how to pay.",
		Live: "live", Soon: "starts soon", SoonNote: "The show has not started yet. This page wakes up when it does.", Over: "ended", OverNote: "The show is over. What is held stays held until its time is up.",
		Pause: "paused", OnAir: "On air now", NothingOnAir: "Nothing is on air just now.", Claim: "Claim", InLine: "Join the line", GoneOut: "sold out", NotForSale: "not on sale", Moment: "one moment",
		Shelf: "On the shelf", ShelfEmpty: "The shelf is still empty.", Mine: "Yours", MineEmpty: "Nothing yet. Tap Claim here, or type {cmd} in the chat.", Pay: "Pay", Chat: "Chat",
		ChatEmpty: "Nobody has said anything yet.", NeedsChoice: "#{n} {item}: which one? There is {choices}.", LineLeft: "You left the line for #{n} {item}.", InLineOf: "{n} in line", Blocked: "The host stopped your claims in this show.",
		Video: "Live video", VideoSoon: "The video begins with the show.", VideoOff: "No video comes right now. It plays here as soon as it does.", VideoPaused: "The video pauses and goes on in a moment.",
		VideoWait: "The video is coming …", VideoOver: "The show is over.", VideoFull: "As many people watch here as our line carries. Buying works all the same.", VideoCannot: "This browser cannot play the video. Buying works all the same.",
		WatchOn: "Watch on {platform}", SoundOn: "Sound on", ToLive: "To the live picture",
		WhichOne: "Which one?", WhichItem: "Which item?", TapOne: "Tap one and it is yours to pay.", TypeOne: "Type one of these lines in the chat of the show:",
		ClaimHere: "Or tap Claim here. It is then held for this browser, as {who}.", ChooseInRoom: "Claim in the live room instead", NoSuchItem: "No item has the number {n}. Choose one of these:",
		Asked: "You asked for {what}.", BackToAll: "All items",
		StateOffered: "not set aside", OfferNote: "Not set aside: first paid, first served.", FirstPaid: "First paid, first served: nothing is set aside", EndsSoon: "Ends soon. Pay now, or it goes to the next in line.",
		ExtendedNote: "We could not tell you in the chat, so it got its time once more.", AfterShow: "after the show", PayOnceNote: "You pay once, when the show is over; then you have {time}.",
		ChangedOnce: "#{n} {what}: {qty} held now. You pay once, after the show.",
		Restored:    "Selling is closed for a moment: the shop checks what is there. What is held stays held.", Each: "at most {n} each", EachShow: "At most {n} pieces each in this show.",
		OfferJoin: "Do you buy on another platform too? Join your names, and they count as one.", TypeThere: "Type this in the chat there, with your other name:",
		JoinTwo: "Join {who} on {platform}?", JoinTwoNote: "{who} and {own} then count as one person in this shop: one cart, one limit, one place in line. You can undo it here for a day.", JoinYes: "Yes, join them",
		JoinedTwo: "Joined. {who} and you count as one now.", JoinedWith: "Joined with you", UndoUntil: "can be undone until {until}", Undo: "Undo", Undone: "{who} counts alone again.",
		Forget: "Forget me", ForgetAsk: "Forget you in this shop?", ForgetErased: "Erased at once: your name and your lines in the chat, what is held for you and your places in line, and whom this browser acts for.",
		ForgetKept: "What stays: that pieces were held and sold, with amounts, times and your platform's number for you, but without your name. Orders that you paid are in the shop's own books; ask the shop about them.", ForgetYes: "Yes, forget me", ForgetNo: "No, keep it",
		Forgotten: "You are forgotten here", ForgottenNote: "What is held for you was given back, and your name is erased. If you write in the chat again, you are new to us.",
		TypeLine: "Type {cmd}", AndMore: "and {n} more", Thanks: "Thank you!",
		NoReceipt: "No receipt here", NoReceiptNote: "The address is cut off or no longer open. Type !cart in the chat and you get a new one.", NoRoom: "No show here",
		NoRoomNote: "No show has this name. Ask the host for the address.", NoOverlay: "No overlay here", NoOverlayNote: "The address is cut off or no longer open. The page of the show has the one that is.",
		NotYours: "Only the browser of whoever claimed this may change it. Type the code of this page in the chat first.",
		TooFast:  "That was too much at once. Wait a moment, then try again.", NotReady: "One moment: the shop is just starting. Try again in a few seconds.",
		NoCookie: "This page needs its cookie to know you again. Open it once more with cookies allowed.", Unread: "That form could not be read. Open the page once more.",
		Failed: "That did not work. What was confirmed to you stands. If it goes on, tell the host number {n}.", Again: "Back",
		Skip: "Skip to the content", Lost: "Connection lost. Trying again …", Mark: "Practice", ItemNumber: "Item",
	}
}

func german() *Words {
	return &Words{
		StateHeld: "zurückgelegt", StatePaid: "bezahlt", StateExpired: "Zeit abgelaufen", StatePassed: "zurückgegeben", StateReleased: "vom Host zurückgenommen", StateUndone: "Bestellung storniert", StateWaiting: "Nummer {place} der Warteliste",
		Receipt: "Dein Beleg", TimeLeft: "Noch Zeit", Frozen: "Uhr steht", Total: "Zu bezahlen", Checkout: "Weiter zur Kasse",
		CheckoutNote: "Du bezahlst im Shop von {shop}. Zurückgelegtes bleibt deins, bis die Zeit um ist.", GiveBack: "Zurückgeben", GiveBackAsk: "{item} zurückgeben?", LeaveLine: "Warteliste verlassen",
		More: "Ein {item} mehr", Less: "Ein {item} weniger", Amount: "Menge",
		YourCodes: "Deine Rabattcodes", GoodUntil: "gültig bis {until}",
		NothingHere: "Hier ist noch nichts zurückgelegt.", NothingOpen: "Hier ist nichts mehr zurückgelegt.", AllPaid: "Alles bezahlt. Danke!", ToShow: "Zur Show",
		IsThisYou: "Bist du das?", TypeThis: "Schreib das in den Chat der Show:", ThenAsks: "Dann fragt dich diese Seite, und du kannst hier ändern.", Copy: "Kopieren",
		Join: "Bist du {who} auf {platform}?", JoinNote: "Dieser Browser darf dann ändern und zurückgeben, was für {who} zurückgelegt ist.", Yes: "Ja, das bin ich", No: "Nein", YouAre: "Du bist {who} auf {platform}.",
		Guest: "Gast", Offer: "Kaufst du auch im Chat? Verbinde diese Seite mit deinem Namen dort.", ShowCode: "Meinen Code zeigen", Joined: "Verbunden. Du bist hier jetzt {who}.", NotJoined: "Nicht verbunden.",
		Leaving: "Zur Kasse", LeavingNote: "Der Shop öffnet sich gleich. Wenn nicht:", StoreTrouble: "Der Shop hat nicht geantwortet. Zurückgelegtes bleibt zurückgelegt; versuch es gleich noch einmal.",
		NothingToPay: "Hier ist nichts mehr zu bezahlen.", Gone: "Andere haben zuerst bezahlt, davon ist nichts mehr da. Du hast nichts bezahlt.", NoStore: "Dieser Shop nimmt online keine Zahlung an. Frag den Host, wie du bezahlst.",
		Live: "live", Soon: "gleich geht es los", SoonNote: "Die Show hat noch nicht begonnen. Diese Seite wacht von selbst auf.", Over: "vorbei", OverNote: "Die Show ist vorbei. Zurückgelegtes bleibt zurückgelegt, bis die Zeit um ist.",
		Pause: "unterbrochen", OnAir: "Jetzt zu sehen", NothingOnAir: "Gerade wird nichts gezeigt.", Claim: "Zurücklegen", InLine: "Auf die Warteliste", GoneOut: "ausverkauft", NotForSale: "nicht im Verkauf", Moment: "einen Moment",
		Shelf: "Im Regal", ShelfEmpty: "Das Regal ist noch leer.", Mine: "Deins", MineEmpty: "Noch nichts. Tippe hier auf Zurücklegen oder schreib {cmd} in den Chat.", Pay: "Bezahlen", Chat: "Chat",
		ChatEmpty: "Noch hat niemand etwas gesagt.", NeedsChoice: "#{n} {item}: welche Ausführung? Es gibt {choices}.", LineLeft: "Du stehst nicht mehr auf der Warteliste für #{n} {item}.", InLineOf: "{n} auf der Warteliste", Blocked: "Der Host hat deine Käufe in dieser Show gestoppt.",
		Video: "Live-Video", VideoSoon: "Das Video beginnt mit der Show.", VideoOff: "Gerade kommt kein Video. Sobald eins kommt, läuft es hier.", VideoPaused: "Das Video macht Pause und geht gleich weiter.",
		VideoWait: "Das Video kommt …", VideoOver: "Die Show ist vorbei.", VideoFull: "Hier schauen so viele zu, wie unsere Leitung trägt. Kaufen geht trotzdem.", VideoCannot: "Dieser Browser kann das Video nicht zeigen. Kaufen geht trotzdem.",
		WatchOn: "Auf {platform} ansehen", SoundOn: "Ton an", ToLive: "Zum Live-Bild",
		WhichOne: "Welche Ausführung?", WhichItem: "Welcher Artikel?", TapOne: "Tippe auf eine, und du kannst sie bezahlen.", TypeOne: "Schreib eine dieser Zeilen in den Chat der Show:",
		ClaimHere: "Oder tippe hier auf Zurücklegen. Dann ist es für diesen Browser zurückgelegt, als {who}.", ChooseInRoom: "Stattdessen auf der Seite der Show nehmen", NoSuchItem: "Kein Artikel hat die Nummer {n}. Such dir einen aus:",
		Asked: "Du wolltest {what}.", BackToAll: "Alle Artikel",
		StateOffered: "nicht zurückgelegt", OfferNote: "Nicht zurückgelegt: Wer zuerst bezahlt, bekommt es.", FirstPaid: "Wer zuerst bezahlt, bekommt es: nichts wird zurückgelegt", EndsSoon: "Gleich vorbei. Bezahle jetzt, sonst ist der Nächste dran.",
		ExtendedNote: "Wir konnten es dir im Chat nicht sagen, darum lief die Zeit noch einmal von vorn.", AfterShow: "nach der Show", PayOnceNote: "Du bezahlst einmal, wenn die Show vorbei ist; dann hast du {time}.",
		ChangedOnce: "#{n} {what}: jetzt {qty} zurückgelegt. Bezahlt wird einmal, nach der Show.",
		Restored:    "Der Verkauf ist einen Moment zu: Der Shop prüft, was da ist. Zurückgelegtes bleibt zurückgelegt.", Each: "höchstens {n} pro Person", EachShow: "Höchstens {n} Stück pro Person in dieser Show.",
		OfferJoin: "Kaufst du auch auf einer anderen Plattform? Verbinde deine Namen, dann zählen sie als einer.", TypeThere: "Schreib das dort in den Chat, mit deinem anderen Namen:",
		JoinTwo: "{who} auf {platform} verbinden?", JoinTwoNote: "{who} und {own} zählen in diesem Shop dann als eine Person: ein Beleg, eine Höchstmenge, ein Platz in der Warteliste. Einen Tag lang kannst du es hier rückgängig machen.", JoinYes: "Ja, verbinden",
		JoinedTwo: "Verbunden. {who} und du zählen jetzt als eine Person.", JoinedWith: "Mit dir verbunden", UndoUntil: "rückgängig zu machen bis {until}", Undo: "Rückgängig", Undone: "{who} zählt wieder allein.",
		Forget: "Vergiss mich", ForgetAsk: "Dich in diesem Shop vergessen?", ForgetErased: "Sofort gelöscht: dein Name und deine Zeilen im Chat, was für dich zurückgelegt ist, deine Plätze in der Warteliste, und für wen dieser Browser handelt.",
		ForgetKept: "Was bleibt: dass Stücke zurückgelegt und verkauft wurden, mit Mengen, Zeiten und deiner Nummer auf der Plattform, aber ohne deinen Namen. Bezahlte Bestellungen stehen in den Büchern des Shops; frag dort danach.", ForgetYes: "Ja, vergiss mich", ForgetNo: "Nein, behalten",
		Forgotten: "Du bist hier vergessen", ForgottenNote: "Was zurückgelegt war, ist zurückgegeben, und dein Name ist gelöscht. Schreibst du wieder im Chat, bist du neu für uns.",
		TypeLine: "Schreib {cmd}", AndMore: "und {n} weitere", Thanks: "Danke!",
		NoReceipt: "Hier ist kein Beleg", NoReceiptNote: "Die Adresse ist abgeschnitten oder gilt nicht mehr. Schreib !cart in den Chat, dann bekommst du eine neue.", NoRoom: "Hier ist keine Show",
		NoRoomNote: "Keine Show heißt so. Frag den Host nach der Adresse.", NoOverlay: "Hier ist kein Overlay", NoOverlayNote: "Die Adresse ist abgeschnitten oder gilt nicht mehr. Die Seite der Show hat die, die gilt.",
		NotYours: "Ändern darf das nur der Browser, für den es zurückgelegt ist. Schreib zuerst den Code dieser Seite in den Chat.",
		TooFast:  "Das war zu viel auf einmal. Warte einen Moment und versuch es dann noch einmal.", NotReady: "Einen Moment: Der Shop startet gerade. Versuch es in ein paar Sekunden noch einmal.",
		NoCookie: "Diese Seite braucht ihr Cookie, um dich wiederzuerkennen. Öffne sie noch einmal und erlaube Cookies.", Unread: "Das Formular war nicht zu lesen. Öffne die Seite noch einmal.",
		Failed: "Das hat nicht geklappt. Was dir bestätigt wurde, gilt. Wenn es so bleibt, nenn dem Host die Nummer {n}.", Again: "Zurück",
		Skip: "Zum Inhalt", Lost: "Verbindung verloren. Neuer Versuch …", Mark: "Probe", ItemNumber: "Artikel",
	}
}

func spanish() *Words {
	return &Words{
		StateHeld: "apartado", StatePaid: "pagado", StateExpired: "se acabó el tiempo", StatePassed: "devuelto", StateReleased: "retirado por quien presenta", StateUndone: "pedido anulado", StateWaiting: "puesto {place} en la espera",
		Receipt: "Tu recibo", TimeLeft: "Tiempo", Frozen: "en pausa", Total: "Por pagar", Checkout: "Continuar al pago",
		CheckoutNote: "Pagas en la tienda de {shop}. Lo apartado es tuyo hasta que se acabe el tiempo.", GiveBack: "Devolver", GiveBackAsk: "¿Devolver {item}?", LeaveLine: "Dejar la espera",
		More: "Un {item} más", Less: "Un {item} menos", Amount: "Cantidad",
		YourCodes: "Tus códigos de descuento", GoodUntil: "válido hasta {until}",
		NothingHere: "Aquí aún no hay nada apartado.", NothingOpen: "Aquí ya no hay nada apartado.", AllPaid: "Todo pagado. ¡Gracias!", ToShow: "Al directo",
		IsThisYou: "¿Eres tú?", TypeThis: "Escribe esto en el chat del directo:", ThenAsks: "Después esta página te pregunta y puedes cambiar cosas aquí.", Copy: "Copiar",
		Join: "¿Eres {who} en {platform}?", JoinNote: "Este navegador podrá cambiar y devolver lo apartado para {who}.", Yes: "Sí, soy yo", No: "No", YouAre: "Eres {who} en {platform}.",
		Guest: "Invitado", Offer: "¿Compras también en el chat? Une esta página con tu nombre de allí.", ShowCode: "Ver mi código", Joined: "Unido. Aquí eres ahora {who}.", NotJoined: "No se ha unido.",
		Leaving: "Al pago", LeavingNote: "La tienda se abre en un momento. Si no:", StoreTrouble: "La tienda no ha respondido. Lo apartado sigue apartado; prueba otra vez en un momento.",
		NothingToPay: "Aquí ya no hay nada que pagar.", Gone: "Otras personas pagaron antes y ya no queda nada. No has pagado nada.", NoStore: "Esta tienda no cobra en línea. Pregunta a quien presenta cómo pagar.",
		Live: "en directo", Soon: "empieza pronto", SoonNote: "El directo aún no ha empezado. Esta página se despierta sola.", Over: "terminado", OverNote: "El directo ha terminado. Lo apartado sigue apartado hasta que se acabe su tiempo.",
		Pause: "en pausa", OnAir: "Ahora en pantalla", NothingOnAir: "Ahora no se muestra nada.", Claim: "Apartar", InLine: "Ponerme en espera", GoneOut: "agotado", NotForSale: "no está a la venta", Moment: "un momento",
		Shelf: "En el estante", ShelfEmpty: "El estante está vacío todavía.", Mine: "Lo tuyo", MineEmpty: "Nada todavía. Pulsa Apartar aquí o escribe {cmd} en el chat.", Pay: "Pagar", Chat: "Chat",
		ChatEmpty: "Nadie ha dicho nada todavía.", NeedsChoice: "#{n} {item}: ¿cuál? Hay {choices}.", LineLeft: "Ya no estás en espera de #{n} {item}.", InLineOf: "{n} en espera", Blocked: "Quien presenta paró tus compras en este directo.",
		Video: "Vídeo en directo", VideoSoon: "El vídeo empieza con el directo.", VideoOff: "Ahora no llega vídeo. Se verá aquí en cuanto llegue.", VideoPaused: "El vídeo hace una pausa y sigue en un momento.",
		VideoWait: "Ya viene el vídeo …", VideoOver: "El directo ha terminado.", VideoFull: "Aquí miran tantas personas como admite nuestra línea. Comprar funciona igual.", VideoCannot: "Este navegador no puede mostrar el vídeo. Comprar funciona igual.",
		WatchOn: "Ver en {platform}", SoundOn: "Activar sonido", ToLive: "Ir al directo",
		WhichOne: "¿Cuál?", WhichItem: "¿Qué artículo?", TapOne: "Pulsa uno y podrás pagarlo.", TypeOne: "Escribe una de estas líneas en el chat del directo:",
		ClaimHere: "O pulsa Apartar aquí. Queda apartado para este navegador, como {who}.", ChooseInRoom: "Apartarlo en la página del directo", NoSuchItem: "Ningún artículo tiene el número {n}. Elige uno de estos:",
		Asked: "Pediste {what}.", BackToAll: "Todos los artículos",
		StateOffered: "sin apartar", OfferNote: "Sin apartar: es de quien pague primero.", FirstPaid: "Es de quien pague primero: no se aparta nada", EndsSoon: "Se acaba pronto. Paga ahora o pasa a quien espera.",
		ExtendedNote: "No pudimos avisarte en el chat, así que su tiempo empezó otra vez.", AfterShow: "tras el directo", PayOnceNote: "Pagas una sola vez, cuando termine el directo; entonces tienes {time}.",
		ChangedOnce: "#{n} {what}: ahora {qty} apartados. Se paga una vez, tras el directo.",
		Restored:    "La venta está cerrada un momento: la tienda comprueba lo que hay. Lo apartado sigue apartado.", Each: "como mucho {n} por persona", EachShow: "Como mucho {n} piezas por persona en este directo.",
		OfferJoin: "¿Compras también en otra plataforma? Une tus nombres y contarán como uno.", TypeThere: "Escribe esto en el chat de allí, con tu otro nombre:",
		JoinTwo: "¿Unir a {who} de {platform}?", JoinTwoNote: "{who} y {own} contarán como una persona en esta tienda: un recibo, un límite, un puesto en la espera. Puedes deshacerlo aquí durante un día.", JoinYes: "Sí, unirlos",
		JoinedTwo: "Unidos. {who} y tú contáis ahora como una persona.", JoinedWith: "Unido contigo", UndoUntil: "se puede deshacer hasta {until}", Undo: "Deshacer", Undone: "{who} vuelve a contar por separado.",
		Forget: "Olvidarme", ForgetAsk: "¿Olvidarte en esta tienda?", ForgetErased: "Se borra enseguida: tu nombre y tus líneas del chat, lo apartado para ti y tus puestos en la espera, y por quién actúa este navegador.",
		ForgetKept: "Lo que queda: que se apartaron y vendieron piezas, con cantidades, horas y tu número en la plataforma, pero sin tu nombre. Los pedidos que pagaste están en los libros de la tienda; pregunta allí por ellos.", ForgetYes: "Sí, olvidarme", ForgetNo: "No, conservarlo",
		Forgotten: "Aquí ya te hemos olvidado", ForgottenNote: "Lo apartado se devolvió y tu nombre está borrado. Si vuelves a escribir en el chat, serás alguien nuevo.",
		TypeLine: "Escribe {cmd}", AndMore: "y {n} más", Thanks: "¡Gracias!",
		NoReceipt: "Aquí no hay recibo", NoReceiptNote: "La dirección está cortada o ya no vale. Escribe !cart en el chat y recibes una nueva.", NoRoom: "Aquí no hay directo",
		NoRoomNote: "Ningún directo se llama así. Pide la dirección a quien presenta.", NoOverlay: "Aquí no hay overlay", NoOverlayNote: "La dirección está cortada o ya no vale. La página del directo tiene la que vale.",
		NotYours: "Solo puede cambiarlo el navegador de quien lo apartó. Escribe primero el código de esta página en el chat.",
		TooFast:  "Fue demasiado de una vez. Espera un momento y prueba de nuevo.", NotReady: "Un momento: la tienda se está iniciando. Prueba en unos segundos.",
		NoCookie: "Esta página necesita su cookie para reconocerte. Ábrela otra vez con cookies permitidas.", Unread: "No se pudo leer el formulario. Abre la página otra vez.",
		Failed: "No ha funcionado. Lo que se te confirmó sigue valiendo. Si continúa, di el número {n} a quien presenta.", Again: "Volver",
		Skip: "Ir al contenido", Lost: "Conexión perdida. Probando de nuevo …", Mark: "Ensayo", ItemNumber: "Artículo",
	}
}

func french() *Words {
	return &Words{
		StateHeld: "réservé", StatePaid: "payé", StateExpired: "temps écoulé", StatePassed: "rendu", StateReleased: "repris par l'hôte", StateUndone: "commande annulée", StateWaiting: "numéro {place} dans la file",
		Receipt: "Ton reçu", TimeLeft: "Temps restant", Frozen: "en pause", Total: "À payer", Checkout: "Continuer vers le paiement",
		CheckoutNote: "Tu paies dans la boutique de {shop}. Ce qui est réservé reste à toi jusqu'à la fin du temps.", GiveBack: "Rendre", GiveBackAsk: "Rendre {item} ?", LeaveLine: "Quitter la file",
		More: "Un {item} de plus", Less: "Un {item} de moins", Amount: "Quantité",
		YourCodes: "Tes codes de réduction", GoodUntil: "valable jusqu'à {until}",
		NothingHere: "Rien n'est encore réservé ici.", NothingOpen: "Plus rien n'est réservé ici.", AllPaid: "Tout est payé. Merci !", ToShow: "Vers le direct",
		IsThisYou: "C'est toi ?", TypeThis: "Écris ceci dans le chat du direct :", ThenAsks: "Ensuite cette page te demande, et tu peux changer les choses ici.", Copy: "Copier",
		Join: "Es-tu {who} sur {platform} ?", JoinNote: "Ce navigateur pourra changer et rendre ce qui est réservé pour {who}.", Yes: "Oui, c'est moi", No: "Non", YouAre: "Tu es {who} sur {platform}.",
		Guest: "Invité", Offer: "Tu achètes aussi dans le chat ? Relie cette page à ton nom là-bas.", ShowCode: "Voir mon code", Joined: "C'est relié. Ici tu es maintenant {who}.", NotJoined: "Non relié.",
		Leaving: "Vers le paiement", LeavingNote: "La boutique s'ouvre dans un instant. Sinon :", StoreTrouble: "La boutique n'a pas répondu. Ce qui est réservé le reste ; réessaie dans un instant.",
		NothingToPay: "Il n'y a plus rien à payer ici.", Gone: "D'autres ont payé avant et il n'en reste plus. Tu n'as rien payé.", NoStore: "Cette boutique n'encaisse pas en ligne. Demande à l'hôte comment payer.",
		Live: "en direct", Soon: "commence bientôt", SoonNote: "Le direct n'a pas encore commencé. Cette page se réveille toute seule.", Over: "terminé", OverNote: "Le direct est terminé. Ce qui est réservé le reste jusqu'à la fin de son temps.",
		Pause: "en pause", OnAir: "À l'écran", NothingOnAir: "Rien n'est à l'écran pour l'instant.", Claim: "Réserver", InLine: "Entrer dans la file", GoneOut: "épuisé", NotForSale: "pas en vente", Moment: "un instant",
		Shelf: "Sur l'étagère", ShelfEmpty: "L'étagère est encore vide.", Mine: "À toi", MineEmpty: "Rien encore. Touche Réserver ici, ou écris {cmd} dans le chat.", Pay: "Payer", Chat: "Chat",
		ChatEmpty: "Personne n'a encore rien dit.", NeedsChoice: "#{n} {item} : lequel ? Il y a {choices}.", LineLeft: "Tu n'es plus dans la file pour #{n} {item}.", InLineOf: "{n} dans la file", Blocked: "L'hôte a arrêté tes achats dans ce direct.",
		Video: "Vidéo en direct", VideoSoon: "La vidéo commence avec le direct.", VideoOff: "Pas de vidéo pour l’instant. Elle s’affichera ici dès qu’elle arrive.", VideoPaused: "La vidéo fait une pause et reprend dans un instant.",
		VideoWait: "La vidéo arrive …", VideoOver: "Le direct est terminé.", VideoFull: "Il y a ici autant de monde que notre ligne peut en servir. Les achats marchent quand même.", VideoCannot: "Ce navigateur ne peut pas lire la vidéo. Les achats marchent quand même.",
		WatchOn: "Regarder sur {platform}", SoundOn: "Activer le son", ToLive: "Revenir au direct",
		WhichOne: "Lequel ?", WhichItem: "Quel article ?", TapOne: "Touche celui que tu veux, et tu peux le payer.", TypeOne: "Écris une de ces lignes dans le chat du direct :",
		ClaimHere: "Ou touche Réserver ici. C'est alors réservé pour ce navigateur, comme {who}.", ChooseInRoom: "Réserver plutôt sur la page du direct", NoSuchItem: "Aucun article n'a le numéro {n}. Choisis-en un :",
		Asked: "Tu as demandé {what}.", BackToAll: "Tous les articles",
		StateOffered: "pas réservé", OfferNote: "Pas réservé : à qui paie en premier.", FirstPaid: "À qui paie en premier : rien n'est réservé", EndsSoon: "Bientôt fini. Paie maintenant, sinon c'est au suivant.",
		ExtendedNote: "Nous n'avons pas pu te le dire dans le chat, alors le temps a recommencé une fois.", AfterShow: "après le direct", PayOnceNote: "Tu paies une seule fois, quand le direct est fini ; tu as alors {time}.",
		ChangedOnce: "#{n} {what} : {qty} réservés maintenant. On paie une fois, après le direct.",
		Restored:    "La vente est fermée un instant : la boutique vérifie ce qu'il y a. Ce qui est réservé le reste.", Each: "{n} au plus par personne", EachShow: "{n} pièces au plus par personne dans ce direct.",
		OfferJoin: "Tu achètes aussi sur une autre plateforme ? Relie tes noms, et ils comptent pour un.", TypeThere: "Écris ceci dans le chat là-bas, avec ton autre nom :",
		JoinTwo: "Relier {who} sur {platform} ?", JoinTwoNote: "{who} et {own} comptent alors pour une personne dans cette boutique : un reçu, une limite, une place dans la file. Tu peux l'annuler ici pendant un jour.", JoinYes: "Oui, les relier",
		JoinedTwo: "C'est relié. {who} et toi comptez maintenant pour une personne.", JoinedWith: "Relié à toi", UndoUntil: "annulable jusqu'à {until}", Undo: "Annuler", Undone: "{who} compte de nouveau à part.",
		Forget: "Oublie-moi", ForgetAsk: "T'oublier dans cette boutique ?", ForgetErased: "Effacés tout de suite : ton nom et tes lignes du chat, ce qui t'est réservé et tes places dans la file, et pour qui ce navigateur agit.",
		ForgetKept: "Ce qui reste : que des pièces ont été réservées et vendues, avec quantités, heures et ton numéro sur la plateforme, mais sans ton nom. Les commandes que tu as payées sont dans les livres de la boutique ; demande-lui.", ForgetYes: "Oui, oublie-moi", ForgetNo: "Non, garder",
		Forgotten: "Tu es oublié ici", ForgottenNote: "Ce qui était réservé est rendu, et ton nom est effacé. Si tu écris de nouveau dans le chat, tu es nouveau pour nous.",
		TypeLine: "Écris {cmd}", AndMore: "et {n} de plus", Thanks: "Merci !",
		NoReceipt: "Pas de reçu ici", NoReceiptNote: "L'adresse est coupée ou n'est plus valable. Écris !cart dans le chat et tu en reçois une nouvelle.", NoRoom: "Pas de direct ici",
		NoRoomNote: "Aucun direct ne porte ce nom. Demande l'adresse à l'hôte.", NoOverlay: "Pas d'overlay ici", NoOverlayNote: "L'adresse est coupée ou n'est plus valable. La page du direct a la bonne.",
		NotYours: "Seul le navigateur de la personne qui l'a réservé peut le changer. Écris d'abord le code de cette page dans le chat.",
		TooFast:  "C'était trop à la fois. Attends un moment et réessaie.", NotReady: "Un instant : la boutique démarre. Réessaie dans quelques secondes.",
		NoCookie: "Cette page a besoin de son cookie pour te reconnaître. Rouvre-la en autorisant les cookies.", Unread: "Le formulaire est illisible. Rouvre la page.",
		Failed: "Cela n'a pas marché. Ce qui t'a été confirmé tient. Si cela continue, donne à l'hôte le numéro {n}.", Again: "Retour",
		Skip: "Aller au contenu", Lost: "Connexion perdue. Nouvel essai …", Mark: "Essai", ItemNumber: "Article",
	}
}
