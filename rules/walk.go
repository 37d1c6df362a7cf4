package rules

import (
	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/file"
)

// children are the places of a node's direct sub-nodes, in the order of the
// text (a piped value comes first, as it does there).
func children(n ast.Node) []*ast.Node {
	all := func(nodes []ast.Node) []*ast.Node {
		out := make([]*ast.Node, len(nodes))
		for i := range nodes {
			out[i] = &nodes[i]
		}
		return out
	}
	switch n := n.(type) {
	case *ast.UnaryNode:
		return []*ast.Node{&n.Node}
	case *ast.BinaryNode:
		return []*ast.Node{&n.Left, &n.Right}
	case *ast.ChainNode:
		return []*ast.Node{&n.Node}
	case *ast.MemberNode:
		return []*ast.Node{&n.Node, &n.Property}
	case *ast.SliceNode:
		out := []*ast.Node{&n.Node}
		for _, bound := range []*ast.Node{&n.From, &n.To} {
			if *bound != nil {
				out = append(out, bound)
			}
		}
		return out
	case *ast.CallNode:
		return append([]*ast.Node{&n.Callee}, all(n.Arguments)...)
	case *ast.BuiltinNode:
		return all(n.Arguments)
	case *ast.PredicateNode:
		return []*ast.Node{&n.Node}
	case *ast.VariableDeclaratorNode:
		return []*ast.Node{&n.Value, &n.Expr}
	case *ast.SequenceNode:
		return all(n.Nodes)
	case *ast.ConditionalNode:
		return []*ast.Node{&n.Cond, &n.Exp1, &n.Exp2}
	case *ast.ArrayNode:
		return all(n.Nodes)
	case *ast.MapNode:
		return all(n.Pairs)
	case *ast.PairNode:
		return []*ast.Node{&n.Key, &n.Value}
	}
	return nil
}

// each calls visit for a node and all below it, a node before its children,
// and leaves out what is below a node for which visit says no.
func each(place *ast.Node, visit func(place *ast.Node) bool) {
	if *place == nil || !visit(place) {
		return
	}
	for _, c := range children(*place) {
		each(c, visit)
	}
}

// location is where a node is. An `if` has no place of its own in expr: it is
// where the first of its parts is that has one.
func location(n ast.Node) file.Location {
	var found file.Location
	each(&n, func(place *ast.Node) bool {
		if found == (file.Location{}) {
			found = (*place).Location()
		}
		return found == (file.Location{})
	})
	return found
}

// poison stands where a mistake was reported: it fits everywhere, so that one
// mistake is told once.
func poison(place *ast.Node) { ast.Patch(place, &ast.ConstantNode{}) }

func isPoison(n ast.Node) bool {
	c, ok := n.(*ast.ConstantNode)
	return ok && c.Value == nil
}

// poisoned tells whether there is poison anywhere in it.
func poisoned(n ast.Node) bool {
	found := false
	each(&n, func(place *ast.Node) bool {
		found = found || isPoison(*place)
		return !found
	})
	return found
}
