package rules

import (
	"fmt"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/builtin"
)

// check resolves every name of the file and refuses what a rule may not do.
// Every mistake is reported at its place and poisoned, so that the type
// checker and the reader of the pattern after it tell no mistake twice.
func (b *body) check() {
	for i, l := range b.lets {
		c := resolver{body: b, scope: b.lets[:i]}
		l.isPattern = c.isPattern(l.node.Value)
		c.checkLetName(l, i)
		c.check(&l.node.Value, place{pattern: true})
	}
	c := resolver{body: b, scope: b.lets}
	c.check(b.final, place{pattern: true})
	broken := len(b.lost) > 0 || isPoison(*b.final)
	for _, l := range b.lets {
		if !l.used && !broken {
			b.errorOn(l.node, "use it in the pattern or take it out", "let %s is not used", l.name)
		}
	}
}

// place says what may stand somewhere.
type place struct {
	pattern bool   // a pattern word
	loop    bool   // within the predicate of a loop
	where   string // where it is, for messages: under &&
	told    *bool  // that no pattern may stand there: once for all that is there
}

// value is the place of a value under something.
func (p place) value(under string) place {
	return place{loop: p.loop, where: "under " + under, told: new(bool)}
}

// resolver checks the names of one expression.
type resolver struct {
	*body
	scope []*let // what it may name
}

func (c *resolver) visible(name string) *let {
	for _, l := range c.scope {
		if l.name == name {
			return l
		}
	}
	return nil
}

// refuse reports an error at the node and poisons it.
func (c *resolver) refuse(at *ast.Node, hint, format string, args ...any) {
	c.errorOn(*at, hint, format, args...)
	poison(at)
}

// checkLetName refuses names that mean something else. The let then goes on
// under a name that nobody can write.
func (c *resolver) checkLetName(l *let, i int) {
	hides := ""
	switch _, isField := fieldType(envType, l.name); {
	case isField:
		hides = "the field " + l.name
	case slices.Contains(laterFields, l.name), slices.Contains(laterWords, l.name), slices.Contains(words, l.name):
		hides = "a word of the rule language"
	case slices.Contains(ourFunctions, l.name), isBuiltin(l.name):
		hides = fmt.Sprintf("the function %s()", l.name)
	case c.visible(l.name) != nil:
		c.errorOn(l.node, "choose another name", "let %s is there twice", l.name)
	default:
		return
	}
	if hides != "" {
		c.errorOn(l.node, "choose another name", "let %s hides %s", l.name, hides)
	}
	l.name = fmt.Sprintf("let %d", i)
	l.node.Name, l.used = l.name, true
}

func isBuiltin(name string) bool {
	_, ok := builtin.Index[name]
	return ok
}

// isPattern tells whether an expression is a pattern: a call of a pattern
// word, or the name of one.
func (c *resolver) isPattern(n ast.Node) bool {
	switch n := n.(type) {
	case *ast.CallNode:
		id, ok := n.Callee.(*ast.IdentifierNode)
		return ok && slices.Contains(words, id.Value)
	case *ast.IdentifierNode:
		l := c.visible(n.Value)
		return l != nil && l.isPattern
	}
	return false
}

// check checks the node at a place, and all below it.
func (c *resolver) check(at *ast.Node, p place) {
	if !p.pattern && c.isPattern(*at) {
		c.markUsed(*at)
		if p.told == nil || !*p.told {
			c.errorOn(*at, "a pattern word takes steps; combine events with sequence(…), conditions inside a step with && and ||",
				"a pattern cannot stand %s", p.where)
		}
		if p.told != nil {
			*p.told = true
		}
		poison(at)
		return
	}
	switch n := (*at).(type) {
	case *ast.IdentifierNode:
		c.checkName(at, n)
	case *ast.MemberNode:
		c.checkMember(at, n, p)
	case *ast.CallNode:
		c.checkCall(at, n, p)
	case *ast.BuiltinNode:
		c.checkBuiltin(at, n, p)
	case *ast.BinaryNode:
		c.checkBinary(at, n, p)
	case *ast.NilNode:
		c.refuse(at, `compare with "" or 0, or say ! for a field that is true or false`, "%s", refusedNil)
	case *ast.MapNode:
		c.markUsed(n)
		c.refuse(at, "", "%s", refusedMap)
	case *ast.VariableDeclaratorNode:
		c.markUsed(n)
		c.refuse(at, "", "%s", refusedLet)
	case *ast.SequenceNode:
		c.markUsed(n)
		c.refuse(&n.Nodes[1], "name the others with let", "%s", refusedMany)
	case *ast.PredicateNode:
		c.check(&n.Node, place{loop: true, where: "in a function"})
	default:
		below := p.value(nameOf(n))
		for _, child := range children(n) {
			c.check(child, below)
		}
	}
}

