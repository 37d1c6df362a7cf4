package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"watchword/rules"
)

// Every rule that is written is fine as it is, to the last warning, and so are its tests.
func TestRulesNew(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	for _, word := range newWords() {
		out, errs := runs(t, exitFine, "rules", "new", "my-"+word, "--word", word, "--in", "rules")
		if !strings.Contains(out, filepath.Join("rules", "my-"+word+".expr")) || !strings.Contains(errs, "rules.folders") {
			t.Errorf("%s: got %s%s", word, out, errs)
		}
	}
	runs(t, exitFine, "rules", "check", "rules", "--strict")
	out, _ := runs(t, exitFine, "rules", "test", "rules")
	if strings.Contains(out, "none") || strings.Contains(out, "no test has") {
		t.Errorf("the tests leave something out:\n%s", out)
	}
	set, problems := rules.Load(rules.Folder{Name: "rules", FS: os.DirFS("rules")})
	if problems.HasErrors() {
		t.Fatal(problems)
	}
	for _, r := range set.Rules() {
		if "my-"+string(r.Pattern.Word) != r.ID {
			t.Errorf("%s is built on %s", r.ID, r.Pattern.Word)
		}
	}
	if words := newWords(); !slices.Contains(words, "sequence") || len(words) < 6 {
		t.Errorf("words %v", words)
	}
}

func TestRulesNewWhere(t *testing.T) {
	t.Chdir(t.TempDir())
	runs(t, exitFine, "rules", "new", "here")
	if _, err := os.Stat("here_test.yaml"); err != nil {
		t.Error(err)
	}
	if err := os.Mkdir("mine", 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile("watchword.yaml", []byte("rules:\n  folders: [mine]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	out, errs := runs(t, exitFine, "rules", "new", "there", "--json")
	if !strings.Contains(out, `"rule":"mine/there.expr"`) || errs != "" {
		t.Errorf("got %s%s", out, errs)
	}
	if _, errs := runs(t, exitFine, "rules", "new", "other", "--in", "./mine/"); strings.Contains(errs, "rules.folders") {
		t.Errorf("the folder is configured, got %s", errs)
	}
	runs(t, exitFine, "rules", "test", "there")

	for args, want := range map[string]string{
		"":                         "expected",
		"there":                    "mine/there.expr",
		"vault-exported":           "builtin/vault-exported.expr",
		"Mine":                     "lower case",
		"../x":                     "lower case",
		"x --word sequense":        "did you mean sequence?",
		"here --in .":              "here_test.yaml is there already",
		"half --in watchword.yaml": "watchword.yaml",
	} {
		code := exitWrongUse
		if strings.HasPrefix(args, "half") {
			code = exitProblems
		}
		if _, errs := runs(t, code, append([]string{"rules", "new"}, strings.Fields(args)...)...); !strings.Contains(errs, want) {
			t.Errorf("%s: want %q, got %s", args, want, errs)
		}
	}
}

// Both files or neither, and nothing that was there is touched.
func TestRulesNewOverwritesNothing(t *testing.T) {
	t.Chdir(t.TempDir())
	for _, name := range []string{"mine.expr", "mine_test.yaml"} {
		if err := os.WriteFile(name, []byte("mine"), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, errs := runs(t, exitWrongUse, "rules", "new", "mine"); !strings.Contains(errs, name+" is there already") {
			t.Errorf("got %s", errs)
		}
		list, err := filepath.Glob("*")
		data, _ := os.ReadFile(name)
		if err != nil || !slices.Equal(list, []string{name}) || string(data) != "mine" {
			t.Errorf("left %v with %q", list, data)
		}
		if err := os.Remove(name); err != nil {
			t.Fatal(err)
		}
	}
}
