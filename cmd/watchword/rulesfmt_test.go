package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestRulesFmt(t *testing.T) {
	const untidy = "---\nseverity:   low\ntitle: an export\n---\nitem.action == \"export\"  \n\n"
	dir := writeFiles(t, map[string]string{
		"tidy.expr": exportRule, "untidy.expr": untidy, "untidy_test.yaml": "- x:   1\n", "wrong/wrong.expr": "---\ntitle: t\n---\n(", "empty/readme": "",
	})
	t.Chdir(dir)
	read := func(name string) string {
		t.Helper()
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		return string(data)
	}
	if out, _ := runs(t, exitProblems, "rules", "fmt", "--check", "."); out != "untidy.expr\n" || read("untidy.expr") != untidy {
		t.Errorf("a check must name the file and leave it: %s, %s", out, read("untidy.expr"))
	}
	if err := os.Chmod("untidy.expr", 0o640); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("untidy.expr", "link.expr"); err != nil {
		t.Fatal(err)
	}
	if out, _ := runs(t, exitFine, "rules", "fmt", "tidy.expr", "link.expr"); out != "link.expr\n" || read("untidy.expr") != exportRule {
		t.Errorf("want the rule behind the link formatted: %s, %s", out, read("untidy.expr"))
	}
	if info, err := os.Lstat("untidy.expr"); err != nil || info.Mode() != 0o640 {
		t.Errorf("the mode is %v, want that from before (%v)", info.Mode(), err)
	}
	if info, err := os.Lstat("link.expr"); err != nil || info.Mode()&os.ModeSymlink == 0 {
		t.Errorf("the link is a link no more (%v)", err)
	}
	if out, _ := runs(t, exitFine, "rules", "fmt", "."); out != "" {
		t.Errorf("nothing is left to format, got %s", out)
	}
	runs(t, exitFine, "rules", "fmt", "--check", ".")
	if read("untidy_test.yaml") != "- x:   1\n" {
		t.Error("a test file was changed")
	}
	if names, err := filepath.Glob(".*.tmp"); err != nil || len(names) > 0 {
		t.Errorf("left behind: %v %v", names, err)
	}

	if out, _ := runsOn(t, untidy, exitFine, "rules", "fmt", "-"); out != exportRule {
		t.Errorf("standard input became %s", out)
	}
	if out, _ := runsOn(t, untidy, exitProblems, "rules", "fmt", "--check", "-"); out != "-\n" {
		t.Errorf("got %s", out)
	}
	if _, errs := runs(t, exitProblems, "rules", "fmt", "wrong", "tidy.expr"); !strings.Contains(errs, "wrong.expr:4:") {
		t.Errorf("want the mistake, got %s", errs)
	}
	for args, want := range map[string]string{"": "expected", "nowhere.expr": "nowhere.expr", "empty": "no rules in empty"} {
		if _, errs := runs(t, exitWrongUse, append([]string{"rules", "fmt"}, strings.Fields(args)...)...); !strings.Contains(errs, want) {
			t.Errorf("%s: want %q, got %s", args, want, errs)
		}
	}
}

// What rules new writes has the usual form.
func TestNewRulesAreFormatted(t *testing.T) {
	runs(t, exitFine, "rules", "fmt", "--check", "newrules")
}
