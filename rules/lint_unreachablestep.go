package rules

import (
	"maps"
	"slices"

	"github.com/expr-lang/expr/ast"
)

// unreachableStep: a step whose conditions contradict each other, or a value to
// be counted of which the step lets too few through.
func unreachableStep(s *subject) {
	for _, step := range s.form.steps {
		for _, n := range s.conjuncts(step.test) {
			if lit, ok := n.(*ast.BoolNode); ok && !lit.Value {
				s.warnOn(lit, "", "step %s can never match: it demands false", step.name)
				return
			}
		}
		about := s.kindOf(step.test)
		demands := s.constraints(step.test, about)
		for _, field := range slices.Sorted(maps.Keys(demands)) {
			if !demands[field].possible() {
				hint := ""
				if field == "kind" {
					hint = "the step is about " + string(about) + " events, because it names their fields"
				}
				s.warnOn(step.test, hint, "step %s can never match: its conditions on %s contradict each other", step.name, field)
				break
			}
		}
		if s.form.value == nil {
			continue
		}
		if n := demands[s.fieldPath(s.form.value)].most(); n >= 0 && n < s.form.n {
			s.warnOn(s.form.value, "", "the step lets only %d different %s through, so there are never %d", n, s.fieldPath(s.form.value), s.form.n)
		}
	}
}
