package rules

import (
	"fmt"
	"strings"
	"testing"
	"testing/fstest"

	"pgregory.net/rapid"

	"watchword/bus/event"
)

func csvFile(lines ...string) *fstest.MapFile {
	return &fstest.MapFile{Data: []byte(strings.Join(lines, "\n") + "\n")}
}

// matchesOnce tells whether the body matches the event, with these lists.
func matchesOnce(t *testing.T, body string, f event.Fields, folders ...Folder) bool {
	t.Helper()
	folders = append([]Folder{{Name: "rule", FS: fstest.MapFS{"r.expr": rule(body)}}}, folders...)
	set, problems := Load(folders...)
	if set == nil {
		t.Fatal(problems)
	}
	return len(told(set.Matcher(), f)) > 0
}

func TestLookup(t *testing.T) {
	first := Folder{Name: "first", FS: fstest.MapFS{"lists/people.csv": csvFile(
		"email,team,boss id",
		"# who has left: mallory@example.test,none,",
		"Alice@Example.test,finance,u9",
		`bob@example.test, "build, test",`,
		"v,vaults,u1",
	)}}
	second := Folder{Name: "second", FS: fstest.MapFS{"lists/people.csv": csvFile(
		"email,team,boss id", "ALICE@example.test,board,", "carol@example.test,sales,u7")}}
	alice, bob := signin("aLICE", "success"), signin("bob", "success")
	v := item("bob", "export") // in the vault v
	for _, c := range []struct {
		name, body string
		event      event.Fields
		folders    []Folder
		want       bool
	}{
		{"a column", `lookup("people", user.email).team == "finance"`, alice, []Folder{first}, true},
		{"trimmed and quoted", `lookup("people", user.email).team == "build, test"`, bob, []Folder{first}, true},
		{"an empty cell", `lookup("people", user.email)["boss id"] == ""`, bob, []Folder{first}, true},
		{"the key's own column", `lookup("people", user.email).email == "Alice@Example.test"`, alice, []Folder{first}, true},
		{"a missing key gives empty texts", `lookup("people", user.email).team == "" && lookup("people", user.email).email == ""`, signin("eve", "success"), []Folder{first}, true},
		{"an empty key", `lookup("people", user.name).team == ""`, alice, []Folder{first}, true},
		{"a comment is no row", `lookup("people", user.email).team == ""`, signin("mallory", "success"), []Folder{first}, true},
		{"ids as they are", `lookup("people", item.vault_uuid).team == "vaults"`, v, []Folder{first}, true},
		{"ids in another case", `lookup("people", upper(item.vault_uuid)).team == ""`, v, []Folder{first}, true},
		{"the later folder's row", `lookup("people", user.email).team == "board" && lookup("people", user.email)["boss id"] == ""`, alice, []Folder{first, second}, true},
		{"the later of the other order", `lookup("people", user.email).team == "finance"`, alice, []Folder{second, first}, true},
		{"rows of both", `lookup("people", user.email).team == "sales"`, signin("carol", "success"), []Folder{first, second}, true},
		{"a let that is a row", `let p = lookup("people", user.email); let q = p; q.team == "finance" && p.team startsWith "fin"`, alice, []Folder{first}, true},
		{"a row of a row", `lookup("people", lookup("people", user.email)["boss id"] == "u9" ? "v" : "").team == "vaults"`, alice, []Folder{first}, true},
		{"the keys are a list", `user.email in list("people") && "email" not in list("people")`, alice, []Folder{first}, true},
		{"two rows, one rule", `let p = lookup("people", user.email); p.team != lookup("people", "v").team`, alice, []Folder{first}, true},
		{"in a loop", `any(["v", user.email], lookup("people", #).team == "finance")`, alice, []Folder{first}, true},
		{"not the other", `lookup("people", user.email).team == "finance"`, bob, []Folder{first}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := matchesOnce(t, c.body, c.event, c.folders...); got != c.want {
				t.Errorf("matches: %v, want %v", got, c.want)
			}
		})
	}
}

