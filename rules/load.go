package rules

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/expr-lang/expr/ast"
)

// Folder is a folder of rule files, with lists/ and tests beside them.
type Folder struct {
	Name string // for messages: files are told as Name/file
	FS   fs.FS
}

func (f Folder) file(name string) string { return path.Join(f.Name, name) }

// ruleID is what a rule file may be called: its id is a subject token and a
// word on command lines.
var ruleID = regexp.MustCompile(`^[a-z0-9-]+$`)

// Load reads every *.expr file of the folders, with the lists below them, and
// checks and compiles all of them. The set is nil when there is any error; the
// problems tell all mistakes of all files, and warn of rules that do not do what
// they seem to say. What a rule silences is left out.
func Load(folders ...Folder) (*Set, Problems) {
	set, problems := loadAll(folders, nil)
	return set, slices.DeleteFunc(problems, func(p Problem) bool { return p.Silenced })
}

// loadAll reads all rules. Without a config, only the checks are made that are
// always made.
func loadAll(folders []Folder, config *CheckConfig) (*Set, Problems) {
	lists, problems := loadLists(folders)
	var all []*Rule
	files := map[string]string{} // id → file
	for _, folder := range folders {
		names, err := fs.Glob(folder.FS, "*.expr")
		if err == nil {
			_, err = fs.Stat(folder.FS, ".")
		}
		if err != nil {
			problems = append(problems, unreadable(folder.file("."), err))
			continue
		}
		for _, name := range names {
			file := folder.file(name)
			id := strings.TrimSuffix(name, ".expr")
			if !ruleID.MatchString(id) {
				problems = append(problems, atStart(file, "the id of a rule, its file name, is lower case letters, digits and dashes"))
				continue
			}
			if other := files[id]; other != "" {
				problems = append(problems, atStart(file, fmt.Sprintf("rule %s is there already: %s", id, other)))
				continue
			}
			files[id] = file
			data, err := readFile(folder.FS, name, maxFileSize)
			if err != nil {
				problems = append(problems, unreadable(file, err))
				continue
			}
			rule, found := readRule(ruleFile{folder: folder, id: id, data: data}, lists, config)
			problems = append(problems, found...)
			all = append(all, rule)
		}
	}
	problems = problems.inOrder()
	if problems.HasErrors() {
		return nil, problems
	}
	return newSet(all), problems
}

// ruleFile is a rule file as it was found.
type ruleFile struct {
	folder Folder
	id     string
	data   []byte
}

// readRule checks and compiles one rule file. The rule is nil when there is an
// error among the problems.
func readRule(file ruleFile, lists *lists, config *CheckConfig) (*Rule, Problems) {
	name := file.folder.file(file.id + ".expr")
	if !utf8.Valid(file.data) {
		return nil, Problems{atStart(name, "the file is not UTF-8 text")}
	}
	content := strings.TrimPrefix(string(file.data), "\ufeff")
	content = strings.ReplaceAll(content, "\r\n", "\n")
	t := newText(name, content)
	head, src, ok := splitFrontMatter(t)
	var fm frontMatter
	if ok {
		fm = parseFrontMatter(t, head)
	}
	b := &body{text: t, src: src, config: newConfig(nil), lists: lists, lost: map[string]bool{}}
	var f *form
	var code *compiled
	if src != "" { // it is where the front matter has no end
		f, code = b.read()
	}
	if t.hasErrors() {
		return nil, t.problems.inOrder()
	}
	rule := &Rule{
		ID: file.id, File: name, Version: b.version(file.data),
		Title: fm.title, Severity: fm.severity, Description: fm.description, Attack: fm.attack,
		References: fm.references, FalsePositives: fm.falsePositives, Runbook: fm.runbook, Controls: fm.controls,
		Status: fm.status, Pattern: f.plain(fm.quiet), Notes: b.notes(f), compiled: code,
	}
	s := &subject{body: b, rule: rule, form: f, head: fm, folder: file.folder}
	s.lint(config)
	return rule, t.problems.inOrder()
}

// read reads the expression; without a form there are errors.
func (b *body) read() (*form, *compiled) {
	if !b.parse() {
		return nil, nil
	}
	b.check()
	b.checkTypes()
	b.checkShapes()
	form := patternReader{b}.read(*b.final)
	if form == nil {
		return nil, nil
	}
	if b.hasErrors() {
		for _, s := range form.steps { // without compiling, what a step says of kinds can be told
			b.kindOf(s.test)
		}
		return nil, nil
	}
	return form, b.compileForm(form)
}

// plain is the pattern as plain data.
func (f *form) plain(quiet time.Duration) Pattern {
	p := Pattern{Word: f.word, N: f.n, KmPerHour: f.speed, Within: f.within, Quiet: quiet, Across: f.across}
	if p.Quiet == 0 {
		p.Quiet = min(p.Within, time.Hour)
	}
	for _, s := range f.steps {
		p.Steps = append(p.Steps, Step{Name: s.name, Times: s.times})
	}
	p.KeyNames = []string{"user.uuid"}
	if k := f.steps[0].keys; k != nil {
		p.KeyNames = []string{}
		for _, n := range k.nodes {
			p.KeyNames = append(p.KeyNames, n.String())
		}
	}
	return p
}

// version is a hash of the rule's text and of what is in the lists and tables
// it names.
func (b *body) version(data []byte) string {
	h := sha256.New()
	fmt.Fprintf(h, "%d:%s", len(data), data)
	var sets, tables []string
	each(&b.tree.Node, func(at *ast.Node) bool {
		if call, ok := (*at).(*ast.CallNode); ok && isCallOf(call, "list") {
			name, _ := listName(call)
			sets = append(sets, name)
		} else if ok && isCallOf(call, "lookup") {
			tables = append(tables, tableName(call))
		}
		return true
	})
	slices.Sort(sets)
	for _, name := range slices.Compact(sets) {
		fmt.Fprintf(h, "%d:%s%s", len(name), name, b.lists.sets[name].digest())
	}
	slices.Sort(tables)
	for _, name := range slices.Compact(tables) {
		fmt.Fprintf(h, "lookup %d:%s%s", len(name), name, b.lists.tables[name].digest())
	}
	return hex.EncodeToString(h.Sum(nil)[:6])
}

// readFile reads a file that is no larger than the limit.
func readFile(fsys fs.FS, name string, limit int64) ([]byte, error) {
	f, err := fsys.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var data bytes.Buffer
	if _, err := io.Copy(&data, io.LimitReader(f, limit+1)); err != nil {
		return nil, err
	}
	if int64(data.Len()) > limit {
		return nil, fmt.Errorf("larger than %d KiB", limit>>10)
	}
	return data.Bytes(), nil
}

// unreadable is the problem of a file that cannot be read.
func unreadable(file string, err error) Problem {
	return atStart(file, fmt.Sprintf("cannot be read: %v", reason(err)))
}

// reason is an error without the path that is told anyway.
func reason(err error) error {
	var p *fs.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	return err
}

// atStart is an error about a file as a whole.
func atStart(file, message string) Problem {
	return problemOf(Invalid, Error, file, message)
}
