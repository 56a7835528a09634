package setup

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"hawker/commerce"
	"hawker/internal/plain"
)

// val is a value of the file with its place; set reports whether it stands there at all.
type val[T any] struct {
	v  T
	at Pos
}

func (v val[T]) set() bool { return v.at.Line > 0 }

// or is the value, or d where the file leaves it out.
func (v val[T]) or(d T) T {
	if v.set() {
		return v.v
	}
	return d
}

// reader collects what is wrong with a file.
type reader struct {
	doc    *plain.Document
	faults Faults
}

func (r *reader) fault(at Pos, format string, args ...any) {
	r.faults = append(r.faults, Fault{Pos: at, Msg: fmt.Sprintf(format, args...)})
}

// hint is fault with what to do about it.
func (r *reader) hint(at Pos, hint, format string, args ...any) {
	r.faults = append(r.faults, Fault{Pos: at, Msg: fmt.Sprintf(format, args...), Hint: hint})
}

// object reads a node's keys. Every key that is asked for is known; close reports the others.
type object struct {
	r     *reader
	at    Pos
	what  string
	ok    bool // it is an object
	by    map[string]*plain.Field
	all   []plain.Field
	known []string
}

// object opens a node that must have keys; an object without any stands in for another node, so that reading goes on.
func (r *reader) object(n *plain.Node, what string) *object {
	o := &object{r: r, at: n.At, what: what, by: map[string]*plain.Field{}}
	if n.Kind != plain.Object {
		if n.Kind != plain.Odd {
			r.fault(n.At, "%s is %s here; write keys with values", what, n.Kind)
		}
		return o
	}
	o.ok, o.all = true, n.Fields
	for i := range o.all {
		o.by[o.all[i].Key] = &o.all[i]
	}
	return o
}

func (o *object) get(key string) *plain.Field {
	o.known = append(o.known, key)
	return o.by[key]
}

// close reports the keys that nobody asked for, each with what was probably meant.
func (o *object) close() {
	for _, f := range o.all {
		if slices.Contains(o.known, f.Key) {
			continue
		}
		hint := "there are: " + strings.Join(o.known, ", ")
		if near := plain.Nearest(f.Key, o.known); near != "" {
			hint = fmt.Sprintf("did you mean %q?", near)
		} else if strings.Trim(f.Key, "0123456789") == "" {
			hint = `an amount is written with a point: "19.99"`
		}
		msg := fmt.Sprintf("%s has no %q", o.what, plain.Cut(f.Key))
		if slices.Contains(o.known, f.Key+"_env") {
			msg = f.Key + " is a secret, and secrets never stand in the file"
			hint = fmt.Sprintf("write %s_env: with the name of an environment variable that holds it", f.Key)
		}
		o.r.hint(f.At, hint, "%s", msg)
	}
}

// scalar is the text of a key; fault when it is anything else. It reports false when the key is not there or wrong.
func (o *object) scalar(key string) (string, Pos, bool) {
	f := o.get(key)
	if f == nil {
		return "", Pos{}, false
	}
	switch f.Value.Kind {
	case plain.Scalar:
	case plain.Odd:
		return "", Pos{}, false
	case plain.Object:
		o.r.hint(f.Value.At, "a text that begins with { stands in quotes", "%s is %s here; write one value", key, f.Value.Kind)
		return "", Pos{}, false
	default:
		o.r.fault(f.Value.At, "%s is %s here; write one value, or leave the key out", key, f.Value.Kind)
		return "", Pos{}, false
	}
	return f.Value.Text, f.Value.At, true
}

// text reads a text of one line for people, 1 to limit characters.
func (o *object) text(key string, limit int) val[string] {
	s, at, ok := o.scalar(key)
	if !ok {
		return val[string]{}
	}
	switch s = strings.TrimSpace(s); {
	case s == "":
		o.r.fault(at, "%s is empty; leave the key out or write something", key)
	case utf8.RuneCountInString(s) > limit:
		o.r.fault(at, "%s is longer than %d characters", key, limit)
	case strings.ContainsFunc(s, plain.Unprintable):
		o.r.fault(at, "%s has a line break or control mark in it", key)
	default:
		return val[string]{s, at}
	}
	return val[string]{"", at}
}

// match reads a text of a fixed form; want says in words which.
func (o *object) match(key string, form *regexp.Regexp, want string) val[string] {
	s, at, ok := o.scalar(key)
	if !ok {
		return val[string]{}
	}
	if !form.MatchString(s) {
		o.r.fault(at, "%s is %q; want %s", key, plain.Cut(s), want)
		s = ""
	}
	return val[string]{s, at}
}

