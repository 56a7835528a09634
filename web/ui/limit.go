package ui

import (
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// limitKept is how many keys a Limiter remembers before it forgets those that have their whole budget again.
const limitKept = 10_000

// Limiter bounds how often something may be done, for each key by itself.
type Limiter struct {
	Rate  float64 // a second
	Burst int

	mu   sync.Mutex
	keys map[string]*rate.Limiter
}

// Allow takes one from the key's budget and reports whether there was one.
func (l *Limiter) Allow(key string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.keys == nil {
		l.keys = map[string]*rate.Limiter{}
	}
	x := l.keys[key]
	if x == nil {
		if len(l.keys) >= limitKept {
			l.forget()
		}
		x = rate.NewLimiter(rate.Limit(l.Rate), l.Burst)
		l.keys[key] = x
	}
	return x.Allow()
}

// forget drops the keys whose budget is whole, and all when there are still too many: a flood from that many addresses
// is not held back by remembering them.
func (l *Limiter) forget() {
	now := time.Now()
	for k, x := range l.keys {
		if x.TokensAt(now) >= float64(l.Burst) {
			delete(l.keys, k)
		}
	}
	if len(l.keys) >= limitKept {
		clear(l.keys)
	}
}

// Address is the browser's address as limits count it: an IPv4 address, or the /64 of an IPv6 one, which is what one
// household has. X-Forwarded-For counts only when it comes from loopback or a proxy named in Options.
func (k *Kit) Address(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		host = r.RemoteAddr
	}
	a, err := netip.ParseAddr(host)
	if err != nil {
		return host
	}
	a = a.Unmap()
	if f := r.Header.Values("X-Forwarded-For"); len(f) > 0 && k.proxy(a) {
		hops := strings.Split(strings.Join(f, ","), ",")
		// The last hop was written by our proxy; what stands before it, the browser may have written itself.
		if b, err := netip.ParseAddr(strings.TrimSpace(hops[len(hops)-1])); err == nil {
			a = b.Unmap()
		}
	}
	if a.Is6() {
		if p, err := a.WithZone("").Prefix(64); err == nil {
			return p.String()
		}
	}
	return a.String()
}

func (k *Kit) proxy(a netip.Addr) bool {
	if a.IsLoopback() {
		return true
	}
	for _, p := range k.proxies {
		if p.Contains(a) {
			return true
		}
	}
	return false
}
