package rules

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"watchword/rules/builtin"
)

// lintFolder is a rule of a folder alone, with the lists and tests there.
func lintFolder(t *testing.T, dir, name string) Folder {
	t.Helper()
	folder := one(t, dir, name)
	test := strings.TrimSuffix(name, ".expr") + TestSuffix
	if data, err := os.ReadFile(filepath.Join(dir, test)); err == nil {
		folder.FS.(fstest.MapFS)[test] = &fstest.MapFile{Data: data}
	}
	return folder
}

// saidBy are the problems of one check.
func saidBy(check string, problems Problems) Problems {
	return slices.DeleteFunc(slices.Clone(problems), func(p Problem) bool { return p.Check != check })
}

// Each check has a folder of rules; beside each rule is what the check says of
// it, nothing where the name begins with fine.
func TestLints(t *testing.T) {
	const dir = "testdata/lint"
	config := CheckConfig{Retention: 30 * 24 * time.Hour}
	for _, check := range CheckNames() {
		if check == Invalid || check == attackIDCheck {
			continue // testdata/bad is full of them
		}
		dir := filepath.Join(dir, check)
		files := ruleFiles(t, dir)
		if !slices.ContainsFunc(files, func(f string) bool { return strings.HasPrefix(f, "fine") }) {
			t.Errorf("%s: no rule that is fine", check)
		}
		for _, name := range files {
			t.Run(check+"/"+name, func(t *testing.T) {
				_, problems := Check(config, lintFolder(t, dir, name))
				for _, p := range problems {
					if p.Severity == Error && check != "no-test" {
						t.Errorf("the rule has an error: %v", p)
					}
				}
				said := saidBy(check, problems)
				if strings.HasPrefix(name, "fine") {
					if len(said) > 0 {
						t.Errorf("it is not fine: %v", said)
					}
					return
				}
				if len(said) == 0 {
					t.Error("the check says nothing of it")
				}
				golden(t, filepath.Join(dir, strings.TrimSuffix(name, ".expr")+".want"), said.Error()+"\n")
			})
		}
	}
}

// Every folder of examples is that of a check.
func TestLintFolders(t *testing.T) {
	folders, err := fs.ReadDir(os.DirFS("testdata"), "lint")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range folders {
		if !slices.Contains(CheckNames(), f.Name()) {
			t.Errorf("testdata/lint/%s: there is no such check", f.Name())
		}
	}
}

// What a rule silences is not told by Load, and marked by Check; another
// check's problems stay.
func TestDisable(t *testing.T) {
	const content = "---\ntitle: T\nseverity: low\ndisable: [unknown-value, no-test]\n---\nitem.action == \"exports\" && location.country == \"Germany\"\n"
	folder := Folder{FS: fstest.MapFS{"r.expr": {Data: []byte(content)}}}
	told := func(problems Problems) string {
		var out []string
		for _, p := range problems {
			name := p.Check
			if p.Silenced {
				name = "(" + name + ")"
			}
			out = append(out, name)
		}
		slices.Sort(out)
		return strings.Join(out, " ")
	}
	set, problems := Load(folder)
	if got, want := told(problems), "country-name"; set == nil || got != want {
		t.Errorf("Load tells %s, want %s", got, want)
	}
	set, problems = Check(CheckConfig{}, folder)
	if got, want := told(problems), "(no-test) (unknown-value) bare-fold country-name no-attack no-runbook"; set == nil || got != want {
		t.Errorf("Check tells %s, want %s", got, want)
	}
}

// The built-in rules pass every check, at the default retention and without
// silencing any.
func TestBuiltinRulesPassEveryCheck(t *testing.T) {
	_, problems := Check(CheckConfig{Retention: 180 * 24 * time.Hour}, Folder{Name: "builtin", FS: builtin.FS})
	if len(problems) > 0 {
		t.Error(problems)
	}
}

// Notes tell of lists in which nothing is.
func TestNotes(t *testing.T) {
	set, problems := Load(Folder{FS: fstest.MapFS{
		"r.expr":           rule(`user.uuid not in list("nobody") && (!(user.email in list("nobody")) || lookup("empty", user.uuid).team != "") && user.uuid in list("some")`),
		"lists/nobody.txt": {Data: []byte("# nobody\n")}, "lists/some.txt": {Data: []byte("u1\n")}, "lists/empty.csv": {Data: []byte("uuid,team\n")},
	}})
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	want := []string{
		`the list "nobody" is empty: user.email not in list("nobody") leaves nobody out`,
		`the list "nobody" is empty: user.uuid not in list("nobody") leaves nobody out`,
		`the table "empty" is empty: lookup("empty", user.uuid).team != "" compares with nothing but empty texts`,
	}
	if got := set.Rule("r").Notes; !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}
