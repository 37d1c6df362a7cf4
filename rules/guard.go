package rules

import (
	"github.com/expr-lang/expr/ast"

	"watchword/bus/event"
)

// guard is a condition on one field that must hold for a step to match: the
// field has one of the values. Matchers find the steps an event may match by
// it, so that a thousand rules cost little more than ten.
type guard struct {
	field  indexed
	values []string
}

// indexed is a field by which steps are found.
type indexed int

// The indexed fields, none first, those that tell more apart before others.
const (
	unindexed indexed = iota
	signinType
	signinCategory
	signinOutcome
	itemAction
	auditAction
	auditObjectType
	indexedEnd
)

var indexedPaths = [indexedEnd]string{
	"", "signin.type", "signin.category", "signin.outcome", "item.action", "audit.action", "audit.object_type",
}

// kind is the kind of event that fills the field.
func (i indexed) kind() event.Kind { return event.Kind(root(indexedPaths[i])) }

// of is the field's value. It is a switch and no table of functions, so that
// the event stays on the stack.
func (i indexed) of(f *event.Fields) string {
	switch i {
	case signinType:
		return f.Signin.Type
	case signinCategory:
		return f.Signin.Category
	case signinOutcome:
		return f.Signin.Outcome
	case itemAction:
		return f.Item.Action
	case auditAction:
		return f.Audit.Action
	case auditObjectType:
		return f.Audit.ObjectType
	}
	return ""
}

func (g *guard) admits(f *event.Fields) bool {
	if g.field == unindexed {
		return true
	}
	value := g.field.of(f)
	for _, v := range g.values {
		if v == value {
			return true
		}
	}
	return false
}

// guardOf finds the guard of a step: the most telling of its conjuncts that
// compares an indexed field with literal texts.
func (b *body) guardOf(kind event.Kind, step ast.Node) guard {
	best := guard{}
	for _, c := range b.conjuncts(step) {
		n, ok := c.(*ast.BinaryNode)
		if !ok {
			continue
		}
		var g guard
		if field, value, ok := b.equality(n); ok && n.Operator == "==" {
			g = guard{indexedField(field), []string{value}}
		} else if field, values, ok := b.membership(n); ok {
			g = guard{field: indexedField(field)}
			for _, v := range values {
				g.values = append(g.values, v.Value)
			}
		}
		if g.field != unindexed && g.field.kind() == kind && (best.field == unindexed || g.field < best.field) {
			best = g
		}
	}
	return best
}

func indexedField(path string) indexed {
	for i := unindexed + 1; i < indexedEnd; i++ {
		if indexedPaths[i] == path {
			return i
		}
	}
	return unindexed
}
