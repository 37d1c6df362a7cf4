package rules

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"pgregory.net/rapid"
)

func TestFormat(t *testing.T) {
	const head, tail = "---\ntitle: t\nseverity: low\n---\n", "item.action == \"export\"\n"
	for _, c := range []struct{ name, text, want string }{
		{"as it should be", head + tail, head + tail},
		{"line ends, a byte order mark, blanks at ends", "\ufeff--- \r\ntitle: t  \r\nseverity: low\t\r\n---\r\nitem.action == \"export\"  \r\n\r\n\r\n", head + tail},
		{"no line end", head + strings.TrimSuffix(tail, "\n"), head + tail},
		{"keys in order", "---\nstatus: staged\nseverity: low\nquiet: 5m\nattack: [T1110]\ntitle: t\n---\n" + tail,
			"---\ntitle: t\nseverity: low\nattack: [T1110]\nquiet: 5m\nstatus: staged\n---\n" + tail},
		{"colons and blank lines", "---\n\ntitle  :   t\n\n\nseverity:\tlow  # not much\n\n---\n\n\n" + tail,
			"---\ntitle: t\nseverity: low  # not much\n---\n" + tail},
		{"comments go with what they are above", "---\n# the gap\nquiet: 5m\n# what\n# it is\ntitle: t\nseverity: low\n# status: staged\n---\n" + tail,
			"---\n# what\n# it is\ntitle: t\nseverity: low\n# the gap\nquiet: 5m\n# status: staged\n---\n" + tail},
		{"what a blank line ends is about the file", "---\n# ours\n\n\n# low\nseverity: low\ntitle: t\n---\n" + tail,
			"---\n# ours\n\ntitle: t\n# low\nseverity: low\n---\n" + tail},
		{"texts of several lines", "---\ntitle: t\nrunbook: |\n  first \n\n  # no comment\n   third\n\n\nseverity: low\ndescription: >-\n    a\n    b\n---\n" + tail,
			"---\ntitle: t\nseverity: low\ndescription: >-\n    a\n    b\nrunbook: |\n  first \n\n  # no comment\n   third\n---\n" + tail},
		{"a text that keeps its blank lines", "---\nrunbook: |+\n  first\n\n\n# low\nseverity: low\ntitle: t\n---\n" + tail,
			"---\ntitle: t\n# low\nseverity: low\nrunbook: |+\n  first\n\n\n---\n" + tail},
		{"lists", "---\ntitle: t\nseverity: low\nfalse_positives:\n- one\n# and\n-   two\n\n- \"three\"\nattack:   [ T1110 ]\nreferences:\n      - https://a.test   \n      - https://b.test\n---\n" + tail,
			"---\ntitle: t\nseverity: low\nattack: [ T1110 ]\nreferences:\n  - https://a.test\n  - https://b.test\nfalse_positives:\n  - one\n  # and\n  - two\n  - \"three\"\n---\n" + tail},
		{"a list of texts of several lines", "---\ntitle: t\nseverity: low\nfalse_positives:\n    - |\n      one  \n      two\n    - three\n---\n" + tail,
			"---\ntitle: t\nseverity: low\nfalse_positives:\n    - |\n      one  \n      two\n    - three\n---\n" + tail},
		{"a list over several lines", "---\nseverity: low\nattack: [T1110,\n  T1111]\ntitle: t\n---\n" + tail,
			"---\ntitle: t\nseverity: low\nattack: [T1110,\n  T1111]\n---\n" + tail},
		{"YAML of another shape is left alone", "---\n{severity: low,   title: t}\n---\n" + tail, "---\n{severity: low,   title: t}\n---\n" + tail},
		{"the expression", head + "let a = item.action == \"x\";  \n\n\n\n// why  \nlet  b = item.action==\"y\" ;\n\t\ntimes(a || b\n || a, 5)\n| by(user.uuid)\n        | within(\"1h\")\n",
			head + "let a = item.action == \"x\";\n\n// why\nlet  b = item.action==\"y\" ;\n\ntimes(a || b\n || a, 5)\n  | by(user.uuid)\n  | within(\"1h\")\n"},
		{"pipes within brackets", head + "sequence(item.action == \"a\"\n| by(user.uuid),\n item.action == \"b\"\n      | by(user.uuid))\n| within(\"1h\")\n",
			head + "sequence(item.action == \"a\"\n| by(user.uuid),\n item.action == \"b\"\n      | by(user.uuid))\n  | within(\"1h\")\n"},
		{"texts and comments over several lines", head + "/* a  \n\n\n| b  \n*/\nitem.action == `x  \n\n\n| \"y`   \n",
			head + "/* a  \n\n\n| b  \n*/\nitem.action == `x  \n\n\n| \"y`\n"},
		{"a quote in a comment", head + "// don't  \nitem.action == \"a\" // it's  \n\n\n|by(user.uuid)\n", head + "// don't\nitem.action == \"a\" // it's\n\n  |by(user.uuid)\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, problems := Format("f.expr", []byte(c.text))
			if problems != nil {
				t.Fatal(problems)
			}
			if string(got) != c.want {
				t.Errorf("\n got %q\nwant %q", got, c.want)
			}
			if again, _ := Format("f.expr", got); string(again) != string(got) {
				t.Errorf("formatted again:\n got %q\nwant %q", again, got)
			}
		})
	}
}