// nameOf is how a node is called in messages.
func nameOf(n ast.Node) string {
	switch n := n.(type) {
	case *ast.UnaryNode:
		return n.Operator
	case *ast.BinaryNode:
		return n.Operator
	case *ast.ConditionalNode:
		if n.Ternary {
			return "?:"
		}
		return "if"
	case *ast.BuiltinNode:
		return n.Name + "()"
	case *ast.ArrayNode:
		return "a list of values"
	}
	return "an expression"
}

// markUsed marks the lets named anywhere in what is about to be poisoned.
func (c *resolver) markUsed(n ast.Node) {
	each(&n, func(at *ast.Node) bool {
		if id, ok := (*at).(*ast.IdentifierNode); ok {
			if l := c.visible(id.Value); l != nil {
				l.used = true
			}
		}
		return true
	})
}

func (c *resolver) checkName(at *ast.Node, n *ast.IdentifierNode) {
	if l := c.visible(n.Value); l != nil {
		l.used = true
		if poisoned(l.node.Value) {
			poison(at)
		}
		return
	}
	_, isField := fieldType(envType, n.Value)
	switch {
	case isField:
	case c.lost[n.Value]:
		poison(at)
	case n.Value == "$env":
		c.refuse(at, "", "%s", refusedEnv)
	case slices.Contains(laterFields, n.Value):
		c.refuse(at, "", "this version does not know %s yet", n.Value)
	case slices.Contains(functionNames(), n.Value) || slices.Contains(laterWords, n.Value):
		c.refuse(at, fmt.Sprintf("write %s(…)", n.Value), "%s is a function", n.Value)
	case c.body.letNamed(n.Value) != nil:
		c.refuse(at, "move its let before this one", "%s is named before its let", n.Value)
	default:
		c.refuse(at, c.suggestName(n.Value), "unknown name %s", n.Value)
	}
}

// suggestName names what may have been meant: a let, a field, or the fields
// whose last part is the name (email is user.email). A let that was meant
// counts as used.
func (c *resolver) suggestName(name string) string {
	known := fieldNames(envType)
	for _, l := range c.scope {
		known = append(known, l.name)
	}
	if best := nearest(name, known); best != "" {
		if l := c.visible(best); l != nil {
			l.used = true
		}
		return "did you mean " + best + "?"
	}
	byLast := map[string][]string{}
	for _, f := range allFields() {
		last := f[strings.LastIndexByte(f, '.')+1:]
		byLast[last] = append(byLast[last], f)
	}
	if fields := byLast[nearest(name, slices.Collect(maps.Keys(byLast)))]; len(fields) > 0 {
		return "did you mean " + strings.Join(fields, " or ") + "?"
	}
	return ""
}

func (c *resolver) checkMember(at *ast.Node, n *ast.MemberNode, p place) {
	if n.Method {
		c.refuse(at, "", "%s", refusedMethod)
		return
	}
	c.check(&n.Node, p.value("."))
	base, isRec := c.record(n.Node)
	property, named := n.Property.(*ast.StringNode)
	switch {
	case poisoned(n.Node):
		poison(at)
	case base == nil:
		c.check(&n.Property, p.value("[]"))
	case !isRec:
		c.refuse(at, "", "%s has no fields", pathOf(n.Node))
	case !named:
		c.refuse(at, "", "%s", refusedDynamic)
	default:
		if _, ok := fieldType(base, property.Value); !ok {
			names := fieldNames(base)
			hint := nearest(property.Value, names)
			if hint != "" {
				hint = fmt.Sprintf("did you mean %s.%s?", pathOf(n.Node), hint)
			} else {
				hint = "it has " + some(names)
			}
			c.refuse(at, hint, "%s has no field %s", pathOf(n.Node), property.Value)
		}
	}
}

// record is the type of a field of the event, and whether it has fields
// itself; nil where the node is no field.
func (c *resolver) record(n ast.Node) (t reflect.Type, isRec bool) {
	switch n := n.(type) {
	case *ast.IdentifierNode:
		if l := c.visible(n.Value); l != nil {
			return c.record(l.node.Value)
		}
		t, _ = fieldType(envType, n.Value)
	case *ast.ChainNode:
		return c.record(n.Node)
	case *ast.MemberNode:
		base, ok := c.record(n.Node)
		property, named := n.Property.(*ast.StringNode)
		if !ok || !named {
			return nil, false
		}
		t, _ = fieldType(base, property.Value)
	}
	return t, t != nil && isRecord(t)
}

