package main

import (
	"regexp"
	"strings"
	"testing"
	"testing/fstest"

	"watchword/bus/event"
	"watchword/detectors"
	"watchword/rules"
)

var fencedBlock = regexp.MustCompile("(?ms)^```(\\w+)\n(.*?)^```$")

// TestTestExamples runs the example of a test file on the page about rules,
// with the rule at its top.
func TestTestExamples(t *testing.T) {
	var rule string
	tests := 0
	for _, block := range fencedBlock.FindAllStringSubmatch(page(t, "docs/rules.md"), -1) {
		switch {
		case block[1] == "expr" && rule == "":
			rule = block[2]
		case block[1] == "yaml" && strings.HasPrefix(block[2], "- name:"):
			cases, problems := rules.ParseTests("docs/rules.md", []byte(block[2]))
			set, wrong := rules.Load(rules.Folder{Name: "docs", FS: fstest.MapFS{"example.expr": {Data: []byte(rule)}}})
			if problems.HasErrors() || wrong.HasErrors() {
				t.Fatal(problems, wrong)
			}
			for _, c := range cases {
				tests++
				for _, f := range detectors.RunCase(set, set.Rule("example"), c).Failures {
					t.Errorf("%s: with the events %s\n%s", c.Name, f.Delivery, failureDiff(&f))
				}
			}
		case block[1] == "json" && strings.HasPrefix(block[2], `{"feed"`):
			tests++
			if e, _, err := event.ReadLine([]byte(block[2]), fileSource); err != nil || e.Source != "acme" {
				t.Errorf("the line of a file is read as %+v, %v", e, err)
			}
		}
	}
	if tests < 5 {
		t.Errorf("only %d examples were found: the test looks in the wrong place", tests)
	}
}
