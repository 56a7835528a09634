package bulk

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgtype"
	"pgregory.net/rapid"

	"hawker/internal/press"
)

// A house of three tables: things are made, changed and taken away; marks only rise.
func testForms() (all []*Form) {
	made, plain := Insert("things", "things", "color, shop, thing, body", "tnnb"), Insert("things bare", "things", "shop, thing", "nn")
	changed, gone := Update("things changed", "things", "color", "shop, thing", "tnn", ""), Delete("things gone", "things", "shop, thing", "nn")
	mark := Update("marks", "marks", "at", "shop, name", "nnt", "").Raising()
	return []*Form{&made, &plain, &changed, &gone, &mark}
}

func finder(all []*Form) func(string) *Form {
	return func(name string) *Form {
		if i := slices.IndexFunc(all, func(f *Form) bool { return f.Name == name }); i >= 0 {
			return all[i]
		}
		return nil
	}
}

func drawRows(t *rapid.T, all []*Form) []*Rows {
	var out []*Rows
	for range rapid.IntRange(0, 4).Draw(t, "forms") {
		r := &Rows{Form: rapid.SampledFrom(all).Draw(t, "form")}
		for range rapid.IntRange(0, 5).Draw(t, "rows") {
			for _, k := range r.Form.Kinds {
				if k == Number {
					r.Add(Value{N: rapid.Int64().Draw(t, "n")})
				} else {
					r.Add(Bytes(rapid.SliceOf(rapid.Byte()).Draw(t, "s")))
				}
			}
		}
		out = append(out, r)
	}
	return out
}

// same compares rows; no rows are no rows, nil or not.
func same(a, b []*Rows) bool {
	return slices.EqualFunc(a, b, func(x, y *Rows) bool { return x.Form == y.Form && slices.Equal(x.Vals, y.Vals) })
}

func pack(all []*Rows) (b []byte) {
	for _, r := range all {
		b = r.Pack(b)
	}
	return b
}

func TestPack(t *testing.T) {
	all := testForms()
	rapid.Check(t, func(t *rapid.T) {
		rows := drawRows(t, all)
		b := pack(rows)
		got, err := Unpack(b, finder(all))
		if err != nil || !same(got, rows) {
			t.Fatalf("%v, %v", got, err)
		}
		// Cut anywhere but between two forms it is no packed rows.
		ends := map[int]bool{}
		for i := range rows {
			ends[len(pack(rows[:i]))] = true
		}
		if cut := rapid.IntRange(0, len(b)).Draw(t, "cut"); cut < len(b) && !ends[cut] {
			if _, err := Unpack(b[:cut], finder(all)); err == nil {
				t.Fatalf("cut at %d of %d, and nobody saw", cut, len(b))
			}
		}
	})
}

// A Packer's rows are the same rows, and many are less than they were.
func TestPacker(t *testing.T) {
	all := testForms()
	var p Packer
	rapid.Check(t, func(t *rapid.T) {
		rows := drawRows(t, all)
		first := p.Pack(rows)
		kept := bytes.Clone(first)
		other := p.Pack(drawRows(t, all)) // in the same memory
		got, err := Unpack(first, finder(all))
		if err != nil || !same(got, rows) || !bytes.Equal(first, kept) {
			t.Fatalf("%v, %v", got, err)
		}
		if _, err := Unpack(other, finder(all)); err != nil {
			t.Fatal(err)
		}
	})
	r := &Rows{Form: all[4]}
	for i := range 1000 {
		r.Add(Num(i), Num(1), Str(fmt.Sprint("a name of some length, number ", i)))
	}
	b := p.Pack([]*Rows{r})
	if plain := r.Pack(nil); len(b) > len(plain)/2 {
		t.Errorf("%d bytes of %d", len(b), len(plain))
	}
	if got, err := Unpack(b, finder(all)); err != nil || !same(got, []*Rows{r}) {
		t.Errorf("Unpack: %v", err)
	}
	for _, cut := range []int{1, 2, len(b) / 2, len(b) - 1} {
		if _, err := Unpack(b[:cut], finder(all)); err == nil {
			t.Errorf("cut at %d of %d, and nobody saw", cut, len(b))
		}
	}
}

