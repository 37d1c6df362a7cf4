package rules

import (
	"fmt"
	"slices"

	"github.com/expr-lang/expr/ast"
)

// textFunction is a function of one text that a leaf calls: a list or range it
// may be in, a column of the row it is the key of.
type textFunction struct {
	call  func(string) any
	shape any // a function with its parameter and result
}

func (s *stringSet) function() textFunction {
	return textFunction{func(value string) any { return s.has(value) }, s.has}
}

func (t *table) function(column string) textFunction {
	number := slices.Index(t.columns, column)
	cell := func(key string) string { return t.cell(key, number) }
	return textFunction{func(key string) any { return cell(key) }, cell}
}

// nameFunctions turns `x in list("n")`, `cidr(x, "r")` and `lookup("t", x).c`
// into calls of functions that are one set or column each, and returns those by
// their names, which no rule can write. A let that is a row becomes its key.
func (b *body) nameFunctions(tree *ast.Node) map[string]textFunction {
	named := map[string]textFunction{}
	call := func(at *ast.Node, name string, f textFunction, value ast.Node) {
		named[name] = f
		callee := &ast.IdentifierNode{Value: name}
		callee.SetLocation((*at).Location())
		ast.Patch(at, &ast.CallNode{Callee: callee, Arguments: []ast.Node{value}})
	}
	each(tree, func(at *ast.Node) bool {
		switch n := (*at).(type) {
		case *ast.BinaryNode:
			if list, ok := n.Right.(*ast.CallNode); ok && n.Operator == "in" && isCallOf(list, "list") {
				name, _ := listName(list)
				call(at, "list "+name, b.lists.sets[name].function(), n.Left)
			}
		case *ast.CallNode:
			if isCallOf(n, "cidr") {
				r := n.Arguments[1].(*ast.StringNode).Value
				set := newStringSet()
				if err := set.add(r); err != nil {
					panic(fmt.Sprintf("range %q was not checked: %v", r, err))
				}
				call(at, "cidr "+r, set.function(), n.Arguments[0])
			}
		case *ast.VariableDeclaratorNode:
			if row, ok := n.Value.(*ast.CallNode); ok && isCallOf(row, "lookup") {
				n.Value = row.Arguments[1]
			}
		case *ast.MemberNode:
			if t, key := b.rowKey(n.Node); t != nil {
				column := n.Property.(*ast.StringNode).Value
				call(at, fmt.Sprintf("lookup %q %q", t.name, column), t.function(column), key)
			}
		}
		return true
	})
	return named
}

// rowKey is the table that the node is a row of, and the key it is the row of;
// nil for anything else. A let that is a row stands for its key.
func (b *body) rowKey(n ast.Node) (*table, ast.Node) {
	switch n := n.(type) {
	case *ast.CallNode:
		if isCallOf(n, "lookup") {
			return b.lists.tables[tableName(n)], n.Arguments[1]
		}
	case *ast.IdentifierNode:
		if l := b.letNamed(n.Value); l != nil && l.row != nil {
			return l.row, n
		}
	}
	return nil, nil
}
