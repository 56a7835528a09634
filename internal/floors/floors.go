// Package floors keeps the shape of the house. It opens every Go file of the module, tests included and whatever
// their build tags, and says where one imports what it must not, where a file runs code before main, and where a
// folder or file has grown too long to be read. The tests of this package run it over the module.
//
// It reads the files itself. A check that asks `go list` is answered from the test cache and passes on a broken tree;
// files that a test opens inside the module are part of the cache's key.
package floors

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/parser"
	"go/scanner"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// MaxFolder is the longest folder, without tests, in lines of code: blank lines and comments do not count, so that nobody
// saves on explaining. The longest folder is commerce: the Desk is one type with one owner, and its methods must stand beside
// it. MaxFile is the longest file in lines of any kind. What is longer has more than one subject.
const (
	MaxFolder = 3250
	MaxFile   = 600
)

// source is one Go file.
type source struct {
	path    string // from the root, with slashes
	folder  string
	test    bool
	lines   int // of any kind
	code    int // without blank lines and comments
	imports []string
	inits   int
	skips   int // tests that skip themselves
}

// Check gives the faults of the module in folder root, one sentence each, in order; none when the shape is kept. Its
// error means that files could not be read or parsed.
func Check(root string) ([]string, error) {
	module, err := moduleName(root)
	if err != nil {
		return nil, err
	}
	files, err := read(root)
	if err != nil {
		return nil, err
	}
	c := checker{module: module, places: table(), guards: guards()}
	for _, f := range files {
		c.file(f)
	}
	c.folders(files)
	slices.Sort(c.faults)
	return slices.Compact(c.faults), nil
}

func moduleName(root string) (string, error) {
	b, err := os.ReadFile(filepath.Join(root, "go.mod"))
	if err != nil {
		return "", err
	}
	for line := range strings.Lines(string(b)) {
		if name, ok := strings.CutPrefix(strings.TrimSpace(line), "module "); ok {
			return strings.TrimSpace(name), nil
		}
	}
	return "", fmt.Errorf("%s/go.mod names no module", root)
}

// read parses every Go file under root. Folders that the go command leaves out are left out here.
func read(root string) ([]source, error) {
	var files []source
	err := filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		base := d.Name()
		if d.IsDir() {
			if name != root && (base == "testdata" || base[0] == '.' || base[0] == '_') {
				return fs.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(base, ".go") || base[0] == '.' || base[0] == '_' {
			return nil
		}
		rel, err := filepath.Rel(root, name)
		if err != nil {
			return err
		}
		f, err := parse(name, filepath.ToSlash(rel))
		files = append(files, f)
		return err
	})
	return files, err
}

func parse(name, rel string) (source, error) {
	text, err := os.ReadFile(name)
	if err != nil {
		return source{}, err
	}
	f := source{path: rel, folder: path.Dir(rel), test: strings.HasSuffix(rel, "_test.go"), lines: bytes.Count(text, []byte("\n"))}
	tree, err := parser.ParseFile(token.NewFileSet(), rel, text, parser.SkipObjectResolution)
	if err != nil {
		return f, err
	}
	for _, spec := range tree.Imports {
		p, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			return f, fmt.Errorf("%s: import %s: %w", rel, spec.Path.Value, err)
		}
		f.imports = append(f.imports, p)
	}
	f.code = codeLines(text)
	if f.test {
		ast.Inspect(tree, func(n ast.Node) bool {
			if x, ok := n.(*ast.SelectorExpr); ok && (x.Sel.Name == "Skip" || x.Sel.Name == "Skipf" || x.Sel.Name == "SkipNow") {
				f.skips++
			}
			return true
		})
	}
	for _, d := range tree.Decls {
		if fn, ok := d.(*ast.FuncDecl); ok && fn.Recv == nil && fn.Name.Name == "init" {
			f.inits++
		}
	}
	return f, nil
}

// codeLines counts the lines that hold more than blanks and comments.
func codeLines(text []byte) int {
	var s scanner.Scanner
	set := token.NewFileSet()
	file := set.AddFile("", set.Base(), len(text))
	s.Init(file, text, nil, 0)
	n, last := 0, 0
	for {
		pos, tok, lit := s.Scan()
		if tok == token.EOF {
			return n
		}
		if tok == token.SEMICOLON && lit == "\n" {
			continue
		}
		from := file.Line(pos)
		to := from + strings.Count(lit, "\n") // a text over several lines
		n += to - max(from-1, last)
		last = max(last, to)
	}
}

// under says whether a path is another or lies in its folder.
func under(p, folder string) bool { return p == folder || strings.HasPrefix(p, folder+"/") }