func TestUnknownForm(t *testing.T) {
	f := Insert("of tomorrow", "t", "a", "n")
	r := &Rows{Form: &f, Vals: []Value{{N: 1}}}
	if _, err := Unpack(r.Pack(nil), finder(testForms())); err == nil || !strings.Contains(err.Error(), `"of tomorrow"`) {
		t.Errorf("Unpack = %v", err)
	}
}

func FuzzUnpack(f *testing.F) {
	all := testForms()
	for _, form := range all {
		r := &Rows{Form: form, Vals: make([]Value, 2*len(form.Kinds))}
		f.Add(r.Pack(nil))
	}
	f.Add([]byte("\x05marks\xff\xff\xff\xff\x07"))                     // two thousand million rows
	f.Add([]byte("\x05marks\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01")) // a count that overflows when it is multiplied
	f.Add([]byte("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"))
	f.Add([]byte("\x00\xff\xff\xff\xff\x0f")) // pressed from four thousand million bytes
	f.Add(new(Packer).Pack([]*Rows{{Form: all[4], Vals: make([]Value, 3*1000)}}))
	f.Fuzz(func(t *testing.T, b []byte) {
		rows, err := Unpack(b, finder(all))
		if err != nil {
			return
		}
		if b, err = press.Undo(b, pressed, mostPressed); err != nil {
			t.Fatal(err)
		}
		n := 0
		for _, r := range rows {
			n += cap(r.Vals)
		}
		if n > len(b) { // a value is a byte at least
			t.Errorf("room for %d values of %d bytes", n, len(b))
		}
		if again, err := Unpack(pack(rows), finder(all)); err != nil || !same(again, rows) {
			t.Errorf("%v, %v", again, err)
		}
	})
}

// table is the naive database: rows by table and key, each with its columns.
type table map[string]map[string]Value

// run does one statement, as PostgreSQL would: all rows at once.
func (db table) run(r *Rows) error {
	f, w := r.Form, len(r.Form.Kinds)
	touched := map[string]bool{}
	for at := 0; at < len(r.Vals); at += w {
		row := map[string]Value{}
		key := f.table
		for i, name := range f.names {
			row[name] = r.Vals[at+i]
		}
		for _, name := range []string{"shop", "thing", "name"} {
			if v, ok := row[name]; ok {
				key += fmt.Sprintf("/%d%q", v.N, v.S)
			}
		}
		old, there := db[key]
		if touched[key] && f.verb == updates {
			return fmt.Errorf("%s changes %s twice: which counts is chance", f.Name, key)
		}
		touched[key] = true
		switch {
		case f.verb == inserts && there:
			return fmt.Errorf("%s: %s is there", f.Name, key)
		case f.verb == inserts:
			db[key] = row
		case f.verb == deletes:
			delete(db, key)
		case f.Each && !there:
			return fmt.Errorf("%s: %s is not there", f.Name, key)
		case there && (!f.raises || row[f.names[0]].N > old[f.names[0]].N):
			next := maps.Clone(old)
			maps.Copy(next, row)
			db[key] = next
		}
	}
	return nil
}

