package relay

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"syscall"
	"testing"
	"time"

	"hawker/relay/rtmp"
)

func TestExplain(t *testing.T) {
	for _, tt := range []struct {
		err  error
		want Reason
	}{
		{&rtmp.RejectedError{Code: "NetStream.Publish.BadName"}, KeyRejected},
		{fmt.Errorf("connect: %w", &net.OpError{Op: "dial", Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}), Refused},
		{fmt.Errorf("connect: %w", &net.DNSError{Name: "x", IsNotFound: true}), NotFound},
		{fmt.Errorf("%w: %w", rtmp.ErrTLS, x509.CertificateInvalidError{Reason: x509.Expired}), NoTLS},
		{fmt.Errorf("%w: %w", rtmp.ErrTLS, io.EOF), NoTLS},
		{errors.Join(context.DeadlineExceeded, net.ErrClosed), NoAnswer},
		{errors.Join(errStalled, os.ErrDeadlineExceeded), Stalled},
		{errors.Join(io.EOF, syscall.EPIPE), Closed},
		{fmt.Errorf("handshake: %w", rtmp.ErrProtocol), Confused},
		{rtmp.ErrAddress, BadAddress},
		{fmt.Errorf("connect: %w", ErrPrivate), Private},
		{syscall.EHOSTUNREACH, Unreachable},
	} {
		got, text := explain(tt.err)
		if got != tt.want || text == "" {
			t.Errorf("explain(%v) = %s, %q; want %s", tt.err, got, text, tt.want)
		}
	}
}

// The first try comes at once, later ones slower up to a bound; a rejected key is tried slowly, unless it was good.
func TestPauses(t *testing.T) {
	d := &destination{}
	for range 100 {
		for failed := range 40 {
			p := d.pause(Closed, failed)
			if failed == 0 && p > firstRetry || p > maxRetry || p <= 0 {
				t.Fatalf("failure %d: %v", failed, p)
			}
			if p := d.pause(KeyRejected, failed); p < rejectedRetry/2 || p > maxRejectedRetry {
				t.Fatalf("rejected %d: %v", failed, p)
			}
		}
	}
	d.wasLive = true
	if p := d.pause(KeyRejected, 0); p > 4*time.Second {
		t.Errorf("a key that was good waits %v", p)
	}
}
