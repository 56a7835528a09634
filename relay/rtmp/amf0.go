package rtmp

import (
	"encoding/binary"
	"fmt"
	"math"
)

// AMF0 markers (AMF 0 specification, section 2.1).
const (
	amfNumber      = 0x00
	amfBoolean     = 0x01
	amfString      = 0x02
	amfObject      = 0x03
	amfNull        = 0x05
	amfUndefined   = 0x06
	amfECMAArray   = 0x08
	amfObjectEnd   = 0x09
	amfStrictArray = 0x0A
	amfDate        = 0x0B
	amfLongString  = 0x0C
	amfTypedObject = 0x10
)

// maxDepth is how deep AMF0 values may nest.
const maxDepth = 16

// Object is an AMF0 object or ECMA array, in the order of the wire.
type Object []Property

// Property is one named value of an Object.
type Property struct {
	Name  string
	Value any
}

// Get returns the value under name, nil when there is none.
func (o Object) Get(name string) any {
	for _, p := range o {
		if p.Name == name {
			return p.Value
		}
	}
	return nil
}

// String returns the text under name, "" when there is none.
func (o Object) String(name string) string {
	s, _ := o.Get(name).(string)
	return s
}

// Number returns the number under name, 0 when there is none.
func (o Object) Number(name string) float64 {
	n, _ := o.Get(name).(float64)
	return n
}

// AppendAMF0 appends values to dst. It takes nil, bool, float64, int, string, Object and []any.
func AppendAMF0(dst []byte, values ...any) []byte {
	for _, v := range values {
		switch v := v.(type) {
		case nil:
			dst = append(dst, amfNull)
		case bool:
			dst = append(dst, amfBoolean, 0)
			if v {
				dst[len(dst)-1] = 1
			}
		case int:
			dst = AppendAMF0(dst, float64(v))
		case float64:
			dst = binary.BigEndian.AppendUint64(append(dst, amfNumber), math.Float64bits(v))
		case string:
			if len(v) > math.MaxUint16 {
				dst = binary.BigEndian.AppendUint32(append(dst, amfLongString), uint32(len(v)))
				dst = append(dst, v...)
			} else {
				dst = appendName(append(dst, amfString), v)
			}
		case Object:
			dst = append(dst, amfObject)
			for _, p := range v {
				dst = AppendAMF0(appendName(dst, p.Name), p.Value)
			}
			dst = append(dst, 0, 0, amfObjectEnd)
		case []any:
			dst = binary.BigEndian.AppendUint32(append(dst, amfStrictArray), uint32(len(v)))
			dst = AppendAMF0(dst, v...)
		default:
			dst = append(dst, amfUndefined)
		}
	}
	return dst
}

func appendName(dst []byte, s string) []byte {
	s = s[:min(len(s), math.MaxUint16)]
	return append(binary.BigEndian.AppendUint16(dst, uint16(len(s))), s...)
}

// ParseAMF0 reads all values of b: nil (null, undefined), bool, float64 (also dates, in ms), string, Object (also
// ECMA arrays and typed objects) and []any. Errors wrap ErrProtocol.
func ParseAMF0(b []byte) ([]any, error) {
	p := amfParser{b: b}
	var out []any
	for len(p.b) > 0 {
		v, err := p.value(0)
		if err != nil {
			return out, err
		}
		out = append(out, v)
	}
	return out, nil
}

type amfParser struct{ b []byte }

func (p *amfParser) take(n int) ([]byte, error) {
	if n < 0 || n > len(p.b) {
		return nil, fmt.Errorf("%w: AMF0 value cut off", ErrProtocol)
	}
	b := p.b[:n]
	p.b = p.b[n:]
	return b, nil
}

func (p *amfParser) value(depth int) (any, error) {
	if depth > maxDepth {
		return nil, fmt.Errorf("%w: AMF0 nested deeper than %d", ErrProtocol, maxDepth)
	}
	m, err := p.take(1)
	if err != nil {
		return nil, err
	}
	switch m[0] {
	case amfNumber:
		return p.number()
	case amfDate:
		n, err := p.number()
		if err != nil {
			return nil, err
		}
		_, err = p.take(2) // time zone, reserved
		return n, err
	case amfBoolean:
		b, err := p.take(1)
		if err != nil {
			return nil, err
		}
		return b[0] != 0, nil
	case amfString:
		return p.text(2)
	case amfLongString:
		return p.text(4)
	case amfNull, amfUndefined:
		return nil, nil
	case amfTypedObject:
		if _, err := p.text(2); err != nil {
			return nil, err
		}
		return p.object(depth)
	case amfECMAArray:
		if _, err := p.take(4); err != nil { // a count that senders get wrong
			return nil, err
		}
		return p.object(depth)
	case amfObject:
		return p.object(depth)
	case amfStrictArray:
		return p.array(depth)
	}
	return nil, fmt.Errorf("%w: AMF0 marker %#x", ErrProtocol, m[0])
}

func (p *amfParser) number() (float64, error) {
	b, err := p.take(8)
	if err != nil {
		return 0, err
	}
	return math.Float64frombits(binary.BigEndian.Uint64(b)), nil
}

// text reads a string whose length has the given number of bytes.
func (p *amfParser) text(size int) (string, error) {
	b, err := p.take(size)
	if err != nil {
		return "", err
	}
	n := int(binary.BigEndian.Uint16(b))
	if size == 4 {
		n = int(binary.BigEndian.Uint32(b))
	}
	s, err := p.take(n)
	return string(s), err
}

func (p *amfParser) object(depth int) (Object, error) {
	o := Object{}
	for {
		name, err := p.text(2)
		if err != nil {
			return nil, err
		}
		if name == "" && len(p.b) > 0 && p.b[0] == amfObjectEnd {
			p.b = p.b[1:]
			return o, nil
		}
		v, err := p.value(depth + 1)
		if err != nil {
			return nil, err
		}
		o = append(o, Property{name, v})
	}
}

func (p *amfParser) array(depth int) ([]any, error) {
	b, err := p.take(4)
	if err != nil {
		return nil, err
	}
	out := []any{} // never sized by the count: it is the sender's word
	for range binary.BigEndian.Uint32(b) {
		v, err := p.value(depth + 1)
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	return out, nil
}
