package rules

import (
	"slices"

	"github.com/expr-lang/expr/ast"
)

// duplicateStep: two steps of different names that say the same for the same
// key, so that one of them was to say something else; or, in a sequence, a step
// right after itself, which times says better. A step that comes again later,
// or is there twice in together, can be meant.
func duplicateStep(s *subject) {
	steps := s.form.steps
	for i := range steps {
		for j := range i {
			inARow := s.form.word == Sequence && j == i-1
			if (steps[i].name != steps[j].name || inARow) && s.same(steps[i], steps[j]) {
				s.warnOn(steps[i].test, "correct one of the two, or write times(step, n) where n such events are wanted",
					"step %d, %s, says the same as step %d, %s", i+1, steps[i].name, j+1, steps[j].name)
				break
			}
		}
	}
}

// same tells whether two steps are about the same events under the same key.
func (s *subject) same(a, b stepForm) bool {
	text := func(n ast.Node) string { return s.behind(n).String() }
	keys := func(k *keys) []string {
		var out []string
		if k != nil {
			for _, n := range k.nodes {
				out = append(out, text(n))
			}
		}
		return out
	}
	return text(a.test) == text(b.test) && slices.Equal(keys(a.keys), keys(b.keys))
}
