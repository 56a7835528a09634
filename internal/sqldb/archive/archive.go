// Package archive is the form of a backup: a zip file with one part for each table, a row of it on each line, the files that
// belong to them, and a manifest that names every part with its SHA-256 and the number of its rows. The form belongs to no database: whole numbers, text,
// bytes and NULL are kept exactly. It knows neither SQL nor what the rows mean.
package archive

import (
	"archive/zip"
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// Form is the version of the form.
const Form = 1

const (
	manifestFile = "manifest.json"
	keyFile      = "hawker.key"
	readMe       = "README.txt"
	filesIn      = "files/"
	maxManifest  = 4 << 20
	maxRow       = 256 << 20
)

// Kind is what a column holds; any of them may be NULL, which is nil.
type Kind string

// Kinds of columns: int64, string, []byte.
const (
	Int   Kind = "int"
	Text  Kind = "text"
	Bytes Kind = "bytes"
)

// Column is a column of a part.
type Column struct {
	Name string `json:"name"`
	Kind Kind   `json:"kind"`
}

// Part is one table.
type Part struct {
	Table   string   `json:"table"`
	Columns []Column `json:"columns"`
	Rows    int64    `json:"rows"`
	Size    int64    `json:"size_bytes"`
	SHA256  string   `json:"sha256"`
}

// File is a file that belongs to what the tables say.
type File struct {
	Name   string `json:"name"` // with slashes, such as slates/1/2/original
	Size   int64  `json:"size_bytes"`
	SHA256 string `json:"sha256"`
}

// Manifest says what a backup holds.
type Manifest struct {
	Form    int       `json:"hawker_backup"`
	Schema  int64     `json:"schema"`  // version of the last migration
	Product string    `json:"product"` // of the program that made it
	From    string    `json:"from"`    // sqlite, postgres
	Made    time.Time `json:"made"`
	// KeySHA256 is set when the sealing key is in the file.
	KeySHA256 string `json:"key_sha256,omitempty"`
	Parts     []Part `json:"parts"`
	Files     []File `json:"files,omitempty"`
}

// Rows is how many rows all parts have.
func (m *Manifest) Rows() int64 {
	n := int64(0)
	for i := range m.Parts {
		n += m.Parts[i].Rows
	}
	return n
}

// Writer writes a backup. Close it, or drop it with Abort.
type Writer struct {
	Manifest Manifest // set Schema, Product, From and Made before Close
	path     string
	f        *os.File
	zip      *zip.Writer
}

// Create begins a backup at path, for its owner's eyes alone. Until Close it has another name; Close refuses a path that is
// taken.
func Create(path string) (*Writer, error) {
	if _, err := os.Lstat(path); err == nil {
		return nil, fmt.Errorf("%s is there already", path)
	}
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".part-*") // mode 0600
	if err != nil {
		return nil, err
	}
	w := &Writer{path: path, f: f, zip: zip.NewWriter(f)}
	return w, w.plain(readMe, []byte("A backup made by hawker. \"hawker verify FILE\" checks it, \"hawker restore FILE\" puts it back.\n"+
		"manifest.json names each part with its SHA-256; a part has one row a line, a JSON array in the order of its columns:\n"+
		"int is a number, text a string (or an array with its bytes in base64, where they are no UTF-8), bytes a string in base64.\n"+
		"files/ has the slates of shows, as they were uploaded.\n"))
}

func (w *Writer) plain(name string, data []byte) error {
	p, err := w.zip.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Deflate})
	if err != nil {
		return err
	}
	_, err = p.Write(data)
	return err
}

// Key puts the sealing key in, as it is written in its file.
func (w *Writer) Key(text []byte) error {
	sum := sha256.Sum256(text)
	w.Manifest.KeySHA256 = hex.EncodeToString(sum[:])
	return w.plain(keyFile, text)
}

// Table writes a table: rows calls row for each of its rows, with a value for each column.
func (w *Writer) Table(table string, columns []Column, rows func(row func([]any) error) error) error {
	part := Part{Table: table, Columns: columns}
	out, err := w.zip.CreateHeader(&zip.FileHeader{Name: fileOf(table), Method: zip.Deflate})
	if err != nil {
		return err
	}
	sum := sha256.New()
	var line []byte
	err = rows(func(row []any) error {
		line, err = appendRow(line[:0], columns, row)
		if err != nil {
			return fmt.Errorf("table %s, row %d: %w", table, part.Rows+1, err)
		}
		part.Rows++
		part.Size += int64(len(line))
		sum.Write(line)
		_, err := out.Write(line)
		return err
	})
	part.SHA256 = hex.EncodeToString(sum.Sum(nil))
	w.Manifest.Parts = append(w.Manifest.Parts, part)
	return err
}

