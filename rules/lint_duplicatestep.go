package rules

import (
	"slices"

	"github.com/expr-lang/expr/ast"
)

// duplicateStep: a step that says the same as the one before it, for the same
// key. Two events are then wanted, which times says; more often one of the two
// was to say something else. In a pattern without order, any earlier step.
func duplicateStep(s *subject) {
	steps := s.form.steps
	for i := range steps {
		from := i - 1
		if s.form.word != Sequence {
			from = 0
		}
		for j := max(from, 0); j < i; j++ {
			if s.same(steps[i], steps[j]) {
				s.warnOn(steps[i].test, "write times(step, n) for n such events, or correct one of the two",
					"step %d says the same as step %d", i+1, j+1)
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
