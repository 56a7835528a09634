// Package graph answers GraphQL queries as the Admin API does: by a schema, over objects that are plain maps, with the
// API's words and codes for what is wrong, and with what a query costs.
package graph

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"sync"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
	"github.com/vektah/gqlparser/v2/parser"
	"github.com/vektah/gqlparser/v2/validator"
	"github.com/vektah/gqlparser/v2/validator/rules"
)

// MaxCost is what one query may cost at most, in points (page "API limits").
const MaxCost = 1000

// Engine knows a schema. It may be used from any goroutine.
type Engine struct {
	schema *ast.Schema

	mu   sync.Mutex
	docs map[string]*ast.OperationDefinition // queries that were found right, by their text
}

// maxTokens bounds one query, and with it how deep it can be.
const maxTokens = 10_000

// maxDocuments bounds the memory of parsed queries; above it the memory starts anew.
const maxDocuments = 200

// New makes an Engine for a schema in the schema language. It panics when that is none.
func New(schema string) *Engine {
	return &Engine{
		schema: gqlparser.MustLoadSchema(&ast.Source{Name: "schema", Input: schema}),
		docs:   map[string]*ast.OperationDefinition{},
	}
}

// Call is a query that was found right.
type Call struct {
	op   *ast.OperationDefinition
	vars map[string]any
	// Cost is what it may cost at most, in points.
	Cost float64
	// Mutation is set when it changes something.
	Mutation bool
}

// Prepare reads a query and its variables, or says what is wrong with them.
func (e *Engine) Prepare(query string, vars map[string]any) (*Call, []Error) {
	op, errs := e.document(query)
	if len(errs) > 0 {
		return nil, errs
	}
	known, err := validator.VariableValues(e.schema, op, vars)
	if err != nil {
		return nil, []Error{{Message: err.Error(), Extensions: map[string]any{"code": "INVALID_VARIABLE"}}}
	}
	if errs := pages(op.SelectionSet, known); len(errs) > 0 {
		return nil, errs
	}
	c := &Call{op: op, vars: known, Cost: cost(op, known), Mutation: op.Operation == ast.Mutation}
	if c.Cost > MaxCost {
		return nil, []Error{{
			Message:    fmt.Sprintf("Query cost is %.0f, which exceeds the single query max cost limit %d.", c.Cost, MaxCost),
			Extensions: map[string]any{"code": "MAX_COST_EXCEEDED", "cost": c.Cost, "maxCost": MaxCost},
		}}
	}
	return c, nil
}

// Run works a query out over its root object. The third result is what it did cost.
func (c *Call) Run(root Obj) (data any, errs []Error, points float64) {
	x := &execution{vars: c.vars}
	if c.Mutation {
		x.cost = mutationCost * float64(len(c.op.SelectionSet))
	}
	data = x.object(root, c.op.SelectionSet, nil)
	return data, x.errs, min(x.cost, c.Cost)
}

// document parses and checks a query, once for each text.
func (e *Engine) document(query string) (*ast.OperationDefinition, []Error) {
	e.mu.Lock()
	op := e.docs[query]
	e.mu.Unlock()
	if op != nil {
		return op, nil
	}
	q, err := parser.ParseQueryWithTokenLimit(&ast.Source{Input: query}, maxTokens)
	if err != nil {
		return nil, []Error{fromParser(err)}
	}
	var errs []Error
	for _, g := range validator.ValidateWithRules(e.schema, q, rules.NewDefaultRules()) {
		errs = append(errs, shaped(g))
	}
	if len(errs) > 0 {
		return nil, errs
	}
	if len(q.Operations) != 1 {
		return nil, []Error{{Message: "An operation name is required"}}
	}
	op = q.Operations[0]
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(e.docs) >= maxDocuments {
		clear(e.docs)
	}
	e.docs[query] = op
	return op, nil
}

// Error is one of the top-level errors (page "GraphQL Admin API reference, Status and error codes").
type Error struct {
	Message    string         `json:"message"`
	Locations  []Location     `json:"locations,omitempty"`
	Path       []any          `json:"path,omitempty"`
	Extensions map[string]any `json:"extensions,omitempty"`
}

// Location is a place in a query.
type Location struct {
	Line   int `json:"line"`
	Column int `json:"column"`
}

func fromParser(err error) Error {
	var g *gqlerror.Error
	if errors.As(err, &g) {
		return Error{Message: "syntax error: " + g.Message, Locations: places(g)}
	}
	return Error{Message: "syntax error"}
}

func places(g *gqlerror.Error) []Location {
	var out []Location
	for _, l := range g.Locations {
		out = append(out, Location{l.Line, l.Column})
	}
	return out
}

// quotedNames finds the names that the validator puts into quotes.
var quotedNames = regexp.MustCompile(`"([^"]+)"`)

// shaped tells a validator's complaint in Shopify's words and codes.
func shaped(g *gqlerror.Error) Error {
	w := Error{Message: g.Message, Locations: places(g), Extensions: map[string]any{"code": "invalid"}}
	var names []string
	for _, m := range quotedNames.FindAllStringSubmatch(g.Message, -1) {
		names = append(names, m[1])
	}
	switch {
	case strings.HasPrefix(g.Rule, "FieldsOnCorrectType") && len(names) >= 2:
		w.Message = fmt.Sprintf("Field '%s' doesn't exist on type '%s'", names[0], names[1])
		w.Extensions = map[string]any{"code": "undefinedField", "typeName": names[1], "fieldName": names[0]}
	case strings.HasPrefix(g.Rule, "KnownArgumentNames") && len(names) >= 1:
		w.Extensions = map[string]any{"code": "argumentNotAccepted", "argumentName": names[0]}
	}
	return w
}
