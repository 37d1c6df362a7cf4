package rules

import (
	"reflect"
	"slices"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/checker"
	"github.com/expr-lang/expr/compiler"
	"github.com/expr-lang/expr/optimizer"
	"github.com/expr-lang/expr/parser"
	"github.com/expr-lang/expr/vm"
)

// A rule file is parsed and checked whole, but it is never run whole: its
// leaves (step predicates, keys, values) are compiled each to a program of its
// own, with the lets it needs wrapped around it.
//
// expr's checker and optimizer write into the nodes they work on, so no tree
// may be compiled twice. Each leaf is therefore taken from a fresh parse of
// the same text, where it is the node with the same number in walking order.

// compile makes a program of the leaf n of the checked tree. A leaf that wants
// a text but is a number is turned into text.
func (b *body) compile(n ast.Node, want reflect.Kind) (*vm.Program, error) {
	number := numberOf(b.tree.Node, b.behind(n))
	fresh, err := parser.ParseWithConfig(b.src, newConfig(nil))
	if err != nil {
		return nil, err
	}
	leaf := nodeNumbered(fresh.Node, number)
	at := leaf.Location()
	if want == reflect.String && isNumber(n.Type().Kind()) {
		leaf = &ast.BuiltinNode{Name: "string", Arguments: []ast.Node{leaf}}
		leaf.SetLocation(at)
	}
	tree := &parser.Tree{Node: withLets(fresh.Node, leaf), Source: fresh.Source}
	config := newConfig(b.nameFunctions(&tree.Node))
	expr.AsKind(want)(config)
	expr.WarnOnAny()(config)
	if _, err := checker.Check(tree, config); err != nil {
		return nil, err
	}
	if err := optimizer.Optimize(&tree.Node, config); err != nil {
		return nil, err
	}
	return compiler.Compile(tree, config)
}

// withLets wraps the lets around a leaf that it names, directly or through
// other lets.
func withLets(file, leaf ast.Node) ast.Node {
	var lets []*ast.VariableDeclaratorNode
	for n := file; ; {
		d, ok := n.(*ast.VariableDeclaratorNode)
		if !ok {
			break
		}
		lets = append(lets, d)
		n = d.Expr
	}
	for _, d := range slices.Backward(lets) { // a let names only lets before it
		if names(leaf, d.Name) {
			let := &ast.VariableDeclaratorNode{Name: d.Name, Value: d.Value, Expr: leaf}
			let.SetLocation(d.Location())
			leaf = let
		}
	}
	return leaf
}

func names(n ast.Node, name string) bool {
	found := false
	each(&n, func(at *ast.Node) bool {
		if id, ok := (*at).(*ast.IdentifierNode); ok && id.Value == name {
			found = true
		}
		return !found
	})
	return found
}

// numberOf is the number of a node in walking order.
func numberOf(tree, n ast.Node) int {
	number, i := -1, 0
	each(&tree, func(at *ast.Node) bool {
		if *at == n && number < 0 {
			number = i
		}
		i++
		return true
	})
	return number
}

func nodeNumbered(tree ast.Node, number int) (found ast.Node) {
	i := 0
	each(&tree, func(at *ast.Node) bool {
		if i == number {
			found = *at
		}
		i++
		return true
	})
	return found
}
