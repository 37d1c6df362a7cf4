package rules

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

func parseTestFile(t *testing.T, name string) ([]Case, Problems) {
	t.Helper()
	data, err := os.ReadFile("testdata/tests/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return parseTests(name, data, os.DirFS("testdata/tests"))
}

// Every way to say an event, and the envelope that comes of it.
func TestParseTests(t *testing.T) {
	cases, problems := parseTestFile(t, "good.yaml")
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	var b strings.Builder
	for _, c := range cases {
		fmt.Fprintf(&b, "%s (line %d)\n", c.Name, c.Line)
		for _, e := range c.Events {
			fmt.Fprintf(&b, "  %s %s %s\n", e.Time.Format("2006-01-02T15:04:05.999"), e.ID, e.Raw)
		}
		for _, a := range c.Alerts {
			fmt.Fprintf(&b, "  alert %q evidence %d status %q source %q (line %d)\n", a.Key, a.Evidence, a.Status, a.Source, a.Line)
		}
	}
	golden(t, "testdata/tests/good.want", b.String())
}

func TestParseTestsSaysEveryMistake(t *testing.T) {
	cases, problems := parseTestFile(t, "bad.yaml")
	if cases != nil {
		t.Error("cases in spite of errors")
	}
	golden(t, "testdata/tests/bad.want", problems.Error()+"\n")
}

func TestParseTestsOfOtherShapes(t *testing.T) {
	for content, want := range map[string]string{
		"":                "",
		"name: x":         "a test file is a list of cases",
		"- {":             "not valid YAML",
		"- &a {name: *a}": "name must be a text, not an alias",
		"- {name: n, alerts: [], events: [{raw: &r {category: *r}}]}": "aliases are not read",
	} {
		cases, problems := ParseTests("t.yaml", []byte(content))
		if want == "" && (len(problems) > 0 || len(cases) > 0) || want != "" && !strings.Contains(problems.Error(), want) {
			t.Errorf("%q: %v, want %q", content, problems, want)
		}
	}
}
