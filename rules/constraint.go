package rules

import (
	"reflect"
	"regexp"
	"slices"
	"strings"

	"github.com/expr-lang/expr/ast"

	"watchword/bus/event"
)

// constraint is what an expression demands of one text field: a test, and,
// where only some values can pass it, those to try.
type constraint struct {
	field  string
	test   func(string) bool
	values []string // that can pass, if finite
	finite bool
}

// maxConditions bounds the conditions read of one step: lets that name lets
// twice would double them each time.
const maxConditions = 5000

// conditionReader reads the conditions of one step.
type conditionReader struct {
	*body
	left int // conditions that may still be read
}

// constraints are what the step's conjuncts demand of each field, as far as
// they are conditions on that field alone.
func (b *body) constraints(step ast.Node, kind event.Kind) map[string]constraint {
	out := map[string]constraint{}
	demand := func(c constraint) {
		if have, ok := out[c.field]; ok {
			c = both(have, c)
		}
		out[c.field] = c
	}
	if kind != "" {
		demand(oneOf("kind", string(kind)))
	}
	r := conditionReader{b, maxConditions}
	for _, n := range b.conjuncts(step) {
		if c, ok := r.read(n, false); ok {
			demand(c)
		}
	}
	if outcome, ok := out["signin.outcome"]; ok { // it is made of the category
		demand(constraint{field: "signin.category", test: func(category string) bool { return outcome.test(outcomeOf(category)) }})
	}
	return out
}

// outcomeOf is the outcome of a sign-in attempt with the category.
func outcomeOf(category string) string {
	if category == "success" || category == "firewall_reported_success" {
		return event.OutcomeSuccess
	}
	return event.OutcomeFailure
}

// possible tells whether any value passes, as far as that can be known.
func (c constraint) possible() bool { return !c.finite || slices.ContainsFunc(c.values, c.test) }

// only tells whether every value that passes is among these.
func (c constraint) only(values ...string) bool {
	return c.finite && !slices.ContainsFunc(c.values, func(v string) bool { return c.test(v) && !slices.Contains(values, v) })
}

// most is how many different non-empty values can pass, -1 for any number.
func (c constraint) most() int {
	if !c.finite {
		return -1
	}
	passing := map[string]bool{}
	for _, v := range c.values {
		if v != "" && c.test(v) {
			passing[v] = true
		}
	}
	return len(passing)
}

func oneOf(field string, values ...string) constraint {
	return constraint{field, func(v string) bool { return slices.Contains(values, v) }, values, true}
}

func both(a, b constraint) constraint {
	if !a.finite {
		a, b = b, a
	}
	return constraint{a.field, func(v string) bool { return a.test(v) && b.test(v) }, a.values, a.finite}
}

func either(a, b constraint) constraint {
	return constraint{a.field, func(v string) bool { return a.test(v) || b.test(v) }, slices.Concat(a.values, b.values), a.finite && b.finite}
}

// read reads a condition on one field, or its denial.
func (r *conditionReader) read(n ast.Node, denied bool) (constraint, bool) {
	n = r.behind(n)
	if r.left--; r.left < 0 {
		return constraint{}, false
	}
	if path := r.fieldPath(n); path != "" && n.Type() != nil && n.Type().Kind() == reflect.Bool {
		return oneOf(path, map[bool]string{true: "true", false: "false"}[!denied]), true
	}
	switch n := n.(type) {
	case *ast.UnaryNode:
		if n.Operator == "!" || n.Operator == "not" {
			return r.read(n.Node, !denied)
		}
	case *ast.BinaryNode:
		switch n.Operator {
		case "&&", "and", "||", "or":
			left, ok := r.read(n.Left, denied)
			right, okRight := r.read(n.Right, denied)
			if !ok || !okRight || left.field != right.field {
				return constraint{}, false
			}
			if (n.Operator == "&&" || n.Operator == "and") != denied {
				return both(left, right), true
			}
			return either(left, right), true
		}
		return r.comparison(n, denied)
	}
	return constraint{}, false
}

// comparison reads the comparison of a field with literal texts.
func (b *body) comparison(n *ast.BinaryNode, denied bool) (constraint, bool) {
	var values []string
	field, value, ok := b.equality(n)
	if ok {
		values, denied = []string{value}, denied != (n.Operator == "!=")
	} else if f, lits, okList := b.membership(n); okList {
		field, ok = f, true
		for _, lit := range lits {
			values = append(values, lit.Value)
		}
	}
	if ok {
		c := oneOf(field, values...)
		if denied {
			test := c.test
			c = constraint{field: field, test: func(v string) bool { return !test(v) }}
		}
		return c, true
	}
	lit, isText := b.behind(n.Right).(*ast.StringNode)
	field = b.fieldPath(n.Left)
	test := textTest(n.Operator, valueOf(lit))
	if !isText || field == "" || test == nil {
		return constraint{}, false
	}
	return constraint{field: field, test: func(v string) bool { return test(v) != denied }}, true
}

// textTest is the test that an operator makes of a text, nil if it is none.
func textTest(operator, with string) func(string) bool {
	switch operator {
	case "startsWith":
		return func(v string) bool { return strings.HasPrefix(v, with) }
	case "endsWith":
		return func(v string) bool { return strings.HasSuffix(v, with) }
	case "contains":
		return func(v string) bool { return strings.Contains(v, with) }
	case "matches":
		if re, err := regexp.Compile(with); err == nil {
			return re.MatchString
		}
	}
	return nil
}
