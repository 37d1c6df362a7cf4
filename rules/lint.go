package rules

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/expr-lang/expr/ast"
)

// Every problem is told by a check. Those here look at one rule that has no
// error and warn; each has its file lint_….go, its examples in
// testdata/lint/<name> and its page docs/lint/<name>.md. A rule silences one
// with disable: [name] in its front matter.

// The checks whose problems are errors, so that no rule can silence them.
const (
	// Invalid is whatever keeps a file from being used and has no check of its own.
	Invalid = "invalid"

	attackIDCheck = "attack-id"
)

// windowHistory is an error where a duration by itself is too long, and a
// warning where only the durations of a rule together are.
const windowHistory = "window-history"

// lint is one check.
type lint struct {
	name string
	look func(*subject)

	// always: told whenever the rule is loaded, because the rule does not do
	// what it seems to say. The others are told by Check only.
	always bool
}

// lints are all checks that warn. It is a function so that reading a front
// matter, which names checks, is no cycle.
func lints() []lint {
	return []lint{
		{"bare-fold", bareFold, false},
		{"country-name", countryName, true},
		{"duplicate-step", duplicateStep, false},
		{"empty-key", emptyKey, true},
		{"empty-list", emptyList, true},
		{"name-as-key", nameAsKey, false},
		{"needless-regexp", needlessRegexp, false},
		{"no-attack", noAttack, false},
		{"no-false-positives", noFalsePositives, false},
		{"no-runbook", noRunbook, false},
		{"no-test", noTest, false},
		{"sparse-key", sparseKey, false},
		{"unknown-value", unknownValue, true},
		{"unreachable-step", unreachableStep, true},
		{windowHistory, windowBeyondHistory, false},
		{"window-retention", windowBeyondRetention, false},
	}
}

// warnings are the names of the checks that a rule can silence.
func warnings() []string {
	var names []string
	for _, l := range lints() {
		names = append(names, l.name)
	}
	return names
}

// CheckNames are the names of all checks, in order. Each has a page,
// docs/lint/<name>.md.
func CheckNames() []string {
	return slices.Sorted(slices.Values(append(warnings(), Invalid, attackIDCheck)))
}

// CheckConfig is what Check knows beside the files.
type CheckConfig struct {
	// Retention is how long events are kept; 0: not known.
	Retention time.Duration
}

// Check does what Load does and makes all checks, also those of style and of
// the tests beside the rules. Problems that a rule silences are marked.
func Check(c CheckConfig, folders ...Folder) (*Set, Problems) { return loadAll(folders, &c) }

// subject is a rule under examination.
type subject struct {
	*body
	rule   *Rule
	form   *form
	head   frontMatter
	folder Folder

	config *CheckConfig // nil: only what is always checked
	check  string       // the name of the check at work
}

// lint makes the checks and marks what the rule silences.
func (s *subject) lint(c *CheckConfig) {
	s.config = c
	for _, l := range lints() {
		if c != nil || l.always {
			s.check = l.name
			l.look(s)
		}
	}
	for i := range s.problems {
		s.problems[i].Silenced = slices.Contains(s.head.disable, s.problems[i].Check)
	}
}

// warnOn warns at a node.
func (s *subject) warnOn(n ast.Node, hint, format string, args ...any) {
	line, column := s.position(location(n).From)
	s.report(s.check, Warning, line, column, hint, fmt.Sprintf(format, args...))
}

// warnHead warns at a key of the front matter, or at its start where the key
// is not there.
func (s *subject) warnHead(key, hint, format string, args ...any) {
	line := 1
	for i, l := range s.lines[1:] {
		if strings.HasPrefix(l, fence) {
			break
		}
		if strings.HasPrefix(l, key+":") {
			line = i + 2
			break
		}
	}
	s.report(s.check, Warning, line, 1, hint, fmt.Sprintf(format, args...))
}

// leaf is an expression of the rule that is evaluated by itself.
type leaf struct {
	step *stepForm
	what string // key or value
	node ast.Node
}

// leaves are the keys of the steps and the value that is counted.
func (s *subject) leaves() []leaf {
	var out []leaf
	for i := range s.form.steps {
		step := &s.form.steps[i]
		if step.keys != nil {
			for _, k := range step.keys.nodes {
				out = append(out, leaf{step, "key", k})
			}
		}
		if s.form.value != nil {
			out = append(out, leaf{step, "value", s.form.value})
		}
	}
	return out
}

// foreign is the place where a leaf names the record of another kind than its
// step is about, nil if nowhere.
func (s *subject) foreign(l leaf, about string) ast.Node {
	for _, m := range s.mentions(l.node) {
		if about != "" && m.kind != about {
			return m.node
		}
	}
	return nil
}
