package main

import (
	"encoding/xml"
	"fmt"
	"io"
	"strings"
	"time"

	"watchword/bus/alert"
	"watchword/rules"
)

// The lines of the JSON report, told apart by type: a problem of a file, a case,
// and after the cases of a rule the rule.
type (
	testProblemLine struct {
		Type string `json:"type"` // problem
		rules.Problem
	}
	testCaseLine struct {
		Type     string            `json:"type"` // case
		Rule     string            `json:"rule"`
		Name     string            `json:"name"`
		File     string            `json:"file"`
		Line     int               `json:"line"`
		OK       bool              `json:"ok"`
		Seconds  float64           `json:"seconds"`
		Failures []testFailureLine `json:"failures,omitempty"`
	}
	testFailureLine struct {
		Delivery   string         `json:"delivery"`
		Error      string         `json:"error,omitempty"`
		Missing    []missingAlert `json:"missing,omitempty"`    // wanted by the test
		Lost       []foundAlert   `json:"lost,omitempty"`       // comes with the events in order, not with this delivery
		Unexpected []foundAlert   `json:"unexpected,omitempty"` // not wanted, or not there with the events in order
	}
	missingAlert struct {
		Line     int          `json:"line"`
		Key      []string     `json:"key"`
		Evidence int          `json:"evidence,omitempty"`
		Source   string       `json:"source,omitempty"`
		Status   alert.Status `json:"status,omitempty"`
	}
	testRuleLine struct {
		Type      string   `json:"type"` // rule
		Rule      string   `json:"rule"`
		File      string   `json:"file"` // of the tests
		OK        bool     `json:"ok"`
		Tests     int      `json:"tests"`
		Failed    int      `json:"failed"`
		Unmatched []string `json:"unmatched,omitempty"` // steps that no test has an event for
		Seconds   float64  `json:"seconds"`
	}
)

func (r *testResults) printJSON(w io.Writer) error {
	var lines []any
	for _, p := range r.problems {
		lines = append(lines, testProblemLine{"problem", p})
	}
	for i := range r.rules {
		rule := &r.rules[i]
		for _, p := range rule.problems {
			lines = append(lines, testProblemLine{"problem", p})
		}
		for j := range rule.cases {
			lines = append(lines, rule.caseLine(&rule.cases[j]))
		}
		lines = append(lines, testRuleLine{
			Type: "rule", Rule: rule.id, File: rule.file, OK: !rule.failed(), Tests: len(rule.cases),
			Failed: rule.failures(), Unmatched: rule.unmatched, Seconds: rule.took.Seconds(),
		})
	}
	return printJSON(w, lines...)
}

func (r *ruleResult) caseLine(c *caseResult) testCaseLine {
	line := testCaseLine{
		Type: "case", Rule: r.id, Name: c.Name, File: r.file, Line: c.Line,
		OK: len(c.failures) == 0, Seconds: c.took.Seconds(),
	}
	for _, f := range c.failures {
		out := testFailureLine{Delivery: f.Delivery, Lost: foundAlerts(f.Lost), Unexpected: foundAlerts(f.Unexpected)}
		if f.Err != nil {
			out.Error = f.Err.Error()
		}
		for _, m := range f.Missing {
			out.Missing = append(out.Missing, missingAlert{m.Line, m.Key, m.Evidence, m.Source, m.Status})
		}
		line.Failures = append(line.Failures, out)
	}
	return line
}

// The JUnit report: a suite for each rule, a case for each of its tests. A rule
// without tests is a case that was skipped.
type (
	junitSuites struct {
		XMLName xml.Name     `xml:"testsuites"`
		Name    string       `xml:"name,attr"`
		Time    junitSeconds `xml:"time,attr"`
		junitCounts
		Suites []junitSuite `xml:"testsuite"`
	}
	junitSuite struct {
		Name string       `xml:"name,attr"`
		Time junitSeconds `xml:"time,attr"`
		junitCounts
		Cases []junitCase `xml:"testcase"`
	}
	junitCounts struct {
		Tests    int `xml:"tests,attr"`
		Failures int `xml:"failures,attr"`
		Errors   int `xml:"errors,attr"`
		Skipped  int `xml:"skipped,attr"`
	}
	junitCase struct {
		Name    string       `xml:"name,attr"`
		Class   string       `xml:"classname,attr"`
		File    string       `xml:"file,attr,omitempty"`
		Line    int          `xml:"line,attr,omitempty"`
		Time    junitSeconds `xml:"time,attr"`
		Failure *junitTold   `xml:"failure"`
		Error   *junitTold   `xml:"error"`
		Skipped *junitTold   `xml:"skipped"`
	}
	junitTold struct {
		Message string `xml:"message,attr"`
		Text    string `xml:",chardata"`
	}
	junitSeconds time.Duration
)

// MarshalText writes seconds with a point, as the readers of JUnit want it.
func (s junitSeconds) MarshalText() ([]byte, error) {
	return fmt.Appendf(nil, "%.3f", time.Duration(s).Seconds()), nil
}

func (r *testResults) junit() ([]byte, error) {
	all := junitSuites{Name: "watchword rules test", Time: junitSeconds(r.took)}
	if len(r.problems) > 0 {
		s := junitSuite{Name: "rules"}
		for _, p := range r.problems {
			s.add(problemCase("rules", p))
		}
		all.add(s)
	}
	for i := range r.rules {
		all.add(r.rules[i].junit())
	}
	data, err := xml.MarshalIndent(all, "", "  ")
	return append([]byte(xml.Header), append(data, '\n')...), err
}

func (all *junitSuites) add(s junitSuite) {
	all.Suites = append(all.Suites, s)
	all.Tests, all.Failures = all.Tests+s.Tests, all.Failures+s.Failures
	all.Errors, all.Skipped = all.Errors+s.Errors, all.Skipped+s.Skipped
}

func (s *junitSuite) add(c junitCase) {
	s.Cases = append(s.Cases, c)
	s.Tests++
	switch {
	case c.Failure != nil:
		s.Failures++
	case c.Error != nil:
		s.Errors++
	case c.Skipped != nil:
		s.Skipped++
	}
}

func (r *ruleResult) junit() junitSuite {
	s := junitSuite{Name: r.id, Time: junitSeconds(r.took)}
	for _, p := range r.problems {
		s.add(problemCase(r.id, p))
	}
	for i := range r.cases {
		c := &r.cases[i]
		out := junitCase{Name: c.Name, Class: r.id, File: r.file, Line: c.Line, Time: junitSeconds(c.took)}
		if len(c.failures) > 0 {
			out.Failure = &junitTold{"fails with the events " + c.failures[0].Delivery, r.failureText(c)}
		}
		s.add(out)
	}
	if len(r.cases)+len(r.problems) == 0 {
		s.add(junitCase{Name: "tests", Class: r.id, File: r.file, Skipped: &junitTold{Message: "the rule has no tests"}})
	}
	return s
}

func problemCase(class string, p rules.Problem) junitCase {
	message, _, _ := strings.Cut(p.Message, "\n")
	return junitCase{Name: p.File, Class: class, File: p.File, Line: p.Line, Error: &junitTold{message, p.String()}}
}
