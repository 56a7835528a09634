package secure

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

// write makes a certificate for a name, in two files that changed at a time.
func write(t *testing.T, dir, name string, at time.Time) (cert, key string) {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	x := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, DNSNames: []string{name}, NotBefore: at.Add(-time.Hour), NotAfter: at.Add(48 * time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, x, x, k.Public(), k)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(k)
	if err != nil {
		t.Fatal(err)
	}
	cert, key = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	for file, block := range map[string]*pem.Block{cert: {Type: "CERTIFICATE", Bytes: der}, key: {Type: "PRIVATE KEY", Bytes: private}} {
		if err := os.WriteFile(file, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(file, at, at); err != nil {
			t.Fatal(err)
		}
	}
	return cert, key
}

// A certificate that was renewed is used without a restart; one that is broken leaves the former in force.
func TestRenewed(t *testing.T) {
	dir, at := t.TempDir(), time.Now().Add(-time.Hour)
	cert, key := write(t, dir, "one.example", at)
	c, err := Load(cert, key, nil)
	if err != nil {
		t.Fatal(err)
	}
	if got := c.Names(); !slices.Equal(got, []string{"one.example"}) {
		t.Errorf("names = %v", got)
	}
	plain, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ln := c.Listen(plain)
	defer ln.Close()
	go func() {
		for {
			nc, err := ln.Accept()
			if err != nil {
				return
			}
			go func() {
				_ = nc.(*tls.Conn).Handshake()
				_ = nc.Close()
			}()
		}
	}()
	shown := func() string {
		nc, err := tls.Dial("tcp", ln.Addr().String(), &tls.Config{InsecureSkipVerify: true}) //nolint:gosec // a test
		if err != nil {
			t.Fatal(err)
		}
		defer nc.Close()
		return nc.ConnectionState().PeerCertificates[0].Subject.CommonName
	}
	look := func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.looked = time.Time{}
	}
	if got := shown(); got != "one.example" {
		t.Errorf("shown is %s", got)
	}
	write(t, dir, "two.example", at.Add(time.Minute))
	if got := shown(); got != "one.example" {
		t.Errorf("shown is %s before anybody looked", got)
	}
	look()
	if got := shown(); got != "two.example" {
		t.Errorf("shown is %s after it was renewed", got)
	}
	if err := os.WriteFile(cert, []byte("half"), 0o600); err != nil {
		t.Fatal(err)
	}
	look()
	if got := shown(); got != "two.example" {
		t.Errorf("shown is %s while the file is broken", got)
	}
}

func TestLoadFails(t *testing.T) {
	dir := t.TempDir()
	if _, err := Load(filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem"), nil); !os.IsNotExist(err) {
		t.Errorf("without files: %v", err)
	}
	cert, _ := write(t, dir, "one.example", time.Now())
	if _, err := Load(cert, cert, nil); err == nil {
		t.Error("a certificate is no key")
	}
}
