package crowd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"slices"
	"strings"

	"golang.org/x/net/html"
)

// LastName is the family name that the crowd leaves in the shop, so that its orders can be told from others.
const LastName = "of the crowd"

// ErrNothing means that a receipt had nothing to pay.
var ErrNothing = errors.New("the receipt offers no checkout")

// pageMost bounds how much of a page is read.
const pageMost = 1 << 20

// Shopper pays as people do: it opens the receipt, presses its checkout button, fills in the shop's form and sends it. HTTP
// nil is a client of its own.
type Shopper struct{ HTTP *http.Client }

// Pay pays what the receipt holds. Errors: ErrNothing when it has no checkout button (any more).
func (s *Shopper) Pay(ctx context.Context, receipt, name string) error {
	c := http.Client{}
	if s.HTTP != nil {
		c = *s.HTTP
	}
	c.Jar, _ = cookiejar.New(nil) // a browser of their own; it never fails
	p, err := visit(ctx, &c, http.MethodGet, receipt, nil)
	if err != nil {
		return fmt.Errorf("open the receipt: %w", err)
	}
	f, ok := p.form(func(f form) bool { return strings.Contains(f.action.Path, "checkout") })
	if !ok {
		return ErrNothing
	}
	if p, err = visit(ctx, &c, f.method, f.action.String(), f.values); err != nil {
		return fmt.Errorf("go to the checkout: %w", err)
	}
	f, ok = p.form(func(f form) bool { return f.values.Has("email") })
	if !ok {
		return fmt.Errorf("%s is no checkout: %w", p.at.Path, ErrNothing)
	}
	f.values.Set("first", name)
	f.values.Set("last", LastName)
	if p, err = visit(ctx, &c, f.method, f.action.String(), f.values); err != nil {
		return fmt.Errorf("pay: %w", err)
	}
	if _, still := p.form(func(f form) bool { return f.values.Has("email") }); still {
		return errors.New("the shop did not take the payment")
	}
	return nil
}

// page is a page of the web as far as a shopper cares.
type page struct {
	at    *url.URL
	forms []form
	next  string // where it leads by itself, or empty
}

type form struct {
	method string
	action *url.URL
	values url.Values
}

func (p *page) form(want func(form) bool) (form, bool) {
	i := slices.IndexFunc(p.forms, want)
	if i < 0 {
		return form{}, false
	}
	return p.forms[i], true
}

// hops bounds how many pages that lead on by themselves are followed.
const hops = 3

// visit opens a page as a browser does: it follows redirects, and pages that lead on by a Refresh header.
func visit(ctx context.Context, c *http.Client, method, at string, values url.Values) (*page, error) {
	p, err := open(ctx, c, method, at, values)
	for range hops {
		if err != nil || p.next == "" {
			break
		}
		p, err = open(ctx, c, http.MethodGet, p.next, nil)
	}
	return p, err
}

func open(ctx context.Context, c *http.Client, method, at string, values url.Values) (*page, error) {
	var body io.Reader
	if method == http.MethodPost {
		body = strings.NewReader(values.Encode())
	} else if len(values) > 0 {
		at += "?" + values.Encode()
	}
	req, err := http.NewRequestWithContext(ctx, method, at, body)
	if err != nil {
		return nil, err
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	resp, err := c.Do(req)
	if err != nil {
		var u *url.Error
		if errors.As(err, &u) { // its text holds the address, and that of a receipt is a secret
			err = u.Err
		}
		return nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("answered %s", resp.Status)
	}
	root, err := html.Parse(io.LimitReader(resp.Body, pageMost))
	if err != nil {
		return nil, err
	}
	p := &page{at: resp.Request.URL}
	if _, to, ok := strings.Cut(resp.Header.Get("Refresh"), "url="); ok {
		if u, err := p.at.Parse(strings.TrimSpace(to)); err == nil {
			p.next = u.String()
		}
	}
	for n := range root.Descendants() {
		if n.Type == html.ElementNode && n.Data == "form" {
			p.forms = append(p.forms, p.read(n))
		}
	}
	return p, nil
}

// read reads a form as a browser would send it.
func (p *page) read(n *html.Node) form {
	f := form{http.MethodGet, p.at, url.Values{}}
	if strings.EqualFold(attr(n, "method"), "post") {
		f.method = http.MethodPost
	}
	if u, err := p.at.Parse(attr(n, "action")); err == nil {
		f.action = u
	}
	for x := range n.Descendants() {
		if x.Type != html.ElementNode || attr(x, "name") == "" {
			continue
		}
		switch x.Data {
		case "input":
			if t := attr(x, "type"); t != "checkbox" && t != "radio" && t != "submit" || has(x, "checked") {
				f.values.Set(attr(x, "name"), attr(x, "value"))
			}
		case "button":
			if !f.values.Has(attr(x, "name")) {
				f.values.Set(attr(x, "name"), attr(x, "value"))
			}
		}
	}
	return f
}

func attr(n *html.Node, key string) string {
	for _, a := range n.Attr {
		if a.Key == key {
			return a.Val
		}
	}
	return ""
}

func has(n *html.Node, key string) bool {
	return slices.ContainsFunc(n.Attr, func(a html.Attribute) bool { return a.Key == key })
}
