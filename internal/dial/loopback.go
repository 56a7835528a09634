package dial

import (
	"net/url"
	"strings"
)

// Loopback reports whether an address leads nowhere for anybody but this machine.
func Loopback(public string) bool {
	u, err := url.Parse(public)
	if err != nil {
		return true
	}
	host := strings.ToLower(u.Hostname())
	return host == "localhost" || strings.HasSuffix(host, ".localhost") || strings.HasPrefix(host, "127.") || host == "::1" || host == "0.0.0.0" || host == "::"
}
