package rules

import "github.com/expr-lang/expr/ast"

// together reads together(a, b, …): steps of one event each, in any order.
func (r patternReader) together(at ast.Node, args []ast.Node, f *form) bool {
	ok := true
	for i, a := range args {
		if i == MaxTogether {
			r.errorOn(a, "", "together takes at most %d steps", MaxTogether)
			return false
		}
		step, okStep := r.step(a)
		if okStep && step.times != 1 {
			r.errorOn(a, "repeat the step, as in together(failed, failed, exported), or write sequence(times(failed, 5), exported)",
				"a step of together is one event, not times")
			okStep = false
		}
		ok = ok && okStep
		f.steps = append(f.steps, step)
	}
	if ok && len(args) < 2 {
		r.errorOn(at, "write together(this, that)", "together has at least two steps")
		return false
	}
	return ok
}
