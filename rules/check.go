package rules

import (
	"regexp"
	"slices"

	"github.com/expr-lang/expr/ast"
)

// check resolves every name of the file and refuses what a rule may not do.
// Every mistake is reported at its place and poisoned, so that the type
// checker and the reader of the pattern after it tell no mistake twice.
func (b *body) check() {
	for i, l := range b.lets {
		c := resolver{body: b, scope: b.lets[:i]}
		l.isPattern = c.isPattern(l.node.Value)
		c.checkLetName(l, i)
		c.check(&l.node.Value, place{pattern: true, row: true})
		l.row = c.tableOf(l.node.Value)
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
	row     bool   // a row of a table
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
	if t := c.tableOf(*at); t != nil && !p.row {
		c.markUsed(*at)
		c.refuse(at, "it has "+some(t.columns), "a row of a table stands before the name of a column")
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
