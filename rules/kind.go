package rules

import (
	"slices"

	"github.com/expr-lang/expr/ast"

	"watchword/bus/event"
)

// kinds are the kinds of events; each is also the name of the record that only
// events of that kind fill.
var kinds = []string{string(event.KindSignin), string(event.KindItem), string(event.KindAudit)}

// mention is a place where an expression says what kind of event it is about.
type mention struct {
	kind string
	node ast.Node
}

// kindOf is the kind a step is about: that of the records it names, or the one
// it says with kind == "…". Empty is every kind. It reports a step about two.
func (b *body) kindOf(step ast.Node) event.Kind {
	mentions := b.mentions(b.behind(step))
	for _, m := range mentions {
		if m.kind != mentions[0].kind {
			b.errorOn(m.node, "write two steps: one event is of one kind",
				"the step is about %s events already, so it cannot be about %s events", mentions[0].kind, m.kind)
			break
		}
	}
	if len(mentions) == 0 {
		return ""
	}
	return event.Kind(mentions[0].kind)
}

// mentions lists, in the order of the text, where kinds are named. What a let
// mentions is at the place where the let is named.
func (b *body) mentions(n ast.Node) []mention {
	var out []mention
	each(&n, func(at *ast.Node) bool {
		switch n := (*at).(type) {
		case *ast.IdentifierNode:
			if l := b.letNamed(n.Value); l != nil {
				for _, kind := range b.kindsOf(l) {
					out = append(out, mention{kind, n})
				}
			} else if slices.Contains(kinds, n.Value) {
				out = append(out, mention{n.Value, n})
			}
		case *ast.BinaryNode:
			if field, value, ok := b.equality(n); ok && field == "kind" && n.Operator == "==" {
				out = append(out, mention{value, n})
			}
		case *ast.UnaryNode:
			if eq, ok := n.Node.(*ast.BinaryNode); ok && (n.Operator == "!" || n.Operator == "not") {
				if field, value, ok := b.equality(eq); ok && field == "kind" && eq.Operator == "==" {
					b.errorOn(n, `write kind != "`+value+`"`, `kind == "%s" makes the step about that kind only, so it cannot be denied`, value)
					return false
				}
			}
		}
		return true
	})
	return out
}

// kindsOf lists the kinds a let mentions, each once. It is remembered: lets
// that name lets twice would double the work each time.
func (b *body) kindsOf(l *let) []string {
	if l.kinds == nil {
		l.kinds = []string{}
		for _, m := range b.mentions(l.node.Value) {
			if !slices.Contains(l.kinds, m.kind) {
				l.kinds = append(l.kinds, m.kind)
			}
		}
	}
	return l.kinds
}

// equality takes `field == "value"` apart, either way round; also `!=`.
func (b *body) equality(n *ast.BinaryNode) (field, value string, ok bool) {
	if n.Operator != "==" && n.Operator != "!=" {
		return "", "", false
	}
	left, right := n.Left, n.Right
	if _, text := b.behind(left).(*ast.StringNode); text {
		left, right = right, left
	}
	lit, isText := b.behind(right).(*ast.StringNode)
	field = b.fieldPath(left)
	return field, valueOf(lit), isText && field != ""
}

func valueOf(lit *ast.StringNode) string {
	if lit == nil {
		return ""
	}
	return lit.Value
}

// membership takes `field in ["a", "b"]` apart.
func (b *body) membership(n *ast.BinaryNode) (field string, values []*ast.StringNode, ok bool) {
	list, isList := b.behind(n.Right).(*ast.ArrayNode)
	if n.Operator != "in" || !isList {
		return "", nil, false
	}
	for _, e := range list.Nodes {
		lit, isText := e.(*ast.StringNode)
		if !isText {
			return "", nil, false
		}
		values = append(values, lit)
	}
	field = b.fieldPath(n.Left)
	return field, values, field != ""
}

// fieldPath is the path of an event's field, names of lets followed.
func (b *body) fieldPath(n ast.Node) string {
	p := pathOf(b.behind(n))
	if p == "" {
		return ""
	}
	if l := b.letNamed(root(p)); l != nil { // let u = user; u.uuid
		base := b.fieldPath(l.node.Value)
		if base == "" {
			return ""
		}
		p = base + p[len(root(p)):]
	}
	if _, ok := fieldType(envType, root(p)); !ok {
		return ""
	}
	return p
}

// conjuncts are the conditions that must all hold for the expression to hold,
// each once, however often lets name it.
func (b *body) conjuncts(n ast.Node) []ast.Node {
	var out []ast.Node
	seen := map[ast.Node]bool{}
	var walk func(ast.Node)
	walk = func(n ast.Node) {
		n = b.behind(n)
		if seen[n] {
			return
		}
		seen[n] = true
		if and, ok := n.(*ast.BinaryNode); ok && (and.Operator == "&&" || and.Operator == "and") {
			walk(and.Left)
			walk(and.Right)
			return
		}
		out = append(out, n)
	}
	walk(n)
	return out
}