func (c *resolver) checkCall(at *ast.Node, n *ast.CallNode, p place) {
	callee, ok := n.Callee.(*ast.IdentifierNode)
	if !ok {
		c.markUsed(n)
		c.refuse(at, "", "%s", refusedMethod)
		return
	}
	name := callee.Value
	switch {
	case slices.Contains(laterWords, name):
		c.markUsed(n)
		c.refuse(at, "", "this version does not know %s yet", name)
	case refusedFunctions[name] != "":
		c.markUsed(n)
		c.refuse(at, "", "%s", refusedFunctions[name])
	case slices.Contains(words, name):
		c.checkWord(n, name)
	case name == "list":
		c.markUsed(n)
		c.refuse(at, `as in: user.email in list("break-glass")`, "list(…) stands right of in")
	case slices.Contains(ourFunctions, name):
		for i := range n.Arguments {
			c.check(&n.Arguments[i], p.value(name+"()"))
		}
		if name == "cidr" && len(n.Arguments) == 2 {
			c.checkRange(&n.Arguments[1])
		}
	default:
		c.markUsed(n)
		hint := didYouMean(name, append(functionNames(), laterWords...))
		if _, isField := fieldType(envType, name); isField || c.visible(name) != nil {
			if word := nearest(name, words); word != "" {
				hint = "did you mean " + word + "?"
			} else {
				hint = "take the parentheses away"
			}
			c.refuse(at, hint, "%s is no function", name)
			return
		}
		c.refuse(at, hint, "unknown function %s", name)
	}
}

// checkWord checks the arguments of a pattern word: where it takes steps, a
// pattern may stand.
func (c *resolver) checkWord(n *ast.CallNode, name string) {
	for i := range n.Arguments {
		c.check(&n.Arguments[i], place{pattern: i == 0 || name == "sequence", where: "as a value of " + name})
	}
}

// checkRange checks the second argument of cidr.
func (c *resolver) checkRange(at *ast.Node) {
	lit, ok := (*at).(*ast.StringNode)
	if !ok {
		if !isPoison(*at) {
			c.refuse(at, `such as "10.0.0.0/8"; several ranges belong into a list`, "the range of cidr must be a literal text")
		}
		return
	}
	if _, err := parseRange(lit.Value); err != nil {
		c.refuse(at, "", "%v", err)
	}
}

func (c *resolver) checkBuiltin(at *ast.Node, n *ast.BuiltinNode, p place) {
	if reason := refusedFunctions[n.Name]; reason != "" {
		c.markUsed(n)
		c.refuse(at, "", "%s", reason)
		return
	}
	for i := range n.Arguments {
		if _, loops := n.Arguments[i].(*ast.PredicateNode); loops && p.loop {
			c.markUsed(n)
			c.refuse(at, "", "%s: %s stands in one already", refusedLoop, n.Name)
			return
		}
	}
	for i := range n.Arguments {
		c.check(&n.Arguments[i], p.value(n.Name+"()"))
	}
	c.checkLiterals(at, n)
}

func (c *resolver) checkBinary(at *ast.Node, n *ast.BinaryNode, p place) {
	below := p.value(n.Operator)
	c.check(&n.Left, below)
	if call, ok := n.Right.(*ast.CallNode); ok && n.Operator == "in" && isCallOf(call, "list") {
		c.checkList(at, call)
		return
	}
	c.check(&n.Right, below)
	if isPoison(n.Right) || isPoison(n.Left) {
		return
	}
	switch n.Operator {
	case "matches":
		lit, ok := n.Right.(*ast.StringNode)
		if !ok {
			c.refuse(at, "", "%s", refusedRegexp)
		} else if _, err := regexp.Compile(lit.Value); err != nil {
			c.refuse(&n.Right, "", "%v", err)
		}
	case "+":
		if c.joined(n) > maxJoins {
			c.refuse(at, "", "%s", refusedGrowth)
		}
	case "..":
		from, okFrom := n.Left.(*ast.IntegerNode)
		to, okTo := n.Right.(*ast.IntegerNode)
		if !okFrom || !okTo || to.Value-from.Value > maxRange {
			c.refuse(at, "", "%s", refusedRange)
		}
	}
}

func isCallOf(n *ast.CallNode, name string) bool {
	id, ok := n.Callee.(*ast.IdentifierNode)
	return ok && id.Value == name
}

// checkList checks `x in list("name")`.
func (c *resolver) checkList(at *ast.Node, call *ast.CallNode) {
	name, ok := listName(call)
	switch {
	case !ok:
		c.markUsed(call)
		c.errorOn(call, `as in: user.email in list("break-glass")`, "list takes one literal text, the list's name")
		poison(at)
	case c.lists[name] == nil:
		hint := didYouMean(name, slices.Collect(maps.Keys(c.lists)))
		if hint != "" {
			hint += " Or "
		}
		hint += fmt.Sprintf("create lists/%s.txt beside the rule, with one entry a line", name)
		c.errorOn(call.Arguments[0], hint, "there is no list %q", name)
		poison(at)
	}
}

func listName(call *ast.CallNode) (string, bool) {
	if len(call.Arguments) != 1 {
		return "", false
	}
	lit, ok := call.Arguments[0].(*ast.StringNode)
	if !ok {
		return "", false
	}
	return lit.Value, true
}
