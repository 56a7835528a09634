package facts

import (
	"errors"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/file"
	"github.com/expr-lang/expr/vm"

	"hawker/rules/rule"
)

// Bounds of an expression. Functions that could make much of little (map, reduce, repeat, let) are not there, so that what is
// left can only be slow by going through lists, and those rounds are counted (Runner.Steps).
const (
	maxNodes  = 300
	maxMemory = 20_000 // values in lists that one run makes
	maxRange  = 10_000
)

// Functions are the functions that expressions may call, with what each does.
func Functions() [][2]string {
	return [][2]string{
		{"len", "len(text): how many characters, or entries of a list"},
		{"lower", "lower(text): in small letters"},
		{"upper", "upper(text): in capitals"},
		{"trim", "trim(text): without blanks around it"},
		{"split", `split(text, " "): a list of its words`},
		{"indexOf", `indexOf(text, "x"): where it stands, from 0; -1 where it does not`},
		{"hasPrefix", `hasPrefix(text, "x"): whether it begins with it`},
		{"hasSuffix", `hasSuffix(text, "x"): whether it ends with it`},
		{"string", "string(3): a number as text"},
		{"int", `int("3"): a text as number`},
		{"float", `float("3.5"): a text as number with a point`},
		{"abs", "abs(n): without its sign"},
		{"floor", "floor(n): rounded down"},
		{"ceil", "ceil(n): rounded up"},
		{"round", "round(n): rounded"},
		{"min", "min(a, b): the smaller one"},
		{"max", "max(a, b): the larger one"},
		{"any", `any(tags, # == "mug"): whether it holds for any of a list`},
		{"all", "all(tags, len(#) > 3): whether it holds for all of a list"},
		{"none", "none(list, condition): whether it holds for none of a list"},
		{"count", "count(list, condition): for how many of a list it holds"},
		{"dice", "dice(6): a number from 1 to 6, drawn anew each time"},
	}
}

// Names of what is in the environment beside the facts. A viewer's words never get there as names.
const (
	tickName = "tick__"
	diceName = "dice"
)

// Expr is an expression over the facts, compiled. It never changes and may be run by many goroutines at once.
type Expr struct {
	source string
	prog   *vm.Program
	facts  []*Fact
	fields map[string][]string // of tables that it names
	need   Part
	kind   reflect.Kind
}

// Need are the parts that its facts belong to.
func (x *Expr) Need() Part { return x.need }

// Number reports whether it comes to a number; else it is a text, or true or false.
func (x *Expr) Number() bool {
	switch x.kind {
	case reflect.Bool, reflect.String:
		return false
	}
	return true
}

// Condition compiles an expression that is true or false, of a rule that waits for e.
func (n *Names) Condition(source string, e rule.Event) (*Expr, *Fault) {
	return n.compile(source, e, expr.AsBool())
}

// Value compiles an expression that is a number or a text.
func (n *Names) Value(source string, e rule.Event) (*Expr, *Fault) {
	x, fault := n.compile(source, e, expr.AsAny())
	if fault != nil {
		return nil, fault
	}
	switch x.kind {
	case reflect.Int, reflect.Int64, reflect.Float64, reflect.String:
		return x, nil
	}
	return nil, &Fault{1, "this is neither a number nor a text"}
}

func (n *Names) compile(source string, e rule.Event, as expr.Option) (*Expr, *Fault) {
	switch {
	case strings.TrimSpace(source) == "":
		return nil, &Fault{1, "the expression is empty"}
	case utf8.RuneCountInString(source) > rule.MaxExpr:
		return nil, &Fault{rule.MaxExpr + 1, fmt.Sprintf("longer than %d characters", rule.MaxExpr)}
	case !utf8.ValidString(source) || strings.ContainsFunc(source, unicode.IsControl):
		return nil, &Fault{0, "a line break or control mark stands in it"}
	}
	env := map[string]any{tickName: func(int) bool { return true }, diceName: func(int) int { return 1 }}
	for i := range n.list {
		if f := &n.list[i]; f.In(e) {
			env[f.Name] = f.sample()
		}
	}
	c := &collector{names: n, event: e, fields: map[string][]string{}, seen: map[ast.Node]bool{}}
	options := []expr.Option{expr.Env(env), as, expr.Optimize(false), expr.MaxNodes(maxNodes), expr.DisableAllBuiltins(), expr.Patch(c)}
	for _, f := range Functions() {
		if f[0] != diceName {
			options = append(options, expr.EnableBuiltin(f[0]))
		}
	}
	prog, err := compileSafely(source, options)
	if c.fault != nil {
		return nil, c.fault
	}
	for _, t := range c.tables {
		return nil, &Fault{t.Location().From + 1, fmt.Sprintf("say which one: %s.raffle", t.Value)}
	}
	if err != nil {
		return nil, faultOf(err)
	}
	x := &Expr{source: source, prog: prog, facts: c.facts, fields: c.fields, kind: reflect.Invalid}
	if t := prog.Node().Type(); t != nil {
		x.kind = t.Kind()
	}
	for _, f := range x.facts {
		x.need |= f.Part
	}
	return x, nil
}

