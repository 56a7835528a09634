// Package dial is the one way out to addresses that users give: outgoing webhooks, destinations, pictures. A user of
// the dashboard must not be able to make hawker speak to what only hawker's machine can reach, such as a cloud's
// metadata service or a database on loopback (server-side request forgery). The check is made on the address that is
// really dialled, after the name was resolved, so a name that changes its mind between check and use gains nothing.
//
// Platforms whose addresses the operator sets are not dialled through here.
package dial

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"syscall"
	"time"
)

// ErrPrivate means that an address is not on the public internet and that private targets are not allowed here.
var ErrPrivate = errors.New("address is not public; HAWKER_ALLOW_PRIVATE_TARGETS allows private ones")

// ErrRedirect means that a server sent the client to another host, or too often.
var ErrRedirect = errors.New("redirect refused")

// Times used when a Dialer names none.
const (
	DefaultConnect = 5 * time.Second  // one connection, all its addresses together, without TLS
	DefaultRequest = 15 * time.Second // one whole request of Client, body included
)

// maxRedirects is how often Client follows within one host.
const maxRedirects = 3

// Dialer connects to public addresses. Its zero value is ready. Set the fields before the first use; after that
// many goroutines may use it.
type Dialer struct {
	AllowPrivate bool          // HAWKER_ALLOW_PRIVATE_TARGETS: loopback and private addresses too
	Connect      time.Duration // longest time for connecting; 0 means DefaultConnect
	Request      time.Duration // longest time for a request of Client; 0 means DefaultRequest
}

// DialContext connects to address (host:port) over "tcp", "tcp4", "tcp6" or their udp kin. A refused address gives an
// error that is ErrPrivate and names what was really dialled.
func (d *Dialer) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	switch network {
	case "tcp", "tcp4", "tcp6", "udp", "udp4", "udp6":
	default:
		return nil, fmt.Errorf("dial %s %s: only tcp and udp", network, address)
	}
	nd := net.Dialer{Timeout: d.Connect, ControlContext: d.control}
	if nd.Timeout == 0 {
		nd.Timeout = DefaultConnect
	}
	return nd.DialContext(ctx, network, address)
}

// control runs after the name was resolved and the socket made, before it connects; once for each address tried.
func (d *Dialer) control(_ context.Context, _, address string, _ syscall.RawConn) error {
	to, err := netip.ParseAddrPort(address)
	if err != nil {
		return fmt.Errorf("%s: %w", address, ErrPrivate)
	}
	if !d.AllowPrivate && !Public(to.Addr()) {
		return fmt.Errorf("%s: %w", to.Addr(), ErrPrivate)
	}
	return nil
}

// Client is an HTTP client over d: without the environment's proxy (which would dial in our place, unchecked),
// without cookies, following at most three redirects and only within the scheme, name and port of the first address,
// and with a time limit on everything. Close its idle connections when done. Each call makes a new one.
func (d *Dialer) Client() *http.Client {
	c := &http.Client{
		Transport: &http.Transport{
			Proxy:                  nil,
			DialContext:            d.DialContext,
			ForceAttemptHTTP2:      true,
			MaxIdleConns:           64,
			MaxIdleConnsPerHost:    2,
			MaxConnsPerHost:        16,
			IdleConnTimeout:        30 * time.Second,
			TLSHandshakeTimeout:    5 * time.Second,
			ResponseHeaderTimeout:  10 * time.Second,
			ExpectContinueTimeout:  time.Second,
			MaxResponseHeaderBytes: 64 << 10,
		},
		CheckRedirect: sameHost,
		Timeout:       d.Request,
	}
	if c.Timeout == 0 {
		c.Timeout = DefaultRequest
	}
	return c
}

func sameHost(next *http.Request, via []*http.Request) error {
	first := via[0].URL
	if next.URL.Scheme != first.Scheme || next.URL.Host != first.Host {
		return fmt.Errorf("%w: %s sends to another host", ErrRedirect, first.Host)
	}
	if len(via) > maxRedirects {
		return fmt.Errorf("%w: %s sends around more than %d times", ErrRedirect, first.Host, maxRedirects)
	}
	return nil
}