// File puts a file in, under a name with slashes; one that is there no more is left out.
func (w *Writer) File(name, path string) error {
	in, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer in.Close()
	p, err := w.zip.CreateHeader(&zip.FileHeader{Name: filesIn + name, Method: zip.Store}) // films and pictures are small already
	if err != nil {
		return err
	}
	sum := sha256.New()
	n, err := io.Copy(io.MultiWriter(p, sum), in)
	w.Manifest.Files = append(w.Manifest.Files, File{name, n, hex.EncodeToString(sum.Sum(nil))})
	return err
}

// Close writes the manifest, makes the file durable and gives it its name. It returns the SHA-256 of the whole file.
func (w *Writer) Close() (sum string, err error) {
	defer func() {
		if err != nil {
			w.Abort()
		}
	}()
	w.Manifest.Form = Form
	w.Manifest.Made = w.Manifest.Made.UTC().Truncate(time.Second)
	text, err := json.MarshalIndent(&w.Manifest, "", " ")
	if err == nil {
		err = w.plain(manifestFile, append(text, '\n'))
	}
	if err == nil {
		err = w.zip.SetComment(strings.Repeat("0", sealLen))
	}
	if err == nil {
		err = w.zip.Close()
	}
	if err == nil {
		sum, err = w.seal()
	}
	if err == nil {
		err = w.f.Sync()
	}
	if err == nil {
		err = w.f.Close()
	}
	if err == nil {
		err = os.Link(w.f.Name(), w.path) // fails where the name is taken
		if err == nil {
			err = os.Remove(w.f.Name())
		} else if !errors.Is(err, os.ErrExist) { // a file system without links
			err = os.Rename(w.f.Name(), w.path)
		}
	}
	if err != nil {
		return "", err
	}
	return sum, SyncFolder(filepath.Dir(w.path))
}

// sealLen is the length of the zip's comment, which stands at the very end of the file: the SHA-256 of all before it, in hex.
// The parts have sums of their own; this one is for the zip's own tables.
const sealLen = 2 * sha256.Size

// seal writes the comment and returns the sum of the whole file.
func (w *Writer) seal() (string, error) {
	before, end, err := sealOf(w.f)
	if err != nil {
		return "", err
	}
	text := []byte(hex.EncodeToString(before.Sum(nil)))
	before.Write(text)
	_, err = w.f.WriteAt(text, end)
	return hex.EncodeToString(before.Sum(nil)), err
}

// sealOf is the sum of all of a file but its seal, and where the seal stands.
func sealOf(f *os.File) (before hash.Hash, end int64, err error) {
	info, err := f.Stat()
	if err != nil {
		return nil, 0, err
	}
	before, end = sha256.New(), max(0, info.Size()-sealLen)
	_, err = io.Copy(before, io.NewSectionReader(f, 0, end))
	return before, end, err
}

// Abort drops what was written.
func (w *Writer) Abort() {
	_ = w.f.Close()
	_ = os.Remove(w.f.Name())
}

// SyncFolder makes the names in a folder durable, where folders can be flushed.
func SyncFolder(folder string) error {
	d, err := os.Open(folder)
	if err != nil {
		return err
	}
	err = d.Sync()
	if errors.Is(err, errors.ErrUnsupported) || os.PathSeparator == '\\' {
		err = nil
	}
	return errors.Join(err, d.Close())
}

func fileOf(table string) string { return "tables/" + table + ".jsonl" }

func appendRow(b []byte, columns []Column, row []any) ([]byte, error) {
	if len(row) != len(columns) {
		return b, fmt.Errorf("%d values for %d columns", len(row), len(columns))
	}
	b = append(b, '[')
	for i, c := range columns {
		if i > 0 {
			b = append(b, ',')
		}
		switch v := row[i].(type) {
		case nil:
			b = append(b, "null"...)
		case int64:
			if c.Kind != Int {
				return b, fmt.Errorf("column %s has a number, not %s", c.Name, c.Kind)
			}
			b = strconv.AppendInt(b, v, 10)
		case string:
			b = appendText(b, c.Kind, []byte(v))
		case []byte:
			b = appendText(b, c.Kind, v)
		default:
			return b, fmt.Errorf("column %s has a %T", c.Name, v)
		}
		if _, isInt := row[i].(int64); row[i] != nil && !isInt && c.Kind == Int {
			return b, fmt.Errorf("column %s has a text, not a number", c.Name)
		}
	}
	return append(b, "]\n"...), nil
}

