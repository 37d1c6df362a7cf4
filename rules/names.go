package rules

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/builtin"
)

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
	table, below := c.tableOf(n.Node), p.value(".")
	below.row = true
	c.check(&n.Node, below)
	base, isRec := c.record(n.Node)
	property, named := n.Property.(*ast.StringNode)
	switch {
	case poisoned(n.Node):
		poison(at)
	case table != nil:
		c.checkColumn(at, n, table)
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