func TestFormatRefuses(t *testing.T) {
	for text, want := range map[string]string{
		"":                             "front matter",
		"item.action == \"x\"":         "front matter",
		"---\ntitle: t\n":              "does not end",
		"---\ntitle: [t\n---\nx":       "not valid YAML",
		"---\ntitle: t\n---\n":         "no expression",
		"---\ntitle: t\n---\nx ==\n":   "ends too early",
		"---\ntitle: t\n---\nf(x\n":    "not closed",
		"---\ntitle: t\n---\nx == \"a": "f.expr:4:",
		"---\ntitle: \xff\n---\nx":     "UTF-8",
	} {
		got, problems := Format("f.expr", []byte(text))
		if got != nil || !problems.HasErrors() || !strings.Contains(problems.Error(), want) {
			t.Errorf("%q: want an error with %q, got %q, %v", text, want, got, problems)
		}
	}
}

// The rules that come with Watchword have the usual form.
func TestBuiltinRulesAreFormatted(t *testing.T) {
	files, err := filepath.Glob("builtin/*.expr")
	if err != nil || len(files) < 12 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if got, problems := Format(file, data); problems != nil || string(got) != string(data) {
			t.Errorf("%s is not formatted (%v); it would be\n%s", file, problems, got)
		}
	}
}

// FuzzFormat formats any text: it never panics; what it gives it does not change
// again; and a rule says and means after it what it did before.
func FuzzFormat(f *testing.F) {
	for _, pattern := range []string{"testdata/good/*.expr", "testdata/bad/*.expr", "builtin/*.expr"} {
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
		once, problems := Format("r.expr", []byte(content))
		if (once == nil) != problems.HasErrors() {
			t.Fatalf("%q and %v", once, problems)
		}
		if once == nil {
			return
		}
		twice, problems := Format("r.expr", once)
		if problems != nil || string(twice) != string(once) {
			t.Fatalf("%q\nonce  %q\ntwice %q %v", content, once, twice, problems)
		}
		if before, after := meaning(content), meaning(string(once)); before != after {
			t.Fatalf("%q\nmeant %s\nand as %q\nmeans %s", content, before, once, after)
		}
	})
}

// meaning is all that a rule says but its version, or that it says nothing.
func meaning(content string) string {
	set, problems := Load(Folder{FS: fstest.MapFS{
		"r.expr":                {Data: []byte(content)},
		"lists/break-glass.txt": {Data: []byte("root@example.test")},
		"lists/offices.csv":     {Data: []byte("range\n198.51.100.0/24")},
		"lists/vaults.csv":      {Data: []byte("uuid,name,owner\nv,Payroll,bob\n")},
	}})
	if problems.HasErrors() {
		return "nothing"
	}
	r := *set.Rule("r")
	r.Version, r.compiled = "", nil
	r.Description, r.Runbook = strings.TrimRight(r.Description, "\n"), strings.TrimRight(r.Runbook, "\n")
	var b strings.Builder
	v := reflect.ValueOf(r)
	for i := range v.NumField() {
		fmt.Fprintf(&b, "%s: %q\n", v.Type().Field(i).Name, fmt.Sprint(v.Field(i)))
	}
	for _, s := range set.Rule("r").compiled.steps {
		fmt.Fprintf(&b, "step: %s\n", s.test.Disassemble())
	}
	return b.String()
}

