// Package clip publishes a short picture of a market stall, over and over, as an encoder would. It is the camera of
// the demo and of practice shows. The clip was drawn by gen/main.go.
package clip

import (
	"context"
	_ "embed"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"time"

	"hawker/relay/rtmp"
)

//go:embed clip.flv
var flv []byte

// Length is how long one turn of the loop is: 256 pictures at 25 a second, and 480 AAC frames at 48 kHz.
const Length = 10240 * time.Millisecond

const (
	flvHeader = 9
	tagHeader = 11
	tagSize   = 4
)

// Messages returns the clip: metadata and sequence headers, and the media of one turn with times from 0.
func Messages() (headers, media []rtmp.Message, err error) { return parse(flv) }

// parse reads an FLV file (FLV specification, "The FLV file body").
func parse(b []byte) (headers, media []rtmp.Message, err error) {
	if len(b) < flvHeader+tagSize || string(b[:3]) != "FLV" {
		return nil, nil, errors.New("clip: not an FLV file")
	}
	for b = b[flvHeader+tagSize:]; len(b) >= tagHeader; {
		n := int(b[1])<<16 | int(b[2])<<8 | int(b[3])
		if len(b) < tagHeader+n+tagSize {
			return nil, nil, errors.New("clip: cut off")
		}
		m := rtmp.Message{
			Type: b[0], Time: uint32(b[7])<<24 | uint32(b[4])<<16 | uint32(b[5])<<8 | uint32(b[6]),
			Payload: b[tagHeader : tagHeader+n : tagHeader+n],
		}
		if size := binary.BigEndian.Uint32(b[tagHeader+n:]); size != uint32(tagHeader+n) {
			return nil, nil, fmt.Errorf("clip: tag of %d bytes says %d", tagHeader+n, size)
		}
		b = b[tagHeader+n+tagSize:]
		switch info := rtmp.Inspect(m); {
		case info.Kind == rtmp.Metadata:
			m.Payload = append(rtmp.AppendAMF0(nil, "@setDataFrame"), m.Payload...)
			headers = append(headers, m)
		case info.Kind == rtmp.Header:
			headers = append(headers, m)
		case n < 2 || m.Type == rtmp.TypeVideo && m.Payload[1] == 2: // "end of sequence": the loop has no end
		case time.Duration(m.Time)*time.Millisecond < Length:
			media = append(media, m)
		}
	}
	return headers, media, nil
}

// Publish pushes the clip to server (rtmp://host/app or rtmps://) under key in real time until ctx ends or the server
// closes. dial nil is net.Dialer. It says goodbye when ctx ended, and then returns nil.
func Publish(ctx context.Context, server, key string, dial func(ctx context.Context, network, addr string) (net.Conn, error)) error {
	headers, media, err := Messages()
	if err != nil {
		return err
	}
	target, err := rtmp.ParseTarget(server, key)
	if err != nil {
		return err
	}
	p, err := (&rtmp.Dialer{DialContext: dial}).Publish(ctx, target)
	if err != nil {
		if ctx.Err() != nil {
			return nil
		}
		return fmt.Errorf("publish the clip: %w", err)
	}
	for _, m := range headers {
		if err := p.Send(m); err != nil {
			return errors.Join(err, p.Close())
		}
	}
	began := time.Now()
	pause := time.NewTimer(0)
	defer pause.Stop()
	for turn := time.Duration(0); ; turn += Length {
		for _, m := range media {
			at := turn + time.Duration(m.Time)*time.Millisecond
			if wait := time.Until(began.Add(at)); wait > 0 {
				pause.Reset(wait)
				select {
				case <-pause.C:
				case <-p.Done():
					return errors.Join(fmt.Errorf("publish the clip: %w", p.Err()), p.Close())
				case <-ctx.Done():
					_ = p.End() // the server may be gone as well
					return nil
				}
			}
			m.Time = uint32(at.Milliseconds())
			if err := p.Send(m); err != nil {
				return errors.Join(fmt.Errorf("publish the clip: %w", err), p.Close())
			}
		}
	}
}
