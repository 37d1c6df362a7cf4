package rules

import (
	"reflect"
	"time"

	"github.com/expr-lang/expr/ast"
)

// expr bounds the memory of collections, but not that of texts, and neither
// bounds how often a let is built upon: sixty lets that each join the one
// before with itself make a text of 2^60 letters. So joining is counted through
// lets, no other function makes a text longer, and a collection holds no
// collections.

// joined counts the texts that one text is made of by +.
func (c *resolver) joined(n ast.Node) int {
	switch n := n.(type) {
	case *ast.IdentifierNode:
		l := c.visible(n.Value)
		if l == nil {
			return 1
		}
		if l.joined == 0 {
			l.joined = c.joined(l.node.Value)
		}
		return l.joined
	case *ast.BinaryNode:
		if n.Operator == "+" {
			return c.joined(n.Left) + c.joined(n.Right)
		}
	}
	most := 1 // any other node may pass on the text of any part of it
	for _, child := range children(n) {
		most = max(most, c.joined(*child))
	}
	return most
}

// checkLiterals refuses calls whose arguments must be literal, and checks them.
func (c *resolver) checkLiterals(at *ast.Node, n *ast.BuiltinNode) {
	literal := func(i int) (string, bool) {
		if i >= len(n.Arguments) {
			return "", false
		}
		lit, ok := n.Arguments[i].(*ast.StringNode)
		return valueOf(lit), ok
	}
	if poisoned(n) {
		return
	}
	switch n.Name {
	case "replace":
		from, ok := literal(1)
		to, okTo := literal(2)
		if !ok || !okTo || len(n.Arguments) != 3 || from == "" || len(to) > len(from) {
			c.refuse(at, "", "%s", refusedReplace)
		}
	case "date":
		if s, ok := literal(0); !ok || len(n.Arguments) != 1 || !isDate(s) {
			c.refuse(at, `write date("2026-01-31") or date("2026-01-31T09:00:00Z")`, "date takes one literal text, a day or a time")
		}
	case "duration":
		s, ok := literal(0)
		if _, err := time.ParseDuration(s); !ok || err != nil || len(n.Arguments) != 1 {
			c.refuse(at, `write duration("90m") or duration("36h")`, "duration takes one literal text, in hours, minutes or seconds")
		}
	}
}

func isDate(s string) bool {
	for _, layout := range []string{time.DateOnly, time.RFC3339} {
		if _, err := time.Parse(layout, s); err == nil {
			return true
		}
	}
	return false
}

// checkShapes refuses collections of collections and texts made of collections,
// once types are known.
func (b *body) checkShapes() {
	each(&b.tree.Node, func(place *ast.Node) bool {
		switch n := (*place).(type) {
		case *ast.ArrayNode:
			for _, e := range n.Nodes {
				if !isPoison(e) && !isPlain(e.Type()) {
					b.errorOn(e, "", "a list of values holds texts, numbers and conditions, not %s", typeName(e))
				}
			}
		case *ast.BuiltinNode:
			if n.Name == "map" && len(n.Arguments) == 2 {
				if made, ok := n.Arguments[1].(*ast.PredicateNode); ok && !poisoned(made) && !isPlain(made.Node.Type()) {
					b.errorOn(made.Node, "", "map() makes texts, numbers and conditions, not %s", typeName(made.Node))
				}
			}
			if n.Name == "string" && len(n.Arguments) == 1 && !poisoned(n.Arguments[0]) && !isPlain(n.Arguments[0].Type()) {
				b.errorOn(n.Arguments[0], "", "string() takes a text, a number or a condition, not %s", typeName(n.Arguments[0]))
			}
		}
		return true
	})
}

// isPlain tells whether a value of the type is a text, a number or a condition.
func isPlain(t reflect.Type) bool {
	return t.Kind() == reflect.String || t.Kind() == reflect.Bool || isNumber(t.Kind())
}
