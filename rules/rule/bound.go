package rule

import (
	"errors"
	"math"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// amountForm is a number as people write it; more digits than this no shop has.
var amountForm = regexp.MustCompile(`^[0-9]{1,12}(?:\.[0-9]{1,6})?$`)

// Ends are the least and the most that b allows; infinities where it has no end.
func (b Bound) Ends() (least, most float64, err error) {
	least, most = math.Inf(-1), math.Inf(1)
	from, to, two := strings.Cut(string(b), "..")
	if !two {
		to = from
	}
	read := func(s string, into *float64) error {
		if s == "" && two {
			return nil
		}
		if !amountForm.MatchString(s) {
			return errors.New(`want a number, or two with ".." between: 3, 3.., ..10 or 3..10`)
		}
		f, err := strconv.ParseFloat(s, 64)
		*into = f
		return err
	}
	if b == ".." {
		return 0, 0, errors.New("want a number at one end at least")
	}
	if err := errors.Join(read(from, &least), read(to, &most)); err != nil {
		return 0, 0, errors.New(`want a number, or two with ".." between: 3, 3.., ..10 or 3..10`)
	}
	if least > most {
		return 0, 0, errors.New("the smaller number comes first")
	}
	return least, most, nil
}

// Clock is a time of day such as "20:00" in minutes from midnight; false when s is none.
func Clock(s string) (int, bool) {
	t, err := time.Parse("15:04", s)
	if err != nil || len(s) != 5 {
		return 0, false
	}
	return t.Hour()*60 + t.Minute(), true
}

// Span writes a length of time as people write it: 10m, not 10m0s.
func Span(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}
