package rules

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"watchword/rules/builtin"
)

// The rules that come with the program load without a word of complaint.
func TestBuiltinRulesLoad(t *testing.T) {
	set, problems := Load(Folder{Name: "builtin", FS: builtin.FS})
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	if got := len(set.Rules()); got != 16 {
		t.Errorf("%d rules, want 16", got)
	}
	if got, want := set.Reach(), 14*24*time.Hour+time.Hour; got != want {
		t.Errorf("reach %v, want %v: the fortnight of export-before-suspension and its quiet hour", got, want)
	}
}

func rule(body string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(head + body)} }

func TestFolders(t *testing.T) {
	const body = `item.action == "export"`
	for _, c := range []struct {
		name    string
		folders []Folder
		rules   int
		want    string // in the problems
	}{
		{"none", nil, 0, ""},
		{"empty", []Folder{{Name: "a", FS: fstest.MapFS{}}}, 0, ""},
		{"other files are left alone", []Folder{{FS: fstest.MapFS{"r.expr": rule(body), "README.md": rule("x"), "sub/s.expr": rule("x"), "r_test.yaml": rule("x"), "lists/x.md": rule("x")}}}, 1, ""},
		{"two folders", []Folder{{Name: "a", FS: fstest.MapFS{"r.expr": rule(body)}}, {Name: "b", FS: fstest.MapFS{"s.expr": rule(body)}}}, 2, ""},
		{"a list of another folder", []Folder{{Name: "a", FS: fstest.MapFS{"r.expr": rule(`user.uuid in list("l")`)}}, {Name: "b", FS: fstest.MapFS{"lists/l.txt": {Data: []byte("u")}}}}, 1, ""},
		{"one id twice", []Folder{{Name: "a", FS: fstest.MapFS{"r.expr": rule(body)}}, {Name: "b", FS: fstest.MapFS{"r.expr": rule(body)}}}, 0, "b/r.expr:1:1: error: rule r is there already: a/r.expr"},
		{"a name that is no id", []Folder{{Name: "a", FS: fstest.MapFS{"My_Rule.expr": rule(body)}}}, 0, "a/My_Rule.expr:1:1: error: the id of a rule"},
		{"all files are told of", []Folder{{Name: "a", FS: fstest.MapFS{"r.expr": rule("usr"), "s.expr": rule("usr"), "t.expr": rule(body)}}}, 0, "a/s.expr:5:1: error: unknown name usr"},
		{"not text", []Folder{{Name: "a", FS: fstest.MapFS{"r.expr": {Data: []byte("\xff")}}}}, 0, "a/r.expr:1:1: error: the file is not UTF-8 text"},
		{"too large", []Folder{{Name: "a", FS: fstest.MapFS{"r.expr": rule(strings.Repeat(" ", maxFileSize))}}}, 0, "a/r.expr:1:1: error: cannot be read: larger than 64 KiB"},
		{"no such folder", []Folder{{Name: "a", FS: os.DirFS(filepath.Join(t.TempDir(), "missing"))}}, 0, "a:1:1: error: cannot be read: no such file or directory"},
	} {
		t.Run(c.name, func(t *testing.T) {
			set, problems := Load(c.folders...)
			if (set == nil) != (c.want != "") || !strings.Contains(problems.Error(), c.want) {
				t.Fatalf("set %v, problems:\n%v\nwant %q", set != nil, problems, c.want)
			}
			if set != nil && len(set.Rules()) != c.rules {
				t.Errorf("%d rules, want %d", len(set.Rules()), c.rules)
			}
		})
	}
}

// What is deep, long or doubled again and again is refused or read in no time.
func TestHostileFiles(t *testing.T) {
	for name, body := range map[string]string{
		"parentheses": strings.Repeat("(", 60_000),
		"closed":      strings.Repeat("(", 30_000) + "true" + strings.Repeat(")", 30_000),
		"denials":     strings.Repeat("!", 60_000) + "true",
		"brackets":    strings.Repeat("[", 60_000),
		"braces":      strings.Repeat("{a:", 20_000),
		"choices":     strings.Repeat("true ? true : ", 4_000) + "true",
		"pipes":       "true" + strings.Repeat(" | by()", 8_000),
		"lets":        strings.Repeat("let a = 1;\n", 5_000) + "true",
		"semicolons":  strings.Repeat(";", 60_000),
		"conditions":  "true" + strings.Repeat(" && true", 2_400),
	} {
		t.Run(name, func(t *testing.T) {
			start := time.Now()
			Load(Folder{FS: fstest.MapFS{"r.expr": rule(body)}})
			if took := time.Since(start); took > 20*time.Second {
				t.Errorf("took %v", took)
			}
		})
	}
}
