package sqldb

import (
	"strconv"
	"strings"
)

// kind is the type of a column.
type kind uint8

const (
	aNumber kind = iota
	aText
	aBlob
)

// value is one column of one row.
type value struct {
	n int64
	s string
	b []byte
}

func num[I ~int | ~int64](i I) value { return value{n: int64(i)} }

func str[S ~string](t S) value { return value{s: string(t)} }

// form is a statement that is run for many rows of a batch: once for each row on SQLite, once for all of them on PostgreSQL,
// where a statement costs far more than a row.
type form struct {
	name  string // says in errors what failed
	lite  string // with $1 ... for the columns of one row
	many  string // PostgreSQL: the same over the arrays $1 ..., with v as the name of the rows
	kinds []kind
	each  bool // it must touch exactly one row for each of its rows
}

// columns is "a, b, c" as names.
func columns(list string) []string { return strings.Split(strings.ReplaceAll(list, " ", ""), ",") }

// kinds reads one letter a column: n number, t text, b bytes.
func kindsOf(letters string) []kind {
	out := make([]kind, 0, len(letters))
	for _, c := range letters {
		out = append(out, kind(strings.IndexRune("ntb", c)))
	}
	return out
}

// insert is a form that adds rows. conflict is what follows when a row is there, or nothing.
func insert(table, list, letters, conflict string) form {
	names, kinds := columns(list), kindsOf(letters)
	marks := make([]string, len(names))
	for i := range names {
		marks[i] = "$" + strconv.Itoa(i+1)
	}
	head := "INSERT INTO " + table + " (" + strings.Join(names, ", ") + ") "
	return form{
		name: table, kinds: kinds, lite: head + "VALUES (" + strings.Join(marks, ", ") + ") " + conflict,
		many: head + "SELECT * FROM " + arrays(kinds) + " " + conflict,
	}
}

// update is a form that changes the rows found by the columns of where; set and where name columns in the order of the values.
// add names those of set that are added to what is there.
func update(table, set, where, letters, add string) form {
	sets, wheres, kinds := columns(set), columns(where), kindsOf(letters)
	var lite, many, find, names []string
	for i, c := range sets {
		names = append(names, c)
		one, all := "$"+strconv.Itoa(i+1), "v."+c
		if strings.Contains(","+strings.ReplaceAll(add, " ", "")+",", ","+c+",") {
			one, all = c+" + "+one, table+"."+c+" + "+all
		}
		lite, many = append(lite, c+" = "+one), append(many, c+" = "+all)
	}
	var findMany []string
	for i, c := range wheres {
		names = append(names, c)
		find = append(find, c+" = $"+strconv.Itoa(len(sets)+i+1))
		findMany = append(findMany, table+"."+c+" = v."+c)
	}
	return form{
		name: table, kinds: kinds, each: true,
		lite: "UPDATE " + table + " SET " + strings.Join(lite, ", ") + " WHERE " + strings.Join(find, " AND "),
		many: "UPDATE " + table + " SET " + strings.Join(many, ", ") + " FROM " + arrays(kinds) + " AS v (" + strings.Join(names, ", ") + ") WHERE " + strings.Join(findMany, " AND "),
	}
}

// arrays is PostgreSQL's table of the parameters $1 ..., which are arrays.
func arrays(kinds []kind) string {
	out := make([]string, len(kinds))
	for i, k := range kinds {
		out[i] = "$" + strconv.Itoa(i+1) + "::" + [...]string{"bigint[]", "text[]", "bytea[]"}[k]
	}
	return "unnest(" + strings.Join(out, ", ") + ")"
}

// rows are the values for a form, row by row.
type rows struct {
	form *form
	vals []value
}

func (r *rows) add(v ...value) { r.vals = append(r.vals, v...) }

func (r *rows) len() int { return len(r.vals) / len(r.form.kinds) }