// Whatever the order, the spaces and the comments: the form is the same order,
// nothing changes it again, and what it says is what was said.
func TestFormatKeepsMeaning(t *testing.T) {
	values := map[string][]string{
		"title": {"t", `"t: u"`, "'it''s'"}, "severity": {"low", "high # or low"},
		"description":     {"one", "|\n  a  \n\n  # b\n    c", ">-\n  a\n  b", "\"a\n  b\"", "|+\n  a\n\n"},
		"attack":          {"[T1110]", "[T1110,\n  T1111 ]", "\n  - T1110\n  # more\n  - T1111", "\n- T1110\n\n- T1111"},
		"references":      {"\n     - https://a.test\n     - https://b.test   "},
		"false_positives": {`["a", 'b']`, "\n  - |\n    a  \n    b\n  - c", "\n  - a\n    b"},
		"runbook":         {"|\n  x\n\n\n  y", "Ask."},
		"quiet":           {"5m", "  5m  "}, "status": {"staged", "disabled"}, "disable": {"[no-test]"},
	}
	bodies := []string{
		"let a = item.action == \"x\";\n%slet b = signin.outcome ==  \"y\";%s\n%ssequence(a\n  | by(user.uuid), b)%s\n%s| by(user.uuid)\n%s| within(\"1h\")",
		"// it's\n%sitem.action == `x%s\n%s| y\n\n\n` || item.action%s ==\n%s\"z\" /* a %s*/",
	}
	rapid.Check(t, func(t *rapid.T) {
		spaces := rapid.SampledFrom([]string{"", "", " ", "\t", "  \n\n\n", "\n", "\n  "})
		space := func() any { return spaces.Draw(t, "space") }
		keys := slices.Sorted(maps.Keys(values))
		kept := []string{"title", "severity"}
		for _, k := range keys {
			if !slices.Contains(kept, k) && rapid.Bool().Draw(t, k) {
				kept = append(kept, k)
			}
		}
		var b strings.Builder
		b.WriteString("---\n")
		for _, k := range rapid.Permutation(kept).Draw(t, "order") {
			b.WriteString(rapid.SampledFrom([]string{"", "", "\n", "# a comment\n", "\n\n# one\n\n# two\n"}).Draw(t, "above"))
			colon := rapid.SampledFrom([]string{": ", ":   ", " : ", ":\t"}).Draw(t, "colon")
			value := rapid.SampledFrom(values[k]).Draw(t, "value of "+k)
			b.WriteString(k + colon + value + "\n")
		}
		b.WriteString(rapid.SampledFrom([]string{"", "\n", "# the end\n"}).Draw(t, "below"))
		body := rapid.SampledFrom(bodies).Draw(t, "expression")
		b.WriteString("---\n" + fmt.Sprintf(body, space(), space(), space(), space(), space(), space()) + "\n")
		text := b.String()

		once, problems := Format("r.expr", []byte(text))
		if problems != nil {
			t.Fatalf("%s\n%v", text, problems)
		}
		if twice, _ := Format("r.expr", once); string(twice) != string(once) {
			t.Fatalf("%s\nonce\n%s\ntwice\n%s", text, once, twice)
		}
		before, after := meaning(text), meaning(string(once))
		if before != after || before == "nothing" {
			t.Fatalf("%s\nmeant %s\nand as\n%s\nmeans %s", text, before, once, after)
		}
		if strings.Count(text, "#") != strings.Count(string(once), "#") {
			t.Fatalf("a comment is lost:\n%s\nin\n%s", once, text)
		}
		last := -1
		for line := range strings.Lines(string(once)) {
			if key, _, ok := strings.Cut(line, ":"); ok && slices.Contains(headOrder, key) {
				if at := slices.Index(headOrder, key); at < last {
					t.Fatalf("%s is out of order in\n%s", key, once)
				} else {
					last = at
				}
			}
		}
	})
}
