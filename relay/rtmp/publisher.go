package rtmp

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"time"
)

// RejectedError is a server's refusal to let us publish. Its words are cleaned of the key.
type RejectedError struct {
	Code        string // such as NetStream.Publish.BadName
	Description string
}

// Error implements error.
func (e *RejectedError) Error() string { return "rtmp: rejected: " + e.Code + ": " + e.Description }

// Dialer publishes to servers. The zero value works.
type Dialer struct {
	// DialContext opens the TCP connection; nil is net.Dialer.
	DialContext func(ctx context.Context, network, addr string) (net.Conn, error)
	// TLS is the base of the configuration for RTMPS; nil trusts the system's authorities.
	TLS *tls.Config
	// Timeout bounds connecting, handshake and dialogue together; 0 is 10 s.
	Timeout time.Duration
	// WriteTimeout is how long one write may make no end; 0 is 20 s.
	WriteTimeout time.Duration
	// SendBuffer asks the system for that many bytes of send buffer, so that a peer that stops reading is noticed;
	// 0 leaves it.
	SendBuffer int
}

// Publisher is an accepted publication on a server. Its goroutine reads what the server says; Close ends it.
type Publisher struct {
	*Conn
	target Target
	stream uint32
	codecs map[string]bool // that the server takes, by name; nil when it did not say
	all    bool            // it takes any
	multi  bool            // it takes several tracks
	done   chan struct{}
	once   sync.Once
	err    error // why the reader ended; set before done closes
}

// Publish connects to t and publishes. The error is a *RejectedError when the server refuses.
func (d *Dialer) Publish(ctx context.Context, t Target) (*Publisher, error) {
	ctx, cancel := context.WithTimeout(ctx, orDuration(d.Timeout, dialogueTimeout))
	defer cancel()
	dial := d.DialContext
	if dial == nil {
		dial = (&net.Dialer{}).DialContext
	}
	nc, err := dial(ctx, "tcp", t.Addr)
	if err != nil {
		return nil, fmt.Errorf("connect: %w", err)
	}
	if b, ok := nc.(interface{ SetWriteBuffer(int) error }); ok && d.SendBuffer > 0 {
		_ = b.SetWriteBuffer(d.SendBuffer) // a wish; without it a stall shows later
	}
	if t.TLS {
		nc = tls.Client(nc, d.tls(t.Host))
	}
	stop := context.AfterFunc(ctx, func() { _ = nc.Close() })
	p := &Publisher{Conn: newConn(nc), target: t, done: make(chan struct{})}
	err = p.open(ctx)
	if !stop() && err == nil {
		err = ctx.Err()
	}
	if err != nil {
		_ = nc.Close()
		if ctx.Err() != nil {
			err = errors.Join(ctx.Err(), err)
		}
		return nil, err
	}
	p.WriteTimeout = orDuration(d.WriteTimeout, 20*time.Second)
	go p.listen()
	return p, nil
}

func (d *Dialer) tls(host string) *tls.Config {
	c := &tls.Config{MinVersion: tls.VersionTLS12}
	if d.TLS != nil {
		c = d.TLS.Clone()
	}
	if c.ServerName == "" {
		c.ServerName = host
	}
	return c
}

func orDuration(d, otherwise time.Duration) time.Duration {
	if d == 0 {
		return otherwise
	}
	return d
}

// Transaction numbers of the dialogue.
const (
	txConnect = iota + 1
	txReleaseStream
	txFCPublish
	txCreateStream
	txPublish
	txEnd
)

func (p *Publisher) open(ctx context.Context) error {
	if tc, ok := p.nc.(*tls.Conn); ok {
		if err := tc.HandshakeContext(ctx); err != nil {
			return fmt.Errorf("%w: %w", ErrTLS, err)
		}
	}
	if err := clientHandshake(p.in); err != nil {
		return fmt.Errorf("handshake: %w", err)
	}
	if err := p.announce(); err != nil {
		return err
	}
	err := p.command(csidCommand, 0, "connect", txConnect, Object{
		{"app", p.target.App},
		{"type", "nonprivate"},
		{"flashVer", "FMLE/3.0 (compatible; hawker)"},
		{"tcUrl", p.target.tcURL()},
		{"fourCcList", []any{"*"}},
		{"videoFourCcInfoMap", Object{{"*", 4}}},
		{"audioFourCcInfoMap", Object{{"*", 4}}},
		{"capsEx", capsMultitrack | capsModEx | capsNano},
	})
	if err != nil {
		return err
	}
	args, err := p.result(txConnect)
	if err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	p.announced(information(args))
	var three []byte
	for _, c := range [][]any{
		{"releaseStream", txReleaseStream, nil, p.target.Key},
		{"FCPublish", txFCPublish, nil, p.target.Key},
		{"createStream", txCreateStream, nil},
	} {
		three = AppendMessage(three, csidCommand, Message{Type: TypeCommand, Payload: AppendAMF0(nil, c...)}, OutChunk)
	}
	if err := p.WriteWire(net.Buffers{three}); err != nil {
		return err
	}
	args, err = p.result(txCreateStream)
	if err != nil {
		return fmt.Errorf("createStream: %w", err)
	}
	if len(args) > 1 {
		n, _ := args[1].(float64)
		p.stream = uint32(n) // usually 1, but what the server says counts
	}
	err = p.command(csidCommand, p.stream, "publish", txPublish, nil, p.target.Key, "live")
	if err != nil {
		return err
	}
	_, err = p.result(txPublish)
	return err
}

