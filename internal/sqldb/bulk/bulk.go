// Package bulk has the writes of which a batch has many rows: their statements on both databases, their values, and the form
// in which they wait in PostgreSQL's journal.
package bulk

import (
	"slices"
	"strconv"
	"strings"
)

// Kind is the type of a column.
type Kind uint8

// The kinds of columns.
const (
	Number Kind = iota
	Text
	Blob
)

// Value is one column of one row: N of a number, S of a text or of bytes.
type Value struct {
	N int64
	S string
}

// Num is a number.
func Num[I ~int | ~int64](i I) Value { return Value{N: int64(i)} }

// Str is a text.
func Str[S ~string](t S) Value { return Value{S: string(t)} }

// Bytes are bytes.
func Bytes(b []byte) Value { return Value{S: string(b)} }

// verb is what a form does to its rows.
type verb uint8

const (
	inserts verb = iota
	updates
	deletes
)

// Form is a statement that is run for many rows of a batch: once for each row on SQLite, once for all of them on PostgreSQL,
// where a statement costs far more than a row.
type Form struct {
	// Name says in errors what failed, and in the journal what rows are for.
	Name string
	// Lite has $1 ... for the columns of one row.
	Lite string
	// Many is for PostgreSQL the same over the arrays $1 ..., with v as the name of the rows.
	Many  string
	Kinds []Kind
	// Each is set where it must touch exactly one row for each of its rows.
	Each bool

	table  string
	names  []string // of the columns
	verb   verb
	raises bool  // of several changes of one row the greatest counts
	key    []int // the columns that say which row is changed
}

// columns is "a, b, c" as names.
func columns(list string) []string { return strings.Split(strings.ReplaceAll(list, " ", ""), ",") }

// kindsOf reads one letter a column: n number, t text, b bytes.
func kindsOf(letters string) []Kind {
	out := make([]Kind, 0, len(letters))
	for _, c := range letters {
		out = append(out, Kind(strings.IndexRune("ntb", c)))
	}
	return out
}

// Insert is a form that adds rows. letters has one letter a column: n number, t text, b bytes.
func Insert(name, table, list, letters string) Form {
	names, kinds := columns(list), kindsOf(letters)
	marks := make([]string, len(names))
	for i := range names {
		marks[i] = "$" + strconv.Itoa(i+1)
	}
	head := "INSERT INTO " + table + " (" + strings.Join(names, ", ") + ") "
	return Form{
		Name: name, Kinds: kinds, Lite: head + "VALUES (" + strings.Join(marks, ", ") + ")", Many: head + "SELECT * FROM " + arrays(kinds),
		table: table, names: names, verb: inserts,
	}
}

// Update is a form that changes the rows found by the columns of where; set and where name columns in the order of the values.
// Of two rows that change the same one the last counts, unless add names columns that are added to what is there.
func Update(name, table, set, where, letters, add string) Form {
	sets, wheres, kinds := columns(set), columns(where), kindsOf(letters)
	var lite, many, find, names []string
	var key []int
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
		key = append(key, len(sets)+i)
		find = append(find, c+" = $"+strconv.Itoa(len(sets)+i+1))
		findMany = append(findMany, table+"."+c+" = v."+c)
	}
	return Form{
		Name: name, Kinds: kinds, Each: true, table: table, names: names, verb: updates, key: key,
		Lite: "UPDATE " + table + " SET " + strings.Join(lite, ", ") + " WHERE " + strings.Join(find, " AND "),
		Many: "UPDATE " + table + " SET " + strings.Join(many, ", ") + " FROM " + arrays(kinds) + " AS v (" + strings.Join(names, ", ") + ") WHERE " + strings.Join(findMany, " AND "),
	}
}

// Raising is f, an Update of one number, for rows that may be absent and only where the number becomes greater.
func (f Form) Raising() Form {
	f.Each, f.raises = false, true
	f.Lite += " AND " + f.names[0] + " < $1"
	f.Many += " AND " + f.table + "." + f.names[0] + " < v." + f.names[0]
	return f
}

// Delete is a form that takes rows away that are found by the columns of where, as far as they are there.
func Delete(name, table, where, letters string) Form {
	wheres, kinds := columns(where), kindsOf(letters)
	var find, findMany []string
	var key []int
	for i, c := range wheres {
		key = append(key, i)
		find = append(find, c+" = $"+strconv.Itoa(i+1))
		findMany = append(findMany, table+"."+c+" = v."+c)
	}
	return Form{
		Name: name, Kinds: kinds, table: table, names: wheres, verb: deletes, key: key,
		Lite: "DELETE FROM " + table + " WHERE " + strings.Join(find, " AND "),
		Many: "DELETE FROM " + table + " USING " + arrays(kinds) + " AS v (" + strings.Join(wheres, ", ") + ") WHERE " + strings.Join(findMany, " AND "),
	}
}

// arrays is PostgreSQL's table of the parameters $1 ..., which are arrays.
func arrays(kinds []Kind) string {
	out := make([]string, len(kinds))
	for i, k := range kinds {
		out[i] = "$" + strconv.Itoa(i+1) + "::" + [...]string{"bigint[]", "text[]", "bytea[]"}[k]
	}
	return "unnest(" + strings.Join(out, ", ") + ")"
}

// Column is where a column stands among the values of a row, -1 when there is none of that name.
func (f *Form) Column(name string) int { return slices.Index(f.names, name) }

// Rows are the values for a form, row by row.
type Rows struct {
	Form *Form
	Vals []Value
}

// Add adds a row.
func (r *Rows) Add(v ...Value) { r.Vals = append(r.Vals, v...) }

// Len is how many rows there are.
func (r *Rows) Len() int { return len(r.Vals) / len(r.Form.Kinds) }
