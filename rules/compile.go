package rules

import (
	"errors"
	"reflect"

	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/file"
	"github.com/expr-lang/expr/vm"

	"watchword/bus/event"
)

// compiled is how a rule is matched.
type compiled struct {
	number int // of the rule in its set
	steps  []compiledStep
	value  *vm.Program // what Distinct counts, nil for other words

	// userOrSource: no by was given, so the key is the user, or the source of
	// an event without one.
	userOrSource bool
	entityKeyed  bool
}

// compiledStep is one step. An event that its kind and guard do not admit is
// not evaluated: they are part of the meaning of the step.
type compiledStep struct {
	kind  event.Kind // empty: every kind
	guard guard
	test  *vm.Program
	keys  []*vm.Program
}

// admits tells whether the event is to be evaluated.
func (s *compiledStep) admits(f *event.Fields) bool {
	return (s.kind == "" || string(s.kind) == f.Kind) && s.guard.admits(f)
}

// compileForm compiles the leaves of a pattern. It reports what is wrong with
// a leaf by itself and then gives nil.
func (b *body) compileForm(f *form) *compiled {
	out := &compiled{userOrSource: f.word == Bare && f.steps[0].keys == nil, entityKeyed: true}
	leaf := func(n ast.Node, want reflect.Kind) *vm.Program {
		program, err := b.compile(n, want)
		if err != nil {
			b.leafError(n, err)
		}
		return program
	}
	for _, s := range f.steps {
		step := compiledStep{kind: b.kindOf(s.test)}
		step.guard = b.guardOf(step.kind, s.test)
		step.test = leaf(s.test, reflect.Bool)
		if s.keys == nil {
			out.entityKeyed = false
		} else {
			out.entityKeyed = out.entityKeyed && len(s.keys.nodes) > 0 && b.fieldPath(s.keys.nodes[0]) == "user.uuid"
			for _, k := range s.keys.nodes {
				step.keys = append(step.keys, leaf(k, reflect.String))
			}
		}
		out.steps = append(out.steps, step)
	}
	if f.value != nil {
		out.value = leaf(f.value, reflect.String)
	}
	if b.hasErrors() {
		return nil
	}
	return out
}

// leafError reports what only the compilation of a leaf shows, such as a
// division by a literal zero.
func (b *body) leafError(n ast.Node, err error) {
	var at *file.Error
	if errors.As(err, &at) && at.From > 0 {
		line, column := b.position(at.From)
		b.errorAt(line, column, "", "%s", plainTypes(at.Message))
		return
	}
	b.errorOn(n, "", "%s", plainTypes(err.Error()))
}
