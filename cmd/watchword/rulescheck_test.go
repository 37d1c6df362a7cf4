package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"watchword/rules"
)

// checkFolder makes a folder of rules: one with a warning, one that silences
// its own, one with an error where asked for.
func checkFolder(t *testing.T, withError bool) string {
	t.Helper()
	dir := t.TempDir()
	const head = "title: T\nseverity: low\nattack: [T1110]\nrunbook: Look.\n"
	files := map[string]string{
		"warned.expr":           "---\n" + head + "disable: [no-test]\n---\nitem.action == \"exports\" | by(user.uuid)\n",
		"silenced.expr":         "---\n" + head + "disable: [no-test, empty-list]\n---\nuser.uuid in list(\"nobody\") | by(user.uuid)\n",
		"exceptions.expr":       "---\n" + head + "disable: [no-test]\n---\nitem.action == \"export\" && user.uuid not in list(\"nobody\") | by(user.uuid) | within(\"40d\")\n",
		"lists/nobody.txt":      "# nobody\n",
		"other/watchword.yaml":  "events: {max_age: 30d}\n",
		"broken/watchword.yaml": "event: {max_age: 30d}\n",
	}
	if withError {
		files["wrong.expr"] = "---\n" + head + "---\nitem.acton == \"export\"\n"
	}
	for name, text := range files {
		if err := os.MkdirAll(filepath.Join(dir, filepath.Dir(name)), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	t.Chdir(dir)
	return dir
}

func TestRulesCheck(t *testing.T) {
	dir := checkFolder(t, false)
	out, errs := runs(t, exitFine, "rules", "check", dir)
	for _, want := range []string{`not known to be "exports" (unknown-value)`, "see docs/lint/unknown-value.md"} {
		if !strings.Contains(out, want) {
			t.Errorf("want %q in %s", want, out)
		}
	}
	if strings.Contains(out, "empty-list") || !strings.Contains(errs, "3 rules, 1 warning, 4 silenced (--all shows them)") {
		t.Errorf("what is silenced is only counted: %s%s", out, errs)
	}
	runs(t, exitProblems, "rules", "check", "--strict", dir)

	out, errs = runs(t, exitFine, "rules", "check", "--all", dir)
	if !strings.Contains(out, "see docs/lint/empty-list.md, silenced by the rule") || !strings.Contains(errs, "3 rules, 1 warning\n") {
		t.Errorf("--all shows what is silenced: %s%s", out, errs)
	}

	out, _ = runs(t, exitFine, "--json", "rules", "check", "--all", dir)
	names := map[string]bool{}
	for line := range strings.Lines(out) {
		var p rules.Problem
		if err := json.Unmarshal([]byte(line), &p); err != nil {
			t.Fatal(err)
		}
		names[p.Check] = p.Silenced
		if p.Doc != "docs/lint/"+p.Check+".md" {
			t.Errorf("the page is %s", p.Doc)
		}
	}
	if silenced, told := names["unknown-value"]; !told || silenced || !names["empty-list"] || !names["no-test"] {
		t.Errorf("the checks told are %v", names)
	}
}

// The retention is that of the configuration.
func TestRulesCheckKnowsTheRetention(t *testing.T) {
	dir := checkFolder(t, false)
	out, _ := runs(t, exitFine, "rules", "check", "-c", filepath.Join(dir, "other", "watchword.yaml"), dir)
	if !strings.Contains(out, "exceptions.expr:8:") || !strings.Contains(out, "events are kept for 30d (window-retention)") {
		t.Errorf("want a warning of the window, got %s", out)
	}
	_, errs := runs(t, exitWrongUse, "rules", "check", "-c", filepath.Join(dir, "broken", "watchword.yaml"), dir)
	if !strings.Contains(errs, "event") {
		t.Errorf("want the mistake in the configuration, got %s", errs)
	}
}

func TestRulesCheckWithErrors(t *testing.T) {
	dir := checkFolder(t, true)
	out, errs := runs(t, exitProblems, "rules", "check", dir)
	if !strings.Contains(out, "item has no field acton\n") || !strings.Contains(out, "see docs/lint/invalid.md") || !strings.Contains(errs, "1 error, 1 warning, 4 silenced") {
		t.Errorf("want an error and the warning, got %s%s", out, errs)
	}
}

// The built-in rules are strict.
func TestBuiltinRulesAreStrict(t *testing.T) {
	t.Chdir(t.TempDir())
	if _, errs := runs(t, exitFine, "rules", "check", "--strict"); !strings.Contains(errs, "rules, all fine") {
		t.Errorf("unexpected answer: %s", errs)
	}
}

// Lists in which nothing is are noted in the list of rules.
func TestRulesListNotes(t *testing.T) {
	dir := checkFolder(t, false)
	out, _ := runs(t, exitFine, "rules", "list", dir)
	for _, want := range []string{
		`note: exceptions: the list "nobody" is empty: user.uuid not in list("nobody") leaves nobody out`,
		`note: silenced: the list "nobody" is empty: user.uuid in list("nobody") never holds`,
	} {
		if !strings.Contains(out, want) {
			t.Errorf("want %q in %s", want, out)
		}
	}
	out, _ = runs(t, exitFine, "--json", "rules", "list", dir)
	if strings.Count(out, `"notes":[`) != 2 {
		t.Errorf("want two rules with notes, got %s", out)
	}
}
