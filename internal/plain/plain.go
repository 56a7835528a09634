// Package plain reads YAML as what people see in it: keys, lists and single values, each text, with its place. There are no
// types, anchors, aliases and tags, and no key stands twice.
package plain

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// Bounds of a file. The library's work grows with the square of its lines and of its depth (a megabyte of "- " takes it
// minutes), so these are bounded before it is asked.
const (
	maxBytes  = 1 << 20
	maxLines  = 20_000
	maxLine   = 10_000 // bytes of one line
	maxDepth  = 1_000  // open brackets and braces
	maxHyphen = 8      // "- - - " at the front of a line
)

// Kind says what a node is.
type Kind uint8

// The kinds. Odd is what is not read, such as an alias; it has its fault.
const (
	Empty Kind = iota
	Scalar
	List
	Object
	Odd
)

// String is the kind in words, to stand in "x is ... here".
func (k Kind) String() string {
	return [...]string{"nothing", "a single value", "a list", "keys with values", "something else"}[k]
}

// Node is a part of a file.
type Node struct {
	Kind   Kind
	At     Pos
	Text   string  // of a scalar
	Items  []*Node // of a list
	Fields []Field // of an object
}

// Field is a key with its value.
type Field struct {
	Key   string
	At    Pos
	Value *Node
}

// Document is a file that was read.
type Document struct {
	Root   *Node // nil when there is nothing to go on with
	Faults Faults
	lines  []string
}

// Parse reads a file. What is no YAML, or no plain one, is in the document's Faults.
func Parse(data []byte) *Document {
	d := &Document{}
	d.Root = d.parse(data)
	return d
}

func (d *Document) fault(at Pos, format string, args ...any) {
	d.Faults = append(d.Faults, Fault{Pos: at, Msg: fmt.Sprintf(format, args...)})
}

// parse reads a file into nodes; nil when there is nothing to go on with.
func (d *Document) parse(data []byte) *Node {
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	if !d.bounded(data) {
		return nil
	}
	d.lines = strings.Split(string(data), "\n")
	f, err := parseYAML(data)
	if err != nil {
		d.syntax(err)
		return nil
	}
	var root ast.Node
	for _, doc := range f.Docs {
		if doc.Body == nil {
			continue
		}
		if root != nil {
			d.fault(position(doc.Body), "a second document begins here; one file sets up one merchant")
			return nil
		}
		root = doc.Body
	}
	if root == nil {
		d.fault(Pos{1, 1}, "the file is empty")
		return nil
	}
	return d.node(root)
}

// parseYAML parses a file. What makes the library panic is not YAML either.
func parseYAML(data []byte) (f *ast.File, err error) {
	defer func() {
		if recover() != nil {
			f, err = nil, errors.New("this is not YAML")
		}
	}()
	return parser.ParseBytes(data, 0, parser.AllowDuplicateMapKey())
}

// bounded refuses what is too long or too deep to be a set-up, and what is no text.
func (d *Document) bounded(data []byte) bool {
	if len(data) > maxBytes {
		d.fault(Pos{1, 1}, "the file has more than %d bytes", maxBytes)
		return false
	}
	depth, n := 0, 0
	for line := range bytes.Lines(data) {
		if n++; n > maxLines {
			d.fault(Pos{n, 1}, "the file has more than %d lines", maxLines)
			return false
		}
		front := bytes.Join(bytes.Fields(line[:min(len(line), 200)]), []byte(" "))
		if bytes.HasPrefix(front, bytes.Repeat([]byte("- "), maxHyphen)) || bytes.HasPrefix(front, bytes.Repeat([]byte("? "), maxHyphen)) {
			d.fault(Pos{n, 1}, "too deep for a set-up")
			return false
		}
		for i, column := 0, 1; i < len(line); column++ {
			c, size := utf8.DecodeRune(line[i:])
			switch {
			case c == utf8.RuneError && size == 1:
				d.fault(Pos{n, column}, "the text is not UTF-8")
				return false
			case c != '\n' && c != '\t' && (c != '\r' || !bytes.HasPrefix(line[i:], []byte("\r\n"))) && (unicode.IsControl(c) || c == '\u2028' || c == '\u2029' || c == '\ufeff'):
				d.fault(Pos{n, column}, "a control mark (%U) stands here", c)
				return false
			case c == '[' || c == '{':
				depth++
			case c == ']' || c == '}':
				depth = max(depth-1, 0)
			}
			i += size
			if depth > maxDepth || i > maxLine {
				d.fault(Pos{n, column}, "too deep, or too long a line, for a set-up")
				return false
			}
		}
	}
	return true
}

