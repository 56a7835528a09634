package relay

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"syscall"

	"hawker/relay/rtmp"
)

// Reason says in one word why a destination is not live.
type Reason string

// The reasons of a destination.
const (
	BadAddress  Reason = "bad_address"  // not an rtmp:// or rtmps:// address
	NotFound    Reason = "not_found"    // no such host
	Refused     Reason = "refused"      // nobody listens there
	Unreachable Reason = "unreachable"  // no way to the host
	Private     Reason = "private"      // it is not on the public internet, and this installation sends nowhere else
	NoAnswer    Reason = "no_answer"    // connected, but it does not speak RTMP in time
	NoTLS       Reason = "no_tls"       // its certificate is not valid, or it does not speak TLS
	KeyRejected Reason = "key_rejected" // the platform does not take the stream key
	Closed      Reason = "closed"       // it closed the connection
	ClosesEarly Reason = "closes_early" // it closes right after the start, again and again
	Stalled     Reason = "stalled"      // it stopped taking data
	Confused    Reason = "protocol"     // it answered with something that is not RTMP
	NoCodec     Reason = "no_codec"     // it does not take the codec of the picture
	Line        Reason = "line"         // our line does not carry it beside the others
)

// ErrPrivate is what the error of a Server's DialContext is when an address is not on the public internet and none other is allowed.
var ErrPrivate = errors.New("relay: not a public address")

// explain turns the error of a push into a reason and a sentence. Neither holds a key or an address.
func explain(err error) (Reason, string) {
	var rejected *rtmp.RejectedError
	var codec *codecError
	var dns *net.DNSError
	var cert *tls.CertificateVerificationError
	var invalid x509.CertificateInvalidError
	switch {
	case errors.As(err, &rejected):
		return KeyRejected, strings.TrimSuffix("The platform rejected the stream key: "+words(rejected), ": ")
	case errors.As(err, &codec):
		return NoCodec, "The picture is in " + codec.codec + ", which " + codec.by + " does not take over RTMP: set the encoder to H.264 for it."
	case errors.Is(err, rtmp.ErrAddress):
		return BadAddress, "The address of the server cannot be used: it must look like rtmp://host/app or rtmps://host/app, with a key."
	case errors.Is(err, ErrPrivate):
		return Private, "The server is on a private network, and this installation sends to public addresses only. Whoever runs it allows others with HAWKER_ALLOW_PRIVATE_TARGETS=true."
	case errors.As(err, &dns):
		return NotFound, "The server's name was not found."
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return NoTLS, "The server's certificate has expired."
	case errors.As(err, &cert), errors.As(err, &invalid):
		return NoTLS, "The server's certificate is not valid for its name."
	case errors.Is(err, rtmp.ErrTLS):
		return NoTLS, "No TLS connection could be made: the server may want rtmp:// instead of rtmps://."
	case errors.Is(err, syscall.ECONNREFUSED):
		return Refused, "The server refused the connection."
	case errors.Is(err, errStalled), errors.Is(err, syscall.ETIMEDOUT):
		return Stalled, "The server stopped taking data."
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded):
		return NoAnswer, "The server did not answer in time."
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, net.ErrClosed), errors.Is(err, rtmp.ErrEnded),
		errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE), errors.Is(err, io.ErrClosedPipe):
		return Closed, "The server closed the connection."
	case errors.Is(err, rtmp.ErrProtocol), errors.Is(err, rtmp.ErrTooLarge):
		return Confused, "The server answered with something that is not RTMP."
	}
	return Unreachable, "The server could not be reached."
}

func words(r *rtmp.RejectedError) string {
	switch {
	case r.Description == "":
		return r.Code
	case r.Code == "":
		return r.Description
	}
	return r.Description + " (" + r.Code + ")"
}
