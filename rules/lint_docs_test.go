package rules

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"
)

const lintDocs = "../docs/lint"

// Every check has a page and a line in the index, and every page a check.
func TestLintPages(t *testing.T) {
	index, err := os.ReadFile(filepath.Join(lintDocs, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	pages, err := fs.Glob(os.DirFS(lintDocs), "*.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, page := range pages {
		if name := strings.TrimSuffix(page, ".md"); name != "README" && !slices.Contains(CheckNames(), name) {
			t.Errorf("docs/lint/%s: there is no such check", page)
		}
	}
	for _, name := range CheckNames() {
		if !slices.Contains(pages, name+".md") {
			t.Errorf("docs/lint/%s.md is missing", name)
		}
		if !strings.Contains(string(index), "| ["+name+"]("+name+".md) | ") {
			t.Errorf("docs/lint/README.md does not list %s", name)
		}
	}
	if n := strings.Count(string(index), "\n| ["); n != len(CheckNames()) {
		t.Errorf("docs/lint/README.md lists %d checks, there are %d", n, len(CheckNames()))
	}
}

var (
	section = regexp.MustCompile(`(?m)^## (\w+)\n`)
	block   = regexp.MustCompile("(?ms)^```(\\w+)(?: (\\S+))?\n(.*?)^```$")
)

// sections are the parts of a page, by their titles.
func sections(page string) map[string]string {
	out := map[string]string{}
	at := section.FindAllStringSubmatchIndex(page, -1)
	for i, m := range at {
		end := len(page)
		if i+1 < len(at) {
			end = at[i+1][0]
		}
		out[page[m[2]:m[3]]] = page[m[1]:end]
	}
	return out
}

// examples are the rules of a section, each with the files of the section.
func examples(text string) (rules []string, files fstest.MapFS) {
	files = fstest.MapFS{}
	for _, b := range block.FindAllStringSubmatch(text, -1) {
		switch {
		case b[2] != "":
			files[b[2]] = &fstest.MapFile{Data: []byte(b[3])}
		case b[1] == "expr" && strings.HasPrefix(b[3], fence+"\n"):
			rules = append(rules, b[3])
		case b[1] == "expr":
			rules = append(rules, head+b[3])
		}
	}
	return rules, files
}

// The bad examples of a page are told of by its check, which they can silence
// as the page says, and the good ones are not.
func TestLintExamples(t *testing.T) {
	config := CheckConfig{Retention: 30 * 24 * time.Hour} // as window-retention.md says
	for _, name := range CheckNames() {
		data, err := os.ReadFile(filepath.Join(lintDocs, name+".md"))
		if err != nil {
			t.Error(err)
			continue
		}
		page := string(data)
		if !strings.HasPrefix(page, "# "+name+"\n") {
			t.Errorf("%s.md has another title", name)
		}
		parts := sections(page)
		said := func(rule string, files fstest.MapFS) Problems {
			files["example.expr"] = &fstest.MapFile{Data: []byte(rule)}
			_, problems := Check(config, Folder{FS: files})
			for _, p := range problems {
				if p.Severity == Error && p.Check != name {
					t.Errorf("%s.md: an example is wrong: %v", name, p)
				}
			}
			return saidBy(name, problems)
		}
		for _, title := range []string{"Why", "Bad", "Good", "Silence"} {
			if strings.TrimSpace(parts[title]) == "" {
				t.Errorf("%s.md has nothing under %s", name, title)
			}
		}
		bad, files := examples(parts["Bad"])
		for _, rule := range bad {
			problems := said(rule, files)
			if len(problems) == 0 {
				t.Errorf("%s.md: the check says nothing of\n%s", name, rule)
			}
			if problems.HasErrors() {
				continue
			}
			disable := "disable: [" + name + "]"
			if !strings.Contains(parts["Silence"], disable) {
				t.Errorf("%s.md does not say %s", name, disable)
			}
			for _, p := range said(strings.Replace(rule, fence+"\n", fence+"\n"+disable+"\n", 1), files) {
				if !p.Silenced {
					t.Errorf("%s.md: not silenced: %v", name, p)
				}
			}
		}
		good, files := examples(parts["Good"])
		for _, rule := range good {
			if problems := said(rule, files); len(problems) > 0 {
				t.Errorf("%s.md: a good example is not good: %v", name, problems)
			}
		}
		if len(bad) == 0 || len(good) == 0 {
			t.Errorf("%s.md has %d bad examples and %d good ones", name, len(bad), len(good))
		}
	}
}
