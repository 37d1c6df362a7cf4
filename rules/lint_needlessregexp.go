package rules

import (
	"fmt"
	"regexp/syntax"
	"slices"
	"strings"

	"github.com/expr-lang/expr/ast"
)

// needlessRegexp: a regular expression that says no more than a comparison
// does. A comparison is read at a glance, and by an equality steps are found
// without evaluating them.
func needlessRegexp(s *subject) {
	each(&s.tree.Node, func(at *ast.Node) bool {
		if n, ok := (*at).(*ast.BinaryNode); ok && n.Operator == "matches" {
			if lit, ok := n.Right.(*ast.StringNode); ok {
				if instead := plainTest(n.Left.String(), lit.Value); instead != "" {
					s.warnOn(lit, "write "+instead, "the regular expression says no more than a comparison")
				}
			}
		}
		return true
	})
}

// maxAlternatives bounds the texts that are written into a list instead.
const maxAlternatives = 16

// plainTest is the comparison that says the same as `left matches pattern`,
// empty where there is none.
func plainTest(left, pattern string) string {
	re, err := syntax.Parse(pattern, syntax.Perl)
	if err != nil {
		return ""
	}
	parts := []*syntax.Regexp{re}
	if re.Op == syntax.OpConcat {
		parts = re.Sub
	}
	start, end := false, false
	if len(parts) > 0 && parts[0].Op == syntax.OpBeginText {
		start, parts = true, parts[1:]
	}
	if n := len(parts); n > 0 && parts[n-1].Op == syntax.OpEndText {
		end, parts = true, parts[:n-1]
	}
	if n := len(parts); n > 0 && anything(parts[n-1]) {
		end, parts = false, parts[:n-1]
	}
	if len(parts) > 0 && anything(parts[0]) {
		start, parts = false, parts[1:]
	}
	texts, ok := textsOf(&syntax.Regexp{Op: syntax.OpConcat, Sub: parts})
	switch {
	case !ok:
		return ""
	case start && end && len(texts) > 1:
		return fmt.Sprintf("%s in [%s]", left, quoted(texts))
	case len(texts) != 1:
		return ""
	case start && end:
		return fmt.Sprintf("%s == %q", left, texts[0])
	case texts[0] == "":
		return ""
	case start:
		return fmt.Sprintf("%s startsWith %q", left, texts[0])
	case end:
		return fmt.Sprintf("%s endsWith %q", left, texts[0])
	}
	return fmt.Sprintf("%s contains %q", left, texts[0])
}

func quoted(texts []string) string {
	out := make([]string, len(texts))
	for i, t := range texts {
		out[i] = fmt.Sprintf("%q", t)
	}
	return strings.Join(out, ", ")
}

// anything tells of .*, which before or behind a text says nothing: no field
// has a line break.
func anything(re *syntax.Regexp) bool {
	return re.Op == syntax.OpStar && (re.Sub[0].Op == syntax.OpAnyChar || re.Sub[0].Op == syntax.OpAnyCharNotNL)
}

// textsOf lists the texts an expression matches, if they are few.
func textsOf(re *syntax.Regexp) (texts []string, ok bool) {
	switch re.Op {
	case syntax.OpEmptyMatch:
		return []string{""}, true
	case syntax.OpLiteral:
		return []string{string(re.Rune)}, re.Flags&syntax.FoldCase == 0
	case syntax.OpCapture:
		return textsOf(re.Sub[0])
	case syntax.OpQuest:
		texts, ok = textsOf(re.Sub[0])
		return append(slices.Clone(texts), ""), ok
	case syntax.OpCharClass:
		for i := 0; i < len(re.Rune); i += 2 {
			for r := re.Rune[i]; r <= re.Rune[i+1]; r++ {
				if len(texts) == maxAlternatives {
					return nil, false
				}
				texts = append(texts, string(r))
			}
		}
		return texts, true
	case syntax.OpAlternate:
		for _, sub := range re.Sub {
			more, ok := textsOf(sub)
			if texts = append(texts, more...); !ok || len(texts) > maxAlternatives {
				return nil, false
			}
		}
		return texts, true
	case syntax.OpConcat:
		texts = []string{""}
		for _, sub := range re.Sub {
			more, ok := textsOf(sub)
			if !ok || len(texts)*len(more) > maxAlternatives {
				return nil, false
			}
			var longer []string
			for _, t := range texts {
				for _, m := range more {
					longer = append(longer, t+m)
				}
			}
			texts = longer
		}
		return texts, true
	}
	return nil, false
}
