package rules

import (
	"fmt"
	"slices"

	"github.com/expr-lang/expr/ast"
)

// emptyList: a condition that cannot hold because a list, or a table, has no
// entries. The opposite, a list of exceptions in which nobody is, is how a rule
// is shipped: it becomes a note.
func emptyList(s *subject) {
	for _, u := range s.emptyUses(s.form) {
		if u.dead {
			s.warnOn(u.node, fmt.Sprintf("fill %s below lists/, or set status: disabled until there is something to put in", u.name),
				"%s is empty, so %s never holds", u.title(), u.condition)
		}
	}
}

// emptyUse is a place where an expression names something that is empty.
type emptyUse struct {
	node      ast.Node
	what      string // list or table
	name      string
	condition string // text of the condition it stands in
	dead      bool   // the condition never holds; otherwise it always does, or that is not known
}

func (u emptyUse) title() string { return fmt.Sprintf("the %s %q", u.what, u.name) }

// notes are what is to be known of the rule beside its text.
func (b *body) notes(f *form) []string {
	var out []string
	for _, u := range b.emptyUses(f) {
		effect := "leaves nobody out"
		if u.dead {
			effect = "never holds"
		}
		if u.what == "table" && !u.dead {
			effect = "compares with nothing but empty texts"
		}
		out = append(out, fmt.Sprintf("%s is empty: %s %s", u.title(), u.condition, effect))
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// emptyUses finds them in all that the rule evaluates.
func (b *body) emptyUses(f *form) []emptyUse {
	w := emptyWalk{body: b, seen: map[seenUse]bool{}}
	for _, s := range f.steps {
		w.walk(s.test, false, nil)
		if s.keys != nil {
			for _, k := range s.keys.nodes {
				w.walk(k, false, nil)
			}
		}
	}
	if f.value != nil {
		w.walk(f.value, false, nil)
	}
	return w.found
}

type emptyWalk struct {
	*body
	seen  map[seenUse]bool
	found []emptyUse
}

// seenUse is a node that was walked, as it is or denied.
type seenUse struct {
	node   ast.Node
	denied bool
}

// walk goes through an expression and the lets it names. Under is the
// comparison it stands in, if it does.
func (w *emptyWalk) walk(n ast.Node, denied bool, under *ast.BinaryNode) {
	n = w.behind(n)
	if w.seen[seenUse{n, denied}] {
		return
	}
	w.seen[seenUse{n, denied}] = true
	switch n := n.(type) {
	case *ast.UnaryNode:
		if n.Operator == "!" || n.Operator == "not" {
			w.walk(n.Node, !denied, nil)
			return
		}
	case *ast.BinaryNode:
		if list, ok := n.Right.(*ast.CallNode); ok && n.Operator == "in" && isCallOf(list, "list") {
			if name, _ := listName(list); w.lists.sets[name].empty() {
				text := n.String()
				if denied {
					text = n.Left.String() + " not in " + n.Right.String()
				}
				w.found = append(w.found, emptyUse{n.Right, "list", name, text, !denied})
			}
			w.walk(n.Left, denied, nil)
			return
		}
		switch n.Operator {
		case "==", "in", "startsWith", "endsWith", "contains", "matches", "!=":
			under = n
		}
	case *ast.MemberNode:
		if t, _ := w.rowKey(n.Node); t != nil && t.empty() {
			w.found = append(w.found, w.emptyColumn(n, t, denied, under))
		}
	}
	for _, c := range children(n) {
		w.walk(*c, denied, under)
	}
}

// emptyColumn is the use of a table without rows: its columns are empty.
func (w *emptyWalk) emptyColumn(n *ast.MemberNode, t *table, denied bool, under *ast.BinaryNode) emptyUse {
	u := emptyUse{n, "table", t.name, n.String(), false}
	if under != nil {
		u.condition = under.String()
		lit, isText := w.behind(under.Right).(*ast.StringNode)
		u.dead = !denied && under.Operator == "==" && isText && lit.Value != ""
	}
	return u
}
