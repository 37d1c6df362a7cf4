package detectors

import (
	"testing"

	"watchword/rules"
	"watchword/rules/builtin"
)

// Every built-in rule has tests beside it, and passes them in order, shuffled,
// doubled and in pieces.
func TestBuiltinRules(t *testing.T) {
	folder := rules.Folder{Name: "builtin", FS: builtin.FS}
	set, problems := rules.Load(folder)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	if n := len(set.Rules()); n < 12 {
		t.Fatalf("%d built-in rules, want at least 12", n)
	}
	for _, rule := range set.Rules() {
		t.Run(rule.ID, func(t *testing.T) {
			cases, problems := rules.LoadTests(folder, rule.ID)
			if problems.HasErrors() {
				t.Fatal(problems)
			}
			fires, near := false, false
			for _, c := range cases {
				fires, near = fires || len(c.Alerts) > 0, near || len(c.Alerts) == 0
				t.Run(c.Name, func(t *testing.T) {
					for _, failure := range RunCase(set, rule, c).Failures {
						t.Errorf("%+v", failure)
					}
				})
			}
			if !fires || !near {
				t.Errorf("needs a test that fires and one that does not (fires %v, does not %v)", fires, near)
			}
		})
	}
}
