package rules

import (
	"reflect"
	"time"

	"github.com/expr-lang/expr/ast"
)

// defaultWithin is the window of a bare step, and what bounds the quiet gap
// that no front matter says.
const defaultWithin = time.Hour

// maxCount bounds the n of times and distinct.
const maxCount = 100_000

// form is a pattern as it is read off the tree.
type form struct {
	word   Word
	node   ast.Node // where the word stands
	steps  []stepForm
	n      int
	value  ast.Node // of distinct
	speed  float64  // of travel, km/h
	keys   *keys    // of the whole
	within time.Duration
	across bool
}

// stepForm is one step.
type stepForm struct {
	name  string
	test  ast.Node // the predicate
	times int
	keys  *keys // its own, nil: those of the whole
}

// keys is one by(…).
type keys struct {
	call  ast.Node
	nodes []ast.Node
}

// patternReader reads the pattern off a checked tree.
type patternReader struct{ *body }

// read reads the whole pattern. It reports what is wrong and then gives nil.
func (r patternReader) read(n ast.Node) *form {
	f := &form{node: n}
	before := len(r.problems)
	if !r.modified(n, f) {
		return nil
	}
	r.complete(f)
	if len(r.problems) > before {
		return nil
	}
	return f
}

// call takes a call of a pattern word apart, names of lets followed.
func (r patternReader) call(n ast.Node) (name string, args []ast.Node, ok bool) {
	call, ok := r.behind(n).(*ast.CallNode)
	if !ok || call.Type() != reflect.TypeFor[pattern]() {
		return "", nil, false
	}
	return call.Callee.(*ast.IdentifierNode).Value, call.Arguments, true
}

// modified reads by, within and across off the outside, and then the pattern.
func (r patternReader) modified(n ast.Node, f *form) bool {
	name, args, ok := r.call(n)
	if !ok {
		f.word, f.node = Bare, n
		step, ok := r.step(n)
		f.steps = append(f.steps, step)
		return ok
	}
	at := r.behind(n)
	switch name {
	case "by":
		k, ok := r.by(at, args)
		if ok && f.keys != nil {
			r.errorOn(at, "write all fields into one: by(a, b)", "by is there twice")
		}
		f.keys = k
		return k != nil && r.modified(args[0], f) && ok
	case "within":
		if f.within != 0 {
			r.errorOn(at, "", "within is there twice")
		}
		ok := r.within(at, args, f)
		return len(args) > 0 && r.modified(args[0], f) && ok
	case "across":
		if len(args) != 1 {
			r.errorOn(at, "write | across()", "across takes nothing")
			return false
		}
		if f.across {
			r.errorOn(at, "", "across is there twice")
		}
		f.across = true
		return r.modified(args[0], f)
	}
	f.word, f.node = Word(name), at
	switch f.word {
	case Times:
		return r.times(at, args, f)
	case Distinct:
		return r.distinct(at, args, f)
	case Together:
		return r.together(at, args, f)
	case Travel:
		return r.travel(at, args, f)
	}
	return r.sequence(at, args, f)
}

func (r patternReader) times(at ast.Node, args []ast.Node, f *form) bool {
	step, ok := r.timesStep(at, args)
	f.n, f.steps = step.times, []stepForm{step}
	return ok
}

func (r patternReader) distinct(at ast.Node, args []ast.Node, f *form) bool {
	if len(args) != 3 {
		r.errorOn(at, "write distinct(step, item.item_uuid, 10), or step | distinct(item.item_uuid, 10)",
			"distinct takes a step, a value and a number")
		return false
	}
	step, ok := r.step(args[0])
	if ok && step.times != 1 {
		r.errorOn(args[0], "", "distinct takes a step, not times")
		ok = false
	}
	f.steps, f.value = []stepForm{step}, args[1]
	switch kind := args[1].Type().Kind(); {
	case poisoned(r.behind(args[1])):
		ok = false
	case kind != reflect.String && !isNumber(kind):
		r.errorOn(args[1], "", "distinct counts texts or numbers, not %s", typeName(args[1]))
		ok = false
	}
	n, okCount := r.count(args[2], "distinct", 2)
	f.n = n
	return ok && okCount
}

func (r patternReader) sequence(at ast.Node, args []ast.Node, f *form) bool {
	ok, slots := true, 0
	for _, a := range args {
		step, okStep := r.step(a)
		if !okStep {
			ok = false
			continue
		}
		f.steps = append(f.steps, step)
		if slots += step.times; slots > MaxSlots {
			r.errorOn(a, "", "a sequence takes at most %d events in all, and with this step it takes %d", MaxSlots, slots)
			return false
		}
	}
	if ok && (len(args) == 0 || len(args) == 1 && slots < 2) {
		r.errorOn(at, "write sequence(first, then), or sequence(times(step, 5))", "a sequence has at least two steps")
		return false
	}
	return ok
}

// complete fills in what a bare step may leave out and demands the rest.
func (r patternReader) complete(f *form) {
	if f.within == 0 {
		if f.word != Bare {
			r.errorOn(f.node, `write | within("15m") behind it`, "%s has no window", f.word)
		}
		f.within = defaultWithin
	}
	given := f.keys
	for i := range f.steps {
		step := &f.steps[i]
		switch {
		case step.keys == nil:
			step.keys = f.keys
		case given == nil:
			given = step.keys
		}
		if step.keys != nil && given != nil && len(step.keys.nodes) != len(given.nodes) {
			r.errorOn(step.keys.call, "", "step %s has %d key fields, another %d: they are compared one by one",
				step.name, len(step.keys.nodes), len(given.nodes))
		}
	}
	for _, step := range f.steps {
		if step.keys == nil && f.word != Bare {
			where, what := f.node, string(f.word)
			if given != nil {
				where, what = step.test, "step "+step.name
			}
			r.errorOn(where, "write | by(user.uuid) to look at each person alone, or | by() to look at all events together",
				"%s has no by", what)
			return
		}
	}
}
