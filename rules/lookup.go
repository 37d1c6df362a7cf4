package rules

import (
	"fmt"
	"maps"
	"slices"

	"github.com/expr-lang/expr/ast"
)

// tableName is the table a lookup names, empty where it names none.
func tableName(call *ast.CallNode) string {
	if len(call.Arguments) == 0 {
		return ""
	}
	lit, _ := call.Arguments[0].(*ast.StringNode)
	return valueOf(lit)
}

// tableOf is the table that the node is a row of: a call of lookup, or the
// name of a let that is one. It is nil for anything else.
func (c *resolver) tableOf(n ast.Node) *table {
	switch n := n.(type) {
	case *ast.CallNode:
		if isCallOf(n, "lookup") {
			return c.lists.table(tableName(n))
		}
	case *ast.IdentifierNode:
		if l := c.visible(n.Value); l != nil {
			return l.row
		}
	}
	return nil
}

// checkLookup checks lookup("name", key).
func (c *resolver) checkLookup(at *ast.Node, n *ast.CallNode, p place) {
	const form = `as in: lookup("vaults", item.vault_uuid).owner`
	if len(n.Arguments) != 2 {
		c.markUsed(n)
		c.refuse(at, form, "lookup takes the name of a table and a key")
		return
	}
	c.check(&n.Arguments[1], p.value("lookup()"))
	lit, ok := n.Arguments[0].(*ast.StringNode)
	if !ok {
		c.markUsed(n.Arguments[0])
		c.refuse(at, form, "the table of a lookup is named by a literal text")
		return
	}
	name := lit.Value
	switch t := c.lists.table(name); {
	case t == nil:
		hint := didYouMean(name, slices.Collect(maps.Keys(c.lists.tables)))
		if hint != "" {
			hint += " Or "
		}
		hint += fmt.Sprintf("create lists/%s.csv beside the rule: its first line names the columns, the first of which is the key", name)
		c.errorOn(lit, hint, "there is no table %q", name)
		poison(at)
	case t.unusable != "" && !t.spoilt:
		c.errorOn(lit, "", "the table %q cannot be used: %s", name, t.unusable)
		poison(at)
	case isPoison(n.Arguments[1]):
		poison(at)
	}
}

// checkColumn checks the name of a column behind a row of the table.
func (c *resolver) checkColumn(at *ast.Node, n *ast.MemberNode, t *table) {
	column, ok := n.Property.(*ast.StringNode)
	if !ok {
		c.markUsed(n.Property)
		c.refuse(at, "", "%s", refusedDynamic)
		return
	}
	if slices.Contains(t.columns, column.Value) || t.spoilt {
		return
	}
	hint := didYouMean(column.Value, t.columns)
	if hint == "" {
		hint = "it has " + some(t.columns)
	}
	c.refuse(at, hint, "the table %q has no column %s", t.name, column.Value)
}
