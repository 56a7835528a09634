package main

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"hawker/internal/sqldb/archive"
)

// flip changes one bit in the middle of a file: `flip FILE`; with a number, in that line of it, near its end.
func flip(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 1 || len(args) > 2 {
		ts.Fatalf("usage: flip FILE [LINE]")
	}
	file := ts.MkAbs(args[0])
	data, err := os.ReadFile(file)
	ts.Check(err)
	at := len(data) / 2
	if len(args) == 2 {
		n, err := strconv.Atoi(args[1])
		ts.Check(err)
		at = len(bytes.Join(bytes.SplitAfter(data, []byte("\n"))[:n], nil)) - 6
	}
	data[at] ^= 1
	ts.Check(os.WriteFile(file, data, 0o600))
}

// cut takes the end of a file away: `cut FILE`.
func cut(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: cut FILE")
	}
	file := ts.MkAbs(args[0])
	info, err := os.Stat(file)
	ts.Check(err)
	ts.Check(os.Truncate(file, info.Size()*2/3))
}

// shop is a data folder with a merchant who has a show and stock.
func shop(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	yaml := filepath.Join(dir, "shop.yaml")
	text := `merchant: {name: Ana, currency: EUR, timezone: Europe/Berlin, language: de}
store:
  kind: own
  products:
    - {sku: MUG-1, title: Mug, price: "18.00", stock: 5}
    - {sku: CUP-1, title: Cup, price: "8.00", stock: 2}
shows:
  - {name: spring, live: true, lineup: [{number: 3, sku: MUG-1}, {number: 4, sku: CUP-1}]}
`
	if err := os.WriteFile(yaml, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	data := filepath.Join(dir, "data")
	say(t, "apply", "--data", data, yaml)
	return data
}

// say runs a command line that must succeed, and returns what it wrote.
func say(t *testing.T, args ...string) string {
	t.Helper()
	var stdout, stderr bytes.Buffer
	if err := run(t.Context(), args, &stdout, &stderr); err != nil {
		t.Fatalf("hawker %s: %v\n%s%s", strings.Join(args, " "), err, stdout.String(), stderr.String())
	}
	return stdout.String()
}

// The script in docs/audit.md verifies an exported ledger with sha256sum alone, and finds what was changed.
func TestAuditScript(t *testing.T) {
	m := regexp.MustCompile("(?s)```sh\n(#!/bin/sh\n.*?)```").FindStringSubmatch(document(t, "docs/audit.md"))
	if m == nil {
		t.Fatal("docs/audit.md has no script")
	}
	dir := t.TempDir()
	script := filepath.Join(dir, "verify.sh")
	if err := os.WriteFile(script, []byte(m[1]), 0o600); err != nil {
		t.Fatal(err)
	}
	data, file := shop(t), filepath.Join(dir, "ledger.jsonl")
	say(t, "audit", "--data", data, "--export", file)
	head := regexp.MustCompile(`head ([0-9a-f]{64})`).FindStringSubmatch(say(t, "audit", file))
	verify := func(path string) (string, error) {
		out, err := exec.CommandContext(t.Context(), "sh", script, path).CombinedOutput()
		if errors.Is(err, exec.ErrNotFound) {
			t.Fatal(err)
		}
		return string(out), err
	}
	out, err := verify(file)
	if err != nil || head == nil || !strings.Contains(out, "all is well") || !strings.Contains(out, head[1]) {
		t.Fatalf("%v: %s; want head %v", err, out, head)
	}
	good, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	lines := bytes.SplitAfter(good, []byte("\n"))
	for name, bad := range map[string][]byte{
		"was changed":  bytes.Replace(good, []byte(`"available":5`), []byte(`"available":6`), 1),
		"is missing":   bytes.Join(append(append([][]byte{}, lines[:2]...), lines[3:]...), nil),
		"there are":    bytes.Join(lines[:len(lines)-2], nil),
		"the last":     bytes.Replace(good, []byte(`"head":"`+head[1][:4]), []byte(`"head":"0000`), 1),
		"not follow":   bytes.Replace(good, []byte(`"prev":"0000`), []byte(`"prev":"1000`), 1),
		"entry 1 was ": bytes.Replace(good, []byte(`"at_ms":1`), []byte(`"at_ms":2`), 1),
	} {
		path := filepath.Join(dir, "bad.jsonl")
		if err := os.WriteFile(path, bad, 0o600); err != nil {
			t.Fatal(err)
		}
		if out, err := verify(path); err == nil || !strings.Contains(out, name) {
			t.Errorf("%v: %s; want %q", err, out, name)
		}
		if err := run(t.Context(), []string{"audit", path}, &bytes.Buffer{}, &bytes.Buffer{}); err == nil {
			t.Errorf("hawker audit takes a file that is bad: %s", name)
		}
	}
}

// A database that does not say what its ledger says fails its audit, by name; so does a backup of it.
func TestAuditBroken(t *testing.T) {
	data, dir := shop(t), t.TempDir()
	good, bad := filepath.Join(dir, "good.zip"), filepath.Join(dir, "bad.zip")
	say(t, "backup", "--data", data, good)
	r, err := archive.Open(good)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	w, err := archive.Create(bad)
	if err != nil {
		t.Fatal(err)
	}
	w.Manifest = r.Manifest
	w.Manifest.Parts = nil
	for i := range r.Manifest.Parts {
		p := &r.Manifest.Parts[i]
		err := w.Table(p.Table, p.Columns, func(put func([]any) error) error {
			return r.Table(p, func(row []any) error {
				for j, c := range p.Columns {
					if p.Table == "stock" && c.Name == "sold" {
						row[j] = int64(1)
					}
				}
				return put(row)
			})
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if _, err := w.Close(); err != nil {
		t.Fatal(err)
	}
	broken := func(args ...string) {
		t.Helper()
		var stdout, stderr bytes.Buffer
		err := run(t.Context(), args, &stdout, &stderr)
		if !errors.Is(err, errBroken) || !strings.Contains(stdout.String(), "BROKEN") || !strings.Contains(stdout.String(), "stock, variant") {
			t.Errorf("%v: %v\n%s%s", args, err, stdout.String(), stderr.String())
		}
	}
	broken("verify", "--data", data, bad)
	key, err := os.ReadFile(filepath.Join(data, "hawker.key"))
	if err != nil {
		t.Fatal(err)
	}
	next := filepath.Join(dir, "next")
	say(t, "restore", "--data", next, "--key", strings.TrimSpace(string(key)), bad)
	broken("audit", "--data", next)
}
