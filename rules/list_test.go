package rules

import (
	"strings"
	"testing"
	"testing/fstest"
)

func TestList(t *testing.T) {
	for _, c := range []struct {
		name, ext, content string
		in, out            []string
	}{
		{"a line each", ".txt", "alice\n  bob  \n\n", []string{"alice", "bob"}, []string{"", "carol", "Alice", "alice\n"}},
		{"comments", ".txt", "# all\nalice # the boss\n\t# more\na#b\n#", []string{"alice", "a#b"}, []string{"# all", "#", "the boss", "a"}},
		{"another system's lines", ".txt", "\ufeffalice\r\nbob\r\n", []string{"alice", "bob"}, nil},
		{"e-mails in any case", ".txt", "Root@Example.Test", []string{"root@example.test", "ROOT@EXAMPLE.TEST"}, []string{"root"}},
		{"addresses", ".txt", "192.0.2.1\n2001:db8::1", []string{"192.0.2.1", "::ffff:192.0.2.1", "2001:0DB8::1"}, []string{"192.0.2.2", "2001:db8::2"}},
		{"ranges", ".txt", "10.0.0.0/8\n10.1.2.3/16\n2001:db8::/32\n::ffff:192.0.2.0/120", []string{"10.255.0.1", "2001:db8:1::", "192.0.2.77"}, []string{"11.0.0.1", "2001:db9::", "10.0.0.0/8", "192.0.3.1"}},
		{"everything", ".txt", "0.0.0.0/0", []string{"192.0.2.1"}, []string{"2001:db8::1", "x"}},
		{"a path is no range", ".txt", "a/b\nteam/1", []string{"a/b", "team/1"}, nil},
		{"first column", ".csv", "user,name\nu1,\"Ada, L.\"\n# u2,no\n\"u,3\",x\n,\n\nu4 , \n", []string{"u1", "u,3", "u4"}, []string{"user", "name", "Ada, L.", "u2"}},
		{"ranges with names", ".csv", "range,office\n10.0.0.0/8,Ulm\n2001:db8::/32,Bonn\n", []string{"10.1.2.3", "2001:db8::1"}, []string{"Ulm", "11.0.0.1"}},
		{"a key twice is one entry", ".csv", "user,device\nu1,a\nu1,b\n", []string{"u1"}, []string{"a"}},
		{"only comments", ".csv", "# user,name\n# u1,Ada\n", nil, []string{"user", "u1"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := newLists()
			if problems := l.read("l"+c.ext, []byte(c.content)); len(problems) > 0 {
				t.Fatal(problems)
			}
			set := l.sets["l"]
			for _, v := range c.in {
				if !set.has(v) {
					t.Errorf("%q is not in the list", v)
				}
			}
			for _, v := range c.out {
				if set.has(v) {
					t.Errorf("%q is in the list", v)
				}
			}
		})
	}
}

func TestBadLists(t *testing.T) {
	for _, c := range []struct{ file, content, want string }{
		{"l.txt", "alice\n  10.0.0.0/33\n", `l.txt:2:3: error: "10.0.0.0/33" is no range`},
		{"l.csv", "a,b\n::/200,x\n", `l.csv:2:1: error: "::/200" is no range`},
		{"l.csv", "a,b\n1,2\n\"a,b\n\nc,d\n", `l.csv:3:1: error: not valid CSV: extraneous or missing "`},
		{"l.csv", "a,b\nx\"y,b\n", `l.csv:2:2: error: not valid CSV: bare "`},
		{"l.csv", "a,b\n# c\n1,2,3\n4\n", "l.csv:3:1: error: the first line names 2 columns, but the row has 3"},
		{"l.csv", "a,b\n,2\n", "l.csv:2:1: error: the row has no key"},
		{"l.csv", "u1@example.test,Ada\n", `l.csv:1:1: error: the first line of a .csv names its columns, and "u1@example.test" looks like an entry`},
		{"l.csv", "# offices\n198.51.100.0/24,hq\n", "l.csv:2:1: error: the first line"},
		{"l.csv", "k3vq7ytbz2wnhx5cjr4mld6aee\n", "l.csv:1:1: error: the first line"},
		{"l.txt", "\xff\xfe", "not UTF-8"},
	} {
		problems := newLists().read(c.file, []byte(c.content))
		if got := problems.Error(); len(problems) != 1 || !strings.Contains(got, c.want) {
			t.Errorf("%q: %q, want %q", c.content, got, c.want)
		}
	}
}

// A list is the same list whatever order and files its entries are in, and
// the version of a rule follows its entries.
func TestVersion(t *testing.T) {
	version := func(body, list string, more ...Folder) string {
		t.Helper()
		files := fstest.MapFS{
			"r.expr":          {Data: []byte(head + body)},
			"lists/a.txt":     {Data: []byte(list)},
			"lists/other.txt": {Data: []byte("x" + list)},
		}
		set, problems := Load(append([]Folder{{FS: files}}, more...)...)
		if set == nil {
			t.Fatal(problems)
		}
		v := set.Rule("r").Version
		if len(v) != 12 {
			t.Fatalf("version %q", v)
		}
		return v
	}
	const body = `user.uuid in list("a")`
	first := version(body, "u1\nu2")
	more := Folder{Name: "more", FS: fstest.MapFS{"lists/a.csv": {Data: []byte("user\nu2\n")}}}
	for what, same := range map[string]string{
		"again":           version(body, "u1\nu2"),
		"another order":   version(body, "u2\n# a comment\nu1\n"),
		"two folders":     version(body, "u1", more),
		"an entry  twice": version(body, "u1\nu2\nu1"),
	} {
		if same != first {
			t.Errorf("%s: another version", what)
		}
	}
	for what, other := range map[string]string{
		"another entry":  version(body, "u1\nu3"),
		"another text":   version(body+" ", "u1\nu2"),
		"another list":   version(`user.uuid in list("other")`, "u1\nu2"),
		"no entry":       version(body, ""),
		"one entry more": version(body, "u1\nu2\nu3"),
	} {
		if other == first {
			t.Errorf("%s: the same version", what)
		}
	}
}