// announced reads which codecs the server says it takes (Enhanced RTMP v2, "Enhancing NetConnection connect Command").
func (p *Publisher) announced(info Object) {
	add := func(fourCC string) {
		if p.codecs == nil {
			p.codecs = map[string]bool{}
		}
		p.all = p.all || fourCC == "*"
		p.codecs[codecName(fourCC)] = true
	}
	list, _ := info.Get("fourCcList").([]any)
	for _, v := range list {
		if s, ok := v.(string); ok {
			add(s)
		}
	}
	for _, name := range []string{"videoFourCcInfoMap", "audioFourCcInfoMap"} {
		o, _ := info.Get(name).(Object)
		for _, f := range o {
			add(f.Name)
		}
	}
	p.multi = int(info.Number("capsEx"))&capsMultitrack != 0
}

// Takes says whether the server announced that it takes the extended form of a codec, by the name that Inspect gives it. known
// is false when it announced nothing.
func (p *Publisher) Takes(codec string) (takes, known bool) {
	return p.all || p.codecs[codec], p.codecs != nil
}

// Multitrack says whether the server announced that it takes several tracks.
func (p *Publisher) Multitrack() bool { return p.multi }

// result waits for the answer to transaction want. releaseStream and FCPublish may never be answered and are not
// waited for. The answer to publish is an onStatus.
func (p *Publisher) result(want float64) ([]any, error) {
	for {
		m, err := p.Read()
		if err != nil {
			return nil, err
		}
		if !isCommand(m) {
			continue
		}
		name, id, args, err := parseCommand(m)
		if err != nil {
			continue // the time for the dialogue bounds this
		}
		switch {
		case name == "_result" && id == want:
			if want == txPublish {
				continue // some servers answer twice; onStatus is the one that counts
			}
			return args, nil
		case name == "_error" && (id == want || id == 0):
			return nil, p.rejected(args)
		case name == "onStatus":
			info := information(args)
			if refusal(info) {
				return nil, p.rejected(args)
			}
			if want == txPublish && info.String("code") == "NetStream.Publish.Start" {
				return args, nil
			}
		case name == "close":
			return nil, p.rejected(args)
		}
	}
}

// information finds the information object of an answer: after a null, or in its place.
func information(args []any) Object {
	for _, a := range args {
		if o, ok := a.(Object); ok && o.String("code") != "" {
			return o
		}
	}
	return nil
}

func refusal(info Object) bool {
	code := info.String("code")
	if info.String("level") == "error" {
		return true
	}
	for _, word := range []string{"BadName", "Denied", "Unauthorized", "Rejected", "InvalidApp"} {
		if strings.HasSuffix(code, "."+word) {
			return true
		}
	}
	return false
}

func (p *Publisher) rejected(args []any) error {
	info := information(args)
	return &RejectedError{Code: p.target.clean(info.String("code")), Description: p.target.clean(info.String("description"))}
}

// listen reads all the time: pings want answers, refusals and the end of the connection are seen at once.
func (p *Publisher) listen() {
	defer close(p.done)
	for {
		m, err := p.Read()
		if err == nil && isCommand(m) {
			err = p.heard(m)
		}
		if err != nil {
			p.err = err
			_ = p.Conn.Close() // a writer that waits returns
			return
		}
	}
}

func (p *Publisher) heard(m Message) error {
	name, _, args, err := parseCommand(m)
	if err != nil {
		return nil // nothing we asked for
	}
	info := information(args)
	switch {
	case name == "onStatus" && refusal(info):
		return p.rejected(args)
	case name == "onStatus" && info.String("code") == "NetStream.Unpublish.Success":
		return ErrEnded
	}
	return nil
}

// Done is closed when the server closed the connection or refused; Err says why.
func (p *Publisher) Done() <-chan struct{} { return p.done }

// Err returns why the server's side ended, nil while it has not.
func (p *Publisher) Err() error {
	select {
	case <-p.done:
		return p.err
	default:
		return nil
	}
}

// Stream is the message stream id that messages must name.
func (p *Publisher) Stream() uint32 { return p.stream }

// Send publishes one audio, video or data message on the right streams.
func (p *Publisher) Send(m Message) error {
	m.Stream = p.stream
	csid := byte(CSIDData)
	switch m.Type {
	case TypeAudio:
		csid = CSIDAudio
	case TypeVideo:
		csid = CSIDVideo
	}
	return p.Write(csid, m)
}

// goodbyeTimeout bounds the last words.
const goodbyeTimeout = time.Second

// End says that the stream is over, so that the server does not wait for more, and closes once the server has, or after
// goodbyeTimeout.
func (p *Publisher) End() error {
	_ = p.nc.SetWriteDeadline(time.Now().Add(goodbyeTimeout)) // an answer that waits to be written gives way
	p.writing.Lock()
	p.WriteTimeout = goodbyeTimeout
	p.writing.Unlock()
	err := errors.Join(
		p.command(csidCommand, 0, "FCUnpublish", txEnd, nil, p.target.Key),
		p.command(csidCommand, 0, "deleteStream", txEnd+1, nil, int(p.stream)))
	// What the server still sends would meet a closed connection and reset it, and with it the goodbye that it has not read: it is
	// let to close first.
	if half, ok := p.nc.(interface{ CloseWrite() error }); ok && err == nil && half.CloseWrite() == nil {
		select {
		case <-p.done:
		case <-time.After(goodbyeTimeout):
		}
	}
	return errors.Join(err, p.Close())
}

// Close closes without a word, as a crash would, and waits for the reader.
func (p *Publisher) Close() error {
	var err error
	p.once.Do(func() { err = p.Conn.Close() })
	<-p.done
	if errors.Is(err, net.ErrClosed) {
		return nil // the reader was first
	}
	return err
}
