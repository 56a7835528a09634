package rtmp

import (
	"crypto/rand"
	"fmt"
	"io"
)

// The plain handshake of section 5.2. Peers that put a digest into C1 or S1 (Flash, ffmpeg) accept it as an answer.
const (
	version       = 3
	handshakeSize = 1536
)

// clientHandshake opens a connection we dialled.
func clientHandshake(rw io.ReadWriter) error {
	c := make([]byte, 1+handshakeSize)
	c[0] = version
	_, _ = rand.Read(c[9:]) // time and the four bytes after it stay zero; never fails
	if _, err := rw.Write(c); err != nil {
		return err
	}
	s := make([]byte, 1+2*handshakeSize)
	if _, err := io.ReadFull(rw, s[:1]); err != nil {
		return err
	}
	if s[0] != version {
		return fmt.Errorf("%w: handshake version %d", ErrProtocol, s[0])
	}
	// All that the server says is read before C2, as ffmpeg does: on an unbuffered connection both would wait else.
	if _, err := io.ReadFull(rw, s[1:]); err != nil {
		return err
	}
	_, err := rw.Write(s[1 : 1+handshakeSize]) // C2 echoes S1; S2 echoes C1 and nobody checks it
	return err
}

// serverHandshake answers a connection that was dialled to us.
func serverHandshake(rw io.ReadWriter) error {
	c := make([]byte, 1+handshakeSize)
	if _, err := io.ReadFull(rw, c[:1]); err != nil {
		return err
	}
	if c[0] != version {
		return fmt.Errorf("%w: handshake version %d", ErrProtocol, c[0])
	}
	if _, err := io.ReadFull(rw, c[1:]); err != nil {
		return err
	}
	s := make([]byte, 1+2*handshakeSize)
	s[0] = version
	_, _ = rand.Read(s[9 : 1+handshakeSize])
	copy(s[1+handshakeSize:], c[1:]) // S2 echoes C1
	if _, err := rw.Write(s); err != nil {
		return err
	}
	_, err := io.ReadFull(rw, c[1:]) // C2
	return err
}
