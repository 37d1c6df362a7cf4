package main

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

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
	exprBlock = regexp.MustCompile("(?ms)^( *)```expr\n(.*?)^ *```$")
	listName  = regexp.MustCompile(`list\("([^"]+)"\)`)
)

// TestRuleExamples compiles every example of a rule in the documentation.
func TestRuleExamples(t *testing.T) {
	for _, name := range []string{"README.md", "docs/rules.md"} {
		blocks := exprBlock.FindAllStringSubmatch(page(t, name), -1)
		if len(blocks) == 0 {
			t.Errorf("%s: no example found", name)
		}
		for _, b := range blocks {
			text := strings.ReplaceAll("\n"+b[2], "\n"+b[1], "\n")[1:]
			if !strings.HasPrefix(text, "---\n") {
				text = "---\ntitle: an example\nseverity: low\n---\n" + text
			}
			files := fstest.MapFS{"example.expr": {Data: []byte(text)}}
			for _, l := range listName.FindAllStringSubmatch(text, -1) {
				files["lists/"+l[1]+".txt"] = &fstest.MapFile{Data: []byte("# nobody\n")}
			}
			if _, problems := rules.Load(rules.Folder{Name: name, FS: files}); len(problems) > 0 {
				t.Errorf("an example of %s is wrong:\n%s\n%v", name, text, problems)
			}
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
	for _, name := range []string{"README.md", "docs/design.md", "docs/rules.md", "docs/operations.md", "docs/configuration.md"} {
		for _, m := range link.FindAllStringSubmatch(page(t, name), -1) {
			if _, err := os.Stat(filepath.Join("..", "..", filepath.Dir(name), m[1])); err != nil {
				t.Errorf("%s: the link to %s leads nowhere", name, m[1])
			}
		}
	}
}
