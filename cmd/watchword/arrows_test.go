package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// arrows is the architecture: which packages of this module a package may
// import. What is not listed may import nothing of the module.
var arrows = map[string][]string{
	"bus/event":                     nil,
	"bus/alert":                     nil,
	"bus":                           {"bus/event", "bus/alert"},
	"bus/bustest":                   {"bus", "bus/event", "bus/alert"},
	"rules":                         {"bus/event", "bus/alert"},
	"rules/builtin":                 nil,
	"rules/ruletest":                {"rules", "bus/event", "bus/alert"},
	"detectors/pattern":             {"rules", "bus/event", "bus/alert"},
	"detectors":                     {"detectors/pattern", "rules", "bus", "bus/event", "bus/alert"},
	"pollers/onepassword":           {"bus/event"},
	"pollers/onepassword/simulator": {"bus/event"},
	"pollers/onepassword/simulator/simulatortest": {"pollers/onepassword/simulator", "bus/event", "bus/alert"},
	"pollers": {"pollers/onepassword", "bus", "bus/event"},
	"cmd/watchword": {
		"bus", "bus/event", "bus/alert", "rules", "rules/builtin", "detectors", "pollers",
		"pollers/onepassword", "pollers/onepassword/simulator",
	},
}

// homes says which packages may import a third-party library, tests included.
// A library that is not listed here is not used.
var homes = map[string][]string{
	"github.com/nats-io/":            {"bus", "bus/bustest"},
	"github.com/expr-lang/expr":      {"rules"},
	"github.com/knadh/koanf/":        {"cmd/watchword"},
	"github.com/alecthomas/kong":     {"cmd/watchword"},
	"github.com/thejerf/suture/v4":   {"cmd/watchword", "pollers"},
	"github.com/cenkalti/backoff/v4": {"pollers"},
	"github.com/golang-jwt/jwt/v5":   {"pollers/onepassword", "pollers/onepassword/simulator"},
	"golang.org/x/time":              {"pollers"},
	"github.com/goccy/go-json":       {"bus/event", "bus/alert"},
	"github.com/biter777/countries":  {"bus/event"},
	"go.yaml.in/yaml/v3":             {"cmd/watchword", "rules", "rules/ruletest"},
	"golang.org/x/sync":              {"detectors", "bus"},
	"golang.org/x/sys":               {"bus"},
	"pgregory.net/rapid":             nil, // anywhere, in tests only
}

// pure packages run the same for replay, tests and production: no clock, no
// goroutine, nothing of the operating system or the network.
var pure = []string{"bus/event", "bus/alert", "rules", "rules/builtin", "detectors/pattern"}

var impureImports = []string{"os", "net", "net/http", "os/exec", "log", "math/rand", "math/rand/v2"}

var clockFunctions = []string{"Now", "Since", "Until", "Sleep", "After", "AfterFunc", "Tick", "NewTimer", "NewTicker"}

// source is one parsed Go file of the module.
type source struct {
	dir  string // below the module's root
	name string
	test bool
	file *ast.File
}

// moduleFiles parses every Go file of the module.
func moduleFiles(t *testing.T) (files []source, positions *token.FileSet) {
	t.Helper()
	root := filepath.Join("..", "..")
	positions = token.NewFileSet()
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && path != root && (strings.HasPrefix(d.Name(), ".") || d.Name() == "testdata" || d.Name() == "bin") {
			return filepath.SkipDir
		}
		if d.IsDir() || !strings.HasSuffix(path, ".go") {
			return nil
		}
		f, err := parser.ParseFile(positions, path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		dir, err := filepath.Rel(root, filepath.Dir(path))
		files = append(files, source{filepath.ToSlash(dir), d.Name(), strings.HasSuffix(path, "_test.go"), f})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(files) < 20 {
		t.Fatalf("only %d Go files found: the test looks in the wrong place", len(files))
	}
	return files, positions
}

func TestImportArrows(t *testing.T) {
	files, positions := moduleFiles(t)
	for _, f := range files {
		allowed, listed := arrows[f.dir]
		if !listed {
			t.Errorf("%s/%s: the package has no place in the table of arrows", f.dir, f.name)
			continue
		}
		for _, spec := range f.file.Imports {
			path, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				t.Fatal(err)
			}
			at := positions.Position(spec.Pos())
			if inner, ok := strings.CutPrefix(path, "watchword/"); ok {
				if !f.test && !slices.Contains(allowed, inner) {
					t.Errorf("%s: %s may not import %s", at, f.dir, inner)
				}
				continue
			}
			if !strings.Contains(strings.SplitN(path, "/", 2)[0], ".") {
				continue // the standard library
			}
			library, packages := homeOf(path)
			switch {
			case library == "":
				t.Errorf("%s: %s is in no table of libraries", at, path)
			case packages == nil && !f.test:
				t.Errorf("%s: %s is for tests", at, path)
			case packages != nil && !slices.Contains(packages, f.dir):
				t.Errorf("%s: %s has its home in %s, not in %s", at, path, strings.Join(packages, ", "), f.dir)
			}
		}
	}
}

func homeOf(path string) (library string, packages []string) {
	for l, p := range homes {
		if path == l || strings.HasPrefix(path, strings.TrimSuffix(l, "/")+"/") {
			return l, p
		}
	}
	return "", nil
}

func TestPurePackages(t *testing.T) {
	files, positions := moduleFiles(t)
	seen := map[string]bool{}
	for _, f := range files {
		if f.test || !slices.Contains(pure, f.dir) {
			continue
		}
		seen[f.dir] = true
		for _, spec := range f.file.Imports {
			if path, _ := strconv.Unquote(spec.Path.Value); slices.Contains(impureImports, path) {
				t.Errorf("%s: a pure package imports %s", positions.Position(spec.Pos()), path)
			}
		}
		for _, what := range impurities(f.file) {
			t.Errorf("%s: a pure package %s", positions.Position(what.pos), what.does)
		}
	}
	for _, p := range pure {
		if !seen[p] {
			t.Errorf("no file of the pure package %s was seen", p)
		}
	}
}

type impurity struct {
	pos  token.Pos
	does string
}

func impurities(f *ast.File) (found []impurity) {
	ast.Inspect(f, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.GoStmt:
			found = append(found, impurity{n.Pos(), "starts a goroutine"})
		case *ast.SelectorExpr:
			if x, ok := n.X.(*ast.Ident); ok && x.Name == "time" && slices.Contains(clockFunctions, n.Sel.Name) {
				found = append(found, impurity{n.Pos(), "reads the clock by time." + n.Sel.Name})
			}
		}
		return true
	})
	return found
}

// TestImpuritiesAreFound keeps the check above from passing by finding nothing.
func TestImpuritiesAreFound(t *testing.T) {
	const bad = "package p\nimport \"time\"\nfunc f() { go f(); _ = time.Now(); g(time.Since); _ = time.Second }"
	f, err := parser.ParseFile(token.NewFileSet(), "p.go", bad, 0)
	if err != nil {
		t.Fatal(err)
	}
	if found := impurities(f); len(found) != 3 {
		t.Errorf("want a goroutine and two clocks, got %v", found)
	}
}