// compileSafely compiles; what makes the library panic is no expression either.
func compileSafely(source string, options []expr.Option) (p *vm.Program, err error) {
	defer func() {
		if r := recover(); r != nil {
			p, err = nil, errors.New("this is not an expression")
		}
	}()
	return expr.Compile(source, options...)
}

func faultOf(err error) *Fault {
	var e *file.Error
	if errors.As(err, &e) {
		msg := e.Message
		if strings.HasPrefix(msg, "compilation failed: expression exceeds") {
			msg = fmt.Sprintf("it has more than %d parts; make it shorter", maxNodes)
		}
		return &Fault{e.Column + 1, msg}
	}
	if strings.Contains(err.Error(), "exceeds maximum allowed nodes") {
		return &Fault{0, fmt.Sprintf("it has more than %d parts; make it shorter", maxNodes)}
	}
	msg, _, _ := strings.Cut(err.Error(), "\n")
	if got, ok := strings.CutPrefix(msg, "expected bool, but got "); ok {
		return &Fault{1, "it must come to true or false, and comes to " + got}
	}
	return &Fault{0, strings.TrimSpace(msg)}
}

// sample is a value of the fact's type.
func (f *Fact) sample() any {
	switch f.Kind {
	case Number:
		return 0
	case Money:
		return 0.0
	case Flag:
		return false
	case Texts:
		return []string{}
	case Table:
		if f.Name == "counters" {
			return map[string]int{}
		}
		return map[string]string{}
	}
	return ""
}

// collector looks at every part of an expression: which facts it names, and whether it is something that we let run.
type collector struct {
	names  *Names
	event  rule.Event
	facts  []*Fact
	fields map[string][]string
	tables []*ast.IdentifierNode // named without a field so far
	fault  *Fault
	seen   map[ast.Node]bool
}

func (c *collector) wrong(n ast.Node, format string, args ...any) {
	if c.fault == nil {
		c.fault = &Fault{n.Location().From + 1, fmt.Sprintf(format, args...)}
	}
}

// Visit is called for every part, the innermost first.
func (c *collector) Visit(node *ast.Node) {
	switch n := (*node).(type) {
	case *ast.IdentifierNode:
		c.identifier(n)
	case *ast.MemberNode:
		id, ok := n.Node.(*ast.IdentifierNode)
		key, text := n.Property.(*ast.StringNode)
		if !ok {
			if _, index := n.Property.(*ast.StringNode); index {
				c.wrong(n, "facts have no parts, but counters, vars and webhook")
			}
			return
		}
		f := c.names.by[id.Value]
		switch {
		case f == nil || f.Kind == Texts:
		case f.Kind != Table:
			c.wrong(n, "%s has no parts", id.Value)
		case !text || !fieldName(key.Value):
			c.wrong(n, "write a name behind the point, in small letters, digits and _: %s.raffle", id.Value)
		default:
			c.tables = slices.DeleteFunc(c.tables, func(t *ast.IdentifierNode) bool { return t == id })
			if !slices.Contains(c.fields[id.Value], key.Value) {
				c.fields[id.Value] = append(c.fields[id.Value], key.Value)
			}
		}
	case *ast.CallNode:
		if id, ok := n.Callee.(*ast.IdentifierNode); !ok || id.Value != diceName || len(n.Arguments) != 1 {
			if !c.seen[n] {
				c.wrong(n, "there is no such function here; there are: %s", functionNames())
			}
		}
	case *ast.VariableDeclaratorNode, *ast.SequenceNode, *ast.MapNode, *ast.SliceNode, *ast.BytesNode:
		c.fault = nil // before what is wrong within it
		c.wrong(n, "expressions have no let, ; { } and [a:b]")
	case *ast.BuiltinNode:
		if !slices.ContainsFunc(Functions(), func(f [2]string) bool { return f[0] == n.Name }) {
			c.wrong(n, "there is no function %s here; there are: %s", n.Name, functionNames())
		}
	case *ast.BinaryNode:
		if steps := c.binary(n); steps > 0 && !c.seen[n] {
			c.seen[n] = true
			*node = c.costs(n, steps)
		}
	case *ast.PredicateNode:
		// Every round through a list takes a step from the message's budget.
		if !c.seen[n] {
			c.seen[n] = true
			n.Node = c.costs(n.Node, 1)
		}
	}
}

// costs makes a part that takes steps from the message's budget before it is worked out.
func (c *collector) costs(n ast.Node, steps int) ast.Node {
	call := &ast.CallNode{Callee: &ast.IdentifierNode{Value: tickName}, Arguments: []ast.Node{&ast.IntegerNode{Value: steps}}}
	c.seen[call] = true
	return &ast.ConditionalNode{Ternary: true, Cond: call, Exp1: n, Exp2: &ast.BoolNode{}}
}

