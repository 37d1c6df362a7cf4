package rules

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"
	"unicode/utf8"
)

// inside fails where a problem is not told of a place in its file.
func inside(t *testing.T, content string, problems Problems) {
	t.Helper()
	lines := strings.Split(strings.ReplaceAll(strings.TrimPrefix(content, "\ufeff"), "\r\n", "\n"), "\n")
	for _, p := range problems {
		if p.Message == "" || p.File == "" || p.Line < 1 || p.Line > len(lines) {
			t.Fatalf("%+v in a file of %d lines", p, len(lines))
		}
		if p.Column < 1 || p.Column > utf8.RuneCountInString(strings.TrimRight(lines[p.Line-1], "\r"))+1 {
			t.Fatalf("%+v in the line %q", p, lines[p.Line-1])
		}
		if !utf8.ValidString(p.String()) {
			t.Fatalf("not readable: %q", p.String())
		}
	}
}

// FuzzRule loads any text as a rule file: it never panics, and it loads or
// says why not, at places in the file. What loads is checked and can be matched.
func FuzzRule(f *testing.F) {
	for _, pattern := range []string{"testdata/good/*.expr", "testdata/bad/*.expr", "testdata/lint/*/*.expr", "builtin/*.expr"} {
		files, err := filepath.Glob(pattern)
		if err != nil || len(files) == 0 {
			f.Fatal("no seeds: ", pattern, err)
		}
		for _, file := range files {
			data, err := os.ReadFile(file)
			if err != nil {
				f.Fatal(err)
			}
			if len(data) < 4<<10 {
				f.Add(string(data))
			}
		}
	}
	f.Fuzz(func(t *testing.T, content string) {
		set, problems := Check(CheckConfig{Retention: 24 * time.Hour}, Folder{FS: fstest.MapFS{
			"r.expr":                {Data: []byte(content)},
			"lists/break-glass.txt": {Data: []byte("root@example.test")},
			"lists/offices.csv":     {Data: []byte("range\n198.51.100.0/24")},
			"lists/vaults.csv":      {Data: []byte("uuid,name,owner\nv,Payroll,bob\n")},
		}})
		inside(t, content, problems)
		if (set == nil) != problems.HasErrors() {
			t.Fatalf("set %v, problems %v", set, problems)
		}
		if set == nil {
			return
		}
		m := set.Matcher()
		told(m, signin("bob", "mfa_failed"))
		told(m, item("bob", "export"))
		r := set.Rules()[0]
		if p := r.Pattern; len(p.Steps) == 0 || p.Within <= 0 || p.Quiet <= 0 || p.Within > MaxWithin {
			t.Fatalf("%+v", p)
		}
	})
}

// FuzzTests reads any text as a test file.
func FuzzTests(f *testing.F) {
	for _, pattern := range []string{"builtin/*_test.yaml", "testdata/tests/*.yaml"} {
		files, err := filepath.Glob(pattern)
		if err != nil || len(files) == 0 {
			f.Fatal("no seeds: ", pattern, err)
		}
		for _, file := range files {
			data, err := os.ReadFile(file)
			if err != nil {
				f.Fatal(err)
			}
			for _, part := range strings.Split(string(data), "\n\n") { // small seeds are tried more often
				f.Add(part)
			}
		}
	}
	f.Fuzz(func(t *testing.T, content string) {
		cases, problems := ParseTests("r_test.yaml", []byte(content))
		inside(t, content, problems)
		if cases != nil && problems.HasErrors() {
			t.Fatal("cases and errors: ", problems)
		}
		for _, c := range cases {
			for i := range c.Events {
				if _, err := c.Events[i].Fields(); err != nil {
					t.Fatal(err)
				}
			}
		}
	})
}

// FuzzList reads any text as a list and as a table.
func FuzzList(f *testing.F) {
	f.Add("alice\n10.0.0.0/8 # office\nRoot@example.test\n::1/128", true)
	f.Add("range,owner\n\"10.0.0.0/33\",hq\n", false)
	f.Add("uuid,name,owner\n# a comment\nv1,\"Pay, roll\",bob\nROOT@example.test,,\n", false)
	f.Add("a,a\n1,2", false)
	f.Add("a,\n1,2\n1,3", false)
	f.Fuzz(func(t *testing.T, content string, txt bool) {
		file := "lists/l.csv"
		if txt {
			file = "lists/l.txt"
		}
		l := newLists()
		problems := l.read(file, []byte(content))
		if utf8.ValidString(content) {
			inside(t, content, problems)
		}
		set := l.sets["l"]
		for entry := range set.texts {
			if !set.has(entry) {
				t.Fatalf("%q is an entry and not in the list", entry)
			}
		}
		for r := range set.ranges {
			if !set.has(r.Addr().String()) {
				t.Fatalf("%v is a range and its first address not in the list", r)
			}
		}
		table := l.tables["l"]
		if table == nil || table.unusable != "" {
			return
		}
		digest := table.digest()
		for key := range table.numbers {
			if got := table.cell(key, 0); tableKey(got) != key {
				t.Fatalf("the row of %q has the key %q", key, got)
			}
			if _, err := parseRange(key); err != nil && !set.has(key) && len(problems) == 0 {
				t.Fatalf("%q is in the table and not in the list", key)
			}
		}
		if l.read(file, []byte(content)); table.unusable != "" || table.digest() != digest {
			t.Fatalf("a file joined with itself is another table: %s", table.unusable)
		}
	})
}
