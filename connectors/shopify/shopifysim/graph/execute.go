package graph

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
)

// Obj is an object of the API: its fields by name. A field with arguments, or one that is dear to work out, is a
// func(Args) any. "__typename" says which type it is where fragments must know.
type Obj map[string]any

// Args are the arguments of a field. What a directive on it says is at the directive's name with @, as Args too.
type Args map[string]any

// Str is a text among the arguments, empty when it is not there.
func (a Args) Str(name string) string {
	v, _ := a[name].(string)
	return v
}

// Num is a whole number among the arguments; literals and variables arrive in different Go types.
func (a Args) Num(name string) int {
	switch v := a[name].(type) {
	case int:
		return v
	case int64:
		return int(v)
	case float64:
		return int(v)
	case json.Number:
		n, _ := strconv.Atoi(v.String())
		return n
	}
	return 0
}

// Float is a number among the arguments, and whether there is one; see Num.
func (a Args) Float(name string) (float64, bool) {
	switch v := a[name].(type) {
	case int:
		return float64(v), true
	case int64:
		return float64(v), true
	case float64:
		return v, true
	case json.Number:
		f, err := v.Float64()
		return f, err == nil
	}
	return 0, false
}

// Is is a truth value among the arguments.
func (a Args) Is(name string) bool {
	v, _ := a[name].(bool)
	return v
}

// Sub is an input object among the arguments, nil when it is not there.
func (a Args) Sub(name string) Args {
	switch v := a[name].(type) {
	case map[string]any:
		return v
	case Args:
		return v
	}
	return nil
}

// List is a list among the arguments.
func (a Args) List(name string) []any {
	switch v := a[name].(type) {
	case []any:
		return v
	case []string:
		var out []any
		for _, s := range v {
			out = append(out, s)
		}
		return out
	case nil:
		return nil
	default:
		return []any{v}
	}
}

// Denied is what a field gives when the app lacks the scope to see it.
type Denied struct{ Scope string }

// execution is one run of one query.
type execution struct {
	vars map[string]any
	errs []Error
	cost float64
}

// ordered is a JSON object that keeps the order of the query.
type ordered struct {
	keys   []string
	values map[string]any
}

// MarshalJSON implements json.Marshaler.
func (o *ordered) MarshalJSON() ([]byte, error) {
	b := []byte{'{'}
	for i, k := range o.keys {
		if i > 0 {
			b = append(b, ',')
		}
		v, err := json.Marshal(o.values[k])
		if err != nil {
			return nil, err
		}
		b = append(append(strconv.AppendQuote(b, k), ':'), v...)
	}
	return append(b, '}'), nil
}

func (x *execution) object(o Obj, set ast.SelectionSet, path []any) *ordered {
	out := &ordered{values: map[string]any{}}
	x.into(out, o, set, path)
	return out
}

func (x *execution) into(out *ordered, o Obj, set ast.SelectionSet, path []any) {
	for _, sel := range set {
		switch sel := sel.(type) {
		case *ast.Field:
			if _, done := out.values[sel.Alias]; done {
				continue
			}
			out.keys = append(out.keys, sel.Alias)
			out.values[sel.Alias] = x.field(o, sel, append(slices.Clone(path), sel.Alias))
		case *ast.InlineFragment:
			if o.is(sel.TypeCondition) {
				x.into(out, o, sel.SelectionSet, path)
			}
		case *ast.FragmentSpread:
			if o.is(sel.Definition.TypeCondition) {
				x.into(out, o, sel.Definition.SelectionSet, path)
			}
		}
	}
}

func (o Obj) is(condition string) bool {
	return condition == "" || condition == "Node" || condition == o["__typename"]
}

func (x *execution) field(o Obj, f *ast.Field, path []any) any {
	v := o[f.Name]
	if get, ok := v.(func(Args) any); ok {
		args := Args(f.ArgumentMap(x.vars))
		for _, d := range f.Directives {
			args["@"+d.Name] = Args(d.ArgumentMap(x.vars))
		}
		v = get(args)
	}
	if e, ok := v.(Error); ok {
		e.Path = path
		x.errs = append(x.errs, e)
		return nil
	}
	if d, ok := v.(Denied); ok {
		x.errs = append(x.errs, Error{
			Message: fmt.Sprintf("Access denied for %s field. Required access: `%s` access scope.", f.Name, d.Scope), Path: path,
			Extensions: map[string]any{"code": "ACCESS_DENIED", "requiredAccess": "`" + d.Scope + "` access scope."},
		})
		return nil
	}
	return x.complete(v, f.SelectionSet, path)
}

