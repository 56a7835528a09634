package dial

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"
)

func TestPublic(t *testing.T) {
	for text, want := range map[string]bool{
		"1.1.1.1": true, "93.184.216.34": true, "100.63.255.255": true, "100.128.0.0": true, "172.15.0.1": true, "172.32.0.1": true,
		"198.17.255.255": true, "198.20.0.0": true, "192.0.1.0": true, "223.255.255.255": true,
		"2606:4700::1111": true, "2a00:1450::1": true, "2400:cb00::1": true, "2001:4860:4860::8888": true, "::ffff:1.1.1.1": true,

		"0.0.0.0": false, "0.1.2.3": false, "127.0.0.1": false, "127.255.1.1": false, "10.0.0.1": false, "172.16.0.1": false,
		"172.31.255.255": false, "192.168.1.1": false, "169.254.169.254": false, "100.64.0.0": false, "100.127.255.255": false,
		"192.0.0.8": false, "192.0.2.1": false, "192.88.99.1": false, "198.18.0.1": false, "198.19.255.255": false,
		"198.51.100.7": false, "203.0.113.7": false, "224.0.0.1": false, "239.1.2.3": false, "240.0.0.1": false, "255.255.255.255": false,
		"::": false, "::1": false, "::ffff:127.0.0.1": false, "::ffff:169.254.169.254": false, "::127.0.0.1": false,
		"64:ff9b::7f00:1": false, "64:ff9b:1::7f00:1": false, "2002:7f00:1::": false, "2001::1": false, "2001:db8::1": false,
		"3fff::1": false, "fe80::1": false, "fe80::1%eth0": false, "2606:4700::1111%eth0": false, "fec0::1": false, "fc00::1": false,
		"fd12::1": false, "ff02::1": false, "100::1": false, "5f00::1": false, "4000::1": false,
	} {
		if got := Public(netip.MustParseAddr(text)); got != want {
			t.Errorf("Public(%s) = %v", text, got)
		}
	}
	if Public(netip.Addr{}) {
		t.Error("the zero address is public")
	}
}

// No spelling of an address may hide a private one.
func FuzzPublic(f *testing.F) {
	f.Add(netip.MustParseAddr("127.0.0.1").AsSlice())
	f.Add(netip.MustParseAddr("::ffff:10.0.0.1").AsSlice())
	f.Add(netip.MustParseAddr("2606:4700::1111").AsSlice())
	f.Fuzz(func(t *testing.T, b []byte) {
		a, ok := netip.AddrFromSlice(b)
		if !ok || !Public(a) {
			return
		}
		ip := net.IP(b)
		if ip.IsLoopback() || ip.IsPrivate() || ip.IsLinkLocalUnicast() || ip.IsMulticast() || ip.IsUnspecified() {
			t.Fatalf("%v is public", a)
		}
		if a != a.Unmap() && !Public(a.Unmap()) || a.Is4() && !Public(netip.AddrFrom16(a.As16())) {
			t.Fatalf("%v is public in one spelling only", a)
		}
	})
}

func TestDialRefuses(t *testing.T) {
	s := httptest.NewServer(http.NotFoundHandler())
	defer s.Close()
	_, port, _ := net.SplitHostPort(s.Listener.Addr().String())
	var d Dialer
	for _, host := range []string{"127.0.0.1", "localhost", "::ffff:127.0.0.1", "0.0.0.0", "::1", "::", "2130706433"} {
		c, err := d.DialContext(t.Context(), "tcp", net.JoinHostPort(host, port))
		if err == nil {
			c.Close()
			t.Errorf("%s was dialled", host)
			continue
		}
		if host != "2130706433" && !errors.Is(err, ErrPrivate) { // a number is a name that nobody has
			t.Errorf("%s: %v, want ErrPrivate", host, err)
		}
	}
	if _, err := d.DialContext(t.Context(), "unix", "/run/x"); err == nil {
		t.Error("a Unix socket was dialled")
	}
	resp, err := d.Client().Get(s.URL)
	if err == nil {
		resp.Body.Close()
	}
	if !errors.Is(err, ErrPrivate) || !strings.Contains(err.Error(), "HAWKER_ALLOW_PRIVATE_TARGETS") {
		t.Errorf("Get = %v, want ErrPrivate", err)
	}
}

func TestDialAllows(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "hello") }))
	defer s.Close()
	d := Dialer{AllowPrivate: true}
	c := d.Client()
	defer c.CloseIdleConnections()
	resp, err := c.Get(s.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if b, err := io.ReadAll(resp.Body); err != nil || string(b) != "hello" {
		t.Errorf("body %q, %v", b, err)
	}
}

// The environment's proxy would dial in our place, unchecked.
func TestClientIgnoresProxy(t *testing.T) {
	proxy := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("the proxy was asked") }))
	defer proxy.Close()
	t.Setenv("HTTP_PROXY", proxy.URL)
	t.Setenv("http_proxy", proxy.URL)
	var d Dialer
	resp, err := d.Client().Get("http://192.0.2.1/")
	if err == nil {
		resp.Body.Close()
	}
	if !errors.Is(err, ErrPrivate) {
		t.Errorf("Get = %v, want ErrPrivate", err)
	}
}

func TestClientRedirects(t *testing.T) {
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("the other host was asked") }))
	defer other.Close()
	mux := http.NewServeMux()
	mux.Handle("/here", http.RedirectHandler("/end", http.StatusFound))
	mux.HandleFunc("/end", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "end") })
	mux.Handle("/away", http.RedirectHandler(other.URL, http.StatusFound))
	mux.Handle("/loop", http.RedirectHandler("/loop", http.StatusFound))
	mux.HandleFunc("/scheme", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "https://"+r.Host+"/end", http.StatusFound)
	})
	s := httptest.NewServer(mux)
	defer s.Close()
	d := Dialer{AllowPrivate: true}
	c := d.Client()
	defer c.CloseIdleConnections()
	resp, err := c.Get(s.URL + "/here")
	if err != nil {
		t.Fatal(err)
	}
	if b, _ := io.ReadAll(resp.Body); string(b) != "end" {
		t.Errorf("/here gives %q", b)
	}
	resp.Body.Close()
	for _, path := range []string{"/away", "/loop", "/scheme"} {
		resp, err := c.Get(s.URL + path)
		if resp != nil {
			resp.Body.Close()
		}
		if !errors.Is(err, ErrRedirect) {
			t.Errorf("%s: %v, want ErrRedirect", path, err)
		}
	}
}

// A server that takes the connection and says nothing does not hold the caller.
func TestClientGivesUp(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	d := Dialer{AllowPrivate: true, Request: 50 * time.Millisecond}
	resp, err := d.Client().Get("http://" + l.Addr().String())
	if err == nil {
		resp.Body.Close()
	}
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Get = %v, want a deadline", err)
	}
}
