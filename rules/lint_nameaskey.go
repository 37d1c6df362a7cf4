package rules

import (
	"slices"
	"strings"

	"github.com/expr-lang/expr/ast"
)

// nameAsKey: people are told apart by their names or e-mail addresses, which
// are what they were when the event was made. Across sources there is nothing
// better, for a person's uuid differs from account to account.
func nameAsKey(s *subject) {
	if s.form.across {
		return
	}
	for _, l := range s.leaves() {
		path := s.fieldPath(unwrapped(s.behind(l.node)))
		who, part, _ := cutLast(path)
		if l.what == "key" && slices.Contains([]string{"user", "audit.object", "audit.aux"}, who) && (part == "name" || part == "email") {
			s.warnOn(l.node, "write "+who+".uuid", "the key %s changes when the person's %s does, and then one person is two", path, part)
		}
	}
}

// unwrapped takes functions off that leave a text as good as it is.
func unwrapped(n ast.Node) ast.Node {
	for {
		call, ok := n.(*ast.BuiltinNode)
		if !ok || len(call.Arguments) != 1 || !slices.Contains([]string{"lower", "upper", "trim"}, call.Name) {
			return n
		}
		n = call.Arguments[0]
	}
}

// cutLast cuts a path before its last part.
func cutLast(path string) (before, last string, ok bool) {
	i := strings.LastIndexByte(path, '.')
	if i < 0 {
		return "", path, false
	}
	return path[:i], path[i+1:], true
}