// What Merge makes of many batches does to the tables what the batches do one by one, wherever they are parted.
func TestMerge(t *testing.T) {
	all := testForms()
	made, bare, changed, gone, mark := all[0], all[1], all[2], all[3], all[4]
	marks := Insert("marks new", "marks", "at, shop, name", "nnt")
	rapid.Check(t, func(t *rapid.T) {
		naive, merged := table{}, table{}
		for _, db := range []table{naive, merged} { // one of the two that marks may name
			if err := db.run(&Rows{Form: &marks, Vals: []Value{Num(5), Num(1), Str("a")}}); err != nil {
				t.Fatal(err)
			}
		}
		type thing struct{ shop, n int64 }
		var there []thing
		next := int64(0)
		var batches [][]*Rows
		for range rapid.IntRange(0, 8).Draw(t, "batches") {
			rows := map[*Form]*Rows{}
			for _, f := range all {
				rows[f] = &Rows{Form: f}
			}
			color := func() Value { return Str(rapid.StringN(0, 3, -1).Draw(t, "color")) }
			used := map[thing]bool{}
			for range rapid.IntRange(0, 6).Draw(t, "deeds") {
				switch deed := rapid.SampledFrom([]string{"make", "make bare", "change", "take", "mark"}).Draw(t, "deed"); {
				case deed == "mark":
					rows[mark].Vals = []Value{Num(rapid.Int64Range(0, 9).Draw(t, "at")), Num(1), Str(rapid.SampledFrom([]string{"a", "absent"}).Draw(t, "name"))}
				case deed == "make" || deed == "make bare" || len(there) == 0:
					x := thing{rapid.Int64Range(1, 2).Draw(t, "shop"), next}
					next++ // an id is never given out again
					if deed == "make bare" {
						rows[bare].Add(Num(x.shop), Num(x.n))
					} else {
						rows[made].Add(color(), Num(x.shop), Num(x.n), Bytes(nil))
					}
					there = append(there, x)
				default:
					i := rapid.IntRange(0, len(there)-1).Draw(t, "which")
					x := there[i]
					if used[x] { // a batch says of a row one thing
						continue
					}
					used[x] = true
					if deed == "change" {
						rows[changed].Add(color(), Num(x.shop), Num(x.n))
					} else {
						rows[gone].Add(Num(x.shop), Num(x.n))
						there = slices.Delete(there, i, i+1)
					}
				}
			}
			var batch []*Rows
			for _, f := range all {
				if rows[f].Len() > 0 {
					batch = append(batch, rows[f])
				}
			}
			batches = append(batches, batch)
			for _, r := range batch {
				if err := naive.run(r); err != nil {
					t.Fatal(err)
				}
			}
		}
		part := rapid.IntRange(0, len(batches)).Draw(t, "part")
		for _, some := range [][][]*Rows{batches[:part], batches[part:]} {
			before := make([][]byte, len(some))
			for i := range some {
				before[i] = pack(some[i])
			}
			for _, r := range Merge(all, some) {
				if err := merged.run(r); err != nil {
					t.Fatal(err)
				}
			}
			for i := range some {
				if string(pack(some[i])) != string(before[i]) {
					t.Fatal("the batches were changed")
				}
			}
		}
		if !reflect.DeepEqual(naive, merged) {
			t.Fatalf("one by one:\n%v\nmerged:\n%v", naive, merged)
		}
	})
}

// A row that is made and taken away is never written; of changes one is left.
func TestMergeLeavesOut(t *testing.T) {
	all := testForms()
	made, changed, gone := all[0], all[2], all[3]
	got := Merge(all, [][]*Rows{
		{{Form: made, Vals: []Value{Str("red"), Num(1), Num(1), {}, Str("red"), Num(1), Num(2), {}}}},
		{{Form: changed, Vals: []Value{Str("blue"), Num(1), Num(1), Str("blue"), Num(1), Num(2)}}},
		{{Form: changed, Vals: []Value{Str("green"), Num(1), Num(2)}}, {Form: gone, Vals: []Value{Num(1), Num(1)}}},
	})
	want := []*Rows{
		{Form: made, Vals: []Value{Str("red"), Num(1), Num(2), {}}}, {Form: changed, Vals: []Value{Str("green"), Num(1), Num(2)}}, {Form: gone, Vals: []Value{Num(1), Num(1)}},
	}
	if !same(got, want) {
		t.Errorf("%v", got)
	}
}

// Arrays are what pgx reads as arrays.
func TestArray(t *testing.T) {
	all := testForms()
	rapid.Check(t, func(t *rapid.T) {
		for _, r := range drawRows(t, all) {
			for c, k := range r.Form.Kinds {
				var want []Value
				for at := c; at < len(r.Vals); at += len(r.Form.Kinds) {
					want = append(want, r.Vals[at])
				}
				var got []Value
				m, err := pgtype.NewMap(), errors.ErrUnsupported
				switch k {
				case Number:
					var a []int64
					err = m.Scan(pgtype.Int8ArrayOID, pgtype.BinaryFormatCode, r.Array(c), &a)
					for _, n := range a {
						got = append(got, Num(n))
					}
				case Text:
					var a []string
					err = m.Scan(pgtype.TextArrayOID, pgtype.BinaryFormatCode, r.Array(c), &a)
					for _, s := range a {
						got = append(got, Str(s))
					}
				case Blob:
					var a [][]byte
					err = m.Scan(pgtype.ByteaArrayOID, pgtype.BinaryFormatCode, r.Array(c), &a)
					for _, s := range a {
						got = append(got, Bytes(s))
					}
				}
				if err != nil || !slices.Equal(got, want) {
					t.Fatalf("%v, %v; want %v", got, err, want)
				}
			}
		}
	})
}
