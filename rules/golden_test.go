package rules

import (
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
)

var update = flag.Bool("update", false, "rewrite the expected output in testdata; read the difference")

// one is a folder with only one rule file of a folder, and its lists.
func one(t *testing.T, dir, name string) Folder {
	t.Helper()
	files := fstest.MapFS{}
	for _, pattern := range []string{name, "lists/*"} {
		matches, err := fs.Glob(os.DirFS(dir), pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range matches {
			data, err := os.ReadFile(filepath.Join(dir, m))
			if err != nil {
				t.Fatal(err)
			}
			files[m] = &fstest.MapFile{Data: data}
		}
	}
	return Folder{FS: files}
}

func ruleFiles(t *testing.T, dir string) []string {
	t.Helper()
	names, err := fs.Glob(os.DirFS(dir), "*.expr")
	if err != nil || len(names) == 0 {
		t.Fatal("no rule files in "+dir, err)
	}
	return names
}

func golden(t *testing.T, file, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s (go test -run %s -update rewrites it)\ngot:\n%s\nwant:\n%s", file, t.Name(), got, want)
	}
}

// Each file in testdata/bad has one mistake, unless its name says several;
// beside it is what is said of it.
func TestBad(t *testing.T) {
	const dir = "testdata/bad"
	for _, name := range ruleFiles(t, dir) {
		t.Run(name, func(t *testing.T) {
			set, problems := Load(one(t, dir, name))
			if len(problems) == 0 {
				t.Fatal("nothing is said of it")
			}
			if warning := strings.HasPrefix(name, "warn-"); warning != (set != nil) {
				t.Errorf("loaded: %v", set != nil)
			}
			if len(problems) > 1 && !strings.Contains(name, "several") && !strings.Contains(name, "two-mistakes") {
				t.Errorf("one mistake is told %d times", len(problems))
			}
			golden(t, filepath.Join(dir, strings.TrimSuffix(name, ".expr")+".want"), problems.Error()+"\n")
		})
	}
}

// Each file in testdata/good loads without a word; beside it is how it is
// understood.
func TestGood(t *testing.T) {
	const dir = "testdata/good"
	for _, name := range ruleFiles(t, dir) {
		t.Run(name, func(t *testing.T) {
			set, problems := Load(one(t, dir, name))
			if len(problems) > 0 {
				t.Fatal(problems)
			}
			golden(t, filepath.Join(dir, strings.TrimSuffix(name, ".expr")+".want"), outline(set.Rules()[0]))
		})
	}
}

// outline is a rule as far as the text of the file decides it.
func outline(r *Rule) string {
	var b strings.Builder
	p := r.Pattern
	fmt.Fprintf(&b, "%s [%s, %s] quiet %v\n", r.Title, r.Severity, r.Status, p.Quiet)
	fmt.Fprintf(&b, "%s n=%d within %v across=%v by %q entity-keyed=%v\n", p.Word, p.N, p.Within, p.Across, p.KeyNames, r.EntityKeyed())
	if p.KmPerHour != 0 {
		fmt.Fprintf(&b, "at most %v km/h\n", p.KmPerHour)
	}
	for i, s := range p.Steps {
		c := r.compiled.steps[i]
		kind := string(c.kind)
		if kind == "" {
			kind = "every kind"
		}
		fmt.Fprintf(&b, "  %d × %s: %s", s.Times, s.Name, kind)
		if c.guard.field != unindexed {
			fmt.Fprintf(&b, ", %s in %q", indexedPaths[c.guard.field], c.guard.values)
		}
		b.WriteString("\n")
	}
	return b.String()
}
