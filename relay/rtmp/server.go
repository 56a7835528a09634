package rtmp

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"
)

// Times for a peer that connects to us.
const (
	handshakeTimeout = 5 * time.Second
	dialogueTimeout  = 10 * time.Second
)

// Capabilities of a peer beyond the first RTMP (Enhanced RTMP v2, "capsEx").
const (
	capsMultitrack = 2
	capsModEx      = 4
	capsNano       = 8
)

// publishStream is the message stream id we give out.
const publishStream = 1

// Publication is a publisher that was accepted up to its publish command and waits for Start or Refuse.
type Publication struct {
	*Conn
	App     string // what stood in the address after the host
	Key     string // what it wants to publish as: a secret
	Encoder string // what it says it is, such as "FMLE/3.0 (compatible; FMSc/1.0)"

	stream uint32
	ending bool      // FCUnpublish came
	split  []Message // what an aggregate message held and Read has not returned yet
}

// Accept does the dialogue with a peer that connected to us, up to its publish command. It takes at most
// 10 s, and messages up to MaxDialogue. nc is closed when Accept fails or ctx ends during it. The error is
// ErrNoPublish when the peer wants to play.
func Accept(ctx context.Context, nc net.Conn) (*Publication, error) {
	stop := context.AfterFunc(ctx, func() { _ = nc.Close() })
	defer stop()
	p, err := accept(nc)
	if err != nil {
		_ = nc.Close()
		return nil, err
	}
	return p, nil
}

func accept(nc net.Conn) (*Publication, error) {
	if err := nc.SetDeadline(time.Now().Add(handshakeTimeout)); err != nil {
		return nil, err
	}
	p := &Publication{Conn: newConn(nc)}
	if err := serverHandshake(p.in); err != nil {
		return nil, fmt.Errorf("handshake: %w", err)
	}
	if err := nc.SetDeadline(time.Now().Add(dialogueTimeout)); err != nil {
		return nil, err
	}
	for {
		m, err := p.Conn.Read()
		if err != nil {
			return nil, fmt.Errorf("dialogue: %w", err)
		}
		if !isCommand(m) {
			continue
		}
		name, id, args, err := parseCommand(m)
		if err != nil {
			return nil, fmt.Errorf("dialogue: %w", err)
		}
		done, err := p.answer(m, name, id, args)
		if err != nil {
			return nil, fmt.Errorf("dialogue: %w", err)
		}
		if done {
			p.WriteTimeout = dialogueTimeout
			return p, nc.SetDeadline(time.Time{})
		}
	}
}

// answer replies to one command and says whether it was publish.
func (p *Publication) answer(m Message, name string, id float64, args []any) (done bool, err error) {
	text := func(i int) string {
		if i < len(args) {
			s, _ := args[i].(string)
			return s
		}
		return ""
	}
	switch name {
	case "connect":
		if len(args) > 0 {
			o, _ := args[0].(Object)
			p.App, p.Encoder = strings.Trim(o.String("app"), "/"), Target{}.clean(o.String("flashVer"))
		}
		return false, p.welcome(id)
	case "createStream":
		return false, p.command(csidCommand, 0, "_result", id, nil, publishStream)
	case "publish":
		p.stream, p.Key = m.Stream, strings.TrimLeft(text(1), "/")
		return true, nil
	case "play", "play2":
		err := p.status("error", "NetStream.Play.Failed", "this server does not play streams")
		return false, errors.Join(ErrNoPublish, err)
	case "FCPublish":
		err := p.command(csidCommand, 0, "onFCPublish", 0, nil, statusObject("status", "NetStream.Publish.Start", ""))
		if err != nil {
			return false, err
		}
	}
	if id == 0 {
		return false, nil
	}
	return false, p.command(csidCommand, 0, "_result", id, nil, nil) // releaseStream, _checkbw and the like
}

// welcome answers connect. A relay forwards any codec: "*" with the value 4 (Enhanced RTMP v2, "Enhancing
// NetConnection connect Command"); of the extended capabilities it can carry multitrack, ModEx and nanosecond offsets.
func (p *Publication) welcome(id float64) error {
	size := binary.BigEndian.AppendUint32(nil, ackWindow)
	err := p.announce(
		Message{Type: TypeWindowAckSize, Payload: size},
		Message{Type: TypeSetPeerBandwidth, Payload: append(size[:4:4], 2)}, // 2: dynamic
	)
	if err != nil {
		return err
	}
	const forward = 4
	any4 := Object{{"*", forward}}
	info := statusObject("status", "NetConnection.Connect.Success", "connected")
	info = append(info, Property{"objectEncoding", 0}, Property{"videoFourCcInfoMap", any4},
		Property{"audioFourCcInfoMap", any4}, Property{"capsEx", capsMultitrack | capsModEx | capsNano})
	return p.command(csidCommand, 0, "_result", id, Object{{"fmsVer", "FMS/3,5,7,7009"}, {"capabilities", 31}}, info)
}

func statusObject(level, code, description string) Object {
	return Object{{"level", level}, {"code", code}, {"description", description}}
}

func (p *Publication) status(level, code, description string) error {
	return p.command(csidStatus, publishStream, "onStatus", 0, nil, statusObject(level, code, description))
}

// Start tells the publisher to begin. From then on messages may be as long as MaxMessage.
func (p *Publication) Start() error {
	p.r.widen()
	return p.status("status", "NetStream.Publish.Start", "publishing")
}

// Refuse tells the publisher why not and closes. description is shown by some encoders: no secrets.
func (p *Publication) Refuse(code, description string) error {
	return errors.Join(p.status("error", code, description), p.Close())
}

// Read returns the next audio, video or data message. Aggregates are taken apart and data in AMF3 envelopes is put
// into AMF0. The error is ErrEnded when the publisher said that it ends; without that word it was lost.
func (p *Publication) Read() (Message, error) {
	for {
		if len(p.split) > 0 {
			m := p.split[0]
			p.split = p.split[1:]
			return m, nil
		}
		m, err := p.Conn.Read()
		if err != nil {
			if p.ending {
				return m, ErrEnded
			}
			return m, err
		}
		switch m.Type {
		case TypeAudio, TypeVideo, TypeData:
			return m, nil
		case TypeDataAMF3:
			if len(m.Payload) > 0 && m.Payload[0] == 0 {
				return Message{Type: TypeData, Stream: m.Stream, Time: m.Time, Payload: m.Payload[1:]}, nil
			}
		case TypeAggregate:
			p.split = aggregate(m)
		case TypeCommand, TypeCommandAMF3:
			name, _, args, err := parseCommand(m)
			if err != nil {
				continue // of no use to us, and no reason to cut a show
			}
			switch name {
			case "FCUnpublish":
				p.ending = true // deleteStream or the end of the connection follows
			case "deleteStream", "closeStream":
				return Message{}, ErrEnded
			case "publish":
				if len(args) > 1 && args[1] == false { // publish(false) stops publishing
					return Message{}, ErrEnded
				}
			}
		}
	}
}

// aggregate takes an aggregate message apart (section 7.1.6): FLV tags, with times relative to the first.
func aggregate(m Message) []Message {
	out, _ := flvTags(m.Payload)
	for i, base := 0, uint32(0); i < len(out); i++ {
		if i == 0 {
			base = out[0].Time
		}
		out[i].Stream, out[i].Time = m.Stream, m.Time+out[i].Time-base
	}
	return out
}
