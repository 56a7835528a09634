package proof

import (
	"strconv"
	"strings"
	"time"
)

// Sentence tells the owner of a hold which entry of the shop's ledger it is and how long ago the ledger was checked, in one of
// the languages that viewers' pages have (BCP 47; English for others).
func Sentence(tag string, seq int64, ago time.Duration) string {
	base, _, _ := strings.Cut(strings.ToLower(tag), "-")
	form, group, one, units := "Your hold is entry {n} of this shop's ledger, in which every later change would show; it was checked {t} ago.", ",", "less than a minute", []string{"min", "h", "days"}
	switch base {
	case "de":
		form = "Deine Reservierung ist Eintrag {n} im Verzeichnis dieses Ladens, in dem jede spätere Änderung auffiele; geprüft vor {t}."
		group, one, units = ".", "weniger als einer Minute", []string{"Min.", "Std.", "Tagen"}
	case "es":
		form = "Tu reserva es la entrada {n} del registro de esta tienda, donde cualquier cambio posterior se notaría; se comprobó hace {t}."
		group, one, units = ".", "menos de un minuto", []string{"min", "h", "días"}
	case "fr":
		form = "Ta réservation est l'entrée {n} du registre de cette boutique, où toute modification ultérieure se verrait ; vérifié il y a {t}."
		group, one, units = "\u202f", "moins d'une minute", []string{"min", "h", "jours"}
	}
	t := one
	switch {
	case ago >= 48*time.Hour:
		t = strconv.Itoa(int(ago.Hours()/24)) + " " + units[2]
	case ago >= time.Hour:
		t = strconv.Itoa(int(ago.Hours())) + " " + units[1]
	case ago >= time.Minute:
		t = strconv.Itoa(int(ago.Minutes())) + " " + units[0]
	}
	n := strconv.FormatInt(seq, 10)
	for i := len(n) - 3; i > 0; i -= 3 {
		n = n[:i] + group + n[i:]
	}
	return strings.NewReplacer("{n}", n, "{t}", t).Replace(form)
}
