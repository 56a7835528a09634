package rtmp

import (
	"bytes"
	"errors"
	"reflect"
	"strings"
	"testing"
)

func TestAMF0(t *testing.T) {
	long := strings.Repeat("x", 70_000)
	in := []any{"connect", 1.5, true, nil, Object{{"a", "b"}, {"nested", Object{{"n", 2.0}}}}, []any{"x", false}, long}
	out, err := ParseAMF0(AppendAMF0(nil, in...))
	if err != nil || !reflect.DeepEqual(in, out) {
		t.Errorf("got %v, %v", out, err)
	}
	ecma := []byte{amfECMAArray, 0xFF, 0xFF, 0xFF, 0xFF, 0, 1, 'w', amfDate, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, amfObjectEnd, amfUndefined}
	out, err = ParseAMF0(ecma)
	if err != nil || !reflect.DeepEqual(out, []any{Object{{"w", 0.0}}, nil}) {
		t.Errorf("got %v, %v", out, err)
	}
}

func TestAMF0Bombs(t *testing.T) {
	for name, b := range map[string][]byte{
		"deep":      bytes.Repeat([]byte{amfStrictArray, 0, 0, 0, 1}, 1000),
		"wide":      {amfStrictArray, 0xFF, 0xFF, 0xFF, 0xFF},
		"long text": {amfLongString, 0xFF, 0xFF, 0xFF, 0xFF, 'x'},
		"no end":    {amfObject, 0, 1, 'a', amfNull},
		"unknown":   {0x7F},
	} {
		if _, err := ParseAMF0(b); !errors.Is(err, ErrProtocol) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzAMF0(f *testing.F) {
	f.Add(AppendAMF0(nil, "onMetaData", Object{{"width", 640}, {"list", []any{1, "x", nil}}}))
	f.Add([]byte{amfECMAArray, 0, 0, 0, 1, 0, 0, amfObjectEnd})
	f.Fuzz(func(t *testing.T, b []byte) {
		v, err := ParseAMF0(b)
		if err != nil {
			return
		}
		wire := AppendAMF0(nil, v...)
		again, err := ParseAMF0(wire)
		if err != nil || len(again) != len(v) || !bytes.Equal(AppendAMF0(nil, again...), wire) {
			t.Fatalf("%v became %v, %v", v, again, err)
		}
	})
}
