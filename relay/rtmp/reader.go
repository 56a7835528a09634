package rtmp

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"slices"
)

// Reader puts messages together from chunks. It obeys Set Chunk Size and Abort itself. A payload is read straight
// into its own buffer with room for our header before it. Not safe for concurrent use.
type Reader struct {
	// Limit is the longest message accepted, in bytes. NewReader sets MaxDialogue.
	Limit int

	src        io.Reader
	br         *bufio.Reader
	chunk      int
	streams    map[uint32]*inbound
	unfinished int // bytes set aside for unfinished messages
}

// inbound is what a chunk stream remembers: the last header, and the message being put together.
type inbound struct {
	time   uint32
	field  uint32 // timestamp or delta as it was sent; type 3 chunks repeat it when ext
	delta  uint32 // what a type 3 chunk that starts a message adds to time
	length int
	typ    byte
	stream uint32
	ext    bool // the header had an extended timestamp, so type 3 chunks repeat it
	buf    []byte
	got    int
	open   bool // a message is unfinished
}

// NewReader reads chunks from r. The chunk size starts at 128 bytes (section 5.4.1).
func NewReader(r io.Reader) *Reader {
	return &Reader{Limit: MaxDialogue, src: r, br: bufio.NewReaderSize(r, 4<<10), chunk: 128, streams: map[uint32]*inbound{}}
}

// widen makes room for what an encoder sends at once, and for its pictures.
func (r *Reader) widen() {
	rest, _ := r.br.Peek(r.br.Buffered()) // never waits: it is there
	r.Limit = MaxMessage
	r.br = bufio.NewReaderSize(&ahead{rest: slices.Clone(rest), Reader: r.src}, 64<<10)
}

// ahead reads rest first.
type ahead struct {
	rest []byte
	io.Reader
}

func (a *ahead) Read(p []byte) (int, error) {
	if len(a.rest) == 0 {
		return a.Reader.Read(p)
	}
	n := copy(p, a.rest)
	a.rest = a.rest[n:]
	return n, nil
}

// Read returns the next message. Errors wrap ErrProtocol or ErrTooLarge, or are those of the underlying reader.
func (r *Reader) Read() (Message, error) {
	for {
		in, err := r.readChunk()
		if err != nil {
			return Message{}, err
		}
		if in == nil {
			continue
		}
		m := Message{Type: in.typ, Stream: in.stream, Time: in.time, Payload: in.buf[headRoom:], room: in.buf}
		r.release(in)
		switch m.Type {
		case TypeSetChunkSize:
			if err := r.setChunk(m.Payload); err != nil {
				return Message{}, err
			}
		case TypeAbort:
			if len(m.Payload) < 4 {
				return Message{}, fmt.Errorf("%w: short abort", ErrProtocol)
			}
			if other := r.streams[binary.BigEndian.Uint32(m.Payload)]; other != nil {
				r.release(other)
			}
		default:
			return m, nil
		}
	}
}

func (r *Reader) setChunk(p []byte) error {
	if len(p) < 4 {
		return fmt.Errorf("%w: short chunk size", ErrProtocol)
	}
	n := binary.BigEndian.Uint32(p)
	if n == 0 || n > 0x7FFFFFFF {
		return fmt.Errorf("%w: chunk size %d", ErrProtocol, n)
	}
	r.chunk = int(min(n, maxChunk))
	return nil
}

func (r *Reader) release(in *inbound) {
	if in.open {
		r.unfinished -= len(in.buf)
	}
	in.buf, in.got, in.open = nil, 0, false
}

