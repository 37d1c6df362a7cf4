package rules

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
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
	lists  map[string]*stringSet

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

var (
	numberWord = regexp.MustCompile(`^bad number syntax: "(\d+)(\D*)"$`)
	tokenWord  = regexp.MustCompile(`^unexpected token (\w+)(?:\("(.*)"\))?$`)
	firstLet   = regexp.MustCompile(`^\s*let\s+\w+\s*=`)
	laterLet   = regexp.MustCompile(`\blet\s+(\w+)\s*=`)
)

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

// syntaxError tells an error of the parser in the words of the rule language.
func (b *body) syntaxError(src []rune, at *file.Error) {
	message, hint, offset := at.Message, "", at.From
	if m := numberWord.FindStringSubmatch(message); m != nil {
		message = fmt.Sprintf("%s%s is no number", m[1], m[2])
		hint = fmt.Sprintf(`a duration is written in quotes: "%s%s"`, m[1], m[2])
		offset -= len(m[1]) // the lexer is behind the digits already
	} else if m := tokenWord.FindStringSubmatch(message); m != nil {
		token := m[2]
		switch {
		case m[1] == "EOF":
			message = "the expression ends too early"
		case token == "=":
			message, hint = "unexpected =", "to compare, write =="
		case token == "#":
			message, hint = "unexpected #", "a comment starts with //"
		case token == "let" || m[1] == "Identifier":
			message, hint = "unexpected "+token, "is a ; or an operator missing before it?"
		default:
			message = "unexpected " + token
		}
	} else if strings.Contains(message, "exceeds maximum allowed nodes") {
		message, hint = fmt.Sprintf(tooManyNodes, maxNodes), tooManyHint
	}
	if open, ok := unclosed(src); ok {
		line, column := b.position(open)
		hint = fmt.Sprintf("the %c of line %d, column %d is not closed", src[open], line, column)
	}
	line, column := b.position(offset)
	b.errorAt(line, column, hint, "%s", message)
}

// dig replaces the statement around the offset by a hole. It says no where
// the statements cannot be told apart or there is nothing to replace.
func (b *body) dig(src []rune, offset int) bool {
	if _, ok := unclosed(src); ok || slices.Contains([]rune(b.src), hole) {
		return false
	}
	start, end := 0, len(src)
	scan(src, func(i int, r rune) bool {
		if r != ';' {
			return true
		}
		if i < offset {
			start = i + 1
			return true
		}
		end = i
		return false
	})
	swallowed := string(src[start:end])
	if m := firstLet.FindString(swallowed); m != "" {
		if end == len(src) {
			return false // it runs into the pattern: a semicolon is missing
		}
		start += len([]rune(m))
		swallowed = string(src[start:end])
	}
	for _, m := range laterLet.FindAllStringSubmatch(swallowed, -1) {
		b.lost[m[1]] = true
	}
	dug := false
	for i := start; i < end; i++ {
		switch {
		case src[i] == '\n':
		case !dug && src[i] != ' ' && src[i] != '\t' && src[i] != hole:
			src[i], dug = hole, true
		default:
			src[i] = ' '
		}
	}
	return dug
}

// scan calls visit for every character that is neither in a text nor in a
// comment, until it says no.
func scan(src []rune, visit func(i int, r rune) bool) {
	for i := 0; i < len(src); i++ {
		switch r := src[i]; {
		case r == '"' || r == '\'' || r == '`':
			for i++; i < len(src) && src[i] != r; i++ {
				if src[i] == '\\' && r != '`' {
					i++
				}
			}
		case r == '/' && i+1 < len(src) && src[i+1] == '/':
			for i < len(src) && src[i] != '\n' {
				i++
			}
		case r == '/' && i+1 < len(src) && src[i+1] == '*':
			for i += 2; i+1 < len(src) && (src[i] != '*' || src[i+1] != '/'); {
				i++
			}
			i++
		case !visit(i, r):
			return
		}
	}
}

// unclosed finds the last bracket that is opened and not closed.
func unclosed(src []rune) (offset int, found bool) {
	closing := map[rune]rune{')': '(', ']': '[', '}': '{'}
	var open []int
	scan(src, func(i int, r rune) bool {
		switch {
		case strings.ContainsRune("([{", r):
			open = append(open, i)
		case closing[r] != 0 && len(open) > 0 && src[open[len(open)-1]] == closing[r]:
			open = open[:len(open)-1]
		}
		return true
	})
	if len(open) == 0 {
		return 0, false
	}
	return open[len(open)-1], true
}

// errorOn reports an error at a node.
func (b *body) errorOn(n ast.Node, hint, format string, args ...any) {
	line, column := b.position(location(n).From)
	b.errorAt(line, column, hint, format, args...)
}

func (b *body) warnOn(n ast.Node, hint, format string, args ...any) {
	line, column := b.position(location(n).From)
	b.warnAt(line, column, hint, format, args...)
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
