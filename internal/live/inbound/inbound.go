// Package inbound reads webhooks that come in for a merchant's rules: whoever has an address posts a JSON object, and its fields
// are facts. What is posted is nobody we know, so everything about it is bounded.
package inbound

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"hawker/internal/chat"
)

// Bounds of what comes in.
const (
	BodyMost  = 64 << 10 // bytes
	fieldMost = 100      // facts
	depthMost = 4        // objects and lists inside each other
	nameMost  = 60       // code points of a fact's name
	textMost  = 500      // code points of a fact; the rest is cut off
)

// ErrTooLarge means that a body is over BodyMost.
var ErrTooLarge = fmt.Errorf("the body is larger than %d KiB", BodyMost>>10)

// Parse reads the body of a webhook as facts. It is a JSON object, or empty. What is inside others gets a name with lines in
// between: {"order": {"id": 7, "tags": ["a"]}} is order_id = "7" and order_tags_1 = "a". A name keeps letters and digits, all
// else in it becomes "_"; null is left out. Errors are sentences for who posted it.
func Parse(body []byte) (map[string]string, error) {
	if len(body) > BodyMost {
		return nil, ErrTooLarge
	}
	if len(bytes.TrimSpace(body)) == 0 {
		return map[string]string{}, nil
	}
	if !utf8.Valid(body) {
		return nil, errors.New("the body is not UTF-8")
	}
	p := parser{dec: json.NewDecoder(bytes.NewReader(body)), out: map[string]string{}}
	p.dec.UseNumber()
	t, err := p.dec.Token()
	if err != nil {
		return nil, p.wrong(err)
	}
	if t != json.Delim('{') {
		return nil, errors.New("the body is no JSON object: it begins with something else than {")
	}
	if err := p.object("", 1); err != nil {
		return nil, err
	}
	if _, err := p.dec.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("something follows the JSON object")
	}
	return p.out, nil
}

type parser struct {
	dec *json.Decoder
	out map[string]string
}

func (p *parser) wrong(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return errors.New("the JSON object ends in the middle")
	}
	return fmt.Errorf("the body is no JSON (near byte %d): %w", p.dec.InputOffset(), err)
}

// object reads what follows a {, up to its }.
func (p *parser) object(under string, depth int) error {
	for {
		t, err := p.dec.Token()
		if err != nil {
			return p.wrong(err)
		}
		if t == json.Delim('}') {
			return nil
		}
		key, _ := t.(string) // the decoder lets nothing else stand there
		if err := p.value(join(under, name(key)), depth); err != nil {
			return err
		}
	}
}

// list reads what follows a [, up to its ].
func (p *parser) list(under string, depth int) error {
	for i := 1; p.dec.More(); i++ {
		if err := p.value(join(under, strconv.Itoa(i)), depth); err != nil {
			return err
		}
	}
	if _, err := p.dec.Token(); err != nil {
		return p.wrong(err)
	}
	return nil
}

func (p *parser) value(under string, depth int) error {
	t, err := p.dec.Token()
	if err != nil {
		return p.wrong(err)
	}
	text := ""
	switch t := t.(type) {
	case json.Delim:
		if depth == depthMost {
			return fmt.Errorf("objects and lists are more than %d deep", depthMost)
		}
		if t == '{' {
			return p.object(under, depth+1)
		}
		return p.list(under, depth+1)
	case nil:
		return nil
	case bool:
		text = strconv.FormatBool(t)
	case json.Number:
		text = t.String()
	case string:
		text = chat.Clean(t)
	}
	if utf8.RuneCountInString(under) > nameMost {
		return fmt.Errorf("a field's name is longer than %d characters", nameMost)
	}
	if _, ok := p.out[under]; ok {
		return fmt.Errorf("two fields are called %q", under)
	}
	if len(p.out) == fieldMost {
		return fmt.Errorf("there are more than %d fields", fieldMost)
	}
	p.out[under] = cut(text, textMost)
	return nil
}

func join(a, b string) string {
	if a == "" {
		return b
	}
	return a + "_" + b
}

// name makes a field's name one that texts and expressions can have.
func name(key string) string {
	key = strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return r
		}
		return '_'
	}, key)
	if key == "" {
		return "_"
	}
	return key
}

func cut(s string, most int) string {
	n := 0
	for i := range s {
		if n == most {
			return s[:i]
		}
		n++
	}
	return s
}
