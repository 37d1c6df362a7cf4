package rules

import (
	"slices"

	"github.com/expr-lang/expr/ast"
)

// unknownValue: a field is compared with a value that it is not known to have.
func unknownValue(s *subject) {
	s.comparedValues(func(at ast.Node, field, value string) {
		if values := known[field]; values != nil && !slices.Contains(values, value) {
			s.warnOn(at, didYouMean(value, values), "%s is not known to be %q", field, value)
		}
	})
}

// comparedValues visits the literal texts that fields are compared with, the
// empty one left out.
func (s *subject) comparedValues(visit func(at ast.Node, field, value string)) {
	each(&s.tree.Node, func(at *ast.Node) bool {
		n, ok := (*at).(*ast.BinaryNode)
		if !ok {
			return true
		}
		if field, value, ok := s.equality(n); ok && value != "" {
			lit := n.Right
			if _, text := s.behind(lit).(*ast.StringNode); !text {
				lit = n.Left
			}
			visit(lit, field, value)
		} else if field, values, ok := s.membership(n); ok {
			for _, lit := range values {
				if lit.Value != "" {
					visit(lit, field, lit.Value)
				}
			}
		}
		return true
	})
}
