package floors

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

type checker struct {
	module string
	places []place
	guards []guard
	faults []string
}

func (c *checker) fault(format string, v ...any) {
	c.faults = append(c.faults, fmt.Sprintf(format, v...))
}

// find gives the line of the table that covers a package: the longest path it lies under.
func (c *checker) find(pkg string) (place, bool) {
	var best place
	for _, p := range c.places {
		if under(pkg, p.path) && len(p.path) > len(best.path) {
			best = p
		}
	}
	return best, best.path != ""
}

// file checks one file's imports and that it has no init.
func (c *checker) file(f source) {
	if f.inits > 0 && !f.test {
		c.fault("%s has a func init: nothing registers itself, main wires", f.path)
	}
	if f.skips > 0 && !slices.Contains(f.imports, "pgregory.net/rapid") { // there a step that does not apply is skipped, no test
		c.fault("%s skips a test: a part that is missing is a failure that names it", f.path)
	}
	from, ok := c.find(f.folder)
	if !ok {
		c.fault("package %s has no floor: add it to table in internal/floors/table.go, with the reason", f.folder)
		return
	}
	for _, imp := range f.imports {
		if pkg, ours := strings.CutPrefix(imp, c.module+"/"); ours {
			c.ours(f, from, pkg)
			continue
		}
		c.others(f, imp)
	}
}

// ours checks the import of one of our packages.
func (c *checker) ours(f source, from place, pkg string) {
	to, ok := c.find(pkg)
	switch {
	case !ok:
		c.fault("%s imports %s, which has no floor: add it to table in internal/floors/table.go, with the reason", f.path, pkg)
	case from.path == to.path:
		// Its own family.
	case from.kind == sim:
		c.fault("%s imports %s: a simulator imports nothing of ours", f.path, pkg)
	case to.kind == roof && from.path != "cmd/hawker":
		c.fault("%s imports %s: only cmd/hawker imports it", f.path, pkg)
	case from.kind == roof:
		// The roof may import everything below.
	case to.kind == sim && !f.test && from.kind != support:
		c.fault("%s imports %s: a simulator is for tests and the roof", f.path, pkg)
	case to.kind == support && !f.test && from.kind != support:
		c.fault("%s imports %s: it is for tests and the roof", f.path, pkg)
	case to.kind == sim || to.kind == support && f.test:
		// Tests may use them on every floor, below their own too: a suite needs the contract it checks.
	case to.kind == edge && from.kind == edge:
		c.fault("%s imports %s: edges never import each other", f.path, pkg)
	case to.kind == edge:
		c.fault("%s imports %s: only the roof imports an edge; ask for an interface or a func", f.path, pkg)
	case to.floor >= from.floor:
		c.fault("%s (floor %d) imports %s (floor %d): only lower floors", f.path, from.floor, pkg, to.floor)
	}
}

// others checks the import of a package that is not ours.
func (c *checker) others(f source, imp string) {
	for _, g := range c.guards {
		dir := strings.TrimSuffix(g.prefix, "/")
		if !under(imp, dir) || g.tests && f.test {
			continue
		}
		if !slices.ContainsFunc(g.allowed, func(a string) bool { return under(f.folder, a) }) {
			c.fault("%s imports %s: that is for %s alone", f.path, imp, strings.Join(g.allowed, ", "))
		}
	}
}

// folders checks lengths.
func (c *checker) folders(files []source) {
	lines := map[string]int{}
	for _, f := range files {
		if f.lines > MaxFile {
			c.fault("%s has %d lines, more than %d: give it one subject", f.path, f.lines, MaxFile)
		}
		if !f.test {
			lines[f.folder] += f.code
		}
	}
	for _, folder := range slices.Sorted(maps.Keys(lines)) {
		if lines[folder] > MaxFolder {
			c.fault("folder %s has %d lines of code without tests, more than %d: take a part out", folder, lines[folder], MaxFolder)
		}
	}
}
