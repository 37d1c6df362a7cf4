package rules

import (
	"fmt"
	"reflect"
	"strings"
	"unicode/utf8"

	"github.com/expr-lang/expr/ast"
)

// timesStep reads times(step, n).
func (r patternReader) timesStep(at ast.Node, args []ast.Node) (stepForm, bool) {
	if len(args) != 2 {
		r.errorOn(at, "write times(step, 5), or step | times(5)", "times takes a step and a number")
		return stepForm{}, false
	}
	step, ok := r.step(args[0])
	if ok && step.times != 1 {
		r.errorOn(args[0], "", "times takes a step, not another times")
		ok = false
	}
	n, okCount := r.count(args[1], "times", 1)
	step.times = n
	return step, ok && okCount
}

// step reads a step: a predicate or, where several events fill it, times of
// one; either with its own by.
func (r patternReader) step(n ast.Node) (stepForm, bool) {
	name, args, ok := r.call(n)
	if !ok {
		return r.predicate(n)
	}
	at := r.behind(n)
	var step stepForm
	switch name {
	case "times":
		step, ok = r.timesStep(at, args)
	case "by":
		k, okKeys := r.by(at, args)
		if k == nil {
			return step, false
		}
		if step, ok = r.step(args[0]); ok && step.keys != nil {
			r.errorOn(at, "write all fields into one: by(a, b)", "the step has two by")
			return step, false
		}
		step.keys, ok = k, ok && okKeys
	case "within", "across":
		r.errorOn(at, "write it last", "%s belongs to the whole pattern, not to a step", name)
		return step, false
	default:
		r.errorOn(at, "a step is a condition, or times of one", "%s cannot be a step", name)
		return step, false
	}
	if id, named := n.(*ast.IdentifierNode); named {
		step.name = id.Value
	}
	return step, ok
}

// maxStepName bounds the name of a step that has no let, in characters.
const maxStepName = 80

func (r patternReader) predicate(n ast.Node) (stepForm, bool) {
	if poisoned(n) || poisoned(r.behind(n)) {
		return stepForm{times: 1}, false
	}
	if n.Type().Kind() != reflect.Bool {
		r.errorOn(n, `compare it with something, as in: item.action == "export"`,
			"a step must be a condition that is true or false, not %s", typeName(n))
		return stepForm{times: 1}, false
	}
	name := strings.Join(strings.Fields(n.String()), " ")
	if utf8.RuneCountInString(name) > maxStepName {
		name = string([]rune(name)[:maxStepName-1]) + "…"
	}
	return stepForm{name: name, test: n, times: 1}, true
}

// by reads by(pattern, key, …). There are no keys where there is no pattern.
func (r patternReader) by(at ast.Node, args []ast.Node) (*keys, bool) {
	if len(args) == 0 || args[0].Type().Kind() == reflect.String {
		r.errorOn(at, "write step | by(user.uuid)", "by stands behind a pattern")
		return nil, false
	}
	ok := true
	if len(args)-1 > maxKeys {
		r.errorOn(at, "", "by takes at most %d fields", maxKeys)
		ok = false
	}
	for _, a := range args[1:] {
		if poisoned(a) || poisoned(r.behind(a)) {
			ok = false
		} else if a.Type().Kind() != reflect.String {
			hint := ""
			if isPlain(a.Type()) {
				hint = fmt.Sprintf("write string(%s)", a)
			}
			r.errorOn(a, hint, "a key must be a text, not %s", typeName(a))
			ok = false
		}
	}
	return &keys{call: at, nodes: args[1:]}, ok
}

func (r patternReader) within(at ast.Node, args []ast.Node, f *form) bool {
	if len(args) != 2 {
		r.errorOn(at, `write pattern | within("15m")`, "within takes one duration")
		return false
	}
	lit, ok := r.behind(args[1]).(*ast.StringNode)
	if !ok {
		if !poisoned(args[1]) {
			r.errorOn(args[1], `write pattern | within("15m")`, "within takes a literal duration in quotes")
		}
		return false
	}
	d, err := parseDuration(lit.Value)
	if err != nil {
		line, column := r.position(location(lit).From)
		r.report(checkOf(err), Error, line, column, "", err.Error())
		return false
	}
	f.within = d
	return true
}

func (r patternReader) count(n ast.Node, word string, least int) (int, bool) {
	lit, ok := r.behind(n).(*ast.IntegerNode)
	switch {
	case poisoned(n):
		return least, false
	case !ok:
		r.errorOn(n, "", "%s takes a literal whole number", word)
	case lit.Value < least:
		r.errorOn(n, "", "%s takes a number of at least %d", word, least)
	case lit.Value > maxCount:
		r.errorOn(n, "", "%s takes a number of at most %d", word, maxCount)
	default:
		return lit.Value, true
	}
	return least, false
}

func isNumber(k reflect.Kind) bool {
	return reflect.Int <= k && k <= reflect.Float64 && k != reflect.Uintptr
}

// typeName is the type of a checked node as rules call it.
func typeName(n ast.Node) string {
	switch t := n.Type(); {
	case t.Kind() == reflect.Interface:
		return "a value of unknown type"
	case t.Kind() == reflect.Bool:
		return "true or false"
	case isNumber(t.Kind()) && t.PkgPath() == "":
		return "a number"
	case t.Kind() == reflect.String:
		return "a text"
	case t.Kind() == reflect.Slice:
		return "a list of values"
	case isRecord(t):
		return "the record " + n.String()
	default:
		return "a " + plainTypes(t.String())
	}
}