// A looked-up text can be a key and a value, and an empty one leaves the event out.
func TestLookupAsKey(t *testing.T) {
	files := fstest.MapFS{
		"r.expr":           rule(`distinct(item.action == "export", lookup("vaults", item.vault_uuid).name, 2) | by(lookup("vaults", item.vault_uuid).owner) | within("1h")`),
		"lists/vaults.csv": csvFile("uuid,owner,name", "v,bob,Payroll", "w,,Nobody's"),
	}
	set, problems := Load(Folder{FS: files})
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	m := set.Matcher()
	if got := fmt.Sprint(told(m, item("alice", "export"))); got != "[r acme[bob] 1 Payroll]" {
		t.Error(got)
	}
	f := item("alice", "export")
	f.Item.VaultUUID = "w"
	if got := told(m, f); len(got) > 0 || m.Stats()[0].Keyless != 1 {
		t.Errorf("%q, %+v", got, m.Stats())
	}
}

func TestUnusableTables(t *testing.T) {
	wide := strings.Repeat("c,", maxColumns) + "c"
	for _, c := range []struct{ first, second, want string }{
		{"uuid,name\nu1,a\nu2,b\nu1,c\n", "", `the table "t" cannot be used: a/lists/t.csv:4: the key "u1" is there twice`},
		{"mail,name\nA@x,a\na@X,b\n", "", `a/lists/t.csv:3: the key "a@X" is there twice`},
		{"uuid,\nu1,a\n", "", "a/lists/t.csv: column 2 has no name"},
		{"uuid,n,n\n", "", `a/lists/t.csv: two columns are named "n"`},
		{wide, "", "at most 64 columns"},
		{"uuid,name\nu1,a\n", "uuid,owner\nu1,a\n", "its files have different first lines: uuid,name in a/lists/t.csv, uuid,owner in b/lists/t.csv"},
	} {
		a := fstest.MapFS{"r.expr": rule(`lookup("t", user.uuid).name == "a"`), "lists/t.csv": {Data: []byte(c.first)}}
		b := fstest.MapFS{}
		if c.second != "" {
			b["lists/t.csv"] = &fstest.MapFile{Data: []byte(c.second)}
		}
		_, problems := Load(Folder{Name: "a", FS: a}, Folder{Name: "b", FS: b})
		if got := problems.Error(); len(problems) != 1 || !strings.Contains(got, "a/r.expr:5:8: error: ") || !strings.Contains(got, c.want) {
			t.Errorf("%q: %s\nwant %q", c.first, got, c.want)
		}
		a["r.expr"] = rule(`user.uuid in list("t")`)
		if c.first != wide && c.second == "" && strings.Count(c.first, "\n") > 1 {
			if set, problems := Load(Folder{Name: "a", FS: a}); set == nil {
				t.Errorf("%q is no list: %v", c.first, problems)
			}
		}
	}
}

// A mistake in a file is told once, not again by every rule that names it.
func TestSpoiltTable(t *testing.T) {
	for content, want := range map[string]string{
		"uuid,name\nu1\n":     "lists/t.csv:2:1: error: the first line names 2 columns, but the row has 1",
		"uuid,name\nu1,\"a\n": "lists/t.csv:2:6: error: not valid CSV",
		"\xff":                "lists/t.csv:1:1: error: the list is not UTF-8 text",
	} {
		_, problems := Load(Folder{FS: fstest.MapFS{
			"r.expr":      rule(`let p = lookup("t", user.uuid); p.owner == "x" && user.uuid in list("t")`),
			"lists/t.csv": {Data: []byte(content)},
		}})
		if got := problems.Error(); len(problems) != 1 || !strings.HasPrefix(got, want) {
			t.Errorf("%q: %s, want %s", content, got, want)
		}
	}
}

// The size of a table is bounded over all its files.
func TestTableIsBounded(t *testing.T) {
	table, columns := &table{name: "t"}, make([]string, maxColumns)
	for i := range columns {
		columns[i] = fmt.Sprint("c", i)
	}
	for file := range 2 {
		s := sheet{columns: columns}
		for i := range maxCells/maxColumns/2 + 1 {
			cells := make([]string, maxColumns)
			cells[0] = fmt.Sprint(file, "-", i)
			s.rows, s.lines = append(s.rows, cells), append(s.lines, i+2)
		}
		table.join(fmt.Sprint(file, ".csv"), s)
	}
	if want := fmt.Sprintf("1.csv:%d: a table has at most %d cells", maxCells/maxColumns/2+1, maxCells); table.unusable != want {
		t.Errorf("%q, want %q", table.unusable, want)
	}
}

