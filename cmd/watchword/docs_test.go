package main

import (
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"watchword/detectors"
	"watchword/rules"
)

// page reads a file of the project.
func page(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("..", "..", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

var (
	codeBlock = regexp.MustCompile("(?ms)^( *)```(\\w+)(?: (\\S+))?\n(.*?)^ *```$")
	listName  = regexp.MustCompile(`list\("([^"]+)"\)`)
)

// TestRuleExamples compiles every example of a rule in the documentation, and
// runs the tests that stand below some. Blocks that name a file below lists/
// are there for all examples of the page.
func TestRuleExamples(t *testing.T) {
	for _, name := range []string{"README.md", "docs/rules.md"} {
		lists, tested := fstest.MapFS{}, 0
		blocks := codeBlock.FindAllStringSubmatch(page(t, name), -1)
		for _, b := range blocks {
			if strings.HasPrefix(b[3], "lists/") {
				lists[b[3]] = &fstest.MapFile{Data: []byte(b[4])}
			}
		}
		var files fstest.MapFS // of the last example
		for _, b := range blocks {
			switch {
			case b[2] == "expr":
				files = maps.Clone(lists)
				loadExample(t, name, files, strings.ReplaceAll("\n"+b[4], "\n"+b[1], "\n")[1:])
			case b[3] == "example_test.yaml":
				files[b[3]] = &fstest.MapFile{Data: []byte(b[4])}
				testExample(t, name, files)
				tested++
			}
		}
		if files == nil || name == "docs/rules.md" && tested == 0 {
			t.Errorf("%s: no example found", name)
		}
	}
}

// loadExample loads the text as the rule example; a list it names has an entry.
func loadExample(t *testing.T, page string, files fstest.MapFS, text string) {
	t.Helper()
	if !strings.HasPrefix(text, "---\n") {
		text = "---\ntitle: an example\nseverity: low\n---\n" + text
	}
	files["example.expr"] = &fstest.MapFile{Data: []byte(text)}
	for _, l := range listName.FindAllStringSubmatch(text, -1) {
		files["lists/"+l[1]+".txt"] = &fstest.MapFile{Data: []byte("somebody\n")}
	}
	if _, problems := rules.Load(rules.Folder{Name: page, FS: files}); len(problems) > 0 {
		t.Errorf("an example of %s is wrong:\n%s\n%v", page, text, problems)
	}
}

// testExample runs the tests beside the example.
func testExample(t *testing.T, page string, files fstest.MapFS) {
	t.Helper()
	folder := rules.Folder{Name: page, FS: files}
	set, problems := rules.Load(folder)
	if set == nil {
		t.Fatal(problems)
	}
	cases, problems := rules.LoadTests(folder, "example")
	if len(problems) > 0 || len(cases) == 0 {
		t.Fatalf("%s: the tests of an example: %v", page, problems)
	}
	for _, c := range cases {
		if result := detectors.RunCase(set, set.Rule("example"), c); len(result.Failures) > 0 {
			t.Errorf("%s: the example's test %q fails: %+v", page, c.Name, result.Failures)
		}
	}
}

// TestCommandsInDocs: every make target and every verb the pages name exists.
func TestCommandsInDocs(t *testing.T) {
	makefile := page(t, "Makefile")
	makeTarget := regexp.MustCompile(`\bmake ([a-z]+)\b`)
	verb := regexp.MustCompile(`(?:\./bin/|\x60)watchword ([a-z]+)(?: ([a-z]+))?`)
	pages, err := filepath.Glob(filepath.Join("..", "..", "docs", "*.md"))
	if err != nil {
		t.Fatal(err)
	}
	checked := 0
	for _, path := range append(pages, filepath.Join("..", "..", "README.md")) {
		name, err := filepath.Rel(filepath.Join("..", ".."), path)
		if err != nil {
			t.Fatal(err)
		}
		text := page(t, name)
		for _, m := range makeTarget.FindAllStringSubmatch(onlyCode(text), -1) {
			checked++
			if !strings.Contains(makefile, "\n"+m[1]+":") {
				t.Errorf("%s: the Makefile has no target %s", name, m[1])
			}
		}
		for _, m := range verb.FindAllStringSubmatch(onlyCode(text), -1) {
			checked++
			args := slices.DeleteFunc(m[1:], func(s string) bool { return s == "" })
			if p, out, errs := testProgram(t); p.run(t.Context(), append(args, "--help")) != exitFine {
				t.Errorf("%s: watchword %v --help fails:\n%s%s", name, args, out, errs)
			}
		}
	}
	if checked < 10 {
		t.Errorf("only %d commands found in the pages: the test looks in the wrong place", checked)
	}
}

// onlyCode is what of a page stands in code blocks and between backquotes.
func onlyCode(text string) string {
	return strings.Join(regexp.MustCompile("(?s)```.*?```|`[^`\n]*`").FindAllString(text, -1), "\n")
}

// TestLinksInDocs: every relative link leads somewhere.
func TestLinksInDocs(t *testing.T) {
	link := regexp.MustCompile(`\]\(([^)#:]+)\)`)
	for _, name := range []string{"README.md", "docs/design.md", "docs/rules.md", "docs/operations.md", "docs/configuration.md", "docs/lint/README.md"} {
		for _, m := range link.FindAllStringSubmatch(page(t, name), -1) {
			if _, err := os.Stat(filepath.Join("..", "..", filepath.Dir(name), m[1])); err != nil {
				t.Errorf("%s: the link to %s leads nowhere", name, m[1])
			}
		}
	}
}
