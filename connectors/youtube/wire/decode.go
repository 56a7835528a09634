// Package wire reads YouTube's live chat resources: pages of a stream or a list, and what each item tells. It calls
// nobody.
package wire

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"google.golang.org/api/googleapi"
)

// maxPage is the most bytes that one page may take; the largest real ones (2,000 lines) stay under 3 MB.
const maxPage = 16 << 20

// ErrMalformed means that an answer is not the JSON that YouTube writes.
var ErrMalformed = errors.New("malformed answer")

// Page is a liveChatMessageListResponse. Items stay as they came, so that one bad item does not take its page along.
type Page struct {
	NextPageToken string            `json:"nextPageToken"`
	PollingMillis uint32            `json:"pollingIntervalMillis"`
	OfflineAt     string            `json:"offlineAt"`
	Items         []json.RawMessage `json:"items"`
	Error         *googleapi.Error  `json:"error"`
}

// ReadPages gives each page of a body as soon as it is whole. A stream's body is one array that grows; a list's is one
// object; both are taken. The library's Stream().Do() reads the whole body first and then decodes an object, so it
// cannot be used. An error inside the stream is returned as *googleapi.Error; a body that ends in the middle as
// io.ErrUnexpectedEOF; other text as ErrMalformed.
func ReadPages(body io.Reader, each func(Page)) error {
	lim := &pageLimit{r: body, left: maxPage}
	in := bufio.NewReader(lim)
	start, err := firstByte(in)
	if err != nil {
		return err
	}
	d := json.NewDecoder(in)
	array := start == '['
	if array {
		if _, err := d.Token(); err != nil {
			return malformed(err)
		}
	}
	for !array || d.More() {
		var p Page
		err := d.Decode(&p)
		if !array && errors.Is(err, io.EOF) {
			return nil
		}
		// A member of the wrong type leaves the other members, and the reader's place, intact.
		if wrong := (*json.UnmarshalTypeError)(nil); err != nil && !errors.As(err, &wrong) {
			return malformed(err)
		}
		if p.Error != nil {
			return p.Error
		}
		lim.left = maxPage
		each(p)
	}
	if _, err := d.Token(); err != nil {
		return malformed(err)
	}
	return nil
}

func malformed(err error) error {
	var syntax *json.SyntaxError
	switch {
	case errors.As(err, &syntax):
		return fmt.Errorf("%w at byte %d", ErrMalformed, syntax.Offset)
	case errors.Is(err, io.EOF):
		return io.ErrUnexpectedEOF
	}
	return err
}

func firstByte(in *bufio.Reader) (byte, error) {
	for {
		b, err := in.ReadByte()
		switch {
		case errors.Is(err, io.EOF):
			return 0, io.ErrUnexpectedEOF
		case err != nil:
			return 0, err
		case b == ' ' || b == '\n' || b == '\r' || b == '\t':
		case b == '[' || b == '{':
			return b, in.UnreadByte()
		default:
			return 0, ErrMalformed
		}
	}
}

// pageLimit ends a body whose page does not end.
type pageLimit struct {
	r    io.Reader
	left int
}

func (l *pageLimit) Read(b []byte) (int, error) {
	if l.left <= 0 {
		return 0, fmt.Errorf("%w: a page over %d bytes", ErrMalformed, maxPage)
	}
	if len(b) > l.left {
		b = b[:l.left]
	}
	n, err := l.r.Read(b)
	l.left -= n
	return n, err
}
