package rules

import (
	"fmt"
	"maps"
	"slices"

	"github.com/expr-lang/expr/ast"
)

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
	case name == "lookup":
		c.checkLookup(at, n, p)
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
		c.check(&n.Arguments[i], place{pattern: i == 0 || name == "sequence" || name == "together", where: "as a value of " + name})
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
	case c.lists.sets[name] == nil:
		hint := didYouMean(name, slices.Collect(maps.Keys(c.lists.sets)))
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
