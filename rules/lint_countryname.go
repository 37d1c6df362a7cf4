package rules

import (
	"fmt"
	"slices"

	"github.com/expr-lang/expr/ast"

	"watchword/bus/event"
)

// countryFields hold ISO 3166 codes, whatever the API sent.
var countryFields = []string{"location.country", "signin.country"}

// countryName: a country is compared with something else than its code, in the
// rule or in a list.
func countryName(s *subject) {
	s.comparedValues(func(at ast.Node, field, value string) {
		if !slices.Contains(countryFields, field) {
			return
		}
		if code := event.Country(value); code != value {
			s.warnOn(at, fmt.Sprintf("write %q", code), "%s is never %q: countries are ISO 3166 codes of two capital letters", field, value)
		}
	})
	s.memberships(func(n *ast.BinaryNode, list *ast.CallNode) {
		field := s.fieldPath(n.Left)
		if !slices.Contains(countryFields, field) {
			return
		}
		name, _ := listName(list)
		for _, entry := range s.lists.sets[name].sortedTexts() {
			if code := event.Country(entry); code != entry {
				s.warnOn(list.Arguments[0], fmt.Sprintf("write %s in the list", code),
					"%s is never %q, which is in the list %q: countries are ISO 3166 codes of two capital letters", field, entry, name)
				return
			}
		}
	})
}

// memberships visits every `value in list("name")`.
func (s *subject) memberships(visit func(n *ast.BinaryNode, list *ast.CallNode)) {
	each(&s.tree.Node, func(at *ast.Node) bool {
		if n, ok := (*at).(*ast.BinaryNode); ok && n.Operator == "in" {
			if call, ok := n.Right.(*ast.CallNode); ok && isCallOf(call, "list") {
				visit(n, call)
			}
		}
		return true
	})
}
