package plain

import (
	"fmt"
	"strings"
	"testing"
)

// tree writes nodes with their places, one line.
func tree(n *Node) string {
	switch n.Kind {
	case Scalar:
		return fmt.Sprintf("%d:%d %q", n.At.Line, n.At.Column, n.Text)
	case List:
		var parts []string
		for _, x := range n.Items {
			parts = append(parts, tree(x))
		}
		return fmt.Sprintf("%d:%d [%s]", n.At.Line, n.At.Column, strings.Join(parts, ", "))
	case Object:
		var parts []string
		for _, f := range n.Fields {
			parts = append(parts, fmt.Sprintf("%d:%d %s: %s", f.At.Line, f.At.Column, f.Key, tree(f.Value)))
		}
		return fmt.Sprintf("%d:%d {%s}", n.At.Line, n.At.Column, strings.Join(parts, ", "))
	}
	return fmt.Sprintf("%d:%d %s", n.At.Line, n.At.Column, n.Kind)
}

func TestPlaces(t *testing.T) {
	for _, tt := range []struct{ text, want string }{
		{"a: b\n", `1:1 {1:1 a: 1:4 "b"}`},
		{"é: {ü: \"ß\", b: 'c'}\n", `1:1 {1:1 é: 1:4 {1:5 ü: 1:8 "ß", 1:13 b: 1:16 "c"}}`},
		{"a:\n  - b\n  - c: d\n    e: 007\n", `1:1 {1:1 a: 2:3 [2:5 "b", 3:5 {3:5 c: 3:8 "d", 4:5 e: 4:8 "007"}]}`},
		{"# note\na: [1.50, yes, 0x1f, ~]  # note\nb:\n", `2:1 {2:1 a: 2:4 [2:5 "1.50", 2:11 "yes", 2:16 "0x1f", 2:22 nothing], 3:1 b: 3:1 nothing}`},
		{"a: |\n  x\n  y\nb: >-\n  x\n  y\n", `1:1 {1:1 a: 1:4 "x\ny\n", 4:1 b: 4:4 "x y"}`},
		{"\ufeff\"a b\": 'it''s'\r\n", `1:1 {1:1 a b: 1:8 "it's"}`},
		{"\n\n- a\n-\n- [ ]\n", `3:1 [3:3 "a", 4:2 nothing, 5:3 []]`},
	} {
		d := Parse([]byte(tt.text))
		if len(d.Faults) > 0 || d.Root == nil {
			t.Errorf("Parse(%q): %v", tt.text, d.Faults)
			continue
		}
		if got := tree(d.Root); got != tt.want {
			t.Errorf("Parse(%q)\n got %s\nwant %s", tt.text, got, tt.want)
		}
	}
}

func TestFaults(t *testing.T) {
	f := Faults{{Pos: Pos{3, 1}, Msg: "c"}, {Pos: Pos{1, 9}, Msg: "b", Hint: "do"}, {Pos: Pos{1, 2}, Msg: "a"}, {Pos: Pos{3, 1}, Msg: "c"}, {Msg: "all"}}
	if got, want := f.Err().Error(), "all\nline 1, column 2: a\nline 1, column 9: b (do)\nline 3, column 1: c"; got != want {
		t.Errorf("got %s", got)
	}
	if Faults(nil).Err() != nil {
		t.Error("no fault is an error")
	}
	var many Faults
	for i := range 300 {
		many = append(many, Fault{Pos: Pos{i + 1, 1}, Msg: "x"})
	}
	if got := many.Err().Error(); strings.Count(got, "\n") != MaxFaults || !strings.HasSuffix(got, "\nand 200 more") {
		t.Errorf("got %d lines", strings.Count(got, "\n")+1)
	}
}

// FuzzParse: no bytes panic the reader, and every node of a sound file has its place in it.
func FuzzParse(f *testing.F) {
	for _, s := range []string{"a: b", "- {a: [b, 'c']}\n", "a: |\n x\n", "? a\n: b\n", "a: &x b\nc: *x\n", "!t a", "a: \"\\u00e9\"\n", "[[[", "a: }\n", "<<: {}\n", "---\na\n...\n"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		d := Parse(data)
		if d.Root == nil || len(d.Faults) > 0 {
			if len(d.Faults) == 0 {
				t.Fatal("neither nodes nor faults")
			}
			return
		}
		lines := strings.Count(string(data), "\n") + 1
		var walk func(n *Node)
		walk = func(n *Node) {
			if n.At.Line < 1 || n.At.Line > lines || n.At.Column < 1 || n.Kind == Odd {
				t.Fatalf("%+v in %d lines", n, lines)
			}
			for _, x := range n.Items {
				walk(x)
			}
			for _, x := range n.Fields {
				if x.At.Line < 1 {
					t.Fatalf("%+v", x)
				}
				walk(x.Value)
			}
		}
		walk(d.Root)
	})
}
