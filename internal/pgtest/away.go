package pgtest

import (
	"fmt"
	"net/url"
	"strings"
	"testing"
)

// Cut ends every connection to a database that New gave, in the middle of whatever it does, as a network that fails would.
func Cut(t testing.TB, address string) {
	t.Helper()
	away(t, address, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '%s' AND pid <> pg_backend_pid()")
}

// Away makes a database that New gave go away: every connection ends and none can be made, until back is called.
func Away(t testing.TB, address string) (back func()) {
	t.Helper()
	away(t, address, "ALTER DATABASE %s ALLOW_CONNECTIONS false")
	Cut(t, address)
	return func() {
		t.Helper()
		away(t, address, "ALTER DATABASE %s ALLOW_CONNECTIONS true")
	}
}

func away(t testing.TB, address, statement string) {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal("pgtest: ", err)
	}
	s, err := running(Options{})
	if err == nil {
		err = s.exec(fmt.Sprintf(statement, strings.TrimPrefix(u.Path, "/")))
	}
	if err != nil {
		t.Fatal("pgtest: ", err)
	}
}
