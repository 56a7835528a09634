package rtmp

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"strings"
)

// ErrAddress is the error of a server address that cannot be pushed to.
var ErrAddress = errors.New("rtmp: not an rtmp:// or rtmps:// address")

// Target is where a client publishes: what platforms call "server" and "key".
type Target struct {
	TLS  bool
	Host string // without port
	Addr string // host:port
	App  string // path and query after the host, as pasted
	Key  string // a secret
}

// ParseTarget reads the two fields as the merchant pasted them. Query strings stay where they were. When key is
// empty the last part of the server's path is the key. The ports default to 1935 and 443. Errors wrap ErrAddress and
// name neither field.
func ParseTarget(server, key string) (Target, error) {
	u, err := url.Parse(strings.TrimSpace(server))
	if err != nil {
		return Target{}, fmt.Errorf("%w: cannot be read", ErrAddress) // the parser's words would repeat the address
	}
	t := Target{TLS: u.Scheme == "rtmps", Host: u.Hostname(), Key: strings.TrimSpace(key)}
	if u.Scheme != "rtmp" && u.Scheme != "rtmps" {
		return Target{}, fmt.Errorf("%w: it must start with rtmp:// or rtmps://", ErrAddress)
	}
	if t.Host == "" {
		return Target{}, fmt.Errorf("%w: no host", ErrAddress)
	}
	port := u.Port()
	switch {
	case port != "":
	case t.TLS:
		port = "443"
	default:
		port = "1935"
	}
	t.Addr = net.JoinHostPort(t.Host, port)
	path, query := strings.Trim(u.EscapedPath(), "/"), ""
	if u.RawQuery != "" {
		query = "?" + u.RawQuery
	}
	if t.Key == "" {
		at := strings.LastIndexByte(path, '/')
		if at < 0 || at == len(path)-1 {
			return Target{}, fmt.Errorf("%w: no stream key", ErrAddress)
		}
		t.App, t.Key = path[:at], path[at+1:]+query
		return t, nil
	}
	t.App = path + query
	return t, nil
}

// String names the host alone: app and key may be secret.
func (t Target) String() string { return t.scheme() + "://" + t.Addr }

// GoString is String, so that %#v shows no key.
func (t Target) GoString() string { return t.String() }

// LogValue is String.
func (t Target) LogValue() slog.Value { return slog.StringValue(t.String()) }

func (t Target) scheme() string {
	if t.TLS {
		return "rtmps"
	}
	return "rtmp"
}

// tcURL is what connect tells the server: scheme, host and app. A default port is left out, as encoders do.
func (t Target) tcURL() string {
	host := t.Addr
	if _, port, _ := net.SplitHostPort(t.Addr); port == "1935" && !t.TLS || port == "443" && t.TLS {
		host = strings.TrimSuffix(t.Addr, ":"+port)
	}
	return t.scheme() + "://" + host + "/" + t.App
}

// maxWords bounds what we repeat of a peer's words, in bytes.
const maxWords = 200

// clean makes words of a peer fit to show: without the key, control characters and excess length.
func (t Target) clean(s string) string {
	for _, secret := range t.secrets() {
		s = strings.ReplaceAll(s, secret, "[key]")
	}
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7F {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, ""))
	if len(s) > maxWords {
		s = strings.ToValidUTF8(s[:maxWords], "")
	}
	return s
}

// secrets are the forms in which the key may come back, longest first.
func (t Target) secrets() []string {
	bare, _, _ := strings.Cut(t.Key, "?")
	var out []string
	for _, s := range []string{url.QueryEscape(t.Key), t.Key, url.QueryEscape(bare), bare} {
		if s != "" {
			out = append(out, s)
		}
	}
	if at := strings.LastIndexByte(bare, '/'); at >= 0 && bare[at+1:] != "" {
		out = append(out, bare[at+1:])
	}
	return out
}