// choice reads one of some words.
func (o *object) choice(key string, words ...string) val[string] {
	s, at, ok := o.scalar(key)
	if !ok {
		return val[string]{}
	}
	if !slices.Contains(words, s) {
		o.r.fault(at, "%s is %q; want %s", key, plain.Cut(s), orList(words))
		s = ""
	}
	return val[string]{s, at}
}

func orList(words []string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:len(words)-1], ", ") + " or " + words[len(words)-1]
}

func (o *object) flag(key string) val[bool] {
	c := o.choice(key, "true", "false")
	return val[bool]{c.v == "true", c.at}
}

func (o *object) number(key string, from, to int) val[int] {
	s, at, ok := o.scalar(key)
	if !ok {
		return val[int]{}
	}
	n, err := strconv.Atoi(s)
	if err != nil || n < from || n > to || s != strconv.Itoa(n) {
		o.r.fault(at, "%s is %q; want a whole number from %d to %d", key, plain.Cut(s), from, to)
		return val[int]{from, at}
	}
	return val[int]{n, at}
}

// hold reads how long a hold lasts.
func (o *object) hold(key string) val[time.Duration] { return o.span(key, "") }

// holdOrOff reads a time like that of a hold, or off.
func (o *object) holdOrOff(key string) val[time.Duration] { return o.span(key, ", or off") }

func (o *object) span(key, or string) val[time.Duration] {
	s, at, ok := o.scalar(key)
	if !ok || or != "" && s == "off" {
		return val[time.Duration]{0, at}
	}
	d, err := time.ParseDuration(s)
	if err != nil || d < commerce.MinHold || d > commerce.MaxHold || d%time.Second != 0 {
		o.r.fault(at, "%s is %q; want a time from 1m to 168h, such as 90s, 10m or 24h%s", key, plain.Cut(s), or)
		return val[time.Duration]{0, at}
	}
	return val[time.Duration]{d, at}
}

// price reads a decimal amount; its currency is the merchant's and known later.
func (o *object) price(key string) val[string] {
	s, at, ok := o.scalar(key)
	if !ok {
		return val[string]{}
	}
	m, err := commerce.ParseMoney(s, "CLF") // the currency with the most digits
	switch {
	case err != nil:
		o.r.fault(at, "%s is %q; want an amount such as 19.99", key, plain.Cut(s))
	case m.Minor <= 0:
		o.r.fault(at, "%s is %q; want more than nothing", key, plain.Cut(s))
	default:
		return val[string]{strings.TrimSpace(s), at}
	}
	return val[string]{"", at}
}

// env reads the name of an environment variable. What stands there is never repeated: it may be the secret itself.
func (o *object) env(key string) val[string] {
	s, at, ok := o.scalar(key)
	if !ok {
		return val[string]{}
	}
	if !envForm.MatchString(s) {
		o.r.hint(at, "write a name in capitals, such as SHOP_TOKEN; if the secret itself stands here, change it, for it has been seen",
			"%s is not the name of an environment variable", key)
		s = ""
	}
	return val[string]{s, at}
}

// list reads a list; want says what its elements are.
func (o *object) list(key string) []*plain.Node {
	f := o.get(key)
	if f == nil {
		return nil
	}
	switch {
	case f.Value.Kind == plain.Odd:
	case f.Value.Kind != plain.List:
		o.r.fault(f.Value.At, "%s is %s here; write a list, or leave the key out", key, f.Value.Kind)
	case len(f.Value.Items) == 0:
		o.r.fault(f.Value.At, "%s is an empty list; what the file leaves out stays, so leave the key out", key)
	}
	return f.Value.Items
}

// none reports whether a list is there and empty, and where.
func (o *object) none(key string) (Pos, bool) {
	f := o.by[key]
	if f == nil || f.Value.Kind != plain.List || len(f.Value.Items) > 0 {
		return Pos{}, false
	}
	o.known = append(o.known, key)
	return f.Value.At, true
}

// words reads a list of texts.
func (o *object) words(key string) []val[string] {
	var out []val[string]
	for _, n := range o.list(key) {
		if n.Kind == plain.Odd {
			continue
		}
		if n.Kind != plain.Scalar || strings.TrimSpace(n.Text) == "" || strings.ContainsFunc(n.Text, plain.Unprintable) {
			o.r.fault(n.At, "%s holds words; here is %s", key, n.Kind)
			continue
		}
		out = append(out, val[string]{strings.TrimSpace(n.Text), n.At})
	}
	return out
}

// child opens the object under a key, nil when the key is not there.
func (o *object) child(key string) *object {
	f := o.get(key)
	if f == nil {
		return nil
	}
	return o.r.object(f.Value, key)
}

// need reports keys that are not there.
func (o *object) need(keys ...string) {
	for _, k := range keys {
		if o.by[k] == nil && o.ok {
			o.r.fault(o.at, "%s needs %s", o.what, k)
		}
	}
}
