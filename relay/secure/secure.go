// Package secure opens doors for RTMPS: TLS with a certificate from files, which is read anew when it was renewed.
package secure

import (
	"crypto/tls"
	"fmt"
	"log/slog"
	"net"
	"os"
	"sync"
	"time"
)

// lookEvery is how often it is looked whether a file changed.
const lookEvery = 10 * time.Second

// Certificate is a certificate in two files, PEM, the chain in the first. Its methods may be called from any goroutine.
type Certificate struct {
	cert, key string
	log       *slog.Logger

	mu     sync.Mutex
	now    *tls.Certificate
	of     time.Time // the newer change of the two files that now was read from
	looked time.Time
}

// Load reads a certificate. log may be nil.
func Load(cert, key string, log *slog.Logger) (*Certificate, error) {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	c := &Certificate{cert: cert, key: key, log: log}
	if err := c.read(); err != nil {
		return nil, err
	}
	c.looked = time.Now()
	return c, nil
}

// Names are those that the certificate is for.
func (c *Certificate) Names() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now.Leaf.DNSNames
}

// Listen makes a door for RTMPS of one for RTMP.
func (c *Certificate) Listen(ln net.Listener) net.Listener {
	return tls.NewListener(ln, &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: c.get})
}

// get gives the certificate that stands in the files now. One that cannot be read leaves the former in force.
func (c *Certificate) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if now := time.Now(); now.Sub(c.looked) >= lookEvery {
		c.looked = now
		if changed, err := c.changed(); err != nil || changed.After(c.of) {
			if err == nil {
				err = c.read()
			}
			if err != nil {
				c.log.Error("the certificate for RTMPS cannot be read; the former one stays", "err", err)
			} else {
				c.log.Info("the certificate for RTMPS was renewed", "until", c.now.Leaf.NotAfter)
			}
		}
	}
	return c.now, nil
}

// changed is when one of the files was written last.
func (c *Certificate) changed() (time.Time, error) {
	var last time.Time
	for _, name := range []string{c.cert, c.key} {
		f, err := os.Stat(name)
		if err != nil {
			return last, err
		}
		if f.ModTime().After(last) {
			last = f.ModTime()
		}
	}
	return last, nil
}

func (c *Certificate) read() error {
	changed, err := c.changed()
	if err != nil {
		return err
	}
	x, err := tls.LoadX509KeyPair(c.cert, c.key)
	if err != nil {
		return fmt.Errorf("%s and %s: %w", c.cert, c.key, err)
	}
	c.now, c.of = &x, changed
	return nil
}
