package dial

import "net/netip"

// Public says whether an address is one that anybody on the internet can reach. Everything else is refused to users:
// loopback, link-local, private, shared, reserved, multicast, and the ranges that carry an IPv4 address inside an
// IPv6 one, behind which any of those can hide.
func Public(a netip.Addr) bool {
	if a.Zone() != "" {
		return false
	}
	a = a.Unmap() // ::ffff:127.0.0.1 is 127.0.0.1
	// netip.Addr.IsGlobalUnicast follows RFC 4291 and is true for private and for most reserved addresses.
	if !a.IsGlobalUnicast() || a.IsPrivate() || a.Is6() && !global6.Contains(a) {
		return false
	}
	for _, p := range special {
		if p.Contains(a) {
			return false
		}
	}
	return true
}

// global6 is all that is handed out for global use (IANA IPv6 Address Space). Outside of it lie loopback, private,
// link-local and site-local addresses, and those that carry an IPv4 address: ::/96, 64:ff9b::/96, 64:ff9b:1::/48.
var global6 = netip.MustParsePrefix("2000::/3")

// special lists what netip counts as global although it is not (IANA IPv4 and IPv6 Special-Purpose Address
// Registries).
var special = [...]netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"),       // this network
	netip.MustParsePrefix("100.64.0.0/10"),   // carrier-grade NAT
	netip.MustParsePrefix("192.0.0.0/24"),    // protocol assignments
	netip.MustParsePrefix("192.0.2.0/24"),    // documentation
	netip.MustParsePrefix("192.88.99.0/24"),  // relays of 6to4, deprecated
	netip.MustParsePrefix("198.18.0.0/15"),   // benchmarks
	netip.MustParsePrefix("198.51.100.0/24"), // documentation
	netip.MustParsePrefix("203.0.113.0/24"),  // documentation
	netip.MustParsePrefix("240.0.0.0/4"),     // reserved, and broadcast
	netip.MustParsePrefix("2001::/23"),       // protocol assignments; Teredo carries IPv4 addresses
	netip.MustParsePrefix("2001:db8::/32"),   // documentation
	netip.MustParsePrefix("2002::/16"),       // 6to4 carries IPv4 addresses
	netip.MustParsePrefix("3fff::/20"),       // documentation
}