// syntax notes what the library says of text that is no YAML.
func (d *Document) syntax(err error) {
	at, msg := Pos{1, 1}, err.Error()
	var e yaml.Error
	if errors.As(err, &e) {
		msg = e.GetMessage()
		if t := e.GetToken(); t != nil && t.Position != nil {
			at = Pos{max(t.Position.Line, 1), max(t.Position.Column, 1)}
		}
	}
	hint := ""
	switch {
	case strings.Contains(msg, "'\t'"):
		hint = "indent with blanks, not with tabs"
	case strings.Contains(msg, "not allowed in this context"):
		hint = "look at brackets, quotes and indentation, here and in the next line"
	}
	d.Faults = append(d.Faults, Fault{Pos: at, Msg: msg, Hint: hint})
}

func position(n ast.Node) Pos {
	switch n := n.(type) {
	case *ast.MappingNode:
		if len(n.Values) > 0 && !n.IsFlowStyle {
			return position(n.Values[0].Key)
		}
	case *ast.MappingValueNode:
		return position(n.Key)
	}
	if n == nil || n.GetToken() == nil || n.GetToken().Position == nil {
		return Pos{}
	}
	p := n.GetToken().Position
	return Pos{p.Line, p.Column}
}

// node makes a plain node of the library's.
func (d *Document) node(n ast.Node) *Node {
	out := &Node{At: position(n)}
	switch n := n.(type) {
	case nil, *ast.NullNode:
	case *ast.MappingNode:
		out.Kind = Object
		seen := map[string]int{}
		for _, v := range n.Values {
			d.field(out, v, seen)
		}
	case *ast.MappingValueNode:
		out.Kind = Object
		d.field(out, n, map[string]int{})
	case *ast.SequenceNode:
		out.Kind = List
		for _, v := range n.Values {
			item := d.node(v)
			if item.At == (Pos{}) {
				item.At = out.At
			}
			out.Items = append(out.Items, item)
		}
	case *ast.StringNode:
		out.Kind, out.Text = Scalar, n.Value
	case *ast.LiteralNode:
		out.Kind, out.Text = Scalar, n.Value.Value
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode, *ast.InfinityNode, *ast.NanNode:
		out.Kind, out.Text = Scalar, n.GetToken().Value
	default:
		out.Kind = Odd
		d.fault(out.At, "anchors, aliases and tags are not read here; write it out")
	}
	return out
}

// field adds a key with its value; seen are the lines of the keys before it.
func (d *Document) field(to *Node, v *ast.MappingValueNode, seen map[string]int) {
	f := Field{At: position(v.Key), Value: d.node(v.Value)}
	switch k := v.Key.(type) {
	case *ast.StringNode:
		f.Key = k.Value
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode, *ast.NullNode:
		f.Key = v.Key.GetToken().Value
	default:
		d.fault(f.At, "this cannot be a key")
		return
	}
	if f.Value.At == (Pos{}) || f.Value.Kind == Empty {
		f.Value.At = f.At
	}
	if line, ok := seen[f.Key]; ok {
		d.fault(f.At, "%q stands here a second time, first in line %d", Cut(f.Key), line)
		return
	}
	seen[f.Key] = f.At.Line
	to.Fields = append(to.Fields, f)
}

// Verbatim is where the characters of a scalar begin, when they stand in the file as they are, in one line.
func (d *Document) Verbatim(n *Node) (Pos, bool) {
	if n.At.Line < 1 || n.At.Line > len(d.lines) {
		return Pos{}, false
	}
	line := []rune(d.lines[n.At.Line-1])
	if n.At.Column < 1 || n.At.Column > len(line) {
		return Pos{}, false
	}
	at, rest := n.At, string(line[n.At.Column-1:])
	if rest[0] == '"' || rest[0] == '\'' {
		at.Column, rest = at.Column+1, rest[1:]
	}
	return at, strings.HasPrefix(rest, n.Text)
}

// Cut shortens a text for a message.
func Cut(s string) string {
	if r := []rune(s); len(r) > 40 {
		return string(r[:40]) + "..."
	}
	return s
}

// Unprintable reports whether a mark has no place in a text of one line.
func Unprintable(r rune) bool {
	return unicode.IsControl(r) || r == '\u2028' || r == '\u2029' || r == '\ufeff'
}