func (x *execution) complete(v any, set ast.SelectionSet, path []any) any {
	switch v := v.(type) {
	case Obj:
		if v == nil {
			return nil
		}
		x.cost++
		return x.object(v, set, path)
	case []Obj:
		out := make([]any, 0, len(v))
		for i, o := range v {
			out = append(out, x.complete(o, set, append(slices.Clone(path), i)))
		}
		return out
	default:
		return v
	}
}

// Connection cuts a page out of all: the nodes behind the cursor after, first of them, newest first with reverse.
func Connection(all []Obj, a Args) Obj {
	if a.Is("reverse") {
		all = slices.Clone(all)
		slices.Reverse(all)
	}
	from := 0
	if b, err := base64.StdEncoding.DecodeString(a.Str("after")); err == nil {
		from, _ = strconv.Atoi(strings.TrimPrefix(string(b), "at:"))
	}
	from = min(max(from, 0), len(all))
	to := min(from+max(0, a.Num("first")), len(all))
	cursor := func(n int) string { return base64.StdEncoding.EncodeToString([]byte("at:" + strconv.Itoa(n))) }
	info := Obj{"hasNextPage": to < len(all), "hasPreviousPage": from > 0, "startCursor": nil, "endCursor": nil}
	if to > from {
		info["startCursor"], info["endCursor"] = cursor(from+1), cursor(to)
	}
	return Obj{"nodes": all[from:to], "pageInfo": info}
}

// maxPage is the most that one page of a connection may be asked for.
const maxPage = 250

// pages complains of connections that are asked for without a length, or with one that may not be.
func pages(set ast.SelectionSet, vars map[string]any) []Error {
	var errs []Error
	for _, sel := range set {
		switch sel := sel.(type) {
		case *ast.Field:
			if n := Args(sel.ArgumentMap(vars)).Num("first"); strings.HasSuffix(sel.Definition.Type.Name(), "Connection") && (n < 1 || n > maxPage) {
				errs = append(errs, Error{
					Message:    fmt.Sprintf("%s: you must provide first, from 1 to %d", sel.Name, maxPage),
					Extensions: map[string]any{"code": "BAD_REQUEST"},
				})
			}
			errs = append(errs, pages(sel.SelectionSet, vars)...)
		case *ast.InlineFragment:
			errs = append(errs, pages(sel.SelectionSet, vars)...)
		case *ast.FragmentSpread:
			errs = append(errs, pages(sel.Definition.SelectionSet, vars)...)
		}
	}
	return errs
}

// mutationCost is the price of one change; what it returns is in it.
const mutationCost = 10

// cost is what a query may cost at most: 0 a scalar, 1 an object, a connection as often as it asks for, 10 a mutation (page
// "API limits", "Calculated query cost").
func cost(op *ast.OperationDefinition, vars map[string]any) float64 {
	c := setCost(op.SelectionSet, vars)
	if op.Operation == ast.Mutation {
		return mutationCost * float64(len(op.SelectionSet))
	}
	return c
}

func setCost(set ast.SelectionSet, vars map[string]any) float64 {
	var sum float64
	for _, sel := range set {
		switch sel := sel.(type) {
		case *ast.Field:
			if len(sel.SelectionSet) == 0 || sel.Name == "pageInfo" {
				continue
			}
			below := setCost(sel.SelectionSet, vars)
			a := Args(sel.ArgumentMap(vars))
			switch n, ids := a.Num("first"), a.List("ids"); {
			case n > 0 && sel.Definition.Type.Elem == nil:
				sum += float64(n) * below
			case len(ids) > 0:
				sum += float64(len(ids)) * (1 + below)
			default:
				sum += 1 + below
			}
		case *ast.InlineFragment:
			sum += setCost(sel.SelectionSet, vars)
		case *ast.FragmentSpread:
			sum += setCost(sel.Definition.SelectionSet, vars)
		}
	}
	return sum
}
