package rules

import (
	"reflect"
	"slices"
	"strings"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/builtin"
	"github.com/expr-lang/expr/conf"

	"watchword/bus/event"
)

// Bounds on a rule file.
const (
	maxNodes    = 5000     // of one expression; longer lists belong into lists/
	maxFileSize = 64 << 10 // bytes; also bounds how deep the parser can go
)

// envType is the environment a rule sees: one event.
var envType = reflect.TypeFor[event.Fields]()

// pattern is what a pattern word gives, for the type checker only: words are
// never executed, they are read off the tree.
type pattern struct{}

// entries is what list("name") gives, for the type checker only: `in` a map of
// strings is a bool. Compiled leaves call the list itself, see split.go.
type entries map[string]struct{}

// row is what lookup("name", key) gives, for the type checker only: it stands
// before the name of a column, and compiled leaves call the column itself.
type row map[string]string

// words are the pattern words. They take anything: what their arguments must
// be is said by pattern.go in the words of the rule language.
var words = []string{"times", "distinct", "sequence", "together", "travel", "by", "within", "across"}

// laterWords belong to the rule language, but not to this version yet.
var laterWords = []string{"absent", "unseen", "spike"}

// laterFields likewise.
var laterFields = []string{"alert"}

// newConfig is the language as expr's checker and compiler see it, with further
// functions of one text each (the lists, ranges and columns that a leaf names). Every
// use needs its own: it caches types without a lock.
func newConfig(named map[string]textFunction) *conf.Config {
	c := conf.CreateNew()
	expr.Env(event.Fields{})(c)
	never := func(...any) (any, error) { panic("a pattern word was executed") }
	for _, w := range words {
		expr.Function(w, never, new(func(...any) pattern))(c)
	}
	expr.Function("list", never, new(func(string) entries))(c)
	expr.Function("lookup", never, new(func(string, string) row))(c)
	expr.Function("cidr", never, new(func(string, string) bool))(c)
	expr.Function("domain", func(a ...any) (any, error) { return domain(a[0].(string)), nil }, domain)(c)
	expr.Function("distance_km", func(a ...any) (any, error) {
		return distanceKM(a[0].(event.Location), a[1].(event.Location)), nil
	}, distanceKM)(c)
	for name, f := range named {
		expr.Function(name, func(a ...any) (any, error) { return f.call(a[0].(string)), nil }, f.shape)(c)
	}
	for name := range refusedFunctions {
		expr.DisableBuiltin(name)(c)
	}
	expr.MaxNodes(maxNodes)(c)
	for name := range c.Disabled {
		delete(c.Builtins, name) // as expr.Compile does; the parts it is made of do not
	}
	return c
}

// ourFunctions are callable in steps, keys and values.
var ourFunctions = []string{"list", "lookup", "cidr", "domain", "distance_km"}

// functionNames are all names that may be called.
func functionNames() []string {
	names := append(slices.Clone(words), ourFunctions...)
	for name := range builtin.Index {
		if refusedFunctions[name] == "" {
			names = append(names, name)
		}
	}
	return names
}

// fieldNames are the names of a struct's fields in the rule language.
func fieldNames(t reflect.Type) []string {
	var names []string
	for i := range t.NumField() {
		if name := t.Field(i).Tag.Get("expr"); name != "" {
			names = append(names, name)
		}
	}
	return names
}

// fieldType is the type of a field by its name in the rule language.
func fieldType(t reflect.Type, name string) (reflect.Type, bool) {
	for i := range t.NumField() {
		if f := t.Field(i); f.Tag.Get("expr") == name {
			return f.Type, true
		}
	}
	return nil, false
}

// isRecord tells whether a field has fields of its own.
func isRecord(t reflect.Type) bool { return t.Kind() == reflect.Struct && len(fieldNames(t)) > 0 }

// allFields lists every field that holds a value, with its path.
func allFields() []string {
	var walk func(prefix string, t reflect.Type) []string
	walk = func(prefix string, t reflect.Type) (out []string) {
		for _, name := range fieldNames(t) {
			ft, _ := fieldType(t, name)
			if isRecord(ft) {
				out = append(out, walk(prefix+name+".", ft)...)
			} else {
				out = append(out, prefix+name)
			}
		}
		return out
	}
	return walk("", envType)
}

// pathOf is the dotted path of a field access that starts at a name, empty for
// anything else.
func pathOf(n ast.Node) string {
	switch n := n.(type) {
	case *ast.IdentifierNode:
		return n.Value
	case *ast.ChainNode:
		return pathOf(n.Node)
	case *ast.MemberNode:
		property, ok := n.Property.(*ast.StringNode)
		base := pathOf(n.Node)
		if !ok || base == "" || n.Method {
			return ""
		}
		return base + "." + property.Value
	}
	return ""
}

// root is the name a path starts with.
func root(path string) string {
	name, _, _ := strings.Cut(path, ".")
	return name
}
