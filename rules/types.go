package rules

import (
	"errors"
	"regexp"
	"strings"

	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/checker"
	"github.com/expr-lang/expr/file"
)

// checkTypes checks the types of the whole file. expr's checker stops at the
// first mistake; so the mistake is poisoned and the check is made again.
func (b *body) checkTypes() {
	for {
		_, err := checker.Check(b.tree, b.config)
		if err == nil {
			return
		}
		var at *file.Error
		if !errors.As(err, &at) {
			b.errorAt(1, 1, "", "%v", err)
			return
		}
		line, column := b.position(at.From)
		b.errorAt(line, column, typeHint(at.Message), "%s", plainTypes(at.Message))
		if !b.poisonAt(at.Location) {
			return
		}
	}
}

// poisonAt replaces the outermost node with exactly this location; a let is no
// such node, its value is.
func (b *body) poisonAt(at file.Location) bool {
	done := false
	each(&b.tree.Node, func(place *ast.Node) bool {
		n := *place
		if _, isLet := n.(*ast.VariableDeclaratorNode); !done && !isLet && !isPoison(n) && n.Location() == at {
			poison(place)
			done = true
		}
		return !done
	})
	return done
}

var (
	goType     = regexp.MustCompile(`\b(?:event|rules)\.(\w+)\b`)
	numberType = regexp.MustCompile(`\b(?:int|float64)\b`)
	notAmong   = regexp.MustCompile(`^cannot use (.+) as type (.+) in (?:map key|array)$`)
	mismatched = regexp.MustCompile(`^invalid operation: (\S+) \(mismatched types? (.*)\)$`)
)

// plainTypes rewrites an error of the type checker in the words of rules.
func plainTypes(message string) string {
	message = goType.ReplaceAllStringFunc(message, func(name string) string {
		_, name, _ = strings.Cut(name, ".")
		switch name {
		case "entries":
			return "list"
		}
		return strings.ToLower(name)
	})
	message = strings.NewReplacer("time.Time", "time", "time.Duration", "duration",
		"[]interface {}", "list", "[]string", "list", "[]int", "list", "[]bool", "list", "interface {}", "unknown").Replace(message)
	if m := notAmong.FindStringSubmatch(message); m != nil {
		return m[1] + " cannot be among values of type " + m[2]
	}
	if m := mismatched.FindStringSubmatch(message); m != nil {
		return m[1] + " does not go with " + m[2]
	}
	return strings.TrimSpace(message)
}

func typeHint(message string) string {
	if !strings.Contains(message, "string") {
		return ""
	}
	switch {
	case strings.Contains(message, "time.Duration"):
		return `write duration("10m")`
	case strings.Contains(message, "time.Time"):
		return `write date("2026-01-31")`
	case numberType.MatchString(message):
		return "a number becomes a text by string(…), a text a number by int(…)"
	}
	return ""
}