// A table is what a plain map of its rows is, whatever is in it and in how
// many files; its version follows its content and nothing else.
func TestTableEqualsMap(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		key := rapid.SampledFrom([]string{"a", "A", "b", "x@y", "X@Y", "10.0.0.1"})
		cell := rapid.SampledFrom([]string{"", "1", "2", `q"uoted`, "com,ma"})
		want := map[string]string{} // the second column, by key
		l := newLists()
		for file := range rapid.IntRange(1, 3).Draw(t, "files") {
			seen, lines := map[string]bool{}, []string{"k,c"}
			for range rapid.IntRange(0, 4).Draw(t, "rows") {
				k, c := key.Draw(t, "key"), cell.Draw(t, "cell")
				if folded := tableKey(k); !seen[folded] {
					seen[folded] = true
					want[folded] = c
					lines = append(lines, fmt.Sprintf(`%s,"%s"`, k, strings.ReplaceAll(c, `"`, `""`)))
				}
			}
			if problems := l.read(fmt.Sprint(file, "/t.csv"), []byte(strings.Join(lines, "\n"))); len(problems) > 0 {
				t.Fatal(problems)
			}
		}
		table := l.tables["t"]
		for _, k := range []string{"a", "A", "b", "B", "x@y", "x@Y", "", "10.0.0.1", "c"} {
			if got := table.cell(k, 1); got != want[tableKey(k)] {
				t.Fatalf("%q: %q, want %q", k, got, want[tableKey(k)])
			}
		}
		digest := table.digest()
		if len(want) > 0 {
			table.cells[1] += "!"
			if table.digest() == digest {
				t.Fatal("another cell, the same digest")
			}
		}
	})
}

// The version of a rule follows the table it looks things up in.
func TestVersionFollowsTables(t *testing.T) {
	version := func(body string, table ...string) string {
		t.Helper()
		set, problems := Load(Folder{FS: fstest.MapFS{
			"r.expr": rule(body), "lists/t.csv": csvFile(table...), "lists/other.csv": csvFile("k", fmt.Sprint(len(table))),
		}})
		if set == nil {
			t.Fatal(problems)
		}
		return set.Rule("r").Version
	}
	const body = `lookup("t", user.uuid).c == "1"`
	first := version(body, "k,c", "a,1", "b,2")
	for what, same := range map[string]string{
		"again":         version(body, "k,c", "a,1", "b,2"),
		"another order": version(body, "k,c", "# a comment", "b,2", "", "a, 1"),
	} {
		if same != first {
			t.Errorf("%s: another version", what)
		}
	}
	for what, other := range map[string]string{
		"another cell":   version(body, "k,c", "a,1", "b,3"),
		"another column": version(body, "k,c,d", "a,1,", "b,2,"),
		"one row more":   version(body, "k,c", "a,1", "b,2", "c,3"),
		"as a list":      version(`user.uuid in list("t")`, "k,c", "a,1", "b,2"),
	} {
		if other == first {
			t.Errorf("%s: the same version", what)
		}
	}
}

// A rule without look-ups costs what it did: one allocation to box the event,
// however many tables there are.
func TestAllocations(t *testing.T) {
	files := fstest.MapFS{
		"plain.expr":       rule(`item.action == "export" && item.vault_uuid == "elsewhere"`),
		"lists/vaults.csv": csvFile("uuid,owner", "v,bob", "w,alice"),
	}
	allocations := func() float64 {
		set, problems := Load(Folder{FS: files})
		if set == nil {
			t.Fatal(problems)
		}
		m, f := set.Matcher(), item("bob", "export")
		return testing.AllocsPerRun(1000, func() { m.Match(f, func(Match) { t.Error("a match") }) })
	}
	plain := allocations()
	files["lookup.expr"] = rule(`item.action == "export" && lookup("vaults", item.vault_uuid).owner == "nobody"`)
	if with := allocations(); plain > 1 || with > plain+4 {
		t.Errorf("%v allocations for an event without look-up, %v with one", plain, with)
	}
}