func appendText(b []byte, k Kind, v []byte) []byte {
	if k != Bytes && utf8.Valid(v) {
		text, err := json.Marshal(string(v))
		if err != nil { // a string always has a form
			panic(err)
		}
		return append(b, text...)
	}
	if k != Bytes {
		b = append(b, '[')
	}
	b = append(b, '"')
	b = base64.StdEncoding.AppendEncode(b, v)
	b = append(b, '"')
	if k != Bytes {
		b = append(b, ']')
	}
	return b
}

// Reader reads a backup.
type Reader struct {
	Manifest Manifest
	f        *os.File
	zip      *zip.Reader
	files    map[string]*zip.File
}

// Open opens a backup and reads its manifest. Its errors say what is wrong with the file, in words for people.
func Open(path string) (*Reader, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	r := &Reader{f: f, files: map[string]*zip.File{}}
	if err := r.open(); err != nil {
		_ = f.Close()
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return r, nil
}

func (r *Reader) open() error {
	before, end, err := sealOf(r.f)
	if err != nil {
		return err
	}
	if r.zip, err = zip.NewReader(r.f, end+sealLen); err != nil {
		return fmt.Errorf("it is no backup, or is cut off: %w", err)
	}
	for _, f := range r.zip.File {
		if r.files[f.Name] != nil {
			return fmt.Errorf("it has two parts %s", f.Name)
		}
		r.files[f.Name] = f
	}
	if r.files[manifestFile] == nil {
		return errors.New("it is no backup of hawker: it has no manifest.json")
	}
	text := make([]byte, sealLen)
	if _, err := r.f.ReadAt(text, end); err != nil || string(text) != hex.EncodeToString(before.Sum(nil)) {
		return errors.New("it is damaged: its SHA-256 is not the one that stands at its end")
	}
	text, err = r.all(manifestFile, maxManifest)
	if err != nil {
		return err
	}
	m := &r.Manifest
	if err := json.Unmarshal(text, m); err != nil || m.Form == 0 {
		return errors.New("it is no backup of hawker: its manifest.json cannot be read")
	}
	if m.Form != Form {
		return fmt.Errorf("it is a backup of form %d; this program reads form %d: use a newer hawker", m.Form, Form)
	}
	named := map[string]bool{manifestFile: true, readMe: true}
	if m.KeySHA256 != "" {
		named[keyFile] = true
	}
	word := regexp.MustCompile(`^[a-z][a-z0-9_]*$`)
	for i := range m.Parts {
		p := &m.Parts[i]
		if !word.MatchString(p.Table) || named[fileOf(p.Table)] {
			return fmt.Errorf("its manifest names the table %q", p.Table)
		}
		for _, c := range p.Columns {
			if !word.MatchString(c.Name) || c.Kind != Int && c.Kind != Text && c.Kind != Bytes {
				return fmt.Errorf("its manifest names the column %q (%s) of table %s", c.Name, c.Kind, p.Table)
			}
		}
		named[fileOf(p.Table)] = true
	}
	for i := range m.Files {
		name := m.Files[i].Name
		if !fs.ValidPath(name) || strings.Contains(name, `\`) || named[filesIn+name] {
			return fmt.Errorf("its manifest names the file %q", name)
		}
		named[filesIn+name] = true
	}
	for name := range r.files {
		if !named[name] {
			return fmt.Errorf("it has a part %s that its manifest does not name", name)
		}
	}
	for name := range named {
		if r.files[name] == nil {
			return fmt.Errorf("its part %s is missing", name)
		}
	}
	return nil
}

// Close closes the file.
func (r *Reader) Close() error { return r.f.Close() }

func (r *Reader) all(name string, most int64) ([]byte, error) {
	in, err := r.files[name].Open()
	if err != nil {
		return nil, fmt.Errorf("part %s: %w", name, err)
	}
	defer in.Close()
	text, err := io.ReadAll(io.LimitReader(in, most+1))
	if err == nil && int64(len(text)) > most {
		err = errors.New("it is too long")
	}
	if err != nil {
		return nil, fmt.Errorf("part %s is damaged: %w", name, err)
	}
	return text, nil
}

// Key is the sealing key, when it is in the file; else nil.
func (r *Reader) Key() ([]byte, error) {
	if r.Manifest.KeySHA256 == "" {
		return nil, nil
	}
	text, err := r.all(keyFile, 4096)
	if sum := sha256.Sum256(text); err == nil && hex.EncodeToString(sum[:]) != r.Manifest.KeySHA256 {
		err = fmt.Errorf("part %s is damaged: its SHA-256 is not the one in the manifest", keyFile)
	}
	return text, err
}

// File writes what a file holds into to. Only when it returns nil is it certain that it was what was backed up.
func (r *Reader) File(f *File, to io.Writer) error {
	in, err := r.files[filesIn+f.Name].Open()
	if err != nil {
		return fmt.Errorf("part %s%s is damaged: %w", filesIn, f.Name, err)
	}
	defer in.Close()
	sum := sha256.New()
	n, err := io.Copy(io.MultiWriter(to, sum), io.LimitReader(in, f.Size+1))
	if err == nil && (n != f.Size || hex.EncodeToString(sum.Sum(nil)) != f.SHA256) {
		err = errors.New("its SHA-256 is not the one in the manifest")
	}
	if err != nil {
		return fmt.Errorf("part %s%s is damaged: %w", filesIn, f.Name, err)
	}
	return nil
}

// Table hands over the rows of a part, each with a value for each column. Only when it returns nil is it certain that the
// rows were those that were backed up.
func (r *Reader) Table(p *Part, row func([]any) error) error {
	damaged := func(why string, v ...any) error {
		return fmt.Errorf("part %s is damaged: %s", fileOf(p.Table), fmt.Sprintf(why, v...))
	}
	in, err := r.files[fileOf(p.Table)].Open()
	if err != nil {
		return damaged("%v", err)
	}
	defer in.Close()
	sum := sha256.New()
	lines := bufio.NewScanner(io.TeeReader(in, sum))
	lines.Buffer(make([]byte, 0, 64<<10), maxRow)
	n, size := int64(0), int64(0)
	values := make([]any, len(p.Columns))
	for lines.Scan() {
		n++
		size += int64(len(lines.Bytes())) + 1
		if err := parseRow(values, p.Columns, lines.Bytes()); err != nil {
			return damaged("row %d: %v", n, err)
		}
		if err := row(values); err != nil {
			return err
		}
	}
	switch err := lines.Err(); {
	case err != nil:
		return damaged("%v", err)
	case hex.EncodeToString(sum.Sum(nil)) != p.SHA256:
		return damaged("its SHA-256 is not the one in the manifest")
	case n != p.Rows || size != p.Size:
		return damaged("it has %d rows and %d bytes, and the manifest says %d and %d", n, size, p.Rows, p.Size)
	}
	return nil
}

// parseRow reads what appendRow writes.
func parseRow(to []any, columns []Column, line []byte) error {
	var cells []json.RawMessage
	if err := json.Unmarshal(line, &cells); err != nil {
		return err
	}
	if len(cells) != len(columns) {
		return fmt.Errorf("%d values for %d columns", len(cells), len(columns))
	}
	for i, c := range columns {
		v, err := parseCell(c.Kind, cells[i])
		if err != nil {
			return fmt.Errorf("column %s: %w", c.Name, err)
		}
		to[i] = v
	}
	return nil
}

func parseCell(k Kind, cell []byte) (any, error) {
	if string(cell) == "null" {
		return nil, nil //nolint:nilnil // NULL
	}
	if k == Int {
		return strconv.ParseInt(string(cell), 10, 64)
	}
	if bytes.HasPrefix(cell, []byte("[")) && k == Text {
		var raw [][]byte
		if err := json.Unmarshal(cell, &raw); err != nil || len(raw) != 1 {
			return nil, errors.New("no text")
		}
		return string(raw[0]), nil
	}
	var s string
	if err := json.Unmarshal(cell, &s); err != nil {
		return nil, err
	}
	if k == Bytes {
		return base64.StdEncoding.Strict().DecodeString(s)
	}
	return strings.Clone(s), nil
}
