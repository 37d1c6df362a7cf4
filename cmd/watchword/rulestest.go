package main

import (
	"cmp"
	"fmt"
	"io/fs"
	"math/bits"
	"os"
	"path"
	"slices"
	"strings"
	"time"

	"watchword/detectors"
	"watchword/rules"
)

type rulesTestCmd struct {
	Rules []string `arg:"" optional:"" name:"folder-or-rule" help:"Folders of rules, rule files or ids of rules; default: every rule that the configuration loads."`
	JUnit string   `name:"junit" placeholder:"FILE" help:"Write the results as JUnit XML, too."`
}

func (c *rulesTestCmd) Run(p *program) error {
	choice, err := p.chooseRules(c.Rules, nil)
	if err != nil {
		return err
	}
	results, err := testRules(&choice)
	if err != nil {
		return err
	}
	if c.JUnit != "" {
		if err := writeJUnit(c.JUnit, results); err != nil {
			return err
		}
	}
	if p.JSON {
		err = results.printJSON(p.out)
	} else {
		results.print(p.out, paint(p.colour))
	}
	if err == nil && results.failed() {
		err = errFound
	}
	return err
}

// testResults is what a run of tests came to; reporters print it.
type testResults struct {
	problems rules.Problems // for which no rule could be loaded at all
	rules    []ruleResult
	took     time.Duration
}

// ruleResult is the tests of one rule.
type ruleResult struct {
	rule     *rules.Rule    // nil: there is a test file, and no rule beside it
	id       string         // of the rule
	file     string         // of the tests
	problems rules.Problems // of the test file; then there are no cases
	cases    []caseResult
	took     time.Duration

	unmatched []string // steps that no event of any case matched, if there are cases
}

type caseResult struct {
	rules.Case
	failures []detectors.CaseFailure
	took     time.Duration
}

// testRules runs the tests of all chosen rules. The error is one of use.
func testRules(choice *ruleChoice) (*testResults, error) {
	begin := time.Now()
	all, problems := rules.Load(choice.folders...)
	if problems.HasErrors() {
		return &testResults{problems: problems}, nil
	}
	set, err := choice.of(all)
	if err != nil {
		return nil, err
	}
	set = set.Enabled() // a disabled rule is tested as well
	out := &testResults{}
	for _, rule := range set.Rules() {
		out.rules = append(out.rules, testRule(set, rule, choice.folderOf(rule)))
	}
	if len(choice.ids) == 0 {
		for _, folder := range choice.folders {
			out.rules = append(out.rules, orphans(folder, set)...)
		}
	}
	if len(out.rules) == 0 {
		return nil, wrongUse{fmt.Errorf("no rules in %s", folderNames(choice.folders))}
	}
	slices.SortStableFunc(out.rules, func(a, b ruleResult) int { return cmp.Compare(a.id, b.id) })
	out.took = time.Since(begin)
	return out, nil
}

func testRule(set *rules.Set, rule *rules.Rule, folder rules.Folder) ruleResult {
	begin := time.Now()
	out := ruleResult{rule: rule, id: rule.ID, file: path.Join(folder.Name, rule.ID+rules.TestSuffix)}
	cases, problems := rules.LoadTests(folder, rule.ID)
	if problems.HasErrors() {
		out.problems = problems
		return out
	}
	var matched uint64
	for _, c := range cases {
		began := time.Now()
		result := detectors.RunCase(set, rule, c)
		matched |= result.Steps
		out.cases = append(out.cases, caseResult{c, result.Failures, time.Since(began)})
	}
	for i, s := range rule.Pattern.Steps {
		if len(cases) > 0 && bits.TrailingZeros64(matched>>i) != 0 {
			out.unmatched = append(out.unmatched, s.Name)
		}
	}
	out.took = time.Since(begin)
	return out
}

// orphans are the test files of a folder that no rule stands beside.
func orphans(folder rules.Folder, set *rules.Set) []ruleResult {
	names, err := fs.Glob(folder.FS, "*"+rules.TestSuffix)
	if err != nil {
		return nil // the pattern is right
	}
	var out []ruleResult
	for _, name := range names {
		id := strings.TrimSuffix(name, rules.TestSuffix)
		if set.Rule(id) != nil {
			continue
		}
		file := path.Join(folder.Name, name)
		out = append(out, ruleResult{id: id, file: file, problems: rules.Problems{{
			File: file, Line: 1, Column: 1, Severity: rules.Error, Check: rules.Invalid,
			Message: "there are tests and no rule", Hint: "the rule would be " + id + ".expr in the same folder",
		}}})
	}
	return out
}

func folderNames(folders []rules.Folder) string {
	var names []string
	for _, f := range folders {
		names = append(names, f.Name)
	}
	if len(names) == 0 {
		return "the configuration"
	}
	return strings.Join(names, ", ")
}

func (r *testResults) failed() bool {
	return len(r.problems) > 0 || slices.ContainsFunc(r.rules, func(r ruleResult) bool { return r.failed() })
}

func (r *ruleResult) failed() bool {
	return len(r.problems) > 0 || r.failures() > 0
}

// failures is how many cases failed.
func (r *ruleResult) failures() (n int) {
	for i := range r.cases {
		if len(r.cases[i].failures) > 0 {
			n++
		}
	}
	return n
}

// writeJUnit writes the report to a file, whole or not at all.
func writeJUnit(file string, results *testResults) error {
	data, err := results.junit()
	if err == nil {
		err = os.WriteFile(file, data, 0o644)
	}
	if err != nil {
		return fmt.Errorf("write the JUnit report: %w", err)
	}
	return nil
}
