package rules

import (
	"errors"
	"strings"

	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/conf"
	"github.com/expr-lang/expr/file"
	"github.com/expr-lang/expr/parser"
)

// body is the expression of one rule file while it is checked.
type body struct {
	*text
	src    string // the whole file with the front matter blank
	config *conf.Config
	lists  *lists

	tree  *parser.Tree
	lets  []*let
	final *ast.Node // the expression after the lets

	lost map[string]bool // names of lets that a syntax error swallowed
}

// let is a named expression: `let name = value;`.
type let struct {
	name      string
	node      *ast.VariableDeclaratorNode
	used      bool
	isPattern bool
	row       *table   // the table it is a row of, nil for anything else
	kinds     []string // see kindsOf
	joined    int      // see joined, 0: not counted yet
}

// hole stands for a statement that could not be read. It is one letter long so
// that it fits into the shortest, and is not found in a rule.
const hole = 'ʘ'

// parse reads the syntax of the whole file. The parser stops at the first
// error; so the statement the error is in is replaced by a hole, and what is
// left is read again, until nothing is wrong or there is nothing to go on with.
func (b *body) parse() bool {
	if strings.TrimSpace(b.src) == "" {
		last := len(b.lines)
		b.errorAt(last, 1, `such as: audit.action == "suspend"`, "there is no expression after the front matter")
		return false
	}
	src := []rune(b.src)
	for {
		tree, err := parser.ParseWithConfig(string(src), b.config)
		if err == nil {
			b.tree = tree
			break
		}
		var at *file.Error
		if !errors.As(err, &at) {
			b.errorAt(1, 1, "", "%v", err)
			return false
		}
		b.syntaxError(src, at)
		if !b.dig(src, at.From) {
			return false
		}
	}
	if nodes := b.countNodes(); nodes > maxNodes {
		b.errorOn(b.tree.Node, tooManyHint, tooManyNodes, maxNodes)
		return false
	}
	b.final = &b.tree.Node
	for {
		d, ok := (*b.final).(*ast.VariableDeclaratorNode)
		if !ok {
			break
		}
		b.lets = append(b.lets, &let{name: d.Name, node: d})
		b.final = &d.Expr
	}
	each(&b.tree.Node, func(place *ast.Node) bool {
		if id, ok := (*place).(*ast.IdentifierNode); ok && id.Value == string(hole) {
			poison(place)
		}
		return true
	})
	return true
}

const (
	tooManyNodes = "the expression has more than %d parts"
	tooManyHint  = "put long lists of values into a file below lists/"
)

// countNodes counts the nodes as they are walked, up to one too many. The
// parser's own count is not enough: the middle of 1 < x < 5 is one node that is
// walked twice, and such middles can be nested.
func (b *body) countNodes() int {
	n := 0
	each(&b.tree.Node, func(*ast.Node) bool {
		n++
		return n <= maxNodes
	})
	return n
}

// errorOn reports an error at a node.
func (b *body) errorOn(n ast.Node, hint, format string, args ...any) {
	line, column := b.position(location(n).From)
	b.errorAt(line, column, hint, format, args...)
}

// letNamed is the let a name stands for.
func (b *body) letNamed(name string) *let {
	for _, l := range b.lets {
		if l.name == name {
			return l
		}
	}
	return nil
}

// behind follows names of lets to what they stand for.
func (b *body) behind(n ast.Node) ast.Node {
	for {
		id, ok := n.(*ast.IdentifierNode)
		if !ok {
			return n
		}
		l := b.letNamed(id.Value)
		if l == nil {
			return n
		}
		n = l.node.Value
	}
}