// readChunk reads one chunk and returns its stream when that completed a message.
func (r *Reader) readChunk() (*inbound, error) {
	format, csid, err := r.basicHeader()
	if err != nil {
		return nil, err
	}
	in := r.streams[csid]
	switch {
	case in == nil && format != 0 && format != 1:
		return nil, fmt.Errorf("%w: chunk stream %d starts with header type %d", ErrProtocol, csid, format)
	case in == nil && len(r.streams) >= MaxChunkStreams:
		return nil, fmt.Errorf("%w: more than %d chunk streams", ErrTooLarge, MaxChunkStreams)
	case in == nil:
		in = &inbound{}
		r.streams[csid] = in
	case in.open && format != 3:
		return nil, fmt.Errorf("%w: new message inside another on chunk stream %d", ErrProtocol, csid)
	}
	if err := r.messageHeader(in, format); err != nil {
		return nil, err
	}
	if !in.open {
		if err := r.begin(in, format); err != nil {
			return nil, err
		}
	}
	n := min(in.length-in.got, r.chunk)
	if _, err := io.ReadFull(r.br, in.buf[headRoom+in.got:headRoom+in.got+n]); err != nil {
		return nil, unexpected(err)
	}
	in.got += n
	if in.got < in.length {
		return nil, nil
	}
	return in, nil
}

func (r *Reader) basicHeader() (format byte, csid uint32, err error) {
	b, err := r.br.ReadByte()
	if err != nil {
		return 0, 0, err
	}
	format, csid = b>>6, uint32(b&0x3F)
	if csid > 1 {
		return format, csid, nil
	}
	var more [2]byte
	n := csid + 1 // 0: one more byte, 1: two more bytes, little endian
	if _, err := io.ReadFull(r.br, more[:n]); err != nil {
		return 0, 0, unexpected(err)
	}
	return format, 64 + uint32(more[0]) + uint32(more[1])<<8, nil
}

// messageHeader reads what a chunk of this format says about its message, and the extended timestamp.
func (r *Reader) messageHeader(in *inbound, format byte) error {
	var h [11]byte
	n := [4]int{11, 7, 3, 0}[format]
	if _, err := io.ReadFull(r.br, h[:n]); err != nil {
		return unexpected(err)
	}
	if format == 3 {
		return r.repeatedTimestamp(in)
	}
	in.field = uint32(h[0])<<16 | uint32(h[1])<<8 | uint32(h[2])
	in.ext = in.field == extended
	if format <= 1 {
		in.length = int(h[3])<<16 | int(h[4])<<8 | int(h[5])
		in.typ = h[6]
	}
	if format == 0 {
		in.stream = binary.LittleEndian.Uint32(h[7:])
	}
	if in.ext {
		var e [4]byte
		if _, err := io.ReadFull(r.br, e[:]); err != nil {
			return unexpected(err)
		}
		in.field = binary.BigEndian.Uint32(e[:])
	}
	return nil
}

// repeatedTimestamp skips the extended timestamp of a type 3 chunk. Some old senders leave it out, so it is taken
// only when it says what the header said.
func (r *Reader) repeatedTimestamp(in *inbound) error {
	if !in.ext {
		return nil
	}
	e, err := r.br.Peek(4)
	if err != nil && len(e) < 4 {
		if in.length-in.got >= 4 {
			return unexpected(err)
		}
		return nil // the rest of a message of a sender that leaves it out is shorter than that
	}
	if binary.BigEndian.Uint32(e) == in.field {
		_, err = r.br.Discard(4)
		return err
	}
	return nil
}

// begin opens the message that in's header announced.
func (r *Reader) begin(in *inbound, format byte) error {
	if in.length > r.Limit {
		return fmt.Errorf("%w: message of %d bytes", ErrTooLarge, in.length)
	}
	switch format {
	case 0:
		// A message that starts with type 3 after this one repeats its time. By the letter of section 5.3.1.2.4 it
		// would add the whole timestamp; OBS (librtmp), nginx-rtmp and gortmplib mean "the same time", and taking
		// them by the letter doubles the clock.
		in.time, in.delta = in.field, 0
	case 1, 2:
		in.time, in.delta = in.time+in.field, in.field
	default:
		in.time += in.delta
	}
	if r.unfinished+in.length > max(maxUnfinished, r.Limit) {
		return fmt.Errorf("%w: unfinished messages", ErrTooLarge)
	}
	in.buf = make([]byte, headRoom+in.length)
	in.got, in.open = 0, true
	r.unfinished += len(in.buf)
	return nil
}

// unexpected tells an end inside a chunk from an end between messages.
func unexpected(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}
