package main

import (
	"encoding/json"
	"encoding/xml"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"watchword/bus/alert"
	"watchword/detectors"
	"watchword/rules"
)

// writeFiles writes files below a new folder and returns it.
func writeFiles(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

const (
	exportRule = "---\ntitle: an export\nseverity: low\n---\nitem.action == \"export\"\n"
	guessRule  = `---
title: guessed
severity: high
---
let failed   = signin.outcome == "failure";
let exported = item.action == "export";
sequence(times(failed, 3), exported) | by(user.uuid) | within("10m")
`
	exportTests = `- name: one
  events: [{item: {action: export}, user: ann}]
  alerts: [{key: ann, evidence: 1}]
- name: none
  events: [{item: {action: fill}, user: ann}]
  alerts: []
`
)

func TestRulesTest(t *testing.T) {
	t.Chdir(t.TempDir())
	dir := writeFiles(t, map[string]string{
		"good/mine.expr": exportRule, "good/mine_test.yaml": exportTests,
		"off/mine.expr": strings.Replace(exportRule, "severity", "status: disabled\nseverity", 1), "off/mine_test.yaml": exportTests,
		"wrong/mine.expr": exportRule, "wrong/mine_test.yaml": strings.Replace(exportTests, "evidence: 1", "evidence: 2", 1),
		"steps/mine.expr": guessRule, "steps/mine_test.yaml": "- name: x\n  events: [{item: {action: export}, user: ann}]\n  alerts: []\n",
		"none/mine.expr": exportRule, "alone/mine_test.yaml": exportTests,
		"broken/mine.expr": exportRule, "broken/mine_test.yaml": "- nam: x\n",
		"bad/mine.expr": "---\ntitle: x\nseverity: low\n---\nitem.acton == \"\"\n", "bad/mine_test.yaml": exportTests,
		"empty/readme": "",
	})
	for _, c := range []struct {
		args string
		code int
		has  []string
		not  []string
	}{
		{"", 0, []string{"vault-exported", "16 rules, ", "all fine"}, []string{"FAIL", "none "}},
		{"vault-exported", 0, []string{"vault-exported", "1 rule, 6 tests, all fine"}, []string{"mfa-fatigue"}},
		{"good", 0, []string{"ok    mine  2 tests", "1 rule, 2 tests, all fine"}, nil},
		{"good/mine.expr", 0, []string{"1 rule, 2 tests, all fine"}, nil},
		{"good/mine_test.yaml", 0, []string{"1 rule, 2 tests, all fine"}, nil},
		{"off", 0, []string{"2 tests"}, nil},
		{"wrong", 1, []string{"FAIL  mine  2 tests, 1 failed", "one (wrong/mine_test.yaml:1)", "events in order",
			"- key ann, 2 events (line 3)", "+ user.uuid ann, source test, 1 event", "test/itemusages/EVENT000000000000000000001"}, nil},
		{"steps", 0, []string{"no test has an event that matches failed", "1 step matched by no test"}, []string{"matches exported"}},
		{"none", 0, []string{"none  mine  no tests: write none/mine_test.yaml", "1 rule without tests"}, nil},
		{"alone", 1, []string{"mine_test.yaml", "there are tests and no rule", "mine.expr"}, nil},
		{"broken", 1, []string{"the tests cannot be read", `unknown key "nam"`}, nil},
		{"bad", 1, []string{"mine.expr:5:", "item.action"}, nil},
		{"good none", 1, []string{"rule mine is there already"}, nil},
		{"good/mine.expr yours", 2, []string{`no rule "yours"`}, nil},
		{"vault-expored", 2, []string{"did you mean vault-exported?"}, nil},
		{"good vault-exported", 2, []string{"not both"}, nil},
		{"gone/mine.expr", 2, []string{"gone/mine.expr"}, nil},
		{"empty", 2, []string{"no rules in"}, nil},
	} {
		t.Run(c.args, func(t *testing.T) {
			t.Chdir(dir)
			out, errs := runs(t, c.code, append([]string{"rules", "test"}, strings.Fields(c.args)...)...)
			for _, want := range c.has {
				if !strings.Contains(out+errs, want) {
					t.Errorf("want %q in\n%s%s", want, out, errs)
				}
			}
			for _, not := range c.not {
				if strings.Contains(out, not) {
					t.Errorf("do not want %q in\n%s", not, out)
				}
			}
		})
	}
}

func TestRulesTestReports(t *testing.T) {
	dir := writeFiles(t, map[string]string{
		"a.expr": exportRule, "a_test.yaml": strings.NewReplacer("evidence: 1", "evidence: 2", "name: one", `name: "<one> \u0007"`).Replace(exportTests),
		"b.expr": guessRule, "b_test.yaml": exportTests, "c.expr": exportRule, "d.expr": exportRule, "d_test.yaml": "- x\n",
	})
	file := filepath.Join(t.TempDir(), "junit.xml")
	out, _ := runs(t, exitProblems, "--json", "rules", "test", dir, "--junit", file)
	counts := map[string]int{}
	for line := range strings.Lines(out) {
		var object struct {
			Type, Rule string
			OK         bool
			Failures   []struct {
				Delivery   string
				Missing    []map[string]any
				Unexpected []foundAlert
			}
			Tests, Failed int
			Unmatched     []string
		}
		if err := json.Unmarshal([]byte(line), &object); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		counts[object.Type]++
		switch {
		case object.Type == "case" && object.Rule == "a" && !object.OK:
			f := object.Failures[0]
			if f.Delivery != "in order" || f.Missing[0]["evidence"] != 2.0 || len(f.Unexpected) != 1 || len(f.Unexpected[0].Evidence) != 1 {
				t.Errorf("failure %s", line)
			}
		case object.Type == "rule" && object.Rule == "a" && (object.OK || object.Tests != 2 || object.Failed != 1),
			object.Type == "rule" && object.Rule == "b" && (object.OK || strings.Join(object.Unmatched, " ") != "failed"),
			object.Type == "rule" && object.Rule == "c" && (!object.OK || object.Tests != 0):
			t.Errorf("rule %s", line)
		}
	}
	if counts["case"] != 4 || counts["rule"] != 4 || counts["problem"] == 0 {
		t.Errorf("%v lines in\n%s", counts, out)
	}

	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var suites junitSuites
	if err := xml.Unmarshal(data, &suites); err != nil {
		t.Fatalf("%v in\n%s", err, data)
	}
	if len(suites.Suites) != 4 || suites.junitCounts != (junitCounts{Tests: 6, Failures: 2, Errors: 1, Skipped: 1}) {
		t.Errorf("suites %+v in\n%s", suites.junitCounts, data)
	}
	for _, s := range suites.Suites {
		if s.Tests != len(s.Cases) {
			t.Errorf("suite %s says %d tests and has %d", s.Name, s.Tests, len(s.Cases))
		}
	}
	a := suites.Suites[0]
	if a.Name != "a" || !strings.HasPrefix(a.Cases[0].Name, "<one>") || !strings.Contains(a.Cases[0].Failure.Text, "- key ann, 2 events") {
		t.Errorf("case %+v", a.Cases[0])
	}

	runs(t, exitFine, "rules", "test", filepath.Join(dir, "c.expr"), "--junit", file)
	if _, errs := runs(t, exitProblems, "rules", "test", filepath.Join(dir, "c.expr"), "--junit", filepath.Join(dir, "nowhere", "x.xml")); !strings.Contains(errs, "JUnit") {
		t.Errorf("a report that cannot be written: %s", errs)
	}
}

// UnmarshalText reads what MarshalText writes, for the test.
func (s *junitSeconds) UnmarshalText(text []byte) error {
	d, err := time.ParseDuration(string(text) + "s")
	*s = junitSeconds(d)
	return err
}

// What the events in order and another delivery have in common is shown once.
func TestFailureDiff(t *testing.T) {
	at := func(n int) time.Time { return rules.Base.Add(time.Duration(n) * time.Minute) }
	of := func(who string, minutes ...int) alert.Alert {
		a := alert.Alert{Source: "s", Key: []string{who}, KeyNames: []string{"who"}, Count: len(minutes), First: at(minutes[0]), Last: at(minutes[len(minutes)-1])}
		for _, n := range minutes {
			a.Evidence = append(a.Evidence, alert.Evidence{ID: "e" + string(rune('0'+n)), Step: "x", Time: at(n)})
		}
		return a
	}
	other := of("ann", 1, 2)
	other.Evidence[1].Step = "y"
	for _, c := range []struct {
		name string
		f    detectors.CaseFailure
		want string
	}{
		{"an event more and one less", detectors.CaseFailure{Lost: []alert.Alert{of("ann", 1, 2, 4)}, Unexpected: []alert.Alert{of("ann", 1, 3, 4)}},
			"  who ann, source s, 3 events, at 1m – at 4m|    at 1m  x  e1|-   at 2m  x  e2|+   at 3m  x  e3|    at 4m  x  e4|"},
		{"another count", detectors.CaseFailure{Lost: []alert.Alert{of("ann", 1)}, Unexpected: []alert.Alert{of("ann", 1, 2)}},
			"- who ann, source s, 1 event, at 1m – at 1m|+ who ann, source s, 2 events, at 1m – at 2m|    at 1m  x  e1|+   at 2m  x  e2|"},
		{"another step", detectors.CaseFailure{Lost: []alert.Alert{of("ann", 1, 2)}, Unexpected: []alert.Alert{other}},
			"  who ann, source s, 2 events, at 1m – at 2m|    at 1m  x  e1|-   at 2m  x  e2|+   at 2m  y  e2|"},
		{"two keys", detectors.CaseFailure{Lost: []alert.Alert{of("ann", 1)}, Unexpected: []alert.Alert{of("bob", 1)}},
			"- who ann, source s, 1 event, at 1m – at 1m|-   at 1m  x  e1|+ who bob, source s, 1 event, at 1m – at 1m|+   at 1m  x  e1|"},
	} {
		if got := strings.ReplaceAll(failureDiff(&c.f), "\n", "|"); got != c.want {
			t.Errorf("%s:\n got %s\nwant %s", c.name, got, c.want)
		}
	}
	for d, want := range map[time.Duration]string{
		0: "at 0s", 90 * time.Second: "at 1m30s", 26*time.Hour + 5*time.Second: "at 1d2h5s", 1500 * time.Millisecond: "at 1.5s", -time.Second: "2026-01-05T08:59:59Z",
	} {
		if got := testTime(rules.Base.Add(d)); got != want {
			t.Errorf("%s is told as %q, want %q", d, got, want)
		}
	}
}