func functionNames() string {
	var out []string
	for _, f := range Functions() {
		out = append(out, f[0])
	}
	return strings.Join(out, ", ")
}

func (c *collector) identifier(n *ast.IdentifierNode) {
	if n.Value == tickName && n.Location().From == 0 && n.Location().To == 0 || n.Value == diceName {
		return
	}
	if slices.ContainsFunc(Functions(), func(f [2]string) bool { return f[0] == n.Value }) && c.names.by[n.Value] == nil {
		c.wrong(n, "%s is a function: %s", n.Value, functionHelp(n.Value))
		return
	}
	f, err := c.names.find(n.Value, c.event, false, false)
	if err != nil {
		c.wrong(n, "%v", err)
		return
	}
	if f.Kind == Table {
		c.tables = append(c.tables, n)
	}
	if !slices.Contains(c.facts, f) {
		c.facts = append(c.facts, f)
	}
}

func functionHelp(name string) string {
	for _, f := range Functions() {
		if f[0] == name {
			return f[1]
		}
	}
	return name
}

// binary looks at an operator, and gives how many steps it takes beside being one part of many.
func (c *collector) binary(n *ast.BinaryNode) int {
	switch n.Operator {
	case "matches":
		s, ok := n.Right.(*ast.StringNode)
		if !ok {
			c.wrong(n.Right, `a pattern stands there as it is: text matches "gl[ae]ze"`)
			return 0
		}
		if err := rule.CheckPattern(s.Value); err != nil {
			c.wrong(n.Right, "%s", err.Msg)
		}
		return 1 + rule.PatternSize(s.Value)/4
	case "..":
		a, ok := n.Left.(*ast.IntegerNode)
		b, ok2 := n.Right.(*ast.IntegerNode)
		if ok && ok2 && (b.Value-a.Value > maxRange || b.Value-a.Value < 0 && b.Value > a.Value) {
			c.wrong(n, "a list of more than %d numbers; write n >= %d and n <= %d", maxRange, a.Value, b.Value)
		}
	}
	return 0
}

// ErrSteps is the error of an expression that went through its lists for too long.
var ErrSteps = errors.New("it took more steps than one message has")

// Runner runs expressions one after the other. It keeps its memory and is used by one goroutine at a time.
type Runner struct {
	// Steps is how many rounds through lists are left; a pattern takes some by its size.
	Steps int
	// Dice draws a number from 1 to n.
	Dice func(n int) int

	vm   vm.VM
	env  map[string]any
	tick func(int) bool
	dice func(int) int
}

// Missing is the first fact that the expression names and that is not known now; empty when all are.
func (x *Expr) Missing(f *Facts) string {
	for _, n := range x.facts {
		if !n.there(f) {
			return n.Name
		}
	}
	return ""
}

// Run runs an expression. What is not there is empty in it; see Missing. Where own is nil the counters and variables of f are
// read.
func (r *Runner) Run(x *Expr, f *Facts, own Own) (any, error) {
	if r.env == nil {
		r.env = map[string]any{}
		r.tick = func(n int) bool {
			if r.Steps -= n; r.Steps < 0 {
				panic(ErrSteps)
			}
			return true
		}
		r.dice = func(n int) int {
			if r.Dice == nil || n < 1 {
				return 1
			}
			return r.Dice(n)
		}
		r.vm.MemoryBudget = maxMemory
	}
	clear(r.env)
	r.env[tickName], r.env[diceName] = r.tick, r.dice
	for _, n := range x.facts {
		if n.Kind != Table {
			r.env[n.Name] = n.value(f)
		}
	}
	for name, fields := range x.fields {
		if name == "counters" {
			m := make(map[string]int, len(fields))
			for _, k := range fields {
				if own != nil {
					m[k] = int(own.Counter(k))
				} else {
					m[k] = int(f.Counters[k])
				}
			}
			r.env[name] = m
			continue
		}
		m := make(map[string]string, len(fields))
		for _, k := range fields {
			switch {
			case name == "webhook":
				m[k] = f.Webhook[k]
			case own != nil:
				m[k] = own.Var(k)
			default:
				m[k] = f.Vars[k]
			}
		}
		r.env[name] = m
	}
	v, err := r.vm.Run(x.prog, r.env)
	switch {
	case errors.Is(err, ErrSteps):
		return nil, ErrSteps
	case err != nil:
		return nil, faultOf(err)
	}
	return v, nil
}

// Whole is a number that an expression came to, as a counter keeps it: rounded. False where it is none that can be kept.
func Whole(v any) (int64, bool) {
	switch v := v.(type) {
	case int:
		return int64(v), true
	case int64:
		return v, true
	case float64:
		if v = math.Round(v); math.Abs(v) < 1e15 {
			return int64(v), true
		}
	}
	return 0, false
}

// String is the expression as it was written.
func (x *Expr) String() string { return x.source }
