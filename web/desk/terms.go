package desk

import (
	"context"
	"strconv"
	"strings"
	"time"

	"hawker/commerce"
	"hawker/internal/live"
)

// styleForm is a form of claims that a show can turn on.
type styleForm struct {
	Name, Note string
	Examples   []string
	On         bool
	Preview    string // what it would have made of the last lines
}

// Names of the forms of claims in the form.
const (
	boutique   = "boutique"
	plus       = "plus"
	numberOnly = "number_only"
)

func stylesOf(s commerce.Styles) []styleForm {
	return []styleForm{
		{Name: boutique, Examples: []string{"sold 12 M", "mine 12"}, On: s.Boutique},
		{Name: plus, Examples: []string{"12+1", "A1+1", "+1"}, On: s.Plus},
		{Name: numberOnly, Examples: []string{"12"}, Note: "alone: catches more, and also what was not meant", On: s.NumberOnly},
	}
}

// styled are the styles with the one of a name alone.
func styled(name string) commerce.Styles {
	return commerce.Styles{Boutique: name == boutique, Plus: name == plus, NumberOnly: name == numberOnly}
}

// terms reads what one person may have, and when it falls due. A guard that is the product's default is stored as none, so
// that it follows the default.
func (p *editPage) terms(s *commerce.Show) {
	switch wrong := ""; p.PayOnce {
	case "", "0":
		s.PayOnce = 0
	default:
		if s.PayOnce, wrong = holdTime(p.PayOnce); wrong != "" {
			p.Wrong["pay_once"] = wrong + " Or 0: each hold by its own clock."
		}
	}
	if s.Cap = 0; p.Cap != "" && p.Cap != "0" {
		n, err := strconv.Atoi(p.Cap)
		if s.Cap = n; err != nil || n < 1 || n > 9999 {
			p.Wrong["cap_show"] = "The cap is a number of pieces from 1 to 9999, or empty for none."
		}
	}
	if p.Share != "" {
		n, err := strconv.Atoi(strings.TrimSpace(strings.TrimSuffix(p.Share, "%")))
		if s.Guard.Share = n; err != nil || n < 1 || n > 100 {
			p.Wrong["share"] = "The share is from 1 to 100 per cent; 100 is no limit."
		} else if n == commerce.DefaultShare {
			s.Guard.Share = 0
		}
	}
	if p.Unpaid != "" {
		n, err := strconv.Atoi(p.Unpaid)
		switch s.Guard.Unpaid = n; {
		case err != nil || n < 0 || n > 1000:
			p.Wrong["unpaid"] = "A number of holds from 1 to 1000, or 0 for never."
		case n == 0:
			s.Guard.Unpaid = -1
		case n == commerce.DefaultUnpaid:
			s.Guard.Unpaid = 0
		}
	}
}

// previewFor bounds how long a form waits to know what a style would have made of the last lines: the rest of it must not.
const previewFor = time.Second

// previews says what each style that is off would have made of the last lines of the show.
func (d *Desk) previews(ctx context.Context, v *Visitor, p *editPage) {
	ctx, cancel := context.WithTimeout(ctx, previewFor)
	defer cancel()
	for i := range p.Styles {
		st := &p.Styles[i]
		x, err := d.Hub.StylesPreview(ctx, v.Merchant.ID, p.ID, styled(st.Name))
		if err != nil { // the form does without
			return
		}
		st.Preview = previewText(x)
	}
}

// previewText puts what a style would have done into a sentence.
func previewText(x live.Preview) string {
	if x.Lines == 0 {
		return "No line was heard yet to try it on."
	}
	lines := "in the last " + grouped(x.Lines) + " lines"
	if x.Lines == 1 {
		lines = "in the one line heard so far"
	}
	switch {
	case x.Claims == 0:
		return "Would have made no claim more " + lines + "."
	case x.Claims == 1:
		return "Would have made 1 claim more " + lines + ": " + quoted(x.Examples) + "."
	}
	return "Would have made " + grouped(x.Claims) + " claims more " + lines + ", for example " + quoted(x.Examples) + "."
}

// quoted lists lines of viewers, each cut to what one line of the form has room for.
func quoted(lines []string) string {
	var out []string
	for _, l := range lines[:min(len(lines), 3)] {
		if r := []rune(l); len(r) > 40 {
			l = string(r[:39]) + "…"
		}
		out = append(out, "“"+l+"”")
	}
	return strings.Join(out, ", ")
}

// grouped writes a number of lines as people read it: 1,000.
func grouped(n int) string {
	s := strconv.Itoa(n)
	if len(s) > 3 {
		s = s[:len(s)-3] + "," + s[len(s)-3:]
	}
	return s
}
