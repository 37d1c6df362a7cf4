package main

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"watchword/rules"
)

// newRules holds, for each word of the language, a rule to begin with and its
// tests: <word>.expr and <word>_test.yaml.
//
//go:embed newrules
var newRules embed.FS

type rulesNewCmd struct {
	ID     string `arg:"" help:"Id of the rule, its file name: lower case letters, digits and dashes."`
	Word   string `default:"sequence" placeholder:"WORD" help:"What it is built on: ${words} (${default})."`
	Folder string `name:"in" placeholder:"FOLDER" help:"Where to write it; default: the first of rules.folders, or else this directory."`
}

// newWords are the words there is a rule for.
func newWords() []string {
	names, err := fs.Glob(newRules, "newrules/*.expr")
	if err != nil {
		panic(err) // the pattern is right
	}
	var words []string
	for _, name := range names {
		id, _ := ruleOfFile(name)
		words = append(words, id)
	}
	return words
}

// Run writes the rule and its tests, both or neither, and never over a file.
func (c *rulesNewCmd) Run(p *program) error {
	if !ruleWord.MatchString(c.ID) {
		return wrongUse{fmt.Errorf("%q cannot be the id of a rule: write lower case letters, digits and dashes", c.ID)}
	}
	if words := newWords(); !slices.Contains(words, c.Word) {
		return wrongUse{fmt.Errorf("--word: %q: want one of %s%s", c.Word, strings.Join(words, ", "), didYouMean(c.Word, words))}
	}
	config, err := p.config()
	if err != nil {
		return err
	}
	known, err := folders(config.Rules.Builtin, config.Rules.Folders)
	if err != nil {
		return err
	}
	for _, f := range known {
		if _, err := fs.Stat(f.FS, c.ID+".expr"); err == nil {
			return wrongUse{fmt.Errorf("rule %s is there already: %s/%s.expr", c.ID, f.Name, c.ID)}
		}
	}
	folder := c.Folder
	if folder == "" {
		folder = "."
		if len(config.Rules.Folders) > 0 {
			folder = config.Rules.Folders[0]
		}
	}
	rule, tests := filepath.Join(folder, c.ID+".expr"), filepath.Join(folder, c.ID+rules.TestSuffix)
	if err := c.write(folder, rule, tests); err != nil {
		return err
	}
	if p.JSON {
		return printJSON(p.out, struct {
			Rule  string `json:"rule"`
			Tests string `json:"tests"`
		}{rule, tests})
	}
	fmt.Fprintf(p.out, "%s\n%s\n", rule, tests)
	fmt.Fprintf(p.err, "Change both, then: watchword rules test %s\n", rule)
	if !slices.ContainsFunc(config.Rules.Folders, func(f string) bool { return sameFolder(f, folder) }) {
		fmt.Fprintf(p.err, "It runs once %s is in rules.folders of the configuration.\n", folder)
	}
	return nil
}

func (c *rulesNewCmd) write(folder, rule, tests string) error {
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return fmt.Errorf("new rule: %w", err)
	}
	var written []string
	for _, f := range []struct{ from, to string }{
		{c.Word + rules.TestSuffix, tests}, {c.Word + ".expr", rule}, // the rule last: whoever watches the folder sees it with its tests
	} {
		data, err := newRules.ReadFile("newrules/" + f.from)
		if err == nil {
			err = writeNew(f.to, data)
		}
		if err != nil {
			for _, name := range written {
				err = errors.Join(err, os.Remove(name))
			}
			return fmt.Errorf("new rule: %w", err)
		}
		written = append(written, f.to)
	}
	return nil
}

// writeNew writes a file that must not be there yet.
func writeNew(name string, data []byte) error {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if errors.Is(err, fs.ErrExist) {
		return wrongUse{fmt.Errorf("%s is there already", name)}
	}
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	return errors.Join(err, f.Close())
}

func sameFolder(a, b string) bool {
	one, err := os.Stat(a)
	if err != nil {
		return false
	}
	other, err := os.Stat(b)
	return err == nil && os.SameFile(one, other)
}
